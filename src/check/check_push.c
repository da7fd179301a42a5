/* check_push.c: heartbeats come in over HTTP; the scheduler's deadlines judge
 * them. Its settings (token, interval, grace) are common rows. */
#include "check/check.h"

struct push_conf {
	bool none;   /* no settings of its own */
};

static const struct opt opts[] = {OPT_END};

static void
push_target(const void *own, struct buf *out)
{
	(void)own;
	buf_adds(out, "heartbeats");
}

const struct check_kind check_push = {
	.conf = {.name = "push", .drive = DRIVE_PUSH, .opts = opts,
	    .conf_size = sizeof(struct push_conf), .target = push_target},
};

/* check_group.c: as well as its worst member; the scheduler decides it when a
 * member changes. It has no settings of its own. */
#include "check/check.h"

struct group_conf {
	bool none;   /* no settings of its own */
};

static const struct opt opts[] = {OPT_END};

static void
group_target(const void *own, struct buf *out)
{
	(void)own;
	buf_adds(out, "its members");
}

const struct check_kind check_group = {
	.conf = {.name = "group", .drive = DRIVE_GROUP, .opts = opts,
	    .conf_size = sizeof(struct group_conf), .target = group_target},
};

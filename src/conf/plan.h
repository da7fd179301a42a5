/* plan.h: what it takes to get from the stored configuration to a wanted one.
 * Pure: no clock, no I/O. The writer runs it just before it applies it. */
#ifndef CONF_PLAN_H
#define CONF_PLAN_H

#include <stdbool.h>

#include "conf/conf.h"
#include "conf/window_conf.h"

/* What the store holds: borrowed pointers. Archived monitors included. */
struct stored {
	struct monitor_conf **monitors;
	size_t nmonitors;
	struct channel_conf *channels;
	size_t nchannels;
	const struct window_stored *windows;
	size_t nwindows;
};

enum change_kind {
	CHANGE_CREATE, CHANGE_UPDATE, CHANGE_RENAME, CHANGE_DELETE,
	CHANGE_ARCHIVE, CHANGE_RESTORE,   /* archived monitor is named again */
	CHANGE_CHANNEL_PUT, CHANGE_CHANNEL_DELETE,
	CHANGE_WINDOW_PUT, CHANGE_WINDOW_DELETE, CHANGE_NMAX
};
const char *change_kind_name(enum change_kind k);

struct change {
	enum change_kind kind;
	struct monitor_conf *old;     /* borrowed from stored; NULL on create */
	struct monitor_conf *new_;    /* owned reference; NULL on delete */
	const struct channel_conf *channel;   /* borrowed */
	const struct window_conf *window;     /* borrowed; PUT */
	enum origin window_origin;
	char path[MONITOR_PATH_MAX + 1];
	char *detail;                 /* owned: "interval: 1m → 30s", no secrets */
};

struct plan {
	struct change *v;
	size_t n;
	/* Monitors that would no longer notify anyone, one path a line. */
	char *lose_alerts;
};

struct plan_opts {
	enum origin origin;   /* of what is created */
	bool prune, cascade;
	bool archive;         /* serve and SIGHUP: archive what this origin owns
			       * and the document no longer names */
};

/* Every change or none: on failure *ret is untouched. Deleting a group that
 * keeps members is refused unless cascade. */
enum err plan_make(const struct stored *have, const struct document *want,
    const struct plan_opts *o, struct plan **ret, struct errinfo *ei) MUST_USE;
void plan_free(struct plan *p);
void plan_freep(struct plan *const *p);
/* {"changes":[{"op","path","type","detail"}…],"lose_alerts":[…],"counts":{}} */
json_t *plan_json(const struct plan *p) MUST_USE;

#endif

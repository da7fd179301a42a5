/* edit_steps.h: a configuration unit as the steps it takes. Between edit.c,
 * which stores and tells them, and edit_plan.c, which finds them. */
#ifndef STORE_EDIT_STEPS_H
#define STORE_EDIT_STEPS_H

#include "base/map.h"
#include "store/edit.h"

enum step_kind { STEP_PUT, STEP_DELETE };
struct step {
	enum step_kind kind;
	uint32_t id;
	uint32_t old_key;            /* the shard it was on; 0: it is new there */
	bool was_archived;
	struct monitor_conf *conf;   /* owned reference; PUT */
	const char *verb;            /* for the event log */
	char *detail;                /* owned, or NULL */
	char path[MONITOR_PATH_MAX + 1];
	struct map_node by_id, by_path;
};

struct edit {
	enum err outcome;
	struct errinfo ei;
	bool quiet;                  /* dry run, or nothing to change */
	struct config_unit *unit;    /* until the ack */
	struct plan *plan;           /* owned; APPLY */
	struct step *v;
	size_t n, cap;
	struct map ids, groups;      /* of the steps; by path, groups put */
	uint32_t next_monitor;
	uint64_t next_transition;
	struct channel_conf *channels;   /* as they will be; texts borrowed */
	size_t nchannels;
	bool rechannel;
	struct window_step *windows; /* owned */
	size_t nwindows;
	bool applied;                /* the shards are still to be told */
	char actor[64];
	int64_t at_us;
};

/* One maintenance window as it will be; text NULL: it goes. */
struct window_step {
	struct window_stored s;      /* owned */
	const char *verb;
	char *detail;                /* owned, or NULL */
};

/* edit_window.c */
enum err edit_window_change(struct edit *e, const struct change *c)
    MUST_USE;
enum err edit_window_find(struct store *s, struct edit *e) MUST_USE;
enum err edit_window_put(struct store *s, const struct edit *e,
    struct errinfo *ei) MUST_USE;
void edit_window_apply(struct store *s, const struct edit *e);
void edit_window_free(struct edit *e);
/* edit_gone.c: its open incident ends for who was told, before its state
 * goes; the rows are the unit's. Cleared before each attempt. */
enum err edit_gone(struct store *s, struct edit *e, const struct entry *en,
    struct errinfo *ei) MUST_USE;
void edit_gone_clear(struct edit *e);
/* edit.c: one entry of the event log. */
enum err edit_event(struct store *s, const struct edit *e,
    const char *subject, uint32_t id, const char *text, struct errinfo *ei)
    MUST_USE;
/* edit_plan.c */
enum err edit_find_steps(struct store *s, struct edit *e) MUST_USE;

#endif

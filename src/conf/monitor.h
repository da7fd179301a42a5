/* monitor.h: one monitor's configuration, immutable once built and shared by
 * reference between the shard, the writer and the view. */
#ifndef CONF_MONITOR_H
#define CONF_MONITOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "conf/opt.h"

#define MONITOR_NAME_MAX  120      /* bytes of one name; "/" is not allowed */
#define MONITOR_PATH_MAX  241      /* "Group/Name" */
#define MONITORS_MAX      200000

/* How a type is driven. */
enum drive {
	DRIVE_ACTIVE,    /* the scheduler starts checks */
	DRIVE_PUSH,      /* heartbeats come in, deadlines are timers */
	DRIVE_GROUP      /* the worst of its members */
};

/* What conf knows of a check type; check/check.h embeds it. size bytes are
 * allocated for the type's own settings, described by opts. */
struct monitor_kind {
	const char *name;         /* "http" */
	enum drive drive;
	const struct opt *opts;
	size_t conf_size;
	/* Cross-field rules after opt_read; may normalise. NULL: none. */
	enum err (*finish)(void *conf, struct errinfo *ei);
	/* "https://host:443/", for people; and the host for the per-host cap
	 * (lower case, no port; "" none). NULL: none. */
	void (*target)(const void *conf, struct buf *out);
	void (*host)(const void *conf, struct buf *out);
};

enum origin { ORIGIN_FILE, ORIGIN_APPLY, ORIGIN_HAND, ORIGIN_NMAX };
const char *origin_name(enum origin o);   /* "file", "apply", "hand" */

struct monitor_conf {
	atomic_int refs;
	const struct monitor_kind *kind;
	uint32_t id;               /* 0 until stored; never reused */
	uint32_t group;            /* id of the group; 0 none */
	uint64_t version;          /* rises with every change; the ETag */
	enum origin origin;
	bool archived;             /* the file no longer names it */
	bool paused;               /* by command; part of no file */
	int64_t created_us;
	char path[MONITOR_PATH_MAX + 1];   /* "Group/Name" or "Name" */
	char *text;                /* canonical JSON of what was set, plain
				    * secrets, without name and group; owned */
	/* common rows, conf/monitor.c */
	char *name, *description, *was, *token;
	struct strings notify, tags;
	int64_t interval_ns, timeout_ns, retry_interval_ns, grace_ns;
	int64_t degraded_above_ns;         /* 0: off */
	uint32_t retries, recoveries, fail_m, fail_n;   /* m of n; 0: off */
	uint32_t severity;                 /* enum severity, of being down */
	int64_t recovery_delay_ns;         /* 0: what its routes say */
	struct strings depends_on;         /* paths */
	bool hide_target;          /* never on public pages */
	void *own;                 /* kind->conf_size bytes, kind->opts */
};

/* NULL-terminated list of types, handed to every function that parses. */
typedef const struct monitor_kind *const monitor_kinds[];

struct monitor_conf *monitor_conf_ref(struct monitor_conf *c);
void monitor_conf_unref(struct monitor_conf *c);   /* NULL is fine */
/* One monitor from a mapping (name, type and the rest; "monitors" of a group
 * is left to the caller). Applies derived defaults: timeout min(10s,interval),
 * retry_interval min(interval,10s), grace max(interval/2, 60s). */
enum err monitor_conf_read(const struct node *n, const struct monitor_kind *const *kinds,
    const char *file, struct monitor_conf **ret, struct errinfo *ei) MUST_USE;
/* The same from stored text; group_path NULL or the group's name. */
enum err monitor_conf_load(struct str json, const char *name, const char *group_name,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei) MUST_USE;
/* As for the API and export: name, type, then what was set. */
json_t *monitor_conf_json(const struct monitor_conf *c, enum opt_secrets how) MUST_USE;
/* Do a and b look at another target (OPT_TARGET rows or type differ)? */
bool monitor_conf_retargets(const struct monitor_conf *a, const struct monitor_conf *b);
extern const struct opt monitor_opts[];        /* common, of what is checked */
extern const struct opt monitor_push_opts[];   /* common, of push */
extern const struct opt monitor_group_opts[];  /* common, of groups */

/* Edits. What comes back is a new conf with old's id, version, origin and so
 * on; a new "name" keeps the id. "group" in the body (a name, null for none)
 * moves it: then path says where to and group (the id) is 0 for the writer to
 * fill in. A masked secret means unchanged; where there is nothing to keep it
 * is refused. */
/* RFC 7396 merge onto what was set, then everything is checked again. */
enum err monitor_conf_patch(const struct monitor_conf *old, const json_t *patch,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei) MUST_USE;
/* body says all of it; only secrets that it leaves out stay. old NULL: a new
 * monitor, origin hand. */
enum err monitor_conf_replace(const struct monitor_conf *old,
    const json_t *body, const struct monitor_kind *const *kinds,
    struct monitor_conf **ret, struct errinfo *ei) MUST_USE;
/* For c that takes old's place: old's secrets where c has OPT_MASK or, as long
 * as both look at the same target, nothing ("" removes a secret). *c may
 * become another conf; the old reference is then dropped. */
enum err monitor_conf_keep_secrets(struct monitor_conf **c,
    const struct monitor_conf *old, struct errinfo *ei) MUST_USE;
/* Refuses a conf that holds a masked secret: nothing is there to keep. */
enum err monitor_conf_unmasked(const struct monitor_conf *c,
    struct errinfo *ei) MUST_USE;
/* Before c is shared: its place in the tree; NULL: no group. */
void monitor_conf_set_path(struct monitor_conf *c, const char *group_name);
/* Before c is shared: the token of a push monitor that has none. */
void monitor_conf_set_token(struct monitor_conf *c, const char *token);
/* id, group, version, origin, archived, paused and created, from old. */
void monitor_conf_inherit(struct monitor_conf *c, const struct monitor_conf *old);
/* The row arrays of one conf, in the order of its canonical text. */
#define MONITOR_SETS 4
void monitor_conf_sets(const struct monitor_conf *c,
    struct opt_set sets[MONITOR_SETS]);
/* NULL when s may be a name; else what may. */
const char *monitor_name_check(struct str s);

#endif

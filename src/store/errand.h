/* errand.h: long work on the store that somebody asked for: maintenance, an
 * audit, a backup. One at a time, on a thread of its own; a second one is
 * refused with the first one's name. What it does and found can be looked at
 * while it runs and until the next one begins. */
#ifndef STORE_ERRAND_H
#define STORE_ERRAND_H

#include <jansson.h>

#include "store/audit.h"
#include "store/disk.h"

struct store;

enum errand_kind { ERRAND_MAINTAIN, ERRAND_CHECK, ERRAND_BACKUP, ERRAND_NMAX };
extern const char *const errand_names[ERRAND_NMAX];

struct errand_ask {
	enum errand_kind kind;
	bool quick;                /* CHECK: the pages only */
	bool force;                /* BACKUP: replace the file */
	char file[DISK_PATH_MAX];  /* BACKUP: absolute */
	char actor[64];
};

#define ERRAND_STEPS 12
enum step_state { STEP_RUNS, STEP_DONE, STEP_FAILED, STEP_NMAX };
struct errand_step {
	const char *name;          /* static */
	enum step_state state;
	int64_t began_ns, took_ns;
	char text[200];
};

enum errand_state { ERRAND_NEVER, ERRAND_RUNS, ERRAND_DONE, ERRAND_FAILED,
	ERRAND_STATES };

struct errand {
	uint64_t id;
	enum errand_state state;
	struct errand_ask ask;
	int64_t began_us, ended_us;      /* wall clock */
	uint64_t done, total;            /* of the step that runs */
	struct errand_step step[ERRAND_STEPS];
	unsigned nsteps;
	enum err e;                      /* FAILED: and why */
	struct errinfo ei;
	bool audited;                    /* report is there */
	struct audit_report report;
};

/* -- of the store ------------------------------------------------------- */
struct errands;
struct errands *errands_new(struct store *s) MUST_USE;
enum err errands_start(struct errands *x, struct errinfo *ei) MUST_USE;
/* Ends what runs and the thread; true when it has ended by deadline_ns. */
bool errands_stop(struct errands *x, int64_t deadline_ns);
/* From time to time: ends a statement that holds the WAL for too long. */
void errands_watch(struct store *s);
void errands_free(struct errands *x);   /* stopped, or never started */

/* -- any thread --------------------------------------------------------- */
/* ERR_CONFLICT: another one runs; ERR_STOPPING. */
enum err errand_start(struct store *s, const struct errand_ask *ask,
    uint64_t *ret_id, struct errinfo *ei) MUST_USE;
/* A copy of the last one; caller xfrees. */
struct errand *errand_look(struct store *s) MUST_USE;

/* -- errand_json.c ------------------------------------------------------ */
json_t *errand_json(const struct errand *x) MUST_USE;
json_t *audit_json(const struct audit_report *r) MUST_USE;

#endif

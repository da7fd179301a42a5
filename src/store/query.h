/* query.h: questions to the store, on reader threads with read-only
 * connections. A failed read is an error, never an empty answer (D11). Every
 * call has a deadline. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/monitor.h"
#include "model/event.h"
#include "model/sample.h"

struct store;
struct reader;   /* one read-only connection, on its thread */

/* A job runs once on a reader thread; cancelled is set when the waiter left
 * or the daemon stops (then run is still called, with r == NULL). */
struct read_job {
	struct read_job *next;
	void (*run)(struct read_job *j, struct reader *r);
	int64_t deadline_ns;      /* monotonic; mandatory */
	const char *name;         /* who asks, for the log; static or NULL */
	_Atomic bool cancelled;
};
/* False: too many wait; j stays the caller's. */
bool reader_submit(struct store *s, struct read_job *j) MUST_USE;
/* Nobody waits for it any more. If it waits it is run now, on the calling
 * thread, with no reader; if it runs its statement ends and its snapshot is
 * let go of, within milliseconds. j stays valid until this returns. */
void reader_cancel(struct store *s, struct read_job *j);

/* Every connection is opened again before its next question: what ANALYZE
 * found is read when one opens. Any thread. */
void readers_renew(struct store *s);
struct readers_state { unsigned n, busy, waiting; };
struct readers_state readers_state(struct store *s);

struct sample_query {
	uint32_t monitor;
	int64_t from_us, to_us;    /* [from, to) */
	uint64_t before_seq;       /* page on: only older; 0 newest */
	unsigned limit;            /* ≤ 1000 */
};
/* How many newer samples of a monitor are durable in the journal only, and so
 * are not in any answer yet; asked before the question. */
uint64_t query_journaled(struct reader *r, uint32_t monitor);
/* Newest first. Caller xfrees the array. ERR_STORE says from when to when what
 * cannot be read is. */
enum err query_samples(struct reader *r, const struct sample_query *q,
    struct sample **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;

struct stored_transition {
	uint64_t id;
	struct transition t;
	char *evidence;            /* owned; NULL none */
};
struct transition_query {
	uint32_t monitor;          /* 0: of all */
	int64_t from_us, to_us;    /* [from, to) */
	uint64_t before_id;        /* page on: only older; 0 newest */
	unsigned limit;            /* ≤ 1000 */
};
/* Newest first. */
enum err query_transitions(struct reader *r, const struct transition_query *q,
    struct stored_transition **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
void stored_transitions_free(struct stored_transition *t, size_t n);
/* The transition in force at a time, with its evidence. */
enum err query_transition_at(struct reader *r, uint32_t monitor, int64_t at_us,
    struct stored_transition *ret, struct errinfo *ei) MUST_USE;
struct event_query {
	uint64_t after_id, before_id;   /* between them; before 0: no bound */
	unsigned limit;                 /* ≤ 1000 */
	bool newest_first;
	uint32_t kinds;                 /* 1 << enum event_kind each; 0: all */
	uint32_t monitor;               /* 0: any */
	int64_t from_us, to_us;         /* [from, to); to 0: no bound */
};
/* Caller xfrees the array. */
enum err query_events(struct reader *r, const struct event_query *q,
    struct event **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;

/* Maintenance as it was (applied.h). */
#define QUERY_RUNS_MAX 2000
struct maintenance_run {
	char name[MONITOR_NAME_MAX + 1];
	int64_t from_us, to_us;    /* to INT64_MAX: nobody knows */
};
struct maintenance_runs {
	struct maintenance_run *v; /* newest first; the caller xfrees it */
	size_t n;
	bool more;                 /* there are older ones */
};
/* At most max runs that touch [from, to), of whomever; rows of one window that
 * follow each other are one. */
enum err query_maintenance(struct reader *r, int64_t from_us, int64_t to_us,
    size_t max, struct maintenance_runs *ret, struct errinfo *ei) MUST_USE;
/* When the last run before a time began; 0: there was none. */
enum err query_maintenance_before(struct reader *r, int64_t at_us,
    int64_t *ret, struct errinfo *ei) MUST_USE;

#endif

/* latency.h: how samples came out over time, and how long the answers took:
 * one question over the tail, the chunks and the roll-ups. On a reader's
 * thread. */
#ifndef STORE_LATENCY_H
#define STORE_LATENCY_H

#include "store/query.h"
#include "store/rollup.h"

/* How fine the answer can be. Where the samples are gone by their age or for
 * want of room, hours are left, and of longer ago days: the step is made as
 * long then, and the window wider, so that each point is whole and counts what
 * there was. */
enum latency_grain { LATENCY_SAMPLES, LATENCY_HOURS, LATENCY_DAYS };
extern const char *const latency_grain_names[LATENCY_DAYS + 1];

#define LATENCY_POINTS_MAX 1000
#define LATENCY_POINTS     100    /* at most, when no step is asked for */
#define LATENCY_WIDE_US    (INT64_C(3660) * 24 * HOUR_US)   /* at a time */

struct latency_query {
	uint32_t monitor;
	int64_t from_us, to_us;    /* [from, to) */
	/* 0: a round one. From an hour on it is made whole hours, and from a
	 * day on whole days, so that roll-ups answer it. */
	int64_t step_us;
};
/* Points lie on the multiples of the step since 1970, the first and the last
 * cut by the window. What was in a chunk or roll-up that cannot be read is
 * left out, and the point says so (r.damaged): never an empty answer. */
struct latency_point {
	int64_t from_us, to_us;
	struct rollup r;
};
struct latency {
	int64_t from_us, to_us;    /* as it was answered */
	enum latency_grain grain;
	int64_t step_us;
	struct latency_point *v;   /* owned: latency_free */
	size_t n;
	struct rollup *all;        /* owned; of the whole window */
};
enum err query_latency(struct reader *r, const struct latency_query *q,
    struct latency *ret, struct errinfo *ei) MUST_USE;
void latency_free(struct latency *l);

#endif

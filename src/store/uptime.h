/* uptime.h: time in state, from transitions and gaps. Pure; edges exact. Both
 * query_uptime and the view's day bars stand on it. */
#ifndef STORE_UPTIME_H
#define STORE_UPTIME_H

#include <stddef.h>
#include <stdint.h>

#include "model/status.h"
#include "store/query.h"
#include "store/view.h"

/* Time we did not watch: [from, to). */
struct gap {
	int64_t from_us, to_us;
};

/* One change of status, in the order it happened. */
struct turn {
	int64_t at_us;
	uint8_t from, to;
};

/* Microseconds of [from, to) that lie in a gap. Gaps are sorted and do not
 * overlap (gaps_add keeps them so). */
int64_t uptime_gap_us(const struct gap *g, size_t n, int64_t from_us,
    int64_t to_us);
/* Add one at the end; an overlap is cut away. Returns the new count. */
size_t uptime_gap_add(struct gap *g, size_t n, struct gap one);

struct uptime_in {
	const struct turn *turns;    /* oldest first; the one in force at
				      * from_us and those before may be missing */
	size_t nturns;
	enum status first;           /* the status when turns begin */
	const struct gap *gaps;
	size_t ngaps;
	int64_t created_us, now_us;
	int64_t from_us, to_us;      /* [from, to), cut at creation and now */
};
void uptime_compute(const struct uptime_in *in, struct uptime *ret);

/* -- day bars --------------------------------------------------------- */
/* A day that was up throughout takes no memory. */
struct day {
	int32_t day;                 /* since 1970, UTC */
	uint32_t up_ms, down_ms, other_ms;
};
struct days {
	struct day *v;               /* oldest first */
	uint16_t n, cap;
	int64_t known_us;            /* where the account begins */
	int64_t until_us;            /* and where it ends */
};
/* The monitor had this status from d->until_us to until_us. */
void days_add(struct days *d, enum status s, int64_t until_us,
    const struct gap *gaps, size_t ngaps);
/* The last VIEW_DAYS days up to now; the open end has status s. */
void days_read(const struct days *d, enum status s, int64_t now_us,
    const struct gap *gaps, size_t ngaps, struct day_seconds ret[VIEW_DAYS]);
void days_free(struct days *d);

#endif

/* uptime_query.h: uptime of one monitor, by day, and of all, from what is
 * stored. On a reader's thread; a read that fails is an error. */
#ifndef STORE_UPTIME_QUERY_H
#define STORE_UPTIME_QUERY_H

#include "base/zone.h"
#include "store/query.h"
#include "store/uptime.h"

#define UPTIME_DAYS_MAX 4000   /* of one series */

/* The maintenance in which a monitor was between two times: intervals sorted
 * and not overlapping, which the caller xfrees. */
typedef enum err uptime_windows_fn(struct reader *r, uint32_t monitor,
    int64_t from_us, int64_t to_us, struct gap **ret, size_t *ret_n,
    struct errinfo *ei);

struct uptime_query {
	int64_t from_us, to_us;        /* [from, to) */
	bool count_maintenance;        /* as the status says; else as neither */
	uptime_windows_fn *windows;    /* NULL: what applied (applied.h) */
};

enum err query_uptime(struct reader *r, uint32_t monitor,
    const struct uptime_query *q, struct uptime *ret, struct errinfo *ei) MUST_USE;

/* The local days that [from, to) touches, each whole, cut at creation and now
 * only. z NULL: UTC. Caller xfrees. A date that was skipped has no entry. */
struct uptime_day {
	int32_t day;                   /* zone_day_text tells its date */
	int64_t from_us, to_us;        /* all of it */
	struct uptime u;
};
enum err query_uptime_days(struct reader *r, uint32_t monitor,
    const struct uptime_query *q, const struct zone *z,
    struct uptime_day **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;

/* All monitors that are not archived with ids above after, in their order, at
 * most limit; one pass over an index. Caller xfrees. */
struct uptime_of {
	uint32_t monitor;
	struct uptime u;
};
enum err query_uptime_all(struct reader *r, const struct uptime_query *q,
    uint32_t after, size_t limit, struct uptime_of **ret, size_t *ret_n,
    struct errinfo *ei) MUST_USE;

#endif

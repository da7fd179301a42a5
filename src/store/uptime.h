/* uptime.h: time in state, from transitions, gaps and maintenance. Pure; edges
 * exact to the microsecond. The questions about uptime (uptime_query.h) and
 * the view's day bars stand on it. */
#ifndef STORE_UPTIME_H
#define STORE_UPTIME_H

#include <stddef.h>
#include <stdint.h>

#include "model/status.h"
#include "store/calendar.h"
#include "store/view.h"

/* Time we did not watch, or of maintenance: [from, to). */
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
/* The same with maintenance taken out: of [from, to), what lies in windows,
 * and what lies in gaps but in no window. */
struct uptime_apart {
	int64_t maintenance_us, gap_us;
};
struct uptime_apart uptime_apart(const struct gap *gaps, size_t ngaps,
    const struct gap *windows, size_t nwindows, int64_t from_us,
    int64_t to_us);
/* Add one at the end; an overlap is cut away. Returns the new count. */
size_t uptime_gap_add(struct gap *g, size_t n, struct gap one);

/* The rules: up, degraded and late count as up; down as down; unknown, paused,
 * pending and gaps as neither. Time in a maintenance window counts as neither
 * too, whatever the status, or as the status says (count_windows); its sum is
 * told in any case. An outage is an unbroken time down: one however gaps,
 * windows or the edges cut it, as long as what is counted of it. */
struct uptime {
	int64_t from_us, to_us;      /* as asked, cut at creation and now */
	int64_t up_us, down_us, degraded_us, unknown_us, paused_us, pending_us;
	int64_t maintenance_us;
	double ratio;                /* up ÷ (up + down); NaN: nothing known */
	uint32_t outages;            /* that touch it */
	int64_t longest_us;          /* of the longest outage; -1: none */
	int64_t mttr_us;             /* mean outage of those that ended; -1 */
	int64_t mtbf_us;             /* up ÷ outages; -1 */
};

struct uptime_in {
	const struct turn *turns;    /* oldest first; the one in force at
				      * from_us and those before may be missing */
	size_t nturns;
	enum status first;           /* the status when turns begin */
	const struct gap *gaps, *windows;   /* each sorted, not overlapping */
	size_t ngaps, nwindows;
	bool count_windows;
	int64_t created_us, now_us;
	int64_t from_us, to_us;      /* [from, to), cut at creation and now */
};
void uptime_compute(const struct uptime_in *in, struct uptime *ret);
/* One after the other: ret[i] is of [edge[i], edge[i + 1]), i < n. in's own
 * window is not looked at; its turns and first begin at edge[0] or before. */
void uptime_series(const struct uptime_in *in, const int64_t *edge, size_t n,
    struct uptime *ret);

/* -- day bars --------------------------------------------------------- */
/* Time by local day as uptime_compute has it, maintenance left out. Local days
 * of the calendar that each call is given, always the same. Only what is not
 * up takes memory: its newest stretches as they were, so that maintenance
 * which is recorded later, or ends early, still applies to them, and the older
 * ones as sums of their days. */
#define DAYS_STRETCHES 64
struct stretch {
	int64_t from_us, to_us;
	bool down;                   /* or neither up nor down */
};
struct day {
	int32_t day;                 /* since 1970 */
	int64_t down_us, other_us;   /* without gaps and windows */
};
struct days {
	struct day *v;               /* oldest first */
	struct stretch *s;           /* the same, and younger than v */
	uint16_t n, cap, ns, scap;
	int64_t known_us;            /* where the account begins */
	int64_t until_us;            /* and where it ends */
};
struct days_in {
	const struct calendar *calendar;   /* NULL: UTC */
	const struct gap *gaps, *windows;  /* as in struct uptime_in */
	size_t ngaps, nwindows;
};
/* The monitor had this status from d->until_us to until_us. in is looked at
 * when days_full only; its windows are those since days_oldest. */
void days_add(struct days *d, enum status s, int64_t until_us,
    const struct days_in *in);
bool days_full(const struct days *d);
int64_t days_oldest(const struct days *d);
/* The last VIEW_DAYS days up to now; the open end has status s. */
void days_read(const struct days *d, enum status s, int64_t now_us,
    const struct days_in *in, struct day_time ret[VIEW_DAYS]);
void days_free(struct days *d);

#endif

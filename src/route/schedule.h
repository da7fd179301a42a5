/* schedule.h: hours of the week in a time zone, as runs of time. Pure.
 *
 * On each of its days a run begins when a clock there shows from, and ends
 * when it shows to; to that is not later than from is on the next day (the
 * same time: a whole day). Daylight saving: a time that is shown twice begins
 * a run at its first showing and ends one at its second; one that is skipped
 * counts on from before the gap (02:30 is 03:30). A run that lies in the gap
 * as a whole is none. */
#ifndef ROUTE_SCHEDULE_H
#define ROUTE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/zone.h"
#include "conf/route_conf.h"

#define SPAN_NEVER INT64_MAX
struct span { int64_t from_us, to_us; };   /* [from, to) */

struct schedule {
	struct zone *zone;         /* owned; NULL: UTC */
	uint8_t days;              /* bit 0 Monday */
	int32_t from_s, to_s;      /* of the day; to may be 86400 */
};
/* Caller schedule_clears. ERR_INVALID: no days, or no such zone. */
enum err schedule_make(const struct hours_conf *c, struct schedule *ret,
    struct errinfo *ei) MUST_USE;
void schedule_clear(struct schedule *s);
/* The first run that is not over at at_us; from SPAN_NEVER: there is none. */
struct span schedule_span(const struct schedule *s, int64_t at_us);
bool schedule_open(const struct schedule *s, int64_t at_us);
/* When it is open next: at_us when it is now. */
int64_t schedule_opens(const struct schedule *s, int64_t at_us);

#endif

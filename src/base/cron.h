/* cron.h: "minute hour day month weekday", the moments it names in a zone.
 * Pure. Fields are *, numbers, ranges, lists and steps (9-17/2, or * by a step); months
 * and weekdays have English names (jan, mon), Sunday is 0 and 7. When day and
 * weekday are both given, either will do.
 *
 * Daylight saving: with * as its hour (or hours that leave none out) it goes
 * by real time, so that it goes on in an hour that is shown twice and has
 * nothing in one that is skipped. With certain hours it is meant to happen
 * once a day: a time shown twice counts at its first showing, one that is
 * skipped counts on from before the gap (02:30 is 03:30). */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/zone.h"

#define CRON_TEXT_MAX 120
#define CRON_NEVER    INT64_MAX

struct cron {
	uint64_t minutes;      /* bit i: it has i */
	uint32_t hours, days, months;
	uint8_t weekdays;      /* bit 0 Monday */
	bool any_day, any_weekday;
};

/* ERR_INVALID says which field and what it may be. */
enum err cron_parse(struct str s, struct cron *ret, struct errinfo *ei)
    MUST_USE;
/* The first moment after after_us; CRON_NEVER: none within nine years (30
 * February). */
int64_t cron_next(const struct cron *c, const struct zone *z,
    int64_t after_us);

#endif

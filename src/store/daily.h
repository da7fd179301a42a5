/* daily.h: once a day, from a time of the local day on. Pure. */
#ifndef STORE_DAILY_H
#define STORE_DAILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/zone.h"

/* Whoever was not there then, within the hour, leaves it to the next day. */
#define DAILY_WINDOW 60   /* minutes */

struct daily {
	int32_t minute;       /* of the day; -1: never */
	bool done;            /* on the local day "day" */
	int32_t day;
};

/* Once per local day, also on days when a clock shows the hour twice; on a day
 * that skips the minute, at the first one after it. */
bool daily_due(const struct daily *d, const struct zone *z, int64_t now_us) MUST_USE;
/* It is under way. */
void daily_done(struct daily *d, const struct zone *z, int64_t now_us);

#endif

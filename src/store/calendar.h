/* calendar.h: the days of a time zone, most of them looked up once: the view's
 * day bars ask for ninety of every monitor. Immutable, so any thread may ask.
 * NULL is UTC. */
#ifndef STORE_CALENDAR_H
#define STORE_CALENDAR_H

#include "base/zone.h"

struct calendar;

/* Takes z; NULL gives NULL. From a little before now_us - VIEW_DAYS on it is
 * quick for two years, and right at any time. */
struct calendar *calendar_new(struct zone *z, int64_t now_us);
void calendar_free(struct calendar *c);
const struct zone *calendar_zone(const struct calendar *c);
/* As zone_day and zone_day_start. */
int32_t calendar_day(const struct calendar *c, int64_t us);
int64_t calendar_start(const struct calendar *c, int32_t day);

#endif

#include "route/schedule.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define DAY_S  86400
#define DAY_US (DAY_S * US_PER_S)
/* A weekly run may fall into a gap, and the next one, too, when a zone moves
 * over the date line; the one after does not. */
#define DAYS_AHEAD 22

enum err
schedule_make(const struct hours_conf *c, struct schedule *ret,
    struct errinfo *ei)
{
	struct schedule s = {0};
	enum err e;

	if (!route_conf_days(&c->days, &s.days) || s.days == 0 ||
	    !route_conf_clock(str_of(c->from), &s.from_s) ||
	    !route_conf_clock(str_of(c->to), &s.to_s))
		return fail_at(ei, ERR_INVALID, "days", 0,
		    "hours need days, from and to");
	e = zone_load(c->zone, &s.zone, ei);
	if (e == ERR_OK)
		*ret = s;
	return e;
}

void
schedule_clear(struct schedule *s)
{
	zone_free(s->zone);
	memset(s, 0, sizeof(*s));
}

static struct span
span_of(const struct schedule *s, int32_t day)
{
	int64_t midnight = day * DAY_US;
	int32_t to_s = s->to_s > s->from_s ? s->to_s : s->to_s + DAY_S;

	return (struct span){
	    zone_utc(s->zone, midnight + s->from_s * US_PER_S, ZONE_EARLIER),
	    zone_utc(s->zone, midnight + to_s * US_PER_S, ZONE_LATER)};
}

struct span
schedule_span(const struct schedule *s, int64_t at_us)
{
	int32_t today = zone_day(s->zone, at_us);
	struct span v;

	assert(s->days != 0);
	for (int32_t d = today - 2; d <= today + DAYS_AHEAD; d++) {
		/* 1970-01-01 was a Thursday. */
		int32_t weekday = ((d + 3) % 7 + 7) % 7;

		if ((s->days >> weekday & 1) == 0)
			continue;
		v = span_of(s, d);
		if (v.from_us < v.to_us && v.to_us > at_us)
			return v;
	}
	return (struct span){SPAN_NEVER, SPAN_NEVER};
}

bool
schedule_open(const struct schedule *s, int64_t at_us)
{
	return schedule_span(s, at_us).from_us <= at_us;
}

int64_t
schedule_opens(const struct schedule *s, int64_t at_us)
{
	struct span v = schedule_span(s, at_us);

	return v.from_us > at_us ? v.from_us : at_us;
}

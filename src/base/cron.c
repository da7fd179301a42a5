#include "base/cron.h"

#include <ctype.h>
#include <string.h>

#include "base/time.h"

#define MINUTE_US (60 * US_PER_S)
#define DAY_US    (86400 * US_PER_S)
/* 29 February is eight years away at most, of one weekday more: with either
 * of day and weekday it is the nearer. */
#define DAYS_AHEAD (9 * 366)

static const char *const month_names[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct",
	"nov", "dec", NULL
};
static const char *const weekday_names[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL
};
static const struct field {
	const char *name, *allowed;
	unsigned min, max;
	const char *const *names;   /* the first is min */
} fields[] = {
	{"minute", "0 to 59", 0, 59, NULL},
	{"hour", "0 to 23", 0, 23, NULL},
	{"day", "1 to 31", 1, 31, NULL},
	{"month", "1 to 12 or jan to dec", 1, 12, month_names},
	{"weekday", "0 to 7 or sun to sat", 0, 7, weekday_names},
};

static bool
number(const struct field *f, struct str s, unsigned *ret)
{
	uint64_t v;

	for (unsigned i = 0; f->names != NULL && f->names[i] != NULL; i++) {
		if (s.n != 3 || strncasecmp(s.p, f->names[i], 3) != 0)
			continue;
		*ret = f->min + i;
		return true;
	}
	if (s.n > 2 || !str_u64(s, f->max, &v) || v < f->min)
		return false;
	*ret = (unsigned)v;
	return true;
}

/* "*", "5", "1-5", each with "/STEP" (not a single number). */
static bool
item(const struct field *f, struct str s, uint64_t *set)
{
	struct str range, step = str_cut(s, '/', &range), lo, hi;
	unsigned from = f->min, to = f->max;
	uint64_t by = 1;

	if (range.n < s.n && (!str_u64(step, f->max, &by) || by == 0))
		return false;
	if (!str_is(range, "*")) {
		hi = str_cut(range, '-', &lo);
		if (!number(f, lo, &from))
			return false;
		to = from;
		if (lo.n < range.n && !number(f, hi, &to))
			return false;
		if (lo.n == range.n && range.n < s.n)
			return false;
	}
	if (from > to)
		return false;
	for (uint64_t v = from; v <= to; v += by)
		*set |= UINT64_C(1) << v;
	return true;
}

static enum err
field(const struct field *f, struct str s, uint64_t *ret, struct errinfo *ei)
{
	struct str rest = s, one;

	*ret = 0;
	do {
		rest = str_cut(rest, ',', &one);
		if (!item(f, one, ret))
			return fail_at(ei, ERR_INVALID, "cron", 0,
			    "\"%.*s\" is no %s; allowed: *, numbers, ranges, "
			    "lists and steps of %s", (int)MIN(s.n, (size_t)40),
			    s.p, f->name, f->allowed);
	} while (rest.n > 0 || (one.n > 0 && one.p + one.n < s.p + s.n));
	return ERR_OK;
}

enum err
cron_parse(struct str s, struct cron *ret, struct errinfo *ei)
{
	uint64_t set[COUNT(fields)];
	struct str words[COUNT(fields)];
	size_t n = 0;
	enum err e = ERR_OK;

	while (s.n > 0 && n <= COUNT(fields)) {
		size_t w = 0;

		if (s.p[0] == ' ' || s.p[0] == '\t') {
			s = (struct str){s.p + 1, s.n - 1};
			continue;
		}
		while (w < s.n && s.p[w] != ' ' && s.p[w] != '\t')
			w++;
		if (n < COUNT(fields))
			words[n] = (struct str){s.p, w};
		n++;
		s = (struct str){s.p + w, s.n - w};
	}
	if (n != COUNT(fields))
		return fail_at(ei, ERR_INVALID, "cron", 0, "needs five fields: "
		    "minute hour day month weekday, e.g. \"30 2 * * sun\"");
	for (size_t i = 0; i < COUNT(fields) && e == ERR_OK; i++)
		e = field(&fields[i], words[i], &set[i], ei);
	if (e != ERR_OK)
		return e;
	/* From Sunday first (0 and 7) to Monday first. */
	set[4] |= set[4] >> 7 & 1;
	*ret = (struct cron){.minutes = set[0], .hours = (uint32_t)set[1],
	    .days = (uint32_t)set[2], .months = (uint32_t)set[3],
	    .weekdays = (uint8_t)((set[4] >> 1 & 0x3f) | (set[4] & 1) << 6),
	    .any_day = words[2].p[0] == '*',
	    .any_weekday = words[4].p[0] == '*'};
	return ERR_OK;
}

static bool
day_fits(const struct cron *c, int32_t day)
{
	struct date d = time_date(day);
	unsigned weekday = (unsigned)(((day + 3) % 7 + 7) % 7);
	bool by_day = (c->days >> d.day & 1) != 0;
	bool by_weekday = (c->weekdays >> weekday & 1) != 0;

	if ((c->months >> d.month & 1) == 0)
		return false;
	/* As cron has it: two restrictions are alternatives. */
	return c->any_day || c->any_weekday ? by_day && by_weekday :
	    by_day || by_weekday;
}

static bool
every_hour(const struct cron *c)
{
	return c->hours == (UINT32_C(1) << 24) - 1;
}

/* Minute by minute as they really come: at most the 25 hours of a day. */
static int64_t
next_real(const struct cron *c, const struct zone *z, int32_t day,
    int64_t after_us)
{
	int64_t t = zone_day_start(z, day), end = zone_day_start(z, day + 1);

	if (t <= after_us)
		t += ((after_us - t) / MINUTE_US + 1) * MINUTE_US;
	for (; t < end; t += MINUTE_US)
		if ((c->minutes >> zone_local(z, t).second / 60 % 60 & 1) != 0)
			return t;
	return CRON_NEVER;
}

static int64_t
next_shown(const struct cron *c, const struct zone *z, int32_t day,
    int64_t after_us)
{
	int64_t best = CRON_NEVER, t;

	for (unsigned h = 0; h < 24; h++) {
		if ((c->hours >> h & 1) == 0)
			continue;
		for (unsigned m = 0; m < 60; m++) {
			if ((c->minutes >> m & 1) == 0)
				continue;
			t = zone_utc(z, day * DAY_US + (h * 60 + m) *
			    MINUTE_US, ZONE_EARLIER);
			if (t > after_us)
				best = MIN(best, t);
		}
	}
	return best;
}

int64_t
cron_next(const struct cron *c, const struct zone *z, int64_t after_us)
{
	int32_t today = zone_day(z, after_us);
	int64_t t;

	/* A time of yesterday may have been moved into today by a gap around
	 * midnight. */
	for (int32_t d = today - 1; d <= today + DAYS_AHEAD; d++) {
		if (!day_fits(c, d))
			continue;
		t = every_hour(c) ? next_real(c, z, d, after_us) :
		    next_shown(c, z, d, after_us);
		if (t != CRON_NEVER)
			return t;
	}
	return CRON_NEVER;
}

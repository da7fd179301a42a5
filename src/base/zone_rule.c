#include "base/zone_rule.h"

#include <ctype.h>
#include <string.h>

#define HOURS_MAX 167    /* of a rule's time; RFC 8536 §3.3.1 */
#define OFFSET_MAX 24    /* hours */

static bool
eat(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool
number(struct str *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;
	size_t n = 0;

	while (n < s->n && n < 3 && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	if (n == 0 || v > max)
		return false;
	s->p += n;
	s->n -= n;
	*ret = v;
	return true;
}

/* [+-]h[h][:mm[:ss]] */
static bool
hms(struct str *s, unsigned hours_max, int32_t *ret)
{
	bool minus = eat(s, '-');
	unsigned h, m = 0, sec = 0;

	if (!minus)
		(void)eat(s, '+');
	if (!number(s, hours_max, &h))
		return false;
	if (eat(s, ':')) {
		if (!number(s, 59, &m))
			return false;
		if (eat(s, ':') && !number(s, 59, &sec))
			return false;
	}
	*ret = (int32_t)(h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
	return true;
}

static bool
abbreviation(struct str *s, char *ret)
{
	bool quoted = eat(s, '<');
	size_t n = 0;

	while (n < s->n && n < ZONE_ABBR - 1 &&
	    (isalpha((unsigned char)s->p[n]) || (quoted &&
	    (isdigit((unsigned char)s->p[n]) || s->p[n] == '+' ||
	    s->p[n] == '-'))))
		n++;
	if (n < 3)
		return false;
	memcpy(ret, s->p, n);
	ret[n] = '\0';
	s->p += n;
	s->n -= n;
	return !quoted || eat(s, '>');
}

static bool
when(struct str *s, struct zone_when *ret)
{
	struct zone_when w = {.kind = WHEN_DAY, .second = 7200};

	if (eat(s, 'M')) {
		w.kind = WHEN_WEEK;
		if (!number(s, 12, &w.month) || w.month == 0 || !eat(s, '.') ||
		    !number(s, 5, &w.week) || w.week == 0 || !eat(s, '.') ||
		    !number(s, 6, &w.day))
			return false;
	} else if (eat(s, 'J')) {
		w.kind = WHEN_JULIAN;
		if (!number(s, 365, &w.day) || w.day == 0)
			return false;
	} else if (!number(s, 365, &w.day)) {
		return false;
	}
	if (eat(s, '/') && !hms(s, HOURS_MAX, &w.second))
		return false;
	*ret = w;
	return true;
}

bool
zone_rule_parse(struct str s, struct zone_rule *ret)
{
	struct zone_rule r = {0};
	int32_t west;

	if (!abbreviation(&s, r.std.abbr) || !hms(&s, OFFSET_MAX, &west))
		return false;
	r.std.offset_s = -west;
	if (s.n > 0) {
		r.has_dst = r.dst.dst = true;
		r.dst.offset_s = r.std.offset_s + 3600;
		if (!abbreviation(&s, r.dst.abbr) || s.n == 0)
			return false;
		if (s.p[0] != ',') {
			if (!hms(&s, OFFSET_MAX, &west))
				return false;
			r.dst.offset_s = -west;
		}
		if (!eat(&s, ',') || !when(&s, &r.start) || !eat(&s, ',') ||
		    !when(&s, &r.end) || s.n != 0)
			return false;
	}
	*ret = r;
	return true;
}

static bool
leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The week-th weekday (0 Sunday) of a month; 5 is the last. */
static int64_t
nth(const struct zone_when *w, int64_t year)
{
	int64_t first = time_days((struct date){year, w->month, 1});
	int64_t next = w->month == 12 ?
	    time_days((struct date){year + 1, 1, 1}) :
	    time_days((struct date){year, w->month + 1, 1});
	int64_t weekday = ((first + 4) % 7 + 7) % 7;   /* 1970 began on day 4 */
	int64_t day = first + (w->day + 7 - weekday) % 7 + (w->week - 1) * 7;

	return day >= next ? day - 7 : day;
}

int64_t
zone_rule_local(const struct zone_when *w, int64_t year)
{
	int64_t day = time_days((struct date){year, 1, 1});

	switch (w->kind) {
	case WHEN_JULIAN:   /* the 29th of February is never counted */
		day += w->day - 1 + (leap(year) && w->day >= 60);
		break;
	case WHEN_DAY:
		day += w->day;
		break;
	case WHEN_WEEK:
		day = nth(w, year);
		break;
	}
	return day * 86400 + w->second;
}

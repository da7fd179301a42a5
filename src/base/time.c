#include "base/time.h"

#include <stdio.h>

#define DAY_S INT64_C(86400)

static const struct unit_row {
	const char *name;
	int64_t ns;
} units[] = {   /* largest first */
	{"y", 365 * DAY_NS}, {"w", 7 * DAY_NS}, {"d", DAY_NS},
	{"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S}, {"s", NS_PER_S},
	{"ms", NS_PER_MS}, {"us", NS_PER_US}, {"ns", 1},
};
#define SECONDS 5   /* the row of "s" */

/* The decimal digits at the front of *s, removed from it: how many, and their
 * value. False when there are more than 18, which no number here needs. */
static bool
digits(struct str *s, int64_t *ret, unsigned *ret_n)
{
	int64_t v = 0;
	unsigned n = 0;

	for (; s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9'; n++) {
		if (n == 18)
			return false;
		v = v * 10 + (s->p[0] - '0');
		s->p++;
		s->n--;
	}
	*ret = v;
	*ret_n = n;
	return true;
}

/* "1.5" in this unit is exactly how many nanoseconds? */
static bool
scale(struct str *s, __int128 *whole, __int128 *frac, __int128 *div)
{
	int64_t v, f = 0;
	unsigned n, fn = 0;

	if (!digits(s, &v, &n) || n == 0)
		return false;
	*div = 1;
	if (s->n > 0 && s->p[0] == '.') {
		s->p++;
		s->n--;
		if (!digits(s, &f, &fn) || fn == 0)
			return false;
	}
	for (unsigned i = 0; i < fn; i++)
		*div *= 10;
	*whole = v;
	*frac = f;
	return true;
}

/* The unit at the front of *s, which must be smaller than the one before. */
static bool
unit(struct str *s, size_t from, size_t *ret)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= 'a' && s->p[n] <= 'z')
		n++;
	for (size_t i = from; i < COUNT(units); i++) {
		if (!str_is((struct str){s->p, n}, units[i].name))
			continue;
		*ret = i;
		s->p += n;
		s->n -= n;
		return true;
	}
	return false;
}

bool
time_parse_duration(struct str s, int64_t *ret_ns)
{
	__int128 sum = 0, whole, frac, div;
	size_t next = 0, u;
	bool first = true;

	if (s.n == 0)
		return false;
	while (s.n > 0) {
		if (!scale(&s, &whole, &frac, &div))
			return false;
		if (first && s.n == 0)
			u = SECONDS;
		else if (!unit(&s, next, &u))
			return false;
		if (frac * units[u].ns % div != 0)
			return false;   /* finer than a nanosecond */
		sum += whole * units[u].ns + frac * units[u].ns / div;
		if (sum > INT64_MAX)
			return false;
		next = u + 1;
		first = false;
	}
	*ret_ns = (int64_t)sum;
	return true;
}

/* v units of size one, printed with what is left as a fraction. */
static int
print_fraction(char *dst, size_t size, uint64_t v, uint64_t one,
    const char *name)
{
	char frac[20] = "";
	uint64_t rest = v % one;
	size_t n = 0;

	for (uint64_t d = one / 10; rest > 0 && d > 0; d /= 10) {
		frac[n++] = (char)('0' + rest / d);
		rest %= d;
	}
	frac[n] = '\0';
	return snprintf(dst, size, "%llu%s%s%s",
	    (unsigned long long)(v / one), n > 0 ? "." : "", frac, name);
}

const char *
time_format_duration(int64_t ns, char *dst)
{
	uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	size_t at = 0;
	static const size_t rows[] = {2, 3, 4};   /* d h m */

	if (ns < 0)
		dst[at++] = '-';
	dst[at] = '\0';
	/* Years only when they are whole: "400d" says more than "1y35d". */
	if (left > 0 && left % (uint64_t)units[0].ns == 0) {
		(void)snprintf(dst + at, TIME_TEXT - at, "%lluy",
		    (unsigned long long)(left / (uint64_t)units[0].ns));
		return dst;
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t one = (uint64_t)units[rows[i]].ns, v = left / one;

		left %= one;
		if (v > 0)
			at += (size_t)snprintf(dst + at, TIME_TEXT - at,
			    "%llu%s", (unsigned long long)v,
			    units[rows[i]].name);
	}
	if (left == 0 && at > (ns < 0 ? 1U : 0U))
		return dst;
	if (left == 0 || left >= (uint64_t)NS_PER_S)
		(void)print_fraction(dst + at, TIME_TEXT - at, left,
		    (uint64_t)NS_PER_S, "s");
	else if (left >= (uint64_t)NS_PER_MS)
		(void)print_fraction(dst + at, TIME_TEXT - at, left,
		    (uint64_t)NS_PER_MS, "ms");
	else if (left >= (uint64_t)NS_PER_US)
		(void)print_fraction(dst + at, TIME_TEXT - at, left,
		    (uint64_t)NS_PER_US, "us");
	else
		(void)print_fraction(dst + at, TIME_TEXT - at, left, 1, "ns");
	return dst;
}

const char *
time_format_human(int64_t ns, char *dst)
{
	static const size_t rows[] = {0, 2, 3, 4, SECONDS};   /* y d h m s */
	const char *sign = ns < 0 ? "-" : "";
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, big, small;
	size_t i = 0;

	if (v < (uint64_t)NS_PER_MS && v > 0) {
		(void)snprintf(dst, TIME_TEXT, "%s%llu \xc2\xb5s", sign,
		    (unsigned long long)(v / 1000));
		return dst;
	}
	if (v < (uint64_t)NS_PER_S && v > 0) {
		(void)snprintf(dst, TIME_TEXT, "%s%llu ms", sign,
		    (unsigned long long)(v / (uint64_t)NS_PER_MS));
		return dst;
	}
	if (v < 60 * (uint64_t)NS_PER_S) {
		uint64_t tenths = v / (uint64_t)(NS_PER_S / 10);

		(void)snprintf(dst, TIME_TEXT,
		    tenths % 10 > 0 && tenths < 100 ? "%s%llu.%llu s"
		    : "%s%llu s", sign, (unsigned long long)(tenths / 10),
		    (unsigned long long)(tenths % 10));
		return dst;
	}
	while (v < (uint64_t)units[rows[i]].ns)
		i++;
	big = v / (uint64_t)units[rows[i]].ns;
	small = v % (uint64_t)units[rows[i]].ns /
	    (uint64_t)units[rows[i + 1]].ns;
	(void)snprintf(dst, TIME_TEXT, small > 0 ? "%s%llu%s %llu%s"
	    : "%s%llu%s", sign, (unsigned long long)big, units[rows[i]].name,
	    (unsigned long long)small, units[rows[i + 1]].name);
	return dst;
}

/* The year begins in March here, so that the leap day is its last. */
int64_t
time_days(struct date d)
{
	int64_t y = d.month <= 2 ? d.year - 1 : d.year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t mp = (d.month + 9) % 12;
	int64_t doy = (153 * mp + 2) / 5 + d.day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct date
time_date(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);

	return (struct date){yoe + era * 400 + (month <= 2), month,
	    (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

/* a / b towards minus infinity, and what is left, 0 .. b - 1. */
static int64_t
floor_div(int64_t a, int64_t b, int64_t *rest)
{
	int64_t q = a / b;

	*rest = a % b;
	if (*rest < 0) {
		*rest += b;
		q--;
	}
	return q;
}

const char *
time_format_utc(int64_t unix_us, char *dst)
{
	int64_t us, sec, day = floor_div(floor_div(unix_us, US_PER_S, &us),
	    DAY_S, &sec);
	struct date d = time_date(day);
	int n = snprintf(dst, TIME_TEXT, "%04lld-%02u-%02uT%02d:%02d:",
	    (long long)d.year, d.month, d.day, (int)(sec / 3600),
	    (int)(sec / 60 % 60));
	uint64_t v = (uint64_t)(sec % 60 * US_PER_S + us);

	if (v < 10 * (uint64_t)US_PER_S)
		dst[n++] = '0';
	(void)print_fraction(dst + n, TIME_TEXT - (size_t)n, v,
	    (uint64_t)US_PER_S, "Z");
	return dst;
}

const char *
time_format_http(int64_t unix_us, char *dst)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t us, sec, weekday;
	int64_t day = floor_div(floor_div(unix_us, US_PER_S, &us), DAY_S,
	    &sec);
	struct date d = time_date(day);

	(void)floor_div(day, 7, &weekday);
	(void)snprintf(dst, TIME_TEXT,
	    "%.3s, %02u %.3s %04lld %02d:%02d:%02d GMT", days + 3 * weekday,
	    d.day, months + 3 * (size_t)(d.month - 1), (long long)d.year,
	    (int)(sec / 3600), (int)(sec / 60 % 60), (int)(sec % 60));
	return dst;
}

/* Exactly n digits off the front of *s, then the byte after (0: none). */
static bool
fixed(struct str *s, size_t n, char after, int64_t *ret)
{
	uint64_t v;

	if (s->n < n || !str_u64((struct str){s->p, n}, INT64_MAX, &v))
		return false;
	s->p += n;
	s->n -= n;
	if (after != '\0') {
		if (s->n == 0 || s->p[0] != after)
			return false;
		s->p++;
		s->n--;
	}
	*ret = (int64_t)v;
	return true;
}

static bool
parse_date(struct str *s, int64_t *ret_days)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31};
	int64_t y, m, d, max;

	if (!fixed(s, 4, '-', &y) || !fixed(s, 2, '-', &m) ||
	    !fixed(s, 2, '\0', &d) || m < 1 || m > 12)
		return false;
	max = lengths[m - 1];
	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		max = 29;
	if (d < 1 || d > max)
		return false;
	*ret_days = time_days((struct date){y, (unsigned)m, (unsigned)d});
	return true;
}

/* "Z" or "+hh:mm": seconds to take away. */
static bool
parse_zone(struct str *s, int64_t *ret_s)
{
	int64_t h, m, sign;

	if (s->n == 1 && (s->p[0] == 'Z' || s->p[0] == 'z')) {
		*ret_s = 0;
		return true;
	}
	if (s->n != 6 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	s->p++;
	s->n--;
	if (!fixed(s, 2, ':', &h) || !fixed(s, 2, '\0', &m) || h > 23 || m > 59)
		return false;
	*ret_s = sign * (h * 3600 + m * 60);
	return true;
}

/* Digits after the point; what is finer than a microsecond is cut off. */
static bool
parse_fraction(struct str *s, int64_t *ret_us)
{
	int64_t us = 0, unit_us = 100000;
	size_t n = 0;

	if (s->n == 0 || s->p[0] != '.')
		return true;
	for (n = 1; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
		us += (s->p[n] - '0') * unit_us;
		unit_us /= 10;
	}
	s->p += n;
	s->n -= n;
	*ret_us = us;
	return n > 1;
}

bool
time_parse_utc(struct str s, int64_t *ret_unix_us)
{
	int64_t days, h, m, sec, us = 0, zone;
	uint64_t bare;

	if (str_u64(s, INT64_MAX / US_PER_S, &bare)) {
		*ret_unix_us = (int64_t)bare * US_PER_S;
		return true;
	}
	if (!parse_date(&s, &days))
		return false;
	if (s.n == 0) {
		*ret_unix_us = days * DAY_S * US_PER_S;
		return true;
	}
	if (s.p[0] != 'T' && s.p[0] != 't' && s.p[0] != ' ')
		return false;
	s.p++;
	s.n--;
	/* :60 is a leap second, which Unix time counts as the next one. */
	if (!fixed(&s, 2, ':', &h) || !fixed(&s, 2, ':', &m) ||
	    !fixed(&s, 2, '\0', &sec) || h > 23 || m > 59 || sec > 60 ||
	    !parse_fraction(&s, &us) || !parse_zone(&s, &zone))
		return false;
	*ret_unix_us = (days * DAY_S + h * 3600 + m * 60 + sec - zone) *
	    US_PER_S + us;
	return true;
}

bool
time_parse_clock(struct str s, int32_t *ret_minute)
{
	struct str hour, minute = str_cut(s, ':', &hour);
	uint64_t h, m;

	if (s.n != 5 || hour.n != 2 || !str_u64(hour, 23, &h) ||
	    !str_u64(minute, 59, &m))
		return false;
	*ret_minute = (int32_t)(h * 60 + m);
	return true;
}

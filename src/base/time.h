/* time.h: durations and dates as text. Pure: no clock here (world/world.h). */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"
#include "base/buf.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define US_PER_S  INT64_C(1000000)
#define DAY_NS    (86400 * NS_PER_S)

/* Proleptic Gregorian; days count from 1970-01-01. */
struct date {
	int64_t year;
	unsigned month, day;   /* from 1 */
};
int64_t time_days(struct date d);
struct date time_date(int64_t days);

/* "500ms" "30s" "1h30m" "1d" "1y"; a bare number is seconds; a fraction is
 * allowed ("1.5s"). Units ms s m h d w y (y = 365 d), us and ns too. False on
 * anything else or overflow. */
bool time_parse_duration(struct str s, int64_t *ret_ns) MUST_USE;
/* The shortest exact form that time_parse_duration reads back: "90s" prints
 * as "1m30s", 86400 s as "1d". dst holds at least TIME_TEXT bytes. */
#define TIME_TEXT 40
const char *time_format_duration(int64_t ns, char *dst);
/* For people: two units at most, "3h 2m", "850 ms". */
const char *time_format_human(int64_t ns, char *dst);
/* RFC 3339 in UTC with microseconds trimmed to what is there:
 * "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.25Z". */
const char *time_format_utc(int64_t unix_us, char *dst);
/* RFC 3339 with Z or an offset; also a bare date (midnight UTC), a bare
 * integer (Unix seconds). */
bool time_parse_utc(struct str s, int64_t *ret_unix_us) MUST_USE;
/* "04:30" as minutes since midnight. */
bool time_parse_clock(struct str s, int32_t *ret_minute) MUST_USE;
/* For the calls that wait until a moment of the wall clock. */
static inline struct timespec
time_spec(int64_t unix_us)
{
	return (struct timespec){.tv_sec = unix_us / US_PER_S,
	    .tv_nsec = unix_us % US_PER_S * NS_PER_US};
}
/* For HTTP headers (RFC 9110 §5.6.7 IMF-fixdate). */
const char *time_format_http(int64_t unix_us, char *dst);

#endif

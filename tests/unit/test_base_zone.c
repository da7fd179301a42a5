/* Time zones against the C library's own, and the days that are not 24 h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/zone.h"

#include <cmocka.h>

#define S    US_PER_S
#define HOUR (3600 * S)

static struct zone *
load(const char *name)
{
	struct zone *z = NULL;
	struct errinfo ei = {0};

	if (access(ZONE_DIR "/Europe/Berlin", R_OK) != 0)
		skip();
	if (zone_load(name, &z, &ei) != ERR_OK)
		fail_msg("%s: %s", name, ei.text);
	return z;
}

static int32_t
day(int y, unsigned m, unsigned d)
{
	return (int32_t)time_days((struct date){y, m, d});
}

static int64_t
hours(const struct zone *z, int32_t d)
{
	return (zone_day_start(z, d + 1) - zone_day_start(z, d)) / HOUR;
}

static void
test_like_libc(void **state)
{
	static const char *const names[] = {"Europe/Berlin", "Europe/Dublin",
	    "America/New_York", "America/Sao_Paulo", "America/St_Johns",
	    "America/Nuuk", "Australia/Lord_Howe", "Asia/Kolkata",
	    "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Africa/Casablanca",
	    "Africa/Cairo", "Pacific/Apia", "Pacific/Chatham",
	    "Pacific/Kiritimati", "Antarctica/Troll", "Etc/GMT+12"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct zone *z CLEANUP(zone_freep) = load(names[i]);
		uint64_t r = 88172645463325252u + i;

		setenv("TZ", names[i], 1);
		tzset();
		for (int k = 0; k < 4000; k++) {
			struct local l;
			struct tm tm;
			time_t t;

			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			/* 1920 … 2100 */
			t = (time_t)(r % 5680000000u) - 1578000000;
			assert_non_null(localtime_r(&t, &tm));
			l = zone_local(z, t * S);
			if (l.offset_s != tm.tm_gmtoff || l.dst !=
			    (tm.tm_isdst > 0) || strcmp(l.abbr, tm.tm_zone) != 0)
				fail_msg("%s at %lld: %d %s, not %ld %s",
				    names[i], (long long)t, l.offset_s, l.abbr,
				    tm.tm_gmtoff, tm.tm_zone);
			assert_int_equal(l.date.day, tm.tm_mday);
			assert_int_equal(l.date.month, tm.tm_mon + 1);
			assert_int_equal(l.second, tm.tm_hour * 3600 +
			    tm.tm_min * 60 + tm.tm_sec);
			assert_int_equal((l.weekday + 1) % 7, tm.tm_wday);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void
test_long_and_short_days(void **state)
{
	struct zone *berlin CLEANUP(zone_freep) = load("Europe/Berlin");
	struct zone *howe CLEANUP(zone_freep) = load("Australia/Lord_Howe");
	struct zone *paulo CLEANUP(zone_freep) = load("America/Sao_Paulo");
	struct zone *apia CLEANUP(zone_freep) = load("Pacific/Apia");
	struct local l;

	(void)state;
	assert_int_equal(hours(berlin, day(2026, 3, 29)), 23);
	assert_int_equal(hours(berlin, day(2026, 10, 25)), 25);
	assert_int_equal(hours(berlin, day(2026, 10, 26)), 24);
	/* by the rule, long after the table */
	assert_int_equal(hours(berlin, day(2080, 3, 31)), 23);
	assert_int_equal(zone_day_start(howe, day(2025, 10, 6)) -
	    zone_day_start(howe, day(2025, 10, 5)), 47 * HOUR / 2);
	assert_int_equal(zone_day_start(howe, day(2026, 4, 6)) -
	    zone_day_start(howe, day(2026, 4, 5)), 49 * HOUR / 2);
	/* No midnight: the day begins at one. */
	assert_int_equal(hours(paulo, day(2018, 11, 4)), 23);
	l = zone_local(paulo, zone_day_start(paulo, day(2018, 11, 4)));
	assert_int_equal(l.second, 3600);
	/* Two of the hour before midnight: all of it is the old day. */
	assert_int_equal(hours(paulo, day(2018, 2, 17)), 25);
	assert_int_equal(zone_day(paulo, zone_day_start(paulo,
	    day(2018, 2, 18)) - 1), day(2018, 2, 17));
	/* A date that never was. */
	assert_int_equal(hours(apia, day(2011, 12, 30)), 0);
	assert_int_equal(hours(apia, day(2011, 12, 29)), 24);
	assert_int_equal(hours(NULL, day(2026, 3, 29)), 24);
}

/* Set back at a minute past midnight: the date was shown, and is again. */
static void
test_fold_over_midnight(void **state)
{
	struct zone *z CLEANUP(zone_freep) = load("America/St_Johns");
	int32_t d = day(2010, 11, 7);
	int64_t at = zone_day_start(z, d);

	(void)state;
	assert_int_equal(hours(z, d), 25);
	assert_int_equal(zone_local(z, at).second, 0);
	assert_int_equal(zone_local(z, at + 60 * S).date.day, 6);
	assert_int_equal(zone_day(z, at + 60 * S), d);
	assert_int_equal(zone_day(z, at - 1), d - 1);
}

static void
test_fold_and_gap(void **state)
{
	struct zone *z CLEANUP(zone_freep) = load("Europe/Berlin");
	int64_t fold = (day(2026, 10, 25) * INT64_C(86400) + 9000) * S;
	int64_t gap = (day(2026, 3, 29) * INT64_C(86400) + 9000) * S;

	(void)state;
	assert_int_equal(zone_utc(z, fold, ZONE_EARLIER), fold - 2 * HOUR);
	assert_int_equal(zone_utc(z, fold, ZONE_LATER), fold - HOUR);
	/* 02:30 was skipped: 03:30 it is, which is 01:30 UTC */
	assert_int_equal(zone_utc(z, gap, ZONE_EARLIER), gap - HOUR);
	assert_int_equal(zone_utc(z, gap, ZONE_LATER), gap - HOUR);
	assert_int_equal(zone_local(z, gap - HOUR).second, 12600);
	assert_int_equal(zone_utc(z, gap + DAY_NS / 1000, ZONE_LATER),
	    gap + DAY_NS / 1000 - 2 * HOUR);
	assert_int_equal(zone_utc(NULL, gap + 5, ZONE_LATER), gap + 5);
}

static void
refused(const char *name, enum err want)
{
	struct zone *z = NULL;
	struct errinfo ei = {0};

	assert_int_equal(zone_load(name, &z, &ei), want);
	assert_null(z);
	assert_true(ei.text[0] != '\0');
}

static void
test_names(void **state)
{
	struct zone *z = NULL;
	char text[TIME_TEXT];

	(void)state;
	assert_int_equal(zone_load("UTC", &z, NULL), ERR_OK);
	assert_null(z);
	refused("", ERR_INVALID);
	refused("../../../etc/passwd", ERR_INVALID);
	refused("/etc/localtime", ERR_INVALID);
	refused("Europe/Berlin\n", ERR_INVALID);
	refused("Europe/Nowhere", ERR_NOT_FOUND);
	refused("Europe", ERR_NOT_FOUND);
	if (access(ZONE_DIR "/tzdata.zi", R_OK) == 0)
		refused("tzdata.zi" + 7, ERR_NOT_FOUND);
	if (access(ZONE_DIR "/zone.tab", R_OK) == 0)
		refused("zone.tab", ERR_INVALID);
	assert_string_equal(zone_day_text(day(2026, 11, 21), text),
	    "2026-11-21");
}

/* Version 1, 2 types, 1 change, no rule. */
static const char old[] = "TZif\0" "000000000000000"
    "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\1" "\0\0\0\2" "\0\0\0\10"
    "\100\0\0\0" "\1" "\0\0\16\20\0\0" "\377\377\361\360\1\4" "AAA\0BBB";

static void
test_bytes(void **state)
{
	struct str s = {old, sizeof(old)};   /* the last NUL is its own */
	struct zone *z CLEANUP(zone_freep) = NULL;
	char copy[sizeof(old)];

	(void)state;
	assert_int_equal(zone_parse(s, &z, NULL), ERR_OK);
	assert_int_equal(zone_offset(z, INT64_C(0x3fffffff) * S), 3600);
	assert_int_equal(zone_offset(z, INT64_C(0x40000000) * S), -3600);
	assert_string_equal(zone_local(z, INT64_C(0x40000000) * S).abbr,
	    "BBB");
	for (size_t n = 0; n < s.n; n++) {
		struct zone *none = NULL;

		assert_int_equal(zone_parse((struct str){old, n}, &none,
		    NULL), ERR_PARSE);
	}
	memcpy(copy, old, sizeof(copy));
	copy[48] = 2;   /* a third type */
	zone_free(TAKE(z));
	assert_int_equal(zone_parse((struct str){copy, sizeof(copy)}, &z,
	    NULL), ERR_PARSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_libc),
		cmocka_unit_test(test_long_and_short_days),
		cmocka_unit_test(test_fold_over_midnight),
		cmocka_unit_test(test_fold_and_gap),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define H (3600 * NS_PER_S)

static void
durations_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{"0", 0}, {"0s", 0}, {"90", 90 * NS_PER_S},
		{"1.5", 1500 * NS_PER_MS}, {"500ms", 500 * NS_PER_MS},
		{"30s", 30 * NS_PER_S}, {"5m", 300 * NS_PER_S},
		{"1h30m", H + H / 2}, {"1d", DAY_NS}, {"1w", 7 * DAY_NS},
		{"1y", 365 * DAY_NS}, {"1y1d1h1m1s1ms1us1ns",
		    366 * DAY_NS + H + 61 * NS_PER_S + 1001001},
		{"1.5s", 1500 * NS_PER_MS}, {"0.25h", H / 4},
		{"1.5h30m", 2 * H}, {"100us", 100000}, {"7ns", 7},
		{"0.001us", 1},
		{"400d", 400 * DAY_NS}, {"007s", 7 * NS_PER_S},
	};
	static const char *const bad[] = {
		"", " ", "s", "-1s", "+1s", "1 s", "1s ", "1x", "1S", "1sec",
		"1h1h", "1m1h", "1h30", "30 1h", ".5s", "5.s", "5.", "1..5s",
		"1.5.5s", "0.5ns", "0.0001us", "9223372036854775808ns",
		"293y", "99999999999999999999", "1e3", "0x10", "1,5s",
		"1h\n", "\xc2\xb5s", "inf", "nan", "1yy",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t ns = -1;

		assert_true(time_parse_duration(str_of(good[i].text), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t ns = -7;

		assert_false(time_parse_duration(str_of(bad[i]), &ns));
		assert_int_equal(ns, -7);
	}
}

static void
durations_print(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{0, "0s"}, {90 * NS_PER_S, "1m30s"}, {DAY_NS, "1d"},
		{30 * NS_PER_S, "30s"}, {H, "1h"}, {H + H / 2, "1h30m"},
		{500 * NS_PER_MS, "500ms"}, {1500 * NS_PER_MS, "1.5s"},
		{90 * DAY_NS, "90d"}, {365 * DAY_NS, "1y"},
		{5 * 365 * DAY_NS, "5y"}, {400 * DAY_NS, "400d"},
		{7 * DAY_NS, "7d"}, {1, "1ns"}, {1001, "1.001us"},
		{NS_PER_MS + 1, "1.000001ms"}, {60 * NS_PER_S + 1,
		    "1m1ns"}, {-90 * NS_PER_S, "-1m30s"},
		{INT64_MAX, "106751d23h47m16.854775807s"},
		{INT64_MIN, "-106751d23h47m16.854775808s"},
	};
	char dst[TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(time_format_duration(rows[i].ns, dst),
		    rows[i].text);
}

static uint64_t random_state = 7;

static uint64_t
next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
what_is_printed_reads_back(void **state)
{
	char dst[TIME_TEXT];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		int64_t v = (int64_t)(next() >> (1 + next() % 63)), back;

		switch (next() % 4) {
		case 0: v -= v % NS_PER_MS; break;
		case 1: v -= v % NS_PER_S; break;
		case 2: v -= v % DAY_NS; break;
		}
		assert_true(time_parse_duration(
		    str_of(time_format_duration(v, dst)), &back));
		assert_true(back == v);

		/* Years 0000 to 9999 have a date that reads back. */
		v = v % INT64_C(253402300800000000);
		if (next() % 2 == 0)
			v = -(v % INT64_C(62167219200000000));
		assert_true(time_parse_utc(str_of(time_format_utc(v, dst)),
		    &back));
		assert_true(back == v);
	}
}

static void
for_people(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{0, "0 s"}, {850 * NS_PER_MS, "850 ms"},
		{120 * NS_PER_US, "120 \xc2\xb5s"}, {1200 * NS_PER_MS, "1.2 s"},
		{9 * NS_PER_S, "9 s"}, {45900 * NS_PER_MS, "45 s"},
		{60 * NS_PER_S, "1m"}, {90 * NS_PER_S, "1m 30s"},
		{3 * H + 125 * NS_PER_S, "3h 2m"}, {DAY_NS - 1, "23h 59m"},
		{DAY_NS, "1d"}, {DAY_NS + 59 * NS_PER_S, "1d"},
		{400 * DAY_NS, "1y 35d"}, {-90 * NS_PER_S, "-1m 30s"},
		{INT64_MAX, "292y 171d"},
	};
	char dst[TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(time_format_human(rows[i].ns, dst),
		    rows[i].text);
}

static void
dates_print(void **state)
{
	char dst[TIME_TEXT];

	(void)state;
	assert_string_equal(time_format_utc(0, dst), "1970-01-01T00:00:00Z");
	assert_string_equal(time_format_utc(INT64_C(1795255200000000), dst),
	    "2026-11-21T10:00:00Z");
	assert_string_equal(time_format_utc(INT64_C(1795255200250000), dst),
	    "2026-11-21T10:00:00.25Z");
	assert_string_equal(time_format_utc(INT64_C(1795255209000001), dst),
	    "2026-11-21T10:00:09.000001Z");
	assert_string_equal(time_format_utc(-1, dst),
	    "1969-12-31T23:59:59.999999Z");
	assert_string_equal(time_format_utc(INT64_C(951782400000000), dst),
	    "2000-02-29T00:00:00Z");
	/* Nonsense from a broken store must not overrun anything. */
	assert_true(strlen(time_format_utc(INT64_MAX, dst)) < TIME_TEXT);
	assert_true(strlen(time_format_utc(INT64_MIN, dst)) < TIME_TEXT);
	assert_string_equal(time_format_http(INT64_C(784111777000000), dst),
	    "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(time_format_http(INT64_C(1795255200999999), dst),
	    "Sat, 21 Nov 2026 10:00:00 GMT");
	assert_true(strlen(time_format_http(INT64_MIN, dst)) < TIME_TEXT);
}

static void
dates_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"0", 0}, {"1795255200", INT64_C(1795255200000000)},
		{"1970-01-01", 0}, {"1970-01-02", 86400 * US_PER_S},
		{"2026-11-21T10:00:00Z", INT64_C(1795255200000000)},
		{"2026-11-21t10:00:00z", INT64_C(1795255200000000)},
		{"2026-11-21 10:00:00Z", INT64_C(1795255200000000)},
		{"2026-11-21T10:00:00.25Z", INT64_C(1795255200250000)},
		{"2026-11-21T10:00:00.1234567Z", INT64_C(1795255200123456)},
		{"2026-11-21T12:00:00+02:00", INT64_C(1795255200000000)},
		{"2026-11-21T04:30:00-05:30", INT64_C(1795255200000000)},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
		{"2000-02-29", INT64_C(951782400000000)},
		{"0000-01-01", INT64_C(-62167219200000000)},
	};
	static const char *const bad[] = {
		"", "-1", "1.5", "now", "2026-11-21T10:00Z",
		"2026-11-21T10:00:00", "2026-1-21", "2026-13-01",
		"2026-00-01", "2026-02-29", "1900-02-29", "2026-04-31",
		"2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z",
		"2026-11-21T10:00:61Z", "2026-11-21T10:00:00.Z",
		"2026-11-21T10:00:00+2:00", "2026-11-21T10:00:00+24:00",
		"2026-11-21T10:00:00+02:00 ", "2026-11-21T10:00:00ZZ",
		"2026-11-21T", "2026-11-21T10:00:00.5", "2026/11/21",
		"+2026-11-21", " 2026-11-21", "9223372036855",
		"12026-11-21", ("2026-11-21T10:00:00\xe2\x88\x92" "02:00"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t us = -1;

		assert_true(time_parse_utc(str_of(good[i].text), &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t us = -7;

		assert_false(time_parse_utc(str_of(bad[i]), &us));
		assert_int_equal(us, -7);
	}
}

/* Every day of 800 years against a calendar that just counts. */
static void
calendar(void **state)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31};
	int64_t day = -((int64_t)135140);   /* 1600-01-01 */
	char dst[TIME_TEXT];

	(void)state;
	for (int y = 1600; y < 2400; y++) {
		bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

		for (int m = 0; m < 12; m++) {
			int n = lengths[m] + (m == 1 && leap);

			for (int d = 1; d <= n; d++, day++) {
				const char *t = time_format_utc(
				    day * 86400 * US_PER_S, dst);

				assert_int_equal(t[0] - '0', y / 1000);
				assert_int_equal((t[2] - '0') * 10 + t[3] -
				    '0', y % 100);
				assert_int_equal((t[5] - '0') * 10 + t[6] -
				    '0', m + 1);
				assert_int_equal((t[8] - '0') * 10 + t[9] -
				    '0', d);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_parse),
		cmocka_unit_test(durations_print),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(for_people),
		cmocka_unit_test(dates_print),
		cmocka_unit_test(dates_parse),
		cmocka_unit_test(calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

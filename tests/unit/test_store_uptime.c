/* Uptime and day bars: the cases that others get wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "store/uptime.h"

#include <cmocka.h>

#define S   INT64_C(1000000)
#define DAY (86400 * S)
#define NOON (20000 * DAY + DAY / 2)

static struct uptime
compute(enum status first, const struct turn *t, size_t n, int64_t from,
    int64_t to)
{
	struct uptime_in in = {.turns = t, .nturns = n, .first = first,
	    .from_us = from, .to_us = to, .now_us = INT64_MAX};
	struct uptime u;

	uptime_compute(&in, &u);
	return u;
}

static void
test_began_before(void **state)
{
	/* Down when the window opens, up at 30: not up all along. */
	const struct turn t[] = {{30 * S, STATUS_DOWN, STATUS_UP}};
	struct uptime u = compute(STATUS_DOWN, t, 1, 0, 100 * S);

	(void)state;
	assert_int_equal(u.down_us, 30 * S);
	assert_int_equal(u.up_us, 70 * S);
	assert_int_equal(u.outages, 1);
	assert_int_equal(u.longest_us, 30 * S);
	assert_int_equal(u.mttr_us, 30 * S);
	assert_true(fabs(u.ratio - 0.7) < 1e-12);
}

static void
test_no_change_inside(void **state)
{
	struct uptime u = compute(STATUS_DOWN, NULL, 0, 0, 10 * S);

	(void)state;
	assert_int_equal(u.down_us, 10 * S);
	assert_int_equal(u.outages, 1);
	assert_int_equal(u.mttr_us, -1);   /* it has not ended */
	assert_int_equal(u.mtbf_us, 0);
	u = compute(STATUS_UP, NULL, 0, 0, 10 * S);
	assert_int_equal(u.up_us, 10 * S);
	assert_int_equal(u.outages, 0);
	assert_int_equal(u.mtbf_us, -1);
	assert_int_equal(u.longest_us, -1);
}

static void
test_created_inside(void **state)
{
	const struct turn t[] = {{50 * S, STATUS_PENDING, STATUS_DOWN}};
	struct uptime_in in = {.turns = t, .nturns = 1,
	    .first = STATUS_PENDING, .from_us = 0, .to_us = 100 * S,
	    .created_us = 40 * S, .now_us = 90 * S};
	struct uptime u;

	(void)state;
	uptime_compute(&in, &u);
	assert_int_equal(u.from_us, 40 * S);
	assert_int_equal(u.to_us, 90 * S);
	assert_int_equal(u.pending_us, 10 * S);
	assert_int_equal(u.down_us, 40 * S);
	assert_true(u.ratio == 0.0);
	in.nturns = 0;
	uptime_compute(&in, &u);
	assert_true(isnan(u.ratio));   /* nothing known is not 100 % */
	in.from_us = 95 * S;           /* a window in the future */
	uptime_compute(&in, &u);
	assert_int_equal(u.from_us, u.to_us);
	assert_true(isnan(u.ratio));
}

static void
test_same_microsecond(void **state)
{
	/* Down and up at once, in the order of their ids: up it is. */
	const struct turn t[] = {{10 * S, STATUS_UP, STATUS_DOWN},
	    {10 * S, STATUS_DOWN, STATUS_UP}};
	struct uptime u = compute(STATUS_UP, t, 2, 0, 20 * S);

	(void)state;
	assert_int_equal(u.up_us, 20 * S);
	assert_int_equal(u.down_us, 0);
	assert_int_equal(u.outages, 0);
}

static void
test_kinds(void **state)
{
	const struct turn t[] = {{10 * S, STATUS_UP, STATUS_DEGRADED},
	    {20 * S, STATUS_DEGRADED, STATUS_LATE},
	    {30 * S, STATUS_LATE, STATUS_DOWN},
	    {40 * S, STATUS_DOWN, STATUS_UNKNOWN},
	    {50 * S, STATUS_UNKNOWN, STATUS_PAUSED},
	    {60 * S, STATUS_PAUSED, STATUS_PENDING},
	    {70 * S, STATUS_PENDING, STATUS_DOWN},
	    {75 * S, STATUS_DOWN, STATUS_UP}};
	struct uptime u = compute(STATUS_UP, t, COUNT(t), 0, 100 * S);

	(void)state;
	assert_int_equal(u.up_us, 55 * S);
	assert_int_equal(u.degraded_us, 10 * S);
	assert_int_equal(u.down_us, 15 * S);
	assert_int_equal(u.unknown_us, 10 * S);
	assert_int_equal(u.paused_us, 10 * S);
	assert_int_equal(u.pending_us, 10 * S);
	assert_int_equal(u.outages, 2);
	assert_int_equal(u.longest_us, 10 * S);
	assert_int_equal(u.mttr_us, 15 * S / 2);
	assert_int_equal(u.mtbf_us, 55 * S / 2);
}

static void
test_gap_inside_outage(void **state)
{
	const struct turn t[] = {{10 * S, STATUS_UP, STATUS_DOWN},
	    {50 * S, STATUS_DOWN, STATUS_UP}};
	const struct gap g[] = {{-5 * S, 2 * S}, {20 * S, 30 * S},
	    {45 * S, 55 * S}, {99 * S, 200 * S}};
	struct uptime_in in = {.turns = t, .nturns = 2, .first = STATUS_UP,
	    .gaps = g, .ngaps = COUNT(g), .to_us = 100 * S,
	    .now_us = INT64_MAX};
	struct uptime u;

	(void)state;
	uptime_compute(&in, &u);
	assert_int_equal(u.down_us, 25 * S);
	assert_int_equal(u.unknown_us, 23 * S);
	assert_int_equal(u.up_us, 52 * S);
	assert_int_equal(u.outages, 1);   /* one outage, not three */
	assert_int_equal(u.longest_us, 25 * S);
}

static void
test_clock_set_back(void **state)
{
	const struct turn t[] = {{50 * S, STATUS_UP, STATUS_DOWN},
	    {40 * S, STATUS_DOWN, STATUS_UP},
	    {60 * S, STATUS_UP, STATUS_DOWN}};
	struct uptime u = compute(STATUS_UP, t, 3, 0, 70 * S);

	(void)state;
	assert_int_equal(u.up_us + u.down_us, 70 * S);
	assert_int_equal(u.down_us, 10 * S);
}

static void
test_gap_add(void **state)
{
	struct gap g[4];
	size_t n = 0;

	(void)state;
	n = uptime_gap_add(g, n, (struct gap){5, 10});
	n = uptime_gap_add(g, n, (struct gap){8, 12});   /* overlaps */
	n = uptime_gap_add(g, n, (struct gap){3, 9});    /* nothing new */
	assert_int_equal(n, 2);
	assert_int_equal(g[1].from_us, 10);
	assert_int_equal(uptime_gap_us(g, n, 0, 100), 7);
	assert_int_equal(uptime_gap_us(g, n, 6, 11), 5);
	assert_int_equal(uptime_gap_us(g, n, 12, 100), 0);
}

static struct day_seconds
day(const struct day_seconds *d, int back)
{
	return d[VIEW_DAYS - 1 - back];
}

static void
test_days(void **state)
{
	struct days d = {.known_us = NOON - 10 * DAY,
	    .until_us = NOON - 10 * DAY};
	struct day_seconds out[VIEW_DAYS];
	const struct gap g[] = {{NOON - 2 * DAY, NOON - 2 * DAY + 60 * S}};

	(void)state;
	/* up for five days, down for one hour, up since */
	days_add(&d, STATUS_UP, NOON - 5 * DAY, g, 1);
	days_add(&d, STATUS_DOWN, NOON - 5 * DAY + 3600 * S, g, 1);
	assert_true(d.n <= 3);   /* a day that is up takes no room */
	days_read(&d, STATUS_UP, NOON, g, 1, out);
	assert_int_equal(day(out, 0).up, 43200);
	assert_int_equal(day(out, 1).up, 86400);
	assert_int_equal(day(out, 2).up, 86340);
	assert_int_equal(day(out, 2).other, 60);
	assert_int_equal(day(out, 5).up, 82800);
	assert_int_equal(day(out, 5).down, 3600);
	assert_int_equal(day(out, 7).up, 86400);
	assert_int_equal(day(out, 10).up, 43200);   /* born at noon */
	assert_int_equal(day(out, 11).up + day(out, 11).other, 0);
	days_free(&d);
}

static void
test_days_flapping(void **state)
{
	struct days d = {.known_us = NOON - 200 * DAY,
	    .until_us = NOON - 200 * DAY};
	struct day_seconds out[VIEW_DAYS];

	(void)state;
	for (int64_t at = NOON - 199 * DAY; at <= NOON; at += DAY / 4) {
		days_add(&d, STATUS_UP, at, NULL, 0);
		days_add(&d, STATUS_DOWN, at + 60 * S, NULL, 0);
	}
	assert_true(d.n <= VIEW_DAYS + 1);   /* bounded, however it flaps */
	days_read(&d, STATUS_UP, NOON + 60 * S, NULL, 0, out);
	for (int i = 1; i < VIEW_DAYS; i++) {
		assert_int_equal(day(out, i).down, 240);
		assert_int_equal(day(out, i).up, 86160);
	}
	/* the clock is set back: nothing is counted twice */
	days_add(&d, STATUS_DOWN, NOON - DAY, NULL, 0);
	days_read(&d, STATUS_UP, NOON + 60 * S, NULL, 0, out);
	assert_int_equal(day(out, 1).down, 240);
	days_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_began_before),
		cmocka_unit_test(test_no_change_inside),
		cmocka_unit_test(test_created_inside),
		cmocka_unit_test(test_same_microsecond),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_gap_inside_outage),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_gap_add),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_days_flapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Uptime and day bars: the cases that others get wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static const struct days_in none;

static struct day_time
day(const struct day_time *d, int back)
{
	return d[VIEW_DAYS - 1 - back];
}

static void
test_days(void **state)
{
	struct days d = {.known_us = NOON - 10 * DAY,
	    .until_us = NOON - 10 * DAY};
	struct day_time out[VIEW_DAYS];
	const struct gap g[] = {{NOON - 2 * DAY, NOON - 2 * DAY + 60 * S}};
	const struct days_in one = {.gaps = g, .ngaps = 1};

	(void)state;
	/* up for five days, down for one hour, up since */
	days_add(&d, STATUS_UP, NOON - 5 * DAY, &one);
	days_add(&d, STATUS_DOWN, NOON - 5 * DAY + 3600 * S, &one);
	assert_int_equal(d.n, 0);   /* time that is up takes no room */
	assert_int_equal(d.ns, 1);
	days_read(&d, STATUS_UP, NOON, &one, out);
	assert_int_equal(day(out, 0).up_us, DAY / 2);
	assert_int_equal(day(out, 1).up_us, DAY);
	assert_int_equal(day(out, 2).up_us, DAY - 60 * S);
	assert_int_equal(day(out, 2).other_us, 60 * S);
	assert_int_equal(day(out, 5).up_us, 82800 * S);
	assert_int_equal(day(out, 5).down_us, 3600 * S);
	assert_int_equal(day(out, 7).up_us, DAY);
	assert_int_equal(day(out, 10).up_us, DAY / 2);   /* born at noon */
	assert_int_equal(day(out, 11).up_us + day(out, 11).other_us, 0);
	days_free(&d);
}

static void
test_days_flapping(void **state)
{
	struct days d = {.known_us = NOON - 200 * DAY,
	    .until_us = NOON - 200 * DAY};
	struct day_time out[VIEW_DAYS];

	(void)state;
	for (int64_t at = NOON - 199 * DAY; at <= NOON; at += DAY / 4) {
		days_add(&d, STATUS_UP, at, &none);
		days_add(&d, STATUS_DOWN, at + 60 * S, &none);
	}
	/* bounded, however it flaps */
	assert_true(d.n <= VIEW_DAYS + 1);
	assert_true(d.ns <= DAYS_STRETCHES);
	assert_true(d.cap <= 128);
	days_read(&d, STATUS_UP, NOON + 60 * S, &none, out);
	for (int i = 1; i < VIEW_DAYS; i++) {
		assert_int_equal(day(out, i).down_us, 240 * S);
		assert_int_equal(day(out, i).up_us, 86160 * S);
	}
	/* the clock is set back: nothing is counted twice */
	days_add(&d, STATUS_DOWN, NOON - DAY, &none);
	days_read(&d, STATUS_UP, NOON + 60 * S, &none, out);
	assert_int_equal(day(out, 1).down_us, 240 * S);
	days_free(&d);
}

/* Bars of a zone whose clocks change in the window are its local days. */
static void
test_days_in_a_zone(void **state)
{
	struct days d = {0};
	struct zone *z = NULL;
	struct day_time out[VIEW_DAYS];
	struct turn t[300];
	int64_t edge[VIEW_DAYS + 1], at;
	struct uptime u[VIEW_DAYS];
	int64_t now = INT64_C(1779000000) * S;   /* May 2026 */
	const struct gap g[] = {{now - 30 * DAY, now - 29 * DAY}};
	struct uptime_in in = {.turns = t, .first = STATUS_UP, .gaps = g,
	    .ngaps = 1, .now_us = now, .created_us = now - 100 * DAY};
	enum status s = STATUS_UP;
	struct calendar *c;
	struct days_in days;

	(void)state;
	if (access(ZONE_DIR "/Europe/Berlin", R_OK) != 0)
		skip();
	assert_int_equal(zone_load("Europe/Berlin", &z, NULL), ERR_OK);
	c = calendar_new(z, now);
	days = (struct days_in){.calendar = c, .gaps = g, .ngaps = 1};
	d.known_us = d.until_us = at = in.created_us;
	for (; (at += 4 * DAY / 10 + 3607 * S) < now; in.nturns++) {
		enum status to = s == STATUS_UP ? STATUS_DOWN : STATUS_UP;

		days_add(&d, s, at, &days);
		t[in.nturns] = (struct turn){at, (uint8_t)s, (uint8_t)to};
		s = to;
	}
	days_read(&d, s, now, &days, out);
	for (int i = 0; i <= VIEW_DAYS; i++)
		edge[i] = zone_day_start(z, zone_day(z, now) - VIEW_DAYS + 1 + i);
	uptime_series(&in, edge, VIEW_DAYS, u);
	for (int i = 0; i < VIEW_DAYS; i++) {
		assert_int_equal(out[i].up_us, u[i].up_us);
		assert_int_equal(out[i].down_us, u[i].down_us);
		assert_int_equal(out[i].other_us, u[i].unknown_us);
	}
	days_free(&d);
	calendar_free(c);
}

/* -- against one who counts every second ----------------------------------- */
#define LONG  400          /* seconds */
#define TURNS 24
#define SPANS 6

static uint32_t seed = 1;

static int64_t
pick(int64_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (int64_t)(seed >> 8) % n;
}

static size_t
spans(struct gap *g)
{
	size_t n = 0;

	for (int64_t at = pick(80); at < LONG && n < SPANS; at += pick(90)) {
		struct gap one = {at * S, (at + 1 + pick(40)) * S};

		n = uptime_gap_add(g, n, one);
		at = one.to_us / S;
	}
	return n;
}

static bool
inside(const struct gap *g, size_t n, int64_t second)
{
	for (size_t i = 0; i < n; i++)
		if (g[i].from_us <= second * S && second * S < g[i].to_us)
			return true;
	return false;
}

static void
judge(const struct uptime_in *in, struct uptime *u)
{
	int64_t outage = -1, ended = 0, n = 0;
	size_t next = 0;
	enum status s = in->first;

	memset(u, 0, sizeof(*u));
	u->longest_us = u->mttr_us = u->mtbf_us = -1;
	u->from_us = MAX(in->from_us, in->created_us);
	u->to_us = MIN(in->to_us, in->now_us);
	u->to_us = MAX(u->to_us, u->from_us);
	for (int64_t at = -1; at <= LONG; at++) {
		bool in_it = at * S >= u->from_us && at * S < u->to_us;
		bool gap, window;

		for (; next < in->nturns && in->turns[next].at_us <= at * S &&
		    in->turns[next].at_us < u->to_us; next++) {
			s = (enum status)in->turns[next].to;
			if (s == STATUS_DOWN || outage < 0)
				continue;
			u->longest_us = MAX(u->longest_us, outage);
			ended += outage;
			n++;
			outage = -1;
		}
		if (at == LONG && outage >= 0)
			u->longest_us = MAX(u->longest_us, outage);
		if (!in_it)
			continue;
		gap = inside(in->gaps, in->ngaps, at);
		window = inside(in->windows, in->nwindows, at);
		u->maintenance_us += window ? S : 0;
		if (window && !in->count_windows)
			continue;
		if (s == STATUS_DOWN && outage < 0) {
			outage = 0;
			u->outages++;
		}
		if (gap || s == STATUS_UNKNOWN)
			u->unknown_us += S;
		else if (s == STATUS_PAUSED)
			u->paused_us += S;
		else if (s == STATUS_PENDING)
			u->pending_us += S;
		else if (s == STATUS_DOWN)
			u->down_us += S;
		else
			u->up_us += S;
		u->degraded_us += !gap && s == STATUS_DEGRADED ? S : 0;
		outage += !gap && s == STATUS_DOWN ? S : 0;
	}
	if (n > 0)
		u->mttr_us = ended / n;
	if (u->outages > 0)
		u->mtbf_us = u->up_us / u->outages;
}

static void
equal(const struct uptime *a, const struct uptime *b, uint32_t at)
{
	const int64_t x[] = {a->from_us, a->to_us, a->up_us, a->down_us,
	    a->degraded_us, a->unknown_us, a->paused_us, a->pending_us,
	    a->maintenance_us, a->outages, a->longest_us, a->mttr_us,
	    a->mtbf_us};
	const int64_t y[] = {b->from_us, b->to_us, b->up_us, b->down_us,
	    b->degraded_us, b->unknown_us, b->paused_us, b->pending_us,
	    b->maintenance_us, b->outages, b->longest_us, b->mttr_us,
	    b->mtbf_us};

	for (size_t i = 0; i < COUNT(x); i++)
		if (x[i] != y[i])
			fail_msg("seed %u: figure %zu is %lld, not %lld", at, i,
			    (long long)x[i], (long long)y[i]);
}

static void
case_of(struct uptime_in *in, struct turn *t, struct gap *g, struct gap *w)
{
	enum status s = (enum status)pick(STATUS_NMAX);

	in->first = s;
	in->turns = t;
	in->nturns = (size_t)pick(TURNS);
	for (int64_t i = 0, at = 0; i < (int64_t)in->nturns; i++) {
		enum status to = (enum status)(pick(3) == 0 ? STATUS_DOWN :
		    pick(STATUS_NMAX));

		at += pick(LONG / TURNS * 2);   /* or at the same time */
		t[i] = (struct turn){at * S, (uint8_t)s, (uint8_t)to};
		s = to;
	}
	in->gaps = g;
	in->ngaps = spans(g);
	in->windows = w;
	in->nwindows = spans(w);
	in->count_windows = pick(2) == 0;
	in->from_us = pick(LONG) * S;
	in->to_us = in->from_us + (1 + pick(LONG)) * S;
	in->created_us = pick(4) == 0 ? pick(LONG) * S : 0;
	in->now_us = pick(4) == 0 ? pick(LONG) * S : LONG * S;
}

static void
test_every_second(void **state)
{
	struct turn t[TURNS];
	struct gap g[SPANS + 1], w[SPANS + 1];

	(void)state;
	for (int k = 0; k < 20000; k++) {
		struct uptime_in in = {0};
		struct uptime have, want;
		uint32_t at = seed;

		case_of(&in, t, g, w);
		uptime_compute(&in, &have);
		judge(&in, &want);
		equal(&have, &want, at);
	}
}

/* A series is the same as asking for each part, and its sum is the whole. */
static void
test_series(void **state)
{
	struct turn t[TURNS];
	struct gap g[SPANS + 1], w[SPANS + 1];

	(void)state;
	for (int k = 0; k < 5000; k++) {
		struct uptime_in in = {0};
		struct uptime u[4], whole, sum = {0}, one;
		int64_t edge[5] = {0, pick(100) * S, (100 + pick(100)) * S,
		    (200 + pick(100)) * S, LONG * S};
		uint32_t at = seed;

		case_of(&in, t, g, w);
		uptime_series(&in, edge, 4, u);
		for (int i = 0; i < 4; i++) {
			in.from_us = edge[i];
			in.to_us = edge[i + 1];
			judge(&in, &one);
			equal(&u[i], &one, at);
			sum.up_us += u[i].up_us;
			sum.down_us += u[i].down_us;
			sum.maintenance_us += u[i].maintenance_us;
		}
		in.from_us = 0;
		in.to_us = LONG * S;
		uptime_compute(&in, &whole);
		assert_int_equal(sum.up_us, whole.up_us);
		assert_int_equal(sum.down_us, whole.down_us);
		assert_int_equal(sum.maintenance_us, whole.maintenance_us);
	}
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
		cmocka_unit_test(test_days_in_a_zone),
		cmocka_unit_test(test_every_second),
		cmocka_unit_test(test_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

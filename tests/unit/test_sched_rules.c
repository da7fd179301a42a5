/* When checks run, and what one check says. One rule a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail   /* base/err.h has one, too */

#include "tests/unit/sched_rig.h"

/* -- when -------------------------------------------------------------------- */

static void
phases_are_spread_and_stable(void **arg)
{
	unsigned n[100] = {0};

	(void)arg;
	for (uint32_t id = 1; id <= 10000; id++) {
		int64_t p = sched_phase_ns(id, 10 * S);

		assert_in_range(p, 0, 10 * S - 1);
		assert_int_equal(p, sched_phase_ns(id, 10 * S));
		n[p / (100 * MS)]++;
	}
	for (int i = 0; i < 100; i++)
		assert_in_range(n[i], 50, 150);   /* 100 on average */
}

static void
beats_are_on_phase_without_drift(void **arg)
{
	int64_t phase = sched_phase_ns(7, 10 * S), wall;

	(void)arg;
	d->latency = 333 * MS;
	add(conf(&toy, 7));
	run_to(d->now + 10000 * S);
	assert_in_range(d->starts, 999, 1002);
	wall = d->started[d->starts - 1] + d->wall_off;
	/* The wall clock is read in whole microseconds. */
	assert_in_range(wall % (10 * S), phase - 2000, phase + 2000);
	assert_int_equal(d->stats.skipped_beats, 0);
	assert_int_equal(d->last->sample.lag_us, 0);
}

static void
first_looks_come_soon_and_spread(void **arg)
{
	int64_t t0 = d->now;

	(void)arg;
	for (uint32_t id = 1; id <= 1000; id++) {
		struct monitor_conf *c = conf(&toy, id);

		c->interval_ns = 3600 * S;
		add(c);
	}
	run_to(t0 + 10 * S);
	assert_int_equal(d->starts, 1000);
	for (int i = 0; i < 10; i++)
		assert_in_range(starts_between(t0 + i * S, t0 + (i + 1) * S),
		    50, 150);
}

static void
no_burst_and_no_hole_after_a_stall(void **arg)
{
	int64_t t;

	(void)arg;
	for (uint32_t id = 1; id <= 1000; id++)
		add(conf(&toy, id));
	run_to(d->now + 60 * S);
	d->starts = 0;
	d->now = d->world.turn_ns = t = d->now + 3600 * S;
	d->world.on_stall(d->world.on_stall_arg, 3600 * S);
	run_to(t + 10 * S);
	assert_in_range(d->starts, 990, 1010);
	for (int i = 0; i < 10; i++)
		assert_in_range(starts_between(t + i * S, t + (i + 1) * S),
		    50, 160);
	assert_int_equal(d->stats.stalls, 1);
	assert_true(d->stats.skipped_beats >= 359 * 1000);
}

static void
a_stepped_clock_moves_no_check(void **arg)
{
	int64_t t;

	(void)arg;
	add(conf(&toy, 7));
	run_to(d->now + 100 * S);
	d->wall_off -= 7200 * S + 3 * S;
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_in_range(d->starts, 10, 11);
	for (unsigned i = 1; i < d->starts; i++) {
		t = d->started[i] - d->started[i - 1];
		assert_in_range(t, 5 * S, 10 * S + 2000);
	}
	t = (d->started[d->starts - 1] + d->wall_off) % (10 * S);
	assert_in_range(t, sched_phase_ns(7, 10 * S) - 2000,
	    sched_phase_ns(7, 10 * S) + 2000);
	assert_int_equal(d->events, 1);
}

/* -- one check ------------------------------------------------------------------ */

static void
a_sample_says_everything(void **arg)
{
	const struct sample *p;

	(void)arg;
	d->answer = WHY_HTTP_STATUS;
	add(conf(&toy, 3));
	while (d->samples < 2)
		run_to(d->now + 100 * MS);
	p = &d->last->sample;
	assert_int_equal(p->monitor, 3);
	assert_int_equal(p->latency_us, 10000);
	assert_int_equal(p->phase_us[PHASE_TLS], -1);
	assert_int_equal(p->why, WHY_HTTP_STATUS);
	assert_null(strchr(p->reason, '\n'));     /* foreign text is tamed */
	assert_null(strchr(p->reason, '\033'));
	assert_true(p->at_us >= p->due_us);
	assert_true(p->recheck);                  /* the second was */
	assert_int_equal(p->seq, 2);
	assert_int_equal(p->status, STATUS_DOWN);
	assert_true(d->last->own->has_transition);
	assert_true(d->last->unit.urgent);
	assert_non_null(strstr(d->last->own->transition.explain,
	    "2 failures in a row"));
	assert_int_equal(d->stats.voided[WHY_LOCAL_LATE], 0);
}

static void
slow_is_degraded(void **arg)
{
	struct monitor_conf *c = conf(&toy, 3);

	(void)arg;
	c->degraded_above_ns = 5 * MS;
	add(c);
	run_to(d->now + 10 * S);
	assert_int_equal(d->last->sample.why, WHY_SLOW);
	assert_int_equal(d->last->sample.status, STATUS_DEGRADED);
	assert_string_equal(d->last->sample.reason,
	    "took 10 ms, degraded above 5 ms");
}

static void
plain_successes_are_saved_now_and_then(void **arg)
{
	unsigned saved = 0;

	(void)arg;
	add(conf(&toy, 3));
	run_to(d->now + 1300 * S);
	for (struct unit *u = d->units; u != NULL; ) {
		struct result_unit *r = CONTAINER(u, struct result_unit, unit);

		saved += r->own != NULL;
		u = u->msg.next != NULL ? CONTAINER(u->msg.next, struct unit,
		    msg) : NULL;
	}
	assert_in_range(d->samples, 129, 132);
	assert_int_equal(saved, 1 + 128 / SCHED_SAVE_EVERY);
}

static void
a_storm_of_refusals_does_not_recurse(void **arg)
{
	(void)arg;
	caps_set(d->caps, 1, 1);
	d->refuse = 20000;
	for (uint32_t id = 1; id <= 20000; id++) {
		struct monitor_conf *c = conf(&toy, id);

		c->interval_ns = 600 * S;
		c->retries = 0;
		add(c);
	}
	run_to(d->now + 11 * S);
	assert_int_equal(d->samples, 20000);
	assert_int_equal(d->transitions, 0);
	assert_int_equal(d->stats.voided[WHY_LOCAL_FDS], 20000);
}

static void
a_full_host_delays_nobody_else(void **arg)
{
	int64_t t;

	(void)arg;
	caps_set(d->caps, 50, 2);
	d->silent = true;
	for (uint32_t id = 1; id <= 300; id++) {
		struct monitor_conf *c = conf(&toy, id);

		((struct own *)c->own)->host = 1;
		add(c);
	}
	run_to(d->now + 30 * S);
	assert_true(d->stats.waiting > 200);
	d->silent = false;
	d->starts = 0;
	t = d->now;
	for (uint32_t id = 1001; id <= 1020; id++) {
		struct monitor_conf *c = conf(&toy, id);

		((struct own *)c->own)->host = id;
		add(c);
	}
	run_to(t + 10 * S);
	assert_true(d->starts >= 20);
	/* They never waited: their lag is nothing. */
	assert_true(d->stats.voided[WHY_LOCAL_SLOTS] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phases_are_spread_and_stable),
		TEST(beats_are_on_phase_without_drift),
		TEST(first_looks_come_soon_and_spread),
		TEST(no_burst_and_no_hole_after_a_stall),
		TEST(a_stepped_clock_moves_no_check),
		TEST(a_sample_says_everything),
		TEST(slow_is_degraded),
		TEST(plain_successes_are_saved_now_and_then),
		TEST(a_storm_of_refusals_does_not_recurse),
		TEST(a_full_host_delays_nobody_else),
	};
	int failed;

	role_enter(&shard_role);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	role_leave(&shard_role);
	return failed;
}

/* What commands do to monitors: put, edit, pause, move, remove, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail   /* base/err.h has one, too */

#include "tests/unit/sched_rig.h"

/* -- commands -------------------------------------------------------------------- */

static void
commands_for_nobody_are_answered(void **arg)
{
	(void)arg;
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_NOT_FOUND);
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_NOT_FOUND);
	add(conf(&toy, 5));
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_INVALID);
	tell(COMMAND_REMOVE, 99);
	assert_int_equal(d->acked, ERR_OK);
}

/* It came, and could not be taken: its sender is not silent, and what is not
 * stored makes nothing up again. */
static void
a_refused_heartbeat_is_not_missed(void **arg)
{
	unsigned n;

	(void)arg;
	add(conf(&push, 5));
	tell(COMMAND_UNHEARD, 99);
	tell(COMMAND_UNHEARD, 5);           /* before the first ever */
	run_to(d->now + 1000 * S);
	assert_int_equal(d->transitions, 0);
	tell(COMMAND_BEAT, 5);
	n = d->transitions;
	for (int i = 0; i < 40; i++) {
		run_to(d->now + 9 * S);
		tell(COMMAND_UNHEARD, 5);
	}
	assert_int_equal(d->transitions, n);
	run_to(d->now + 1000 * S);
	assert_int_equal(d->transitions, n + 2);   /* late, down */
	tell(COMMAND_UNHEARD, 5);
	run_to(d->now + 1000 * S);
	assert_int_equal(d->transitions, n + 2);
}

static void
pausing_twice_is_one_transition(void **arg)
{
	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 10 * S);
	assert_int_equal(d->transitions, 1);
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->transitions, 2);
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->transitions, 2);
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_int_equal(d->starts, 0);
	tell(COMMAND_RESUME, 5);
	assert_int_equal(d->transitions, 3);
	run_to(d->now + 10 * S);
	assert_in_range(d->starts, 1, 2);
}

static void
removed_in_mid_check_it_says_nothing(void **arg)
{
	unsigned n;

	(void)arg;
	d->silent = true;
	add(conf(&toy, 5));
	while (d->starts == 0)
		run_to(d->now + S);
	n = d->nunits;
	tell(COMMAND_REMOVE, 5);
	assert_int_equal(d->cancels, 1);
	assert_int_equal(caps_in_use(d->caps), 0);
	run_to(d->now + 100 * S);
	assert_int_equal(d->nunits, n);
	assert_int_equal(d->stats.monitors, 0);
}

static void
an_edit_disturbs_no_running_check(void **arg)
{
	struct monitor_conf *c;

	(void)arg;
	d->latency = 900 * MS;
	add(conf(&toy, 5));
	while (d->starts == 0)
		run_to(d->now + 100 * MS);
	c = conf(&toy, 5);
	c->retries = 9;
	c->interval_ns = 60 * S;
	add(c);
	assert_int_equal(d->cancels, 0);
	run_to(d->now + S);
	assert_int_equal(d->samples, 1);
	/* Another target: what was asked is of no interest any more. */
	while (d->starts == 1)
		run_to(d->now + 100 * MS);
	c = conf(&toy, 5);
	((struct own *)c->own)->target = 2;
	add(c);
	assert_int_equal(d->cancels, 1);
	assert_int_equal(d->samples, 1);
	run_to(d->now + 12 * S);
	assert_true(d->samples >= 2);
	assert_int_equal(d->transitions, 1);
}

static void
an_archived_monitor_is_gone(void **arg)
{
	struct monitor_conf *c = conf(&toy, 5);

	(void)arg;
	add(conf(&toy, 5));
	c->archived = true;
	add(c);
	assert_int_equal(d->stats.monitors, 0);
}

static void
another_type_begins_anew(void **arg)
{
	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 20 * S);
	add(conf(&push, 5));
	assert_int_equal(d->last->own->transition.why, WHY_CONFIG);
	assert_int_equal(d->last->own->transition.to, STATUS_PENDING);
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_int_equal(d->starts, 0);
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->last->own->transition.to, STATUS_UP);
	/* Its numbers go on: none is ever used twice. */
	assert_true(d->last->sample.seq > 2);
}

static void
a_damaged_state_begins_anew(void **arg)
{
	struct mon_state st = {.monitor = 5, .status = 99};

	(void)arg;
	add_with(conf(&toy, 5), &st);
	run_to(d->now + 10 * S);
	assert_int_equal(d->last->sample.status, STATUS_UP);
}

static void
a_restored_state_raises_nothing(void **arg)
{
	struct mon_state st = {.monitor = 5, .status = STATUS_DOWN,
		.why = WHY_NET_REFUSED, .seq = 41, .fails = 3, .since_us = 77};

	(void)arg;
	st.last_us = (d->now + d->wall_off) / NS_PER_US - US_PER_S;
	d->answer = WHY_NET_REFUSED;
	add_with(conf(&toy, 5), &st);
	run_to(d->now + 12 * S);
	assert_true(d->samples >= 1);
	assert_int_equal(d->transitions, 0);
	assert_int_equal(d->last->own->state.since_us, 77);
	assert_true(d->last->sample.seq >= 42);
}

static struct command *forwarded;

static void
forward(void *arg, struct command *c)
{
	(void)arg;
	forwarded = c;
}

static void
a_move_takes_the_state_along(void **arg)
{
	struct command *c = command_new(COMMAND_MOVE, 5);

	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 55 * S);
	c->conf = conf(&toy, 5);
	c->conf_free = monitor_conf_unref;
	c->forward = forward;
	sched_send(c);
	assert_ptr_equal(forwarded, c);
	assert_int_equal(c->kind, COMMAND_PUT);
	assert_int_equal(c->state->status, STATUS_UP);
	assert_true(c->state->seq >= 5);
	assert_int_equal(d->stats.monitors, 0);
	sched_send(c);
	d->starts = 0;
	run_to(d->now + 20 * S);
	assert_int_equal(d->starts, 2);
	assert_int_equal(d->transitions, 1);
}

static void
group_and_members_in_any_order(void **arg)
{
	struct monitor_conf *c;

	(void)arg;
	for (uint32_t id = 2; id <= 3; id++) {
		c = conf(&toy, id);
		c->group = 9;
		add(c);
	}
	run_to(d->now + 20 * S);
	add(conf(&group, 9));
	run_to(d->now + 20 * S);
	assert_int_equal(d->transitions, 2);
	assert_int_equal(d->stats.monitors, 3);
	/* Its change rides in the unit of the member's. */
	d->answer = WHY_NET_REFUSED;
	while (d->transitions == 2)
		run_to(d->now + 100 * MS);
	assert_non_null(d->last->group);
	assert_int_equal(d->last->group->transition.monitor, 9);
	assert_int_equal(d->last->group->transition.to, STATUS_DOWN);
	assert_string_equal(d->last->group->transition.reason, "m is down");
	assert_non_null(strstr(d->last->group->transition.explain,
	    "\"down\":1"));
}

static void
a_full_store_pauses_checking_visibly(void **arg)
{
	unsigned n;

	(void)arg;
	for (uint32_t id = 1; id <= 10; id++)
		add(conf(&toy, id));
	add(conf(&push, 11));
	run_to(d->now + 10 * S);
	d->load = 0.8;
	d->starts = 0;
	run_to(d->now + 60 * S);
	assert_int_equal(d->starts, 0);
	assert_int_equal(d->events, 1);
	assert_true(d->stats.paused_by_store >= 50);
	n = d->samples;
	tell(COMMAND_BEAT, 11);             /* heartbeats are still taken */
	assert_int_equal(d->samples, n + 1);
	d->load = 0.6;                      /* not yet: it should not flap */
	run_to(d->now + 20 * S);
	assert_int_equal(d->starts, 0);
	d->load = 0.1;
	run_to(d->now + 10 * S);
	assert_in_range(d->starts, 9, 11);
	assert_int_equal(d->events, 2);
}

static void
stop_cancels_at_its_deadline(void **arg)
{
	unsigned n;

	(void)arg;
	d->silent = true;
	for (uint32_t id = 1; id <= 20; id++)
		add(conf(&toy, id));
	run_to(d->now + 5 * S);
	role_is(&shard_role);
	assert_false(sched_idle(d->sched));
	n = d->samples;
	sched_stop(d->sched, d->now + 200 * MS);
	d->starts = 0;
	run_to(d->now + 250 * MS);
	assert_true(sched_idle(d->sched));
	assert_int_equal(d->starts, 0);
	assert_true(d->samples <= n + 1);   /* cancelled is not a verdict */
	assert_int_equal(d->transitions, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commands_for_nobody_are_answered),
		TEST(a_refused_heartbeat_is_not_missed),
		TEST(pausing_twice_is_one_transition),
		TEST(removed_in_mid_check_it_says_nothing),
		TEST(an_edit_disturbs_no_running_check),
		TEST(an_archived_monitor_is_gone),
		TEST(another_type_begins_anew),
		TEST(a_damaged_state_begins_anew),
		TEST(a_restored_state_raises_nothing),
		TEST(a_move_takes_the_state_along),
		TEST(group_and_members_in_any_order),
		TEST(a_full_store_pauses_checking_visibly),
		TEST(stop_cancels_at_its_deadline),
	};
	int failed;

	role_enter(&shard_role);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	role_leave(&shard_role);
	return failed;
}

/* The desk, step by step: what leaves, when, and what becomes of the rest. */
#include "desk_rig.h"

/* -- grouping ------------------------------------------------------------------ */

static void
a_storm_is_one_message_a_channel(void **state)
{
	struct bench *b = begin();
	struct desk_message *m;
	struct outbox_row r;
	bool late, collapsed;

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		r = row(ALERT_OPEN, i, b->now, b->now, "ops");
		add(b, &r);
		r = row(ALERT_OPEN, i, b->now, b->now, "sms");
		add(b, &r);
		b->now += 10000;
	}
	assert_null(next(b, S(8)));
	m = next(b, S(10));
	assert_non_null(m);
	assert_int_equal(desk_message_rows(m), 100);
	r = member(m, 0, &late, &collapsed);
	assert_int_equal(r.event.monitor, 1);   /* in order */
	assert_false(late);
	done(b, m, DELIVERY_SENT, false);
	m = next(b, S(1));
	assert_int_equal(desk_message_rows(m), 100);
	done(b, m, DELIVERY_SENT, false);
	assert_null(next(b, S(3600)));
	assert_int_equal(b->ndeliveries, 2);
	end(b);
}

/* Each comes due at its own time, as each failed and recovered at its own. */
static void
steps_and_delayed_ends_of_a_storm_are_one_message(void **state)
{
	struct bench *b = begin();
	struct desk_message *m;
	struct outbox_row r;

	(void)state;
	for (uint32_t i = 1; i <= 20; i++) {
		int64_t at = T0 + (int64_t)i * 100000;

		r = row(ALERT_OPEN, i, at, at, "ops");
		r.step = 1;
		r.next_us = at + S(900);
		outbox_key(&r);
		add(b, &r);
	}
	m = next(b, S(930));
	assert_non_null(m);
	assert_true(b->now >= T0 + S(900));
	assert_int_equal(desk_message_rows(m), 20);
	done(b, m, DELIVERY_SENT, false);
	for (uint32_t i = 1; i <= 20; i++) {
		r = row(ALERT_RESOLVE, i, T0 + (int64_t)i * 100000, b->now,
		    "ops");
		r.next_us = b->now + S(120) + (int64_t)i * 100000;
		add(b, &r);
	}
	assert_null(next(b, S(119)));
	m = next(b, S(30));
	assert_non_null(m);
	assert_int_equal(desk_message_rows(m), 20);
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

static void
a_trickle_waits_a_minute_at_most(void **state)
{
	struct bench *b = begin();
	struct desk_message *m = NULL;
	struct outbox_row r;
	uint32_t i = 0;

	(void)state;
	while (m == NULL && i < 100) {
		r = row(ALERT_OPEN, ++i, b->now, b->now, "ops");
		add(b, &r);
		m = next(b, S(5));
	}
	assert_non_null(m);
	assert_true(b->now - T0 >= S(55));
	assert_true(b->now - T0 <= S(60));
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

static void
down_and_up_that_wait_together_are_one_late_message(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over, got;
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	add(b, &open);
	for (int i = 0; i < 40; i++) {   /* the provider is away */
		m = next(b, S(600));
		assert_non_null(m);
		done(b, m, DELIVERY_AGAIN, false);
	}
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	m = next(b, S(600));
	assert_int_equal(desk_message_rows(m), 1);
	got = member(m, 0, &late, &collapsed);
	assert_int_equal(got.event.kind, ALERT_RESOLVE);
	assert_true(late);
	assert_true(collapsed);
	done(b, m, DELIVERY_SENT, false);
	assert_state(b, open, OUTBOX_COLLAPSED);
	assert_state(b, over, OUTBOX_SENT);
	assert_true(mark(b, &open)->over);
	assert_true(mark(b, &over)->over);
	end(b);
}

static void
what_may_have_arrived_goes_again_as_it_was(void **state)
{
	struct bench *b = begin();
	struct outbox_row a = row(ALERT_OPEN, 1, T0, T0, "ops"), c, over;
	struct desk_message *m;
	bool late, collapsed;
	int64_t made;

	(void)state;
	add(b, &a);
	m = next(b, S(60));
	made = desk_message_made_us(m);
	done(b, m, DELIVERY_AGAIN, true);
	c = row(ALERT_OPEN, 2, b->now, b->now, "ops");
	add(b, &c);
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	m = next(b, S(60));
	assert_int_equal(desk_message_rows(m), 1);
	assert_int_equal(desk_message_made_us(m), made);
	assert_int_equal(desk_message_attempt(m), 2);
	done(b, m, DELIVERY_SENT, false);
	m = next(b, S(60));
	assert_int_equal(desk_message_rows(m), 2);
	assert_int_equal(member(m, 1, &late, &collapsed).event.kind,
	    ALERT_RESOLVE);
	assert_false(collapsed);
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

/* -- mutes ----------------------------------------------------------------------- */

static void
over_within_the_window_nobody_hears(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over;

	(void)state;
	b->muted = true;
	b->muted_until = T0 + S(3600);
	add(b, &open);
	assert_null(next(b, S(60)));
	assert_state(b, open, OUTBOX_HELD);
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	assert_null(next(b, S(7200)));
	assert_state(b, open, OUTBOX_SUPPRESSED);
	assert_state(b, over, OUTBOX_SUPPRESSED);
	end(b);
}

static void
what_outlives_its_window_is_announced_at_its_end(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over;
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	open.expires_us = T0 + S(60);   /* long past by then */
	b->muted = true;
	b->muted_until = T0 + S(3600);
	add(b, &open);
	assert_null(next(b, S(3599)));
	b->muted = false;
	m = next(b, S(2));
	assert_non_null(m);
	(void)member(m, 0, &late, &collapsed);
	assert_true(late);
	done(b, m, DELIVERY_SENT, false);
	/* And a recovery in another window still resolves it. */
	b->muted = true;
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	m = next(b, S(30));
	assert_non_null(m);
	done(b, m, DELIVERY_SENT, false);
	assert_state(b, over, OUTBOX_SENT);
	end(b);
}

/* -- people ------------------------------------------------------------------------ */

static void
acknowledged_it_is_not_told_on(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"),
	    step = row(ALERT_OPEN, 1, T0, T0, "sms");
	struct hold_change c = {.monitor = 1, .op = HOLD_ACK, .at_us = T0,
	    .by = "kate"};
	struct desk_message *m;

	(void)state;
	open.remind_us = S(600);
	step.step = 1;
	step.next_us = T0 + S(900);
	outbox_key(&step);
	add(b, &open);
	add(b, &step);
	m = next(b, S(30));
	done(b, m, DELIVERY_SENT, false);
	desk_hold_change(b->d, &c, b->now);
	assert_null(next(b, S(7200)));
	assert_state(b, step, OUTBOX_HELD);
	/* Taken back: the step and the reminder that were due leave. */
	c.op = HOLD_UNACK;
	desk_hold_change(b->d, &c, b->now);
	m = next(b, S(10));
	assert_non_null(m);
	done(b, m, DELIVERY_SENT, false);
	assert_state(b, step, OUTBOX_SENT);
	end(b);
}

static void
reminders_come_while_it_goes_on_and_end_with_it(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over;
	struct desk_message *m;
	bool late, collapsed;
	unsigned reminders = 0;

	(void)state;
	open.remind_us = S(600);
	add(b, &open);
	done(b, next(b, S(30)), DELIVERY_SENT, false);
	while ((m = next(b, S(700))) != NULL && reminders < 5) {
		assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
		    ALERT_REMIND);
		assert_false(late);
		reminders++;
		done(b, m, DELIVERY_SENT, false);
	}
	assert_int_equal(reminders, 5);
	done(b, m, DELIVERY_SENT, false);
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	m = next(b, S(60));
	assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
	    ALERT_RESOLVE);
	assert_false(collapsed);
	done(b, m, DELIVERY_SENT, false);
	assert_null(next(b, S(7200)));
	end(b);
}

static void
a_step_that_was_not_due_is_silent(void **state)
{
	struct bench *b = begin();
	struct outbox_row step = row(ALERT_OPEN, 1, T0, T0, "sms"), over;

	(void)state;
	step.step = 1;
	step.next_us = T0 + S(900);
	outbox_key(&step);
	add(b, &step);
	assert_null(next(b, S(60)));
	over = row(ALERT_RESOLVE, 1, T0, b->now, "sms");
	add(b, &over);
	assert_null(next(b, S(7200)));
	assert_state(b, step, OUTBOX_SUPPRESSED);
	assert_state(b, over, OUTBOX_SUPPRESSED);
	end(b);
}

static void
a_recovery_that_failed_again_is_not_told(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over,
	    again;

	(void)state;
	add(b, &open);
	done(b, next(b, S(30)), DELIVERY_SENT, false);
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	over.next_us = b->now + S(120);   /* the recovery delay */
	add(b, &over);
	assert_null(next(b, S(60)));
	again = row(ALERT_CHANGE, 1, T0, b->now, "ops");
	add(b, &again);
	assert_null(next(b, S(3600)));
	assert_state(b, over, OUTBOX_SUPPRESSED);
	assert_state(b, again, OUTBOX_SUPPRESSED);
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	done(b, next(b, S(60)), DELIVERY_SENT, false);
	assert_state(b, over, OUTBOX_SENT);
	end(b);
}

/* -- trouble -------------------------------------------------------------------------- */

static void
a_refused_message_takes_the_fallback_and_is_told(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over, r;
	struct desk_message *m;
	bool late, collapsed, told = false, opened = false, closed = false;

	(void)state;
	channels(b, "sms");
	add(b, &open);
	done(b, next(b, S(30)), DELIVERY_REFUSED, false);
	assert_state(b, open, OUTBOX_REFUSED);
	while ((m = next(b, S(60))) != NULL) {
		assert_string_equal(desk_message_channel(m), "sms");
		for (size_t i = 0; i < desk_message_rows(m); i++) {
			r = member(m, i, &late, &collapsed);
			told |= r.event.kind == ALERT_CHANNEL;
			opened |= r.event.kind == ALERT_OPEN;
		}
		done(b, m, DELIVERY_SENT, false);
	}
	assert_true(told);
	assert_true(opened);
	/* Who was told instead hears of the end; who refused does not. */
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	while ((m = next(b, S(60))) != NULL) {
		assert_string_equal(desk_message_channel(m), "sms");
		assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
		    ALERT_RESOLVE);
		assert_string_equal(desk_message_instead(m), "ops");
		closed = true;
		done(b, m, DELIVERY_SENT, false);
	}
	assert_true(closed);
	assert_state(b, over, OUTBOX_SUPPRESSED);
	end(b);
}

static void
retries_back_off_and_honour_what_is_asked(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops");
	struct desk_outcome o = {.result = DELIVERY_AGAIN,
	    .jitter = UINT32_MAX, .after_us = S(100)};
	int64_t was, last = 0;
	struct desk_message *m;

	(void)state;
	add(b, &open);
	for (int i = 0; i < 12; i++) {
		m = next(b, S(600));
		assert_non_null(m);
		was = b->now;
		done(b, m, DELIVERY_AGAIN, false);
		m = next(b, S(600));
		assert_true(b->now - was >= MIN(last, S(299)));
		assert_true(b->now - was <= S(300));
		last = b->now - was;
		done(b, m, DELIVERY_AGAIN, false);
	}
	assert_true(last >= S(299));   /* it did grow */
	m = next(b, S(600));
	desk_done(b->d, m, &o, b->now);
	keep(b);
	o.after_us = S(3000);
	m = next(b, S(600));
	desk_done(b->d, m, &o, b->now);
	keep(b);
	was = b->now;
	m = next(b, S(4000));
	assert_true(b->now - was >= S(3000));
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

static void
a_cap_makes_messages_fewer_and_larger(void **state)
{
	struct bench *b = begin();
	struct desk_channel_conf c = {.name = "ops", .grouped = true,
	    .per_minute = 2};
	struct desk_message *m;
	unsigned messages = 0, told = 0;
	struct outbox_row r;

	(void)state;
	desk_channels(b->d, &c, 1, b->now);
	for (uint32_t i = 1; i <= 30; i++) {
		r = row(ALERT_OPEN, i, b->now, b->now, "ops");
		r.step = 1;   /* waits for nobody */
		outbox_key(&r);
		add(b, &r);
		while ((m = next(b, S(1))) != NULL) {
			messages++;
			told += (unsigned)desk_message_rows(m);
			done(b, m, DELIVERY_SENT, false);
		}
		b->now = T0 + S(10 * (int64_t)i);
	}
	while ((m = next(b, S(120))) != NULL) {
		told += (unsigned)desk_message_rows(m);
		done(b, m, DELIVERY_SENT, false);
	}
	assert_int_equal(told, 30);
	assert_true(messages >= 9 && messages <= 12);   /* in five minutes */
	end(b);
}

static void
a_dead_channel_delays_no_other(void **state)
{
	struct bench *b = begin();
	struct outbox_row a = row(ALERT_OPEN, 1, T0, T0, "ops"),
	    c = row(ALERT_OPEN, 1, T0, T0, "sms");
	struct desk_message *m, *stuck;

	(void)state;
	add(b, &a);
	add(b, &c);
	stuck = next(b, S(30));   /* never answered */
	assert_string_equal(desk_message_channel(stuck), "ops");
	m = next(b, S(1));
	assert_string_equal(desk_message_channel(m), "sms");
	done(b, m, DELIVERY_SENT, false);
	assert_null(next(b, S(3600)));
	done(b, stuck, DELIVERY_SENT, false);
	end(b);
}

static void
after_a_crash_what_may_have_left_is_resolved(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), over;
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	/* It was WAITING when we died: sent and not noted, perhaps. */
	b->muted = true;
	assert_true(desk_add(b->d, &open, true, b->now + S(60)));
	b->now += S(60);
	keep(b);
	assert_null(next(b, S(30)));
	over = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &over);
	m = next(b, S(60));
	assert_non_null(m);
	assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
	    ALERT_RESOLVE);
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

static void
what_is_too_old_is_not_sent_as_new(void **state)
{
	struct bench *b = begin();
	struct outbox_row cert = row(ALERT_CERT, 1, 0, T0, "ops"),
	    open = row(ALERT_OPEN, 2, T0, T0, "ops");
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	cert.expires_us = open.expires_us = T0 + S(3600);
	add(b, &cert);
	add(b, &open);
	m = next(b, S(30));
	assert_int_equal(desk_message_rows(m), 2);
	while (b->now < T0 + S(3700)) {
		done(b, m, DELIVERY_AGAIN, false);
		m = next(b, S(600));
	}
	/* What goes on goes out late; what is stale does not. */
	assert_int_equal(desk_message_rows(m), 1);
	assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
	    ALERT_OPEN);
	assert_true(late);
	done(b, m, DELIVERY_SENT, false);
	assert_state(b, cert, OUTBOX_EXPIRED);
	end(b);
}

static void
a_monitor_that_goes_ends_what_it_opened(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), r;
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	add(b, &open);
	done(b, next(b, S(30)), DELIVERY_SENT, false);
	desk_gone(b->d, 1, b->now);
	keep(b);
	m = next(b, S(30));
	r = member(m, 0, &late, &collapsed);
	assert_int_equal(r.event.kind, ALERT_RESOLVE);
	assert_non_null(strstr(r.event.reason, "removed"));
	done(b, m, DELIVERY_SENT, false);
	assert_true(mark(b, &open)->over);
	end(b);
}

static void
a_reminder_durable_after_the_end_is_not_sent(void **state)
{
	struct bench *b = begin();
	struct outbox_row late = row(ALERT_REMIND, 1, T0, T0, "ops");

	(void)state;
	add(b, &late);   /* of its incident nothing is left */
	assert_null(next(b, S(7200)));
	assert_state(b, late, OUTBOX_SUPPRESSED);
	assert_true(mark(b, &late)->over);
	end(b);
}

static void
a_test_is_tried_once_and_at_once(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), test;

	(void)state;
	add(b, &open);
	for (int i = 0; i < 9; i++)
		done(b, next(b, S(600)), DELIVERY_AGAIN, false);
	test = row(ALERT_TEST, 0, 0, b->now, "ops");
	add(b, &test);
	done(b, next(b, 0), DELIVERY_AGAIN, false);
	assert_state(b, test, OUTBOX_REFUSED);
	/* One that works ends the backoff of what waits. */
	b->now++;
	test = row(ALERT_TEST, 0, 0, b->now, "ops");
	add(b, &test);
	done(b, next(b, 0), DELIVERY_SENT, false);
	done(b, next(b, 0), DELIVERY_SENT, false);
	assert_state(b, open, OUTBOX_SENT);
	end(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_storm_is_one_message_a_channel),
		cmocka_unit_test(
		    steps_and_delayed_ends_of_a_storm_are_one_message),
		cmocka_unit_test(a_trickle_waits_a_minute_at_most),
		cmocka_unit_test(
		    down_and_up_that_wait_together_are_one_late_message),
		cmocka_unit_test(what_may_have_arrived_goes_again_as_it_was),
		cmocka_unit_test(over_within_the_window_nobody_hears),
		cmocka_unit_test(
		    what_outlives_its_window_is_announced_at_its_end),
		cmocka_unit_test(acknowledged_it_is_not_told_on),
		cmocka_unit_test(
		    reminders_come_while_it_goes_on_and_end_with_it),
		cmocka_unit_test(a_step_that_was_not_due_is_silent),
		cmocka_unit_test(a_recovery_that_failed_again_is_not_told),
		cmocka_unit_test(
		    a_refused_message_takes_the_fallback_and_is_told),
		cmocka_unit_test(retries_back_off_and_honour_what_is_asked),
		cmocka_unit_test(a_cap_makes_messages_fewer_and_larger),
		cmocka_unit_test(a_dead_channel_delays_no_other),
		cmocka_unit_test(after_a_crash_what_may_have_left_is_resolved),
		cmocka_unit_test(what_is_too_old_is_not_sent_as_new),
		cmocka_unit_test(a_monitor_that_goes_ends_what_it_opened),
		cmocka_unit_test(a_reminder_durable_after_the_end_is_not_sent),
		cmocka_unit_test(a_test_is_tried_once_and_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The desk over long times: a provider that is away for hours, clocks that
 * are set, channels that go. */
#include "desk_rig.h"

static struct outbox_row
fails(struct bench *b, uint32_t id)
{
	struct outbox_row r = row(ALERT_OPEN, id, b->now, b->now, "ops");

	r.remind_us = S(1800);
	add(b, &r);
	return r;
}

static void
recovers(struct bench *b, const struct outbox_row *open)
{
	struct outbox_row r = row(ALERT_RESOLVE, open->event.monitor,
	    open->event.incident_us, b->now, "ops");

	add(b, &r);
}

/* Time goes on to then; what leaves meanwhile finds nobody. */
static unsigned
away(struct bench *b, int64_t until, bool maybe)
{
	struct desk_message *m;
	unsigned tries = 0;

	while (b->now < until && (m = next(b, until - b->now)) != NULL) {
		assert_string_equal(desk_message_channel(m), "ops");
		tries++;
		b->now += S(10);
		done(b, m, DELIVERY_AGAIN, maybe);
	}
	b->now = MAX(b->now, until);
	return tries;
}

/* What arrives within so long, in its order. */
static void
arrives(struct bench *b, int64_t within, struct buf *out)
{
	int64_t until = b->now + within;
	struct desk_message *m;
	bool late, collapsed;

	buf_clear(out);
	while ((m = next(b, until - b->now)) != NULL) {
		for (size_t i = 0; i < desk_message_rows(m); i++) {
			struct outbox_row r = member(m, i, &late, &collapsed);

			buf_addf(out, "%s %u%s%s%s", alert_kind_name(r.event.kind),
			    r.event.monitor, late ? " late" : "",
			    collapsed ? " both" : "",
			    i + 1 < desk_message_rows(m) ? ", " : "; ");
		}
		done(b, m, DELIVERY_SENT, false);
	}
	assert_true(buf_ok(out));
}

/* 1 was told before and ends meanwhile; 2 to 4 begin and end; 5 goes on; 6
 * ends and begins anew. */
static void
a_provider_that_is_away_for_six_hours(void **state)
{
	struct bench *b = begin();
	int64_t back = T0 + S(60) + S(6 * 3600);
	struct outbox_row s[8];
	BUF_AUTO(got, 4096);
	unsigned tries;

	(void)state;
	s[1] = fails(b, 1);
	arrives(b, S(60), &got);
	assert_string_equal(got.p, "open 1; ");
	for (uint32_t id = 2; id <= 6; id++) {
		s[id] = fails(b, id);
		away(b, b->now + S(600), false);
	}
	recovers(b, &s[1]);
	away(b, b->now + S(600), false);
	for (uint32_t id = 2; id <= 6; id++)
		if (id != 5)
			recovers(b, &s[id]);
	tries = away(b, back - S(3600), false);
	assert_true(tries < 100);   /* no hammering */
	s[6] = fails(b, 6);
	away(b, back, false);
	/* It is asked again within five minutes, and one message says all:
	 * each incident once, as it is now, in the order of what happened. */
	arrives(b, S(300), &got);
	assert_string_equal(got.p, "open 5 late, resolve 1 late, "
	    "resolve 2 late both, resolve 3 late both, resolve 4 late both, "
	    "resolve 6 late both, open 6 late; ");
	recovers(b, &s[5]);
	recovers(b, &s[6]);
	arrives(b, S(60), &got);
	assert_string_equal(got.p, "resolve 5, resolve 6; ");
	arrives(b, S(86400), &got);
	assert_int_equal(got.n, 0);
	end(b);
}

/* Silence is not a no: what may have arrived goes again as it was, and once. */
static void
a_provider_that_is_silent_for_six_hours(void **state)
{
	struct bench *b = begin();
	BUF_AUTO(got, 4096);
	struct outbox_row one, two;

	(void)state;
	one = fails(b, 1);
	away(b, T0 + S(600), true);
	two = fails(b, 2);
	away(b, T0 + S(1200), true);
	recovers(b, &one);
	recovers(b, &two);
	away(b, T0 + S(6 * 3600), true);
	arrives(b, S(300), &got);
	assert_string_equal(got.p, "open 1; resolve 1 late, "
	    "resolve 2 late both; ");
	arrives(b, S(86400), &got);
	assert_int_equal(got.n, 0);
	end(b);
}

/* The clock is set while three things wait: a window of grouping, a retry,
 * and an escalation. */
static void
a_clock_that_is_set_delays_nothing(void **state)
{
	static const int64_t steps[] = {S(-86400), S(-3600), S(3600),
	    S(86400)};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct bench *b = begin();
		struct outbox_row a = row(ALERT_OPEN, 1, T0, T0, "ops"),
		    step = row(ALERT_OPEN, 1, T0, T0, "sms");
		struct desk_message *m;
		int64_t since;

		step.step = 1;
		step.next_us = T0 + S(900);
		outbox_key(&step);
		add(b, &a);
		add(b, &step);
		b->now += steps[i];
		desk_step(b->d, steps[i]);
		since = b->now;
		m = next(b, S(11));
		assert_non_null(m);
		done(b, m, DELIVERY_AGAIN, false);
		b->now += steps[i];
		desk_step(b->d, steps[i]);
		since += steps[i];
		m = next(b, S(11));
		assert_non_null(m);
		done(b, m, DELIVERY_SENT, false);
		m = next(b, S(900) - (b->now - since) - S(1));
		assert_null(m);
		m = next(b, S(12));
		assert_non_null(m);
		assert_string_equal(desk_message_channel(m), "sms");
		done(b, m, DELIVERY_SENT, false);
		end(b);
	}
}

/* Rows of before, and the clock is a day back: a delay is still a delay. */
static void
a_start_with_a_clock_set_back_tells_at_once(void **state)
{
	struct bench *b = begin();
	int64_t then = T0 + S(86400);
	struct outbox_row open = row(ALERT_OPEN, 1, then, then, "ops"),
	    step = row(ALERT_OPEN, 1, then, then, "sms");
	BUF_AUTO(got, 400);

	(void)state;
	step.step = 1;
	step.next_us = then + S(900);
	outbox_key(&step);
	assert_true(desk_add(b->d, &open, true, b->now));
	assert_true(desk_add(b->d, &step, true, b->now));
	keep(b);
	arrives(b, S(60), &got);
	assert_string_equal(got.p, "open 1; ");
	arrives(b, S(851), &got);
	assert_string_equal(got.p, "open 1; ");
	end(b);
}

/* It goes while its message waits to go again: that is no failure of it, and
 * nobody is told instead. */
static void
a_channel_that_goes_takes_its_messages_with_it(void **state)
{
	struct desk_channel_conf left = {.name = "sms", .grouped = true,
	    .self = true};
	BUF_AUTO(got, 400);

	(void)state;
	for (int maybe = 0; maybe < 2; maybe++) {
		struct bench *b = begin();
		struct outbox_row open;

		channels(b, "sms");
		open = fails(b, 1);
		away(b, T0 + S(11), maybe != 0);
		desk_channels(b->d, &left, 1, b->now);
		arrives(b, S(3600), &got);
		assert_int_equal(got.n, 0);
		assert_state(b, open, OUTBOX_SUPPRESSED);
		/* And comes back: what was is over. */
		channels(b, "sms");
		arrives(b, S(3600), &got);
		assert_int_equal(got.n, 0);
		end(b);
	}
}

/* The last answer comes when it is gone already: the fallback tells what was
 * refused, and nobody hears that a channel fails which is no more. */
static void
a_channel_that_goes_in_flight_is_not_reported(void **state)
{
	struct desk_channel_conf left = {.name = "sms", .grouped = true,
	    .self = true};
	struct bench *b = begin();
	struct outbox_row open;
	struct desk_message *m;
	BUF_AUTO(got, 400);

	(void)state;
	open = fails(b, 1);
	channels(b, "sms");
	m = next(b, S(30));
	assert_non_null(m);
	desk_channels(b->d, &left, 1, b->now);
	done(b, m, DELIVERY_REFUSED, false);
	arrives(b, S(60), &got);
	assert_string_equal(got.p, "open 1; ");
	assert_state(b, open, OUTBOX_REFUSED);
	end(b);
}

/* -- who hears late, or hears later --------------------------------------------- */

/* A beginning that a channel gets in its hours only: what goes on from it waits
 * with it. */
static void
nothing_goes_on_before_its_beginning(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops"), on;
	BUF_AUTO(got, 400);

	(void)state;
	open.next_us = T0 + S(3600);
	add(b, &open);
	b->now += S(62);
	on = row(ALERT_CHANGE, 1, T0, b->now, "ops");
	add(b, &on);
	assert_null(next(b, S(3000)));
	assert_state(b, on, OUTBOX_HELD);
	arrives(b, S(700), &got);
	assert_string_equal(got.p, "open 1, change 1 late; ");
	end(b);
}

/* The provider refused the beginning and took what came after it: then it
 * takes the end as well. */
static void
who_heard_only_that_it_settled_hears_the_end(void **state)
{
	struct bench *b = begin();
	struct outbox_row flap = row(ALERT_FLAP, 1, T0, T0, "ops"), r;
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	add(b, &flap);
	done(b, next(b, S(30)), DELIVERY_REFUSED, false);
	r = row(ALERT_SETTLE, 1, T0, b->now, "ops");
	add(b, &r);
	done(b, next(b, S(30)), DELIVERY_SENT, false);
	r = row(ALERT_RESOLVE, 1, T0, b->now, "ops");
	add(b, &r);
	m = next(b, S(30));
	assert_non_null(m);
	assert_int_equal(member(m, 0, &late, &collapsed).event.kind,
	    ALERT_RESOLVE);
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

static void
a_step_that_leaves_long_after_its_time_says_so(void **state)
{
	struct bench *b = begin();
	struct outbox_row step = row(ALERT_OPEN, 1, T0, T0, "ops");
	struct desk_message *m;
	bool late, collapsed;

	(void)state;
	step.step = 1;
	step.next_us = T0 + S(600);
	outbox_key(&step);
	add(b, &step);
	m = next(b, S(700));
	assert_non_null(m);
	(void)member(m, 0, &late, &collapsed);
	assert_false(late);
	for (int i = 0; i < 12; i++) {
		done(b, m, DELIVERY_AGAIN, false);
		m = next(b, S(600));
		assert_non_null(m);
	}
	(void)member(m, 0, &late, &collapsed);
	assert_true(late);
	done(b, m, DELIVERY_SENT, false);
	end(b);
}

/* One that could not be said is void; the next is said. */
static void
reminders_go_on_after_one_that_was_not_taken(void **state)
{
	struct bench *b = begin();
	struct outbox_row open = row(ALERT_OPEN, 1, T0, T0, "ops");
	struct desk_message *m;
	unsigned taken = 0;

	(void)state;
	open.remind_us = S(600);
	add(b, &open);
	done(b, next(b, S(30)), DELIVERY_SENT, false);
	done(b, next(b, S(700)), DELIVERY_REFUSED, false);
	while (b->now < T0 + S(4000)) {   /* away, until one expires */
		m = next(b, S(1300));
		assert_non_null(m);
		done(b, m, DELIVERY_AGAIN, false);
	}
	for (int i = 0; i < 3; i++) {
		m = next(b, S(1300));
		assert_non_null(m);
		done(b, m, DELIVERY_SENT, false);
		taken++;
	}
	assert_int_equal(taken, 3);
	end(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_provider_that_is_away_for_six_hours),
		cmocka_unit_test(a_provider_that_is_silent_for_six_hours),
		cmocka_unit_test(a_clock_that_is_set_delays_nothing),
		cmocka_unit_test(a_start_with_a_clock_set_back_tells_at_once),
		cmocka_unit_test(
		    a_channel_that_goes_takes_its_messages_with_it),
		cmocka_unit_test(
		    a_channel_that_goes_in_flight_is_not_reported),
		cmocka_unit_test(nothing_goes_on_before_its_beginning),
		cmocka_unit_test(
		    who_heard_only_that_it_settled_hears_the_end),
		cmocka_unit_test(
		    a_step_that_leaves_long_after_its_time_says_so),
		cmocka_unit_test(
		    reminders_go_on_after_one_that_was_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

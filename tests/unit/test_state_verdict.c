/* The verdicts, one rule a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/time.h"
#include "state/state.h"

#define FAIL WHY_NET_REFUSED
#define VOID WHY_LOCAL_FDS

static const struct policy plain = {.retries = 2, .recoveries = 1,
	.blind_after = STATE_BLIND_AFTER};

static struct mon_state
fresh(void)
{
	return (struct mon_state){.monitor = 7, .status = STATUS_PENDING,
	    .why = WHY_CREATED, .since_us = 1};
}

/* A sample a second, starting at st->seq + 1 seconds, over after 100 ms. */
static struct verdict
look(struct mon_state *st, const struct policy *p, enum why why)
{
	uint64_t seq = st->seq + 1;
	int64_t at = (int64_t)seq * US_PER_S;
	struct verdict v = state_sample(st, p, why, seq, at, at + 100000);

	state_check(st);
	return v;
}

static void
looks(struct mon_state *st, const struct policy *p, enum why why, int n)
{
	for (int i = 0; i < n; i++)
		(void)look(st, p, why);
}

/* The same where only what it does to the state matters. */
static struct verdict
beat(struct mon_state *st, bool down, uint64_t seq, int64_t at_us,
    int64_t interval_ns)
{
	return state_beat(st, down, seq, at_us, interval_ns);
}

static struct verdict
pause_at(struct mon_state *st, int64_t at_us)
{
	return state_pause(st, at_us);
}

static struct verdict
group_at(struct mon_state *st, const struct group_votes *g, int64_t at_us)
{
	return state_group(st, g, at_us);
}

static void
one_good_answer_ends_pending(void **arg)
{
	struct mon_state st = fresh();
	const struct policy slow = {.retries = 2, .recoveries = 5,
		.blind_after = STATE_BLIND_AFTER};
	struct verdict v = look(&st, &slow, WHY_OK);

	(void)arg;
	assert_true(v.changed);
	assert_int_equal(v.from, STATUS_PENDING);
	assert_int_equal(v.to, STATUS_UP);
	assert_int_equal(st.since_us, 1100000);
	assert_int_equal(st.last_us, 1000000);
}

static void
down_takes_one_plus_retries_in_a_row(void **arg)
{
	struct mon_state st = fresh();
	struct verdict v;

	(void)arg;
	(void)look(&st, &plain, WHY_OK);
	v = look(&st, &plain, FAIL);
	assert_false(v.changed);
	assert_true(v.recheck);
	v = look(&st, &plain, FAIL);
	assert_false(v.changed);
	assert_true(v.recheck);
	v = look(&st, &plain, FAIL);
	assert_true(v.changed);
	assert_false(v.recheck);
	assert_int_equal(v.to, STATUS_DOWN);
	assert_int_equal(v.why, FAIL);
	/* Since the verdict, not since the first failure. */
	assert_int_equal(st.since_us, 4100000);
}

static void
a_good_answer_resets_the_streak(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	(void)look(&st, &plain, WHY_OK);
	for (int i = 0; i < 5; i++) {
		looks(&st, &plain, FAIL, 2);
		(void)look(&st, &plain, WHY_OK);
		assert_int_equal(st.status, STATUS_UP);
		assert_int_equal(st.fails, 0);
	}
}

static void
pending_needs_the_same_failures(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	looks(&st, &plain, FAIL, 2);
	assert_int_equal(st.status, STATUS_PENDING);
	(void)look(&st, &plain, FAIL);
	assert_int_equal(st.status, STATUS_DOWN);
}

static void
recoveries_are_in_a_row(void **arg)
{
	struct mon_state st = fresh();
	const struct policy p = {.recoveries = 3,
		.blind_after = STATE_BLIND_AFTER};

	(void)arg;
	(void)look(&st, &p, FAIL);
	assert_int_equal(st.status, STATUS_DOWN);
	looks(&st, &p, WHY_OK, 2);
	(void)look(&st, &p, FAIL);
	looks(&st, &p, WHY_OK, 2);
	assert_int_equal(st.status, STATUS_DOWN);
	(void)look(&st, &p, WHY_OK);
	assert_int_equal(st.status, STATUS_UP);
}

static void
our_fault_is_never_down(void **arg)
{
	struct mon_state st = fresh();
	const struct policy p = {.recoveries = 1,
		.blind_after = STATE_BLIND_AFTER};

	(void)arg;
	(void)look(&st, &p, WHY_OK);
	for (int w = 0; w < WHY_NMAX; w++) {
		if (!why_known(w) || !why_is_local((enum why)w))
			continue;
		(void)look(&st, &p, (enum why)w);
		assert_int_equal(st.status, STATUS_UP);
		assert_int_equal(st.fails, 0);
		(void)look(&st, &p, WHY_OK);
	}
}

static void
voids_make_unknown_and_keep_the_streak(void **arg)
{
	struct mon_state st = fresh();
	struct verdict v;

	(void)arg;
	(void)look(&st, &plain, WHY_OK);
	looks(&st, &plain, FAIL, 2);
	looks(&st, &plain, VOID, 2);
	assert_int_equal(st.status, STATUS_UP);
	v = look(&st, &plain, VOID);
	assert_true(v.changed);
	assert_int_equal(v.to, STATUS_UNKNOWN);
	assert_int_equal(v.why, WHY_BLIND);
	v = look(&st, &plain, VOID);
	assert_false(v.changed);
	assert_true(v.recheck);
	/* The third failure in a row, voids aside. */
	v = look(&st, &plain, FAIL);
	assert_true(v.changed);
	assert_int_equal(v.to, STATUS_DOWN);
}

static void
unknown_ends_with_the_first_good_answer(void **arg)
{
	struct mon_state st = fresh();
	const struct policy p = {.retries = 2, .recoveries = 4,
		.blind_after = STATE_BLIND_AFTER};

	(void)arg;
	(void)look(&st, &p, WHY_OK);
	looks(&st, &p, VOID, 3);
	assert_int_equal(st.status, STATUS_UNKNOWN);
	assert_true(look(&st, &p, WHY_OK).changed);
	assert_int_equal(st.status, STATUS_UP);
}

static void
down_goes_unknown_when_blind(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	looks(&st, &plain, FAIL, 3);
	looks(&st, &plain, VOID, 3);
	assert_int_equal(st.status, STATUS_UNKNOWN);
	assert_true(look(&st, &plain, FAIL).changed);
	assert_int_equal(st.status, STATUS_DOWN);
}

static void
degraded_is_no_outage(void **arg)
{
	struct mon_state st = fresh();
	struct verdict v;

	(void)arg;
	(void)look(&st, &plain, WHY_OK);
	v = look(&st, &plain, WHY_SLOW);
	assert_int_equal(v.to, STATUS_DEGRADED);
	assert_int_equal(st.fails, 0);
	assert_false(look(&st, &plain, WHY_TLS_EXPIRES_SOON).changed);
	assert_int_equal(st.why, WHY_TLS_EXPIRES_SOON);
	assert_int_equal(look(&st, &plain, WHY_OK).to, STATUS_UP);
	/* And it counts as a recovery. */
	looks(&st, &plain, FAIL, 3);
	assert_int_equal(look(&st, &plain, WHY_SLOW).to, STATUS_DEGRADED);
}

static void
m_of_n_votes(void **arg)
{
	struct mon_state st = fresh();
	const struct policy p = {.retries = 9, .recoveries = 1, .fail_m = 3,
		.fail_n = 5, .blind_after = STATE_BLIND_AFTER};

	(void)arg;
	(void)look(&st, &p, WHY_OK);
	(void)look(&st, &p, FAIL);
	(void)look(&st, &p, WHY_OK);
	(void)look(&st, &p, FAIL);
	(void)look(&st, &p, WHY_OK);
	assert_int_equal(st.status, STATUS_UP);
	assert_int_equal(look(&st, &p, FAIL).to, STATUS_DOWN);
	assert_int_equal(look(&st, &p, WHY_OK).to, STATUS_UP);
	/* The old failures vote no more. */
	looks(&st, &p, FAIL, 2);
	assert_int_equal(st.status, STATUS_UP);
	/* Two of the last five are too few, however often. */
	for (int i = 0; i < 20; i++) {
		looks(&st, &p, WHY_OK, 3);
		looks(&st, &p, FAIL, 2);
		assert_int_equal(st.status, STATUS_UP);
	}
}

static void
pause_and_resume_are_transitions(void **arg)
{
	struct mon_state st = fresh();
	struct verdict v;

	(void)arg;
	looks(&st, &plain, FAIL, 2);
	v = state_pause(&st, 50);
	assert_true(v.changed);
	assert_int_equal(v.to, STATUS_PAUSED);
	assert_false(state_pause(&st, 60).changed);
	assert_int_equal(st.since_us, 50);
	v = state_resume(&st, 70);
	assert_int_equal(v.to, STATUS_PENDING);
	assert_int_equal(v.why, WHY_RESUMED);
	assert_false(state_resume(&st, 80).changed);
	/* The streak of before is gone. */
	looks(&st, &plain, FAIL, 2);
	assert_int_equal(st.status, STATUS_PENDING);
}

static void
push_is_late_and_down_exactly_then(void **arg)
{
	struct mon_state st = fresh();
	int64_t interval = 60 * NS_PER_S, grace = 30 * NS_PER_S;
	int64_t beat = 1000 * US_PER_S;
	struct verdict v;

	(void)arg;
	assert_int_equal(st.deadline_us, 0);
	v = state_beat(&st, false, 1, beat, interval);
	assert_int_equal(v.to, STATUS_UP);
	assert_int_equal(st.deadline_us, beat + 60 * US_PER_S);
	assert_false(state_deadline(&st, st.deadline_us - 1, grace).changed);
	/* A timer that comes late does not move the moment. */
	v = state_deadline(&st, st.deadline_us + 5000, grace);
	assert_int_equal(v.to, STATUS_LATE);
	assert_int_equal(v.why, WHY_PUSH_LATE);
	assert_int_equal(st.since_us, beat + 60 * US_PER_S);
	assert_int_equal(st.deadline_us, beat + 90 * US_PER_S);
	v = state_deadline(&st, st.deadline_us, grace);
	assert_int_equal(v.to, STATUS_DOWN);
	assert_int_equal(v.why, WHY_PUSH_MISSED);
	assert_int_equal(st.since_us, beat + 90 * US_PER_S);
	assert_int_equal(st.deadline_us, 0);
	assert_int_equal(state_beat(&st, false, 2, beat + 200 * US_PER_S,
	    interval).to, STATUS_UP);
	state_check(&st);
}

static void
push_without_grace_is_down_at_once(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	(void)beat(&st, false, 1, 10, NS_PER_S);
	assert_int_equal(state_deadline(&st, st.deadline_us, 0).to,
	    STATUS_DOWN);
}

static void
push_down_by_its_own_word(void **arg)
{
	struct mon_state st = fresh();
	struct verdict v;

	(void)arg;
	(void)beat(&st, false, 1, 10, NS_PER_S);
	v = state_beat(&st, true, 2, 20, NS_PER_S);
	assert_int_equal(v.to, STATUS_DOWN);
	assert_int_equal(v.why, WHY_PUSH_DOWN);
	assert_int_equal(st.deadline_us, 0);
	state_check(&st);
}

static void
paused_push_takes_beats_silently(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	(void)beat(&st, false, 1, 10, NS_PER_S);
	(void)pause_at(&st, 20);
	assert_int_equal(st.deadline_us, 0);
	assert_false(state_beat(&st, true, 2, 30, NS_PER_S).changed);
	assert_int_equal(st.seq, 2);
	assert_int_equal(st.beat_us, 30);
	assert_int_equal(st.deadline_us, 0);
	state_check(&st);
}

static void
a_gap_starts_the_deadline_anew(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	state_gap(&st, 100, NS_PER_S);
	assert_int_equal(st.deadline_us, 0);   /* no beat ever: no clock */
	(void)beat(&st, false, 1, 10, NS_PER_S);
	state_gap(&st, 5 * US_PER_S, NS_PER_S);
	assert_int_equal(st.deadline_us, 6 * US_PER_S);
	assert_int_equal(st.status, STATUS_UP);
	assert_int_equal(st.voids, 1);
	(void)beat(&st, true, 2, 20, NS_PER_S);
	state_gap(&st, 9 * US_PER_S, NS_PER_S);
	assert_int_equal(st.deadline_us, 0);   /* down stays down */
}

static void
group_is_its_worst_member(void **arg)
{
	static const enum status order[] = {STATUS_UP, STATUS_PENDING,
		STATUS_DEGRADED, STATUS_LATE, STATUS_UNKNOWN, STATUS_DOWN};
	struct group_votes g = {0};
	struct mon_state st = fresh();

	(void)arg;
	assert_int_equal(state_votes_worst(&g), STATUS_PENDING);
	assert_false(state_group(&st, &g, 1).changed);
	assert_int_equal(st.why, WHY_EMPTY_GROUP);
	state_votes_move(&g, -1, STATUS_PAUSED);
	assert_int_equal(state_votes_worst(&g), STATUS_PENDING);
	for (size_t i = 0; i < COUNT(order); i++) {
		state_votes_move(&g, -1, (int)order[i]);
		assert_int_equal(state_votes_worst(&g), order[i]);
	}
	assert_int_equal(state_group(&st, &g, 5).to, STATUS_DOWN);
	state_votes_move(&g, STATUS_DOWN, STATUS_UP);
	assert_int_equal(state_group(&st, &g, 9000).to, STATUS_UNKNOWN);
	(void)pause_at(&st, 20000);
	assert_false(state_group(&st, &g, 30000).changed);
}

static void
changes_are_never_at_the_same_time(void **arg)
{
	struct mon_state st = fresh();
	struct group_votes g = {0};

	(void)arg;
	state_votes_move(&g, -1, STATUS_DOWN);
	(void)group_at(&st, &g, 500);
	assert_int_equal(st.since_us, 500);
	state_votes_move(&g, STATUS_DOWN, STATUS_UP);
	(void)group_at(&st, &g, 500);
	assert_int_equal(st.since_us, 501);
	state_votes_move(&g, STATUS_UP, STATUS_DOWN);
	(void)group_at(&st, &g, 500);
	assert_int_equal(st.since_us, 502);
}

static void
explanations_are_json_with_rule_and_votes(void **arg)
{
	struct mon_state st = fresh();
	struct votes votes = {0};
	struct transition t = {0};
	struct verdict v = {0};

	(void)arg;
	for (uint64_t i = 1; i <= 12; i++)
		state_vote(&votes, i, WHY_OK);
	assert_int_equal(votes.n, STATE_VOTES);
	assert_int_equal(votes.seq[0], 5);
	assert_int_equal(votes.seq[STATE_VOTES - 1], 12);
	votes.n = 0;
	for (int i = 0; i < 3; i++) {
		v = look(&st, &plain, FAIL);
		state_vote(&votes, st.seq, FAIL);
	}
	state_explain(&st, &plain, &v, &votes, NULL, &t);
	assert_string_equal(t.explain, "{\"rule\":\"3 failures in a row "
	    "(1 + retries 2)\",\"votes\":[{\"seq\":1,\"why\":\"net_refused\"},"
	    "{\"seq\":2,\"why\":\"net_refused\"},"
	    "{\"seq\":3,\"why\":\"net_refused\"}]}");
	assert_int_equal(t.monitor, 7);
	assert_int_equal(t.seq, 3);
	assert_int_equal(t.from, STATUS_PENDING);
	assert_int_equal(t.to, STATUS_DOWN);
}

static void
the_longest_explanation_fits(void **arg)
{
	struct mon_state st = fresh();
	struct votes votes = {0};
	struct transition t = {0};
	struct group_votes g;
	struct verdict v = {.changed = true, .to = STATUS_DOWN,
		.why = FAIL};

	(void)arg;
	for (int i = 0; i < STATUS_NMAX; i++)
		g.n[i] = UINT32_MAX;
	for (int i = 0; i < STATE_VOTES; i++)
		state_vote(&votes, UINT64_MAX, WHY_NET_HOST_UNREACHABLE);
	state_explain(&st, &plain, &v, &votes, &g, &t);
	assert_true(strlen(t.explain) < EXPLAIN_MAX);
	assert_int_equal(t.explain[strlen(t.explain) - 1], '}');
}

static void
damaged_states_are_told(void **arg)
{
	struct mon_state st = fresh();

	(void)arg;
	assert_true(state_ok(&st));
	st.status = STATUS_NMAX;
	assert_false(state_ok(&st));
	st = fresh();
	st.why = 15;
	assert_false(state_ok(&st));
	st = fresh();
	st.fails = st.oks = 1;
	assert_false(state_ok(&st));
	st = fresh();
	st.window = 4;
	st.window_n = 2;
	assert_false(state_ok(&st));
	st = fresh();
	st.deadline_us = 5;
	assert_false(state_ok(&st));
	st = fresh();
	memset(st.reason, 'x', sizeof(st.reason));
	assert_false(state_ok(&st));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_good_answer_ends_pending),
		cmocka_unit_test(down_takes_one_plus_retries_in_a_row),
		cmocka_unit_test(a_good_answer_resets_the_streak),
		cmocka_unit_test(pending_needs_the_same_failures),
		cmocka_unit_test(recoveries_are_in_a_row),
		cmocka_unit_test(our_fault_is_never_down),
		cmocka_unit_test(voids_make_unknown_and_keep_the_streak),
		cmocka_unit_test(unknown_ends_with_the_first_good_answer),
		cmocka_unit_test(down_goes_unknown_when_blind),
		cmocka_unit_test(degraded_is_no_outage),
		cmocka_unit_test(m_of_n_votes),
		cmocka_unit_test(pause_and_resume_are_transitions),
		cmocka_unit_test(push_is_late_and_down_exactly_then),
		cmocka_unit_test(push_without_grace_is_down_at_once),
		cmocka_unit_test(push_down_by_its_own_word),
		cmocka_unit_test(paused_push_takes_beats_silently),
		cmocka_unit_test(a_gap_starts_the_deadline_anew),
		cmocka_unit_test(group_is_its_worst_member),
		cmocka_unit_test(changes_are_never_at_the_same_time),
		cmocka_unit_test(explanations_are_json_with_rule_and_votes),
		cmocka_unit_test(the_longest_explanation_fits),
		cmocka_unit_test(damaged_states_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

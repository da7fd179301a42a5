/* Do we see at all: when it is asked, what an answer is worth, and how sight
 * comes back. Interleavings in time are the simulator's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/vantage.h"

#define S INT64_C(1000000000)

static unsigned woken;

static void
wake(void *arg)
{
	(void)arg;
	woken++;
}

static int
setup(void **arg)
{
	struct vantage *v = vantage_new(wake, NULL);

	vantage_arm(v, true);
	vantage_passed(v, 99, 0, 1 * S);   /* something out there */
	woken = 0;
	*arg = v;
	return 0;
}

static int
teardown(void **arg)
{
	vantage_check(*arg);
	vantage_free(*arg);
	return 0;
}

static void
one_that_would_be_down_asks(void **arg)
{
	struct vantage *v = *arg;

	assert_int_equal(vantage_failed(v, 1, 99 * S, 100 * S, false),
	    SIGHT_CLEAR);
	assert_int_equal(woken, 0);
	assert_int_equal(vantage_failed(v, 1, 99 * S, 100 * S, true),
	    SIGHT_PENDING);
	assert_int_equal(woken, 1);
	vantage_round(v, ROUND_SEEN, 101 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
	assert_int_equal(woken, 2);
	/* That is proof enough for a second. */
	assert_int_equal(vantage_failed(v, 2, 99 * S, 101 * S + S / 2, true),
	    SIGHT_CLEAR);
	assert_int_equal(vantage_failed(v, 2, 99 * S, 102 * S, true),
	    SIGHT_PENDING);
}

static void
three_hosts_ask(void **arg)
{
	struct vantage *v = *arg;

	for (int i = 0; i < 5; i++)
		assert_int_equal(vantage_failed(v, 1, 99 * S, 100 * S, false),
		    SIGHT_CLEAR);   /* one, however often */
	assert_int_equal(vantage_failed(v, 2, 99 * S, 100 * S, false),
	    SIGHT_CLEAR);
	assert_int_equal(vantage_failed(v, 3, 99 * S, 100 * S, false),
	    SIGHT_PENDING);
}

static void
not_while_more_answer(void **arg)
{
	struct vantage *v = *arg;

	(void)vantage_failed(v, 1, 99 * S, 100 * S, false);
	for (uint64_t i = 10; i < 15; i++)
		vantage_passed(v, i, 99 * S, 100 * S);
	for (uint64_t i = 2; i < 5; i++)
		assert_int_equal(vantage_failed(v, i, 99 * S, 100 * S, false),
		    SIGHT_CLEAR);
	assert_int_equal(vantage_failed(v, 5, 99 * S, 100 * S, false),
	    SIGHT_PENDING);
}

static void
old_failures_are_no_cluster(void **arg)
{
	struct vantage *v = *arg;

	for (uint64_t i = 1; i < 9; i++)
		assert_int_equal(vantage_failed(v, i, 0, (int64_t)i * 20 * S,
		    false), SIGHT_CLEAR);
}

static void
without_a_voice_all_counts(void **arg)
{
	struct vantage *v = *arg;

	vantage_arm(v, false);
	for (uint64_t i = 1; i < 9; i++)
		assert_int_equal(vantage_failed(v, i, 99 * S, 100 * S, true),
		    SIGHT_CLEAR);
	assert_int_equal(woken, 0);
}

static void
lost(struct vantage *v)
{
	(void)vantage_failed(v, 1, 90 * S, 100 * S, false);
	(void)vantage_failed(v, 2, 91 * S, 101 * S, true);
	vantage_round(v, ROUND_BLIND, 103 * S);
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
}

static void
a_beacon_brings_it_back(void **arg)
{
	struct vantage *v = *arg;
	int64_t from, until;

	lost(v);
	assert_false(vantage_returned(v, &from, &until));
	assert_int_equal(vantage_failed(v, 3, 104 * S, 110 * S, false),
	    SIGHT_LOST);
	vantage_round(v, ROUND_BLIND, 111 * S);
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
	vantage_round(v, ROUND_SEEN, 120 * S);
	assert_true(vantage_returned(v, &from, &until));
	assert_int_equal(from, 100 * S);
	assert_int_equal(until, 120 * S);
	assert_false(vantage_returned(v, &from, &until));
	assert_false(vantage_contradicted(v));
	/* What began in the dark is void whenever it ends. */
	assert_int_equal(vantage_failed(v, 4, 119 * S, 125 * S, true),
	    SIGHT_LOST);
	assert_int_equal(vantage_failed(v, 4, 121 * S, 125 * S, true),
	    SIGHT_PENDING);
}

static void
hosts_contradict_the_beacons(void **arg)
{
	struct vantage *v = *arg;
	int64_t from, until;

	lost(v);
	/* It began before sight was lost. */
	vantage_passed(v, 1, 102 * S, 104 * S);
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
	(void)vantage_failed(v, 1, 104 * S, 105 * S, false);
	vantage_passed(v, 1, 106 * S, 107 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
	assert_true(vantage_returned(v, &from, &until));
	assert_int_equal(until, 107 * S);
	assert_true(vantage_contradicted(v));
	assert_false(vantage_contradicted(v));
	/* Nobody believes them now. */
	assert_int_equal(vantage_failed(v, 2, 108 * S, 110 * S, true),
	    SIGHT_CLEAR);
}

static void
as_many_that_answer(void **arg)
{
	struct vantage *v = *arg;

	lost(v);
	vantage_passed(v, 10, 104 * S, 105 * S);   /* never failed */
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
	vantage_passed(v, 11, 104 * S, 105 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
}

static void
what_says_nothing_decides_nothing(void **arg)
{
	struct vantage *v = *arg;

	(void)vantage_failed(v, 1, 99 * S, 100 * S, true);
	vantage_round(v, ROUND_NOTHING, 101 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
	/* Silent beacons while nothing fails are no loss of sight. */
	vantage_round(v, ROUND_BLIND, 110 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
}

/* Started in the dark: nobody is down, and the message has its beginning. */
static void
a_restart_in_the_dark(void **arg)
{
	struct vantage *v = *arg;
	int64_t from, until;

	vantage_resume(v, -500 * S, 2 * S);
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
	assert_int_equal(vantage_failed(v, 1, 3 * S, 4 * S, true), SIGHT_LOST);
	vantage_round(v, ROUND_BLIND, 5 * S);
	assert_int_equal(vantage_sight(v), SIGHT_LOST);
	assert_false(vantage_lost(v, &from));   /* it was said then */
	vantage_round(v, ROUND_SEEN, 9 * S);
	assert_int_equal(vantage_sight(v), SIGHT_CLEAR);
	assert_true(vantage_returned(v, &from, &until));
	assert_int_equal(from, -500 * S);
	assert_int_equal(until, 9 * S);
	assert_false(vantage_returned(v, &from, &until));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_would_be_down_asks),
		TEST(three_hosts_ask),
		TEST(not_while_more_answer),
		TEST(old_failures_are_no_cluster),
		TEST(without_a_voice_all_counts),
		TEST(a_beacon_brings_it_back),
		TEST(hosts_contradict_the_beacons),
		TEST(as_many_that_answer),
		TEST(what_says_nothing_decides_nothing),
		TEST(a_restart_in_the_dark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

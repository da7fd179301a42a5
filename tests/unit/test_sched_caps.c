/* Slots: the caps hold, and shards take turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/caps.h"

static unsigned woken[CAPS_SHARDS_MAX];

static void
wake(void *arg, unsigned shard)
{
	(void)arg;
	woken[shard]++;
}

static int
setup(void **arg)
{
	for (unsigned i = 0; i < CAPS_SHARDS_MAX; i++)
		woken[i] = 0;
	*arg = caps_new(4, 2, wake, NULL);
	return 0;
}

static int
teardown(void **arg)
{
	caps_free(*arg);
	return 0;
}

static void
both_caps_hold(void **arg)
{
	struct caps *c = *arg;

	assert_int_equal(caps_take(c, 1, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 1, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 1, 0), CAPS_HOST_FULL);
	assert_int_equal(caps_take(c, 2, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 0, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 3, 0), CAPS_FULL);
	assert_int_equal(caps_in_use(c), 4);
	caps_give(c, 1, 0);
	assert_int_equal(caps_take(c, 3, 0), CAPS_OK);
	caps_give(c, 3, 0);
	caps_give(c, 1, 0);
	caps_give(c, 2, 0);
	caps_give(c, 0, 0);
	caps_decline(c, 0);
	assert_int_equal(caps_in_use(c), 0);
}

static void
shards_take_turns(void **arg)
{
	struct caps *c = *arg;
	unsigned got[2] = {0};

	for (int i = 0; i < 4; i++)
		assert_int_equal(caps_take(c, 0, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 0, 1), CAPS_FULL);
	/* Shard 0 gives and wants one again, every time: it must not always
	 * be the one that gets it. */
	for (int i = 0; i < 100; i++) {
		unsigned giver = got[1] > 0 && i % 2 == 1 ? 1 : 0;

		caps_give(c, 0, giver);
		for (unsigned s = 0; s < 2; s++)
			if (caps_take(c, 0, s) == CAPS_OK)
				got[s]++;
	}
	assert_int_equal(got[0] + got[1], 100);
	assert_true(got[1] >= 30);
	assert_true(got[0] >= 30);
	assert_true(woken[1] > 0);
	for (int i = 0; i < 4; i++)
		caps_give(c, 0, 0);
	caps_decline(c, 0);
	caps_decline(c, 1);
}

static void
hosts_are_shared_in_turn(void **arg)
{
	struct caps *c = *arg;

	assert_int_equal(caps_take(c, 9, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 9, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 9, 1), CAPS_HOST_FULL);
	caps_give(c, 9, 0);
	assert_int_equal(woken[1], 1);
	/* Kept for the shard that waited; another host is no matter. */
	assert_int_equal(caps_take(c, 9, 0), CAPS_HOST_FULL);
	assert_int_equal(caps_take(c, 8, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 9, 1), CAPS_OK);
	caps_give(c, 8, 0);
	caps_give(c, 9, 0);
	caps_give(c, 9, 1);
	caps_decline(c, 0);
	caps_decline(c, 1);
	assert_int_equal(caps_in_use(c), 0);
}

static void
declined_offers_go_on(void **arg)
{
	struct caps *c = *arg;

	for (int i = 0; i < 4; i++)
		assert_int_equal(caps_take(c, 0, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 0, 1), CAPS_FULL);
	assert_int_equal(caps_take(c, 0, 2), CAPS_FULL);
	caps_give(c, 0, 0);
	assert_int_equal(woken[1], 1);
	assert_int_equal(woken[2], 0);
	caps_decline(c, 1);
	assert_int_equal(woken[2], 1);
	assert_int_equal(caps_take(c, 0, 2), CAPS_OK);
	for (int i = 0; i < 4; i++)
		caps_give(c, 0, 0);
	caps_decline(c, 0);
	assert_int_equal(caps_take(c, 0, 1), CAPS_OK);
	caps_give(c, 0, 1);
}

static void
more_room_wakes_who_waits(void **arg)
{
	struct caps *c = *arg;

	for (int i = 0; i < 4; i++)
		assert_int_equal(caps_take(c, 0, 0), CAPS_OK);
	assert_int_equal(caps_take(c, 5, 3), CAPS_FULL);
	caps_set(c, 8, 8);
	assert_int_equal(woken[3], 1);
	assert_int_equal(caps_take(c, 5, 3), CAPS_OK);
	/* Fewer than are in use: nothing new until enough are back. */
	caps_set(c, 1, 1);
	caps_give(c, 0, 0);
	assert_int_equal(caps_take(c, 0, 0), CAPS_FULL);
	for (int i = 0; i < 3; i++)
		caps_give(c, 0, 0);
	caps_give(c, 5, 3);
	caps_decline(c, 0);
}

static void
one_speaks_for_all_withholders(void **arg)
{
	struct caps *c = *arg;

	assert_true(caps_withhold(c, true));
	assert_false(caps_withhold(c, true));
	assert_false(caps_withhold(c, false));
	assert_true(caps_withhold(c, false));
}

/* Three wait on one shard for each that waits on the other. */
static void
who_waits_with_many_gets_many(void **arg)
{
	struct caps *c = *arg;
	unsigned got[2] = {0, 0}, holder = 0;

	caps_set(c, 1, 1);
	caps_waiting(c, 0, 30);
	caps_waiting(c, 1, 10);
	assert_int_equal(caps_take(c, 0, 0), CAPS_OK);
	for (int i = 0; i < 400; i++) {
		for (unsigned s = 0; s < 2; s++)
			assert_int_equal(caps_take(c, 0, s), CAPS_FULL);
		caps_give(c, 0, holder);
		holder = caps_take(c, 0, 0) == CAPS_OK ? 0 : 1;
		if (holder == 1)
			assert_int_equal(caps_take(c, 0, 1), CAPS_OK);
		got[holder]++;
	}
	assert_in_range(got[0], 298, 302);
	assert_in_range(got[1], 98, 102);
	caps_give(c, 0, holder);
	caps_decline(c, 0);
	caps_decline(c, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_caps_hold),
		TEST(shards_take_turns),
		TEST(hosts_are_shared_in_turn),
		TEST(declined_offers_go_on),
		TEST(more_room_wakes_who_waits),
		TEST(one_speaks_for_all_withholders),
		TEST(who_waits_with_many_gets_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

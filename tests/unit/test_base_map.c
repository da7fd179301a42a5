#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/mem.h"

struct item {
	struct map_node node;
	uint64_t key;
};

#define N 5000

static struct item *
find(const struct map *m, uint64_t key, uint64_t hash)
{
	for (struct map_node *n = map_first(m, hash); n != NULL;
	    n = map_next(n)) {
		struct item *it = CONTAINER(n, struct item, node);

		if (it->key == key)
			return it;
	}
	return NULL;
}

static void
finds_what_was_put(void **state)
{
	static struct item v[N];
	struct map m = {0};
	size_t seen = 0;

	(void)state;
	assert_null(map_first(&m, 1));
	for (size_t i = 0; i < N; i++) {
		v[i].key = i;
		map_put(&m, &v[i].node, map_hash_u64(i));
	}
	assert_int_equal(m.n, N);
	assert_true(m.cap >= N);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(find(&m, i, map_hash_u64(i)), &v[i]);
	assert_null(find(&m, N, map_hash_u64(N)));
	for (size_t i = 0; i < N; i += 3)
		map_del(&m, &v[i].node);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(find(&m, i, map_hash_u64(i)),
		    i % 3 == 0 ? NULL : &v[i]);
	MAP_EACH (n, &m)
		seen++;
	assert_int_equal(seen, m.n);
	map_free(&m);
	assert_int_equal(m.cap, 0);
}

/* All in one slot and all with one hash: slow, but right. */
static void
survives_collisions(void **state)
{
	static struct item v[500];
	struct map m = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		v[i].key = i;
		map_put(&m, &v[i].node, 77);
	}
	for (size_t i = 0; i < COUNT(v); i++)
		assert_ptr_equal(find(&m, i, 77), &v[i]);
	/* Another hash in the same slot is not among them. */
	assert_null(map_first(&m, 77 + m.cap));
	for (size_t i = COUNT(v); i-- > 0;) {
		map_del(&m, &v[i].node);
		assert_null(find(&m, i, 77));
		assert_int_equal(m.n, i);
	}
	map_free(&m);
}

static void
each_may_free(void **state)
{
	struct map m = {0};

	(void)state;
	MAP_EACH (n, &m)
		fail();
	for (size_t i = 0; i < 100; i++) {
		struct item *it = xcalloc(1, sizeof(*it));

		map_put(&m, &it->node, map_hash_u64(i % 10));
	}
	MAP_EACH (n, &m) {
		map_del(&m, n);
		xfree(CONTAINER(n, struct item, node));
	}
	assert_int_equal(m.n, 0);
	map_free(&m);
}

/* SipHash-1-3 of the reference implementation: key 00 01 … 0f, the message
 * of n bytes is 00 01 … n-1. */
static void
hashes_as_the_reference_does(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} known[] = {
		{0, UINT64_C(0xabac0158050fc4dc)},
		{1, UINT64_C(0xc9f49bf37d57ca93)},
		{2, UINT64_C(0x82cb9b024dc7d44d)},
		{8, UINT64_C(0x369095118d299a8e)},
	};
	char msg[64];

	(void)state;
	for (size_t i = 0; i < sizeof(msg); i++)
		msg[i] = (char)i;
	map_seed(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
	for (size_t i = 0; i < COUNT(known); i++)
		assert_true(map_hash_str((struct str){msg, known[i].n}) ==
		    known[i].hash);
	/* Every length takes part. */
	for (size_t i = 0; i + 1 < sizeof(msg); i++)
		assert_true(map_hash_str((struct str){msg, i}) !=
		    map_hash_str((struct str){msg, i + 1}));
	map_seed(1, 2);
	assert_true(map_hash_str((struct str){msg, 0}) != known[0].hash);
	/* The mixer is part of what is stored in the world: phases. */
	assert_true(map_hash_u64(1) == map_hash_u64(1));
	assert_true(map_hash_u64(1) == UINT64_C(0x5692161d100b05e5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(survives_collisions),
		cmocka_unit_test(each_may_free),
		cmocka_unit_test(hashes_as_the_reference_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

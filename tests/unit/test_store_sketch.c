/* The latency sketch against the exact quantiles of the same values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "store/sketch.h"

#include <cmocka.h>

#define SETS 60

static uint64_t seed = 1;

static double
chance(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

/* Shapes that latencies have: a narrow hill, a long tail, two hills, steps. */
static int64_t
latency(int shape)
{
	double u = chance();

	switch (shape % 5) {
	case 0:
		return (int64_t)(200 + 50 * (u + chance() + chance()));
	case 1:
		return (int64_t)(300 / pow(1 - u, 1.5));
	case 2:
		return u < .7 ? (int64_t)(1000 * (1 + chance())) :
		    (int64_t)(90000 * (1 + chance()));
	case 3:
		return (int64_t)(u * 4);   /* 0 … 3 µs */
	default:
		return (int64_t)exp(u * 24);
	}
}

static int
rising(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
compare(const struct sketch *s, int64_t *v, size_t n)
{
	static const double q[] = {0, .01, .25, .5, .9, .99, .999, 1};

	assert_int_equal(s->n, n);
	qsort(v, n, sizeof(*v), rising);
	for (size_t i = 0; i < COUNT(q); i++) {
		double want = (double)v[(size_t)floor(q[i] * (double)(n - 1))];
		double have = sketch_quantile(s, q[i]);

		if (fabs(have - want) > want * SKETCH_ERROR + 1e-9)
			fail_msg("seed %llu: q %g of %zu: %g, not %g",
			    (unsigned long long)seed, q[i], n, have, want);
	}
}

static void
same(const struct sketch *a, const struct sketch *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->count, b->count, sizeof(a->count));
}

static void
test_quantiles(void **state)
{
	struct sketch *s = xcalloc(1, sizeof(*s));

	(void)state;
	for (int set = 0; set < SETS; set++) {
		size_t n = 1 + (size_t)(chance() * 3000);
		int64_t *v = xcalloc(n, sizeof(*v));

		sketch_clear(s);
		for (size_t i = 0; i < n; i++)
			sketch_add(s, v[i] = latency(set));
		compare(s, v, n);
		xfree(v);
	}
	xfree(s);
}

/* Merged in any order and grouping it is the sketch of all values. */
static void
test_merge(void **state)
{
	struct sketch *one = xcalloc(4, sizeof(*one)), *all = one + 1;
	struct sketch *left = one + 2, *right = one + 3;

	(void)state;
	for (int set = 0; set < SETS; set++) {
		size_t n = 10 + (size_t)(chance() * 2000), cut = n / 3;
		int64_t *v = xcalloc(n, sizeof(*v));

		memset(one, 0, 4 * sizeof(*one));
		for (size_t i = 0; i < n; i++) {
			v[i] = latency(set + (i < cut));
			sketch_add(all, v[i]);
			sketch_add(i < cut ? left : right, v[i]);
		}
		sketch_merge(one, right);
		sketch_merge(one, left);
		same(one, all);
		compare(one, v, n);
		xfree(v);
	}
	xfree(one);
}

static void
test_compact_form(void **state)
{
	static unsigned char bytes[SKETCH_BYTES];
	struct sketch *s = xcalloc(2, sizeof(*s)), *back = s + 1;

	(void)state;
	for (int set = 0; set < SETS; set++) {
		struct wire_out out = {.p = bytes, .cap = sizeof(bytes)};
		struct wire_in in;
		size_t n = (size_t)(chance() * 500);

		sketch_clear(s);
		for (size_t i = 0; i < n; i++)
			sketch_add(s, latency(set));
		sketch_put(s, &out);
		assert_false(out.full);
		in = (struct wire_in){.p = bytes, .n = out.n};
		assert_true(sketch_get(&in, back));
		assert_int_equal(in.n, 0);
		same(s, back);
		for (size_t cut = 0; cut < out.n; cut++) {
			in = (struct wire_in){.p = bytes, .n = cut};
			assert_false(sketch_get(&in, back));
		}
	}
	xfree(s);
}

static void
test_edges(void **state)
{
	static unsigned char bytes[SKETCH_BYTES];
	struct sketch *s = xcalloc(2, sizeof(*s)), *back = s + 1;
	struct wire_out out = {.p = bytes, .cap = sizeof(bytes)};
	struct wire_in in;

	(void)state;
	assert_true(isnan(sketch_quantile(s, .5)));
	sketch_add(s, 0);
	sketch_add(s, -1);   /* none: no time at all */
	assert_true(sketch_quantile(s, 1) == 0);
	sketch_add(s, INT64_MAX);
	assert_true(sketch_quantile(s, 1) > 1e11);
	/* every bucket, and counts that need all their bytes */
	for (unsigned i = 0; i < SKETCH_BUCKETS; i++)
		s->count[i] = UINT32_MAX;
	s->lo = 0;
	s->hi = SKETCH_BUCKETS;
	s->n = UINT64_C(0xffffffff) * SKETCH_BUCKETS;
	sketch_put(s, &out);
	assert_false(out.full);
	in = (struct wire_in){.p = bytes, .n = out.n};
	assert_true(sketch_get(&in, back));
	same(s, back);
	xfree(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_compact_form),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

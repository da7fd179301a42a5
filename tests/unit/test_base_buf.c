#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void
compares(void **state)
{
	(void)state;
	assert_true(str_eq(str_of(NULL), STR("")));
	assert_true(str_eq((struct str){NULL, 0}, (struct str){NULL, 0}));
	assert_true(str_is(STR("abc"), "abc"));
	assert_false(str_is(STR("abc"), "abcd"));
	assert_false(str_is(STR("abcd"), "abc"));
	assert_false(str_is(STR("abc"), "abd"));
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_true(str_eq_secret(STR("s3cret"), STR("s3cret")));
	assert_false(str_eq_secret(STR("s3cret"), STR("s3creT")));
	assert_false(str_eq_secret(STR("s3cret"), STR("s3cre")));
	assert_true(str_eq_secret(STR(""), STR("")));
}

static void
cuts(void **state)
{
	struct str head, rest;

	(void)state;
	rest = str_cut(STR("a=b=c"), '=', &head);
	assert_true(str_is(head, "a"));
	assert_true(str_is(rest, "b=c"));
	rest = str_cut(STR("abc"), '=', &head);
	assert_true(str_is(head, "abc"));
	assert_int_equal(rest.n, 0);
	rest = str_cut(STR("="), '=', &head);
	assert_int_equal(head.n, 0);
	assert_int_equal(rest.n, 0);
	rest = str_cut((struct str){NULL, 0}, '=', &head);
	assert_int_equal(head.n + rest.n, 0);
	/* head may be the variable that is cut. */
	head = STR("x,y");
	rest = str_cut(head, ',', &head);
	assert_true(str_is(head, "x"));
	assert_true(str_is(rest, "y"));

	assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
	assert_int_equal(str_trim(STR(" \t ")).n, 0);
	assert_true(str_is(str_trim(STR("\na")), "\na"));
}

static void
reads_numbers(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(str_u64(STR("0"), UINT64_MAX, &v));
	assert_int_equal(v, 0);
	assert_true(str_u64(STR("0042"), 42, &v));
	assert_int_equal(v, 42);
	assert_true(str_u64(STR("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	v = 7;
	assert_false(str_u64(STR("18446744073709551616"), UINT64_MAX, &v));
	assert_false(str_u64(STR("43"), 42, &v));
	assert_false(str_u64(STR("9"), 5, &v));
	assert_false(str_u64(STR(""), 42, &v));
	assert_false(str_u64(STR("-1"), 42, &v));
	assert_false(str_u64(STR("+1"), 42, &v));
	assert_false(str_u64(STR(" 1"), 42, &v));
	assert_false(str_u64(STR("1x"), 42, &v));
	assert_false(str_u64(STR("\xb1"), 42, &v));
	assert_int_equal(v, 7);
}

static void
appends(void **state)
{
	BUF_AUTO(b, 1000);
	char *taken;

	(void)state;
	assert_true(str_is(buf_str(&b), ""));
	assert_non_null(buf_str(&b).p);
	buf_adds(&b, "one ");
	buf_addc(&b, '2');
	buf_add(&b, STR(" three"));
	buf_addf(&b, " %d/%s", 4, "five");
	assert_true(buf_ok(&b));
	assert_string_equal(b.p, "one 2 three 4/five");
	assert_int_equal(b.n, strlen(b.p));
	buf_clear(&b);
	assert_int_equal(b.n, 0);
	buf_addi(&b, INT64_MIN);
	buf_addc(&b, ' ');
	buf_addi(&b, 0);
	buf_addc(&b, ' ');
	buf_addi(&b, INT64_MAX);
	assert_string_equal(b.p,
	    "-9223372036854775808 0 9223372036854775807");
	taken = buf_take(&b);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.max, 1000);
	xfree(taken);
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	xfree(taken);
}

static void
never_beyond_its_maximum(void **state)
{
	(void)state;
	for (size_t max = 0; max < 300; max++) {
		BUF_AUTO(b, max);

		for (size_t i = 0; i < max; i++)
			buf_addc(&b, 'x');
		assert_true(buf_ok(&b));
		assert_int_equal(b.n, max);
		assert_true(b.cap <= max + 1);
		buf_addc(&b, 'y');
		assert_false(buf_ok(&b));
		assert_int_equal(b.n, max);
		/* Once broken, what would fit is refused too: no holes. */
		b.n = max / 2;
		buf_adds(&b, "z");
		assert_int_equal(b.n, max / 2);
		buf_clear(&b);
		assert_true(buf_ok(&b));
	}
	{
		BUF_AUTO(b, 10);

		buf_adds(&b, "12345");
		buf_addf(&b, "%s", "678901");
		assert_false(buf_ok(&b));
		assert_string_equal(b.p, "12345");
		buf_add(&b, (struct str){"x", SIZE_MAX});
		assert_string_equal(b.p, "12345");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(cuts),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(appends),
		cmocka_unit_test(never_beyond_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

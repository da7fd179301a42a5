/* Flags: where they may stand, what they may hold; and near misses of names,
 * cells of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* cmocka has a macro of the same name as our fail(). */
#include <cmocka.h>
#undef fail

#include "base/attr.h"
#include "base/buf.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/cli_near.h"
#include "cli/cli_term.h"

static const struct cli_command command = {
	.name = "test", .args = "", .brief = "b", .help = "",
	.flags = FLAGS_CLIENT | FLAG_LIMIT | FLAG_AT | FLAG_YES | FLAG_JSON |
	    FLAG_EXPIRES | FLAG_SCOPE,
	.args_min = 0, .args_max = 2,
};

#define PARSE(a, ...) \
	({ char *v_[] = {(char *)(uintptr_t)"test", ##__VA_ARGS__, NULL}; \
	   cli_args_parse(&command, (int)COUNT(v_) - 1, v_, (a)); })
#define W(s) ((char *)(uintptr_t)(s))

static void
test_values(void **state)
{
	struct cli_args a;

	(void)state;
	assert_true(PARSE(&a));
	assert_int_equal(a.timeout_ns, 5 * NS_PER_S);
	assert_int_equal(a.given, 0);
	assert_true(PARSE(&a, W("x"), W("--data"), W("d"), W("y"), W("-y"),
	    W("--timeout=1m"), W("-c"), W("f")));
	assert_int_equal(a.nargs, 2);
	assert_string_equal(a.arg[1], "y");
	assert_string_equal(a.data, "d");
	assert_string_equal(a.config, "f");
	assert_true(a.yes);
	assert_false(a.json);
	assert_int_equal(a.timeout_ns, 60 * NS_PER_S);
	assert_true(PARSE(&a, W("--"), W("--json")));
	assert_string_equal(a.arg[0], "--json");
	assert_false(a.json);
}

static void
test_refusals(void **state)
{
	struct cli_args a;

	(void)state;
	assert_false(PARSE(&a, W("--prune")));   /* not of this command */
	assert_false(PARSE(&a, W("--data")));
	assert_false(PARSE(&a, W("--json=1")));
	assert_false(PARSE(&a, W("1"), W("2"), W("3")));
	assert_false(PARSE(&a, W("--timeout"), W("0")));
	assert_false(PARSE(&a, W("--timeout"), W("2h")));
	assert_false(PARSE(&a, W("--limit"), W("-1")));
	assert_false(PARSE(&a, W("--limit"), W("99999999999999999999")));
	assert_false(PARSE(&a, W("--scope"), W("root")));
	assert_false(PARSE(&a, W("--expires"), W("never")));
	assert_false(PARSE(&a, W("--at"), W("soon")));
	assert_false(a.helped);
}

static void
test_times(void **state)
{
	struct cli_args a;
	int64_t now, ago;

	(void)state;
	assert_true(PARSE(&a, W("--at"), W("2026-01-02")));
	assert_string_equal(a.at, "2026-01-02T00:00:00Z");
	assert_true(PARSE(&a, W("--at"), W("2026-01-02T03:04:05+01:00")));
	assert_string_equal(a.at, "2026-01-02T02:04:05Z");
	assert_true(PARSE(&a, W("--at"), W("0s")));
	assert_true(time_parse_utc(str_of(a.at), &now));
	assert_true(PARSE(&a, W("--at"), W("2h")));
	assert_true(time_parse_utc(str_of(a.at), &ago));
	assert_in_range(now - ago, 7199 * US_PER_S, 7200 * US_PER_S);
}

static void
rotated(const char *first, int n, char **words)
{
	char *out[16];

	assert_int_equal(cli_args_rotate(n, words, out), n);
	assert_string_equal(out[0], first);
	assert_null(out[n]);
}

static void
test_flags_before_the_command(void **state)
{
	char *a[] = {W("--data"), W("d"), W("status"), W("x")};
	char *b[] = {W("-c"), W("f"), W("--json"), W("status")};
	char *c[] = {W("--data=d"), W("-cf"), W("status")};
	char *d[] = {W("status"), W("--data"), W("d")};
	char *e[] = {W("--data")};

	(void)state;
	rotated("status", 4, a);
	rotated("status", 4, b);
	rotated("status", 3, c);
	rotated("status", 3, d);
	rotated("--data", 1, e);
}

static void
test_near(void **state)
{
	(void)state;
	assert_int_equal(cli_near_distance("", ""), 0);
	assert_int_equal(cli_near_distance("abc", ""), 3);
	assert_int_equal(cli_near_distance("kitten", "sitting"), 3);
	assert_int_equal(cli_near_distance("status", "statsu"), 1);
	assert_int_equal(cli_near_distance("ABC", "abc"), 0);
	assert_true(cli_near_close("databse", "Database"));
	assert_true(cli_near_close("data", "my database"));
	assert_false(cli_near_close("zzzz", "status"));
	assert_false(cli_near_close("x", "status"));
}

static void
cell(const char *text, unsigned width, const char *expect)
{
	BUF_AUTO(b, 65536);

	cli_term_cell(&b, text, width);
	assert_string_equal(b.p != NULL ? b.p : "", expect);
}

static void
test_cells(void **state)
{
	(void)state;
	cell("abc", 5, "abc  ");
	cell("abcdef", 4, "abc…");
	cell("abcd", 4, "abcd");
	cell("日本語", 6, "日本語");
	cell("日本語", 5, "日本…");
	cell("日本語", 4, "日… ");
	cell("", 2, "  ");
	BUF_AUTO(b, 1024);
	cli_term_cell(&b, "a\033[31m\n\tb\xff", 0);
	assert_null(strpbrk(b.p, "\033\n\t\xff"));
}

static void
test_sparklines(void **state)
{
	const int64_t v[] = {10, -1, 80, 45};
	const int64_t flat[] = {7, 7};
	const int64_t none[] = {-1};
	BUF_AUTO(b, 1024);

	(void)state;
	cli_term_spark(&b, v, 4);
	assert_string_equal(b.p, "▁·█▄");
	buf_clear(&b);
	cli_term_spark(&b, flat, 2);
	assert_string_equal(b.p, "▁▁");
	buf_clear(&b);
	cli_term_spark(&b, none, 1);
	assert_string_equal(b.p, "·");
}

static void
ratio(double r, const char *expect)
{
	json_t *v = json_real(r);
	BUF_AUTO(b, 64);

	cli_term_ratio(&b, v);
	assert_string_equal(b.p, expect);
	json_decref(v);
}

static void
test_ratios_are_never_rounded_up(void **state)
{
	(void)state;
	ratio(1.0, "100 %");
	ratio(0.999999, "99.99 %");
	ratio(0.0, "0.00 %");
	ratio(0.5, "50.00 %");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_flags_before_the_command),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_sparklines),
		cmocka_unit_test(test_ratios_are_never_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

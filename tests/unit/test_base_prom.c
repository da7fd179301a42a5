#include "base/prom.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
families(void **state)
{
	BUF_AUTO(b, 4096);

	(void)state;
	prom_counter(&b, "v_rows_total", "Rows.", UINT64_MAX);
	prom_gauge(&b, "v_rss_bytes", "Memory.", 1795255200.0);
	prom_gauge(&b, "v_load", "Load.", 0.25);
	assert_true(buf_ok(&b));
	assert_string_equal(b.p, "# HELP v_rows_total Rows.\n"
	    "# TYPE v_rows_total counter\n"
	    "v_rows_total 18446744073709551615\n"
	    "# HELP v_rss_bytes Memory.\n# TYPE v_rss_bytes gauge\n"
	    "v_rss_bytes 1795255200\n"
	    "# HELP v_load Load.\n# TYPE v_load gauge\nv_load 0.25\n");
}

static void
odd_numbers(void **state)
{
	BUF_AUTO(b, 4096);

	(void)state;
	prom_f64(&b, "x", NULL, 0, (double)NAN);
	prom_f64(&b, "x", NULL, 0, (double)INFINITY);
	prom_f64(&b, "x", NULL, 0, -(double)INFINITY);
	prom_f64(&b, "x", NULL, 0, -3.0);
	prom_f64(&b, "x", NULL, 0, 1e300);
	assert_string_equal(b.p,
	    "x NaN\nx +Inf\nx -Inf\nx -3\nx 1e+300\n");
}

static void
hostile_labels(void **state)
{
	const struct prom_label l[] = {
		PROM_LABEL("name", STR("a\"} 1\nup 0\\")),
		PROM_LABEL("b", STR("\x1b[2J\xe2\x80\xae\xff")),
	};
	BUF_AUTO(b, 4096);

	(void)state;
	prom_u64(&b, "up", l, 2, 1);
	assert_string_equal(b.p, "up{name=\"a\\\"} 1\\nup 0\\\\\",b=\""
	    "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\"} 1\n");
}

static void
histograms(void **state)
{
	static struct hist h;
	BUF_AUTO(b, 4096);
	const char *at;
	size_t buckets = 0;

	(void)state;
	hist_add(&h, 50000);
	hist_add(&h, 50000);
	hist_add(&h, INT64_C(400000000));
	hist_add(&h, INT64_C(20000000000));
	prom_hist(&b, "v_seconds", "How long.", &h);
	for (at = b.p; (at = strstr(at, "_bucket{")) != NULL; at++)
		buckets++;
	assert_int_equal(buckets, HIST_BUCKETS);
	assert_non_null(strstr(b.p, "# TYPE v_seconds histogram\n"));
	assert_non_null(strstr(b.p, "v_seconds_bucket{le=\"0.0001\"} 2\n"));
	assert_non_null(strstr(b.p, "v_seconds_bucket{le=\"0.25\"} 2\n"));
	assert_non_null(strstr(b.p, "v_seconds_bucket{le=\"1\"} 3\n"));
	assert_non_null(strstr(b.p, "v_seconds_bucket{le=\"10\"} 3\n"));
	assert_non_null(strstr(b.p, "v_seconds_bucket{le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(b.p, "v_seconds_sum 20.4001\n"));
	assert_non_null(strstr(b.p, "v_seconds_count 4\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families),
		cmocka_unit_test(odd_numbers),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(histograms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

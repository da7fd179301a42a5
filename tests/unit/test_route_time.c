/* Hours of the week, cron and maintenance windows against what Python's
 * zoneinfo says of the same moments (tzdata 2025b), and against their own
 * definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cron.h"
#include "conf_rig.h"
#include "route/flap.h"
#include "route/window.h"

#define SEC US_PER_S
#define DAY (86400 * SEC)

static struct hours_conf
hours(const char *zone, const char *days, const char *from, const char *to)
{
	struct hours_conf h = {0};
	struct opt_set set = {schedule_conf_opts, NULL};
	struct schedule_conf s = {0};
	struct errinfo ei = {0};
	struct tree *t = NULL;
	BUF_AUTO(b, 400);

	set.base = &s;
	buf_addf(&b, "{name: x, zone: '%s', days: [%s], from: '%s', to: '%s'}",
	    zone, days, from, to);
	if (tree_from_yaml(buf_str(&b), "t", &t, &ei) != ERR_OK ||
	    opt_read(tree_root(t), &set, 1, NULL, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	h = s.hours;
	xfree(s.name);
	tree_free(t);
	return h;
}

static void
hours_free(struct hours_conf *h)
{
	struct schedule_conf s = {.hours = *h};

	opt_free(schedule_conf_opts, &s);
}

static const struct {
	const char *zone, *days, *from, *to;
	int64_t at;
	int64_t spans[4][2];
} weekly[] = {
	{"Europe/Berlin", "sat,sun", "22:00", "04:00", 1774566000,
	    {{1774731600, 1774749600}, {1774814400, 1774836000},
	    {1775332800, 1775354400}}},
	{"Europe/Berlin", "sat,sun", "01:00", "02:30", 1774566000,
	    {{1774656000, 1774661400}, {1774742400, 1774747800},
	    {1775257200, 1775262600}}},
	{"Europe/Berlin", "sun", "02:10", "02:50", 1774652400,
	    {{1774746600, 1774749000}, {1775347800, 1775350200}}},
	{"Europe/Berlin", "sun", "02:30", "03:10", 1774566000,
	    {{1775349000, 1775351400}, {1775953800, 1775956200}}},
	{"Europe/Berlin", "sun", "02:30", "02:45", 1792792800,
	    {{1792888200, 1792892700}, {1793496600, 1793497500}}},
	{"Europe/Berlin", "sun", "00:00", "24:00", 1792792800,
	    {{1792879200, 1792969200}, {1793487600, 1793574000}}},
	{"America/New_York", "mon,tue,wed,thu,fri,sat,sun", "00:00",
	    "00:00", 1772859600,
	    {{1772859600, 1772946000}, {1772946000, 1773028800},
	    {1773028800, 1773115200}}},
	{"Asia/Kolkata", "fri", "23:15", "01:45", 1777573800,
	    {{1777657500, 1777666500}, {1778262300, 1778271300}}},
	{"Pacific/Apia", "thu,fri,sat", "20:00", "06:00", 1325066400,
	    {{1325224800, 1325260800}, {1325311200, 1325347200},
	    {1325743200, 1325779200}}},
};

static void
test_hours(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(weekly); i++) {
		struct hours_conf h = hours(weekly[i].zone, weekly[i].days,
		    weekly[i].from, weekly[i].to);
		int64_t at = weekly[i].at * SEC;
		struct schedule s;
		struct span v;

		assert_int_equal(schedule_make(&h, &s, NULL), ERR_OK);
		for (size_t k = 0; weekly[i].spans[k][0] != 0; k++) {
			v = schedule_span(&s, at);
			assert_int_equal(v.from_us / SEC,
			    weekly[i].spans[k][0]);
			assert_int_equal(v.to_us / SEC,
			    weekly[i].spans[k][1]);
			assert_false(schedule_open(&s, v.from_us - 1) &&
			    v.from_us > at);
			assert_true(schedule_open(&s, v.from_us));
			assert_true(schedule_open(&s, v.to_us - 1));
			assert_true(schedule_opens(&s, v.from_us) ==
			    v.from_us);
			if (k > 0 && v.from_us > at)
				assert_true(schedule_opens(&s, at) ==
				    v.from_us);
			at = v.to_us;
		}
		schedule_clear(&s);
		hours_free(&h);
	}
}

static const struct {
	const char *cron, *zone;
	int64_t after;
	int64_t next[16];
} crons[] = {
	{"30 2 * * *", "Europe/Berlin", 1774566000,
	    {1774575000, 1774661400, 1774747800, 1774830600, 1774917000}},
	{"30 2 * * *", "Europe/Berlin", 1792706400,
	    {1792715400, 1792801800, 1792888200, 1792978200, 1793064600}},
	{"0,30 1-3 * * *", "America/New_York", 1772859600,
	    {1772863200, 1772865000, 1772866800, 1772868600, 1772870400,
	    1772872200, 1772949600, 1772951400, 1772953200, 1772955000,
	    1773032400, 1773034200, 1773036000, 1773037800}},
	{"0,30 1-3 * * *", "America/New_York", 1793419200,
	    {1793422800, 1793424600, 1793426400, 1793428200, 1793430000,
	    1793431800, 1793509200, 1793511000, 1793516400, 1793518200,
	    1793520000, 1793521800, 1793599200, 1793601000}},
	{"15 * * * *", "Europe/Berlin", 1774732440,
	    {1774732500, 1774736100, 1774739700, 1774743300, 1774746900,
	    1774750500, 1774754100, 1774757700}},
	{"15 * * * *", "Europe/Berlin", 1792872840,
	    {1792872900, 1792876500, 1792880100, 1792883700, 1792887300,
	    1792890900, 1792894500, 1792898100}},
	{"0 2 * * sun", "Australia/Lord_Howe", 1774357200,
	    {1774710000, 1775316600, 1775921400, 1776526200, 1777131000}},
	{"*/20 * * * *", "Australia/Lord_Howe", 1775306340,
	    {1775306400, 1775307600, 1775308800, 1775310000, 1775311200,
	    1775312400, 1775313600, 1775315400, 1775316600, 1775317800}},
	{"15 2 * * *", "Australia/Lord_Howe", 1790861400,
	    {1790869500, 1790955900, 1791042300, 1791126900, 1791213300}},
	{"0 0 * * *", "America/Sao_Paulo", 1541127600,
	    {1541214000, 1541300400, 1541383200, 1541469600, 1541556000}},
	{"30 0 13 * fri", "Asia/Kolkata", 1767205800,
	    {1767294000, 1767898800, 1768244400, 1768503600, 1769108400}},
	{"0 12 29 2 *", "UTC", 1735689600,
	    {1835438400}},
	{"0 0 31 * *", "Africa/Casablanca", 1767222000,
	    {1769814000, 1774911600, 1780182000, 1785452400, 1788130800}},
	{"5 4 1-7 */3 mon-wed", "America/St_Johns", 1767238200,
	    {1767252900, 1767339300, 1767425700, 1767512100, 1767598500}},
	{"0 9-17/4 * jan,jul 1-5", "Europe/London", 1782601200,
	    {1782892800, 1782907200, 1782921600, 1782979200, 1782993600}},
	{"59 23 31 dec *", "Pacific/Apia", 1322733600,
	    {1325325540, 1356947940, 1388483940}},
	{"0 0 30 12 *", "Pacific/Apia", 1322733600,
	    {1325239200, 1356775200, 1388311200}},
};

static void
test_cron(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(crons); i++) {
		int64_t at = crons[i].after * SEC;
		struct zone *z = NULL;
		struct cron c;

		assert_int_equal(zone_load(crons[i].zone, &z, NULL), ERR_OK);
		assert_int_equal(cron_parse(str_of(crons[i].cron), &c, NULL),
		    ERR_OK);
		for (size_t k = 0; crons[i].next[k] != 0; k++) {
			at = cron_next(&c, z, at);
			if (at / SEC != crons[i].next[k])
				fail_msg("%s in %s: %lld, not %lld",
				    crons[i].cron, crons[i].zone,
				    (long long)(at / SEC),
				    (long long)crons[i].next[k]);
		}
		zone_free(z);
	}
}

static void
test_cron_words(void **state)
{
	static const char *const bad[] = {"", "* * * *", "* * * * * *",
		"60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
		"* * * * 8", "a * * * *", "1- * * * *", "-1 * * * *",
		"5-1 * * * *", "*/0 * * * *", "5/2 * * * *", ", * * * *",
		"1, * * * *", "1,,2 * * * *", "* * * mo *", "* * * * fr-tue",
		"001 * * * *", "*/ * * * *", "1-2-3 * * * *"};
	struct errinfo ei = {0};
	struct cron c, d;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (cron_parse(str_of(bad[i]), &c, &ei) == ERR_OK)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(cron_parse(STR("0 0 * * 7"), &c, NULL), ERR_OK);
	assert_int_equal(cron_parse(STR(" 0\t0 * * Sun "), &d, NULL), ERR_OK);
	assert_int_equal(c.weekdays, d.weekdays);
	assert_int_equal(c.weekdays, 0x40);
	assert_int_equal(cron_parse(STR("0 0 30 feb *"), &c, NULL), ERR_OK);
	assert_true(cron_next(&c, NULL, 0) == CRON_NEVER);
}

/* -- windows ----------------------------------------------------------------- */

static struct window *
window(const char *rest)
{
	struct document *d;
	struct window *w = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(b, 400);

	buf_addf(&b, "maintenance:\n  - {name: w, %s}\n", rest);
	d = rig_document(b.p);
	if (window_make(d->settings.alerts.windows.v, &w, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	document_free(d);
	return w;
}

#define AT(text) at_of(text)
static int64_t
at_of(const char *text)
{
	int64_t us;

	assert_true(time_parse_utc(str_of(text), &us));
	return us;
}

static void
test_once(void **state)
{
	struct window *w = window("zone: Europe/Berlin, "
	    "start: '2026-07-01 22:00', end: '2026-07-02T06:00:00+02:00'");
	struct window *open = window("start: 2026-07-01");

	(void)state;
	assert_false(window_active(w, AT("2026-07-01T19:59:59Z"), 0));
	assert_true(window_active(w, AT("2026-07-01T20:00:00Z"), 0));
	assert_true(window_active(w, AT("2026-07-02T03:59:59Z"), 0));
	assert_false(window_active(w, AT("2026-07-02T04:00:00Z"), 0));
	assert_true(window_next(w, AT("2026-01-01T00:00:00Z")) ==
	    AT("2026-07-01T20:00:00Z"));
	assert_true(window_next(w, AT("2026-07-01T20:00:00Z")) == SPAN_NEVER);
	assert_true(window_span(w, AT("2026-07-02T04:00:00Z")).from_us ==
	    SPAN_NEVER);
	assert_false(window_active(open, AT("2026-06-30T23:59:59Z"), 0));
	assert_true(window_active(open, AT("2056-06-30T23:59:59Z"), 0));
	assert_true(window_span(open, AT("2026-08-01")).to_us == SPAN_NEVER);
	assert_true(window_next(open, AT("2026-08-01")) == SPAN_NEVER);
	window_free(w);
	window_free(open);
}

static void
test_cron_window(void **state)
{
	struct window *w = window("zone: Europe/Berlin, cron: '0 3 * * sun', "
	    "duration: 2h, start: 2026-03-01, end: '2026-03-29 04:00'");
	struct window *joined = window("cron: '*/30 9-10 * * *', "
	    "duration: 40m");
	struct span v[4];

	(void)state;
	assert_false(window_active(w, AT("2026-02-22T02:30:00Z"), 0));
	assert_true(window_active(w, AT("2026-03-01T02:00:00Z"), 0));
	assert_false(window_active(w, AT("2026-03-01T04:00:00Z"), 0));
	/* 3:00 is 1:00 UTC by then, and it is over at 4:00. */
	assert_int_equal(window_spans(w, (struct span){AT("2026-03-22T03:00"
	    ":00Z"), AT("2026-05-01")}, v, 4), 2);
	assert_true(v[0].from_us == AT("2026-03-22T03:00:00Z"));
	assert_true(v[0].to_us == AT("2026-03-22T04:00:00Z"));
	assert_true(v[1].from_us == AT("2026-03-29T01:00:00Z"));
	assert_true(v[1].to_us == AT("2026-03-29T02:00:00Z"));
	assert_int_equal(window_spans(joined, (struct span){AT("2026-03-22"),
	    AT("2026-03-24")}, v, 1), 2);
	assert_true(v[0].from_us == AT("2026-03-22T09:00:00Z"));
	assert_true(v[0].to_us == AT("2026-03-22T11:10:00Z"));
	assert_true(window_next(joined, AT("2026-03-22T09:10:00Z")) ==
	    AT("2026-03-23T09:00:00Z"));
	window_free(w);
	window_free(joined);
}

static void
test_flexible(void **state)
{
	struct window *w = window("start: '2026-07-01 22:00', "
	    "end: '2026-07-02 06:00', duration: 2h, flexible: true");
	int64_t failed = AT("2026-07-02T05:59:00Z");

	(void)state;
	assert_false(window_active(w, AT("2026-07-02T01:00:00Z"), 0));
	assert_true(window_active(w, failed, failed));
	assert_true(window_active(w, failed + 7199 * SEC, failed));
	assert_false(window_active(w, failed + 7200 * SEC, failed));
	/* It fails too early, or too late. */
	failed = AT("2026-07-01T21:59:59Z");
	assert_false(window_active(w, AT("2026-07-01T22:30:00Z"), failed));
	failed = AT("2026-07-02T06:00:00Z");
	assert_false(window_active(w, failed, failed));
	window_free(w);
}

static void
test_window_weekly(void **state)
{
	struct window *w = window("days: [sat, sun], from: '22:00', "
	    "to: '04:00', zone: America/New_York");

	(void)state;
	/* Friday's night is not in it, Sunday's is. */
	assert_false(window_active(w, AT("2026-07-04T03:00:00Z"), 0));
	assert_true(window_active(w, AT("2026-07-05T03:00:00Z"), 0));
	assert_true(window_active(w, AT("2026-07-06T07:59:00Z"), 0));
	assert_false(window_active(w, AT("2026-07-06T08:00:00Z"), 0));
	window_free(w);
}

static void
test_covers(void **state)
{
	struct document *d = rig_document("maintenance:\n"
	    "  - {name: a, start: 2026-01-01}\n"
	    "  - {name: b, start: 2026-01-01, monitors: ['P/x*'],\n"
	    "     tags: [blue]}\n"
	    "  - {name: c, start: 2026-01-01, groups: [P]}\n"
	    "monitors:\n"
	    "  - {name: P, type: group, monitors: [\n"
	    "      {name: x1, type: web, url: 'http://x'},\n"
	    "      {name: y, type: web, url: 'http://x', tags: [blue]},\n"
	    "      {name: z, type: web, url: 'http://x', tags: [red]}]}\n"
	    "  - {name: q, type: web, url: 'http://x'}\n");
	static const char want[3][5] = {
		{1, 1, 1, 1, 1}, {0, 1, 1, 0, 0}, {1, 1, 1, 1, 0}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct window_conf *all = d->settings.alerts.windows.v;
		struct window *w = NULL;

		assert_int_equal(window_make(&all[i], &w, NULL), ERR_OK);
		for (size_t m = 0; m < d->nmonitors; m++)
			assert_int_equal(window_covers(w, d->monitors[m]),
			    want[i][m]);
		window_free(w);
	}
	document_free(d);
}

/* What runs say of a moment, and what the moment says, are the same. */
static void
test_spans_agree(void **state)
{
	static const char *const all[] = {
		"cron: '17 */5 * * *', duration: 4h, zone: Europe/Berlin",
		"cron: '0 2 * * *', duration: 25h, start: 2026-10-20,"
		" end: 2026-11-02, zone: Europe/Berlin",
		"days: [daily], from: '23:30', to: '01:15',"
		" zone: Australia/Lord_Howe",
		"start: '2026-10-24 12:34', end: '2026-10-26 01:00'",
	};
	struct span within = {AT("2026-10-24"), AT("2026-10-28")}, v[64];

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct window *w = window(all[i]);
		size_t n = window_spans(w, within, v, COUNT(v)), k = 0;

		assert_in_range(n, 1, COUNT(v));
		for (int64_t t = within.from_us; t < within.to_us;
		    t += 61 * SEC) {
			while (k < n && v[k].to_us <= t)
				k++;
			assert_int_equal(window_active(w, t, 0), k < n &&
			    v[k].from_us <= t);
		}
		window_free(w);
	}
}

static void
test_flap_share(void **state)
{
	(void)state;
	assert_int_equal(flap_share(0), 0);
	assert_int_equal(flap_share(1), 57);              /* 1.15 / 20 */
	assert_int_equal(flap_share(1u << 19), 40);       /* 0.80 / 20 */
	assert_in_range(flap_share(0xfffff), 970, 980);
	/* Six changes: on while they are new, no more when they are old. */
	assert_true(flap_share(0x3f) >= 300);
	assert_true(flap_share(0x3fu << 14) < 300);
	assert_true(flap_share(0x1fu << 15) < 250);
	for (uint32_t x = 1; x < 1u << 19; x = x * 5 + 3)
		assert_true(flap_share(x << 1 & 0xfffff) <= flap_share(x));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_cron),
		cmocka_unit_test(test_cron_words),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_cron_window),
		cmocka_unit_test(test_flexible),
		cmocka_unit_test(test_window_weekly),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_spans_agree),
		cmocka_unit_test(test_flap_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

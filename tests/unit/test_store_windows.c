/* Maintenance windows as they are kept, and what is recorded of their runs:
 * clocks that change, flexible ones, open ends, what somebody cuts, what is
 * over and forgotten, and many at once. */
#include "tests/unit/store_rig.h"

#include "store/windows.h"

#define S    INT64_C(1000000)
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)

static int64_t
at(const char *text)
{
	int64_t us = 0;

	assert_true(time_parse_utc(str_of(text), &us));
	return us;
}

static struct window_stored
stored(const char *json, int64_t made_us)
{
	json_t *v = json_loads(json, 0, NULL);
	struct window_conf c = {0};
	struct window_stored s = {.origin = ORIGIN_HAND, .made_us = made_us};
	struct errinfo ei = {0};

	if (window_conf_read(v, &c, &ei) != ERR_OK)
		fail_msg("%s: %s: %s", json, ei.field, ei.text);
	s.text = window_conf_text(&c);
	snprintf(s.name, sizeof(s.name), "%s", c.name);
	opt_free(window_conf_opts, &c);
	json_decref(v);
	s.over_us = windows_over_us(&s);
	return s;
}

static void
put(struct windows *w, const char *json, int64_t made_us)
{
	struct window_stored s = stored(json, made_us);

	windows_set(w, &s);
	window_stored_clear(&s);
}

/* As POST …/end leaves it. */
static void
put_ended(struct windows *w, const char *json, int64_t made_us,
    int64_t ended_us)
{
	struct window_stored s = stored(json, made_us);

	s.ended_us = ended_us;
	s.over_us = windows_over_us(&s);
	windows_set(w, &s);
	window_stored_clear(&s);
}

static struct document *doc;

static const struct monitor_conf *
monitor(uint32_t id)
{
	struct monitor_conf *c = doc->monitors[0];

	c->id = id;
	return c;
}

static int
set_up(void **state)
{
	(void)state;
	doc = rig_document("monitors:\n"
	    "  - {name: A, type: web, url: 'http://x', tags: [db]}\n");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	document_free(doc);
	return 0;
}

static bool
covered(struct windows *w, int64_t us, struct maintenance *m)
{
	return windows_cover(w, monitor(1), us, 0, m);
}

/* -- when -------------------------------------------------------------------- */

/* 01:30 to 03:30 in Berlin: an hour less in spring, one more in autumn. */
static void
nights_when_the_clocks_change(void **state)
{
	static const struct { const char *from, *to; } nights[] = {
		{"2026-03-28T00:30:00Z", "2026-03-28T02:30:00Z"},
		{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
		{"2026-03-30T23:30:00Z", "2026-03-31T01:30:00Z"},
		{"2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z"},
		{"2026-10-26T00:30:00Z", "2026-10-26T02:30:00Z"},
	};
	struct windows *w = windows_new();
	struct maintenance m;

	(void)state;
	put(w, "{\"name\":\"n\",\"days\":[\"daily\"],\"from\":\"01:30\","
	    "\"to\":\"03:30\",\"zone\":\"Europe/Berlin\"}", 0);
	for (size_t i = 0; i < COUNT(nights); i++) {
		int64_t from = at(nights[i].from), to = at(nights[i].to);

		assert_false(covered(w, from - 1, &m));
		assert_true(covered(w, from, &m));
		assert_int_equal(m.from_us, from);
		assert_int_equal(m.until_us, to);
		assert_true(covered(w, to - 1, &m));
		assert_false(covered(w, to, &m));
	}
	/* asked about the past again, after the future */
	assert_true(covered(w, at(nights[0].from), &m));
	assert_int_equal(m.until_us, at(nights[0].to));
	windows_free(w);
}

static void
a_cron_lasts_as_long_in_every_night(void **state)
{
	struct windows *w = windows_new();
	struct maintenance m;

	(void)state;
	put(w, "{\"name\":\"c\",\"cron\":\"30 2 * * *\",\"duration\":\"45m\","
	    "\"zone\":\"Europe/Berlin\"}", 0);
	/* 02:30 is skipped on that night */
	assert_true(covered(w, at("2026-03-28T01:40:00Z"), &m));
	assert_true(covered(w, at("2026-03-30T00:40:00Z"), &m));
	assert_int_equal(m.until_us - m.from_us, HOUR * 3 / 4);
	assert_true(covered(w, at("2026-10-26T01:40:00Z"), &m));
	assert_int_equal(m.until_us - m.from_us, HOUR * 3 / 4);
	windows_free(w);
}

static void
an_open_end_is_ended_by_hand(void **state)
{
	static const char open[] = "{\"name\":\"o\",\"start\":"
	    "\"2026-05-01T00:00:00Z\"}";
	int64_t from = at("2026-05-01T00:00:00Z");
	struct windows *w = windows_new();
	struct window_stored s = stored(open, from - DAY);
	struct upcoming u[2];
	struct maintenance m;
	json_t *v;

	(void)state;
	assert_int_equal(s.over_us, 0);   /* nobody knows when */
	windows_set(w, &s);
	assert_false(covered(w, from - 1, &m));
	assert_true(covered(w, from + 400 * DAY, &m));
	assert_int_equal(m.until_us, 0);
	assert_int_equal(windows_upcoming(w, from + DAY, u, 2), 1);
	assert_true(u[0].active);
	put_ended(w, open, from - DAY, from + DAY);
	assert_true(covered(w, from + DAY - 1, &m));
	assert_int_equal(m.until_us, from + DAY);
	assert_false(covered(w, from + DAY, &m));
	assert_int_equal(windows_upcoming(w, from + 2 * DAY, u, 2), 0);
	v = windows_json(w, "o", from + 2 * DAY);
	assert_string_equal(json_string_value(json_object_get(v, "state")),
	    "over");
	json_decref(v);
	s.ended_us = from + DAY;
	assert_int_equal(windows_over_us(&s), from + DAY);
	window_stored_clear(&s);
	windows_free(w);
}

/* Only that run; the next night comes. */
static void
a_run_that_is_ended_is_followed_by_the_next(void **state)
{
	static const char night[] = "{\"name\":\"n\",\"days\":[\"daily\"],"
	    "\"from\":\"22:00\",\"to\":\"02:00\"}";
	int64_t from = at("2026-05-01T22:00:00Z");
	struct windows *w = windows_new();
	struct maintenance m;

	(void)state;
	put_ended(w, night, 0, from + HOUR);
	assert_true(covered(w, from, &m));
	assert_int_equal(m.until_us, from + HOUR);
	assert_false(covered(w, from + HOUR, &m));
	assert_false(covered(w, from + 3 * HOUR, &m));
	assert_true(covered(w, from + DAY, &m));
	assert_int_equal(m.until_us, from + DAY + 4 * HOUR);
	windows_free(w);
}

/* -- flexible ---------------------------------------------------------------- */

static const char flexible[] = "{\"name\":\"f\",\"flexible\":true,\"duration\":"
    "\"1h\",\"days\":[\"daily\"],\"from\":\"10:00\",\"to\":\"16:00\"}";

static bool
begins(struct windows *w, uint32_t id, int64_t failed_us,
    struct maintenance *m)
{
	size_t from = 0;
	bool any = windows_flex_next(w, monitor(id), failed_us, &from, m);

	if (any)
		windows_flex_add(w, id, m);
	return any;
}

static void
a_flexible_one_is_used_up_by_the_first_failure(void **state)
{
	int64_t day = at("2026-05-01T00:00:00Z"), first = day + 11 * HOUR;
	struct windows *w = windows_new();
	struct maintenance m;

	(void)state;
	put(w, flexible, 0);
	assert_false(covered(w, first, &m));   /* nothing failed */
	assert_false(begins(w, 1, day + 9 * HOUR, &m));   /* too early */
	assert_true(begins(w, 1, first, &m));
	assert_int_equal(m.until_us, first + HOUR);
	/* it came back, and fails again within the hour */
	assert_true(windows_cover(w, monitor(1), first + HOUR / 2,
	    first + HOUR / 4, &m));
	assert_int_equal(m.until_us, first + HOUR);
	/* and after it: the run has had its failure */
	assert_false(begins(w, 1, first + 2 * HOUR, &m));
	assert_false(windows_cover(w, monitor(1), first + 2 * HOUR,
	    first + 2 * HOUR, &m));
	/* another monitor has its own; so has the next day */
	assert_true(begins(w, 2, first + 2 * HOUR, &m));
	assert_true(begins(w, 1, first + DAY, &m));
	assert_int_equal(m.from_us, first + DAY);
	windows_free(w);
}

static void
a_flexible_one_outlasts_its_run_and_can_be_cut(void **state)
{
	int64_t late = at("2026-05-01T15:50:00Z");
	struct windows *w = windows_new();
	struct maintenance m;

	(void)state;
	put(w, flexible, 0);
	assert_true(begins(w, 1, late, &m));
	assert_true(windows_cover(w, monitor(1), late + HOUR - 1, late, &m));
	/* the same failure again, as a replay brings it: it is the same one */
	assert_true(begins(w, 1, late, &m));
	assert_int_equal(m.from_us, late);
	put_ended(w, flexible, 0, late + HOUR / 2);
	assert_false(windows_cover(w, monitor(1), late + HOUR / 2, late, &m));
	windows_remove(w, "f");
	assert_false(windows_cover(w, monitor(1), late + 1, late, &m));
	windows_free(w);
}

/* -- many ---------------------------------------------------------------------- */

static void
of_many_the_one_that_lasts_longest(void **state)
{
	int64_t day = at("2026-05-01T00:00:00Z"), last_us = 0;
	struct windows *w = windows_new();
	struct upcoming u[20];
	struct window_stored *all = NULL;
	struct maintenance m;
	char json[200];
	size_t n;

	(void)state;
	for (int i = 0; i < WINDOWS_ALL_MAX; i++) {
		int k = i * 7919 % WINDOWS_ALL_MAX;

		snprintf(json, sizeof(json), "{\"name\":\"w%04d\",\"start\":"
		    "\"2026-05-01T%02d:%02d:00Z\",\"end\":"
		    "\"2026-05-02T%02d:%02d:00Z\"}", k, k / 60 % 24, k % 60,
		    k / 60 % 24, k % 60);
		put(w, json, 0);
	}
	assert_true(covered(w, day + DAY - 1, &m));
	assert_string_equal(m.name, "w0999");
	assert_true(covered(w, day + 30 * S, &m));
	assert_string_equal(m.name, "w0000");
	n = windows_upcoming(w, day + HOUR, u, COUNT(u));
	assert_int_equal(n, COUNT(u));
	for (size_t i = 0; i < n; i++) {   /* soonest first */
		assert_true(u[i].m.from_us >= last_us);
		last_us = u[i].m.from_us;
	}
	assert_string_equal(u[0].m.name, "w0000");
	n = windows_list(w, &all);
	assert_int_equal(n, WINDOWS_ALL_MAX);
	for (size_t i = 0; i < n; i++)
		window_stored_clear(&all[i]);
	xfree(all);
	/* those that were over for a week; the file's stay */
	windows_forget(w, day + DAY + 500 * 60 * S);
	n = windows_list(w, &all);
	assert_int_equal(n, WINDOWS_ALL_MAX - 500);
	for (size_t i = 0; i < n; i++)
		window_stored_clear(&all[i]);
	xfree(all);
	windows_free(w);
}

static void
what_the_file_names_is_not_forgotten(void **state)
{
	struct windows *w = windows_new();
	struct window_stored s = stored("{\"name\":\"x\",\"start\":"
	    "\"2020-01-01\",\"end\":\"2020-01-02\"}", 0);
	json_t *v;

	(void)state;
	s.origin = ORIGIN_FILE;
	windows_set(w, &s);
	windows_forget(w, INT64_MAX);
	v = windows_json(w, "x", at("2026-01-01"));
	assert_non_null(v);
	json_decref(v);
	s.origin = ORIGIN_APPLY;
	windows_set(w, &s);
	windows_forget(w, INT64_MAX);
	assert_null(windows_json(w, "x", at("2026-01-01")));
	window_stored_clear(&s);
	windows_free(w);
}

/* -- what is recorded ----------------------------------------------------------- */

static int64_t
rows(struct rig *r, const char *where)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM applied WHERE %s",
	    where);
	return rig_number(r, sql);
}

static void
wait_rows(struct rig *r, const char *where, int64_t n)
{
	int64_t end_ns = clock_mono_ns() + RIG_WAIT_NS;

	while (rows(r, where) != n) {
		if (clock_mono_ns() > end_ns)
			fail_msg("%s: %lld rows, not %lld", where,
			    (long long)rows(r, where), (long long)n);
		usleep(2000);
	}
}

static void
window(struct rig *r, enum config_op op, const char *name, const char *json)
{
	struct config_unit *u = config_unit_new(op);
	struct errinfo ei = {0};

	snprintf(u->window, sizeof(u->window), "%s", name);
	u->opts.origin = ORIGIN_HAND;
	u->body = json == NULL ? NULL : json_loads(json, 0, NULL);
	if (rig_send(r, &u->unit, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	config_unit_free(u);
}

/* Who joins while a run is in force is covered from then on; whom it covered
 * before stays what it was. */
static void
a_run_is_one_row_until_something_changes(void **state)
{
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_create(&r, RIG_WEB("A"));
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"w\",\"start\":"
	    "\"2026-01-01\",\"monitors\":[\"A*\"]}");
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"all\",\"start\":"
	    "\"2026-01-01\"}");
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"later\",\"start\":"
	    "\"2098-01-01\"}");
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"nobody\",\"start\":"
	    "\"2026-01-01\",\"tags\":[\"none\"]}");
	wait_rows(&r, "to_us > from_us", 3);
	assert_int_equal(rows(&r, "name = 'w' AND length(monitors) = 1"), 1);
	assert_int_equal(rows(&r, "name = 'all' AND monitors IS NULL"), 1);
	assert_int_equal(rows(&r, "name = 'nobody' AND monitors = x'00'"), 1);
	rig_create(&r, RIG_WEB("A2"));
	wait_rows(&r, "name = 'w'", 2);
	assert_int_equal(rows(&r, "name = 'all'"), 1);   /* covers it anyway */
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM applied AS a JOIN"
	    " applied AS b ON a.to_us = b.from_us AND a.name = b.name"
	    " WHERE a.name = 'w'"), 1);
	window(&r, CONFIG_WINDOW_DELETE, "w", NULL);
	assert_int_equal(rows(&r, "name = 'w' AND to_us > 1 << 60"), 0);
	window(&r, CONFIG_WINDOW_DELETE, "later", NULL);
	assert_int_equal(rows(&r, "name = 'later'"), 0);
	rig_close(&r);
	/* a start goes on with what is in force, as another row */
	rig_open(&r);
	wait_rows(&r, "name = 'all'", 2);
	assert_int_equal(rows(&r, "name = 'all' AND to_us > 1 << 60"), 1);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nights_when_the_clocks_change),
		cmocka_unit_test(a_cron_lasts_as_long_in_every_night),
		cmocka_unit_test(an_open_end_is_ended_by_hand),
		cmocka_unit_test(a_run_that_is_ended_is_followed_by_the_next),
		cmocka_unit_test(a_flexible_one_is_used_up_by_the_first_failure),
		cmocka_unit_test(a_flexible_one_outlasts_its_run_and_can_be_cut),
		cmocka_unit_test(of_many_the_one_that_lasts_longest),
		cmocka_unit_test(what_the_file_names_is_not_forgotten),
		cmocka_unit_test(a_run_is_one_row_until_something_changes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Day bars with maintenance: what the view keeps in memory says to the
 * microsecond what a question over the same time says, whenever a window was
 * recorded, cut or forgotten, and after a restart. */
#include <math.h>

#include "tests/unit/store_rig.h"

#include "store/covered.h"

#define S    INT64_C(1000000)
#define DAY  (86400 * S)
#define NOW  (INT64_C(1779000000) * S)   /* May 2026 */
#define LONG 100                         /* days */

static uint64_t seed = 1;

static int64_t
pick(int64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (int64_t)(seed >> 16) % n;
}

/* -- against uptime_series ------------------------------------------------- */

static void
same(const struct day_time *d, const struct uptime *u, uint64_t at, int i)
{
	if (d->up_us != u->up_us || d->down_us != u->down_us ||
	    d->maintenance_us != u->maintenance_us ||
	    d->other_us != u->unknown_us + u->paused_us + u->pending_us)
		fail_msg("seed %llu, day %d: up %lld for %lld, down %lld for "
		    "%lld, maintenance %lld for %lld",
		    (unsigned long long)at, i,
		    (long long)d->up_us, (long long)u->up_us,
		    (long long)d->down_us, (long long)u->down_us,
		    (long long)d->maintenance_us,
		    (long long)u->maintenance_us);
}

static size_t
spans(struct gap *g, size_t max, int64_t each)
{
	int64_t at = NOW - LONG * DAY;
	size_t n = 0;

	while (n < max && (at += pick(each)) < NOW) {
		n = uptime_gap_add(g, n, (struct gap){at,
		    at + 1 + pick(3 * DAY)});
		at = g[n - 1].to_us;
	}
	return n;
}

struct life {
	struct turn t[400];
	size_t n;
	struct gap gaps[20], windows[20];
	size_t ngaps, nwindows;
	int64_t created_us;
	enum status last;
};

static void
live(struct life *l, int64_t step_us)
{
	enum status s = STATUS_PENDING;
	int64_t at = l->created_us = NOW - pick(LONG * DAY / S) * S - S;

	l->n = 0;
	while ((at += 1 + pick(step_us)) < NOW && l->n < COUNT(l->t)) {
		enum status to = (enum status)(pick(3) == 0 ? STATUS_DOWN :
		    pick(STATUS_NMAX));

		l->t[l->n++] = (struct turn){at, (uint8_t)s, (uint8_t)to};
		s = to;
	}
	l->last = s;
	l->ngaps = spans(l->gaps, COUNT(l->gaps), 20 * DAY);
	l->nwindows = spans(l->windows, COUNT(l->windows), 20 * DAY);
}

/* know: what maintenance was recorded while it happened. */
static void
compare(const struct life *l, const struct zone *z, const struct days_in *in,
    bool know)
{
	const struct days_in blind = {in->calendar, in->gaps, NULL, in->ngaps,
	    0};
	const struct uptime_in ask = {.turns = l->t, .nturns = l->n,
	    .first = STATUS_PENDING, .gaps = l->gaps, .ngaps = l->ngaps,
	    .windows = l->windows, .nwindows = l->nwindows,
	    .created_us = l->created_us, .now_us = NOW};
	struct days d = {.known_us = l->created_us,
	    .until_us = l->created_us};
	struct day_time have[VIEW_DAYS];
	struct uptime want[VIEW_DAYS];
	int64_t edge[VIEW_DAYS + 1];
	uint64_t at = seed;

	for (size_t i = 0; i < l->n; i++)
		days_add(&d, (enum status)l->t[i].from, l->t[i].at_us,
		    know ? in : &blind);
	days_read(&d, l->last, NOW, in, have);
	for (int i = 0; i <= VIEW_DAYS; i++)
		edge[i] = zone_day_start(z, zone_day(z, NOW) - VIEW_DAYS + 1 +
		    i);
	uptime_series(&ask, edge, VIEW_DAYS, want);
	for (int i = 0; i < VIEW_DAYS; i++)
		same(&have[i], &want[i], at, i);
	days_free(&d);
}

static void
days_are_what_uptime_says(void **state)
{
	struct zone *berlin = NULL;
	struct calendar *c = NULL;
	struct life l = {0};

	(void)state;
	if (zone_load("Europe/Berlin", &berlin, NULL) == ERR_OK)
		c = calendar_new(berlin, NOW);
	for (int k = 0; k < 600; k++) {
		const struct zone *z = k % 2 == 0 ? NULL : calendar_zone(c);
		bool many = k % 3 == 0;
		struct days_in in;

		/* more changes than are kept as they were, or fewer */
		live(&l, many ? DAY / 2 : 4 * DAY);
		in = (struct days_in){k % 2 == 0 ? NULL : c, l.gaps,
		    l.windows, l.ngaps, l.nwindows};
		compare(&l, z, &in, true);
		if (l.n < DAYS_STRETCHES)
			compare(&l, z, &in, false);   /* recorded later */
	}
	calendar_free(c);
}

/* -- who was covered when --------------------------------------------------- */

static int64_t
covered_sum(const struct covered *c, uint32_t monitor, int64_t from,
    int64_t to)
{
	struct gap *g = NULL;
	size_t n = covered_of(c, monitor, from, to, &g);
	int64_t sum = uptime_gap_us(g, n, from, to);

	for (size_t i = 1; i < n; i++)
		assert_true(g[i - 1].to_us <= g[i].from_us);
	xfree(g);
	return sum;
}

static void
rows_are_shared_cut_and_forgotten(void **state)
{
	const uint32_t few[] = {3, 5, 9}, other[] = {5};
	struct covered *c = covered_new();
	struct cover w = {.name = "w", .ids = few, .n = COUNT(few)};

	(void)state;
	assert_int_equal(covered_sum(c, 5, 0, 100 * DAY), 0);
	for (int i = 0; i < 10; i++) {
		w.from_us = i * DAY;
		w.to_us = i * DAY + 100;
		covered_add(c, &w);
	}
	covered_add(c, &(struct cover){.name = "x", .from_us = 2 * DAY + 50,
	    .to_us = 2 * DAY + 200, .ids = other, .n = 1});
	covered_add(c, &(struct cover){.name = "all", .from_us = 50 * DAY,
	    .to_us = INT64_MAX, .all = true});
	assert_int_equal(covered_sum(c, 3, 0, 20 * DAY), 1000);
	assert_int_equal(covered_sum(c, 5, 0, 20 * DAY), 1100);   /* overlap */
	assert_int_equal(covered_sum(c, 4, 0, 20 * DAY), 0);
	assert_int_equal(covered_sum(c, 4, 0, 51 * DAY), DAY);
	assert_int_equal(covered_sum(c, 9, DAY + 60, 3 * DAY + 10), 150);
	/* ended early; what is over already stays */
	covered_cut(c, "all", 50 * DAY + 7, false);
	covered_cut(c, "w", 9 * DAY + 1, false);
	assert_int_equal(covered_sum(c, 4, 0, 99 * DAY), 7);
	assert_int_equal(covered_sum(c, 3, 0, 40 * DAY), 901);
	/* cut before it begins: it never was */
	w.from_us = 60 * DAY;
	w.to_us = 61 * DAY;
	covered_add(c, &w);
	covered_cut(c, "w", 59 * DAY, false);
	assert_int_equal(covered_sum(c, 3, 59 * DAY, 99 * DAY), 0);
	/* older than anybody looks back */
	w.from_us = 105 * DAY;
	w.to_us = 106 * DAY;
	covered_add(c, &w);
	assert_int_equal(covered_sum(c, 3, 0, 13 * DAY), 0);
	assert_int_equal(covered_sum(c, 3, 0, 200 * DAY), 7 + DAY);
	covered_free(c);
}

/* However many there are, the newest count and the rest has a bound. */
static void
rows_have_a_maximum(void **state)
{
	struct covered *c = covered_new();
	struct cover all = {.name = "w", .all = true};
	struct cover own = {.name = "f", .monitor = 7};
	int64_t n = COVERED_MAX + 10, k = COVERED_OWN_MAX + 10;
	const uint32_t other = 8;

	(void)state;
	covered_add(c, &(struct cover){.name = "open", .from_us = 0,
	    .to_us = INT64_MAX, .ids = &other, .n = 1});
	for (int64_t i = 0; i < n; i++) {
		all.from_us = i * 100;
		all.to_us = i * 100 + 10;
		covered_add(c, &all);
	}
	for (int64_t i = 0; i < k; i++) {
		own.from_us = i * 100 + 50;
		own.to_us = i * 100 + 51;
		covered_add(c, &own);
	}
	assert_int_equal(covered_sum(c, 1, 0, INT64_MAX),
	    (COVERED_MAX - 1) * 10);
	assert_int_equal(covered_sum(c, 8, 0, 1000), 1000);   /* goes on */
	assert_int_equal(covered_sum(c, 1, 0, 1000), 0);   /* the oldest */
	assert_int_equal(covered_sum(c, 7, 0, INT64_MAX),
	    (COVERED_MAX - 1) * 10 + COVERED_OWN_MAX);
	covered_free(c);
}

static void
rows_of_one_monitor(void **state)
{
	struct covered *c = covered_new();
	struct cover f = {.name = "f", .monitor = 7, .from_us = 10,
	    .to_us = 30};

	(void)state;
	covered_add(c, &f);
	covered_add(c, &f);   /* from the journal first, then from the store */
	f.from_us = 5;
	f.to_us = 15;
	f.name = "g";
	covered_add(c, &f);
	assert_int_equal(covered_sum(c, 7, 0, 100), 25);
	assert_int_equal(covered_sum(c, 8, 0, 100), 0);
	covered_cut(c, "f", 20, false);   /* only of many */
	assert_int_equal(covered_sum(c, 7, 0, 100), 25);
	covered_cut(c, "f", 20, true);
	assert_int_equal(covered_sum(c, 7, 0, 100), 15);
	covered_forget(c, 7);
	covered_forget(c, 7);
	assert_int_equal(covered_sum(c, 7, 0, 100), 0);
	covered_free(c);
}

/* -- in the store ------------------------------------------------------------ */

static void
wait_rows(struct rig *r, int64_t n)
{
	int64_t end_ns = clock_mono_ns() + RIG_WAIT_NS;

	while (rig_number(r, "SELECT count(*) FROM applied") < n) {
		assert_true(clock_mono_ns() < end_ns);
		usleep(2000);
	}
}

/* Ninety days of the view are what the store says of the same time. */
static struct day_time
agree(struct rig *r, uint32_t id)
{
	int64_t now = clock_wall_us();
	struct rig_job j = rig_question(id, 0);
	struct day_time d[VIEW_DAYS], sum = {0};

	assert_int_equal(view_days(store_view(r->s), id, now, d), ERR_OK);
	j.from_us = ((int64_t)zone_day(NULL, now) - VIEW_DAYS + 1) * DAY;
	j.to_us = now;
	if (rig_ask(r, &j, rig_ask_uptime) != ERR_OK)
		fail_msg("%s", j.ei.text);
	for (int i = 0; i < VIEW_DAYS; i++) {
		sum.up_us += d[i].up_us;
		sum.down_us += d[i].down_us;
		sum.maintenance_us += d[i].maintenance_us;
		sum.other_us += d[i].other_us;
	}
	assert_int_equal(sum.maintenance_us, j.up.maintenance_us);
	assert_int_equal(sum.down_us, j.up.down_us);
	assert_int_equal(sum.up_us, j.up.up_us);
	assert_int_equal(sum.other_us, j.up.unknown_us + j.up.pending_us);
	return sum;
}

static void
turn(struct rig *r, uint32_t id, uint64_t seq, enum status to)
{
	struct view_row row = rig_row(r, id);
	struct result_unit *u = rig_turn(id, seq, clock_wall_us(),
	    (enum status)row.status, to);

	view_row_release(&row);
	assert_int_equal(rig_send(r, &u->unit, NULL), ERR_OK);
}

static void
window(struct rig *r, enum config_op op, const char *name, const char *body)
{
	struct config_unit *u = config_unit_new(op);
	struct errinfo ei = {0};

	snprintf(u->window, sizeof(u->window), "%s", name);
	u->opts.origin = ORIGIN_HAND;
	if (body != NULL)
		u->body = json_loads(body, 0, NULL);
	if (rig_send(r, &u->unit, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	config_unit_free(u);
}

static void
the_view_leaves_maintenance_out(void **state)
{
	struct day_time now, was;
	struct rig r;
	uint32_t a, b;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	b = rig_create(&r, RIG_WEB("B"));
	turn(&r, a, 1, STATUS_UP);
	turn(&r, b, 1, STATUS_UP);
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"w\",\"monitors\":"
	    "[\"A\"],\"start\":\"2026-01-01T00:00:00Z\"}");
	turn(&r, a, 2, STATUS_DOWN);   /* before its row is there, or after */
	wait_rows(&r, 1);
	usleep(5000);
	now = agree(&r, a);
	assert_true(now.maintenance_us >= 5000);
	assert_true(agree(&r, b).maintenance_us == 0);
	turn(&r, a, 3, STATUS_UP);
	window(&r, CONFIG_WINDOW_END, "w", NULL);
	turn(&r, a, 4, STATUS_DOWN);
	was = agree(&r, a);
	usleep(5000);
	now = agree(&r, a);
	assert_int_equal(now.maintenance_us, was.maintenance_us);
	assert_true(now.down_us >= 5000);
	/* a flexible one begins with the failure */
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"f\",\"monitors\":"
	    "[\"B\"],\"flexible\":true,\"duration\":\"1h\","
	    "\"start\":\"2026-01-01T00:00:00Z\","
	    "\"end\":\"2099-01-01T00:00:00Z\"}");
	turn(&r, b, 2, STATUS_DOWN);
	usleep(5000);
	assert_int_equal(agree(&r, b).down_us, 0);
	window(&r, CONFIG_WINDOW_DELETE, "f", NULL);
	was = agree(&r, b);
	assert_true(was.maintenance_us >= 5000);
	usleep(5000);
	assert_true(agree(&r, b).down_us >= 5000);
	rig_close(&r);
	rig_open(&r);
	rig_flush(&r);   /* the gap is stored */
	assert_int_equal(agree(&r, a).maintenance_us, now.maintenance_us);
	assert_int_equal(agree(&r, b).maintenance_us, was.maintenance_us);
	/* one for everybody */
	window(&r, CONFIG_WINDOW_CREATE, "", "{\"name\":\"e\","
	    "\"start\":\"2026-01-01T00:00:00Z\"}");
	wait_rows(&r, 3);
	usleep(5000);
	assert_true(agree(&r, a).maintenance_us >= now.maintenance_us + 5000);
	assert_true(agree(&r, b).maintenance_us >= was.maintenance_us + 5000);
	rig_close(&r);
	rig_open(&r);
	rig_flush(&r);
	assert_true(agree(&r, b).maintenance_us >= was.maintenance_us + 5000);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_what_uptime_says),
		cmocka_unit_test(rows_are_shared_cut_and_forgotten),
		cmocka_unit_test(rows_have_a_maximum),
		cmocka_unit_test(rows_of_one_monitor),
		cmocka_unit_test(the_view_leaves_maintenance_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The store's health: each rule at its limits, percentiles over a window, a
 * snapshot that is shared and never waits, events when the level changes. */
#include "tests/unit/store_rig.h"

#include <math.h>
#include <poll.h>

#include "base/zone.h"
#include "store/daily.h"
#include "store/errand.h"
#include "store/health.h"
#include "store/inside.h"

static struct health_facts
fine(void)
{
	return (struct health_facts){.free_bytes = 1e12};
}

static const struct health_result *
rule_of(const struct health_report *r, const char *name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	fail_msg("no rule %s", name);
	return NULL;
}

static void
test_limits(void **state)
{
	struct health_facts f = fine();
	static const struct {
		const char *rule;
		size_t fact;
		double just_under, degraded, unhealthy;
	} rows[] = {
#define ROW(rule, field, ...) \
	{rule, offsetof(struct health_facts, field), __VA_ARGS__}
		ROW("commit_age", commit_age_s, 9.9, 10, 15),
		ROW("write_lock", probe_s, 0.99, 1, 3),
		ROW("page_read", read_s, 0.24, 0.25, 1),
		ROW("readers_busy", readers_busy, 0.79, 0.8, -1),
		ROW("queue_wait_p95", queue_wait_s, 1.9, 2, 10),
		ROW("commit_p95", commit_s, 0.24, 0.25, 2.5),
		ROW("fast_p95", statement_s[PACE_FAST], 0.09, 0.1, 1),
		ROW("normal_p95", statement_s[PACE_NORMAL], 0.4, 0.5, 5),
		ROW("slow_p95", statement_s[PACE_SLOW], 4.9, 5, 30),
		ROW("wal", wal_bytes, 33554431, 33554432, 67108864),
		ROW("checkpoint", stuck_checkpoints, 2, 3, -1),
		ROW("journal", journal_bytes, 0, 1, -1),
		ROW("quarantine", quarantined, 0, 1, -1),
		ROW("free_disk", free_bytes, 0, -1, -1),
		ROW("room", pressure, 0, 1, 3),
		ROW("quick_check", findings, 0, -1, 1),
		ROW("damaged", damaged, 0, 1, -1),
		ROW("turn", turn_age_s, 11, 12, 20),
	};
	struct health_report r = {0};

	(void)state;
	health_judge(&f, &r);
	assert_int_equal(r.level, HEALTH_HEALTHY);
	assert_int_equal(r.n, COUNT(rows));   /* each rule is in the table */
	for (size_t i = 0; i < COUNT(rows); i++) {
		const double at[] = {rows[i].just_under, rows[i].degraded,
		    rows[i].unhealthy, (double)NAN};
		const enum health_level want[] = {HEALTH_HEALTHY,
		    HEALTH_DEGRADED, HEALTH_UNHEALTHY, HEALTH_UNKNOWN};

		for (size_t k = 0; k < COUNT(at); k++) {
			if (at[k] < 0)
				continue;
			f = fine();
			memcpy((char *)&f + rows[i].fact, &at[k],
			    sizeof(at[k]));
			health_judge(&f, &r);
			if (rule_of(&r, rows[i].rule)->level != want[k])
				fail_msg("%s at %g", rows[i].rule, at[k]);
			/* no data makes nothing worse, nor better */
			assert_true(r.level == (want[k] > HEALTH_HEALTHY ? want[k] :
			    HEALTH_HEALTHY));
		}
	}
}

static void
test_the_worst_is_said_and_all_are_listed(void **state)
{
	struct health_facts f = fine();
	struct health_report r = {0};

	(void)state;
	f.wal_bytes = 4e7;
	f.read_s = 2;
	snprintf(f.reading, sizeof(f.reading), "disk I/O error");
	health_judge(&f, &r);
	assert_int_equal(r.level, HEALTH_UNHEALTHY);
	assert_int_equal(rule_of(&r, "wal")->level, HEALTH_DEGRADED);
	assert_string_equal(rule_of(&r, "page_read")->text, "disk I/O error");
	/* a thread that does not come back spoils the last word */
	f = fine();
	health_judge(&f, &r);
	f.turn_age_s = 21;
	health_stale(&f, &r);
	assert_int_equal(r.level, HEALTH_UNHEALTHY);
	memset(&r, 0, sizeof(r));
	health_stale(&f, &r);
	assert_int_equal(r.level, HEALTH_UNHEALTHY);
}

static void
test_percentile(void **state)
{
	uint64_t was[HIST_BUCKETS] = {0}, is[HIST_BUCKETS] = {0};
	double p;

	(void)state;
	was[8] = is[8] = 1000000;   /* what was before does not count */
	is[3] += HEALTH_ENOUGH - 1;
	assert_true(isnan(health_part(was, is, 0.95)));
	is[3]++;
	p = health_part(was, is, 0.95);   /* of 20, the 19th: 0.5 to 1 ms */
	assert_true(p > 0.00097 && p < 0.00098);
	is[3] += 75;
	is[HIST_BUCKETS - 1] += 5;        /* of 100, the 95th */
	p = health_part(was, is, 0.95);
	assert_true(p > 0.00099 && p <= 0.001);
	is[HIST_BUCKETS - 1]++;           /* and one more is beyond */
	assert_true(health_part(was, is, 0.95) >= 10);
}

static struct health_report
forced(struct rig *r)
{
	struct health_report rep;
	struct rig_ack w;

	rig_ack_init(&w);
	assert_true(health_ask(r->s, &w.ack));
	assert_int_equal(rig_wait(&w), ERR_OK);
	health_look(r->s, &rep);
	return rep;
}

static void
test_a_sound_store(void **state)
{
	struct rig r;
	struct health_report rep;
	uint64_t commits;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	(void)rig_create(&r, RIG_WEB("A"));
	rep = forced(&r);
	commits = atomic_load(&store_stats(r.s)->commits);
	assert_true(rule_of(&rep, "page_read")->level == HEALTH_HEALTHY);
	assert_true(rule_of(&rep, "commit_age")->value < 5);
	assert_true(rule_of(&rep, "free_disk")->value > 0);
	assert_int_equal(rule_of(&rep, "quick_check")->level, HEALTH_UNKNOWN);
	rep = forced(&r);   /* it does commit */
	assert_true(atomic_load(&store_stats(r.s)->commits) > commits);
	health_checked(r.s, 2);
	rep = forced(&r);
	assert_int_equal(rule_of(&rep, "quick_check")->level,
	    HEALTH_UNHEALTHY);
	rig_close(&r);
	rig_remove(&r);
}

/* Another process has the write lock: said, with its name, and told as an
 * event once it is over; many who ask share one look. */
static void
test_locked(void **state)
{
	struct rig r;
	struct health_report rep;
	struct rig_ack w[10];
	sqlite3 *db = NULL;
	int64_t until;
	struct rig_job j = rig_question(0, 100);
	size_t told = 0;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rep = forced(&r);
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);   /* housekeeping may be at it */
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	for (size_t i = 0; i < COUNT(w); i++) {
		rig_ack_init(&w[i]);
		assert_true(health_ask(r.s, &w[i].ack));
	}
	for (size_t i = 0; i < COUNT(w); i++)
		assert_int_equal(rig_wait(&w[i]), ERR_OK);
	health_look(r.s, &rep);
	assert_true(rep.turn <= 4);
	assert_int_equal(rule_of(&rep, "write_lock")->level,
	    HEALTH_UNHEALTHY);
	assert_non_null(strstr(rule_of(&rep, "write_lock")->text, "locked"));
	assert_int_equal(rule_of(&rep, "page_read")->level, HEALTH_HEALTHY);
	(void)forced(&r);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	until = clock_mono_ns() + RIG_WAIT_NS;
	do {
		rep = forced(&r);
		assert_true(clock_mono_ns() < until);
	} while (rule_of(&rep, "write_lock")->level != HEALTH_HEALTHY);
	rig_flush(&r);
	assert_int_equal(rig_ask(&r, &j, rig_ask_events), ERR_OK);
	for (size_t i = 0; i < j.n; i++)
		if (j.events[i].kind == EVENT_HEALTH &&
		    strstr(j.events[i].text, "write_lock") != NULL)
			told++;
	assert_int_equal(told, 1);
	xfree(j.events);
	rig_close(&r);
	rig_remove(&r);
}

/* -- maintenance --------------------------------------------------------- */

static int64_t
at(int day, int hour, int minute)
{
	return ((day * INT64_C(24) + hour) * 60 + minute) * 60 * 1000000;
}

static void
test_once_a_day(void **state)
{
	struct daily d = {.minute = 4 * 60 + 30};
	struct zone *z CLEANUP(zone_freep) = NULL;
	int32_t minute = 0;
	int due = 0;

	(void)state;
	assert_false(daily_due(&d, NULL, at(100, 4, 29)));
	assert_true(daily_due(&d, NULL, at(100, 4, 30)));
	assert_true(daily_due(&d, NULL, at(100, 5, 29)));
	assert_false(daily_due(&d, NULL, at(100, 5, 30)));
	daily_done(&d, NULL, at(100, 4, 31));
	assert_false(daily_due(&d, NULL, at(100, 4, 32)));
	assert_true(daily_due(&d, NULL, at(101, 4, 30)));
	d.minute = -1;
	assert_false(daily_due(&d, NULL, at(102, 4, 30)));
	assert_true(time_parse_clock(STR("02:30"), &minute));
	assert_int_equal(minute, 150);
	assert_false(time_parse_clock(STR("24:00"), &minute));
	assert_false(time_parse_clock(STR("4:30"), &minute));
	assert_false(time_parse_clock(STR("04:60"), &minute));
	/* a year in a zone that skips 02:30 once and shows it twice once */
	if (zone_load("Europe/Berlin", &z, NULL) != ERR_OK)
		skip();
	d = (struct daily){.minute = 150};
	for (int64_t us = at(20454, 0, 0); us < at(20819, 0, 0);
	    us += 5 * 60 * INT64_C(1000000))
		if (daily_due(&d, z, us)) {
			daily_done(&d, z, us);
			due++;
		}
	assert_int_equal(due, 365);
}

static struct errand *
run_errand(struct rig *r, enum errand_kind kind)
{
	struct errand_ask ask = {.kind = kind, .actor = "test"};
	struct errinfo ei = {0};
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;
	struct errand *x;
	uint64_t id;

	if (errand_start(r->s, &ask, &id, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	for (;;) {
		x = errand_look(r->s);
		if (x->state != ERRAND_RUNS)
			return x;
		xfree(x);
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 5);
	}
}

static const struct errand_step *
step_of(const struct errand *x, const char *name)
{
	for (unsigned i = 0; i < x->nsteps; i++)
		if (strcmp(x->step[i].name, name) == 0)
			return &x->step[i];
	fail_msg("no step %s", name);
	return NULL;
}

/* Every step does what it is for, while units are stored. */
static void
test_maintain(void **state)
{
	struct rig r;
	struct errand *x;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	(void)rig_create(&r, RIG_WEB("A"));
	for (uint64_t i = 1; i < 2000; i++)
		rig_put(&r, &rig_result(1, i, 1790000000000000 +
		    (int64_t)i * 1000000)->unit);
	rig_flush(&r);
	(void)rig_number(&r, "CREATE TABLE spare(a, b); ");
	(void)rig_number(&r, "CREATE INDEX spare_a ON spare(a)");
	(void)rig_number(&r, "INSERT INTO spare WITH RECURSIVE c(x) AS"
	    " (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000)"
	    " SELECT x, zeroblob(400) FROM c");
	(void)rig_number(&r, "DELETE FROM spare WHERE a > 10");
	(void)rig_number(&r, "CREATE VIRTUAL TABLE words USING fts5(t)");
	(void)rig_number(&r, "INSERT INTO words VALUES('some words')");
	assert_true(rig_number(&r, "PRAGMA freelist_count") > 100);
	x = run_errand(&r, ERRAND_MAINTAIN);
	if (x->state != ERRAND_DONE)
		fail_msg("%s", x->ei.text);
	assert_int_equal(x->nsteps, 6);
	for (unsigned i = 0; i < x->nsteps; i++)
		assert_int_equal(x->step[i].state, STEP_DONE);
	assert_string_equal(step_of(x, "search")->text, "1 search indexes");
	assert_string_equal(step_of(x, "checkpoint")->text, "done");
	assert_true(x->audited);
	assert_int_equal(x->report.total, 0);
	xfree(x);
	assert_int_equal(rig_number(&r, "PRAGMA freelist_count"), 0);
	assert_true(rig_number(&r, "SELECT count(*) FROM sqlite_stat1"
	    " WHERE tbl = 'spare'") > 0);
	rig_close(&r);
	rig_remove(&r);
}

/* A reader of another program holds the WAL: the checkpoint says so, and the
 * steps after it are done all the same. */
static void
test_maintain_step_fails(void **state)
{
	struct rig r;
	struct errand *x;
	sqlite3 *db = NULL;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	(void)rig_create(&r, RIG_WEB("A"));
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM meta", NULL,
	    NULL, NULL), SQLITE_OK);
	rig_flush(&r);
	x = run_errand(&r, ERRAND_MAINTAIN);
	assert_int_equal(x->state, ERRAND_FAILED);
	assert_int_equal(step_of(x, "checkpoint")->state, STEP_FAILED);
	assert_int_equal(step_of(x, "analyze")->state, STEP_DONE);
	assert_int_equal(step_of(x, "quick check")->state, STEP_DONE);
	xfree(x);
	sqlite3_close(db);
	x = run_errand(&r, ERRAND_CHECK);
	assert_int_equal(x->state, ERRAND_DONE);
	assert_int_equal(x->id, 2);
	xfree(x);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_the_worst_is_said_and_all_are_listed),
		cmocka_unit_test(test_percentile),
		cmocka_unit_test(test_a_sound_store),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_once_a_day),
		cmocka_unit_test(test_maintain),
		cmocka_unit_test(test_maintain_step_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

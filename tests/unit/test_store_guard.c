/* What ends a statement, a wait for a lock and a snapshot, how soon, and how it
 * is counted; the life of a reader's connection. */
#include "tests/unit/store_rig.h"

#include <poll.h>

#include "store/inside.h"
#include "store/readers.h"
#include "store/stmt.h"

#define T0      INT64_C(1790000000000000)
#define MS      INT64_C(1000000)
#define LOADED  (400 * MS)   /* what a busy machine may add */

/* A table that never ends and never gives a row: GAP_LOAD runs for ever. */
#define ENDLESS "ALTER TABLE gap RENAME TO gap_; CREATE VIEW gap AS WITH" \
	" RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)" \
	" SELECT x AS from_us, x AS to_us FROM c WHERE x < 0"

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void
rows_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < STMT_NMAX; i++) {
		if (stmt_rows[i].name == NULL)
			fail_msg("statement %d has no row in stmt.c", i);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(stmt_rows[i].name,
			    stmt_rows[k].name);
	}
}

struct asked {
	struct rig_job j;
	int64_t began_ns, ended_ns;
	struct store *s;
};

static void
endless(struct rig_job *j, struct reader *r)
{
	struct asked *a = CONTAINER(j, struct asked, j);
	const struct uptime_query q = {.from_us = 1, .to_us = T0};

	a->began_ns = clock_mono_ns();
	j->w.e = query_uptime(r, j->monitor, &q, &j->up, &j->ei);
	a->ended_ns = clock_mono_ns();
	assert_int_equal(atomic_load(&r->db->held_ns), 0);
}

static void
begin(struct rig *r, struct asked *a)
{
	memset(a, 0, sizeof(*a));
	rig_open(r);
	a->j.monitor = rig_create(r, RIG_WEB("A"));
	run_sql(r->path, ENDLESS);
	a->j.ask = endless;
	a->j.job.run = rig_run;
	a->j.job.name = "the test";
	a->j.job.deadline_ns = clock_mono_ns() + RIG_WAIT_NS;
	a->s = r->s;
	rig_ack_init(&a->j.w);
}

static void
submit(struct asked *a)
{
	assert_true(reader_submit(a->s, &a->j.job));
}

/* Until its statement runs: a snapshot is held. Who asks is known. */
static void
wait_running(struct asked *a)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;
	const char *who = NULL;

	while (readers_oldest(a->s, &who) == 0) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 1);
	}
	assert_string_equal(who, "the test");
}

static uint64_t
ended(struct rig *r, enum ended how)
{
	uint64_t n = 0;

	for (int i = 0; i < PACE_NMAX; i++)
		n += atomic_load(&store_stats(r->s)->queries[i][how]);
	return n;
}

static void
ends_at_its_class(void **state)
{
	struct rig r;
	struct asked a;

	(void)state;
	rig_dir(&r, "s.db");
	r.conf.deadline_ns[PACE_FAST] = 50 * MS;
	r.conf.deadline_ns[PACE_NORMAL] = 150 * MS;
	begin(&r, &a);
	submit(&a);
	assert_int_equal(rig_wait(&a.j.w), ERR_TIMEOUT);
	assert_non_null(strstr(a.j.ei.text, "gap_load"));
	assert_true(a.ended_ns - a.began_ns >= 150 * MS);
	assert_true(a.ended_ns - a.began_ns < 150 * MS + LOADED);
	assert_int_equal(ended(&r, ENDED_TIMEOUT), 1);
	assert_int_equal(ended(&r, ENDED_ERROR), 0);
	rig_close(&r);
	rig_remove(&r);
}

static void
ends_at_its_own_deadline(void **state)
{
	struct rig r;
	struct asked a;

	(void)state;
	rig_dir(&r, "s.db");
	begin(&r, &a);
	a.j.job.deadline_ns = clock_mono_ns() + 120 * MS;
	submit(&a);
	assert_int_equal(rig_wait(&a.j.w), ERR_TIMEOUT);
	assert_true(a.ended_ns < a.j.job.deadline_ns + LOADED);
	assert_int_equal(ended(&r, ENDED_TIMEOUT), 1);
	rig_close(&r);
	rig_remove(&r);
}

static void
ends_at_the_age_of_its_snapshot(void **state)
{
	struct rig r;
	struct asked a;

	(void)state;
	rig_dir(&r, "s.db");
	r.conf.read_age_ns = 100 * MS;
	begin(&r, &a);
	submit(&a);
	assert_int_equal(rig_wait(&a.j.w), ERR_TIMEOUT);
	assert_non_null(strstr(a.j.ei.text, "snapshot"));
	assert_true(a.ended_ns - a.began_ns < 100 * MS + LOADED);
	rig_close(&r);
	rig_remove(&r);
}

/* Whoever asked leaves: an outcome of its own, and soon. */
static void
ends_when_the_asker_leaves(void **state)
{
	struct rig r;
	struct asked a;
	int64_t left_ns;

	(void)state;
	rig_dir(&r, "s.db");
	begin(&r, &a);
	submit(&a);
	wait_running(&a);
	left_ns = clock_mono_ns();
	reader_cancel(r.s, &a.j.job);
	assert_int_equal(rig_wait(&a.j.w), ERR_CANCELLED);
	assert_true(a.ended_ns - left_ns < 50 * MS + LOADED);
	assert_int_equal(ended(&r, ENDED_CANCELLED), 1);
	assert_int_equal(ended(&r, ENDED_TIMEOUT) + ended(&r, ENDED_ERROR), 0);
	rig_close(&r);
	rig_remove(&r);
}

static void
ends_when_we_stop(void **state)
{
	struct rig r;
	struct asked a, late;
	int64_t stop_ns;

	(void)state;
	rig_dir(&r, "s.db");
	begin(&r, &a);
	late = a;
	rig_ack_init(&late.j.w);
	submit(&a);
	wait_running(&a);
	submit(&late);   /* waits behind the only reader */
	stop_ns = clock_mono_ns();
	store_stop_reads(r.s);
	assert_int_equal(rig_wait(&a.j.w), ERR_STOPPING);
	assert_true(a.ended_ns - stop_ns < 50 * MS + LOADED);
	(void)rig_wait(&late.j.w);
	assert_false(late.j.had_reader);
	assert_false(reader_submit(r.s, &late.j.job));
	assert_int_equal(ended(&r, ENDED_STOPPING), 1);
	rig_close(&r);
	rig_remove(&r);
}

/* A wait for a lock ends below the deadline, and says that it was the lock; it
 * ends at once when the asker leaves. */
static void
waits_for_a_lock_below_its_deadline(void **state)
{
	struct rig r;
	const int64_t limits[PACE_NMAX] = {300 * MS, 300 * MS, 300 * MS};
	struct backend_conf c = {.limit_ns = limits};
	_Atomic bool gone = true;
	struct backend *b = NULL;
	struct errinfo ei = {0};
	int64_t began_ns, took_ns;
	sqlite3 *db = NULL;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_close(&r);
	c.path = r.path;
	assert_int_equal(sqlite_ops.open(&c, &b, &ei), ERR_OK);
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	b->busy_ns = 60000 * MS;
	began_ns = clock_mono_ns();
	assert_int_equal(b->ops->begin(b, true, &ei), ERR_STORE);
	took_ns = clock_mono_ns() - began_ns;
	assert_int_equal(b->fault.class, CLASS_BUSY);
	assert_true(took_ns >= 200 * MS);
	assert_true(took_ns < 300 * MS + LOADED);
	b->cancelled = &gone;
	began_ns = clock_mono_ns();
	assert_int_equal(b->ops->begin(b, true, &ei), ERR_CANCELLED);
	assert_true(clock_mono_ns() - began_ns < 150 * MS);
	b->cancelled = NULL;
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(b->ops->begin(b, true, &ei), ERR_OK);
	assert_int_equal(b->ops->rollback(b, &ei), ERR_OK);
	sqlite3_close(db);
	b->ops->close(b);
	rig_remove(&r);
}

static void
wait_renewed(struct rig *r, uint64_t n)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;

	while (atomic_load(&store_stats(r->s)->recycled) < n) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 1);
	}
}

/* After a while idle, after a life, and when told to; an unused one is not
 * opened again and again. */
static void
connections_are_renewed(void **state)
{
	struct rig r;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	r.conf.readers = 4;
	r.conf.reader_idle_ns = 30 * MS;
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	assert_int_equal(readers_state(r.s).n, 4);
	assert_int_equal(rig_samples(&r, a, 10), 0);
	wait_renewed(&r, 1);
	(void)poll(NULL, 0, 100);
	assert_int_equal(atomic_load(&store_stats(r.s)->recycled), 1);
	assert_int_equal(rig_samples(&r, a, 10), 0);
	wait_renewed(&r, 2);
	readers_renew(r.s);
	wait_renewed(&r, 6);
	assert_int_equal(rig_samples(&r, a, 10), 0);
	rig_close(&r);
	r.conf.reader_idle_ns = 0;
	r.conf.reader_life_ns = 20 * MS;
	rig_open(&r);
	wait_renewed(&r, 12);
	assert_int_equal(rig_samples(&r, a, 10), 0);
	rig_close(&r);
	rig_remove(&r);
}

static sqlite3_vfs *real;

/* A file system that has no shared memory. */
static int
open_without_shm(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
    int *ret_flags)
{
	static sqlite3_io_methods old;
	int rc = real->xOpen(v, name, f, flags, ret_flags);

	if (rc == SQLITE_OK && f->pMethods != NULL) {
		old = *f->pMethods;
		old.iVersion = 1;
		f->pMethods = &old;
	}
	return rc;
}

/* Every open sets every pragma and reads it back: a file system without shared
 * memory is named as what does not hold. */
static void
a_required_pragma_fails_the_open(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	struct store *s = NULL;
	sqlite3_vfs vfs;

	(void)state;
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.zName = "no-shm";
	vfs.xOpen = open_without_shm;
	assert_int_equal(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
	rig_dir(&r, "s.db");
	r.conf.vfs = "no-shm";
	assert_int_equal(store_open(&r.conf, &s, &ei), ERR_STORE);
	if (strstr(ei.text, "PRAGMA journal_mode is delete") == NULL)
		fail_msg("%s", ei.text);
	assert_int_equal(sqlite3_vfs_unregister(&vfs), SQLITE_OK);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_have_names),
		cmocka_unit_test(ends_at_its_class),
		cmocka_unit_test(ends_at_its_own_deadline),
		cmocka_unit_test(ends_at_the_age_of_its_snapshot),
		cmocka_unit_test(ends_when_the_asker_leaves),
		cmocka_unit_test(ends_when_we_stop),
		cmocka_unit_test(waits_for_a_lock_below_its_deadline),
		cmocka_unit_test(connections_are_renewed),
		cmocka_unit_test(a_required_pragma_fails_the_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

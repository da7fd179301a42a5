/* Room: when each level begins and ends, and what gives way in which order on
 * a real file: stored samples, then voided ones, then successes; never what a
 * restart would miss, a failure, a change, or what somebody waits for. */
#include <fcntl.h>
#include <sys/stat.h>

#include "store/budget.h"
#include "store/inside.h"
#include "tests/unit/store_rig.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void
test_levels(void **state)
{
	static const struct {
		struct budget_facts f;
		enum pressure was, want;
	} rows[] = {
		/* of the budget, rising */
		{{799 * MIB, 1000 * MIB, GIB, 0}, 0, PRESSURE_NONE},
		{{800 * MIB, 1000 * MIB, GIB, 0}, 0, PRESSURE_WARN},
		{{949 * MIB, 1000 * MIB, GIB, 0}, 1, PRESSURE_WARN},
		{{950 * MIB, 1000 * MIB, GIB, 0}, 0, PRESSURE_SHED},
		{{1000 * MIB, 1000 * MIB, GIB, 0}, 2, PRESSURE_REFUSE},
		{{5000 * MIB, 1000 * MIB, GIB, 0}, 0, PRESSURE_REFUSE},
		/* falling: later */
		{{981 * MIB, 1000 * MIB, GIB, 0}, 3, PRESSURE_REFUSE},
		{{979 * MIB, 1000 * MIB, GIB, 0}, 3, PRESSURE_SHED},
		{{901 * MIB, 1000 * MIB, GIB, 0}, 2, PRESSURE_SHED},
		{{899 * MIB, 1000 * MIB, GIB, 0}, 2, PRESSURE_WARN},
		{{751 * MIB, 1000 * MIB, GIB, 0}, 1, PRESSURE_WARN},
		{{749 * MIB, 1000 * MIB, GIB, 0}, 1, PRESSURE_NONE},
		{{749 * MIB, 1000 * MIB, GIB, 0}, 3, PRESSURE_NONE},
		/* of the disk: a large one and a small one */
		{{0, 0, 257 * MIB, 100 * GIB}, 0, PRESSURE_NONE},
		{{0, 0, 255 * MIB, 100 * GIB}, 0, PRESSURE_WARN},
		{{0, 0, 63 * MIB, 100 * GIB}, 0, PRESSURE_SHED},
		{{0, 0, 7 * MIB, 100 * GIB}, 0, PRESSURE_REFUSE},
		{{0, 0, 9 * MIB, 100 * GIB}, 3, PRESSURE_REFUSE},
		{{0, 0, 13 * MIB, 64 * MIB}, 0, PRESSURE_NONE},
		{{0, 0, 12 * MIB, 64 * MIB}, 0, PRESSURE_WARN},
		{{0, 0, 3 * MIB, 64 * MIB}, 0, PRESSURE_SHED},
		{{0, 0, MIB / 2, 64 * MIB}, 0, PRESSURE_REFUSE},
		/* no bound, nothing known, and a write that failed */
		{{5 * GIB, 0, 0, 0}, 0, PRESSURE_NONE},
		{{0, 0, GIB, GIB, true}, 0, PRESSURE_REFUSE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (budget_level(&rows[i].f, rows[i].was) != rows[i].want)
			fail_msg("row %zu: %s, not %s", i, pressure_names[
			    budget_level(&rows[i].f, rows[i].was)],
			    pressure_names[rows[i].want]);
}

/* The journal's room is what budget and disk have beyond what the database
 * needs to read it back. */
static void
test_growth(void **state)
{
	static const struct {
		struct budget_facts f;
		uint64_t want;
	} rows[] = {
		{{500 * MIB, 1000 * MIB, 0, 0}, 480 * MIB},
		{{990 * MIB, 1000 * MIB, 0, 0}, 0},
		{{5000 * MIB, 1000 * MIB, GIB, GIB}, 0},
		{{0, 0, 100 * MIB, 100 * GIB}, 36 * MIB},
		{{0, 0, 60 * MIB, 100 * GIB}, 0},
		{{500 * MIB, 1000 * MIB, 65 * MIB, 100 * GIB}, MIB},
		{{0, 0, 30 * MIB, 64 * MIB}, 14 * MIB},
		{{0, 0, 12 * MIB, 64 * MIB}, 0},
		{{0, 0, 30 * MIB, 200 * MIB}, 6 * MIB},
		{{500 * MIB, 0, 0, 0}, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_in_range(budget_growth(&rows[i].f), rows[i].want -
		    rows[i].want / 1000, rows[i].want);
}

static void
wait_pressure(struct rig *r, enum pressure want)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;

	while (store_pressure(r->s) != want) {
		if (clock_mono_ns() >= until)
			fail_msg("the pressure is %s, not %s", pressure_names[
			    store_pressure(r->s)], pressure_names[want]);
		rig_flush(r);   /* a turn of the writer */
		usleep(20000);
	}
}

static uint64_t
shed(struct rig *r, enum shed_kind k)
{
	return atomic_load(&store_stats(r->s)->shed[k]);
}

/* A monitor that is up, its last sample a success. */
static uint32_t
rig_up(struct rig *r, int64_t now)
{
	uint32_t a = rig_create(r, RIG_WEB("A"));

	rig_put(r, &rig_turn(a, 1, now, STATUS_PENDING, STATUS_UP)->unit);
	rig_flush(r);
	return a;
}

static void
test_refuse(void **state)
{
	struct rig r;
	struct result_unit *u;
	struct view_row row;
	int64_t now = clock_wall_us();
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_up(&r, now);
	rig_close(&r);
	r.conf.disk_budget = 64 << 10;   /* less than there is */
	rig_open(&r);
	wait_pressure(&r, PRESSURE_REFUSE);
	assert_in_range(store_retry_after_s(r.s), 1, 300);
	for (uint64_t i = 2; i <= 51; i++)
		rig_put(&r, &rig_result(a, i, now + (int64_t)i)->unit);
	rig_flush(&r);
	assert_int_equal(shed(&r, SHED_OK_SAMPLE), 50);
	assert_int_equal(rig_samples(&r, a, 100), 1);
	/* ours: voided */
	u = rig_result(a, 52, now + 52);
	u->sample.why = WHY_LOCAL_FDS;
	rig_put(&r, &u->unit);
	rig_flush(&r);
	assert_int_equal(shed(&r, SHED_VOID_SAMPLE), 1);
	assert_int_equal(rig_samples(&r, a, 100), 1);
	/* a failure is kept, and so is the success that ends the streak */
	u = rig_result(a, 53, now + 53);
	u->sample.why = WHY_NET_REFUSED;
	u->sample.latency_us = -1;
	rig_put(&r, &u->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 100), 2);
	rig_put(&r, &rig_result(a, 54, now + 54)->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 100), 3);
	rig_put(&r, &rig_result(a, 55, now + 55)->unit);
	rig_flush(&r);
	assert_int_equal(shed(&r, SHED_OK_SAMPLE), 51);
	/* somebody waits */
	assert_int_equal(rig_send(&r, &rig_result(a, 56, now + 56)->unit,
	    NULL), ERR_OK);
	assert_int_equal(rig_samples(&r, a, 100), 4);
	/* somebody was told already, from the journal */
	u = rig_result(a, 57, now + 57);
	u->unit.told = true;
	rig_put(&r, &u->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 100), 5);
	/* a change, with its sample */
	rig_put(&r, &rig_turn(a, 58, now + 58, STATUS_UP, STATUS_DOWN)->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 100), 6);
	assert_int_equal(rig_turns(&r, a), 2);
	/* and what is down is not thinned */
	rig_put(&r, &rig_result(a, 59, now + 59)->unit);
	rig_put(&r, &rig_result(a, 60, now + 60)->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 100), 8);
	assert_int_equal(atomic_load(&store_stats(r.s)->dropped[UNIT_RESULT]),
	    0);
	rig_close(&r);
	r.conf.disk_budget = 0;
	rig_open(&r);
	row = rig_row(&r, a);
	assert_int_equal(row.status, STATUS_DOWN);
	assert_int_equal(row.seq, 60);
	view_row_release(&row);
	assert_int_equal(store_pressure(r.s), PRESSURE_NONE);
	assert_true(rig_number(&r, "SELECT count(*) FROM event WHERE text LIKE"
	    " 'no room: writes are refused%'") == 1);
	rig_close(&r);
	rig_remove(&r);
}

/* Many megabytes of old chunks of a monitor, and a new one. */
static void
fill(struct rig *r, uint32_t monitor)
{
	sqlite3 *db = NULL;
	char sql[600];

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql), "PRAGMA synchronous=OFF; WITH RECURSIVE"
	    " n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	    " INSERT INTO chunk SELECT NULL, %u, i * 100, i * 100 + 99, i, i,"
	    " 100, zeroblob(80000) FROM n; PRAGMA"
	    " wal_checkpoint(TRUNCATE)", monitor + 1000);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static uint64_t
file_size(const struct rig *r)
{
	struct stat st;

	assert_int_equal(stat(r->path, &st), 0);
	return (uint64_t)st.st_size;
}

/* The oldest samples go, down to the low mark, and their space with them. */
static void
test_shed_stored(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	(void)rig_up(&r, clock_wall_us());
	rig_close(&r);
	fill(&r, 1);
	was = file_size(&r);
	r.conf.retention.samples_newest = 1000;
	r.conf.disk_budget = was * 1000 / 845;   /* and an eighth for the WAL */
	rig_open(&r);
	wait_pressure(&r, PRESSURE_SHED);
	wait_pressure(&r, PRESSURE_WARN);   /* above 75 % */
	assert_in_range(shed(&r, SHED_STORED_SAMPLE), 9000, 20000);
	assert_int_equal(shed(&r, SHED_OK_SAMPLE), 0);
	rig_close(&r);
	assert_true(rig_number(&r, "SELECT min(from_us) FROM chunk") ==
	    rig_number(&r, "SELECT 1001 - count(*) FROM chunk"));
	rig_remove(&r);
}

static void
rig_hog(const struct rig *r, const char *name, off_t size)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/journal/%s", r->dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, size), 0);
	close(fd);
}

/* What lies in the journal's directory counts; but stored samples go only for
 * what would stay there. */
static void
test_journal_counts(void **state)
{
	struct rig r;
	char from[200], to[200];

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_close(&r);
	fill(&r, 1);
	r.conf.journal = (struct store_journal){.after_ns = 250000000,
	    .size = 64 * MIB, .reserve = 64 << 10, .segment = 64 << 10};
	r.conf.disk_budget = file_size(&r) * 2;
	assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
	budget_turn(r.s, clock_mono_ns());
	assert_int_equal(store_pressure(r.s), PRESSURE_NONE);
	rig_hog(&r, "x.seg", (off_t)file_size(&r));
	budget_turn(r.s, clock_mono_ns() + 2 * BUDGET_LOOK_NS);
	assert_int_equal(store_pressure(r.s), PRESSURE_REFUSE);
	assert_int_equal(budget_over(r.s), 0);
	snprintf(from, sizeof(from), "%s/journal/x.seg", r.dir);
	snprintf(to, sizeof(to), "%s/journal/x.damaged", r.dir);
	assert_int_equal(rename(from, to), 0);
	budget_turn(r.s, clock_mono_ns() + 4 * BUDGET_LOOK_NS);
	assert_int_equal(store_pressure(r.s), PRESSURE_REFUSE);
	assert_true(budget_over(r.s) > file_size(&r) / 4);
	rig_close(&r);
	rig_remove(&r);
}

/* Nothing old may go: new successes are thinned to one of eight. */
static void
test_thinned(void **state)
{
	struct rig r;
	int64_t now = clock_wall_us();
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_up(&r, now);
	rig_close(&r);
	fill(&r, 1);
	r.conf.retention.samples_newest = 10000000;
	r.conf.disk_budget = file_size(&r) * 1000 / 842;
	rig_open(&r);
	wait_pressure(&r, PRESSURE_SHED);
	for (uint64_t i = 2; shed(&r, SHED_OK_SAMPLE) == 0; i++) {
		assert_true(clock_mono_ns() < until);
		rig_put(&r, &rig_result(a, i * 8 + 1, now + (int64_t)i)->unit);
		rig_flush(&r);
	}
	now += 1000000;
	for (uint64_t i = 800001; i <= 800080; i++) {
		rig_put(&r, &rig_result(a, i, now + (int64_t)i)->unit);
		rig_flush(&r);   /* one in a batch */
	}
	assert_int_equal(shed(&r, SHED_STORED_SAMPLE), 0);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE text"
	    " LIKE 'no old samples are left%'"), 1);
	rig_close(&r);
	rig_open(&r);
	{
		struct rig_job j = rig_question(a, 1000);
		size_t kept = 0;

		assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
		for (size_t i = 0; i < j.n; i++)
			kept += j.samples[i].seq > 800000;
		assert_int_equal(kept, 10);
		xfree(j.samples);
	}
	rig_close(&r);
	rig_remove(&r);
}

/* Space comes back in slices, and the file is cut. */
static void
test_vacuum(void **state)
{
	struct rig r;
	uint64_t was;
	int64_t until;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_close(&r);
	fill(&r, 1);
	was = file_size(&r);
	r.conf.retention.samples_bytes = 20000000;
	rig_open(&r);
	until = clock_mono_ns() + 2 * RIG_WAIT_NS;
	while (atomic_load(&store_stats(r.s)->vacuumed) < 1000 ||
	    atomic_load(&store_stats(r.s)->pruned[0]) < 750) {
		assert_true(clock_mono_ns() < until);
		rig_flush(&r);
		usleep(20000);
	}
	rig_close(&r);
	assert_in_range(rig_number(&r, "SELECT sum(length(b)) FROM chunk"),
	    19920001, 20000000);
	assert_in_range(file_size(&r), 20000000, was - 1000 * 4096);
	assert_int_equal(rig_number(&r, "PRAGMA auto_vacuum"), 2);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_journal_counts),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_shed_stored),
		cmocka_unit_test(test_thinned),
		cmocka_unit_test(test_vacuum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Checkpoints on a disk that fails: PASSIVE and TRUNCATE between commits, with
 * and without a reader that holds a snapshot. At every call of the file system
 * one fails, once or from then on, or the power goes. Afterwards every commit
 * that was said to be done is there, once, and the file is sound. */
#include "tests/unit/store_rig.h"

#include "store/inside.h"
#include "tests/fault/vfs_fault.h"

#define COMMITS 16
#define SEEDS   2
#define STOP_NS (INT64_C(5) * 1000000000)

struct run {
	struct rig r;
	bool acked[COMMITS];
	enum vfs_fault_mode mode;
	bool struck;
	unsigned truncated, held_up;
	const char *what;
};

static void
struck(void *arg)
{
	struct run *x = arg;

	x->struck = true;
	if (x->r.s != NULL)
		atomic_store(&x->r.s->stop_by_ns, clock_mono_ns());
}

static sqlite3 *
snapshot(const struct run *x)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(x->r.path, &db, SQLITE_OPEN_READWRITE,
	    VFS_FAULT) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN; SELECT count(*) FROM event", NULL, NULL,
	    NULL) != SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

/* One transaction with one event: what is owed and not told is in the next. */
static void
commit(struct run *x, int i)
{
	struct store *s = x->r.s;
	char text[32];

	if (s->db == NULL)
		return;
	snprintf(text, sizeof(text), "commit %d", i);
	batch_owe(s, EVENT_STORE, text);
	s->alive_ns = -ALIVE_NS;
	if (batch_stamp(s, NULL) != ERR_OK)
		return;
	for (int k = 0; k <= i; k++)
		x->acked[k] = true;
}

static void
look_after(struct run *x, int i)
{
	struct store *s = x->r.s;
	enum checkpoint how;

	if (s->db == NULL)
		return;
	s->db->busy_ns = 1;   /* the reader does not go meanwhile */
	how = s->db->ops->checkpoint(s->db, i % 3 == 2);
	s->db->busy_ns = 0;
	if (i % 3 == 2)
		x->truncated += how == CKPT_DONE;
	x->held_up += how == CKPT_BUSY || how == CKPT_PARTIAL;
}

static void
workload(struct run *x)
{
	sqlite3 *reader = NULL;
	int i;

	memset(x->acked, 0, sizeof(x->acked));
	x->truncated = x->held_up = 0;
	if (store_open(&x->r.conf, &x->r.s, NULL) != ERR_OK)
		return;
	for (i = 0; i < COMMITS && !(x->struck && x->mode != VFS_FAIL_ONCE);
	    i++) {
		commit(x, i);
		if (i % 6 == 3)
			reader = snapshot(x);
		look_after(x, i);
		if (i % 6 == 5) {
			sqlite3_close(reader);
			reader = NULL;
		}
	}
	sqlite3_close(reader);
	(void)store_stop(x->r.s, clock_mono_ns() + (x->struck ? 0 : STOP_NS),
	    NULL);
	store_free(x->r.s);
	x->r.s = NULL;
}

static int64_t
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void
check(struct run *x)
{
	sqlite3 *db = NULL;
	char sql[128];

	x->what = NULL;
	if (sqlite3_open_v2(x->r.path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, VFS_FAULT) != SQLITE_OK ||
	    number(db, "SELECT integrity_check = 'ok' FROM"
	    " pragma_integrity_check") != 1)
		x->what = "integrity";
	for (int i = 0; i < COMMITS && x->what == NULL; i++) {
		int64_t n;

		snprintf(sql, sizeof(sql), "SELECT count(*) FROM event WHERE"
		    " text = 'commit %d'", i);
		n = number(db, sql);
		if (n > 1)
			x->what = "a commit twice";
		if (n < 1 && x->acked[i])
			x->what = "an acknowledged commit is gone";
	}
	sqlite3_close(db);
}

static void
one_run(struct run *x, enum vfs_fault_mode mode, long nth, uint64_t seed)
{
	vfs_fault_wipe();
	vfs_fault_arm(mode, nth, seed);
	vfs_fault_on_strike(struck, x);
	x->mode = mode;
	x->struck = false;
	workload(x);
	if (mode == VFS_POWER)
		vfs_fault_reboot();
	vfs_fault_arm(VFS_SOUND, 0, seed);
	check(x);
}

static long
clean_run(struct run *x)
{
	long n;

	memset(x, 0, sizeof(*x));
	vfs_fault_register();
	rig_dir(&x->r, "s.db");
	x->r.conf.vfs = VFS_FAULT;
	one_run(x, VFS_SOUND, 0, 1);
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	workload(x);
	n = vfs_fault_calls();
	check(x);
	assert_null(x->what);
	for (int i = 0; i < COMMITS; i++)
		assert_true(x->acked[i]);
	/* Both kinds of end were met, or this proves nothing. */
	assert_true(x->truncated >= 2);
	assert_true(x->held_up >= 2);
	return n;
}

static void
sweep(enum vfs_fault_mode mode, const char *name, int seeds)
{
	struct run x;
	long total = clean_run(&x);

	for (int seed = 1; seed <= seeds; seed++)
		for (long n = 1; n <= total; n++) {
			one_run(&x, mode, n, (uint64_t)seed);
			if (x.what != NULL)
				fail_msg("%s at call %ld of %ld, seed %d: %s",
				    name, n, total, seed, x.what);
		}
	printf("%s: %ld calls, %d seeds\n", name, total, seeds);
	vfs_fault_wipe();
	rig_remove(&x.r);
}

static void
test_power_loss(void **state)
{
	(void)state;
	sweep(VFS_POWER, "power loss", SEEDS);
}

static void
test_fails_once(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ONCE, "fails once", 1);
}

static void
test_fails_for_good(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ON, "fails for good", 1);
}

/* It can fail: on a disk that does not sync the log commits get lost. */
static void
test_the_sweep_can_fail(void **state)
{
	struct run x;
	long total = clean_run(&x);
	bool lost = false;

	(void)state;
	for (long n = 1; n <= total && !lost; n++) {
		vfs_fault_wipe();
		vfs_fault_lie(true);
		vfs_fault_arm(VFS_POWER, n, 1);
		vfs_fault_on_strike(struck, &x);
		x.mode = VFS_POWER;
		x.struck = false;
		workload(&x);
		vfs_fault_reboot();
		vfs_fault_arm(VFS_SOUND, 0, 1);
		check(&x);
		lost = x.what != NULL;
	}
	assert_true(lost);
	vfs_fault_wipe();
	rig_remove(&x.r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_loss),
		cmocka_unit_test(test_fails_once),
		cmocka_unit_test(test_fails_for_good),
		cmocka_unit_test(test_the_sweep_can_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

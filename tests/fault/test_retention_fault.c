/* Retention on a disk that fails. While old rows go in slices, every call of
 * the file system fails once, or from then on, or the power goes at it.
 * Afterwards: the file is sound, nothing is gone that was to stay, and the next
 * round leaves exactly that. */
#include "tests/unit/store_rig.h"

#include "store/inside.h"
#include "store/prune.h"
#include "tests/fault/vfs_fault.h"

#define T0       INT64_C(1790000000000000)
#define MONITORS 2
#define TURNS    24          /* of each monitor */
#define NEWEST   5           /* of them stay */
#define SLICES   200         /* in a round, at most */
#define SEEDS    2
#define STOP_NS  (INT64_C(5) * 1000000000)

struct run {
	struct rig r;
	bool struck;
};

static void
struck(void *arg)
{
	struct run *x = arg;

	x->struck = true;
	if (x->r.s != NULL)
		atomic_store(&x->r.s->stop_by_ns, clock_mono_ns());
}

static bool
open_store(struct run *x)
{
	struct errinfo ei = {0};

	return store_open(&x->r.conf, &x->r.s, &ei) == ERR_OK;
}

static void
close_store(struct run *x)
{
	(void)store_stop(x->r.s, clock_mono_ns() + (x->struck ? 0 : STOP_NS),
	    NULL);
	store_free(x->r.s);
	x->r.s = NULL;
	rig_forget(&x->r);
}

static void
put_monitor(struct run *x, const char *name)
{
	struct config_unit *u = config_unit_new(CONFIG_CREATE);

	u->body = json_pack("{s:s, s:s, s:s}", "name", name, "type", "web",
	    "url", "http://127.0.0.1/");
	rig_put(&x->r, &u->unit);
}

/* Two monitors, each as often up as down, at the same times. */
static void
fill(struct run *x)
{
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	x->struck = false;
	x->r.conf.retention.transitions_per_monitor = 0;
	assert_true(open_store(x));
	put_monitor(x, "A");
	put_monitor(x, "B");
	for (int i = 0; i < TURNS; i++)
		for (uint32_t m = 1; m <= MONITORS; m++)
			rig_put(&x->r, &rig_turn(m, 0, T0 + i,
			    i % 2 == 0 ? STATUS_UP : STATUS_DOWN,
			    i % 2 == 0 ? STATUS_DOWN : STATUS_UP)->unit);
	close_store(x);
	x->r.conf.retention.transitions_per_monitor = NEWEST;
}

/* A round, a step a slice; what fails is tried again, in vain too. */
static bool
round_of(struct run *x)
{
	for (int i = 0; i < SLICES && x->r.s->db != NULL; i++) {
		x->r.s->box_ns = 1;
		prune_slice(x->r.s);
		if (!x->r.s->prune->running)
			return true;
	}
	return false;
}

static int64_t
ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* What is wrong; NULL: nothing. whole: only what was to stay is there. */
static const char *
look(struct run *x, bool whole)
{
	sqlite3 *db = NULL;
	const char *what = NULL;
	char sql[200];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM transition"
	    " WHERE at_us >= %lld", (long long)(T0 + TURNS - NEWEST));
	if (sqlite3_open_v2(x->r.path, &db, SQLITE_OPEN_READWRITE, VFS_FAULT)
	    != SQLITE_OK)
		what = "does not open";
	else if (ask(db, "SELECT count(*) = 1 AND max(integrity_check) = 'ok'"
	    " FROM pragma_integrity_check") != 1)
		what = "is not sound";
	else if (ask(db, sql) != (int64_t)MONITORS * NEWEST)
		what = "rows are gone that were to stay";
	else if (ask(db, "SELECT count(*) FROM monitor") != MONITORS)
		what = "monitors are gone";
	else if (whole && ask(db, "SELECT count(*) FROM transition") !=
	    (int64_t)MONITORS * NEWEST)
		what = "rows are left that were to go";
	sqlite3_close(db);
	return what;
}

static const char *
one_run(struct run *x, enum vfs_fault_mode mode, long nth, uint64_t seed)
{
	const char *what;

	fill(x);
	if (!open_store(x))
		return "does not open";
	vfs_fault_on_strike(struck, x);
	vfs_fault_arm(mode, nth, seed);
	(void)round_of(x);
	close_store(x);
	if (mode == VFS_POWER)
		vfs_fault_reboot();
	vfs_fault_on_strike(NULL, NULL);
	vfs_fault_arm(VFS_SOUND, 0, seed);
	x->struck = false;
	what = look(x, false);
	if (what != NULL)
		return what;
	if (!open_store(x))
		return "does not open again";
	if (!round_of(x))
		what = "the next round does not end";
	close_store(x);
	return what != NULL ? what : look(x, true);
}

static void
sweep(enum vfs_fault_mode mode, const char *name, int seeds)
{
	struct run x = {0};
	long total;

	vfs_fault_register();
	rig_dir(&x.r, "s.db");
	x.r.conf.vfs = VFS_FAULT;
	x.r.conf.readers = 0;
	fill(&x);
	assert_true(open_store(&x));
	vfs_fault_arm(VFS_SOUND, 0, 1);
	assert_true(round_of(&x));
	close_store(&x);
	total = vfs_fault_calls();
	assert_null(look(&x, true));
	assert_in_range(total, 20, 5000);
	for (int seed = 1; seed <= seeds; seed++)
		for (long n = 1; n <= total; n++) {
			const char *what = one_run(&x, mode, n,
			    (uint64_t)seed);

			if (what != NULL)
				fail_msg("%s at call %ld of %ld, seed %d: %s",
				    name, n, total, seed, what);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_loss),
		cmocka_unit_test(test_fails_once),
		cmocka_unit_test(test_fails_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

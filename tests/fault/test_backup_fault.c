/* A backup on a disk that fails: whatever call fails, once or for good, or
 * whenever the power goes, either it says that it failed, or the copy is whole
 * and sound; the store it was taken of is as it was. The same for a store of
 * an older schema that is brought up to date on such a disk: it is the old one
 * or the new one, and what it held is there. */
#include "tests/unit/store_rig.h"

#include "store/backup.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/schema.h"
#include "store/crc32c.h"
#include "tests/fault/vfs_fault.h"

#define T0   INT64_C(1790000000000000)
#define COPY "/copy.db"
#define ROWS 200

static enum err
go_on(void *arg, uint64_t done, uint64_t total, struct errinfo *ei)
{
	(void)arg;
	(void)ei;
	assert_true(done <= total);
	return ERR_OK;
}

static sqlite3 *
open_db(const char *path)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, VFS_FAULT), SQLITE_OK);
	return db;
}

static int64_t
number(const char *path, const char *sql)
{
	sqlite3 *db = open_db(path);
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db = open_db(path);
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

/* A store whose WAL is hot: part of it is not in the database yet. */
static void
make_store(struct rig *r)
{
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	rig_open(r);
	(void)rig_create(r, RIG_WEB("A"));
	for (uint64_t i = 1; i <= ROWS; i++)
		rig_put(r, &rig_result(1, i, T0 + (int64_t)i)->unit);
	rig_flush(r);
	rig_close(r);
}

static bool
sound(const char *path)
{
	struct backend_conf c = {.path = path, .vfs = VFS_FAULT};
	struct audit_report *rep CLEANUP(xfreep) = xcalloc(1, sizeof(*rep));

	return backup_audit(&c, AUDIT_ALL, NULL, rep, NULL) == ERR_OK &&
	    rep->total == 0 && rep->samples == ROWS;
}

static enum err
copy(struct rig *r)
{
	const struct backend_turn turn = {go_on, NULL};
	struct backend_conf from = {.path = r->path, .vfs = VFS_FAULT,
	    .reader = true};
	struct errinfo ei = {0};

	return sqlite_ops.copy(&from, COPY, &turn, &ei);
}

static void
sweep_copy(enum vfs_fault_mode mode, const char *name)
{
	struct rig r;
	long total, ok = 0;

	vfs_fault_register();
	vfs_fault_on_strike(NULL, NULL);
	rig_dir(&r, "s.db");
	r.conf.vfs = VFS_FAULT;
	r.conf.readers = 0;
	make_store(&r);
	vfs_fault_arm(VFS_SOUND, 0, 1);
	assert_int_equal(copy(&r), ERR_OK);
	total = vfs_fault_calls();
	assert_true(sound(COPY));
	for (long n = 1; n <= total; n++) {
		enum err e;

		make_store(&r);
		vfs_fault_arm(mode, n, (uint64_t)n);
		e = copy(&r);
		if (mode == VFS_POWER)
			vfs_fault_reboot();
		vfs_fault_arm(VFS_SOUND, 0, 1);
		/* Not synced, so after a loss of power it is nobody's. */
		if (e == ERR_OK && mode != VFS_POWER && !sound(COPY))
			fail_msg("%s at call %ld: a copy that is not whole",
			    name, n);
		ok += e == ERR_OK;
		if (!sound(r.path))
			fail_msg("%s at call %ld: the store itself", name, n);
	}
	printf("copy, %s: %ld calls, %ld copies\n", name, total, ok);
	assert_true(ok < total);   /* some calls do matter */
	vfs_fault_wipe();
	rig_remove(&r);
}

static void
test_copy(void **state)
{
	(void)state;
	sweep_copy(VFS_FAIL_ONCE, "fails once");
	sweep_copy(VFS_FAIL_ON, "fails for good");
	sweep_copy(VFS_POWER, "power loss");
}

/* -- migrations ---------------------------------------------------------- */

/* As an older vedette left it: the first n migrations, one monitor. */
static void
make_old(const char *path, size_t n)
{
	char sql[400];

	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	run_sql(path, "PRAGMA journal_mode=WAL; CREATE TABLE migration("
	    "version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	    " crc INTEGER NOT NULL, at_us INTEGER NOT NULL)");
	for (size_t i = 0; i < n; i++) {
		run_sql(path, migrations[i].sql);
		snprintf(sql, sizeof(sql), "INSERT INTO migration VALUES(%zu,"
		    " '%s', %u, 1); PRAGMA user_version=%zu; PRAGMA"
		    " application_id=%d", i + 1, migrations[i].name,
		    crc32c(migrations[i].sql, strlen(migrations[i].sql)),
		    i + 1, SCHEMA_APPLICATION);
		run_sql(path, sql);
	}
	run_sql(path, "INSERT INTO meta VALUES('kept', 77)");
}

static void
migrate_once(const char *path)
{
	struct backend_conf c = {.path = path, .vfs = VFS_FAULT};
	struct backend *b = NULL;

	if (sqlite_ops.open(&c, &b, NULL) != ERR_OK)
		return;
	/* Nobody else is here; who waits for them would wait for ever. */
	if (b->ops->migrate(b, T0, NULL) != ERR_OK &&
	    b->fault.class == CLASS_BUSY)
		fail_msg("a migration that fails says that it is locked");
	b->ops->close(b);
}

static void
sweep_migration(enum vfs_fault_mode mode, const char *name, size_t from)
{
	static const char path[] = "/old.db";
	long total;

	make_old(path, from);
	vfs_fault_arm(VFS_SOUND, 0, 1);
	migrate_once(path);
	total = vfs_fault_calls();
	assert_int_equal(number(path, "PRAGMA user_version"), nmigrations);
	for (long n = 1; n <= total; n++) {
		int64_t version, ledger;

		make_old(path, from);
		vfs_fault_arm(mode, n, (uint64_t)n);
		migrate_once(path);
		if (mode == VFS_POWER)
			vfs_fault_reboot();
		vfs_fault_arm(VFS_SOUND, 0, 1);
		version = number(path, "PRAGMA user_version");
		ledger = number(path, "SELECT count(*) FROM migration");
		if (version != ledger || version < (int64_t)from)
			fail_msg("%s at call %ld, from %zu: version %lld,"
			    " ledger %lld", name, n, from, (long long)version,
			    (long long)ledger);
		migrate_once(path);
		if (number(path, "PRAGMA user_version") !=
		    (int64_t)nmigrations || number(path, "SELECT v FROM meta"
		    " WHERE k = 'kept'") != 77)
			fail_msg("%s at call %ld, from %zu: it does not go on",
			    name, n, from);
	}
	printf("migration from %zu, %s: %ld calls\n", from, name, total);
}

static void
test_migrations(void **state)
{
	(void)state;
	vfs_fault_register();
	vfs_fault_on_strike(NULL, NULL);
	for (size_t from = 1; from < nmigrations; from++) {
		sweep_migration(VFS_FAIL_ONCE, "fails once", from);
		sweep_migration(VFS_FAIL_ON, "fails for good", from);
		sweep_migration(VFS_POWER, "power loss", from);
	}
	vfs_fault_wipe();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_migrations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

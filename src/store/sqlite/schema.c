#include "store/sqlite/schema.h"

#include <string.h>

#include "base/attr.h"
#include "store/crc32c.h"
#include "store/sqlite/migrations.h"

static void
finalize(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
}

static enum err
broken(sqlite3 *db, const char *path, struct errinfo *ei)
{
	return fail(ei, ERR_STORE, "%s: cannot read or make the schema: %s",
	    path, sqlite3_errmsg(db));
}

static enum err
number(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? ERR_OK : ERR_STORE;
}

static uint32_t
sum_of(size_t i)
{
	return crc32c(migrations[i].sql, strlen(migrations[i].sql));
}

static enum err
newer(const char *path, int64_t version, struct errinfo *ei)
{
	return fail(ei, ERR_INVALID, "%s has schema %lld, this vedette"
	    " knows up to %zu; nothing was changed; install the newer"
	    " vedette again or restore a backup", path, (long long)version,
	    nmigrations);
}

/* Is this ours, and not of a later vedette? Reads only. */
static enum err
inspect(sqlite3 *db, const char *path, int64_t *ret_version,
    struct errinfo *ei)
{
	int64_t app = 0, tables = 0;

	if (number(db, "PRAGMA application_id", &app) != ERR_OK ||
	    number(db, "PRAGMA user_version", ret_version) != ERR_OK ||
	    number(db, "SELECT count(*) FROM sqlite_master", &tables) != ERR_OK)
		return broken(db, path, ei);
	if (tables > 0 && app != SCHEMA_APPLICATION)
		return fail(ei, ERR_INVALID, "%s is a database of another"
		    " program; nothing was changed; name another file in"
		    " store.url", path);
	if (*ret_version > (int64_t)nmigrations)
		return newer(path, *ret_version, ei);
	return ERR_OK;
}

static enum err
ledger_check(sqlite3 *db, const char *path, int64_t version,
    struct errinfo *ei)
{
	sqlite3_stmt *st CLEANUP(finalize) = NULL;
	int64_t seen = 0;
	int rc;

	if (version == 0)
		return ERR_OK;
	rc = sqlite3_prepare_v2(db, "SELECT version, crc FROM migration"
	    " ORDER BY version", -1, &st, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t v = sqlite3_column_int64(st, 0);

		rc = SQLITE_OK;
		seen++;
		if (v > (int64_t)nmigrations)
			return newer(path, v, ei);
		if (v != seen || v > version ||
		    sqlite3_column_int64(st, 1) != sum_of((size_t)v - 1))
			return fail(ei, ERR_INVALID, "%s: its schema was made by"
			    " another migration %lld than ours; nothing was"
			    " changed; restore a backup", path, (long long)v);
	}
	if (rc != SQLITE_DONE)
		return broken(db, path, ei);
	if (seen != version)
		return fail(ei, ERR_INVALID, "%s: its ledger has %lld of %lld"
		    " migrations; nothing was changed; restore a backup", path,
		    (long long)seen, (long long)version);
	return ERR_OK;
}

static int
make_tables(sqlite3 *db, size_t i)
{
	int rc = SQLITE_OK;

	if (i == 0)
		rc = sqlite3_exec(db, "CREATE TABLE migration("
		    "version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
		    " crc INTEGER NOT NULL, at_us INTEGER NOT NULL)",
		    NULL, NULL, NULL);
	return rc == SQLITE_OK ? sqlite3_exec(db, migrations[i].sql, NULL, NULL,
	    NULL) : rc;
}

static int
migrate_one(sqlite3 *db, size_t i, int64_t now_us)
{
	char *tail;
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = make_tables(db, i);
	tail = sqlite3_mprintf("INSERT INTO migration VALUES(%d, %Q, %u, %lld);"
	    "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT",
	    (int)i + 1, migrations[i].name, sum_of(i), (long long)now_us,
	    (int)i + 1, SCHEMA_APPLICATION);
	if (rc == SQLITE_OK && tail == NULL)
		rc = SQLITE_NOMEM;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, tail, NULL, NULL, NULL);
	sqlite3_free(tail);
	return rc;
}

/* -- is it all there? --------------------------------------------------- */
static bool
text_is(sqlite3_stmt *st, int col, const char *want)
{
	const char *have = (const char *)sqlite3_column_text(st, col);

	return have == NULL || want == NULL ? have == want :
	    strcmp(have, want) == 0;
}

static void
close_db(sqlite3 **db)
{
	(void)sqlite3_close(*db);
}

/* A row of our own schema, looked for in the other. */
static int
look_for(sqlite3_stmt *there, sqlite3_stmt *ours, bool *ret_same,
    struct schema_flaw *f)
{
	int rc;

	f->type = (const char *)sqlite3_column_text(ours, 0);
	f->name = (const char *)sqlite3_column_text(ours, 1);
	(void)sqlite3_reset(there);
	(void)sqlite3_bind_text(there, 1, f->type, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(there, 2, f->name, -1, SQLITE_STATIC);
	rc = sqlite3_step(there);
	f->missing = rc == SQLITE_DONE;
	*ret_same = rc == SQLITE_ROW && text_is(there, 0,
	    (const char *)sqlite3_column_text(ours, 2));
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

enum err
schema_compare(sqlite3 *db, const char *path,
    void (*each)(void *arg, const struct schema_flaw *f), void *arg,
    struct errinfo *ei)
{
	sqlite3 *own CLEANUP(close_db) = NULL;
	sqlite3_stmt *ours CLEANUP(finalize) = NULL;
	sqlite3_stmt *there CLEANUP(finalize) = NULL;
	int64_t version = 0;
	enum err e = inspect(db, path, &version, ei);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = sqlite3_open(":memory:", &own);
	for (size_t i = 0; rc == SQLITE_OK && i < (size_t)version; i++)
		rc = make_tables(own, i);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(own, "SELECT type, name, sql FROM"
		    " sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE"
		    " '\\' ORDER BY type DESC, name", -1, &ours, NULL);
	if (rc != SQLITE_OK)
		return broken(own, path, ei);
	rc = sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_master WHERE"
	    " type = ?1 AND name = ?2", -1, &there, NULL);
	while (rc == SQLITE_OK && sqlite3_step(ours) == SQLITE_ROW) {
		struct schema_flaw f;
		bool same;

		rc = look_for(there, ours, &same, &f);
		if (rc == SQLITE_OK && !same)
			each(arg, &f);
	}
	return rc == SQLITE_OK ? ERR_OK : broken(db, path, ei);
}

enum err
schema_migrate(sqlite3 *db, const char *path, int64_t now_us,
    struct errinfo *ei)
{
	int64_t version = 0;
	enum err e = inspect(db, path, &version, ei);

	if (e == ERR_OK)
		e = ledger_check(db, path, version, ei);
	for (size_t i = (size_t)version; e == ERR_OK && i < nmigrations;
	    i++) {
		if (migrate_one(db, i, now_us) != SQLITE_OK)
			e = broken(db, path, ei);
	}
	return e;
}

enum err
schema_verify(sqlite3 *db, const char *path, bool *ret_older,
    struct errinfo *ei)
{
	int64_t version = 0;
	enum err e = inspect(db, path, &version, ei);

	if (e == ERR_OK && version == 0)
		return fail(ei, ERR_INVALID, "%s is not a store of vedette: it"
		    " has no tables", path);
	if (e == ERR_OK)
		e = ledger_check(db, path, version, ei);
	if (e == ERR_OK)
		*ret_older = version < (int64_t)nmigrations;
	return e;
}

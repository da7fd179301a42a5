#include "store/sqlite/schema.h"

#include <string.h>

#include "base/attr.h"
#include "store/crc32c.h"

struct migration {
	const char *name;
	const char *sql;
};

/* To add one: append a row. Never change one that was released: its checksum
 * is in every ledger. */
static const struct migration migrations[] = {
	{"first", "\
CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;\
CREATE TABLE monitor(id INTEGER PRIMARY KEY, name TEXT NOT NULL,\
 grp INTEGER NOT NULL, text TEXT NOT NULL, version INTEGER NOT NULL,\
 origin INTEGER NOT NULL, archived INTEGER NOT NULL,\
 paused INTEGER NOT NULL, created_us INTEGER NOT NULL);\
CREATE TABLE channel(name TEXT PRIMARY KEY, type TEXT NOT NULL,\
 text TEXT NOT NULL) WITHOUT ROWID;\
CREATE TABLE token(name TEXT PRIMARY KEY, hash BLOB NOT NULL,\
 scope INTEGER NOT NULL, created_us INTEGER NOT NULL,\
 expires_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL) WITHOUT ROWID;\
CREATE TABLE state(monitor INTEGER PRIMARY KEY, b BLOB NOT NULL);\
CREATE TABLE tail(id INTEGER PRIMARY KEY, n INTEGER NOT NULL,\
 b BLOB NOT NULL);\
CREATE TABLE chunk(id INTEGER PRIMARY KEY, monitor INTEGER NOT NULL,\
 first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,\
 from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, n INTEGER NOT NULL,\
 b BLOB NOT NULL);\
CREATE INDEX chunk_of ON chunk(monitor, last_seq, from_us, to_us);\
CREATE TABLE transition(id INTEGER PRIMARY KEY, monitor INTEGER NOT NULL,\
 seq INTEGER NOT NULL, at_us INTEGER NOT NULL, was INTEGER NOT NULL,\
 became INTEGER NOT NULL, why INTEGER NOT NULL, reason TEXT NOT NULL,\
 explain TEXT NOT NULL, evidence TEXT);\
CREATE UNIQUE INDEX transition_key\
 ON transition(monitor, at_us, became, seq);\
CREATE INDEX transition_of ON transition(monitor);\
CREATE TABLE evidence(monitor INTEGER PRIMARY KEY, text TEXT NOT NULL);\
CREATE TABLE event(id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,\
 kind INTEGER NOT NULL, was INTEGER NOT NULL, became INTEGER NOT NULL,\
 why INTEGER NOT NULL, monitor INTEGER NOT NULL, actor TEXT NOT NULL,\
 subject TEXT NOT NULL, text TEXT NOT NULL);\
CREATE TABLE gap(from_us INTEGER PRIMARY KEY, to_us INTEGER NOT NULL);\
CREATE TABLE doomed(monitor INTEGER PRIMARY KEY);"},
};

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
	    COUNT(migrations));
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
	if (*ret_version > (int64_t)COUNT(migrations))
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
		if (v > (int64_t)COUNT(migrations))
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
migrate_one(sqlite3 *db, size_t i, int64_t now_us)
{
	char *tail;
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK && i == 0)
		rc = sqlite3_exec(db, "CREATE TABLE migration("
		    "version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
		    " crc INTEGER NOT NULL, at_us INTEGER NOT NULL)",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, migrations[i].sql, NULL, NULL, NULL);
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

enum err
schema_migrate(sqlite3 *db, const char *path, int64_t now_us,
    struct errinfo *ei)
{
	int64_t version = 0;
	enum err e = inspect(db, path, &version, ei);

	if (e == ERR_OK)
		e = ledger_check(db, path, version, ei);
	for (size_t i = (size_t)version; e == ERR_OK && i < COUNT(migrations);
	    i++) {
		if (migrate_one(db, i, now_us) == SQLITE_OK)
			continue;
		e = broken(db, path, ei);
		if (!sqlite3_get_autocommit(db))
			(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	}
	return e;
}

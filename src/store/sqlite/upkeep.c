#include "store/sqlite/upkeep.h"

#include <string.h>

#include "world/world.h"

/* Tables that have statistics; search indexes, whose shadow tables have
 * none of their own to look at. */
static const char tables_sql[] = "SELECT name FROM sqlite_master WHERE type ="
    " 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    " ORDER BY name LIMIT 1 OFFSET ?1";
static const char indexes_sql[] = "SELECT name FROM sqlite_master WHERE type ="
    " 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%' ORDER BY name"
    " LIMIT 1 OFFSET ?1";

/* The at-th name; sqlite3_free it. *ret_name NULL: no more. */
static int
name_at(sqlite3 *db, const char *sql, unsigned at, char **ret_name)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	*ret_name = NULL;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, at);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret_name = sqlite3_mprintf("%s",
		    (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
run(sqlite3 *db, char *sql)
{
	int rc = sql == NULL ? SQLITE_NOMEM :
	    sqlite3_exec(db, sql, NULL, NULL, NULL);

	sqlite3_free(sql);
	return rc;
}

static int
analyze(sqlite3 *db, const char *name)
{
	int rc = run(db, sqlite3_mprintf("PRAGMA analysis_limit=%d",
	    UPKEEP_ANALYSIS_LIMIT));

	return rc == SQLITE_OK ? run(db, sqlite3_mprintf("ANALYZE main.\"%w\"",
	    name)) : rc;
}

/* Until a merge changes nothing: FTS5 says so by fewer than two changes. */
static int
merge(sqlite3 *db, const char *name, bool *ret_more)
{
	sqlite3_int64 before = sqlite3_total_changes64(db);
	int rc = run(db, sqlite3_mprintf("INSERT INTO main.\"%w\"(\"%w\", rank)"
	    " VALUES('merge', %d)", name, name, UPKEEP_MERGE_PAGES));

	*ret_more = rc == SQLITE_OK &&
	    sqlite3_total_changes64(db) - before >= 2;
	return rc;
}

int
upkeep_piece(sqlite3 *db, enum upkeep_step step, unsigned at,
    bool *ret_more, uint64_t *ret_total)
{
	int64_t until_ns = clock_mono_ns() + UPKEEP_PIECE_NS;
	bool search = step == UPKEEP_SEARCH, again = true;
	char *name = NULL;
	int rc = name_at(db, search ? indexes_sql : tables_sql, at, &name);

	*ret_more = name != NULL;
	if (rc != SQLITE_OK || name == NULL)
		return rc;
	*ret_total = at + 1;
	if (!search)
		rc = analyze(db, name);
	/* An index is one piece here; what it needs beyond waits a day. */
	while (search && rc == SQLITE_OK && again && clock_mono_ns() < until_ns)
		rc = merge(db, name, &again);
	sqlite3_free(name);
	return rc;
}

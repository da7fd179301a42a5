/* copy.c: one read transaction of our own from the first page to the last, so
 * that the copy is of one moment and no commit makes it begin again, as
 * SQLite's backup does when it is given no transaction to stand on. What it
 * costs is a WAL that cannot be cut meanwhile: turn ends it in time. */
#include "store/sqlite/copy.h"

#include <sqlite3.h>

#include "store/sqlite/pragma.h"
#include "store/sqlite/schema.h"

#define STEP_PAGES 64   /* between two turns: a quarter of a megabyte */

struct copy {
	sqlite3 *from, *to;
	sqlite3_backup *b;
};

static void
copy_close(struct copy *c)
{
	(void)sqlite3_backup_finish(c->b);
	(void)sqlite3_close(c->to);
	(void)sqlite3_close(c->from);
}

static enum err
broken(sqlite3 *db, const char *path, struct errinfo *ei)
{
	return fail(ei, ERR_STORE, "%s: %s", path, sqlite3_errmsg(db));
}

/* The snapshot begins with the first read. */
static enum err
open_source(struct copy *c, const struct backend_conf *from,
    struct errinfo *ei)
{
	bool older = false;
	int rc = sqlite3_open_v2(from->path, &c->from, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX, from->vfs);
	enum err e = ERR_OK;

	if (rc != SQLITE_OK)
		return broken(c->from, from->path, ei);
	e = pragma_apply(c->from, true, from->plain, &rc, ei);
	if (e != ERR_OK && (rc & 0xff) == SQLITE_NOTADB)
		return fail(ei, ERR_INVALID, "%s is not a database",
		    from->path);
	if (e != ERR_OK)
		return e;
	if (sqlite3_exec(c->from, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return broken(c->from, from->path, ei);
	return schema_verify(c->from, from->path, &older, ei);
}

/* What a crash leaves of it is never used: no journal, no syncs here. */
static enum err
open_target(struct copy *c, const struct backend_conf *from, const char *to,
    struct errinfo *ei)
{
	if (sqlite3_open_v2(to, &c->to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, from->vfs) != SQLITE_OK ||
	    sqlite3_exec(c->to, "PRAGMA synchronous=0; PRAGMA"
	    " journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE", NULL, NULL,
	    NULL) != SQLITE_OK)
		return broken(c->to, to, ei);
	return ERR_OK;
}

static enum err
copy_pages(struct copy *c, const char *to, const struct backend_turn *turn,
    struct errinfo *ei)
{
	enum err e = ERR_OK;
	int rc = SQLITE_OK;

	c->b = sqlite3_backup_init(c->to, "main", c->from, "main");
	if (c->b == NULL)
		return broken(c->to, to, ei);
	while (e == ERR_OK && rc != SQLITE_DONE) {
		uint64_t total, left;

		rc = sqlite3_backup_step(c->b, STEP_PAGES);
		if (rc != SQLITE_OK && rc != SQLITE_DONE)
			return fail(ei, ERR_STORE, "the copy to %s failed: %s",
			    to, sqlite3_errstr(rc));
		total = (uint64_t)sqlite3_backup_pagecount(c->b);
		left = (uint64_t)sqlite3_backup_remaining(c->b);
		e = turn->fn(turn->arg, total - left, total, ei);
	}
	rc = sqlite3_backup_finish(c->b);
	c->b = NULL;
	if (e == ERR_OK && rc != SQLITE_OK)
		return broken(c->to, to, ei);
	return e;
}

/* The copy's header still says WAL; a file at rest is one file. */
static enum err
make_plain(struct copy *c, const struct backend_conf *from, const char *to,
    struct errinfo *ei)
{
	(void)sqlite3_close(c->to);
	c->to = NULL;
	if (sqlite3_open_v2(to, &c->to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, from->vfs) != SQLITE_OK ||
	    sqlite3_exec(c->to, "PRAGMA journal_mode=DELETE", NULL, NULL,
	    NULL) != SQLITE_OK)
		return broken(c->to, to, ei);
	return ERR_OK;
}

enum err
copy_database(const struct backend_conf *from, const char *to,
    const struct backend_turn *turn, struct errinfo *ei)
{
	struct copy c CLEANUP(copy_close) = {0};
	enum err e = open_source(&c, from, ei);

	if (e == ERR_OK)
		e = open_target(&c, from, to, ei);
	if (e == ERR_OK)
		e = copy_pages(&c, to, turn, ei);
	if (e == ERR_OK)
		e = make_plain(&c, from, to, ei);
	return e;
}

/* conn.c: a connection to SQLite: opening, statements, errors in our words. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/backend.h"
#include "store/sqlite/copy.h"
#include "store/sqlite/guard.h"
#include "store/sqlite/pragma.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/upkeep.h"
#include "world/world.h"

#define PAGE_BYTES 4096   /* as pragma.c has it */
#define FRAME_HEAD 24     /* of each page in the log */
#define FLAW_TEXT  120    /* what is wrong with a table, in words */

struct conn {
	struct backend b;
	sqlite3 *db;
	sqlite3_stmt *st[STMT_NMAX];
	struct guard g;
	bool reader;
	int frames;          /* in the WAL after the last commit */
	char path[512];
};

static struct conn *
conn_of(struct backend *b)
{
	return CONTAINER(b, struct conn, b);
}

static enum err_class
class_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return CLASS_BUSY;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PROTOCOL:
		return CLASS_IO;
	case SQLITE_FULL:
		return CLASS_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return CLASS_CORRUPT;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return CLASS_CONSTRAINT;
	}
	return CLASS_OTHER;
}

/* Only what the unit itself brought is permanent; for all else the data is
 * kept and tried again. */
static enum err
broken(struct conn *c, enum store_op op, int rc, struct errinfo *ei)
{
	c->b.fault.op = op;
	c->b.fault.class = class_of(rc);
	c->b.fault.transient = c->b.fault.class != CLASS_CONSTRAINT;
	if (c->b.fault.op == OP_READ && c->g.stats != NULL)
		atomic_fetch_add(&c->g.stats->errors[OP_READ]
		    [c->b.fault.class], 1);
	return fail(ei, ERR_STORE, "%s: %s", c->path,
	    c->db != NULL ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc));
}

static void
conn_close(struct backend *b)
{
	struct conn *c;

	if (b == NULL)
		return;
	c = conn_of(b);
	for (size_t i = 0; i < STMT_NMAX; i++)
		sqlite3_finalize(c->st[i]);
	(void)sqlite3_close(c->db);
	xfree(c);
}

static int
watch_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct conn *c = arg;

	(void)db;
	(void)name;
	c->frames = frames;
	return SQLITE_OK;
}

static enum err
damaged(const char *path, const char *what, struct errinfo *ei)
{
	return fail(ei, ERR_INVALID, "%s is damaged or is no database (%s);"
	    " nothing was changed; \"vedette store check\" says what is wrong,"
	    " \"vedette store restore FILE\" puts a backup in its place; or"
	    " move it away together with its -wal and -shm files and the"
	    " journal to start empty", path, what);
}

/* Readable by its owner only; SQLite gives the -wal and -shm files the mode
 * of the database. */
static enum err
make_private(const char *path, struct errinfo *ei)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st = {0};

	/* Not opened when it is there: closing it again would let go of the
	 * locks that SQLite has on it in this process. */
	if (fd < 0 && (errno != EEXIST || access(path, R_OK | W_OK) != 0))
		return fail(ei, ERR_SYS, "cannot open %s: %s; the data directory"
		    " must exist and be writable", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	else if (stat(path, &st) == 0 && (st.st_mode & 077) != 0 &&
	    chmod(path, 0600) != 0)
		log_warn("store", "others may read the database",
		    KV("file", path), KV("error", strerror(errno)));
	/* SQLite takes less than a page for an empty database and would begin
	 * a new one in it. */
	if (st.st_size > 0 && st.st_size < PAGE_BYTES)
		return damaged(path, "it ends within its first page", ei);
	return ERR_OK;
}

static enum err
open_failed(struct conn *c, int rc, struct errinfo *ei)
{
	struct errinfo why = {0};

	if (class_of(rc) == CLASS_CORRUPT)
		return damaged(c->path, sqlite3_errmsg(c->db), ei);
	if (ei != NULL)
		why = *ei;
	(void)broken(c, OP_OPEN, rc, ei);
	return fail(ei, ERR_STORE, "cannot open %s: %s", c->path,
	    why.text[0] != '\0' ? why.text : sqlite3_errmsg(c->db));
}

static enum err
conn_open(const struct backend_conf *conf, struct backend **ret,
    struct errinfo *ei)
{
	int flags = (conf->reader || conf->plain) && !conf->memory ?
	    SQLITE_OPEN_READONLY :
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct conn *c;
	struct errinfo why = {0};
	int rc = SQLITE_OK;
	enum err e = ERR_OK;

	if (conf->path[0] != '/')
		return fail(ei, ERR_INVALID, "the store's path %s is not"
		    " absolute", conf->path);
	if (conf->vfs == NULL && !conf->memory && !conf->reader)
		e = make_private(conf->path, ei);
	if (e != ERR_OK)
		return e;
	c = xcalloc(1, sizeof(*c));
	c->b.ops = &sqlite_ops;
	c->g = (struct guard){.b = &c->b, .stats = conf->stats,
	    .stop = conf->stop, .limit_ns = conf->limit_ns,
	    .age_ns = conf->age_ns, .reader = conf->reader};
	c->reader = conf->reader;
	snprintf(c->path, sizeof(c->path), "%s", conf->path);
	/* No URI: "?", "#" and "%" are letters of a name like others. */
	rc = sqlite3_open_v2(conf->path, &c->db, flags | SQLITE_OPEN_NOMUTEX,
	    conf->memory ? "memdb" : conf->vfs);
	if (rc == SQLITE_OK) {
		(void)sqlite3_extended_result_codes(c->db, 1);
		(void)sqlite3_wal_hook(c->db, watch_wal, c);
		e = pragma_apply(c->db, conf->reader, conf->memory ||
		    conf->plain, &rc, &why);
	}
	if (rc != SQLITE_OK || e != ERR_OK) {
		if (ei != NULL)
			*ei = why;
		e = open_failed(c, rc, ei);
		conn_close(&c->b);
		return e;
	}
	guard_install(&c->g, c->db);
	*ret = &c->b;
	return ERR_OK;
}

/* Of several the first is named. */
static void
note_missing(void *arg, const struct schema_flaw *f)
{
	char *first = arg;

	if (f->missing && first[0] == '\0')
		snprintf(first, FLAW_TEXT, "its %.10s %.60s is missing",
		    f->type, f->name);
}

/* Without a table, an index or a trigger nothing would go right for long. */
static enum err
conn_migrate(struct backend *b, int64_t now_us, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	char missing[FLAW_TEXT] = "";
	enum err e = schema_migrate(c->db, c->path, now_us, ei);

	if (e == ERR_OK)
		e = schema_compare(c->db, c->path, note_missing, missing, ei);
	if (e == ERR_STORE) {
		c->b.fault = (struct backend_fault){OP_OPEN,
		    class_of(sqlite3_errcode(c->db)), true};
		if (c->b.fault.class == CLASS_CORRUPT)
			e = damaged(c->path, sqlite3_errmsg(c->db), ei);
	}
	if (!sqlite3_get_autocommit(c->db))
		(void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return e == ERR_OK && missing[0] != '\0' ?
	    damaged(c->path, missing, ei) : e;
}

struct flaws {
	void (*each)(void *arg, const char *text);
	void *arg;
};

static void
tell_flaw(void *arg, const struct schema_flaw *f)
{
	const struct flaws *to = arg;
	char text[FLAW_TEXT];

	snprintf(text, sizeof(text), "the %.10s %.60s is %s", f->type, f->name,
	    f->missing ? "missing" : "not as vedette made it");
	to->each(to->arg, text);
}

static enum err
conn_flaws(struct backend *b, void (*each)(void *arg, const char *text),
    void *arg, struct errinfo *ei)
{
	struct conn *c = conn_of(b);

	return schema_compare(c->db, c->path, tell_flaw,
	    &(struct flaws){each, arg}, ei);
}

/* Ended by us, or refused by the database. */
static enum err
ended(struct conn *c, const char *name, enum store_op op, int rc,
    struct errinfo *ei)
{
	enum err e = guard_why(&c->g, name, ei);

	if (e == ERR_OK)
		return broken(c, op, rc, ei);
	c->b.fault = (struct backend_fault){op, CLASS_OTHER, true};
	return e;
}

static enum err
conn_verify(struct backend *b, bool *ret_older, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	enum err e = schema_verify(c->db, c->path, ret_older, ei);

	if (e == ERR_STORE && class_of(sqlite3_errcode(c->db)) == CLASS_CORRUPT)
		return damaged(c->path, sqlite3_errmsg(c->db), ei);
	return e;
}

static enum err
simple(struct conn *c, const char *sql, enum store_op op, struct errinfo *ei)
{
	int64_t limit_ns = op == OP_BEGIN && c->g.limit_ns != NULL ?
	    c->g.limit_ns[PACE_FAST] : 0;
	int rc = guard_exec(&c->g, c->db, sql, limit_ns);

	return rc == SQLITE_OK ? ERR_OK : ended(c, sql, op, rc, ei);
}

static enum err
conn_begin(struct backend *b, bool write, struct errinfo *ei)
{
	return simple(conn_of(b), write ? "BEGIN IMMEDIATE" : "BEGIN", OP_BEGIN,
	    ei);
}

static enum err
conn_commit(struct backend *b, struct errinfo *ei)
{
	return simple(conn_of(b), "COMMIT", OP_COMMIT, ei);
}

static enum err
conn_rollback(struct backend *b, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	struct backend_fault keep = b->fault;
	enum err e = ERR_OK;

	for (size_t i = 0; i < STMT_NMAX; i++) {
		guard_close(&c->g, (enum stmt)i, false);
		if (c->st[i] != NULL)
			(void)sqlite3_reset(c->st[i]);
	}
	if (!sqlite3_get_autocommit(c->db))
		e = simple(c, "ROLLBACK", OP_COMMIT, ei);
	if (sqlite3_get_autocommit(c->db))
		e = ERR_OK;
	guard_settle(&c->g, c->db);   /* an error may have ended it itself */
	b->fault = keep;   /* why we rolled back matters, not how */
	return e;
}

static int
bind_one(sqlite3_stmt *st, int at, const struct val *v)
{
	int n = v->s.n > INT_MAX ? INT_MAX : (int)v->s.n;

	switch (v->kind) {
	case VAL_NULL:
		return sqlite3_bind_null(st, at);
	case VAL_INT:
		return sqlite3_bind_int64(st, at, v->i);
	case VAL_TEXT:
		return sqlite3_bind_text(st, at, v->s.n == 0 ? "" : v->s.p, n,
		    SQLITE_STATIC);
	case VAL_BYTES:
		return sqlite3_bind_blob(st, at, v->s.n == 0 ? "" : v->s.p, n,
		    SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static enum err
prepare(struct conn *c, enum stmt s, const struct val *v, size_t n,
    struct errinfo *ei)
{
	enum store_op op = c->reader ? OP_READ : OP_WRITE;
	int rc = SQLITE_OK;

	if (c->st[s] == NULL)
		rc = sqlite3_prepare_v3(c->db, sql_text[s], -1,
		    SQLITE_PREPARE_PERSISTENT, &c->st[s], NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_one(c->st[s], (int)i + 1, &v[i]);
	guard_open(&c->g, s);
	if (rc == SQLITE_OK)
		return ERR_OK;
	guard_close(&c->g, s, true);
	return broken(c, op, rc, ei);
}

static enum err
conn_run(struct backend *b, enum stmt s, const struct val *v, size_t n,
    int64_t *ret_changes, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	enum err e = prepare(c, s, v, n, ei);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = guard_step(&c->g, s, c->st[s]);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		e = ended(c, stmt_rows[s].name, OP_WRITE, rc, ei);
	guard_close(&c->g, s, e != ERR_OK);
	(void)sqlite3_reset(c->st[s]);
	if (e == ERR_OK && ret_changes != NULL)
		*ret_changes = sqlite3_changes64(c->db);
	return e;
}

static enum err
conn_query(struct backend *b, enum stmt s, const struct val *v, size_t n,
    struct errinfo *ei)
{
	return prepare(conn_of(b), s, v, n, ei);
}

static enum err
conn_next(struct backend *b, enum stmt s, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	int rc = guard_step(&c->g, s, c->st[s]);
	enum err e;

	if (rc == SQLITE_ROW)
		return ERR_OK;
	e = rc == SQLITE_DONE ? ERR_NOT_FOUND :
	    ended(c, stmt_rows[s].name, OP_READ, rc, ei);
	guard_close(&c->g, s, e != ERR_NOT_FOUND);
	(void)sqlite3_reset(c->st[s]);
	return e;
}

static void
conn_done(struct backend *b, enum stmt s)
{
	struct conn *c = conn_of(b);

	(void)sqlite3_reset(c->st[s]);
	guard_close(&c->g, s, false);
}

static int64_t
conn_column_int(struct backend *b, enum stmt s, int col)
{
	return sqlite3_column_int64(conn_of(b)->st[s], col);
}

static struct str
conn_column_str(struct backend *b, enum stmt s, int col)
{
	sqlite3_stmt *st = conn_of(b)->st[s];
	const void *p = sqlite3_column_blob(st, col);
	int n = sqlite3_column_bytes(st, col);

	return p == NULL ? (struct str){"", 0} : (struct str){p, (size_t)n};
}

/* The result row is the answer: a checkpoint that readers held up returns
 * busy or leaves frames behind, and is no success. */
static enum checkpoint
conn_checkpoint(struct backend *b, bool truncate)
{
	struct conn *c = conn_of(b);
	int64_t began_ns = clock_mono_ns();
	int log = -1, done = -1, rc;

	c->g.ended = ENDED_OK;
	rc = sqlite3_wal_checkpoint_v2(c->db, "main", truncate ?
	    SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &log,
	    &done);
	guard_slow(truncate ? "checkpoint truncate" : "checkpoint passive",
	    clock_mono_ns() - began_ns);
	if (class_of(rc) == CLASS_BUSY && rc != SQLITE_OK)
		return CKPT_BUSY;
	if (rc != SQLITE_OK) {
		(void)broken(c, OP_CHECKPOINT, rc, NULL);
		return CKPT_ERROR;
	}
	if (log > done)
		return CKPT_PARTIAL;
	c->frames = 0;
	return CKPT_DONE;
}

/* Asked of SQLite's own file, never by name: there may be another file of that
 * name by now. A log that is not there yet has no methods. */
static bool
file_size(sqlite3 *db, int which, uint64_t *ret)
{
	sqlite3_file *f = NULL;
	sqlite3_int64 n = 0;

	*ret = 0;
	if (sqlite3_file_control(db, "main", which, &f) != SQLITE_OK ||
	    f == NULL)
		return false;
	if (f->pMethods != NULL && f->pMethods->xFileSize(f, &n) != SQLITE_OK)
		return false;
	*ret = (uint64_t)n;
	return true;
}

static bool
conn_sizes(struct backend *b, uint64_t *ret_live, uint64_t *ret_wal,
    uint64_t *ret_file)
{
	struct conn *c = conn_of(b);

	*ret_live = (uint64_t)c->frames * (PAGE_BYTES + FRAME_HEAD);
	return file_size(c->db, SQLITE_FCNTL_JOURNAL_POINTER, ret_wal) &&
	    file_size(c->db, SQLITE_FCNTL_FILE_POINTER, ret_file);
}

static enum err
pragma_number(struct conn *c, const char *sql, uint64_t *ret,
    struct errinfo *ei)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? ERR_OK : broken(c, OP_READ, rc, ei);
}

static enum err
conn_pages(struct backend *b, uint64_t *ret_all, uint64_t *ret_free,
    struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	enum err e = pragma_number(c, "PRAGMA page_count", ret_all, ei);

	return e == ERR_OK ? pragma_number(c, "PRAGMA freelist_count",
	    ret_free, ei) : e;
}

static enum err
conn_vacuum(struct backend *b, unsigned n, struct errinfo *ei)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%u)", n);
	return simple(conn_of(b), sql, OP_WRITE, ei);
}

static enum err
conn_upkeep(struct backend *b, enum upkeep_step step, unsigned at,
    bool *ret_more, uint64_t *ret_total, struct errinfo *ei)
{
	struct conn *c = conn_of(b);
	int rc = upkeep_piece(c->db, step, at, ret_more, ret_total);

	return rc == SQLITE_OK ? ERR_OK : broken(c, OP_WRITE, rc, ei);
}

const struct backend_ops sqlite_ops = {
	.name = "sqlite",
	.open = conn_open, .migrate = conn_migrate, .begin = conn_begin,
	.commit = conn_commit, .rollback = conn_rollback, .run = conn_run,
	.query = conn_query, .next = conn_next, .done = conn_done,
	.column_int = conn_column_int, .column_str = conn_column_str,
	.checkpoint = conn_checkpoint, .sizes = conn_sizes,
	.pages = conn_pages, .vacuum = conn_vacuum,
	.upkeep = conn_upkeep, .verify = conn_verify, .flaws = conn_flaws,
	.close = conn_close,
	.copy = copy_database,
};

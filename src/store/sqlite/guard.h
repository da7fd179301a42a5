/* guard.h: what ends a statement that runs and a wait for a lock: the limit
 * of its class, the question's deadline, the age of the snapshot, whoever asked
 * leaving, the daemon stopping. Counts and times each statement, and logs the
 * slow ones by name. Of one connection, on its thread. */
#ifndef STORE_SQLITE_GUARD_H
#define STORE_SQLITE_GUARD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/backend.h"

#define GUARD_SLOW_NS INT64_C(100000000)   /* longer is logged */

struct guard {
	struct backend *b;
	struct store_stats *stats;      /* NULL: not counted */
	const _Atomic bool *stop;       /* NULL: never */
	const int64_t *limit_ns;        /* by pace; NULL: none */
	const _Atomic int64_t *age_ns;  /* of a snapshot; NULL: any */
	bool reader;
	bool tx;                        /* between begin and commit */
	unsigned nopen;
	struct { bool open; uint64_t rows; int64_t used_ns, until_ns; }
	    run[STMT_NMAX];
	/* the call into SQLite that is under way */
	bool armed;
	int64_t until_ns;               /* 0: no limit */
	int64_t wait_ns;                /* a lock is waited for since; 0 */
	/* the last one */
	enum ended ended;               /* OK: nothing of this ended it */
	bool aged;                      /* it was the snapshot's age */
};

/* b, stop, limit_ns, age_ns, reader and stats are set. The busy handler takes
 * the place of PRAGMA busy_timeout. */
void guard_install(struct guard *g, sqlite3 *db);

/* A statement: begun once, stepped, over. */
void guard_open(struct guard *g, enum stmt s);
/* SQLite's code; SQLITE_INTERRUPT when it is over before it began. */
int guard_step(struct guard *g, enum stmt s, sqlite3_stmt *st);
/* Over: counted. A second time: nothing. failed: by an error. */
void guard_close(struct guard *g, enum stmt s, bool failed);

/* What is no statement of the table (BEGIN, COMMIT, a checkpoint): run with
 * that limit (0: it is never ended), timed, logged when slow. */
int guard_exec(struct guard *g, sqlite3 *db, const char *sql, int64_t limit_ns);
/* Whether a transaction is open may have changed by itself. */
void guard_settle(struct guard *g, sqlite3 *db);
void guard_arm(struct guard *g, int64_t now_ns, int64_t limit_ns);
void guard_disarm(struct guard *g);
void guard_slow(const char *name, int64_t took_ns);

/* Why it was ended, in words: ERR_TIMEOUT, ERR_CANCELLED, ERR_STOPPING; ERR_OK
 * when it was not. name: of what ran. */
enum err guard_why(const struct guard *g, const char *name,
    struct errinfo *ei) MUST_USE;

#endif

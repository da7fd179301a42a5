/* backend.h: what the store asks of a database. One connection per struct
 * backend, used by one thread. What is asked is a statement of stmt.h;
 * each backend has the text of each, so that a second database is a second
 * table of texts and a second set of a dozen functions. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/stmt.h"
#include "store/store.h"
#include "store/val.h"

/* What went wrong last, for retry and counters. */
struct backend_fault {
	enum store_op op;
	enum err_class class;
	bool transient;      /* trying again may help */
};

struct backend_conf {
	const char *path;
	const char *vfs;
	bool memory;
	bool reader;         /* a read-only connection */
	bool plain;          /* of a file at rest, such as a backup: no WAL */
	const _Atomic bool *stop;   /* ends waits and reads early */
	const int64_t *limit_ns;    /* of a statement, by pace; NULL: none */
	const _Atomic int64_t *age_ns;   /* of a snapshot; NULL: any */
	struct store_stats *stats;  /* NULL: nothing is counted */
};

struct backend {
	const struct backend_ops *ops;
	struct backend_fault fault;
	int64_t deadline_ns;            /* of the reads that follow; 0 none */
	const _Atomic bool *cancelled;  /* by whoever waits for them; or NULL */
	int64_t busy_ns;                /* of lock waits; 0: the usual */
	/* For others to look at: who asks (a static text), and since when a
	 * snapshot is held; NULL and 0: nobody. */
	const char *_Atomic who;
	_Atomic int64_t held_ns;
};

/* Of long work: called at least every few milliseconds with how far it is;
 * not ERR_OK ends the work with that. */
struct backend_turn {
	enum err (*fn)(void *arg, uint64_t done, uint64_t total,
	    struct errinfo *ei);
	void *arg;
};

/* What store/upkeep.h does, in this order. */
enum upkeep_step { UPKEEP_ANALYZE, UPKEEP_VACUUM, UPKEEP_SEARCH,
	UPKEEP_CHECKPOINT, UPKEEP_NMAX };

/* All fail with ERR_STORE, or ERR_TIMEOUT, ERR_CANCELLED, ERR_STOPPING when a
 * deadline or the asker ended it, and fill in fault. A statement runs at most
 * once at a time on a connection. */
struct backend_ops {
	const char *name;
	enum err (*open)(const struct backend_conf *c, struct backend **ret,
	    struct errinfo *ei);
	enum err (*migrate)(struct backend *b, int64_t now_us,
	    struct errinfo *ei);
	/* Is this a store that we know? Reads only. *ret_older: opening it to
	 * write would bring it up to date first. */
	enum err (*verify)(struct backend *b, bool *ret_older,
	    struct errinfo *ei);
	/* What of our tables is missing or another's, in words for each. */
	enum err (*flaws)(struct backend *b,
	    void (*each)(void *arg, const char *text), void *arg,
	    struct errinfo *ei);
	enum err (*begin)(struct backend *b, bool write, struct errinfo *ei);
	enum err (*commit)(struct backend *b, struct errinfo *ei);
	/* Always leaves no transaction, or says that the connection is gone. */
	enum err (*rollback)(struct backend *b, struct errinfo *ei);
	/* *ret_changes may be NULL. */
	enum err (*run)(struct backend *b, enum stmt s, const struct val *v,
	    size_t n, int64_t *ret_changes, struct errinfo *ei);
	enum err (*query)(struct backend *b, enum stmt s, const struct val *v,
	    size_t n, struct errinfo *ei);
	/* ERR_NOT_FOUND: no more rows; the statement is over then and after
	 * an error. done ends it before. */
	enum err (*next)(struct backend *b, enum stmt s, struct errinfo *ei);
	void (*done)(struct backend *b, enum stmt s);
	int64_t (*column_int)(struct backend *b, enum stmt s, int col);
	/* Borrowed until the next step; bytes or text. */
	struct str (*column_str)(struct backend *b, enum stmt s, int col);
	/* Passive in passing, or to give the space back. */
	enum checkpoint (*checkpoint)(struct backend *b, bool truncate);
	/* Bytes in use in the log, and of the files. False: not known. */
	bool (*sizes)(struct backend *b, uint64_t *ret_pending,
	    uint64_t *ret_wal, uint64_t *ret_file);
	/* Pages of the file, and those of them that hold nothing. */
	enum err (*pages)(struct backend *b, uint64_t *ret_all,
	    uint64_t *ret_free, struct errinfo *ei);
	/* Within a transaction: give up to n empty pages back; the file is
	 * cut when it is checkpointed. Nothing when it cannot be cut. */
	enum err (*vacuum)(struct backend *b, unsigned n, struct errinfo *ei);
	/* ANALYZE or SEARCH, within a transaction: the at-th table. *ret_more:
	 * there may be another; *ret_total: how many so far. */
	enum err (*upkeep)(struct backend *b, enum upkeep_step step,
	    unsigned at, bool *ret_more, uint64_t *ret_total,
	    struct errinfo *ei);
	void (*close)(struct backend *b);
	/* A copy of the database at "from", as of one moment, into the empty
	 * file "to", which is then a file at rest. Takes no lock that a writer
	 * waits for, but the WAL stays while it runs: turn is asked all the
	 * time whether to go on. Not synced. */
	enum err (*copy)(const struct backend_conf *from, const char *to,
	    const struct backend_turn *turn, struct errinfo *ei);
};
extern const struct backend_ops sqlite_ops;   /* sqlite/conn.c */

/* One value of one row; dflt when there is no row. */
enum err backend_int(struct backend *b, enum stmt s, const struct val *v,
    size_t n, int64_t dflt, int64_t *ret, struct errinfo *ei) MUST_USE;

#endif

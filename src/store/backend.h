/* backend.h: what the store asks of a database. One connection per struct
 * backend, used by one thread. What is asked is a statement of the list below;
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
#include "store/store.h"

/* Arguments in the order given; → the columns of the answer. */
enum stmt {
	STMT_META_PUT,          /* key, value */
	STMT_META_GET,          /* key → value */
	STMT_MONITOR_PUT,       /* id name group text version origin archived
				 * paused created_us */
	STMT_MONITOR_DEL,       /* id */
	STMT_MONITOR_LOAD,      /* → as put; groups first */
	STMT_CHANNEL_PUT,       /* name type text */
	STMT_CHANNEL_DEL,       /* name */
	STMT_CHANNEL_LOAD,      /* → as put */
	STMT_TOKEN_PUT,         /* name hash scope created expires revoked */
	STMT_TOKEN_LOAD,        /* → as put */
	STMT_STATE_PUT,         /* monitor bytes */
	STMT_STATE_DEL,         /* monitor */
	STMT_STATE_LOAD,        /* → monitor bytes */
	STMT_STATE_GET,         /* monitor → bytes */
	STMT_TAIL_PUT,          /* id samples bytes */
	STMT_TAIL_GET,          /* id → bytes */
	STMT_TAIL_LOAD,         /* → id samples bytes, by id */
	STMT_TAIL_DEL,          /* from to: ids, both included */
	STMT_CHUNK_PUT,         /* monitor first_seq last_seq from_us to_us
				 * samples bytes */
	STMT_CHUNK_DEL,         /* id */
	STMT_CHUNK_LAST,        /* monitor → id last_seq samples bytes */
	STMT_CHUNK_LIST,        /* monitor below_seq to_us → id last_seq from_us
				 * to_us, newest first */
	STMT_CHUNK_GET,         /* id → bytes */
	STMT_CHUNK_DOOM,        /* monitor limit: some of its chunks go */
	STMT_TRANSITION_PUT,    /* id monitor seq at from to why reason explain
				 * evidence; a key that is there: nothing */
	STMT_TRANSITION_HAVE,   /* id → 1 */
	STMT_TRANSITION_SINCE,  /* at_us → monitor at from to, by monitor, at, id */
	STMT_TRANSITION_LIST,   /* monitor from to below_id limit → as put */
	STMT_TRANSITION_ALL,    /* from to below_id limit → as put */
	STMT_TRANSITION_AT,     /* monitor at → as put, the last up to at */
	STMT_TRANSITION_NEXT,   /* monitor at → as put, the first after at */
	STMT_TRANSITION_SPAN,   /* monitor from to → at from to, in order */
	STMT_TRANSITION_MAX,    /* → greatest id, greatest at_us */
	STMT_TRANSITION_DOOM,   /* monitor limit */
	STMT_EVIDENCE_PUT,      /* monitor text */
	STMT_EVIDENCE_GET,      /* monitor → text */
	STMT_EVIDENCE_DEL,      /* monitor */
	STMT_EVENT_PUT,         /* id at kind from to why monitor actor subject
				 * text */
	STMT_EVENT_HAVE,        /* id → 1 */
	STMT_EVENT_RANGE,       /* → least id, greatest id, at_us of that */
	STMT_EVENT_DEL,         /* up to this id */
	STMT_EVENT_OLD,         /* after below limit → as put, oldest first */
	STMT_EVENT_NEW,         /* after below limit → as put, newest first */
	STMT_GAP_PUT,           /* from to */
	STMT_GAP_LOAD,          /* since → from to, oldest first */
	STMT_GAP_PRUNE,         /* keep the newest this many */
	STMT_DOOMED_PUT,        /* monitor */
	STMT_DOOMED_DEL,        /* monitor */
	STMT_DOOMED_LOAD,       /* → monitor */
	STMT_NMAX
};

enum val_kind { VAL_NULL, VAL_INT, VAL_TEXT, VAL_BYTES };
struct val {
	enum val_kind kind;
	int64_t i;
	struct str s;        /* borrowed until the call returns */
};
#define V_INT(x)   ((struct val){.kind = VAL_INT, .i = (int64_t)(x)})
#define V_TEXT(x)  ((struct val){.kind = VAL_TEXT, .s = str_of(x)})
#define V_STR(x)   ((struct val){.kind = VAL_TEXT, .s = (x)})
#define V_BYTES(x) ((struct val){.kind = VAL_BYTES, .s = (x)})
#define V_NULL     ((struct val){.kind = VAL_NULL})
#define VALS(...)  ((const struct val[]){__VA_ARGS__}), \
	COUNT(((const struct val[]){__VA_ARGS__}))

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
	const _Atomic bool *stop;   /* ends waits and reads early */
};

struct backend {
	const struct backend_ops *ops;
	struct backend_fault fault;
	int64_t deadline_ns;            /* of the reads that follow; 0 none */
	const _Atomic bool *cancelled;  /* by whoever waits for them; or NULL */
};

/* All fail with ERR_STORE, or ERR_TIMEOUT (deadline, cancelled), and fill in
 * fault. A statement runs at most once at a time on a connection. */
struct backend_ops {
	const char *name;
	enum err (*open)(const struct backend_conf *c, struct backend **ret,
	    struct errinfo *ei);
	enum err (*migrate)(struct backend *b, int64_t now_us,
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
	/* Bytes not yet checkpointed and of the files; 0 when unknown. */
	void (*sizes)(struct backend *b, uint64_t *ret_pending,
	    uint64_t *ret_wal, uint64_t *ret_file);
	void (*close)(struct backend *b);
};
extern const struct backend_ops sqlite_ops;   /* sqlite/conn.c */

/* One value of one row; dflt when there is no row. */
enum err backend_int(struct backend *b, enum stmt s, const struct val *v,
    size_t n, int64_t dflt, int64_t *ret, struct errinfo *ei) MUST_USE;

#endif

/* inside.h: the store's parts, for its own files only. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/role.h"
#include "store/backend.h"
#include "store/block.h"
#include "store/entry.h"
#include "store/backlog.h"
#include "store/rollup.h"
#include "store/store.h"
#include "store/wal.h"

#define BATCH_UNITS  4096      /* in one transaction */
#define ALIVE_NS     (5 * INT64_C(1000000000))
#define ANSWER_NS    INT64_C(1000000000)   /* who waits longer is told: 503 */
#define RETRY_MIN_NS INT64_C(10000000)
#define RETRY_MAX_NS INT64_C(1000000000)
#define OWED_MAX     32

struct budget;   /* budget.h */
struct prune;    /* prune.h */
struct edit;     /* edit.h: a configuration unit, planned */
struct errands;  /* errand.h */
struct health;   /* health.h */
struct upkeep;   /* upkeep.h */
struct readers;  /* readers.h */
struct replay;   /* replay.h */
struct rescue;   /* rescue.h: the journal and its thread */
struct ward;     /* quarantine.h */
struct run_row;  /* applied.h */
/* A unit of the batch under way. */
struct slot {
	struct unit *unit;
	enum err outcome;          /* for its ack */
	bool stored;               /* wrote something: apply it to the view */
	struct errinfo *ei;        /* owned; why it was refused */
	uint64_t place;            /* of its sample in the tail */
	bool tell;                 /* nobody has heard of it yet */
	bool replayed;             /* read back; the mailbox knows nothing of it */
};

/* A prefix of what waits, kept until it is committed. Units [0, done) are;
 * an attempt is a transaction over a range of the rest. */
struct batch {
	struct slot v[BATCH_UNITS];
	size_t n, done;
	struct edit *edit;         /* when v[0] is a configuration unit */
	/* the attempt */
	struct block block;
	struct event *events;      /* written in it */
	struct unit **event_of;    /* whose each is; NULL: the store's own */
	size_t nevents, events_cap;
	struct entry **touched;    /* their batch_seq moved */
	size_t ntouched, touched_cap;
	uint64_t tail_rows;
	bool alive;                /* it carries the stamp alive_us */
	int64_t alive_us;
	uint64_t rows[ROW_NMAX], duplicates, shed[SHED_NMAX];
	size_t owed;               /* events of s->owed that it carries */
	uint64_t mark;             /* records up to here are committed with it */
	uint64_t replay_to;        /* read back up to here; 0: not a replay */
	/* COMMIT failed: was it done? This row of it tells. */
	bool in_doubt;
	size_t doubt_hi;
	bool has_proof;
	enum stmt proof;
	uint64_t proof_id;
};

struct ids { uint64_t block, transition, incident, note; };

struct store {
	struct store_conf conf;
	struct backend *db;            /* the writer's connection; NULL: lost */
	struct backend_fault fault;    /* of the last attempt that failed */
	int lock_fd;
	struct mbox inbox;
	struct view *view;
	struct live *live;
	struct readers *readers;
	struct errands *errands;
	struct health *health;
	struct upkeep *upkeep;
	struct store_stats stats;
	int64_t write_limit_ns[PACE_NMAX];   /* 0 while it is loaded: none */
	pthread_t thread;
	bool started, stopped;
	bool stuck;                    /* a reader never came back */
	_Atomic bool stopping, gone;   /* gone: the thread has ended */
	_Atomic int64_t stop_by_ns;
	_Atomic uint64_t probe_want, probe_have;   /* commits asked for */
	pthread_mutex_t facts;         /* the next one */
	struct errinfo trouble;        /* text "": none */

	/* Between the writer and the journal's thread. It guards the queue,
	 * which units the batch has, and of units that are in either: ack,
	 * told, journal_seq, event_id. */
	pthread_mutex_t mu;
	struct backlog queue;
	struct rescue *rescue;         /* NULL: there is no journal */
	_Atomic uint64_t next_event;   /* numbers of events, ever rising */

	/* the writer's own */
	struct replay *replay;
	struct ward *ward;
	uint64_t marked, mark_due;     /* records committed; to be said so */
	struct batch *batch;
	struct ids next;               /* to be given; */
	struct ids begun;              /* as they were before the attempt */
	uint64_t first_event;          /* the oldest in the log */
	uint32_t next_monitor;
	int64_t alive_ns;              /* when the stamp was last written */
	int64_t retry_ns, backoff_ns;  /* 0: not failing */
	uint32_t failures, reopen;     /* in a row */
	struct event owed[OWED_MAX];   /* to go with the next transaction */
	size_t nowed;
	struct wal wal;
	size_t abandoned;              /* left over when it stopped */
	uint64_t answered;             /* units, stored or refused */
	int64_t last_sign_us;          /* at open: when we were last alive */
	int64_t clock_back_us;         /* at open: the stamp lies ahead */
	int64_t opened_us, blind_us;   /* at open: we had lost sight then; 0 */
	uint64_t deliveries;           /* stored since the start */
	uint32_t *doomed;              /* deleted, their rows still there */
	size_t ndoomed;
	struct rollup_place doom;      /* of the last of them */
	uint64_t tail_samples, tail_first;   /* of the tail table */
	int64_t tail_since_us;         /* its age counts from here */
	uint64_t moved_block;          /* how far a cycle is: rollups.h */
	uint32_t moved_monitor;
	struct compaction *compaction; /* compact.h */
	struct prune *prune;
	struct budget *budget;
	struct run_row *run_rows;      /* applied.c: runs that are stored; */
	size_t nrun_rows;
	uint64_t conf_gen, applied_gen;   /* for this configuration; */
	int64_t applied_ns;            /* looked at again then */
	int64_t slice_ns, early_ns, box_ns;   /* chores.h: the next not before; */
	unsigned chore;                /* so much sooner; how long; whose turn */
};

#include "store/parts.h"

#endif

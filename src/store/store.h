/* store.h: what is durable, and the one thread that makes it so. Everything
 * persisted passes through store_inbox as units; a batch is one transaction;
 * acks and the view follow the commit. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hist.h"
#include "base/mbox.h"
#include "conf/conf.h"
#include "conf/plan.h"
#include "model/command.h"
#include "model/unit.h"
#include "store/journal_conf.h"
#include "store/pace.h"

struct journal_stats;   /* store/journal.h */
struct store;
struct view;
struct live;

struct store_conf {
	char path[512];               /* absolute, of the SQLite file */
	int64_t commit_delay_ns;
	uint32_t queue;               /* units */
	uint64_t queue_bytes;
	uint32_t readers;
	/* 0 in any of these: the default, STORE_… below */
	int64_t deadline_ns[PACE_NMAX];   /* of one statement, by class */
	int64_t read_age_ns;          /* of a read transaction */
	int64_t reader_life_ns, reader_idle_ns;   /* then opened again */
	struct retention retention;
	uint64_t disk_budget;         /* bytes; 0: none */
	uint64_t checkpoint_size, wal_max;   /* wal.h */
	int64_t checkpoint_ns;
	struct store_journal journal;
	const struct monitor_kind *const *kinds;
	/* After a commit that changed monitors: what each shard must hear.
	 * On the writer's thread. The command is given away. */
	void (*to_shard)(void *arg, struct command *c, uint32_t group_or_id);
	void *to_shard_arg;
	/* The channels are others now. As above, after the commit. */
	void (*channels)(void *arg);
	void *channels_arg;
	/* A unit has become durable: committed, or fsynced in the journal; once
	 * for each unit, from the thread that made it so, before its ack. Reads
	 * only, and does not block. NULL: nobody listens. */
	void (*durable)(void *arg, const struct unit *u);
	void *durable_arg;
	/* "04:30", in time_zone: daily maintenance; NULL or other: never. */
	const char *maintain_at;
	const char *time_zone;        /* of day bars and maintenance; NULL: UTC */
	const char *vfs;              /* NULL; tests name their own */
	bool memory;                  /* tests only */
};

#define STORE_CHECKPOINT_SIZE (UINT64_C(8) << 20)
#define STORE_CHECKPOINT_NS  (INT64_C(60) * 1000000000)
#define STORE_WAL_MAX        (UINT64_C(64) << 20)   /* the hard mark */
#define STORE_READ_AGE_NS    (INT64_C(60) * 1000000000)
#define STORE_READER_LIFE_NS (INT64_C(3600) * 1000000000)
#define STORE_READER_IDLE_NS (INT64_C(1800) * 1000000000)
/* Fast, normal, slow. */
#define STORE_DEADLINES_NS   {INT64_C(1000000000), INT64_C(5000000000), \
	INT64_C(30000000000)}

/* Takes the lock file (a second daemon is refused with the pid of the first),
 * opens, migrates (a newer schema is refused), fills in the gap since the last
 * alive stamp, loads the view. No thread runs yet. */
enum err store_open(const struct store_conf *c, struct store **ret,
    struct errinfo *ei) MUST_USE;
/* Start the writer and reader threads. */
enum err store_start(struct store *s, struct errinfo *ei) MUST_USE;
/* Send every stored monitor, groups first, with its state, through to_shard
 * as COMMAND_PUT. Before or after store_start. */
void store_replay(struct store *s);
struct mbox *store_inbox(struct store *s);
struct view *store_view(struct store *s);
struct live *store_live(struct store *s);
/* No more questions: those that run end now, those that wait are not asked. */
void store_stop_reads(struct store *s);
/* Everything queued is stored and acked, WAL checkpointed, file closed, by
 * deadline_ns; ERR_TIMEOUT says units were left. Readers are interrupted. */
enum err store_stop(struct store *s, int64_t deadline_ns, struct errinfo *ei);
void store_free(struct store *s);
/* Does it commit? For /readyz: ERR_OK or what is wrong, from cached facts. */
enum err store_ready(struct store *s, struct errinfo *ei);
int64_t store_blind_us(const struct store *s);   /* since, at the open; 0 */

/* Counters for /metrics and "store stats"; relaxed atomics, any thread. */
enum row_kind { ROW_SAMPLE, ROW_TRANSITION, ROW_STATE, ROW_EVENT, ROW_CONFIG,
	ROW_OUTBOX, ROW_NMAX };
extern const char *const row_kind_names[ROW_NMAX];
enum store_op { OP_OPEN, OP_BEGIN, OP_WRITE, OP_COMMIT, OP_READ,
	OP_CHECKPOINT, OP_NMAX };
extern const char *const store_op_names[OP_NMAX];
enum err_class { CLASS_BUSY, CLASS_IO, CLASS_FULL, CLASS_CORRUPT,
	CLASS_CONSTRAINT, CLASS_OTHER, CLASS_NMAX };
extern const char *const err_class_names[CLASS_NMAX];
enum checkpoint { CKPT_DONE, CKPT_PARTIAL, CKPT_BUSY, CKPT_ERROR, CKPT_NMAX };
extern const char *const checkpoint_names[CKPT_NMAX];
/* What gives way when there is no room, in this order (budget.h). */
enum shed_kind { SHED_STORED_SAMPLE, SHED_VOID_SAMPLE, SHED_OK_SAMPLE,
	SHED_NMAX };
extern const char *const shed_kind_names[SHED_NMAX];
/* How far the store is from having no room at all. */
enum pressure {
	PRESSURE_NONE,
	PRESSURE_WARN,     /* little is left: it was said */
	PRESSURE_SHED,     /* the oldest samples go, then new ones are thinned */
	PRESSURE_REFUSE,   /* none is left: front doors take no writes */
	PRESSURE_NMAX
};
extern const char *const pressure_names[PRESSURE_NMAX];
#define RETENTION_MAX 40   /* rows of the retention table; retention.h */
struct store_stats {
	_Atomic uint64_t commits, rows[ROW_NMAX], dropped[UNIT_NMAX];
	_Atomic uint64_t errors[OP_NMAX][CLASS_NMAX], checkpoints[CKPT_NMAX];
	_Atomic uint64_t wal_bytes, file_bytes, duplicates, refused;
	_Atomic int64_t last_commit_us, failing_since_us;   /* 0: not failing */
	struct hist commit, queue_wait;
	struct hist statement[PACE_NMAX];   /* time inside the database */
	_Atomic uint64_t queries[PACE_NMAX][ENDED_NMAX];
	_Atomic uint64_t recycled;          /* readers opened again */
	_Atomic uint64_t damaged;           /* rows unreadable at the start */
	/* housekeeping */
	_Atomic uint64_t pruned[RETENTION_MAX], shed[SHED_NMAX], vacuumed;
	_Atomic int64_t slice_max_ns;
	struct hist slice;     /* of holding the write lock, commit included */
	/* room: what live rows, WAL and journal take; what the database could
	 * give back; what the file system has left; 0 when not known */
	_Atomic uint64_t used_bytes, spare_bytes, disk_free_bytes;
	_Atomic int64_t last_checkpoint_us; /* done; 0 never */
	_Atomic unsigned last_checkpoint;   /* enum checkpoint */
	_Atomic unsigned checkpoints_stuck; /* in a row */
};
const struct store_stats *store_stats(const struct store *s);
uint64_t store_budget(const struct store *s);   /* bytes; 0: none */
const struct journal_stats *store_journal_stats(const struct store *s);
uint64_t store_quarantined(const struct store *s);   /* units */
/* Any thread. */
enum pressure store_pressure(const struct store *s);
/* When it is worth trying again, in seconds (1 … 300): as long as the queue
 * takes to drain, or as long again as the trouble lasts already. */
unsigned store_retry_after_s(struct store *s);

#endif

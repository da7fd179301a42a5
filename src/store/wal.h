/* wal.h: how large the write-ahead log may become, and what is done about it.
 * In passing it is checkpointed passively, which waits for nobody. Larger than
 * store.checkpoint.size it is cut (TRUNCATE), at most once an interval, with a
 * short wait for readers; the answer is looked at. A reader that holds it up is
 * named: a question of ours ends at store.checkpoint.read_age, another process
 * only by itself. As the log grows on, it is tried more and more often:
 *
 *   size … 2 size      once an interval       waits 20 ms for readers
 *   2 size … full/2    every 10 s
 *   full/2 … full      every second           waits 50 ms
 *   full               every 250 ms, our own questions end after 1 s, and
 *                      nothing is written to the database until it lets go
 *
 * full is three quarters of the hard mark: one transaction still fits. */
#ifndef STORE_WAL_H
#define STORE_WAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/foreign.h"
#include "store/store.h"

#define WAL_PASSIVE_BYTES (2u << 20)   /* not yet checkpointed */
#define WAL_TIGHT_BYTES   (512u << 10)   /* while the disk has hardly room */
#define WAL_STUCK         3            /* failures in a row: it is told */

struct wal {               /* the writer's own, but for full and held_by */
	int64_t tried_ns;      /* the last TRUNCATE; 0 never */
	int64_t passive_ns;    /* not before */
	int64_t looked_ns, logged_ns;
	unsigned stuck;        /* TRUNCATEs in a row that were not done */
	bool told, told_full;  /* in the event log */
	_Atomic bool full;
	char held_by[FOREIGN_TEXT];   /* under the store's facts lock */
};

/* On the writer's thread, with no transaction open: look, and do what is due.
 * Also while nothing is written. */
void wal_turn(struct store *s, int64_t now_ns);
/* What came of a checkpoint, for those who look. The writer. */
void wal_note(struct store *s, enum checkpoint how);
/* The last checkpoint, when all readers are gone. */
void wal_close(struct store *s);
/* Nothing may be written to the database; any thread. */
bool wal_full(const struct store *s);

/* Other processes that hold locks, as foreign_text. */
void wal_holders(const struct store *s, char dst[FOREIGN_TEXT]);

/* For "store stats", metrics and health; any thread. */
struct wal_state {
	bool full;
	unsigned stuck;
	uint64_t bytes;
	enum checkpoint last;      /* what came of the last one */
	int64_t last_done_us;      /* wall clock; 0 never */
	char held_by[FOREIGN_TEXT];   /* "" nobody is known */
};
void wal_state(struct store *s, struct wal_state *ret);

#endif

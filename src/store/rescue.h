/* rescue.h: the journal's thread. When a unit has waited longer than it should
 * because the database is locked, full, slow or gone, everything that waits is
 * written to the journal, synced once, told as durable and, when it was not in
 * the writer's hands already, freed. Later the writer reads it back (replay.h)
 * before it takes anything newer.
 *
 * What is told from here is told as after a commit: the view, the live ring,
 * store_conf.durable, acks; and not again when it is committed. */
#ifndef STORE_RESCUE_H
#define STORE_RESCUE_H

#include "store/inside.h"
#include "store/journal.h"

/* Opens the journal beside the database. id is the database's own number. The
 * record numbers go on above mark. */
enum err rescue_open(struct store *s, uint64_t id, uint64_t mark,
    struct journal_found *found, struct errinfo *ei) MUST_USE;
enum err rescue_start(struct store *s, struct errinfo *ei) MUST_USE;
/* False: the thread is stuck in the disk, and nothing of it may be freed. */
bool rescue_stop(struct store *s, int64_t deadline_ns) MUST_USE;
void rescue_free(struct rescue *r);

/* -- the writer's thread; all do nothing without a journal ---------------- */
/* It begins something that may last, or waits for work. */
void rescue_busy(struct store *s, int64_t now_ns);
void rescue_idle(struct store *s);
/* Records are durable and not committed; or will be, and are in neither place
 * now: a poke tells when that is over. What waits in the queue is newer. */
bool rescue_pending(const struct store *s);
uint64_t rescue_waiting(const struct store *s);   /* so many records */
bool rescue_holds(const struct store *s);
/* Since when the database is behind the journal; 0: it is not. Any thread. */
int64_t rescue_behind_us(const struct store *s);
/* Everything that has a wire form goes to the journal now, as far as there is
 * time: the writer stops. */
void rescue_all(struct store *s, int64_t deadline_ns);
/* Without a thread of its own (tests): what that would do now. */
void rescue_turn_inline(struct store *s, int64_t now_ns);
/* In an attempt over [lo, hi), before COMMIT: how far the journal's records
 * are committed goes with it. */
enum err rescue_mark(struct store *s, size_t lo, size_t hi,
    struct errinfo *ei) MUST_USE;
void rescue_commit_over(struct store *s);
/* It is committed: who is still to be told. */
void rescue_committed(struct store *s, size_t lo, size_t hi);
void rescue_refused(struct store *s, size_t i);
void rescue_batch_over(struct store *s);
struct journal *rescue_journal(const struct store *s);   /* NULL: none */
/* Room for so many bytes more than it has (budget.h). */
void rescue_may_grow(struct store *s, uint64_t bytes);

/* The proof of a COMMIT that nobody saw the end of, as a record. */
#define PROOF_BYTE  0xfe
#define PROOF_BYTES 18   /* that, its kind, the row, the last record it covers */
enum proof_kind { PROOF_TAIL = 1, PROOF_TRANSITION = 2, PROOF_EVENT = 3 };

#endif

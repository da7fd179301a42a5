/* parts.h: what the store's files call of each other, below inside.h, which
 * includes this. */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "store/inside.h"

/* -- batch.c ------------------------------------------------------------ */
/* Store what is left of the batch. ERR_OK: all of it is answered. Otherwise
 * the fault is transient and the same batch is tried again later. */
enum err batch_store(struct store *s, struct errinfo *ei) MUST_USE;
/* One transaction with no unit: the stamp, events owed. */
enum err batch_stamp(struct store *s, struct errinfo *ei) MUST_USE;
/* Within an attempt: one row of the event log; text is sanitised. */
enum err batch_event(struct store *s, const struct event *e,
    struct errinfo *ei) MUST_USE;
/* The same for the k-th event of a unit: with the number it has, and not again
 * if it is there. */
enum err batch_event_of(struct store *s, struct unit *u, unsigned k,
    const struct event *e, struct errinfo *ei) MUST_USE;
/* The number of the k-th event of u, given now if it has none; store.mu held. */
uint64_t batch_event_id(struct store *s, struct unit *u, unsigned k);
void batch_event_clean(struct event *e);
/* One unit: its rows within an attempt; then what memory has of it, under the
 * view's write lock. */
enum err batch_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;
void batch_apply(struct store *s, struct slot *slot);
/* One that would have been its waiter's, if it had one. */
void unit_free_alone(struct unit *u);
/* An attempt wrote this row: it proves the commit. */
void batch_proof(struct store *s, enum stmt have, uint64_t id);
void batch_touch(struct store *s, struct entry *e);
void batch_free(struct batch *b);
/* To be told with the next transaction; at most OWED_MAX are kept. */
void batch_owe(struct store *s, enum event_kind kind, const char *text);

/* -- result.c ----------------------------------------------------------- */
enum err result_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;
void result_apply(struct store *s, struct slot *slot);
/* It is durable in the journal: the view's rows, under its write lock; what
 * lies in the database is no part of it. */
void result_tell(struct store *s, const struct result_unit *r);
/* The events its transitions make, in order: which of a unit's numbers each
 * has goes to which. Under the view's lock, or on the writer's thread. */
unsigned result_events(struct store *s, const struct result_unit *r,
    struct event ret[UNIT_EVENTS], unsigned which[UNIT_EVENTS]);
enum err result_flush(struct store *s, struct errinfo *ei) MUST_USE;

/* -- tokens.c ----------------------------------------------------------- */
enum err tokens_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;
void tokens_apply(struct store *s, struct slot *slot);

/* -- load.c ------------------------------------------------------------- */
/* Everything the writer and the view must know; the gap since the last sign
 * of life becomes a row. Before any thread runs. */
enum err load_all(struct store *s, struct errinfo *ei) MUST_USE;
/* As if it had not been loaded: the view is empty again. */
void load_undo(struct store *s);

/* -- writer.c ----------------------------------------------------------- */
void *writer_run(void *arg);
/* Count and log a fault of the database. */
void writer_fault(struct store *s, const struct errinfo *ei);

#endif

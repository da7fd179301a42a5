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
enum err result_flush(struct store *s, struct errinfo *ei) MUST_USE;

/* -- tokens.c ----------------------------------------------------------- */
enum err tokens_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;
void tokens_apply(struct store *s, struct slot *slot);

/* -- load.c ------------------------------------------------------------- */
/* Everything the writer and the view must know; the gap since the last sign
 * of life becomes a row. Before any thread runs. */
enum err load_all(struct store *s, struct errinfo *ei) MUST_USE;

/* -- writer.c ----------------------------------------------------------- */
void *writer_run(void *arg);
/* Count and log a fault of the database. */
void writer_fault(struct store *s, const struct errinfo *ei);

#endif

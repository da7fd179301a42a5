/* rollups.h: the writer's side of the table of roll-ups. Samples are added in
 * the transaction that moves them into chunks, to their hour's row and to
 * their day's, each sample once: the place that compaction has reached is
 * written in the same transaction. */
#ifndef STORE_ROLLUPS_H
#define STORE_ROLLUPS_H

#include "store/inside.h"
#include "store/rollup.h"

/* Within a transaction: samples of one monitor that are in no row yet. */
enum err rollups_add(struct store *s, const struct sample *v, size_t n,
    struct errinfo *ei) MUST_USE;
/* Delete some rows of a monitor that is gone, until until_ns; from is where
 * to go on, zeros at first. *ret_gone: there are none left. */
enum err rollups_doom(struct store *s, uint32_t monitor, int64_t until_ns,
    struct rollup_place *from, bool *ret_gone, struct errinfo *ei) MUST_USE;
/* How far compaction has come: samples of monitors up to this one in tail
 * blocks up to that one lie in chunks and roll-ups. */
enum err rollups_mark(struct store *s, uint64_t block, uint32_t monitor,
    struct errinfo *ei) MUST_USE;
enum err rollups_marked(struct backend *db, uint64_t *ret_block,
    uint32_t *ret_monitor, struct errinfo *ei) MUST_USE;
/* Samples before this time were in chunks before there were roll-ups. */
enum err rollups_since(struct backend *db, int64_t *ret_us,
    struct errinfo *ei) MUST_USE;

#endif

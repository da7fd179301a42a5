/* query_parts.h: what the files that answer questions share. On a reader's
 * thread. */
#ifndef STORE_QUERY_PARTS_H
#define STORE_QUERY_PARTS_H

#include "store/query.h"
#include "store/readers.h"

/* All reads of one question see one moment, from query_snapshot to
 * query_release, which turns the end of the rows into success. */
enum err query_snapshot(struct reader *r, struct errinfo *ei) MUST_USE;
enum err query_release(struct reader *r, enum err e) MUST_USE;
/* A copy of where the monitor's samples lie in the tail (block × 256 + slot,
 * oldest first), made before the snapshot: what moves into a chunk in between
 * is found there, and what is added is newer than the question. Caller xfrees.
 * ERR_NOT_FOUND: no such monitor. */
enum err query_places(struct reader *r, uint32_t monitor, uint64_t **ret,
    size_t *ret_n) MUST_USE;

#endif

/* compact.h: part of the writer's housekeeping (chores.h), in slices: the
 * tail's older samples move into chunks, deleted monitors' rows go. */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/inside.h"

/* A cycle begins when the tail has this many samples, or its first is this
 * old. What it holds then is moved, monitor by monitor. */
#define COMPACT_SAMPLES 200000
/* A tail of several times this many is compacted with shorter rests. */
#define COMPACT_BEHIND  (2 * COMPACT_SAMPLES)
/* A cycle takes no more than about this many into memory. */
#define COMPACT_HOLD    (5 * COMPACT_SAMPLES)
#define COMPACT_AGE_US  (INT64_C(600) * 1000000)

/* Is there something to do? Cheap. */
bool compact_due(const struct store *s);
/* One transaction, some tens of milliseconds. */
void compact_slice(struct store *s);
void compact_free(struct compaction *c);

#endif

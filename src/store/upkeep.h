/* upkeep.h: maintenance that only the writer can do, one step at a time, asked
 * for by an errand's thread and done between batches in slices: what the query
 * planner knows, empty pages, search indexes, the WAL. */
#ifndef STORE_UPKEEP_H
#define STORE_UPKEEP_H

#include "store/inside.h"

#define UPKEEP_STEP_NS (300 * INT64_C(1000000000))   /* a step at most */

struct upkeep;
struct upkeep *upkeep_new(void) MUST_USE;
void upkeep_free(struct upkeep *u);

/* One thread at a time, not the writer's: done when the writer has finished
 * the step, or it cannot; text says what came of it. */
enum err upkeep_do(struct store *s, enum upkeep_step step,
    const struct backend_turn *turn, struct buf *text, struct errinfo *ei)
    MUST_USE;

/* The writer's: chores.c. */
bool upkeep_due(const struct store *s, int64_t now_ns);
void upkeep_slice(struct store *s);

#endif

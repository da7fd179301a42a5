/* retention.h: how each table of the database is bounded. One row per table;
 * a test fails for a table without one. Live outbox rows, open incidents,
 * states and configuration are bounded by what they stand for and are never
 * pruned; their rows say so.
 *
 * To add a table that is bounded by age: a setting in struct retention, a
 * statement (at_us, limit) that deletes at most limit rows that are older, and
 * one row here. Anything else is a step function of its own. */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/stmt.h"

struct store;
struct prune;
struct retention_row;

/* One small step of pruning, within the writer's transaction: at most
 * prune->limit rows. *ret_done: nothing is left to go in this round. Where it
 * is, it keeps in prune, which is put back when the transaction fails. */
typedef enum err retention_step(struct store *s, struct prune *p,
    const struct retention_row *row, bool *ret_done, struct errinfo *ei);

struct retention_row {
	const char *table;
	const char *bound;       /* in words: by what, or why it needs none */
	retention_step *step;    /* NULL: nothing to do in a round */
	/* of retention_aged */
	enum stmt old;
	size_t age;              /* offset of the int64_t in struct retention */
};
extern const struct retention_row retention[];   /* ends with a NULL table */
size_t retention_count(void);
/* The row of a table; NULL: none. */
const struct retention_row *retention_find(const char *table);

#endif

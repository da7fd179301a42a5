/* chores.h: what the writer does between batches: compaction, pruning, giving
 * space back. One slice at a time, each one transaction, each followed by a
 * rest of several times its length (half of it, when compaction is far behind
 * and nothing waits), so that nothing waits long for the write lock and the
 * disk belongs to the units. The promise is CHORES_HOLD_NS from BEGIN to the
 * end of COMMIT; how long a slice works before it commits follows from what
 * commits cost here. */
#ifndef STORE_CHORES_H
#define STORE_CHORES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/inside.h"

#define CHORES_HOLD_NS (INT64_C(50) * 1000000)

/* Is anything due, and when may it begin? */
bool chores_due(const struct store *s, int64_t now_ns);
/* One slice of whatever is due. idle: nothing waits to be written. */
void chores_turn(struct store *s, bool idle);
/* When the next one may begin while that is so. */
int64_t chores_at_ns(const struct store *s);
/* Until when a slice that began then may work. */
int64_t chores_until_ns(const struct store *s, int64_t began_ns);
/* A slice is over: measured, and the rest after it. */
void chores_done(struct store *s, int64_t began_ns, int64_t end_ns);

#endif

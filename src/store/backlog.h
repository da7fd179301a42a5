/* backlog.h: units that wait for the writer, beyond the batch under way. The
 * writer takes from it, and so does the journal's thread when the writer does
 * not; whoever calls these holds store.mu. */
#ifndef STORE_BACKLOG_H
#define STORE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/unit.h"

struct backlog {
	struct msg *first, **last;
	size_t n, nurgent;
};

void backlog_init(struct backlog *q);
/* Everything from the mailbox; it stays counted there until it is done. */
void backlog_take(struct backlog *q, struct mbox *from, int64_t now_ns);
struct unit *backlog_first(const struct backlog *q);   /* NULL: empty */
struct unit *backlog_pop(struct backlog *q);
/* Unlink the unit after *at (a place in the list), wherever it is. */
struct unit *backlog_cut(struct backlog *q, struct msg **at);
/* In front of all that wait. */
void backlog_back(struct backlog *q, struct unit *u);
/* Nobody waits for u any more; it is in the queue. */
void backlog_calm(struct backlog *q, const struct unit *u);
bool unit_pressing(const struct unit *u);
bool unit_alone(const struct unit *u);   /* a transaction of its own */
static inline struct unit *
unit_of(struct msg *m)
{
	return CONTAINER(m, struct unit, msg);
}

#endif

/* mbox.h: bounded mailbox, many senders, one receiver. A message is embedded
 * (struct msg) in what is sent; putting it gives it away. One mutex, a linked
 * list taken whole, one eventfd that is written once between two takes. */
#ifndef BASE_MBOX_H
#define BASE_MBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct msg {
	struct msg *next;
};

struct mbox {
	pthread_mutex_t mu;
	struct msg *head, **tail;
	size_t n, max;            /* messages */
	size_t bytes, bytes_max;  /* what the senders say they hold */
	int wake;                 /* eventfd, nonblocking: poll it */
	bool closed;              /* every put is refused */
	bool poked;               /* since the last take */
	size_t quiet;             /* put quietly since the last take */
};

void mbox_init(struct mbox *q, size_t max, size_t bytes_max);
void mbox_free(struct mbox *q);   /* must be empty */

/* False when full or closed: m still belongs to the caller, who has a written
 * answer to that. bytes counts toward bytes_max. */
bool mbox_put(struct mbox *q, struct msg *m, size_t bytes) MUST_USE;
/* The same, but beyond the bounds: for what may never be refused (transitions,
 * answers to a waiting peer). Still false when closed. */
bool mbox_put_urgent(struct mbox *q, struct msg *m, size_t bytes) MUST_USE;
/* Beyond the bounds too, but in no hurry: wakes the receiver only if it has
 * nothing at all (also nothing taken-but-not-done), or when so many wait. It
 * must look again by itself within the time it allows what it holds. */
bool mbox_put_quiet(struct mbox *q, struct msg *m, size_t bytes) MUST_USE;
#define MBOX_QUIET 1024
/* Everything that waits, oldest first, linked by next; NULL when empty. Clears
 * the eventfd. The bytes stay counted until mbox_done. */
struct msg *mbox_take(struct mbox *q);
/* The receiver is finished with this many messages and bytes: room again. */
void mbox_done(struct mbox *q, size_t n, size_t bytes);
/* Waiting and taken-but-not-done messages and bytes; any thread. */
void mbox_depth(struct mbox *q, size_t *n, size_t *bytes);
/* How full, 0..1: the larger of messages and bytes against their bounds. */
double mbox_load(struct mbox *q);
/* Wake the receiver with nothing sent. */
void mbox_poke(struct mbox *q);
void mbox_close(struct mbox *q);
/* Block up to timeout_ms (-1: for ever) until something waits or a poke. */
void mbox_wait(struct mbox *q, int timeout_ms);

#endif

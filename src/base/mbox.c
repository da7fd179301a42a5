#include "base/mbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void
mbox_init(struct mbox *q, size_t max, size_t bytes_max)
{
	*q = (struct mbox){.max = max, .bytes_max = bytes_max};
	q->tail = &q->head;
	if (pthread_mutex_init(&q->mu, NULL) != 0)
		abort();
	q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake < 0)
		abort();
}

void
mbox_free(struct mbox *q)
{
	assert(q->head == NULL);
	(void)close(q->wake);
	q->wake = -1;
	(void)pthread_mutex_destroy(&q->mu);
}

void
mbox_poke(struct mbox *q)
{
	/* Fails only when the counter is at its end: it is readable then. */
	(void)eventfd_write(q->wake, 1);
}

enum how { PUT_BOUNDED, PUT_URGENT, PUT_QUIET };

/* Is this message, the one just linked, one to wake the receiver for? */
static bool
wakes(struct mbox *q, enum how how)
{
	if (q->poked)
		return false;
	if (how != PUT_QUIET)
		return true;
	q->quiet++;
	return q->n == 1 || q->quiet >= MBOX_QUIET;
}

static bool
put(struct mbox *q, struct msg *m, size_t bytes, enum how how)
{
	bool ok, wake = false;

	m->next = NULL;
	pthread_mutex_lock(&q->mu);
	ok = !q->closed;
	if (ok && how == PUT_BOUNDED)
		ok = q->n < q->max && q->bytes <= q->bytes_max &&
		    bytes <= q->bytes_max - q->bytes;
	if (ok) {
		*q->tail = m;
		q->tail = &m->next;
		q->n++;
		q->bytes += bytes;
		wake = wakes(q, how);
		q->poked |= wake;
	}
	pthread_mutex_unlock(&q->mu);
	if (wake)
		mbox_poke(q);
	return ok;
}

bool
mbox_put(struct mbox *q, struct msg *m, size_t bytes)
{
	return put(q, m, bytes, PUT_BOUNDED);
}

bool
mbox_put_urgent(struct mbox *q, struct msg *m, size_t bytes)
{
	return put(q, m, bytes, PUT_URGENT);
}

bool
mbox_put_quiet(struct mbox *q, struct msg *m, size_t bytes)
{
	return put(q, m, bytes, PUT_QUIET);
}

struct msg *
mbox_take(struct mbox *q)
{
	struct msg *m;
	eventfd_t v;

	/* Before the list, never after: a message that comes in between
	 * wakes once for nothing instead of never. */
	(void)eventfd_read(q->wake, &v);
	pthread_mutex_lock(&q->mu);
	m = q->head;
	q->head = NULL;
	q->tail = &q->head;
	q->poked = false;
	q->quiet = 0;
	pthread_mutex_unlock(&q->mu);
	return m;
}

void
mbox_done(struct mbox *q, size_t n, size_t bytes)
{
	pthread_mutex_lock(&q->mu);
	assert(n <= q->n);
	assert(bytes <= q->bytes);
	q->n -= n;
	q->bytes -= bytes;
	pthread_mutex_unlock(&q->mu);
}

void
mbox_depth(struct mbox *q, size_t *n, size_t *bytes)
{
	pthread_mutex_lock(&q->mu);
	*n = q->n;
	*bytes = q->bytes;
	pthread_mutex_unlock(&q->mu);
}

static double
share(size_t v, size_t max)
{
	if (v >= max)
		return v == 0 ? 0.0 : 1.0;
	return (double)v / (double)max;
}

double
mbox_load(struct mbox *q)
{
	size_t n, bytes;

	mbox_depth(q, &n, &bytes);
	return MAX(share(n, q->max), share(bytes, q->bytes_max));
}

void
mbox_close(struct mbox *q)
{
	pthread_mutex_lock(&q->mu);
	q->closed = true;
	pthread_mutex_unlock(&q->mu);
	mbox_poke(q);
}

void
mbox_wait(struct mbox *q, int timeout_ms)
{
	struct pollfd p = {.fd = q->wake, .events = POLLIN};

	/* A signal ends the wait early; the caller looks and waits again. */
	if (poll(&p, 1, timeout_ms) < 0 && errno != EINTR)
		abort();
}

/* park.c: see park.h. One list per class keeps each in deadline order, because
 * all of a class wait equally long; the warden only looks at the heads. */
#include "http/park.h"

#include <assert.h>

#include "base/mem.h"
#include "http/req.h"
#include "http/server.h"
#include "world/world.h"

static const int64_t park_ns[PARK_NCLASS] = {
	[PARK_BEAT] = PARK_BEAT_NS,
	[PARK_EDIT] = PARK_EDIT_NS,
	[PARK_READ] = PARK_READ_NS,
};

void
park_init(struct park *p)
{
	pthread_mutex_init(&p->mu, NULL);
	for (int i = 0; i < PARK_NCLASS; i++)
		list_init(&p->waiting[i]);
	p->next_wake_ns = 0;   /* the warden is awake */
}

void
park_free(struct park *p)
{
	pthread_mutex_destroy(&p->mu);
}

/* Under the lock. True: the warden would look too late. */
static bool
park_put(struct park *p, struct req *q, enum park_class c)
{
	q->deadline_ns = clock_mono_ns() + park_ns[c];
	list_push(&p->waiting[c], &q->parked);
	return q->deadline_ns < p->next_wake_ns;
}

/* After this the connection may be gone at any time. */
static void
park_resume(struct http *h, struct MHD_Connection *conn)
{
	MHD_resume_connection(conn);
	atomic_fetch_sub(&h->park.n, 1);
}

void
park_wait(struct req *q, enum park_class c)
{
	struct park *p = &q->h->park;
	bool poke, closed;

	assert(q->state == REQ_NEW);
	req_ref(q);   /* of whoever will call park_done */
	MHD_suspend_connection(q->conn);
	atomic_fetch_add(&p->n, 1);
	pthread_mutex_lock(&p->mu);
	closed = p->closed;
	q->state = closed ? REQ_GIVEN_UP : REQ_WAITING;
	poke = !closed && park_put(p, q, c);
	pthread_mutex_unlock(&p->mu);
	if (poke)
		http_poke(q->h);
	if (closed)
		park_resume(q->h, q->conn);
}

void
park_again(struct req *q, enum park_class c)
{
	struct park *p = &q->h->park;
	bool poke = false;

	pthread_mutex_lock(&p->mu);
	if (q->state == REQ_WAITING) {
		list_del(&q->parked);
		poke = park_put(p, q, c);
	}
	pthread_mutex_unlock(&p->mu);
	if (poke)
		http_poke(q->h);
}

void
park_done(struct req *q)
{
	struct http *h = q->h;
	struct MHD_Connection *conn = q->conn;
	bool mine;

	pthread_mutex_lock(&h->park.mu);
	mine = q->state == REQ_WAITING;
	if (mine) {
		q->state = REQ_DONE;
		list_del(&q->parked);
	}
	pthread_mutex_unlock(&h->park.mu);
	if (mine)
		park_resume(h, conn);
	req_unref(q);
}

/* The first overdue request; NULL and *next when there is none. */
static struct req *
park_overdue(struct park *p, int64_t now_ns, bool all, int64_t *next)
{
	for (int i = 0; i < PARK_NCLASS; i++) {
		struct req *q;

		if (list_empty(&p->waiting[i]))
			continue;
		q = CONTAINER(p->waiting[i].next, struct req, parked);
		if (!all && q->deadline_ns > now_ns) {
			*next = MIN(*next, q->deadline_ns);
			continue;
		}
		list_del(&q->parked);
		q->state = REQ_GIVEN_UP;
		return q;
	}
	return NULL;
}

static int64_t
park_expire(struct http *h, int64_t now_ns, bool all)
{
	struct park *p = &h->park;

	for (;;) {
		struct MHD_Connection *conn = NULL;
		struct req *q;
		int64_t next = INT64_MAX;

		pthread_mutex_lock(&p->mu);
		q = park_overdue(p, now_ns, all, &next);
		/* Read under the lock: unlocked, its ack may free it. */
		if (q != NULL)
			conn = q->conn;
		else
			p->next_wake_ns = next;
		pthread_mutex_unlock(&p->mu);
		if (q == NULL)
			return next;
		atomic_fetch_add(&p->gave_up, 1);
		park_resume(h, conn);
	}
}

int64_t
park_turn(struct http *h, int64_t now_ns)
{
	return park_expire(h, now_ns, false);
}

void
park_close(struct http *h)
{
	pthread_mutex_lock(&h->park.mu);
	h->park.closed = true;
	pthread_mutex_unlock(&h->park.mu);
	(void)park_expire(h, 0, true);
}

/* park.c: see park.h. One list per class keeps each in deadline order, because
 * all of a class wait equally long; the warden only looks at the heads. */
#include "http/park.h"

#include <assert.h>

#include "base/mbox.h"
#include "base/mem.h"
#include "http/req.h"
#include "http/server.h"
#include "world/world.h"

static const int64_t park_ns[PARK_NCLASS] = {
	[PARK_BEAT] = PARK_BEAT_NS,
	[PARK_EDIT] = PARK_EDIT_NS,
	[PARK_READ] = PARK_READ_NS,
};

enum err
park_init(struct park *p, int64_t read_ns, struct errinfo *ei)
{
	pthread_mutex_init(&p->mu, NULL);
	for (int i = 0; i < PARK_NCLASS; i++)
		list_init(&p->waiting[i]);
	p->next_wake_ns = 0;   /* the warden is awake */
	p->read_ns = read_ns != 0 ? read_ns : READ_JOB_NS;
	return leave_init(&p->leave, ei);
}

void
park_free(struct park *p)
{
	leave_free(&p->leave);
	pthread_mutex_destroy(&p->mu);
}

/* On the server's thread: only it may ask for the socket. */
static int
park_socket(struct req *q)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(q->conn,
	    MHD_CONNECTION_INFO_CONNECTION_FD);

	return i != NULL ? i->connect_fd : -1;
}

/* Under the lock, before it is resumed: afterwards the socket may be closed,
 * and be another one's. */
static void
park_unwatch(struct park *p, struct req *q)
{
	if (q->stay != 0)
		leave_forget(&p->leave, q->sock);
	q->stay = 0;
}

/* Under the lock. True: the warden would look too late. */
static bool
park_put(struct park *p, struct req *q, enum park_class c)
{
	q->deadline_ns = clock_mono_ns() + park_ns[c] +
	    (c == PARK_READ ? p->read_ns : 0);
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
	if (c == PARK_READ)
		q->sock = park_socket(q);
	MHD_suspend_connection(q->conn);
	atomic_fetch_add(&p->n, 1);
	pthread_mutex_lock(&p->mu);
	closed = p->closed;
	q->state = closed ? REQ_GIVEN_UP : REQ_WAITING;
	poke = !closed && park_put(p, q, c);
	if (!closed && q->sock >= 0)
		q->stay = leave_watch(&p->leave, q->sock);
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
		park_unwatch(p, q);
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
		park_unwatch(&h->park, q);
	}
	pthread_mutex_unlock(&h->park.mu);
	if (mine)
		park_resume(h, conn);
	req_unref(q);
}

bool
park_unit(struct req *q, struct unit *u)
{
	u->ack = &q->ack;
	u->queued_ns = clock_mono_ns();
	park_wait(q, PARK_EDIT);
	if (mbox_put(store_inbox(q->h->c.store), &u->msg, u->bytes))
		return true;
	answer_problem(&q->out, 503, NULL,
	    "too much is waiting to be stored; nothing was changed");
	park_done(q);
	return false;
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
		park_unwatch(p, q);
		q->state = REQ_GIVEN_UP;
		req_ref(q);   /* of park_expire */
		return q;
	}
	return NULL;
}

/* Nobody waits for its answer: the question ends. Without the lock, which the
 * job takes when it is over. */
static void
park_cancel(struct http *h, struct req *q)
{
	if (q->job.run != NULL)
		reader_cancel(h->c.store, &q->job);
}

static int64_t
park_expire(struct http *h, int64_t now_ns, bool all)
{
	struct park *p = &h->park;

	for (;;) {
		struct req *q;
		int64_t next = INT64_MAX;

		pthread_mutex_lock(&p->mu);
		q = park_overdue(p, now_ns, all, &next);
		if (q == NULL)
			p->next_wake_ns = next;
		pthread_mutex_unlock(&p->mu);
		if (q == NULL)
			return next;
		atomic_fetch_add(&p->gave_up, 1);
		park_resume(h, q->conn);
		park_cancel(h, q);
		req_unref(q);
	}
}

int64_t
park_turn(struct http *h, int64_t now_ns)
{
	return park_expire(h, now_ns, false);
}

/* Whose stay this is, with a reference; NULL: it is over. */
static struct req *
park_find(struct park *p, uint64_t stay)
{
	struct req *found = NULL;

	pthread_mutex_lock(&p->mu);
	for (struct list *n = p->waiting[PARK_READ].next;
	    n != &p->waiting[PARK_READ]; n = n->next) {
		struct req *q = CONTAINER(n, struct req, parked);

		if (q->stay != stay)
			continue;
		req_ref(q);
		found = q;
		break;
	}
	pthread_mutex_unlock(&p->mu);
	return found;
}

void
park_leavers(struct http *h)
{
	uint64_t ids[LEAVE_AT_ONCE];
	unsigned n = leave_take(&h->park.leave, ids);

	for (unsigned i = 0; i < n; i++) {
		struct req *q = park_find(&h->park, ids[i]);

		if (q == NULL)
			continue;
		atomic_fetch_add(&h->park.left, 1);
		park_cancel(h, q);
		req_unref(q);
	}
}

void
park_close(struct http *h)
{
	pthread_mutex_lock(&h->park.mu);
	h->park.closed = true;
	pthread_mutex_unlock(&h->park.mu);
	(void)park_expire(h, 0, true);
}

/* ring.c: see ring.h. */
#include "http/ring.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

void
ring_init(struct ring *r, size_t size)
{
	pthread_mutex_init(&r->mu, NULL);
	r->v = xcalloc(size, sizeof(*r->v));
	r->size = size;
	list_init(&r->clients);
}

static void
ring_drop_first(struct ring *r)
{
	struct frame *f = &r->v[r->first % r->size];

	if (f->id > r->lost_id)
		r->lost_id = f->id;
	xfree(f->text);
	*f = (struct frame){0};
	r->first++;
}

void
ring_free(struct ring *r)
{
	assert(r->nclients == 0);
	while (r->first < r->next)
		ring_drop_first(r);
	xfree(r->v);
	pthread_mutex_destroy(&r->mu);
}

static void
ring_wake(struct ring *r)
{
	LIST_EACH(n, &r->clients) {
		struct stream *s = CONTAINER(n, struct stream, node);

		if (!s->asleep)
			continue;
		s->asleep = false;
		MHD_resume_connection(s->conn);
	}
}

bool
ring_add(struct ring *r, char *text, size_t n, uint64_t prev, uint64_t id)
{
	bool follows;

	pthread_mutex_lock(&r->mu);
	follows = id == 0 || r->fed == prev;
	if (follows) {
		if (r->next - r->first == r->size)
			ring_drop_first(r);
		r->v[r->next % r->size] = (struct frame){text, n, id};
		r->next++;
		if (id != 0)
			r->fed = id;
		ring_wake(r);
	}
	pthread_mutex_unlock(&r->mu);
	if (!follows)
		xfree(text);
	return follows;
}

void
ring_lose(struct ring *r, uint64_t id)
{
	pthread_mutex_lock(&r->mu);
	if (id > r->lost_id)
		r->lost_id = id;
	if (id > r->fed)
		r->fed = id;
	ring_wake(r);
	pthread_mutex_unlock(&r->mu);
}

bool
ring_wants(struct ring *r, uint64_t *ret_after)
{
	bool wants;

	pthread_mutex_lock(&r->mu);
	wants = r->nclients > 0;
	*ret_after = r->fed;
	pthread_mutex_unlock(&r->mu);
	return wants;
}

/* Under the lock: nothing is kept for nobody. */
static void
ring_restart(struct ring *r, uint64_t after)
{
	while (r->first < r->next)
		ring_drop_first(r);
	r->lost_id = 0;
	r->fed = after;
}

struct stream *
ring_join(struct ring *r, struct MHD_Connection *conn, uint64_t after,
    char *backlog, unsigned max)
{
	struct stream *s = NULL;

	pthread_mutex_lock(&r->mu);
	if (r->nclients < max && !r->ended) {
		if (r->nclients == 0)
			ring_restart(r, after);
		s = xcalloc(1, sizeof(*s));
		s->ring = r;
		s->conn = conn;
		s->backlog = backlog;
		s->backlog_n = strlen(backlog);
		s->after = after;
		/* The backlog and the ring overlap: what it has is skipped. */
		s->at = r->first;
		s->joined = r->next;
		list_push(&r->clients, &s->node);
		r->nclients++;
	}
	pthread_mutex_unlock(&r->mu);
	if (s == NULL)
		xfree(backlog);
	return s;
}

static size_t
ring_copy(char *dst, size_t max, const char *src, size_t n, size_t *offset)
{
	size_t take = MIN(max, n - *offset);

	memcpy(dst, src + *offset, take);
	*offset += take;
	return take;
}

/* Under the lock. Does this client still need frame number s->at? */
static bool
ring_wanted(const struct stream *s, const struct frame *f)
{
	if (s->offset > 0)
		return true;   /* begun */
	return f->id != 0 ? f->id > s->after : s->at >= s->joined;
}

static size_t
ring_fill(struct stream *s, char *dst, size_t max)
{
	struct ring *r = s->ring;
	size_t done = 0;

	if (s->backlog != NULL) {
		done = ring_copy(dst, max, s->backlog, s->backlog_n,
		    &s->offset);
		if (s->offset < s->backlog_n)
			return done;
		xfree(TAKE(s->backlog));
		s->offset = 0;
	}
	while (done < max && s->at < r->next) {
		struct frame *f = &r->v[s->at % r->size];

		if (ring_wanted(s, f)) {
			done += ring_copy(dst + done, max - done, f->text,
			    f->n, &s->offset);
			if (s->offset < f->n)
				break;
			if (f->id != 0)
				s->after = f->id;
		}
		s->offset = 0;
		s->at++;
	}
	return done;
}

/* Frames or events it should have had are gone. */
static bool
ring_fell_out(const struct stream *s)
{
	const struct ring *r = s->ring;

	return r->ended || s->at < r->first || s->after < r->lost_id;
}

ssize_t
ring_read(void *cls, uint64_t pos, char *dst, size_t max)
{
	struct stream *s = cls;
	ssize_t n;

	(void)pos;
	pthread_mutex_lock(&s->ring->mu);
	if (ring_fell_out(s)) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		n = (ssize_t)ring_fill(s, dst, max);
		if (n == 0) {
			s->asleep = true;
			MHD_suspend_connection(s->conn);
		}
	}
	pthread_mutex_unlock(&s->ring->mu);
	return n;
}

void
ring_leave(void *cls)
{
	struct stream *s = cls;
	struct ring *r = s->ring;

	pthread_mutex_lock(&r->mu);
	list_del(&s->node);
	r->nclients--;
	pthread_mutex_unlock(&r->mu);
	xfree(s->backlog);
	xfree(s);
}

void
ring_end(struct ring *r)
{
	pthread_mutex_lock(&r->mu);
	r->ended = true;
	ring_wake(r);
	pthread_mutex_unlock(&r->mu);
}

unsigned
ring_count(struct ring *r)
{
	unsigned n;

	pthread_mutex_lock(&r->mu);
	n = r->nclients;
	pthread_mutex_unlock(&r->mu);
	return n;
}

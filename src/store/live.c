#include "store/live.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/feed.h"

/* The last samples' monitors, one slot each; a reader further behind than
 * this starts at the oldest. */
#define TOUCHED 16384

struct live {
	pthread_mutex_t mu;
	struct event *ring;          /* LIVE_RING */
	uint64_t nevents;            /* ever; the next place is mod LIVE_RING */
	uint64_t last_id, floor_id;  /* the newest; the newest not in the ring */
	uint32_t touched[TOUCHED];
	uint64_t ntouched;           /* ever */
	struct live_sub *subs;
};

struct live *
live_new(uint64_t last_id)
{
	struct live *l = xcalloc(1, sizeof(*l));

	if (pthread_mutex_init(&l->mu, NULL) != 0)
		abort();
	l->ring = xcalloc(LIVE_RING, sizeof(*l->ring));
	l->last_id = l->floor_id = last_id;
	return l;
}

void
live_free(struct live *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->mu);
	xfree(l->ring);
	xfree(l);
}

void
live_subscribe(struct live *l, struct live_sub *s)
{
	pthread_mutex_lock(&l->mu);
	s->next = l->subs;
	l->subs = s;
	pthread_mutex_unlock(&l->mu);
}

void
live_unsubscribe(struct live *l, struct live_sub *s)
{
	struct live_sub **p;

	pthread_mutex_lock(&l->mu);
	for (p = &l->subs; *p != NULL && *p != s; p = &(*p)->next)
		;
	if (*p != NULL)
		*p = s->next;
	pthread_mutex_unlock(&l->mu);
}

void
live_add(struct live *l, const struct event *e, size_t n)
{
	pthread_mutex_lock(&l->mu);
	for (size_t i = 0; i < n; i++) {
		struct event *slot = &l->ring[l->nevents % LIVE_RING];

		if (l->nevents >= LIVE_RING)
			l->floor_id = slot->id;
		*slot = e[i];
		l->last_id = e[i].id;
		l->nevents++;
	}
	pthread_mutex_unlock(&l->mu);
}

void
live_touch(struct live *l, const uint32_t *monitor, size_t n)
{
	pthread_mutex_lock(&l->mu);
	for (size_t i = 0; i < n; i++)
		l->touched[l->ntouched++ % TOUCHED] = monitor[i];
	pthread_mutex_unlock(&l->mu);
}

void
live_wake(struct live *l)
{
	pthread_mutex_lock(&l->mu);
	for (struct live_sub *s = l->subs; s != NULL; s = s->next)
		s->wake(s);
	pthread_mutex_unlock(&l->mu);
}

unsigned
live_read(struct live *l, uint64_t after, struct event *ret, unsigned max,
    bool *ret_lost)
{
	uint64_t at;
	unsigned n = 0;

	pthread_mutex_lock(&l->mu);
	*ret_lost = after < l->floor_id;
	at = l->nevents > LIVE_RING ? l->nevents - LIVE_RING : 0;
	for (; at < l->nevents && n < max; at++)
		if (l->ring[at % LIVE_RING].id > after)
			ret[n++] = l->ring[at % LIVE_RING];
	pthread_mutex_unlock(&l->mu);
	return n;
}

uint64_t
live_last(struct live *l)
{
	uint64_t id;

	pthread_mutex_lock(&l->mu);
	id = l->last_id;
	pthread_mutex_unlock(&l->mu);
	return id;
}

unsigned
live_touched(struct live *l, uint64_t *tick, uint32_t *ret, unsigned max)
{
	unsigned n = 0;

	pthread_mutex_lock(&l->mu);
	if (*tick > l->ntouched)
		*tick = l->ntouched;
	if (l->ntouched - *tick > TOUCHED)
		*tick = l->ntouched - TOUCHED;
	while (*tick < l->ntouched && n < max)
		ret[n++] = l->touched[(*tick)++ % TOUCHED];
	pthread_mutex_unlock(&l->mu);
	return n;
}

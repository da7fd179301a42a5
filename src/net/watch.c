/* watch.c: a table by descriptor number, and events carry number and
 * generation, so that an event which was fetched before its descriptor was
 * closed and reused in the same batch is recognised. */
#include "net/watch.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "net/net_impl.h"

#define WATCH_BATCH 128   /* events per turn; then the loop comes round */

static uint64_t
tag(int fd, uint32_t gen)
{
	return (uint64_t)gen << 32 | (uint32_t)fd;
}

static struct watch_slot *
slot_at(struct net *n, int fd)
{
	size_t want = n->nslots;

	assert(fd >= 0);
	if ((size_t)fd >= n->nslots) {
		want = MAX(want * 2, (size_t)64);
		want = MAX(want, (size_t)fd + 1);
		n->slots = xrealloc(n->slots, want, sizeof(*n->slots));
		for (size_t i = n->nslots; i < want; i++)
			n->slots[i] = (struct watch_slot){NULL, 0};
		n->nslots = want;
	}
	return &n->slots[fd];
}

static int
control(struct net *n, int op, const struct watch *w, uint32_t gen)
{
	struct epoll_event ev = {
		.events = w->events, .data.u64 = tag(w->fd, gen)};

	return epoll_ctl(n->ep, op, w->fd, &ev) == 0 ? 0 : errno;
}

int
watch_set(struct net *n, struct watch *w, int fd, uint32_t events, watch_fn *fn)
{
	struct watch_slot *s = slot_at(n, fd);
	int err;

	assert(!w->on || w->fd == fd);
	w->fn = fn;
	if (w->on && w->polled && w->events == events)
		return 0;
	w->fd = fd;
	w->events = events;
	if (w->on && w->polled) {
		/* To silence it costs a call that a close right after makes
		 * needless: done when an event comes all the same. */
		return events == 0 ? 0 : control(n, EPOLL_CTL_MOD, w, s->gen);
	}
	assert(w->on || s->w == NULL);
	s->w = w;
	w->on = true;
	if (events == 0)
		return 0;
	s->gen++;
	err = control(n, EPOLL_CTL_ADD, w, s->gen);
	w->polled = err == 0;
	if (err != 0)
		watch_drop(n, w);
	return err;
}

void
watch_move(struct net *n, struct watch *from, struct watch *to, watch_fn *fn)
{
	assert(from->on);
	assert(!to->on);
	*to = *from;
	to->fn = fn;
	n->slots[to->fd].w = to;
	*from = (struct watch){0};
}

void
watch_drop(struct net *n, struct watch *w)
{
	if (!w->on)
		return;
	assert(n->slots[w->fd].w == w);
	n->slots[w->fd].w = NULL;
	*w = (struct watch){0};
}

struct watch *
watch_of(struct net *n, int fd)
{
	return fd >= 0 && (size_t)fd < n->nslots ? n->slots[fd].w : NULL;
}

void
watch_dispatch(struct net *n)
{
	struct epoll_event ev[WATCH_BATCH];
	int k = epoll_wait(n->ep, ev, WATCH_BATCH, 0);

	for (int i = 0; i < k; i++) {
		size_t fd = (uint32_t)ev[i].data.u64;
		uint32_t gen = (uint32_t)(ev[i].data.u64 >> 32);
		struct watch_slot *s = &n->slots[fd];

		assert(fd < n->nslots);
		if (s->w == NULL || s->gen != gen)
			continue;
		if (s->w->events == 0) {
			(void)control(n, EPOLL_CTL_DEL, s->w, gen);
			s->w->polled = false;
			continue;
		}
		s->w->fn(s->w, ev[i].events);
	}
}

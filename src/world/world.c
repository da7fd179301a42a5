#include "world/world.h"

#include <stddef.h>

#include "base/attr.h"

int64_t
world_now(struct world *w)
{
	/* 0: this turn has not looked yet. */
	if (w->turn_ns == 0)
		w->turn_ns = w->ops->now_ns(w);
	return w->turn_ns;
}

int64_t
world_fresh(struct world *w)
{
	(void)world_now(w);   /* a stall is noticed before anything is timed */
	return w->ops->now_ns(w);
}

int64_t
world_wall_us(struct world *w)
{
	return w->ops->wall_us(w);
}

uint64_t
world_random(struct world *w)
{
	return w->ops->random(w);
}

/* What lies ahead waits for the end of its slot, so that a turn which happens
 * to run meanwhile does not start it alone. What is due now is due now. */
static int64_t
slot_end(const struct world *w, int64_t at_ns)
{
	if (w->slot_ns == 0 || at_ns <= w->turn_ns ||
	    at_ns >= INT64_MAX - w->slot_ns)
		return at_ns;
	return (at_ns + w->slot_ns - 1) / w->slot_ns * w->slot_ns;
}

void
timer_set(struct world *w, struct timer *t, int64_t at_ns, timer_fn *fn)
{
	heap_del(&w->timers, &t->node);
	t->fn = fn;
	heap_put(&w->timers, &t->node, slot_end(w, at_ns));
	if (heap_min(&w->timers) == &t->node)
		w->ops->rearm(w);
}

void
timer_stop(struct world *w, struct timer *t)
{
	heap_del(&w->timers, &t->node);
}

bool
timer_on(const struct timer *t)
{
	return heap_queued(&t->node);
}

bool
world_fire(struct world *w)
{
	int64_t now = world_now(w);
	struct heap_node *n;

	for (unsigned i = 0; i < WORLD_TIMERS_PER_TURN; i++) {
		struct timer *t;

		n = heap_min(&w->timers);
		if (n == NULL || n->key > now)
			return false;
		t = CONTAINER(n, struct timer, node);
		heap_del(&w->timers, n);
		t->fn(w, t);
	}
	n = heap_min(&w->timers);
	return n != NULL && n->key <= now;
}

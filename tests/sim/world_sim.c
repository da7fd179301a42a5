/* world_sim.c: virtual time. A turn fires one timer, so that the checkers look
 * between any two things that happen. */
#include <stddef.h>

#include "tests/sim/sim.h"

static struct world_sim *
of(struct world *w)
{
	return CONTAINER(w, struct world_sim, world);
}

static int64_t
sim_now_ns(struct world *w)
{
	return of(w)->now_ns;
}

static int64_t
sim_wall_us(struct world *w)
{
	return (of(w)->now_ns + of(w)->wall_off_ns) / NS_PER_US;
}

static uint64_t
next(struct world_sim *w)   /* xorshift64* */
{
	uint64_t x = w->rng;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	w->rng = x;
	return x * UINT64_C(2685821657736338717);
}

static uint64_t
sim_random(struct world *w)
{
	return next(of(w));
}

static void
sim_rearm(UNUSED struct world *w)
{
}

static const struct world_ops ops = {
	.now_ns = sim_now_ns,
	.wall_us = sim_wall_us,
	.random = sim_random,
	.rearm = sim_rearm,
};

void
sim_world_init(struct world_sim *w, uint64_t seed)
{
	*w = (struct world_sim){.world.ops = &ops};
	w->rng = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	w->now_ns = 1000 * NS_PER_S;
	w->wall_off_ns = INT64_C(1795000000) * NS_PER_S;
	for (int i = 0; i < 8; i++)
		(void)next(w);
}

uint64_t
sim_rnd(struct sim *s, uint64_t n)
{
	return next(&s->w) % n;
}

void
sim_run_until(struct sim *s, int64_t at_ns)
{
	struct world *w = &s->w.world;
	struct heap_node *n;

	while ((n = heap_min(&w->timers)) != NULL && n->key <= at_ns) {
		struct timer *t = CONTAINER(n, struct timer, node);

		if (n->key > s->w.now_ns)
			s->w.now_ns = n->key;
		w->turn_ns = s->w.now_ns;
		heap_del(&w->timers, n);
		t->fn(w, t);
		s->turns++;
		if (!s->unjudged)
			judge_turn(s);
	}
	if (at_ns > s->w.now_ns)
		s->w.now_ns = at_ns;
	w->turn_ns = s->w.now_ns;
}

static void
jump(struct sim *s, int64_t ns)
{
	s->w.now_ns += ns;
	s->w.world.turn_ns = s->w.now_ns;
	s->jumped_ns = s->w.now_ns;
}

void
sim_suspend(struct sim *s, int64_t ns)
{
	struct world *w = &s->w.world;

	jump(s, ns);
	s->slept_ns = s->w.now_ns;
	if (s->sched == NULL || ns <= WORLD_STALL_NS)
		return;
	for (unsigned i = 0; i < s->nitems; i++)
		judge_gap(s, &s->items[i]);
	w->on_stall(w->on_stall_arg, ns);
	judge_turn(s);
}

void
sim_starve(struct sim *s, int64_t ns)
{
	jump(s, ns);
}

void
sim_step(struct sim *s, int64_t ns)
{
	s->w.wall_off_ns += ns;
	s->stepped_ns = s->w.now_ns;
}

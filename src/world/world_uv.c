/* The real world. A turn begins when the loop comes back from polling: the
 * first question for the time reads the clock, and every later one in that
 * turn gets the same answer. Socket callbacks run first, then the due timers,
 * then libuv's one timer is set to the earliest slot that has something.
 *
 * libuv's timers run on CLOCK_MONOTONIC, which stands still in a suspended
 * machine; ours count suspended time. A beat of KEEP_NS at most makes a turn
 * come soon after a resume, and by the gap between turns a stall is known. */
#include "world/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <uv.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/time.h"

#define KEEP_NS     INT64_C(500000000)
#define POOL_BYTES  256
#define CLOSE_TURNS 1000

struct watch {
	uv_poll_t poll;
	fd_fn *fn;
	void *arg;
	struct watch *next;
};

struct world_uv {
	struct world world;
	uv_loop_t loop;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t wake;
	struct watch *watches;
	int64_t top_ns;        /* when the last turn began; 0: not run yet */
	int64_t planned_ns;    /* how long the last poll was meant to last */
	unsigned char pool[POOL_BYTES];
	size_t pool_left;
};

static struct world_uv *
uv_of(struct world *w)
{
	return CONTAINER(w, struct world_uv, world);
}

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		abort();
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The same clock as the worlds', so that times can be compared. */
int64_t
clock_mono_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int64_t
clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME) / NS_PER_US;
}

void
random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

/* The first look at the clock in a turn: did we sleep through something? */
static int64_t
real_now(struct world *w)
{
	struct world_uv *u = uv_of(w);
	int64_t now = clock_mono_ns(), stall;

	if (w->turn_ns != 0 || u->top_ns == 0)
		return now;
	w->turn_ns = now;
	stall = now - u->top_ns - u->planned_ns;
	u->top_ns = now;
	if (stall > WORLD_STALL_NS && w->on_stall != NULL)
		w->on_stall(w->on_stall_arg, stall);
	return now;
}

static int64_t
real_wall(UNUSED struct world *w)
{
	return clock_wall_us();
}

static uint64_t
real_random(struct world *w)
{
	struct world_uv *u = uv_of(w);
	uint64_t v;

	if (u->pool_left < sizeof(v)) {
		random_bytes(u->pool, sizeof(u->pool));
		u->pool_left = sizeof(u->pool);
	}
	u->pool_left -= sizeof(v);
	memcpy(&v, u->pool + u->pool_left, sizeof(v));
	memset(u->pool + u->pool_left, 0, sizeof(v));
	return v;
}

/* Nothing to do at once: every turn ends in before_poll. */
static void
real_rearm(UNUSED struct world *w)
{
}

static const struct world_ops real_ops = {
	.now_ns = real_now,
	.wall_us = real_wall,
	.random = real_random,
	.rearm = real_rearm,
};

static void
on_wake(UNUSED uv_timer_t *t)
{
	/* It has ended the poll; after_poll fires what is due. */
}

static void
before_poll(uv_prepare_t *p)
{
	struct world_uv *u = CONTAINER(p, struct world_uv, prepare);
	struct heap_node *first = heap_min(&u->world.timers);
	int64_t now = clock_mono_ns(), wait = KEEP_NS;
	uint64_t wait_ms;

	if (first != NULL)
		wait = first->key <= now ? 0 : MIN(first->key - now, KEEP_NS);
	wait_ms = (uint64_t)((wait + NS_PER_MS - 1) / NS_PER_MS);
	/* Counted from the loop's own idea of now, which is no later. */
	(void)uv_timer_start(&u->wake, on_wake, wait_ms, 0);
	if (u->top_ns == 0)
		u->top_ns = now;
	u->planned_ns = (int64_t)wait_ms * NS_PER_MS;
	u->world.turn_ns = 0;
}

static void
after_poll(uv_check_t *c)
{
	struct world_uv *u = CONTAINER(c, struct world_uv, check);

	/* More that is due waits for its turn: before_poll will not sleep. */
	(void)world_fire(&u->world);
}

struct world *
world_uv_new(void)
{
	struct world_uv *u = xcalloc(1, sizeof(*u));

	u->world.ops = &real_ops;
	u->world.slot_ns = WORLD_SLOT_NS;
	if (uv_loop_init(&u->loop) != 0 ||
	    uv_prepare_init(&u->loop, &u->prepare) != 0 ||
	    uv_check_init(&u->loop, &u->check) != 0 ||
	    uv_timer_init(&u->loop, &u->wake) != 0 ||
	    uv_prepare_start(&u->prepare, before_poll) != 0 ||
	    uv_check_start(&u->check, after_poll) != 0)
		abort();
	return &u->world;
}

static void
close_watches(struct world_uv *u)
{
	for (struct watch *w = u->watches; w != NULL; w = w->next)
		uv_close((uv_handle_t *)&w->poll, NULL);
}

void
world_uv_free(struct world *w)
{
	struct world_uv *u;
	int left = CLOSE_TURNS;

	if (w == NULL)
		return;
	u = uv_of(w);
	close_watches(u);
	uv_close((uv_handle_t *)&u->prepare, NULL);
	uv_close((uv_handle_t *)&u->check, NULL);
	uv_close((uv_handle_t *)&u->wake, NULL);
	/* Others' handles are closing too: their callbacks take turns. */
	while (uv_loop_close(&u->loop) != 0) {
		(void)uv_run(&u->loop, UV_RUN_NOWAIT);
		left--;
		assert(left > 0);   /* somebody left a handle open */
	}
	while (u->watches != NULL) {
		struct watch *next = u->watches->next;

		xfree(u->watches);
		u->watches = next;
	}
	heap_free(&w->timers);
	xfree(u);
}

struct uv_loop_s *
world_uv_loop(struct world *w)
{
	return &uv_of(w)->loop;
}

static void
on_readable(uv_poll_t *p, int status, UNUSED int events)
{
	struct watch *w = CONTAINER(p, struct watch, poll);

	/* An error stays readable: fn finds it when it reads. */
	if (status == 0)
		w->fn(w->arg);
}

void
world_uv_watch(struct world *w, int fd, fd_fn *fn, void *arg)
{
	struct world_uv *u = uv_of(w);
	struct watch *one = xcalloc(1, sizeof(*one));

	one->fn = fn;
	one->arg = arg;
	if (uv_poll_init(&u->loop, &one->poll, fd) != 0 ||
	    uv_poll_start(&one->poll, UV_READABLE, on_readable) != 0)
		abort();
	one->next = u->watches;
	u->watches = one;
}

void
world_uv_run(struct world *w)
{
	struct world_uv *u = uv_of(w);

	u->top_ns = 0;   /* the time before this run is nobody's stall */
	w->turn_ns = 0;
	(void)uv_run(&u->loop, UV_RUN_DEFAULT);
	w->turn_ns = 0;
}

void
world_uv_stop(struct world *w)
{
	uv_stop(&uv_of(w)->loop);
}

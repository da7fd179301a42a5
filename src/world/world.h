/* world.h: the only door to clock, randomness and the event loop. Two
 * implementations: world_uv.c (libuv, one per shard or courier thread) and
 * tests/sim/world_sim.c (virtual time). One thread owns a world. */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/heap.h"

struct timer;
struct world;
struct uv_loop_s;

/* t is embedded in whatever waits: recover it with CONTAINER. When fn runs
 * the timer is already stopped; fn may set it again or free its owner. */
typedef void timer_fn(struct world *w, struct timer *t);
struct timer {
	struct heap_node node;
	timer_fn *fn;
};

/* Called at the top of a turn when the process did not run for stall_ns:
 * suspended, stopped, or starved. It comes out of the turn's first world_now
 * or world_fresh, which may be inside a socket callback: it only takes note
 * and frees nothing. */
typedef void stall_fn(void *arg, int64_t stall_ns);
#define WORLD_STALL_NS INT64_C(1000000000)

/* Real timers are fired in slots of this width, so that starts that are due
 * together share one wake-up. */
#define WORLD_SLOT_NS INT64_C(8000000)
#define WORLD_TIMERS_PER_TURN 512

struct world_ops {
	int64_t (*now_ns)(struct world *w);    /* CLOCK_BOOTTIME, uncached */
	int64_t (*wall_us)(struct world *w);   /* Unix µs, uncached */
	uint64_t (*random)(struct world *w);
	void (*rearm)(struct world *w);        /* the earliest timer changed */
};
struct world {
	const struct world_ops *ops;
	struct heap timers;
	int64_t turn_ns;       /* "now" of this turn */
	int64_t slot_ns;       /* timers fire at multiples of this; 0: exactly */
	stall_fn *on_stall;
	void *on_stall_arg;
};

/* One "now" per loop turn; monotonic nanoseconds, counts suspended time. */
int64_t world_now(struct world *w);
/* Read the clock again: after long work, or for phases of a check. */
int64_t world_fresh(struct world *w);
int64_t world_wall_us(struct world *w);
uint64_t world_random(struct world *w);
void timer_set(struct world *w, struct timer *t, int64_t at_ns, timer_fn *fn);
void timer_stop(struct world *w, struct timer *t);
bool timer_on(const struct timer *t);
/* For the implementations: fire what is due at turn_ns, at most
 * WORLD_TIMERS_PER_TURN; true when more are due. */
bool world_fire(struct world *w);

/* -- the real world ---------------------------------------------------- */
struct world *world_uv_new(void) MUST_USE;
void world_uv_free(struct world *w);             /* nothing pending but ours */
struct uv_loop_s *world_uv_loop(struct world *w);
/* Run until world_uv_stop; fd_fn is called when fd (a mailbox) is readable. */
typedef void fd_fn(void *arg);
void world_uv_watch(struct world *w, int fd, fd_fn *fn, void *arg);
void world_uv_run(struct world *w);
void world_uv_stop(struct world *w);   /* from the loop's own thread */

/* -- for threads without a loop ---------------------------------------- */
int64_t clock_mono_ns(void);
int64_t clock_wall_us(void);
void random_bytes(void *p, size_t n);  /* getrandom(2); aborts without */

#endif

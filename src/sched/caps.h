/* caps.h: how many checks may run at once, over all shards and per host.
 * The one thing shards share: a mutex and counters, because a cap split
 * between shards would be either too high or starve one of them.
 *
 * Fair between shards: a slot that comes free is offered to the shards that
 * were refused, in proportion to how many checks wait there, and kept for the
 * one it was offered to until that takes or declines it. Otherwise the shard
 * that gives would always be the first to take again. */
#ifndef SCHED_CAPS_H
#define SCHED_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define CAPS_SHARDS_MAX 64

enum caps_answer {
	CAPS_OK,
	CAPS_FULL,        /* no slot for anybody */
	CAPS_HOST_FULL    /* none for this host */
};

struct caps;
/* wake(arg, shard) is called, from any thread, when a slot came free that the
 * shard waits for; it must not call back into caps. */
struct caps *caps_new(uint32_t in_flight, uint32_t per_host,
    void (*wake)(void *arg, unsigned shard), void *arg) MUST_USE;
void caps_free(struct caps *c);
void caps_set(struct caps *c, uint32_t in_flight, uint32_t per_host);
/* Take a slot for this host (0: no host, only the global cap). Unless CAPS_OK
 * the shard is remembered as waiting. */
enum caps_answer caps_take(struct caps *c, uint64_t host, unsigned shard)
    MUST_USE;
void caps_give(struct caps *c, uint64_t host, unsigned shard);
/* Pass on what was offered to this shard: nothing of it waits that could use
 * it. After each round of taking. */
void caps_decline(struct caps *c, unsigned shard);
/* How many checks wait on this shard: its weight. Cheap; any time. */
void caps_waiting(struct caps *c, unsigned shard, size_t n);
uint32_t caps_in_use(struct caps *c);
/* A shard withholds its starts (the store is full) or goes on. True for the
 * first to stop and the last to go on: who says so in the event log. */
bool caps_withhold(struct caps *c, bool on);

#endif

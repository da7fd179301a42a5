/* caps.h: how many checks may run at once, over all shards and per host.
 * The one thing shards share: a mutex and counters, because a cap split
 * between shards would be either too high or starve one of them. */
#ifndef SCHED_CAPS_H
#define SCHED_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#define CAPS_SHARDS_MAX 64

struct caps;
/* wake(arg, shard) is called, from any thread, when a slot came free that the
 * shard waits for. */
struct caps *caps_new(uint32_t in_flight, uint32_t per_host,
    void (*wake)(void *arg, unsigned shard), void *arg);
void caps_free(struct caps *c);
void caps_set(struct caps *c, uint32_t in_flight, uint32_t per_host);
/* Take a slot for this host (0: no host, only the global cap). False: full;
 * the shard is remembered as waiting. */
bool caps_take(struct caps *c, uint64_t host, unsigned shard);
void caps_give(struct caps *c, uint64_t host, unsigned shard);
uint32_t caps_in_use(struct caps *c);

#endif

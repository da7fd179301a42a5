/* live.h: events as they are committed, for SSE. A bounded ring; a reader that
 * falls behind is told to reload. Any thread; the writer adds. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/sample.h"

#define LIVE_RING 4096

struct live;
/* A subscriber is woken (any thread, must not block) when there is news. */
struct live_sub {
	struct live_sub *next;
	void (*wake)(struct live_sub *s);
};
void live_subscribe(struct live *l, struct live_sub *s);
void live_unsubscribe(struct live *l, struct live_sub *s);
/* Events with id > after, at most max, oldest first. *ret_lost: some after
 * "after" are no longer in the ring (read them from the store). */
unsigned live_read(struct live *l, uint64_t after, struct event *ret,
    unsigned max, bool *ret_lost);
uint64_t live_last(struct live *l);
/* Monitors that had a sample since tick, for live latencies: ids at most max;
 * *tick moves on. An id may come more than once. Tick 0 is the beginning; start
 * with UINT64_MAX to see only what comes from now on. */
unsigned live_touched(struct live *l, uint64_t *tick, uint32_t *ret, unsigned max);

#endif

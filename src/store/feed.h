/* feed.h: the writer's side of the live ring. */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "store/live.h"

struct live *live_new(uint64_t last_id) MUST_USE;
void live_free(struct live *l);
void live_add(struct live *l, const struct event *e, size_t n);
void live_touch(struct live *l, const uint32_t *monitor, size_t n);
void live_wake(struct live *l);   /* once, after all of it */

#endif

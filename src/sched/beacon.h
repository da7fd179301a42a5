/* beacon.h: asks the beacons, on the loop of one shard, and tells the vantage
 * what they said. A calm round a minute keeps them honest: a beacon that was
 * found by itself has a voice once it has answered, and whoever stays silent
 * while others are well loses it. Nothing is sent as long as only this machine
 * is looked at. When sight is back, it is told.
 *
 *   begin ─► check->start of each ─┬─ done ──────┐
 *                                  └─ deadline ──┴─► the last: round is over */
#ifndef SCHED_BEACON_H
#define SCHED_BEACON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define BEACONS_MAX       16
#define BEACON_TIMEOUT_NS INT64_C(2000000000)
#define BEACON_CALM_NS    INT64_C(60000000000)
#define BEACON_AGAIN_NS   INT64_C(2000000000)   /* while nothing is seen */
#define BEACON_MISSES     3                     /* calm rounds in a row */
/* A failure waits no longer than this for what the beacons say. */
#define BEACON_HOLD_NS    INT64_C(3000000000)

struct monitor_conf;
struct sched;

struct beacon_conf {
	struct monitor_conf *conf;   /* a reference; path names the beacon */
	bool found;                  /* by itself: it has to answer once */
};
/* Which beacons there are now: filled in, at most BEACONS_MAX; how many. Asked
 * again at every round, on the shard's thread. */
struct beacon_source {
	size_t (*list)(void *arg, struct beacon_conf ret[BEACONS_MAX]);
	void *arg;
};

struct beacons;
struct beacons *beacons_new(struct sched *s, const struct beacon_source *src)
    MUST_USE;
void beacons_free(struct beacons *b);   /* NULL is fine */
/* Something may be to do: the vantage woke us. */
void beacons_look(struct beacons *b);
/* No more; what is asked is given up. */
void beacons_stop(struct beacons *b);

#endif

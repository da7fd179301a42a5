/* serve_beacons.h: net.beacons as checks: the words are looked up in this
 * machine's routes and resolvers each time, so that a change is noticed. */
#ifndef SERVE_BEACONS_H
#define SERVE_BEACONS_H

#include "conf/conf.h"
#include "sched/beacon.h"

/* beacon_source.list; arg is the daemon's struct settings, which only a
 * restart changes. A shard's thread. */
size_t beacon_list(void *settings, struct beacon_conf ret[BEACONS_MAX]);
/* The gateways of the default routes in text of the form of /proc/net/route,
 * one a line into out; and the servers of a resolv.conf. Pure. */
void beacon_gateways(struct str text, struct buf *out);
void beacon_nameservers(struct str text, struct buf *out);

#endif

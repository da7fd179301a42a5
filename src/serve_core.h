/* serve_core.h: the running daemon's parts and the wires between them. Owned
 * by the main thread; the functions that other threads call say so. */
#ifndef SERVE_CORE_H
#define SERVE_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alert/courier.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "http/http.h"
#include "model/command.h"
#include "model/event.h"
#include "model/link.h"
#include "place.h"
#include "sched/caps.h"
#include "sched/shard.h"
#include "store/store.h"

struct core {
	struct settings settings;
	struct document *first;        /* until it is applied */
	struct place at;
	struct store *store;
	struct courier *courier;
	unsigned char link_key[LINK_KEY];
	struct http *http;
	struct caps *caps;
	struct vantage *vantage;
	struct beacon_source beacons;
	struct shard *shards[CAPS_SHARDS_MAX];
	unsigned nshards;
	/* Whom to tell, as last applied, and a wish to work it out anew. */
	struct settings alerting;
	atomic_bool reroute;
	/* False until every shard runs: before, the store's changes reach the
	 * shards by store_replay and not one by one. */
	atomic_bool forward;
};

enum err core_shards(struct core *co, struct errinfo *ei) MUST_USE;
/* What is configured, and the channels there are, go to every shard as a plan.
 * Main thread. */
enum err core_routes(struct core *co, struct errinfo *ei) MUST_USE;
/* Whom to tell is what next says from now on; main thread. */
void core_alerting(struct core *co, const struct settings *next);
/* The store's hook (writer thread). */
void core_rechannel(void *arg);
void core_shards_stop(struct core *co, int64_t deadline_ns);
void core_shards_free(struct core *co);

/* Any thread: an entry of the event log, as the daemon. */
void core_event(struct core *co, enum event_kind kind, const char *subject,
    const char *text);
/* The store's hook (writer thread) and the front doors' (any thread). */
void core_to_shard(void *arg, struct command *c, uint32_t key);
bool core_send(void *arg, struct command *c);
/* The core's families of /metrics; any thread. */
void core_metrics(void *arg, struct buf *out);
/* How each channel does; any thread. Caller json_decrefs. */
json_t *core_channels(void *arg) MUST_USE;

#endif

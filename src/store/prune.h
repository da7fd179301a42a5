/* prune.h: the retention table carried out: a round over its rows, at start
 * and every ten minutes, in slices between the writer's batches. */
#ifndef STORE_PRUNE_H
#define STORE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/inside.h"
#include "store/retention.h"
#include "store/trust.h"

#define PRUNE_EVERY_NS (INT64_C(600) * 1000000000)
/* A log that outgrows its number by so much does not wait for that. */
#define PRUNE_EVENTS_SLACK 1000
#define PRUNE_LIMIT_MIN 8      /* rows in a step */
#define PRUNE_LIMIT_MAX 1024

enum prune_stage { PRUNE_NEXT, PRUNE_WALK, PRUNE_DELETE };

struct prune {
	bool running;
	size_t row;              /* of retention[], under way */
	bool entered;            /* its step was called in this round */
	unsigned limit;          /* rows in a step, by what they cost */
	unsigned used;           /* of them, in the last step */
	/* where the step under way is */
	enum prune_stage stage;
	int64_t at_us;
	uint64_t id, seen;
	uint32_t monitor;
	bool has_floor;          /* older rows than this one go */
	int64_t floor_us;
	uint64_t floor_id;
	uint64_t over_bytes;     /* of samples, by store.retention */
	uint64_t over_budget;    /* by the disk budget */
	uint64_t first_event;
	/* in the slice under way */
	uint64_t pruned[RETENTION_MAX], shed;
	/* since the round began */
	uint64_t relieved;       /* bytes that made room */
	int64_t began_us;        /* as far as the clock is believed */
	/* of the next round */
	int64_t next_ns;
	struct trust trust;
};

/* When the last round began, or else when we were last alive: from there time
 * goes on. Before the writer's thread. */
enum err prune_load(struct store *s, struct errinfo *ei) MUST_USE;
/* Is there something to do now? Cheap. */
bool prune_due(const struct store *s, int64_t now_ns);
/* Begin a round now, whatever the time: there is no room. */
void prune_hurry(struct store *s);
/* One transaction. */
void prune_slice(struct store *s);

#endif

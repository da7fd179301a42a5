/* live.h: the scheduler's inside: the live state of monitors, groups and
 * running checks. For src/sched only; what its files ask of each other is
 * parts.h.
 *
 *   sched.c  commands, pause, stop         mon.c    monitors come, change, go
 *   run.c    one check, start to end       queue.c  who waits for a slot
 *   time.c   wall clock, beats, phases     group.c  votes and membership
 *   push.c   heartbeats and deadlines      report.c units for the sink
 *   beacon.c asks whether we see at all */
#ifndef SCHED_LIVE_H
#define SCHED_LIVE_H

#include "base/list.h"
#include "base/map.h"
#include "route/route.h"
#include "sched/sched.h"
#include "state/state.h"

enum mon_phase { MON_IDLE, MON_WAITING, MON_RUNNING };

struct run;

/* A group, from its first mention: by its own configuration or a member's,
 * in any order. */
struct group {
	struct map_node node;
	uint32_t id;
	struct mon *mon;            /* NULL: only its members are known yet */
	struct list members;
	struct group_votes votes;
};

struct mon {
	struct map_node node;
	struct sched *sched;
	struct monitor_conf *conf;  /* a reference */
	const struct check_kind *kind;
	/* Active: the next beat or recheck. Push: the deadline. Group: until
	 * its members are back after a start. */
	struct timer timer;
	struct run *run;            /* RUNNING */
	struct group *of;           /* the group it is a member of */
	struct group *group;        /* the group it is */
	struct list member;         /* in of->members */
	struct list wait;           /* WAITING: in its host's queue */
	int64_t beat_ns;            /* the next beat; 0 none */
	int64_t recheck_ns;         /* the next recheck; 0 none */
	int64_t wait_due_ns;        /* WAITING: when it should have started */
	int64_t deadline_ns;        /* push: deadline_us on our clock */
	uint64_t host;              /* for the per-host cap; 0 none */
	uint32_t run_no;
	uint8_t phase;              /* enum mon_phase */
	uint8_t index;              /* of its kind, for the counters */
	bool wait_recheck : 1;
	bool local : 1;             /* its host is this machine */
	bool settling : 1;            /* group: members are still coming back */
	struct mon_state st;
	struct votes votes;
};
_Static_assert(sizeof(struct mon) <= 640, "100,000 of them are idle");

/* A check in flight; kind->size bytes from check on. */
struct run {
	struct list link;           /* in sched.running */
	struct mon *mon;
	struct monitor_conf *conf;  /* a reference: edits do not disturb it */
	struct timer deadline;
	uint64_t host;              /* whose slot it holds */
	int64_t due_ns;
	int64_t ended_ns;           /* it has its answer; 0: not yet */
	bool recheck, graced, refused;
	bool held;                  /* until the beacons have answered */
	struct check check;
};

struct hostq;
struct sched {
	struct world *world;
	struct check_env *env;
	struct caps *caps;
	unsigned shard;
	struct sink *sink;
	struct sched_stats *stats;
	struct map mons, groups;
	struct list running;
	/* queue.c */
	struct map hosts;
	struct list ready, blocked; /* host queues: may try; host is full */
	size_t nwaiting;
	struct timer pump;          /* more to start, or look at the sink again */
	bool withheld;              /* the sink is full */
	/* time.c: wall clock = monotonic + epoch */
	int64_t epoch_ns, synced_ns;
	int64_t stalled_ns;         /* what started before was slept through */
	int64_t stop_ns;            /* 0: not stopping */
	/* Do we see at all: NULL: never asked. beacons: asked here. */
	struct vantage *vantage;
	struct beacons *beacons;
	/* report.c */
	struct route_plan *routes;  /* a reference; NULL: nobody is told */
	struct route_rows told;     /* on their way into the next unit */
};

#endif

/* sched.h: decides when each monitor runs, drives checks, heartbeats and
 * groups, folds answers into verdicts and hands units to the sink. Owns the
 * monitors' live state. One per shard; only its loop thread calls in. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"
#include "base/role.h"
#include "check/check.h"
#include "model/command.h"
#include "model/unit.h"
#include "sched/beacon.h"
#include "sched/caps.h"
#include "sched/vantage.h"

/* Where units go. put takes ownership, always: a transition is never refused
 * (it may grow beyond the bound). load is how full the sink is, 0..1: above
 * SCHED_PAUSE_LOAD no check is started, and that is said once. */
struct sink {
	void (*put)(struct sink *k, struct unit *u);
	double (*load)(struct sink *k);
};
#define SCHED_PAUSE_LOAD 0.75
/* A state row at least every so many samples, so that a restart folds few. */
#define SCHED_SAVE_EVERY 64
/* An answer later than its deadline plus this was held up by us. */
#define SCHED_LATE_NS INT64_C(1000000000)

/* Counters; relaxed atomics, read by /metrics from any thread. */
struct sched_stats {
	struct hist lag;                   /* start minus due */
	_Atomic uint64_t in_flight, waiting, monitors;
	_Atomic uint64_t started, late_answers, skipped_beats, stalls;
	_Atomic uint64_t paused_by_store;  /* starts withheld: the sink is full */
	_Atomic uint64_t voided[WHY_NMAX];
	_Atomic uint64_t checks[16][3];    /* by kind index; ok, fail, void */
};

struct sched;
/* w, env, caps, sink and stats outlive it. */
struct sched *sched_new(struct world *w, struct check_env *env,
    struct caps *caps, unsigned shard, struct sink *sink,
    struct sched_stats *stats) MUST_USE;
void sched_free(struct sched *s);
/* Once, before the first command: v judges what failures are worth; src: the
 * beacons are asked by this scheduler. NULL: by another. Both outlive it. */
void sched_vantage(struct sched *s, struct vantage *v,
    const struct beacon_source *src);
/* Carry out and free a command. PUT with state resumes exactly there. */
void sched_command(struct sched *s, struct command *c) ON(shard_role);
/* Slots came free on another shard, or the vantage has news: go on. */
void sched_kick(struct sched *s) ON(shard_role);
/* No new checks; those in flight are cancelled at deadline_ns at the latest.
 * idle tells when none is left. */
void sched_stop(struct sched *s, int64_t deadline_ns) ON(shard_role);
bool sched_idle(const struct sched *s) ON(shard_role);
/* Invariants; aborts. The simulator calls it every turn. */
void sched_check(const struct sched *s) ON(shard_role);

/* Where in its interval a monitor runs: hash(id) mod interval, on the wall
 * clock's epoch. */
int64_t sched_phase_ns(uint32_t id, int64_t interval_ns);

#endif

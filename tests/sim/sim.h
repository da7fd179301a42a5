/* sim.h: the real scheduler and the real verdicts in a made-up world: virtual
 * time, scripted targets, a store that can be full, stalled, or lost with all
 * that was not yet committed. One seed or one scenario file decides all of it;
 * the same input gives the same run. Single-threaded.
 *
 *   world_sim.c  clock and turns        sim_check.c  targets that answer
 *   sim_store.c  sink, commit, crash    sim_judge.c  what must be true
 *   sim_seeds.c  random worlds          sim_scene.c  scenario files
 *   sim_told.c   what people are told   sim_sight.c  beacons
 *   sim_loss.c   packets get lost       chain.h      the rest of the way */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "check/check.h"
#include "model/alert_unit.h"
#include "sched/sched.h"
#include "state/state.h"

#define ITEMS_MAX   400      /* monitors ever made in one run */
#define TARGETS_MAX 64
#define HOSTS_MAX   8
#define SAMPLES_MAX 200      /* committed since the last state row */
#define HISTORY     96
#define ROWS_LOGGED 64

enum mode { MODE_ANSWERS, MODE_FAILS, MODE_SILENT };
struct target {
	enum mode mode;
	enum why why;             /* FAILS */
	int64_t latency_ns;       /* 0: 1 … 200 ms at random */
};

/* What people were told of one monitor, from the rows alone. */
struct told {
	int64_t incident_us;      /* 0: all is well, as far as they know */
	int64_t ends_us;          /* its end was told for then */
	bool flapping;
};

/* The checkers' own idea of one monitor, from what was emitted: history as
 * letters (F failed, O ok, D degraded, V void), newest last. */
struct model {
	bool known;
	uint64_t seq;
	enum status status;
	char history[HISTORY];
	unsigned n;
	unsigned since_up;        /* letters before this are a past outage's */
	/* push, on the monotonic clock */
	bool heard;
	int64_t base_ns;          /* last beat or fresh start; 0: no deadline */
	int64_t beat_ns;
	unsigned gaps;            /* fresh starts since the last beat */
	unsigned lost;            /* beats sent into gaps since then */
	struct told told;
};

/* What the store has of one monitor. */
struct row {
	bool has_state;
	struct mon_state state;
	struct { uint64_t seq; enum why why; int64_t at_us; } v[SAMPLES_MAX];
	unsigned n;
	uint64_t acked_seq;
};

struct change_log { int64_t at_ns; enum status to; enum why why; };
struct look_log { int64_t at_ns; enum why why; bool recheck; };

struct item {
	struct sim *sim;
	struct monitor_conf *conf;   /* NULL: deleted */
	char name[32];               /* scenarios */
	unsigned target;
	struct model live, durable;
	struct row row;
	/* the run under way, as sim_check.c meant it */
	bool running;
	int64_t started_ns;
	enum why meant;
	int64_t meant_latency_ns;
	/* the last start of a beat; 0: anything may come next */
	int64_t last_due_ns, last_look_ns, last_sample_ns, excused_ns;
	/* push: the sender */
	struct timer sender;
	int64_t period_ns, jitter_ns, next_ns, planned_ns, silent_until_ns;
	int64_t held_up_ns;          /* how long the beat waited at the door */
	struct change_log *changes;
	struct look_log *looks;
	size_t nchanges, nlooks, nrows;
	uint8_t rows[ROWS_LOGGED];   /* kinds of what was told */
};

struct world_sim {
	struct world world;
	int64_t now_ns, wall_off_ns;
	uint64_t rng;
};

struct chain;
struct pending;
struct sim {
	struct world_sim w;
	struct check_env env;
	struct caps *caps;
	struct sched *sched;         /* NULL: crashed */
	struct sched_stats stats;
	struct sink sink;
	struct item items[ITEMS_MAX];
	unsigned nitems;
	struct target targets[TARGETS_MAX];
	unsigned per_host[HOSTS_MAX + 1], in_flight, cap, cap_host;
	int64_t nofds_until;
	struct vantage *vantage;     /* NULL: no beacons, or crashed */
	bool beacons;
	int64_t blind_until;         /* nothing gets out or in */
	int64_t mute_until;          /* only the beacons are silent */
	struct timer kick;
	int64_t sight_us;            /* of the last time it was told */
	uint64_t sights;
	int64_t jumped_ns;           /* the last time the clock jumped */
	int64_t restarted_ns, stepped_ns, slept_ns;
	/* store */
	struct pending *first, **last;
	size_t queued, queue_max;
	int64_t commit_delay_ns, stalled_until;
	struct timer commit;
	bool keep_logs, calm;        /* calm: never short of slots or store */
	bool unjudged;               /* no checkers between turns */
	bool healed;                 /* nothing goes wrong any more */
	struct chain *chain;         /* the rest of the way; NULL: none */
	uint64_t hash, turns, samples, changes, voids, restarts, acks, told;
	uint64_t pauses, goes_on;    /* events of a full store */
	const char *replay;          /* how to see a failure again */
};

/* -- world_sim.c ---------------------------------------------------------- */
void sim_world_init(struct world_sim *w, uint64_t seed);
uint64_t sim_rnd(struct sim *s, uint64_t n);          /* 0 … n - 1 */
/* Fire everything up to this moment, checking after each turn. */
void sim_run_until(struct sim *s, int64_t at_ns);
void sim_suspend(struct sim *s, int64_t ns);          /* the scheduler is told */
void sim_starve(struct sim *s, int64_t ns);           /* it is not */
void sim_step(struct sim *s, int64_t ns);             /* the wall clock only */

/* -- sim_check.c ----------------------------------------------------------- */
extern const struct check_kind sim_kind, sim_push, sim_group;
/* A configuration with one reference; target and host for active ones. */
struct monitor_conf *sim_conf(const struct check_kind *k, uint32_t id,
    unsigned target, unsigned host) MUST_USE;
struct monitor_conf *sim_conf_copy(const struct monitor_conf *c) MUST_USE;
void sim_conf_target(struct monitor_conf *c, unsigned target, unsigned host);
unsigned sim_conf_host(const struct monitor_conf *c);
extern struct sim *sim_now_running;   /* kinds have no cookie */

/* -- sim_store.c ----------------------------------------------------------- */
void sim_store_init(struct sim *s);
void sim_store_free(struct sim *s);
void sim_boot(struct sim *s);                         /* restore from rows */
void sim_crash(struct sim *s);
void sim_flush(struct sim *s);                        /* commit all there is */
/* Send a command; with an ack its answer is checked against durability. */
void sim_put(struct sim *s, struct item *it);
void sim_remove(struct sim *s, struct item *it);
void sim_command(struct sim *s, struct item *it, enum command_kind k);
void sim_beat(struct sim *s, struct item *it, bool down);

/* -- sim_told.c ------------------------------------------------------------ */
struct command *told_routes(void) MUST_USE;   /* one channel, "ops" */
void judge_told(struct sim *s, const struct result_unit *r);

/* -- sim_sight.c ----------------------------------------------------------- */
void sight_boot(struct sim *s);
void sight_crash(struct sim *s);
void judge_sight(struct sim *s, const struct item *it);
void judge_sights(struct sim *s, const struct alert_unit *u);

/* -- sim_judge.c ----------------------------------------------------------- */
void judge_unit(struct sim *s, const struct unit *u);
void judge_start(struct sim *s, struct item *it, const struct check *c);
void judge_turn(struct sim *s);
void judge_gap(struct sim *s, struct item *it);       /* stall or restart */
void judge_healthy(struct sim *s);                    /* after the chaos */
NORETURN void sim_fail(const struct sim *s, const char *fmt, ...) FORMAT(2, 3);
#define MUST(s, cond) \
	do { if (!(cond)) sim_fail(s, "%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)
struct item *sim_item(struct sim *s, uint32_t id);

/* -- the ways in ------------------------------------------------------- */
struct sim *sim_new(uint64_t seed, const char *replay) MUST_USE;
void sim_free(struct sim *s);
struct item *sim_add(struct sim *s, const struct check_kind *k,
    unsigned target, unsigned host);
int seeds_main(uint64_t from, uint64_t count);
int scene_main(int argc, char **argv);
int weeks_main(uint64_t from, uint64_t count, uint64_t days);
int loss_main(uint64_t seed, uint64_t monitors, uint64_t days);

#endif

/* sim_seeds.c: random worlds. Chaos first, while safety is checked all the
 * time; then everything is healed, and after a while all must be well. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "tests/sim/chain.h"

#define CHAOS_NS  (90 * 60 * NS_PER_S)
#define HEAL_NS   (10 * 60 * NS_PER_S)
#define CALM_NS   (4 * 3600 * NS_PER_S)   /* after weeks */
#define TARGETS   8
#define CROWD     24         /* monitors ever made in weeks */

static timer_fn on_sender;

static void
no_wake(UNUSED void *arg, UNUSED unsigned shard)
{
}

struct sim *
sim_new(uint64_t seed, const char *replay)
{
	struct sim *s = xcalloc(1, sizeof(*s));

	sim_world_init(&s->w, seed);
	s->replay = replay;
	s->cap = 1000;
	s->cap_host = 1000;
	s->caps = caps_new(s->cap, s->cap_host, no_wake, s);
	s->hash = UINT64_C(14695981039346656037);
	sim_store_init(s);
	sim_now_running = s;
	sim_boot(s);
	return s;
}

void
sim_free(struct sim *s)
{
	sched_free(s->sched);
	sight_crash(s);
	sim_store_free(s);
	chain_free(s);
	for (unsigned i = 0; i < s->nitems; i++) {
		timer_stop(&s->w.world, &s->items[i].sender);
		monitor_conf_unref(s->items[i].conf);
		xfree(s->items[i].changes);
		xfree(s->items[i].looks);
	}
	caps_free(s->caps);
	heap_free(&s->w.world.timers);
	xfree(s);
}

struct item *
sim_add(struct sim *s, const struct check_kind *k, unsigned target,
    unsigned host)
{
	struct item *it = &s->items[s->nitems];

	MUST(s, s->nitems < ITEMS_MAX);
	it->sim = s;
	it->conf = sim_conf(k, ++s->nitems, target, host);
	it->live.status = it->durable.status = STATUS_PENDING;
	it->excused_ns = s->w.now_ns;
	return it;
}

/* -- the people in this world ---------------------------------------------- */

static void
sender_next(struct item *it)
{
	struct sim *s = it->sim;

	it->next_ns += it->period_ns;
	it->planned_ns = MAX(it->next_ns, s->w.now_ns);
	if (it->jitter_ns > 0)
		it->planned_ns += (int64_t)sim_rnd(s, (uint64_t)it->jitter_ns);
	timer_set(&s->w.world, &it->sender, it->planned_ns, on_sender);
}

/* What was sent while we slept reached nobody; while we were only slow, it
 * waited at the door. */
static void
sender_send(struct item *it, int64_t sent_ns)
{
	struct sim *s = it->sim;

	if (s->w.now_ns < it->silent_until_ns)
		return;
	if (sent_ns < s->slept_ns) {
		it->live.lost++;
		return;
	}
	it->held_up_ns = s->w.now_ns - sent_ns;
	sim_beat(s, it, false);
	it->held_up_ns = 0;
}

static void
on_sender(UNUSED struct world *w, struct timer *t)
{
	struct item *it = CONTAINER(t, struct item, sender);

	sender_send(it, it->planned_ns);
	while (it->next_ns + it->period_ns < it->sim->w.now_ns) {
		it->next_ns += it->period_ns;
		sender_send(it, it->next_ns);
	}
	sender_next(it);
}

static int64_t
between(struct sim *s, int64_t lo_ms, int64_t hi_ms)
{
	return (lo_ms + (int64_t)sim_rnd(s, (uint64_t)(hi_ms - lo_ms + 1))) *
	    NS_PER_MS;
}

static void
tune(struct sim *s, struct monitor_conf *c)
{
	static const int64_t intervals[] = {1, 5, 10, 30, 60, 120};

	c->interval_ns = intervals[s->chain != NULL ? 4 + sim_rnd(s, 2) :
	    1 + sim_rnd(s, 5)] * NS_PER_S;
	if (c->kind == &sim_push.conf) {
		c->grace_ns = between(s, 2000, c->interval_ns * 8 / 10 /
		    NS_PER_MS);
		return;
	}
	c->timeout_ns = between(s, 1000, MIN(c->interval_ns,
	    10 * NS_PER_S) / NS_PER_MS);
	c->retry_interval_ns = between(s, 500, MIN(c->interval_ns,
	    10 * NS_PER_S) / NS_PER_MS);
	c->retries = (uint32_t)sim_rnd(s, 4);
	c->recoveries = 1 + (uint32_t)sim_rnd(s, 3);
	c->degraded_above_ns = sim_rnd(s, 4) == 0 ? 150 * NS_PER_MS : 0;
	c->fail_m = sim_rnd(s, 4) == 0 ? 2 + (uint32_t)sim_rnd(s, 2) : 0;
	c->fail_n = c->fail_m > 0 ? c->fail_m + (uint32_t)sim_rnd(s, 3) : 0;
}

static struct item *
populate(struct sim *s)
{
	uint64_t r = sim_rnd(s, 10);
	const struct check_kind *k = r < 7 ? &sim_kind :
	    r < 9 ? &sim_push : &sim_group;
	struct item *it;
	unsigned group;

	if (s->nitems >= ITEMS_MAX)
		return NULL;
	it = sim_add(s, k, (unsigned)sim_rnd(s, TARGETS),
	    (unsigned)sim_rnd(s, HOSTS_MAX + 1));
	group = (unsigned)sim_rnd(s, s->nitems);
	tune(s, it->conf);
	if (k == &sim_push) {
		it->period_ns = it->conf->interval_ns;
		it->jitter_ns = it->conf->grace_ns / 8;
		if (s->chain != NULL) {   /* not late by right for weeks */
			it->period_ns -= it->period_ns / 20;
			it->jitter_ns = 0;
		}
		it->next_ns = s->w.now_ns;
		sender_next(it);
	}
	if (k != &sim_group && s->items[group].conf != NULL &&
	    s->items[group].conf->kind == &sim_group.conf)
		it->conf->group = s->items[group].conf->id;
	if (s->sched != NULL)
		sim_put(s, it);
	return it;
}

static struct item *
anybody(struct sim *s)
{
	for (int i = 0; i < 20; i++) {
		struct item *it = &s->items[sim_rnd(s, s->nitems)];

		if (it->conf != NULL)
			return it;
	}
	return NULL;
}

/* -- what people do -------------------------------------------------------- */

static void
edit(struct sim *s, struct item *it)
{
	struct monitor_conf *old = it->conf, *c = sim_conf_copy(old);

	switch (sim_rnd(s, 4)) {
	case 0:
		if (it->conf->kind != &sim_group.conf &&
		    it->conf->kind != &sim_push.conf)
			tune(s, c);
		break;
	case 1:
		if (c->kind == &sim_kind.conf)
			sim_conf_target(c, (unsigned)sim_rnd(s, TARGETS),
			    (unsigned)sim_rnd(s, HOSTS_MAX + 1));
		break;
	case 2:
		c->recoveries = 1;
		break;
	case 3:
		if (c->kind != &sim_group.conf) {
			struct item *g = anybody(s);

			c->group = g != NULL &&
			    g->conf->kind == &sim_group.conf ? g->conf->id : 0;
		}
		break;
	}
	if (c->kind == &sim_kind.conf && it->live.status != STATUS_PAUSED &&
	    monitor_conf_retargets(old, c))
		it->live.n = it->live.since_up = 0;
	it->conf = c;
	sim_put(s, it);
	monitor_conf_unref(old);
}

static void
delete(struct sim *s, struct item *it)
{
	/* As the store does with --prune: members first, then the group. */
	if (it->conf->kind == &sim_group.conf)
		for (unsigned i = 0; i < s->nitems; i++)
			if (s->items[i].conf != NULL &&
			    s->items[i].conf->group == it->conf->id)
				sim_remove(s, &s->items[i]);
	sim_remove(s, it);
}

static void
crash(struct sim *s)
{
	int64_t back;

	sim_crash(s);
	back = s->w.now_ns + between(s, 10, sim_rnd(s, 3) == 0 ? 600000 :
	    5000);
	sim_run_until(s, back);
	s->stalled_until = 0;
	s->restarts++;
	sim_boot(s);
}

static void
trouble_there(struct sim *s)
{
	struct target *t = &s->targets[sim_rnd(s, TARGETS)];
	static const enum why whys[] = {WHY_NET_REFUSED, WHY_HTTP_STATUS,
		WHY_DNS_NXDOMAIN, WHY_TLS_EXPIRES_SOON};

	t->mode = (enum mode)sim_rnd(s, 3);
	t->why = whys[sim_rnd(s, COUNT(whys))];
	t->latency_ns = sim_rnd(s, 4) == 0 ? between(s, 1, 12000) : 0;
}

static void
limits(struct sim *s)
{
	/* Never below what runs: the product lowers by attrition, which the
	 * checker of caps would not understand. */
	s->cap = MAX(s->in_flight, 4 + (unsigned)sim_rnd(s, 20));
	s->cap_host = 2 + (unsigned)sim_rnd(s, 6);
	for (unsigned h = 1; h <= HOSTS_MAX; h++)
		s->cap_host = MAX(s->cap_host, s->per_host[h]);
	caps_set(s->caps, s->cap, s->cap_host);
}

static void
trouble_here(struct sim *s)
{
	switch (sim_rnd(s, 8)) {
	case 0:
		s->nofds_until = s->w.now_ns + between(s, 100, 60000);
		break;
	case 1:
		sim_suspend(s, between(s, 1100, sim_rnd(s, 2) == 0 ? 5000 :
		    1800000));
		break;
	case 2:
		sim_starve(s, between(s, 10, 8000));
		break;
	case 3:
		sim_step(s, between(s, -7200000, 7200000));
		break;
	case 4:
		/* A step that no state row knows of yet looks like a gap: the
		 * product errs to the safe side, the checkers would not. */
		if (s->w.now_ns - s->stepped_ns > 300 * NS_PER_S)
			crash(s);
		break;
	case 5:
		if (!s->calm)
			s->stalled_until = s->w.now_ns +
			    between(s, 1000, 120000);
		break;
	case 6:
		s->blind_until = s->w.now_ns + between(s, 1000, 600000);
		break;
	case 7:
		s->mute_until = s->w.now_ns + between(s, 1000, 600000);
		break;
	}
}

static void
something(struct sim *s)
{
	struct item *it = anybody(s);
	uint64_t r = sim_rnd(s, 20);

	if (r < 7)
		trouble_there(s);
	else if (r < 11)
		trouble_here(s);
	else if (r == 11 && !s->calm)
		limits(s);
	else if (r == 12 && (s->chain == NULL || s->nitems < CROWD))
		(void)populate(s);
	else if (it == NULL)
		return;
	else if (r == 13 && sim_rnd(s, 3) == 0)
		delete(s, it);
	else if (r < 16)
		edit(s, it);
	else if (r < 18)
		sim_command(s, it, it->live.status == STATUS_PAUSED ||
		    sim_rnd(s, 8) == 0 ? COMMAND_RESUME : COMMAND_PAUSE);
	else if (it->conf->kind == &sim_push.conf) {
		if (r == 18)
			sim_beat(s, it, true);
		else
			it->silent_until_ns = s->w.now_ns +
			    between(s, 1000, 900000);
	}
}

static void
heal(struct sim *s)
{
	for (unsigned i = 0; i < TARGETS; i++)
		s->targets[i] = (struct target){.mode = MODE_ANSWERS,
		    .latency_ns = 20 * NS_PER_MS};
	s->nofds_until = s->stalled_until = 0;
	s->blind_until = MIN(s->blind_until, s->w.now_ns);
	s->mute_until = MIN(s->mute_until, s->w.now_ns);
	for (unsigned i = 0; i < s->nitems; i++) {
		struct item *it = &s->items[i];

		it->silent_until_ns = MIN(it->silent_until_ns, s->w.now_ns);
		if (it->conf != NULL && it->live.status == STATUS_PAUSED)
			sim_command(s, it, COMMAND_RESUME);
	}
}

/* Days of it, with fewer monitors, everything slower, and the rest of the
 * way. */
static void
weeks(struct sim *s, uint64_t days)
{
	int64_t end = s->w.now_ns + (int64_t)days * 86400 * NS_PER_S;

	while (s->w.now_ns < end) {
		sim_run_until(s, s->w.now_ns + between(s, 1000, 4200000));
		if (sim_rnd(s, 4) == 0)
			chain_people(s);
		if (sim_rnd(s, 8) == 0)
			provider_trouble(s);
		something(s);
	}
}

static uint64_t
world(uint64_t seed, bool tell)
{
	char replay[80];
	struct sim *s;
	uint64_t hash;
	int64_t end, monitors;

	(void)snprintf(replay, sizeof(replay), "sim seeds %" PRIu64 " 1",
	    seed);
	s = sim_new(seed, replay);
	if (sim_rnd(s, 2) == 0) {
		s->beacons = true;
		sight_boot(s);
	}
	s->calm = sim_rnd(s, 3) == 0;
	s->queue_max = s->calm ? 100000 : 20 + sim_rnd(s, 200);
	if (!s->calm)
		limits(s);
	monitors = 10 + (int64_t)sim_rnd(s, 50);
	for (int64_t i = 0; i < monitors; i++)
		(void)populate(s);
	end = s->w.now_ns + CHAOS_NS;
	while (s->w.now_ns < end) {
		sim_run_until(s, s->w.now_ns + between(s, 100, 40000));
		something(s);
	}
	heal(s);
	sim_run_until(s, s->w.now_ns + HEAL_NS);
	judge_healthy(s);
	sim_flush(s);
	hash = s->hash;
	if (tell)
		(void)printf("seed %" PRIu64 ": %" PRIu64 " turns, %" PRIu64
		    " samples, %" PRIu64 " void, %" PRIu64 " changes, %"
		    PRIu64 " restarts, %" PRIu64 " acks, %" PRIu64
		    " store pauses, %u monitors ever, hash %016" PRIx64 "\n",
		    seed, s->turns, s->samples, s->voids, s->changes,
		    s->restarts, s->acks, s->pauses, s->nitems, hash);
	sim_free(s);
	return hash;
}

int
seeds_main(uint64_t from, uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) {
		uint64_t hash = world(i, count <= 10);

		/* The same seed is the same run: now and then, to be sure. */
		if (i % 10 == 1 && world(i, false) != hash) {
			(void)printf("FAIL: seed %" PRIu64 " gave two runs\n"
			    "  again: sim seeds %" PRIu64 " 1\n"
			    "%" PRIu64 " passed, 1 failed\n", i, i, i - from);
			return 1;
		}
	}
	(void)printf("%" PRIu64 " passed, 0 failed\n", count);
	return 0;
}

static void
week_world(uint64_t seed, uint64_t days)
{
	char replay[80];
	struct sim *s;
	const struct chain *c;

	(void)snprintf(replay, sizeof(replay), "sim weeks %" PRIu64 " 1 %"
	    PRIu64, seed, days);
	role_is(&shard_role);
	s = sim_new(seed, replay);
	chain_begin(s);
	sched_command(s->sched, chain_routes(s));
	s->beacons = sim_rnd(s, 2) == 0;
	sight_boot(s);
	s->queue_max = 100000;
	for (int i = 0; i < 8; i++)
		(void)populate(s);
	weeks(s, days);
	heal(s);
	provider_heal(s);
	sim_run_until(s, s->w.now_ns + CALM_NS);
	judge_healthy(s);
	sim_flush(s);
	proof_end(s);
	c = s->chain;
	(void)printf("seed %" PRIu64 ": %" PRIu64 " turns, %" PRIu64 " changes, %"
	    PRIu64 " restarts, %zu rows, %" PRIu64 " messages, %" PRIu64
	    " failed, %" PRIu64 " opens, %" PRIu64 " resolves, %" PRIu64
	    " collapsed, %" PRIu64 " held, %" PRIu64 " escalated, %" PRIu64
	    " reminders, %" PRIu64 " seen twice\n", seed, s->turns,
	    s->changes, s->restarts, c->nrows, c->sent, c->again, c->opens,
	    c->resolves, c->collapsed, c->held, c->escalations, c->reminders,
	    c->twice);
	sim_free(s);
}

int
weeks_main(uint64_t from, uint64_t count, uint64_t days)
{
	log_set(LOG_ERROR, LOG_TEXT);
	for (uint64_t i = from; i < from + count; i++)
		week_world(i, days);
	(void)printf("%" PRIu64 " passed, 0 failed\n", count);
	return 0;
}

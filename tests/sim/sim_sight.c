/* sim_sight.c: our own way out, and the beacons on it. Nothing answers while
 * it is lost; beacons can be silent by themselves, too. */
#include <string.h>

#include "base/mem.h"
#include "base/role.h"
#include "tests/sim/sim.h"

#define BEACONS 2

struct sim_beacon {
	struct check check;
	struct timer answer;
};

static void
on_answer(UNUSED struct world *w, struct timer *t)
{
	check_end(&CONTAINER(t, struct sim_beacon, answer)->check);
}

static enum err
beacon_start(struct check *c)
{
	struct sim_beacon *k = CONTAINER(c, struct sim_beacon, check);
	struct sim *s = sim_now_running;

	if (s->w.now_ns >= s->blind_until && s->w.now_ns >= s->mute_until)
		timer_set(c->env->world, &k->answer, s->w.now_ns +
		    (int64_t)(1 + sim_rnd(s, 50)) * NS_PER_MS, on_answer);
	return ERR_OK;
}

static void
beacon_cancel(struct check *c)
{
	timer_stop(c->env->world, &CONTAINER(c, struct sim_beacon,
	    check)->answer);
	c->out.why = WHY_NET_TIMEOUT;
}

static const struct opt no_opts[] = {OPT_END};
static const struct check_kind kind = {
	.conf = {.name = "beacon", .drive = DRIVE_ACTIVE, .opts = no_opts},
	.size = sizeof(struct sim_beacon),
	.start = beacon_start, .cancel = beacon_cancel,
};

static size_t
list(UNUSED void *arg, struct beacon_conf ret[BEACONS_MAX])
{
	for (unsigned i = 0; i < BEACONS; i++)
		ret[i] = (struct beacon_conf){.conf = sim_conf(&kind, i + 1, 0,
		    0)};
	return BEACONS;
}

static void
on_kick(UNUSED struct world *w, struct timer *t)
{
	struct sim *s = CONTAINER(t, struct sim, kick);

	role_is(&shard_role);
	if (s->sched != NULL)
		sched_kick(s->sched);
}

static void
wake(void *arg)
{
	struct sim *s = arg;

	timer_set(&s->w.world, &s->kick, s->w.now_ns, on_kick);
}

void
sight_boot(struct sim *s)
{
	static const struct beacon_source source = {list, NULL};

	if (!s->beacons)
		return;
	s->vantage = vantage_new(wake, s);
	sched_vantage(s->sched, s->vantage, &source);
}

/* After the scheduler is gone. */
void
sight_crash(struct sim *s)
{
	timer_stop(&s->w.world, &s->kick);
	vantage_free(s->vantage);
	s->vantage = NULL;
}

/* Was it right to make this sample void: did no beacon answer just now? A
 * round takes two seconds and comes every two, and what began in the dark is
 * void whenever it ends. */
void
judge_sight(struct sim *s, const struct item *it)
{
	int64_t dark = MAX(s->blind_until, s->mute_until);

	/* Starved while it was dark, we notice later. */
	dark = MAX(dark, s->jumped_ns);

	MUST(s, s->beacons);
	MUST(s, it->meant != WHY_OK ||
	    it->meant_latency_ns >= it->conf->timeout_ns);
	MUST(s, it->started_ns <= dark + 5 * NS_PER_S);
}

/* One message a time, to one channel. */
void
judge_sights(struct sim *s, const struct alert_unit *u)
{
	MUST(s, u->nrows == 1 || s->chain != NULL);
	MUST(s, u->rows[0].event.kind == ALERT_SIGHT);
	MUST(s, u->rows[0].event.at_us <= u->rows[0].event.until_us);
	MUST(s, u->rows[0].event.at_us != s->sight_us);
	s->sight_us = u->rows[0].event.at_us;
	s->sights++;
}

#define OWNS_OFF
#include "sched/beacon.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "sched/parts.h"

/* What a beacon's check says of us. */
enum says { SAYS_SEEN, SAYS_SILENT, SAYS_NOTHING };

struct asked;
struct beacon {
	struct beacons *of;
	struct monitor_conf *conf;   /* a reference */
	bool voice;
	unsigned misses;             /* in a row */
	enum says said;
	struct asked *asked;         /* under way */
};

/* One check; kind->size bytes from check on. */
struct asked {
	struct beacon *beacon;
	struct timer deadline;
	struct check check;
};

struct beacons {
	struct sched *sched;
	struct beacon_source source;
	struct beacon v[BEACONS_MAX];
	size_t n, open;
	bool round, stopped;
	bool seen;                   /* in this round one has answered */
	bool doubt, doubted;         /* hosts contradict them; since before
				      * this round began */
	int64_t last_ns;             /* the last round ended; 0: none yet */
	struct timer timer;
};

/* -- which ------------------------------------------------------------------ */

static void
take(struct beacons *b, const struct beacon_conf *c, const struct beacon *old,
    size_t nold)
{
	struct beacon *k = &b->v[b->n++];

	*k = (struct beacon){.of = b, .conf = c->conf, .voice = !c->found};
	for (size_t i = 0; i < nold; i++) {
		if (strcmp(old[i].conf->path, c->conf->path) != 0)
			continue;
		k->voice = old[i].voice;
		k->misses = old[i].misses;
	}
}

/* What was found once stays when nothing is found any more: a gateway goes
 * with its link. */
static void
refresh(struct beacons *b)
{
	struct beacon_conf now[BEACONS_MAX];
	struct beacon old[BEACONS_MAX];
	size_t n = b->source.list(b->source.arg, now), nold = b->n;

	assert(n <= BEACONS_MAX);
	assert(!b->round);
	if (n == 0 || (n < nold &&
	    vantage_sight(b->sched->vantage) != SIGHT_CLEAR)) {
		for (size_t i = 0; i < n; i++)
			monitor_conf_unref(now[i].conf);
		return;
	}
	memcpy(old, b->v, sizeof(old));
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		take(b, &now[i], old, nold);
	for (size_t i = 0; i < nold; i++)
		monitor_conf_unref(old[i].conf);
}

static void
arm(struct beacons *b)
{
	bool any = false;

	for (size_t i = 0; i < b->n; i++)
		any = any || b->v[i].voice;
	vantage_arm(b->sched->vantage, any);
}

/* -- a round ---------------------------------------------------------------- */

/* Any answer at all shows that we see: refused, or not what was asked for. */
static enum says
says(const struct beacon *k, enum why why)
{
	bool dns = strcmp(k->conf->kind->name, "dns") == 0;

	if (why == WHY_LOCAL_ROUTE || why == WHY_LOCAL_RESOLVER)
		return SAYS_SILENT;
	if (why_is_local(why))
		return SAYS_NOTHING;
	if (why == WHY_OK || why_is_degraded(why) || why == WHY_NET_REFUSED ||
	    why == WHY_NET_RESET || why == WHY_PING_LOSS)
		return SAYS_SEEN;
	if (why_layer(why) == LAYER_DNS && why != WHY_DNS_TIMEOUT)
		return dns ? SAYS_SEEN : SAYS_NOTHING;
	return SAYS_SILENT;
}

static void
tell(struct beacons *b)
{
	struct sched *s = b->sched;
	int64_t from_ns, until_ns;

	/* Hosts see the light again before who was asked in the dark: ask
	 * once more before anybody is disbelieved. */
	if (vantage_contradicted(s->vantage))
		b->doubt = true;
	if (vantage_lost(s->vantage, &from_ns))
		report_lost(s, time_wall_us(s, from_ns));
	if (vantage_returned(s->vantage, &from_ns, &until_ns))
		report_sight(s, time_wall_us(s, from_ns),
		    time_wall_us(s, until_ns));
}

static void
note_silence(struct beacon *k, bool calm)
{
	if (k->said == SAYS_SILENT && calm &&
	    ++k->misses >= BEACON_MISSES && k->voice) {
		k->voice = false;
		log_warn("sched", "a beacon does not answer and is not "
		    "believed any more until it does",
		    KV("beacon", k->conf->path));
	}
}

static void
round_over(struct beacons *b)
{
	struct sched *s = b->sched;
	bool calm = vantage_sight(s->vantage) == SIGHT_CLEAR;
	enum vantage_round how = ROUND_NOTHING;

	b->round = false;
	b->last_ns = world_now(s->world);
	for (size_t i = 0; i < b->n; i++) {
		struct beacon *k = &b->v[i];

		if (k->said == SAYS_SILENT && k->voice)
			how = ROUND_BLIND;
		note_silence(k, calm);
	}
	if (b->doubted && !b->seen && how == ROUND_BLIND) {
		for (size_t i = 0; i < b->n; i++)
			b->v[i].voice = false;
		how = ROUND_NOTHING;
	}
	b->doubt = b->doubt && !b->doubted;
	arm(b);
	/* Who answered has said so at once; what was asked since is asked
	 * again. */
	if (!b->seen)
		vantage_round(s->vantage, how, b->last_ns);
	beacons_look(b);
}

/* One is enough, and now: whoever waits need not wait for the others. */
static void
seen(struct beacon *k)
{
	struct beacons *b = k->of;

	k->voice = true;
	k->misses = 0;
	b->seen = true;
	arm(b);
	vantage_round(b->sched->vantage, ROUND_SEEN,
	    world_now(b->sched->world));
}

static void
answered(struct beacon *k, enum why why)
{
	struct asked *a = TAKE(k->asked);

	k->said = says(k, why);
	timer_stop(k->of->sched->world, &a->deadline);
	xfree(a->check.out.evidence);
	xfree(a->check.out.details);
	xfree(a);
	k->of->open--;
}

static void
on_done(struct check *c)
{
	struct beacon *k = CONTAINER(c, struct asked, check)->beacon;
	struct beacons *b = k->of;

	answered(k, c->out.why);
	if (b->stopped)
		return;
	if (k->said == SAYS_SEEN)
		seen(k);
	if (b->open == 0)
		round_over(b);
}

static void
on_deadline(UNUSED struct world *w, struct timer *t)
{
	struct check *c = &CONTAINER(t, struct asked, deadline)->check;

	c->kind->cancel(c);
	if (c->out.why == WHY_OK)
		c->out.why = WHY_TIMEOUT;
	on_done(c);
}

/* False: it could not be asked, and said is what that says. */
static bool
ask(struct beacon *k)
{
	struct sched *s = k->of->sched;
	const struct check_kind *kind = check_kind_of(k->conf);
	struct asked *a = xcalloc(1, offsetof(struct asked, check) +
	    kind->size);
	struct check *c = &a->check;

	a->beacon = k;
	c->kind = kind;
	c->env = s->env;
	c->conf = k->conf;
	c->started_ns = world_fresh(s->world);
	c->deadline_ns = c->started_ns + BEACON_TIMEOUT_NS;
	c->recheck = true;
	c->done = on_done;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		c->out.phase_ns[i] = -1;
	k->asked = a;
	k->of->open++;
	if (kind->start(c) == ERR_OK) {
		timer_set(s->world, &a->deadline, c->deadline_ns, on_deadline);
		return true;
	}
	answered(k, c->out.why == WHY_OK ? WHY_LOCAL_OTHER : c->out.why);
	return false;
}

static void
begin(struct beacons *b)
{
	bool any = false;

	refresh(b);
	b->round = true;
	b->seen = false;
	b->doubted = b->doubt;
	for (size_t i = 0; i < b->n; i++)
		any = ask(&b->v[i]) || any;
	if (!any)
		round_over(b);
}

static void
give_up(struct beacons *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct beacon *k = &b->v[i];

		if (k->asked == NULL)
			continue;
		k->asked->check.kind->cancel(&k->asked->check);
		answered(k, WHY_LOCAL_CANCELLED);
	}
	b->round = false;
}

/* -- when ------------------------------------------------------------------- */

static void
on_timer(UNUSED struct world *w, struct timer *t)
{
	begin(CONTAINER(t, struct beacons, timer));
}

void
beacons_look(struct beacons *b)
{
	struct sched *s = b->sched;
	int64_t now = world_now(s->world), at = now;

	if (b->stopped)
		return;
	/* What was answered before the question says nothing. */
	if (b->round && b->seen &&
	    vantage_sight(s->vantage) == SIGHT_PENDING)
		give_up(b);
	if (b->round)
		return;
	tell(b);
	switch (vantage_sight(s->vantage)) {
	case SIGHT_CLEAR:
		if (!vantage_outside(s->vantage))
			return;
		if (b->last_ns != 0 && !b->doubt)
			at = b->last_ns + BEACON_CALM_NS;
		break;
	case SIGHT_PENDING:
		break;
	case SIGHT_LOST:
		at = b->last_ns + BEACON_AGAIN_NS;
		break;
	}
	timer_set(s->world, &b->timer, MAX(at, now), on_timer);
}

struct beacons *
beacons_new(struct sched *s, const struct beacon_source *src)
{
	struct beacons *b = xcalloc(1, sizeof(*b));

	b->sched = s;
	b->source = *src;
	refresh(b);
	arm(b);
	return b;
}

void
beacons_stop(struct beacons *b)
{
	if (b == NULL || b->stopped)
		return;
	b->stopped = true;
	timer_stop(b->sched->world, &b->timer);
	give_up(b);
}

void
beacons_free(struct beacons *b)
{
	if (b == NULL)
		return;
	beacons_stop(b);
	for (size_t i = 0; i < b->n; i++)
		monitor_conf_unref(b->v[i].conf);
	xfree(b);
}

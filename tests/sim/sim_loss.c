/* sim_loss.c: what packet loss does to verdicts. "sim loss SEED MONITORS DAYS":
 * monitors with the defaults in the real scheduler, real outages of many
 * lengths, and loss; beside it, on the same looks' luck, the plain rule "n
 * failures in a row, one look an interval" with the same n: once at our
 * interval, once at the one with which it finds an outage about as soon.
 *
 *   path      each packet is lost by itself, either way, that often; the
 *             beacons are near and are not
 *   way-out   nothing gets out of this machine for that share of the time, in
 *             pieces of two minutes on average
 *
 * A ping is three packets, too many lost when two are; an http check is a
 * handshake that the kernel tries at 0, 1, 3 and 7 s and one exchange that it
 * repeats after 200 ms and then twice as long each time, all within 10 s. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/role.h"
#include "model/alert.h"
#include "tests/sim/sim.h"

#define DAY_NS     (86400 * NS_PER_S)
#define SLOT_NS    (100 * NS_PER_MS)     /* luck is the same within it */
#define RTT_NS     (30 * NS_PER_MS)
#define QUICK_NS   (30 * NS_PER_S)
#define SHORT_S    20.0                  /* outages: from this … */
#define LONG_S     7200.0                /* … to this, evenly by magnitude */
#define DARK_S     120.0
/* A look that began in an outage may fall its verdict so much later. */
#define LATE_NS    (12 * NS_PER_S)

enum rule { RULE_OURS, RULE_PLAIN, RULE_QUICK, RULE_NMAX };
static const char *const rule_names[RULE_NMAX] = {"vedette", "plain",
	"plain_as_quick"};

struct outage {
	int64_t from, to;
	int64_t found[RULE_NMAX];        /* 0: not */
};
struct mon_loss {
	struct outage *outages;
	size_t n;
	int64_t down_ns[RULE_NMAX];      /* since then; 0: not */
};
struct tally {
	uint64_t looks, alarms, false_alarms, told;
	uint64_t longer, found, missed;  /* outages longer than the bound */
	int64_t bound_ns;
};
struct loss {
	struct sim *s;
	const struct monitor_conf *conf; /* of the first: all are alike */
	uint64_t seed;
	bool ping, way_out;
	double share, lost;              /* of time or packets; both ways */
	struct mon_loss *mons;
	size_t nmons;
	struct outage *dark;             /* of the way out */
	size_t ndark, next_dark;
	int64_t from, until;
	struct timer darken;
	struct tally tally[RULE_NMAX];
};

static struct loss *running;             /* kinds have no cookie */

/* -- chance -------------------------------------------------------------------- */

static double
luck(const struct loss *w, uint64_t a, uint64_t b)
{
	uint64_t h = map_hash_u64(w->seed ^ map_hash_u64(a ^
	    map_hash_u64(b)));

	return (double)(h >> 11) / (double)(UINT64_C(1) << 53);
}

/* Pieces of time with gaps of about gap_s between, from begin to end. */
static struct outage *
pieces(const struct loss *w, uint64_t who, double gap_s, bool dark,
    size_t *ret_n)
{
	struct outage *v = NULL;
	int64_t at = w->from + 600 * NS_PER_S;
	size_t n = 0;

	for (uint64_t i = 0; ; i++) {
		double a = luck(w, who, 2 * i), b = luck(w, who, 2 * i + 1);
		double length_s = dark ? -DARK_S * log(1 - b) :
		    SHORT_S * pow(LONG_S / SHORT_S, b);

		at += (int64_t)(-gap_s * log(1 - a) * 1e9);
		if (at + (int64_t)(length_s * 1e9) > w->until)
			break;
		v = xrealloc(v, n + 1, sizeof(*v));
		v[n++] = (struct outage){.from = at,
		    .to = at + (int64_t)(length_s * 1e9)};
		at = v[n - 1].to + 600 * NS_PER_S * !dark;
	}
	*ret_n = n;
	return v;
}

/* The first that is not over at that time; NULL: none. */
static struct outage *
first_after(struct outage *v, size_t n, int64_t at)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (v[mid].to <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n ? &v[lo] : NULL;
}

static bool
covered(struct outage *v, size_t n, int64_t at)
{
	const struct outage *o = first_after(v, n, at);

	return o != NULL && o->from <= at;
}

static bool
packet_lost(const struct loss *w, uint32_t id, int64_t at)
{
	struct mon_loss *m = &w->mons[id - 1];

	if (covered(m->outages, m->n, at) || covered(w->dark, w->ndark, at))
		return true;
	return !w->way_out && luck(w, id + (UINT64_C(1) << 40),
	    (uint64_t)(at / SLOT_NS)) < w->lost;
}

/* -- one look -------------------------------------------------------------------- */

static bool
ping_answers(const struct loss *w, uint32_t id, int64_t at, int64_t *took)
{
	unsigned lost = 0;

	for (int i = 0; i < 3; i++)
		lost += packet_lost(w, id, at + i * 200 * NS_PER_MS);
	*took = 400 * NS_PER_MS + (lost > 0 ? 2 * NS_PER_S : RTT_NS);
	return lost < 2;
}

static bool
http_answers(const struct loss *w, uint32_t id, int64_t at, int64_t *took)
{
	int64_t end = at + w->conf->timeout_ns, t = at;
	int64_t wait = NS_PER_S;

	*took = w->conf->timeout_ns;
	while (packet_lost(w, id, t)) {
		t += wait;
		wait *= 2;
		if (t >= end)
			return false;
	}
	t += RTT_NS + SLOT_NS;   /* another packet, another luck */
	for (wait = 200 * NS_PER_MS; packet_lost(w, id, t); wait *= 2) {
		t += wait;
		if (t >= end)
			return false;
	}
	*took = t + RTT_NS - at;
	return true;
}

static bool
answers(const struct loss *w, uint32_t id, int64_t at, int64_t *took)
{
	return w->ping ? ping_answers(w, id, at, took) :
	    http_answers(w, id, at, took);
}

/* -- what a rule says ---------------------------------------------------------- */

static void
goes_down(struct loss *w, enum rule rule, uint32_t id, int64_t at)
{
	struct mon_loss *m = &w->mons[id - 1];
	const struct outage *o = first_after(m->outages, m->n, at - LATE_NS);

	m->down_ns[rule] = at;
	w->tally[rule].alarms++;
	if (o == NULL || o->from > at)
		w->tally[rule].false_alarms++;
}

/* It was down until now: every outage meanwhile was one that is known. */
static void
comes_up(struct loss *w, enum rule rule, uint32_t id, int64_t at)
{
	struct mon_loss *m = &w->mons[id - 1];
	int64_t since = m->down_ns[rule];
	struct outage *o;

	m->down_ns[rule] = 0;
	if (since == 0)
		return;
	o = first_after(m->outages, m->n, since - LATE_NS);
	for (; o != NULL && o < m->outages + m->n && o->from <= at; o++)
		if (o->found[rule] == 0)
			o->found[rule] = MAX(since, o->from);
}

/* n looks in a row that failed, one an interval: what is compared with. */
static void
plain(struct loss *w, enum rule rule, uint32_t id, int64_t interval)
{
	int64_t off = sched_phase_ns(id, interval) - w->s->w.wall_off_ns;
	int64_t at = w->from + (off - w->from) % interval, took;
	uint32_t fails = 0;

	for (at += at < w->from ? interval : 0; at < w->until;
	    at += interval) {
		w->tally[rule].looks++;
		if (answers(w, id, at, &took)) {
			fails = 0;
			comes_up(w, rule, id, at + took);
		} else if (++fails == 1 + w->conf->retries)
			goes_down(w, rule, id, at + took);
	}
	comes_up(w, rule, id, w->until);
}

/* -- ours, for real ------------------------------------------------------------ */

struct lossy {
	struct check check;
	struct timer answer;
	bool ok;
};

static void
on_answer(UNUSED struct world *w, struct timer *t)
{
	struct lossy *k = CONTAINER(t, struct lossy, answer);

	k->check.out.why = k->ok ? WHY_OK : WHY_NET_TIMEOUT;
	check_end(&k->check);
}

static enum err
lossy_start(struct check *c)
{
	struct lossy *k = CONTAINER(c, struct lossy, check);
	int64_t now = world_now(c->env->world), took;

	k->ok = answers(running, c->conf->id, now, &took);
	running->tally[RULE_OURS].looks++;
	if (took < c->conf->timeout_ns)
		timer_set(c->env->world, &k->answer, now + took, on_answer);
	return ERR_OK;
}

static void
lossy_cancel(struct check *c)
{
	timer_stop(c->env->world, &CONTAINER(c, struct lossy, check)->answer);
	c->out.why = WHY_NET_TIMEOUT;
}

static const struct opt no_opts[] = {OPT_END};
static const struct check_kind lossy = {
	.conf = {.name = "lossy", .drive = DRIVE_ACTIVE, .opts = no_opts},
	.size = sizeof(struct lossy),
	.start = lossy_start, .cancel = lossy_cancel,
};
static const struct monitor_kind *const kinds[] = {&lossy.conf, NULL};

static void
hear(struct sink *k, struct unit *u)
{
	struct loss *w = running;
	const struct result_unit *r;

	(void)k;
	if (u->kind == UNIT_RESULT) {
		r = result_unit_of(u);
		for (size_t i = 0; i < r->nrows; i++)
			w->tally[RULE_OURS].told +=
			    r->rows[i].event.kind == ALERT_OPEN ||
			    r->rows[i].event.kind == ALERT_FLAP;
		if (r->own != NULL && r->own->has_transition) {
			const struct transition *t = &r->own->transition;

			if (t->to == STATUS_DOWN)
				goes_down(w, RULE_OURS, t->monitor,
				    w->s->w.now_ns);
			else if (t->to == STATUS_UP)
				comes_up(w, RULE_OURS, t->monitor,
				    w->s->w.now_ns);
		}
	}
	unit_free(u);
}

static double
never_full(UNUSED struct sink *k)
{
	return 0;
}

static void
on_dark(UNUSED struct world *wd, struct timer *t)
{
	struct loss *w = CONTAINER(t, struct loss, darken);

	if (w->next_dark > 0)
		w->s->blind_until = w->dark[w->next_dark - 1].to;
	if (w->next_dark < w->ndark)
		timer_set(&w->s->w.world, t, w->dark[w->next_dark++].from,
		    on_dark);
}

static void
ours(struct loss *w)
{
	struct sim *s = w->s;

	role_is(&shard_role);
	for (uint32_t id = 1; id <= w->nmons; id++) {
		struct command *c = command_new(COMMAND_PUT, id);
		char name[24];

		(void)snprintf(name, sizeof(name), "m%u", id);
		MUST(s, monitor_conf_load(STR("{\"type\":\"lossy\","
		    "\"notify\":[\"ops\"]}"), name, NULL, kinds, &c->conf,
		    NULL) == ERR_OK);
		c->conf->id = id;
		c->conf_free = monitor_conf_unref;
		if (id == 1)
			w->conf = monitor_conf_ref(c->conf);
		sched_command(s->sched, c);
	}
	on_dark(&s->w.world, &w->darken);
	sim_run_until(s, w->until);
	timer_stop(&s->w.world, &w->darken);
	for (uint32_t id = 1; id <= w->nmons; id++)
		comes_up(w, RULE_OURS, id, w->until);
}

/* -- what came of it ----------------------------------------------------------- */

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* What was in the dark could not be seen, by whatever rule. */
static bool
visible(const struct loss *w, const struct outage *o)
{
	const struct outage *d = first_after(w->dark, w->ndark,
	    o->from - 120 * NS_PER_S);

	return d == NULL || d->from > o->to;
}

/* Of every outage that each rule should find. */
static void
tell(struct loss *w, enum rule rule, int64_t common_ns, int64_t days)
{
	struct tally *t = &w->tally[rule];
	double *delay = NULL, zero = 0;
	size_t n = 0;

	for (size_t i = 0; i < w->nmons; i++)
		for (size_t k = 0; k < w->mons[i].n; k++) {
			const struct outage *o = &w->mons[i].outages[k];

			if (!visible(w, o) || o->to - o->from <= t->bound_ns)
				continue;
			t->longer++;
			t->found += o->found[rule] != 0;
			t->missed += o->found[rule] == 0 ||
			    o->found[rule] > o->from + t->bound_ns;
			if (o->to - o->from <= common_ns ||
			    o->found[rule] == 0)
				continue;
			if ((n & (n - 1)) == 0)
				delay = xrealloc(delay, MAX(2 * n, (size_t)1),
				    sizeof(*delay));
			delay[n++] = (double)(o->found[rule] - o->from) / 1e9;
		}
	if (n > 0)
		qsort(delay, n, sizeof(*delay), ascending);
	(void)printf("loss where=%s check=%s share=%.2f rule=%s in_a_row=%u "
	    "false_alarms=%" PRIu64 " per_monitor_day=%.3g outages=%" PRIu64
	    " missed=%" PRIu64 " bound_s=%" PRId64 " delay_p50_s=%.1f "
	    "delay_p99_s=%.1f looks=%" PRIu64 " told=%" PRIu64 "\n",
	    w->way_out ? "way-out" : "path", w->ping ? "ping" : "http",
	    w->share, rule_names[rule], 1 + w->conf->retries,
	    t->false_alarms, (double)t->false_alarms / (double)w->nmons /
	    (double)days, t->longer, t->missed, t->bound_ns / NS_PER_S,
	    n > 0 ? delay[n / 2] : zero, n > 0 ? delay[n * 99 / 100] : zero,
	    t->looks, rule == RULE_OURS ? t->told : t->alarms);
	xfree(delay);
}

/* Ours finds every outage that is longer than its bound, within it, and is
 * not wrong more often than the plain rule that is about as quick; when it is
 * we who see nothing, hardly ever. Three sigma, so that chance fails none. */
static bool
good(const struct loss *w)
{
	double ours_n = (double)w->tally[RULE_OURS].false_alarms;
	double plain_n = (double)w->tally[RULE_QUICK].false_alarms;

	if (w->tally[RULE_OURS].missed > 0 ||
	    w->tally[RULE_OURS].longer == 0)
		return false;
	return w->way_out ? ours_n * 50 <= plain_n && plain_n > 0 :
	    ours_n <= plain_n + 3 * sqrt(plain_n) + 3;
}

static bool
world(uint64_t seed, size_t nmons, int64_t days, struct loss w)
{
	char replay[80];
	int64_t t, r;
	bool ok;

	(void)snprintf(replay, sizeof(replay), "sim loss %" PRIu64
	    " %zu %" PRId64, seed, nmons, days);
	w.s = sim_new(seed, replay);
	w.s->unjudged = w.s->beacons = true;
	sight_boot(w.s);
	w.s->sink = (struct sink){.put = hear, .load = never_full};
	w.seed = map_hash_u64(seed);
	w.from = w.s->w.now_ns;
	w.until = w.from + days * DAY_NS;
	w.lost = 1 - (1 - w.share) * (1 - w.share);
	w.nmons = nmons;
	w.mons = xcalloc(nmons, sizeof(*w.mons));
	for (size_t i = 0; i < nmons; i++)
		w.mons[i].outages = pieces(&w, i + (UINT64_C(1) << 42),
		    86400 / 2.0, false, &w.mons[i].n);
	if (w.way_out)
		w.dark = pieces(&w, UINT64_C(1) << 41, DARK_S *
		    (1 - w.share) / w.share, true, &w.ndark);
	running = &w;
	ours(&w);
	for (uint32_t id = 1; id <= nmons; id++) {
		plain(&w, RULE_PLAIN, id, w.conf->interval_ns);
		plain(&w, RULE_QUICK, id, QUICK_NS);
	}
	t = w.conf->timeout_ns;
	r = w.conf->retries;
	w.tally[RULE_OURS].bound_ns = w.conf->interval_ns + t +
	    r * (w.conf->retry_interval_ns + t);
	w.tally[RULE_PLAIN].bound_ns = (r + 1) * w.conf->interval_ns + t;
	w.tally[RULE_QUICK].bound_ns = (r + 1) * QUICK_NS + t;
	for (int i = 0; i < RULE_NMAX; i++)
		tell(&w, (enum rule)i, w.tally[RULE_PLAIN].bound_ns, days);
	ok = good(&w);
	if (!ok)
		(void)printf("FAIL: the last three: see good()\n  again: %s\n",
		    replay);
	for (size_t i = 0; i < nmons; i++)
		xfree(w.mons[i].outages);
	xfree(w.mons);
	xfree(w.dark);
	sim_free(w.s);
	monitor_conf_unref((struct monitor_conf *)(uintptr_t)w.conf);
	return ok;
}

int
loss_main(uint64_t seed, uint64_t monitors, uint64_t days)
{
	static const double shares[] = {.01, .05, .2};
	unsigned passed = 0, failed = 0;

	log_set(LOG_ERROR, LOG_TEXT);
	for (size_t i = 0; i < COUNT(shares); i++)
		for (int k = 0; k < 3; k++) {
			struct loss w = {.share = shares[i], .ping = k > 0,
			    .way_out = k == 2};
			bool ok = world(seed, (size_t)monitors,
			    (int64_t)days, w);

			passed += ok;
			failed += !ok;
		}
	(void)printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}

/* sim_scene.c: scenario files: behaviour that people argue about, as text that
 * runs. Times are from the start of the file; virtual, so exact.
 *
 *   monitor web every 30s timeout 5s retries 2 retry 10s [recoveries 2]
 *       [votes 3 of 5] [degraded 500ms] [host 1] [group shop]
 *   push backup every 1h grace 30m [group shop]
 *   group shop
 *   beacons                            (two of them; else nobody asks)
 *   limits in_flight 4 per_host 2      queue 100   (units; the store's)
 *   at 0s web answers in 20ms          at 2m web silent
 *   at 2m web fails http_status        at 5m ourselves out of fds for 60s
 *   at 5m ourselves suspended 1h       at 5m ourselves starved 3s
 *   at 5m ourselves blind for 10m      at 5m beacons silent for 60s
 *   at 5m clock steps back 1h          at 5m store full for 60s
 *   at 5m crash for 30s                at 5m beat backup [down]
 *   at 5m pause web | resume web | delete web | edit web retries 0
 *   expect web up at 110s
 *   expect web down between 185s and 216s [why net_timeout]
 *   expect web unchanged between 5m and 6m
 *   expect sight told 1                (times that we were blind)
 *   expect web changes 2               expect web looks 2 between 1m and 2m
 *   end 10m
 *
 * "between" with a status: exactly one change to it, in that time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"
#include "tests/sim/sim.h"

#define LINES_MAX 300
#define WORDS_MAX 24
#define FILE_MAX  65536

struct line {
	unsigned no;
	struct str w[WORDS_MAX];
	unsigned n;
	int64_t at_ns;       /* of an "at" line */
};

struct scene {
	const char *file;
	char text[FILE_MAX];
	struct line lines[LINES_MAX];
	unsigned n;
	struct sim *sim;
	int64_t start_ns, end_ns;
	int64_t boot_ns;     /* crashed until then; 0: running */
	unsigned ntargets, wrong;
	char replay[300];
};

static NORETURN void
bad(const struct scene *sc, const struct line *l, const char *what)
{
	(void)printf("%s:%u: %s\n0 passed, 1 failed\n", sc->file, l->no, what);
	exit(1);
}

static int64_t
duration(const struct scene *sc, const struct line *l, unsigned i)
{
	int64_t ns;

	if (i >= l->n || !time_parse_duration(l->w[i], &ns))
		bad(sc, l, "a duration is missing or wrong");
	return ns;
}

static uint32_t
number(const struct scene *sc, const struct line *l, unsigned i)
{
	uint64_t v;

	if (i >= l->n || !str_u64(l->w[i], UINT32_MAX, &v))
		bad(sc, l, "a number is missing or wrong");
	return (uint32_t)v;
}

/* Where in the line this word stands; 0: nowhere (it is never the first). */
static unsigned
word(const struct line *l, const char *w)
{
	for (unsigned i = 1; i < l->n; i++)
		if (str_is(l->w[i], w))
			return i;
	return 0;
}

static bool
is(const struct line *l, unsigned i, const char *w)
{
	return i < l->n && str_is(l->w[i], w);
}

static struct item *
named(const struct scene *sc, const struct line *l, unsigned i)
{
	struct sim *s = sc->sim;

	for (unsigned k = 0; i < l->n && k < s->nitems; k++)
		if (str_is(l->w[i], s->items[k].name))
			return &s->items[k];
	bad(sc, l, "no such monitor");
}

/* -- reading ---------------------------------------------------------------- */

static void
split(struct scene *sc, struct str text, unsigned no)
{
	struct line *l = &sc->lines[sc->n];
	struct str body, w;

	(void)str_cut(text, '#', &body);
	*l = (struct line){.no = no};
	while (body.n > 0) {
		body = str_cut(str_trim(body), ' ', &w);
		if (w.n == 0)
			continue;
		if (l->n == WORDS_MAX)
			bad(sc, l, "too many words");
		l->w[l->n++] = w;
	}
	if (l->n == 0)
		return;
	if (is(l, 0, "at"))
		l->at_ns = duration(sc, l, 1);
	if (++sc->n == LINES_MAX)
		bad(sc, l, "too many lines");
}

static void
scene_read(struct scene *sc)
{
	FILE *f = fopen(sc->file, "r");
	struct str rest, one;
	unsigned no = 0;
	size_t n;

	if (f == NULL) {
		(void)printf("cannot read %s\n0 passed, 1 failed\n",
		    sc->file);
		exit(1);
	}
	n = fread(sc->text, 1, sizeof(sc->text) - 1, f);
	(void)fclose(f);
	rest = (struct str){sc->text, n};
	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &one);
		split(sc, one, ++no);
	}
}

/* -- the cast --------------------------------------------------------------- */

static void
settings(const struct scene *sc, const struct line *l, struct monitor_conf *c)
{
	unsigned i;

	if ((i = word(l, "every")) != 0)
		c->interval_ns = duration(sc, l, i + 1);
	c->timeout_ns = MIN(c->timeout_ns, c->interval_ns);
	c->retry_interval_ns = MIN(c->retry_interval_ns, c->interval_ns);
	if ((i = word(l, "timeout")) != 0)
		c->timeout_ns = duration(sc, l, i + 1);
	if ((i = word(l, "retry")) != 0)
		c->retry_interval_ns = duration(sc, l, i + 1);
	if ((i = word(l, "grace")) != 0)
		c->grace_ns = duration(sc, l, i + 1);
	if ((i = word(l, "degraded")) != 0)
		c->degraded_above_ns = duration(sc, l, i + 1);
	if ((i = word(l, "retries")) != 0)
		c->retries = number(sc, l, i + 1);
	if ((i = word(l, "recoveries")) != 0)
		c->recoveries = number(sc, l, i + 1);
	if ((i = word(l, "votes")) != 0) {
		c->fail_m = number(sc, l, i + 1);
		c->fail_n = number(sc, l, i + 3);
	}
	if ((i = word(l, "group")) != 0 && i > 1)
		c->group = named(sc, l, i + 1)->conf->id;
}

static void
cast(struct scene *sc, const struct line *l, const struct check_kind *k)
{
	unsigned h = word(l, "host");
	struct item *it = sim_add(sc->sim, k, sc->ntargets,
	    h != 0 ? number(sc, l, h + 1) : 0);

	if (l->n < 2)
		bad(sc, l, "a name is missing");
	it->target = sc->ntargets;
	sc->sim->targets[sc->ntargets++].latency_ns = 20 * NS_PER_MS;
	(void)snprintf(it->name, sizeof(it->name), "%.*s", (int)l->w[1].n,
	    l->w[1].p);
	xfree(it->conf->name);
	it->conf->name = xstrdup(it->name);
	settings(sc, l, it->conf);
}

static void
limits(const struct scene *sc, const struct line *l)
{
	struct sim *s = sc->sim;
	unsigned i;

	if ((i = word(l, "in_flight")) != 0)
		s->cap = number(sc, l, i + 1);
	if ((i = word(l, "per_host")) != 0)
		s->cap_host = number(sc, l, i + 1);
	if (is(l, 0, "queue"))
		s->queue_max = number(sc, l, 1);
	caps_set(s->caps, s->cap, s->cap_host);
}

/* -- what happens ------------------------------------------------------------ */

static void
act_target(const struct scene *sc, const struct line *l, struct item *it)
{
	struct target *t = &sc->sim->targets[it->target];

	if (is(l, 3, "answers")) {
		t->mode = MODE_ANSWERS;
		if (is(l, 4, "in"))
			t->latency_ns = duration(sc, l, 5);
	} else if (is(l, 3, "silent")) {
		t->mode = MODE_SILENT;
	} else if (is(l, 3, "fails")) {
		t->mode = MODE_FAILS;
		if (l->n < 5 || !why_parse(l->w[4], &t->why))
			bad(sc, l, "no such why");
	} else
		bad(sc, l, "answers, silent or fails");
}

static void
act_self(const struct scene *sc, const struct line *l)
{
	struct sim *s = sc->sim;

	if (is(l, 3, "out"))
		s->nofds_until = s->w.now_ns + duration(sc, l, 7);
	else if (is(l, 3, "blind"))
		s->blind_until = s->w.now_ns + duration(sc, l, 5);
	else if (is(l, 3, "suspended"))
		sim_suspend(s, duration(sc, l, 4));
	else if (is(l, 3, "starved"))
		sim_starve(s, duration(sc, l, 4));
	else
		bad(sc, l, "out of fds for, blind for, suspended or "
		    "starved");
}

static void
act_edit(const struct scene *sc, const struct line *l)
{
	struct item *it = named(sc, l, 3);
	struct monitor_conf *old = it->conf;

	it->conf = sim_conf_copy(old);
	settings(sc, l, it->conf);
	if (word(l, "target") != 0) {
		sim_conf_target(it->conf, sc->ntargets - 1, 0);
		it->target = sc->ntargets - 1;
		it->live.n = it->live.since_up = 0;
	}
	sim_put(sc->sim, it);
	monitor_conf_unref(old);
}

static void
act(struct scene *sc, const struct line *l)
{
	struct sim *s = sc->sim;

	if (s->sched == NULL && !is(l, 2, "beat") && !is(l, 2, "clock"))
		bad(sc, l, "the daemon is not running then");
	if (is(l, 2, "ourselves"))
		act_self(sc, l);
	else if (is(l, 2, "beacons"))
		s->mute_until = s->w.now_ns + duration(sc, l, 5);
	else if (is(l, 2, "clock"))
		sim_step(s, is(l, 4, "back") ? -duration(sc, l, 5) :
		    duration(sc, l, 5));
	else if (is(l, 2, "store"))
		s->stalled_until = s->w.now_ns + duration(sc, l, 5);
	else if (is(l, 2, "crash")) {
		sim_crash(s);
		sc->boot_ns = s->w.now_ns + duration(sc, l, 4);
	}
	else if (is(l, 2, "beat"))
		sim_beat(s, named(sc, l, 3), is(l, 4, "down"));
	else if (is(l, 2, "pause"))
		sim_command(s, named(sc, l, 3), COMMAND_PAUSE);
	else if (is(l, 2, "resume"))
		sim_command(s, named(sc, l, 3), COMMAND_RESUME);
	else if (is(l, 2, "delete"))
		sim_remove(s, named(sc, l, 3));
	else if (is(l, 2, "edit"))
		act_edit(sc, l);
	else
		act_target(sc, l, named(sc, l, 2));
}

/* -- what is expected --------------------------------------------------------- */

static void
wrong(struct scene *sc, const struct line *l, const struct item *it)
{
	sc->wrong++;
	(void)printf("%s:%u: not so:", sc->file, l->no);
	for (unsigned i = 0; i < l->n; i++)
		(void)printf(" %.*s", (int)l->w[i].n, l->w[i].p);
	(void)printf("\n  changes:");
	for (size_t i = 0; i < it->nchanges; i++)
		(void)printf(" %.3fs %s (%s)",
		    (double)(it->changes[i].at_ns - sc->start_ns) / 1e9,
		    status_name(it->changes[i].to),
		    why_name(it->changes[i].why));
	(void)printf("\n  told:");
	for (size_t i = 0; i < it->nrows; i++)
		(void)printf(" %s",
		    alert_kind_name((enum alert_kind)it->rows[i]));
	(void)printf("\n  looks: %zu, first at %.3fs\n", it->nlooks,
	    it->nlooks > 0 ? (double)(it->looks[0].at_ns - sc->start_ns) / 1e9
	    : -1.0);
}

static bool
inside(const struct scene *sc, const struct line *l, int64_t at_ns)
{
	unsigned i = word(l, "between");
	int64_t at = at_ns - sc->start_ns;

	return i == 0 || (at >= duration(sc, l, i + 1) &&
	    at <= duration(sc, l, i + 3));
}

static bool
holds_count(const struct scene *sc, const struct line *l,
    const struct item *it)
{
	bool looks = is(l, 2, "looks");
	size_t n = 0;

	for (size_t i = 0; looks && i < it->nlooks; i++)
		n += inside(sc, l, it->looks[i].at_ns);
	for (size_t i = 0; !looks && i < it->nchanges; i++)
		n += inside(sc, l, it->changes[i].at_ns);
	return is(l, 2, "unchanged") ? n == 0 : n == number(sc, l, 3);
}

static bool
holds_status(const struct scene *sc, const struct line *l,
    const struct item *it)
{
	unsigned at = word(l, "at"), why = word(l, "why");
	enum status want, have = STATUS_PENDING;
	unsigned n = 0;

	if (l->n < 4 || !status_parse(l->w[2], &want))
		bad(sc, l, "no such status");
	for (size_t i = 0; i < it->nchanges; i++) {
		const struct change_log *c = &it->changes[i];

		if (at != 0) {
			if (c->at_ns - sc->start_ns <=
			    duration(sc, l, at + 1))
				have = c->to;
		} else if (c->to == want && inside(sc, l, c->at_ns))
			n += why == 0 ||
			    str_is(l->w[why + 1], why_name(c->why));
	}
	return at != 0 ? have == want : n == 1;
}

/* "expect NAME told open resolve": these rows and no others. */
static bool
holds_told(const struct line *l, const struct item *it)
{
	if (it->nrows != l->n - 3)
		return false;
	for (size_t i = 0; i < it->nrows; i++)
		if (!is(l, (unsigned)i + 3,
		    alert_kind_name((enum alert_kind)it->rows[i])))
			return false;
	return true;
}

static void
expect(struct scene *sc, const struct line *l)
{
	const struct item *it = is(l, 1, "sight") ? &sc->sim->items[0] :
	    named(sc, l, 1);
	bool ok;

	if (is(l, 1, "sight"))
		ok = sc->sim->sights == number(sc, l, 3);
	else if (is(l, 2, "looks") || is(l, 2, "changes") || is(l, 2, "unchanged"))
		ok = holds_count(sc, l, it);
	else if (is(l, 2, "told"))
		ok = holds_told(l, it);
	else
		ok = holds_status(sc, l, it);
	if (!ok)
		wrong(sc, l, it);
}

/* -- a file ------------------------------------------------------------------- */

static void
prepare(struct scene *sc)
{
	for (unsigned i = 0; i < sc->n; i++) {
		const struct line *l = &sc->lines[i];

		if (is(l, 0, "monitor"))
			cast(sc, l, &sim_kind);
		else if (is(l, 0, "push"))
			cast(sc, l, &sim_push);
		else if (is(l, 0, "group"))
			cast(sc, l, &sim_group);
		else if (is(l, 0, "limits") || is(l, 0, "queue"))
			limits(sc, l);
		else if (is(l, 0, "beacons")) {
			sc->sim->beacons = true;
			sight_boot(sc->sim);
		} else if (is(l, 0, "end"))
			sc->end_ns = sc->start_ns + duration(sc, l, 1);
		else if (!is(l, 0, "at") && !is(l, 0, "expect"))
			bad(sc, l, "monitor, push, group, limits, "
			    "beacons, queue, at, expect or end");
	}
	if (sc->end_ns == 0)
		bad(sc, &sc->lines[0], "the file has no end");
	sc->ntargets++;   /* one more, for "edit NAME target" */
	sc->sim->targets[sc->ntargets - 1].latency_ns = 20 * NS_PER_MS;
}

/* Everything at the time of the earliest line that is not done yet, in the
 * order of the file. */
static struct line *
earliest(struct scene *sc)
{
	struct line *first = NULL;

	for (unsigned i = 0; i < sc->n; i++)
		if (is(&sc->lines[i], 0, "at") && sc->lines[i].at_ns >= 0 &&
		    (first == NULL || sc->lines[i].at_ns < first->at_ns))
			first = &sc->lines[i];
	return first;
}

static void
run_until(struct scene *sc, int64_t at_ns)
{
	if (sc->boot_ns != 0 && sc->boot_ns <= at_ns) {
		sim_run_until(sc->sim, sc->boot_ns);
		sc->boot_ns = 0;
		sim_boot(sc->sim);
	}
	sim_run_until(sc->sim, at_ns);
}

static void
play(struct scene *sc)
{
	struct sim *s = sc->sim;
	struct line *l;

	/* What is so at 0s is so before the first check. */
	for (unsigned i = 0; i < s->nitems; i++)
		sim_put(s, &s->items[i]);
	while ((l = earliest(sc)) != NULL) {
		run_until(sc, sc->start_ns + l->at_ns);
		act(sc, l);
		l->at_ns = -1;
	}
	run_until(sc, sc->end_ns);
	sim_flush(s);
	for (unsigned i = 0; i < sc->n; i++)
		if (is(&sc->lines[i], 0, "expect"))
			expect(sc, &sc->lines[i]);
}

static bool
scene_run(const char *file)
{
	struct scene *sc = xcalloc(1, sizeof(*sc));
	bool ok;

	sc->file = file;
	(void)snprintf(sc->replay, sizeof(sc->replay), "sim scenario %s",
	    file);
	sc->sim = sim_new(1, sc->replay);
	sc->sim->keep_logs = true;
	sc->start_ns = sc->sim->w.now_ns;
	scene_read(sc);
	prepare(sc);
	play(sc);
	ok = sc->wrong == 0;
	sim_free(sc->sim);
	xfree(sc);
	return ok;
}

int
scene_main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 0; i < argc; i++) {
		bool ok = scene_run(argv[i]);

		(void)printf("%s %s\n", ok ? "ok  " : "FAIL", argv[i]);
		failed += !ok;
	}
	(void)printf("%d passed, %d failed\n", argc - failed, failed);
	return failed > 0;
}

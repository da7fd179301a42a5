/* sim_judge.c: what must be true, said again in another way than the product
 * says it: verdicts from a written-out history of letters, deadlines from the
 * last beat, groups by looking at every member. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/role.h"
#include "tests/sim/sim.h"

#define SLACK_NS (20 * NS_PER_US)   /* stored times are whole microseconds */

void
sim_fail(const struct sim *s, const char *fmt, ...)
{
	va_list ap;

	(void)printf("FAIL at %.6f s: ",
	    (double)(s->w.now_ns - 1000 * NS_PER_S) / 1e9);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n  again: %s\n0 passed, 1 failed\n", s->replay);
	(void)fflush(stdout);
	exit(1);
}

struct item *
sim_item(struct sim *s, uint32_t id)
{
	MUST(s, id >= 1);
	MUST(s, id <= s->nitems);
	return &s->items[id - 1];
}

static void
mix(struct sim *s, uint64_t v)
{
	s->hash = (s->hash ^ v) * UINT64_C(1099511628211);
}

static void
log_change(struct sim *s, struct item *it, enum status to, enum why why)
{
	struct change_log *l;

	s->changes++;
	if (!s->keep_logs)
		return;
	it->changes = xrealloc(it->changes, it->nchanges + 1, sizeof(*l));
	l = &it->changes[it->nchanges++];
	*l = (struct change_log){s->w.now_ns, to, why};
}

static void
log_look(struct sim *s, struct item *it, const struct sample *p)
{
	struct look_log *l;

	if (!s->keep_logs)
		return;
	it->looks = xrealloc(it->looks, it->nlooks + 1, sizeof(*l));
	l = &it->looks[it->nlooks++];
	*l = (struct look_log){s->w.now_ns, (enum why)p->why, p->recheck};
}

/* -- verdicts -------------------------------------------------------------- */

static char
letter(enum why why)
{
	if (why_is_local(why))
		return 'V';
	return why == WHY_OK ? 'O' : why_is_degraded(why) ? 'D' : 'F';
}

/* How many of these letters, looking back over voids. */
static unsigned
in_a_row(const struct model *m, const char *these)
{
	unsigned n = 0;

	for (unsigned i = m->n; i > 0; i--) {
		if (m->history[i - 1] == 'V')
			continue;
		if (strchr(these, m->history[i - 1]) == NULL)
			break;
		n++;
	}
	return n;
}

static unsigned
failures_of_last(const struct model *m, unsigned last)
{
	unsigned n = 0;

	for (unsigned i = m->n; i > m->since_up && last > 0; i--) {
		if (m->history[i - 1] == 'V')
			continue;
		n += m->history[i - 1] == 'F';
		last--;
	}
	return n;
}

static bool
is_out(const struct model *m, const struct monitor_conf *c)
{
	if (c->fail_m > 0)
		return failures_of_last(m, c->fail_n) >= c->fail_m;
	return in_a_row(m, "F") >= 1 + c->retries;
}

static enum status
expected(struct model *m, const struct monitor_conf *c)
{
	char last = m->history[m->n - 1];

	if (last == 'V')
		return m->n >= 3 && m->history[m->n - 2] == 'V' &&
		    m->history[m->n - 3] == 'V' ? STATUS_UNKNOWN : m->status;
	if (last == 'F')
		return m->status == STATUS_DOWN || is_out(m, c) ? STATUS_DOWN :
		    m->status;
	if (m->status == STATUS_DOWN && in_a_row(m, "OD") < c->recoveries)
		return STATUS_DOWN;
	return last == 'O' ? STATUS_UP : STATUS_DEGRADED;
}

static void
remember(struct model *m, char l)
{
	if (l == 'V' && m->n >= 3 && m->history[m->n - 1] == 'V' &&
	    m->history[m->n - 2] == 'V' && m->history[m->n - 3] == 'V')
		return;
	if (m->n == HISTORY) {
		memmove(m->history, m->history + 1, HISTORY - 1);
		m->n--;
		m->since_up -= m->since_up > 0;
	}
	m->history[m->n++] = l;
}

static void
fold(struct sim *s, struct item *it, enum why why)
{
	struct model *m = &it->live;
	enum status now;

	remember(m, letter(why));
	now = expected(m, it->conf);
	/* An outage is over: its failures count in no later vote. */
	if ((now == STATUS_UP || now == STATUS_DEGRADED) &&
	    (m->status == STATUS_DOWN || (m->status == STATUS_UNKNOWN &&
	    is_out(m, it->conf))))
		m->since_up = m->n;
	m->status = now;
	s->voids += letter(why) == 'V';
}

static void
check_change(struct sim *s, const struct item *it,
    const struct result_part *p, enum status from, enum status to)
{
	bool have = p != NULL && p->has_transition;

	if (have != (from != to))
		sim_fail(s, "%s: %s → %s, but %s transition",
		    it->conf->name, status_name(from), status_name(to),
		    have ? "a" : "no");
	if (p != NULL)
		MUST(s, p->has_state);
	if (p != NULL && p->state.status != to)
		sim_fail(s, "%s: state says %s, not %s", it->conf->name,
		    status_name((enum status)p->state.status),
		    status_name(to));
	if (!have)
		return;
	MUST(s, p->transition.from == from);
	MUST(s, p->transition.to == to);
	MUST(s, p->transition.at_us == p->state.since_us);
	MUST(s, strchr(p->transition.explain, '{') != NULL);
}

/* -- samples --------------------------------------------------------------- */

/* The run ended: does the sample say what the target meant? */
static void
check_meaning(struct sim *s, const struct item *it, const struct sample *p)
{
	const struct monitor_conf *c = it->conf;
	enum why why = (enum why)p->why, meant = it->meant;
	int64_t now = s->w.now_ns;
	bool jumped = s->jumped_ns > it->started_ns;

	MUST(s, p->lag_us >= 0);   /* never before its due */
	if (why == WHY_LOCAL_SLOTS)
		return;
	if (why == WHY_LOCAL_LATE) {
		MUST(s, jumped);
		return;
	}
	/* It may have ended in time and waited for the beacons as we were
	 * starved: then nobody can tell from here. */
	if (meant != WHY_LOCAL_FDS && !(s->beacons && s->jumped_ns == now) &&
	    now > it->started_ns + c->timeout_ns + SCHED_LATE_NS +
	    (s->beacons ? BEACON_HOLD_NS : 0))
		sim_fail(s, "%s: an answer that came too late counted: %s",
		    c->name, why_name(why));
	/* While we were slow, an answer may come in before its deadline is
	 * noticed; more than SCHED_LATE_NS of that was refused above. */
	if (meant != WHY_LOCAL_FDS && it->meant_latency_ns >= c->timeout_ns &&
	    (!jumped || why == WHY_NET_TIMEOUT))
		meant = WHY_NET_TIMEOUT;
	else if (meant == WHY_OK && c->degraded_above_ns > 0 &&
	    it->meant_latency_ns > c->degraded_above_ns)
		meant = WHY_SLOW;
	if (why == WHY_LOCAL_SIGHT)
		judge_sight(s, it);
	else if (why != meant)
		sim_fail(s, "%s: %s, but the target meant %s", c->name,
		    why_name(why), why_name(meant));
}

/* Beats never come in a burst, and, when nothing is short, leave no hole. */
static void
check_pace(struct sim *s, struct item *it, const struct sample *p)
{
	int64_t interval = it->conf->interval_ns;
	int64_t due = it->started_ns - p->lag_us * NS_PER_US;
	int64_t since = due - it->last_due_ns;
	bool excused = it->last_due_ns == 0 ||
	    it->excused_ns >= it->last_due_ns - NS_PER_S ||
	    s->jumped_ns >= it->last_due_ns - NS_PER_S;

	if (p->why == WHY_LOCAL_SLOTS)
		return;
	if (s->calm && !excused &&
	    due - it->last_look_ns > 2 * interval + interval / 100 +
	    (s->beacons ? BEACON_HOLD_NS : 0))
		sim_fail(s, "%s: not looked at for %" PRId64 " ms",
		    it->conf->name, (due - it->last_look_ns) / NS_PER_MS);
	it->last_look_ns = due;
	if (p->recheck)
		return;
	it->last_due_ns = due;
	if (excused)
		return;
	if (since < interval / 2 - SLACK_NS)
		sim_fail(s, "%s: two beats within %" PRId64 " ms",
		    it->conf->name, since / NS_PER_MS);
}

static void
check_beat(struct sim *s, struct item *it, const struct result_unit *r)
{
	struct model *m = &it->live;
	enum status from = m->status;
	bool down = r->sample.why == WHY_PUSH_DOWN;

	m->heard = true;
	m->lost = m->gaps = 0;
	m->beat_ns = s->w.now_ns - it->held_up_ns;
	m->base_ns = 0;
	if (from != STATUS_PAUSED) {
		m->status = down ? STATUS_DOWN : STATUS_UP;
		m->base_ns = down ? 0 : m->beat_ns;
	}
	MUST(s, r->unit.urgent);
	MUST(s, r->own != NULL);
	check_change(s, it, r->own, from, m->status);
}

static void
check_sample(struct sim *s, struct item *it, const struct result_unit *r)
{
	const struct sample *p = &r->sample;
	enum status from = it->live.status;

	s->samples++;
	mix(s, p->monitor);
	mix(s, p->seq << 8 ^ p->why);
	mix(s, (uint64_t)p->at_us);
	if (p->seq != it->live.seq + 1)
		sim_fail(s, "%s: seq %" PRIu64 " after %" PRIu64,
		    it->conf->name, p->seq, it->live.seq);
	it->live.seq = p->seq;
	it->last_sample_ns = s->w.now_ns;
	log_look(s, it, p);
	if (it->conf->kind == &sim_push.conf) {
		check_beat(s, it, r);
	} else {
		MUST(s, from != STATUS_PAUSED);
		MUST(s, !it->running || p->why == WHY_LOCAL_SLOTS);
		check_meaning(s, it, p);
		check_pace(s, it, p);
		fold(s, it, (enum why)p->why);
		check_change(s, it, r->own, from, it->live.status);
	}
	if (p->status != it->live.status)
		sim_fail(s, "%s: sample says %s, not %s", it->conf->name,
		    status_name((enum status)p->status),
		    status_name(it->live.status));
	if (p->status != STATUS_UP || it->live.status != from)
		MUST(s, r->own != NULL);
	if (from != it->live.status)
		log_change(s, it, it->live.status,
		    (enum why)r->own->transition.why);
}

/* -- changes without a sample ----------------------------------------------- */

static int64_t
deadline(const struct item *it)
{
	return it->live.base_ns + it->conf->interval_ns +
	    (it->live.status == STATUS_LATE ? it->conf->grace_ns : 0);
}

static void
check_deadline(struct sim *s, const struct item *it,
    const struct transition *t)
{
	int64_t due = deadline(it), late = s->w.now_ns - due;
	int64_t wall = (due + s->w.wall_off_ns) / NS_PER_US;

	MUST(s, it->live.base_ns != 0);
	/* Exactly then; a starved loop may be late, but not much. */
	MUST(s, late >= -SLACK_NS);
	MUST(s, late <= SLACK_NS || ((s->jumped_ns == s->w.now_ns ||
	    s->restarted_ns == s->w.now_ns) &&
	    (late <= SCHED_LATE_NS + SLACK_NS ||
	    it->live.gaps == STATE_GAPS_MAX)));
	if (s->stepped_ns < it->live.base_ns)
		MUST(s, llabs(t->at_us - wall) <= 20);
	if (t->to == STATUS_DOWN && it->period_ns > 0 && it->live.lost < 2 &&
	    it->live.gaps < STATE_GAPS_MAX &&
	    it->silent_until_ns < it->live.beat_ns)
		sim_fail(s, "%s: down, but its sender did its duty",
		    it->conf->name);
}

static void
check_other(struct sim *s, struct item *it, const struct result_part *p)
{
	struct model *m = &it->live;
	enum status from = m->status;
	const struct transition *t = &p->transition;

	if (p->has_transition) {
		switch (t->why) {
		case WHY_PUSH_LATE:
		case WHY_PUSH_MISSED:
			check_deadline(s, it, t);
			m->status = t->why == WHY_PUSH_LATE ? STATUS_LATE :
			    STATUS_DOWN;
			if (m->status == STATUS_DOWN)
				m->base_ns = 0;
			break;
		case WHY_PAUSED:
			m->status = STATUS_PAUSED;
			m->n = m->since_up = 0;
			m->base_ns = 0;
			break;
		case WHY_RESUMED:
			MUST(s, from == STATUS_PAUSED);
			m->status = STATUS_PENDING;
			m->base_ns = m->heard ? s->w.now_ns : 0;
			m->gaps = m->heard;
			break;
		default:   /* nothing else happens to a monitor by itself */
			sim_fail(s, "%s: a transition because of %s",
			    it->conf->name, why_name((enum why)t->why));
		}
		log_change(s, it, m->status, (enum why)t->why);
		mix(s, (uint64_t)t->at_us ^ t->to);
	} else if (m->base_ns != 0 && s->jumped_ns == s->w.now_ns &&
	    s->w.now_ns > deadline(it) + SCHED_LATE_NS)
		judge_gap(s, it);   /* its timer was starved */
	else if (m->base_ns != 0 && s->vantage != NULL &&
	    vantage_sight(s->vantage) == SIGHT_LOST &&
	    s->w.now_ns >= deadline(it) - SLACK_NS)
		judge_gap(s, it);   /* nor could it be heard */
	check_change(s, it, p, from, m->status);
}

static enum status
worst(const struct sim *s, uint32_t group)
{
	enum status w = STATUS_PAUSED;

	for (unsigned i = 0; i < s->nitems; i++) {
		const struct item *it = &s->items[i];

		if (it->conf != NULL && it->conf->group == group &&
		    it->live.status < w)
			w = it->live.status;
	}
	return w == STATUS_PAUSED ? STATUS_PENDING : w;
}

static void
check_group(struct sim *s, const struct result_part *p)
{
	struct item *it = sim_item(s, p->state.monitor);
	enum status from = it->live.status;

	MUST(s, it->conf != NULL);
	MUST(s, p->has_transition);
	it->live.status = worst(s, it->conf->id);
	check_change(s, it, p, from, it->live.status);
	log_change(s, it, it->live.status, (enum why)p->transition.why);
	mix(s, p->state.monitor * 16 + p->transition.to);
}

static void
check_event(struct sim *s, const struct event *e)
{
	if (e->kind != EVENT_STORE)
		return;
	if (strstr(e->text, "paused") != NULL)
		s->pauses++;
	else
		s->goes_on++;
	MUST(s, s->pauses - s->goes_on <= 1);
}

void
judge_unit(struct sim *s, const struct unit *u)
{
	const struct result_unit *r;
	struct item *it;

	MUST(s, u->bytes > 0);
	if (u->kind == UNIT_EVENT) {
		check_event(s, &CONTAINER((uintptr_t)u, struct event_unit,
		    unit)->event);
		return;
	}
	if (u->kind == UNIT_ALERT) {
		const struct alert_unit *a = alert_unit_of(u);

		/* Of the scheduler, not what a courier notes. */
		if (a->nmarks == 0 && a->ndeliveries == 0 && a->nrows > 0 &&
		    a->rows[0].event.kind == ALERT_SIGHT)
			judge_sights(s, a);
		return;
	}
	r = CONTAINER((uintptr_t)u, struct result_unit, unit);
	if (r->has_sample || r->own != NULL) {
		it = sim_item(s, r->has_sample ? r->sample.monitor :
		    r->own->state.monitor);
		MUST(s, it->conf != NULL);   /* the deleted are silent */
		if (r->has_sample)
			check_sample(s, it, r);
		else
			check_other(s, it, r->own);
	}
	if (r->group != NULL)
		check_group(s, r->group);
	judge_told(s, r);
}

/* -- starts, turns, gaps ----------------------------------------------------- */

void
judge_start(struct sim *s, struct item *it, const struct check *c)
{
	unsigned host = sim_conf_host(c->conf);

	MUST(s, it->conf != NULL);
	MUST(s, !it->running);
	MUST(s, it->live.status != STATUS_PAUSED);
	MUST(s, s->in_flight < s->cap);
	MUST(s, host == 0 || s->per_host[host] < s->cap_host);
	MUST(s, (double)s->queued / (double)s->queue_max < SCHED_PAUSE_LOAD);
}

void
judge_turn(struct sim *s)
{
	if (s->sched == NULL || s->turns % 8 != 0)
		return;
	role_is(&shard_role);
	sched_check(s->sched);
	if (s->vantage != NULL)
		vantage_check(s->vantage);
	MUST(s, caps_in_use(s->caps) == s->stats.in_flight);
	for (unsigned i = 0; i < s->nitems; i++) {
		const struct item *it = &s->items[i];
		/* Groups wait for their members to come; see group.c. */
		bool settled = s->w.now_ns > it->excused_ns + 11 * NS_PER_S;

		if (it->conf == NULL)
			continue;
		if (it->conf->kind == &sim_group.conf && settled &&
		    it->live.status != STATUS_PAUSED &&
		    it->live.status != worst(s, it->conf->id))
			sim_fail(s, "%s is %s, its worst member is not",
			    it->conf->name, status_name(it->live.status));
		if (it->live.base_ns != 0)
			MUST(s, s->w.now_ns <= deadline(it) + SCHED_LATE_NS +
			    SLACK_NS || s->jumped_ns == s->w.now_ns);
	}
}

/* A beat may have been lost: when the gap reaches past the middle between the
 * last one and down, or past the deadline, the sender begins anew. */
void
judge_gap(struct sim *s, struct item *it)
{
	struct model *m = &it->live;
	int64_t now = s->w.now_ns;

	if (it->conf == NULL || m->base_ns == 0 || m->gaps == STATE_GAPS_MAX)
		return;
	if (m->status == STATUS_LATE || now >= deadline(it) ||
	    now - m->beat_ns >= (it->conf->interval_ns +
	    it->conf->grace_ns) / 2) {
		m->base_ns = now;
		m->gaps++;
	}
}

void
judge_healthy(struct sim *s)
{
	for (unsigned i = 0; i < s->nitems; i++) {
		const struct item *it = &s->items[i];
		const struct monitor_conf *c = it->conf;

		if (c == NULL || it->live.status == STATUS_PAUSED)
			continue;
		if (c->kind == &sim_group.conf) {
			MUST(s, it->live.status == worst(s, c->id));
			continue;
		}
		/* A sender with jitter is late by right now and then. */
		if (it->live.status != STATUS_UP && !(it->jitter_ns > 0 &&
		    it->live.status == STATUS_LATE))
			sim_fail(s, "%s (%s) is %s in a healthy world",
			    c->name, c->kind->name,
			    status_name(it->live.status));
		if (c->kind == &sim_kind.conf && s->w.now_ns -
		    it->last_sample_ns > c->interval_ns + c->timeout_ns +
		    NS_PER_S)
			sim_fail(s, "%s was not checked for %" PRId64 " s",
			    c->name, (s->w.now_ns - it->last_sample_ns) /
			    NS_PER_S);
	}
	MUST(s, s->stats.waiting <= s->nitems);
}

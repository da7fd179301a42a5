/* run.c: one check from its beat to its sample.
 *
 *   beat, recheck ─► queue ─► begin ─► kind->start ─┬─ done ──────┐
 *                                                   └─ deadline ──┴─► end
 * Every run has one deadline timer; whatever ends it, finish() clears the
 * fields before anything else happens. */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sched/parts.h"

/* A deadline timer that is later than this lets the loop read what waits in
 * the sockets first: it is we who were slow. */
#define GRACE_NS (2 * WORLD_SLOT_NS)

static timer_fn on_deadline;

static void
skip(struct mon *m, uint64_t beats)
{
	m->sched->stats->skipped_beats += beats;
}

/* A beat found the monitor still waiting for the slot of an earlier one. */
static void
still_waiting(struct mon *m, int64_t due)
{
	if (queue_withheld(m->sched)) {
		m->sched->stats->paused_by_store++;
		m->wait_due_ns = due;
	} else if (due - m->wait_due_ns >= m->conf->interval_ns) {
		run_void(m, WHY_LOCAL_SLOTS, m->wait_due_ns);
		m->wait_due_ns = due;
		m->wait_recheck = false;
		return;
	}
	skip(m, 1);
}

static void
on_beat(struct mon *m, int64_t now)
{
	int64_t due = m->beat_ns, interval = m->conf->interval_ns;

	/* Open loop: counted from the plan, not from now, so without drift;
	 * but what was missed is skipped, and two never come close together. */
	if (now - due > interval / 2) {
		skip(m, (uint64_t)((now - due) / interval));
		m->beat_ns = time_next(m, now);
	} else
		m->beat_ns = time_next(m, due);
	m->recheck_ns = 0;   /* this beat is the recheck */
	time_arm(m);
	switch ((enum mon_phase)m->phase) {
	case MON_IDLE:
		queue_start(m, due, false);
		break;
	case MON_WAITING:
		still_waiting(m, due);
		break;
	case MON_RUNNING:
		skip(m, 1);
		break;
	}
}

void
run_on_timer(UNUSED struct world *w, struct timer *t)
{
	struct mon *m = CONTAINER(t, struct mon, timer);
	int64_t now = world_now(m->sched->world), due;

	time_sync(m->sched);
	if (m->beat_ns <= now) {
		on_beat(m, now);
		return;
	}
	due = m->recheck_ns;
	m->recheck_ns = 0;
	time_arm(m);
	if (due != 0 && m->phase == MON_IDLE)
		queue_start(m, due, true);
}

static int32_t
us32(int64_t ns)
{
	int64_t us = MIN(ns / NS_PER_US, (int64_t)INT32_MAX);

	return (int32_t)MAX(us, (int64_t)INT32_MIN);
}

static void
count(struct mon *m, enum why why)
{
	struct sched_stats *st = m->sched->stats;
	bool ok = why == WHY_OK || why_is_degraded(why);

	if (why_is_local(why))
		st->voided[why]++;
	st->checks[m->index][ok ? 0 : why_is_local(why) ? 2 : 1]++;
}

/* The verdict over a finished sample, and the unit that carries both. */
static void
judge(struct mon *m, struct result_unit *u, int64_t end_us)
{
	struct sample *p = &u->sample;
	struct policy policy = report_policy(m);
	bool streak = m->st.fails > 0 || m->st.voids > 0;
	enum why why = (enum why)p->why;
	struct verdict v;

	p->monitor = m->conf->id;
	p->seq = m->st.seq + 1;
	v = state_sample(&m->st, &policy, why, p->seq, p->at_us, end_us);
	p->status = m->st.status;
	state_vote(&m->votes, p->seq, why);
	if (p->cert_expiry_s != 0)
		m->st.cert_expiry_s = p->cert_expiry_s;
	count(m, why);
	if (v.recheck && m->beat_ns != 0) {
		int64_t retry = m->conf->retry_interval_ns;
		int64_t at = world_now(m->sched->world) + retry;

		/* A beat that comes about then serves as well: two looks in
		 * a row must be worth two. */
		m->recheck_ns = at + retry / 2 < m->beat_ns ? at : 0;
		time_arm(m);
	}
	/* Plain successes are folded in again at a restart; all else is
	 * written at once. */
	report_put(m, u, &v, v.changed || streak || why != WHY_OK ||
	    m->st.status != STATUS_UP || p->seq % SCHED_SAVE_EVERY == 0);
}

static void
fill(struct mon *m, struct sample *p, const struct run *r, int64_t now)
{
	const struct outcome *o = &r->check.out;
	int64_t started = o->started_ns != 0 ? o->started_ns :
	    r->check.started_ns;
	int64_t ended = o->ended_ns != 0 ? o->ended_ns : now;
	int64_t latency = o->latency_ns != 0 ? o->latency_ns : ended - started;

	p->due_us = time_wall_us(m->sched, r->due_ns);
	p->at_us = time_wall_us(m->sched, r->check.started_ns);
	p->latency_us = MAX(latency, INT64_C(0)) / NS_PER_US;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		p->phase_us[i] = o->phase_ns[i] < 0 ? -1 :
		    us32(o->phase_ns[i]);
	p->lag_us = us32(r->check.started_ns - r->due_ns);
	p->bytes = o->bytes;
	p->code = o->code;
	p->why = (uint8_t)o->why;
	p->recheck = r->recheck;
	p->peer = o->peer;
	p->cert_expiry_s = o->cert_expiry_s;
	if (o->reason[0] != '\0')
		(void)text_copy(p->reason, sizeof(p->reason),
		    str_of(o->reason));
}

/* What the scheduler itself knows about an outcome: was it we who were late,
 * was it slower than it should be. */
static void
amend(struct mon *m, struct sample *p, const struct run *r, int64_t now)
{
	int64_t late = now - r->check.deadline_ns;
	char a[TIME_TEXT], b[TIME_TEXT];

	if (r->check.started_ns < m->sched->stalled_ns || late > SCHED_LATE_NS) {
		m->sched->stats->late_answers++;
		p->why = WHY_LOCAL_LATE;
		(void)snprintf(p->reason, sizeof(p->reason),
		    "vedette was held up while it checked: seen %s after "
		    "the start",
		    time_format_human(now - r->check.started_ns, a));
	} else if (p->why == WHY_OK && m->conf->degraded_above_ns > 0 &&
	    p->latency_us > m->conf->degraded_above_ns / NS_PER_US) {
		p->why = WHY_SLOW;
		(void)snprintf(p->reason, sizeof(p->reason),
		    "took %s, degraded above %s",
		    time_format_human(p->latency_us * NS_PER_US, a),
		    time_format_human(m->conf->degraded_above_ns, b));
	}
}

/* r is over: its fields first, then its memory. The slot goes back last, as
 * that may start the next check. */
static void
finish(struct run *r)
{
	struct mon *m = r->mon;
	struct sched *s = m->sched;

	assert(m->run == r);
	assert(m->phase == MON_RUNNING);
	timer_stop(s->world, &r->deadline);
	list_del(&r->link);
	m->run = NULL;
	m->phase = MON_IDLE;
	s->stats->in_flight--;
}

static void
run_free(struct run *r)
{
	xfree(r->check.out.evidence);
	xfree(r->check.out.details);
	monitor_conf_unref(r->conf);
	xfree(r);
}

/* Would this failure make the monitor down? */
static bool
fells(const struct mon *m, enum why why)
{
	struct policy policy = report_policy(m);
	struct mon_state st = m->st;

	return st.status != STATUS_DOWN && state_sample(&st, &policy, why,
	    st.seq + 1, 0, 0).to == STATUS_DOWN;
}

/* What has just ended, as the vantage sees it: this machine is no witness.
 * Failures of ours count there when it was for want of a way out. */
static enum sight
sighted(const struct run *r, int64_t now)
{
	const struct mon *m = r->mon;
	struct vantage *v = m->sched->vantage;
	enum why why = r->check.out.why;
	uint64_t host = m->host != 0 ? m->host : map_hash_u64(m->conf->id);
	bool ours = why_is_local(why);

	if (v == NULL || m->local || peer_is_loopback(&r->check.out.peer) ||
	    (ours && why != WHY_LOCAL_ROUTE && why != WHY_LOCAL_RESOLVER))
		return SIGHT_CLEAR;
	if (why == WHY_OK || why_is_degraded(why)) {
		vantage_passed(v, host, r->check.started_ns, now);
		return SIGHT_CLEAR;
	}
	return vantage_failed(v, host, r->check.started_ns, now,
	    ours || fells(m, why));
}

/* Does it wait for the beacons? Only who would be down now, a bounded time,
 * in its slot. */
static bool
hold(struct run *r)
{
	struct sched *s = r->mon->sched;
	enum why why = r->check.out.why;

	if (s->stop_ns != 0 || why_is_local(why) || !fells(r->mon, why))
		return false;
	r->held = true;
	timer_set(s->world, &r->deadline, r->ended_ns + BEACON_HOLD_NS,
	    on_deadline);
	return true;
}

/* We saw nothing: it is neither for nor against the target. */
static void
make_void(struct sample *p)
{
	char was[sizeof(p->reason)];

	memcpy(was, p->reason, sizeof(was));
	p->why = WHY_LOCAL_SIGHT;
	(void)snprintf(p->reason, sizeof(p->reason), "no beacon answers: "
	    "%.*s", (int)sizeof(was) - 32, was);
}

static void
end(struct run *r)
{
	struct mon *m = r->mon;
	struct sched *s = m->sched;
	uint64_t host = r->host;
	enum sight sight;
	struct result_unit *u;
	int64_t ended_us;

	time_sync(s);
	assert(r->check.run == m->run_no);
	assert(why_known(r->check.out.why));
	if (r->held)
		sight = vantage_sight(s->vantage);
	else {
		r->ended_ns = world_now(s->world);
		sight = sighted(r, r->ended_ns);
		if (sight == SIGHT_PENDING && hold(r))
			return;
	}
	finish(r);
	u = result_unit_new();
	u->has_sample = true;
	fill(m, &u->sample, r, r->ended_ns);
	amend(m, &u->sample, r, r->ended_ns);
	if (sight == SIGHT_LOST && !why_is_local((enum why)u->sample.why))
		make_void(&u->sample);
	if (u->sample.why != WHY_OK)
		u->evidence = TAKE(r->check.out.evidence);
	ended_us = time_wall_us(s, r->ended_ns);
	run_free(r);
	judge(m, u, ended_us);
	queue_give(s, host);
}

static void
on_done(struct check *c)
{
	end(CONTAINER(c, struct run, check));
}

static void
on_deadline(struct world *w, struct timer *t)
{
	struct run *r = CONTAINER(t, struct run, deadline);
	struct sched *s = r->mon->sched;
	int64_t now = world_now(w);
	bool slept = r->check.started_ns < s->stalled_ns;

	if (r->refused || r->held) {
		end(r);
		return;
	}
	if (s->stop_ns != 0 && now < r->check.deadline_ns && !slept) {
		run_drop(r->mon);
		return;
	}
	if (!r->graced && !slept && now - r->check.deadline_ns > GRACE_NS) {
		r->graced = true;
		timer_set(w, t, now + WORLD_SLOT_NS, on_deadline);
		return;
	}
	r->check.kind->cancel(&r->check);
	if (r->check.out.why == WHY_OK) {
		r->check.out.why = WHY_TIMEOUT;
		if (r->check.out.reason[0] == '\0')
			(void)snprintf(r->check.out.reason,
			    sizeof(r->check.out.reason), "no answer in time");
	}
	end(r);
}

void
run_begin(struct mon *m, int64_t due_ns, bool recheck)
{
	struct sched *s = m->sched;
	struct run *r = xcalloc(1, offsetof(struct run, check) +
	    m->kind->size);
	struct check *c = &r->check;

	assert(m->phase == MON_IDLE);
	assert(m->kind->size >= sizeof(struct check));
	r->mon = m;
	r->conf = monitor_conf_ref(m->conf);
	r->host = m->host;
	r->due_ns = due_ns;
	r->recheck = recheck;
	c->kind = m->kind;
	c->env = s->env;
	c->conf = r->conf;
	c->run = ++m->run_no;
	c->started_ns = world_fresh(s->world);
	c->deadline_ns = c->started_ns + m->conf->timeout_ns;
	c->recheck = recheck || m->st.fails > 0;
	/* The recheck of a first failure collects evidence; without retries
	 * there is none before the verdict, so every good look is ready to.
	 * Always would cost each healthy check its buffers. */
	c->want_evidence = m->st.fails == 1 ||
	    (m->st.fails == 0 && m->conf->retries == 0);
	c->done = on_done;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		c->out.phase_ns[i] = -1;
	m->run = r;
	m->phase = MON_RUNNING;
	list_push(&s->running, &r->link);
	s->stats->in_flight++;
	s->stats->started++;
	hist_add(&s->stats->lag, MAX(c->started_ns - due_ns, INT64_C(0)));
	timer_set(s->world, &r->deadline, c->deadline_ns, on_deadline);
	if (c->kind->start(c) == ERR_OK)
		return;
	/* A refusal ends the run from the loop, not from here: otherwise a
	 * storm of them would recurse once per waiting monitor. */
	r->refused = true;
	if (c->out.why == WHY_OK)
		c->out.why = WHY_LOCAL_OTHER;
	timer_set(s->world, &r->deadline, world_now(s->world), on_deadline);
}

void
run_drop(struct mon *m)
{
	struct run *r = m->run;
	uint64_t host;

	if (r == NULL)
		return;
	if (!r->refused && !r->held)
		r->check.kind->cancel(&r->check);
	host = r->host;
	finish(r);
	run_free(r);
	m->sched->stats->voided[WHY_LOCAL_CANCELLED]++;
	queue_give(m->sched, host);
}

void
run_void(struct mon *m, enum why why, int64_t due_ns)
{
	struct sched *s = m->sched;
	int64_t now = world_now(s->world);
	struct result_unit *u = result_unit_new();
	struct sample *p = &u->sample;

	u->has_sample = true;
	p->due_us = time_wall_us(s, due_ns);
	p->at_us = time_wall_us(s, now);
	p->lag_us = us32(now - due_ns);
	p->why = (uint8_t)why;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		p->phase_us[i] = -1;
	(void)text_copy(p->reason, sizeof(p->reason), str_of(why_text(why)));
	judge(m, u, p->at_us);
}

void
run_release(struct sched *s)
{
	LIST_EACH(n, &s->running) {
		struct run *r = CONTAINER(n, struct run, link);

		if (r->held)
			timer_set(s->world, &r->deadline, world_now(s->world),
			    on_deadline);
	}
}

void
run_doom_all(struct sched *s)
{
	LIST_EACH(n, &s->running) {
		struct run *r = CONTAINER(n, struct run, link);

		timer_set(s->world, &r->deadline, world_now(s->world),
		    on_deadline);
	}
}

void
run_stop_all(struct sched *s, int64_t deadline_ns)
{
	LIST_EACH(n, &s->running) {
		struct run *r = CONTAINER(n, struct run, link);

		if (r->deadline.node.key > deadline_ns)
			timer_set(s->world, &r->deadline, deadline_ns,
			    on_deadline);
	}
}

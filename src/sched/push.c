/* push.c: heartbeats. The deadline is a timer on the monotonic clock, set from
 * the moment of the beat, so it falls exactly at the end of the interval and
 * of the grace, whatever the wall clock does meanwhile; deadline_us in the
 * state is what people and the next start see of it.
 *
 * Time in which nobody could have heard a heartbeat (not running, suspended)
 * must not count against the sender. A regular one sends again an interval
 * after the last at the latest; if its beat fell into a gap that ended in the
 * first half of the time from the last beat until down, the next comes before
 * down anyway, and the gap moves nothing. Any other gap may have swallowed the
 * beat that mattered, and the sender gets a fresh interval and grace; but not
 * more than STATE_GAPS_MAX times in a row, or a daemon that is restarted every
 * night would never miss a monthly job. */
#include <assert.h>

#include "base/text.h"
#include "base/time.h"
#include "sched/parts.h"

/* A beat that says it is older than this was not held up in our queues: the
 * wall clock was stepped in between. */
#define AGE_MAX (60 * NS_PER_S)

static timer_fn on_deadline;

static void
arm(struct mon *m)
{
	if (m->st.deadline_us == 0 || m->sched->stop_ns != 0)
		timer_stop(m->sched->world, &m->timer);
	else
		timer_set(m->sched->world, &m->timer, m->deadline_ns,
		    on_deadline);
}

/* From the last beat, or the last fresh start, to the next deadline. */
static int64_t
span(const struct mon *m, const struct monitor_conf *c)
{
	return c->interval_ns +
	    (m->st.status == STATUS_LATE ? c->grace_ns : 0);
}

static void
fresh(struct mon *m)
{
	int64_t now = world_now(m->sched->world), len = span(m, m->conf);

	state_gap(&m->st, time_wall_us(m->sched, now), len);
	m->deadline_ns = now + len;
	arm(m);
}

/* Nobody listened until now. True when that moved the deadline. */
static bool
gap(struct mon *m)
{
	const struct monitor_conf *c = m->conf;
	struct sched *s = m->sched;
	int64_t now = world_now(s->world);
	int64_t age = (time_wall_us(s, now) - m->st.beat_us) * NS_PER_US;

	if (m->st.deadline_us == 0 || m->st.voids >= STATE_GAPS_MAX)
		return false;
	/* age < 0: the clock was set back while we were away. */
	if (m->st.status != STATUS_LATE && now < m->deadline_ns && age >= 0 &&
	    age < (c->interval_ns + c->grace_ns) / 2)
		return false;
	fresh(m);
	return true;
}

/* The new deadline is the store's to know: it is shown, and a restart goes on
 * from there. */
static void
save(struct mon *m)
{
	struct verdict v = {.from = (enum status)m->st.status,
	    .to = (enum status)m->st.status, .why = (enum why)m->st.why};

	report_change(m, &v, NULL);
}

void
push_gap(struct mon *m)
{
	if (m->kind->conf.drive == DRIVE_PUSH && gap(m))
		save(m);
}

static void
on_deadline(UNUSED struct world *w, struct timer *t)
{
	struct mon *m = CONTAINER(t, struct mon, timer);
	struct sched *s = m->sched;
	int64_t now = world_now(s->world);
	struct verdict v;

	time_sync(s);
	/* So late a timer is our own trouble, noticed as a stall or not. */
	if (now - m->deadline_ns > SCHED_LATE_NS && gap(m)) {
		save(m);
		return;
	}
	/* Nor could a heartbeat reach us while we see nothing. */
	if (s->vantage != NULL && vantage_sight(s->vantage) == SIGHT_LOST &&
	    gap(m)) {
		save(m);
		return;
	}
	v = state_deadline(&m->st, m->st.deadline_us, m->conf->grace_ns);
	if (m->st.deadline_us != 0)
		m->deadline_ns += m->conf->grace_ns;
	arm(m);
	(void)text_copy(m->st.reason, sizeof(m->st.reason),
	    str_of(why_text(v.why)));
	report_change(m, &v, NULL);
}

static void
fill(struct mon *m, struct sample *p, const struct command *c)
{
	p->monitor = m->conf->id;
	p->seq = m->st.seq + 1;
	p->due_us = p->at_us = c->beat_us;
	p->latency_us = c->beat_ping_us;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		p->phase_us[i] = -1;
	p->why = c->beat_down ? WHY_PUSH_DOWN : WHY_OK;
	(void)text_copy(p->reason, sizeof(p->reason), str_of(c->beat_msg));
	if (c->beat_down && p->reason[0] == '\0')
		(void)text_copy(p->reason, sizeof(p->reason),
		    str_of(why_text(WHY_PUSH_DOWN)));
}

void
push_beat(struct mon *m, struct command *c)
{
	struct sched *s = m->sched;
	int64_t now = world_now(s->world), wall = time_wall_us(s, now);
	int64_t age = (wall - c->beat_us) * NS_PER_US;
	struct result_unit *u;
	struct verdict v;

	if (c->beat_us <= 0 || age < 0 || age > AGE_MAX) {
		c->beat_us = wall;
		age = 0;
	}
	u = result_unit_new();
	u->has_sample = true;
	fill(m, &u->sample, c);
	v = state_beat(&m->st, c->beat_down, u->sample.seq, c->beat_us,
	    m->conf->interval_ns);
	u->sample.status = m->st.status;
	m->deadline_ns = now - age + m->conf->interval_ns;
	arm(m);
	state_vote(&m->votes, u->sample.seq, (enum why)u->sample.why);
	s->stats->checks[m->index][c->beat_down ? 1 : 0]++;
	u->unit.urgent = true;
	u->unit.ack = TAKE(c->ack);
	report_put(m, u, &v, true);
}

/* The sender is there and was told to try again: that we have no room is no
 * silence of its own. Nothing of it is stored, so it changes no status. */
void
push_unheard(struct mon *m)
{
	struct sched *s = m->sched;

	if (m->kind->conf.drive != DRIVE_PUSH || m->st.deadline_us == 0)
		return;
	m->deadline_ns = world_now(s->world) + span(m, m->conf);
	m->st.deadline_us = time_wall_us(s, m->deadline_ns);
	arm(m);
}

void
push_moved(struct mon *m)
{
	struct sched *s = m->sched;
	int64_t now = world_now(s->world), len = span(m, m->conf);
	int64_t left = (m->st.deadline_us - time_wall_us(s, now)) * NS_PER_US;

	if (m->st.deadline_us == 0)
		return;
	/* Beyond a whole span it is a clock that was set back. */
	m->deadline_ns = now + MIN(left, len);
	m->st.deadline_us = time_wall_us(s, m->deadline_ns);
	arm(m);
}

void
push_restored(struct mon *m)
{
	push_moved(m);
	if (m->st.deadline_us != 0)
		push_gap(m);
}

void
push_reconf(struct mon *m, const struct monitor_conf *old)
{
	int64_t now = world_now(m->sched->world);
	int64_t base = m->deadline_ns - span(m, old);

	if (m->st.deadline_us == 0 || (old->interval_ns == m->conf->interval_ns
	    && old->grace_ns == m->conf->grace_ns))
		return;
	m->deadline_ns = base + span(m, m->conf);
	m->st.deadline_us = time_wall_us(m->sched, m->deadline_ns);
	/* By the new rule it would be overdue already: the sender, too, begins
	 * with the new rule now. */
	if (m->deadline_ns <= now)
		fresh(m);
	arm(m);
	save(m);
}

void
push_resumed(struct mon *m)
{
	if (m->st.beat_us != 0)
		fresh(m);
}

void
push_stepped(struct mon *m, int64_t step_us)
{
	if (m->kind->conf.drive != DRIVE_PUSH || m->st.deadline_us == 0)
		return;
	m->st.deadline_us += step_us;
	m->st.beat_us += step_us;
	save(m);
}

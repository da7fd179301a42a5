/* report.c: what happened, as units for the sink. A sample, the transition it
 * led to, the state after it and the same of its group are one unit: stored
 * together or not at all. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "model/alert.h"
#include "model/alert_unit.h"
#include "sched/parts.h"

struct policy
report_policy(const struct mon *m)
{
	const struct monitor_conf *c = m->conf;

	return (struct policy){.retries = c->retries,
	    .recoveries = MAX(c->recoveries, UINT32_C(1)),
	    .fail_m = c->fail_m, .fail_n = c->fail_n,
	    .blind_after = STATE_BLIND_AFTER};
}

struct result_part *
report_part(const struct mon *m, const struct verdict *v, const char *reason)
{
	struct result_part *p = xcalloc(1, sizeof(*p));

	p->has_state = true;
	p->state = m->st;
	if (!v->changed)
		return p;
	p->has_transition = true;
	if (m->group != NULL) {
		state_explain(&m->st, NULL, v, NULL, &m->group->votes,
		    &p->transition);
	} else {
		struct policy policy = report_policy(m);

		state_explain(&m->st, &policy, v, &m->votes, NULL,
		    &p->transition);
	}
	(void)text_copy(p->transition.reason, sizeof(p->transition.reason),
	    str_of(reason));
	return p;
}

bool
report_tell(struct mon *m, const struct verdict *v, const struct sample *p)
{
	struct sched *s = m->sched;
	const struct route_event e = {.conf = m->conf,
	    .from = (uint8_t)v->from, .to = m->st.status, .why = m->st.why,
	    .at_us = v->changed ? m->st.since_us :
	    time_wall_us(s, world_now(s->world)),
	    .latency_us = p != NULL ? p->latency_us : -1,
	    .cert_expiry_s = p != NULL ? p->cert_expiry_s : 0,
	    .reason = p != NULL ? p->reason : m->st.reason};

	return s->routes != NULL && route_step(s->routes, &e, &m->st,
	    &s->told);
}

static void
put(struct sched *s, struct result_unit *u)
{
	struct unit *unit = &u->unit;

	u->rows = TAKE(s->told.v);
	u->nrows = s->told.n;
	s->told.n = 0;

	unit->bytes = sizeof(*u) + (u->own != NULL ? sizeof(*u->own) : 0) +
	    (u->group != NULL ? sizeof(*u->group) : 0) +
	    (u->evidence != NULL ? strlen(u->evidence) + 1 : 0) +
	    u->nrows * sizeof(*u->rows);
	if (unit->ack != NULL || u->nrows > 0 || u->group != NULL ||
	    (u->own != NULL && u->own->has_transition))
		unit->urgent = true;
	unit->queued_ns = world_now(s->world);
	s->sink->put(s->sink, unit);
}

/* The words beside the status: of the sample that made it what it is. */
static void
set_reason(struct mon *m, const struct sample *p)
{
	switch ((enum status)m->st.status) {
	case STATUS_DOWN:
	case STATUS_DEGRADED:
	case STATUS_UNKNOWN:
		if (p->why == m->st.why || why_is_local((enum why)p->why))
			memcpy(m->st.reason, p->reason, sizeof(p->reason));
		break;
	case STATUS_UP:
		m->st.reason[0] = '\0';
		break;
	case STATUS_LATE:
	case STATUS_PENDING:
	case STATUS_PAUSED:
	case STATUS_NMAX:
		break;
	}
}

void
report_put(struct mon *m, struct result_unit *u, const struct verdict *v,
    bool save)
{
	set_reason(m, &u->sample);
	if (report_tell(m, v, &u->sample) || v->changed || save)
		u->own = report_part(m, v, u->sample.reason);
	if (v->changed)
		u->group = group_moved(m, v->from);
	put(m->sched, u);
}

void
report_change(struct mon *m, const struct verdict *v, struct command *c)
{
	struct result_unit *u = result_unit_new();

	(void)report_tell(m, v, NULL);
	u->own = report_part(m, v, m->st.reason);
	u->own->transition.seq = 0;   /* no sample caused it */
	if (v->changed)
		u->group = group_moved(m, v->from);
	if (c != NULL) {
		u->unit.ack = TAKE(c->ack);
		(void)text_copy(u->actor, sizeof(u->actor), str_of(c->actor));
	}
	put(m->sched, u);
}

void
report_group(struct sched *s, struct result_part *part)
{
	struct result_unit *u;

	if (part == NULL)
		return;
	u = result_unit_new();
	u->group = part;
	put(s, u);
}

static struct event_unit *
event_now(struct sched *s, enum event_kind kind)
{
	struct event_unit *u = event_unit_new();

	u->event.at_us = time_wall_us(s, world_now(s->world));
	u->event.kind = (uint8_t)kind;
	(void)text_copy(u->event.actor, sizeof(u->event.actor), STR("daemon"));
	u->unit.urgent = true;
	u->unit.queued_ns = world_now(s->world);
	return u;
}

void
report_event(struct sched *s, enum event_kind kind, uint32_t monitor,
    const char *fmt, ...)
{
	struct event_unit *u = event_now(s, kind);
	struct event *e = &u->event;
	va_list ap;

	e->monitor = monitor;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	s->sink->put(s->sink, &u->unit);
}

/* The statuses and the why are for the store: what it says of sight lasts over
 * a restart. */
static struct event_unit *
sight_event(struct sched *s, enum status to)
{
	struct event_unit *u = event_now(s, EVENT_CLOCK);

	u->event.why = WHY_LOCAL_SIGHT;
	u->event.to = (uint8_t)to;
	return u;
}

void
report_lost(struct sched *s, int64_t from_us)
{
	struct event_unit *u = sight_event(s, STATUS_UNKNOWN);

	u->event.at_us = from_us;
	(void)snprintf(u->event.text, sizeof(u->event.text), "sight is lost:"
	    " no beacon answers");
	s->sink->put(s->sink, &u->unit);
}

void
report_sight(struct sched *s, int64_t from_us, int64_t until_us)
{
	struct event_unit *ev = sight_event(s, STATUS_UP);
	struct route_rows rows = {0};
	char from[TIME_TEXT], until[TIME_TEXT];
	struct alert_unit *u;

	(void)snprintf(ev->event.text, sizeof(ev->event.text), "blind from %s"
	    " to %s: no beacon answered", time_format_utc(from_us, from),
	    time_format_utc(until_us, until));
	s->sink->put(s->sink, &ev->unit);
	if (s->routes != NULL)
		route_sight(s->routes, from_us, until_us, &rows);
	if (rows.n == 0)
		return;
	u = alert_unit_new();
	u->rows = rows.v;
	u->nrows = rows.n;
	u->unit.bytes += rows.n * sizeof(*rows.v);
	u->unit.urgent = true;
	u->unit.queued_ns = world_now(s->world);
	s->sink->put(s->sink, &u->unit);
}

void
report_ack(struct command *c, enum err e, const char *fmt, ...)
{
	struct errinfo ei = {0};
	struct ack *a = TAKE(c->ack);
	va_list ap;

	if (a == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(ei.text, sizeof(ei.text), fmt, ap);
	va_end(ap);
	a->done(a, e, &ei);
}

/* route.c: an incident from what happens to a monitor; see route.h. */
#include "route/route.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "route/flap.h"
#include "route/plan.h"

#define DAY_S 86400

struct step {
	const struct route_plan *plan;
	const struct route_event *e;
	struct mon_state *st;
	struct alerting *a;
	struct route_rows *out;
};

static bool
trouble(uint8_t status)
{
	return status == STATUS_DOWN || status == STATUS_DEGRADED ||
	    status == STATUS_LATE;
}

/* Half a trouble is at most a warning, and never worse than the whole. */
static uint8_t
severity_of(const struct monitor_conf *c, uint8_t status)
{
	return status == STATUS_DOWN ? (uint8_t)c->severity :
	    (uint8_t)MIN(c->severity, (uint32_t)SEVERITY_WARNING);
}

static struct telling
telling(const struct step *s, enum alert_kind kind)
{
	return (struct telling){.plan = s->plan, .e = s->e, .told = s->a,
	    .kind = kind, .severity = s->a->severity, .status = s->a->status,
	    .word = status_name((enum status)s->a->status),
	    .from = s->e->from, .was_severity = SEVERITY_NMAX,
	    .was_status = STATUS_NMAX, .out = s->out, .first = s->out->n};
}

static void
forget(struct alerting *a)
{
	uint32_t flap = a->flap;

	memset(a, 0, sizeof(*a));
	a->flap = flap;
}

static bool
too_often(const struct step *s)
{
	return s->plan->flap_on > 0 && !s->a->flapping &&
	    flap_share(s->a->flap) >= s->plan->flap_on;
}

static bool
settled(const struct step *s)
{
	uint32_t share = flap_share(s->a->flap);

	return s->plan->flap_on == 0 || share == 0 ||
	    share < s->plan->flap_off;
}

/* -- what is told ----------------------------------------------------------- */

static void
tell_open(const struct step *s, enum alert_kind kind)
{
	struct telling t = telling(s, kind);

	plan_tell(&t);
}

/* Everybody who knows, and those whom only this trouble concerns. */
static void
tell_change(const struct step *s, uint8_t was_severity, uint8_t was_status,
    uint8_t from)
{
	struct telling t = telling(s, ALERT_CHANGE);

	t.from = from;
	plan_tell_told(&t, s->e->at_us);
	if (was_status == s->a->status)
		return;
	t = telling(s, ALERT_OPEN);
	t.from = from;
	t.was_severity = was_severity;
	t.was_status = was_status;
	plan_tell(&t);
}

/* What comes and goes is told once, in place of what would be told now, to
 * those who know and those who would have been told. */
static void
tell_flapping(const struct step *s, uint8_t was_severity, uint8_t was_status,
    uint8_t from)
{
	struct telling t = telling(s, ALERT_FLAP);

	s->a->flapping = true;
	t.from = from;
	t.was_severity = was_severity;
	t.was_status = was_status;
	plan_tell_told(&t, s->e->at_us);
	plan_tell(&t);
}

static void
tell_end(const struct step *s, int64_t delay_us)
{
	struct telling t = telling(s, ALERT_RESOLVE);

	t.from = s->a->status;
	plan_tell_told(&t, s->e->at_us + delay_us);
	if (delay_us > 0)
		s->a->recover_us = s->e->at_us + delay_us;
	else
		forget(s->a);
}

/* -- what happened ---------------------------------------------------------- */

static void
on_trouble(const struct step *s)
{
	const struct route_event *e = s->e;
	struct alerting *a = s->a;
	uint8_t was_status = a->status, was_severity = a->severity;
	bool begins = a->incident_us == 0, again = a->recover_us != 0;

	a->status = e->to;
	a->severity = severity_of(e->conf, e->to);
	a->recover_us = 0;
	if (begins)
		a->incident_us = e->at_us;
	if (a->flapping)
		return;
	if (again)
		tell_change(s, was_severity, was_status, STATUS_UP);
	if (too_often(s))
		tell_flapping(s, was_severity, begins ? STATUS_NMAX :
		    was_status, e->from);
	else if (begins)
		tell_open(s, ALERT_OPEN);
	else if (!again && was_status != a->status)
		tell_change(s, was_severity, was_status, was_status);
}

static void
on_up(const struct step *s)
{
	struct alerting *a = s->a;

	if (a->incident_us == 0 || a->recover_us != 0 || a->flapping)
		return;
	if (too_often(s))
		tell_flapping(s, a->severity, a->status, a->status);
	else
		tell_end(s, plan_recovery_us(s->plan, s->e->conf,
		    a->severity, a->status));
}

static void
on_over(const struct step *s)
{
	/* An end that is told already, for later, stays so. */
	if (s->a->recover_us != 0)
		forget(s->a);
	else if (s->a->incident_us != 0)
		tell_end(s, 0);
}

static void
on_change(const struct step *s)
{
	switch ((enum status)s->e->to) {
	case STATUS_DOWN:
	case STATUS_DEGRADED:
	case STATUS_LATE:
		on_trouble(s);
		break;
	case STATUS_UP:
		on_up(s);
		break;
	case STATUS_PENDING:
		/* A group without members has nothing that could recover. */
		if (s->e->why == WHY_EMPTY_GROUP)
			on_over(s);
		break;
	case STATUS_PAUSED:
		on_over(s);
		break;
	case STATUS_UNKNOWN:
	case STATUS_NMAX:
		break;
	}
}

/* It has become quiet, one way or the other. */
static bool
on_settled(const struct step *s)
{
	struct telling t;

	if (!s->a->flapping || !settled(s) ||
	    (s->e->to != STATUS_UP && !trouble(s->e->to)))
		return false;
	s->a->flapping = false;
	if (s->e->to == STATUS_UP) {
		tell_end(s, 0);
		return true;
	}
	t = telling(s, ALERT_SETTLE);
	plan_tell_told(&t, s->e->at_us);
	return true;
}

/* -- certificates ----------------------------------------------------------- */

/* cert_warned_s is the threshold that was told of last; 0: none. One that is
 * farther away than that belongs to another certificate. */
static bool
on_certificate(const struct step *s)
{
	const struct route_plan *p = s->plan;
	const struct route_event *e = s->e;
	int64_t left = e->cert_expiry_s - e->at_us / US_PER_S, near = 0;
	int64_t was = s->st->cert_warned_s;
	struct telling t = telling(s, ALERT_CERT);

	for (size_t i = p->ncert; i > 0; i--)
		if (left <= p->cert_s[i - 1])
			near = p->cert_s[i - 1];
	if (near == was)
		return false;
	s->st->cert_warned_s = near;
	if (near == 0 || (was != 0 && near > was))
		return true;
	t.told = NULL;
	t.severity = severity_of(e->conf, left <= DAY_S ? STATUS_DOWN :
	    STATUS_DEGRADED);
	t.word = "certificate";
	plan_tell(&t);
	return true;
}

bool
route_step(const struct route_plan *p, const struct route_event *e,
    struct mon_state *st, struct route_rows *out)
{
	struct step s = {p, e, st, &st->alerting, out};
	bool changed = false;

	assert(e->from < STATUS_NMAX);
	assert(e->to < STATUS_NMAX);
	if (s.a->incident_us != 0 && !alerting_open(s.a, e->at_us)) {
		forget(s.a);
		changed = true;
	}
	if (e->from != e->to) {
		on_change(&s);
		changed = true;
	}
	if (on_settled(&s))
		changed = true;
	if (e->cert_expiry_s != 0 && on_certificate(&s))
		changed = true;
	assert(alerting_ok(s.a));
	return changed;
}

void
route_gone(const struct strings *channels, const struct route_event *e,
    struct mon_state *st, struct route_rows *out)
{
	struct settings words = {.alerts = {.expire_ns = DAY_S * NS_PER_S}};
	uint32_t *ids CLEANUP(xfreep) = xcalloc(channels->n + 1, sizeof(*ids));
	const struct route_plan p = {.conf = &words, .channels = *channels,
	    .ids = ids};

	for (size_t i = 0; i < channels->n; i++)
		ids[i] = alert_channel_id(channels->v[i]);
	(void)route_step(&p, e, st, out);
}

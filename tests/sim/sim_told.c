/* sim_told.c: who is told what, said again as a ledger: one beginning and one
 * end per incident, a row with every transition that calls for one and none
 * without, silence while it flaps, and nothing new because of a restart. All
 * monitors have one channel, so that a row is a message; of more (chain.h)
 * looked at is the one that each of them tells by itself. */
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"
#include "route/route.h"
#include "tests/sim/sim.h"

struct command *
told_routes(void)
{
	struct command *c = command_new(COMMAND_ROUTES, 0);
	char ops[] = "ops", *name[] = {ops};
	struct strings names = {name, 1};
	struct settings st = {0};

	opt_defaults(settings_opts, &st);
	if (route_plan_make(&st, &names, &c->routes, NULL) != ERR_OK)
		abort();
	c->routes_free = route_plan_unref;
	settings_free(&st);
	return c;
}

static bool
trouble(uint8_t status)
{
	return status == STATUS_DOWN || status == STATUS_DEGRADED ||
	    status == STATUS_LATE;
}

static const struct transition *
transition_of(const struct result_unit *r, uint32_t monitor)
{
	const struct result_part *parts[] = {r->own, r->group};

	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i] != NULL && parts[i]->has_transition &&
		    parts[i]->transition.monitor == monitor)
			return &parts[i]->transition;
	return NULL;
}

static void
ended(struct told *t, int64_t at_us)
{
	if (t->ends_us != 0 && at_us >= t->ends_us)
		*t = (struct told){0};
}

static void
opens(struct sim *s, struct told *t, const struct alert_event *e)
{
	if (t->incident_us == 0) {
		MUST(s, trouble(e->to));
		MUST(s, e->incident_us == e->at_us);
		t->incident_us = e->incident_us;
	} else
		MUST(s, e->kind == ALERT_FLAP);   /* never two beginnings */
	t->flapping = e->kind == ALERT_FLAP;
}

static void
check_row(struct sim *s, const struct result_unit *r,
    const struct outbox_row *o)
{
	const struct alert_event *e = &o->event;
	const struct transition *tr = transition_of(r, e->monitor);
	struct told *t = &sim_item(s, e->monitor)->live.told;
	bool quiet = t->flapping;

	ended(t, e->at_us);
	s->told++;
	if (s->keep_logs && sim_item(s, e->monitor)->nrows < ROWS_LOGGED)
		sim_item(s, e->monitor)->rows[sim_item(s,
		    e->monitor)->nrows++] = e->kind;
	if (tr != NULL)
		MUST(s, e->at_us == tr->at_us);
	switch ((enum alert_kind)e->kind) {
	case ALERT_OPEN:
	case ALERT_FLAP:
		MUST(s, tr != NULL);
		MUST(s, !quiet);
		opens(s, t, e);
		break;
	case ALERT_CHANGE:
		MUST(s, tr != NULL);
		MUST(s, !quiet);
		MUST(s, trouble(e->to));
		MUST(s, (e->from == STATUS_UP) == (t->ends_us != 0));
		t->ends_us = 0;
		break;
	case ALERT_SETTLE:
		MUST(s, quiet && trouble(e->to));
		t->flapping = false;
		break;
	case ALERT_RESOLVE:
		MUST(s, e->to == STATUS_UP || e->to == STATUS_PAUSED ||
		    (e->to == STATUS_PENDING && e->why == WHY_EMPTY_GROUP));
		MUST(s, tr != NULL || quiet);
		MUST(s, t->incident_us == e->incident_us && t->ends_us == 0);
		if (o->next_us > e->at_us) {
			t->ends_us = o->next_us;
			t->flapping = false;
		} else
			*t = (struct told){0};
		return;
	case ALERT_REMIND: case ALERT_CERT: case ALERT_SIGHT:
	case ALERT_STORE: case ALERT_CHANNEL: case ALERT_TEST:
	case ALERT_NMAX:
		sim_fail(s, "a row of kind %u", e->kind);
	}
	MUST(s, t->incident_us == e->incident_us);
}

/* After the rows: is everything told that this transition calls for? */
static void
check_transition(struct sim *s, const struct result_part *p)
{
	const struct transition *tr = p != NULL && p->has_transition ?
	    &p->transition : NULL;
	struct told *t;

	if (tr == NULL)
		return;
	t = &sim_item(s, tr->monitor)->live.told;
	ended(t, tr->at_us);
	if (trouble(tr->to))
		MUST(s, t->incident_us != 0 && t->ends_us == 0);
	else if (tr->to == STATUS_UP)
		MUST(s, t->incident_us == 0 || t->ends_us != 0 ||
		    t->flapping);
	else if (tr->to == STATUS_PAUSED || tr->why == WHY_EMPTY_GROUP) {
		MUST(s, t->incident_us == 0 || t->ends_us != 0);
		*t = (struct told){0};
	}
	/* What is stored says the same. */
	MUST(s, !p->has_state || p->state.alerting.incident_us ==
	    t->incident_us);
	MUST(s, !p->has_state || p->state.alerting.flapping == t->flapping);
}

void
judge_told(struct sim *s, const struct result_unit *r)
{
	const struct result_part *p = r->own;

	/* An end that was told for later has come, by a clock that may since
	 * have been set back: the state says so once. */
	if (p != NULL && !p->has_transition && p->has_state &&
	    p->state.alerting.incident_us == 0) {
		struct told *t = &sim_item(s, p->state.monitor)->live.told;

		if (t->ends_us != 0)
			*t = (struct told){0};
	}
	for (size_t i = 0; i < r->nrows; i++)
		if (s->chain == NULL || (r->rows[i].step == 0 &&
		    strcmp(r->rows[i].channel, "ops") == 0))
			check_row(s, r, &r->rows[i]);
	check_transition(s, r->own);
	check_transition(s, r->group);
}

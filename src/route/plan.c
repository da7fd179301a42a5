/* plan.c: which routes take an event, and the rows that come of it.
 *
 * A monitor's own notify comes first and ends nothing: routes are asked
 * besides, in order, until one takes the event without continue. A route
 * outside its hours does not take it, unless it defers: then its rows wait for
 * the hours. When only hours kept everybody out, the first route that would
 * have taken it does so with its hours: an alert is not lost to a clock. */
#define OWNS_OFF
#include "route/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* -- making it -------------------------------------------------------------- */

struct route_plan *
route_plan_ref(struct route_plan *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
route_plan_unref(struct route_plan *p)
{
	if (p == NULL ||
	    atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; p->routes != NULL &&
	    i < p->conf->alerts.routes.n; i++) {
		for (size_t k = 0; k < p->routes[i].nhours; k++)
			schedule_clear(&p->routes[i].hours[k]);
		xfree(p->routes[i].hours);
	}
	xfree(p->routes);
	for (size_t i = 0; i < p->channels.n; i++)
		xfree(p->channels.v[i]);
	xfree(p->channels.v);
	xfree(p->ids);
	settings_free(p->conf);
	xfree(p->conf);
	xfree(p);
}

static const struct hours_conf *
hours_of(const struct alerts_conf *a, const char *schedule)
{
	const struct schedule_conf *s = a->schedules.v;

	for (size_t i = 0; i < a->schedules.n; i++)
		if (strcmp(s[i].name, schedule) == 0)
			return &s[i].hours;
	return NULL;
}

static enum err
make_route(const struct alerts_conf *a, const struct route_conf *c,
    struct route *r, struct errinfo *ei)
{
	const struct hours_conf *h;
	enum err e = ERR_OK;

	r->conf = c;
	r->hours = xcalloc(c->schedules.n + 1, sizeof(*r->hours));
	for (size_t i = 0; i < c->schedules.n && e == ERR_OK; i++) {
		h = hours_of(a, c->schedules.v[i]);
		if (h == NULL)
			return fail_at(ei, ERR_INVALID, "schedule", 0,
			    "\"%s\" is not a schedule", c->schedules.v[i]);
		e = schedule_make(h, &r->hours[r->nhours], ei);
		r->nhours += e == ERR_OK;
	}
	if (e == ERR_OK && c->hours.days.n > 0) {
		e = schedule_make(&c->hours, &r->hours[r->nhours], ei);
		r->nhours += e == ERR_OK;
	}
	return e;
}

static int
ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
make_numbers(struct route_plan *p)
{
	const struct alerts_conf *a = &p->conf->alerts;
	int64_t ns;

	p->flap_on = (uint32_t)(a->flap_on * 1000 + 0.5);
	p->flap_off = (uint32_t)(a->flap_off * 1000 + 0.5);
	for (size_t i = 0; i < a->certificate.n && i < CERT_DAYS_MAX; i++)
		if (time_parse_duration(str_of(a->certificate.v[i]), &ns))
			p->cert_s[p->ncert++] = ns / NS_PER_S;
	qsort(p->cert_s, p->ncert, sizeof(*p->cert_s), ascending);
}

enum err
route_plan_make(const struct settings *s, const struct strings *channels,
    struct route_plan **ret, struct errinfo *ei)
{
	struct route_plan *p = xcalloc(1, sizeof(*p));
	const struct alerts_conf *a;
	enum err e = ERR_OK;

	atomic_init(&p->refs, 1);
	p->conf = xcalloc(1, sizeof(*p->conf));
	settings_copy_alerts(s, p->conf);
	a = &p->conf->alerts;
	p->channels.v = xcalloc(channels->n + 1, sizeof(char *));
	p->ids = xcalloc(channels->n + 1, sizeof(*p->ids));
	for (size_t i = 0; i < channels->n; i++) {
		p->ids[i] = alert_channel_id(channels->v[i]);
		p->channels.v[p->channels.n++] = xstrdup(channels->v[i]);
	}
	make_numbers(p);
	p->routes = xcalloc(a->routes.n + 1, sizeof(*p->routes));
	for (size_t i = 0; i < a->routes.n && e == ERR_OK; i++) {
		e = make_route(a, (const struct route_conf *)a->routes.v + i,
		    &p->routes[i], ei);
		if (e != ERR_OK)
			opt_under(ei, "routes[%zu].", i);
	}
	if (e == ERR_OK)
		*ret = p;
	else
		route_plan_unref(p);
	return e;
}

/* -- which routes ----------------------------------------------------------- */

static bool
listed(const struct strings *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return true;
	return words->n == 0;
}

/* Is it for this trouble of this monitor, hours aside? */
static bool
takes(const struct route *r, const struct monitor_conf *c, uint8_t severity,
    const char *word)
{
	return listed(&r->conf->match.severities, severity_names[severity]) &&
	    listed(&r->conf->match.statuses, word) &&
	    route_conf_covers(r->conf, c);
}

/* When r is open: at_us, or later. */
static int64_t
opens(const struct route *r, int64_t at_us)
{
	int64_t first = r->nhours == 0 ? at_us : SPAN_NEVER, next;

	for (size_t i = 0; i < r->nhours; i++) {
		next = schedule_opens(&r->hours[i], at_us);
		first = MIN(first, next);
	}
	return first;
}

int64_t
plan_recovery_us(const struct route_plan *p, const struct monitor_conf *c,
    uint8_t severity, uint8_t status)
{
	int64_t longest_ns = c->recovery_delay_ns;

	if (longest_ns != 0)
		return longest_ns / NS_PER_US;
	for (size_t i = 0; i < p->conf->alerts.routes.n; i++) {
		const struct route *r = &p->routes[i];

		if (!takes(r, c, severity, status_name((enum status)status)))
			continue;
		longest_ns = MAX(longest_ns, r->conf->recovery_delay_ns);
		if (!r->conf->go_on)
			break;
	}
	return longest_ns / NS_PER_US;
}

/* -- rows ------------------------------------------------------------------- */

static bool
told(const struct alerting *a, uint32_t id)
{
	for (unsigned i = 0; a != NULL && i < a->ntold; i++)
		if (a->told[i] == id)
			return true;
	return false;
}

static bool
has_row(const struct telling *t, const char *channel, uint8_t step)
{
	for (size_t i = t->first; i < t->out->n; i++)
		if (t->out->v[i].step == step &&
		    strcmp(t->out->v[i].channel, channel) == 0)
			return true;
	return false;
}

static void
add_tags(const struct strings *tags, char *dst, size_t size)
{
	BUF_AUTO(b, 4096);

	for (size_t i = 0; i < tags->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? "," : "", tags->v[i]);
	(void)text_copy(dst, size, buf_str(&b));
}

static void
fill_event(const struct telling *t, struct alert_event *v)
{
	const struct route_event *e = t->e;
	const struct monitor_conf *c = e->conf;
	BUF_AUTO(target, 2048);

	v->kind = (uint8_t)t->kind;
	v->severity = t->severity;
	v->from = t->from;
	v->to = e->to;
	v->why = e->why;
	v->monitor = c->id;
	v->incident_us = t->told != NULL ? t->told->incident_us : 0;
	v->at_us = e->at_us;
	if (t->kind == ALERT_CERT)
		v->until_us = e->cert_expiry_s * US_PER_S;
	v->latency_us = e->latency_us;
	(void)text_copy(v->path, sizeof(v->path), str_of(c->path));
	(void)text_copy(v->type, sizeof(v->type), str_of(c->kind->name));
	if (!c->hide_target && c->kind->target != NULL)
		c->kind->target(c->own, &target);
	(void)text_copy(v->target, sizeof(v->target), buf_str(&target));
	add_tags(&c->tags, v->tags, sizeof(v->tags));
	(void)text_copy(v->reason, sizeof(v->reason), str_of(e->reason));
}

/* NULL: there are enough. */
static struct outbox_row *
add_row(struct telling *t, const char *channel, uint8_t step,
    int64_t next_us)
{
	struct route_rows *out = t->out;
	struct outbox_row *r;

	if (out->n == ROUTE_ROWS_MAX || has_row(t, channel, step))
		return NULL;
	out->v = xrealloc(out->v, out->n + 1, sizeof(*out->v));
	r = &out->v[out->n++];
	memset(r, 0, sizeof(*r));
	(void)text_copy(r->channel, sizeof(r->channel), str_of(channel));
	r->state = OUTBOX_WAITING;
	r->step = step;
	r->next_us = next_us;
	r->expires_us = next_us + t->plan->conf->alerts.expire_ns / NS_PER_US;
	fill_event(t, &r->event);
	outbox_key(r);
	return r;
}

/* One channel of one route. Who cannot be told of the end is not told of the
 * beginning: beyond TOLD_MAX no row is made. */
static void
tell_one(struct telling *t, const char *channel, uint8_t step,
    int64_t next_us, int64_t remind_ns)
{
	uint32_t id = alert_channel_id(channel);
	bool known = told(t->told, id);
	struct outbox_row *r;

	if (t->told != NULL) {
		/* A later step tells again; at once only who does not know. */
		if (known && step == 0)
			return;
		if (!known && t->told->ntold == TOLD_MAX)
			return;
	}
	r = add_row(t, channel, step, next_us);
	if (r == NULL || t->told == NULL)
		return;
	r->remind_us = remind_ns / NS_PER_US;
	if (!known)
		t->told->told[t->told->ntold++] = id;
}

static void
tell_route(struct telling *t, const struct route *r, int64_t at_us)
{
	const struct route_conf *c = r->conf;
	const struct escalate_conf *s = c->escalate.v;
	int64_t remind_ns = c->remind_ns != 0 ? c->remind_ns :
	    t->plan->conf->alerts.remind_ns;

	for (size_t i = 0; i < c->channels.n; i++)
		tell_one(t, c->channels.v[i], 0, at_us, remind_ns);
	for (size_t k = 0; k < c->escalate.n && t->told != NULL; k++)
		for (size_t i = 0; i < s[k].channels.n; i++)
			tell_one(t, s[k].channels.v[i], (uint8_t)(k + 1),
			    at_us + s[k].after_ns / NS_PER_US,
			    s[k].remind_ns);
}

void
plan_tell(struct telling *t)
{
	const struct route_plan *p = t->plan;
	const struct monitor_conf *c = t->e->conf;
	const struct route *shut = NULL;
	int64_t at_us = t->e->at_us, when;
	bool fresh = t->was_status == STATUS_NMAX, any = c->notify.n > 0;

	for (size_t i = 0; i < c->notify.n; i++)
		tell_one(t, c->notify.v[i], 0, at_us,
		    p->conf->alerts.remind_ns);
	for (size_t i = 0; i < p->conf->alerts.routes.n; i++) {
		const struct route *r = &p->routes[i];

		if (!takes(r, c, t->severity, t->word))
			continue;
		when = opens(r, at_us);
		if (when != at_us && !r->conf->defer) {
			shut = shut != NULL ? shut : r;
			continue;
		}
		any = true;
		/* What it did for the trouble before stands. */
		if (when != SPAN_NEVER && (fresh || !takes(r, c,
		    t->was_severity,
		    status_name((enum status)t->was_status))))
			tell_route(t, r, when);
		if (!r->conf->go_on)
			break;
	}
	if (!any && shut != NULL && fresh && opens(shut, at_us) != SPAN_NEVER)
		tell_route(t, shut, opens(shut, at_us));
}

/* Who had that number. NULL: gone, and nobody can be told there. */
static const char *
name_of(const struct route_plan *p, const struct monitor_conf *c, uint32_t id)
{
	for (size_t i = 0; i < p->channels.n; i++)
		if (p->ids[i] == id)
			return p->channels.v[i];
	/* Newer than the plan. */
	for (size_t i = 0; i < c->notify.n; i++)
		if (alert_channel_id(c->notify.v[i]) == id)
			return c->notify.v[i];
	return NULL;
}

void
plan_tell_told(struct telling *t, int64_t next_us)
{
	const char *name;

	for (unsigned i = 0; i < t->told->ntold; i++) {
		name = name_of(t->plan, t->e->conf, t->told->told[i]);
		if (name != NULL)
			(void)add_row(t, name, 0, next_us);
	}
}

void
route_sight(const struct route_plan *p, int64_t from_us, int64_t until_us,
    struct route_rows *out)
{
	const struct alerts_conf *a = &p->conf->alerts;

	for (size_t i = 0; i < p->channels.n && out->n < ROUTE_ROWS_MAX; i++) {
		struct outbox_row *r;

		if (!listed(&a->self, p->channels.v[i]))
			continue;
		out->v = xrealloc(out->v, out->n + 1, sizeof(*out->v));
		r = &out->v[out->n++];
		*r = (struct outbox_row){.state = OUTBOX_WAITING,
		    .next_us = until_us,
		    .expires_us = until_us + a->expire_ns / NS_PER_US,
		    .event = {.kind = ALERT_SIGHT,
		    .severity = SEVERITY_WARNING, .from = STATUS_UNKNOWN,
		    .to = STATUS_UP, .why = WHY_LOCAL_SIGHT, .at_us = from_us,
		    .until_us = until_us, .latency_us = -1}};
		(void)text_copy(r->channel, sizeof(r->channel),
		    str_of(p->channels.v[i]));
		outbox_key(r);
	}
}

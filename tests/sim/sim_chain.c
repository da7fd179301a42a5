/* sim_chain.c: the outbox as the store has it, and a courier around the real
 * desk. Its bookkeeping goes through the same queue as everything else, and is
 * lost with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/conf.h"
#include "route/route.h"
#include "tests/sim/chain.h"

#define STEP_US (US_PER_S / 2)
#define LOOK_NS (60 * NS_PER_S)

const char *const chain_channels[CHANNELS] = {"ops", "sms", "mail", "boss"};

/* Every monitor tells ops by its own notify. What is told to others, when, and
 * what is kept back: */
static const char conf[] =
    "alerts: {expire: 3h}\n"
    "channels:\n"
    "  - {name: ops, type: ntfy, url: 'http://n', topic: t}\n"
    "  - {name: sms, type: ntfy, url: 'http://n', topic: t}\n"
    "  - {name: mail, type: ntfy, url: 'http://n', topic: t}\n"
    "  - {name: boss, type: ntfy, url: 'http://n', topic: t}\n"
    "routes:\n"
    "  - {match: {tags: [even]}, channels: [mail], hours: {days: mon-fri,\n"
    "     from: '09:00', to: '17:00', zone: Europe/Berlin}, defer: true,\n"
    "     continue: true}\n"
    "  - {channels: [sms], remind: 1h, escalate: [\n"
    "     {after: 10m, channels: [boss]},\n"
    "     {after: 40m, channels: [boss, mail], remind: 2h}]}\n"
    "maintenance:\n"
    "  - {name: weekly, tags: [odd], zone: Europe/Berlin,\n"
    "     days: [sun, wed], from: '01:00', to: '05:00'}\n"
    "  - {name: nightly, tags: [even], cron: '30 3 * * *', duration: 90m}\n"
    "  - {name: soft, tags: [even], days: daily, from: '20:00',\n"
    "     to: '22:00', flexible: true, duration: 30m}\n";

struct kept *
chain_find(const struct chain *c, const char *key)
{
	uint64_t h = map_hash_str(str_of(key));

	for (struct map_node *n = map_first(&c->by_key, h); n != NULL;
	    n = map_next(n)) {
		struct kept *k = CONTAINER(n, struct kept, by_key);

		if (strcmp(k->row.key, key) == 0)
			return k;
	}
	return NULL;
}

uint64_t
chain_hash(const struct alert_event *e, const char *channel)
{
	return map_hash_u64((uint64_t)e->incident_us ^
	    (uint64_t)e->monitor << 40) ^ map_hash_str(str_of(channel));
}

/* -- time -------------------------------------------------------------------- */

static int64_t
wall_us(const struct sim *s)
{
	return (s->w.now_ns + s->w.wall_off_ns) / NS_PER_US;
}

int64_t
chain_now(struct sim *s)
{
	struct chain *c = s->chain;
	int64_t diff = wall_us(s) - s->w.now_ns / NS_PER_US - c->epoch_us;

	c->epoch_us += diff;
	if (diff >= STEP_US || diff <= -STEP_US) {
		c->stepped_ns += (int64_t)llabs(diff) * NS_PER_US;
		desk_step(c->desk, diff);
	}
	return wall_us(s);
}

/* -- what is not to be told now ------------------------------------------------- */

bool
chain_muted(void *arg, uint32_t monitor, int64_t failed_us, int64_t now_us,
    int64_t *ret_until_us, char note[OUTBOX_NOTE])
{
	struct sim *s = arg;
	const struct item *it = sim_item(s, monitor);

	*ret_until_us = 0;
	if (it->conf == NULL)
		return false;
	/* A quarter of them cannot work without the first. */
	if (monitor % 4 == 2 && s->items[0].conf != NULL &&
	    s->items[0].durable.status == STATUS_DOWN) {
		(void)snprintf(note, OUTBOX_NOTE, "its parent is down");
		return true;
	}
	for (size_t i = 0; i < s->chain->nwindows; i++) {
		const struct window *w = s->chain->windows[i];

		if (!window_covers(w, it->conf) ||
		    !window_active(w, now_us, failed_us))
			continue;
		*ret_until_us = window_span_of(w, now_us, failed_us).to_us;
		(void)snprintf(note, OUTBOX_NOTE, "maintenance: %s",
		    window_name(w));
		return true;
	}
	return false;
}

/* -- the courier ------------------------------------------------------------- */

void
chain_book(struct sim *s)
{
	struct alert_unit *u;

	while ((u = desk_unit(s->chain->desk)) != NULL)
		s->sink.put(&s->sink, &u->unit);
}

static void
on_turn(UNUSED struct world *w, struct timer *t)
{
	struct chain *c = CONTAINER(t, struct chain, turn);
	struct sim *s = c->providers[0].sim;
	int64_t now_us = chain_now(s), in_us;
	struct desk_message *m;

	desk_run(c->desk, now_us);
	chain_book(s);
	in_us = desk_next_us(c->desk);
	in_us = in_us == INT64_MAX ? LOOK_NS / NS_PER_US :
	    MAX(in_us - now_us, INT64_C(0));
	timer_set(&s->w.world, t, s->w.now_ns +
	    MIN(in_us * NS_PER_US, LOOK_NS), on_turn);
	while ((m = desk_pop(c->desk)) != NULL)
		provider_deliver(s, m);
	if (s->turns % 16 == 0)
		desk_check(c->desk);
}

void
chain_kick(struct sim *s)
{
	timer_set(&s->w.world, &s->chain->turn, s->w.now_ns, on_turn);
}

/* -- what is committed ------------------------------------------------------- */

static void
insert(struct sim *s, const struct outbox_row *r)
{
	struct chain *c = s->chain;
	struct outbox_row made = *r;
	struct kept *k = chain_find(c, r->key);

	made.known = k != NULL;
	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		k->row = *r;
		k->committed_ns = s->w.now_ns;
		k->stepped_ns = c->stepped_ns;
		if ((c->nrows & (c->nrows - 1)) == 0)
			c->rows = xrealloc(c->rows, MAX(2 * c->nrows,
			    (size_t)1), sizeof(struct kept *));
		c->rows[c->nrows++] = k;
		k->seq = c->nrows;
		map_put(&c->by_key, &k->by_key, map_hash_str(str_of(r->key)));
		map_put(&c->by_incident, &k->by_incident,
		    chain_hash(&r->event, r->channel));
	}
	(void)desk_add(c->desk, &made, false, chain_now(s));
}

static void
mark(struct sim *s, const struct outbox_mark *m)
{
	struct kept *k = chain_find(s->chain, m->key);

	MUST(s, k != NULL);
	MUST(s, !k->over);
	s->chain->held += m->state == OUTBOX_HELD && !k->held;
	k->held = k->held || m->state == OUTBOX_HELD;
	k->over = m->over;
	k->row.state = m->state;
	k->row.attempts = m->attempts;
	k->row.maybe = m->maybe;
	k->row.next_us = m->next_us;
	memcpy(k->row.note, m->note, sizeof(m->note));
}

/* The incident that is open and was told of; 0: none. */
static int64_t
open_incident(const struct chain *c, uint32_t monitor)
{
	int64_t newest = 0;

	for (size_t i = 0; i < c->nrows; i++)
		if (!c->rows[i]->over &&
		    c->rows[i]->row.event.monitor == monitor)
			newest = MAX(newest,
			    c->rows[i]->row.event.incident_us);
	return newest;
}

static void
hold(struct sim *s, const struct hold_change *change)
{
	struct chain *c = s->chain;
	struct hold_change h = *change;
	struct alert_event e = {.monitor = h.monitor};
	struct hold *p;

	h.incident_us = open_incident(c, h.monitor);
	if (h.incident_us == 0)
		return;   /* refused */
	e.incident_us = h.incident_us;
	p = (struct hold *)(uintptr_t)chain_hold_of(c, &e);
	if (p == NULL) {
		c->holds = xrealloc(c->holds, c->nholds + 1, sizeof(*p));
		p = &c->holds[c->nholds++];
		*p = (struct hold){.monitor = h.monitor,
		    .incident_us = h.incident_us};
	}
	if (h.op == HOLD_ACK || h.op == HOLD_UNACK)
		p->acked_us = h.op == HOLD_ACK ? h.at_us : 0;
	else
		p->snoozed_us = h.op == HOLD_SNOOZE ? h.until_us : 0;
	memcpy(p->by, h.by, sizeof(h.by));
	desk_hold_change(c->desk, &h, chain_now(s));
}

static void
remember_health(struct chain *c, const struct channel_health *h)
{
	for (int i = 0; i < CHANNELS; i++)
		if (strcmp(h->channel, chain_channels[i]) == 0)
			c->healths[i] = *h;
}

void
chain_durable(struct sim *s, const struct unit *u)
{
	if (u->kind == UNIT_RESULT) {
		const struct result_unit *r = result_unit_of(u);

		if (r->own != NULL && r->own->has_transition)
			proof_turn(s, &r->own->transition);
		if (r->group != NULL && r->group->has_transition)
			proof_turn(s, &r->group->transition);
		for (size_t i = 0; i < r->nrows; i++)
			insert(s, &r->rows[i]);
	} else if (u->kind == UNIT_ALERT) {
		const struct alert_unit *a = alert_unit_of(u);

		if (a->has_hold)
			hold(s, &a->hold);
		for (size_t i = 0; i < a->nrows; i++)
			insert(s, &a->rows[i]);
		for (size_t i = 0; i < a->nmarks; i++)
			mark(s, &a->marks[i]);
		for (size_t i = 0; i < a->nhealths; i++)
			remember_health(s->chain, &a->healths[i]);
	}
	chain_kick(s);
}

const struct hold *
chain_hold_of(const struct chain *c, const struct alert_event *e)
{
	for (size_t i = 0; i < c->nholds; i++)
		if (c->holds[i].monitor == e->monitor &&
		    c->holds[i].incident_us == e->incident_us)
			return &c->holds[i];
	return NULL;
}

/* -- death and return -------------------------------------------------------- */

/* Sent, and nobody noted it. */
void
chain_lost(struct sim *s, const struct unit *u)
{
	const struct alert_unit *a;

	if (u->kind != UNIT_ALERT)
		return;
	a = alert_unit_of(u);
	for (size_t i = 0; i < a->nmarks; i++) {
		struct kept *k = chain_find(s->chain, a->marks[i].key);

		if (k != NULL)
			k->maybe = true;
	}
}

void
chain_crash(struct sim *s)
{
	struct chain *c = s->chain;

	for (int i = 0; i < CHANNELS; i++)
		provider_crash(&c->providers[i]);
	timer_stop(&s->w.world, &c->turn);
	desk_free(TAKE(c->desk));
}

static void
look_for_gone(struct sim *s)
{
	uint32_t *v = NULL;
	size_t n = desk_monitors(s->chain->desk, &v);

	for (size_t i = 0; i < n; i++)
		if (sim_item(s, v[i])->conf == NULL)
			desk_gone(s->chain->desk, v[i], wall_us(s));
	xfree(v);
}

/* It may have been sent before: nobody knows. A row from the future was made
 * by a clock that was set back since. */
static bool
is_due(const struct outbox_row *r, int64_t now_us)
{
	return r->next_us - MAX(r->event.at_us - now_us, INT64_C(0)) <= now_us;
}

void
chain_boot(struct sim *s)
{
	struct chain *c = s->chain;
	struct desk_mute mute = {chain_muted, s};
	struct desk_channel_conf v[CHANNELS];

	memset(v, 0, sizeof(v));
	for (int i = 0; i < CHANNELS; i++) {
		(void)snprintf(v[i].name, sizeof(v[i].name), "%s",
		    chain_channels[i]);
		v[i].grouped = i != 1;
		v[i].self = i == 0 || i == 2;
		v[i].per_minute = i == 1 ? 6 : 0;
	}
	(void)snprintf(v[0].fallback, sizeof(v[0].fallback), "mail");
	c->desk = desk_new(&c->conf, &mute);
	c->epoch_us = wall_us(s) - s->w.now_ns / NS_PER_US;
	desk_channels(c->desk, v, CHANNELS, wall_us(s));
	for (size_t i = 0; i < c->nrows; i++) {
		struct kept *k = c->rows[i];

		if (k->over)
			continue;
		k->waited = k->waited || (k->row.state == OUTBOX_WAITING &&
		    is_due(&k->row, wall_us(s)));
		(void)desk_add(c->desk, &k->row, true, wall_us(s));
	}
	for (int i = 0; i < CHANNELS; i++)
		if (c->healths[i].channel[0] != '\0')
			desk_health(c->desk, &c->healths[i]);
	for (size_t i = 0; i < c->nholds; i++)
		desk_hold(c->desk, &c->holds[i]);
	look_for_gone(s);
	chain_kick(s);
}

void
chain_gone(struct sim *s, uint32_t monitor)
{
	desk_gone(s->chain->desk, monitor, chain_now(s));
	chain_kick(s);
}

/* -- people -------------------------------------------------------------------- */

void
chain_people(struct sim *s)
{
	struct alert_unit *u = alert_unit_new();
	int64_t now_us = wall_us(s);

	u->has_hold = true;
	u->hold = (struct hold_change){
	    .monitor = 1 + (uint32_t)sim_rnd(s, s->nitems),
	    .op = (uint8_t)sim_rnd(s, HOLD_NMAX), .at_us = now_us,
	    .until_us = now_us + (int64_t)sim_rnd(s, 14400) * US_PER_S,
	    .by = "kate"};
	s->sink.put(&s->sink, &u->unit);
}

/* -- beginning and end ----------------------------------------------------------- */

struct command *
chain_routes(struct sim *s)
{
	struct command *c = command_new(COMMAND_ROUTES, 0);
	struct strings names = {(char **)(uintptr_t)chain_channels, CHANNELS};

	MUST(s, route_plan_make(s->chain->settings, &names, &c->routes, NULL)
	    == ERR_OK);
	c->routes_free = route_plan_unref;
	return c;
}

void
chain_begin(struct sim *s)
{
	struct chain *c = xcalloc(1, sizeof(*c));
	const struct alerts_conf *a;
	struct errinfo ei = {0};

	s->chain = c;
	c->conf = desk_defaults;
	if (document_parse(STR(conf), "sim", check_monitor_kinds, NULL,
	    &c->doc, &ei) != ERR_OK)
		sim_fail(s, "line %u: %s: %s", ei.line, ei.field, ei.text);
	c->settings = &c->doc->settings;
	a = &c->settings->alerts;
	c->windows = xcalloc(a->windows.n, sizeof(struct window *));
	for (; c->nwindows < a->windows.n; c->nwindows++)
		if (window_make((const struct window_conf *)a->windows.v +
		    c->nwindows, &c->windows[c->nwindows], &ei) != ERR_OK)
			sim_fail(s, "%s: %s", ei.field, ei.text);
	for (int i = 0; i < CHANNELS; i++)
		c->providers[i] = (struct provider){.sim = s, .channel = i};
	chain_boot(s);
}

void
chain_free(struct sim *s)
{
	struct chain *c = s->chain;

	if (c == NULL)
		return;
	timer_stop(&s->w.world, &c->turn);
	for (int i = 0; i < CHANNELS; i++)
		timer_stop(&s->w.world, &c->providers[i].answer);
	desk_free(c->desk);
	proof_free(c);
	for (size_t i = 0; i < c->nwindows; i++)
		window_free(c->windows[i]);
	for (size_t i = 0; i < c->nrows; i++)
		xfree(c->rows[i]);
	xfree(c->windows);
	xfree(c->rows);
	xfree(c->holds);
	map_free(&c->by_key);
	map_free(&c->by_incident);
	document_free(c->doc);
	xfree(c);
}

/* sim_proof.c: what must be true of messages, said from outside: from what was
 * committed, and from what providers saw.
 *
 *   - Nothing leaves before its row is committed, nor tells of a trouble
 *     without a committed transition.
 *   - To each provider one OPEN of an incident, and one RESOLVE, after it and
 *     only when it was told; again only what may have been lost on the way.
 *   - Rows that are due at once arrive in the order in which they were
 *     committed.
 *   - What is older than its expiry says that it is late.
 *   - Nothing that a window, a parent or a person holds back is announced.
 *   - In the end nothing is left over, and who was told knows the end. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/chain.h"

#define SLACK_NS (120 * NS_PER_S)   /* grouping, a commit that waits */

static uint64_t
hash(uint32_t monitor, int64_t at_us, int channel)
{
	return map_hash_u64((uint64_t)at_us ^ (uint64_t)monitor << 40 ^
	    (uint64_t)channel << 60);
}

/* -- transitions --------------------------------------------------------------- */

void
proof_turn(struct sim *s, const struct transition *t)
{
	struct turn *p = xcalloc(1, sizeof(*p));

	*p = (struct turn){.monitor = t->monitor, .at_us = t->at_us,
	    .to = t->to};
	map_put(&s->chain->turns, &p->node, hash(t->monitor, t->at_us, 0));
}

static const struct turn *
turn_of(const struct chain *c, uint32_t monitor, int64_t at_us)
{
	uint64_t h = hash(monitor, at_us, 0);

	for (struct map_node *n = map_first(&c->turns, h); n != NULL;
	    n = map_next(n)) {
		const struct turn *t = CONTAINER(n, struct turn, node);

		if (t->monitor == monitor && t->at_us == at_us)
			return t;
	}
	return NULL;
}

static bool
trouble(const struct turn *t)
{
	return t != NULL && (t->to == STATUS_DOWN || t->to == STATUS_LATE ||
	    t->to == STATUS_DEGRADED);
}

/* Everything of one incident, to read. */
static void
tell_all(const struct chain *c, const struct kept *of)
{
	for (size_t i = 0; i < c->nrows; i++) {
		const struct kept *k = c->rows[i];

		if (k->row.event.monitor == of->row.event.monitor &&
		    k->row.event.incident_us == of->row.event.incident_us)
			(void)printf("  %s %s%s%s%s%s arrived %u, %s\n",
			    k->row.key, outbox_state_names[k->row.state],
			    k->over ? ", over" : "", k->held ? ", held" : "",
			    k->maybe ? ", maybe" : "",
			    k->waited ? ", waited" : "", k->arrived,
			    k->row.note);
	}
}

/* -- what leaves ----------------------------------------------------------------- */

static bool
announces(const struct outbox_row *r)
{
	return r->event.kind == ALERT_OPEN || r->event.kind == ALERT_CHANGE ||
	    r->event.kind == ALERT_FLAP || r->event.kind == ALERT_REMIND ||
	    r->event.kind == ALERT_SETTLE;
}

static struct heard *
heard_of(struct chain *c, const struct alert_event *e, int channel)
{
	uint64_t h = hash(e->monitor, e->incident_us, channel + 1);
	struct heard *p;

	for (struct map_node *n = map_first(&c->heard, h); n != NULL;
	    n = map_next(n)) {
		p = CONTAINER(n, struct heard, node);
		if (p->monitor == e->monitor && p->channel == channel &&
		    p->incident_us == e->incident_us)
			return p;
	}
	p = xcalloc(1, sizeof(*p));
	*p = (struct heard){.monitor = e->monitor, .channel = channel,
	    .incident_us = e->incident_us};
	map_put(&c->heard, &p->node, h);
	return p;
}

static void
holds_nothing_back(struct sim *s, const struct outbox_row *r)
{
	const struct hold *h = chain_hold_of(s->chain, &r->event);
	int64_t now_us = chain_now(s), until_us;
	char note[OUTBOX_NOTE];

	if (chain_muted(s, r->event.monitor, r->event.incident_us, now_us,
	    &until_us, note))
		sim_fail(s, "%s leaves: %s", r->key, note);
	if (h == NULL || r->event.kind == ALERT_SETTLE)
		return;
	if (h->snoozed_us > now_us)
		sim_fail(s, "%s leaves and is snoozed", r->key);
	if (h->acked_us != 0 && (r->step > 0 ||
	    r->event.kind == ALERT_REMIND))
		sim_fail(s, "%s leaves and is acknowledged", r->key);
}

/* Escalations and reminders not before their time, on a clock that runs. */
static void
is_not_early(struct sim *s, const struct kept *k, const struct outbox_row *r)
{
	int64_t wait_ns = (k->row.next_us - r->event.at_us) * NS_PER_US;
	int64_t steps = s->chain->stepped_ns - k->stepped_ns;

	if (r->step == 0 && r->event.kind != ALERT_REMIND)
		return;
	if (r->event.kind == ALERT_REMIND)
		wait_ns = r->remind_us * NS_PER_US;
	if (s->w.now_ns < k->committed_ns + wait_ns - steps - SLACK_NS)
		sim_fail(s, "%s leaves %" PRId64 " s early", r->key,
		    (k->committed_ns + wait_ns - s->w.now_ns) / NS_PER_S);
}

void
proof_leaves(struct sim *s, int channel, const struct desk_message *m)
{
	struct outbox_row r;
	bool late, collapsed;

	for (size_t i = 0; i < desk_message_rows(m); i++) {
		const struct kept *k;

		desk_message_row(m, i, &r, &late, &collapsed);
		k = chain_find(s->chain, r.key);
		if (k == NULL)
			sim_fail(s, "%s leaves and is not committed", r.key);
		MUST(s, strcmp(r.channel, chain_channels[channel]) == 0);
		if (r.event.incident_us != 0 && r.event.monitor != 0 &&
		    !trouble(turn_of(s->chain, r.event.monitor,
		    r.event.incident_us)))
			sim_fail(s, "%s leaves, and no transition opened it",
			    r.key);
		if ((r.event.kind == ALERT_OPEN ||
		    r.event.kind == ALERT_CHANGE) && !trouble(turn_of(
		    s->chain, r.event.monitor, r.event.at_us)))
			sim_fail(s, "%s leaves without its transition", r.key);
		if (desk_message_attempt(m) > 1 || !announces(&r))
			continue;
		holds_nothing_back(s, &r);
		is_not_early(s, k, &r);
		if (heard_of(s->chain, &r.event, channel)->resolved &&
		    r.event.kind != ALERT_CHANGE &&
		    r.event.kind != ALERT_FLAP)   /* the same message says */
			sim_fail(s, "%s leaves after its end", r.key);
	}
}

/* -- what arrives ---------------------------------------------------------------- */

static void
is_known_late(struct sim *s, const struct kept *k, const struct outbox_row *r,
    bool late)
{
	int64_t steps = s->chain->stepped_ns - k->stepped_ns;
	int64_t life_ns = (r->expires_us - r->event.at_us) * NS_PER_US;

	if (r->expires_us == 0 || late || r->event.kind == ALERT_REMIND)
		return;
	if (s->w.now_ns > k->committed_ns + life_ns + steps + SLACK_NS)
		sim_fail(s, "%s arrives as new after %" PRId64 " s", r->key,
		    (s->w.now_ns - k->committed_ns) / NS_PER_S);
}

static void
keeps_order(struct sim *s, struct provider *p, const struct kept *k)
{
	const struct outbox_row *r = &k->row;

	if (k->held || k->maybe || k->waited || r->step > 0 ||
	    r->event.kind == ALERT_REMIND || r->event.kind == ALERT_TEST ||
	    r->next_us > r->event.at_us)
		return;
	if (k->seq < p->last_seq)
		sim_fail(s, "%s arrives after what was committed later",
		    r->key);
	p->last_seq = k->seq;
}

/* What goes on from a beginning that is still to be told waits for it; unless
 * another row may have told of it. */
static void
has_begun(struct sim *s, const struct outbox_row *r)
{
	struct chain *c = s->chain;
	const struct kept *first = NULL;
	const struct map_node *n = map_first(&c->by_incident,
	    chain_hash(&r->event, r->channel));

	for (; n != NULL; n = map_next(n)) {
		const struct kept *k = CONTAINER((uintptr_t)n, struct kept,
		    by_incident);

		if (k->row.event.monitor != r->event.monitor ||
		    k->row.event.incident_us != r->event.incident_us ||
		    strcmp(k->row.channel, r->channel) != 0)
			continue;
		if (k->maybe || k->waited)
			return;
		if (k->row.event.kind == ALERT_OPEN && k->arrived == 0 &&
		    outbox_live(k->row.state))
			first = k;
	}
	if (first == NULL)
		return;
	tell_all(c, first);
	sim_fail(s, "%s arrives before %s", r->key, first->row.key);
}

static void
is_in_turn(struct sim *s, struct provider *p, const struct outbox_row *r)
{
	struct heard *h = heard_of(s->chain, &r->event, p->channel);
	bool again = r->event.kind == ALERT_CHANGE &&
	    r->event.from == STATUS_UP;

	if (r->event.kind == ALERT_RESOLVE) {
		if (h->resolved) {
			tell_all(s->chain, chain_find(s->chain, r->key));
			sim_fail(s, "%s is a second end", r->key);
		}
		h->resolved = true;
		s->chain->resolves++;
		return;
	}
	if (h->resolved && !again) {
		tell_all(s->chain, chain_find(s->chain, r->key));
		sim_fail(s, "%s arrives after its end", r->key);
	}
	if (!h->told && (r->event.kind == ALERT_CHANGE ||
	    r->event.kind == ALERT_SETTLE))
		has_begun(s, r);
	h->resolved = false;
	h->told = true;
	if (r->event.kind != ALERT_OPEN)
		return;
	if (r->step == 0 && ++h->opens > 1)
		sim_fail(s, "%s is a second beginning", r->key);
	s->chain->opens += r->step == 0;
	s->chain->escalations += r->step > 0;
}

void
proof_arrives(struct sim *s, struct provider *p, const struct desk_message *m)
{
	struct outbox_row r;
	bool late, collapsed;

	for (size_t i = 0; i < desk_message_rows(m); i++) {
		struct kept *k;

		desk_message_row(m, i, &r, &late, &collapsed);
		k = chain_find(s->chain, r.key);
		MUST(s, k != NULL);
		is_known_late(s, k, &r, late);
		if (k->arrived++ > 0) {
			s->chain->twice++;
			if (!k->maybe && !k->waited)
				sim_fail(s, "%s arrives twice", r.key);
			continue;
		}
		keeps_order(s, p, k);
		k->collapsed = collapsed;
		s->chain->collapsed += collapsed;
		s->chain->reminders += r.event.kind == ALERT_REMIND;
		if (r.event.monitor != 0 && r.event.incident_us != 0)
			is_in_turn(s, p, &r);
	}
}

/* -- in the end ------------------------------------------------------------------ */

/* What a channel was to be told of one incident, and was. */
struct sum {
	bool told, might, resolved, refused, collapsed, expired;
};

static struct sum
sum_of(const struct chain *c, const struct kept *of)
{
	struct sum v = {0};

	for (const struct map_node *n = map_first(&c->by_incident,
	    chain_hash(&of->row.event, of->row.channel)); n != NULL;
	    n = map_next(n)) {
		const struct kept *k = CONTAINER((uintptr_t)n, struct kept,
		    by_incident);
		const struct alert_event *e = &k->row.event;

		if (e->monitor != of->row.event.monitor ||
		    e->incident_us != of->row.event.incident_us ||
		    strcmp(k->row.channel, of->row.channel) != 0)
			continue;
		if (e->kind == ALERT_RESOLVE) {
			v.resolved = v.resolved || k->arrived > 0;
			v.refused = v.refused ||
			    k->row.state == OUTBOX_REFUSED;
			v.expired = v.expired ||
			    k->row.state == OUTBOX_EXPIRED;
			v.collapsed = v.collapsed || k->collapsed;
		} else {
			v.told = v.told || k->arrived > 0;
			v.might = v.might || k->maybe || k->waited;
		}
	}
	return v;
}

/* Why a beginning that was for now did not arrive; NULL: there is no reason. */
static const char *
excuse(const struct kept *k, const struct sum *v)
{
	switch ((enum outbox_state)k->row.state) {
	case OUTBOX_SENT:
	case OUTBOX_REFUSED:
		return "";
	case OUTBOX_COLLAPSED:
		return v->collapsed || v->refused || v->expired || v->told ||
		    k->waited || k->maybe ? "" : NULL;
	case OUTBOX_SUPPRESSED:
		return k->held || k->waited ||
		    k->row.next_us > k->row.event.at_us ? "" : NULL;
	case OUTBOX_WAITING:
	case OUTBOX_HELD:
	case OUTBOX_EXPIRED:
	case OUTBOX_STATE_NMAX:
		break;
	}
	return NULL;
}

static void
end_of(struct sim *s, const struct kept *k)
{
	struct sum v = sum_of(s->chain, k);
	const char *wrong = NULL;

	if (!k->over)
		wrong = "stays behind";
	else if (k->row.event.kind == ALERT_RESOLVE && v.told && !v.resolved &&
	    !v.refused)
		wrong = "was told, and its end was lost";
	else if (k->row.event.kind == ALERT_RESOLVE && v.resolved &&
	    !v.told && !v.might && !v.collapsed)
		wrong = "is an end of what nobody was told of";
	else if (k->row.event.kind == ALERT_OPEN && k->row.step == 0 &&
	    k->arrived == 0 && excuse(k, &v) == NULL)
		wrong = "was never told";
	if (wrong == NULL)
		return;
	tell_all(s->chain, k);
	sim_fail(s, "%s %s", k->row.key, wrong);
}

void
proof_end(struct sim *s)
{
	struct chain *c = s->chain;

	for (size_t i = 0; i < c->nrows; i++)
		end_of(s, c->rows[i]);
	MAP_EACH(n, &c->heard) {
		const struct heard *h = CONTAINER(n, struct heard, node);
		struct kept of = {.row.event = {.monitor = h->monitor,
		    .incident_us = h->incident_us}};
		struct sum v;

		(void)snprintf(of.row.channel, sizeof(of.row.channel), "%s",
		    chain_channels[h->channel]);
		v = sum_of(c, &of);
		if (h->told && !h->resolved && !v.refused) {
			tell_all(c, &of);
			sim_fail(s, "%u.%" PRId64 " was told to %s and never"
			    " ended", h->monitor, h->incident_us,
			    of.row.channel);
		}
	}
	MUST(s, c->opens > 0 && c->resolves > 0);
}

void
proof_free(struct chain *c)
{
	MAP_EACH(n, &c->heard)
		xfree(CONTAINER(n, struct heard, node));
	MAP_EACH(t, &c->turns)
		xfree(CONTAINER(t, struct turn, node));
	map_free(&c->heard);
	map_free(&c->turns);
}

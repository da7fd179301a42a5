/* sim_provider.c: four providers. Each can answer 5xx, 429 with a time to come
 * back, hang, cut the connection, refuse for good, or be away for hours; and
 * what hung or was cut may have been taken all the same. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/chain.h"

#define ILL_MAX_S   7200
#define AWAY_S      (6 * 3600)
#define HANG_NS     (10 * NS_PER_S)
#define BAD_LUCK    3                /* in a hundred, when it is well */

static timer_fn on_answer;

void
provider_deliver(struct sim *s, struct desk_message *m)
{
	const char *name = desk_message_channel(m);
	struct provider *p = s->chain->providers;
	int64_t in_ns;

	while (strcmp(chain_channels[p->channel], name) != 0)
		MUST(s, ++p < s->chain->providers + CHANNELS);
	MUST(s, p->flight == NULL);   /* one at a time */
	proof_leaves(s, p->channel, m);
	p->flight = m;
	p->now_ill = s->w.now_ns < p->ill_until_ns ? p->ill :
	    !s->healed && sim_rnd(s, 100) < BAD_LUCK ?
	    (enum ill)sim_rnd(s, ILL_NMAX) : ILL_NOT;
	in_ns = p->now_ill == ILL_HANGS ? HANG_NS :
	    (int64_t)sim_rnd(s, 3000) * NS_PER_MS;
	timer_set(&s->w.world, &p->answer, s->w.now_ns + in_ns, on_answer);
}

static void
take(struct provider *p)
{
	struct outbox_row r;
	bool late, collapsed;

	desk_message_row(p->flight, 0, &r, &late, &collapsed);
	/* The same bytes again: known by the idempotency key. */
	if (p->seen_made_us == desk_message_made_us(p->flight) &&
	    strcmp(p->seen_key, r.key) == 0)
		return;
	p->seen_made_us = desk_message_made_us(p->flight);
	(void)snprintf(p->seen_key, sizeof(p->seen_key), "%s", r.key);
	p->taken++;
	proof_arrives(p->sim, p, p->flight);
}

/* Nobody will ever know whether it was. */
static void
perhaps(struct provider *p)
{
	struct outbox_row r;
	bool late, collapsed;

	for (size_t i = 0; i < desk_message_rows(p->flight); i++) {
		desk_message_row(p->flight, i, &r, &late, &collapsed);
		chain_find(p->sim->chain, r.key)->maybe = true;
	}
	if (sim_rnd(p->sim, 2) == 0)
		take(p);
}

static void
on_answer(UNUSED struct world *w, struct timer *t)
{
	struct provider *p = CONTAINER(t, struct provider, answer);
	struct sim *s = p->sim;
	struct desk_outcome o = {.result = DELIVERY_AGAIN,
	    .jitter = (uint32_t)sim_rnd(s, UINT32_MAX), .note = "no"};
	struct desk_message *m;

	switch (p->now_ill) {
	case ILL_NOT:
		o.result = DELIVERY_SENT;
		take(p);
		break;
	case ILL_LATER:
		o.after_us = (int64_t)sim_rnd(s, 600) * US_PER_S;
		o.code = 429;
		break;
	case ILL_HANGS:
	case ILL_CUT:
		o.maybe = true;
		perhaps(p);
		break;
	case ILL_REFUSES:
		o.result = DELIVERY_REFUSED;
		o.code = 404;
		break;
	case ILL_5XX:
		o.code = 503;
		break;
	case ILL_AWAY:
	case ILL_NMAX:
		break;
	}
	s->chain->sent += o.result == DELIVERY_SENT;
	s->chain->again += o.result == DELIVERY_AGAIN;
	m = TAKE(p->flight);
	desk_done(s->chain->desk, m, &o, chain_now(s));
	chain_book(s);
	chain_kick(s);
}

/* We die; what was on its way may arrive. */
void
provider_crash(struct provider *p)
{
	timer_stop(&p->sim->w.world, &p->answer);
	if (p->flight != NULL)
		perhaps(p);
	p->flight = NULL;
}

void
provider_trouble(struct sim *s)
{
	struct provider *p = &s->chain->providers[sim_rnd(s, CHANNELS)];

	p->ill = (enum ill)(1 + sim_rnd(s, ILL_NMAX - 1));
	p->ill_until_ns = s->w.now_ns + NS_PER_S * (p->ill == ILL_AWAY ?
	    AWAY_S : p->ill == ILL_REFUSES ? 600 :
	    (int64_t)sim_rnd(s, ILL_MAX_S));
}

void
provider_heal(struct sim *s)
{
	s->healed = true;
	for (int i = 0; i < CHANNELS; i++)
		s->chain->providers[i].ill_until_ns = 0;
}

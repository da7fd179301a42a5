/* sim_store.c: the other side of the sink: a queue, a commit now and then,
 * rows that survive a crash, and acknowledgements after the commit. A restart
 * folds the samples since the last state row, as the store does. */
#include <string.h>

#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "tests/sim/chain.h"

struct pending {
	struct pending *next;
	struct unit *unit;
	uint32_t own, group;          /* ids; 0 none */
	struct model own_model, group_model;
};

/* Somebody who waits: for a heartbeat, or a pause. */
struct waiter {
	struct ack ack;
	struct sim *sim;
	struct item *item;
	uint64_t seq;                 /* of the beat; 0: a pause or resume */
};

static timer_fn on_commit;

static void
sink_put(struct sink *k, struct unit *u)
{
	struct sim *s = CONTAINER(k, struct sim, sink);
	struct pending *p = xcalloc(1, sizeof(*p));

	MUST(s, s->sched != NULL || s->queued == 0 || u->kind == UNIT_EVENT);
	judge_unit(s, u);
	p->unit = u;
	if (u->kind == UNIT_RESULT) {
		struct result_unit *r = CONTAINER(u, struct result_unit, unit);

		p->own = r->has_sample ? r->sample.monitor :
		    r->own != NULL ? r->own->state.monitor : 0;
		p->group = r->group != NULL ? r->group->state.monitor : 0;
		if (p->own != 0)
			p->own_model = sim_item(s, p->own)->live;
		if (p->group != 0)
			p->group_model = sim_item(s, p->group)->live;
	}
	*s->last = p;
	s->last = &p->next;
	s->queued++;
	if (!timer_on(&s->commit))
		timer_set(&s->w.world, &s->commit,
		    MAX(s->w.now_ns + s->commit_delay_ns, s->stalled_until),
		    on_commit);
}

static double
sink_load(struct sink *k)
{
	struct sim *s = CONTAINER(k, struct sim, sink);

	return MIN((double)s->queued / (double)s->queue_max, 1.0);
}

static void
store_part(struct sim *s, const struct result_part *p)
{
	struct item *it;

	if (p == NULL || !p->has_state)
		return;
	it = sim_item(s, p->state.monitor);
	MUST(s, p->state.seq >= it->row.state.seq);
	it->row.has_state = true;
	it->row.state = p->state;
	it->row.n = 0;
}

static void
store_result(struct sim *s, const struct pending *p)
{
	const struct result_unit *r = CONTAINER(p->unit, struct result_unit,
	    unit);
	struct item *it = p->own != 0 ? sim_item(s, p->own) : NULL;

	/* Deleted meanwhile: its tombstone is there first. */
	if (it != NULL && it->conf == NULL)
		it = NULL;
	if (it != NULL && r->has_sample &&
	    (r->own == NULL || !r->own->has_state)) {
		MUST(s, it->row.n < SCHED_SAVE_EVERY);
		it->row.v[it->row.n].seq = r->sample.seq;
		it->row.v[it->row.n].why = (enum why)r->sample.why;
		it->row.v[it->row.n++].at_us = r->sample.at_us;
	}
	if (it != NULL) {
		store_part(s, r->own);
		it->durable = p->own_model;
	}
	if (p->group != 0 && sim_item(s, p->group)->conf != NULL) {
		store_part(s, r->group);
		sim_item(s, p->group)->durable = p->group_model;
	}
}

static void
commit_one(struct sim *s)
{
	struct pending *p = s->first;
	struct ack *a = TAKE(p->unit->ack);

	s->first = p->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->queued--;
	if (p->unit->kind == UNIT_RESULT)
		store_result(s, p);
	if (s->chain != NULL)
		chain_durable(s, p->unit);
	unit_free(p->unit);
	if (a != NULL)
		a->done(a, ERR_OK, NULL);
	xfree(p);
}

void
sim_flush(struct sim *s)
{
	while (s->first != NULL)
		commit_one(s);
	timer_stop(&s->w.world, &s->commit);
}

static void
on_commit(struct world *w, struct timer *t)
{
	struct sim *s = CONTAINER(t, struct sim, commit);

	if (s->w.now_ns < s->stalled_until) {
		timer_set(w, t, s->stalled_until, on_commit);
		return;
	}
	sim_flush(s);
}

void
sim_store_init(struct sim *s)
{
	s->sink = (struct sink){.put = sink_put, .load = sink_load};
	s->last = &s->first;
	s->queue_max = 1000;
	s->commit_delay_ns = 5 * NS_PER_MS;
}

static void
forget(struct sim *s)
{
	while (s->first != NULL) {
		struct pending *p = s->first;

		s->first = p->next;
		if (s->chain != NULL && s->sched == NULL)
			chain_lost(s, p->unit);
		xfree(p->unit->ack != NULL ? CONTAINER(p->unit->ack,
		    struct waiter, ack) : NULL);
		unit_free(p->unit);
		xfree(p);
	}
	s->last = &s->first;
	s->queued = 0;
	timer_stop(&s->w.world, &s->commit);
}

void
sim_store_free(struct sim *s)
{
	forget(s);
}

/* -- death and return ------------------------------------------------------ */

void
sim_crash(struct sim *s)
{
	size_t queued = s->queued;

	if (s->chain != NULL)
		chain_crash(s);
	sched_free(s->sched);
	s->sched = NULL;
	sight_crash(s);
	MUST(s, s->queued == queued);   /* the dying say nothing */
	MUST(s, caps_in_use(s->caps) == 0);
	MUST(s, s->in_flight == 0);
	forget(s);
	s->goes_on = s->pauses;
	for (unsigned i = 0; i < s->nitems; i++) {
		struct item *it = &s->items[i];

		it->running = false;
		it->live = it->durable;
		it->excused_ns = s->w.now_ns;
	}
}

static struct mon_state *
restore(struct sim *s, const struct item *it)
{
	const struct monitor_conf *c = it->conf;
	struct policy p = {.retries = c->retries, .recoveries = c->recoveries,
	    .fail_m = c->fail_m, .fail_n = c->fail_n,
	    .blind_after = STATE_BLIND_AFTER};
	struct mon_state *st = xcalloc(1, sizeof(*st));

	*st = it->row.state;
	for (unsigned i = 0; i < it->row.n; i++) {
		struct verdict v = state_sample(st, &p, it->row.v[i].why,
		    it->row.v[i].seq, it->row.v[i].at_us, it->row.v[i].at_us);

		MUST(s, !v.changed);
	}
	MUST(s, st->seq == it->durable.seq);
	MUST(s, (enum status)st->status == it->durable.status);
	return st;
}

static struct command *
command(struct item *it, enum command_kind k)
{
	struct command *c = command_new(k, it->conf != NULL ? it->conf->id : 0);

	(void)text_copy(c->actor, sizeof(c->actor), STR("sim"));
	return c;
}

void
sim_put(struct sim *s, struct item *it)
{
	struct command *c = command(it, COMMAND_PUT);

	role_is(&shard_role);
	c->conf = monitor_conf_ref(it->conf);
	c->conf_free = monitor_conf_unref;
	sched_command(s->sched, c);
	it->excused_ns = s->w.now_ns;
}

void
sim_boot(struct sim *s)
{
	unsigned from = s->nitems > 0 ? (unsigned)sim_rnd(s, s->nitems) : 0;

	role_is(&shard_role);
	s->w.world.turn_ns = s->w.now_ns;
	memset(&s->stats, 0, sizeof(s->stats));
	s->env.world = &s->w.world;
	s->sched = sched_new(&s->w.world, &s->env, s->caps, 0, &s->sink,
	    &s->stats);
	s->restarted_ns = s->w.now_ns;
	sight_boot(s);
	sched_command(s->sched, s->chain != NULL ? chain_routes(s) :
	    told_routes());
	/* In any order: a group may come after its members. */
	for (unsigned i = 0; i < s->nitems; i++) {
		struct item *it = &s->items[(from + i) % s->nitems];
		struct command *c;

		if (it->conf == NULL)
			continue;
		judge_gap(s, it);
		c = command(it, COMMAND_PUT);
		c->conf = monitor_conf_ref(it->conf);
		c->conf_free = monitor_conf_unref;
		if (it->row.has_state)
			c->state = restore(s, it);
		sched_command(s->sched, c);
		it->excused_ns = s->w.now_ns;
	}
	sched_check(s->sched);
	if (s->chain != NULL)
		chain_boot(s);
}

void
sim_remove(struct sim *s, struct item *it)
{
	struct monitor_conf *c;
	struct command *cmd;

	role_is(&shard_role);
	if (s->sched != NULL)
		sched_kick(s->sched);   /* what it noticed before, it says now */
	if (s->chain != NULL)
		sim_flush(s);
	c = TAKE(it->conf);
	cmd = command_new(COMMAND_REMOVE, c->id);
	timer_stop(&s->w.world, &it->sender);
	if (s->sched != NULL)
		sched_command(s->sched, cmd);
	else
		command_free(cmd);
	MUST(s, !it->running);
	if (s->chain != NULL)
		chain_gone(s, c->id);
	monitor_conf_unref(c);
}

/* -- acknowledged means committed ------------------------------------------ */

static void
on_ack(struct ack *a, enum err e, UNUSED const struct errinfo *ei)
{
	struct waiter *w = CONTAINER(a, struct waiter, ack);
	struct sim *s = w->sim;

	MUST(s, e == ERR_OK);
	s->acks++;
	if (w->item->conf != NULL) {
		struct row *r = &w->item->row;

		MUST(s, r->has_state);
		MUST(s, r->state.seq >= w->seq);
		/* And it is never taken back. */
		MUST(s, w->seq == 0 || w->seq > r->acked_seq);
		if (w->seq != 0)
			r->acked_seq = w->seq;
	}
	xfree(w);
}

static struct ack *
waiter(struct sim *s, struct item *it, uint64_t seq)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->ack.done = on_ack;
	w->sim = s;
	w->item = it;
	w->seq = seq;
	return &w->ack;
}

void
sim_command(struct sim *s, struct item *it, enum command_kind k)
{
	struct command *c = command(it, k);

	role_is(&shard_role);
	c->ack = waiter(s, it, 0);
	it->excused_ns = s->w.now_ns;
	sched_command(s->sched, c);
	for (unsigned i = 0; i < s->nitems; i++)
		if (s->items[i].conf != NULL &&
		    s->items[i].conf->group == it->conf->id)
			s->items[i].excused_ns = s->w.now_ns;
}

void
sim_beat(struct sim *s, struct item *it, bool down)
{
	struct command *c;

	role_is(&shard_role);
	if (s->sched == NULL) {
		it->live.lost++;
		it->durable.lost++;
		return;
	}
	c = command(it, COMMAND_BEAT);
	c->beat_down = down;
	c->beat_us = (s->w.now_ns - it->held_up_ns + s->w.wall_off_ns) /
	    NS_PER_US;
	c->ack = waiter(s, it, it->live.seq + 1);
	sched_command(s->sched, c);
}

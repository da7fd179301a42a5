/* desk.c: what comes in: durable rows, channels, acknowledgements. See
 * desk.h; desk_queue.c lets go, desk_done.c takes the outcome. */
#define OWNS_OFF
#include "alert/desk.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "alert/desk_impl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

const struct desk_conf desk_defaults = {
	.wait_us = 10 * US_PER_S, .wait_max_us = 60 * US_PER_S,
	.late_us = 120 * US_PER_S, .backoff_us = US_PER_S,
	.backoff_max_us = 300 * US_PER_S, .fallback_after = 5,
	.tell_after = 5, .members_max = 5000,
};

struct desk *
desk_new(const struct desk_conf *c, const struct desk_mute *m)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->conf = *c;
	if (m != NULL)
		d->mute = *m;
	list_init(&d->settling);
	list_init(&d->out);
	return d;
}

void
desk_set(struct desk *d, const struct desk_conf *c)
{
	d->conf = *c;
}

static void
message_drop(struct desk_message *m)
{
	if (m == NULL)
		return;
	list_del(&m->out);
	xfree(m->rows);
	xfree(m);
}

void
desk_free(struct desk *d)
{
	struct list *n;
	struct alert_unit *u;

	if (d == NULL)
		return;
	while ((n = list_pop(&d->out)) != NULL) {
		struct desk_message *m = CONTAINER(n, struct desk_message, out);

		if (m->ch->message != m)
			message_drop(m);
	}
	MAP_EACH(r, &d->rows)
		desk_row_free(d, CONTAINER(r, struct desk_row, by_key));
	for (size_t i = 0; i < d->nchannels; i++) {
		message_drop(d->channels[i]->message);
		xfree(d->channels[i]);
	}
	while ((u = desk_unit(d)) != NULL)
		unit_free(&u->unit);
	MAP_EACH(p, &d->made)
		desk_unmake(d, CONTAINER(p, struct desk_made, node)->key);
	map_free(&d->made);
	map_free(&d->rows);
	map_free(&d->incidents);
	heap_free(&d->timers);
	heap_free(&d->dues);
	xfree(d->channels);
	xfree(d->units);
	xfree(d);
}

/* -- channels ---------------------------------------------------------------- */

void
desk_channels(struct desk *d, const struct desk_channel_conf *v, size_t n,
    int64_t now_us)
{
	for (size_t i = 0; i < d->nchannels; i++)
		d->channels[i]->known = false;
	for (size_t i = 0; i < n; i++) {
		struct desk_channel *ch = desk_channel_get(d, v[i].name);

		ch->known = true;
		ch->conf = v[i];
	}
	for (size_t i = 0; i < d->nchannels; i++) {
		struct desk_channel *ch = d->channels[i];

		if (!ch->known) {
			ch->group_us = now_us;
			ch->retry_us = 0;
		}
		desk_arm(d, ch);
	}
}

void
desk_health(struct desk *d, const struct channel_health *h)
{
	desk_channel_get(d, h->channel)->health = *h;
}

/* -- rows ----------------------------------------------------------------------- */

/* It failed again before its recovery was told: neither is said. */
static bool
voided(struct desk *d, struct desk_row *r)
{
	struct desk_row *end;

	if (r->kind != ALERT_CHANGE || r->from != STATUS_UP)
		return false;
	end = desk_resolve_of(r->inc, r->ch);
	if (end == NULL || end->place == PLACE_FLIGHT)
		return false;
	desk_drop(d, end, OUTBOX_SUPPRESSED, "it failed again");
	desk_drop(d, r, OUTBOX_SUPPRESSED, "its recovery was not told either");
	return true;
}

/* Made by the desk for an incident that ended before it was durable. */
static bool
orphan(const struct desk_row *r)
{
	return r->inc->rows.next == r->inc->rows.prev &&
	    (r->kind == ALERT_REMIND || desk_row_instead(r) != NULL);
}

static void
place(struct desk *d, struct desk_row *r, bool loaded, int64_t now_us)
{
	int64_t arrived_us = loaded ? MIN(r->at_us, now_us) : now_us;
	int64_t due_us = r->next_us;

	/* Made by a clock that was set back since: the delay is what counts. */
	if (r->kind != ALERT_REMIND && r->at_us > now_us)
		due_us -= r->at_us - now_us;
	if (r->state == OUTBOX_HELD) {
		r->was_held = true;
		desk_wait(d, r, now_us);
	} else if (due_us > now_us) {
		desk_wait(d, r, due_us);
	} else {
		/* Before a crash it may have left, and nobody noted it. */
		r->maybe = r->maybe || loaded;
		desk_ready(d, r, arrived_us, false);
	}
}

bool
desk_add(struct desk *d, const struct outbox_row *o, bool loaded,
    int64_t now_us)
{
	struct desk_row *r;

	desk_unmake(d, o->key);
	if (o->known || desk_row_find(d, o->key) != NULL)
		return false;
	if (!outbox_live(o->state) && (o->event.monitor == 0 ||
	    o->event.incident_us == 0))
		return false;
	r = desk_row_new(d, o);
	r->maybe = o->maybe;
	if (!outbox_live(o->state))
		return true;
	r->place = PLACE_TIMER;
	r->ch->pending++;
	r->ch->held += r->state == OUTBOX_HELD;
	if (r->inc != NULL && orphan(r)) {
		desk_drop(d, r, OUTBOX_SUPPRESSED, "it was over before");
		return true;
	}
	if (r->inc != NULL && voided(d, r))
		return true;
	place(d, r, loaded, now_us);
	if (r->inc != NULL && !list_linked(&r->inc->settling))
		list_push(&d->settling, &r->inc->settling);
	return true;
}

/* -- acknowledgements ---------------------------------------------------------- */

static struct desk_incident *
newest(struct desk *d, uint32_t monitor)
{
	struct desk_incident *best = NULL;

	MAP_EACH(n, &d->incidents) {
		struct desk_incident *inc = CONTAINER(n, struct desk_incident,
		    node);

		if (inc->monitor == monitor && (best == NULL ||
		    inc->incident_us > best->incident_us))
			best = inc;
	}
	return best;
}

static void
look(struct desk *d, struct desk_incident *inc, int64_t now_us)
{
	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (r->place == PLACE_TIMER && r->state == OUTBOX_HELD)
			desk_wait(d, r, now_us);
	}
}

void
desk_hold(struct desk *d, const struct hold *h)
{
	struct desk_incident *inc = desk_incident_find(d, h->monitor,
	    h->incident_us);

	if (inc == NULL)
		return;
	inc->acked_us = h->acked_us;
	inc->snoozed_us = h->snoozed_us;
	(void)text_copy(inc->by, sizeof(inc->by), str_of(h->by));
}

void
desk_hold_change(struct desk *d, const struct hold_change *c, int64_t now_us)
{
	struct desk_incident *inc = c->incident_us != 0 ?
	    desk_incident_find(d, c->monitor, c->incident_us) :
	    newest(d, c->monitor);

	if (inc == NULL)
		return;
	switch ((enum hold_op)c->op) {
	case HOLD_ACK:
		inc->acked_us = c->at_us;
		break;
	case HOLD_UNACK:
		inc->acked_us = 0;
		break;
	case HOLD_SNOOZE:
		inc->snoozed_us = c->until_us;
		break;
	case HOLD_UNSNOOZE:
		inc->snoozed_us = 0;
		break;
	case HOLD_NMAX:
		return;
	}
	(void)text_copy(inc->by, sizeof(inc->by), str_of(c->by));
	look(d, inc, now_us);
}

void
desk_look(struct desk *d, int64_t now_us)
{
	MAP_EACH(n, &d->incidents)
		look(d, CONTAINER(n, struct desk_incident, node), now_us);
}

/* -- monitors that go ------------------------------------------------------------ */

static void
gone(struct desk *d, struct desk_incident *inc, int64_t now_us)
{
	struct outbox_row o;

	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (!desk_row_opens(r) || desk_resolve_of(inc, r->ch) != NULL)
			continue;
		desk_row_get(r, &o);
		o.event.kind = ALERT_RESOLVE;
		o.event.from = o.event.to;
		o.event.to = STATUS_PAUSED;
		o.event.at_us = now_us;
		o.event.latency_us = -1;
		snprintf(o.event.reason, sizeof(o.event.reason),
		    "the monitor was removed");
		o.state = OUTBOX_WAITING;
		o.step = 0;
		o.attempts = 0;
		o.next_us = now_us;
		o.expires_us = now_us + DESK_DAY_US;
		o.remind_us = 0;
		desk_make(d, &o);
	}
}

void
desk_gone(struct desk *d, uint32_t monitor, int64_t now_us)
{
	MAP_EACH(n, &d->incidents) {
		struct desk_incident *inc = CONTAINER(n, struct desk_incident,
		    node);

		if (inc->monitor == monitor)
			gone(d, inc, now_us);
	}
}

size_t
desk_monitors(const struct desk *d, uint32_t **ret)
{
	uint32_t *v = xcalloc(d->incidents.n + 1, sizeof(*v));
	size_t count = 0;

	MAP_EACH(n, &d->incidents)
		v[count++] = CONTAINER(n, struct desk_incident, node)->monitor;
	*ret = v;
	return count;
}

/* -- looking ---------------------------------------------------------------------- */

void
desk_message_row(const struct desk_message *m, size_t i,
    struct outbox_row *ret, bool *ret_late, bool *ret_collapsed)
{
	const struct desk_row *r = m->rows[i];

	assert(i < m->n);
	desk_row_get(r, ret);
	*ret_collapsed = r->collapsed;
	*ret_late = (r->kind != ALERT_REMIND &&
	    m->made_us - MAX(r->at_us, r->next_us) > m->late_us) ||
	    r->was_held || r->collapsed;
}

void
desk_each(const struct desk *d, void *arg,
    void (*fn)(void *arg, const struct desk_figures *f))
{
	for (size_t i = 0; i < d->nchannels; i++) {
		const struct desk_channel *ch = d->channels[i];
		struct desk_figures f = {.health = &ch->health,
		    .known = ch->known, .pending = ch->pending,
		    .held = ch->held, .retry_us = ch->retry_us,
		    .failed = ch->failed};

		memcpy(f.ended, ch->ended, sizeof(f.ended));
		fn(arg, &f);
	}
}

void
desk_check(const struct desk *d)
{
	uint32_t pending = 0, counted = 0;

	MAP_EACH(n, &d->rows) {
		const struct desk_row *r = CONTAINER(n, struct desk_row,
		    by_key);

		assert(outbox_live(r->state) == (r->place != PLACE_DONE));
		assert((r->place == PLACE_TIMER) == heap_queued(&r->wake));
		assert((r->place == PLACE_READY) == list_linked(&r->queue));
		assert((r->inc != NULL) == list_linked(&r->of_incident));
		pending += r->place != PLACE_DONE;
	}
	for (size_t i = 0; i < d->nchannels; i++) {
		assert(d->channels[i]->held <= d->channels[i]->pending);
		counted += d->channels[i]->pending;
	}
	assert(pending == counted);
}

/* desk_book.c: what the desk has stored: rows as they are now, rows it makes,
 * deliveries, health; and the end of a row. See desk.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "alert/desk_impl.h"
#include "base/mem.h"
#include "base/text.h"

static struct alert_unit *
unit_new(struct desk *d)
{
	if (d->nunits == d->units_cap) {
		d->units_cap = d->units_cap == 0 ? 4 : d->units_cap * 2;
		d->units = xrealloc(d->units, d->units_cap,
		    sizeof(struct alert_unit *));
	}
	d->units[d->nunits] = alert_unit_new();
	return d->units[d->nunits++];
}

static struct alert_unit *
unit(struct desk *d)
{
	return d->nunits > d->units_taken ? d->units[d->nunits - 1] :
	    unit_new(d);
}

/* The last one is full: another. */
#define BOOK(d, add) \
	__extension__({ \
		__typeof__(add(NULL)) p_ = add(unit(d)); \
		p_ != NULL ? p_ : add(unit_new(d)); \
	})

struct delivery *
desk_book_delivery(struct desk *d)
{
	return BOOK(d, alert_unit_delivery);
}

struct channel_health *
desk_book_health(struct desk *d)
{
	return BOOK(d, alert_unit_health);
}

struct alert_unit *
desk_unit(struct desk *d)
{
	struct alert_unit *u;

	if (d->units_taken == d->nunits) {
		d->units_taken = d->nunits = 0;
		return NULL;
	}
	u = d->units[d->units_taken];
	d->units[d->units_taken++] = NULL;
	return u;
}

void
desk_mark(struct desk *d, struct desk_row *r, bool over)
{
	struct outbox_mark *m = BOOK(d, alert_unit_mark);

	snprintf(m->key, sizeof(m->key), "%s", r->words);
	m->state = r->state;
	m->maybe = r->maybe;
	m->over = over;
	m->attempts = r->attempts;
	m->next_us = r->next_us;
	snprintf(m->note, sizeof(m->note), "%s", desk_row_note(r));
}

static struct desk_made *
made_find(struct desk *d, const char *key)
{
	uint64_t h = map_hash_str(str_of(key));

	for (struct map_node *n = map_first(&d->made, h); n != NULL;
	    n = map_next(n)) {
		struct desk_made *m = CONTAINER(n, struct desk_made, node);

		if (strcmp(m->key, key) == 0)
			return m;
	}
	return NULL;
}

void
desk_make(struct desk *d, struct outbox_row *r)
{
	struct desk_made *m;

	outbox_key(r);
	if (desk_row_find(d, r->key) != NULL || made_find(d, r->key) != NULL)
		return;
	m = xcalloc(1, sizeof(*m));
	m->key = xstrdup(r->key);
	map_put(&d->made, &m->node, map_hash_str(str_of(r->key)));
	*BOOK(d, alert_unit_row) = *r;
}

void
desk_unmake(struct desk *d, const char *key)
{
	struct desk_made *m = made_find(d, key);

	if (m == NULL)
		return;
	map_del(&d->made, &m->node);
	xfree(m->key);
	xfree(m);
}

/* -- the end of a row --------------------------------------------------------- */

static void
take_out(struct desk *d, struct desk_row *r)
{
	if (r->place != PLACE_DONE) {
		r->ch->pending--;
		if (r->state == OUTBOX_HELD)
			r->ch->held--;
	}
	list_del(&r->queue);
	heap_del(&d->timers, &r->wake);
	r->place = PLACE_DONE;
}

static void
ended(struct desk *d, struct desk_row *r, enum outbox_state state,
    const char *note)
{
	take_out(d, r);
	r->state = (uint8_t)state;
	if (note != NULL)
		desk_row_set_note(r, note);
	r->ch->ended[state]++;
}

void
desk_drop(struct desk *d, struct desk_row *r, enum outbox_state state,
    const char *note)
{
	ended(d, r, state, note);
	desk_mark(d, r, true);
	desk_row_free(d, r);
}

/* The incident is over for this channel: nothing of it is needed again. */
static void
close_for(struct desk *d, struct desk_incident *inc,
    const struct desk_channel *ch)
{
	inc->pinned = true;
	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (r->ch != ch || r->place == PLACE_FLIGHT)
			continue;
		if (r->place != PLACE_DONE)
			ended(d, r, OUTBOX_SUPPRESSED, "it was over before");
		desk_mark(d, r, true);
		desk_row_free(d, r);
	}
	inc->pinned = false;
	desk_incident_drop(d, inc);
}

/* One told row is enough to know that somebody was told. */
static bool
superfluous(const struct desk_row *r)
{
	if (r->kind == ALERT_REMIND ||
	    (r->kind == ALERT_SETTLE && r->state != OUTBOX_SENT))
		return true;
	LIST_EACH(n, &r->inc->rows) {
		const struct desk_row *o = CONTAINER(n, struct desk_row,
		    of_incident);

		if (o != r && o->ch == r->ch && o->state == OUTBOX_SENT)
			return true;
	}
	return false;
}

void
desk_end(struct desk *d, struct desk_row *r, enum outbox_state state,
    const char *note)
{
	ended(d, r, state, note);
	if (r->inc != NULL && r->kind == ALERT_RESOLVE) {
		close_for(d, r->inc, r->ch);
		return;
	}
	if (r->inc == NULL || (superfluous(r) &&
	    (state == OUTBOX_SENT || r->kind == ALERT_REMIND ||
	    r->kind == ALERT_SETTLE))) {
		desk_mark(d, r, true);
		desk_row_free(d, r);
		return;
	}
	desk_mark(d, r, false);
}

/* -- rows it makes ------------------------------------------------------------ */

void
desk_fall_back(struct desk *d, struct desk_row *r, int64_t now_us)
{
	struct outbox_row o;

	if (r->fell || r->ch->conf.fallback[0] == '\0' || r->kind == ALERT_TEST ||
	    r->kind == ALERT_RESOLVE || r->kind == ALERT_REMIND)
		return;
	/* It is over: what the other was told of it is closed already. */
	if (r->inc != NULL && desk_resolve_of(r->inc, r->ch) != NULL)
		return;
	r->fell = true;
	desk_row_get(r, &o);
	(void)text_copy(o.channel, sizeof(o.channel),
	    str_of(r->ch->conf.fallback));
	o.state = OUTBOX_WAITING;
	o.attempts = 0;
	o.next_us = now_us;
	snprintf(o.note, sizeof(o.note), DESK_INSTEAD "%s", r->ch->conf.name);
	desk_make(d, &o);
}

void
desk_remind(struct desk *d, const struct desk_row *r, int64_t now_us)
{
	struct outbox_row o;

	if (r->remind_us <= 0 || r->inc == NULL ||
	    (!desk_row_opens(r) && r->kind != ALERT_REMIND) ||
	    desk_resolve_of(r->inc, r->ch) != NULL)
		return;
	LIST_EACH(n, &r->inc->rows) {
		const struct desk_row *other = CONTAINER(n, struct desk_row,
		    of_incident);

		if (other != r && other->ch == r->ch &&
		    other->kind == ALERT_REMIND)
			return;
	}
	desk_row_get(r, &o);
	o.event.kind = ALERT_REMIND;
	o.state = OUTBOX_WAITING;
	o.attempts = 0;
	o.next_us = o.event.at_us = now_us + r->remind_us;
	/* One that could not be said in time is void when the next is due. */
	o.expires_us = o.next_us + r->remind_us;
	o.note[0] = '\0';
	desk_make(d, &o);
}

void
desk_tell(struct desk *d, const struct alert_event *e, int64_t now_us,
    int64_t expires_us)
{
	/* The moment is part of the key: no two of ours share one. */
	int64_t at_us = MAX(e->at_us, d->told_us + 1);

	d->told_us = at_us;
	for (size_t i = 0; i < d->nchannels; i++) {
		const struct desk_channel *ch = d->channels[i];
		struct outbox_row o = {.state = OUTBOX_WAITING,
		    .next_us = now_us, .expires_us = expires_us, .event = *e};

		if (!ch->known || !ch->conf.self ||
		    (e->kind == ALERT_CHANNEL &&
		    strcmp(e->path, ch->conf.name) == 0))
			continue;
		o.event.at_us = at_us;
		snprintf(o.channel, sizeof(o.channel), "%s", ch->conf.name);
		desk_make(d, &o);
	}
}

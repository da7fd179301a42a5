/* desk_queue.c: what leaves a channel's queue, and as which message. See
 * desk.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "alert/desk_impl.h"
#include "base/mem.h"
#include "base/time.h"

#define MINUTE_US (60 * US_PER_S)

/* -- when ----------------------------------------------------------------- */

/* The cap is a leaky bucket: a minute's messages may leave at once. */
static int64_t
cap_us(const struct desk_channel *ch)
{
	int64_t each;

	if (ch->conf.per_minute == 0)
		return 0;
	each = MINUTE_US / (int64_t)ch->conf.per_minute;
	return ch->tokens_us - MINUTE_US + each;
}

static void
spend(struct desk_channel *ch, int64_t now_us)
{
	if (ch->conf.per_minute != 0)
		ch->tokens_us = MAX(ch->tokens_us, now_us) +
		    MINUTE_US / (int64_t)ch->conf.per_minute;
}

void
desk_arm(struct desk *d, struct desk_channel *ch)
{
	int64_t at_us;

	heap_del(&d->dues, &ch->due);
	if (ch->flight)
		return;
	if (!list_empty(&ch->tests))
		at_us = 0;
	else if (ch->message != NULL)
		at_us = ch->retry_us;
	else if (!list_empty(&ch->queue))
		at_us = MAX(ch->group_us, ch->retry_us);
	else
		return;
	if (list_empty(&ch->tests) && ch->message == NULL)
		at_us = MAX(at_us, cap_us(ch));
	heap_put(&d->dues, &ch->due, at_us);
}

/* What is nobody else's, and reminders: what was told together is told
 * together again. Steps and delayed ends come due one by one, however many
 * began as one message, so they wait for each other. */
static bool
waits_for_none(const struct desk_row *r)
{
	return r->kind == ALERT_TEST || r->kind == ALERT_CHANNEL ||
	    r->kind == ALERT_STORE || r->kind == ALERT_REMIND;
}

void
desk_ready(struct desk *d, struct desk_row *r, int64_t arrived_us,
    bool at_once)
{
	struct desk_channel *ch = r->ch;
	bool first = list_empty(&ch->queue);

	heap_del(&d->timers, &r->wake);
	r->place = PLACE_READY;
	if (r->kind == ALERT_TEST) {
		list_push(&ch->tests, &r->queue);
	} else {
		list_push(&ch->queue, &r->queue);
		if (first || ch->first_us == 0)
			ch->first_us = arrived_us;
		if (at_once || waits_for_none(r))
			ch->group_us = arrived_us;
		else if (first || ch->group_us > arrived_us)
			ch->group_us = MIN(ch->first_us + d->conf.wait_max_us,
			    arrived_us + d->conf.wait_us);
	}
	desk_arm(d, ch);
}

void
desk_wait(struct desk *d, struct desk_row *r, int64_t at_us)
{
	list_del(&r->queue);
	heap_del(&d->timers, &r->wake);
	r->place = PLACE_TIMER;
	heap_put(&d->timers, &r->wake, at_us);
}

void
desk_step(struct desk *d, int64_t by_us)
{
	heap_shift(&d->timers, by_us);
	heap_shift(&d->dues, by_us);
	for (size_t i = 0; i < d->nchannels; i++) {
		struct desk_channel *ch = d->channels[i];

		ch->first_us += ch->first_us != 0 ? by_us : 0;
		ch->retry_us += ch->retry_us != 0 ? by_us : 0;
		ch->group_us += by_us;
		ch->tokens_us += by_us;
	}
}

/* -- what is to become of a row that is due ---------------------------------- */

/* Kinds that announce; the others end something or are our own. */
static bool
mutable(const struct desk_row *r)
{
	return desk_row_opens(r) || r->kind == ALERT_REMIND ||
	    r->kind == ALERT_CERT || r->kind == ALERT_SETTLE;
}

static bool
by_people(const struct desk_row *r, int64_t now_us, int64_t *until_us,
    char note[OUTBOX_NOTE])
{
	const struct desk_incident *inc = r->inc;
	char until[TIME_TEXT];

	if (inc == NULL || r->kind == ALERT_SETTLE)
		return false;
	if (inc->snoozed_us > now_us) {
		*until_us = inc->snoozed_us;
		snprintf(note, OUTBOX_NOTE, "snoozed until %s by %s",
		    time_format_utc(inc->snoozed_us, until), inc->by);
		return true;
	}
	if (inc->acked_us != 0 && (r->step > 0 || r->kind == ALERT_REMIND)) {
		*until_us = 0;
		snprintf(note, OUTBOX_NOTE, "acknowledged by %s", inc->by);
		return true;
	}
	return false;
}

/* What this channel heard of an incident. */
struct heard {
	bool sent, maybe, collapsed;
};

static struct heard
heard(const struct desk_incident *inc, const struct desk_channel *ch)
{
	struct heard h = {0};

	LIST_EACH(n, &inc->rows) {
		const struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (r->ch != ch || r->kind == ALERT_RESOLVE)
			continue;
		h.sent = h.sent || r->state == OUTBOX_SENT;
		h.maybe = h.maybe || r->maybe;
		h.collapsed = h.collapsed || (desk_row_opens(r) &&
		    r->state == OUTBOX_COLLAPSED);
	}
	return h;
}

static bool
told(const struct desk_incident *inc, const struct desk_channel *ch)
{
	struct heard h = heard(inc, ch);

	return h.sent || h.maybe;
}

/* Does it go on from a beginning that this channel has not heard yet, and will:
 * in its hours, at its step, when nothing holds that back any more? */
static bool
too_soon(const struct desk_row *r, char note[OUTBOX_NOTE])
{
	bool flap = r->kind == ALERT_FLAP;

	if (r->inc == NULL || r->step > 0 || (r->kind != ALERT_CHANGE &&
	    r->kind != ALERT_SETTLE && !flap) || told(r->inc, r->ch))
		return false;
	LIST_EACH(n, &r->inc->rows) {
		const struct desk_row *o = CONTAINER(n, struct desk_row,
		    of_incident);

		/* Ready, it is behind who is at the front; who only becomes
		 * ready will be behind it. Of one moment, none begins. */
		if (o->ch != r->ch || o->at_us == r->at_us ||
		    (o->place != PLACE_TIMER &&
		    (o->place != PLACE_READY || r->place != PLACE_READY)) ||
		    (o->kind != ALERT_OPEN && (flap || o->kind != ALERT_FLAP)))
			continue;
		snprintf(note, OUTBOX_NOTE, "its beginning was not told yet");
		return true;
	}
	return false;
}

static bool
muted(struct desk *d, const struct desk_row *r, int64_t now_us,
    int64_t *until_us, char note[OUTBOX_NOTE])
{
	*until_us = 0;
	if (!mutable(r))
		return false;
	if (by_people(r, now_us, until_us, note) || too_soon(r, note))
		return true;
	return d->mute.muted != NULL && r->monitor != 0 &&
	    d->mute.muted(d->mute.arg, r->monitor, r->incident_us, now_us,
	    until_us, note);
}

/* Nothing else of it is known here: somebody may have been told. */
static bool
alone(const struct desk_row *r)
{
	LIST_EACH(n, &r->inc->rows) {
		const struct desk_row *o = CONTAINER(n, struct desk_row,
		    of_incident);

		if (o->ch == r->ch && o->kind != ALERT_RESOLVE)
			return false;
	}
	return true;
}

static bool
expired(const struct desk_row *r, int64_t now_us)
{
	if (r->expires_us == 0 || now_us < r->expires_us)
		return false;
	if (r->inc == NULL)
		return true;
	if (r->kind == ALERT_RESOLVE)
		return !told(r->inc, r->ch);
	return !desk_row_opens(r);
}

static void
hold(struct desk *d, struct desk_row *r, int64_t now_us, int64_t until_us,
    const char *note)
{
	int64_t look_us = now_us + DESK_LOOK_US;

	if (r->state != OUTBOX_HELD) {
		r->state = OUTBOX_HELD;
		r->was_held = true;
		r->ch->held++;
		desk_row_set_note(r, note);
		desk_mark(d, r, false);
	} else if (strcmp(desk_row_note(r), note) != 0) {
		desk_row_set_note(r, note);
		desk_mark(d, r, false);
	}
	/* What ends a mute early is not always heard: look now and then. */
	desk_wait(d, r, until_us > now_us ? MIN(until_us, look_us) : look_us);
}

static void
release(struct desk *d, struct desk_row *r)
{
	if (r->state != OUTBOX_HELD)
		return;
	r->state = OUTBOX_WAITING;
	r->ch->held--;
	desk_row_set_note(r, "");
	desk_mark(d, r, false);
}

/* True: it goes into the message. Otherwise it was dealt with, and may be
 * gone. */
static bool
sends(struct desk *d, struct desk_row *r, int64_t now_us)
{
	struct desk_row *end = NULL;
	char note[OUTBOX_NOTE];
	int64_t until_us;

	if (!r->ch->known) {
		desk_end(d, r, OUTBOX_SUPPRESSED, "the channel is gone");
		return false;
	}
	if (muted(d, r, now_us, &until_us, note)) {
		hold(d, r, now_us, until_us, note);
		return false;
	}
	if (expired(r, now_us)) {
		desk_fall_back(d, r, now_us);
		if (r->kind == ALERT_REMIND)   /* the next may get out */
			desk_remind(d, r, now_us);
		desk_end(d, r, OUTBOX_EXPIRED, NULL);
		return false;
	}
	if (r->inc == NULL)
		return true;
	if (r->kind == ALERT_RESOLVE) {
		struct heard h = heard(r->inc, r->ch);

		r->collapsed = h.collapsed && !h.sent;
		if (h.sent || h.maybe || h.collapsed || alone(r))
			return true;
		desk_end(d, r, OUTBOX_SUPPRESSED,
		    "it was over before anybody was told");
		return false;
	}
	end = desk_resolve_of(r->inc, r->ch);
	if (end == NULL || end->place == PLACE_TIMER)
		return true;
	desk_end(d, r, OUTBOX_COLLAPSED, "the message that it is over says it");
	return false;
}

/* -- messages ------------------------------------------------------------------ */

static struct desk_message *
message_new(const struct desk *d, struct desk_channel *ch, int64_t now_us)
{
	struct desk_message *m = xcalloc(1, sizeof(*m));

	m->ch = ch;
	m->made_us = now_us;
	m->late_us = d->conf.late_us;
	return m;
}

static void
message_add(struct desk_message *m, struct desk_row *r)
{
	if (m->n < 4 ? m->n == 0 : (m->n & (m->n - 1)) == 0)
		m->rows = xrealloc(m->rows, MAX(m->n * 2, (size_t)4),
		    sizeof(struct desk_row *));
	list_del(&r->queue);
	r->place = PLACE_FLIGHT;
	m->rows[m->n++] = r;
}

static void
send_out(struct desk *d, struct desk_message *m, int64_t now_us)
{
	struct desk_channel *ch = m->ch;

	if (!m->test)
		spend(ch, now_us);
	m->attempt++;
	ch->flight = true;
	list_push(&d->out, &m->out);
}

static struct desk_message *
collect(struct desk *d, struct desk_channel *ch, int64_t now_us)
{
	size_t max = ch->conf.grouped ? d->conf.members_max : 1;
	struct desk_message *m = message_new(d, ch, now_us);

	/* Each row that was looked at is in the queue no more. */
	while (!list_empty(&ch->queue) && m->n < max) {
		struct desk_row *r = CONTAINER(ch->queue.next,
		    struct desk_row, queue);

		if (sends(d, r, now_us))
			message_add(m, r);
	}
	/* What is left over has waited long enough. */
	ch->first_us = list_empty(&ch->queue) ? 0 : now_us;
	ch->group_us = now_us;
	if (m->n > 0)
		return m;
	xfree(m);
	return NULL;
}

static void
turn(struct desk *d, struct desk_channel *ch, int64_t now_us)
{
	assert(!ch->flight);
	if (!list_empty(&ch->tests)) {
		struct desk_row *r = CONTAINER(ch->tests.next,
		    struct desk_row, queue);

		if (sends(d, r, now_us)) {
			struct desk_message *m = message_new(d, ch, now_us);

			m->test = true;
			message_add(m, r);
			send_out(d, m, now_us);
		}
		desk_arm(d, ch);
		return;
	}
	if (ch->message != NULL && !ch->known)
		desk_abandon(d, ch);
	if (ch->message == NULL) {
		ch->message = collect(d, ch, now_us);
		if (ch->message != NULL && ch->attempts > 0)
			ch->message->attempt = ch->attempts;
	}
	if (ch->message != NULL)
		send_out(d, ch->message, now_us);
	desk_arm(d, ch);
}

/* -- turning ---------------------------------------------------------------------- */

static void
wake(struct desk *d, struct desk_row *r, int64_t now_us)
{
	bool held = r->state == OUTBOX_HELD;
	char note[OUTBOX_NOTE];
	int64_t until_us;

	if (held) {
		if (muted(d, r, now_us, &until_us, note)) {
			hold(d, r, now_us, until_us, note);
			return;
		}
		release(d, r);
	}
	desk_ready(d, r, now_us, held);
}

/* Who was told of an incident by way of a fallback hears of its end too. */
static void
settle(struct desk *d, struct desk_incident *inc)
{
	struct desk_row *end = NULL;
	struct outbox_row o;

	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (r->kind == ALERT_RESOLVE && r->place != PLACE_DONE)
			end = r;
	}
	if (end == NULL)
		return;
	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (!desk_row_opens(r) ||
		    desk_resolve_of(inc, r->ch) != NULL)
			continue;
		desk_row_get(end, &o);
		snprintf(o.channel, sizeof(o.channel), "%s",
		    r->ch->conf.name);
		o.note[0] = '\0';
		if (desk_row_instead(r) != NULL)
			snprintf(o.note, sizeof(o.note), DESK_INSTEAD "%s",
			    desk_row_instead(r));
		o.state = OUTBOX_WAITING;
		o.attempts = 0;
		desk_make(d, &o);
	}
}

void
desk_run(struct desk *d, int64_t now_us)
{
	struct heap_node *h;
	struct list *n;

	while ((n = list_pop(&d->settling)) != NULL)
		settle(d, CONTAINER(n, struct desk_incident, settling));
	while ((h = heap_min(&d->timers)) != NULL && h->key <= now_us)
		wake(d, CONTAINER(h, struct desk_row, wake), now_us);
	while ((h = heap_min(&d->dues)) != NULL && h->key <= now_us) {
		struct desk_channel *ch = CONTAINER(h, struct desk_channel,
		    due);

		heap_del(&d->dues, &ch->due);
		turn(d, ch, now_us);
	}
}

int64_t
desk_next_us(const struct desk *d)
{
	struct heap_node *a = heap_min(&d->timers), *b = heap_min(&d->dues);
	int64_t at_us = a != NULL ? a->key : INT64_MAX;

	if (!list_empty(&d->settling))
		return 0;
	return b != NULL ? MIN(at_us, b->key) : at_us;
}

struct desk_message *
desk_pop(struct desk *d)
{
	struct list *n = list_pop(&d->out);

	return n != NULL ? CONTAINER(n, struct desk_message, out) : NULL;
}

/* desk_done.c: the outcome of a delivery. See desk.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "alert/desk_impl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* That a channel fails is news for this long. */
#define TELL_EXPIRES_US DESK_DAY_US

static void
message_free(struct desk_message *m)
{
	list_del(&m->out);
	xfree(m->rows);
	xfree(m);
}

static void
book(struct desk *d, const struct desk_message *m,
    const struct desk_outcome *o, int64_t now_us)
{
	struct delivery *dl = desk_book_delivery(d);

	snprintf(dl->key, sizeof(dl->key), "%s", m->rows[0]->words);
	snprintf(dl->channel, sizeof(dl->channel), "%s", m->ch->conf.name);
	dl->members = (uint32_t)m->n;
	dl->attempt = m->attempt;
	dl->code = o->code;
	dl->result = o->result;
	dl->at_us = now_us;
	dl->took_us = o->took_us;
	snprintf(dl->text, sizeof(dl->text), "%s", o->note);
}

/* Others hear that this one fails, once, and that it works again. */
static void
tell(struct desk *d, struct desk_channel *ch, bool up, int64_t now_us)
{
	struct alert_event e = {.kind = ALERT_CHANNEL,
	    .severity = up ? SEVERITY_INFO : SEVERITY_WARNING,
	    .from = up ? STATUS_DOWN : STATUS_UP,
	    .to = up ? STATUS_UP : STATUS_DOWN, .at_us = now_us,
	    .latency_us = -1};

	ch->health.told = !up;
	snprintf(e.path, sizeof(e.path), "%s", ch->conf.name);
	snprintf(e.type, sizeof(e.type), "channel");
	if (!up)
		snprintf(e.reason, sizeof(e.reason), "%s", ch->health.error);
	desk_tell(d, &e, now_us, now_us + TELL_EXPIRES_US);
}

static void
note_health(struct desk *d, const struct desk_message *m,
    const struct desk_outcome *o, int64_t now_us)
{
	struct desk_channel *ch = m->ch;
	struct channel_health *h = &ch->health;

	if (o->result == DELIVERY_SENT) {
		h->ok_us = now_us;
		h->failures = 0;
		h->failing_since_us = 0;
		if (h->told)
			tell(d, ch, true, now_us);
	} else {
		h->failed_us = now_us;
		(void)text_copy(h->error, sizeof(h->error), str_of(o->note));
		ch->failed++;
		/* A test is somebody looking at it already. */
		if (!m->test) {
			h->failures++;
			if (h->failing_since_us == 0)
				h->failing_since_us = now_us;
			if (!h->told && ch->known && (o->result == DELIVERY_REFUSED ||
			    h->failures >= d->conf.tell_after))
				tell(d, ch, false, now_us);
		}
	}
	*desk_book_health(d) = *h;
}

static int64_t
backoff(const struct desk *d, uint32_t attempt, const struct desk_outcome *o)
{
	int64_t us = d->conf.backoff_us;

	for (uint32_t i = 1; i < attempt && us < d->conf.backoff_max_us; i++)
		us *= 2;
	us = MIN(us, d->conf.backoff_max_us);
	us = us / 2 + (int64_t)((double)us / 2 * (double)o->jitter /
	    (double)UINT32_MAX);
	return MAX(us, o->after_us);
}

static void
sent(struct desk *d, struct desk_message *m, int64_t now_us)
{
	for (size_t i = 0; i < m->n; i++) {
		struct desk_row *r = m->rows[i];

		r->attempts++;
		desk_remind(d, r, now_us);
		desk_end(d, r, OUTBOX_SENT, "");
	}
}

static void
refused(struct desk *d, struct desk_message *m, const struct desk_outcome *o,
    int64_t now_us)
{
	for (size_t i = 0; i < m->n; i++) {
		struct desk_row *r = m->rows[i];

		r->attempts++;
		desk_fall_back(d, r, now_us);
		if (r->kind == ALERT_REMIND)
			desk_remind(d, r, now_us);
		desk_end(d, r, OUTBOX_REFUSED, o->note);
	}
}

/* Not now. What was surely not taken goes back and may be joined by others,
 * or be over by the next time; what may have been taken goes again as it is,
 * so that the provider can know it again. True: the message is kept. */
static bool
again(struct desk *d, struct desk_message *m, const struct desk_outcome *o,
    int64_t now_us)
{
	struct desk_channel *ch = m->ch;
	struct list *first = ch->queue.next;
	bool other = m->attempt >= d->conf.fallback_after;

	ch->attempts = m->attempt;
	ch->retry_us = now_us + backoff(d, m->attempt, o);
	m->part = MAX(m->part, o->part);
	m->frozen = m->frozen || o->maybe || m->part > 0;
	for (size_t i = 0; i < m->n; i++) {
		struct desk_row *r = m->rows[i];

		r->maybe = r->maybe || m->frozen;
		if (other)
			desk_fall_back(d, r, now_us);
		if (r->attempts++ == 0) {
			desk_row_set_note(r, o->note);
			desk_mark(d, r, false);
		}
		if (m->frozen)
			continue;
		list_push(first, &r->queue);
		r->place = PLACE_READY;
	}
	if (ch->first_us == 0)
		ch->first_us = now_us;
	ch->group_us = now_us;
	return m->frozen;
}

void
desk_done(struct desk *d, struct desk_message *m, const struct desk_outcome *o,
    int64_t now_us)
{
	struct desk_channel *ch = m->ch;
	struct desk_outcome what = *o;
	bool kept = false;

	assert(ch->flight);
	assert(m->n > 0);
	ch->flight = false;
	if (m->test && what.result == DELIVERY_AGAIN)
		what.result = DELIVERY_REFUSED;   /* somebody looks: say it */
	note_health(d, m, &what, now_us);
	book(d, m, &what, now_us);
	switch ((enum delivery_result)what.result) {
	case DELIVERY_SENT:
		sent(d, m, now_us);
		ch->attempts = 0;
		ch->retry_us = 0;
		break;
	case DELIVERY_REFUSED:
		refused(d, m, &what, now_us);
		if (!m->test)
			ch->attempts = 0;
		break;
	case DELIVERY_AGAIN:
		kept = again(d, m, &what, now_us);
		break;
	case DELIVERY_NMAX:
		assert(false);
	}
	if (!kept) {
		if (ch->message == m)
			ch->message = NULL;
		message_free(m);
	}
	desk_arm(d, ch);
}

/* Its channel was taken out of the configuration: nobody fails, nobody is
 * told instead. */
void
desk_abandon(struct desk *d, struct desk_channel *ch)
{
	struct desk_message *m = TAKE(ch->message);

	for (size_t i = 0; i < m->n; i++)
		desk_end(d, m->rows[i], OUTBOX_SUPPRESSED,
		    "the channel is gone");
	message_free(m);
}

/* -- for whoever writes and sends it -------------------------------------------- */

const char *
desk_message_channel(const struct desk_message *m)
{
	return m->ch->conf.name;
}

const char *
desk_message_instead(const struct desk_message *m)
{
	return desk_row_instead(m->rows[0]);
}

size_t
desk_message_rows(const struct desk_message *m)
{
	return m->n;
}

int64_t
desk_message_made_us(const struct desk_message *m)
{
	return m->made_us;
}

size_t
desk_message_part(const struct desk_message *m)
{
	return m->part;
}

uint32_t
desk_message_attempt(const struct desk_message *m)
{
	return m->attempt;
}

/* outbox.c: the writer's side; see outbox.h. */
#include "store/outbox.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "world/world.h"

#define PRUNE_EVERY 512   /* deliveries */

enum err
outbox_rows(struct store *s, struct outbox_row *v, size_t n,
    struct errinfo *ei)
{
	BUF_AUTO(text, ALERT_TEXT);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct outbox_row *r = &v[i];
		const struct alert_event *ev = &r->event;
		int64_t changes = 0;

		buf_clear(&text);
		alert_event_text(ev, &text);
		e = s->db->ops->run(s->db, STMT_OUTBOX_PUT, VALS(V_TEXT(r->key),
		    V_TEXT(r->channel), V_INT(r->state), V_INT(r->step),
		    V_INT(r->attempts), V_INT(r->next_us),
		    V_INT(r->expires_us), V_INT(r->remind_us),
		    V_INT(ev->monitor), V_INT(ev->incident_us),
		    V_INT(ev->at_us), V_TEXT(r->note),
		    V_STR(((struct str){text.p, text.n}))), &changes, ei);
		r->known = changes == 0;
		if (changes > 0)
			s->batch->rows[ROW_OUTBOX]++;
	}
	return e;
}

static enum err
put_marks(struct store *s, const struct alert_unit *u, struct errinfo *ei)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < u->nmarks; i++) {
		const struct outbox_mark *m = &u->marks[i];

		e = s->db->ops->run(s->db, STMT_OUTBOX_MARK, VALS(
		    V_TEXT(m->key), V_INT(m->state), V_INT(m->attempts),
		    V_INT(m->next_us), V_TEXT(m->note),
		    V_INT(m->over ? 0 : 1), V_INT(m->maybe)), NULL, ei);
	}
	return e;
}

static enum err
put_deliveries(struct store *s, const struct alert_unit *u,
    struct errinfo *ei)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < u->ndeliveries; i++) {
		const struct delivery *d = &u->deliveries[i];

		e = s->db->ops->run(s->db, STMT_DELIVERY_PUT, VALS(
		    V_TEXT(d->key), V_TEXT(d->channel), V_INT(d->members),
		    V_INT(d->attempt), V_INT(d->code), V_INT(d->result),
		    V_INT(d->at_us), V_INT(d->took_us), V_TEXT(d->text)),
		    NULL, ei);
		if (e == ERR_OK && ++s->deliveries % PRUNE_EVERY == 1)
			e = s->db->ops->run(s->db, STMT_DELIVERY_PRUNE,
			    VALS(V_INT(DELIVERIES_KEPT)), NULL, ei);
	}
	for (size_t i = 0; e == ERR_OK && i < u->nhealths; i++) {
		const struct channel_health *h = &u->healths[i];

		e = s->db->ops->run(s->db, STMT_HEALTH_PUT, VALS(
		    V_TEXT(h->channel), V_INT(h->failures), V_INT(h->told),
		    V_INT(h->failing_since_us), V_INT(h->ok_us),
		    V_INT(h->failed_us), V_TEXT(h->error)), NULL, ei);
	}
	return e;
}

/* -- holds ----------------------------------------------------------------- */

static enum err
get_hold(struct store *s, struct hold *h, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_HOLD_GET;
	enum err e = ops->query(s->db, st, VALS(V_INT(h->monitor),
	    V_INT(h->incident_us)), ei);

	if (e == ERR_OK)
		e = ops->next(s->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	h->acked_us = ops->column_int(s->db, st, 0);
	h->snoozed_us = ops->column_int(s->db, st, 1);
	ops->done(s->db, st);
	return ERR_OK;
}

static void
hold_words(const struct hold_change *c, char *text, size_t size)
{
	char until[TIME_TEXT];

	switch ((enum hold_op)c->op) {
	case HOLD_ACK:
		snprintf(text, size, "acknowledged%s%s",
		    c->note[0] != '\0' ? ": " : "", c->note);
		break;
	case HOLD_UNACK:
		snprintf(text, size, "acknowledgement taken back");
		break;
	case HOLD_SNOOZE:
		(void)time_format_utc(c->until_us, until);
		snprintf(text, size, "snoozed until %s%s%s", until,
		    c->note[0] != '\0' ? ": " : "", c->note);
		break;
	case HOLD_UNSNOOZE:
		snprintf(text, size, "snooze ended");
		break;
	case HOLD_NMAX:
		break;
	}
}

static enum err
store_hold(struct store *s, const struct hold_change *c, const char *path,
    struct errinfo *ei)
{
	struct hold h = {.monitor = c->monitor, .incident_us = c->incident_us};
	struct event ev = {.at_us = c->at_us, .kind = EVENT_ALERT,
	    .monitor = c->monitor};
	enum err e = get_hold(s, &h, ei);

	if (e != ERR_OK)
		return e;
	if (c->op == HOLD_ACK)
		h.acked_us = c->at_us;
	else if (c->op == HOLD_UNACK)
		h.acked_us = 0;
	else
		h.snoozed_us = c->op == HOLD_SNOOZE ? c->until_us : 0;
	e = s->db->ops->run(s->db, STMT_HOLD_PUT, VALS(V_INT(h.monitor),
	    V_INT(h.incident_us), V_INT(h.acked_us), V_INT(h.snoozed_us),
	    V_INT(c->at_us), V_TEXT(c->by), V_TEXT(c->note)), NULL, ei);
	if (e != ERR_OK)
		return e;
	snprintf(ev.actor, sizeof(ev.actor), "%s", c->by);
	(void)text_copy(ev.subject, sizeof(ev.subject), str_of(path));
	hold_words(c, ev.text, sizeof(ev.text));
	return batch_event(s, &ev, ei);
}

/* What nobody can take notice of is refused; *ret_known says which. */
static enum err
put_hold(struct store *s, struct slot *slot, struct hold_change *c,
    bool *ret_known, struct errinfo *ei)
{
	struct entry *en = view_entry(s->view, c->monitor);
	int64_t open_us = c->incident_us;
	enum err e = ERR_OK;

	if (en != NULL && open_us == 0)
		e = backend_int(s->db, STMT_OUTBOX_OPEN,
		    VALS(V_INT(c->monitor)), 0, &open_us, ei);
	if (e != ERR_OK)
		return e;
	*ret_known = en != NULL && open_us != 0;
	if (!*ret_known) {
		slot->ei = xcalloc(1, sizeof(*slot->ei));
		slot->outcome = en == NULL ? fail(slot->ei, ERR_NOT_FOUND,
		    "there is no such monitor") : fail(slot->ei, ERR_CONFLICT,
		    "%s has no open incident that anybody was told of",
		    en->row.conf->path);
		return ERR_OK;
	}
	c->incident_us = open_us;
	return store_hold(s, c, en->row.conf->path, ei);
}

enum err
outbox_put(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct alert_unit *u = CONTAINER(slot->unit, struct alert_unit, unit);
	bool known = true;
	enum err e = ERR_OK;

	if (u->has_hold)
		e = put_hold(s, slot, &u->hold, &known, ei);
	if (e != ERR_OK || !known)
		return e;
	slot->stored = true;
	e = outbox_rows(s, u->rows, u->nrows, ei);
	if (e == ERR_OK)
		e = put_marks(s, u, ei);
	if (e == ERR_OK)
		e = put_deliveries(s, u, ei);
	return e;
}

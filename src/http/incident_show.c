/* incident_show.c: see incident_show.h. */
#include "http/incident_show.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/field.h"
#include "http/history.h"
#include "http/server.h"
#include "http/show.h"
#include "store/outbox.h"

#define TURNS_MAX  500    /* the newest, beside the one that opened it */
#define EVENTS_MAX 500
#define ENTRY_MAX  (64u << 10)   /* of one entry, evidence included */

/* -- one -------------------------------------------------------------------- */

static void
named(struct buf *b, const char *key, struct view *v, uint32_t id,
    const char *then)
{
	struct view_row row;

	field_open(b, key, '{');
	field_u64(b, "id", id);
	if (view_get(v, id, &row) == ERR_OK) {
		field_text(b, "name", row.conf->path);
		view_row_release(&row);
	} else {
		field_word(b, "name", then);   /* deleted since */
	}
	field_next(b, '}');
}

void
incident_members(struct buf *b, struct view *v, const struct incident *i)
{
	char title[INCIDENT_TITLE_TEXT];

	field_u64(b, "id", i->id);
	field_text(b, "kind", i->monitor == 0 ? "manual" : "automatic");
	field_text(b, "title", incident_title(i, title));
	field_text(b, "state", incident_state_names[i->state]);
	field_text(b, "severity", severity_names[i->severity]);
	field_flag(b, "open", i->closed_us == 0);
	field_time(b, "opened", i->opened_us);
	field_time(b, "closed", i->closed_us);
	field_time(b, "changed", i->changed_us);
	if (i->monitor != 0) {
		field_text(b, "worst", status_name((enum status)i->worst));
		field_text(b, "why", why_name((enum why)i->why));
		field_word(b, "reason", i->reason);
	} else {
		field_null(b, "worst");
		field_null(b, "why");
		field_null(b, "reason");
	}
	field_word(b, "cause", i->cause);
	field_word(b, "by", i->by);
	field_open(b, "monitors", '[');
	if (i->monitor != 0)
		named(b, NULL, v, i->monitor, i->name);
	for (uint32_t k = 0; k < i->nmonitors; k++)
		named(b, NULL, v, i->monitors[k], "");
	field_next(b, ']');
	field_u64(b, "version", i->version);
}

void
incident_update_show(struct buf *b, const char *key,
    const struct incident_update *u)
{
	field_open(b, key, '{');
	field_u64(b, "id", u->id);
	field_time(b, "at", u->at_us);
	field_text(b, "state", incident_state_names[u->state]);
	field_flag(b, "changed", u->changed);
	field_flag(b, "public", u->open);
	field_word(b, "by", u->by);
	field_text(b, "text", u->text);
	field_next(b, '}');
}

/* -- all that happened --------------------------------------------------------- */

struct moment {
	int64_t at_us;
	size_t order;        /* of what happened at one moment */
	char *json;          /* owned: an object and a comma */
};
struct line {
	struct req *q;
	const struct incident *i;
	int64_t to_us;       /* nothing after */
	struct moment *v;
	size_t n;
	bool truncated;
};

/* An entry is begun; the caller adds what it says, and line_end takes it. */
static void
line_begin(struct buf *b, const char *kind, int64_t at_us)
{
	b->max = ENTRY_MAX;
	field_open(b, NULL, '{');
	field_time(b, "at", at_us);
	field_text(b, "kind", kind);
}

static void
line_end(struct line *l, struct buf *b, int64_t at_us)
{
	field_next(b, '}');
	if (!buf_ok(b)) {
		l->truncated = true;
		buf_free(b);
		return;
	}
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n] = (struct moment){at_us, l->n, buf_take(b)};
	l->n++;
}

static void
add_turn(struct line *l, const struct stored_transition *t)
{
	struct buf b = {0};

	line_begin(&b, "transition", t->t.at_us);
	field_text(&b, "from", status_name((enum status)t->t.from));
	field_text(&b, "to", status_name((enum status)t->t.to));
	field_text(&b, "why", why_name((enum why)t->t.why));
	field_text(&b, "reason", t->t.reason[0] != '\0' ? t->t.reason :
	    why_text((enum why)t->t.why));
	history_rule(&b, t);
	line_end(l, &b, t->t.at_us);
}

/* The one that opened it first, whatever came since. */
static enum err
turns(struct line *l, struct errinfo *ei)
{
	const struct transition_query tq = {.monitor = l->i->monitor,
	    .from_us = l->i->opened_us + 1, .to_us = l->to_us,
	    .limit = TURNS_MAX};
	struct stored_transition *v = NULL, first = {0};
	size_t n = 0;
	enum err e = query_transition_at(l->q->reader, l->i->monitor,
	    l->i->opened_us, &first, ei);

	if (e == ERR_OK && first.t.at_us == l->i->opened_us)
		add_turn(l, &first);
	xfree(first.evidence);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = query_transitions(l->q->reader, &tq, &v, &n, ei);
	if (e != ERR_OK)
		return e;
	for (size_t k = n; k > 0; k--)
		add_turn(l, &v[k - 1]);
	l->truncated = l->truncated || n == TURNS_MAX;
	stored_transitions_free(v, n);
	return ERR_OK;
}

static enum err
alerts(struct line *l, struct errinfo *ei)
{
	struct outbox_row *v = NULL;
	size_t n = 0;
	enum err e = query_outbox(l->q->reader, l->i->monitor,
	    l->i->incident_us, &v, &n, ei);

	if (e != ERR_OK)
		return e;
	for (size_t k = 0; k < n; k++) {
		const struct outbox_row *r = &v[k];
		struct buf b = {0};

		line_begin(&b, "alert", r->event.at_us);
		field_text(&b, "channel", r->channel);
		field_text(&b, "event", alert_kind_name(
		    (enum alert_kind)r->event.kind));
		field_text(&b, "result", outbox_state_names[r->state]);
		field_u64(&b, "attempts", r->attempts);
		if (outbox_live(r->state))
			field_time(&b, "next", r->next_us);
		field_word(&b, "note", r->note);
		line_end(l, &b, r->event.at_us);
	}
	l->truncated = l->truncated || n == QUERY_OUTBOX_MAX;
	xfree(v);
	return ERR_OK;
}

/* Who took notice of it: acknowledged, snoozed. */
static enum err
notices(struct line *l, struct errinfo *ei)
{
	const struct event_query eq = {.limit = EVENTS_MAX,
	    .kinds = 1u << EVENT_ALERT, .monitor = l->i->monitor,
	    .from_us = l->i->opened_us, .to_us = l->to_us};
	struct event *v = NULL;
	size_t n = 0;
	enum err e = query_events(l->q->reader, &eq, &v, &n, ei);

	for (size_t k = 0; e == ERR_OK && k < n; k++) {
		struct buf b = {0};

		line_begin(&b, "notice", v[k].at_us);
		field_word(&b, "by", v[k].actor);
		field_text(&b, "text", v[k].text);
		line_end(l, &b, v[k].at_us);
	}
	l->truncated = l->truncated || n == EVENTS_MAX;
	xfree(v);
	return e;
}

static enum err
updates(struct line *l, struct errinfo *ei)
{
	struct incident_update *v = NULL;
	size_t n = 0;
	enum err e = query_incident_updates(l->q->reader, l->i->id, false, &v,
	    &n, ei);

	for (size_t k = 0; e == ERR_OK && k < n; k++) {
		struct buf b = {0};

		line_begin(&b, "update", v[k].at_us);
		field_u64(&b, "id", v[k].id);
		field_text(&b, "state", incident_state_names[v[k].state]);
		field_flag(&b, "changed", v[k].changed);
		field_flag(&b, "public", v[k].open);
		field_word(&b, "by", v[k].by);
		field_text(&b, "text", v[k].text);
		line_end(l, &b, v[k].at_us);
	}
	incident_updates_free(v, n);
	return e;
}

static void
mark(struct line *l, const char *kind, int64_t at_us)
{
	struct buf b = {0};

	line_begin(&b, kind, at_us);
	line_end(l, &b, at_us);
}

static int
order(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

enum err
incident_timeline(struct req *q, struct buf *b, const struct incident *i,
    struct errinfo *ei)
{
	struct line l = {.q = q, .i = i, .to_us = i->closed_us != 0 ?
	    i->closed_us + 1 : INT64_MAX};
	enum err e = ERR_OK;

	mark(&l, "opened", i->opened_us);
	if (i->monitor != 0)
		e = turns(&l, ei);
	if (e == ERR_OK && i->monitor != 0)
		e = alerts(&l, ei);
	if (e == ERR_OK && i->monitor != 0)
		e = notices(&l, ei);
	if (e == ERR_OK)
		e = updates(&l, ei);
	if (i->closed_us != 0)
		mark(&l, "closed", i->closed_us);
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), order);
	field_open(b, "timeline", '[');
	for (size_t k = 0; k < l.n; k++) {
		buf_adds(b, l.v[k].json);
		xfree(l.v[k].json);
	}
	xfree(l.v);
	field_next(b, ']');
	field_flag(b, "truncated", l.truncated);
	return e;
}

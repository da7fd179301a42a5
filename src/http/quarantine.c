/* quarantine.c: see quarantine.h. */
#include "http/quarantine.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/field.h"
#include "http/park.h"
#include "http/server.h"
#include "http/show.h"
#include "model/alert_unit.h"
#include "store/quarantine.h"
#include "store/unit_code.h"

#define ITEM_MAX (4u << 20)   /* one, with all that it says */

static const char *const kind_names[UNIT_NMAX] = {
	[UNIT_RESULT] = "result", [UNIT_CONFIG] = "config",
	[UNIT_EVENT] = "event", [UNIT_TOKEN] = "token",
	[UNIT_ALERT] = "alert", [UNIT_QUARANTINE] = "quarantine",
	[UNIT_INCIDENT] = "incident",
};

/* The members of one; the caller opens and closes. */
static void
put_members(struct buf *b, struct view *v, const struct quarantined *q)
{
	struct view_row row;
	char name[sizeof(row.conf->path)] = "";

	if (q->monitor != 0 && view_get(v, q->monitor, &row) == ERR_OK) {
		memcpy(name, row.conf->path, sizeof(name));
		view_row_release(&row);
	}
	field_int(b, "id", q->id);
	field_time(b, "at", q->at_us);
	field_text(b, "kind", q->kind < UNIT_NMAX ? kind_names[q->kind] :
	    "unknown");
	if (q->monitor != 0)
		field_u64(b, "monitor", q->monitor);
	else
		field_null(b, "monitor");
	field_word(b, "name", name);
	field_text(b, "reason", q->reason);
	field_u64(b, "attempts", q->attempts);
	field_u64(b, "bytes", q->size);
}

enum flow
quarantine_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct quarantined *v = NULL;
	uint64_t cursor = 0;
	unsigned limit;
	size_t n = 0;
	enum err e;

	if (!req_arg_page(q, 'q', &limit, &cursor))
		return ANSWERED;
	e = query_quarantine(q->reader, (int64_t)cursor, limit, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++) {
		field_open(&b, NULL, '{');
		put_members(&b, q->h->view, &v[i]);
		field_next(&b, '}');
	}
	req_list_end(&b, 'q', n == limit ? (uint64_t)v[n - 1].id : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* -- what one says --------------------------------------------------------- */
static void
put_part(struct buf *b, const char *key, const struct result_part *p)
{
	const struct transition *t = &p->transition;

	field_open(b, key, '{');
	if (p->has_transition) {
		field_open(b, "transition", '{');
		field_u64(b, "monitor", t->monitor);
		field_u64(b, "seq", t->seq);
		field_time(b, "at", t->at_us);
		field_text(b, "from", status_name((enum status)t->from));
		field_text(b, "to", status_name((enum status)t->to));
		field_text(b, "why", why_name((enum why)t->why));
		field_word(b, "reason", t->reason);
		field_next(b, '}');
	}
	if (p->has_state) {
		field_open(b, "state", '{');
		field_u64(b, "monitor", p->state.monitor);
		field_u64(b, "seq", p->state.seq);
		field_text(b, "status",
		    status_name((enum status)p->state.status));
		field_time(b, "since", p->state.since_us);
		field_next(b, '}');
	}
	field_next(b, '}');
}

static void
put_rows(struct buf *b, const struct outbox_row *v, size_t n)
{
	field_open(b, "alerts", '[');
	for (size_t i = 0; i < n; i++) {
		field_open(b, NULL, '{');
		field_text(b, "key", v[i].key);
		field_text(b, "channel", v[i].channel);
		field_text(b, "kind",
		    alert_kind_name((enum alert_kind)v[i].event.kind));
		field_time(b, "at", v[i].event.at_us);
		field_next(b, '}');
	}
	field_next(b, ']');
}

static void
put_result(struct buf *b, const struct result_unit *r)
{
	if (r->has_sample) {
		field_key(b, "sample");
		show_sample(b, &r->sample);
	}
	if (r->own != NULL)
		put_part(b, "own", r->own);
	if (r->group != NULL)
		put_part(b, "group", r->group);
	field_word(b, "actor", r->actor);
	field_text(b, "evidence", r->evidence);
	put_rows(b, r->rows, r->nrows);
}

static void
put_alert(struct buf *b, const struct alert_unit *a)
{
	put_rows(b, a->rows, a->nrows);
	field_open(b, "states", '[');
	for (size_t i = 0; i < a->nmarks; i++) {
		field_open(b, NULL, '{');
		field_text(b, "key", a->marks[i].key);
		field_text(b, "state",
		    outbox_state_names[a->marks[i].state]);
		field_u64(b, "attempts", a->marks[i].attempts);
		field_next(b, '}');
	}
	field_next(b, ']');
	field_open(b, "deliveries", '[');
	for (size_t i = 0; i < a->ndeliveries; i++) {
		field_open(b, NULL, '{');
		field_text(b, "channel", a->deliveries[i].channel);
		field_time(b, "at", a->deliveries[i].at_us);
		field_text(b, "result",
		    delivery_result_names[a->deliveries[i].result]);
		field_word(b, "text", a->deliveries[i].text);
		field_next(b, '}');
	}
	field_next(b, ']');
}

static void
put_unit(struct buf *b, struct unit *u)
{
	field_open(b, "unit", '{');
	if (u->kind == UNIT_RESULT) {
		put_result(b, CONTAINER(u, struct result_unit, unit));
	} else if (u->kind == UNIT_EVENT) {
		field_key(b, "event");
		show_event(b, &CONTAINER(u, struct event_unit, unit)->event);
	} else if (u->kind == UNIT_ALERT) {
		put_alert(b, CONTAINER(u, struct alert_unit, unit));
	}
	field_next(b, '}');
	unit_free(u);
}

static void
put_hex(struct buf *b, struct str bytes, const char *why)
{
	size_t size = 2 * bytes.n + 1;
	char *hex = xcalloc(size, 1);

	text_hex(hex, size, (const unsigned char *)bytes.p, bytes.n);
	field_null(b, "unit");
	field_text(b, "undecodable", why);
	field_text(b, "hex", hex);
	xfree(hex);
}

/* One that ended the process when it was looked into is not looked into. */
static bool
dangerous(const struct quarantined *v)
{
	return strstr(v->reason, "the daemon ended") != NULL;
}

enum flow
quarantine_show(struct req *q)
{
	BUF_AUTO(b, ITEM_MAX);
	struct errinfo ei = {0};
	struct quarantined v;
	struct unit *u = NULL;
	enum err e = query_quarantined(q->reader, q->id, &v, &ei);

	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	put_members(&b, q->h->view, &v);
	if (dangerous(&v))
		put_hex(&b, v.bytes, "it is not looked into: the daemon ended"
		    " three times when it was");
	else if (unit_code_get(v.bytes, &u, &ei) == ERR_OK)
		put_unit(&b, u);
	else
		put_hex(&b, v.bytes, ei.text);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	xfree((char *)(uintptr_t)v.bytes.p);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* -- changing ---------------------------------------------------------------- */
static void
done(struct req *q)
{
	BUF_AUTO(b, 1024);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_addc(&b, '{');
	field_int(&b, "id", q->sick->id);
	field_text(&b, "done", q->sick->op == QUARANTINE_DROP ? "dropped" :
	    "stored");
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
}

static enum flow
send_unit(struct req *q, enum quarantine_op op)
{
	struct quarantine_unit *u = quarantine_unit_new(op);

	q->sick = u;
	q->after = done;
	u->id = q->id;
	(void)text_copy(u->actor, sizeof(u->actor), str_of(q->actor));
	(void)!park_unit(q, &u->unit);   /* it is q's, and goes with it */
	return WAITING;
}

enum flow
quarantine_retried(struct req *q)
{
	return send_unit(q, QUARANTINE_RETRY);
}

enum flow
quarantine_dropped(struct req *q)
{
	return send_unit(q, QUARANTINE_DROP);
}

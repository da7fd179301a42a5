/* history.c: see history.h. */
#include "http/history.h"

#include <jansson.h>

#include "base/mem.h"
#include "base/time.h"
#include "http/field.h"
#include "http/server.h"
#include "http/show.h"
#include "world/world.h"

#define EXPLAIN_SAMPLES 12   /* up to the transition, and up to now */

bool
history_known(struct req *q)
{
	struct view_row row;

	if (view_get(q->h->view, q->id, &row) == ERR_OK) {
		view_row_release(&row);
		return true;
	}
	answer_problem(&q->out, 404, NULL,
	    "there is no monitor with the id %u", q->id);
	return false;
}

bool
history_window(struct req *q, int64_t *from, int64_t *to)
{
	if (!req_arg_time(q, "from", from) || !req_arg_time(q, "to", to))
		return false;
	if (*from < *to)
		return true;
	answer_problem(&q->out, 400, "from", "from is not before to");
	return false;
}

enum flow
history_samples(struct req *q)
{
	struct sample_query sq = {.monitor = q->id, .to_us = INT64_MAX};
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct sample *v = NULL;
	size_t n = 0;
	unsigned limit;
	uint64_t journaled;
	enum err e;

	if (!history_known(q) || !history_window(q, &sq.from_us, &sq.to_us) ||
	    !req_arg_page(q, 's', &limit, &sq.before_seq))
		return ANSWERED;
	sq.limit = limit;
	journaled = query_journaled(q->reader, q->id);
	e = query_samples(q->reader, &sq, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	/* Newer ones that are durable and cannot be listed yet. */
	field_u64(&b, "journaled", journaled);
	field_open(&b, "items", '[');
	for (size_t i = 0; i < n; i++)
		show_sample(&b, &v[i]);
	/* A full page may have been the last: then the next one is empty. */
	req_list_end(&b, 's', n == limit && v[n - 1].seq > 1 ?
	    v[n - 1].seq : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

static enum flow
history_transitions(struct req *q, uint32_t monitor)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct stored_transition *v = NULL;
	struct transition_query tq = {.monitor = monitor,
	    .to_us = INT64_MAX};
	size_t n = 0;
	enum err e;

	if (!history_window(q, &tq.from_us, &tq.to_us) ||
	    !req_arg_page(q, 't', &tq.limit, &tq.before_id))
		return ANSWERED;
	e = query_transitions(q->reader, &tq, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++)
		show_transition(&b, NULL, q->h->view, &v[i]);
	req_list_end(&b, 't', n == tq.limit ? v[n - 1].id : 0);
	stored_transitions_free(v, n);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

enum flow
history_of_monitor(struct req *q)
{
	return history_known(q) ? history_transitions(q, q->id) : ANSWERED;
}

enum flow
history_of_all(struct req *q)
{
	return history_transitions(q, 0);
}

/* -- explain ------------------------------------------------------------ */

/* Samples with a lower seq than before, or before a time; oldest first. */
static enum err
history_some(struct req *q, struct buf *b, const char *key,
    const struct sample_query *sq, struct errinfo *ei)
{
	struct sample *v = NULL;
	size_t n = 0;
	enum err e = query_samples(q->reader, sq, &v, &n, ei);

	if (e != ERR_OK)
		return e;
	field_open(b, key, '[');
	for (size_t i = n; i > 0; i--)
		show_sample(b, &v[i - 1]);
	field_next(b, ']');
	xfree(v);
	return ERR_OK;
}

void
history_rule(struct buf *b, const struct stored_transition *t)
{
	json_t *x = t->t.explain[0] != '\0' ?
	    json_loads(t->t.explain, 0, NULL) : NULL;
	json_t *ev = t->evidence != NULL ?
	    json_loads(t->evidence, JSON_DECODE_ANY, NULL) : NULL;

	field_json(b, "rule", json_object_get(x, "rule"));
	field_json(b, "votes", json_object_get(x, "votes"));
	field_json(b, "evidence", ev);
	json_decref(x);
	json_decref(ev);
}

static enum err
history_explained(struct req *q, struct buf *b, int64_t at,
    const struct stored_transition *t, struct errinfo *ei)
{
	struct sample_query sq = {.monitor = q->id, .to_us = at + 1,
	    .limit = EXPLAIN_SAMPLES};
	enum err e;

	/* Those that led to it, the deciding one included. */
	if (t->t.seq != 0)
		sq.before_seq = t->t.seq + 1;
	else
		sq.to_us = t->t.at_us + 1;
	e = history_some(q, b, "samples", &sq, ei);
	if (e != ERR_OK)
		return e;
	sq.before_seq = 0;
	sq.to_us = at + 1;
	return history_some(q, b, "latest", &sq, ei);
}

static enum flow
history_never(struct req *q, struct buf *b)
{
	field_null(b, "transition");
	field_text(b, "rule", "nothing was judged yet at that time");
	field_open(b, "votes", '[');
	field_next(b, ']');
	field_null(b, "evidence");
	field_open(b, "samples", '[');
	field_next(b, ']');
	field_open(b, "latest", '[');
	field_close(b, ']');
	buf_add(b, STR("}\n"));
	answer_take(&q->out, 200, answer_json, b);
	return ANSWERED;
}

enum flow
history_explain(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct stored_transition t = {0};
	struct view_row row;
	int64_t at = clock_wall_us();
	enum err e;

	if (!req_arg_time(q, "at", &at) || !history_known(q))
		return ANSWERED;
	e = query_transition_at(q->reader, q->id, at, &t, &ei);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	field_u64(&b, "monitor", q->id);
	if (view_get(q->h->view, q->id, &row) == ERR_OK) {
		field_text(&b, "name", row.conf->path);
		view_row_release(&row);
	}
	field_time(&b, "at", at);
	if (e == ERR_NOT_FOUND)
		return history_never(q, &b);
	field_text(&b, "status", status_name((enum status)t.t.to));
	field_time(&b, "since", t.t.at_us);
	field_text(&b, "why", why_name((enum why)t.t.why));
	field_text(&b, "reason", t.t.reason[0] != '\0' ? t.t.reason :
	    why_text((enum why)t.t.why));
	show_transition(&b, "transition", q->h->view, &t);
	history_rule(&b, &t);
	e = history_explained(q, &b, at, &t, &ei);
	xfree(t.evidence);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* outbox_query.c: the questions; see outbox.h. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/outbox.h"
#include "store/readers.h"

static int64_t
num(struct backend *b, enum stmt st, int col)
{
	return b->ops->column_int(b, st, col);
}

static void
words(struct backend *b, enum stmt st, int col, char *dst, size_t size)
{
	(void)text_copy(dst, size, b->ops->column_str(b, st, col));
}

/* False: it cannot be read; that is told, and the others are not lost. */
static bool
get_row(struct backend *b, enum stmt st, struct outbox_row *r)
{
	*r = (struct outbox_row){0};
	words(b, st, 0, r->key, sizeof(r->key));
	words(b, st, 1, r->channel, sizeof(r->channel));
	r->state = (uint8_t)num(b, st, 2);
	r->step = (uint8_t)num(b, st, 3);
	r->attempts = (uint32_t)num(b, st, 4);
	r->next_us = num(b, st, 5);
	r->expires_us = num(b, st, 6);
	r->remind_us = num(b, st, 7);
	words(b, st, 8, r->note, sizeof(r->note));
	r->maybe = num(b, st, 10) != 0;
	if (r->state < OUTBOX_STATE_NMAX &&
	    alert_event_parse(b->ops->column_str(b, st, 9), &r->event))
		return true;
	log_error("store", "an alert cannot be read back",
	    KV("key", &r->key[0]));
	return false;
}

static enum err
ended(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
load_rows(struct backend *b, const struct outbox_reader *to,
    struct errinfo *ei)
{
	enum err e = b->ops->query(b, STMT_OUTBOX_LOAD, NULL, 0, ei);
	struct outbox_row r;

	while (e == ERR_OK &&
	    (e = b->ops->next(b, STMT_OUTBOX_LOAD, ei)) == ERR_OK)
		if (get_row(b, STMT_OUTBOX_LOAD, &r))
			to->row(to->arg, &r);
	return ended(e);
}

static enum err
load_healths(struct backend *b, const struct outbox_reader *to,
    struct errinfo *ei)
{
	const enum stmt st = STMT_HEALTH_LOAD;
	enum err e = b->ops->query(b, st, NULL, 0, ei);

	while (e == ERR_OK && (e = b->ops->next(b, st, ei)) == ERR_OK) {
		struct channel_health h = {0};

		words(b, st, 0, h.channel, sizeof(h.channel));
		h.failures = (uint32_t)num(b, st, 1);
		h.told = num(b, st, 2) != 0;
		h.failing_since_us = num(b, st, 3);
		h.ok_us = num(b, st, 4);
		h.failed_us = num(b, st, 5);
		words(b, st, 6, h.error, sizeof(h.error));
		to->health(to->arg, &h);
	}
	return ended(e);
}

static enum err
load_holds(struct backend *b, const struct outbox_reader *to, int64_t since_us,
    struct errinfo *ei)
{
	const enum stmt st = STMT_HOLD_LOAD;
	enum err e = b->ops->query(b, st, VALS(V_INT(since_us)), ei);

	while (e == ERR_OK && (e = b->ops->next(b, st, ei)) == ERR_OK) {
		struct hold h = {.monitor = (uint32_t)num(b, st, 0),
		    .incident_us = num(b, st, 1), .acked_us = num(b, st, 2),
		    .snoozed_us = num(b, st, 3)};

		words(b, st, 4, h.by, sizeof(h.by));
		words(b, st, 5, h.note, sizeof(h.note));
		to->hold(to->arg, &h);
	}
	return ended(e);
}

enum err
outbox_load(struct store *s, const struct outbox_reader *to,
    struct errinfo *ei)
{
	struct backend_conf c = {.path = s->conf.path, .vfs = s->conf.vfs,
	    .memory = s->conf.memory, .reader = true};
	struct backend *b = NULL;
	enum err e = sqlite_ops.open(&c, &b, ei);

	if (e != ERR_OK)
		return e;
	e = b->ops->begin(b, false, ei);
	if (e == ERR_OK)
		e = load_holds(b, to, s->opened_us - HOLDS_SINCE_US, ei);
	if (e == ERR_OK)
		e = load_healths(b, to, ei);
	if (e == ERR_OK)
		e = load_rows(b, to, ei);
	(void)b->ops->rollback(b, NULL);
	b->ops->close(b);
	return e;
}

enum err
query_deliveries(struct reader *r, const struct delivery_query *q,
    struct stored_delivery **ret, size_t *ret_n, struct errinfo *ei)
{
	const enum stmt st = STMT_DELIVERY_LIST;
	struct backend *b = r->db;
	struct stored_delivery *v = xcalloc(q->limit, sizeof(*v));
	size_t n = 0;
	enum err e = b->ops->query(b, st, VALS(V_TEXT(q->channel),
	    V_INT(q->before_id != 0 ? q->before_id : INT64_MAX),
	    V_INT(q->limit)), ei);

	while (e == ERR_OK && n < q->limit &&
	    (e = b->ops->next(b, st, ei)) == ERR_OK) {
		struct delivery *d = &v[n].d;

		v[n++].id = (uint64_t)num(b, st, 0);
		words(b, st, 1, d->key, sizeof(d->key));
		words(b, st, 2, d->channel, sizeof(d->channel));
		d->members = (uint32_t)num(b, st, 3);
		d->attempt = (uint32_t)num(b, st, 4);
		d->code = (uint16_t)num(b, st, 5);
		d->result = (uint8_t)MIN(num(b, st, 6), DELIVERY_NMAX - 1);
		d->at_us = num(b, st, 7);
		d->took_us = num(b, st, 8);
		words(b, st, 9, d->text, sizeof(d->text));
	}
	if (e == ERR_OK)
		b->ops->done(b, st);
	if (ended(e) != ERR_OK) {
		xfree(v);
		return e;
	}
	*ret = v;
	*ret_n = n;
	return ERR_OK;
}

enum err
query_outbox(struct reader *r, uint32_t monitor, int64_t incident_us,
    struct outbox_row **ret, size_t *ret_n, struct errinfo *ei)
{
	const enum stmt st = STMT_OUTBOX_OF;
	struct backend *b = r->db;
	struct outbox_row *v = NULL, one;
	size_t n = 0, cap = 0;
	enum err e = b->ops->query(b, st, VALS(V_INT(monitor),
	    V_INT(incident_us)), ei);

	while (e == ERR_OK && n < QUERY_OUTBOX_MAX &&
	    (e = b->ops->next(b, st, ei)) == ERR_OK) {
		if (!get_row(b, st, &one))
			continue;
		if (n == cap) {
			cap = cap == 0 ? 8 : cap * 2;
			v = xrealloc(v, cap, sizeof(*v));
		}
		v[n++] = one;
	}
	if (e == ERR_OK)
		b->ops->done(b, st);
	if (ended(e) != ERR_OK) {
		xfree(v);
		return e;
	}
	*ret = v;
	*ret_n = n;
	return ERR_OK;
}

enum err
query_outbox_row(struct reader *r, const char *key, struct outbox_mark *ret,
    struct errinfo *ei)
{
	const enum stmt st = STMT_OUTBOX_GET;
	struct backend *b = r->db;
	enum err e = b->ops->query(b, st, VALS(V_TEXT(key)), ei);

	if (e == ERR_OK)
		e = b->ops->next(b, st, ei);
	if (e != ERR_OK)
		return e;
	*ret = (struct outbox_mark){.state = (uint8_t)num(b, st, 0),
	    .attempts = (uint32_t)num(b, st, 1), .next_us = num(b, st, 2)};
	(void)text_copy(ret->key, sizeof(ret->key), str_of(key));
	words(b, st, 3, ret->note, sizeof(ret->note));
	b->ops->done(b, st);
	return ERR_OK;
}

enum err
query_hold(struct reader *r, uint32_t monitor, int64_t incident_us,
    struct hold *ret, struct errinfo *ei)
{
	const enum stmt st = STMT_HOLD_GET;
	struct backend *b = r->db;
	enum err e = b->ops->query(b, st, VALS(V_INT(monitor),
	    V_INT(incident_us)), ei);

	if (e == ERR_OK)
		e = b->ops->next(b, st, ei);
	if (e != ERR_OK)
		return e;
	*ret = (struct hold){.monitor = monitor, .incident_us = incident_us,
	    .acked_us = num(b, st, 0), .snoozed_us = num(b, st, 1)};
	words(b, st, 2, ret->by, sizeof(ret->by));
	words(b, st, 3, ret->note, sizeof(ret->note));
	b->ops->done(b, st);
	return ERR_OK;
}

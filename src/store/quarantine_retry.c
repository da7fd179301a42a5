/* quarantine_retry.c: a unit of the quarantine once more, by the same ways as
 * a new one; and reading what is there. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/chunk.h"
#include "store/incident.h"
#include "store/quarantine_files.h"
#include "store/readers.h"
#include "store/unit_code.h"
#include "world/world.h"

static void
unit_gone(struct unit *u)
{
	(void)u;   /* its waiter's */
}

struct quarantine_unit *
quarantine_unit_new(enum quarantine_op op)
{
	struct quarantine_unit *u = xcalloc(1, sizeof(*u));

	u->unit.kind = UNIT_QUARANTINE;
	u->unit.bytes = sizeof(*u);
	u->unit.urgent = true;
	u->unit.free = unit_gone;
	u->op = op;
	return u;
}

void
quarantine_unit_free(struct quarantine_unit *u)
{
	xfree(u);
}

void
unit_free_alone(struct unit *u)
{
	if (u->kind == UNIT_CONFIG)
		config_unit_free(CONTAINER(u, struct config_unit, unit));
	else if (u->kind == UNIT_TOKEN)
		token_unit_free(CONTAINER(u, struct token_unit, unit));
	else if (u->kind == UNIT_INCIDENT)
		incident_unit_free(CONTAINER(u, struct incident_unit, unit));
	else
		quarantine_unit_free(CONTAINER(u, struct quarantine_unit,
		    unit));
}

static enum err
refused(struct slot *slot, enum err e, const char *text)
{
	if (slot->ei == NULL)
		slot->ei = xcalloc(1, sizeof(*slot->ei));
	slot->outcome = fail(slot->ei, e, "%s", text);
	return ERR_OK;
}

/* Into the ward's own slot. slot->outcome tells when there is nothing to try. */
static enum err
fetch(struct store *s, struct slot *slot, int64_t id, struct errinfo *ei)
{
	enum stmt st = STMT_QUARANTINE_GET;
	const struct backend_ops *ops = s->db->ops;
	struct ward *w = s->ward;
	struct errinfo why = {0};
	enum err e = ops->query(s->db, st, VALS(V_INT(id)), ei);
	struct str bytes;

	unit_free(w->again.unit);
	xfree(w->again.ei);
	w->again = (struct slot){.tell = true};
	w->late = false;
	if (e == ERR_OK)
		e = ops->next(s->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return refused(slot, ERR_NOT_FOUND,
		    "no such unit is in quarantine");
	if (e != ERR_OK)
		return e;
	bytes = ops->column_str(s->db, st, 7);
	if (unit_code_get(bytes, &w->again.unit, &why) != ERR_OK)
		(void)refused(slot, ERR_INVALID, why.text);
	ops->done(s->db, st);
	return ERR_OK;
}

static struct entry *
entry_of(struct store *s, uint32_t monitor)
{
	struct entry *en = monitor == 0 ? NULL : view_entry(s->view, monitor);

	return en != NULL && en->row.conf->archived ? NULL : en;
}

/* The chunk whose samples lie around it; 0: it lies between two. */
static enum err
around(struct store *s, const struct sample *p, int64_t *ret,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_CHUNK_LIST;
	enum err e = ops->query(s->db, st, VALS(V_INT(p->monitor),
	    V_INT(p->seq), V_INT(INT64_MAX)), ei);

	*ret = 0;
	if (e == ERR_OK)
		e = ops->next(s->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if ((uint64_t)ops->column_int(s->db, st, 1) > p->seq)
		*ret = ops->column_int(s->db, st, 0);
	ops->done(s->db, st);
	return ERR_OK;
}

/* Caller xfrees *ret, which has room for one more. */
static enum err
open_chunk(struct store *s, int64_t id, struct sample **ret, size_t *ret_n,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_CHUNK_GET;
	enum err e = ERR_OK;

	*ret_n = 0;
	if (id != 0)
		e = ops->query(s->db, st, VALS(V_INT(id)), ei);
	if (e == ERR_OK && id != 0)
		e = ops->next(s->db, st, ei);
	if (e == ERR_OK && id != 0) {
		e = chunk_decode(ops->column_str(s->db, st, 0), ret, ret_n,
		    ei);
		ops->done(s->db, st);
	}
	if (e == ERR_OK)
		*ret = xrealloc(*ret, *ret_n + 1, sizeof(**ret));
	return e;
}

static enum err
put_chunk(struct store *s, const struct sample *v, size_t n,
    struct errinfo *ei)
{
	BUF_AUTO(b, CHUNK_BYTES_MAX);
	int64_t from_us = v[0].at_us, to_us = v[0].at_us;
	enum err e = chunk_encode(v, n, &b);

	for (size_t i = 1; i < n; i++) {
		from_us = MIN(from_us, v[i].at_us);
		to_us = MAX(to_us, v[i].at_us);
	}
	if (e != ERR_OK)
		return fail(ei, e, "its chunk is full");
	return s->db->ops->run(s->db, STMT_CHUNK_PUT, VALS(
	    V_INT(v[0].monitor), V_INT(v[0].seq), V_INT(v[n - 1].seq),
	    V_INT(from_us), V_INT(to_us), V_INT(n), V_BYTES(buf_str(&b))),
	    NULL, ei);
}

/* Among those at rest, in its place. */
static enum err
put_among(struct store *s, const struct sample *p, struct errinfo *ei)
{
	struct sample *v CLEANUP(xfreep) = NULL;
	int64_t id = 0;
	size_t n = 0, at = 0;
	enum err e = around(s, p, &id, ei);

	if (e == ERR_OK)
		e = open_chunk(s, id, &v, &n, ei);
	if (e != ERR_OK)
		return e;
	while (at < n && (v[at].node != 0 || v[at].seq < p->seq))
		at++;
	if (at < n && v[at].seq == p->seq)
		return ERR_OK;   /* it is there */
	memmove(v + at + 1, v + at, (n - at) * sizeof(*v));
	v[at] = *p;
	if (id != 0)
		e = s->db->ops->run(s->db, STMT_CHUNK_DEL, VALS(V_INT(id)),
		    NULL, ei);
	return e == ERR_OK ? put_chunk(s, v, n + 1, ei) : e;
}

/* Newer samples of its monitor are stored: this one says nothing of how
 * things are now. */
static enum err
put_late(struct store *s, struct slot *slot, struct result_unit *r,
    const struct entry *en, struct errinfo *ei)
{
	if (r->sample.seq > en->chunk_seq)
		return refused(slot, ERR_AGAIN, "the samples around it are not"
		    " at rest yet; try again in ten minutes");
	s->ward->late = true;
	r->has_sample = false;
	if (r->own != NULL)
		r->own->has_state = false;
	if (r->group != NULL)
		r->group->has_state = false;
	return put_among(s, &r->sample, ei);
}

static bool
says_something(const struct result_unit *r)
{
	return r->has_sample || r->own != NULL || r->group != NULL;
}

static enum err
put_again(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct ward *w = s->ward;
	struct slot *again = &w->again;
	struct result_unit *r = again->unit->kind != UNIT_RESULT ? NULL :
	    CONTAINER(again->unit, struct result_unit, unit);
	struct entry *en = r == NULL || !r->has_sample ? NULL :
	    entry_of(s, r->sample.monitor);
	enum err e = ERR_OK;

	if (en != NULL && r->sample.node == 0 &&
	    r->sample.seq <= en->batch_seq)
		e = put_late(s, slot, r, en, ei);
	if (e != ERR_OK || slot->outcome != ERR_OK)
		return e;
	if (r != NULL && !says_something(r))
		return ERR_OK;
	e = batch_put(s, again, ei);
	if (e == ERR_OK && again->outcome != ERR_OK)
		return refused(slot, again->outcome,
		    again->ei != NULL ? again->ei->text : "refused");
	return e;
}

enum err
quarantine_retry(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct quarantine_unit *q = CONTAINER(slot->unit,
	    struct quarantine_unit, unit);
	struct event ev = {.kind = EVENT_QUARANTINE, .subject = "store"};
	int64_t changes = 0;
	enum err e = ERR_OK;

	if (q->op == QUARANTINE_RETRY) {
		e = fetch(s, slot, q->id, ei);
		if (e == ERR_OK && slot->outcome == ERR_OK)
			e = put_again(s, slot, ei);
		if (e != ERR_OK || slot->outcome != ERR_OK)
			return e;
	}
	e = s->db->ops->run(s->db, STMT_QUARANTINE_DEL, VALS(V_INT(q->id)),
	    &changes, ei);
	if (e == ERR_OK && changes == 0)
		return refused(slot, ERR_NOT_FOUND,
		    "no such unit is in quarantine");
	if (e != ERR_OK)
		return e;
	slot->stored = true;
	(void)text_copy(ev.actor, sizeof(ev.actor), str_of(q->actor));
	(void)snprintf(ev.text, sizeof(ev.text), q->op == QUARANTINE_DROP ?
	    "unit %lld of the quarantine was dropped" :
	    "unit %lld of the quarantine was stored", (long long)q->id);
	return batch_event(s, &ev, ei);
}

void
quarantine_apply(struct store *s, struct slot *slot)
{
	struct quarantine_unit *q = CONTAINER(slot->unit,
	    struct quarantine_unit, unit);
	struct ward *w = s->ward;

	atomic_fetch_sub(&w->rows, 1);
	if (q->op == QUARANTINE_DROP || w->again.unit == NULL)
		return;
	if (!w->late)
		batch_apply(s, &w->again);
	if (s->conf.durable != NULL)
		s->conf.durable(s->conf.durable_arg, w->again.unit);
}

void
quarantine_again(struct store *s, struct unit *u, const char *reason)
{
	struct quarantine_unit *q = CONTAINER(u, struct quarantine_unit, unit);
	struct sick *k;

	if (q->op != QUARANTINE_RETRY || s->ward->n == QUARANTINE_OWED)
		return;
	k = quarantine_add(s, STR(""), reason);
	k->retried = q->id;
}

/* -- reading ------------------------------------------------------------ */
static void
read_row(struct backend *db, enum stmt st, struct quarantined *q)
{
	const struct backend_ops *ops = db->ops;

	memset(q, 0, sizeof(*q));
	q->id = ops->column_int(db, st, 0);
	q->at_us = ops->column_int(db, st, 1);
	q->kind = (uint8_t)ops->column_int(db, st, 2);
	q->monitor = (uint32_t)ops->column_int(db, st, 3);
	(void)text_copy(q->reason, sizeof(q->reason),
	    ops->column_str(db, st, 4));
	q->attempts = (uint32_t)ops->column_int(db, st, 5);
	q->size = (uint64_t)ops->column_int(db, st, 6);
}

enum err
query_quarantine(struct reader *r, int64_t below, unsigned limit,
    struct quarantined **ret, size_t *ret_n, struct errinfo *ei)
{
	enum stmt st = STMT_QUARANTINE_LIST;
	struct quarantined *v = xcalloc(MAX(limit, 1u), sizeof(*v));
	size_t n = 0;
	enum err e = r->db->ops->query(r->db, st, VALS(
	    V_INT(below > 0 ? below : INT64_MAX), V_INT(limit)), ei);

	while (e == ERR_OK && n < limit &&
	    (e = r->db->ops->next(r->db, st, ei)) == ERR_OK)
		read_row(r->db, st, &v[n++]);
	r->db->ops->done(r->db, st);
	if (e != ERR_OK && e != ERR_NOT_FOUND) {
		xfree(v);
		return e;
	}
	*ret = v;
	*ret_n = n;
	return ERR_OK;
}

enum err
query_quarantined(struct reader *r, int64_t id, struct quarantined *ret,
    struct errinfo *ei)
{
	enum stmt st = STMT_QUARANTINE_GET;
	enum err e = r->db->ops->query(r->db, st, VALS(V_INT(id)), ei);
	struct str bytes;
	char *copy;

	if (e == ERR_OK)
		e = r->db->ops->next(r->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return fail(ei, ERR_NOT_FOUND, "no such unit is in quarantine");
	if (e != ERR_OK)
		return e;
	read_row(r->db, st, ret);
	bytes = r->db->ops->column_str(r->db, st, 7);
	copy = xcalloc(MAX(bytes.n, (size_t)1), 1);
	memcpy(copy, bytes.p, bytes.n);
	ret->bytes = (struct str){copy, bytes.n};
	r->db->ops->done(r->db, st);
	return ERR_OK;
}

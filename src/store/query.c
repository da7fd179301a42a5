#include "store/query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/block.h"
#include "store/chunk.h"
#include "store/query_parts.h"
#include "store/rescue.h"
#include "world/world.h"

#define LIMIT_MAX 1000
static struct str
text(struct reader *r, enum stmt st, int col)
{
	return r->db->ops->column_str(r->db, st, col);
}

static int64_t
num(struct reader *r, enum stmt st, int col)
{
	return r->db->ops->column_int(r->db, st, col);
}

enum err
query_snapshot(struct reader *r, struct errinfo *ei)
{
	return r->db->ops->begin(r->db, false, ei);
}

enum err
query_release(struct reader *r, enum err e)
{
	(void)r->db->ops->rollback(r->db, NULL);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* -- samples ----------------------------------------------------------- */
struct take {
	const struct sample_query *q;
	struct sample *v;      /* room for q->limit */
	size_t n;
};

static bool
wanted(const struct take *t, const struct sample *p)
{
	if (p->monitor != t->q->monitor)
		return false;
	if (t->q->before_seq != 0 && p->seq >= t->q->before_seq)
		return false;
	return p->at_us >= t->q->from_us && p->at_us < t->q->to_us;
}

uint64_t
query_journaled(struct reader *r, uint32_t monitor)
{
	struct view *v = r->s->view;
	const struct entry *en;
	uint64_t n = 0;

	pthread_rwlock_rdlock(&v->lock);
	en = view_entry(v, monitor);
	if (en != NULL && rescue_pending(r->s) && en->row.seq > en->placed_seq)
		n = en->row.seq - en->placed_seq;
	view_unlock(v);
	return n;
}

enum err
query_places(struct reader *r, uint32_t monitor, uint64_t **ret, size_t *ret_n)
{
	struct view *v = r->s->view;
	struct entry *en;

	pthread_rwlock_rdlock(&v->lock);
	en = view_entry(v, monitor);
	if (en != NULL) {
		*ret_n = en->ntail;
		*ret = xcalloc((size_t)en->ntail + 1, sizeof(**ret));
		if (en->ntail > 0)
			memcpy(*ret, en->tail, en->ntail * sizeof(**ret));
	}
	view_unlock(v);
	return en != NULL ? ERR_OK : ERR_NOT_FOUND;
}

/* What cannot be read, and when that was: whoever asks for a time before or
 * after gets the others. */
struct lost {
	int64_t from_us, to_us;
	const char *what;
};

static enum err
damaged(const struct take *t, const struct lost *l, const char *why,
    struct errinfo *ei)
{
	char from[TIME_TEXT], to[TIME_TEXT];

	return fail(ei, ERR_STORE, "samples of monitor %u from %s to %s cannot"
	    " be read: %s is damaged: %.160s; those before and after can be"
	    " asked for", t->q->monitor, time_format_utc(l->from_us, from),
	    time_format_utc(l->to_us, to), l->what, why);
}

static enum err
tail_block(struct reader *r, uint64_t place, bool *ret_good, struct sample *ret,
    struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum err e = ops->query(r->db, STMT_TAIL_GET, VALS(V_INT(place >> 8)),
	    ei);

	if (e == ERR_OK)
		e = ops->next(r->db, STMT_TAIL_GET, ei);
	if (e != ERR_OK)
		return e;
	*ret_good = block_get(text(r, STMT_TAIL_GET, 0), place & 0xff, ret);
	ops->done(r->db, STMT_TAIL_GET);
	return ERR_OK;
}

/* A damaged block does not tell when it was: between the samples around it
 * that can be read. place[n - 1] is in it. */
static enum err
tail_damaged(struct reader *r, const struct take *t, const uint64_t *place,
    size_t n, struct errinfo *ei)
{
	struct lost l = {.to_us = t->n > 0 ? t->v[t->n - 1].at_us :
	    MIN(clock_wall_us(), t->q->to_us), .what = "a block"};
	uint64_t block = place[n - 1] >> 8;
	struct sample before;
	bool good = false;

	for (; n > 0 && !good; n--) {
		if (place[n - 1] >> 8 == block)
			continue;
		block = place[n - 1] >> 8;
		if (tail_block(r, place[n - 1], &good, &before, NULL) != ERR_OK)
			break;
	}
	l.from_us = good ? before.at_us : t->q->from_us;
	return damaged(t, &l, "checksum or form", ei);
}

static enum err
from_tail(struct reader *r, struct take *t, const uint64_t *place, size_t n,
    struct errinfo *ei)
{
	enum err e = ERR_OK;

	for (; n > 0 && t->n < t->q->limit; n--) {
		struct sample *p = &t->v[t->n];
		bool good = false;

		e = tail_block(r, place[n - 1], &good, p, ei);
		if (e == ERR_NOT_FOUND) {   /* it lies in a chunk by now */
			e = ERR_OK;
			continue;
		}
		if (e != ERR_OK)
			return e;
		if (!good)
			return tail_damaged(r, t, place, n, ei);
		/* While the clock stood or ran back nothing is sorted by
		 * time: every place is looked at. */
		if (wanted(t, p))
			t->n++;
	}
	return e;
}

static enum err
one_chunk(struct reader *r, struct take *t, int64_t id, uint64_t below,
    struct errinfo *ei)
{
	struct lost l = {num(r, STMT_CHUNK_LIST, 2), num(r, STMT_CHUNK_LIST,
	    3), "a chunk"};
	const struct backend_ops *ops = r->db->ops;
	struct sample *v CLEANUP(xfreep) = NULL;
	struct errinfo why = {0};
	size_t n = 0;
	enum err e;

	e = ops->query(r->db, STMT_CHUNK_GET, VALS(V_INT(id)), ei);
	if (e == ERR_OK)
		e = ops->next(r->db, STMT_CHUNK_GET, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? damaged(t, &l, "it is not there",
		    ei) : e;
	e = chunk_decode(text(r, STMT_CHUNK_GET, 0), &v, &n, &why);
	ops->done(r->db, STMT_CHUNK_GET);
	if (e != ERR_OK)
		return damaged(t, &l, why.text, ei);
	for (; n > 0 && t->n < t->q->limit; n--)
		if (wanted(t, &v[n - 1]) && v[n - 1].seq < below)
			t->v[t->n++] = v[n - 1];
	return ERR_OK;
}

/* below: what the tail has given already may, for a moment after a crash,
 * lie in a chunk too. */
static enum err
from_chunks(struct reader *r, struct take *t, struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum stmt st = STMT_CHUNK_LIST;
	uint64_t below = t->n > 0 ? t->v[t->n - 1].seq : INT64_MAX;
	int64_t before = t->q->before_seq == 0 ? INT64_MAX :
	    (int64_t)t->q->before_seq;
	enum err e;

	e = ops->query(r->db, st, VALS(V_INT(t->q->monitor), V_INT(before),
	    V_INT(t->q->to_us)), ei);
	while (e == ERR_OK && t->n < t->q->limit &&
	    (e = ops->next(r->db, st, ei)) == ERR_OK) {
		if (num(r, st, 3) < t->q->from_us)
			continue;
		e = one_chunk(r, t, num(r, st, 0), below, ei);
	}
	ops->done(r->db, st);
	return e;
}

enum err
query_samples(struct reader *r, const struct sample_query *q,
    struct sample **ret, size_t *ret_n, struct errinfo *ei)
{
	struct take t = {.q = q};
	uint64_t *place CLEANUP(xfreep) = NULL;
	struct sample *v CLEANUP(xfreep) = NULL;
	size_t n = 0;
	enum err e;

	if (q->limit == 0 || q->limit > LIMIT_MAX)
		return fail(ei, ERR_INVALID, "limit is 1 to %d", LIMIT_MAX);
	e = query_places(r, q->monitor, &place, &n);
	if (e != ERR_OK)
		return fail(ei, e, "there is no monitor %u", q->monitor);
	v = t.v = xcalloc(q->limit + 1, sizeof(*t.v));
	e = query_snapshot(r, ei);
	if (e != ERR_OK)
		return e;
	e = from_tail(r, &t, place, n, ei);
	if (e == ERR_OK && t.n < q->limit)
		e = from_chunks(r, &t, ei);
	e = query_release(r, e);
	if (e != ERR_OK)
		return e;
	*ret = TAKE(v);
	*ret_n = t.n;
	return ERR_OK;
}

/* -- transitions ------------------------------------------------------- */
static void
one_transition(struct reader *r, enum stmt st, struct stored_transition *ret)
{
	struct str evidence = text(r, st, 9);

	memset(ret, 0, sizeof(*ret));
	ret->id = (uint64_t)num(r, st, 0);
	ret->t.monitor = (uint32_t)num(r, st, 1);
	ret->t.seq = (uint64_t)num(r, st, 2);
	ret->t.at_us = num(r, st, 3);
	ret->t.from = (uint8_t)num(r, st, 4);
	ret->t.to = (uint8_t)num(r, st, 5);
	ret->t.why = (uint8_t)num(r, st, 6);
	if (evidence.n > 0)
		ret->evidence = xstrndup(evidence.p, evidence.n);
	(void)text_copy(ret->t.reason, sizeof(ret->t.reason), text(r, st, 7));
	/* Our own JSON: control characters were escaped when it was made. */
	snprintf(ret->t.explain, sizeof(ret->t.explain), "%.*s",
	    (int)MIN(text(r, st, 8).n, (size_t)EXPLAIN_MAX),
	    text(r, st, 8).p);
}

void
stored_transitions_free(struct stored_transition *t, size_t n)
{
	for (size_t i = 0; t != NULL && i < n; i++)
		xfree(t[i].evidence);
	xfree(t);
}

enum err
query_transitions(struct reader *r, const struct transition_query *q,
    struct stored_transition **ret, size_t *ret_n, struct errinfo *ei)
{
	enum stmt st = q->monitor == 0 ? STMT_TRANSITION_ALL :
	    STMT_TRANSITION_LIST;
	int64_t below = q->before_id == 0 ? INT64_MAX : (int64_t)q->before_id;
	const struct val v[] = {V_INT(q->monitor), V_INT(q->from_us),
	    V_INT(q->to_us), V_INT(below), V_INT(q->limit)};
	size_t skip = q->monitor == 0 ? 1 : 0, n = 0;
	struct stored_transition *t;
	enum err e;

	if (q->limit == 0 || q->limit > LIMIT_MAX)
		return fail(ei, ERR_INVALID, "limit is 1 to %d", LIMIT_MAX);
	t = xcalloc(q->limit, sizeof(*t));
	e = r->db->ops->query(r->db, st, v + skip, COUNT(v) - skip, ei);
	while (e == ERR_OK && n < q->limit &&
	    (e = r->db->ops->next(r->db, st, ei)) == ERR_OK)
		one_transition(r, st, &t[n++]);
	r->db->ops->done(r->db, st);
	if (e != ERR_OK && e != ERR_NOT_FOUND) {
		stored_transitions_free(t, n);
		return e;
	}
	*ret = t;
	*ret_n = n;
	return ERR_OK;
}

enum err
query_transition_at(struct reader *r, uint32_t monitor, int64_t at_us,
    struct stored_transition *ret, struct errinfo *ei)
{
	enum stmt st = STMT_TRANSITION_AT;
	enum err e;

	e = r->db->ops->query(r->db, st, VALS(V_INT(monitor), V_INT(at_us)),
	    ei);
	if (e == ERR_OK)
		e = r->db->ops->next(r->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return fail(ei, e, "no transition up to that time");
	if (e != ERR_OK)
		return e;
	one_transition(r, st, ret);
	r->db->ops->done(r->db, st);
	return ERR_OK;
}

/* -- the event log ----------------------------------------------------- */
static void
one_event(struct reader *r, enum stmt st, struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->id = (uint64_t)num(r, st, 0);
	e->at_us = num(r, st, 1);
	e->kind = (uint8_t)num(r, st, 2);
	e->from = (uint8_t)num(r, st, 3);
	e->to = (uint8_t)num(r, st, 4);
	e->why = (uint8_t)num(r, st, 5);
	e->monitor = (uint32_t)num(r, st, 6);
	(void)text_copy(e->actor, sizeof(e->actor), text(r, st, 7));
	(void)text_copy(e->subject, sizeof(e->subject), text(r, st, 8));
	(void)text_copy(e->text, sizeof(e->text), text(r, st, 9));
}

enum err
query_events(struct reader *r, const struct event_query *q, struct event **ret,
    size_t *ret_n, struct errinfo *ei)
{
	enum stmt st = q->newest_first ? STMT_EVENT_NEW : STMT_EVENT_OLD;
	int64_t below = q->before_id == 0 ? INT64_MAX : (int64_t)q->before_id;
	int64_t to_us = q->to_us == 0 ? INT64_MAX : q->to_us;
	struct event *v CLEANUP(xfreep) = NULL;
	size_t n = 0;
	enum err e;

	if (q->limit == 0 || q->limit > LIMIT_MAX)
		return fail(ei, ERR_INVALID, "limit is 1 to %d", LIMIT_MAX);
	v = xcalloc(q->limit, sizeof(*v));
	e = r->db->ops->query(r->db, st, VALS(V_INT(q->after_id), V_INT(below),
	    V_INT(q->limit), V_INT(q->kinds), V_INT(q->monitor),
	    V_INT(q->from_us), V_INT(to_us)), ei);
	while (e == ERR_OK && n < q->limit &&
	    (e = r->db->ops->next(r->db, st, ei)) == ERR_OK)
		one_event(r, st, &v[n++]);
	r->db->ops->done(r->db, st);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret = TAKE(v);
	*ret_n = n;
	return ERR_OK;
}

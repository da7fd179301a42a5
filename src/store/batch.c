/* batch.c: one transaction. An attempt puts a range of units, commits, and
 * only then the view, the live ring, the shards and the acks learn of it, in
 * this order. A unit that the database refuses for good is found by halving
 * the range; a COMMIT that failed is looked up before it is tried again. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/budget.h"
#include "store/edit.h"
#include "store/feed.h"
#include "store/inside.h"
#include "store/outbox.h"
#include "world/world.h"

/* Readers of the view wait at most for this many units. */
#define APPLY_UNITS 256

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	xfree(b->events);
	xfree(b->touched);
	edit_free(b->edit);
	xfree(b);
}

void
batch_touch(struct store *s, struct entry *e)
{
	struct batch *b = s->batch;

	if (e->touched)
		return;
	if (b->ntouched == b->touched_cap) {
		b->touched_cap = b->touched_cap == 0 ? 64 : b->touched_cap * 2;
		b->touched = xrealloc(b->touched, b->touched_cap,
		    sizeof(struct entry *));
	}
	e->touched = true;
	b->touched[b->ntouched++] = e;
}

void
batch_proof(struct store *s, enum stmt have, uint64_t id)
{
	struct batch *b = s->batch;

	if (b->has_proof)
		return;
	b->has_proof = true;
	b->proof = have;
	b->proof_id = id;
}

void
batch_owe(struct store *s, enum event_kind kind, const char *text)
{
	struct event *e;

	if (s->nowed == OWED_MAX) {
		atomic_fetch_add(&s->stats.dropped[UNIT_EVENT], 1);
		return;
	}
	e = &s->owed[s->nowed++];
	memset(e, 0, sizeof(*e));
	e->kind = (uint8_t)kind;
	e->at_us = clock_wall_us();
	snprintf(e->actor, sizeof(e->actor), "daemon");
	snprintf(e->subject, sizeof(e->subject), "%s",
	    kind == EVENT_START || kind == EVENT_STOP ? "vedette" : "store");
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* Foreign words lose their teeth before they are stored, whoever sent them. */
static void
clean(char *text, size_t size)
{
	char raw[256];

	assert(size <= sizeof(raw));
	memcpy(raw, text, size);
	raw[size - 1] = '\0';
	(void)text_copy(text, size, str_of(raw));
}

enum err
batch_event(struct store *s, const struct event *from, struct errinfo *ei)
{
	struct batch *b = s->batch;
	struct event e = *from;
	enum err r;

	clean(e.actor, sizeof(e.actor));
	clean(e.subject, sizeof(e.subject));
	clean(e.text, sizeof(e.text));
	e.id = s->next.event;
	if (e.at_us == 0)
		e.at_us = clock_wall_us();
	r = s->db->ops->run(s->db, STMT_EVENT_PUT, VALS(V_INT(e.id),
	    V_INT(e.at_us), V_INT(e.kind), V_INT(e.from), V_INT(e.to),
	    V_INT(e.why), V_INT(e.monitor), V_TEXT(e.actor),
	    V_TEXT(e.subject), V_TEXT(e.text)), NULL, ei);
	if (r != ERR_OK)
		return r;
	s->next.event++;
	batch_proof(s, STMT_EVENT_HAVE, e.id);
	if (b->nevents == b->events_cap) {
		b->events_cap = b->events_cap == 0 ? 16 : b->events_cap * 2;
		b->events = xrealloc(b->events, b->events_cap, sizeof(e));
	}
	b->events[b->nevents++] = e;
	b->rows[ROW_EVENT]++;
	return ERR_OK;
}

static enum err
put_one(struct store *s, struct slot *slot, struct errinfo *ei)
{
	slot->outcome = ERR_OK;
	slot->stored = false;
	xfree(slot->ei);
	slot->ei = NULL;
	switch (slot->unit->kind) {
	case UNIT_RESULT:
		return result_put(s, slot, ei);
	case UNIT_CONFIG:
		return edit_put(s, s->batch->edit, slot, ei);
	case UNIT_TOKEN:
		return tokens_put(s, slot, ei);
	case UNIT_ALERT:
		return outbox_put(s, slot, ei);
	case UNIT_EVENT:
		slot->stored = true;
		return batch_event(s, &CONTAINER(slot->unit, struct event_unit,
		    unit)->event, ei);
	case UNIT_NMAX:
		break;
	}
	assert(false);
	return ERR_OK;
}

/* Forget what the attempt gave out. */
static void
reset(struct store *s)
{
	struct batch *b = s->batch;

	for (size_t i = 0; i < b->ntouched; i++) {
		struct entry *e = b->touched[i];

		e->touched = false;
		e->batch_seq = e->seq;
		for (uint32_t k = 0; k < e->nnodes; k++)
			e->nodes[k].batch = e->nodes[k].seq;
	}
	b->ntouched = b->nevents = b->owed = 0;
	b->tail_rows = b->duplicates = 0;
	memset(b->rows, 0, sizeof(b->rows));
	memset(b->shed, 0, sizeof(b->shed));
	b->has_proof = b->in_doubt = b->alive = false;
	block_init(&b->block);
	s->next = s->begun;
}

static enum err
put_range(struct store *s, size_t lo, size_t hi, struct errinfo *ei)
{
	struct batch *b = s->batch;
	int64_t now_ns = clock_mono_ns();
	enum err e = ERR_OK;

	for (; e == ERR_OK && b->owed < s->nowed; b->owed++)
		e = batch_event(s, &s->owed[b->owed], ei);
	for (size_t i = lo; e == ERR_OK && i < hi; i++)
		e = put_one(s, &b->v[i], ei);
	if (e == ERR_OK)
		e = result_flush(s, ei);
	if (e == ERR_OK && now_ns - s->alive_ns >= ALIVE_NS) {
		b->alive = true;
		b->alive_us = clock_wall_us();
		e = s->db->ops->run(s->db, STMT_META_PUT, VALS(V_TEXT("alive"),
		    V_INT(b->alive_us)), NULL, ei);
	}
	return e;
}

static void
apply_one(struct store *s, struct slot *slot)
{
	if (!slot->stored)
		return;
	switch (slot->unit->kind) {
	case UNIT_RESULT:
		result_apply(s, slot);
		break;
	case UNIT_CONFIG:
		edit_apply(s, s->batch->edit);
		break;
	case UNIT_TOKEN:
		tokens_apply(s, slot);
		break;
	case UNIT_ALERT:
	case UNIT_EVENT:
	case UNIT_NMAX:
		break;
	}
}

static void
settle_counters(struct store *s)
{
	struct batch *b = s->batch;
	struct store_stats *st = &s->stats;

	for (unsigned i = 0; i < ROW_NMAX; i++)
		atomic_fetch_add(&st->rows[i], b->rows[i]);
	for (unsigned i = 0; i < SHED_NMAX; i++)
		atomic_fetch_add(&st->shed[i], b->shed[i]);
	atomic_fetch_add(&st->duplicates, b->duplicates);
	atomic_fetch_add(&st->commits, 1);
	atomic_store(&st->last_commit_us, clock_wall_us());
	if (b->alive)
		s->alive_ns = clock_mono_ns();
	s->tail_samples += b->tail_rows;
	memmove(s->owed, s->owed + b->owed,
	    (s->nowed - b->owed) * sizeof(s->owed[0]));
	s->nowed -= b->owed;
}

/* The acks last: who is told "done" finds it in the view and the ring. After
 * its ack a unit with an owner is not ours any more. */
static void
answer(struct store *s, size_t lo, size_t hi)
{
	struct batch *b = s->batch;
	size_t bytes = 0;

	for (size_t i = lo; i < hi; i++) {
		struct slot *slot = &b->v[i];
		struct unit *u = slot->unit;
		struct ack *ack = u->ack;
		bool owned = u->kind == UNIT_CONFIG || u->kind == UNIT_TOKEN;

		bytes += u->bytes;
		if (ack != NULL)
			ack->done(ack, slot->outcome, slot->ei);
		if (ack == NULL && u->kind == UNIT_CONFIG)
			config_unit_free(CONTAINER(u, struct config_unit, unit));
		else if (ack == NULL && u->kind == UNIT_TOKEN)
			token_unit_free(CONTAINER(u, struct token_unit, unit));
		else if (!owned)
			unit_free(u);
		xfree(slot->ei);
		*slot = (struct slot){0};
	}
	mbox_done(&s->inbox, hi - lo, bytes);
	s->answered += hi - lo;
}

/* The range is durable. */
static void
finish(struct store *s, size_t lo, size_t hi)
{
	struct batch *b = s->batch;
	uint32_t seen[APPLY_UNITS];

	settle_counters(s);
	for (size_t i = lo; i < hi; i += APPLY_UNITS) {
		size_t end = MIN(hi, i + APPLY_UNITS), n = 0;

		view_lock(s->view);
		for (size_t k = i; k < end; k++) {
			apply_one(s, &b->v[k]);
			if (b->v[k].stored && b->v[k].place != 0)
				seen[n++] = CONTAINER(b->v[k].unit,
				    struct result_unit, unit)->sample.monitor;
		}
		view_unlock(s->view);
		live_touch(s->live, seen, n);
	}
	view_lock(s->view);
	s->view->updated_us = atomic_load(&s->stats.last_commit_us);
	view_unlock(s->view);
	for (size_t i = 0; i < b->ntouched; i++) {
		struct entry *e = b->touched[i];

		e->touched = false;
		e->seq = e->batch_seq;
		for (uint32_t k = 0; k < e->nnodes; k++)
			e->nodes[k].seq = e->nodes[k].batch;
	}
	b->ntouched = 0;
	s->begun = s->next;
	live_add(s->live, b->events, b->nevents);
	live_wake(s->live);
	edit_tell(s, b->edit);
	for (size_t i = lo; s->conf.durable != NULL && i < hi; i++)
		if (b->v[i].stored)
			s->conf.durable(s->conf.durable_arg, b->v[i].unit);
	reset(s);
	answer(s, lo, hi);
	b->done = hi;
}

/* After a COMMIT that failed: the row that proves it, if it wrote one. */
static enum err
resolve(struct store *s, struct errinfo *ei)
{
	struct batch *b = s->batch;
	int64_t have = 0;
	enum err e = ERR_OK;

	if (b->has_proof)
		e = backend_int(s->db, b->proof, VALS(V_INT(b->proof_id)), 0,
		    &have, ei);
	if (e != ERR_OK)
		return e;
	if (have != 0)
		finish(s, b->done, b->doubt_hi);
	else
		reset(s);
	return ERR_OK;
}

static enum err
attempt(struct store *s, size_t lo, size_t hi, struct errinfo *ei)
{
	struct batch *b = s->batch;
	const struct backend_ops *ops = s->db->ops;
	int64_t began_ns = clock_mono_ns();
	bool put = false;
	enum err e;

	s->begun = s->next;
	reset(s);
	budget_batch(s);
	e = ops->begin(s->db, true, ei);
	if (e == ERR_OK)
		e = put_range(s, lo, hi, ei);
	if (e == ERR_OK && FAULT("writer.before_commit")) {
		s->db->fault = (struct backend_fault){OP_COMMIT, CLASS_IO, true};
		e = fail(ei, ERR_STORE, "fault before the commit");
	}
	if (e == ERR_OK) {
		put = true;
		e = ops->commit(s->db, ei);
	}
	if (e == ERR_OK && FAULT("writer.after_commit")) {
		s->db->fault = (struct backend_fault){OP_COMMIT, CLASS_IO, true};
		e = fail(ei, ERR_STORE, "fault after the commit");
	}
	if (e == ERR_OK) {
		hist_add(&s->stats.commit, clock_mono_ns() - began_ns);
		finish(s, lo, hi);
		return ERR_OK;
	}
	s->fault = s->db->fault;
	if (ops->rollback(s->db, NULL) != ERR_OK) {
		ops->close(s->db);
		s->db = NULL;
	}
	if (put) {
		b->in_doubt = true;
		b->doubt_hi = hi;
	} else {
		reset(s);
	}
	return e;
}

/* The database will never take this one. */
static void
refuse(struct store *s, size_t i, const struct errinfo *ei)
{
	struct batch *b = s->batch;
	char text[256];

	snprintf(text, sizeof(text), "a unit was refused: %.200s", ei->text);
	log_error("store", "a unit was refused", KV("error", text));
	batch_owe(s, EVENT_DROP, text);
	atomic_fetch_add(&s->stats.refused, 1);
	atomic_fetch_add(&s->stats.dropped[b->v[i].unit->kind], 1);
	b->v[i].outcome = ERR_STORE;
	b->v[i].ei = xcalloc(1, sizeof(*ei));
	*b->v[i].ei = *ei;
	answer(s, i, i + 1);
	b->done = i + 1;
}

enum err
batch_store(struct store *s, struct errinfo *ei)
{
	struct batch *b = s->batch;
	size_t step = BATCH_UNITS;
	enum err e = ERR_OK;

	if (b->in_doubt)
		e = resolve(s, ei);
	while (e == ERR_OK && b->done < b->n) {
		size_t hi = MIN(b->n, b->done + step);

		if (b->edit == NULL && b->v[b->done].unit->kind == UNIT_CONFIG)
			b->edit = edit_plan(s, b->v[b->done].unit);
		e = attempt(s, b->done, hi, ei);
		if (e == ERR_OK)
			step = MIN(step * 2, (size_t)BATCH_UNITS);
		if (e == ERR_OK || s->fault.transient)
			continue;
		writer_fault(s, ei);
		e = ERR_OK;
		if (hi - b->done == 1)
			refuse(s, b->done, ei);
		else
			step = (hi - b->done) / 2;
	}
	if (e != ERR_OK)
		return e;
	edit_free(b->edit);
	b->edit = NULL;
	b->n = b->done = 0;
	return ERR_OK;
}

enum err
batch_stamp(struct store *s, struct errinfo *ei)
{
	assert(s->batch->n == 0);
	if (s->batch->in_doubt) {
		enum err e = resolve(s, ei);

		if (e != ERR_OK)
			return e;
	}
	return attempt(s, 0, 0, ei);
}

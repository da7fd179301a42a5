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
#include "store/incidents.h"
#include "store/inside.h"
#include "store/quarantine.h"
#include "store/replay.h"
#include "store/rescue.h"
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
	xfree(b->event_of);
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

void
batch_event_clean(struct event *e)
{
	clean(e->actor, sizeof(e->actor));
	clean(e->subject, sizeof(e->subject));
	clean(e->text, sizeof(e->text));
	if (e->at_us == 0)
		e->at_us = clock_wall_us();
}

static enum err
put_event(struct store *s, struct event *e, struct unit *of,
    struct errinfo *ei)
{
	struct batch *b = s->batch;
	enum err r;

	batch_event_clean(e);
	r = s->db->ops->run(s->db, STMT_EVENT_PUT, VALS(V_INT(e->id),
	    V_INT(e->at_us), V_INT(e->kind), V_INT(e->from), V_INT(e->to),
	    V_INT(e->why), V_INT(e->monitor), V_TEXT(e->actor),
	    V_TEXT(e->subject), V_TEXT(e->text)), NULL, ei);
	if (r == ERR_OK && e->kind == EVENT_CLOCK && e->why == WHY_LOCAL_SIGHT)
		r = s->db->ops->run(s->db, STMT_META_PUT, VALS(
		    V_TEXT("blind"), V_INT(e->to == STATUS_UNKNOWN ? e->at_us :
		    0)), NULL, ei);
	if (r != ERR_OK)
		return r;
	batch_proof(s, STMT_EVENT_HAVE, e->id);
	b->rows[ROW_EVENT]++;
	if (b->nevents == b->events_cap) {
		b->events_cap = b->events_cap == 0 ? 16 : b->events_cap * 2;
		b->events = xrealloc(b->events, b->events_cap, sizeof(*e));
		b->event_of = xrealloc(b->event_of, b->events_cap,
		    sizeof(struct unit *));
	}
	b->event_of[b->nevents] = of;
	b->events[b->nevents++] = *e;
	return ERR_OK;
}

enum err
batch_event(struct store *s, const struct event *from, struct errinfo *ei)
{
	struct event e = *from;

	e.id = atomic_fetch_add(&s->next_event, 1);
	return put_event(s, &e, NULL, ei);
}

uint64_t
batch_event_id(struct store *s, struct unit *u, unsigned k)
{
	assert(k < UNIT_EVENTS);
	if (u->event_id[k] == 0)
		u->event_id[k] = atomic_fetch_add(&s->next_event, 1);
	return u->event_id[k];
}

enum err
batch_event_of(struct store *s, struct unit *u, unsigned k,
    const struct event *from, struct errinfo *ei)
{
	struct event e = *from;
	int64_t have = 0;
	bool journaled;
	enum err r = ERR_OK;

	pthread_mutex_lock(&s->mu);
	e.id = batch_event_id(s, u, k);
	journaled = u->journal_seq != 0;
	pthread_mutex_unlock(&s->mu);
	if (journaled)
		r = backend_int(s->db, STMT_EVENT_HAVE, VALS(V_INT(e.id)), 0,
		    &have, ei);
	if (r != ERR_OK || have != 0)
		return r;
	return put_event(s, &e, u, ei);
}

enum err
batch_put(struct store *s, struct slot *slot, struct errinfo *ei)
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
	case UNIT_QUARANTINE:
		return quarantine_retry(s, slot, ei);
	case UNIT_INCIDENT:
		return incidents_put(s, slot, ei);
	case UNIT_EVENT:
		slot->stored = true;
		return batch_event_of(s, slot->unit, 0,
		    &CONTAINER(slot->unit, struct event_unit, unit)->event,
		    ei);
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
		e->batch_incident = e->incident;
		for (uint32_t k = 0; k < e->nnodes; k++)
			e->nodes[k].batch = e->nodes[k].seq;
	}
	b->ntouched = b->nevents = b->owed = 0;
	b->tail_rows = b->duplicates = 0;
	memset(b->rows, 0, sizeof(b->rows));
	memset(b->shed, 0, sizeof(b->shed));
	b->has_proof = b->in_doubt = b->alive = false;
	b->mark = 0;
	quarantine_reset(s);
	block_init(&b->block);
	s->next = s->begun;
}

static enum err
put_range(struct store *s, size_t lo, size_t hi, struct errinfo *ei)
{
	struct batch *b = s->batch;
	int64_t now_ns = clock_mono_ns();
	enum err e = ERR_OK;

	/* Their numbers are not known before all that was read back is in. */
	for (; e == ERR_OK && !replay_starting(s) && b->owed < s->nowed;
	    b->owed++)
		e = batch_event(s, &s->owed[b->owed], ei);
	if (e == ERR_OK)
		e = quarantine_put(s, ei);
	for (size_t i = lo; e == ERR_OK && i < hi; i++)
		e = batch_put(s, &b->v[i], ei);
	if (e == ERR_OK)
		e = result_flush(s, ei);
	if (e == ERR_OK && now_ns - s->alive_ns >= ALIVE_NS &&
	    !replay_starting(s)) {
		b->alive = true;
		b->alive_us = clock_wall_us();
		e = s->db->ops->run(s->db, STMT_META_PUT, VALS(V_TEXT("alive"),
		    V_INT(b->alive_us)), NULL, ei);
	}
	return e;
}

void
batch_apply(struct store *s, struct slot *slot)
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
	case UNIT_QUARANTINE:
		quarantine_apply(s, slot);
		break;
	case UNIT_INCIDENT:
		incidents_apply(s, slot);
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
	quarantine_done(s);
	s->tail_samples += b->tail_rows;
	memmove(s->owed, s->owed + b->owed,
	    (s->nowed - b->owed) * sizeof(s->owed[0]));
	s->nowed -= b->owed;
}

/* The acks last: who is told "done" finds it in the view and the ring. After
 * its ack a unit with an owner is not ours any more. What the journal's thread
 * looks at goes first, under the lock. */
static void
batch_answer(struct store *s, size_t lo, size_t hi)
{
	struct batch *b = s->batch;
	size_t bytes = 0, n = 0;

	pthread_mutex_lock(&s->mu);
	b->done = hi;
	pthread_mutex_unlock(&s->mu);
	for (size_t i = lo; i < hi; i++) {
		struct slot *slot = &b->v[i];
		struct unit *u = slot->unit;
		struct ack *ack = TAKE(u->ack);
		bool owned = unit_alone(u);

		if (!slot->replayed) {
			bytes += u->bytes;
			n++;
		}
		if (ack != NULL)
			ack->done(ack, slot->outcome, slot->ei);
		if (!owned)
			unit_free(u);
		else if (ack == NULL)
			unit_free_alone(u);
		xfree(slot->ei);
		*slot = (struct slot){0};
	}
	mbox_done(&s->inbox, n, bytes);
	s->answered += n;
}

/* The range is durable. */
static void
finish(struct store *s, size_t lo, size_t hi)
{
	struct batch *b = s->batch;
	uint32_t seen[APPLY_UNITS];

	settle_counters(s);
	rescue_committed(s, lo, hi);
	for (size_t i = lo; i < hi; i += APPLY_UNITS) {
		size_t end = MIN(hi, i + APPLY_UNITS), n = 0;

		view_lock(s->view);
		for (size_t k = i; k < end; k++) {
			batch_apply(s, &b->v[k]);
			if (b->v[k].stored && b->v[k].place != 0 &&
			    b->v[k].tell)
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
		e->incident = e->batch_incident;
		for (uint32_t k = 0; k < e->nnodes; k++)
			e->nodes[k].seq = e->nodes[k].batch;
	}
	b->ntouched = 0;
	s->begun = s->next;
	live_add(s->live, b->events, b->nevents);
	live_wake(s->live);
	edit_tell(s, b->edit);
	for (size_t i = lo; s->conf.durable != NULL && i < hi; i++)
		if (b->v[i].stored && b->v[i].tell)
			s->conf.durable(s->conf.durable_arg, b->v[i].unit);
	reset(s);
	batch_answer(s, lo, hi);
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
	if (e == ERR_OK)
		e = rescue_mark(s, lo, hi, ei);
	if (e == ERR_OK && FAULT("writer.before_commit")) {
		s->db->fault = (struct backend_fault){OP_COMMIT, CLASS_IO, true};
		e = fail(ei, ERR_STORE, "fault before the commit");
	}
	if (e == ERR_OK) {
		put = true;
		e = ops->commit(s->db, ei);
	}
	rescue_commit_over(s);
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

/* The database will never take this one. What has a wire form waits in
 * quarantine for a person; the rest belongs to whoever sent it. */
static void
refuse(struct store *s, size_t i, const struct errinfo *ei)
{
	struct batch *b = s->batch;
	struct unit *u = b->v[i].unit;
	char text[256];

	snprintf(text, sizeof(text), "a unit was refused: %.200s", ei->text);
	log_error("store", "a unit was refused", KV("error", text));
	atomic_fetch_add(&s->stats.refused, 1);
	if (u->kind == UNIT_QUARANTINE) {
		quarantine_again(s, u, ei->text);
	} else if (!quarantine_unit(s, u, ei->text)) {
		batch_owe(s, EVENT_DROP, text);
		atomic_fetch_add(&s->stats.dropped[u->kind], 1);
	}
	b->v[i].outcome = ERR_STORE;
	b->v[i].ei = xcalloc(1, sizeof(*ei));
	*b->v[i].ei = *ei;
	rescue_refused(s, i);
	batch_answer(s, i, i + 1);
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
		if (quarantine_ails(s))
			e = quarantine_to_files(s, ei);
		else if (quarantine_room(s) == 0)
			e = quarantine_full(s, ei);
		else if (hi - b->done == 1)
			refuse(s, b->done, ei);
		else
			step = (hi - b->done) / 2;
	}
	if (e != ERR_OK)
		return e;
	if (b->replay_to != 0)
		s->mark_due = MAX(s->mark_due, b->replay_to);
	edit_free(b->edit);
	b->edit = NULL;
	rescue_batch_over(s);
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

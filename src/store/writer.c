/* writer.c: the one thread that writes. Takes what waits, groups it, commits
 * it, and tries again for as long as it takes when the database does not want
 * to. Nothing is dropped here but at the end of a stop that ran out of time. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/budget.h"
#include "store/chores.h"
#include "store/edit.h"
#include "store/inside.h"
#include "store/quarantine.h"
#include "store/replay.h"
#include "store/rescue.h"
#include "world/world.h"

#define HOLD_NS        (INT64_C(10) * 1000000)
#define REOPEN_AFTER   3               /* failures in a row */

static void
take(struct store *s, int64_t now_ns)
{
	pthread_mutex_lock(&s->mu);
	backlog_take(&s->queue, &s->inbox, now_ns);
	pthread_mutex_unlock(&s->mu);
}

/* The longest prefix that is one transaction: a configuration unit is planned
 * against what is committed, so it is one by itself. store.mu held. */
static void
form_of_queue(struct store *s, int64_t now_ns)
{
	struct batch *b = s->batch;
	struct unit *u;

	while ((u = backlog_first(&s->queue)) != NULL && b->n < BATCH_UNITS) {
		if (unit_alone(u) && b->n > 0)
			break;
		b->v[b->n++].unit = backlog_pop(&s->queue);
		hist_add(&s->stats.queue_wait, now_ns - u->queued_ns);
		if (unit_alone(u))
			break;
	}
}

/* What lies in the journal is older than what waits. */
static enum err
form(struct store *s, int64_t now_ns, struct errinfo *ei)
{
	bool older;

	assert(s->batch->n == 0);
	pthread_mutex_lock(&s->mu);
	older = rescue_pending(s);
	if (!older && !rescue_holds(s))
		form_of_queue(s, now_ns);
	pthread_mutex_unlock(&s->mu);
	return older ? replay_form(s, ei) : ERR_OK;
}

void
writer_fault(struct store *s, const struct errinfo *ei)
{
	const struct backend_fault *f = &s->fault;

	atomic_fetch_add(&s->stats.errors[f->op][f->class], 1);
	pthread_mutex_lock(&s->facts);
	s->trouble = *ei;
	pthread_mutex_unlock(&s->facts);
}

static void
failed(struct store *s, const struct errinfo *ei, int64_t now_ns)
{
	const struct backend_fault *f = &s->fault;
	bool first = s->failures == 0;
	char who[FOREIGN_TEXT] = "";

	writer_fault(s, ei);
	s->failures++;
	if (f->class != CLASS_BUSY && f->class != CLASS_FULL)
		s->reopen++;
	if (first) {
		atomic_store(&s->stats.failing_since_us, clock_wall_us());
		if (f->class == CLASS_BUSY && !wal_full(s))
			wal_holders(s, who);
		log_error("store", "cannot write; it is kept and tried again",
		    KV("op", store_op_names[f->op]),
		    KV("class", err_class_names[f->class]),
		    KV("error", &ei->text[0]), KV("locked_by", &who[0]));
	}
	s->backoff_ns = s->backoff_ns == 0 ? RETRY_MIN_NS :
	    MIN(s->backoff_ns * 2, RETRY_MAX_NS);
	s->retry_ns = now_ns + s->backoff_ns;
	budget_failed(s);
}

static void
recovered(struct store *s)
{
	int64_t since_us = atomic_load(&s->stats.failing_since_us);
	int64_t ms = (clock_wall_us() - since_us) / 1000;
	char text[200];

	if (s->failures == 0)
		return;
	snprintf(text, sizeof(text), "writing failed for %lld ms (%s, %u"
	    " attempts); nothing was lost", (long long)ms,
	    err_class_names[s->fault.class], s->failures);
	log_info("store", "writes again", KV_I("after_ms", ms),
	    KV_I("attempts", s->failures));
	batch_owe(s, EVENT_STORE, text);
	budget_recovered(s);
	s->failures = s->reopen = 0;
	s->retry_ns = s->backoff_ns = 0;
	atomic_store(&s->stats.failing_since_us, 0);
	pthread_mutex_lock(&s->facts);
	s->trouble.text[0] = '\0';
	pthread_mutex_unlock(&s->facts);
}

/* A connection that keeps failing may be the fault itself. */
static enum err
reopen(struct store *s, struct errinfo *ei)
{
	struct backend_conf c = {.path = s->conf.path, .vfs = s->conf.vfs,
	    .memory = s->conf.memory, .limit_ns = s->write_limit_ns,
	    .stats = &s->stats};
	enum err e;

	if (s->db != NULL && (s->reopen < REOPEN_AFTER || s->conf.memory))
		return ERR_OK;
	if (s->db != NULL)
		s->db->ops->close(s->db);
	s->db = NULL;
	e = sqlite_ops.open(&c, &s->db, ei);
	if (e != ERR_OK) {
		s->fault = (struct backend_fault){OP_OPEN, CLASS_IO, true};
		return e;
	}
	s->reopen = 0;
	log_info("store", "the database was opened again");
	return ERR_OK;
}

/* A full log takes nothing until whoever holds it lets go. At the end of our
 * life it does: what would be left in memory is worth more than its size. */
static enum err
room(struct store *s, struct errinfo *ei)
{
	struct wal_state w;

	if (!wal_full(s) || atomic_load(&s->stopping))
		return ERR_OK;
	wal_state(s, &w);
	s->db->fault = (struct backend_fault){OP_WRITE, CLASS_BUSY, true};
	return fail(ei, ERR_STORE, "the write-ahead log is full: held by %.200s",
	    w.held_by);
}

static bool
store_some(struct store *s, int64_t now_ns)
{
	uint64_t probe = atomic_load(&s->probe_want);
	struct errinfo ei = {0};
	enum err e;

	e = reopen(s, &ei);
	if (e == ERR_OK && s->batch->n == 0)
		e = form(s, now_ns, &ei);
	if (e == ERR_OK && s->failures > 0)
		budget_relieve(s);
	if (e == ERR_OK && s->db == NULL)
		e = reopen(s, &ei);
	if (e == ERR_OK)
		e = room(s, &ei);
	if (e == ERR_OK)
		e = s->batch->n > 0 ? batch_store(s, &ei) :
		    batch_stamp(s, &ei);
	if (e != ERR_OK) {
		if (s->db != NULL && s->db->fault.transient)
			s->fault = s->db->fault;
		failed(s, &ei, clock_mono_ns());
		return false;
	}
	atomic_store(&s->probe_have, probe);
	recovered(s);
	return true;
}

/* Who waits for a store that fails is told so in time. A heartbeat may still
 * be committed later, which harms nobody; a configuration edit that was not
 * begun is taken back. */
static void
answer_late(struct unit *u, struct errinfo *ei)
{
	struct ack *ack = u->ack;

	u->ack = NULL;
	ack->done(ack, ERR_AGAIN, ei);
}

/* A configuration edit that is the batch, and was not begun. */
static void
take_back(struct store *s, int64_t now_ns, struct errinfo *ei)
{
	struct batch *b = s->batch;
	struct unit *u = b->n - b->done == 1 ? b->v[b->done].unit : NULL;
	size_t bytes;

	if (u == NULL || !unit_alone(u) || b->in_doubt || u->ack == NULL ||
	    now_ns - u->queued_ns < ANSWER_NS)
		return;
	bytes = u->bytes;
	edit_free(b->edit);
	b->edit = NULL;
	rescue_batch_over(s);
	answer_late(u, ei);
	mbox_done(&s->inbox, 1, bytes);
}

static void
answer_waiting(struct store *s, int64_t now_ns)
{
	struct errinfo ei = {0};
	struct backlog *q = &s->queue;
	struct msg **p = &q->first;
	struct batch *b = s->batch;

	(void)fail(&ei, ERR_AGAIN, "the store does not commit at the moment");
	pthread_mutex_lock(&s->mu);
	for (size_t i = b->done; i < b->n; i++) {
		struct unit *u = b->v[i].unit;

		if (u->ack != NULL && !unit_alone(u) &&
		    now_ns - u->queued_ns >= ANSWER_NS)
			answer_late(u, &ei);
	}
	while (*p != NULL) {
		struct unit *u = unit_of(*p);
		size_t bytes = u->bytes;

		if (u->ack == NULL || now_ns - u->queued_ns < ANSWER_NS) {
			p = &(*p)->next;
			continue;
		}
		if (!unit_alone(u)) {
			backlog_calm(q, u);
			answer_late(u, &ei);
			continue;
		}
		(void)backlog_cut(q, p);
		answer_late(u, &ei);   /* and the unit is the waiter's */
		mbox_done(&s->inbox, 1, bytes);
	}
	pthread_mutex_unlock(&s->mu);
	take_back(s, now_ns, &ei);
}

static bool
due(struct store *s, int64_t now_ns)
{
	const struct unit *u;
	bool yes;

	if (s->batch->n > 0 || s->mark_due > s->marked || quarantine_owes(s) ||
	    atomic_load(&s->probe_want) != atomic_load(&s->probe_have))
		return true;
	pthread_mutex_lock(&s->mu);
	u = backlog_first(&s->queue);
	if (rescue_pending(s))
		yes = true;
	else if (u == NULL || rescue_holds(s))
		yes = s->nowed > 0 || now_ns - s->alive_ns >= ALIVE_NS;
	else
		yes = s->queue.nurgent > 0 || s->queue.n >= BATCH_UNITS ||
		    atomic_load(&s->stopping) ||
		    now_ns - u->queued_ns >= s->conf.commit_delay_ns;
	pthread_mutex_unlock(&s->mu);
	return yes;
}

/* Units that nobody stores any more: told, counted, freed. */
static void
abandon_unit(struct store *s, struct unit *u, struct errinfo *ei)
{
	size_t bytes = u->bytes;
	bool kept = unit_alone(u) && u->ack != NULL;

	atomic_fetch_add(&s->stats.dropped[u->kind], 1);
	if (u->ack != NULL)
		u->ack->done(u->ack, ERR_STOPPING, ei);
	if (unit_alone(u) && !kept)
		unit_free_alone(u);
	else if (!kept)
		unit_free(u);
	mbox_done(&s->inbox, 1, bytes);
}

/* What has a wire form goes to the journal first; of what is left whoever
 * waits is told that it was not stored. */
static void
abandon(struct store *s)
{
	struct batch *b = s->batch;
	struct errinfo ei = {0};
	size_t n = 0;

	if (b->n > b->done || s->queue.first != NULL)
		rescue_all(s, MAX(atomic_load(&s->stop_by_ns),
		    clock_mono_ns()) + ANSWER_NS);
	(void)fail(&ei, ERR_STOPPING, "the daemon stops and could not store"
	    " it");
	/* The journal's thread may not have come back from the disk. */
	pthread_mutex_lock(&s->mu);
	for (; b->done < b->n; b->done++) {
		struct slot *slot = &b->v[b->done];
		struct unit *u = slot->unit;
		bool safe = u->told, replayed = slot->replayed;
		size_t bytes = u->bytes;

		xfree(slot->ei);
		*slot = (struct slot){0};
		if (!safe) {
			abandon_unit(s, u, &ei);
			n++;
			continue;
		}
		unit_free(u);
		if (!replayed)
			mbox_done(&s->inbox, 1, bytes);
	}
	for (; s->queue.first != NULL; n++)
		abandon_unit(s, backlog_pop(&s->queue), &ei);
	pthread_mutex_unlock(&s->mu);
	s->abandoned += n;
	if (n > 0)
		log_error("store", "stopped before everything was stored",
		    KV_I("units", (int64_t)n));
}

static int
wait_ms(struct store *s, int64_t now_ns)
{
	int64_t at = s->alive_ns + ALIVE_NS;
	const struct unit *u;

	pthread_mutex_lock(&s->mu);
	u = backlog_first(&s->queue);
	if (s->failures > 0)
		at = MIN(s->retry_ns, now_ns + ANSWER_NS / 10);
	else if (u != NULL)   /* the stamp goes with it */
		at = u->queued_ns + s->conf.commit_delay_ns;
	if (rescue_holds(s))   /* it pokes */
		at = MAX(at, now_ns + HOLD_NS);
	pthread_mutex_unlock(&s->mu);
	if (s->nrun_rows > 0)
		at = MIN(at, s->applied_ns);
	if (chores_due(s, now_ns))
		at = MIN(at, chores_at_ns(s));
	if (store_pressure(s) != PRESSURE_NONE)
		at = MIN(at, now_ns + BUDGET_LOOK_NS);
	if (atomic_load(&s->stopping))
		at = MIN(at, now_ns + ANSWER_NS / 20);
	if (at <= now_ns)
		return 0;
	return (int)((at - now_ns) / 1000000) + 1;
}

/* The database takes nothing, and the journal has taken all there is: waiting
 * for it would make nothing safer. */
static bool
all_journaled(struct store *s, int64_t now_ns)
{
	const struct batch *b = s->batch;
	bool all;

	if (s->failures == 0 || s->rescue == NULL)
		return false;
	rescue_all(s, MIN(atomic_load(&s->stop_by_ns), now_ns + ANSWER_NS));
	pthread_mutex_lock(&s->mu);
	all = s->queue.first == NULL && !rescue_holds(s);
	for (size_t i = b->done; all && i < b->n; i++)
		all = b->v[i].unit->told;
	pthread_mutex_unlock(&s->mu);
	return all;
}

/* True when there is nothing left to do here, or no time left. The mailbox is
 * closed before stopping is set, so what is taken after that is the last. */
static bool
over(struct store *s)
{
	int64_t now_ns = clock_mono_ns();

	if (!atomic_load(&s->stopping))
		return false;
	take(s, now_ns);
	return now_ns >= atomic_load(&s->stop_by_ns) ||
	    all_journaled(s, now_ns) || (s->queue.first == NULL &&
	    s->batch->n == 0 && s->failures == 0 && !rescue_pending(s));
}

static void
last_words(struct store *s)
{
	struct errinfo ei = {0};

	if (rescue_pending(s))
		log_warn("store", "stopped before the database took all;"
		    " the rest is in the journal and is stored at the next"
		    " start",
		    KV_I("records", (int64_t)rescue_waiting(s)));
	if (s->db == NULL || s->failures > 0)
		return;
	batch_owe(s, EVENT_STOP, "stopped");
	s->alive_ns = -ALIVE_NS;   /* the stamp is the end */
	if (batch_stamp(s, &ei) != ERR_OK) {
		writer_fault(s, &ei);
		return;
	}
	wal_close(s);
}

static void
turn(struct store *s)
{
	int64_t now_ns = clock_mono_ns();

	take(s, now_ns);
	budget_turn(s, now_ns);
	if (s->failures > 0 && now_ns < s->retry_ns) {
		rescue_turn_inline(s, now_ns);
		answer_waiting(s, now_ns);
		wal_turn(s, now_ns);
		mbox_wait(&s->inbox, wait_ms(s, now_ns));
		return;
	}
	if (due(s, now_ns)) {
		rescue_busy(s, now_ns);
		if (!store_some(s, now_ns))
			return;
		/* Under a steady load nothing is ever idle: housekeeping has
		 * its share all the same. */
		chores_turn(s, false);
		wal_turn(s, now_ns);
		return;
	}
	if (chores_due(s, now_ns) && now_ns >= chores_at_ns(s)) {
		rescue_busy(s, now_ns);
		chores_turn(s, true);
		wal_turn(s, now_ns);
	}
	rescue_idle(s);
	mbox_wait(&s->inbox, wait_ms(s, now_ns));
}

void *
writer_run(void *arg)
{
	struct store *s = arg;

	role_enter(&writer_role);
	while (!over(s))
		turn(s);
	abandon(s);
	last_words(s);
	role_leave(&writer_role);
	atomic_store(&s->gone, true);
	return NULL;
}

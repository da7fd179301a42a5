#include "store/rescue.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/disk.h"
#include "store/feed.h"
#include "store/rescue_take.h"
#include "world/world.h"

#define DIVERTED_NS (INT64_C(20) * 1000000)    /* between two looks */
#define SHARED_NS   (INT64_C(100) * 1000000)   /* samples share a sync */
#define IDLE_NS     (INT64_C(60) * 1000000000)
#define AGAIN_NS    (INT64_C(250) * 1000000)   /* after a failure */
#define DISK_SHARE  8                          /* of which it may be reserve */
#define REFILL_NS   (INT64_C(30) * 1000000000) /* a reserve that fell short */

/* A small disk, or budget, is not filled up with what is only set aside. */
static uint64_t
reserve_of(const struct store *s)
{
	const struct store_journal *c = &s->conf.journal;
	uint64_t all = 0;

	if (c->fs != NULL)
		return c->reserve;   /* not on this disk */
	(void)disk_free(s->conf.path, &all);
	if (s->conf.disk_budget != 0 && (all == 0 ||
	    s->conf.disk_budget < all))
		all = s->conf.disk_budget;
	return all == 0 ? c->reserve : MIN(c->reserve, all / DISK_SHARE);
}

enum err
rescue_open(struct store *s, uint64_t id, uint64_t mark,
    struct journal_found *found, struct errinfo *ei)
{
	const struct store_journal *c = &s->conf.journal;
	struct journal_conf jc = {.fs = c->fs, .id = id,
	    .size = c->size, .reserve = reserve_of(s), .segment = c->segment};
	struct rescue *r;
	pthread_condattr_t attr;
	char *slash;
	enum err e;

	memset(found, 0, sizeof(*found));
	if (c->size == 0 || s->conf.memory)
		return ERR_OK;
	snprintf(jc.dir, sizeof(jc.dir), "%s", s->conf.path);
	slash = strrchr(jc.dir, '/');
	assert(slash != NULL);
	snprintf(slash, sizeof(jc.dir) - (size_t)(slash - jc.dir), "/journal");
	r = xcalloc(1, sizeof(*r));
	r->s = s;
	buf_init(&r->bytes, TAKE_BYTES + 2 * JOURNAL_RECORD_MAX);
	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&r->cv, &attr) != 0 ||
	    pthread_cond_init(&r->done, &attr) != 0)
		abort();
	pthread_condattr_destroy(&attr);
	e = journal_open(&jc, &r->journal, found, ei);
	if (e != ERR_OK) {
		rescue_free(r);
		return e;
	}
	r->next_seq = MAX(found->last_seq, mark) + 1;
	journal_committed(r->journal, mark);
	s->rescue = r;
	return ERR_OK;
}

void
rescue_free(struct rescue *r)
{
	if (r == NULL)
		return;
	journal_close(r->journal);
	buf_free(&r->bytes);
	xfree(r->items);
	pthread_cond_destroy(&r->cv);
	pthread_cond_destroy(&r->done);
	xfree(r);
}

struct journal *
rescue_journal(const struct store *s)
{
	return s->rescue == NULL ? NULL : s->rescue->journal;
}

void
rescue_may_grow(struct store *s, uint64_t bytes)
{
	if (s->rescue != NULL)
		journal_may_grow(s->rescue->journal, bytes);
}

static uint64_t
uncommitted(const struct rescue *r)
{
	const struct journal_stats *st = journal_stats(r->journal);
	uint64_t last = atomic_load(&st->last), done = atomic_load(&st->done);

	return last > done ? last - done : 0;
}

/* -- when ---------------------------------------------------------------- */
/* When this unit must be durable by; INT64_MAX: it is not ours to save. */
static int64_t
unit_due(const struct store *s, const struct unit *u, bool diverted)
{
	int64_t after_ns = s->conf.journal.after_ns;

	if (u->told || !unit_code_has(u))
		return INT64_MAX;
	if (unit_pressing(u))
		return u->queued_ns + (diverted ? 0 : after_ns);
	return u->queued_ns + (diverted ? MIN(SHARED_NS, after_ns) :
	    s->conf.commit_delay_ns + after_ns);
}

/* The earliest of all that waits; store.mu held. */
static int64_t
due_at(struct store *s, bool diverted)
{
	const struct batch *b = s->batch;
	int64_t at = INT64_MAX;

	for (size_t i = b->done; i < b->n; i++)
		at = MIN(at, unit_due(s, b->v[i].unit, diverted));
	for (struct msg *m = s->queue.first; m != NULL; m = m->next)
		at = MIN(at, unit_due(s, unit_of(m), diverted));
	return at;
}

/* The database takes nothing for the time being, or has more to catch up with
 * than one transaction: what comes now goes the same way. */
static bool
is_diverted(const struct store *s, int64_t now_ns)
{
	const struct rescue *r = s->rescue;
	uint64_t n = uncommitted(r);

	if (n == 0)
		return false;
	return n > BATCH_UNITS || (r->busy_since_ns != 0 &&
	    now_ns - r->busy_since_ns >= s->conf.journal.after_ns);
}

/* -- housekeeping of the files ------------------------------------------- */
static void
trim(struct store *s, int64_t now_ns)
{
	struct rescue *r = s->rescue;
	struct errinfo ei = {0};
	enum err e;

	if (now_ns < r->trim_ns)
		return;
	e = journal_trim(r->journal, &ei);
	r->more_trim = e == ERR_AGAIN;
	if (r->more_trim) {
		r->trim_ns = now_ns;
		return;
	}
	r->trim_ns = now_ns + (e == ERR_OK ? NS_PER_S : REFILL_NS);
	if (e != ERR_OK && !r->short_reserve)
		log_warn("journal", "its room is not as it should be; tried"
		    " again", KV("error", &ei.text[0]));
	r->short_reserve = e != ERR_OK;
}

/* Is there something to do for trim, and not only for whoever waits? */
static bool
wants_trim(const struct rescue *r)
{
	const struct journal_stats *st = journal_stats(r->journal);

	return r->short_reserve || atomic_load(&st->bytes) > 0 ||
	    r->trim_ns == 0 || r->more_trim;
}

/* -- a look, and what follows -------------------------------------------- */
/* Returns when to look again. store.mu held, and let go in between. */
static int64_t
look(struct store *s, int64_t now_ns)
{
	struct rescue *r = s->rescue;
	bool diverted = is_diverted(s, now_ns);
	int64_t at;

	/* An idle writer is about to take it by itself. */
	if (r->busy_since_ns != 0 || r->all)
		backlog_take(&s->queue, &s->inbox, now_ns);
	at = due_at(s, diverted);
	if (!r->all && r->busy_since_ns == 0)
		return now_ns + IDLE_NS;
	if ((now_ns < at && !r->all) || at == INT64_MAX) {
		if (s->queue.first != NULL)
			mbox_poke(&s->inbox);
		if (diverted)
			return now_ns + DIVERTED_NS;
		return MIN(at, now_ns + s->conf.journal.after_ns);
	}
	if (now_ns < r->retry_ns && !r->all)
		return r->retry_ns;
	switch (rescue_take(s, now_ns)) {
	case TAKE_ALL:
		return now_ns + DIVERTED_NS;
	case TAKE_SOME:
		return now_ns;
	case TAKE_FAILED:
		break;
	}
	r->retry_ns = now_ns + AGAIN_NS;
	return r->retry_ns;
}

void
rescue_turn_inline(struct store *s, int64_t now_ns)
{
	struct rescue *r = s->rescue;

	if (r == NULL || r->started)
		return;
	pthread_mutex_lock(&s->mu);
	r->busy_since_ns = r->busy_since_ns == 0 ? now_ns : r->busy_since_ns;
	(void)look(s, now_ns);
	pthread_mutex_unlock(&s->mu);
	trim(s, now_ns);
}

static void
wait_until(struct store *s, pthread_cond_t *cv, int64_t at_ns)
{
	struct timespec ts = {.tv_sec = at_ns / NS_PER_S,
	    .tv_nsec = at_ns % NS_PER_S};

	(void)pthread_cond_timedwait(cv, &s->mu, &ts);
}

static void *
run(void *arg)
{
	struct store *s = arg;
	struct rescue *r = s->rescue;
	int64_t at_ns, now_ns;

	pthread_mutex_lock(&s->mu);
	while (!r->stop) {
		now_ns = clock_mono_ns();
		at_ns = look(s, now_ns);
		if (r->all && (due_at(s, true) == INT64_MAX ||
		    now_ns < r->retry_ns)) {
			r->all = false;
			pthread_cond_signal(&r->done);
		}
		pthread_mutex_unlock(&s->mu);
		trim(s, now_ns);
		pthread_mutex_lock(&s->mu);
		if (wants_trim(r))
			at_ns = MIN(at_ns, r->trim_ns);
		if (r->busy_since_ns != 0)   /* since we looked, maybe */
			at_ns = MIN(at_ns, now_ns + s->conf.journal.after_ns);
		if (!r->stop && !r->all && at_ns > now_ns) {
			r->idle = r->busy_since_ns == 0;
			wait_until(s, &r->cv, at_ns);
			r->idle = false;
		}
	}
	pthread_mutex_unlock(&s->mu);
	atomic_store(&r->gone, true);
	return NULL;
}

enum err
rescue_start(struct store *s, struct errinfo *ei)
{
	struct rescue *r = s->rescue;

	if (r == NULL)
		return ERR_OK;
	r->started = true;
	if (pthread_create(&r->thread, NULL, run, s) == 0)
		return ERR_OK;
	r->started = false;
	return fail(ei, ERR_SYS, "cannot start the journal's thread");
}

bool
rescue_stop(struct store *s, int64_t deadline_ns)
{
	struct rescue *r = s->rescue;
	int64_t left_us = (deadline_ns - clock_mono_ns()) / NS_PER_US;
	int64_t at_us = clock_wall_us() + MAX(left_us, INT64_C(0)) + US_PER_S;
	struct timespec ts = time_spec(at_us);

	if (r == NULL || !r->started)
		return true;
	pthread_mutex_lock(&s->mu);
	r->stop = true;
	pthread_cond_signal(&r->cv);
	pthread_mutex_unlock(&s->mu);
	if (pthread_timedjoin_np(r->thread, NULL, &ts) != 0)
		return false;
	r->started = false;
	return true;
}

/* -- the writer's side --------------------------------------------------- */
void
rescue_busy(struct store *s, int64_t now_ns)
{
	struct rescue *r = s->rescue;

	if (r == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	if (r->busy_since_ns == 0)
		r->busy_since_ns = now_ns;
	if (r->idle)
		pthread_cond_signal(&r->cv);
	pthread_mutex_unlock(&s->mu);
}

void
rescue_idle(struct store *s)
{
	if (s->rescue == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	s->rescue->busy_since_ns = 0;
	pthread_mutex_unlock(&s->mu);
}

uint64_t
rescue_waiting(const struct store *s)
{
	return s->rescue == NULL ? 0 : uncommitted(s->rescue);
}

bool
rescue_pending(const struct store *s)
{
	return rescue_waiting(s) > 0;
}

int64_t
rescue_behind_us(const struct store *s)
{
	return rescue_pending(s) ? atomic_load(&s->rescue->behind_us) : 0;
}

bool
rescue_holds(const struct store *s)
{
	return s->rescue != NULL && atomic_load(&s->rescue->in_hand);
}

void
rescue_all(struct store *s, int64_t deadline_ns)
{
	struct rescue *r = s->rescue;

	if (r == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	r->all = true;
	r->retry_ns = 0;
	if (!r->started) {
		while (look(s, clock_mono_ns()) <= clock_mono_ns())
			;
	} else {
		pthread_cond_signal(&r->cv);
		while (r->all && clock_mono_ns() < deadline_ns)
			wait_until(s, &r->done, deadline_ns);
	}
	r->all = false;
	pthread_mutex_unlock(&s->mu);
}

static bool
proof_kind(enum stmt st, enum proof_kind *ret)
{
	if (st != STMT_TAIL_HAVE && st != STMT_TRANSITION_HAVE &&
	    st != STMT_EVENT_HAVE)
		return false;
	*ret = st == STMT_TAIL_HAVE ? PROOF_TAIL :
	    st == STMT_TRANSITION_HAVE ? PROOF_TRANSITION : PROOF_EVENT;
	return true;
}

enum err
rescue_mark(struct store *s, size_t lo, size_t hi, struct errinfo *ei)
{
	struct rescue *r = s->rescue;
	struct batch *b = s->batch;
	uint64_t mark = s->mark_due;

	if (r == NULL)
		return ERR_OK;
	pthread_mutex_lock(&s->mu);
	for (size_t i = lo; i < hi; i++)
		mark = MAX(mark, b->v[i].unit->journal_seq);
	r->proving = b->has_proof && proof_kind(b->proof, &r->proof);
	r->proof_id = b->proof_id;
	pthread_mutex_unlock(&s->mu);
	if (hi == b->n)
		mark = MAX(mark, b->replay_to);
	b->mark = mark;
	if (mark <= s->marked)
		return ERR_OK;
	return s->db->ops->run(s->db, STMT_META_PUT, VALS(
	    V_TEXT("journal_seq"), V_INT(mark)), NULL, ei);
}

void
rescue_commit_over(struct store *s)
{
	if (s->rescue == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	s->rescue->proving = false;
	pthread_mutex_unlock(&s->mu);
}

void
rescue_committed(struct store *s, size_t lo, size_t hi)
{
	struct batch *b = s->batch;
	size_t kept = 0;

	s->marked = MAX(s->marked, b->mark);
	pthread_mutex_lock(&s->mu);
	for (size_t k = 0; k < b->nevents; k++) {
		if (b->event_of[k] != NULL && b->event_of[k]->told)
			continue;   /* it was shown from the journal */
		b->event_of[kept] = b->event_of[k];
		b->events[kept++] = b->events[k];
	}
	b->nevents = kept;
	for (size_t i = lo; i < hi; i++) {
		struct unit *u = b->v[i].unit;

		b->v[i].tell = !u->told;
		u->told = true;
		s->mark_due = MAX(s->mark_due, u->journal_seq);
	}
	if (s->rescue != NULL && s->rescue->busy_since_ns != 0)
		s->rescue->busy_since_ns = clock_mono_ns();
	pthread_mutex_unlock(&s->mu);
	if (s->rescue != NULL)
		journal_committed(s->rescue->journal, s->marked);
}

void
rescue_refused(struct store *s, size_t i)
{
	pthread_mutex_lock(&s->mu);
	s->mark_due = MAX(s->mark_due, s->batch->v[i].unit->journal_seq);
	pthread_mutex_unlock(&s->mu);
}

void
rescue_batch_over(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	s->batch->n = s->batch->done = 0;
	s->batch->replay_to = 0;
	if (s->rescue != NULL)
		s->rescue->serial++;
	pthread_mutex_unlock(&s->mu);
}

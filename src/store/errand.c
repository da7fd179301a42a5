#include "store/errand.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/backup.h"
#include "store/health.h"
#include "store/inside.h"
#include "store/journal.h"
#include "store/readers.h"
#include "store/rescue.h"
#include "store/upkeep.h"
#include "world/world.h"

/* A read transaction keeps the WAL from being cut: a long one ends when it
 * has grown to this, well below where writes would have to go elsewhere. */
#define ERRAND_WAL_MAX (40u << 20)
#define SETTLE_NS      (10 * NS_PER_S)

struct errands {
	struct store *s;
	pthread_mutex_t mu;
	pthread_cond_t more;
	pthread_t thread;
	bool started, asked, closed;
	_Atomic bool stop;         /* ends what runs */
	_Atomic bool too_long;     /* and this its statement */
	struct errand now;         /* under mu */
};

struct errands *
errands_new(struct store *s)
{
	struct errands *x = xcalloc(1, sizeof(*x));

	x->s = s;
	if (pthread_mutex_init(&x->mu, NULL) != 0 ||
	    pthread_cond_init(&x->more, NULL) != 0)
		abort();
	return x;
}

/* -- what runs ---------------------------------------------------------- */

static void
step_begin(struct errands *x, const char *name)
{
	struct errand *n = &x->now;

	pthread_mutex_lock(&x->mu);
	assert(n->nsteps < ERRAND_STEPS);
	n->step[n->nsteps++] = (struct errand_step){.name = name,
	    .began_ns = clock_mono_ns()};
	n->done = n->total = 0;
	pthread_mutex_unlock(&x->mu);
}

static enum err
step_end(struct errands *x, enum err e, const char *text)
{
	struct errand_step *st;

	pthread_mutex_lock(&x->mu);
	st = &x->now.step[x->now.nsteps - 1];
	st->state = e == ERR_OK ? STEP_DONE : STEP_FAILED;
	st->took_ns = clock_mono_ns() - st->began_ns;
	(void)text_copy(st->text, sizeof(st->text), str_of(text));
	pthread_mutex_unlock(&x->mu);
	return e;
}

static enum err
turn(void *arg, uint64_t done, uint64_t total, struct errinfo *ei)
{
	struct errands *x = arg;

	pthread_mutex_lock(&x->mu);
	x->now.done = done;
	x->now.total = total;
	pthread_mutex_unlock(&x->mu);
	if (atomic_load(&x->stop))
		return fail(ei, ERR_STOPPING, "the daemon stops");
	if (atomic_load(&x->too_long) ||
	    atomic_load(&x->s->stats.wal_bytes) > ERRAND_WAL_MAX)
		return fail(ei, ERR_AGAIN, "it took so long that the WAL grew"
		    " to %u MiB, and more must not wait for it; try again when"
		    " less is written, or onto a faster disk",
		    ERRAND_WAL_MAX >> 20);
	return ERR_OK;
}

/* -- everything acknowledged is committed ------------------------------- */

/* Outlives whoever waits: the ack may come after he has given up. */
struct settle {
	struct ack ack;
	pthread_mutex_t mu;
	pthread_cond_t cv;
	bool done, left;
	enum err e;
	struct errinfo ei;
};

static void
settle_free(struct settle *w)
{
	pthread_cond_destroy(&w->cv);
	pthread_mutex_destroy(&w->mu);
	xfree(w);
}

static void
settle_done(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct settle *w = CONTAINER(a, struct settle, ack);
	bool left;

	pthread_mutex_lock(&w->mu);
	w->done = true;
	w->e = e;
	if (ei != NULL)
		w->ei = *ei;
	left = w->left;
	pthread_cond_signal(&w->cv);
	pthread_mutex_unlock(&w->mu);
	if (left)
		settle_free(w);
}

static enum err
settle_wait(struct settle *w, struct errinfo *ei)
{
	int64_t at_us = clock_wall_us() + SETTLE_NS / NS_PER_US;
	struct timespec ts = time_spec(at_us);
	bool done;
	enum err e;

	pthread_mutex_lock(&w->mu);
	while (!w->done && pthread_cond_timedwait(&w->cv, &w->mu, &ts) == 0)
		;
	done = w->done;
	w->left = !done;
	e = done ? w->e : fail(ei, ERR_TIMEOUT, "what was acknowledged before"
	    " is not committed within %lld s", (long long)(SETTLE_NS /
	    NS_PER_S));
	if (done && e != ERR_OK && ei != NULL)
		*ei = w->ei;
	pthread_mutex_unlock(&w->mu);
	if (done)
		settle_free(w);
	return e;
}

/* Acknowledged is also what the journal has: the copy would be without it. */
static enum err
drain(struct errands *x, struct errinfo *ei)
{
	const struct timespec tick = {.tv_nsec = 20 * NS_PER_MS};
	int64_t until_ns = clock_mono_ns() + SETTLE_NS;
	struct journal *j = rescue_journal(x->s);
	uint64_t last;
	enum err e = ERR_OK;

	if (j == NULL)
		return ERR_OK;
	last = atomic_load(&journal_stats(j)->last);
	while (e == ERR_OK && atomic_load(&journal_stats(j)->done) < last) {
		if (clock_mono_ns() > until_ns)
			return fail(ei, ERR_TIMEOUT, "what was acknowledged"
			    " before waits in the journal for the database,"
			    " which takes nothing; \"vedette store health\""
			    " says why");
		(void)nanosleep(&tick, NULL);
		e = turn(x, 0, 0, ei);
	}
	return e;
}

/* Units are committed in the order in which they came: when an entry of the
 * event log is, all before it are. */
static enum err
settle(struct errands *x, struct errinfo *ei)
{
	struct settle *w = xcalloc(1, sizeof(*w));
	struct event_unit *u = event_unit_new();
	enum err e;

	pthread_mutex_init(&w->mu, NULL);
	pthread_cond_init(&w->cv, NULL);
	w->ack.done = settle_done;
	u->event.kind = EVENT_STORE;
	u->event.at_us = clock_wall_us();
	(void)text_copy(u->event.actor, sizeof(u->event.actor),
	    str_of(x->now.ask.actor));
	(void)text_copy(u->event.subject, sizeof(u->event.subject),
	    STR("store"));
	snprintf(u->event.text, sizeof(u->event.text), "a backup begins: %.200s",
	    x->now.ask.file);
	u->unit.ack = &w->ack;
	u->unit.urgent = true;
	if (!mbox_put_urgent(&x->s->inbox, &u->unit.msg, u->unit.bytes)) {
		unit_free(&u->unit);
		settle_free(w);
		return fail(ei, ERR_STOPPING, "the daemon stops");
	}
	e = settle_wait(w, ei);
	return e == ERR_OK ? drain(x, ei) : e;
}

/* -- the errands -------------------------------------------------------- */

static struct backend_conf
own_conf(struct errands *x)
{
	return (struct backend_conf){.path = x->s->conf.path,
	    .vfs = x->s->conf.vfs, .memory = x->s->conf.memory,
	    .reader = true, .stop = &x->stop};
}

/* A test may hold it up here until it is stopped. */
static enum err
slow(struct errands *x, struct errinfo *ei)
{
	const struct timespec tick = {.tv_nsec = 20 * NS_PER_MS};
	enum err e = ERR_OK;

	while (e == ERR_OK && FAULT("errand.slow")) {
		(void)nanosleep(&tick, NULL);
		e = turn(x, 0, 0, ei);
	}
	return e;
}

static void
keep_report(struct errands *x, const struct audit_report *r)
{
	pthread_mutex_lock(&x->mu);
	x->now.report = *r;
	x->now.audited = true;
	pthread_mutex_unlock(&x->mu);
}

static enum err
run_check(struct errands *x, struct errinfo *ei)
{
	struct backend_conf c = own_conf(x);
	struct backend_turn t = {turn, x};
	struct audit_report *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	struct backend *b = NULL;
	char text[100];
	enum err e;

	step_begin(x, x->now.ask.quick ? "quick check" : "check");
	e = slow(x, ei);
	if (e != ERR_OK)
		return step_end(x, e, ei->text);
	e = sqlite_ops.open(&c, &b, ei);
	if (e == ERR_OK) {
		b->cancelled = &x->too_long;
		e = audit_run(b, x->now.ask.quick ? AUDIT_QUICK : AUDIT_ALL,
		    &t, r, ei);
	}
	if (e == ERR_CANCELLED)
		e = turn(x, 0, 0, ei);   /* says why */
	if (b != NULL)
		b->ops->close(b);
	if (e != ERR_OK)
		return step_end(x, e, ei->text);
	keep_report(x, r);
	health_checked(x->s, r->total);
	snprintf(text, sizeof(text), "%llu rules, %llu findings",
	    (unsigned long long)r->rules, (unsigned long long)r->total);
	return step_end(x, ERR_OK, text);
}

static enum err
run_backup(struct errands *x, struct errinfo *ei)
{
	struct backup_ask ask = {.from = own_conf(x),
	    .file = x->now.ask.file, .force = x->now.ask.force,
	    .turn = {turn, x}};
	struct audit_report *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	enum err e;

	step_begin(x, "settle");
	e = settle(x, ei);
	if (step_end(x, e, e == ERR_OK ? "all that was acknowledged is"
	    " committed" : ei->text) != ERR_OK)
		return e;
	step_begin(x, "copy");
	e = backup_make(&ask, r, ei);
	if (r->rules > 0)
		keep_report(x, r);
	return step_end(x, e, e == ERR_OK ? "copied, verified and synced" :
	    ei->text);
}

/* Each step by itself: one that fails keeps the others from nothing. */
static enum err
run_maintain(struct errands *x, struct errinfo *ei)
{
	static const char *const names[UPKEEP_NMAX] = {
		[UPKEEP_ANALYZE] = "analyze", [UPKEEP_VACUUM] = "vacuum",
		[UPKEEP_SEARCH] = "search", [UPKEEP_CHECKPOINT] = "checkpoint",
	};
	const struct backend_turn t = {turn, x};
	struct errinfo why = {0};
	unsigned failed = 0;

	for (unsigned i = 0; i < UPKEEP_NMAX; i++) {
		BUF_AUTO(text, 160);
		enum err e;

		step_begin(x, names[i]);
		e = upkeep_do(x->s, (enum upkeep_step)i, &t, &text, &why);
		(void)step_end(x, e, e == ERR_OK ? text.p : why.text);
		failed += e != ERR_OK;
		if (e == ERR_STOPPING)
			return fail(ei, e, "%s", why.text);
	}
	step_begin(x, "readers");   /* they know the new statistics */
	readers_renew(x->s);
	(void)step_end(x, ERR_OK, "opened again before their next question");
	failed += run_check(x, &why) != ERR_OK;
	if (failed == 0)
		return ERR_OK;
	return fail(ei, ERR_STORE, "%u of %u steps failed; the last one: %.300s",
	    failed, x->now.nsteps, why.text);
}

typedef enum err errand_fn(struct errands *x, struct errinfo *ei);
static errand_fn *const runs[ERRAND_NMAX] = {
	[ERRAND_MAINTAIN] = run_maintain, [ERRAND_CHECK] = run_check,
	[ERRAND_BACKUP] = run_backup,
};

static void
finish(struct errands *x, enum err e, const struct errinfo *ei)
{
	struct errand *n = &x->now;
	char took[TIME_TEXT];

	pthread_mutex_lock(&x->mu);
	n->ended_us = clock_wall_us();
	n->state = e == ERR_OK ? ERRAND_DONE : ERRAND_FAILED;
	n->e = e;
	n->ei = *ei;
	pthread_mutex_unlock(&x->mu);
	(void)time_format_human((n->ended_us - n->began_us) * NS_PER_US, took);
	if (e != ERR_OK)
		log_warn("store", "an errand failed",
		    KV("kind", errand_names[n->ask.kind]),
		    KV("error", &ei->text[0]));
	else if (n->audited && n->report.total > 0)
		log_error("store", "an errand found damage",
		    KV("kind", errand_names[n->ask.kind]),
		    KV_I("findings", (int64_t)n->report.total),
		    KV("first", &n->report.v[0].text[0]));
	else
		log_info("store", "an errand is done",
		    KV("kind", errand_names[n->ask.kind]),
		    KV("after", &took[0]));
}

static bool
next(struct errands *x)
{
	bool go;

	pthread_mutex_lock(&x->mu);
	while (!x->asked && !x->closed)
		pthread_cond_wait(&x->more, &x->mu);
	go = !x->closed;
	x->asked = false;
	pthread_mutex_unlock(&x->mu);
	return go;
}

/* ask and began_us are this thread's to read without the lock while it runs:
 * only errand_start changes them, and it waits for the end. */
static void *
errands_run(void *arg)
{
	struct errands *x = arg;

	while (next(x)) {
		struct errinfo ei = {0};
		enum err e = runs[x->now.ask.kind](x, &ei);

		finish(x, e, &ei);
	}
	return NULL;
}

/* -- any thread --------------------------------------------------------- */

enum err
errands_start(struct errands *x, struct errinfo *ei)
{
	if (pthread_create(&x->thread, NULL, errands_run, x) != 0)
		return fail(ei, ERR_SYS, "cannot start the thread for"
		    " errands");
	x->started = true;
	return ERR_OK;
}

bool
errands_stop(struct errands *x, int64_t deadline_ns)
{
	int64_t left_us = (deadline_ns - clock_mono_ns()) / NS_PER_US;
	int64_t at_us = clock_wall_us() + MAX(left_us, US_PER_S / 2);
	struct timespec ts = time_spec(at_us);

	if (x == NULL || !x->started)
		return true;
	pthread_mutex_lock(&x->mu);
	x->closed = true;
	atomic_store(&x->stop, true);
	pthread_cond_signal(&x->more);
	pthread_mutex_unlock(&x->mu);
	if (pthread_timedjoin_np(x->thread, NULL, &ts) != 0)
		return false;
	pthread_mutex_lock(&x->mu);
	x->started = false;
	pthread_mutex_unlock(&x->mu);
	return true;
}

void
errands_watch(struct store *s)
{
	if (atomic_load(&s->stats.wal_bytes) > ERRAND_WAL_MAX)
		atomic_store(&s->errands->too_long, true);
}

void
errands_free(struct errands *x)
{
	if (x == NULL)
		return;
	pthread_cond_destroy(&x->more);
	pthread_mutex_destroy(&x->mu);
	xfree(x);
}

enum err
errand_start(struct store *s, const struct errand_ask *ask, uint64_t *ret_id,
    struct errinfo *ei)
{
	struct errands *x = s->errands;
	struct errand *n = &x->now;
	char since[TIME_TEXT];
	enum err e = ERR_OK;

	pthread_mutex_lock(&x->mu);
	if (x->closed || !x->started) {
		e = fail(ei, ERR_STOPPING, "the daemon is not ready for it");
	} else if (n->state == ERRAND_RUNS) {
		e = fail(ei, ERR_CONFLICT, "\"store %s\" runs since %s, for"
		    " %s; one at a time", errand_names[n->ask.kind],
		    time_format_utc(n->began_us, since), n->ask.actor);
	} else {
		uint64_t id = n->id + 1;

		memset(n, 0, sizeof(*n));
		n->ask = *ask;
		n->ask.quick |= ask->kind == ERRAND_MAINTAIN;
		n->id = *ret_id = id;
		n->state = ERRAND_RUNS;
		n->began_us = clock_wall_us();
		atomic_store(&x->too_long, false);
		x->asked = true;
		pthread_cond_signal(&x->more);
	}
	pthread_mutex_unlock(&x->mu);
	return e;
}

struct errand *
errand_look(struct store *s)
{
	struct errand *copy = xcalloc(1, sizeof(*copy));

	pthread_mutex_lock(&s->errands->mu);
	*copy = s->errands->now;
	pthread_mutex_unlock(&s->errands->mu);
	return copy;
}

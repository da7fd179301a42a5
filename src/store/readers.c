#include "store/readers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "world/world.h"

static enum err
open_one(struct readers *p, struct backend **ret, struct errinfo *ei)
{
	struct store *s = p->s;
	struct backend_conf c = {.path = s->conf.path, .vfs = s->conf.vfs,
	    .memory = s->conf.memory, .reader = true, .stop = &p->stop,
	    .limit_ns = s->conf.deadline_ns, .age_ns = &p->age_ns,
	    .stats = &s->stats};

	return sqlite_ops.open(&c, ret, ei);
}

/* A first read opens the WAL's index and the schema: what is slow or broken
 * shows now, not in somebody's question. */
static enum err
warm(struct reader *r, struct errinfo *ei)
{
	int64_t ignored;
	enum err e = r->db->ops->begin(r->db, false, ei);

	if (e == ERR_OK)
		e = backend_int(r->db, STMT_META_GET, VALS(V_TEXT("alive")), 0,
		    &ignored, ei);
	return e;
}

static enum err
warm_all(struct readers *p, struct errinfo *ei)
{
	enum err e = ERR_OK;
	unsigned n = 0;

	for (; e == ERR_OK && n < p->n; n++)
		e = warm(&p->v[n], ei);
	for (unsigned i = 0; i < n; i++)
		(void)p->v[i].db->ops->rollback(p->v[i].db, NULL);
	if (e == ERR_OK)
		log_debug("store", "readers are open", KV_I("n", n));
	return e;
}

static enum err
not_open(const struct readers *p, enum err e, struct errinfo *ei)
{
	char why[300] = "";

	if (ei != NULL)
		(void)snprintf(why, sizeof(why), "%.299s", ei->text);
	return fail(ei, e, "reader %u of %u (store.readers) does not open: %s",
	    p->n + 1, p->s->conf.readers, why);
}

enum err
readers_open(struct store *s, struct errinfo *ei)
{
	struct readers *p = xcalloc(1, sizeof(*p));
	int64_t now_ns = clock_mono_ns();
	enum err e = ERR_OK;

	assert(s->readers == NULL);
	assert(s->conf.readers <= READERS_MAX);
	s->readers = p;
	p->s = s;
	p->last = &p->first;
	atomic_store(&p->age_ns, s->conf.read_age_ns);
	if (pthread_mutex_init(&p->mu, NULL) != 0 ||
	    pthread_cond_init(&p->more, NULL) != 0 ||
	    pthread_cond_init(&p->over, NULL) != 0)
		abort();
	for (unsigned i = 0; e == ERR_OK && i < s->conf.readers; i++) {
		p->v[i].s = s;
		p->v[i].opened_ns = p->v[i].used_ns = now_ns;
		e = open_one(p, &p->v[i].db, ei);
		if (e == ERR_OK)
			p->n++;
	}
	return e == ERR_OK ? warm_all(p, ei) : not_open(p, e, ei);
}

/* -- opening again ------------------------------------------------------ */
/* Under the lock: when its connection is to be opened again; 0: now. */
static int64_t
renew_at(const struct readers *p, const struct reader *r)
{
	int64_t at = r->opened_ns + p->s->conf.reader_life_ns;

	if (p->s->conf.memory)
		return INT64_MAX;
	if (r->generation != p->generation)
		at = 0;
	else if (r->used)
		at = MIN(at, r->used_ns + p->s->conf.reader_idle_ns);
	return MAX(at, r->again_ns);
}

static void
renew(struct readers *p, struct reader *r, unsigned generation)
{
	struct backend *db = NULL, *old;
	struct errinfo ei = {0};
	int64_t now_ns = clock_mono_ns();

	if (open_one(p, &db, &ei) != ERR_OK) {
		log_warn("store", "a reader could not be opened again; it goes"
		    " on as it is", KV("error", &ei.text[0]));
		r->again_ns = now_ns + READERS_AGAIN_NS;
		return;
	}
	pthread_mutex_lock(&p->mu);
	old = r->db;
	r->db = db;
	pthread_mutex_unlock(&p->mu);
	old->ops->close(old);
	r->opened_ns = r->used_ns = now_ns;
	r->generation = generation;
	r->used = false;
	r->again_ns = 0;
	atomic_fetch_add(&p->s->stats.recycled, 1);
}

/* Condition variables know the wall clock: a jump of it only makes us look a
 * little early or late. */
static void
wait_until(struct readers *p, int64_t at_ns, int64_t now_ns)
{
	int64_t us = clock_wall_us() + (at_ns - now_ns) / NS_PER_US + 1000;
	struct timespec ts = time_spec(us);

	if (at_ns == INT64_MAX)
		pthread_cond_wait(&p->more, &p->mu);
	else
		(void)pthread_cond_timedwait(&p->more, &p->mu, &ts);
}

/* -- jobs --------------------------------------------------------------- */
static void
unlink_job(struct readers *p, struct read_job **at)
{
	struct read_job *j = *at;

	*at = j->next;
	if (*at == NULL)
		p->last = at;
	p->waiting--;
}

/* A job; NULL: it ends. */
static struct read_job *
take(struct readers *p, struct reader *r)
{
	struct read_job *j = NULL;

	pthread_mutex_lock(&p->mu);
	r->now = NULL;
	for (;;) {
		int64_t now_ns = clock_mono_ns(), at_ns = renew_at(p, r);
		unsigned generation = p->generation;

		if (!p->closed && at_ns <= now_ns) {
			pthread_mutex_unlock(&p->mu);
			renew(p, r, generation);
			pthread_mutex_lock(&p->mu);
			continue;
		}
		j = p->first;
		if (j != NULL || p->closed)
			break;
		wait_until(p, at_ns, now_ns);
	}
	if (j != NULL) {
		unlink_job(p, &p->first);
		r->now = j;
	} else {
		p->alive--;
		pthread_cond_signal(&p->over);
	}
	pthread_mutex_unlock(&p->mu);
	return j;
}

static void *
run(void *arg)
{
	struct reader *r = arg;
	struct readers *p = r->s->readers;
	struct read_job *j;

	while ((j = take(p, r)) != NULL) {
		bool off = atomic_load(&j->cancelled) || atomic_load(&p->stop);
		int64_t began_ns;

		r->db->deadline_ns = j->deadline_ns;
		r->db->cancelled = &j->cancelled;
		atomic_store(&r->db->who, j->name);
		began_ns = clock_mono_ns();
		atomic_store(&r->began_ns, began_ns);
		j->run(j, off ? NULL : r);   /* j is the waiter's again */
		atomic_store(&r->began_ns, 0);
		atomic_fetch_add(&p->busy_ns,
		    (uint64_t)(clock_mono_ns() - began_ns));
		if (atomic_load(&r->db->held_ns) != 0) {
			log_error("store", "a question left its snapshot open",
			    KV("asked_by", atomic_load(&r->db->who)));
			(void)r->db->ops->rollback(r->db, NULL);
		}
		r->db->cancelled = NULL;
		atomic_store(&r->db->who, NULL);
		r->used_ns = clock_mono_ns();
		r->used = true;
	}
	return NULL;
}

enum err
readers_start(struct store *s, struct errinfo *ei)
{
	struct readers *p = s->readers;

	for (unsigned i = 0; i < p->n; i++) {
		pthread_mutex_lock(&p->mu);
		p->alive++;
		pthread_mutex_unlock(&p->mu);
		if (pthread_create(&p->v[i].thread, NULL, run, &p->v[i]) != 0) {
			pthread_mutex_lock(&p->mu);
			p->alive--;
			pthread_mutex_unlock(&p->mu);
			return fail(ei, ERR_SYS, "cannot start a reader"
			    " thread");
		}
		p->v[i].running = true;
	}
	return ERR_OK;
}

bool
reader_submit(struct store *s, struct read_job *j)
{
	struct readers *p = s->readers;
	bool ok;

	assert(j->deadline_ns != 0);
	pthread_mutex_lock(&p->mu);
	ok = !p->closed && p->n > 0 && p->waiting < READERS_QUEUE;
	if (ok) {
		j->next = NULL;
		*p->last = j;
		p->last = &j->next;
		p->waiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->mu);
	return ok;
}

void
reader_cancel(struct store *s, struct read_job *j)
{
	struct readers *p = s->readers;
	struct read_job **at;
	bool waits;

	atomic_store(&j->cancelled, true);
	pthread_mutex_lock(&p->mu);
	for (at = &p->first; *at != NULL && *at != j; )
		at = &(*at)->next;
	waits = *at != NULL;
	if (waits)
		unlink_job(p, at);
	pthread_mutex_unlock(&p->mu);
	if (waits)
		j->run(j, NULL);
}

/* -- what others want to know ------------------------------------------- */
void
readers_renew(struct store *s)
{
	struct readers *p = s->readers;

	pthread_mutex_lock(&p->mu);
	p->generation++;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->mu);
}

struct readers_state
readers_state(struct store *s)
{
	struct readers *p = s->readers;
	struct readers_state st;

	pthread_mutex_lock(&p->mu);
	st = (struct readers_state){.n = p->n, .waiting = p->waiting};
	for (unsigned i = 0; i < p->n; i++)
		st.busy += p->v[i].now != NULL;
	pthread_mutex_unlock(&p->mu);
	return st;
}

int64_t
readers_oldest(struct store *s, const char **ret_who)
{
	struct readers *p = s->readers;
	int64_t oldest_ns = 0;

	*ret_who = NULL;
	if (p == NULL)
		return 0;
	pthread_mutex_lock(&p->mu);
	for (unsigned i = 0; i < p->n; i++) {
		int64_t ns = atomic_load(&p->v[i].db->held_ns);

		if (ns == 0 || (oldest_ns != 0 && ns >= oldest_ns))
			continue;
		oldest_ns = ns;
		*ret_who = atomic_load(&p->v[i].db->who);
	}
	pthread_mutex_unlock(&p->mu);
	return oldest_ns;
}

/* -- the end ------------------------------------------------------------ */
void
readers_close(struct readers *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->closed = true;
	atomic_store(&p->stop, true);
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->mu);
}

static bool
all_over(struct readers *p, int64_t deadline_ns)
{
	int64_t left_us = (deadline_ns - clock_mono_ns()) / NS_PER_US;
	int64_t at_us = clock_wall_us() + MAX(left_us, US_PER_S);
	struct timespec ts = time_spec(at_us);
	bool over;
	int r = 0;

	pthread_mutex_lock(&p->mu);
	while (p->alive > 0 && r == 0)
		r = pthread_cond_timedwait(&p->over, &p->mu, &ts);
	over = p->alive == 0;
	pthread_mutex_unlock(&p->mu);
	return over;
}

bool
readers_stop(struct readers *p, int64_t deadline_ns)
{
	struct read_job *j;
	unsigned n;

	if (p == NULL)
		return true;
	readers_close(p);
	if (!all_over(p, deadline_ns))
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (p->v[i].running)
			(void)pthread_join(p->v[i].thread, NULL);
	while ((j = p->first) != NULL) {   /* no thread was there to run it */
		p->first = j->next;
		j->run(j, NULL);
	}
	/* The writer still runs, and looks for who holds a snapshot. */
	pthread_mutex_lock(&p->mu);
	n = p->n;
	p->n = 0;
	pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < n; i++) {
		p->v[i].running = false;
		p->v[i].db->ops->close(p->v[i].db);
	}
	return true;
}

void
readers_free(struct readers *p)
{
	if (p == NULL || !readers_stop(p, clock_mono_ns()))
		return;
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->over);
	pthread_mutex_destroy(&p->mu);
	xfree(p);
}

uint64_t
readers_busy_ns(struct readers *p, int64_t now_ns)
{
	uint64_t sum = atomic_load(&p->busy_ns);

	pthread_mutex_lock(&p->mu);
	for (unsigned i = 0; i < p->n; i++) {
		int64_t began_ns = atomic_load(&p->v[i].began_ns);

		if (began_ns != 0 && began_ns < now_ns)
			sum += (uint64_t)(now_ns - began_ns);
	}
	pthread_mutex_unlock(&p->mu);
	return sum;
}

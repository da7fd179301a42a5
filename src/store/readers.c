#include "store/readers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "world/world.h"

enum err
readers_open(struct store *s, struct errinfo *ei)
{
	struct readers *p = xcalloc(1, sizeof(*p));
	struct backend_conf c = {.path = s->conf.path, .vfs = s->conf.vfs,
	    .memory = s->conf.memory, .reader = true, .stop = &p->stop};
	enum err e = ERR_OK;

	assert(s->readers == NULL);
	s->readers = p;
	p->s = s;
	p->last = &p->first;
	if (pthread_mutex_init(&p->mu, NULL) != 0 ||
	    pthread_cond_init(&p->more, NULL) != 0)
		abort();
	for (unsigned i = 0; e == ERR_OK && i < s->conf.readers &&
	    i < READERS_MAX; i++) {
		p->v[i].s = s;
		e = sqlite_ops.open(&c, &p->v[i].db, ei);
		if (e == ERR_OK)
			p->n++;
	}
	return e;
}

static struct read_job *
take(struct readers *p, struct reader *r)
{
	struct read_job *j;

	pthread_mutex_lock(&p->mu);
	r->now = NULL;
	while (p->first == NULL && !p->closed)
		pthread_cond_wait(&p->more, &p->mu);
	j = p->first;
	if (j != NULL) {
		p->first = j->next;
		if (p->first == NULL)
			p->last = &p->first;
		p->waiting--;
		r->now = j;
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

		r->db->deadline_ns = j->deadline_ns;
		r->db->cancelled = &j->cancelled;
		j->run(j, off ? NULL : r);   /* j is the waiter's again */
		r->db->cancelled = NULL;
	}
	return NULL;
}

enum err
readers_start(struct store *s, struct errinfo *ei)
{
	struct readers *p = s->readers;

	for (unsigned i = 0; i < p->n; i++) {
		if (pthread_create(&p->v[i].thread, NULL, run, &p->v[i]) != 0)
			return fail(ei, ERR_SYS, "cannot start a reader"
			    " thread");
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
	(void)s;
	/* It waits in the queue or its statement runs: both look at this. */
	atomic_store(&j->cancelled, true);
}

void
readers_stop(struct readers *p)
{
	struct read_job *j;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->closed = true;
	atomic_store(&p->stop, true);
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < p->n; i++)
		if (p->v[i].running)
			(void)pthread_join(p->v[i].thread, NULL);
	while ((j = p->first) != NULL) {   /* no thread was there to run it */
		p->first = j->next;
		j->run(j, NULL);
	}
	for (unsigned i = 0; i < p->n; i++) {
		p->v[i].running = false;
		p->v[i].db->ops->close(p->v[i].db);
	}
	p->n = 0;
}

void
readers_free(struct readers *p)
{
	if (p == NULL)
		return;
	readers_stop(p);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->mu);
	xfree(p);
}

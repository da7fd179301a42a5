#include "store/upkeep.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/chores.h"
#include "world/world.h"

#define VACUUM_PAGES 16   /* between two looks at the clock */
#define CUT_WAIT_NS  (INT64_C(50) * NS_PER_MS)
#define FAILING_NS   (INT64_C(5) * NS_PER_S)   /* then we do not wait for it */

struct upkeep {
	_Atomic bool asked;      /* the writer has it while this is set */
	pthread_mutex_t mu;
	/* under mu; only the writer changes them while it is asked */
	enum upkeep_step step;
	unsigned at;             /* which table, how many pages */
	uint64_t total;
	enum checkpoint outcome;
	enum err e;
	struct errinfo ei;
};

struct upkeep *
upkeep_new(void)
{
	struct upkeep *u = xcalloc(1, sizeof(*u));

	if (pthread_mutex_init(&u->mu, NULL) != 0)
		abort();
	return u;
}

void
upkeep_free(struct upkeep *u)
{
	if (u == NULL)
		return;
	pthread_mutex_destroy(&u->mu);
	xfree(u);
}

/* -- the writer's ------------------------------------------------------- */

bool
upkeep_due(const struct store *s, int64_t now_ns)
{
	(void)now_ns;
	return atomic_load(&s->upkeep->asked);
}

/* Empty pages go to the end of the file and off it. */
static enum err
vacuum(struct store *s, int64_t until_ns, bool *ret_more, struct errinfo *ei)
{
	struct upkeep *u = s->upkeep;
	const struct backend_ops *ops = s->db->ops;
	uint64_t all = 0, empty = 0, before;
	enum err e = ops->pages(s->db, &all, &empty, ei);

	if (e == ERR_OK && u->at == 0)
		u->total = empty;
	before = empty;
	while (e == ERR_OK && empty > 0 && clock_mono_ns() < until_ns) {
		uint64_t was = empty;

		e = ops->vacuum(s->db, VACUUM_PAGES, ei);
		if (e == ERR_OK)
			e = ops->pages(s->db, &all, &empty, ei);
		if (empty >= was)
			break;   /* of a file that was made without it */
	}
	u->at += (unsigned)(before - MIN(empty, before));
	*ret_more = empty > 0 && empty < before;
	return e;
}

static enum err
in_transaction(struct store *s, int64_t until_ns, bool *ret_more,
    struct errinfo *ei)
{
	struct upkeep *u = s->upkeep;
	enum err e = s->db->ops->begin(s->db, true, ei);

	if (e == ERR_OK && u->step == UPKEEP_VACUUM)
		e = vacuum(s, until_ns, ret_more, ei);
	else if (e == ERR_OK)
		e = s->db->ops->upkeep(s->db, u->step, u->at++, ret_more,
		    &u->total, ei);
	if (e == ERR_OK)
		e = s->db->ops->commit(s->db, ei);
	if (e == ERR_OK)
		return ERR_OK;
	s->fault = s->db->fault;
	writer_fault(s, ei);
	if (s->db->ops->rollback(s->db, NULL) != ERR_OK) {
		s->db->ops->close(s->db);
		s->db = NULL;
	}
	return e;
}

/* Twice: the first one may have found what was written meanwhile. */
static enum err
checkpoint(struct store *s, struct errinfo *ei)
{
	enum checkpoint how = s->db->ops->checkpoint(s->db, false);

	s->db->busy_ns = CUT_WAIT_NS;   /* the writer waits with it */
	how = s->db->ops->checkpoint(s->db, true);
	s->db->busy_ns = 0;
	wal_note(s, how);
	s->upkeep->outcome = how;
	if (how == CKPT_DONE)
		return ERR_OK;
	return fail(ei, ERR_AGAIN, "the outcome of the checkpoint was: %s; a"
	    " reader holds the WAL, or the disk fails", checkpoint_names[how]);
}

void
upkeep_slice(struct store *s)
{
	struct upkeep *u = s->upkeep;
	int64_t began_ns = clock_mono_ns();
	struct errinfo ei = {0};
	bool more = false;
	enum err e;

	pthread_mutex_lock(&u->mu);
	e = u->step == UPKEEP_CHECKPOINT ? checkpoint(s, &ei) :
	    in_transaction(s, chores_until_ns(s, began_ns), &more, &ei);
	u->e = e;
	u->ei = ei;
	pthread_mutex_unlock(&u->mu);
	if (e != ERR_OK || !more)
		atomic_store(&u->asked, false);
	chores_done(s, began_ns, clock_mono_ns());
}

/* -- who asks ----------------------------------------------------------- */

static void
words(const struct upkeep *u, struct buf *text)
{
	switch (u->step) {
	case UPKEEP_ANALYZE:
		buf_addf(text, "%u tables", u->at);
		break;
	case UPKEEP_VACUUM:
		buf_addf(text, "%u of %llu empty pages given back", u->at,
		    (unsigned long long)u->total);
		break;
	case UPKEEP_SEARCH:
		buf_addf(text, "%llu search indexes",
		    (unsigned long long)u->total);
		break;
	case UPKEEP_CHECKPOINT:
		buf_adds(text, checkpoint_names[u->outcome]);
		break;
	case UPKEEP_NMAX:
		break;
	}
}

/* While nothing can be written the writer comes to no step, and other errands
 * would wait for this one. */
static bool
is_failing(const struct store *s, int64_t waited_ns)
{
	int64_t since_us = atomic_load(&s->stats.failing_since_us);

	return waited_ns > FAILING_NS && since_us != 0 &&
	    clock_wall_us() - since_us > FAILING_NS / NS_PER_US;
}

enum err
upkeep_do(struct store *s, enum upkeep_step step,
    const struct backend_turn *turn, struct buf *text, struct errinfo *ei)
{
	const struct timespec rest = {.tv_nsec = 5 * NS_PER_MS};
	struct upkeep *u = s->upkeep;
	int64_t began_ns = clock_mono_ns();
	enum err e = ERR_OK;

	pthread_mutex_lock(&u->mu);
	u->step = step;
	u->at = 0;
	u->total = 0;
	u->e = ERR_OK;
	pthread_mutex_unlock(&u->mu);
	atomic_store(&u->asked, true);
	mbox_poke(&s->inbox);
	while (e == ERR_OK && atomic_load(&u->asked)) {
		int64_t waited_ns;

		(void)nanosleep(&rest, NULL);
		e = turn->fn(turn->arg, 0, 0, ei);
		waited_ns = clock_mono_ns() - began_ns;
		if (e == ERR_OK && is_failing(s, waited_ns))
			e = fail(ei, ERR_AGAIN, "nothing can be written now;"
			    " \"vedette store health\" says why");
		else if (e == ERR_OK && waited_ns > UPKEEP_STEP_NS)
			e = fail(ei, ERR_TIMEOUT, "the writer does not come to"
			    " it: it has too much to do");
	}
	atomic_store(&u->asked, false);
	/* A slice that was under way when we gave up ends first. */
	pthread_mutex_lock(&u->mu);
	if (e == ERR_OK && u->e != ERR_OK) {
		e = u->e;
		if (ei != NULL)
			*ei = u->ei;
	}
	words(u, text);
	pthread_mutex_unlock(&u->mu);
	return e;
}

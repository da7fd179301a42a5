/* guard.c: see guard.h. SQLite asks every PROGRESS_STEPS steps of its machine
 * and between two tries for a lock; between two rows we ask ourselves. */
#include "store/sqlite/guard.h"

#include <poll.h>

#include "base/log.h"
#include "base/time.h"
#include "store/sqlite/pragma.h"
#include "world/world.h"

/* Some tens of microseconds. */
#define PROGRESS_STEPS 1000
/* Between two tries for a lock, so that whoever left is noticed soon. */
#define WAIT_STEP_MS   5
/* A wait for a lock leaves this part of the deadline over: that it was the
 * lock is what the asker must hear, not that time ran out. */
#define WAIT_RESERVE   5

static enum ended
end_now(struct guard *g, int64_t now_ns)
{
	int64_t held_ns = atomic_load(&g->b->held_ns);

	g->aged = false;
	if (g->stop != NULL && atomic_load(g->stop))
		return ENDED_STOPPING;
	if (g->b->cancelled != NULL && atomic_load(g->b->cancelled))
		return ENDED_CANCELLED;
	if (g->until_ns != 0 && now_ns >= g->until_ns)
		return ENDED_TIMEOUT;
	if (g->age_ns != NULL && held_ns != 0 &&
	    now_ns - held_ns >= atomic_load(g->age_ns)) {
		g->aged = true;
		return ENDED_TIMEOUT;
	}
	return ENDED_OK;
}

static int
progress(void *arg)
{
	struct guard *g = arg;

	if (!g->armed)
		return 0;
	g->ended = end_now(g, clock_mono_ns());
	return g->ended != ENDED_OK;
}

/* How long in all one may wait for a lock. */
static int64_t
patience_ns(const struct guard *g)
{
	int64_t ns = g->b->busy_ns, left_ns = g->until_ns - g->wait_ns;

	if (ns == 0)
		ns = (g->reader ? PRAGMA_READER_BUSY_MS :
		    PRAGMA_WRITER_BUSY_MS) * NS_PER_MS;
	if (g->until_ns == 0)
		return ns;
	return MIN(ns, left_ns - left_ns / WAIT_RESERVE);
}

static int
busy(void *arg, int tries)
{
	struct guard *g = arg;
	int64_t now_ns = clock_mono_ns();

	if (tries == 0 || g->wait_ns == 0)
		g->wait_ns = now_ns;
	if (g->armed && (g->ended = end_now(g, now_ns)) != ENDED_OK)
		return 0;
	if (now_ns - g->wait_ns >= patience_ns(g))
		return 0;
	(void)poll(NULL, 0, MIN(1 + tries / 4, WAIT_STEP_MS));
	return 1;
}

void
guard_install(struct guard *g, sqlite3 *db)
{
	(void)sqlite3_busy_handler(db, busy, g);
	sqlite3_progress_handler(db, PROGRESS_STEPS, progress, g);
}

void
guard_arm(struct guard *g, int64_t now_ns, int64_t limit_ns)
{
	int64_t deadline_ns = g->b->deadline_ns;

	g->until_ns = limit_ns == 0 ? 0 : now_ns + limit_ns;
	if (deadline_ns != 0 && (g->until_ns == 0 ||
	    deadline_ns < g->until_ns))
		g->until_ns = deadline_ns;
	g->ended = ENDED_OK;
	g->wait_ns = 0;
	g->armed = true;
}

void
guard_disarm(struct guard *g)
{
	g->armed = false;
	g->until_ns = 0;
}

void
guard_slow(const char *name, int64_t took_ns)
{
	if (took_ns >= GUARD_SLOW_NS)
		log_warn("store", "slow", KV("statement", name),
		    KV_I("ms", took_ns / NS_PER_MS));
}

/* A snapshot is held from the first statement, or from begin, to the end. */
static void
holding(struct guard *g)
{
	bool held = g->reader && (g->tx || g->nopen > 0);

	if (!held)
		atomic_store(&g->b->held_ns, 0);
	else if (atomic_load(&g->b->held_ns) == 0)
		atomic_store(&g->b->held_ns, clock_mono_ns());
}

void
guard_settle(struct guard *g, sqlite3 *db)
{
	g->tx = !sqlite3_get_autocommit(db);
	holding(g);
}

int
guard_exec(struct guard *g, sqlite3 *db, const char *sql, int64_t limit_ns)
{
	int64_t began_ns = clock_mono_ns();
	int rc;

	if (limit_ns != 0)
		guard_arm(g, began_ns, limit_ns);
	else
		g->ended = ENDED_OK;
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	guard_disarm(g);
	/* A wait for a lock that failed has its own words. */
	if (rc == SQLITE_OK)
		guard_slow(sql, clock_mono_ns() - began_ns);
	guard_settle(g, db);
	return rc;
}

void
guard_open(struct guard *g, enum stmt s)
{
	if (!g->run[s].open)
		g->nopen++;
	g->run[s].open = true;
	g->run[s].used_ns = 0;
	g->run[s].rows = 0;
	g->ended = ENDED_OK;
	holding(g);
}

/* A long answer has a row every few hundred nanoseconds, and reading the clock
 * takes a good part of that: after the first rows one in TIMED_EACH is timed and
 * stands for all. A step that hangs is ended in any case: the limit of the last
 * timed one still holds, by the clock. */
#define TIMED_FIRST 64
#define TIMED_EACH  8

static int
untimed(struct guard *g, enum stmt s, sqlite3_stmt *st)
{
	int rc;

	g->until_ns = g->run[s].until_ns;
	g->ended = ENDED_OK;
	g->armed = true;
	rc = sqlite3_step(st);
	guard_disarm(g);
	return rc;
}

int
guard_step(struct guard *g, enum stmt s, sqlite3_stmt *st)
{
	int64_t limit_ns = g->limit_ns != NULL ?
	    g->limit_ns[stmt_rows[s].pace] : 0;
	uint64_t row = g->run[s].rows++;
	int64_t began_ns, left_ns, took_ns;
	int rc;

	if (row >= TIMED_FIRST && row % TIMED_EACH != 0)
		return untimed(g, s, st);
	began_ns = clock_mono_ns();
	left_ns = limit_ns - g->run[s].used_ns;
	guard_arm(g, began_ns, limit_ns == 0 ? 0 : MAX(left_ns, INT64_C(1)));
	g->run[s].until_ns = g->until_ns;
	g->ended = end_now(g, began_ns);
	rc = g->ended == ENDED_OK ? sqlite3_step(st) : SQLITE_INTERRUPT;
	guard_disarm(g);
	took_ns = clock_mono_ns() - began_ns;
	g->run[s].used_ns += took_ns;
	if (row >= TIMED_FIRST)   /* one that was long was long alone */
		g->run[s].used_ns += MIN(took_ns, NS_PER_MS) *
		    (TIMED_EACH - 1);
	return rc;
}

void
guard_close(struct guard *g, enum stmt s, bool failed)
{
	const struct stmt_row *row = &stmt_rows[s];
	enum ended how = failed ? ENDED_ERROR : ENDED_OK;

	if (!g->run[s].open)
		return;
	g->run[s].open = false;
	g->nopen--;
	holding(g);
	if (failed && g->ended != ENDED_OK)
		how = g->ended;
	guard_slow(row->name, g->run[s].used_ns);
	if (g->stats == NULL)
		return;
	hist_add(&g->stats->statement[row->pace], g->run[s].used_ns);
	atomic_fetch_add_explicit(&g->stats->queries[row->pace][how], 1,
	    memory_order_relaxed);
}

enum err
guard_why(const struct guard *g, const char *name, struct errinfo *ei)
{
	switch (g->ended) {
	case ENDED_TIMEOUT:
		if (!g->aged)
			return fail(ei, ERR_TIMEOUT, "the query took too long"
			    " (%s)", name);
		log_warn("store", "a question held its snapshot too long and"
		    " was ended", KV("asked_by", atomic_load(&g->b->who)),
		    KV("statement", name));
		return fail(ei, ERR_TIMEOUT, "the query held its snapshot of"
		    " the store too long (%s)", name);
	case ENDED_CANCELLED:
		return fail(ei, ERR_CANCELLED, "whoever asked has left");
	case ENDED_STOPPING:
		return fail(ei, ERR_STOPPING, "the daemon stops");
	case ENDED_OK:
	case ENDED_ERROR:
	case ENDED_NMAX:
		break;
	}
	return ERR_OK;
}

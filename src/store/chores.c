#include "store/chores.h"

#include "base/log.h"
#include "store/applied.h"
#include "store/budget.h"
#include "store/compact.h"
#include "store/prune.h"
#include "store/upkeep.h"
#include "world/world.h"

#define BOX_MIN_NS  (INT64_C(500) * 1000)
#define BOX_MAX_NS  (INT64_C(8) * 1000000)
#define BOX_FIRST_NS (INT64_C(2) * 1000000)
#define LONG_NS     (CHORES_HOLD_NS / 3)
#define SHORT_NS    (CHORES_HOLD_NS / 5)
#define REST_FACTOR 4       /* of a slice's length */
#define VACUUM_PAGES 16     /* between two looks at the clock */

static bool
may(const struct store *s)
{
	return s->failures == 0 && s->db != NULL && !wal_full(s) &&
	    s->batch->n == 0 && !s->batch->in_doubt && !atomic_load(&s->stopping);
}

static void
vacuum_slice(struct store *s)
{
	const struct backend_ops *ops = s->db->ops;
	uint64_t want = budget_vacuum(s), done = 0;
	struct errinfo ei = {0};
	enum err e = ops->begin(s->db, true, &ei);
	int64_t began_ns = clock_mono_ns();   /* the lock is held */
	int64_t until = chores_until_ns(s, began_ns);

	while (e == ERR_OK && done < want && clock_mono_ns() < until) {
		e = ops->vacuum(s->db, VACUUM_PAGES, &ei);
		done += VACUUM_PAGES;
	}
	if (e == ERR_OK)
		e = ops->commit(s->db, &ei);
	if (e != ERR_OK) {
		s->fault = s->db->fault;
		writer_fault(s, &ei);
		if (ops->rollback(s->db, NULL) != ERR_OK) {
			ops->close(s->db);
			s->db = NULL;
		}
		budget_vacuumed(s, want);   /* not again before the next look */
		s->slice_ns = clock_mono_ns() + RETRY_MAX_NS;
		return;
	}
	budget_vacuumed(s, done);
	chores_done(s, began_ns, clock_mono_ns());
}

static bool
compact_wants(const struct store *s, int64_t now_ns)
{
	(void)now_ns;
	return compact_due(s);
}

static bool
vacuum_wants(const struct store *s, int64_t now_ns)
{
	(void)now_ns;
	return budget_vacuum(s) > 0;
}

static const struct {
	const char *name;
	bool (*wants)(const struct store *s, int64_t now_ns);
	void (*slice)(struct store *s);
} chores[] = {
	{"compaction", compact_wants, compact_slice},
	{"pruning", prune_due, prune_slice},
	{"vacuum", vacuum_wants, vacuum_slice},
	{"maintenance windows", applied_due, applied_slice},
	{"upkeep", upkeep_due, upkeep_slice},
};

bool
chores_due(const struct store *s, int64_t now_ns)
{
	if (!may(s))
		return false;
	for (size_t i = 0; i < COUNT(chores); i++)
		if (chores[i].wants(s, now_ns))
			return true;
	return false;
}

/* In turns: a long one does not keep the others waiting. */
void
chores_turn(struct store *s, bool idle)
{
	int64_t now_ns = clock_mono_ns();

	if (!may(s) || now_ns < (idle ? chores_at_ns(s) : s->slice_ns))
		return;
	s->early_ns = 0;
	for (size_t i = 1; i <= COUNT(chores); i++) {
		size_t at = (s->chore + i) % COUNT(chores);

		if (!chores[at].wants(s, now_ns))
			continue;
		s->chore = (unsigned)at;
		chores[at].slice(s);
		return;
	}
}

/* A tail that a burst left behind costs memory and every start: while nothing
 * waits to be written, up to seven eighths of a rest are given up for it. How
 * long a slice is stays as it is. */
static int64_t
early_ns(const struct store *s, int64_t rest_ns)
{
	uint64_t behind = MIN(s->tail_samples / COMPACT_BEHIND,
	    UINT64_C(2) * REST_FACTOR);

	return behind == 0 ? 0 : rest_ns - rest_ns / (int64_t)behind;
}

int64_t
chores_at_ns(const struct store *s)
{
	return s->slice_ns - s->early_ns;
}

int64_t
chores_until_ns(const struct store *s, int64_t began_ns)
{
	return began_ns + (s->box_ns == 0 ? BOX_FIRST_NS :
	    s->box_ns);
}

void
chores_done(struct store *s, int64_t began_ns, int64_t end_ns)
{
	int64_t took = end_ns - began_ns;
	int64_t box = chores_until_ns(s, 0);

	hist_add(&s->stats.slice, took);
	if (took > atomic_load(&s->stats.slice_max_ns))
		atomic_store(&s->stats.slice_max_ns, took);
	if (took > CHORES_HOLD_NS)
		log_info("store", "housekeeping held the write lock long",
		    KV("chore", chores[s->chore].name),
		    KV_I("ms", took / 1000000));
	if (took > LONG_NS)
		box = MAX(box / 2, BOX_MIN_NS);
	else if (took < SHORT_NS)
		box = MIN(box + box / 4, BOX_MAX_NS);
	s->box_ns = box;
	s->slice_ns = end_ns + took * REST_FACTOR;
	s->early_ns = early_ns(s, took * REST_FACTOR);
}

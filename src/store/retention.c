/* retention.c: the table, and how the rows of each go. */
#include "store/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/budget.h"
#include "store/prune.h"
#include "store/rollup.h"
#include "store/windows.h"
#include "world/world.h"

/* Reading a row of an index costs a fraction of deleting one. */
#define WALK_FACTOR 8

static int64_t
cutoff_us(const struct prune *p, int64_t age_ns)
{
	return age_ns == 0 ? INT64_MIN : p->began_us - age_ns / NS_PER_US;
}

static void
count(struct prune *p, const struct retention_row *row, uint64_t n)
{
	p->pruned[row - retention] += n;
}

/* -- anything that is bounded by age ------------------------------------ */
static enum err
aged(struct store *s, struct prune *p, const struct retention_row *row,
    bool *ret_done, struct errinfo *ei)
{
	int64_t age_ns, n = 0;
	enum err e;

	memcpy(&age_ns, (const char *)&s->conf.retention + row->age,
	    sizeof(age_ns));
	*ret_done = true;
	if (age_ns == 0)
		return ERR_OK;
	e = s->db->ops->run(s->db, row->old, VALS(V_INT(cutoff_us(p, age_ns)),
	    V_INT(p->limit)), &n, ei);
	if (e != ERR_OK)
		return e;
	count(p, row, (uint64_t)n);
	p->used = (unsigned)n;
	*ret_done = n < p->limit;
	return ERR_OK;
}

/* -- roll-ups ------------------------------------------------------------ */
static enum err
rollups(struct store *s, struct prune *p, const struct retention_row *row,
    bool *ret_done, struct errinfo *ei)
{
	const int64_t age_ns[ROLLUP_NLEVEL] = {
		[ROLLUP_HOUR] = s->conf.retention.hours_ns,
		[ROLLUP_DAY] = s->conf.retention.days_ns,
	};
	int64_t hour, n = 0;
	enum err e;

	if (!p->entered)
		p->seen = ROLLUP_HOUR;
	*ret_done = p->seen == ROLLUP_NLEVEL;
	if (*ret_done)
		return ERR_OK;
	if (age_ns[p->seen] == 0) {
		p->seen++;
		return ERR_OK;
	}
	/* Not before all of it is too old. */
	hour = rollup_hour(cutoff_us(p, age_ns[p->seen])) -
	    (p->seen == ROLLUP_DAY ? 23 : 0);
	e = s->db->ops->run(s->db, STMT_ROLLUP_OLD, VALS(V_INT(p->seen),
	    V_INT(hour), V_INT(p->limit)), &n, ei);
	if (e != ERR_OK)
		return e;
	count(p, row, (uint64_t)n);
	p->used = (unsigned)n;
	if (n < p->limit)
		p->seen++;
	return ERR_OK;
}

/* -- samples at rest ----------------------------------------------------
 * Chunk by chunk, oldest first over all monitors. A chunk goes when all of
 * it is too old, or while there are too many bytes, but never one that holds
 * any of its monitor's newest samples: those stay, and so does its last
 * chunk, from which a restart knows what was moved out of the tail. */
struct old {
	int64_t id, to_us;
	uint32_t monitor;
	uint64_t last_seq, n, bytes;
};

static enum err
oldest(struct store *s, const struct prune *p, struct old *v, unsigned *ret_n,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_CHUNK_OLD;
	enum err e = ops->query(s->db, st, VALS(V_INT(p->at_us),
	    V_INT(p->id), V_INT(p->limit)), ei);
	unsigned n = 0;

	while (e == ERR_OK && (e = ops->next(s->db, st, ei)) == ERR_OK) {
		v[n++] = (struct old){.id = ops->column_int(s->db, st, 0),
		    .monitor = (uint32_t)ops->column_int(s->db, st, 1),
		    .last_seq = (uint64_t)ops->column_int(s->db, st, 2),
		    .n = (uint64_t)ops->column_int(s->db, st, 3),
		    .bytes = (uint64_t)ops->column_int(s->db, st, 4),
		    .to_us = ops->column_int(s->db, st, 5)};
	}
	ops->done(s->db, st);
	*ret_n = n;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Has the monitor enough samples that are newer than this chunk? */
static enum err
spare(struct store *s, const struct old *o, bool *ret, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_CHUNK_NEWER;
	const struct entry *en = view_entry(s->view, o->monitor);
	uint64_t want = MAX(s->conf.retention.samples_newest, 1u);
	uint64_t have = en != NULL ? en->ntail : 0;
	bool later = false;
	enum err e;

	*ret = false;
	e = ops->query(s->db, st, VALS(V_INT(o->monitor), V_INT(o->last_seq)),
	    ei);
	while (e == ERR_OK && (!later || have < want) &&
	    (e = ops->next(s->db, st, ei)) == ERR_OK) {
		later = true;
		have += (uint64_t)ops->column_int(s->db, st, 0);
	}
	ops->done(s->db, st);
	*ret = later && have >= want;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void
chunk_gone(struct prune *p, const struct retention_row *row,
    const struct old *o, bool shed)
{
	p->over_bytes -= MIN(p->over_bytes, o->bytes);
	p->over_budget -= MIN(p->over_budget, o->bytes);
	p->relieved += o->bytes;
	if (shed)
		p->shed += o->n;
	count(p, row, 1);
}

/* How much is too much, when the round comes to the samples. */
static enum err
samples_enter(struct store *s, struct prune *p, struct errinfo *ei)
{
	uint64_t max = s->conf.retention.samples_bytes;
	int64_t bytes = 0;
	enum err e;

	p->at_us = INT64_MIN;
	p->id = 0;
	p->over_budget = budget_over(s);
	p->over_bytes = 0;
	if (max == 0)
		return ERR_OK;
	e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("chunk_bytes")), 0,
	    &bytes, ei);
	if (e == ERR_OK && (uint64_t)MAX(bytes, INT64_C(0)) > max)
		p->over_bytes = (uint64_t)bytes - max;
	return e;
}

static enum err
samples(struct store *s, struct prune *p, const struct retention_row *row,
    bool *ret_done, struct errinfo *ei)
{
	int64_t cut_us = cutoff_us(p, s->conf.retention.samples_ns);
	struct old v[PRUNE_LIMIT_MAX];
	unsigned n = 0;
	enum err e = ERR_OK;

	*ret_done = false;
	if (!p->entered)
		e = samples_enter(s, p, ei);
	if (e == ERR_OK)
		e = oldest(s, p, v, &n, ei);
	for (unsigned i = 0; e == ERR_OK && i < n; i++) {
		const struct old *o = &v[i];
		bool kept = o->to_us >= cut_us && p->over_bytes == 0, go;

		if (kept && p->over_budget == 0) {
			*ret_done = true;
			return ERR_OK;
		}
		e = spare(s, o, &go, ei);
		if (e == ERR_OK && go)
			e = s->db->ops->run(s->db, STMT_CHUNK_DEL,
			    VALS(V_INT(o->id)), NULL, ei);
		if (e == ERR_OK && go)
			chunk_gone(p, row, o, kept);
		p->at_us = o->to_us;
		p->id = (uint64_t)o->id;
		p->used++;
	}
	*ret_done = e == ERR_OK && n < p->limit;
	return e;
}

/* -- transitions --------------------------------------------------------
 * Monitor by monitor: older ones than a floor go. The floor is the one that
 * was in force when the age begins, so that uptime since then stays exact, or
 * the N-th newest, whichever is newer. */
static void
floor_raise(struct prune *p, int64_t at_us, uint64_t id)
{
	if (p->has_floor && (at_us < p->floor_us ||
	    (at_us == p->floor_us && id <= p->floor_id)))
		return;
	p->has_floor = true;
	p->floor_us = at_us;
	p->floor_id = id;
}

/* *ret_n: which of the rows it is; 0: there is none. */
static enum err
turn_at(struct store *s, enum stmt st, const struct val *v, size_t nv,
    int64_t ret[3], struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum err e = ops->query(s->db, st, v, nv, ei);

	ret[2] = 0;
	if (e == ERR_OK)
		e = ops->next(s->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	ret[0] = ops->column_int(s->db, st, 0);
	ret[1] = ops->column_int(s->db, st, 1);
	ret[2] = st == STMT_TRANSITION_NTH ? ops->column_int(s->db, st, 2) : 1;
	ops->done(s->db, st);
	return ERR_OK;
}

static enum err
turns_next(struct store *s, struct prune *p, bool *ret_done,
    struct errinfo *ei)
{
	const struct retention *r = &s->conf.retention;
	struct entry *en = view_next(s->view, p->monitor);
	int64_t row[3] = {0};
	enum err e = ERR_OK;

	*ret_done = en == NULL;
	if (en == NULL)
		return ERR_OK;
	p->monitor = en->row.conf->id;
	p->has_floor = false;
	p->seen = 0;
	p->at_us = p->floor_us = INT64_MAX;
	p->id = INT64_MAX;
	if (r->transitions_ns != 0)
		e = turn_at(s, STMT_TRANSITION_FLOOR, VALS(V_INT(p->monitor),
		    V_INT(cutoff_us(p, r->transitions_ns))), row, ei);
	if (row[2] != 0)
		floor_raise(p, row[0], (uint64_t)row[1]);
	if (r->transitions_per_monitor != 0 && !en->counted)
		p->stage = PRUNE_WALK;
	else if (p->has_floor)
		p->stage = PRUNE_DELETE;
	return e;
}

static enum err
turns_walk(struct store *s, struct prune *p, struct errinfo *ei)
{
	uint64_t left = s->conf.retention.transitions_per_monitor - p->seen;
	uint64_t take = MIN(left, (uint64_t)p->limit * WALK_FACTOR);
	struct entry *en = view_entry(s->view, p->monitor);
	int64_t row[3];
	enum err e = turn_at(s, STMT_TRANSITION_NTH, VALS(V_INT(p->monitor),
	    V_INT(p->at_us), V_INT(p->id), V_INT(take)), row, ei);

	if (e != ERR_OK)
		return e;
	p->used = p->limit;
	p->seen += (uint64_t)row[2];
	p->at_us = row[0];
	p->id = (uint64_t)row[1];
	if ((uint64_t)row[2] == take && take < left)
		return ERR_OK;
	if ((uint64_t)row[2] == take)
		floor_raise(p, row[0], (uint64_t)row[1]);
	else if (en != NULL)
		en->counted = true;
	p->stage = p->has_floor ? PRUNE_DELETE : PRUNE_NEXT;
	return ERR_OK;
}

static enum err
turns_delete(struct store *s, struct prune *p,
    const struct retention_row *row, struct errinfo *ei)
{
	struct entry *en = view_entry(s->view, p->monitor);
	int64_t n = 0;
	enum err e = s->db->ops->run(s->db, STMT_TRANSITION_BEFORE, VALS(
	    V_INT(p->monitor), V_INT(p->floor_us), V_INT(p->floor_id),
	    V_INT(p->limit)), &n, ei);

	if (e != ERR_OK)
		return e;
	count(p, row, (uint64_t)n);
	p->used = (unsigned)n;
	if (n == p->limit)
		return ERR_OK;
	p->stage = PRUNE_NEXT;
	if (en != NULL && p->seen ==
	    s->conf.retention.transitions_per_monitor)
		en->counted = true;
	return ERR_OK;
}

static enum err
transitions(struct store *s, struct prune *p,
    const struct retention_row *row, bool *ret_done, struct errinfo *ei)
{
	*ret_done = false;
	if (!p->entered) {
		p->monitor = 0;
		p->stage = PRUNE_NEXT;
	}
	switch (p->stage) {
	case PRUNE_NEXT:
		return turns_next(s, p, ret_done, ei);
	case PRUNE_WALK:
		return turns_walk(s, p, ei);
	case PRUNE_DELETE:
		return turns_delete(s, p, row, ei);
	}
	return ERR_OK;
}

/* -- the event log ------------------------------------------------------
 * From its old end, by age or by number. */
static enum err
events(struct store *s, struct prune *p, const struct retention_row *row,
    bool *ret_done, struct errinfo *ei)
{
	const struct retention *r = &s->conf.retention;
	uint64_t have = atomic_load(&s->next_event) - p->first_event, to = 0;
	int64_t aged_id = 0, n = 0;
	enum err e = ERR_OK;

	if (r->logs_count != 0 && have > r->logs_count)
		to = atomic_load(&s->next_event) - r->logs_count - 1;
	if (r->logs_ns != 0)
		e = backend_int(s->db, STMT_EVENT_AGED,
		    VALS(V_INT(cutoff_us(p, r->logs_ns)), V_INT(p->limit)), 0,
		    &aged_id, ei);
	if (aged_id > 0)
		to = MAX(to, (uint64_t)aged_id);
	*ret_done = to < p->first_event;
	if (e != ERR_OK || *ret_done)
		return e;
	to = MIN(to, p->first_event + p->limit - 1);
	e = s->db->ops->run(s->db, STMT_EVENT_DEL, VALS(V_INT(to)), &n, ei);
	if (e != ERR_OK)
		return e;
	p->first_event = to + 1;
	p->used = p->limit;
	count(p, row, (uint64_t)n);
	return ERR_OK;
}

/* -- maintenance windows ------------------------------------------------
 * What is forgotten before the commit is over: nobody misses it. */
static enum err
windows(struct store *s, struct prune *p, const struct retention_row *row,
    bool *ret_done, struct errinfo *ei)
{
	int64_t age_ns = s->conf.retention.maintenance_ns, n = 0;
	enum err e = ERR_OK;

	*ret_done = true;
	if (age_ns == 0)
		return ERR_OK;
	e = s->db->ops->run(s->db, row->old, VALS(V_INT(cutoff_us(p, age_ns)),
	    V_INT(p->limit)), &n, ei);
	if (e != ERR_OK)
		return e;
	windows_forget(s->view->windows, cutoff_us(p, age_ns));
	count(p, row, (uint64_t)n);
	p->used = (unsigned)n;
	*ret_done = n < p->limit;
	return ERR_OK;
}

/* -- the table ---------------------------------------------------------- */
const struct retention_row retention[] = {
	{"chunk", "samples older than store.retention.samples, and the oldest "
	    "beyond samples_bytes or the disk budget; each monitor's newest "
	    "samples_newest stay", .step = samples},
	{"transition", "older than store.retention.transitions, but for the "
	    "one then in force, and the newest transitions_per_monitor",
	    .step = transitions},
	{"rollup", "hours older than store.retention.hours, days older than"
	    " days", .step = rollups},
	{"outbox", "over, and older than store.retention.alerts; what is live"
	    " or belongs to an open incident stays", .step = aged,
	    .old = STMT_OUTBOX_OLD,
	    .age = offsetof(struct retention, alerts_ns)},
	{"hold", "as outbox", .step = aged, .old = STMT_HOLD_OLD,
	    .age = offsetof(struct retention, alerts_ns)},
	{"delivery", "the newest 20,000, as they come"},
	{"channel_health", "one row per channel"},
	{"event", "older than store.retention.logs, and the newest logs_count",
	    .step = events},
	{"gap", "older than store.retention.transitions; at start the newest "
	    "20,000", .step = aged, .old = STMT_GAP_OLD,
	    .age = offsetof(struct retention, transitions_ns)},
	{"maintenance", "over for longer than store.retention.maintenance; the"
	    " file's stay as long as it names them", .step = windows,
	    .old = STMT_WINDOW_OLD},
	{"applied", "as transition: ended before store.retention.transitions",
	    .step = aged, .old = STMT_APPLIED_OLD,
	    .age = offsetof(struct retention, transitions_ns)},
	{"incident", "as transition: closed before store.retention.transitions;"
	    " open ones stay, of manual ones at most 10,000 are kept",
	    .step = aged, .old = STMT_INCIDENT_OLD,
	    .age = offsetof(struct retention, transitions_ns)},
	{"incident_update", "at most 500 of an incident, which they go with"},
	{"tail", "moved into chunks every ten minutes or 200,000 samples"},
	{"state", "one row per monitor, which goes with it"},
	{"evidence", "one row per monitor, which goes with it"},
	{"quarantine", "at most 100,000; what a person drops, or stores"},
	{"doomed", "one row per deleted monitor, until its rows are gone"},
	{"monitor", "configuration: what people made, they delete"},
	{"channel", "configuration: what people made, they delete"},
	{"token", "at most 1,000, revoked ones included"},
	{"meta", "a handful of numbers, by name"},
	{"migration", "one row per step of the schema"},
	{NULL}
};
_Static_assert(COUNT(retention) <= RETENTION_MAX, "a counter for each");

size_t
retention_count(void)
{
	return COUNT(retention) - 1;
}

const struct retention_row *
retention_find(const char *table)
{
	for (const struct retention_row *r = retention; r->table != NULL; r++)
		if (strcmp(r->table, table) == 0)
			return r;
	return NULL;
}

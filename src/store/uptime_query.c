#include "store/uptime_query.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/applied.h"
#include "store/query_parts.h"
#include "world/world.h"

/* Turns of one monitor in one question about uptime. */
#define TURNS_MAX 2000000

/* What one monitor's account is made of. */
struct account {
	struct uptime_in in;
	struct turn *turns;       /* owned; in.turns */
	uint64_t *ids;            /* owned; of turns at one microsecond */
	size_t cap;
	struct gap *gaps;         /* owned */
	struct gap *windows;      /* owned */
	struct applied applied;   /* of the whole question; owned */
};

static void
account_free(struct account *a)
{
	xfree(a->turns);
	xfree(a->ids);
	xfree(a->gaps);
	xfree(a->windows);
	applied_free(&a->applied);
}

/* A status that no version ever wrote is a damaged row: not known, and said. */
static uint8_t
status_of(uint32_t monitor, int64_t at_us, int64_t v)
{
	if (v >= 0 && v < STATUS_NMAX)
		return (uint8_t)v;
	log_error("store", "a transition is damaged: it counts as unknown",
	    KV_I("monitor", monitor), KV_I("at_us", at_us));
	return STATUS_UNKNOWN;
}

static enum err
add_turn(struct account *a, struct turn t, uint64_t id, struct errinfo *ei)
{
	size_t i = a->in.nturns;

	if (i == TURNS_MAX)
		return fail(ei, ERR_LIMIT, "more than %d changes in that"
		    " time; ask for less", TURNS_MAX);
	if (i == a->cap) {
		a->cap = a->cap == 0 ? 64 : a->cap * 2;
		a->turns = xrealloc(a->turns, a->cap, sizeof(*a->turns));
		a->ids = xrealloc(a->ids, a->cap, sizeof(*a->ids));
	}
	/* Those of one microsecond come in any order: by id. */
	for (; i > 0 && a->turns[i - 1].at_us == t.at_us &&
	    a->ids[i - 1] > id; i--) {
		a->turns[i] = a->turns[i - 1];
		a->ids[i] = a->ids[i - 1];
	}
	a->turns[i] = t;
	a->ids[i] = id;
	a->in.nturns++;
	return ERR_OK;
}

static enum err
gaps_of(struct reader *r, struct account *a, int64_t from_us,
    struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum stmt st = STMT_GAP_LOAD;
	enum err e = ops->query(r->db, st, VALS(V_INT(from_us)), ei);

	a->gaps = xcalloc(GAPS_MAX + 1, sizeof(*a->gaps));
	while (e == ERR_OK && a->in.ngaps < GAPS_MAX &&
	    (e = ops->next(r->db, st, ei)) == ERR_OK)
		a->in.ngaps = uptime_gap_add(a->gaps, a->in.ngaps,
		    (struct gap){ops->column_int(r->db, st, 0),
		    ops->column_int(r->db, st, 1)});
	ops->done(r->db, st);
	a->in.gaps = a->gaps;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
windows_of(struct reader *r, const struct uptime_query *q, uint32_t monitor,
    struct account *a, struct errinfo *ei)
{
	enum err e;

	xfree(TAKE(a->windows));
	a->in.nwindows = 0;
	a->in.count_windows = q->count_maintenance;
	if (q->windows == NULL) {
		a->in.nwindows = applied_of(&a->applied, monitor,
		    &a->windows);
		a->in.windows = a->windows;
		return ERR_OK;
	}
	e = q->windows(r, monitor, q->from_us, q->to_us, &a->windows,
	    &a->in.nwindows, ei);
	a->in.windows = a->windows;
	return e;
}

/* The status when the window begins: what the last change before it led to;
 * with none before, what the first one after it came from. */
static enum err
first_status(struct reader *r, uint32_t monitor, int64_t from_us,
    enum status now, enum status *ret, struct errinfo *ei)
{
	static const enum stmt ask[] = {STMT_TURN_AT, STMT_TURN_NEXT};
	const struct backend_ops *ops = r->db->ops;

	*ret = now;
	for (size_t i = 0; i < COUNT(ask); i++) {
		enum err e = ops->query(r->db, ask[i], VALS(V_INT(monitor),
		    V_INT(from_us)), ei);

		if (e == ERR_OK)
			e = ops->next(r->db, ask[i], ei);
		if (e == ERR_OK) {
			*ret = (enum status)status_of(monitor, from_us,
			    ops->column_int(r->db, ask[i], 0));
			ops->done(r->db, ask[i]);
			return ERR_OK;
		}
		if (e != ERR_NOT_FOUND)
			return e;
	}
	return ERR_OK;
}

static enum err
turns_of(struct reader *r, uint32_t monitor, const struct uptime_query *q,
    struct account *a, struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum stmt st = STMT_TURN_SPAN;
	enum err e = ops->query(r->db, st, VALS(V_INT(monitor),
	    V_INT(q->from_us), V_INT(q->to_us)), ei);

	while (e == ERR_OK && (e = ops->next(r->db, st, ei)) == ERR_OK) {
		struct turn t = {.at_us = ops->column_int(r->db, st, 0)};

		t.from = status_of(monitor, t.at_us,
		    ops->column_int(r->db, st, 1));
		t.to = status_of(monitor, t.at_us,
		    ops->column_int(r->db, st, 2));
		e = add_turn(a, t, (uint64_t)ops->column_int(r->db, st, 3), ei);
	}
	ops->done(r->db, st);
	a->in.turns = a->turns;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Everything about one monitor over a window. */
static enum err
collect(struct reader *r, uint32_t monitor, const struct uptime_query *q,
    struct account *a, struct errinfo *ei)
{
	struct view_row row;
	enum status now;
	enum err e;

	if (q->from_us >= q->to_us)
		return fail(ei, ERR_INVALID, "from must be before to");
	e = view_get(r->s->view, monitor, &row);
	if (e != ERR_OK)
		return fail(ei, e, "there is no monitor %u", monitor);
	a->in.created_us = row.conf->created_us;
	now = (enum status)row.status;
	view_row_release(&row);
	e = query_snapshot(r, ei);
	if (e != ERR_OK)
		return e;
	a->in.from_us = q->from_us;
	a->in.to_us = q->to_us;
	a->in.now_us = clock_wall_us();
	e = first_status(r, monitor, q->from_us, now, &a->in.first, ei);
	if (e == ERR_OK)
		e = turns_of(r, monitor, q, a, ei);
	if (e == ERR_OK)
		e = gaps_of(r, a, q->from_us, ei);
	if (e == ERR_OK)
		e = applied_load(r, q->from_us, q->to_us, &a->applied, ei);
	if (e == ERR_OK)
		e = windows_of(r, q, monitor, a, ei);
	return query_release(r, e);
}

enum err
query_uptime(struct reader *r, uint32_t monitor, const struct uptime_query *q,
    struct uptime *ret, struct errinfo *ei)
{
	struct account a CLEANUP(account_free) = {0};
	enum err e = collect(r, monitor, q, &a, ei);

	if (e == ERR_OK)
		uptime_compute(&a.in, ret);
	return e;
}

/* -- by day -------------------------------------------------------------- */

/* The days' edges, and the days; a skipped date is left out. */
static enum err
edges(const struct uptime_query *q, const struct zone *z, int64_t **ret_edge,
    struct uptime_day **ret, size_t *ret_n, struct errinfo *ei)
{
	int32_t first = zone_day(z, q->from_us);
	int64_t n = (int64_t)zone_day(z, q->to_us - 1) - first + 1;
	int64_t *edge;
	struct uptime_day *v;
	size_t k = 0;

	if (n > UPTIME_DAYS_MAX)
		return fail_at(ei, ERR_INVALID, "from", 0, "%lld days; at most"
		    " %d at a time", (long long)n, UPTIME_DAYS_MAX);
	edge = *ret_edge = xcalloc((size_t)n + 1, sizeof(*edge));
	v = *ret = xcalloc((size_t)n, sizeof(*v));
	edge[0] = zone_day_start(z, first);
	for (int32_t d = first; d < first + n; d++) {
		edge[k + 1] = zone_day_start(z, d + 1);
		if (edge[k + 1] == edge[k])
			continue;
		v[k] = (struct uptime_day){.day = d, .from_us = edge[k],
		    .to_us = edge[k + 1]};
		k++;
	}
	*ret_n = k;
	return ERR_OK;
}

enum err
query_uptime_days(struct reader *r, uint32_t monitor,
    const struct uptime_query *q, const struct zone *z,
    struct uptime_day **ret, size_t *ret_n, struct errinfo *ei)
{
	struct account a CLEANUP(account_free) = {0};
	struct uptime_day *v CLEANUP(xfreep) = NULL;
	struct uptime *u CLEANUP(xfreep) = NULL;
	int64_t *edge CLEANUP(xfreep) = NULL;
	struct uptime_query all = *q;
	size_t n = 0;
	enum err e;

	if (q->from_us >= q->to_us)
		return fail(ei, ERR_INVALID, "from must be before to");
	e = edges(q, z, &edge, &v, &n, ei);
	if (e != ERR_OK)
		return e;
	all.from_us = edge[0];
	all.to_us = edge[n];
	e = collect(r, monitor, &all, &a, ei);
	if (e != ERR_OK)
		return e;
	u = xcalloc(n, sizeof(*u));
	uptime_series(&a.in, edge, n, u);
	for (size_t i = 0; i < n; i++)
		v[i].u = u[i];
	*ret = TAKE(v);
	*ret_n = n;
	return ERR_OK;
}

/* -- of all ---------------------------------------------------------------- */

/* One pass over the index of turns beside the list of monitors, both sorted
 * by id. */
struct pass {
	struct reader *r;
	const struct uptime_query *q;
	struct account *a;
	struct uptime_of *v;
	const enum status *now;
	const int64_t *created;
	size_t n, at;             /* monitors; the one that is collected */
	bool begun;               /* its first status is known */
};

static void
pass_begin(struct pass *p)
{
	p->begun = false;
	p->a->in.nturns = 0;
	p->a->in.first = p->now[p->at];
	p->a->in.created_us = p->created[p->at];
}

static enum err
pass_end(struct pass *p, struct errinfo *ei)
{
	enum err e = windows_of(p->r, p->q, p->v[p->at].monitor, p->a, ei);

	p->a->in.turns = p->a->turns;
	if (e == ERR_OK)
		uptime_compute(&p->a->in, &p->v[p->at].u);
	if (++p->at < p->n)
		pass_begin(p);
	return e;
}

static enum err
pass_row(struct pass *p, enum stmt st, struct errinfo *ei)
{
	const struct backend_ops *ops = p->r->db->ops;
	uint32_t monitor = (uint32_t)ops->column_int(p->r->db, st, 0);
	struct turn t = {.at_us = ops->column_int(p->r->db, st, 1)};
	enum err e = ERR_OK;

	while (e == ERR_OK && p->at < p->n && p->v[p->at].monitor < monitor)
		e = pass_end(p, ei);
	if (e != ERR_OK || p->at == p->n || p->v[p->at].monitor != monitor)
		return e;   /* archived, or deleted and not yet gone */
	t.from = status_of(monitor, t.at_us,
	    ops->column_int(p->r->db, st, 2));
	t.to = status_of(monitor, t.at_us, ops->column_int(p->r->db, st, 3));
	if (!p->begun)
		p->a->in.first = (enum status)t.from;
	p->begun = true;
	/* What was before the window only says how it began. */
	if (t.at_us <= p->q->from_us && p->a->in.nturns > 0 &&
	    p->a->turns[0].at_us < t.at_us)
		p->a->in.nturns = 0;
	return add_turn(p->a, t,
	    (uint64_t)ops->column_int(p->r->db, st, 4), ei);
}

static enum err
pass_all(struct pass *p, struct errinfo *ei)
{
	const struct backend_ops *ops = p->r->db->ops;
	enum stmt st = STMT_TURN_ALL;
	enum err e = gaps_of(p->r, p->a, p->q->from_us, ei);

	pass_begin(p);
	if (e == ERR_OK)
		e = applied_load(p->r, p->q->from_us, p->q->to_us,
		    &p->a->applied, ei);
	if (e == ERR_OK)
		e = ops->query(p->r->db, st, VALS(V_INT(p->v[0].monitor),
		    V_INT(p->v[p->n - 1].monitor), V_INT(p->q->to_us)), ei);
	while (e == ERR_OK && (e = ops->next(p->r->db, st, ei)) == ERR_OK)
		e = pass_row(p, st, ei);
	ops->done(p->r->db, st);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	while (e == ERR_OK && p->at < p->n)
		e = pass_end(p, ei);
	return e;
}

enum err
query_uptime_all(struct reader *r, const struct uptime_query *q,
    uint32_t after, size_t limit, struct uptime_of **ret, size_t *ret_n,
    struct errinfo *ei)
{
	const struct view_filter f = {.has_ids_after = true, .after = after};
	struct account a CLEANUP(account_free) = {0};
	struct uptime_of *v CLEANUP(xfreep) = NULL;
	enum status *now CLEANUP(xfreep) = NULL;
	int64_t *created CLEANUP(xfreep) = NULL;
	struct pass p = {.r = r, .q = q, .a = &a};
	struct view_row *rows = NULL;
	enum err e;

	if (q->from_us >= q->to_us)
		return fail(ei, ERR_INVALID, "from must be before to");
	e = view_list(r->s->view, &f, VIEW_BY_ID, limit, &rows, &p.n);
	if (e != ERR_OK)
		return fail(ei, e, "the monitors cannot be listed");
	p.v = v = xcalloc(p.n + 1, sizeof(*v));
	p.now = now = xcalloc(p.n + 1, sizeof(*now));
	p.created = created = xcalloc(p.n + 1, sizeof(*created));
	for (size_t i = 0; i < p.n; i++) {
		v[i].monitor = rows[i].conf->id;
		now[i] = (enum status)rows[i].status;
		created[i] = rows[i].conf->created_us;
		view_row_release(&rows[i]);
	}
	xfree(rows);
	a.in.from_us = q->from_us;
	a.in.to_us = q->to_us;
	a.in.now_us = clock_wall_us();
	if (p.n > 0) {
		e = query_snapshot(r, ei);
		if (e == ERR_OK)
			e = query_release(r, pass_all(&p, ei));
	}
	if (e != ERR_OK)
		return e;
	*ret = TAKE(v);
	*ret_n = p.n;
	return ERR_OK;
}

/* latency.c: whole hours inside a point come from their rows, whole days from
 * theirs; what is left at the edges, and everything that is not compacted yet,
 * comes from the samples themselves. */
#include "store/latency.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/block.h"
#include "store/chunk.h"
#include "store/query_parts.h"
#include "store/rollups.h"
#include "world/world.h"

const char *const latency_grain_names[] = {
	[LATENCY_SAMPLES] = "samples", [LATENCY_HOURS] = "hours",
	[LATENCY_DAYS] = "days",
};

#define MINUTE_US (INT64_C(60) * 1000000)
#define DAY_US    (24 * HOUR_US)

struct ask {
	struct reader *r;
	uint32_t monitor;
	struct latency *l;
	int64_t from_us, to_us;
	int64_t since_us;         /* no roll-ups of the time before */
	uint64_t *place;          /* owned: in the tail */
	size_t nplaces;
	uint64_t moved_block;     /* places up to it are in chunks, */
	bool moved;               /* of this monitor */
	struct rollup *one;       /* owned: a row */
};

static void
ask_free(struct ask *a)
{
	xfree(a->place);
	xfree(a->one);
}

void
latency_free(struct latency *l)
{
	xfree(l->v);
	xfree(l->all);
	l->v = NULL;
	l->all = NULL;
}

static int64_t
floor_to(int64_t us, int64_t step)
{
	int64_t rest = us % step;

	return us - rest - (rest < 0 ? step : 0);
}

/* -- steps ----------------------------------------------------------------- */

/* The smallest round step that does not make too many points. */
static int64_t
round_step(int64_t wide)
{
	static const int64_t steps[] = {MINUTE_US, 5 * MINUTE_US,
	    15 * MINUTE_US, HOUR_US, 3 * HOUR_US, 6 * HOUR_US, 12 * HOUR_US,
	    DAY_US, 7 * DAY_US, 30 * DAY_US};
	size_t i = 0;

	while (i + 1 < COUNT(steps) && wide / steps[i] >= LATENCY_POINTS)
		i++;
	return MAX(steps[i], wide / LATENCY_POINTS / DAY_US * DAY_US);
}

static enum err
check(const struct latency_query *q, struct errinfo *ei)
{
	if (q->from_us >= q->to_us || q->step_us < 0)
		return fail(ei, ERR_INVALID, "from must be before to");
	if (q->from_us < q->to_us - LATENCY_WIDE_US)
		return fail_at(ei, ERR_INVALID, "from", 0,
		    "more than ten years at a time");
	return ERR_OK;
}

static enum err
points(const struct latency_query *q, struct latency *l, struct errinfo *ei)
{
	int64_t step, unit, first, n;

	step = q->step_us == 0 ? round_step(q->to_us - q->from_us) :
	    q->step_us;
	unit = step >= DAY_US ? DAY_US : step >= HOUR_US ? HOUR_US : 1;
	step = (step + unit - 1) / unit * unit;
	first = floor_to(q->from_us, step);
	n = (q->to_us - 1 - first) / step + 1;
	if (n > LATENCY_POINTS_MAX)
		return fail_at(ei, ERR_INVALID, "step", 0, "%lld points; at"
		    " most %d: take a longer step", (long long)n,
		    LATENCY_POINTS_MAX);
	l->from_us = q->from_us;
	l->to_us = q->to_us;
	l->step_us = step;
	l->n = (size_t)n;
	l->v = xcalloc(l->n, sizeof(*l->v));
	l->all = xcalloc(1, sizeof(*l->all));
	for (size_t i = 0; i < l->n; i++) {
		l->v[i].from_us = MAX(first + (int64_t)i * step, q->from_us);
		l->v[i].to_us = MIN(first + ((int64_t)i + 1) * step, q->to_us);
	}
	return ERR_OK;
}

/* The point of a time inside the window. */
static struct latency_point *
point_of(const struct latency *l, int64_t us)
{
	int64_t first = floor_to(l->v[0].from_us, l->step_us);

	return &l->v[(us - first) / l->step_us];
}

/* Does the hour lie whole inside one point, and in the time of roll-ups? */
static bool
is_rolled(const struct ask *a, int64_t hour)
{
	int64_t at = hour * HOUR_US;
	const struct latency_point *p;

	if (at < a->from_us || at + HOUR_US > a->to_us || at < a->since_us)
		return false;
	p = point_of(a->l, at);
	return p->from_us <= at && at + HOUR_US <= p->to_us;
}

/* -- roll-ups -------------------------------------------------------------- */
static enum err
add_row(struct ask *a, struct latency_point *p, enum rollup_level level,
    int64_t hour, struct errinfo *ei)
{
	const struct backend_ops *ops = a->r->db->ops;
	enum err e = ops->query(a->r->db, STMT_ROLLUP_GET, VALS(V_INT(level),
	    V_INT(hour), V_INT(a->monitor)), ei);

	if (e == ERR_OK)
		e = ops->next(a->r->db, STMT_ROLLUP_GET, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (rollup_get(ops->column_str(a->r->db, STMT_ROLLUP_GET, 0),
	    a->one)) {
		rollup_merge(&p->r, a->one);
	} else {
		log_error("store", "a roll-up is damaged",
		    KV_I("monitor", a->monitor), KV_I("hour", hour));
		p->r.damaged = true;
	}
	ops->done(a->r->db, STMT_ROLLUP_GET);
	return ERR_OK;
}

/* A day's row instead of its hours', when all of it is asked for. */
static bool
whole_day(const struct ask *a, int64_t hour)
{
	return hour % 24 == 0 && is_rolled(a, hour) &&
	    is_rolled(a, hour + 23) &&
	    point_of(a->l, hour * HOUR_US) ==
	    point_of(a->l, (hour + 23) * HOUR_US);
}

static enum err
from_rollups(struct ask *a, struct errinfo *ei)
{
	int64_t hour = rollup_hour(MAX(a->from_us, a->since_us));
	enum err e = ERR_OK;

	while (e == ERR_OK && hour * HOUR_US < a->to_us) {
		bool day = whole_day(a, hour);

		if (day || is_rolled(a, hour))
			e = add_row(a, point_of(a->l, hour * HOUR_US), day ?
			    ROLLUP_DAY : ROLLUP_HOUR, hour, ei);
		hour += day ? 24 : 1;
	}
	return e;
}

/* -- samples --------------------------------------------------------------- */
static void
add_sample(struct ask *a, const struct sample *s, bool compacted)
{
	if (s->at_us < a->from_us || s->at_us >= a->to_us)
		return;
	if (compacted && is_rolled(a, rollup_hour(s->at_us)))
		return;
	rollup_add(&point_of(a->l, s->at_us)->r, s);
}

/* Is there an hour in this time that no row answers? */
static bool
wanted(const struct ask *a, int64_t from_us, int64_t to_us)
{
	int64_t hour = rollup_hour(MAX(from_us, a->from_us));

	for (; hour * HOUR_US <= MIN(to_us, a->to_us - 1); hour++)
		if (!is_rolled(a, hour))
			return true;
	return false;
}

static void
spoiled(struct ask *a, int64_t from_us, int64_t to_us, const char *why)
{
	log_error("store", "samples cannot be read",
	    KV_I("monitor", a->monitor), KV_I("from_us", from_us),
	    KV_I("to_us", to_us), KV("error", why));
	for (size_t i = 0; i < a->l->n; i++)
		if (a->l->v[i].from_us <= to_us && a->l->v[i].to_us > from_us)
			a->l->v[i].r.damaged = true;
}

static enum err
add_chunk(struct ask *a, int64_t id, int64_t from_us, int64_t to_us,
    struct errinfo *ei)
{
	const struct backend_ops *ops = a->r->db->ops;
	struct sample *v CLEANUP(xfreep) = NULL;
	struct errinfo why = {0};
	size_t n = 0;
	enum err e = ops->query(a->r->db, STMT_CHUNK_GET, VALS(V_INT(id)), ei);

	if (e == ERR_OK)
		e = ops->next(a->r->db, STMT_CHUNK_GET, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (chunk_decode(ops->column_str(a->r->db, STMT_CHUNK_GET, 0), &v, &n,
	    &why) != ERR_OK)
		spoiled(a, from_us, to_us, why.text);
	ops->done(a->r->db, STMT_CHUNK_GET);
	for (size_t i = 0; i < n; i++)
		add_sample(a, &v[i], true);
	return ERR_OK;
}

static enum err
from_chunks(struct ask *a, struct errinfo *ei)
{
	const struct backend_ops *ops = a->r->db->ops;
	enum stmt st = STMT_CHUNK_LIST;
	enum err e = ops->query(a->r->db, st, VALS(V_INT(a->monitor),
	    V_INT(INT64_MAX), V_INT(a->to_us)), ei);

	while (e == ERR_OK && (e = ops->next(a->r->db, st, ei)) == ERR_OK) {
		int64_t from = ops->column_int(a->r->db, st, 2);
		int64_t to = ops->column_int(a->r->db, st, 3);

		if (to < a->from_us || !wanted(a, from, to))
			continue;
		e = add_chunk(a, ops->column_int(a->r->db, st, 0), from, to,
		    ei);
	}
	ops->done(a->r->db, st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
from_tail(struct ask *a, struct errinfo *ei)
{
	const struct backend_ops *ops = a->r->db->ops;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < a->nplaces; i++) {
		uint64_t block = a->place[i] >> 8;
		struct sample s;

		if (a->moved && block <= a->moved_block)
			continue;
		e = ops->query(a->r->db, STMT_TAIL_GET, VALS(V_INT(block)), ei);
		if (e == ERR_OK)
			e = ops->next(a->r->db, STMT_TAIL_GET, ei);
		if (e == ERR_NOT_FOUND) {   /* it lies in a chunk by now */
			e = ERR_OK;
			continue;
		}
		if (e != ERR_OK)
			return e;
		if (block_get(ops->column_str(a->r->db, STMT_TAIL_GET, 0),
		    a->place[i] & 0xff, &s))
			add_sample(a, &s, false);
		else
			spoiled(a, a->from_us, a->to_us, "a block is damaged");
		ops->done(a->r->db, STMT_TAIL_GET);
	}
	return e;
}

/* -- what is not there any more --------------------------------------------- */
/* The first sample of this monitor that is still there; INT64_MIN: none ever
 * went. Numbers begin at one, and the oldest chunks go first. */
static enum err
samples_since(struct ask *a, int64_t *ret_us, struct errinfo *ei)
{
	const struct backend_ops *ops = a->r->db->ops;
	enum stmt st = STMT_AUDIT_CHUNKS;
	enum err e = ops->query(a->r->db, st, VALS(V_INT(a->monitor), V_INT(0),
	    V_INT(1)), ei);

	*ret_us = INT64_MIN;
	if (e == ERR_OK)
		e = ops->next(a->r->db, st, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (ops->column_int(a->r->db, st, 1) > 1)
		*ret_us = ops->column_int(a->r->db, st, 3);
	ops->done(a->r->db, st);
	return ERR_OK;
}

/* As fine as the oldest part of the window is known. */
static enum err
coarsen(struct ask *a, struct latency_query *q, struct errinfo *ei)
{
	int64_t age_us = a->r->s->conf.retention.hours_ns / NS_PER_US;
	int64_t hours_us = age_us == 0 ? INT64_MIN : clock_wall_us() - age_us;
	int64_t since_us, unit;
	enum err e = samples_since(a, &since_us, ei);

	if (e != ERR_OK || q->from_us >= since_us || q->to_us <= a->since_us)
		return e;
	a->l->grain = q->from_us < hours_us ? LATENCY_DAYS : LATENCY_HOURS;
	unit = a->l->grain == LATENCY_DAYS ? DAY_US : HOUR_US;
	q->from_us = floor_to(q->from_us, unit);
	q->to_us = floor_to(q->to_us + unit - 1, unit);
	if (q->step_us == 0)
		q->step_us = round_step(q->to_us - q->from_us);
	q->step_us = MAX(q->step_us, unit);
	return ERR_OK;
}

static enum err
answer(struct ask *a, struct latency_query *q, struct errinfo *ei)
{
	uint32_t monitor = 0;
	enum err e = rollups_marked(a->r->db, &a->moved_block, &monitor, ei);

	a->moved = a->monitor <= monitor;
	if (e == ERR_OK)
		e = rollups_since(a->r->db, &a->since_us, ei);
	if (e == ERR_OK)
		e = coarsen(a, q, ei);
	if (e == ERR_OK)
		e = points(q, a->l, ei);
	a->from_us = q->from_us;
	a->to_us = q->to_us;
	if (e == ERR_OK)
		e = from_rollups(a, ei);
	if (e == ERR_OK)
		e = from_chunks(a, ei);
	if (e == ERR_OK)
		e = from_tail(a, ei);
	return e;
}

enum err
query_latency(struct reader *r, const struct latency_query *q,
    struct latency *ret, struct errinfo *ei)
{
	struct latency l CLEANUP(latency_free) = {0};
	struct ask a CLEANUP(ask_free) = {.r = r, .monitor = q->monitor,
	    .l = &l};
	struct latency_query wide = *q;
	enum err e = check(q, ei);

	if (e != ERR_OK)
		return e;
	e = query_places(r, q->monitor, &a.place, &a.nplaces);
	if (e != ERR_OK)
		return fail(ei, e, "there is no monitor %u", q->monitor);
	a.one = xcalloc(1, sizeof(*a.one));
	e = query_snapshot(r, ei);
	if (e == ERR_OK)
		e = query_release(r, answer(&a, &wide, ei));
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < l.n; i++)
		rollup_merge(l.all, &l.v[i].r);
	*ret = l;
	l = (struct latency){0};
	return ERR_OK;
}

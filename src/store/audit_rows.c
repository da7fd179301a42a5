/* audit_rows.c: the rules that decode what they read: samples at rest and in
 * the tail, transitions and the states they led to. Each page of rows is one
 * read transaction; between two of them the writer may have moved samples
 * from the tail into chunks, or small chunks into one. */
#include "store/audit_rule.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "model/incident.h"
#include "store/block.h"
#include "store/chunk.h"
#include "store/rollup.h"
#include "store/state_code.h"

/* -- chunks ------------------------------------------------------------- */

struct chunk_row {
	int64_t id, from_us, to_us;
	uint64_t first, last;
	size_t n;
};

static enum err
chunk_there(struct audit *a, int64_t id, bool *ret, struct errinfo *ei)
{
	enum stmt st = STMT_CHUNK_GET;
	enum err e = a->db->ops->query(a->db, st, VALS(V_INT(id)), ei);

	if (e == ERR_OK)
		e = a->db->ops->next(a->db, st, ei);
	*ret = e == ERR_OK;
	if (e == ERR_OK)
		a->db->ops->done(a->db, st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void
chunk_inside(struct audit *a, struct audit_span where,
    const struct chunk_row *c, const struct sample *v, size_t n)
{
	uint64_t seq = 0;

	if (n != c->n)
		audit_find(a, where, "chunk %lld has %zu samples, its row says"
		    " %zu", (long long)c->id, n, c->n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].monitor != where.monitor) {
			audit_find(a, where, "chunk %lld holds a sample of"
			    " monitor %u", (long long)c->id, v[i].monitor);
			return;
		}
		if (v[i].at_us < c->from_us || v[i].at_us > c->to_us) {
			audit_find(a, where, "chunk %lld holds a sample outside"
			    " of its time", (long long)c->id);
			return;
		}
		if (v[i].node != 0)
			continue;
		if (v[i].seq <= seq) {
			audit_find(a, where, "chunk %lld: sample %llu comes"
			    " after %llu", (long long)c->id,
			    (unsigned long long)v[i].seq,
			    (unsigned long long)seq);
			return;
		}
		seq = v[i].seq;
	}
	if (v[0].seq != c->first || v[n - 1].seq != c->last)
		audit_find(a, where, "chunk %lld holds samples %llu to %llu,"
		    " its row says %llu to %llu", (long long)c->id,
		    (unsigned long long)v[0].seq,
		    (unsigned long long)v[n - 1].seq,
		    (unsigned long long)c->first, (unsigned long long)c->last);
}

static enum err
chunk_one(struct audit *a, uint32_t monitor, struct chunk_row *prev,
    struct str bytes, const struct chunk_row *c, struct errinfo *ei)
{
	struct audit_span where = {monitor, c->from_us, c->to_us};
	struct sample *v CLEANUP(xfreep) = NULL;
	struct errinfo why = {0};
	size_t n = 0;
	bool there = true;
	enum err e = ERR_OK;

	if (chunk_decode(bytes, &v, &n, &why) != ERR_OK)
		audit_find(a, where, "chunk %lld is damaged: %.120s",
		    (long long)c->id, why.text);
	else
		chunk_inside(a, where, c, v, n);
	a->r->samples += n;
	/* Merged meanwhile: the one before is gone. */
	if (prev->id != 0 && c->first <= prev->last)
		e = chunk_there(a, prev->id, &there, ei);
	if (e == ERR_OK && prev->id != 0 && c->first <= prev->last && there)
		audit_find(a, where, "chunk %lld begins at sample %llu, which"
		    " chunk %lld holds too", (long long)c->id,
		    (unsigned long long)c->first, (long long)prev->id);
	*prev = *c;
	return e;
}

/* Copied out of the row, because the rule asks more while it stands on it. */
static enum err
chunk_page(struct audit *a, uint32_t monitor, struct chunk_row *prev,
    bool *ret_more, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_CHUNKS;
	uint64_t after = prev->last;
	size_t rows = 0;
	enum err e = audit_begin(a, ei);

	if (e == ERR_OK)
		e = ops->query(a->db, st, VALS(V_INT(monitor), V_INT(after),
		    V_INT(AUDIT_PAGE)), ei);
	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		struct chunk_row c = {.id = ops->column_int(a->db, st, 0),
		    .first = (uint64_t)ops->column_int(a->db, st, 1),
		    .last = (uint64_t)ops->column_int(a->db, st, 2),
		    .from_us = ops->column_int(a->db, st, 3),
		    .to_us = ops->column_int(a->db, st, 4),
		    .n = (size_t)ops->column_int(a->db, st, 5)};

		rows++;
		e = chunk_one(a, monitor, prev, ops->column_str(a->db, st, 6),
		    &c, ei);
	}
	*ret_more = rows == AUDIT_PAGE;
	return audit_end(a, e == ERR_NOT_FOUND ? ERR_OK : e, ei);
}

enum err
audit_chunks(struct audit *a, struct errinfo *ei)
{
	uint32_t monitor = 0;
	enum err e;

	while ((e = audit_owner(a, STMT_AUDIT_CHUNK_OWNER, &monitor, ei)) ==
	    ERR_OK) {
		struct chunk_row prev = {0};
		bool more = true;

		while (e == ERR_OK && more) {
			e = chunk_page(a, monitor, &prev, &more, ei);
			if (e == ERR_OK)
				e = audit_turn(a, ei);
		}
		if (e != ERR_OK)
			return e;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* -- the tail ----------------------------------------------------------- */

/* The highest sequence seen of a monitor, in the tail and in its chunks. */
struct seen {
	struct map_node node;
	uint32_t monitor;
	uint64_t seq;
	uint64_t chunk_seq;
};

static void
seen_free(struct map *m)
{
	MAP_EACH(n, m)
		xfree(CONTAINER(n, struct seen, node));
	map_free(m);
}

static struct seen *
seen_of(struct map *m, uint32_t monitor)
{
	uint64_t hash = map_hash_u64(monitor);
	struct seen *s;

	for (struct map_node *n = map_first(m, hash); n != NULL;
	    n = map_next(n)) {
		s = CONTAINER(n, struct seen, node);
		if (s->monitor == monitor)
			return s;
	}
	s = xcalloc(1, sizeof(*s));
	s->monitor = monitor;
	map_put(m, &s->node, hash);
	return s;
}

/* A sample below the last chunk is a copy of one that was moved. */
static enum err
tail_moved(struct audit *a, const struct sample *p, struct errinfo *ei)
{
	const struct audit_span where = {p->monitor, p->at_us, p->at_us};
	struct sample *v CLEANUP(xfreep) = NULL;
	enum stmt st = STMT_AUDIT_CHUNK_WITH;
	bool found = false;
	size_t n = 0;
	enum err e = a->db->ops->query(a->db, st, VALS(V_INT(p->monitor),
	    V_INT(p->seq)), ei);

	if (e == ERR_OK)
		e = a->db->ops->next(a->db, st, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (chunk_decode(a->db->ops->column_str(a->db, st, 0), &v, &n, NULL) !=
	    ERR_OK)
		found = true;   /* the rule of chunks says so */
	a->db->ops->done(a->db, st);
	for (size_t i = 0; i < n && !found; i++)
		found = v[i].node == 0 && v[i].seq == p->seq &&
		    v[i].at_us == p->at_us && v[i].status == p->status &&
		    v[i].why == p->why;
	if (!found)
		audit_find(a, where, "sample %llu of the tail is not the one"
		    " in its chunk", (unsigned long long)p->seq);
	return ERR_OK;
}

static enum err
tail_sample(struct audit *a, struct map *m, const struct sample *p,
    struct errinfo *ei)
{
	struct seen *s = seen_of(m, p->monitor);
	int64_t last = 0;
	enum err e = ERR_OK;

	if (p->node != 0)
		return ERR_OK;
	if (p->seq <= s->seq)
		audit_find(a, (struct audit_span){p->monitor, p->at_us,
		    p->at_us}, "sample %llu comes after %llu in the tail",
		    (unsigned long long)p->seq, (unsigned long long)s->seq);
	s->seq = MAX(s->seq, p->seq);
	/* Asked again only for what may have been moved since. */
	if (s->chunk_seq == 0 || p->seq <= s->chunk_seq)
		e = backend_int(a->db, STMT_AUDIT_CHUNK_LAST,
		    VALS(V_INT(p->monitor)), 0, &last, ei);
	else
		return ERR_OK;
	s->chunk_seq = MAX((uint64_t)last, UINT64_C(1));
	if (e != ERR_OK || p->seq > (uint64_t)last)
		return e;
	return tail_moved(a, p, ei);
}

static enum err
tail_block(struct audit *a, struct map *m, uint64_t id, size_t want,
    struct str bytes, struct errinfo *ei)
{
	struct block_reader r;
	struct audit_span where = {0};
	struct sample p;
	size_t n = 0;
	enum err e = ERR_OK;

	if (!block_open(&r, bytes)) {
		audit_find(a, where, "block %llu of the tail, %zu samples, is"
		    " damaged", (unsigned long long)id, want);
		return ERR_OK;
	}
	while (e == ERR_OK && block_next(&r, &p)) {
		n++;
		where = (struct audit_span){p.monitor, p.at_us, p.at_us};
		e = tail_sample(a, m, &p, ei);
	}
	if (e == ERR_OK && (r.bad || n != want))
		audit_find(a, where, "block %llu of the tail has %zu samples,"
		    " its row says %zu", (unsigned long long)id, n, want);
	a->r->samples += n;
	return e;
}

static enum err
tail_page(struct audit *a, struct map *m, uint64_t *after, bool *ret_more,
    struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_TAIL;
	size_t rows = 0;
	enum err e = audit_begin(a, ei);

	if (e == ERR_OK)
		e = ops->query(a->db, st, VALS(V_INT(*after),
		    V_INT(AUDIT_PAGE)), ei);
	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		rows++;
		*after = (uint64_t)ops->column_int(a->db, st, 0);
		e = tail_block(a, m, *after,
		    (size_t)ops->column_int(a->db, st, 1),
		    ops->column_str(a->db, st, 2), ei);
	}
	*ret_more = rows == AUDIT_PAGE;
	return audit_end(a, e == ERR_NOT_FOUND ? ERR_OK : e, ei);
}

enum err
audit_tail(struct audit *a, struct errinfo *ei)
{
	struct map m CLEANUP(seen_free) = {0};
	uint64_t after = 0;
	bool more = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && more) {
		e = tail_page(a, &m, &after, &more, ei);
		if (e == ERR_OK)
			e = audit_turn(a, ei);
	}
	return e;
}

/* -- transitions -------------------------------------------------------- */

struct turn_row {
	uint64_t id;
	int64_t at_us;
	unsigned from, to;
};

static void
turn_one(struct audit *a, uint32_t monitor, const struct turn_row *prev,
    const struct turn_row *t)
{
	struct audit_span where = {monitor, prev->id != 0 ? prev->at_us :
	    t->at_us, t->at_us};

	a->r->transitions++;
	if (t->from >= STATUS_NMAX || t->to >= STATUS_NMAX)
		audit_find(a, where, "transition %llu is from or to a status"
		    " that does not exist", (unsigned long long)t->id);
	else if (prev->id != 0 && prev->to < STATUS_NMAX &&
	    t->from != prev->to)
		audit_find(a, where, "transition %llu is from %s, but the one"
		    " before went to %s", (unsigned long long)t->id,
		    status_name((enum status)t->from),
		    status_name((enum status)prev->to));
}

static enum err
turn_page(struct audit *a, uint32_t monitor, struct turn_row *prev,
    bool *ret_more, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_TURNS;
	size_t rows = 0;
	enum err e = ops->query(a->db, st, VALS(V_INT(monitor),
	    V_INT(prev->id), V_INT(AUDIT_PAGE)), ei);

	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		struct turn_row t = {
		    .id = (uint64_t)ops->column_int(a->db, st, 0),
		    .at_us = ops->column_int(a->db, st, 1),
		    .from = (unsigned)ops->column_int(a->db, st, 2),
		    .to = (unsigned)ops->column_int(a->db, st, 3)};

		rows++;
		turn_one(a, monitor, prev, &t);
		*prev = t;
	}
	*ret_more = rows == AUDIT_PAGE;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* In the transaction of the last page: the state is where they led to. */
static enum err
turn_state(struct audit *a, uint32_t monitor, const struct turn_row *last,
    struct errinfo *ei)
{
	struct audit_span where = {monitor, last->at_us, last->at_us};
	enum stmt st = STMT_STATE_GET;
	struct mon_state state;
	enum err e = a->db->ops->query(a->db, st, VALS(V_INT(monitor)), ei);

	if (e == ERR_OK)
		e = a->db->ops->next(a->db, st, ei);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (!state_code_get(a->db->ops->column_str(a->db, st, 0), monitor,
	    &state))
		audit_find(a, where, "its state is damaged");
	else if (state.status != last->to && last->to < STATUS_NMAX)
		audit_find(a, where, "it is %s, but its last transition went"
		    " to %s", status_name((enum status)state.status),
		    status_name((enum status)last->to));
	a->db->ops->done(a->db, st);
	return ERR_OK;
}

enum err
audit_turns(struct audit *a, struct errinfo *ei)
{
	uint32_t monitor = 0;
	enum err e;

	while ((e = audit_owner(a, STMT_AUDIT_TURN_OWNER, &monitor, ei)) ==
	    ERR_OK) {
		struct turn_row prev = {0};
		bool more = true;

		while (e == ERR_OK && more) {
			e = audit_begin(a, ei);
			if (e != ERR_OK)
				return e;
			e = turn_page(a, monitor, &prev, &more, ei);
			if (e == ERR_OK && !more)
				e = turn_state(a, monitor, &prev, ei);
			e = audit_end(a, e, ei);
			if (e == ERR_OK)
				e = audit_turn(a, ei);
		}
		if (e != ERR_OK)
			return e;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* -- roll-ups ----------------------------------------------------------- */

struct rollup_key {
	int64_t level, hour;
	uint32_t monitor;
};

static void
rollup_one(struct audit *a, const struct rollup_key *at, struct str bytes,
    bool known)
{
	int64_t hour_us = 3600 * US_PER_S, from_us = at->hour * hour_us;
	struct audit_span where = {at->monitor, from_us, from_us +
	    (at->level == ROLLUP_DAY ? 24 : 1) * hour_us};
	struct rollup r;

	if (!rollup_get(bytes, &r))
		audit_find(a, where, "the roll-up of %s is damaged",
		    at->level == ROLLUP_DAY ? "a day" : "an hour");
	if (!known)
		audit_find(a, where, "a roll-up of a monitor that is not"
		    " there");
}

static enum err
rollup_page(struct audit *a, struct rollup_key *at, bool *ret_more,
    struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_ROLLUPS;
	size_t rows = 0;
	enum err e = ops->query(a->db, st, VALS(V_INT(at->level),
	    V_INT(at->hour), V_INT(at->monitor), V_INT(AUDIT_PAGE)), ei);

	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		rows++;
		*at = (struct rollup_key){
		    .level = ops->column_int(a->db, st, 0),
		    .hour = ops->column_int(a->db, st, 1),
		    .monitor = (uint32_t)ops->column_int(a->db, st, 2)};
		rollup_one(a, at, ops->column_str(a->db, st, 3),
		    ops->column_int(a->db, st, 4) != 0);
	}
	*ret_more = rows == AUDIT_PAGE;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
audit_rollups(struct audit *a, struct errinfo *ei)
{
	struct rollup_key at = {.level = -1};   /* before the first */
	bool more = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && more) {
		e = rollup_page(a, &at, &more, ei);
		if (e == ERR_OK)
			e = audit_turn(a, ei);
	}
	return e;
}

/* -- incidents ------------------------------------------------------------- */

static void
incident_one(struct audit *a, uint32_t monitor, struct str bytes,
    int64_t open_us, int64_t n)
{
	struct audit_span where = {monitor, open_us, open_us};
	struct mon_state st = {0};
	int64_t want_us;

	if (!state_code_get(bytes, monitor, &st))
		return;   /* another rule's */
	want_us = incident_of(&st, open_us);
	where.from_us = where.to_us = MAX(want_us, open_us);
	if (n > 1)
		audit_find(a, where, "%lld incidents of it are open",
		    (long long)n);
	else if (want_us != 0 && open_us == 0)
		audit_find(a, where, "it is %s, and no incident of it is open",
		    status_name((enum status)st.status));
	else if (want_us == 0 && open_us != 0)
		audit_find(a, where, "it is %s, and its incident is open",
		    status_name((enum status)st.status));
	else if (want_us != open_us)
		audit_find(a, where, "another incident of it is open than its"
		    " state says");
}

enum err
audit_incidents(struct audit *a, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_INCIDENT_OPEN;
	uint32_t after = 0;
	size_t rows = AUDIT_PAGE;
	enum err e = ERR_OK;

	while (e == ERR_OK && rows == AUDIT_PAGE) {
		rows = 0;
		e = ops->query(a->db, st, VALS(V_INT(after),
		    V_INT(AUDIT_PAGE)), ei);
		while (e == ERR_OK &&
		    (e = ops->next(a->db, st, ei)) == ERR_OK) {
			rows++;
			after = (uint32_t)ops->column_int(a->db, st, 0);
			incident_one(a, after, ops->column_str(a->db, st, 1),
			    ops->column_int(a->db, st, 2),
			    ops->column_int(a->db, st, 3));
		}
		if (e == ERR_NOT_FOUND)
			e = audit_turn(a, ei);
	}
	return e;
}

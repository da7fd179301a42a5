/* compact.c: a cycle reads the tail's blocks up to a cut once, moves each
 * monitor's samples into chunks and roll-ups, monitor by monitor, and then
 * deletes those blocks from the front. A crash in between leaves samples in
 * both places: how far it was is written with every step (rollups_mark), and
 * the cycle is taken up again there. */
#include "store/compact.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/chores.h"
#include "store/chunk.h"
#include "store/rollups.h"
#include "world/world.h"

#define MERGE_BELOW 96       /* a last chunk smaller than this is filled up */
#define CUT_BLOCKS  500      /* deleted in one slice */
#define DOOM_ROWS   64       /* of each table, between looks at the clock */
#define AGAIN_NS    (INT64_C(600) * 1000000000)   /* after a failed cycle */

enum stage { STAGE_READ, STAGE_MOVE, STAGE_CUT };

struct held {                /* a block in memory */
	unsigned char *p;        /* owned; NULL: damaged */
	size_t n;
	int64_t base_us;
	uint16_t *at;            /* owned; where each sample's frame begins */
	unsigned samples;
};

struct moved {
	uint32_t monitor, n;
	uint64_t last_seq;
};

struct compaction {
	enum stage stage;
	uint64_t first, cut;     /* block ids, both included */
	uint64_t next;           /* to be read; to be deleted */
	uint32_t monitor;        /* the last one that was moved */
	struct held *held;       /* of first … cut */
	uint64_t samples;        /* in them, as the table says */
	int64_t began_us;
	struct moved *moved;     /* in this slice */
	size_t nmoved, moved_cap;
	bool failed;             /* what went in did not come out: no cut */
};

void
compact_free(struct compaction *c)
{
	if (c == NULL)
		return;
	for (uint64_t i = 0; c->held != NULL && i <= c->cut - c->first; i++) {
		xfree(c->held[i].p);
		xfree(c->held[i].at);
	}
	xfree(c->held);
	xfree(c->moved);
	xfree(c);
}

static bool
cycle_due(const struct store *s)
{
	if (s->tail_samples == 0)
		return false;
	return s->tail_samples >= COMPACT_SAMPLES ||
	    clock_wall_us() - s->tail_since_us >= COMPACT_AGE_US;
}

bool
compact_due(const struct store *s)
{
	if (s->failures > 0 || s->db == NULL || s->batch->n > 0 ||
	    s->batch->in_doubt || atomic_load(&s->stopping))
		return false;
	return s->compaction != NULL || s->ndoomed > 0 || cycle_due(s);
}

static void
begin_cycle(struct store *s)
{
	uint64_t first = s->tail_first == 0 ? 1 : s->tail_first;
	struct compaction *c;

	if (s->next.block <= first) {   /* the last of it was unreadable */
		s->tail_samples = 0;
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->first = c->next = first;
	c->cut = s->next.block - 1;
	c->began_us = clock_wall_us();
	c->cut = MIN(c->cut, c->first + COMPACT_SAMPLES);
	if (s->moved_monitor != 0 && s->moved_block >= first) {
		c->cut = s->moved_block;
		c->monitor = s->moved_monitor;
	}
	c->held = xcalloc((size_t)(c->cut - c->first + 1), sizeof(*c->held));
	s->compaction = c;
}

/* The frames of a block, so that a sample is found without walking. */
static void
hold(struct held *h, struct str bytes)
{
	const unsigned char *start = (const unsigned char *)bytes.p;
	uint16_t at[BLOCK_SAMPLES];
	struct block_reader r;
	struct sample ignored;

	if (!block_open(&r, bytes))
		return;
	while (h->samples < BLOCK_SAMPLES) {
		at[h->samples] = (uint16_t)(r.p - start);
		if (!block_next(&r, &ignored))
			break;
		h->samples++;
	}
	h->base_us = r.base_us;
	h->n = bytes.n;
	h->p = xcalloc(bytes.n, 1);
	memcpy(h->p, bytes.p, bytes.n);
	h->at = xcalloc(h->samples + 1, sizeof(*h->at));
	memcpy(h->at, at, h->samples * sizeof(*h->at));
}

static enum err
read_blocks(struct store *s, struct compaction *c, int64_t until_ns,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum err e = ERR_OK;

	while (c->next <= c->cut && clock_mono_ns() < until_ns) {
		struct held *h = &c->held[c->next - c->first];

		e = ops->query(s->db, STMT_TAIL_GET, VALS(V_INT(c->next)), ei);
		if (e == ERR_OK)
			e = ops->next(s->db, STMT_TAIL_GET, ei);
		if (e == ERR_OK) {
			hold(h, ops->column_str(s->db, STMT_TAIL_GET, 0));
			c->samples += h->samples;
			ops->done(s->db, STMT_TAIL_GET);
		} else if (e != ERR_NOT_FOUND) {
			return e;
		}
		c->next++;
		if (c->samples >= COMPACT_HOLD && c->monitor == 0)
			c->cut = c->next - 1;   /* the rest is another cycle's */
	}
	if (c->next > c->cut)
		c->stage = STAGE_MOVE;
	return ERR_OK;
}

static bool
fetch(const struct compaction *c, uint64_t place, struct sample *ret)
{
	const struct held *h = &c->held[(place >> 8) - c->first];
	unsigned slot = place & 0xff;
	struct block_reader r;

	if (slot >= h->samples)
		return false;
	/* Opened and checked when it was read. */
	r = (struct block_reader){.p = h->p + h->at[slot],
	    .n = h->n - h->at[slot] - BLOCK_CRC, .base_us = h->base_us};
	return block_next(&r, ret);
}

static bool
same(const struct sample *a, const struct sample *b)
{
	return a->monitor == b->monitor && a->node == b->node &&
	    a->seq == b->seq && a->due_us == b->due_us &&
	    a->at_us == b->at_us && a->latency_us == b->latency_us &&
	    memcmp(a->phase_us, b->phase_us, sizeof(a->phase_us)) == 0 &&
	    a->lag_us == b->lag_us && a->bytes == b->bytes &&
	    a->code == b->code && a->status == b->status &&
	    a->why == b->why && a->recheck == b->recheck &&
	    a->peer.family == b->peer.family &&
	    a->peer.port == b->peer.port &&
	    memcmp(a->peer.ip, b->peer.ip, sizeof(a->peer.ip)) == 0 &&
	    a->cert_expiry_s == b->cert_expiry_s &&
	    strcmp(a->reason, b->reason) == 0;
}

/* What comes out again is what went in, or nothing is cut away. */
static bool
verify(struct str bytes, const struct sample *v, size_t n)
{
	struct sample *back CLEANUP(xfreep) = NULL;
	size_t nback = 0;

	if (chunk_decode(bytes, &back, &nback, NULL) != ERR_OK || nback != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same(&v[i], &back[i]))
			return false;
	return true;
}

static enum err
put_chunk(struct store *s, struct compaction *c, const struct sample *v,
    size_t n, struct errinfo *ei)
{
	BUF_AUTO(b, CHUNK_BYTES_MAX);
	int64_t from_us = v[0].at_us, to_us = v[0].at_us;

	if (chunk_encode(v, n, &b) != ERR_OK || !verify(buf_str(&b), v, n)) {
		c->failed = true;
		return fail(ei, ERR_INVALID, "a chunk does not read back");
	}
	for (size_t i = 1; i < n; i++) {
		from_us = MIN(from_us, v[i].at_us);
		to_us = MAX(to_us, v[i].at_us);
	}
	return s->db->ops->run(s->db, STMT_CHUNK_PUT, VALS(
	    V_INT(v[0].monitor), V_INT(v[0].seq), V_INT(v[n - 1].seq),
	    V_INT(from_us), V_INT(to_us), V_INT(n), V_BYTES(buf_str(&b))),
	    NULL, ei);
}

/* The last chunk, when it is still small: its samples begin the next one. */
static enum err
last_chunk(struct store *s, uint32_t monitor, struct sample **ret,
    size_t *ret_n, uint64_t *ret_seq, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_CHUNK_LAST;
	enum err e = ops->query(s->db, st, VALS(V_INT(monitor)), ei);
	int64_t id = 0;
	bool merge = false;

	if (e == ERR_OK)
		e = ops->next(s->db, st, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	id = ops->column_int(s->db, st, 0);
	*ret_seq = (uint64_t)ops->column_int(s->db, st, 1);
	if (ops->column_int(s->db, st, 2) < MERGE_BELOW)
		merge = chunk_decode(ops->column_str(s->db, st, 3), ret, ret_n,
		    NULL) == ERR_OK;
	ops->done(s->db, st);
	if (!merge)
		return ERR_OK;
	return ops->run(s->db, STMT_CHUNK_DEL, VALS(V_INT(id)), NULL, ei);
}

static void
note_moved(struct compaction *c, uint32_t monitor, uint32_t n, uint64_t seq)
{
	if (c->nmoved == c->moved_cap) {
		c->moved_cap = c->moved_cap == 0 ? 64 : c->moved_cap * 2;
		c->moved = xrealloc(c->moved, c->moved_cap, sizeof(*c->moved));
	}
	c->moved[c->nmoved++] = (struct moved){monitor, n, seq};
}

static uint32_t
places_up_to(const struct entry *en, uint64_t cut)
{
	uint32_t n = 0;

	while (n < en->ntail && en->tail[n] >> 8 <= cut)
		n++;
	return n;
}

static enum err
move_one(struct store *s, struct compaction *c, const struct entry *en,
    struct errinfo *ei)
{
	struct sample *old CLEANUP(xfreep) = NULL;
	struct sample *all CLEANUP(xfreep) = NULL;
	uint32_t id = en->row.conf->id, places = places_up_to(en, c->cut);
	size_t n = 0, nold, at = 0;
	uint64_t seq = 0;
	enum err e;

	if (places == 0)
		return ERR_OK;
	e = last_chunk(s, id, &old, &n, &seq, ei);
	if (e != ERR_OK)
		return e;
	all = xcalloc(n + places, sizeof(*all));
	if (n > 0)
		memcpy(all, old, n * sizeof(*all));
	nold = n;
	for (uint32_t i = 0; i < places; i++) {
		struct sample *p = &all[n];

		if (!fetch(c, en->tail[i], p))
			continue;   /* damaged; it was said at open */
		if (p->node == 0 && p->seq <= seq)
			continue;   /* moved before a crash */
		seq = p->node == 0 ? p->seq : seq;
		n++;
	}
	for (; e == ERR_OK && at < n; at += CHUNK_SAMPLES)
		e = put_chunk(s, c, all + at,
		    MIN(n - at, (size_t)CHUNK_SAMPLES), ei);
	if (e == ERR_OK)
		e = rollups_add(s, all + nold, n - nold, ei);
	if (e == ERR_OK)
		note_moved(c, id, places, seq);
	return e;
}

/* The first monitor after id, in the order of ids. */
static size_t
index_after(const struct view *v, uint32_t id)
{
	size_t lo = 0, hi = v->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->ids[mid]->row.conf->id <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum err
move_some(struct store *s, struct compaction *c, int64_t until_ns,
    uint32_t *ret_last, struct errinfo *ei)
{
	size_t i = index_after(s->view, c->monitor);
	enum err e = ERR_OK;

	c->nmoved = 0;
	*ret_last = c->monitor;
	for (; e == ERR_OK && i < s->view->nids; i++) {
		if (clock_mono_ns() >= until_ns)
			return ERR_OK;
		e = move_one(s, c, s->view->ids[i], ei);
		*ret_last = s->view->ids[i]->row.conf->id;
	}
	if (e == ERR_OK)
		*ret_last = UINT32_MAX;
	return e;
}

/* The mark goes with what it tells of. */
static enum err
move_marked(struct store *s, struct compaction *c, int64_t until_ns,
    uint32_t *ret_last, struct errinfo *ei)
{
	enum err e = move_some(s, c, until_ns, ret_last, ei);

	if (e != ERR_OK)
		return e;
	return rollups_mark(s, c->cut, *ret_last, ei);
}

static enum err
cut_some(struct store *s, struct compaction *c, uint64_t to,
    struct errinfo *ei)
{
	enum err e = s->db->ops->run(s->db, STMT_TAIL_DEL, VALS(
	    V_INT(c->next), V_INT(to)), NULL, ei);

	/* Block numbers may begin anew when none is left. */
	if (e == ERR_OK && to == c->cut)
		e = rollups_mark(s, 0, 0, ei);
	return e;
}

static void
moved_apply(struct store *s, struct compaction *c, uint32_t last)
{
	view_lock(s->view);
	for (size_t i = 0; i < c->nmoved; i++) {
		struct entry *en = view_entry(s->view, c->moved[i].monitor);

		view_tail_cut(en, c->moved[i].n);
		en->chunk_seq = MAX(en->chunk_seq, c->moved[i].last_seq);
	}
	view_unlock(s->view);
	c->nmoved = 0;
	c->monitor = s->moved_monitor = last;
	s->moved_block = c->cut;
	if (last != UINT32_MAX)
		return;
	c->stage = STAGE_CUT;
	c->next = c->first;
}

static void
end_cycle(struct store *s)
{
	struct compaction *c = s->compaction;

	if (!c->failed) {
		s->moved_block = s->moved_monitor = 0;
		s->tail_samples -= MIN(s->tail_samples, c->samples);
		s->tail_first = c->cut + 1;
	}
	s->tail_since_us = c->began_us;
	compact_free(c);
	s->compaction = NULL;
}

/* What a slice did, to be taken over when it is committed. */
struct done {
	bool moved, cut, gone;
	uint32_t last;
	uint64_t cut_to;
	struct rollup_place doom;
};

static enum err
doom_some(struct store *s, int64_t until_ns, struct done *d,
    struct errinfo *ei)
{
	uint32_t id = s->doomed[s->ndoomed - 1];
	int64_t chunks = 1, transitions = 1;
	enum err e = ERR_OK;

	while (e == ERR_OK && chunks + transitions > 0 &&
	    clock_mono_ns() < until_ns) {
		e = s->db->ops->run(s->db, STMT_CHUNK_DOOM, VALS(V_INT(id),
		    V_INT(DOOM_ROWS)), &chunks, ei);
		if (e == ERR_OK)
			e = s->db->ops->run(s->db, STMT_TRANSITION_DOOM,
			    VALS(V_INT(id), V_INT(DOOM_ROWS)), &transitions,
			    ei);
	}
	d->doom = s->doom;
	if (e == ERR_OK && chunks + transitions == 0)
		e = rollups_doom(s, id, until_ns, &d->doom, &d->gone, ei);
	if (e == ERR_OK && d->gone)
		e = s->db->ops->run(s->db, STMT_DOOMED_DEL, VALS(V_INT(id)),
		    NULL, ei);
	return e;
}

static enum err
work(struct store *s, int64_t until_ns, struct done *d, struct errinfo *ei)
{
	struct compaction *c = s->compaction;

	if (s->ndoomed > 0)
		return doom_some(s, until_ns, d, ei);
	switch (c->stage) {
	case STAGE_READ:
		return read_blocks(s, c, until_ns, ei);
	case STAGE_MOVE:
		d->moved = true;
		return move_marked(s, c, until_ns, &d->last, ei);
	case STAGE_CUT:
		d->cut = true;
		d->cut_to = MIN(c->next + CUT_BLOCKS - 1, c->cut);
		return cut_some(s, c, d->cut_to, ei);
	}
	return ERR_OK;
}

static void
take_over(struct store *s, const struct done *d)
{
	struct compaction *c = s->compaction;

	atomic_fetch_add(&s->stats.commits, 1);
	if (s->ndoomed > 0)
		s->doom = d->gone ? (struct rollup_place){0} : d->doom;
	if (d->gone)
		s->ndoomed--;
	if (d->moved)
		moved_apply(s, c, d->last);
	if (d->cut) {
		c->next = d->cut_to + 1;
		if (c->next > c->cut)
			end_cycle(s);
	}
}

/* A failure leaves everything as it was; it is tried again a little later,
 * and writing units, which fails too then, has its own alarm. */
static void
give_up(struct store *s, const struct errinfo *ei, int64_t now_ns)
{
	bool wrong = s->compaction != NULL && s->compaction->failed;

	s->fault = s->db->fault;
	if (wrong) {
		log_error("store", "compaction went wrong: the tail stays",
		    KV("error", &ei->text[0]));
		batch_owe(s, EVENT_STORE, "compaction went wrong: a chunk did"
		    " not read back; nothing was removed");
		end_cycle(s);
	} else {
		writer_fault(s, ei);
	}
	if (s->db->ops->rollback(s->db, NULL) != ERR_OK) {
		s->db->ops->close(s->db);
		s->db = NULL;
	}
	s->slice_ns = now_ns + (wrong ? AGAIN_NS : RETRY_MAX_NS);
}

void
compact_slice(struct store *s)
{
	int64_t began_ns, end_ns;
	struct done d = {0};
	struct errinfo ei = {0};
	enum err e;

	if (s->compaction == NULL && s->ndoomed == 0)
		begin_cycle(s);
	if (s->compaction == NULL && s->ndoomed == 0)
		return;
	e = s->db->ops->begin(s->db, true, &ei);
	began_ns = clock_mono_ns();   /* from here on the lock is held */
	if (e == ERR_OK)
		e = work(s, chores_until_ns(s, began_ns), &d, &ei);
	if (e == ERR_OK)
		e = s->db->ops->commit(s->db, &ei);
	end_ns = clock_mono_ns();
	if (e != ERR_OK) {
		give_up(s, &ei, end_ns);
		return;
	}
	take_over(s, &d);
	chores_done(s, began_ns, end_ns);
}

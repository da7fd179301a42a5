/* load.c: opening. Configuration, states, the samples since, and what the
 * last 90 days looked like come back into memory; the time since the last
 * sign of life becomes a gap. */
#include "store/load.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/state.h"
#include "store/applied.h"
#include "store/chunk.h"
#include "store/confs.h"
#include "store/incidents.h"
#include "store/prune.h"
#include "store/rollups.h"
#include "store/state_code.h"
#include "world/world.h"

static enum err
start(struct store *s, enum stmt st, const struct val *v, size_t n,
    struct errinfo *ei)
{
	return s->db->ops->query(s->db, st, v, n, ei);
}

static int64_t
col(struct store *s, enum stmt st, int c)
{
	return s->db->ops->column_int(s->db, st, c);
}

static struct str
text(struct store *s, enum stmt st, int c)
{
	return s->db->ops->column_str(s->db, st, c);
}

/* Rows end with ERR_NOT_FOUND; that is success. */
static enum err
ended(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
monitors(struct store *s, struct errinfo *ei)
{
	enum stmt st = STMT_MONITOR_LOAD;
	enum err e = start(s, st, NULL, 0, ei);

	view_bulk(s->view);
	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		uint32_t group = (uint32_t)col(s, st, 2);
		struct entry *g = group == 0 ? NULL :
		    view_entry(s->view, group);
		struct monitor_conf *c = NULL;

		if (group != 0 && g == NULL)
			e = fail(ei, ERR_INVALID, "%s: the group %" PRIu32 " of"
			    " monitor %" PRId64 " is not there; restore a"
			    " backup", s->conf.path, group, col(s, st, 0));
		else
			e = confs_load(s, g == NULL ? NULL : g->row.conf, &c,
			    ei);
		if (e == ERR_OK)
			(void)view_put(s->view, c);
	}
	s->db->ops->done(s->db, st);
	view_bulk_end(s->view);
	return ended(e);
}

static enum err
channels(struct store *s, struct errinfo *ei)
{
	enum stmt st = STMT_CHANNEL_LOAD;
	struct channel_conf *c CLEANUP(xfreep) = NULL;
	size_t n = 0;
	enum err e = start(s, st, NULL, 0, ei);

	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		struct str name = text(s, st, 0), type = text(s, st, 1);
		struct str rest = text(s, st, 2);

		c = xrealloc(c, n + 1, sizeof(*c));
		memset(&c[n], 0, sizeof(c[n]));
		(void)text_copy(c[n].name, sizeof(c[n].name), name);
		(void)text_copy(c[n].type, sizeof(c[n].type), type);
		c[n].text = xstrndup(rest.p, rest.n);
		n++;
	}
	view_set_channels(s->view, c, n);
	for (size_t i = 0; i < n; i++)
		xfree(c[i].text);
	return ended(e);
}

static enum err
tokens(struct store *s, struct errinfo *ei)
{
	enum stmt st = STMT_TOKEN_LOAD;
	enum err e = start(s, st, NULL, 0, ei);

	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		struct view_token_row t = {0};
		struct str hash = text(s, st, 1);

		(void)text_copy(t.name, sizeof(t.name), text(s, st, 0));
		if (hash.n != sizeof(t.hash)) {
			log_error("store", "a token's row is damaged",
			    KV("name", &t.name[0]));
			continue;
		}
		hash = text(s, st, 1);
		memcpy(t.hash, hash.p, sizeof(t.hash));
		t.scope = (enum scope)col(s, st, 2);
		t.created_us = col(s, st, 3);
		t.expires_us = col(s, st, 4);
		t.revoked_us = col(s, st, 5);
		if (s->view->ntokens < TOKENS_MAX)
			view_set_token(s->view, &t);
	}
	return ended(e);
}

static enum err
doomed(struct store *s, struct errinfo *ei)
{
	enum stmt st = STMT_DOOMED_LOAD;
	enum err e = start(s, st, NULL, 0, ei);

	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		s->doomed = xrealloc(s->doomed, s->ndoomed + 1,
		    sizeof(*s->doomed));
		s->doomed[s->ndoomed++] = (uint32_t)col(s, st, 0);
	}
	return ended(e);
}

/* It is no reason not to start: said with its monitor and where, counted, and
 * what it held is unknown. */
static void
say_damaged(struct store *s, const char *path, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%.140s: %.100s", path, what);
	log_error("store", "a row is damaged", KV("of", path),
	    KV("what", what));
	batch_owe(s, EVENT_STORE, text);
	atomic_fetch_add(&s->stats.damaged, 1);
}

/* An undecodable state is no reason not to start: what the samples tell is
 * taken, and it is said. */
static enum err
states(struct store *s, struct errinfo *ei)
{
	enum stmt st = STMT_STATE_LOAD;
	enum err e = start(s, st, NULL, 0, ei);

	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		uint32_t id = (uint32_t)col(s, st, 0);
		struct entry *en = view_entry(s->view, id);
		struct mon_state *state;

		if (en == NULL)
			continue;
		state = xcalloc(1, sizeof(*state));
		if (!state_code_get(text(s, st, 1), id, state)) {
			say_damaged(s, en->row.conf->path, "its state is"
			    " damaged: it starts anew");
			xfree(state);
			continue;
		}
		en->boot = state;
		en->seq = en->batch_seq = state->seq;
	}
	return ended(e);
}

static struct policy
policy_of(const struct monitor_conf *c)
{
	return (struct policy){.retries = c->retries,
	    .recoveries = c->recoveries, .fail_m = c->fail_m,
	    .fail_n = c->fail_n, .blind_after = STATE_BLIND_AFTER};
}

/* A sample newer than the state row. Its transition would have brought a
 * state of its own, so the verdict is the one that was written with it: only
 * the streaks move. */
static void
fold(const struct monitor_conf *c, struct mon_state *st,
    const struct sample *p)
{
	struct policy policy = policy_of(c);
	struct mon_state was = *st;
	struct verdict v;

	if (p->node != 0 || p->seq <= st->seq)
		return;
	if (c->kind->drive != DRIVE_ACTIVE) {
		st->seq = p->seq;
		return;
	}
	v = state_sample(st, &policy, (enum why)p->why, p->seq, p->at_us,
	    p->at_us + MAX(p->latency_us, INT64_C(0)));
	if (p->cert_expiry_s != 0)
		st->cert_expiry_s = p->cert_expiry_s;
	if (v.changed) {
		st->status = was.status;
		st->why = was.why;
		st->since_us = was.since_us;
		st->alerting.flap = was.alerting.flap;
		alerting_note(&st->alerting, false);
	}
}

static struct mon_state *
fresh_state(const struct entry *en)
{
	struct mon_state *st = xcalloc(1, sizeof(*st));

	st->monitor = en->row.conf->id;
	st->status = STATUS_PENDING;
	st->why = WHY_CREATED;
	st->since_us = en->row.conf->created_us;
	return st;
}

static void
note_seq(struct entry *en, const struct sample *p)
{
	if (p->node == 0) {
		en->seq = en->batch_seq = MAX(en->seq, p->seq);
		return;
	}
	for (uint32_t i = 0; i < en->nnodes; i++) {
		struct node_seq *n = &en->nodes[i];

		if (n->node != p->node)
			continue;
		n->seq = n->batch = MAX(n->seq, p->seq);
		return;
	}
	if (en->nnodes == NODES_MAX)
		return;
	en->nodes = xrealloc(en->nodes, en->nnodes + 1, sizeof(*en->nodes));
	en->nodes[en->nnodes++] = (struct node_seq){.node = p->node,
	    .seq = p->seq, .batch = p->seq};
}

/* The last moment of which there is a trace: when we were alive. */
static void
seen(struct store *s, int64_t us, int64_t now_us)
{
	if (us <= now_us)
		s->last_sign_us = MAX(s->last_sign_us, us);
}

/* The chunk that holds the newest samples of a monitor: where its sparkline
 * begins, and which rows of the tail are copies not yet cut away. */
static enum err
last_chunk(struct store *s, struct entry *en, struct sample **ret,
    size_t *ret_n, struct errinfo *ei)
{
	enum stmt st = STMT_CHUNK_LAST;
	struct errinfo why = {0};
	enum err e = start(s, st, VALS(V_INT(en->row.conf->id)), ei);

	*ret = NULL;
	*ret_n = 0;
	if (e == ERR_OK)
		e = s->db->ops->next(s->db, st, ei);
	if (e != ERR_OK)
		return ended(e);
	if (chunk_decode(text(s, st, 3), ret, ret_n, &why) != ERR_OK) {
		char what[160];

		(void)snprintf(what, sizeof(what), "samples up to number %lld"
		    " are unknown: their chunk is damaged (%.60s)",
		    (long long)col(s, st, 1), why.text);
		say_damaged(s, en->row.conf->path, what);
		en->seq = MAX(en->seq, (uint64_t)col(s, st, 1));
		en->batch_seq = en->seq;
	}
	s->db->ops->done(s->db, st);
	return ERR_OK;
}

static enum err
chunks(struct store *s, struct errinfo *ei)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->view->nids; i++) {
		struct entry *en = s->view->ids[i];
		struct sample *v CLEANUP(xfreep) = NULL;
		size_t n = 0;

		e = last_chunk(s, en, &v, &n, ei);
		for (size_t k = 0; e == ERR_OK && k < n; k++) {
			note_seq(en, &v[k]);
			if (en->boot == NULL)
				en->boot = fresh_state(en);
			fold(en->row.conf, en->boot, &v[k]);
			if (n - k <= VIEW_SPARK)
				view_sample(s->view, en, &v[k], 0);
		}
		view_tail_cut(en, en->ntail);   /* they are not in the tail */
		en->chunk_seq = n > 0 ? v[n - 1].seq : 0;
	}
	return e;
}

static void
tail_sample(struct store *s, const struct sample *p, uint64_t place,
    int64_t now_us)
{
	struct entry *en = view_entry(s->view, p->monitor);

	if (en == NULL || (p->node == 0 && p->seq <= en->chunk_seq))
		return;
	if (p->monitor <= s->moved_monitor && place >> 8 <= s->moved_block)
		return;   /* it lies in a chunk */
	note_seq(en, p);
	if (en->boot == NULL)
		en->boot = fresh_state(en);
	fold(en->row.conf, en->boot, p);
	view_sample(s->view, en, p, place);
	seen(s, p->at_us + MAX(p->latency_us, INT64_C(0)), now_us);
}

static enum err
tail(struct store *s, int64_t now_us, struct errinfo *ei)
{
	enum stmt st = STMT_TAIL_LOAD;
	enum err e = start(s, st, NULL, 0, ei);

	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		uint64_t id = (uint64_t)col(s, st, 0);
		struct block_reader r;
		struct sample p;
		unsigned slot = 0;

		if (s->tail_first == 0)
			s->tail_first = id;
		s->next.block = id + 1;
		s->tail_samples += (uint64_t)col(s, st, 1);
		if (block_open(&r, text(s, st, 2)))
			while (block_next(&r, &p))
				tail_sample(s, &p, id << 8 | slot++, now_us);
		if (slot == (uint64_t)col(s, st, 1))
			continue;
		say_damaged(s, "several monitors", "a block of their newest"
		    " samples is damaged; they are unknown");
	}
	return ended(e);
}

static enum err
numbers(struct store *s, int64_t now_us, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	int64_t v = 0, least = 0;
	enum err e;

	e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("next_monitor")), 1,
	    &v, ei);
	s->next_monitor = (uint32_t)v;
	if (e == ERR_OK)
		e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("alive")), 0,
		    &v, ei);
	if (e == ERR_OK)
		seen(s, v, now_us);
	if (e == ERR_OK && v > now_us)
		s->clock_back_us = v - now_us;
	if (e == ERR_OK)
		e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("blind")), 0,
		    &s->blind_us, ei);
	if (e == ERR_OK)
		e = backend_int(s->db, STMT_META_GET,
		    VALS(V_TEXT("next_transition")), 1, &least, ei);
	if (e == ERR_OK)
		e = start(s, STMT_TRANSITION_MAX, NULL, 0, ei);
	if (e == ERR_OK && (e = ops->next(s->db, STMT_TRANSITION_MAX, ei)) ==
	    ERR_OK) {
		least = MAX(least, col(s, STMT_TRANSITION_MAX, 0) + 1);
		seen(s, col(s, STMT_TRANSITION_MAX, 1), now_us);
		ops->done(s->db, STMT_TRANSITION_MAX);
	}
	e = ended(e);
	s->next.transition = (uint64_t)least;
	if (e == ERR_OK)
		e = start(s, STMT_EVENT_RANGE, NULL, 0, ei);
	s->first_event = 1;
	atomic_store(&s->next_event, 1);
	if (e == ERR_OK && (e = ops->next(s->db, STMT_EVENT_RANGE, ei)) ==
	    ERR_OK) {
		s->first_event = (uint64_t)col(s, STMT_EVENT_RANGE, 0);
		atomic_store(&s->next_event,
		    (uint64_t)col(s, STMT_EVENT_RANGE, 1) + 1);
		seen(s, col(s, STMT_EVENT_RANGE, 2), now_us);
		ops->done(s->db, STMT_EVENT_RANGE);
	}
	s->next.block = 1;
	e = ended(e);
	if (e == ERR_OK)
		e = rollups_marked(s->db, &s->moved_block, &s->moved_monitor,
		    ei);
	return e;
}

static enum err
gaps(struct store *s, int64_t now_us, struct errinfo *ei)
{
	enum stmt st = STMT_GAP_LOAD;
	enum err e = start(s, st, VALS(V_INT(now_us - VIEW_HISTORY_US)), ei);

	s->view->gaps = xcalloc(GAPS_MAX + 1, sizeof(*s->view->gaps));
	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		if (s->view->ngaps == GAPS_MAX) {
			s->view->ngaps--;
			memmove(s->view->gaps, s->view->gaps + 1,
			    s->view->ngaps * sizeof(*s->view->gaps));
		}
		s->view->ngaps = uptime_gap_add(s->view->gaps, s->view->ngaps,
		    (struct gap){col(s, st, 0), col(s, st, 1)});
	}
	return ended(e);
}

/* Day bars: the status before the first transition of a monitor is what that
 * one came from; without any it is what it is now. */
static enum err
days(struct store *s, int64_t now_us, struct errinfo *ei)
{
	enum stmt st = STMT_TRANSITION_SINCE;
	int64_t since_us = now_us - VIEW_HISTORY_US;
	enum err e = start(s, st, VALS(V_INT(since_us)), ei);

	for (size_t i = 0; i < s->view->nids; i++) {
		struct days *d = &s->view->ids[i]->days;

		d->known_us = MAX(d->known_us, since_us);
		d->until_us = d->known_us;
	}
	while (e == ERR_OK && (e = s->db->ops->next(s->db, st, ei)) == ERR_OK) {
		struct entry *en = view_entry(s->view,
		    (uint32_t)col(s, st, 0));

		if (en == NULL)
			continue;
		view_days_add(s->view, en, (enum status)col(s, st, 2),
		    col(s, st, 1));
	}
	return ended(e);
}

static void
settle(struct store *s)
{
	for (size_t i = 0; i < s->view->nids; i++) {
		struct entry *en = s->view->ids[i];
		struct view_row *r = &en->row;

		r->samples_total = r->samples_ok = 0;   /* since this start */
		if (en->boot == NULL)
			continue;
		en->boot->seq = MAX(en->boot->seq, en->seq);
		en->placed_seq = en->boot->seq;
		/* The bars already end where this status began. */
		view_take_state(s->view, en, en->boot);
	}
}

enum err
load_all(struct store *s, struct errinfo *ei)
{
	int64_t now_us = clock_wall_us();
	enum err e;

	s->opened_us = s->tail_since_us = now_us;
	e = numbers(s, now_us, ei);
	if (e == ERR_OK)
		e = monitors(s, ei);
	if (e == ERR_OK)
		e = channels(s, ei);
	if (e == ERR_OK)
		e = applied_open(s, ei);
	if (e == ERR_OK)
		e = tokens(s, ei);
	if (e == ERR_OK)
		e = doomed(s, ei);
	if (e == ERR_OK)
		e = states(s, ei);
	if (e == ERR_OK)
		e = chunks(s, ei);
	if (e == ERR_OK)
		e = tail(s, now_us, ei);
	if (e == ERR_OK)
		e = gaps(s, now_us, ei);
	if (e == ERR_OK && s->last_sign_us != 0)
		s->view->ngaps = uptime_gap_add(s->view->gaps, s->view->ngaps,
		    (struct gap){s->last_sign_us, now_us});
	if (e == ERR_OK)
		e = days(s, now_us, ei);
	if (e == ERR_OK)
		settle(s);
	if (e == ERR_OK)
		e = incidents_load(s, ei);
	if (e == ERR_OK)
		e = prune_load(s, ei);
	return e;
}

void
load_undo(struct store *s)
{
	view_free(s->view);
	s->view = view_new();
	xfree(s->doomed);
	s->doomed = NULL;
	s->ndoomed = 0;
	s->tail_samples = s->tail_first = 0;
	s->last_sign_us = s->clock_back_us = 0;
}

enum err
load_stored(struct store *s, uint32_t monitor, struct mon_state *ret,
    struct errinfo *ei)
{
	enum stmt q = STMT_STATE_GET;
	enum err e = start(s, q, VALS(V_INT(monitor)), ei);

	if (e == ERR_OK)
		e = s->db->ops->next(s->db, q, ei);
	if (e != ERR_OK)
		return e;
	e = state_code_get(text(s, q, 0), monitor, ret) ? ERR_OK :
	    ERR_INVALID;
	s->db->ops->done(s->db, q);
	return e;
}

struct mon_state *
load_state(struct store *s, struct entry *en)
{
	struct mon_state *st = fresh_state(en);

	if (load_stored(s, en->row.conf->id, st, NULL) != ERR_OK)
		log_warn("store", "a monitor starts anew",
		    KV("monitor", &en->row.conf->path[0]));
	st->seq = MAX(st->seq, en->seq);   /* never a number again */
	return st;
}

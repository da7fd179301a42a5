/* view_edit.c: what the writer does to the view after a commit. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/incidents.h"

static int
order_id(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	uint32_t i = (*x)->row.conf->id, k = (*y)->row.conf->id;

	return i < k ? -1 : i > k;
}

static int
order_path(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->row.conf->path, (*y)->row.conf->path);
}

static void
grow(struct entry ***v, size_t n, size_t *cap)
{
	if (n < *cap)
		return;
	*cap = *cap == 0 ? 16 : *cap * 2;
	*v = xrealloc(*v, *cap, sizeof(**v));
}

/* The first place whose entry is not below e. */
static size_t
place(struct entry *const *v, size_t n, const struct entry *e,
    int (*order)(const void *, const void *))
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&v[mid], &e) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
sorted_add(struct entry **v, size_t n, struct entry *e,
    int (*order)(const void *, const void *))
{
	size_t at = place(v, n, e, order);

	memmove(v + at + 1, v + at, (n - at) * sizeof(*v));
	v[at] = e;
}

static void
sorted_del(struct entry **v, size_t n, const struct entry *e,
    int (*order)(const void *, const void *))
{
	size_t at = place(v, n, e, order);

	assert(at < n);
	assert(v[at] == e);
	memmove(v + at, v + at + 1, (n - at - 1) * sizeof(*v));
}

/* While many change, the sorted arrays rest; they are made anew at the end.
 * The write lock is held all the while. */
void
view_bulk(struct view *v)
{
	v->bulk = true;
}

void
view_bulk_end(struct view *v)
{
	v->bulk = false;
	v->nids = v->npaths = 0;
	MAP_EACH(n, &v->by_id) {
		struct entry *e = CONTAINER(n, struct entry, by_id);

		grow(&v->ids, v->nids, &v->ids_cap);
		v->ids[v->nids++] = e;
		if (!e->has_path)
			continue;
		grow(&v->paths, v->npaths, &v->paths_cap);
		v->paths[v->npaths++] = e;
	}
	if (v->nids > 0)
		qsort(v->ids, v->nids, sizeof(*v->ids), order_id);
	if (v->npaths > 0)
		qsort(v->paths, v->npaths, sizeof(*v->paths), order_path);
}

/* Counts of status and members include what is shown and checked. */
static void
count(struct view *v, const struct entry *e, bool in)
{
	const struct monitor_conf *c = e->row.conf;
	struct entry *group = c->group == 0 ? NULL : view_entry(v, c->group);

	if (c->archived)
		return;
	if (c->kind->drive != DRIVE_GROUP)
		v->counts[e->row.status] += in ? 1u : -1u;
	if (group != NULL)
		group->row.members += in ? 1u : -1u;
}

static void
link_names(struct view *v, struct entry *e)
{
	const struct monitor_conf *c = e->row.conf;

	count(v, e, true);
	if (c->archived)
		return;
	e->has_path = true;
	map_put(&v->by_path, &e->by_path, map_hash_str(str_of(c->path)));
	if (!v->bulk) {
		grow(&v->paths, v->npaths, &v->paths_cap);
		sorted_add(v->paths, v->npaths++, e, order_path);
	}
	if (c->token == NULL || c->kind->drive != DRIVE_PUSH)
		return;
	e->has_token = true;
	map_put(&v->by_token, &e->by_token, map_hash_str(str_of(c->token)));
}

static void
unlink_names(struct view *v, struct entry *e)
{
	count(v, e, false);
	if (e->has_path) {
		map_del(&v->by_path, &e->by_path);
		if (!v->bulk)
			sorted_del(v->paths, v->npaths--, e, order_path);
	}
	if (e->has_token)
		map_del(&v->by_token, &e->by_token);
	e->has_path = e->has_token = false;
}

static struct entry *
entry_new(struct monitor_conf *c)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->row.conf = c;
	e->row.status = STATUS_PENDING;
	e->row.why = WHY_CREATED;
	e->row.since_us = c->created_us;
	e->row.latency_us = -1;
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		e->row.phase_us[i] = -1;
	e->days.known_us = e->days.until_us = c->created_us;
	return e;
}

struct entry *
view_put(struct view *v, struct monitor_conf *c)
{
	struct entry *e = view_entry(v, c->id);

	assert(c->id != 0);
	if (e != NULL) {
		unlink_names(v, e);
		monitor_conf_unref(e->row.conf);
		e->row.conf = c;
		link_names(v, e);
		return e;
	}
	e = entry_new(c);
	map_put(&v->by_id, &e->by_id, map_hash_u64(c->id));
	if (!v->bulk) {
		grow(&v->ids, v->nids, &v->ids_cap);
		sorted_add(v->ids, v->nids++, e, order_id);
	}
	link_names(v, e);
	return e;
}

static void
entry_free(struct entry *e)
{
	incident_mem_free(e->mem);
	monitor_conf_unref(e->row.conf);
	days_free(&e->days);
	xfree(e->nodes);
	xfree(e->tail);
	xfree(e->boot);
	xfree(e);
}

void
view_remove(struct view *v, uint32_t id)
{
	struct entry *e = view_entry(v, id);

	if (e == NULL)
		return;
	unlink_names(v, e);
	covered_forget(v->covered, id);
	map_del(&v->by_id, &e->by_id);
	if (!v->bulk)
		sorted_del(v->ids, v->nids--, e, order_id);
	entry_free(e);
}

static void
channels_free(struct view *v)
{
	for (size_t i = 0; i < v->nchannels; i++)
		xfree(v->channels[i].text);
	xfree(v->channels);
	v->channels = NULL;
	v->nchannels = 0;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	MAP_EACH(n, &v->by_id)
		entry_free(CONTAINER(n, struct entry, by_id));
	LIST_EACH(n, &v->notices)
		incident_mem_free(incident_mem_at(n));
	map_free(&v->by_id);
	map_free(&v->by_path);
	map_free(&v->by_token);
	xfree(v->ids);
	xfree(v->paths);
	channels_free(v);
	xfree(v->tokens);
	xfree(v->gaps);
	windows_free(v->windows);
	covered_free(v->covered);
	calendar_free(v->calendar);
	pthread_rwlock_destroy(&v->lock);
	xfree(v);
}

void
view_days_add(struct view *v, struct entry *e, enum status s,
    int64_t until_us)
{
	struct gap *windows CLEANUP(xfreep) = NULL;
	struct days_in in = {v->calendar, v->gaps, NULL, v->ngaps, 0};

	if (days_full(&e->days))
		in.nwindows = covered_of(v->covered, e->row.conf->id,
		    days_oldest(&e->days), until_us, &windows);
	in.windows = windows;
	days_add(&e->days, s, until_us, &in);
}

/* Back from a step of the clock or not, days count what was in force. */
static void
become(struct view *v, struct entry *e, enum status to, int64_t at_us)
{
	bool counted = !e->row.conf->archived &&
	    e->row.conf->kind->drive != DRIVE_GROUP;

	view_days_add(v, e, (enum status)e->row.status, at_us);
	if (counted) {
		v->counts[e->row.status]--;
		v->counts[to]++;
	}
	e->row.status = (uint8_t)to;
	e->row.since_us = at_us;
}

static void
spark_add(struct view_row *r, int64_t latency_us, bool ok)
{
	if (r->nspark == VIEW_SPARK)
		memmove(r->spark_us, r->spark_us + 1,
		    (VIEW_SPARK - 1) * sizeof(r->spark_us[0]));
	else
		r->nspark++;
	r->spark_us[r->nspark - 1] = !ok || latency_us < 0 ? -1 :
	    latency_us > INT32_MAX ? INT32_MAX : (int32_t)latency_us;
}

void
view_place(struct entry *e, uint64_t place_, uint64_t seq)
{
	e->placed_seq = MAX(e->placed_seq, seq);
	if (e->ntail == e->tail_cap) {
		e->tail_cap = e->tail_cap == 0 ? 4 : e->tail_cap * 2;
		e->tail = xrealloc(e->tail, e->tail_cap, sizeof(*e->tail));
	}
	e->tail[e->ntail++] = place_;
}

void
view_sample(struct view *v, struct entry *e, const struct sample *s,
    uint64_t place_)
{
	(void)v;
	view_place(e, place_, s->seq);
	view_sample_seen(e, s);
}

void
view_sample_seen(struct entry *e, const struct sample *s)
{
	struct view_row *r = &e->row;
	bool ok = s->why == WHY_OK || why_is_degraded((enum why)s->why);

	r->seq = MAX(r->seq, s->seq);
	r->last_us = s->at_us;
	if (ok)
		r->last_ok_us = s->at_us;
	r->latency_us = s->latency_us;
	memcpy(r->phase_us, s->phase_us, sizeof(r->phase_us));
	r->code = s->code;
	r->peer = s->peer;
	if (s->cert_expiry_s != 0)
		r->cert_expiry_s = s->cert_expiry_s;
	r->samples_total++;
	r->samples_ok += ok;
	spark_add(r, s->latency_us, ok);
}

static void
take_state(struct view_row *r, const struct mon_state *st)
{
	r->why = st->why;
	r->since_us = st->since_us;
	r->last_us = MAX(r->last_us, st->last_us);
	r->last_ok_us = MAX(r->last_ok_us, st->last_ok_us);
	r->beat_us = st->beat_us;
	r->deadline_us = st->deadline_us;
	r->seq = MAX(r->seq, st->seq);
	if (st->cert_expiry_s != 0)
		r->cert_expiry_s = st->cert_expiry_s;
	snprintf(r->reason, sizeof(r->reason), "%s", st->reason);
}

void
view_state(struct view *v, struct entry *e, const struct mon_state *st)
{
	if (st->status != e->row.status)
		become(v, e, (enum status)st->status, st->since_us);
	take_state(&e->row, st);
}

void
view_take_state(struct view *v, struct entry *e, const struct mon_state *st)
{
	count(v, e, false);
	e->row.status = st->status;
	count(v, e, true);
	take_state(&e->row, st);
}

void
view_transition(struct view *v, struct entry *e, const struct transition *t)
{
	if (t->to != e->row.status)
		become(v, e, (enum status)t->to, t->at_us);
	e->counted = false;
	e->row.why = t->why;
	snprintf(e->row.reason, sizeof(e->row.reason), "%s", t->reason);
}

void
view_tail_cut(struct entry *e, uint32_t n)
{
	assert(n <= e->ntail);
	if (n == 0)
		return;
	e->ntail -= n;
	memmove(e->tail, e->tail + n, e->ntail * sizeof(*e->tail));
	if (e->tail_cap <= 8 || e->ntail * 4 > e->tail_cap)
		return;
	e->tail_cap = MAX(e->ntail * 2, 4u);
	e->tail = xrealloc(e->tail, e->tail_cap, sizeof(*e->tail));
}

void
view_set_channels(struct view *v, const struct channel_conf *c, size_t n)
{
	struct channel_conf *all = xcalloc(MAX(n, (size_t)1), sizeof(*all));

	/* c's texts may be those that the view has. */
	for (size_t i = 0; i < n; i++) {
		all[i] = c[i];
		all[i].text = xstrdup(c[i].text);
	}
	channels_free(v);
	v->channels = all;
	v->nchannels = n;
}

void
view_set_token(struct view *v, const struct view_token_row *t)
{
	size_t i = 0;

	while (i < v->ntokens && strcmp(v->tokens[i].name, t->name) != 0)
		i++;
	if (i == v->ntokens) {
		assert(v->ntokens < TOKENS_MAX);
		v->tokens = xrealloc(v->tokens, v->ntokens + 1,
		    sizeof(*v->tokens));
		v->ntokens++;
	}
	v->tokens[i] = *t;
}

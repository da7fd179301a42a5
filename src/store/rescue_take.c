/* rescue_take.c: see rescue_take.h. Whoever is in the batch under way stays
 * there: the writer holds it, perhaps inside a COMMIT. Its copy in the journal
 * is dropped when that commit is seen to end well, and when nobody saw its end,
 * by the proof beside it. */
#include "store/rescue_take.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/feed.h"
#include "store/wire.h"
#include "world/world.h"

#define TELL_UNITS 256   /* at once under the view's lock */

static struct item *
add(struct rescue *r, struct unit *u, size_t slot)
{
	struct item *it;

	if (r->nitems == r->items_cap) {
		r->items_cap = r->items_cap == 0 ? 64 : r->items_cap * 2;
		r->items = xrealloc(r->items, r->items_cap,
		    sizeof(*r->items));
	}
	it = &r->items[r->nitems++];
	*it = (struct item){.u = u, .slot = slot, .at = r->bytes.n};
	return it;
}

static void
add_proof(struct rescue *r)
{
	struct item *it = add(r, NULL, SIZE_MAX);

	it->n = PROOF_BYTES;
	for (unsigned i = 0; i < PROOF_BYTES; i++)
		buf_addc(&r->bytes, 0);
	it->seq = r->floor_seq = r->next_seq++;
}

/* Now that it is known which records it speaks for. */
static void
fill_proof(struct rescue *r, uint64_t last)
{
	const struct item *it = &r->items[0];
	struct wire_out o = {(unsigned char *)r->bytes.p + it->at, 0,
	    PROOF_BYTES, false};

	wire_byte(&o, PROOF_BYTE);
	wire_byte(&o, r->proof);
	wire_fixed(&o, r->proof_id, 8);
	wire_fixed(&o, last, 8);
	assert(o.n == PROOF_BYTES);
}

/* Numbers that are to outlive the process are given before the bytes are
 * made: the record's, and those of its events. */
static bool
encode(struct store *s, struct unit *u, size_t slot)
{
	struct rescue *r = s->rescue;
	uint64_t last = atomic_load(&journal_stats(r->journal)->last);
	struct item *it;

	if (u->kind == UNIT_EVENT)
		(void)batch_event_id(s, u, 0);
	if (u->kind == UNIT_RESULT) {
		struct result_unit *ru = CONTAINER(u, struct result_unit, unit);

		if (ru->own != NULL && ru->own->has_transition)
			(void)batch_event_id(s, u, 0);
		if (ru->group != NULL && ru->group->has_transition)
			(void)batch_event_id(s, u, 1);
	}
	it = add(r, u, slot);
	if (!unit_code_put(u, &r->bytes)) {
		r->bytes.n = it->at;
		r->nitems--;
		return false;
	}
	it->n = r->bytes.n - it->at;
	if (u->journal_seq <= last || u->journal_seq < r->floor_seq)
		u->journal_seq = r->next_seq++;
	r->floor_seq = u->journal_seq;
	it->seq = u->journal_seq;
	return true;
}

static bool
has_room(const struct rescue *r)
{
	return r->nitems < TAKE_UNITS && r->bytes.n < TAKE_BYTES;
}

/* False: there is more. */
static bool
gather(struct store *s)
{
	struct rescue *r = s->rescue;
	struct batch *b = s->batch;
	struct msg **at = &s->queue.first;
	bool proved = false;

	r->nitems = 0;
	r->floor_seq = 0;
	buf_clear(&r->bytes);
	r->took_serial = r->serial;
	for (size_t i = b->done; i < b->n && has_room(r); i++) {
		struct unit *u = b->v[i].unit;

		if (u->told || !unit_code_has(u))
			continue;
		if (r->proving && !proved)
			add_proof(r);
		proved |= r->proving;
		(void)encode(s, u, i);
	}
	if (proved)
		fill_proof(r, r->floor_seq);
	while (*at != NULL && has_room(r)) {
		struct unit *u = unit_of(*at);

		if (!unit_code_has(u) || !encode(s, u, SIZE_MAX)) {
			at = &(*at)->next;
			continue;
		}
		(void)backlog_cut(&s->queue, at);
	}
	return *at == NULL;
}

/* -- writing -------------------------------------------------------------- */
/* The chosen ones that are not durable yet, in order. */
static enum err
write_chosen(struct store *s, bool may_reserve, struct errinfo *ei)
{
	struct rescue *r = s->rescue;
	struct journal_record *v;
	size_t *of, n = 0;
	struct journal_batch b;
	enum err e;

	v = xcalloc(r->nitems, sizeof(*v));
	of = xcalloc(r->nitems, sizeof(*of));
	for (size_t i = 0; i < r->nitems; i++) {
		const struct item *it = &r->items[i];

		if (!it->chosen || it->durable)
			continue;
		of[n] = i;
		v[n++] = (struct journal_record){it->seq,
		    {r->bytes.p + it->at, it->n}};
	}
	b = (struct journal_batch){.v = v, .n = n, .may_reserve = may_reserve};
	e = journal_append(r->journal, &b, ei);
	for (size_t i = 0; i < b.durable; i++)
		r->items[of[i]].durable = true;
	xfree(v);
	xfree(of);
	return e;
}

static int
order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The reserve is for what is never shed: changes of status, states, alerts,
 * whatever somebody waits for. Earlier samples of the same monitors go along,
 * since later ones would have them taken for repetitions. */
static bool
precious(const struct unit *u)
{
	const struct result_unit *ru;

	if (u == NULL || unit_pressing(u) || u->kind != UNIT_RESULT)
		return true;
	_Static_assert(offsetof(struct result_unit, unit) == 0, "first");
	ru = (const struct result_unit *)(const void *)u;
	return ru->own != NULL || ru->group != NULL;
}

static void
choose_precious(struct rescue *r)
{
	uint32_t *ids = xcalloc(MAX(r->nitems, (size_t)1), sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < r->nitems; i++)
		if (precious(r->items[i].u) && r->items[i].u != NULL)
			ids[n++] = unit_code_monitor(r->items[i].u);
	qsort(ids, n, sizeof(*ids), order);
	for (size_t i = 0; i < r->nitems; i++) {
		struct item *it = &r->items[i];
		uint32_t id = it->u == NULL ? 0 : unit_code_monitor(it->u);

		it->chosen = precious(it->u) || (id != 0 &&
		    bsearch(&id, ids, n, sizeof(*ids), order) != NULL);
	}
	xfree(ids);
}

static enum err
write_items(struct store *s)
{
	struct rescue *r = s->rescue;
	struct errinfo ei = {0};
	enum err e;

	for (size_t i = 0; i < r->nitems; i++)
		r->items[i].chosen = true;
	e = write_chosen(s, false, &ei);
	if (e == ERR_LIMIT) {
		choose_precious(r);
		e = write_chosen(s, true, &ei);
	}
	if (e != ERR_OK && !r->full)
		log_error("journal", "cannot take what the database does not;"
		    " it waits in memory", KV("error", &ei.text[0]));
	r->full = e != ERR_OK;
	return e;
}

/* -- telling -------------------------------------------------------------- */
static void
show_results(struct store *s, struct unit *const *v, size_t n)
{
	uint32_t seen[TELL_UNITS];
	size_t nseen = 0;

	assert(n <= TELL_UNITS);
	view_lock(s->view);
	for (size_t i = 0; i < n; i++) {
		const struct result_unit *ru;

		if (v[i]->kind != UNIT_RESULT)
			continue;
		ru = CONTAINER(v[i], struct result_unit, unit);
		result_tell(s, ru);
		if (ru->has_sample)
			seen[nseen++] = ru->sample.monitor;
	}
	s->view->updated_us = clock_wall_us();
	view_unlock(s->view);
	live_touch(s->live, seen, nseen);
}

/* The view stays as it is meanwhile: only the writer changes what events are
 * made of, and who it is that has a name is read under its lock. */
static void
show_events(struct store *s, struct unit *u)
{
	struct event ev[UNIT_EVENTS];
	unsigned which[UNIT_EVENTS] = {0}, n = 0;

	if (u->kind == UNIT_EVENT) {
		ev[0] = CONTAINER(u, struct event_unit, unit)->event;
		n = 1;
	} else if (u->kind == UNIT_RESULT) {
		view_lock(s->view);
		n = result_events(s, CONTAINER(u, struct result_unit, unit),
		    ev, which);
		view_unlock(s->view);
	}
	for (unsigned i = 0; i < n; i++) {
		ev[i].id = u->event_id[which[i]];
		batch_event_clean(&ev[i]);
	}
	live_add(s->live, ev, n);
}

static void
tell(struct store *s, struct unit *const *v, size_t n)
{
	for (size_t i = 0; i < n; i += TELL_UNITS)
		show_results(s, v + i, MIN((size_t)TELL_UNITS, n - i));
	for (size_t i = 0; i < n; i++)
		show_events(s, v[i]);
	live_wake(s->live);
	for (size_t i = 0; s->conf.durable != NULL && i < n; i++)
		s->conf.durable(s->conf.durable_arg, v[i]);
	for (size_t i = 0; i < n; i++) {
		struct ack *ack = TAKE(v[i]->ack);

		if (ack != NULL)
			ack->done(ack, ERR_OK, NULL);
	}
}

/* Those of the batch, if it still has them: the writer may have committed
 * them meanwhile. store.mu held. */
static void
settle_slots(struct store *s, struct unit **v)
{
	struct rescue *r = s->rescue;
	const struct batch *b = s->batch;
	size_t n = 0;

	for (size_t i = 0; i < r->nitems; i++) {
		const struct item *it = &r->items[i];

		if (it->u == NULL || it->slot == SIZE_MAX || !it->durable ||
		    r->serial != r->took_serial || it->slot < b->done)
			continue;
		assert(b->v[it->slot].unit == it->u);
		if (it->u->told)
			continue;
		it->u->told = true;
		v[n++] = it->u;
	}
	tell(s, v, n);
}

/* Those in our hands: told and freed, or back in front of the queue. */
static void
settle_held(struct store *s, struct unit **v)
{
	struct rescue *r = s->rescue;
	size_t n = 0, bytes = 0;

	for (size_t i = r->nitems; i-- > 0;) {
		const struct item *it = &r->items[i];

		if (it->slot == SIZE_MAX && it->u != NULL && !it->durable)
			backlog_back(&s->queue, it->u);
	}
	r->in_hand = false;
	for (size_t i = 0; i < r->nitems; i++) {
		const struct item *it = &r->items[i];

		if (it->slot == SIZE_MAX && it->u != NULL && it->durable)
			v[n++] = it->u;
	}
	pthread_mutex_unlock(&s->mu);
	tell(s, v, n);
	for (size_t i = 0; i < n; i++) {
		bytes += v[i]->bytes;
		unit_free(v[i]);
	}
	mbox_done(&s->inbox, n, bytes);
	mbox_poke(&s->inbox);
	pthread_mutex_lock(&s->mu);
}

enum take
rescue_take(struct store *s, int64_t now_ns)
{
	struct rescue *r = s->rescue;
	struct unit **v;
	bool all = gather(s);
	enum err e;

	(void)now_ns;
	if (r->nitems == 0)
		return TAKE_ALL;
	r->in_hand = true;
	pthread_mutex_unlock(&s->mu);
	if (!rescue_pending(s))
		atomic_store(&r->behind_us, clock_wall_us());
	e = write_items(s);
	v = xcalloc(r->nitems, sizeof(struct unit *));
	pthread_mutex_lock(&s->mu);
	settle_slots(s, v);
	settle_held(s, v);
	xfree(v);
	if (e != ERR_OK)
		return TAKE_FAILED;
	return all ? TAKE_ALL : TAKE_SOME;
}

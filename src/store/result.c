/* result.c: a result becomes rows: its sample a place in the tail, what
 * changed a transition, a state and an event. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/applied.h"
#include "store/budget.h"
#include "store/confs.h"
#include "store/incidents.h"
#include "store/inside.h"
#include "store/outbox.h"
#include "state/state.h"
#include "store/state_code.h"
#include "world/world.h"

enum err
result_flush(struct store *s, struct errinfo *ei)
{
	struct batch *b = s->batch;
	unsigned n = b->block.n;
	enum err e;

	if (n == 0)
		return ERR_OK;
	e = s->db->ops->run(s->db, STMT_TAIL_PUT, VALS(V_INT(s->next.block),
	    V_INT(n), V_BYTES(block_finish(&b->block))), NULL, ei);
	if (e != ERR_OK)
		return e;
	batch_proof(s, STMT_TAIL_HAVE, s->next.block);
	s->next.block++;
	b->tail_rows += n;
	b->rows[ROW_SAMPLE] += n;
	block_init(&b->block);
	return ERR_OK;
}

/* Where the highest sequence of this node is kept, with the batch under way.
 * NULL: more nodes than anyone has. */
static uint64_t *
batch_seq(struct entry *e, uint32_t node)
{
	if (node == 0)
		return &e->batch_seq;
	for (uint32_t i = 0; i < e->nnodes; i++)
		if (e->nodes[i].node == node)
			return &e->nodes[i].batch;
	if (e->nnodes == NODES_MAX)
		return NULL;
	e->nodes = xrealloc(e->nodes, e->nnodes + 1, sizeof(*e->nodes));
	e->nodes[e->nnodes] = (struct node_seq){.node = node};
	return &e->nodes[e->nnodes++].batch;
}

static enum err
put_sample(struct store *s, struct slot *slot, const struct sample *sample,
    struct errinfo *ei)
{
	struct batch *b = s->batch;

	if (!block_add(&b->block, sample)) {
		enum err e = result_flush(s, ei);

		if (e != ERR_OK)
			return e;
		if (!block_add(&b->block, sample))
			assert(false);
	}
	slot->place = s->next.block << 8 | (b->block.n - 1);
	return ERR_OK;
}

/* The evidence of the first failure waits beside until the verdict falls. */
static enum err
put_evidence(struct store *s, uint32_t monitor, const char *text,
    struct errinfo *ei)
{
	return s->db->ops->run(s->db, STMT_EVIDENCE_PUT, VALS(V_INT(monitor),
	    V_TEXT(text)), NULL, ei);
}

static enum err
get_evidence(struct store *s, uint32_t monitor, char **ret,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum err e = ops->query(s->db, STMT_EVIDENCE_GET,
	    VALS(V_INT(monitor)), ei);
	struct str text;

	if (e == ERR_OK)
		e = ops->next(s->db, STMT_EVIDENCE_GET, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	text = ops->column_str(s->db, STMT_EVIDENCE_GET, 0);
	*ret = xstrndup(text.p, text.n);
	ops->done(s->db, STMT_EVIDENCE_GET);
	return ops->run(s->db, STMT_EVIDENCE_DEL, VALS(V_INT(monitor)), NULL,
	    ei);
}

static void
make_event(const struct entry *en, const struct transition *t,
    const char *actor, struct event *e)
{
	*e = (struct event){.at_us = t->at_us, .kind = EVENT_TRANSITION,
	    .from = t->from, .to = t->to, .why = t->why,
	    .monitor = t->monitor};
	snprintf(e->actor, sizeof(e->actor), "%s",
	    actor[0] != '\0' ? actor : "daemon");
	snprintf(e->subject, sizeof(e->subject), "%.159s", en->row.conf->path);
	snprintf(e->text, sizeof(e->text), "%s", t->reason);
}

/* *fresh: it was not there. A key that is there is a replay. */
static enum err
put_transition(struct store *s, const struct transition *t,
    const char *evidence, bool *fresh, struct errinfo *ei)
{
	char *kept CLEANUP(xfreep) = NULL;
	int64_t changes = 0;
	enum err e = ERR_OK;

	if (evidence == NULL && t->to == STATUS_DOWN) {
		e = get_evidence(s, t->monitor, &kept, ei);
		evidence = kept;
	}
	if (e == ERR_OK)
		e = s->db->ops->run(s->db, STMT_TRANSITION_PUT, VALS(
		    V_INT(s->next.transition), V_INT(t->monitor),
		    V_INT(t->seq), V_INT(t->at_us), V_INT(t->from),
		    V_INT(t->to), V_INT(t->why), V_TEXT(t->reason),
		    V_TEXT(t->explain), evidence == NULL ? V_NULL :
		    V_TEXT(evidence)), &changes, ei);
	if (e != ERR_OK)
		return e;
	*fresh = changes > 0;
	if (!*fresh)
		return ERR_OK;
	batch_proof(s, STMT_TRANSITION_HAVE, s->next.transition);
	s->next.transition++;
	s->batch->rows[ROW_TRANSITION]++;
	return ERR_OK;
}

/* Does this part pause the monitor itself, or wake it? What a group does to
 * its members is part of their state, not of their configuration. */
static bool
repauses(const struct result_part *p)
{
	bool paused = p->transition.to == STATUS_PAUSED;

	if (!p->has_transition)
		return false;
	if (p->has_state && (p->state.before_pause & STATE_BY_GROUP) != 0)
		return false;
	return paused || p->transition.from == STATUS_PAUSED;
}

/* One of a result's two parts. */
struct half {
	struct entry *en;
	struct result_part *p;
	unsigned k;                /* its place among the unit's events */
	const char *evidence;
};

static enum err
put_turn(struct store *s, struct result_unit *r, const struct half *h,
    struct errinfo *ei)
{
	struct event ev;
	bool fresh = false;
	enum err e = put_transition(s, &h->p->transition, h->evidence, &fresh,
	    ei);

	if (e != ERR_OK || !fresh)
		return e;
	make_event(h->en, &h->p->transition, h->k == 0 ? r->actor : "", &ev);
	e = batch_event_of(s, &r->unit, h->k, &ev, ei);
	return e != ERR_OK ? e :
	    applied_transition(s, h->en, &h->p->transition, ei);
}

static enum err
put_part(struct store *s, struct result_unit *r, const struct half *h,
    struct errinfo *ei)
{
	unsigned char bytes[STATE_CODE_MAX];
	struct result_part *p = h->p;
	struct entry *en = h->en;
	enum err e = ERR_OK;

	if (p->has_transition) {
		e = put_turn(s, r, h, ei);
		if (e == ERR_OK && repauses(p))
			e = confs_put(s, en->row.conf,
			    p->transition.to == STATUS_PAUSED, ei);
	}
	if (e == ERR_OK && p->has_state) {
		e = s->db->ops->run(s->db, STMT_STATE_PUT, VALS(
		    V_INT(p->state.monitor),
		    V_BYTES(state_code_put(&p->state, bytes))), NULL, ei);
		s->batch->rows[ROW_STATE]++;
	}
	return e == ERR_OK && p->has_state ? incidents_state(s, en, p, ei) : e;
}

static uint32_t
part_monitor(const struct result_part *p)
{
	return p->has_state ? p->state.monitor : p->transition.monitor;
}


/* NULL: deleted, or archived and so no longer checked. */
static struct entry *
living(struct store *s, uint32_t monitor)
{
	struct entry *en = view_entry(s->view, monitor);

	return en == NULL || en->row.conf->archived ? NULL : en;
}

static struct entry *
part_entry(struct store *s, const struct result_part *p)
{
	if (p == NULL || (!p->has_state && !p->has_transition))
		return NULL;
	return living(s, part_monitor(p));
}

/* A deleted monitor leaves no row: what is still under way is dropped, and
 * whoever waits is told. */
static enum err
unknown(struct store *s, struct slot *slot)
{
	atomic_fetch_add(&s->stats.dropped[UNIT_RESULT], 1);
	slot->ei = xcalloc(1, sizeof(*slot->ei));
	slot->outcome = fail(slot->ei, ERR_NOT_FOUND,
	    "the monitor was deleted");
	return ERR_OK;
}

/* Its own monitor, or NULL when it speaks of its group only. */
static enum err
put_own(struct store *s, struct slot *slot, struct result_unit *r,
    struct entry *en, struct errinfo *ei)
{
	enum err e = ERR_OK;

	if (r->has_sample)
		e = put_sample(s, slot, &r->sample, ei);
	if (e == ERR_OK && r->own != NULL)
		e = put_part(s, r, &(struct half){en, r->own, 0,
		    r->own->has_transition ? r->evidence : NULL}, ei);
	if (e == ERR_OK && r->evidence != NULL &&
	    (r->own == NULL || !r->own->has_transition))
		e = put_evidence(s, en->row.conf->id, r->evidence, ei);
	return e;
}

enum err
result_put(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct result_unit *r = CONTAINER(slot->unit, struct result_unit, unit);
	struct entry *en = r->has_sample ?
	    living(s, r->sample.monitor) : part_entry(s, r->own);
	struct entry *group = part_entry(s, r->group);
	enum shed_kind shed;
	uint64_t *seq;
	enum err e = ERR_OK;

	slot->place = 0;
	if (en == NULL && (r->has_sample || r->own != NULL || group == NULL))
		return unknown(s, slot);
	if (r->has_sample) {
		seq = batch_seq(en, r->sample.node);
		if (seq == NULL || r->sample.seq <= *seq) {
			s->batch->duplicates++;   /* all of it is there */
			return ERR_OK;
		}
		if (budget_sheds(s, r, en, &shed)) {
			s->batch->shed[shed]++;
			return ERR_OK;
		}
		batch_touch(s, en);
		*seq = r->sample.seq;
	}
	slot->stored = true;
	if (en != NULL)
		e = put_own(s, slot, r, en, ei);
	if (e == ERR_OK && group != NULL)
		e = put_part(s, r, &(struct half){group, r->group, 1, NULL},
		    ei);
	if (e == ERR_OK && r->nrows > 0)
		e = outbox_rows(s, r->rows, r->nrows, ei);
	return e;
}

static void
show_part(struct store *s, const struct result_part *p)
{
	struct entry *en = part_entry(s, p);

	if (en == NULL)
		return;
	if (p->has_transition)
		applied_learn(s, en, &p->transition);
	if (p->has_transition)
		view_transition(s->view, en, &p->transition);
	if (p->has_state) {
		view_state(s->view, en, &p->state);
		incidents_show(s, en, &p->state);
	}
}

static void
number_part(struct store *s, const struct result_part *p)
{
	struct entry *en = part_entry(s, p);

	if (en != NULL && p->has_state)
		incidents_number(en);
}

static void
repause(struct store *s, const struct result_part *p)
{
	struct entry *en = part_entry(s, p);

	if (en != NULL && repauses(p))
		confs_pause(s, en, p->transition.to == STATUS_PAUSED);
}

void
result_apply(struct store *s, struct slot *slot)
{
	struct result_unit *r = CONTAINER(slot->unit, struct result_unit, unit);
	struct entry *en = r->has_sample ?
	    view_entry(s->view, r->sample.monitor) : NULL;

	if (en != NULL)
		view_place(en, slot->place, r->sample.seq);
	if (slot->tell && en != NULL)
		view_sample_seen(en, &r->sample);
	if (slot->tell) {
		show_part(s, r->own);
		show_part(s, r->group);
	}
	number_part(s, r->own);
	number_part(s, r->group);
	repause(s, r->own);
	repause(s, r->group);
}

void
result_tell(struct store *s, const struct result_unit *r)
{
	struct entry *en = r->has_sample ? living(s, r->sample.monitor) : NULL;

	if (en != NULL)
		view_sample_seen(en, &r->sample);
	show_part(s, r->own);
	show_part(s, r->group);
}

unsigned
result_events(struct store *s, const struct result_unit *r,
    struct event ret[UNIT_EVENTS], unsigned which[UNIT_EVENTS])
{
	const struct result_part *parts[UNIT_EVENTS] = {r->own, r->group};
	unsigned n = 0;

	for (unsigned k = 0; k < UNIT_EVENTS; k++) {
		const struct entry *en = part_entry(s, parts[k]);

		if (en == NULL || !parts[k]->has_transition)
			continue;
		make_event(en, &parts[k]->transition, k == 0 ? r->actor : "",
		    &ret[n]);
		which[n++] = k;
	}
	return n;
}

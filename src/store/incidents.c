/* incidents.c: the automatic ones, as rows; see incidents.h. */
#include "store/incidents.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "world/world.h"

#define LOAD_PAGE 500

static enum err
run(struct store *s, enum stmt st, const struct val *v, size_t n,
    int64_t *ret_rows, struct errinfo *ei)
{
	return s->db->ops->run(s->db, st, v, n, ret_rows, ei);
}

enum err
incidents_end(struct store *s, uint32_t monitor, int64_t at_us,
    struct errinfo *ei)
{
	return run(s, STMT_INCIDENT_END, VALS(V_INT(monitor), V_INT(at_us)),
	    NULL, ei);
}

static enum err
begin(struct store *s, const struct entry *en, const struct mon_state *st,
    const struct transition *t, int64_t at_us, struct errinfo *ei)
{
	struct incident i;

	incident_grade(st, &i);
	return run(s, STMT_INCIDENT_PUT, VALS(V_INT(s->next.incident),
	    V_INT(en->row.conf->id), V_INT(at_us), V_INT(at_us), V_INT(0),
	    V_INT(at_us), V_INT(i.severity), V_INT(i.worst),
	    V_INT(t != NULL ? t->why : st->why), V_INT(INCIDENT_INVESTIGATING),
	    V_INT(1), V_TEXT(en->row.conf->path), V_TEXT(""),
	    V_TEXT(t != NULL ? t->reason : st->reason), V_TEXT(""), V_TEXT(""),
	    V_TEXT("")), NULL, ei);
}

/* It is there and goes on, or it begins; en knows its number then. */
static enum err
go_on(struct store *s, struct entry *en, const struct mon_state *st,
    const struct transition *t, int64_t at_us, struct errinfo *ei)
{
	struct incident i;
	int64_t rows = 0, id = 0;
	enum err e;

	incident_grade(st, &i);
	e = run(s, STMT_INCIDENT_AGAIN, VALS(V_INT(en->row.conf->id),
	    V_INT(at_us), V_INT(i.severity), V_INT(i.worst),
	    V_INT(MAX(st->since_us, at_us))), &rows, ei);
	if (e != ERR_OK)
		return e;
	if (rows > 0) {
		e = backend_int(s->db, STMT_INCIDENT_KEY,
		    VALS(V_INT(en->row.conf->id), V_INT(at_us)), 0, &id, ei);
		en->batch_incident.id = (uint64_t)id;
		return e;
	}
	e = begin(s, en, st, t, at_us, ei);
	en->batch_incident.id = s->next.incident;
	if (e == ERR_OK)
		s->next.incident++;
	return e;
}

/* The rows become what the state says. t: what changed, or NULL. */
static enum err
follow(struct store *s, struct entry *en, const struct mon_state *st,
    const struct transition *t, struct errinfo *ei)
{
	struct incident_key *have = &en->batch_incident;
	int64_t want_us = incident_of(st, have->us);
	enum err e = ERR_OK;

	if (have->us != 0 && have->us != want_us)
		e = incidents_end(s, en->row.conf->id, st->since_us >=
		    have->us ? st->since_us : clock_wall_us(), ei);
	if (e == ERR_OK && want_us != 0)
		e = go_on(s, en, st, t, want_us, ei);
	have->us = want_us;
	return e;
}

enum err
incidents_state(struct store *s, struct entry *en,
    const struct result_part *p, struct errinfo *ei)
{
	int64_t was_us = en->batch_incident.us;
	int64_t want_us = incident_of(&p->state, was_us);

	/* A state that is only saved changes nothing. */
	if (want_us == was_us && (want_us == 0 || !p->has_transition))
		return ERR_OK;
	batch_touch(s, en);
	return follow(s, en, &p->state, p->has_transition ? &p->transition :
	    NULL, ei);
}

/* -- at open ------------------------------------------------------------------- */

static void
load_one(struct store *s, const struct incident *i)
{
	struct entry *en = i->monitor == 0 ? NULL :
	    view_entry(s->view, i->monitor);

	if (i->monitor != 0 && en == NULL)
		return;   /* "store check" tells of it */
	if (en != NULL && i->closed_us == 0)
		en->incident = en->batch_incident =
		    (struct incident_key){i->incident_us, i->id};
	(void)incident_mem_put(s->view, en, i);
}

static enum err
load_open(struct store *s, struct errinfo *ei)
{
	struct incident_list all = {.n = LOAD_PAGE};
	uint64_t after = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && all.n == LOAD_PAGE) {
		all = (struct incident_list){0};
		e = incident_rows(s->db, STMT_INCIDENT_LOAD, VALS(
		    V_INT(after), V_INT(LOAD_PAGE)), &all, ei);
		for (size_t i = 0; i < all.n; i++) {
			after = all.v[i].id;
			load_one(s, &all.v[i]);
		}
		xfree(all.v);
	}
	return e;
}

/* Up again, and its end is still to be told: a failure before goes on with the
 * same incident. */
static enum err
load_ending(struct store *s, struct entry *en, struct errinfo *ei)
{
	const struct alerting *a = &en->boot->alerting;
	struct incident_update *v = NULL;
	struct incident i;
	int64_t id = 0;
	size_t n = 0;
	enum err e;

	if (a->incident_us == 0 || a->recover_us <= s->opened_us)
		return ERR_OK;
	e = backend_int(s->db, STMT_INCIDENT_KEY, VALS(
	    V_INT(en->row.conf->id), V_INT(a->incident_us)), 0, &id, ei);
	if (e != ERR_OK || id == 0)
		return e;
	e = incident_get(s->db, (uint64_t)id, &i, ei);
	if (e != ERR_OK)
		return e;
	load_one(s, &i);
	e = incident_updates_of(s->db, i.id, true, &v, &n, ei);
	for (size_t k = 0; e == ERR_OK && k < n; k++)
		incident_mem_update(en->mem, &v[k]);
	if (e == ERR_OK)
		incident_updates_free(v, n);
	return e;
}

static enum err
load_news(struct store *s, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_INCIDENT_NEWS;
	enum err e = ops->query(s->db, st, NULL, 0, ei);

	while (e == ERR_OK && (e = ops->next(s->db, st, ei)) == ERR_OK) {
		uint32_t id = (uint32_t)ops->column_int(s->db, st, 8);
		struct entry *en = id == 0 ? NULL : view_entry(s->view, id);
		struct incident_update u;
		struct incident_mem *m;

		incident_note_row(s->db, st, &u);
		m = id != 0 && en == NULL ? NULL :
		    incident_mem_find(s->view, en, u.incident);
		if (m != NULL)
			incident_mem_update(m, &u);
		xfree(u.text);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
incidents_load(struct store *s, struct errinfo *ei)
{
	int64_t incident = 0, note = 0;
	enum err e = backend_int(s->db, STMT_INCIDENT_MAX,
	    VALS(V_TEXT("incident")), 0, &incident, ei);

	if (e == ERR_OK)
		e = backend_int(s->db, STMT_INCIDENT_MAX,
		    VALS(V_TEXT("incident_update")), 0, &note, ei);
	s->next.incident = s->begun.incident = (uint64_t)incident + 1;
	s->next.note = s->begun.note = (uint64_t)note + 1;
	if (e == ERR_OK)
		e = load_open(s, ei);
	for (size_t i = 0; e == ERR_OK && i < s->view->nids; i++)
		if (s->view->ids[i]->boot != NULL)
			e = load_ending(s, s->view->ids[i], ei);
	return e == ERR_OK ? load_news(s, ei) : e;
}

static bool
differs(const struct entry *en)
{
	return en->boot != NULL && !en->row.conf->archived &&
	    incident_of(en->boot, en->incident.us) != en->incident.us;
}

static enum err
settle_all(struct store *s, struct errinfo *ei)
{
	enum err e = s->db->ops->begin(s->db, true, ei);

	for (size_t i = 0; e == ERR_OK && i < s->view->nids; i++)
		if (differs(s->view->ids[i]))
			e = follow(s, s->view->ids[i],
			    s->view->ids[i]->boot, NULL, ei);
	if (e == ERR_OK)
		e = s->db->ops->commit(s->db, ei);
	if (e != ERR_OK)
		(void)s->db->ops->rollback(s->db, NULL);
	return e;
}

enum err
incidents_settle(struct store *s, struct errinfo *ei)
{
	bool any = false;
	enum err e;

	for (size_t i = 0; i < s->view->nids; i++)
		any = any || differs(s->view->ids[i]);
	if (!any)
		return ERR_OK;
	e = settle_all(s, ei);
	for (size_t i = 0; e == ERR_OK && i < s->view->nids; i++) {
		struct entry *en = s->view->ids[i];

		if (!differs(en))
			continue;
		incidents_show(s, en, en->boot);
		incidents_number(en);
		en->incident = en->batch_incident;
	}
	return e;
}

void
incidents_forget(struct store *s, struct entry *en)
{
	(void)s;
	en->incident = en->batch_incident = (struct incident_key){0};
	incident_mem_free(en->mem);
}

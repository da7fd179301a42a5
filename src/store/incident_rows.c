/* incident_rows.c: rows of incidents as structs, and the questions. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/incidents.h"
#include "store/query_parts.h"

static int64_t
num(struct backend *b, enum stmt st, int col)
{
	return b->ops->column_int(b, st, col);
}

static void
words(struct backend *b, enum stmt st, int col, char *dst, size_t size)
{
	(void)text_copy(dst, size, b->ops->column_str(b, st, col));
}

static enum err
ended(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void
incident_row(struct backend *b, enum stmt st, struct incident *ret)
{
	*ret = (struct incident){.id = (uint64_t)num(b, st, 0),
	    .monitor = (uint32_t)num(b, st, 1),
	    .incident_us = num(b, st, 2), .opened_us = num(b, st, 3),
	    .closed_us = num(b, st, 4), .changed_us = num(b, st, 5),
	    .severity = (uint8_t)MIN(num(b, st, 6), SEVERITY_NMAX - 1),
	    .worst = (uint8_t)MIN(num(b, st, 7), STATUS_NMAX - 1),
	    .why = (uint8_t)MIN(num(b, st, 8), WHY_NMAX - 1),
	    .state = (uint8_t)MIN(num(b, st, 9), INCIDENT_STATE_NMAX - 1),
	    .version = (uint64_t)num(b, st, 10)};
	words(b, st, 11, ret->name, sizeof(ret->name));
	words(b, st, 12, ret->title, sizeof(ret->title));
	words(b, st, 13, ret->reason, sizeof(ret->reason));
	words(b, st, 14, ret->cause, sizeof(ret->cause));
	words(b, st, 15, ret->by, sizeof(ret->by));
	incident_monitors_parse(b->ops->column_str(b, st, 16), ret);
}

enum err
incident_rows(struct backend *b, enum stmt st, const struct val *v,
    size_t nv, struct incident_list *ret, struct errinfo *ei)
{
	struct incident *all = NULL;
	size_t n = 0, cap = 0;
	enum err e = b->ops->query(b, st, v, nv, ei);

	while (e == ERR_OK && (e = b->ops->next(b, st, ei)) == ERR_OK) {
		if (n == cap) {
			cap = cap == 0 ? 16 : cap * 2;   /* ≤ its limit × 2 */
			all = xrealloc(all, cap, sizeof(*all));
		}
		incident_row(b, st, &all[n++]);
	}
	if (ended(e) != ERR_OK) {
		xfree(all);
		return e;
	}
	*ret = (struct incident_list){all, n};
	return ERR_OK;
}

enum err
incident_get(struct backend *b, uint64_t id, struct incident *ret,
    struct errinfo *ei)
{
	enum stmt st = STMT_INCIDENT_GET;
	enum err e = b->ops->query(b, st, VALS(V_INT(id)), ei);

	if (e == ERR_OK)
		e = b->ops->next(b, st, ei);
	if (e != ERR_OK)
		return e;
	incident_row(b, st, ret);
	b->ops->done(b, st);
	return ERR_OK;
}

enum err
incident_updates_of(struct backend *b, uint64_t id, bool open_only,
    struct incident_update **ret, size_t *ret_n, struct errinfo *ei)
{
	enum stmt st = STMT_INCIDENT_NOTES;
	struct incident_update *v = NULL;
	size_t n = 0;
	enum err e = b->ops->query(b, st, VALS(V_INT(id), V_INT(open_only)),
	    ei);

	while (e == ERR_OK && (e = b->ops->next(b, st, ei)) == ERR_OK) {
		v = xrealloc(v, n + 1, sizeof(*v));
		incident_note_row(b, st, &v[n++]);
	}
	if (ended(e) != ERR_OK) {
		incident_updates_free(v, n);
		return e;
	}
	*ret = v;
	*ret_n = n;
	return ERR_OK;
}

void
incident_note_row(struct backend *b, enum stmt st,
    struct incident_update *ret)
{
	struct str text = b->ops->column_str(b, st, 6);

	*ret = (struct incident_update){.text = xstrndup(text.p, text.n)};
	ret->id = (uint64_t)num(b, st, 0);
	ret->incident = (uint64_t)num(b, st, 1);
	ret->at_us = num(b, st, 2);
	ret->state = (uint8_t)MIN(num(b, st, 3), INCIDENT_STATE_NMAX - 1);
	ret->changed = num(b, st, 4) != 0;
	words(b, st, 5, ret->by, sizeof(ret->by));
	ret->open = num(b, st, 7) != 0;
}

/* -- reader threads --------------------------------------------------------- */

enum err
query_incidents(struct reader *r, const struct incident_query *q,
    struct incident **ret, size_t *ret_n, struct errinfo *ei)
{
	int64_t below = q->before_id != 0 ? (int64_t)q->before_id : INT64_MAX;
	int64_t to_us = q->to_us != 0 ? q->to_us : INT64_MAX;
	struct incident_list all = {0};
	enum err e;

	if (q->monitor != 0)
		e = incident_rows(r->db, STMT_INCIDENT_OF, VALS(V_INT(below),
		    V_INT(q->from_us), V_INT(to_us), V_INT(q->which),
		    V_INT(q->limit), V_INT(q->monitor)), &all, ei);
	else
		e = incident_rows(r->db, q->which == INCIDENT_OPEN ?
		    STMT_INCIDENT_OPEN : STMT_INCIDENT_LIST, VALS(
		    V_INT(below), V_INT(q->from_us), V_INT(to_us),
		    V_INT(q->which), V_INT(q->limit)), &all, ei);
	if (e != ERR_OK)
		return e;
	*ret = all.v;
	*ret_n = all.n;
	return ERR_OK;
}

enum err
query_incident(struct reader *r, uint64_t id, struct incident *ret,
    struct errinfo *ei)
{
	return incident_get(r->db, id, ret, ei);
}

enum err
query_incident_updates(struct reader *r, uint64_t id, bool open_only,
    struct incident_update **ret, size_t *ret_n, struct errinfo *ei)
{
	return incident_updates_of(r->db, id, open_only, ret, ret_n, ei);
}

/* incident_edit.c: what people write of incidents. Looked at and changed in the
 * writer's transaction, so that two of them, or one and the monitor itself,
 * never cross. */
#define OWNS_OFF
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/incidents.h"
#include "world/world.h"

struct incident_unit *
incident_unit_new(enum incident_op op)
{
	struct incident_unit *u = xcalloc(1, sizeof(*u));

	unit_awaited(&u->unit, UNIT_INCIDENT, sizeof(*u));
	u->op = op;
	return u;
}

void
incident_unit_free(struct incident_unit *u)
{
	if (u == NULL)
		return;
	incident_conf_clear(&u->conf);
	xfree(u->update.text);
	incident_updates_free(u->before, u->nbefore);
	xfree(u);
}

/* -- what is allowed --------------------------------------------------------- */

static enum err
get_number(struct store *s, enum stmt st, uint64_t id, int64_t *ret,
    struct errinfo *ei)
{
	return backend_int(s->db, st, VALS(V_INT(id)), 0, ret, ei);
}

/* Manual ones that are open: for one more of them. */
static enum err
check_open(struct store *s, struct errinfo *why)
{
	int64_t n = 0;
	enum err e = get_number(s, STMT_INCIDENT_MANUAL, 1, &n, why);

	if (e == ERR_OK && n >= INCIDENT_OPEN_MAX)
		e = fail(why, ERR_LIMIT, "%d incidents written by hand are"
		    " open already, no more are allowed; resolve one",
		    INCIDENT_OPEN_MAX);
	return e;
}

static enum err
check_room(struct store *s, bool open, struct errinfo *why)
{
	int64_t n = 0;
	enum err e = get_number(s, STMT_INCIDENT_MANUAL, 0, &n, why);

	if (e == ERR_OK && n >= INCIDENT_MANUAL_MAX)
		e = fail(why, ERR_LIMIT, "%d incidents written by hand are"
		    " kept already, no more are allowed; delete some",
		    INCIDENT_MANUAL_MAX);
	return e == ERR_OK && open ? check_open(s, why) : e;
}

static enum err
check_updates(struct store *s, uint64_t id, struct errinfo *why)
{
	int64_t n = 0;
	enum err e = get_number(s, STMT_INCIDENT_NOTED, id, &n, why);

	if (e == ERR_OK && n >= INCIDENT_UPDATES_MAX)
		e = fail(why, ERR_LIMIT, "it has %d updates already, no more"
		    " are allowed", INCIDENT_UPDATES_MAX);
	return e;
}

/* An automatic one is over when its monitor says so, and not before. */
static enum err
check_state(struct store *s, const struct incident *i, uint32_t to,
    struct errinfo *why)
{
	struct entry *en = view_entry(s->view, i->monitor);
	char at[TIME_TEXT];

	if (to == i->state)
		return ERR_OK;
	if (i->monitor == 0)
		return i->closed_us != 0 ? check_open(s, why) : ERR_OK;
	if (i->closed_us == 0 && to == INCIDENT_RESOLVED)
		return fail_at(why, ERR_CONFLICT, "state", 0, "%s is still %s:"
		    " its incident is resolved when it is up again; allowed:"
		    " investigating, identified, monitoring", i->name,
		    en != NULL ? status_name((enum status)en->row.status) :
		    "in trouble");
	if (i->closed_us != 0)
		return fail_at(why, ERR_CONFLICT, "state", 0, "the incident"
		    " of %s ended at %s and stays resolved", i->name,
		    time_format_utc(i->closed_us, at));
	return ERR_OK;
}

/* -- what becomes of it ------------------------------------------------------ */

static enum err
set_monitors(struct store *s, const struct incident_conf *c,
    struct incident *i, struct errinfo *why)
{
	i->nmonitors = 0;
	for (size_t k = 0; k < c->monitors.n; k++) {
		struct entry *en = view_entry_at(s->view,
		    str_of(c->monitors.v[k]));

		if (en == NULL)
			return fail_at(why, ERR_INVALID, "monitors", 0,
			    "there is no monitor \"%s\"", c->monitors.v[k]);
		i->monitors[i->nmonitors++] = en->row.conf->id;
	}
	return ERR_OK;
}

static void
set_state(struct incident *i, uint32_t to, int64_t at_us)
{
	bool over = to == INCIDENT_RESOLVED;

	if (i->monitor == 0)
		i->closed_us = !over ? 0 : i->closed_us != 0 ? i->closed_us :
		    MAX(at_us, i->opened_us);
	i->state = (uint8_t)to;
}

/* Several lines, each made harmless. */
static char *
clean(const char *text)
{
	BUF_AUTO(b, (size_t)4 * INCIDENT_TEXT_MAX);
	struct str rest = str_of(text), line;

	while (rest.n > 0) {
		bool more;

		more = memchr(rest.p, '\n', rest.n) != NULL;
		rest = str_cut(rest, '\n', &line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		text_line(&b, line, INCIDENT_TEXT_MAX);
		if (more && rest.n > 0)
			buf_addc(&b, '\n');
	}
	return buf_take(&b);
}

static void
set_update(struct incident_unit *u, bool changed, int64_t at_us)
{
	const struct incident_conf *c = &u->conf;

	xfree(u->update.text);
	u->update = (struct incident_update){.incident = u->now.id,
	    .at_us = at_us, .state = u->now.state, .changed = changed,
	    .open = u->op == INCIDENT_CHANGE || c->open,
	    .text = clean(c->text != NULL ? c->text : "")};
	(void)text_copy(u->update.by, sizeof(u->update.by), str_of(u->actor));
}

static enum err
create(struct store *s, struct incident_unit *u, int64_t at_us,
    struct errinfo *why)
{
	const struct incident_conf *c = &u->conf;
	bool open = c->state != INCIDENT_RESOLVED;
	enum err e = check_room(s, open, why);

	u->now = (struct incident){.id = s->next.incident, .version = 1,
	    .incident_us = at_us, .opened_us = at_us, .changed_us = at_us,
	    .closed_us = open ? 0 : at_us, .state = (uint8_t)c->state,
	    .severity = (uint8_t)c->severity, .worst = STATUS_UP,
	    .why = WHY_OK};
	(void)text_copy(u->now.title, sizeof(u->now.title), str_of(c->title));
	(void)text_copy(u->now.cause, sizeof(u->now.cause), str_of(c->cause));
	(void)text_copy(u->now.by, sizeof(u->now.by), str_of(u->actor));
	if (e == ERR_OK)
		e = set_monitors(s, c, &u->now, why);
	if (e == ERR_OK && c->text != NULL)
		set_update(u, false, at_us);
	return e;
}

static enum err
change(struct store *s, struct incident_unit *u, int64_t at_us,
    struct errinfo *why)
{
	const struct incident_conf *c = &u->conf;
	struct incident *i = &u->now;
	bool moves = c->has_state && c->state != i->state;
	enum err e = ERR_OK;

	if (u->if_version != 0 && u->if_version != i->version)
		return fail(why, ERR_CONFLICT, "it was changed meanwhile:"
		    " version %llu is now %llu",
		    (unsigned long long)u->if_version,
		    (unsigned long long)i->version);
	if (c->has_monitors && i->monitor != 0)
		return fail_at(why, ERR_INVALID, "monitors", 0, "the incident"
		    " is of %s alone", i->name);
	if (c->has_severity && i->monitor != 0)
		return fail_at(why, ERR_INVALID, "severity", 0, "follows from"
		    " what happened to %s", i->name);
	if (moves)
		e = check_state(s, i, c->state, why);
	if (e == ERR_OK && moves)
		e = check_updates(s, i->id, why);
	if (e == ERR_OK && c->has_monitors)
		e = set_monitors(s, c, i, why);
	if (e != ERR_OK)
		return e;
	if (c->has_title)
		(void)text_copy(i->title, sizeof(i->title), str_of(c->title));
	if (c->has_cause)
		(void)text_copy(i->cause, sizeof(i->cause), str_of(c->cause));
	if (c->has_severity)
		i->severity = (uint8_t)c->severity;
	if (!moves)
		return ERR_OK;
	set_state(i, c->state, at_us);
	set_update(u, true, at_us);
	return ERR_OK;
}

static enum err
update(struct store *s, struct incident_unit *u, int64_t at_us,
    struct errinfo *why)
{
	const struct incident_conf *c = &u->conf;
	bool moves = c->has_state && c->state != u->now.state;
	enum err e = check_updates(s, u->now.id, why);

	if (e == ERR_OK && moves)
		e = check_state(s, &u->now, c->state, why);
	if (e != ERR_OK)
		return e;
	if (moves)
		set_state(&u->now, c->state, at_us);
	set_update(u, moves, at_us);
	return ERR_OK;
}

/* It is open again: what was said of it is shown again. */
static enum err
recall(struct store *s, struct incident_unit *u, struct errinfo *why)
{
	incident_updates_free(u->before, u->nbefore);
	u->before = NULL;
	u->nbefore = 0;
	return incident_updates_of(s->db, u->id, true, &u->before,
	    &u->nbefore, why);
}

/* u->now becomes what will be stored. */
static enum err
plan(struct store *s, struct incident_unit *u, int64_t at_us,
    struct errinfo *why)
{
	enum err e;

	if (u->op == INCIDENT_CREATE)
		return create(s, u, at_us, why);
	e = incident_get(s->db, u->id, &u->now, why);
	if (e == ERR_NOT_FOUND)
		return fail(why, e, "there is no incident %llu",
		    (unsigned long long)u->id);
	if (e != ERR_OK)
		return e;
	if (u->op == INCIDENT_CHANGE || u->op == INCIDENT_UPDATE) {
		bool over = u->now.closed_us != 0;

		e = u->op == INCIDENT_CHANGE ? change(s, u, at_us, why) :
		    update(s, u, at_us, why);
		return e == ERR_OK && over && u->now.closed_us == 0 ?
		    recall(s, u, why) : e;
	}
	if (u->now.monitor != 0)
		return fail(why, ERR_CONFLICT, "it is what happened to %s: only"
		    " an incident written by hand can be deleted",
		    u->now.name);
	return ERR_OK;
}

/* -- into the transaction ---------------------------------------------------- */

static enum err
put_row(struct store *s, struct incident_unit *u, int64_t at_us,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	struct incident *i = &u->now;
	BUF_AUTO(monitors, (size_t)16 * INCIDENT_MONITORS_MAX);
	const char *list;

	incident_monitors_text(i, &monitors);
	list = monitors.n > 0 ? monitors.p : "";
	if (u->op == INCIDENT_CREATE) {
		s->next.incident++;
		return ops->run(s->db, STMT_INCIDENT_PUT, VALS(V_INT(i->id),
		    V_INT(0), V_INT(i->incident_us), V_INT(i->opened_us),
		    V_INT(i->closed_us), V_INT(i->changed_us),
		    V_INT(i->severity), V_INT(i->worst), V_INT(i->why),
		    V_INT(i->state), V_INT(i->version), V_TEXT(i->name),
		    V_TEXT(i->title), V_TEXT(i->reason), V_TEXT(i->cause),
		    V_TEXT(i->by), V_TEXT(list)), NULL, ei);
	}
	i->version++;
	i->changed_us = MAX(at_us, i->changed_us);
	return ops->run(s->db, STMT_INCIDENT_SET, VALS(V_INT(i->id),
	    V_INT(i->closed_us), V_INT(i->changed_us), V_INT(i->severity),
	    V_INT(i->state), V_INT(i->version), V_TEXT(i->title),
	    V_TEXT(i->cause), V_TEXT(list)), NULL, ei);
}

static enum err
put_update(struct store *s, struct incident_unit *u, struct errinfo *ei)
{
	struct incident_update *n = &u->update;

	n->id = s->next.note++;
	return s->db->ops->run(s->db, STMT_INCIDENT_NOTE, VALS(V_INT(n->id),
	    V_INT(n->incident), V_INT(n->at_us), V_INT(n->state),
	    V_INT(n->changed), V_TEXT(n->by), V_TEXT(n->text),
	    V_INT(n->open)), NULL, ei);
}

static enum err
put_event(struct store *s, const struct incident_unit *u, int64_t at_us,
    struct errinfo *ei)
{
	const struct incident_update *n = &u->update;
	struct event ev = {.at_us = at_us, .kind = EVENT_INCIDENT,
	    .monitor = u->now.monitor};
	char title[INCIDENT_TITLE_TEXT];
	const char *verb = u->op == INCIDENT_CREATE ? "created" :
	    u->op == INCIDENT_DELETE ? "deleted" :
	    n->incident == 0 ? "changed" : n->changed ?
	    incident_state_names[n->state] : n->open ? "updated" : "noted";

	(void)snprintf(ev.actor, sizeof(ev.actor), "%s", u->actor);
	(void)text_copy(ev.subject, sizeof(ev.subject),
	    str_of(incident_title(&u->now, title)));
	(void)snprintf(ev.text, sizeof(ev.text), "incident %llu %s%s%.180s",
	    (unsigned long long)u->now.id, verb, n->incident != 0 &&
	    n->text[0] != '\0' ? ": " : "", n->incident != 0 ? n->text : "");
	return batch_event(s, &ev, ei);
}

/* The person's fault, not the database's. */
static bool
refused(enum err e)
{
	return e == ERR_NOT_FOUND || e == ERR_CONFLICT || e == ERR_INVALID ||
	    e == ERR_LIMIT;
}

enum err
incidents_put(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct incident_unit *u = CONTAINER(slot->unit, struct incident_unit,
	    unit);
	int64_t at_us = clock_wall_us();
	struct errinfo why = {0};
	enum err e;

	u->update.incident = 0;
	e = plan(s, u, at_us, &why);
	if (e != ERR_OK && !refused(e)) {
		if (ei != NULL)
			*ei = why;
		return e;
	}
	if (e != ERR_OK) {
		slot->outcome = e;
		slot->ei = xcalloc(1, sizeof(why));
		*slot->ei = why;
		return ERR_OK;
	}
	slot->stored = true;
	if (u->op == INCIDENT_DELETE)
		e = s->db->ops->run(s->db, STMT_INCIDENT_DEL,
		    VALS(V_INT(u->now.id)), NULL, ei);
	else
		e = put_row(s, u, at_us, ei);
	if (e == ERR_OK && u->update.incident != 0)
		e = put_update(s, u, ei);
	return e == ERR_OK ? put_event(s, u, at_us, ei) : e;
}

/* -- after the commit -------------------------------------------------------- */

void
incidents_apply(struct store *s, struct slot *slot)
{
	const struct incident_unit *u = CONTAINER(slot->unit,
	    struct incident_unit, unit);
	const struct incident *i = &u->now;
	struct entry *en = i->monitor == 0 ? NULL :
	    view_entry(s->view, i->monitor);
	struct incident_mem *m = i->monitor != 0 && en == NULL ? NULL :
	    incident_mem_find(s->view, en, i->id);

	if (i->monitor == 0 && (u->op == INCIDENT_DELETE ||
	    i->closed_us != 0)) {
		incident_mem_free(m);
		return;
	}
	if (m == NULL && i->monitor != 0)
		return;   /* it is over, and not shown */
	m = incident_mem_put(s->view, en, i);
	for (size_t k = 0; k < u->nbefore; k++)
		incident_mem_update(m, &u->before[k]);
	if (u->update.incident != 0)
		incident_mem_update(m, &u->update);
}

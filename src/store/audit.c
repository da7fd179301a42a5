/* audit.c: the rules, and what runs them. To add an invariant: add a row; one
 * that is a question to the database is a statement alone. */
#include "store/audit_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* One of fn and stmt. A rule of the database itself is run at every depth. */
struct audit_rule {
	const char *name;
	audit_fn *fn;
	enum stmt stmt;           /* each row: monitor, from_us, to_us */
	const char *words;        /* of what a row of stmt means */
	unsigned depths;          /* 1 << enum audit_depth */
};
#define AT(d) (1u << (d))
#define DEPTHS_ALL (AT(AUDIT_ALL))

static audit_fn audit_schema, audit_pages, audit_quick, audit_keys;

static const struct audit_rule rules[] = {
	{"schema", .fn = audit_schema, .depths = AT(AUDIT_ALL) |
	    AT(AUDIT_PAGES) | AT(AUDIT_QUICK)},
	{"pages", .fn = audit_pages, .depths = AT(AUDIT_ALL) |
	    AT(AUDIT_PAGES)},
	{"pages_quick", .fn = audit_quick, .depths = AT(AUDIT_QUICK)},
	{"foreign_keys", .fn = audit_keys, .depths = AT(AUDIT_ALL) |
	    AT(AUDIT_PAGES)},
	{"monitor_group", .stmt = STMT_AUDIT_GROUPS, .depths = DEPTHS_ALL,
	    .words = "its group is not there"},
	{"monitor_name", .stmt = STMT_AUDIT_NAMES, .depths = DEPTHS_ALL,
	    .words = "another monitor has the same name"},
	{"monitor_text", .stmt = STMT_AUDIT_TEXTS, .depths = DEPTHS_ALL,
	    .words = "its configuration is not JSON"},
	{"monitor_id", .stmt = STMT_AUDIT_IDS, .depths = DEPTHS_ALL,
	    .words = "its id would be given out again"},
	{"doomed", .stmt = STMT_AUDIT_DOOMED, .depths = DEPTHS_ALL,
	    .words = "it is to be deleted and still configured"},
	{"state_owner", .stmt = STMT_AUDIT_STATES, .depths = DEPTHS_ALL,
	    .words = "a state of a monitor that is not there"},
	{"evidence_owner", .stmt = STMT_AUDIT_EVIDENCE, .depths = DEPTHS_ALL,
	    .words = "evidence of a monitor that is not there"},
	{"token", .stmt = STMT_AUDIT_TOKENS, .depths = DEPTHS_ALL,
	    .words = "an API token's hash is damaged"},
	{"gap", .stmt = STMT_AUDIT_GAPS, .depths = DEPTHS_ALL,
	    .words = "a gap that ends before it begins"},
	{"chunk_bytes", .stmt = STMT_AUDIT_CHUNK_BYTES, .depths = DEPTHS_ALL,
	    .words = "the bytes of all chunks are not those that are kept"},
	{"outbox", .stmt = STMT_AUDIT_OUTBOX, .depths = DEPTHS_ALL,
	    .words = "an alert's event is not JSON"},
	{"maintenance", .stmt = STMT_AUDIT_WINDOWS, .depths = DEPTHS_ALL,
	    .words = "a maintenance window is not JSON"},
	{"maintenance_applied", .stmt = STMT_AUDIT_APPLIED,
	    .depths = DEPTHS_ALL,
	    .words = "maintenance that ends before it begins"},
	{"incident", .stmt = STMT_AUDIT_INCIDENTS, .depths = DEPTHS_ALL,
	    .words = "an incident whose state and end contradict"},
	{"incident_owner", .stmt = STMT_AUDIT_INCIDENT_OWNER,
	    .depths = DEPTHS_ALL,
	    .words = "an open incident of a monitor that is not checked"},
	{"incident_update", .stmt = STMT_AUDIT_NOTES, .depths = DEPTHS_ALL,
	    .words = "an update of an incident that is not there"},
	{"incident_open", .fn = audit_incidents, .depths = DEPTHS_ALL},
	{"rollups", .fn = audit_rollups, .depths = DEPTHS_ALL},
	{"chunks", .fn = audit_chunks, .depths = DEPTHS_ALL},
	{"tail", .fn = audit_tail, .depths = DEPTHS_ALL},
	{"transitions", .fn = audit_turns, .depths = DEPTHS_ALL},
};

void
audit_find(struct audit *a, struct audit_span where, const char *fmt, ...)
{
	struct audit_report *r = a->r;
	struct finding *f = &r->v[r->n];
	char raw[sizeof(f->text)];
	va_list ap;

	r->total++;
	if (r->n == AUDIT_FINDINGS)
		return;
	r->n++;
	*f = (struct finding){.rule = a->rule, .monitor = where.monitor,
	    .from_us = where.from_us, .to_us = where.to_us};
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	/* Some of it comes from the file. */
	(void)text_copy(f->text, sizeof(f->text), str_of(raw));
}

enum err
audit_turn(struct audit *a, struct errinfo *ei)
{
	if (a->turn == NULL)
		return ERR_OK;
	return a->turn->fn(a->turn->arg, a->at, a->all, ei);
}

enum err
audit_begin(struct audit *a, struct errinfo *ei)
{
	return a->db->ops->begin(a->db, false, ei);
}

enum err
audit_end(struct audit *a, enum err e, struct errinfo *ei)
{
	if (a->db->ops->rollback(a->db, NULL) != ERR_OK && e == ERR_OK)
		return fail(ei, ERR_STORE, "a read transaction does not end");
	return e;
}

enum err
audit_owner(struct audit *a, enum stmt st, uint32_t *id, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	bool known;
	enum err e = ops->query(a->db, st, VALS(V_INT(*id)), ei);

	if (e == ERR_OK)
		e = ops->next(a->db, st, ei);
	if (e != ERR_OK)
		return e;
	*id = (uint32_t)ops->column_int(a->db, st, 0);
	known = ops->column_int(a->db, st, 1) != 0;
	ops->done(a->db, st);
	if (!known)
		audit_find(a, (struct audit_span){.monitor = *id},
		    "rows of a monitor that is not there");
	return audit_turn(a, ei);
}

/* -- the database's own ------------------------------------------------- */
static void
maimed(void *arg, const char *text)
{
	struct audit *a = arg;

	a->maimed = true;
	audit_find(a, (struct audit_span){0}, "%s", text);
}

static enum err
audit_schema(struct audit *a, struct errinfo *ei)
{
	return a->db->ops->flaws(a->db, maimed, a, ei);
}

static enum err
pages(struct audit *a, enum stmt st, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum err e = ops->query(a->db, st, NULL, 0, ei);

	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		struct str text = ops->column_str(a->db, st, 0);

		if (!str_is(text, "ok"))
			audit_find(a, (struct audit_span){0}, "%.*s",
			    (int)MIN(text.n, (size_t)180), text.p);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
audit_pages(struct audit *a, struct errinfo *ei)
{
	return pages(a, STMT_AUDIT_PAGES, ei);
}

static enum err
audit_quick(struct audit *a, struct errinfo *ei)
{
	return pages(a, STMT_AUDIT_QUICK, ei);
}

static enum err
audit_keys(struct audit *a, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = STMT_AUDIT_KEYS;
	enum err e = ops->query(a->db, st, NULL, 0, ei);

	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		struct str table = ops->column_str(a->db, st, 0);

		audit_find(a, (struct audit_span){0}, "row %lld of table %.*s"
		    " refers to one that is not there",
		    (long long)ops->column_int(a->db, st, 1),
		    (int)MIN(table.n, (size_t)60), table.p);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* -- ours --------------------------------------------------------------- */
static enum err
question(struct audit *a, const struct audit_rule *rule, struct errinfo *ei)
{
	const struct backend_ops *ops = a->db->ops;
	enum stmt st = rule->stmt;
	enum err e = ops->query(a->db, st, NULL, 0, ei);

	while (e == ERR_OK && (e = ops->next(a->db, st, ei)) == ERR_OK) {
		struct audit_span where = {
		    .monitor = (uint32_t)ops->column_int(a->db, st, 0),
		    .from_us = ops->column_int(a->db, st, 1),
		    .to_us = ops->column_int(a->db, st, 2)};

		audit_find(a, where, "%s", rule->words);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
run_rule(struct audit *a, const struct audit_rule *rule, struct errinfo *ei)
{
	struct errinfo why = {0};
	enum err e;

	a->rule = rule->name;
	e = rule->fn != NULL ? rule->fn(a, &why) : question(a, rule, &why);
	if (e == ERR_STORE && a->db->fault.class == CLASS_CORRUPT) {
		audit_find(a, (struct audit_span){0}, "cannot be read: %.160s",
		    why.text);
		return ERR_OK;
	}
	if (e == ERR_STORE && a->maimed && a->db->fault.class == CLASS_OTHER) {
		audit_find(a, (struct audit_span){0}, "cannot be asked: %.160s",
		    why.text);
		return ERR_OK;
	}
	if (e != ERR_OK && ei != NULL)
		*ei = why;
	return e;
}

enum err
audit_run(struct backend *b, enum audit_depth depth,
    const struct backend_turn *turn, struct audit_report *ret,
    struct errinfo *ei)
{
	struct audit a = {.db = b, .turn = turn, .r = ret};
	enum err e;

	memset(ret, 0, sizeof(*ret));
	e = b->ops->verify(b, &ret->older, ei);
	if (ret->older && depth == AUDIT_ALL)
		depth = AUDIT_PAGES;   /* our questions are for our tables */
	for (size_t i = 0; i < COUNT(rules); i++)
		a.all += (rules[i].depths & AT(depth)) != 0;
	for (size_t i = 0; e == ERR_OK && i < COUNT(rules); i++) {
		if ((rules[i].depths & AT(depth)) == 0)
			continue;
		e = audit_turn(&a, ei);
		if (e == ERR_OK)
			e = run_rule(&a, &rules[i], ei);
		a.at++;
		ret->rules++;
	}
	return e == ERR_OK ? audit_turn(&a, ei) : e;
}

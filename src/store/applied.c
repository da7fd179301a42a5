#include "store/applied.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/chores.h"
#include "store/wire.h"
#include "store/windows.h"
#include "world/world.h"

#define LOOK_NS NS_PER_S
#define OPEN_US INT64_MAX        /* nobody knows when it ends */
#define ID_MAX  5                /* bytes of one id's distance */

/* What is stored of a window's run, so that it is not stored again. */
struct run_row {
	char name[MONITOR_NAME_MAX + 1];
	int64_t from_us, until_us;
	struct buf ids;              /* as stored */
	int64_t made_us;
	bool all;
	bool fresh;                  /* put by the slice under way, from */
	int64_t put_us;              /* then on; not in the view yet */
};

/* -- ids as bytes ------------------------------------------------------------ */

static void
ids_put(struct store *s, const char *name, struct buf *out, bool *ret_all)
{
	uint32_t last = 0;

	(void)windows_covers(s->view->windows, name, NULL, ret_all);
	for (size_t i = 0; !*ret_all && i < s->view->nids; i++) {
		const struct monitor_conf *c = s->view->ids[i]->row.conf;
		unsigned char bytes[ID_MAX];
		struct wire_out o = {bytes, 0, sizeof(bytes), false};
		bool all;

		if (c->archived ||
		    !windows_covers(s->view->windows, name, c, &all))
			continue;
		wire_uint(&o, c->id - last);
		last = c->id;
		buf_add(out, (struct str){(const char *)bytes, o.n});
	}
	if (out->n == 0)   /* nobody: no bytes at all would be everybody */
		buf_addc(out, '\0');
}

/* False: it is damaged. */
static bool
ids_get(struct str bytes, struct applied_row *ret)
{
	struct wire_in in = {(const unsigned char *)bytes.p, bytes.n, false};
	uint64_t id = 0;

	ret->ids = xcalloc(bytes.n + 1, sizeof(*ret->ids));
	while (in.n > 0) {
		id += wire_get_uint(&in);
		if (in.bad || id > UINT32_MAX)
			return false;
		ret->ids[ret->n++] = (uint32_t)id;
	}
	return true;
}

/* -- reading ------------------------------------------------------------------ */

void
applied_free(struct applied *a)
{
	for (size_t i = 0; i < a->n; i++)
		xfree(a->v[i].ids);
	xfree(a->v);
	*a = (struct applied){0};
}

enum err
applied_load(struct reader *r, int64_t from_us, int64_t to_us,
    struct applied *ret, struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum stmt st = STMT_APPLIED_SPAN;
	struct applied a = {0};
	size_t cap = 0;
	enum err e = ops->query(r->db, st, VALS(V_INT(from_us),
	    V_INT(to_us)), ei);

	while (e == ERR_OK && (e = ops->next(r->db, st, ei)) == ERR_OK) {
		struct applied_row one = {.from_us = ops->column_int(r->db,
		    st, 0), .to_us = ops->column_int(r->db, st, 1),
		    .monitor = (uint32_t)ops->column_int(r->db, st, 2)};
		struct str ids = ops->column_str(r->db, st, 3);

		one.all = one.monitor == 0 && ids.n == 0;   /* NULL */
		if (a.n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			a.v = xrealloc(a.v, cap, sizeof(*a.v));
		}
		if (one.monitor == 0 && !one.all && !ids_get(ids, &one))
			e = fail(ei, ERR_STORE, "a row of maintenance that"
			    " applied is damaged");
		a.v[a.n++] = one;
	}
	ops->done(r->db, st);
	if (e == ERR_NOT_FOUND)
		*ret = a;
	else
		applied_free(&a);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static int
order_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
covers(const struct applied_row *r, uint32_t monitor)
{
	if (r->monitor != 0)
		return r->monitor == monitor;
	return r->all || (r->n > 0 && bsearch(&monitor, r->ids, r->n,
	    sizeof(*r->ids), order_id) != NULL);
}

size_t
applied_of(const struct applied *a, uint32_t monitor, struct gap **ret)
{
	struct gap *g = xcalloc(a->n + 1, sizeof(*g));
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct applied_row *r = &a->v[i];

		if (r->to_us > r->from_us && covers(r, monitor))
			n = uptime_gap_add(g, n, (struct gap){r->from_us,
			    r->to_us});
	}
	*ret = g;
	return n;
}

/* -- the writer --------------------------------------------------------------- */

static enum err
load_windows(struct store *s, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_WINDOW_LOAD;
	enum err e = ops->query(s->db, st, NULL, 0, ei);

	while (e == ERR_OK && (e = ops->next(s->db, st, ei)) == ERR_OK) {
		struct window_stored w = {
		    .origin = (enum origin)ops->column_int(s->db, st, 1),
		    .made_us = ops->column_int(s->db, st, 3),
		    .ended_us = ops->column_int(s->db, st, 4),
		    .over_us = ops->column_int(s->db, st, 5)};
		struct str text = ops->column_str(s->db, st, 2);

		w.text = xstrndup(text.p, text.n);
		(void)text_copy(w.name, sizeof(w.name),
		    ops->column_str(s->db, st, 0));
		windows_set(s->view->windows, &w);
		window_stored_clear(&w);
	}
	ops->done(s->db, st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* -- the view's copy ---------------------------------------------------------- */

static void
cover(struct covered *to, const struct cover *c, struct str ids)
{
	struct applied_row got = {0};
	struct cover one = *c;

	if (one.monitor == 0 && !one.all && !ids_get(ids, &got))
		log_error("store", "a row of maintenance that applied is"
		    " damaged: the days of its monitors do not show it",
		    KV("window", one.name), KV_I("from_us", one.from_us));
	else {
		one.ids = got.ids;
		one.n = got.n;
		covered_add(to, &one);
	}
	xfree(got.ids);
}

static enum err
load_covered(struct store *s, struct covered *to, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_APPLIED_SPAN;
	enum err e = ops->query(s->db, st, VALS(V_INT(clock_wall_us() -
	    VIEW_HISTORY_US), V_INT(INT64_MAX)), ei);

	while (e == ERR_OK && (e = ops->next(s->db, st, ei)) == ERR_OK) {
		struct str ids = ops->column_str(s->db, st, 3);
		struct cover c = {.from_us = ops->column_int(s->db, st, 0),
		    .to_us = ops->column_int(s->db, st, 1),
		    .monitor = (uint32_t)ops->column_int(s->db, st, 2)};
		char name[MONITOR_NAME_MAX + 1];

		(void)text_copy(name, sizeof(name),
		    ops->column_str(s->db, st, 4));
		c.name = name;
		c.all = c.monitor == 0 && ids.n == 0;
		cover(to, &c, ids);
	}
	ops->done(s->db, st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What this slice has stored. */
static void
show_runs(struct store *s, int64_t now_us)
{
	view_lock(s->view);
	for (size_t i = 0; i < s->nrun_rows; i++) {
		struct run_row *r = &s->run_rows[i];
		const struct cover c = {.name = r->name,
		    .from_us = r->put_us, .to_us = r->until_us == 0 ?
		    OPEN_US : r->until_us, .all = r->all};

		if (!r->fresh)
			continue;
		r->fresh = false;
		covered_cut(s->view->covered, r->name, now_us, false);
		cover(s->view->covered, &c, buf_str(&r->ids));
	}
	view_unlock(s->view);
}

/* A COMMIT ended and nobody saw how: what is stored is what counts. */
static void
show_stored(struct store *s)
{
	struct covered *now = covered_new(), *was = s->view->covered;

	if (load_covered(s, now, NULL) != ERR_OK) {
		covered_free(now);
		return;
	}
	view_lock(s->view);
	s->view->covered = now;
	s->view->covered_doubt = false;
	view_unlock(s->view);
	covered_free(was);
}

enum err
applied_open(struct store *s, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum stmt st = STMT_APPLIED_FLEX;
	enum err e = load_windows(s, ei);

	if (e == ERR_OK)
		e = load_covered(s, s->view->covered, ei);
	if (e == ERR_OK)
		e = ops->query(s->db, st, VALS(V_INT(clock_wall_us())), ei);
	while (e == ERR_OK && (e = ops->next(s->db, st, ei)) == ERR_OK) {
		struct maintenance m = {
		    .from_us = ops->column_int(s->db, st, 2),
		    .until_us = ops->column_int(s->db, st, 3)};

		(void)text_copy(m.name, sizeof(m.name),
		    ops->column_str(s->db, st, 0));
		windows_flex_add(s->view->windows,
		    (uint32_t)ops->column_int(s->db, st, 1), &m);
	}
	ops->done(s->db, st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool
trouble(uint8_t status)
{
	return status == STATUS_DOWN || status == STATUS_LATE ||
	    status == STATUS_DEGRADED;
}

/* Memory learns of it after the commit (applied_learn). */
enum err
applied_transition(struct store *s, const struct entry *en,
    const struct transition *t, struct errinfo *ei)
{
	struct maintenance m;
	size_t at = 0;
	enum err e = ERR_OK;

	if (!trouble(t->to))
		return ERR_OK;
	while (e == ERR_OK && windows_flex_next(s->view->windows,
	    en->row.conf, t->at_us, &at, &m))
		e = s->db->ops->run(s->db, STMT_APPLIED_PUT, VALS(
		    V_TEXT(m.name), V_INT(en->row.conf->id),
		    V_INT(m.from_us), V_INT(m.until_us), V_NULL), NULL, ei);
	return e;
}

void
applied_learn(struct store *s, const struct entry *en,
    const struct transition *t)
{
	struct maintenance m;
	size_t at = 0;

	if (!trouble(t->to))
		return;
	while (windows_flex_next(s->view->windows, en->row.conf, t->at_us,
	    &at, &m)) {
		windows_flex_add(s->view->windows, en->row.conf->id, &m);
		covered_add(s->view->covered, &(struct cover){
		    .name = m.name, .from_us = m.from_us,
		    .to_us = m.until_us, .monitor = en->row.conf->id});
	}
}

enum err
applied_cut(struct store *s, const char *name, int64_t at_us, bool all,
    int64_t *ret_rows, struct errinfo *ei)
{
	return s->db->ops->run(s->db, STMT_APPLIED_CUT, VALS(V_TEXT(name),
	    V_INT(at_us), V_INT(all)), ret_rows, ei);
}

/* -- the chore ------------------------------------------------------------------ */

static struct run_row *
row_of(struct store *s, const char *name)
{
	for (size_t i = 0; i < s->nrun_rows; i++)
		if (strcmp(s->run_rows[i].name, name) == 0)
			return &s->run_rows[i];
	s->run_rows = xrealloc(s->run_rows, s->nrun_rows + 1,
	    sizeof(*s->run_rows));
	s->run_rows[s->nrun_rows] = (struct run_row){0};
	(void)text_copy(s->run_rows[s->nrun_rows].name,
	    sizeof(s->run_rows->name), str_of(name));
	return &s->run_rows[s->nrun_rows++];
}

void
applied_clear(struct store *s)
{
	for (size_t i = 0; i < s->nrun_rows; i++)
		buf_free(&s->run_rows[i].ids);
	xfree(s->run_rows);
	s->run_rows = NULL;
	s->nrun_rows = 0;
}

bool
applied_due(const struct store *s, int64_t now_ns)
{
	return now_ns >= s->applied_ns;
}

/* One run: as it is, or with a row more. made_us: not before. */
static enum err
put_run(struct store *s, const struct maintenance *m, int64_t made_us,
    int64_t now_us, struct errinfo *ei)
{
	struct run_row *r = row_of(s, m->name);
	struct buf ids = {.max = (size_t)ID_MAX * (MONITORS_MAX + 1)};
	bool all, same = r->from_us == m->from_us && r->from_us != 0;
	int64_t from_us, open = 0;
	enum err e;

	ids_put(s, m->name, &ids, &all);
	if (same && r->until_us == m->until_us && r->all == all &&
	    r->made_us == made_us && str_eq(buf_str(&r->ids), buf_str(&ids))) {
		buf_free(&ids);
		return ERR_OK;
	}
	e = applied_cut(s, m->name, now_us, false, &open, ei);
	from_us = open > 0 ? now_us : MAX(m->from_us, made_us);
	if (e == ERR_OK)
		e = s->db->ops->run(s->db, STMT_APPLIED_PUT, VALS(
		    V_TEXT(m->name), V_INT(0), V_INT(from_us),
		    V_INT(m->until_us == 0 ? OPEN_US : m->until_us),
		    all ? V_NULL : V_BYTES(buf_str(&ids))), NULL, ei);
	buf_free(&r->ids);
	r->ids = ids;
	r->fresh = true;
	r->put_us = from_us;
	r->all = all;
	r->made_us = made_us;
	r->from_us = m->from_us;
	r->until_us = m->until_us;
	return e;
}

/* Is there a run that is not as it was when all were looked at last? */
static bool
anything(struct store *s, int64_t now_us)
{
	struct maintenance m;
	int64_t made_us;
	bool more = true, news = s->applied_gen != s->conf_gen;

	for (size_t i = 0; more; i++) {
		const struct run_row *r;

		if (!windows_run(s->view->windows, i, now_us, &m, &made_us,
		    &more))
			continue;
		r = row_of(s, m.name);
		if (news || r->from_us != m.from_us ||
		    r->until_us != m.until_us || r->made_us != made_us)
			return true;
	}
	s->applied_gen = s->conf_gen;
	return false;
}

static enum err
put_all(struct store *s, int64_t now_us, struct errinfo *ei)
{
	struct maintenance m;
	int64_t made_us;
	bool more = true;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && more; i++)
		if (windows_run(s->view->windows, i, now_us, &m, &made_us,
		    &more))
			e = put_run(s, &m, made_us, now_us, ei);
	return e;
}

void
applied_slice(struct store *s)
{
	int64_t now_us = clock_wall_us(), began_ns;
	struct errinfo ei = {0};
	enum err e;

	s->applied_ns = clock_mono_ns() + LOOK_NS;
	if (!s->view->covered_doubt && !anything(s, now_us))
		return;
	e = s->db->ops->begin(s->db, true, &ei);
	began_ns = clock_mono_ns();
	if (e == ERR_OK)
		e = put_all(s, now_us, &ei);
	if (e == ERR_OK)
		e = s->db->ops->commit(s->db, &ei);
	if (e == ERR_OK) {
		s->applied_gen = s->conf_gen;
		show_runs(s, now_us);
		if (s->view->covered_doubt)
			show_stored(s);
		atomic_fetch_add(&s->stats.commits, 1);
		chores_done(s, began_ns, clock_mono_ns());
		return;
	}
	s->view->covered_doubt = true;
	applied_clear(s);   /* what is stored of them is found out anew */
	s->fault = s->db->fault;
	writer_fault(s, &ei);
	if (s->db->ops->rollback(s->db, NULL) != ERR_OK) {
		s->db->ops->close(s->db);
		s->db = NULL;
	}
	s->slice_ns = clock_mono_ns() + RETRY_MAX_NS;
}

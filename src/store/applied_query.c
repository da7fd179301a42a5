/* applied_query.c: maintenance as it was, for people to read. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/query_parts.h"

struct runs {
	struct maintenance_run *v;   /* by from_us */
	size_t n, cap;
	bool full;
};

/* The newest run of this window. */
static struct maintenance_run *
last_of(struct runs *r, const char *name)
{
	for (size_t i = r->n; i > 0; i--)
		if (strcmp(r->v[i - 1].name, name) == 0)
			return &r->v[i - 1];
	return NULL;
}

static void
add(struct runs *r, struct str name, int64_t from_us, int64_t to_us)
{
	struct maintenance_run one = {.from_us = from_us, .to_us = to_us};
	struct maintenance_run *last;

	if (to_us <= from_us)
		return;   /* cut before it began */
	(void)text_copy(one.name, sizeof(one.name), name);
	last = last_of(r, one.name);
	if (last != NULL && last->to_us >= from_us) {
		last->to_us = MAX(last->to_us, to_us);
		return;
	}
	if (r->n == QUERY_RUNS_MAX) {   /* the oldest makes room */
		r->n--;
		memmove(r->v, r->v + 1, r->n * sizeof(*r->v));
		r->full = true;
	}
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		r->v = xrealloc(r->v, r->cap, sizeof(*r->v));
	}
	r->v[r->n++] = one;
}

enum err
query_maintenance(struct reader *r, int64_t from_us, int64_t to_us,
    size_t max, struct maintenance_runs *ret, struct errinfo *ei)
{
	const struct backend_ops *ops = r->db->ops;
	enum stmt st = STMT_APPLIED_SPAN;
	struct runs all = {0};
	enum err e = ops->query(r->db, st, VALS(V_INT(from_us),
	    V_INT(to_us)), ei);

	while (e == ERR_OK && (e = ops->next(r->db, st, ei)) == ERR_OK)
		add(&all, ops->column_str(r->db, st, 4),
		    ops->column_int(r->db, st, 0),
		    ops->column_int(r->db, st, 1));
	ops->done(r->db, st);
	if (e != ERR_NOT_FOUND) {
		xfree(all.v);
		return e;
	}
	for (size_t i = 0; i < all.n / 2; i++) {
		struct maintenance_run one = all.v[i];

		all.v[i] = all.v[all.n - 1 - i];
		all.v[all.n - 1 - i] = one;
	}
	*ret = (struct maintenance_runs){.v = all.v, .n = MIN(all.n, max),
	    .more = all.full || all.n > max};
	return ERR_OK;
}

enum err
query_maintenance_before(struct reader *r, int64_t at_us, int64_t *ret,
    struct errinfo *ei)
{
	return backend_int(r->db, STMT_APPLIED_BEFORE, VALS(V_INT(at_us)), 0,
	    ret, ei);
}

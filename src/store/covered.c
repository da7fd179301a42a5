/* covered.c: see covered.h. Rows of windows that cover many are in one array
 * and share the lists of whom; rows of one monitor (flexible windows) are
 * found by it. */
#define OWNS_OFF
#include "store/covered.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct whom {
	bool all;
	uint32_t *ids;       /* owned; sorted */
	size_t n;
	size_t rows;         /* that have it; 0: a free place */
};

struct run {
	char *name;          /* owned */
	int64_t from_us, to_us;
	size_t whom;         /* of many: which of covered.whom */
};

/* The rows of one monitor. */
struct own {
	struct map_node node;
	uint32_t monitor;
	struct run *v;       /* by from_us */
	size_t n;
};

struct covered {
	struct run *v;       /* by from_us */
	size_t n;
	struct whom *whom;
	size_t nwhom;
	struct map own;
};

struct covered *
covered_new(void)
{
	return xcalloc(1, sizeof(struct covered));
}

static void
own_free(struct own *o)
{
	for (size_t i = 0; i < o->n; i++)
		xfree(o->v[i].name);
	xfree(o->v);
	xfree(o);
}

void
covered_free(struct covered *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		xfree(c->v[i].name);
	for (size_t i = 0; i < c->nwhom; i++)
		xfree(c->whom[i].ids);
	MAP_EACH(n, &c->own)
		own_free(CONTAINER(n, struct own, node));
	map_free(&c->own);
	xfree(c->whom);
	xfree(c->v);
	xfree(c);
}

/* -- changing ------------------------------------------------------------- */

static struct own *
own_of(const struct covered *c, uint32_t monitor)
{
	struct map_node *n = map_first(&c->own, map_hash_u64(monitor));

	for (; n != NULL; n = map_next(n)) {
		struct own *o = CONTAINER(n, struct own, node);

		if (o->monitor == monitor)
			return o;
	}
	return NULL;
}

static struct own *
own_get(struct covered *c, uint32_t monitor)
{
	struct own *o = own_of(c, monitor);

	if (o != NULL)
		return o;
	o = xcalloc(1, sizeof(*o));
	o->monitor = monitor;
	map_put(&c->own, &o->node, map_hash_u64(monitor));
	return o;
}

static size_t
whom_get(struct covered *c, const struct cover *row)
{
	size_t free_at = c->nwhom;
	struct whom *w;

	for (size_t i = 0; i < c->nwhom; i++) {
		w = &c->whom[i];
		if (w->rows == 0)
			free_at = i;
		else if (w->all == row->all && w->n == row->n &&
		    (w->n == 0 || memcmp(w->ids, row->ids,
		    w->n * sizeof(*w->ids)) == 0))
			return i;
	}
	if (free_at == c->nwhom)
		c->whom = xrealloc(c->whom, ++c->nwhom, sizeof(*c->whom));
	w = &c->whom[free_at];
	*w = (struct whom){.all = row->all, .n = row->n};
	if (row->n > 0) {
		w->ids = xcalloc(row->n, sizeof(*w->ids));
		memcpy(w->ids, row->ids, row->n * sizeof(*w->ids));
	}
	return free_at;
}

static void
whom_put(struct covered *c, size_t i)
{
	if (--c->whom[i].rows > 0)
		return;
	xfree(TAKE(c->whom[i].ids));
	c->whom[i].n = 0;
}

/* Those that ended before go, and the first one when there are max; of many:
 * c is given. Returns how many stay. */
static size_t
retire(struct covered *c, struct run *v, size_t n, int64_t before_us)
{
	size_t kept = 0, max = c != NULL ? COVERED_MAX : COVERED_OWN_MAX;
	size_t first = 0;

	if (n == 0 || (n < max && v[0].to_us >= before_us))
		return n;   /* by from_us: what is old comes first */
	while (first + 1 < n && v[first].to_us == INT64_MAX)
		first++;   /* it goes on */
	for (size_t i = 0; i < n; i++) {
		if (v[i].to_us >= before_us && (n < max || i != first)) {
			v[kept++] = v[i];
			continue;
		}
		xfree(v[i].name);
		if (c != NULL)
			whom_put(c, v[i].whom);
	}
	return kept;
}

/* Into its place by from_us. */
static void
insert(struct run **v, size_t *n, const struct cover *row, size_t whom)
{
	size_t at = *n;

	*v = xrealloc(*v, *n + 1, sizeof(**v));
	for (; at > 0 && (*v)[at - 1].from_us > row->from_us; at--)
		(*v)[at] = (*v)[at - 1];
	(*v)[at] = (struct run){xstrdup(row->name), row->from_us, row->to_us,
	    whom};
	(*n)++;
}

static bool
there(const struct run *v, size_t n, const struct cover *row)
{
	for (size_t i = n; i > 0 && v[i - 1].from_us >= row->from_us; i--)
		if (v[i - 1].from_us == row->from_us &&
		    strcmp(v[i - 1].name, row->name) == 0)
			return true;
	return false;
}

void
covered_add(struct covered *c, const struct cover *row)
{
	int64_t before_us = row->from_us - VIEW_HISTORY_US;
	struct own *o;
	size_t whom;

	if (row->to_us <= row->from_us)
		return;
	if (row->monitor != 0) {
		o = own_get(c, row->monitor);
		o->n = retire(NULL, o->v, o->n, before_us);
		if (!there(o->v, o->n, row))
			insert(&o->v, &o->n, row, 0);
		return;
	}
	c->n = retire(c, c->v, c->n, before_us);
	whom = whom_get(c, row);
	c->whom[whom].rows++;
	insert(&c->v, &c->n, row, whom);
}

static void
cut(struct run *v, size_t n, const char *name, int64_t at_us)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].to_us > at_us && strcmp(v[i].name, name) == 0)
			v[i].to_us = MAX(v[i].from_us, at_us);
}

void
covered_cut(struct covered *c, const char *name, int64_t at_us, bool all)
{
	cut(c->v, c->n, name, at_us);
	if (!all)
		return;
	MAP_EACH(n, &c->own) {
		struct own *o = CONTAINER(n, struct own, node);

		cut(o->v, o->n, name, at_us);
	}
}

void
covered_forget(struct covered *c, uint32_t monitor)
{
	struct own *o = own_of(c, monitor);

	if (o == NULL)
		return;
	map_del(&c->own, &o->node);
	own_free(o);
}

/* -- asking --------------------------------------------------------------- */

static int
order_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
covers(const struct whom *w, uint32_t monitor)
{
	return w->all || (w->n > 0 && bsearch(&monitor, w->ids, w->n,
	    sizeof(*w->ids), order_id) != NULL);
}

#define MEMO 64   /* lists of whom that are searched once a question */

static bool
covered_by(const struct covered *c, size_t whom, uint32_t monitor,
    signed char memo[MEMO])
{
	if (whom >= MEMO)
		return covers(&c->whom[whom], monitor);
	if (memo[whom] == 0)
		memo[whom] = covers(&c->whom[whom], monitor) ? 1 : -1;
	return memo[whom] > 0;
}

static bool
touches(const struct run *r, int64_t from_us, int64_t to_us)
{
	return r->from_us < to_us && r->to_us > from_us &&
	    r->to_us > r->from_us;
}

size_t
covered_of(const struct covered *c, uint32_t monitor, int64_t from_us,
    int64_t to_us, struct gap **ret)
{
	const struct own *o = c->own.n == 0 ? NULL : own_of(c, monitor);
	size_t nown = o == NULL ? 0 : o->n, i = 0, k = 0, n = 0;
	signed char memo[MEMO] = {0};
	struct gap *g;

	*ret = NULL;
	if (c->n + nown == 0)
		return 0;
	g = xcalloc(c->n + nown, sizeof(*g));
	while (i < c->n || k < nown) {   /* both by from_us */
		bool mine = i == c->n || (k < nown &&
		    o->v[k].from_us < c->v[i].from_us);
		const struct run *r = mine ? &o->v[k++] : &c->v[i++];

		if (touches(r, from_us, to_us) &&
		    (mine || covered_by(c, r->whom, monitor, memo)))
			n = uptime_gap_add(g, n,
			    (struct gap){r->from_us, r->to_us});
	}
	*ret = g;
	return n;
}

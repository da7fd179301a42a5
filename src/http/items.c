/* items.c: see items.h. */
#include "http/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE_ROWS 1000

void
items_free(struct items *i)
{
	for (size_t k = 0; k < i->n; k++)
		xfree(i->v[k].path);
	xfree(i->v);
	*i = (struct items){0};
}

/* 0: stands alone; 1: a group or its member. */
static int
items_rank(const struct item *i)
{
	return i->is_group || i->group != 0;
}

/* By path, but "/" before every other character, so that "A", "A/x" and "A b"
 * come in this order. */
static int
items_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	const unsigned char *p = (const unsigned char *)x->path;
	const unsigned char *q = (const unsigned char *)y->path;

	if (items_rank(x) != items_rank(y))
		return items_rank(x) - items_rank(y);
	while (*p != '\0' && *p == *q) {
		p++;
		q++;
	}
	return (*p == '/' ? 1 : *p) - (*q == '/' ? 1 : *q);
}

static void
items_add(struct items *to, size_t *cap, const struct view_row *r)
{
	if (to->n == *cap) {
		*cap = *cap == 0 ? 256 : *cap * 2;   /* ≤ MONITORS_MAX × 2 */
		to->v = xrealloc(to->v, *cap, sizeof(*to->v));
	}
	to->v[to->n++] = (struct item){
		.id = r->conf->id, .group = r->conf->group,
		.status = r->status,
		.is_group = r->conf->kind->drive == DRIVE_GROUP,
		.path = xstrdup(r->conf->path),
	};
}

enum err
items_read(struct view *v, struct items *ret)
{
	struct view_filter f = {0};
	struct items got = {0};
	size_t cap = 0, n;

	do {
		struct view_row *rows = NULL;
		enum err e = view_list(v, &f, VIEW_BY_ID, PAGE_ROWS, &rows,
		    &n);

		if (e != ERR_OK) {
			items_free(&got);
			return e;
		}
		for (size_t i = 0; i < n; i++) {
			items_add(&got, &cap, &rows[i]);
			f.after = rows[i].conf->id;
			view_row_release(&rows[i]);
		}
		f.has_ids_after = true;
		xfree(rows);
	} while (n == PAGE_ROWS);
	if (got.n > 1)
		qsort(got.v, got.n, sizeof(*got.v), items_order);
	*ret = got;
	return ERR_OK;
}

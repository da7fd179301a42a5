#include "conf/opt.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/opt_value.h"

#define NAME_MAX_SUGGEST 48   /* longer keys are not typing errors */

bool
ranges_have(const struct ranges *r, uint32_t x)
{
	for (size_t i = 0; i < r->n; i++)
		if (x >= r->v[i].lo && x <= r->v[i].hi)
			return true;
	return false;
}

const struct opt *
opt_find(const struct opt *rows, struct str name)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++)
		if (str_is(name, o->name))
			return o;
	return NULL;
}

void
opt_under(struct errinfo *ei, const char *fmt, ...)
{
	char field[sizeof(ei->field)];
	size_t n;
	va_list ap;

	if (ei == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(field, sizeof(field), fmt, ap);
	va_end(ap);
	n = strlen(field);
	if (ei->field[0] == '\0' && n > 0 && field[n - 1] == '.')
		field[--n] = '\0';
	(void)text_copy(field + n, sizeof(field) - n, str_of(ei->field));
	memcpy(ei->field, field, sizeof(field));
}

void
opt_defaults(const struct opt *rows, void *base)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if (o->type == OPT_TABLE)
			opt_defaults(o->sub, base);
		else
			opt_value_default(o, opt_value_field(o, base));
	}
}

void
opt_free(const struct opt *rows, void *base)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if (o->type == OPT_TABLE)
			opt_free(o->sub, base);
		else
			opt_value_clear(o, opt_value_field(o, base));
	}
}

void
opt_drop_empty(const struct opt *rows, void *base)
{
	char **text;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if (o->type == OPT_TABLE)
			opt_drop_empty(o->sub, base);
		if (o->type != OPT_SECRET)
			continue;
		text = opt_value_field(o, base);
		if (*text != NULL && **text == '\0')
			opt_value_clear(o, text);
	}
}

enum err
opt_set(const struct opt *o, void *base, struct str text, struct errinfo *ei)
{
	void *field = opt_value_field(o, base);

	opt_value_clear(o, field);
	return opt_value_from_text(o, field, text, 0, ei);
}

/* Letters inserted, left out, changed or swapped. */
static unsigned
opt_distance(struct str a, struct str b)
{
	unsigned d[3][NAME_MAX_SUGGEST + 1], best;

	for (size_t j = 0; j <= b.n; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *row = d[i % 3], *up = d[(i + 2) % 3];
		const unsigned *up2 = d[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			best = MIN(up[j] + 1, row[j - 1] + 1);
			best = MIN(best, up[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1])
				best = MIN(best, up2[j - 2] + 1);
			row[j] = best;
		}
	}
	return d[a.n % 3][b.n];
}

static const char *
opt_nearest(struct str key, const struct opt_set *sets, size_t nsets,
    const char *const *skip)
{
	const char *best = NULL;
	unsigned d, best_d = (unsigned)MIN(key.n / 3 + 1, (size_t)3) + 1;

	if (key.n == 0 || key.n > NAME_MAX_SUGGEST)
		return NULL;
	for (size_t i = 0; i < nsets; i++) {
		for (const struct opt *o = sets[i].rows;
		    o != NULL && o->name != NULL; o++) {
			d = opt_distance(key, str_of(o->name));
			if (d < best_d) {
				best_d = d;
				best = o->name;
			}
		}
	}
	for (; skip != NULL && *skip != NULL; skip++) {
		d = opt_distance(key, str_of(*skip));
		if (d < best_d) {
			best_d = d;
			best = *skip;
		}
	}
	return best;
}

static enum err
opt_unknown(const struct node *key, const struct opt_set *sets, size_t nsets,
    const char *const *skip, struct errinfo *ei)
{
	const char *near = opt_nearest(key->text, sets, nsets, skip);
	const char *comma = "";
	char name[sizeof(ei->field)];
	BUF_AUTO(known, 400);

	(void)text_copy(name, sizeof(name), key->text);
	if (near != NULL)
		return fail_at(ei, ERR_INVALID, name, key->line,
		    "unknown key; did you mean \"%s\"?", near);
	for (; skip != NULL && *skip != NULL; skip++, comma = ", ")
		buf_addf(&known, "%s%s", comma, *skip);
	for (size_t i = 0; i < nsets; i++)
		for (const struct opt *o = sets[i].rows;
		    o != NULL && o->name != NULL; o++, comma = ", ")
			buf_addf(&known, "%s%s", comma, o->name);
	return fail_at(ei, ERR_INVALID, name, key->line,
	    "unknown key; allowed: %s", known.p != NULL ? known.p : "none");
}

static enum err opt_fill(const struct node *n, const struct opt_set *sets,
    size_t nsets, const char *const *skip, struct errinfo *ei);

static enum err
opt_read_value(const struct opt *o, void *base, const struct node *n,
    struct errinfo *ei)
{
	const struct opt_set sub = {o->sub, base};
	void *field;
	enum err e;

	if (o->type != OPT_TABLE) {
		field = opt_value_field(o, base);
		opt_value_clear(o, field);
		return opt_value_from_node(o, field, n, ei);
	}
	if (n->kind == NODE_NULL)
		return ERR_OK;
	if (n->kind != NODE_MAP)
		return fail_at(ei, ERR_INVALID, o->name, n->line,
		    "must be a mapping, not %s",
		    n->kind == NODE_LIST ? "a list" : "plain text");
	e = opt_fill(n, &sub, 1, NULL, ei);
	if (e != ERR_OK)
		opt_under(ei, "%s.", o->name);
	return e;
}

static bool
opt_skips(const char *const *skip, struct str key)
{
	for (; skip != NULL && *skip != NULL; skip++)
		if (str_is(key, *skip))
			return true;
	return false;
}

static enum err
opt_need(const struct node *n, const struct opt *rows, struct errinfo *ei)
{
	const struct node *v;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if ((o->flags & OPT_REQUIRED) == 0)
			continue;
		v = node_get(n, o->name);
		if (v == NULL || v->kind == NODE_NULL ||
		    (v->kind != NODE_SCALAR && v->n == 0))
			return fail_at(ei, ERR_INVALID, o->name, n->line,
			    "is required: %s",
			    o->help != NULL ? o->help : "it has no default");
	}
	return ERR_OK;
}

/* What the mapping says, over defaults that are there already. */
static enum err
opt_fill(const struct node *n, const struct opt_set *sets, size_t nsets,
    const char *const *skip, struct errinfo *ei)
{
	const struct opt *o;
	size_t s;
	enum err e;

	for (size_t i = 0; i < n->n; i++) {
		if (opt_skips(skip, n->keys[i]->text))
			continue;
		for (s = 0, o = NULL; s < nsets && o == NULL; s++)
			o = opt_find(sets[s].rows, n->keys[i]->text);
		if (o == NULL)
			return opt_unknown(n->keys[i], sets, nsets, skip, ei);
		e = opt_read_value(o, sets[s - 1].base, n->items[i], ei);
		if (e != ERR_OK)
			return e;
	}
	for (s = 0; s < nsets; s++) {
		e = opt_need(n, sets[s].rows, ei);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
opt_read(const struct node *n, const struct opt_set *sets, size_t nsets,
    const char *const *skip, struct errinfo *ei)
{
	for (size_t i = 0; i < nsets; i++)
		opt_defaults(sets[i].rows, sets[i].base);
	if (n->kind != NODE_MAP)
		return fail_at(ei, ERR_INVALID, "", n->line,
		    "must be a mapping of keys to values");
	return opt_fill(n, sets, nsets, skip, ei);
}

static void
opt_write_rows(const struct opt *rows, const void *base, enum opt_secrets how,
    json_t *out)
{
	const void *field;
	json_t *v;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if ((o->flags & OPT_HIDDEN) != 0)
			continue;
		if (o->type == OPT_TABLE) {
			v = json_object();
			opt_write_rows(o->sub, base, how, v);
			if (json_object_size(v) > 0)
				(void)json_object_set_new(out, o->name, v);
			else
				json_decref(v);
			continue;
		}
		field = opt_value_field(o, base);
		if (opt_value_is_default(o, field))
			continue;
		v = opt_value_json(o, field, how);
		if (v != NULL)
			(void)json_object_set_new(out, o->name, v);
	}
}

json_t *
opt_write(const struct opt_set *sets, size_t nsets, enum opt_secrets how)
{
	json_t *out = json_object();

	assert(out != NULL);
	for (size_t i = 0; i < nsets; i++)
		opt_write_rows(sets[i].rows, sets[i].base, how, out);
	return out;
}

bool
opt_equal(const struct opt *rows, const void *a, const void *b, unsigned flags)
{
	bool all;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		all = flags == 0 || (o->flags & flags) != 0;
		if (o->type == OPT_TABLE) {
			if (!opt_equal(o->sub, a, b, all ? 0 : flags))
				return false;
		} else if (all && !opt_value_equal(o, opt_value_field(o, a),
		    opt_value_field(o, b))) {
			return false;
		}
	}
	return true;
}

static bool
opt_is_mask(const json_t *v)
{
	return json_is_string(v) && strcmp(json_string_value(v), OPT_MASK) == 0;
}

/* Pairs: each masked value is taken from the pair of the same name. */
static void
opt_unmask_pairs(json_t *v, const json_t *old)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(v, next, name, value)
		if (opt_is_mask(value) && json_object_get(old, name) != NULL)
			(void)json_object_set(v, name,
			    json_object_get(old, name));
}

void
opt_unmask(const struct opt *rows, json_t *v, const json_t *old, bool missing)
{
	json_t *now, *was;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		now = json_object_get(v, o->name);
		was = json_object_get(old, o->name);
		if (was == NULL)
			continue;
		if (o->type == OPT_TABLE && json_is_object(now))
			opt_unmask(o->sub, now, was, missing);
		else if (o->type == OPT_PAIRS && json_is_object(now) &&
		    (o->flags & OPT_SECRETS) != 0)
			opt_unmask_pairs(now, was);
		else if (o->type == OPT_SECRET &&
		    (opt_is_mask(now) || (missing && now == NULL)))
			(void)json_object_set(v, o->name, was);
	}
}

void
opt_hide(const struct opt *rows, json_t *v)
{
	const char *name, *s;
	json_t *now, *value;
	void *next;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		now = json_object_get(v, o->name);
		s = json_string_value(now);
		if (o->type == OPT_TABLE)
			opt_hide(o->sub, now);
		else if (o->type == OPT_SECRET && s != NULL && *s != '\0')
			(void)json_object_set_new(v, o->name,
			    json_string(OPT_MASK));
		if (o->type != OPT_PAIRS || (o->flags & OPT_SECRETS) == 0)
			continue;
		json_object_foreach_safe(now, next, name, value)
			(void)json_object_set_new(now, name,
			    json_string(OPT_MASK));
	}
}

const struct opt *
opt_masked(const struct opt *rows, const json_t *v)
{
	const struct opt *in;
	const json_t *now;
	void *it;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		now = json_object_get(v, o->name);
		if (o->type == OPT_SECRET && opt_is_mask(now))
			return o;
		if (o->type == OPT_TABLE && now != NULL) {
			in = opt_masked(o->sub, now);
			if (in != NULL)
				return in;
		}
		if (o->type != OPT_PAIRS || (o->flags & OPT_SECRETS) == 0)
			continue;
		it = json_object_iter((json_t *)(uintptr_t)now);
		for (; it != NULL; it = json_object_iter_next(
		    (json_t *)(uintptr_t)now, it))
			if (opt_is_mask(json_object_iter_value(it)))
				return o;
	}
	return NULL;
}

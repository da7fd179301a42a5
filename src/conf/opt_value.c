/* opt_value.c: text into values, with the reason when it does not fit. */
#include "conf/opt_value.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

#define SHOWN 80   /* bytes of a wrong value that a message repeats */

static const struct { const char *unit; uint64_t bytes; } sizes[] = {
	/* binary units first: they are what is written */
	{"TiB", UINT64_C(1) << 40}, {"GiB", UINT64_C(1) << 30},
	{"MiB", UINT64_C(1) << 20}, {"KiB", UINT64_C(1) << 10}, {"B", 1},
	{"TB", UINT64_C(1000000000000)}, {"GB", UINT64_C(1000000000)},
	{"MB", UINT64_C(1000000)}, {"kB", UINT64_C(1000)},
};

void *
opt_value_field(const struct opt *o, const void *base)
{
	return (char *)(uintptr_t)base + o->offset;
}

uint64_t
opt_value_max(const struct opt *o)
{
	if (o->max > 0)
		return (uint64_t)o->max;
	switch (o->type) {
	case OPT_DURATION:
		return INT64_MAX;
	case OPT_SIZE:
		return (o->flags & OPT_NARROW) != 0 ? UINT32_MAX : INT64_MAX;
	case OPT_COUNT:
	case OPT_RANGES:
		return UINT32_MAX;
	case OPT_STRING:
	case OPT_SECRET:
		return OPT_TEXT_MAX;
	case OPT_STRINGS:
	case OPT_PAIRS:
	case OPT_LIST:
		return OPT_ITEMS_MAX;
	case OPT_FLAG:
	case OPT_CHOICE:
	case OPT_TABLE:
	case OPT_RATIO:
	case OPT_NTYPES:
		break;
	}
	return 1;
}

bool
opt_value_parse_size(struct str s, uint64_t *ret)
{
	size_t digits = 0;
	uint64_t v;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (!str_u64((struct str){s.p, digits}, INT64_MAX, &v))
		return false;
	s = str_trim((struct str){s.p + digits, s.n - digits});
	if (s.n == 0) {
		*ret = v;
		return true;
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		if (!str_is(s, sizes[i].unit))
			continue;
		if (v > INT64_MAX / sizes[i].bytes)
			return false;
		*ret = v * sizes[i].bytes;
		return true;
	}
	return false;
}

/* "4GiB is out of range; allowed: …". What a secret holds is not repeated. */
static enum err
opt_refuse(const struct opt *o, struct str s, uint32_t line, const char *what,
    struct errinfo *ei)
{
	BUF_AUTO(allowed, 300);
	BUF_AUTO(shown, SHOWN + 8);

	opt_value_allowed(o, &allowed);
	if (o->type == OPT_SECRET || (o->flags & OPT_SECRETS) != 0)
		return fail_at(ei, ERR_INVALID, o->name, line,
		    "the value is %s; allowed: %s", what, allowed.p);
	text_line(&shown, s, SHOWN);
	return fail_at(ei, ERR_INVALID, o->name, line,
	    "\"%s\" is %s; allowed: %s", shown.p != NULL ? shown.p : "", what,
	    allowed.p);
}

static enum err
opt_set_number(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	int64_t ns;
	uint64_t v;
	bool ok = false;

	if ((o->flags & OPT_AUTO) != 0 && str_is(s, "auto")) {
		*(uint32_t *)field = 0;
		return ERR_OK;
	}
	if (o->type == OPT_DURATION) {
		ok = time_parse_duration(s, &ns) && ns >= 0;
		v = ok ? (uint64_t)ns : 0;
	} else if (o->type == OPT_SIZE) {
		ok = opt_value_parse_size(s, &v);
	} else {
		ok = str_u64(s, UINT32_MAX, &v);
	}
	if (!ok)
		return opt_refuse(o, s, line, o->type == OPT_DURATION ?
		    "not a duration" : o->type == OPT_SIZE ? "not a size" :
		    "not a whole number", ei);
	if ((o->min > 0 && v < (uint64_t)o->min) || v > opt_value_max(o))
		return opt_refuse(o, s, line, "out of range", ei);
	if (o->type == OPT_DURATION)
		*(int64_t *)field = (int64_t)v;
	else if (o->type == OPT_SIZE && (o->flags & OPT_NARROW) == 0)
		*(uint64_t *)field = v;
	else
		*(uint32_t *)field = (uint32_t)v;
	return ERR_OK;
}

static enum err
opt_set_flag(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	static const struct { const char *word; bool v; } words[] = {
		{"true", true}, {"yes", true}, {"on", true},
		{"True", true}, {"Yes", true}, {"On", true},
		{"TRUE", true}, {"YES", true}, {"ON", true},
		{"false", false}, {"no", false}, {"off", false},
		{"False", false}, {"No", false}, {"Off", false},
		{"FALSE", false}, {"NO", false}, {"OFF", false},
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!str_is(s, words[i].word))
			continue;
		*(bool *)field = words[i].v;
		return ERR_OK;
	}
	return opt_refuse(o, s, line, "neither true nor false", ei);
}

static enum err
opt_set_choice(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	for (uint32_t i = 0; o->choices[i] != NULL; i++) {
		if (!str_is(s, o->choices[i]))
			continue;
		*(uint32_t *)field = i;
		return ERR_OK;
	}
	return opt_refuse(o, s, line, "not a known word", ei);
}

/* Ratios are kept to nine decimals, so that text and number agree for good. */
static enum err
opt_set_ratio(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	char text[32], *end;
	bool percent = s.n > 0 && s.p[s.n - 1] == '%';
	size_t n = s.n - percent;
	double v;

	if (n == 0 || n >= sizeof(text) || s.p[0] < '0' || s.p[0] > '9')
		return opt_refuse(o, s, line, "not a ratio", ei);
	memcpy(text, s.p, n);
	text[n] = '\0';
	v = strtod(text, &end);
	if (*end != '\0' || memchr(text, 'x', n) || memchr(text, 'X', n))
		return opt_refuse(o, s, line, "not a ratio", ei);
	v = round((percent ? v / 100 : v) * 1e9) / 1e9;
	if (!(v >= 0 && v <= 1))
		return opt_refuse(o, s, line, "out of range", ei);
	*(double *)field = v;
	return ERR_OK;
}

static enum err
opt_check_text(const struct opt *o, struct str s, uint32_t line,
    struct errinfo *ei)
{
	const char *allowed = o->check != NULL ? o->check(s) : NULL;
	BUF_AUTO(shown, SHOWN + 8);

	if (allowed == NULL)
		return ERR_OK;
	if (o->type == OPT_SECRET || (o->flags & OPT_SECRETS) != 0)
		return fail_at(ei, ERR_INVALID, o->name, line,
		    "the value does not fit; allowed: %s", allowed);
	text_line(&shown, s, SHOWN);
	return fail_at(ei, ERR_INVALID, o->name, line,
	    "\"%s\" does not fit; allowed: %s",
	    shown.p != NULL ? shown.p : "", allowed);
}

/* An empty text is no text, unless the row has a default to be overruled, or
 * says that there is no secret any more. */
static enum err
opt_set_string(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	enum err e;

	if (s.n == 0 && o->dflt == NULL && o->type == OPT_STRING &&
	    (o->flags & OPT_REQUIRED) == 0) {
		*(char **)field = NULL;
		return ERR_OK;
	}
	if (s.n == 0 && (o->flags & OPT_REQUIRED) != 0)
		return opt_refuse(o, s, line, "empty", ei);
	if (o->type != OPT_SECRET || (s.n == 0 ? o->min > 0 :
	    !str_is(s, OPT_MASK))) {
		if (o->min > 0 && s.n < (size_t)o->min)
			return opt_refuse(o, s, line, "too short", ei);
		if (s.n > opt_value_max(o))
			return opt_refuse(o, s, line, "too long", ei);
		e = opt_check_text(o, s, line, ei);
		if (e != ERR_OK)
			return e;
	}
	*(char **)field = xstrndup(s.n > 0 ? s.p : "", s.n);
	return ERR_OK;
}

static enum err
opt_add_string(const struct opt *o, struct strings *list, struct str s,
    uint32_t line, struct errinfo *ei)
{
	enum err e;

	if (s.n == 0)
		return opt_refuse(o, s, line, "empty", ei);
	if (s.n > OPT_TEXT_MAX || list->n >= opt_value_max(o))
		return opt_refuse(o, s, line, "one too many, or too long", ei);
	e = opt_check_text(o, s, line, ei);
	if (e != ERR_OK)
		return e;
	list->v = xrealloc(list->v, list->n + 1, sizeof(char *));
	list->v[list->n++] = xstrndup(s.p, s.n);
	return ERR_OK;
}

/* "200", "200-299", "200-299, 301". */
static enum err
opt_add_ranges(const struct opt *o, struct ranges *r, struct str s,
    uint32_t line, struct errinfo *ei)
{
	struct str all = s, one, lo, hi;
	uint64_t a, b, max = opt_value_max(o);

	do {
		bool comma = memchr(s.p, ',', s.n) != NULL;
		s = str_cut(s, ',', &one);
		if (comma && s.n == 0)
			return opt_refuse(o, all, line, "not a range", ei);
		one = str_trim(one);
		hi = str_cut(one, '-', &lo);
		if (hi.n == 0 && lo.n == one.n)
			hi = lo;
		if (!str_u64(str_trim(lo), UINT32_MAX, &a) ||
		    !str_u64(str_trim(hi), UINT32_MAX, &b) || a > b)
			return opt_refuse(o, all, line, "not a range", ei);
		if ((o->min > 0 && a < (uint64_t)o->min) || b > max)
			return opt_refuse(o, all, line, "out of range", ei);
		if (r->n >= OPT_ITEMS_MAX)
			return opt_refuse(o, all, line, "too long", ei);
		r->v = xrealloc(r->v, r->n + 1, sizeof(*r->v));
		r->v[r->n++] = (struct range){(uint32_t)a, (uint32_t)b};
	} while (s.n > 0);
	return ERR_OK;
}

static enum err
opt_set_scalar(const struct opt *o, void *field, struct str s, uint32_t line,
    struct errinfo *ei)
{
	switch (o->type) {
	case OPT_DURATION:
	case OPT_COUNT:
	case OPT_SIZE:
		return opt_set_number(o, field, s, line, ei);
	case OPT_FLAG:
		return opt_set_flag(o, field, s, line, ei);
	case OPT_CHOICE:
		return opt_set_choice(o, field, s, line, ei);
	case OPT_RATIO:
		return opt_set_ratio(o, field, s, line, ei);
	case OPT_STRING:
	case OPT_SECRET:
		return opt_set_string(o, field, s, line, ei);
	case OPT_STRINGS:
		return opt_add_string(o, field, s, line, ei);
	case OPT_RANGES:
		if (s.n == 0)
			return opt_refuse(o, s, line, "empty", ei);
		return opt_add_ranges(o, field, s, line, ei);
	case OPT_LIST:
		return opt_refuse(o, s, line, "not a list of mappings", ei);
	case OPT_PAIRS:
	case OPT_TABLE:
	case OPT_NTYPES:
		break;
	}
	return opt_refuse(o, s, line, "not a mapping", ei);
}

enum err
opt_value_from_text(const struct opt *o, void *field, struct str s,
    uint32_t line, struct errinfo *ei)
{
	struct str one;
	enum err e;

	if (o->type != OPT_STRINGS)
		return opt_set_scalar(o, field, s, line, ei);
	while (s.n > 0) {
		s = str_cut(s, ',', &one);
		e = opt_add_string(o, field, str_trim(one), line, ei);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err
opt_set_list(const struct opt *o, void *field, const struct node *n,
    struct errinfo *ei)
{
	const struct node *item;
	enum err e;

	for (size_t i = 0; i < n->n; i++) {
		item = n->items[i];
		if (item->kind != NODE_SCALAR)
			return fail_at(ei, ERR_INVALID, o->name, item->line,
			    "item %zu is not plain text", i + 1);
		e = opt_set_scalar(o, field, item->text, item->line, ei);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err
opt_set_pairs(const struct opt *o, struct pairs *p, const struct node *n,
    struct errinfo *ei)
{
	struct str name, value;
	enum err e;

	if (n->n > opt_value_max(o))
		return fail_at(ei, ERR_INVALID, o->name, n->line,
		    "%zu entries; at most %llu are allowed", n->n,
		    (unsigned long long)opt_value_max(o));
	p->v = xcalloc(n->n + 1, sizeof(*p->v));
	for (size_t i = 0; i < n->n; i++) {
		name = n->keys[i]->text;
		value = n->items[i]->text;
		if (name.n == 0 || name.n > OPT_NAME_MAX)
			return opt_refuse(o, name, n->keys[i]->line,
			    "empty or too long as a name", ei);
		if (n->items[i]->kind != NODE_SCALAR)
			return fail_at(ei, ERR_INVALID, o->name,
			    n->items[i]->line, "entry %zu is not plain text",
			    i + 1);
		if (value.n > OPT_TEXT_MAX)
			return opt_refuse(o, value, n->items[i]->line,
			    "too long", ei);
		e = opt_check_text(o, value, n->items[i]->line, ei);
		if (e != ERR_OK)
			return e;
		p->v[p->n].name = xstrndup(name.p, name.n);
		p->v[p->n++].value = xstrndup(value.p, value.n);
	}
	return ERR_OK;
}

static enum err
opt_set_items(const struct opt *o, struct maps *v, const struct node *n,
    struct errinfo *ei)
{
	enum err e;

	if (n->n > opt_value_max(o))
		return fail_at(ei, ERR_LIMIT, o->name, n->line,
		    "%zu items; at most %llu are allowed", n->n,
		    (unsigned long long)opt_value_max(o));
	v->v = xcalloc(n->n + 1, o->size);
	while (v->n < n->n) {
		const struct opt_set set = {o->sub,
		    (char *)v->v + v->n * o->size};

		e = opt_read(n->items[v->n++], &set, 1, NULL, ei);
		if (e != ERR_OK) {
			opt_under(ei, "%s[%zu].", o->name, v->n - 1);
			return e;
		}
	}
	return ERR_OK;
}

enum err
opt_value_from_node(const struct opt *o, void *field, const struct node *n,
    struct errinfo *ei)
{
	bool lists = o->type == OPT_STRINGS || o->type == OPT_RANGES;

	if (n->kind == NODE_LIST && lists)
		return opt_set_list(o, field, n, ei);
	if (n->kind == NODE_MAP && o->type == OPT_PAIRS)
		return opt_set_pairs(o, field, n, ei);
	if (n->kind == NODE_LIST && o->type == OPT_LIST)
		return opt_set_items(o, field, n, ei);
	if (n->kind == NODE_NULL && (lists || o->type == OPT_PAIRS ||
	    o->type == OPT_LIST))
		return ERR_OK;
	if (n->kind == NODE_NULL)
		return fail_at(ei, ERR_INVALID, o->name, n->line,
		    "has no value; write %s or leave the key out",
		    opt_value_type(o->type));
	if (n->kind != NODE_SCALAR || o->type == OPT_PAIRS ||
	    o->type == OPT_LIST)
		return fail_at(ei, ERR_INVALID, o->name, n->line,
		    "must be %s, not %s", opt_value_type(o->type),
		    n->kind == NODE_LIST ? "a list" :
		    n->kind == NODE_MAP ? "a mapping" : "plain text");
	if (n->quoted && (o->type == OPT_FLAG || o->type == OPT_COUNT) &&
	    !((o->flags & OPT_AUTO) != 0 && str_is(n->text, "auto")))
		return opt_refuse(o, n->text, n->line,
		    "text because it is quoted", ei);
	return opt_set_scalar(o, field, n->text, n->line, ei);
}

void
opt_value_default(const struct opt *o, void *field)
{
	struct errinfo ei;
	enum err e;

	if (o->dflt == NULL)
		return;
	e = opt_value_from_text(o, field, str_of(o->dflt), 0, &ei);
	assert(e == ERR_OK);
	(void)e;
}

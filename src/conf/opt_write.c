/* opt_write.c: values out of their fields: canonical JSON, comparison, and
 * release. Canonical means: equal values have equal text. */
#include "conf/opt_value.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

const char *
opt_value_type(enum opt_type t)
{
	switch (t) {
	case OPT_DURATION: return "a duration";
	case OPT_COUNT:    return "a whole number";
	case OPT_SIZE:     return "a size";
	case OPT_FLAG:     return "true or false";
	case OPT_STRING:
	case OPT_SECRET:   return "text";
	case OPT_CHOICE:   return "a word";
	case OPT_STRINGS:  return "a list of texts";
	case OPT_PAIRS:    return "a mapping of names to texts";
	case OPT_RANGES:   return "numbers and ranges";
	case OPT_TABLE:    return "a mapping";
	case OPT_RATIO:    return "a ratio";
	case OPT_LIST:     return "a list of mappings";
	case OPT_NTYPES:   break;
	}
	return "?";
}

const char *
opt_value_format_size(uint64_t v, char *dst)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	unsigned i = 0;

	while (i + 1 < COUNT(units) && v != 0 && v % 1024 == 0) {
		v /= 1024;
		i++;
	}
	(void)snprintf(dst, OPT_SIZE_TEXT, "%" PRIu64 "%s", v, units[i]);
	return dst;
}

static void
opt_allowed_range(const struct opt *o, const char *example, struct buf *out)
{
	char lo[TIME_TEXT], hi[TIME_TEXT];
	uint64_t min = o->min > 0 ? (uint64_t)o->min : 0;
	uint64_t max = opt_value_max(o);

	if (o->type == OPT_DURATION) {
		(void)time_format_duration((int64_t)min, lo);
		(void)time_format_duration((int64_t)max, hi);
	} else if (o->type == OPT_SIZE) {
		(void)opt_value_format_size(min, lo);
		(void)opt_value_format_size(max, hi);
	} else {
		(void)snprintf(lo, sizeof(lo), "%" PRIu64, min);
		(void)snprintf(hi, sizeof(hi), "%" PRIu64, max);
	}
	if (o->max > 0)
		buf_addf(out, "%s to %s", lo, hi);
	else if (o->min > 0)
		buf_addf(out, "%s or more", lo);
	else
		buf_adds(out, opt_value_type(o->type));
	if ((o->flags & OPT_AUTO) != 0)
		buf_adds(out, ", or auto");
	else if (o->type != OPT_COUNT)
		buf_addf(out, ", e.g. %s", example);
}

void
opt_value_allowed(const struct opt *o, struct buf *out)
{
	uint64_t max = opt_value_max(o);

	switch (o->type) {
	case OPT_DURATION:
		opt_allowed_range(o, o->dflt != NULL && o->dflt[0] != '0' ?
		    o->dflt : o->min > 30 * NS_PER_S ? "1h" : "30s", out);
		break;
	case OPT_SIZE:
		opt_allowed_range(o, o->dflt != NULL ? o->dflt : "64KiB", out);
		break;
	case OPT_COUNT:
		opt_allowed_range(o, "", out);
		break;
	case OPT_FLAG:
		buf_adds(out, "true or false, without quotes");
		break;
	case OPT_CHOICE:
		for (size_t i = 0; o->choices[i] != NULL; i++)
			buf_addf(out, "%s%s", i > 0 ? ", " : "",
			    o->choices[i]);
		break;
	case OPT_STRING:
	case OPT_SECRET:
		buf_addf(out, "text of %" PRId64 " to %" PRIu64 " bytes",
		    MAX(o->min, (o->flags & OPT_REQUIRED) != 0 ? 1 : 0), max);
		break;
	case OPT_STRINGS:
		buf_addf(out, "a list of at most %" PRIu64 " texts", max);
		break;
	case OPT_PAIRS:
		buf_addf(out, "a mapping of at most %" PRIu64
		    " names to texts", max);
		break;
	case OPT_RANGES:
		buf_addf(out, "numbers and ranges from %" PRId64 " to %" PRIu64
		    ", e.g. %s", o->min, max,
		    o->dflt != NULL ? o->dflt : "200-299,301");
		break;
	case OPT_RATIO:
		buf_adds(out, "0 to 1, or 0% to 100%");
		break;
	case OPT_LIST:
		buf_addf(out, "a list of at most %" PRIu64 " mappings", max);
		break;
	case OPT_TABLE:
	case OPT_NTYPES:
		buf_adds(out, "a mapping");
		break;
	}
}

void
opt_value_clear(const struct opt *o, void *field)
{
	union opt_any *v = field;

	switch (o->type) {
	case OPT_STRING:
	case OPT_SECRET:
		if (*(char **)field != NULL && o->type == OPT_SECRET)
			explicit_bzero(*(char **)field,
			    strlen(*(char **)field));
		xfree(*(char **)field);
		*(char **)field = NULL;
		break;
	case OPT_STRINGS:
		for (size_t i = 0; i < v->strings.n; i++)
			xfree(v->strings.v[i]);
		xfree(v->strings.v);
		v->strings = (struct strings){0};
		break;
	case OPT_PAIRS:
		for (size_t i = 0; i < v->pairs.n; i++) {
			xfree(v->pairs.v[i].name);
			xfree(v->pairs.v[i].value);
		}
		xfree(v->pairs.v);
		v->pairs = (struct pairs){0};
		break;
	case OPT_RANGES:
		xfree(v->ranges.v);
		v->ranges = (struct ranges){0};
		break;
	case OPT_LIST:
		for (size_t i = 0; i < v->items.n; i++)
			opt_free(o->sub, (char *)v->items.v + i * o->size);
		xfree(v->items.v);
		v->items = (struct maps){0};
		break;
	case OPT_DURATION:
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_FLAG:
	case OPT_CHOICE:
	case OPT_TABLE:
	case OPT_RATIO:
	case OPT_NTYPES:
		break;
	}
}

static uint64_t
opt_size(const struct opt *o, const void *field)
{
	if ((o->flags & OPT_NARROW) != 0)
		return *(const uint32_t *)field;
	return *(const uint64_t *)field;
}

static bool
opt_text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
opt_strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static bool
opt_pairs_equal(const struct pairs *a, const struct pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].name, b->v[i].name) != 0 ||
		    strcmp(a->v[i].value, b->v[i].value) != 0)
			return false;
	return true;
}

static bool
opt_items_equal(const struct opt *o, const struct maps *a,
    const struct maps *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!opt_equal(o->sub, (const char *)a->v + i * o->size,
		    (const char *)b->v + i * o->size, 0))
			return false;
	return true;
}

bool
opt_value_equal(const struct opt *o, const void *a, const void *b)
{
	const struct ranges *ra = a, *rb = b;

	switch (o->type) {
	case OPT_DURATION:
		return *(const int64_t *)a == *(const int64_t *)b;
	case OPT_SIZE:
		return opt_size(o, a) == opt_size(o, b);
	case OPT_COUNT:
	case OPT_CHOICE:
		return *(const uint32_t *)a == *(const uint32_t *)b;
	case OPT_FLAG:
		return *(const bool *)a == *(const bool *)b;
	case OPT_RATIO:
		return fabs(*(const double *)a - *(const double *)b) < 1e-12;
	case OPT_STRING:
	case OPT_SECRET:
		return opt_text_equal(*(char *const *)a, *(char *const *)b);
	case OPT_STRINGS:
		return opt_strings_equal(a, b);
	case OPT_PAIRS:
		return opt_pairs_equal(a, b);
	case OPT_RANGES:
		return ra->n == rb->n && (ra->n == 0 ||
		    memcmp(ra->v, rb->v, ra->n * sizeof(*ra->v)) == 0);
	case OPT_LIST:
		return opt_items_equal(o, a, b);
	case OPT_TABLE:
	case OPT_NTYPES:
		break;
	}
	return true;
}

bool
opt_value_is_default(const struct opt *o, const void *field)
{
	union opt_any dflt = {0};
	bool same;

	opt_value_default(o, &dflt);
	same = opt_value_equal(o, field, &dflt);
	opt_value_clear(o, &dflt);
	return same;
}

static json_t *
opt_items_json(const struct opt *o, const struct maps *v,
    enum opt_secrets how)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->n; i++) {
		const struct opt_set set = {o->sub,
		    (char *)v->v + i * o->size};

		(void)json_array_append_new(all, opt_write(&set, 1, how));
	}
	return all;
}

static json_t *
opt_lists_json(const struct opt *o, const union opt_any *v,
    enum opt_secrets how)
{
	bool mask = how == OPT_SECRETS_MASK && (o->flags & OPT_SECRETS) != 0;
	json_t *j;

	if (o->type == OPT_STRINGS) {
		j = json_array();
		for (size_t i = 0; i < v->strings.n; i++)
			(void)json_array_append_new(j,
			    json_string(v->strings.v[i]));
		return j;
	}
	j = json_object();
	for (size_t i = 0; i < v->pairs.n; i++)
		(void)json_object_set_new(j, v->pairs.v[i].name,
		    json_string(mask ? OPT_MASK : v->pairs.v[i].value));
	return j;
}

static json_t *
opt_ranges_json(const struct ranges *r)
{
	BUF_AUTO(b, OPT_ITEMS_MAX * 24);

	for (size_t i = 0; i < r->n; i++) {
		buf_addf(&b, "%s%u", i > 0 ? "," : "", r->v[i].lo);
		if (r->v[i].hi != r->v[i].lo)
			buf_addf(&b, "-%u", r->v[i].hi);
	}
	return json_string(b.p != NULL ? b.p : "");
}

json_t *
opt_value_json(const struct opt *o, const void *field, enum opt_secrets how)
{
	const char *s;
	uint32_t n;
	char text[TIME_TEXT];

	switch (o->type) {
	case OPT_DURATION:
		return json_string(time_format_duration(*(const int64_t *)field,
		    text));
	case OPT_SIZE:
		return json_string(opt_value_format_size(opt_size(o, field),
		    text));
	case OPT_COUNT:
		n = *(const uint32_t *)field;
		if (n == 0 && (o->flags & OPT_AUTO) != 0)
			return json_string("auto");
		return json_integer(n);
	case OPT_CHOICE:
		return json_string(o->choices[*(const uint32_t *)field]);
	case OPT_FLAG:
		return json_boolean(*(const bool *)field);
	case OPT_RATIO:
		return json_real(*(const double *)field);
	case OPT_STRING:
	case OPT_SECRET:
		s = *(char *const *)field;
		if (s != NULL && s[0] != '\0' && o->type == OPT_SECRET &&
		    how == OPT_SECRETS_MASK)
			s = OPT_MASK;
		return s == NULL ? NULL : json_string(s);
	case OPT_STRINGS:
	case OPT_PAIRS:
		return opt_lists_json(o, field, how);
	case OPT_RANGES:
		return opt_ranges_json(field);
	case OPT_LIST:
		return opt_items_json(o, field, how);
	case OPT_TABLE:
	case OPT_NTYPES:
		break;
	}
	return NULL;
}

char *
opt_text(const json_t *v)
{
	char *raw = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY |
	    JSON_REAL_PRECISION(15));
	char *text;

	assert(raw != NULL);
	text = xstrdup(raw);
	free(raw);
	return text;
}

json_t *
opt_value_default_json(const struct opt *o)
{
	union opt_any dflt = {0};
	json_t *j;

	if (o->dflt == NULL || o->type == OPT_TABLE)
		return NULL;
	opt_value_default(o, &dflt);
	j = opt_value_json(o, &dflt, OPT_SECRETS_PLAIN);
	opt_value_clear(o, &dflt);
	return j;
}

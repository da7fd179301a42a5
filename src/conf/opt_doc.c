/* opt_doc.c: the rows as documentation: JSON Schema, Markdown, man page. */
#include "conf/opt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "conf/opt_value.h"

#define DURATION_PATTERN \
	"^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d|w|y))+$|^[0-9]+([.][0-9]+)?$"
#define SIZE_PATTERN   "^[0-9]+ ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$"
#define RANGE_PATTERN \
	"^ *[0-9]+ *(- *[0-9]+ *)?(, *[0-9]+ *(- *[0-9]+ *)?)*$"
#define RATIO_PATTERN  "^[0-9]+([.][0-9]+)?%?$"

static void
schema_types(json_t *s, const char *a, const char *b, const char *c)
{
	json_t *v = json_array();

	if (b == NULL) {
		json_decref(v);
		(void)json_object_set_new(s, "type", json_string(a));
		return;
	}
	(void)json_array_append_new(v, json_string(a));
	(void)json_array_append_new(v, json_string(b));
	if (c != NULL)
		(void)json_array_append_new(v, json_string(c));
	(void)json_object_set_new(s, "type", v);
}

static void
schema_int(json_t *s, const char *key, uint64_t v)
{
	(void)json_object_set_new(s, key, json_integer((json_int_t)v));
}

static void
schema_text(json_t *s, const char *key, const char *v)
{
	(void)json_object_set_new(s, key, json_string(v));
}

/* A number's range; of a duration in seconds, rounded outwards. */
static void
schema_number(const struct opt *o, json_t *s)
{
	uint64_t min = o->min > 0 ? (uint64_t)o->min : 0;
	uint64_t max = opt_value_max(o);

	if (o->type == OPT_DURATION) {
		min /= (uint64_t)NS_PER_S;
		max = max / (uint64_t)NS_PER_S +
		    (max % (uint64_t)NS_PER_S != 0);
	}
	schema_int(s, "minimum", min);
	if (o->max > 0)
		schema_int(s, "maximum", max);
}

static json_t *
schema_items(const struct opt *o)
{
	json_t *s = json_object();

	schema_types(s, "string", "number", NULL);
	if (o->type == OPT_RANGES)
		schema_text(s, "pattern", RANGE_PATTERN);
	return s;
}

/* A word that reads as a number may be written as one: ip: 4. */
static void
schema_choice(const struct opt *o, json_t *s)
{
	json_t *v = json_array(), *number;

	for (size_t i = 0; o->choices[i] != NULL; i++) {
		(void)json_array_append_new(v, json_string(o->choices[i]));
		number = json_loads(o->choices[i], JSON_DECODE_ANY, NULL);
		if (json_is_number(number))
			(void)json_array_append(v, number);
		json_decref(number);
	}
	(void)json_object_set_new(s, "enum", v);
}

static void
schema_table(const struct opt *o, json_t *s)
{
	json_t *need = json_array();

	for (const struct opt *r = o->sub; r->name != NULL; r++)
		if ((r->flags & OPT_REQUIRED) != 0)
			(void)json_array_append_new(need,
			    json_string(r->name));
	(void)json_object_set_new(s, "properties", opt_schema(o->sub));
	(void)json_object_set_new(s, "additionalProperties", json_false());
	if (json_array_size(need) > 0)
		(void)json_object_set(s, "required", need);
	json_decref(need);
}

static void
schema_list(const struct opt *o, json_t *s)
{
	json_t *item = json_object();

	schema_table(o, item);
	schema_types(item, "object", NULL, NULL);
	schema_types(s, "array", "null", NULL);
	(void)json_object_set_new(s, "items", item);
	schema_int(s, "maxItems", opt_value_max(o));
}

static void
schema_type(const struct opt *o, json_t *s)
{
	switch (o->type) {
	case OPT_DURATION:
		schema_types(s, "string", "number", NULL);
		schema_text(s, "pattern", DURATION_PATTERN);
		schema_number(o, s);
		return;
	case OPT_SIZE:
		schema_types(s, "string", "integer", NULL);
		schema_text(s, "pattern", SIZE_PATTERN);
		schema_number(o, s);
		return;
	case OPT_COUNT:
		schema_number(o, s);
		if ((o->flags & OPT_AUTO) == 0) {
			schema_types(s, "integer", NULL, NULL);
			return;
		}
		schema_types(s, "integer", "string", NULL);
		schema_text(s, "pattern", "^(auto|[0-9]+)$");
		return;
	case OPT_FLAG:
		schema_types(s, "boolean", NULL, NULL);
		return;
	case OPT_STRING:
	case OPT_SECRET:
		schema_types(s, "string", "number", NULL);
		if (o->min > 0 || (o->flags & OPT_REQUIRED) != 0)
			schema_int(s, "minLength", o->type == OPT_SECRET ? 1 :
			    (uint64_t)MAX(o->min, 1));
		schema_int(s, "maxLength", opt_value_max(o));
		if (o->type == OPT_SECRET)
			(void)json_object_set_new(s, "writeOnly", json_true());
		return;
	case OPT_CHOICE:
		schema_choice(o, s);
		return;
	case OPT_STRINGS:
		schema_types(s, "array", "string", "null");
		(void)json_object_set_new(s, "items", schema_items(o));
		schema_int(s, "maxItems", opt_value_max(o));
		return;
	case OPT_PAIRS:
		schema_types(s, "object", "null", NULL);
		(void)json_object_set_new(s, "additionalProperties",
		    schema_items(o));
		schema_int(s, "maxProperties", opt_value_max(o));
		return;
	case OPT_RANGES:
		schema_types(s, "string", "integer", "array");
		schema_text(s, "pattern", RANGE_PATTERN);
		(void)json_object_set_new(s, "items", schema_items(o));
		return;
	case OPT_RATIO:
		schema_types(s, "number", "string", NULL);
		schema_text(s, "pattern", RATIO_PATTERN);
		schema_int(s, "minimum", 0);
		schema_int(s, "maximum", 1);
		return;
	case OPT_TABLE:
		schema_table(o, s);
		schema_types(s, "object", "null", NULL);
		return;
	case OPT_LIST:
		schema_list(o, s);
		return;
	case OPT_NTYPES:
		return;
	}
}

json_t *
opt_schema(const struct opt *rows)
{
	json_t *all = json_object(), *s, *dflt;

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		s = json_object();
		if (o->help != NULL)
			schema_text(s, "description", o->help);
		schema_type(o, s);
		dflt = opt_value_default_json(o);
		if (dflt != NULL)
			(void)json_object_set_new(s, "default", dflt);
		(void)json_object_set_new(all, o->name, s);
	}
	return all;
}

static void
opt_default_text(const struct opt *o, struct buf *out)
{
	if ((o->flags & OPT_REQUIRED) != 0)
		buf_adds(out, "required");
	else if (o->dflt != NULL && o->dflt[0] != '\0')
		buf_adds(out, o->dflt);
	else if (o->type == OPT_FLAG)
		buf_adds(out, "false");
	else
		buf_adds(out, "none");
}

/* A row's own test knows best: what it says about nonsense. */
static void
opt_allowed_text(const struct opt *o, struct buf *out)
{
	const char *words = o->check != NULL && o->type != OPT_PAIRS ?
	    o->check(STR("\x01")) : NULL;

	if (words != NULL)
		buf_adds(out, words);
	else
		opt_value_allowed(o, out);
}

static void
opt_cell(struct buf *out, const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (*s == '|')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
}

void
opt_reference(const struct opt *rows, const char *prefix, struct buf *out)
{
	char under[160];

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		BUF_AUTO(dflt, 400);
		BUF_AUTO(allowed, 400);

		if (o->sub != NULL) {
			(void)snprintf(under, sizeof(under), "%s%s%s", prefix,
			    o->name, o->type == OPT_LIST ? "[]." : ".");
			opt_reference(o->sub, under, out);
			continue;
		}
		opt_default_text(o, &dflt);
		opt_allowed_text(o, &allowed);
		buf_addf(out, "| `%s%s` | ", prefix, o->name);
		opt_cell(out, dflt.p);
		buf_adds(out, " | ");
		opt_cell(out, allowed.p);
		buf_addf(out, " | %s | ",
		    (o->flags & OPT_RESTART) != 0 ? "restart" : "live");
		opt_cell(out, o->help);
		buf_adds(out, " |\n");
	}
}

/* roff: a backslash, a dash and a dot that begins a line mean something. */
static void
opt_roff(struct buf *out, const char *s)
{
	if (s != NULL && (*s == '.' || *s == '\''))
		buf_adds(out, "\\&");
	for (; s != NULL && *s != '\0'; s++) {
		if (*s == '\\')
			buf_adds(out, "\\e");
		else if (*s == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *s);
	}
}

void
opt_man(const struct opt *rows, const char *prefix, struct buf *out)
{
	char under[160];

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		BUF_AUTO(dflt, 400);
		BUF_AUTO(allowed, 400);

		if (o->sub != NULL) {
			(void)snprintf(under, sizeof(under), "%s%s%s", prefix,
			    o->name, o->type == OPT_LIST ? "[]." : ".");
			opt_man(o->sub, under, out);
			continue;
		}
		opt_default_text(o, &dflt);
		opt_allowed_text(o, &allowed);
		buf_adds(out, ".TP\n.B ");
		opt_roff(out, prefix);
		opt_roff(out, o->name);
		buf_addc(out, '\n');
		opt_roff(out, o->help);
		buf_adds(out, "\nDefault: ");
		opt_roff(out, dflt.p);
		buf_adds(out, ". Allowed: ");
		opt_roff(out, allowed.p);
		buf_adds(out, (o->flags & OPT_RESTART) != 0 ?
		    ". Takes effect at restart.\n" : ".\n");
	}
}

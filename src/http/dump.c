/* dump.c: see dump.h. */
#include "http/dump.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>


static bool
dump_reserved(struct str s)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "null", "y", "n",
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strlen(words[i]) == s.n &&
		    strncasecmp(words[i], s.p, s.n) == 0)
			return true;
	return false;
}

/* "30s", "1h30m", "4GiB": digits first, a letter last, and nothing that makes
 * a number of it (1e5, 0x1f, 0o17). */
static bool
dump_quantity(struct str s)
{
	if (!isdigit((unsigned char)s.p[0]) ||
	    !isalpha((unsigned char)s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) ||
		    strchr("eExXoO", s.p[i]) != NULL)
			return false;
	return true;
}

static bool
dump_plain(struct str s)
{
	if (s.n == 0 || s.n > 200 || dump_reserved(s))
		return false;
	if (dump_quantity(s))
		return true;
	if (!isalpha((unsigned char)s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		bool last = i + 1 == s.n;

		if (isalnum((unsigned char)s.p[i]) || s.p[i] == '_' ||
		    s.p[i] == '.' || s.p[i] == '/' || s.p[i] == '-')
			continue;
		/* A colon before a blank or the end would be a key's. */
		if (s.p[i] != ':' || last || isspace((unsigned char)s.p[i + 1]))
			return false;
	}
	return true;
}

/* ASCII is escaped as YAML and JSON both read it; what could move a cursor or
 * turn the direction of a line is written as \u, the rest stays readable. */
static void
dump_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const unsigned char *u = (const unsigned char *)s.p + i;

		if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
		} else if (c == '\n') {
			buf_add(b, STR("\\n"));
		} else if (c == '\t') {
			buf_add(b, STR("\\t"));
		} else if (c < 0x20 || c == 0x7f) {
			buf_addf(b, "\\x%02x", c);
		} else if (c >= 0xc2 && c < 0xe0 && i + 1 < s.n &&
		    (c == 0xc2 ? u[1] < 0xa0 : c == 0xd8 && u[1] == 0x9c)) {
			buf_addf(b, "\\u%04x", (c & 0x1fu) << 6 |
			    (u[1] & 0x3fu));
			i++;
		} else if (((c == 0xe2 && i + 2 < s.n &&
		    (u[1] == 0x80 || u[1] == 0x81)) ||
		    (c == 0xef && i + 2 < s.n && u[1] >= 0xbb))) {
			buf_addf(b, "\\u%04x", (c & 0x0fu) << 12 |
			    (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu));
			i += 2;
		} else {
			buf_addc(b, (char)c);
		}
	}
	buf_addc(b, '"');
}

static void
dump_str(struct buf *b, struct str s)
{
	if (dump_plain(s))
		buf_add(b, s);
	else
		dump_quoted(b, s);
}

static void
dump_scalar(struct buf *b, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		dump_str(b, (struct str){json_string_value(v),
		    json_string_length(v)});
		return;
	case JSON_INTEGER:
		buf_addi(b, json_integer_value(v));
		return;
	case JSON_REAL:
		buf_addf(b, "%.17g", json_real_value(v));
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_adds(b, json_is_true(v) ? "true" : "false");
		return;
	case JSON_OBJECT:
		buf_add(b, STR("{}"));
		return;
	case JSON_ARRAY:
		buf_add(b, STR("[]"));
		return;
	case JSON_NULL:
		break;
	}
	buf_add(b, STR("null"));
}

static bool
dump_nested(const json_t *v)
{
	return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static void
dump_indent(struct buf *b, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_add(b, STR("  "));
}

/* begun: the cursor stands behind "- ", where the first key goes. */
static void
dump_node(struct buf *b, const json_t *v, int depth, bool begun)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > DUMP_DEPTH_MAX)
		b->broken = true;   /* our own trees are nowhere near */
	if (b->broken)
		return;
	json_array_foreach(v, i, item) {
		dump_indent(b, depth);
		buf_add(b, STR("- "));
		if (dump_nested(item)) {
			if (json_is_array(item))
				buf_addc(b, '\n');
			dump_node(b, item, depth + 1, json_is_object(item));
		} else {
			dump_scalar(b, item);
			buf_addc(b, '\n');
		}
	}
	if (!json_is_object(v))
		return;
	for (void *at = json_object_iter((json_t *)(uintptr_t)v); at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)v, at)) {
		key = json_object_iter_key(at);
		item = json_object_iter_value(at);
		if (!begun)
			dump_indent(b, depth);
		begun = false;
		dump_str(b, str_of(key));
		buf_addc(b, ':');
		if (dump_nested(item)) {
			buf_addc(b, '\n');
			dump_node(b, item, depth + 1, false);
		} else {
			buf_addc(b, ' ');
			dump_scalar(b, item);
			buf_addc(b, '\n');
		}
	}
}

void
dump_yaml(struct buf *b, const json_t *v)
{
	if (!dump_nested(v)) {
		dump_scalar(b, v);
		buf_addc(b, '\n');
		return;
	}
	dump_node(b, v, 0, false);
}

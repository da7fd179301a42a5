#include "conf/yaml.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define FLOW_MAX 60   /* bytes of a list that is written in one line */

/* Plain words that YAML 1.1 or 1.2 takes for something else than text. */
static bool
yaml_is_word(struct str s)
{
	static const char *const words[] = {
		"null", "~", "true", "false", "yes", "no", "on", "off", "y",
		"n", ".inf", ".nan", "+.inf", "-.inf",
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (s.n == strlen(words[i]) &&
		    strncasecmp(s.p, words[i], s.n) == 0)
			return true;
	return false;
}

/* Could this be a number, a date or a time to anybody? "30s" and "90d" are
 * none. */
static bool
yaml_is_number(struct str s)
{
	size_t digits = 0;

	while (digits < s.n && isdigit((unsigned char)s.p[digits]))
		digits++;
	if (digits > 0 && digits + 1 == s.n && s.p[digits] == 'd')
		return false;
	if (!isdigit((unsigned char)s.p[0]) && strchr("+-.", s.p[0]) == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF_.:+-xXoOtTzZ ", s.p[i]) ==
		    NULL)
			return false;
	return true;
}

/* Only characters that mean nothing to YAML wherever they stand. */
static bool
yaml_is_plain(struct str s)
{
	if (s.n == 0 || yaml_is_word(s) || yaml_is_number(s) ||
	    s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	if (!isalnum((unsigned char)s.p[0]) && strchr("/_.$+(", s.p[0]) == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool colon = c == ':' && i + 1 < s.n && s.p[i + 1] != ' ';

		if (!isalnum((unsigned char)c) && !colon &&
		    (c == '\0' || strchr(" /_.$+()-@%=;~^<>&*!?", c) == NULL))
			return false;
	}
	return true;
}

/* In double quotes every character can be written; what is not ASCII stays as
 * it is, but for what libyaml calls unprintable and what is a line break. */
static void
yaml_quote(struct str s, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned char d = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
		unsigned char e = i + 2 < s.n ? (unsigned char)s.p[i + 2] : 0;

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c == '\n')
			buf_adds(out, "\\n");
		else if (c == '\t')
			buf_adds(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else if (c == 0xc2 && d < 0xa0) {
			buf_addf(out, "\\x%02x", d);
			i++;
		} else if (c >= 0xe2 && c <= 0xef && (c == 0xef || (c == 0xe2 &&
		    (d == 0x80 || d == 0x81)))) {
			/* separators, directions, byte order mark, U+FFFE */
			buf_addf(out, "\\u%04x", (unsigned)(c & 0x0f) << 12 |
			    (unsigned)(d & 0x3f) << 6 | (unsigned)(e & 0x3f));
			i += 2;
		} else {
			buf_addc(out, (char)c);
		}
	}
	buf_addc(out, '"');
}

static void
yaml_text(struct str s, struct buf *out)
{
	if (yaml_is_plain(s))
		buf_add(out, s);
	else
		yaml_quote(s, out);
}

static void
yaml_scalar(const json_t *v, struct buf *out)
{
	char *text;

	if (json_is_string(v)) {
		yaml_text((struct str){json_string_value(v),
		    json_string_length(v)}, out);
		return;
	}
	if (json_is_object(v) || json_is_array(v)) {
		buf_adds(out, json_is_object(v) ? "{}" : "[]");
		return;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	buf_adds(out, text);
	free(text);
}

static bool
yaml_is_box(const json_t *v)
{
	return (json_is_object(v) && json_object_size(v) > 0) ||
	    (json_is_array(v) && json_array_size(v) > 0);
}

/* "[a, b]" when it is short and plain. */
static bool
yaml_flow(const json_t *list, struct buf *line)
{
	const json_t *v;

	buf_addc(line, '[');
	for (size_t i = 0; i < json_array_size(list); i++) {
		v = json_array_get(list, i);
		if (json_is_object(v) || json_is_array(v))
			return false;
		if (i > 0)
			buf_adds(line, ", ");
		yaml_scalar(v, line);
	}
	buf_addc(line, ']');
	return buf_ok(line);
}

static void
yaml_indent(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_adds(out, "  ");
}

static void yaml_block(const json_t *v, unsigned depth, bool begun,
    struct buf *out);

static void
yaml_member(const char *key, const json_t *v, unsigned depth, struct buf *out)
{
	BUF_AUTO(flow, FLOW_MAX);

	yaml_text(str_of(key), out);
	buf_addc(out, ':');
	if (!yaml_is_box(v)) {
		buf_addc(out, ' ');
		yaml_scalar(v, out);
		buf_addc(out, '\n');
	} else if (json_is_array(v) && yaml_flow(v, &flow)) {
		buf_addf(out, " %s\n", flow.p);
	} else {
		buf_addc(out, '\n');
		yaml_block(v, depth + 1, false, out);
	}
}

/* begun: the first line continues one that is there already ("- "). */
static void
yaml_block(const json_t *v, unsigned depth, bool begun, struct buf *out)
{
	const char *key;
	json_t *item;

	for (size_t i = 0; i < json_array_size(v); i++) {
		if (!begun || i > 0)
			yaml_indent(depth, out);
		item = json_array_get(v, i);
		buf_adds(out, "- ");
		if (yaml_is_box(item)) {
			yaml_block(item, depth + 1, true, out);
			continue;
		}
		yaml_scalar(item, out);
		buf_addc(out, '\n');
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		if (!begun)
			yaml_indent(depth, out);
		begun = false;
		yaml_member(key, item, depth, out);
	}
}

void
tree_yaml_write(const json_t *doc, struct buf *out)
{
	if (yaml_is_box(doc)) {
		yaml_block(doc, 0, false, out);
		return;
	}
	yaml_scalar(doc, out);
	buf_addc(out, '\n');
}

/* cursor.c: see cursor.h. */
#include "http/cursor.h"

#include <stdio.h>

#define CURSOR_TAGS_MAX 64   /* entity tags looked at in one header */

const char *
cursor_format(char kind, uint64_t place, char *dst)
{
	snprintf(dst, CURSOR_TEXT, "%c%llx", kind, (unsigned long long)place);
	return dst;
}

static int
cursor_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
cursor_parse(struct str s, char kind, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n < 2 || s.n > 17 || s.p[0] != kind || s.p[1] == '0')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		int d = cursor_digit(s.p[i]);

		if (d < 0)
			return false;
		v = v << 4 | (uint64_t)d;
	}
	/* The stores' ids are signed 64-bit integers. */
	if (v > INT64_MAX)
		return false;
	*ret = v;
	return true;
}

uint64_t
cursor_if_match(struct str header, uint64_t now)
{
	struct str tag, rest = header;
	uint64_t v;

	if (str_trim(header).n == 0 || str_is(str_trim(header), "*"))
		return 0;
	/* Ours are plain numbers: a comma inside a tag is nobody's of ours.
	 * A weak tag never matches here. */
	for (int i = 0; i < CURSOR_TAGS_MAX && rest.n > 0; i++) {
		rest = str_cut(rest, ',', &tag);
		tag = str_trim(tag);
		if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"')
			continue;
		if (str_u64((struct str){tag.p + 1, tag.n - 2}, UINT64_MAX - 1,
		    &v) && v == now && v != 0)
			return v;
	}
	return CURSOR_NO_VERSION;
}

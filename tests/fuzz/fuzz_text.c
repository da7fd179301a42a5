/* Whatever the bytes are, what a sink writes is valid UTF-8 without control
 * characters, within its bound, and (for JSON) reads back as one string. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
clean(const struct buf *b)
{
	require(buf_ok(b));
	require(text_utf8_ok(buf_str(b)));
	for (size_t i = 0; i < b->n; i++) {
		unsigned char c = (unsigned char)b->p[i];

		require(c >= 0x20 && c != 0x7f);
		/* C1 and the bidi controls of U+202x, as UTF-8. */
		if (c == 0xc2)
			require((unsigned char)b->p[i + 1] >= 0xa0);
		if (c == 0xe2 && (unsigned char)b->p[i + 1] == 0x80) {
			unsigned char d = (unsigned char)b->p[i + 2];

			require(d < 0xa8 || d > 0xae);
			require(d != 0x8e && d != 0x8f);
		}
	}
}

static void
json(struct str s)
{
	BUF_AUTO(b, 1 << 20);
	json_t *j;

	text_json(&b, s);
	clean(&b);
	j = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	require(j != NULL && json_is_string(j));
	json_decref(j);
}

static void
line(struct str s, size_t max)
{
	BUF_AUTO(b, 1 << 20);
	BUF_AUTO(again, 1 << 20);
	char dst[64];

	text_line(&b, s, max);
	clean(&b);
	require(b.n <= max);
	/* What is clean stays as it is. */
	text_line(&again, buf_str(&b), max);
	require(str_eq(buf_str(&again), buf_str(&b)));
	require(text_copy(dst, sizeof(dst), s) == dst);
	require(strlen(dst) < sizeof(dst));
	require(text_utf8_ok(str_of(dst)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO(b, 1 << 20);
	struct str s = {(const char *)data, size};

	if (size > 65536)
		return 0;
	json(s);
	line(s, size > 0 ? data[0] : 0);
	text_html(&b, s);
	clean(&b);
	require(b.p == NULL || strpbrk(b.p, "<>\"'") == NULL);
	buf_clear(&b);
	text_label(&b, s);
	clean(&b);
	buf_clear(&b);
	text_url(&b, s);
	clean(&b);
	return 0;
}

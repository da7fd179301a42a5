/* Foreign text through every sink: what comes out can do no harm there. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/mem.h"

#define FFFD "\xef\xbf\xbd"
#define MORE "\xe2\x80\xa6"

typedef void sink_fn(struct buf *b, struct str s);

static void
line_sink(struct buf *b, struct str s)
{
	text_line(b, s, 1 << 20);
}

static void
check(sink_fn *sink, struct str in, const char *want)
{
	BUF_AUTO(b, 1 << 20);

	sink(&b, in);
	assert_true(buf_ok(&b));
	assert_string_equal(b.p == NULL ? "" : b.p, want);
}

static void
json(void **state)
{
	(void)state;
	check(text_json, STR(""), "\"\"");
	check(text_json, (struct str){NULL, 0}, "\"\"");
	check(text_json, STR("plain"), "\"plain\"");
	check(text_json, STR("a\"b\\c"), "\"a\\\"b\\\\c\"");
	check(text_json, STR("\n\r\t\x1b[31m\x00\x7f"),
	    "\"\\n\\r\\t\\u001b[31m\\u0000\\u007f\"");
	check(text_json, STR("</script>&"),
	    "\"\\u003c/script\\u003e\\u0026\"");
	check(text_json, STR("\xc2\x9b" "31m"), "\"\\u009b31m\"");
	check(text_json, STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
	    "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
	check(text_json, STR("\xe2\x80\xae" "abc\xe2\x81\xa6\xe2\x80\xa8"),
	    "\"" FFFD "abc" FFFD FFFD "\"");
}

static void
html(void **state)
{
	(void)state;
	check(text_html, STR("<img src=x onerror='a(\"b\")'>&amp;"),
	    "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;amp;");
	check(text_html, STR("a\nb\rc\td\x1b" "e"), "a b c d" FFFD "e");
	check(text_html, STR("\xd8\x9c\xe2\x80\x8f\xff"), FFFD FFFD FFFD);
}

static void
label(void **state)
{
	(void)state;
	check(text_label, STR("a\\b\"c\nd\re\x01"), "a\\\\b\\\"c\\nd e" FFFD);
	check(text_label, STR("{x=\"y\"}"), "{x=\\\"y\\\"}");
}

static void
url(void **state)
{
	(void)state;
	check(text_url, STR("aZ09-._~"), "aZ09-._~");
	check(text_url, STR("a b/c?d=e&f#%\n\xc3\xbc"),
	    "a%20b%2Fc%3Fd%3De%26f%23%25%0A%C3%BC");
	check(text_url, (struct str){"\0", 1}, "%00");
}

static void
line_cuts_at_characters(void **state)
{
	static const struct {
		const char *in, *out;
		size_t max;
	} rows[] = {
		{"abcdef", "abcdef", 6},
		{"abcdefg", "abc" MORE, 6},
		{"abcdefgh", "abcd" MORE, 7},
		{"\xc3\xbc\xc3\xbc\xc3\xbc", "\xc3\xbc\xc3\xbc\xc3\xbc", 6},
		{"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", "\xc3\xbc" MORE, 6},
		{"abc", "ab", 2},
		{"abc", "", 0},
		{"\xf0\x9f\x98\x80", "", 2},
		{"\xff\xff\xff", FFFD MORE, 8},
		{"\xff\xff", FFFD FFFD, 6},
		{"a\nb", "a b", 3},
		{"", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		BUF_AUTO(b, 100);
		char dst[32];

		text_line(&b, str_of(rows[i].in), rows[i].max);
		assert_string_equal(b.p == NULL ? "" : b.p, rows[i].out);
		memset(dst, 'x', sizeof(dst));
		assert_ptr_equal(text_copy(dst, rows[i].max + 1,
		    str_of(rows[i].in)), dst);
		assert_string_equal(dst, rows[i].out);
	}
}

static void
utf8(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xf0\x9f\x98",
	};
	static const char *const good[] = {
		"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_utf8_ok(str_of(bad[i])));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(text_utf8_ok(str_of(good[i])));
	/* A byte that is no character costs that byte, not its neighbour. */
	check(line_sink, STR("\xe2\x82" "ab\xc3<"), FFFD FFFD "ab" FFFD "<");
}

static void
hex(void **state)
{
	static const unsigned char raw[] = {0x00, 0x9f, 0xff, 0x10};
	char dst[9];

	(void)state;
	text_hex(dst, sizeof(dst), raw, sizeof(raw));
	assert_string_equal(dst, "009fff10");
	text_hex(dst, 1, raw, 0);
	assert_string_equal(dst, "");
}

/* Every pair of bytes in front of something, through every sink: always valid
 * UTF-8, never a control character, never the sink's own syntax. */
static void
every_byte(void **state)
{
	static sink_fn *const sinks[] = {text_json, text_html, text_label,
	    text_url, line_sink};
	BUF_AUTO(b, 1 << 20);

	(void)state;
	for (size_t k = 0; k < COUNT(sinks); k++) {
		for (unsigned i = 0; i < 0x10000; i++) {
			char in[4] = {(char)(i >> 8), (char)i, '<', '"'};
			size_t from = sinks[k] == text_json ? 1 : 0;

			buf_clear(&b);
			sinks[k](&b, (struct str){in, sizeof(in)});
			assert_true(text_utf8_ok(buf_str(&b)));
			for (size_t j = 0; j < b.n; j++) {
				assert_true((unsigned char)b.p[j] >= 0x20);
				assert_true(b.p[j] != 0x7f);
			}
			if (sinks[k] == text_html)
				assert_null(strpbrk(b.p, "<>\"'"));
			if (sinks[k] != line_sink && sinks[k] != text_html)
				for (size_t j = from; j + from < b.n; j++)
					assert_true(b.p[j] != '"' ||
					    b.p[j - 1] == '\\');
		}
	}
}

static void
megabyte(void **state)
{
	size_t n = 1 << 20;
	char *big = xcalloc(n, 1), dst[192];

	(void)state;
	memset(big, '<', n);
	{
		BUF_AUTO(b, 1000);

		text_html(&b, (struct str){big, n});
		assert_false(buf_ok(&b));
		assert_true(b.n <= 1000);
		(void)text_copy(dst, sizeof(dst), (struct str){big, n});
		assert_int_equal(strlen(dst), sizeof(dst) - 1);
		assert_string_equal(dst + sizeof(dst) - 4, MORE);
	}
	xfree(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(html),
		cmocka_unit_test(label),
		cmocka_unit_test(url),
		cmocka_unit_test(line_cuts_at_characters),
		cmocka_unit_test(utf8),
		cmocka_unit_test(hex),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(megabyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

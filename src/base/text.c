#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define BAD      0xfffd
#define BAD_UTF8 "\xef\xbf\xbd"
#define MORE     "\xe2\x80\xa6"   /* … */

/* One character at the front of s, which is not empty: its code point (BAD
 * for a byte that is not UTF-8) and how many bytes it takes. */
static size_t
decode(struct str s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3
	    : c < 0xf5 ? 4 : 0;
	uint32_t cp;

	*ret = BAD;
	if (n == 0 || n > s.n)
		return 1;
	cp = n == 1 ? c : c & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char d = (unsigned char)s.p[i];

		if ((d & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (d & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 1;
	*ret = cp;
	return n;
}

bool
text_utf8_ok(struct str s)
{
	while (s.n > 0) {
		uint32_t cp;
		size_t n = decode(s, &cp);

		if (cp == BAD && n == 1)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

/* How much one character of n bytes counts. */
static size_t
counts(uint32_t cp, size_t n, enum text_measure m)
{
	switch (m) {
	case TEXT_BYTES:
		return n;
	case TEXT_CHARS:
		return 1;
	case TEXT_UTF16:
		return cp > 0xffff ? 2 : 1;
	}
	return n;
}

struct str
text_cut(struct str s, size_t max, enum text_measure m)
{
	struct str head = {s.p, 0};
	size_t used = 0;

	while (s.n > 0) {
		uint32_t cp;
		size_t n = decode(s, &cp);

		used += counts(cp, n, m);
		if (used > max)
			break;
		head.n += n;
		s.p += n;
		s.n -= n;
	}
	return head;
}

size_t
text_size(struct str s, enum text_measure m)
{
	size_t used = 0;

	if (m == TEXT_BYTES)
		return s.n;
	while (s.n > 0) {
		uint32_t cp;
		size_t n = decode(s, &cp);

		used += counts(cp, n, m);
		s.p += n;
		s.n -= n;
	}
	return used;
}

/* C0, DEL and C1. */
static bool
control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* What reorders the text around it, ends a line where nobody looks, or is no
 * character of XML. */
static bool
treacherous(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f ||
	    cp == 0x061c || cp == 0x2028 || cp == 0x2029 ||
	    cp == 0xfffe || cp == 0xffff;
}

/* How one character is written in some sink: bytes, or NULL for "as it is".
 * scratch serves forms that are made up on the spot. */
typedef const char *form_fn(uint32_t cp, char scratch[8]);

/* Most text is harmless ASCII: append it in runs. */
static void
each(struct buf *b, struct str s, form_fn *form)
{
	const char *run = s.p, *with;
	char scratch[8];

	while (s.n > 0 && buf_ok(b)) {
		uint32_t cp;
		size_t n = decode(s, &cp);

		with = form(cp, scratch);
		if (with == NULL && cp == BAD && n == 1)
			with = BAD_UTF8;
		if (with != NULL) {
			buf_add(b, (struct str){run, (size_t)(s.p - run)});
			buf_adds(b, with);
			run = s.p + n;
		}
		s.p += n;
		s.n -= n;
	}
	buf_add(b, (struct str){run, (size_t)(s.p - run)});
}

static const char *
form_json(uint32_t cp, char scratch[8])
{
	switch (cp) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	/* A JSON text inside a page must not be able to end its element. */
	case '<': return "\\u003c";
	case '>': return "\\u003e";
	case '&': return "\\u0026";
	}
	if (treacherous(cp))
		return BAD_UTF8;
	if (!control(cp))
		return NULL;
	memcpy(scratch, "\\u00", 4);
	scratch[4] = "0123456789abcdef"[cp >> 4];
	scratch[5] = "0123456789abcdef"[cp & 15];
	scratch[6] = '\0';
	return scratch;
}

void
text_json(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	each(b, s, form_json);
	buf_addc(b, '"');
}

/* One line and nothing that moves a cursor. */
static const char *
form_line(uint32_t cp, UNUSED char scratch[8])
{
	if (cp == '\n' || cp == '\r' || cp == '\t')
		return " ";
	return control(cp) || treacherous(cp) ? BAD_UTF8 : NULL;
}

static const char *
form_html(uint32_t cp, char scratch[8])
{
	switch (cp) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	}
	return form_line(cp, scratch);
}

void
text_html(struct buf *b, struct str s)
{
	each(b, s, form_html);
}

static const char *
form_label(uint32_t cp, char scratch[8])
{
	switch (cp) {
	case '\\': return "\\\\";
	case '"': return "\\\"";
	case '\n': return "\\n";
	}
	return form_line(cp, scratch);
}

void
text_label(struct buf *b, struct str s)
{
	each(b, s, form_label);
}

/* How many bytes of s can be written as one line of at most max bytes; when
 * that is not all of s, room for "…" is kept and *more says so. */
static size_t
line_fits(struct str s, size_t max, bool *more)
{
	size_t out = 0, in = 0, whole = 0;

	while (in < s.n) {
		uint32_t cp;
		char scratch[8];
		struct str rest = {s.p + in, s.n - in};
		size_t n = decode(rest, &cp);
		const char *with = form_line(cp, scratch);

		if (with != NULL)
			out += strlen(with);
		else
			out += cp == BAD ? sizeof(BAD_UTF8) - 1 : n;
		if (out > max) {
			*more = max >= sizeof(MORE) - 1;
			return *more ? whole : in;
		}
		in += n;
		if (out + sizeof(MORE) - 1 <= max)
			whole = in;
	}
	*more = false;
	return s.n;
}

void
text_line(struct buf *b, struct str s, size_t max)
{
	bool more;

	s.n = line_fits(s, max, &more);
	each(b, s, form_line);
	if (more)
		buf_adds(b, MORE);
}

char *
text_copy(char *dst, size_t size, struct str s)
{
	BUF_AUTO(b, size - 1);

	assert(size > 0);
	text_line(&b, s, size - 1);
	assert(buf_ok(&b));
	if (b.n > 0)
		memcpy(dst, b.p, b.n);
	dst[b.n] = '\0';
	return dst;
}

void
text_url(struct buf *b, struct str s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < s.n && buf_ok(b); i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c != '\0' && strchr(plain, c) != NULL) {
			buf_addc(b, s.p[i]);
			continue;
		}
		buf_addc(b, '%');   /* RFC 3986 2.1: upper case */
		buf_addc(b, "0123456789ABCDEF"[c >> 4]);
		buf_addc(b, "0123456789ABCDEF"[c & 15]);
	}
}

void
text_hex(char *dst, size_t size, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	assert(size == 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 15];
	}
	dst[2 * n] = '\0';
}

#include "alert/mime.h"

#include <string.h>

#include "alert/request.h"
#include "base/text.h"
#include "base/time.h"

#define LINE_MAX_ 76      /* RFC 2045 6.7, RFC 2047 2 */
#define WORD_MAX  45      /* bytes: 60 as base64, 72 as an encoded word */

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~')
			return false;
	/* What looks encoded would be decoded. */
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '=' && s.p[i + 1] == '?')
			return false;
	return true;
}

void
mime_header(struct buf *out, const char *name, struct str value)
{
	BUF_AUTO(line, 8192);
	struct str rest;
	size_t room;

	text_line(&line, value, 2048);
	rest = buf_str(&line);
	buf_addf(out, "%s: ", name);
	if (is_plain(rest) && strlen(name) + 2 + rest.n <= LINE_MAX_) {
		buf_add(out, rest);
		buf_adds(out, "\r\n");
		return;
	}
	room = WORD_MAX - (strlen(name) + 4) / 4 * 3;
	while (rest.n > 0) {
		struct str head = text_cut(rest, room, TEXT_BYTES);

		buf_adds(out, "=?UTF-8?B?");
		request_base64(head, out);
		buf_adds(out, "?=");
		rest.p += head.n;
		rest.n -= head.n;
		room = WORD_MAX;
		if (rest.n > 0)
			buf_adds(out, "\r\n ");
	}
	buf_adds(out, "\r\n");
}

void
mime_list(struct buf *out, const char *name, char *const *v, size_t n)
{
	buf_addf(out, "%s: ", name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_adds(out, ",\r\n ");
		text_line(out, str_of(v[i]), 512);
	}
	buf_adds(out, "\r\n");
}

void
mime_date(struct buf *out, int64_t unix_us)
{
	char text[TIME_TEXT];

	/* HTTP's form is the same but for the zone's name. */
	(void)time_format_http(unix_us, text);
	buf_addf(out, "Date: %.*s +0000\r\n", (int)(strlen(text) - 4), text);
}

/* One line; softly broken before it is too long. */
static void
quoted_line(struct buf *out, struct str line)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool last = i + 1 == line.n;
		/* A dot would end the mail; "From " some servers change. */
		bool code = c < ' ' || c > '~' || c == '=' ||
		    (c == ' ' && last) ||
		    (column == 0 && (c == '.' || c == 'F'));

		if (column + (code ? 3 : 1) > LINE_MAX_ - 1) {
			buf_adds(out, "=\r\n");
			column = 0;
			code = code || c == '.' || c == 'F';
		}
		if (code)
			buf_addf(out, "=%c%c", hex[c >> 4], hex[c & 15]);
		else
			buf_addc(out, (char)c);
		column += code ? 3 : 1;
	}
}

void
mime_quoted(struct buf *out, struct str text)
{
	struct str line;

	while (text.n > 0) {
		text = str_cut(text, '\n', &line);
		quoted_line(out, line);
		buf_adds(out, "\r\n");
	}
}

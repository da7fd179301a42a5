#include "alert/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define APART "\xe2\x80\x8b"   /* U+200B, zero width space */

/* How the character c is written; NULL: as it is. */
typedef const char *form_fn(char c);

static void
lines(struct buf *out, struct str s, form_fn *form)
{
	struct str line;

	while (s.n > 0) {
		BUF_AUTO(clean, out->max);
		bool last = memchr(s.p, '\n', s.n) == NULL;

		s = str_cut(s, '\n', &line);
		text_line(&clean, line, SIZE_MAX);
		for (size_t i = 0; i < clean.n; i++) {
			const char *with = form(clean.p[i]);

			if (with != NULL)
				buf_adds(out, with);
			else
				buf_addc(out, clean.p[i]);
		}
		if (!last)
			buf_addc(out, '\n');
	}
}

static const char *
form_html(char c)
{
	return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" :
	    c == '"' ? "&quot;" : NULL;
}

void
escape_html(struct buf *out, struct str s)
{
	lines(out, s, form_html);
}

static const char *
form_slack(char c)
{
	return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" :
	    NULL;
}

void
escape_slack(struct buf *out, struct str s)
{
	lines(out, s, form_slack);
}

static const char *
form_markdown(char c)
{
	static const char special[] = "\\`*_~|<>#[]()!&";
	static const char *const with[] = {"\\\\", "\\`", "\\*", "\\_",
		"\\~", "\\|", "\\<", "\\>", "\\#", "\\[", "\\]", "\\(",
		"\\)", "\\!", "\\&"};
	const char *at = c != '\0' ? strchr(special, c) : NULL;

	return at != NULL ? with[at - special] : NULL;
}

void
escape_markdown(struct buf *out, struct str s)
{
	lines(out, s, form_markdown);
}

static const char *
form_mentions(char c)
{
	return c == '@' ? "@" APART : form_markdown(c);
}

void
escape_mentions(struct buf *out, struct str s)
{
	lines(out, s, form_mentions);
}

static const char *
form_angles(char c)
{
	return c == '<' ? "<" APART : NULL;
}

void
escape_angles(struct buf *out, struct str s)
{
	lines(out, s, form_angles);
}

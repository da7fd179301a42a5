/* E-mail: text and HTML, several recipients in one mail. What belongs to one
 * incident is one thread: its opening has the incident's own Message-ID, and
 * everything later refers to that. */
#include <stdio.h>
#include <string.h>

#include "alert/escape.h"
#include "alert/mime.h"
#include "alert/request.h"
#include "base/mem.h"

#define EMAIL_MAX ((size_t)1 << 20)
#define REFERENCES_MAX 20

static uint32_t
hash(const char *s)   /* FNV-1a */
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* Of the sender's address: that name is the user's, and does not change when
 * the host is renamed. */
static const char *
domain(const struct alert_message *m)
{
	const char *at = strrchr(m->channel->own.from, '@');

	return at != NULL ? at + 1 : "localhost";
}

static void
root_id(const struct alert_message *m, const struct alert_event *e,
    struct buf *out)
{
	buf_addc(out, '<');
	message_key(m, e, out);
	buf_addf(out, ".%08x@%s>", hash(m->channel->name), domain(m));
}

static bool
opens(const struct alert_message *m, const struct alert_part *p)
{
	const struct outbox_row *r = m->items[p->first].row;

	return m->n == 1 && r->event.kind == ALERT_OPEN && r->step == 0;
}

static void
ids(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	const struct alert_event *e = &m->items[p->first].row->event;
	char once[MESSAGE_ONCE];
	BUF_AUTO(id, 512);
	BUF_AUTO(refs, 8192);

	if (opens(m, p))
		root_id(m, e, &id);
	else
		buf_addf(&id, "<%s@%s>", message_once(m, p, once), domain(m));
	buf_addf(out, "Message-ID: %s\r\n", id.p);
	for (size_t i = p->first, n = 0; i < p->first + p->n &&
	    n < REFERENCES_MAX; i++) {
		e = &m->items[i].row->event;
		if (e->incident_us == 0 || opens(m, p))
			continue;
		buf_adds(&refs, n++ > 0 ? "\r\n " : "");
		root_id(m, e, &refs);
	}
	if (refs.n > 0 && p->n == 1)
		buf_addf(out, "In-Reply-To: %s\r\n", refs.p);
	if (refs.n > 0)
		buf_addf(out, "References: %s\r\n", refs.p);
}

static void
head(const struct alert_message *m, const struct alert_part *p,
    struct buf *b)
{
	const struct channel_own *own = &m->channel->own;
	const struct alert_event *e = &m->items[p->first].row->event;
	BUF_AUTO(title, ALERT_TEXT * 4);

	message_title(m, p, NULL, &title);
	mime_date(b, m->now_us);
	buf_adds(b, "From: vedette <");
	text_line(b, str_of(own->from), 512);
	buf_adds(b, ">\r\n");
	mime_list(b, "To", own->to.v, own->to.n);
	mime_header(b, "Subject", buf_str(&title));
	ids(m, p, b);
	buf_addf(b, "List-Id: <vedette.%s>\r\n", domain(m));
	buf_adds(b, "Auto-Submitted: auto-generated\r\n"
	    "X-Auto-Response-Suppress: All\r\n");
	buf_addf(b, "X-Vedette-Event: %s\r\n", m->n > 1 ? "group" :
	    alert_kind_name((enum alert_kind)e->kind));
	/* What phones and filters go by. */
	if (message_mood(m, p) == MOOD_BAD)
		buf_adds(b, "Importance: high\r\nX-Priority: 2\r\n");
	buf_adds(b, "MIME-Version: 1.0\r\n");
}

/* A line as HTML, its links as links. */
static void
html_line(struct str line, struct buf *out)
{
	while (line.n > 0) {
		const char *at = memmem(line.p, line.n, "http", 4);
		size_t before = at != NULL ? (size_t)(at - line.p) : line.n;
		struct str link = {line.p + before, 0};

		while (link.n < line.n - before && link.p[link.n] != ' ' &&
		    link.p[link.n] != ')' && link.p[link.n] != '"')
			link.n++;
		escape_html(out, (struct str){line.p, before});
		line.p += before + link.n;
		line.n -= before + link.n;
		if (!str_starts(link, STR("http://")) &&
		    !str_starts(link, STR("https://"))) {
			escape_html(out, link);
			continue;
		}
		buf_adds(out, "<a href=\"");
		escape_html(out, link);
		buf_adds(out, "\">");
		escape_html(out, link);
		buf_adds(out, "</a>");
	}
}

static void
html(const struct alert_message *m, const struct alert_part *p,
    struct str text, struct buf *out)
{
	static const char *const color[] = {
		[MOOD_GOOD] = "#137a43", [MOOD_INFO] = "#1d4ed8",
		[MOOD_WARNING] = "#92580a", [MOOD_BAD] = "#b3132b",
	};
	BUF_AUTO(title, ALERT_TEXT * 4);
	struct str line;

	message_title(m, p, NULL, &title);
	buf_adds(out, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">"
	    "</head>\n<body style=\"font-family:sans-serif\">\n");
	buf_addf(out, "<p style=\"font-size:120%%;font-weight:bold;color:%s"
	    "\">", color[message_mood(m, p)]);
	escape_html(out, buf_str(&title));
	buf_adds(out, "</p>\n<p>");
	while (text.n > 0) {
		text = str_cut(text, '\n', &line);
		html_line(line, out);
		buf_adds(out, text.n > 0 ? "<br>\n" : "");
	}
	buf_adds(out, "</p>\n</body></html>\n");
}

static void
body(const struct alert_message *m, const struct alert_part *p,
    struct buf *b)
{
	char once[MESSAGE_ONCE];
	BUF_AUTO(text, ALERT_BODY_MAX);
	BUF_AUTO(page, ALERT_BODY_MAX);

	(void)message_once(m, p, once);
	message_fit(m, p, &text);
	html(m, p, buf_str(&text), &page);
	buf_addf(b, "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"=_%s\"\r\n\r\n", once);
	buf_addf(b, "--=_%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n", once);
	mime_quoted(b, buf_str(&text));
	buf_addf(b, "--=_%s\r\nContent-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n", once);
	mime_quoted(b, buf_str(&page));
	buf_addf(b, "--=_%s--\r\n", once);
}

static enum err
email_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	uint32_t port = own->port != 0 ? own->port :
	    own->tls == CHANNEL_TLS ? 465 : own->tls == CHANNEL_PLAIN ? 25 :
	    587;
	bool six = strchr(own->host, ':') != NULL && own->host[0] != '[';
	BUF_AUTO(url, 512);

	buf_addf(&url, "%s://%s%s%s:%u", own->tls == CHANNEL_TLS ? "smtps" :
	    "smtp", six ? "[" : "", own->host, six ? "]" : "", port);
	ret->kind = REQUEST_MAIL;
	ret->url = buf_take(&url);
	ret->tls = own->tls;
	ret->from = xstrdup(own->from);
	ret->user = own->user != NULL ? xstrdup(own->user) : NULL;
	ret->password = own->password != NULL ? xstrdup(own->password) : NULL;
	for (size_t i = 0; i < own->to.n; i++)
		request_push(&ret->to, own->to.v[i]);
	buf_init(&ret->body, ALERT_BODY_MAX);
	head(m, p, &ret->body);
	body(m, p, &ret->body);
	return ERR_OK;
}

const struct alert_kind_row alert_email = {
	.name = "email", .grouped = true, .text_max = EMAIL_MAX,
	.measure = TEXT_BYTES, .build = email_build,
};

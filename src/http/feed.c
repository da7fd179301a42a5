/* feed.c: see feed.h. Nothing in a feed depends on when it is asked for, so
 * that what did not change has the same bytes. */
#include "http/feed.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/field.h"
#include "http/page.h"
#include "http/pages.h"
#include "http/server.h"
#include "http/told.h"

#define BASE_MAX  2048
#define INNER_MAX (4u << 20)   /* the HTML of one entry */

enum { KEY_ATOM = 1, KEY_JSON = 2 };

static const char type_atom[] = "application/atom+xml; charset=utf-8";
static const char type_json[] = "application/feed+json; charset=utf-8";

struct feed {
	struct http *h;
	struct buf *b;
	struct buf base;           /* owned */
	struct str host;           /* of base */
	struct told *v;            /* owned */
	size_t n;
	int64_t changed_us;        /* of the newest change */
};

static void
clear(struct feed *f)
{
	told_free(f->v, f->n);
	buf_free(&f->base);
}

/* The host of http://host:port/…; an address in brackets is no name that a
 * tag: may have. */
static struct str
host_of(struct str url)
{
	size_t n = 0;

	if (str_starts(url, STR("https://")))
		url = (struct str){url.p + 8, url.n - 8};
	else if (str_starts(url, STR("http://")))
		url = (struct str){url.p + 7, url.n - 7};
	while (n < url.n && strchr("0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-", url.p[n]) != NULL)
		n++;
	return n > 0 ? (struct str){url.p, n} : STR("localhost");
}

static enum err
collect(struct feed *f, struct req *q, struct errinfo *ei)
{
	const struct incident_query iq = {.limit = FEED_ITEMS};
	enum err e = told_read(q, &iq, false, &f->v, &f->n, ei);

	for (size_t i = 0; e == ERR_OK && i < f->n; i++)
		f->changed_us = MAX(f->changed_us, told_changed(&f->v[i]));
	f->base.max = BASE_MAX;
	(void)http_base_text(f->h, &f->base);
	f->host = host_of(buf_str(&f->base));
	return e;
}

/* -- what both have ---------------------------------------------------------------- */

static void
add_id(const struct feed *f, const struct incident *i, struct buf *out)
{
	char date[TIME_TEXT];

	(void)time_format_utc(i->opened_us, date);
	buf_add(out, STR("tag:"));
	buf_add(out, f->host);
	buf_addf(out, ",%.10s:incident/%llu", date,
	    (unsigned long long)i->id);
}

static void
add_link(const struct feed *f, const struct incident *i, struct buf *out)
{
	buf_add(out, buf_str(&f->base));
	buf_addf(out, "/history/%llu", (unsigned long long)i->id);
}

static void
add_inner(const struct feed *f, const struct told *t, struct buf *out)
{
	told_summary(out, f->h, &t->i);
	told_updates(out, f->h, t);
}

/* -- Atom -------------------------------------------------------------------------- */

static void
atom_time(struct buf *b, const char *name, int64_t us)
{
	char text[TIME_TEXT];

	buf_addf(b, "<%s>%s</%s>", name, time_format_utc(us, text), name);
}

static void
atom_link(const struct feed *f, const char *rel, const char *type,
    const char *path)
{
	buf_addf(f->b, "<link rel=\"%s\" type=\"%s\" href=\"", rel, type);
	text_html(f->b, buf_str(&f->base));
	buf_addf(f->b, "%s\"/>\n", path);
}

static void
atom_entry(const struct feed *f, const struct told *t)
{
	const struct incident *i = &t->i;
	char title[INCIDENT_TITLE_TEXT];
	BUF_AUTO(inner, INNER_MAX);
	BUF_AUTO(id, BASE_MAX);
	BUF_AUTO(link, BASE_MAX);

	add_id(f, i, &id);
	add_link(f, i, &link);
	add_inner(f, t, &inner);
	buf_adds(f->b, "<entry>\n<title>");
	text_html(f->b, str_of(incident_title(i, title)));
	buf_adds(f->b, "</title>\n<id>");
	text_html(f->b, buf_str(&id));
	buf_adds(f->b, "</id>\n");
	atom_time(f->b, "published", i->opened_us);
	atom_time(f->b, "updated", told_changed(t));
	buf_adds(f->b, "\n<link rel=\"alternate\" type=\"text/html\" href=\"");
	text_html(f->b, buf_str(&link));
	buf_addf(f->b, "\"/>\n<category term=\"%s\"/>\n<content type=\"html\">",
	    incident_state_names[i->state]);
	text_html(f->b, buf_str(&inner));
	buf_adds(f->b, "</content>\n</entry>\n");
}

static void
atom(const struct feed *f)
{
	struct buf *b = f->b;

	buf_adds(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns="
	    "\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n<title>");
	text_html(b, str_of(page_title(f->h)));
	buf_adds(b, "</title>\n<subtitle>Incidents</subtitle>\n<id>tag:");
	text_html(b, f->host);
	buf_adds(b, ",2026-01-01:incidents</id>\n");
	atom_time(b, "updated", f->changed_us);
	buf_adds(b, "\n<author><name>");
	text_html(b, str_of(page_title(f->h)));
	buf_adds(b, "</name></author>\n");
	atom_link(f, "self", "application/atom+xml", "/feed.atom");
	atom_link(f, "alternate", "text/html", "/history");
	buf_addf(b, "<generator version=\"%s\">vedette</generator>\n",
	    f->h->c.version);
	for (size_t i = 0; i < f->n; i++)
		atom_entry(f, &f->v[i]);
	buf_adds(b, "</feed>\n");
}

/* -- JSON Feed ---------------------------------------------------------------------- */

static void
json_item(const struct feed *f, const struct told *t)
{
	const struct incident *i = &t->i;
	char title[INCIDENT_TITLE_TEXT];
	BUF_AUTO(inner, INNER_MAX);
	BUF_AUTO(id, BASE_MAX);
	BUF_AUTO(link, BASE_MAX);

	add_id(f, i, &id);
	add_link(f, i, &link);
	add_inner(f, t, &inner);
	field_open(f->b, NULL, '{');
	field_str(f->b, "id", buf_str(&id));
	field_str(f->b, "url", buf_str(&link));
	field_text(f->b, "title", incident_title(i, title));
	field_str(f->b, "content_html", buf_str(&inner));
	field_time(f->b, "date_published", i->opened_us);
	field_time(f->b, "date_modified", told_changed(t));
	field_open(f->b, "tags", '[');
	field_text(f->b, NULL, incident_state_names[i->state]);
	field_text(f->b, NULL, told_class(i));
	field_next(f->b, ']');
	field_next(f->b, '}');
}

static void
json(const struct feed *f)
{
	struct buf *b = f->b;
	BUF_AUTO(url, BASE_MAX);

	buf_addc(b, '{');
	field_text(b, "version", "https://jsonfeed.org/version/1.1");
	field_text(b, "title", page_title(f->h));
	field_text(b, "description", "Incidents");
	buf_add(&url, buf_str(&f->base));
	buf_adds(&url, "/history");
	field_str(b, "home_page_url", buf_str(&url));
	buf_clear(&url);
	buf_add(&url, buf_str(&f->base));
	buf_adds(&url, "/feed.json");
	field_str(b, "feed_url", buf_str(&url));
	field_text(b, "language", "en");
	field_open(b, "authors", '[');
	field_open(b, NULL, '{');
	field_text(b, "name", page_title(f->h));
	field_next(b, '}');
	field_next(b, ']');
	field_open(b, "items", '[');
	for (size_t i = 0; i < f->n; i++)
		json_item(f, &f->v[i]);
	field_next(b, ']');
	field_close(b, '}');
	buf_addc(b, '\n');
}

/* -- routes --------------------------------------------------------------------------- */

static enum flow
feed(struct req *q, uint64_t key, const char *type,
    void (*write)(const struct feed *f))
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct feed f CLEANUP(clear) = {.h = q->h, .b = &b};
	struct errinfo ei = {0};
	enum err e;

	if (!pages_take(q->h->past, key, &q->out, &f.changed_us)) {
		e = collect(&f, q, &ei);
		if (e != ERR_OK)
			return req_fail(q, e, &ei);
		write(&f);
		answer_take(&q->out, 200, type, &b);
		pages_give(q->h->past, key, &q->out, f.changed_us);
	}
	told_answer(q, f.changed_us);
	return ANSWERED;
}

enum flow
feed_atom(struct req *q)
{
	return feed(q, KEY_ATOM, type_atom, atom);
}

enum flow
feed_json(struct req *q)
{
	return feed(q, KEY_JSON, type_json, json);
}

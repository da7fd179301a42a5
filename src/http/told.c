/* told.c: see told.h. */
#include "http/told.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/row.h"
#include "http/server.h"

static const char *const state_words[INCIDENT_STATE_NMAX] = {
	[INCIDENT_INVESTIGATING] = "Investigating",
	[INCIDENT_IDENTIFIED] = "Identified",
	[INCIDENT_MONITORING] = "Monitoring",
	[INCIDENT_RESOLVED] = "Resolved",
};

/* -- reading ------------------------------------------------------------------ */

void
told_free(struct told *t, size_t n)
{
	for (size_t i = 0; t != NULL && i < n; i++)
		incident_updates_free(t[i].v, t[i].n);
	xfree(t);
}

static enum err
updates(struct req *q, struct told *t, bool all, struct errinfo *ei)
{
	enum err e = query_incident_updates(q->reader, t->i.id, true, &t->v,
	    &t->n, ei);

	if (e != ERR_OK || all || t->n <= TOLD_UPDATES)
		return e;
	t->left = t->n - TOLD_UPDATES;
	for (size_t i = 0; i < t->left; i++)
		xfree(t->v[i].text);
	memmove(t->v, t->v + t->left, TOLD_UPDATES * sizeof(*t->v));
	t->n = TOLD_UPDATES;
	return ERR_OK;
}

enum err
told_read(struct req *q, const struct incident_query *iq, bool all,
    struct told **ret, size_t *ret_n, struct errinfo *ei)
{
	struct incident *v = NULL;
	struct told *t;
	size_t n = 0;
	enum err e = query_incidents(q->reader, iq, &v, &n, ei);

	if (e != ERR_OK)
		return e;
	t = xcalloc(n + 1, sizeof(*t));
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		t[i].i = v[i];
		e = updates(q, &t[i], all, ei);
	}
	xfree(v);
	if (e != ERR_OK) {
		told_free(t, n);
		return e;
	}
	*ret = t;
	*ret_n = n;
	return ERR_OK;
}

enum err
told_one(struct req *q, uint64_t id, struct told **ret, struct errinfo *ei)
{
	struct told *t = xcalloc(1, sizeof(*t));
	enum err e = query_incident(q->reader, id, &t->i, ei);

	if (e == ERR_OK)
		e = updates(q, t, true, ei);
	if (e != ERR_OK) {
		told_free(t, 1);
		return e;
	}
	*ret = t;
	return ERR_OK;
}

int64_t
told_changed(const struct told *t)
{
	int64_t us = MAX(t->i.changed_us, t->i.opened_us);

	us = MAX(us, t->i.closed_us);
	return t->n > 0 ? MAX(us, t->v[t->n - 1].at_us) : us;
}

/* -- as HTML --------------------------------------------------------------------- */

const char *
told_class(const struct incident *i)
{
	return i->monitor == 0 ? "notice" : status_name((enum status)i->worst);
}

const char *
told_word(uint8_t state)
{
	return state_words[state];
}

const char *
told_state(const struct incident *i)
{
	return state_words[i->state];
}

void
told_lines(struct buf *b, struct str text)
{
	struct str line;

	while (text.n > 0) {
		text = str_cut(text, '\n', &line);
		text_html(b, line);
		if (text.n > 0)
			buf_adds(b, "<br>");
	}
}

/* Its own words where they may be seen, else what kind of trouble it was. */
static void
reason(struct buf *b, struct http *h, const struct incident *i)
{
	struct view_row row;
	bool open;

	if (view_get(h->view, i->monitor, &row) != ERR_OK) {
		text_html(b, str_of(why_text((enum why)i->why)));
		return;
	}
	open = row_open(h, &row) && i->reason[0] != '\0';
	text_html(b, str_of(open ? i->reason : why_text((enum why)i->why)));
	view_row_release(&row);
}

static void
affected(struct buf *b, struct http *h, const struct incident *i)
{
	struct view_row row;
	bool any = i->monitor != 0 && i->title[0] != '\0';

	if (any)   /* else the title names it */
		text_html(b, str_of(i->name));
	for (uint32_t k = 0; i->monitor == 0 && k < i->nmonitors; k++) {
		if (view_get(h->view, i->monitors[k], &row) != ERR_OK)
			continue;   /* deleted since */
		buf_adds(b, any ? ", " : "Affected: ");
		text_html(b, str_of(row.conf->path));
		any = true;
		view_row_release(&row);
	}
	if (any)
		buf_adds(b, " · ");
}

void
told_summary(struct buf *b, struct http *h, const struct incident *i)
{
	const struct zone *z = view_zone(h->view);
	char human[TIME_TEXT];

	buf_adds(b, "<p>");
	affected(b, h, i);
	if (i->monitor != 0 && i->why != WHY_OK) {
		reason(b, h, i);
		buf_adds(b, " · ");
	}
	buf_adds(b, i->closed_us != 0 ? "from " : "since ");
	row_time(b, z, i->opened_us, 0);
	if (i->closed_us != 0) {
		buf_adds(b, " to ");
		row_time(b, z, i->closed_us, 0);
		buf_addf(b, ", %s", time_format_human((i->closed_us -
		    i->opened_us) / US_PER_S * NS_PER_S, human));
	}
	buf_adds(b, "</p>");
	if (i->cause[0] != '\0') {
		buf_adds(b, "<p>Cause: ");
		told_lines(b, str_of(i->cause));
		buf_adds(b, "</p>");
	}
}

void
told_updates(struct buf *b, struct http *h, const struct told *t)
{
	if (t->n == 0)
		return;
	buf_adds(b, "<ul>");
	for (size_t k = t->n; k > 0; k--) {
		const struct incident_update *u = &t->v[k - 1];

		buf_addf(b, "<li><b>%s</b> ", state_words[u->state]);
		told_lines(b, str_of(u->text));
		buf_adds(b, " <small>");
		row_time(b, view_zone(h->view), u->at_us, 0);
		buf_adds(b, "</small></li>");
	}
	buf_adds(b, "</ul>");
}

/* -- conditionally --------------------------------------------------------------- */

static void
tag_of(const struct answer *a, char dst[40])
{
	unsigned char hash[EVP_MAX_MD_SIZE] = {0};
	char hex[33];

	(void)EVP_Digest(a->body, a->body_n, hash, NULL, EVP_sha256(), NULL);
	text_hex(hex, sizeof(hex), hash, 16);
	(void)snprintf(dst, 40, "\"%s\"", hex);
}

void
told_answer(struct req *q, int64_t changed_us)
{
	char tag[40], when[TIME_TEXT] = "";
	bool known;

	if (q->out.status != 200)
		return;
	tag_of(&q->out, tag);
	if (changed_us != 0)
		(void)time_format_http(changed_us, when);
	/* The tag is the better witness: the time is looked at without one. */
	known = q->if_none[0] != '\0' ? strstr(q->if_none, tag) != NULL :
	    when[0] != '\0' && strcmp(q->if_since, when) == 0;
	if (known) {
		BUF_AUTO(none, 1);

		answer_take(&q->out, 304, NULL, &none);
	}
	answer_header(&q->out, "ETag", tag);
	if (when[0] != '\0')
		answer_header(&q->out, "Last-Modified", when);
	q->out.cache = "public, max-age=30";
}

/* page.c: see page.h. Every word that somebody configured or that came over
 * the network goes through text_html. */
#include "http/page.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/field.h"
#include "http/incident_page.h"
#include "http/items.h"
#include "http/maintenance.h"
#include "http/pages.h"
#include "http/row.h"
#include "http/server.h"
#include "http/statics.h"
#include "world/world.h"

struct page {              /* what one rendering needs */
	struct buf *b;
	struct http *h;
	struct items items;
	size_t from, to;       /* of items, shown in full */
	uint64_t number;       /* 1-based */
	uint64_t pages;
	uint32_t n[STATUS_NMAX];
	uint32_t total;        /* monitors, groups not counted */
	int64_t now_us;
};

void
page_live_fields(struct buf *b, struct http *h, uint32_t monitor)
{
	struct view_row row;

	if (view_get(h->view, monitor, &row) != ERR_OK)
		return;
	field_u64(b, "monitor", monitor);
	field_text(b, "status", status_name((enum status)row.status));
	view_row_release(&row);
}

const char *
page_title(const struct http *h)
{
	const char *t = h->c.settings->status_page.title;

	return t != NULL && t[0] != '\0' ? t : "Status";
}

/* -- the verdict -------------------------------------------------------- */

static enum status
page_worst(const struct page *p)
{
	/* Pending is nobody's trouble; the headline's words allow for it. */
	static const enum status order[] = {STATUS_DOWN, STATUS_UNKNOWN,
	    STATUS_LATE, STATUS_DEGRADED};

	for (size_t i = 0; i < COUNT(order); i++)
		if (p->n[order[i]] > 0)
			return order[i];
	return p->n[STATUS_UP] > 0 ? STATUS_UP : p->n[STATUS_PENDING] > 0 ?
	    STATUS_PENDING : p->n[STATUS_PAUSED] > 0 ? STATUS_PAUSED :
	    STATUS_PENDING;
}

static void
page_headline(char *dst, size_t size, const struct page *p)
{
	enum status w = page_worst(p);
	uint32_t n = p->n[w];

	if (p->total == 0)
		snprintf(dst, size, "Nothing is watched yet");
	else if (w == STATUS_UP && p->n[STATUS_PENDING] > 0)
		snprintf(dst, size, "All that is judged so far is up");
	else if (w == STATUS_UP)
		snprintf(dst, size, "All systems are up");
	else if (w == STATUS_PENDING)
		snprintf(dst, size, "First checks are under way");
	else if (w == STATUS_PAUSED)
		snprintf(dst, size, "Everything is paused");
	else
		snprintf(dst, size, "%u of %u %s %s", n, p->total,
		    n == 1 ? "monitors is" : "monitors are",
		    w == STATUS_DOWN ? "down" : w == STATUS_UNKNOWN ?
		    "unknown" : w == STATUS_LATE ? "late" : "degraded");
}

static void
page_verdict(const struct page *p)
{
	struct buf *b = p->b;
	enum status w = page_worst(p);
	char line[96];

	page_headline(line, sizeof(line), p);
	buf_addf(b, "<section class=\"verdict s-%s\" id=\"verdict\" role=\""
	    "status\">", status_name(w));
	row_icon(b, w);
	buf_addf(b, "<div><p class=\"headline\">%s</p><ul class=\"counts\">",
	    line);
	for (int i = 0; i < STATUS_NMAX; i++) {
		/* Up first, then from worst to best. */
		enum status s = i == 0 ? STATUS_UP : i <= STATUS_UP ?
		    (enum status)(i - 1) : STATUS_PAUSED;

		if (p->n[s] == 0)
			continue;
		buf_addf(b, "<li class=\"s-%s\">", status_name(s));
		row_icon(b, s);
		buf_addf(b, "<b>%u</b> %s</li>", p->n[s], status_name(s));
	}
	buf_adds(b, "</ul></div></section>\n");
}

static void
page_warnings(const struct page *p)
{
	struct errinfo ei = {0};
	int64_t updated = view_updated_us(p->h->view);
	bool sick = store_ready(p->h->c.store, &ei) != ERR_OK;

	if (!sick && p->now_us - updated < PAGE_STALE_US)
		return;
	buf_adds(p->b, "<section class=\"warn\" role=\"alert\"><b>This page "
	    "may be out of date.</b> ");
	buf_adds(p->b, sick ? "Results cannot be stored at the moment; " :
	    "Nothing was stored for a while; ");
	if (updated > 0) {
		buf_adds(p->b, "what is shown is from ");
		row_time(p->b, view_zone(p->h->view), updated, p->now_us);
		buf_adds(p->b, ".</section>\n");
	} else {
		buf_adds(p->b, "nothing was stored since the start.</section>"
		    "\n");
	}
}

/* -- groups and rows ---------------------------------------------------- */

static void
page_row(const struct page *p, uint32_t id)
{
	struct view_row row;

	if (view_get(p->h->view, id, &row) != ERR_OK)
		return;   /* deleted meanwhile */
	row_html(p->b, p->h, &row, p->now_us);
	view_row_release(&row);
}

static size_t
page_group_end(const struct page *p, size_t at)
{
	size_t end = at + 1;

	while (end < p->items.n && !p->items.v[end].is_group &&
	    p->items.v[end].group == p->items.v[at].id)
		end++;
	return end;
}

static void
page_group_head(const struct page *p, const struct item *g, bool continued)
{
	struct buf *b = p->b;

	buf_addf(b, "<section class=\"card s-%s\" data-group=\"%u\"><header "
	    "class=\"group\"><h2>", status_name((enum status)g->status),
	    g->id);
	row_icon(b, (enum status)g->status);
	text_html(b, str_of(g->path));
	buf_adds(b, continued ? " <small>(continued)</small>" : "");
	buf_addf(b, "</h2><span class=\"word\">%s</span></header><ul class=\""
	    "list\">\n", row_word((enum status)g->status));
}

/* The group a member belongs to, when the page begins in its middle. */
static const struct item *
page_group_of(const struct page *p, size_t at)
{
	for (size_t i = at; i > 0; i--)
		if (p->items.v[i - 1].id == p->items.v[at].group)
			return &p->items.v[i - 1];
	return NULL;
}

static void
page_list(const struct page *p)
{
	bool open = false;

	for (size_t i = p->from; i < p->to; i++) {
		const struct item *it = &p->items.v[i];
		const struct item *head = it->is_group ? it :
		    i == p->from && it->group != 0 ? page_group_of(p, i) :
		    NULL;

		if (head != NULL || !open) {
			if (open)
				buf_adds(p->b, "</ul></section>\n");
			open = true;
			if (head != NULL)
				page_group_head(p, head, head != it);
			else
				buf_adds(p->b, "<section class=\"card\"><ul "
				    "class=\"list\">\n");
		}
		if (!it->is_group)
			page_row(p, it->id);
		else if (page_group_end(p, i) == i + 1)
			buf_adds(p->b, "<li class=\"empty\">This group has "
			    "no members.</li>\n");
	}
	if (open)
		buf_adds(p->b, "</ul></section>\n");
}

/* -- more than fits on one page ----------------------------------------- */

static void
page_attention(const struct page *p)
{
	unsigned shown = 0;

	for (size_t i = 0; i < p->items.n && shown < PAGE_ATTENTION; i++) {
		const struct item *it = &p->items.v[i];

		if (it->is_group || it->status >= STATUS_PENDING)
			continue;
		if (shown++ == 0)
			buf_adds(p->b, "<section class=\"card\"><header "
			    "class=\"group\"><h2>Needs attention</h2></header>"
			    "<ul class=\"list\">\n");
		page_row(p, it->id);
	}
	if (shown > 0)
		buf_adds(p->b, "</ul></section>\n");
}

static void
page_summary(const struct page *p)
{
	bool any = false;

	for (size_t i = 0; i < p->items.n; i++) {
		const struct item *g = &p->items.v[i];
		size_t end, up = 0;

		if (!g->is_group)
			continue;
		end = page_group_end(p, i);
		for (size_t k = i + 1; k < end; k++)
			up += p->items.v[k].status == STATUS_UP;
		if (!any)
			buf_adds(p->b, "<nav class=\"groups\" aria-label=\""
			    "Groups\"><ul>");
		any = true;
		buf_addf(p->b, "<li class=\"s-%s\"><a href=\"/?page=%zu\">",
		    status_name((enum status)g->status), i / PAGE_ITEMS + 1);
		row_icon(p->b, (enum status)g->status);
		buf_adds(p->b, "<span>");
		text_html(p->b, str_of(g->path));
		buf_addf(p->b, "</span><b>%zu/%zu up</b></a></li>", up,
		    end - i - 1);
	}
	if (any)
		buf_adds(p->b, "</ul></nav>\n");
}

static void
page_turns(const struct page *p)
{
	buf_adds(p->b, "<nav class=\"turns\" aria-label=\"Pages\">");
	if (p->number > 1)
		buf_addf(p->b, "<a rel=\"prev\" href=\"/?page=%llu\">← "
		    "Previous</a>", (unsigned long long)p->number - 1);
	buf_addf(p->b, "<span>Page %llu of %llu</span>",
	    (unsigned long long)p->number, (unsigned long long)p->pages);
	if (p->number < p->pages)
		buf_addf(p->b, "<a rel=\"next\" href=\"/?page=%llu\">Next →"
		    "</a>", (unsigned long long)p->number + 1);
	buf_adds(p->b, "</nav>\n");
}

/* -- the document ------------------------------------------------------- */

void
page_open(struct buf *b, struct http *h, const char *state, bool live)
{
	buf_adds(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\""
	    "width=device-width, initial-scale=1\">\n<meta name=\""
	    "color-scheme\" content=\"light dark\">\n<title>");
	text_html(b, str_of(state));
	buf_adds(b, state[0] != '\0' ? " · " : "");
	text_html(b, str_of(page_title(h)));
	buf_adds(b, "</title>\n");
	buf_addf(b, "<link rel=\"stylesheet\" href=\"/static/style.css?v=%s"
	    "\">\n", statics_version("style.css"));
	buf_addf(b, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"/static/"
	    "icon.svg?v=%s\">\n", statics_version("icon.svg"));
	buf_adds(b, "<link rel=\"alternate\" type=\"application/atom+xml\" "
	    "title=\"Incidents\" href=\"/feed.atom\">\n<link rel=\""
	    "alternate\" type=\"application/feed+json\" title=\"Incidents\" "
	    "href=\"/feed.json\">\n");
	if (live)
		buf_addf(b, "<script defer src=\"/static/page.js?v=%s\">"
		    "</script>\n", statics_version("page.js"));
	buf_adds(b, "</head>\n<body>\n");
	row_symbols(b);
	buf_adds(b, "<header class=\"top\"><h1><a href=\"/\">");
	text_html(b, str_of(page_title(h)));
	buf_adds(b, "</a></h1>");
}

void
page_close(struct buf *b, bool bars)
{
	buf_adds(b, "<footer><p>");
	if (bars)
		buf_adds(b, "Uptime is weighted by time over the last 90 "
		    "days; up, degraded and late count as up; maintenance "
		    "and time that is not known are left out. ");
	buf_adds(b, "<a href=\"/\">Status</a> · <a href=\"/history\">History"
	    "</a> · <a href=\"/feed.atom\">Atom</a> · <a href=\"/feed.json\">"
	    "JSON Feed</a> · <a href=\"/status.json\">JSON</a> · Watched by "
	    "vedette</p></footer>\n</body>\n</html>\n");
}

static enum flow
page_failed(struct req *q, enum err e)
{
	BUF_AUTO(b, PAGE_MAX);

	page_open(&b, q->h, "Error", true);
	buf_addf(&b, "</header>\n<main id=\"page\"><section class=\"warn\" "
	    "role=\"alert\"><b>The status cannot be shown.</b> Reading it "
	    "failed (%s). This says nothing about what is watched; try again "
	    "in a moment.</section></main>\n", err_name(e));
	page_close(&b, false);
	answer_take(&q->out, 503, answer_html, &b);
	answer_header(&q->out, "Retry-After", "5");
	return ANSWERED;
}

static void
page_write(const struct page *p)
{
	struct buf *b = p->b;
	int64_t updated = view_updated_us(p->h->view);
	char line[96];

	page_headline(line, sizeof(line), p);
	page_open(b, p->h, line, true);
	buf_adds(b, "<p class=\"updated\" id=\"updated\">Updated ");
	if (updated > 0)
		row_time(b, view_zone(p->h->view), updated, p->now_us);
	else
		buf_adds(b, "never");
	buf_adds(b, "</p></header>\n<main id=\"page\">\n");
	page_warnings(p);
	page_verdict(p);
	incident_page_html(b, p->h, p->now_us);
	maintenance_html(b, p->h->view, p->now_us);
	if (p->pages > 1) {
		page_summary(p);
		if (p->number == 1)
			page_attention(p);
	}
	page_list(p);
	if (p->pages > 1)
		page_turns(p);
	if (p->items.n == 0)
		buf_adds(b, "<p class=\"hint\">Add monitors to the "
		    "configuration file and apply it.</p>\n");
	buf_adds(b, "</main>\n");
	page_close(b, true);
}

static uint64_t
page_number(const struct req *q)
{
	uint64_t n = 1;

	if (!str_u64(req_arg(q, "page"), MONITORS_MAX, &n) || n == 0)
		return 1;
	return n;
}

static enum flow
page_render(struct req *q)
{
	BUF_AUTO(b, PAGE_MAX);
	struct page p = {.b = &b, .h = q->h, .now_us = clock_wall_us(),
	    .number = page_number(q)};
	enum err e = items_read(q->h->view, &p.items);

	if (e != ERR_OK)
		return page_failed(q, e);
	view_counts(q->h->view, p.n);
	for (int i = 0; i < STATUS_NMAX; i++)
		p.total += p.n[i];
	p.pages = MAX((p.items.n + PAGE_ITEMS - 1) / PAGE_ITEMS, (size_t)1);
	if (p.number > p.pages)
		p.number = p.pages;
	p.from = (size_t)(p.number - 1) * PAGE_ITEMS;
	p.to = MIN(p.from + PAGE_ITEMS, p.items.n);
	page_write(&p);
	items_free(&p.items);
	answer_take(&q->out, 200, answer_html, &b);
	return ANSWERED;
}

enum flow
page_show(struct req *q)
{
	return pages_answer(q, map_hash_u64(page_number(q)) & ~UINT64_C(1),
	    page_render);
}

/* past.c: see past.h. */
#include "http/past.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "http/page.h"
#include "http/pages.h"
#include "http/row.h"
#include "http/server.h"
#include "http/told.h"
#include "world/world.h"

static const char *const month_names[12] = {"January", "February", "March",
	"April", "May", "June", "July", "August", "September", "October",
	"November", "December"};

struct past {
	struct req *q;
	struct buf *b;
	const struct zone *z;
	int64_t year;              /* of the month that is shown */
	unsigned month;
	int64_t from_us, to_us;    /* it */
	bool now;                  /* it is the current one */
	uint64_t before;           /* of its incidents, page on from here */
	struct told *v;            /* owned */
	size_t n;
	bool more;                 /* there are older ones in this month */
	struct maintenance_runs runs;   /* owned */
	int64_t earlier_us;        /* the last that began before it; 0: none */
};

static void
clear(struct past *p)
{
	told_free(p->v, p->n);
	xfree(p->runs.v);
}

/* -- which month ---------------------------------------------------------------- */

static int64_t
month_start(const struct zone *z, int64_t year, unsigned month)
{
	return zone_day_start(z, (int32_t)time_days((struct date){
	    year + (month > 12), month > 12 ? 1 : month, 1}));
}

static void
set_month(struct past *p, int64_t year, unsigned month)
{
	p->year = year;
	p->month = month;
	p->from_us = month_start(p->z, year, month);
	p->to_us = month_start(p->z, year, month + 1);
}

/* "2026-11"; none: the current one. */
static bool
read_month(struct past *p)
{
	struct str text = req_arg(p->q, "month"), year;
	struct date now = zone_local(p->z, clock_wall_us()).date;
	uint64_t y, m;

	set_month(p, now.year, now.month);
	if (text.p == NULL) {
		p->now = true;
		return true;
	}
	text = str_cut(text, '-', &year);
	if (year.n != 4 || text.n != 2 || !str_u64(year, 9999, &y) ||
	    !str_u64(text, 12, &m) || y < 1970 || m == 0) {
		answer_problem(&p->q->out, 400, "month", "month is not a year "
		    "and a month as in 2026-11, from 1970-01 on");
		return false;
	}
	p->now = (int64_t)y == now.year && (unsigned)m == now.month;
	set_month(p, (int64_t)y, (unsigned)m);
	return true;
}

static bool
read_before(struct past *p)
{
	if (req_arg(p->q, "before").p == NULL || (req_arg_u64(p->q, "before",
	    INT64_MAX, &p->before) && p->before > 0))
		return true;
	answer_problem(&p->q->out, 400, "before",
	    "before is not the number of an incident");
	return false;
}

/* -- what there is ------------------------------------------------------------------ */

static enum err
collect(struct past *p, struct errinfo *ei)
{
	struct incident_query iq = {.from_us = p->from_us, .to_us = p->to_us,
	    .before_id = p->before, .limit = PAST_ITEMS + 1};
	const struct incident_query last = {.to_us = p->from_us, .limit = 1};
	struct told *t = NULL;
	size_t n = 0;
	enum err e = told_read(p->q, &iq, false, &p->v, &p->n, ei);

	if (e == ERR_OK && p->before == 0)
		e = query_maintenance(p->q->reader, p->from_us, p->to_us,
		    PAST_RUNS, &p->runs, ei);
	if (e == ERR_OK)
		e = query_maintenance_before(p->q->reader, p->from_us,
		    &p->earlier_us, ei);
	if (e == ERR_OK)
		e = told_read(p->q, &last, false, &t, &n, ei);
	if (n > 0)
		p->earlier_us = MAX(p->earlier_us, t[0].i.opened_us);
	told_free(t, n);
	p->more = p->n > PAST_ITEMS;
	return e;
}

/* -- as HTML -------------------------------------------------------------------------- */

static void
incident(struct buf *b, struct http *h, const struct told *t, bool alone)
{
	const struct incident *i = &t->i;
	char title[INCIDENT_TITLE_TEXT];

	buf_addf(b, "<li class=\"card past s-%s\" id=\"i%llu\"><h3>",
	    told_class(i), (unsigned long long)i->id);
	if (i->monitor != 0)
		row_icon(b, (enum status)i->worst);
	if (!alone)
		buf_addf(b, "<a href=\"/history/%llu\">",
		    (unsigned long long)i->id);
	text_html(b, str_of(incident_title(i, title)));
	buf_addf(b, "%s <span class=\"word\">%s</span></h3>",
	    alone ? "" : "</a>", told_state(i));
	told_summary(b, h, i);
	told_updates(b, h, t);
	if (t->left > 0)
		buf_addf(b, "<p><a href=\"/history/%llu\">%zu earlier "
		    "updates</a></p>", (unsigned long long)i->id, t->left);
	buf_adds(b, "</li>\n");
}

static void
incidents(const struct past *p)
{
	size_t n = MIN(p->n, (size_t)PAST_ITEMS);

	buf_adds(p->b, "<h2>Incidents</h2>\n");
	if (n == 0) {
		buf_addf(p->b, "<p class=\"hint\">No %sincidents in %s "
		    "%lld.</p>\n", p->before != 0 ? "other " : "",
		    month_names[p->month - 1], (long long)p->year);
		return;
	}
	buf_adds(p->b, "<ol class=\"list\">\n");
	for (size_t i = 0; i < n; i++)
		incident(p->b, p->q->h, &p->v[i], false);
	buf_adds(p->b, "</ol>\n");
	if (p->more)
		buf_addf(p->b, "<nav class=\"turns\"><a rel=\"next\" href=\""
		    "/history?month=%04lld-%02u&amp;before=%llu\">Earlier in "
		    "%s →</a></nav>\n", (long long)p->year, p->month,
		    (unsigned long long)p->v[n - 1].i.id,
		    month_names[p->month - 1]);
}

static void
run(const struct past *p, const struct maintenance_run *r)
{
	char human[TIME_TEXT];

	buf_adds(p->b, "<li><b>");
	text_html(p->b, str_of(r->name));
	buf_adds(p->b, "</b> ");
	row_time(p->b, p->z, r->from_us, 0);
	if (r->to_us == INT64_MAX) {
		buf_adds(p->b, ", until it is ended</li>\n");
		return;
	}
	buf_adds(p->b, " to ");
	row_time(p->b, p->z, r->to_us, 0);
	buf_addf(p->b, " <small>%s</small></li>\n", time_format_human(
	    (r->to_us - r->from_us) / US_PER_S * NS_PER_S, human));
}

static void
maintenance(const struct past *p)
{
	if (p->runs.n == 0)
		return;
	buf_adds(p->b, "<section class=\"card maint\"><h2>Maintenance</h2>"
	    "<ul>\n");
	for (size_t i = 0; i < p->runs.n; i++)
		run(p, &p->runs.v[i]);
	if (p->runs.more)
		buf_adds(p->b, "<li>and earlier ones</li>\n");
	buf_adds(p->b, "</ul></section>\n");
}

static void
turn(struct buf *b, const char *rel, int64_t year, unsigned month)
{
	bool back = strcmp(rel, "prev") == 0;

	buf_addf(b, "<a rel=\"%s\" href=\"/history?month=%04lld-%02u\">%s%s "
	    "%lld%s</a>", rel, (long long)year, month, back ? "← " : "",
	    month_names[month - 1], (long long)year, back ? "" : " →");
}

/* Back to the month of what came before, on by one. */
static void
turns(const struct past *p)
{
	struct date d = zone_local(p->z, p->earlier_us).date;

	buf_adds(p->b, "<nav class=\"turns\" aria-label=\"Months\">");
	if (p->earlier_us != 0)
		turn(p->b, "prev", d.year, d.month);
	buf_addf(p->b, "<span>%s %lld</span>", month_names[p->month - 1],
	    (long long)p->year);
	if (!p->now && p->to_us <= clock_wall_us())
		turn(p->b, "next", p->year + (p->month == 12),
		    p->month % 12 + 1);
	buf_adds(p->b, "</nav>\n");
}

static void
whole(const struct past *p)
{
	char state[64];

	(void)snprintf(state, sizeof(state), "History, %s %lld",
	    month_names[p->month - 1], (long long)p->year);
	page_open(p->b, p->q->h, state, false);
	buf_adds(p->b, "<p class=\"updated\">History</p></header>\n<main id=\""
	    "history\">\n");
	turns(p);
	incidents(p);
	maintenance(p);
	turns(p);
	buf_adds(p->b, "</main>\n");
	page_close(p->b, false);
}

/* -- routes --------------------------------------------------------------------------- */

static uint64_t
key_of(const struct past *p)
{
	return map_hash_u64((uint64_t)p->from_us) ^ map_hash_u64(p->before);
}

enum flow
past_month(struct req *q)
{
	BUF_AUTO(b, PAGE_MAX);
	struct past p CLEANUP(clear) = {.q = q, .b = &b,
	    .z = view_zone(q->h->view)};
	struct errinfo ei = {0};
	int64_t stamp;
	enum err e;

	if (!read_month(&p) || !read_before(&p))
		return ANSWERED;
	if (!pages_take(q->h->past, key_of(&p), &q->out, &stamp)) {
		e = collect(&p, &ei);
		if (e != ERR_OK)
			return req_fail(q, e, &ei);
		whole(&p);
		answer_take(&q->out, 200, answer_html, &b);
		pages_give(q->h->past, key_of(&p), &q->out, 0);
	}
	told_answer(q, 0);
	return ANSWERED;
}

enum flow
past_one(struct req *q)
{
	BUF_AUTO(b, PAGE_MAX);
	char title[INCIDENT_TITLE_TEXT];
	struct errinfo ei = {0};
	struct told *t = NULL;
	struct date d;
	enum err e = told_one(q, q->id, &t, &ei);

	if (e == ERR_NOT_FOUND)
		return req_bad(q, 404, NULL, "there is no such incident");
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	d = zone_local(view_zone(q->h->view), t->i.opened_us).date;
	page_open(&b, q->h, incident_title(&t->i, title), false);
	buf_adds(&b, "<p class=\"updated\">History</p></header>\n<main id=\""
	    "history\">\n<nav class=\"turns\">");
	turn(&b, "up", d.year, d.month);
	buf_adds(&b, "</nav>\n<ol class=\"list\">\n");
	incident(&b, q->h, t, true);
	buf_adds(&b, "</ol>\n</main>\n");
	page_close(&b, false);
	told_free(t, 1);
	answer_take(&q->out, 200, answer_html, &b);
	told_answer(q, 0);
	return ANSWERED;
}

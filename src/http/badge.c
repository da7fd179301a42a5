/* badge.c: see badge.h. */
#include "http/badge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/items.h"
#include "http/maintenance.h"
#include "http/server.h"
#include "http/show.h"
#include "world/world.h"

#define BADGE_MAX  8192
#define LABEL_MAX  120   /* bytes of the name that are shown */
#define CHAR_W     7     /* of a character on average, and rather more */
#define PAD        10
#define HEIGHT     20

static const char svg[] = "image/svg+xml; charset=utf-8";

static const char *const colours[STATUS_NMAX] = {
	[STATUS_DOWN] = "#c81e1e", [STATUS_UNKNOWN] = "#6d28d9",
	[STATUS_LATE] = "#a16207", [STATUS_DEGRADED] = "#b45309",
	[STATUS_PENDING] = "#64748b", [STATUS_UP] = "#15803d",
	[STATUS_PAUSED] = "#64748b",
};

/* Characters, not bytes. */
static unsigned
columns(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
side(struct buf *b, unsigned x, unsigned w, const char *text)
{
	buf_addf(b, "<text x=\"%u\" y=\"14\" textLength=\"%u\" lengthAdjust=\""
	    "spacingAndGlyphs\">", x + PAD / 2, w - PAD);
	text_html(b, str_of(text));
	buf_adds(b, "</text>");
}

static enum flow
draw(struct req *q, const char *name, const char *value, const char *colour)
{
	char label[LABEL_MAX + 1];
	unsigned l, v;
	BUF_AUTO(b, BADGE_MAX);

	(void)text_copy(label, sizeof(label), str_of(name));
	l = columns(label) * CHAR_W + PAD;
	v = columns(value) * CHAR_W + PAD;
	buf_addf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
	    "height=\"%d\" viewBox=\"0 0 %u %d\" role=\"img\" aria-label=\"",
	    l + v, HEIGHT, l + v, HEIGHT);
	text_html(&b, str_of(label));
	buf_adds(&b, ": ");
	text_html(&b, str_of(value));
	buf_addf(&b, "\"><rect width=\"%u\" height=\"%d\" rx=\"3\" fill=\""
	    "#3f4753\"/><path d=\"M%u 0h%ua3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-%u"
	    "z\" fill=\"%s\"/><g fill=\"#fff\" font-family=\"Verdana,Geneva,"
	    "DejaVu Sans,sans-serif\" font-size=\"11\">", l + v, HEIGHT, l,
	    v - 3, v - 3, colour);
	side(&b, 0, l, label);
	side(&b, l, v, value);
	buf_adds(&b, "</g></svg>\n");
	answer_take(&q->out, 200, svg, &b);
	q->out.cache = "public, max-age=30";
	return ANSWERED;
}

/* -- which monitor ----------------------------------------------------------- */

/* The only one whose path ends in "/NAME"; 0: none, or several. */
static uint32_t
by_name(struct view *v, struct str name)
{
	struct items all = {0};
	uint32_t id = 0;
	unsigned n = 0;

	if (items_read(v, &all) != ERR_OK)
		return 0;
	for (size_t i = 0; i < all.n; i++) {
		const char *slash = strchr(all.v[i].path, '/');

		if (slash == NULL || !str_is(name, slash + 1))
			continue;
		id = all.v[i].id;
		n++;
	}
	items_free(&all);
	return n == 1 ? id : 0;
}

/* Released by the caller. Archived ones are nobody's. */
static bool
found(struct req *q, bool by_id, struct view_row *ret)
{
	struct view *v = q->h->view;
	uint32_t id = by_id ? q->id : 0;
	enum err e = ERR_NOT_FOUND;

	if (!by_id)
		e = view_find(v, q->seg, ret);
	if (e != ERR_OK && !by_id)
		id = by_name(v, q->seg);
	if (e != ERR_OK && id != 0)
		e = view_get(v, id, ret);
	if (e == ERR_OK && ret->conf->archived) {
		view_row_release(ret);
		e = ERR_NOT_FOUND;
	}
	if (e != ERR_OK)
		answer_problem(&q->out, 404, NULL,
		    "there is no monitor of that name or path, or more than "
		    "one of that name");
	return e == ERR_OK;
}

static const char *
name_of(const struct view_row *r)
{
	const char *slash = strchr(r->conf->path, '/');

	return slash != NULL ? slash + 1 : r->conf->path;
}

/* -- the three ----------------------------------------------------------------- */

static enum flow
status(struct req *q, bool by_id)
{
	struct maintenance m;
	struct view_row r;
	char value[40];
	enum flow f;

	if (!found(q, by_id, &r))
		return ANSWERED;
	(void)snprintf(value, sizeof(value), "%s%s",
	    status_name((enum status)r.status), maintenance_over(q->h->view,
	    &r, clock_wall_us(), &m) ? ", maintenance" : "");
	f = draw(q, name_of(&r), value, colours[r.status]);
	view_row_release(&r);
	return f;
}

static bool
window_days(struct req *q, int *ret)
{
	struct str v = req_arg(q, "window");
	int64_t ns;

	*ret = VIEW_DAYS;
	if (v.p == NULL)
		return true;
	if (time_parse_duration(v, &ns) && ns >= DAY_NS &&
	    ns <= VIEW_DAYS * DAY_NS) {
		*ret = (int)((ns + DAY_NS - 1) / DAY_NS);
		return true;
	}
	answer_problem(&q->out, 400, "window",
	    "window is not a duration from 1d to %dd", VIEW_DAYS);
	return false;
}

static enum flow
uptime(struct req *q, bool by_id)
{
	struct day_time d[VIEW_DAYS];
	double ratio;
	struct view_row r;
	char value[32];
	enum flow f;
	int days;

	if (!window_days(q, &days) || !found(q, by_id, &r))
		return ANSWERED;
	if (view_days(q->h->view, r.conf->id, clock_wall_us(), d) != ERR_OK)
		memset(d, 0, sizeof(d));
	ratio = show_ratio(d + VIEW_DAYS - days, days) * 100;
	if (isnan(ratio))
		(void)snprintf(value, sizeof(value), "not known");
	else if (ratio >= 100)
		(void)snprintf(value, sizeof(value), "100%% %dd", days);
	else   /* never rounded up to a perfect record */
		(void)snprintf(value, sizeof(value), "%.2f%% %dd",
		    floor(ratio * 100) / 100, days);
	f = draw(q, name_of(&r), value, colours[isnan(ratio) ?
	    STATUS_PENDING : ratio >= 99.9 ? STATUS_UP : ratio >= 99 ?
	    STATUS_DEGRADED : STATUS_DOWN]);
	view_row_release(&r);
	return f;
}

static enum flow
response(struct req *q, bool by_id)
{
	struct view_row r;
	char value[TIME_TEXT];
	enum flow f;

	if (!found(q, by_id, &r))
		return ANSWERED;
	if (r.latency_us >= 0)
		(void)time_format_human(r.latency_us * NS_PER_US, value);
	else
		(void)snprintf(value, sizeof(value), "not known");
	f = draw(q, name_of(&r), value, r.latency_us >= 0 ? "#1d4ed8" :
	    colours[STATUS_PENDING]);
	view_row_release(&r);
	return f;
}

enum flow
badge_status(struct req *q)
{
	return status(q, false);
}

enum flow
badge_uptime(struct req *q)
{
	return uptime(q, false);
}

enum flow
badge_response(struct req *q)
{
	return response(q, false);
}

enum flow
badge_status_id(struct req *q)
{
	return status(q, true);
}

enum flow
badge_uptime_id(struct req *q)
{
	return uptime(q, true);
}

enum flow
badge_response_id(struct req *q)
{
	return response(q, true);
}

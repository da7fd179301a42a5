/* row.c: see row.h. A bar chart is at most a few paths: a run of equal days is
 * one dashed line, so that a monitor costs hundreds of bytes and not many
 * thousands. Days with trouble are shapes of their own, with a title. */
#include "http/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "http/maintenance.h"
#include "http/server.h"
#include "http/show.h"

#define DAY_STEP   4     /* width of a day and its gap, in SVG units */
#define BAR_H      28
#define SPARK_STEP 4
#define SPARK_H    28
#define BAD_SHARE  0.05  /* of a day: above it the day is red */

static const struct { const char *word, *icon; } looks[STATUS_NMAX] = {
	[STATUS_DOWN] = {"Down", "down"},
	[STATUS_UNKNOWN] = {"Unknown", "unknown"},
	[STATUS_LATE] = {"Late", "late"},
	[STATUS_DEGRADED] = {"Degraded", "degraded"},
	[STATUS_PENDING] = {"Pending", "pending"},
	[STATUS_UP] = {"Up", "up"},
	[STATUS_PAUSED] = {"Paused", "paused"},
};

void
row_symbols(struct buf *b)
{
	/* A shape each, not a colour each. */
	static const char *const shapes[STATUS_NMAX] = {
		[STATUS_UP] = "<circle class=\"f\" cx=\"10\" cy=\"10\" "
		    "r=\"10\"/><path class=\"k\" d=\"M5.5 10.5l3 3 6-6.5\"/>",
		[STATUS_DOWN] = "<path class=\"f\" d=\"M6 0h8l6 6v8l-6 6H6l-6"
		    "-6V6z\"/><path class=\"k\" d=\"M6.5 6.5l7 7M13.5 6.5l-7 "
		    "7\"/>",
		[STATUS_DEGRADED] = "<path class=\"f\" d=\"M10 1l10 18H0z\"/>"
		    "<path class=\"k\" d=\"M10 7.5v5M10 15.5v.5\"/>",
		[STATUS_LATE] = "<circle class=\"f\" cx=\"10\" cy=\"10\" "
		    "r=\"10\"/><path class=\"k\" d=\"M10 4.5V10l3.5 2.5\"/>",
		[STATUS_UNKNOWN] = "<path class=\"f\" d=\"M10 0l10 10-10 10L0 "
		    "10z\"/><path class=\"k\" d=\"M7.5 8a2.5 2.5 0 1 1 2.5 "
		    "2.5V12M10 14.5v.3\"/>",
		[STATUS_PENDING] = "<circle class=\"o\" cx=\"10\" cy=\"10\" "
		    "r=\"8.5\"/>",
		[STATUS_PAUSED] = "<rect class=\"f\" width=\"20\" height=\"20"
		    "\" rx=\"5\"/><path class=\"k\" d=\"M7.5 6v8M12.5 6v8\"/>",
	};

	buf_adds(b, "<svg class=\"defs\" aria-hidden=\"true\" width=\"0\" "
	    "height=\"0\"><defs>");
	for (int i = 0; i < STATUS_NMAX; i++)
		buf_addf(b, "<symbol id=\"i-%s\" viewBox=\"0 0 20 20\">%s"
		    "</symbol>", looks[i].icon, shapes[i]);
	buf_adds(b, "</defs></svg>\n");
}

void
row_icon(struct buf *b, enum status s)
{
	buf_addf(b, "<svg class=\"icon\" aria-hidden=\"true\"><use "
	    "href=\"#i-%s\"/></svg>", looks[s].icon);
}

const char *
row_word(enum status s)
{
	return looks[s].word;
}

bool
row_open(const struct http *h, const struct view_row *r)
{
	return h->c.settings->status_page.targets && !r->conf->hide_target;
}

const char *
row_reason(struct http *h, const struct view_row *r)
{
	if (row_open(h, r))
		return show_reason(r);
	return r->why == WHY_OK ? "" : why_text((enum why)r->why);
}

bool
row_target(struct http *h, const struct view_row *r, struct buf *out)
{
	if (!row_open(h, r) || r->conf->kind->target == NULL)
		return false;
	r->conf->kind->target(r->conf->own, out);
	return out->n > 0 && buf_ok(out);
}

void
row_time(struct buf *b, const struct zone *z, int64_t us, int64_t now_us)
{
	char iso[TIME_TEXT], date[TIME_TEXT], human[TIME_TEXT];
	struct local l = zone_local(z, us);

	/* Machines read UTC, people what their clocks show. */
	buf_addf(b, "<time datetime=\"%s\">%s %02d:%02d %s</time>",
	    time_format_utc(us / US_PER_S * US_PER_S, iso),
	    zone_day_text((int32_t)time_days(l.date), date), l.second / 3600,
	    l.second / 60 % 60, l.abbr);
	if (now_us > us)
		buf_addf(b, " <span class=\"ago\">(%s)</span>",
		    time_format_human((now_us - us) / US_PER_S * NS_PER_S,
		    human));
}

/* -- ninety days -------------------------------------------------------- */

/* DAY_CARE: nothing is known but that it was maintenance. */
enum day { DAY_NONE, DAY_UP, DAY_CARE, DAY_SOME, DAY_BAD };

static enum day
row_day(const struct day_time *d)
{
	int64_t known = d->up_us + d->down_us;

	if (known == 0)
		return d->maintenance_us > 0 ? DAY_CARE : DAY_NONE;
	if (d->down_us == 0)
		return DAY_UP;
	return (double)d->down_us > BAD_SHARE * (double)known ? DAY_BAD :
	    DAY_SOME;
}

/* All runs of one kind as one path of dashes. */
static void
row_runs(struct buf *b, const struct day_time d[VIEW_DAYS], enum day kind,
    const char *class, const char *y)
{
	bool begun = false;

	for (int i = 0; i < VIEW_DAYS; i++) {
		int from = i;

		if (row_day(&d[i]) != kind)
			continue;
		while (i + 1 < VIEW_DAYS && row_day(&d[i + 1]) == kind)
			i++;
		if (!begun)
			buf_addf(b, "<path class=\"%s\" d=\"", class);
		begun = true;
		buf_addf(b, "M%d %sH%d", from * DAY_STEP, y,
		    i * DAY_STEP + DAY_STEP - 1);
	}
	if (begun)
		buf_adds(b, "\"/>");
}

/* A shape of its own, with what there is to tell. */
static void
row_special(struct buf *b, const struct day_time *d, int i, int32_t today)
{
	enum day kind = row_day(d);
	char date[TIME_TEXT], human[TIME_TEXT];

	buf_addf(b, "<rect class=\"%s\" x=\"%d\" width=\"%d\" height=\"%d\">"
	    "<title>%s: ", kind == DAY_BAD ? "bad" : kind == DAY_SOME ?
	    "some" : "care", i * DAY_STEP, DAY_STEP - 1, BAR_H,
	    zone_day_text(today - (VIEW_DAYS - 1 - i), date));
	if (d->down_us > 0)
		buf_addf(b, "down for %s%s", time_format_human(
		    d->down_us / US_PER_S * NS_PER_S, human),
		    d->maintenance_us > 0 ? ", " : "");
	if (d->maintenance_us > 0)
		buf_addf(b, "maintenance for %s", time_format_human(
		    d->maintenance_us / US_PER_S * NS_PER_S, human));
	buf_adds(b, "</title></rect>");
}

static void
row_bars(struct buf *b, const struct day_time d[VIEW_DAYS],
    const char *uptime, int32_t today)
{
	int bad = 0, care = 0;

	for (int i = 0; i < VIEW_DAYS; i++) {
		bad += row_day(&d[i]) >= DAY_SOME;
		care += row_day(&d[i]) == DAY_CARE;
	}
	buf_addf(b, "<svg class=\"bars\" role=\"img\" viewBox=\"0 0 %d %d\" "
	    "preserveAspectRatio=\"none\" aria-label=\"Last %d days: uptime "
	    "%s, %d %s with an outage", VIEW_DAYS * DAY_STEP - 1, BAR_H,
	    VIEW_DAYS, uptime, bad, bad == 1 ? "day" : "days");
	if (care > 0)
		buf_addf(b, ", %d of maintenance", care);
	buf_adds(b, "\">");
	row_runs(b, d, DAY_NONE, "none", "24");
	row_runs(b, d, DAY_UP, "good", "15");
	for (int i = 0; i < VIEW_DAYS; i++)
		if (row_day(&d[i]) >= DAY_CARE)
			row_special(b, &d[i], i, today);
	buf_adds(b, "</svg>");
}

/* -- sparkline ---------------------------------------------------------- */

/* Now is at the right edge, however few there are. */
static int
row_spark_x(const struct view_row *r, int i)
{
	return (VIEW_SPARK - r->nspark + i) * SPARK_STEP + 2;
}

static void
row_spark_path(struct buf *b, const struct view_row *r, int32_t max)
{
	bool pen = false;

	buf_adds(b, "<path class=\"line\" d=\"");
	for (int i = 0; i < r->nspark; i++) {
		int64_t v = r->spark_us[i];

		if (v < 0) {
			pen = false;
			continue;
		}
		buf_addf(b, "%c%d %.1f", pen ? 'L' : 'M', row_spark_x(r, i),
		    SPARK_H - 3 - (double)v * (SPARK_H - 6) / max);
		/* A lone sample is a dot: a line of no length, round caps. */
		if (!pen)
			buf_adds(b, "h.1");
		pen = true;
	}
	buf_adds(b, "\"/>");
	pen = false;
	for (int i = 0; i < r->nspark; i++) {
		if (r->spark_us[i] >= 0)
			continue;
		if (!pen)
			buf_adds(b, "<path class=\"gap\" d=\"");
		pen = true;
		buf_addf(b, "M%d %dv-5", row_spark_x(r, i), SPARK_H - 1);
	}
	if (pen)
		buf_adds(b, "\"/>");
}

static void
row_spark(struct buf *b, const struct view_row *r)
{
	int32_t max = 1, min = INT32_MAX;
	char low[TIME_TEXT], high[TIME_TEXT];

	for (int i = 0; i < r->nspark; i++) {
		if (r->spark_us[i] < 0)
			continue;
		max = MAX(max, r->spark_us[i]);
		min = MIN(min, r->spark_us[i]);
	}
	if (min == INT32_MAX) {
		buf_adds(b, "<span class=\"spark\"></span>");
		return;
	}
	buf_addf(b, "<svg class=\"spark\" role=\"img\" viewBox=\"0 0 %d %d\" "
	    "preserveAspectRatio=\"none\" aria-label=\"Latest response times, "
	    "%s to %s\">", VIEW_SPARK * SPARK_STEP, SPARK_H,
	    time_format_human(min * NS_PER_US, low),
	    time_format_human(max * NS_PER_US, high));
	row_spark_path(b, r, max);
	buf_adds(b, "</svg>");
}

/* -- the whole row ------------------------------------------------------ */

static void
row_uptime(const struct day_time d[VIEW_DAYS], char *dst, size_t size)
{
	double ratio = show_ratio(d, VIEW_DAYS) * 100;

	if (isnan(ratio)) {
		snprintf(dst, size, "—");
		return;
	}
	/* Never rounded up to a perfect record. */
	snprintf(dst, size, ratio >= 100 ? "100%%" : ratio >= 99 ? "%.3f%%" :
	    "%.2f%%", floor(ratio * 1000) / 1000);
}

static void
row_words(struct buf *b, struct http *h, const struct view_row *r,
    int64_t now_us)
{
	const char *reason = row_reason(h, r);
	BUF_AUTO(target, 4096);

	buf_adds(b, "<p class=\"why\">");
	if (reason[0] != '\0') {
		text_html(b, str_of(reason));
		buf_adds(b, " · ");
	}
	if (r->since_us > 0) {
		buf_adds(b, "since ");
		row_time(b, view_zone(h->view), r->since_us, now_us);
	} else {
		buf_adds(b, "not judged yet");
	}
	if (row_target(h, r, &target)) {
		buf_adds(b, " · <span class=\"target\">");
		text_html(b, buf_str(&target));
		buf_adds(b, "</span>");
	}
	buf_adds(b, "</p>");
}

void
row_html(struct buf *b, struct http *h, const struct view_row *r,
    int64_t now_us)
{
	const char *slash = strrchr(r->conf->path, '/');
	const char *name = slash != NULL ? slash + 1 : r->conf->path;
	enum status s = (enum status)r->status;
	struct day_time d[VIEW_DAYS];
	char uptime[32], human[TIME_TEXT];
	struct maintenance m;

	if (view_days(h->view, r->conf->id, now_us, d) != ERR_OK)
		memset(d, 0, sizeof(d));
	row_uptime(d, uptime, sizeof(uptime));
	/* Links in messages end with #m and the number. */
	buf_addf(b, "<li class=\"mon s-%s\" id=\"m%u\" data-id=\"%u\">"
	    "<div class=\"head\">", looks[s].icon, r->conf->id, r->conf->id);
	row_icon(b, s);
	buf_adds(b, "<h3 class=\"name\">");
	text_html(b, str_of(name));
	buf_addf(b, "</h3><span class=\"word\">%s</span>", looks[s].word);
	if (maintenance_over(h->view, r, now_us, &m))
		buf_adds(b, "<span class=\"over\">Maintenance</span>");
	buf_adds(b, "</div>");
	row_words(b, h, r, now_us);
	buf_adds(b, "<div class=\"days\">");
	row_bars(b, d, uptime, zone_day(view_zone(h->view), now_us));
	buf_addf(b, "<p class=\"scale\"><span>90 days</span><span class=\""
	    "uptime\">%s</span><span>today</span></p></div><div class=\"speed"
	    "\">", uptime);
	row_spark(b, r);
	buf_addf(b, "<p class=\"ms\">%s</p></div></li>\n",
	    r->latency_us >= 0 ? time_format_human(r->latency_us * NS_PER_US,
	    human) : "");
}

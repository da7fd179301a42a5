/* incident_page.c: see incident_page.h. Nothing in here says who wrote what,
 * what a note says, or a monitor's own words where its target is hidden. */
#include "http/incident_page.h"

#include "base/text.h"
#include "http/field.h"
#include "http/maintenance.h"
#include "http/row.h"
#include "http/server.h"
#include "http/told.h"
#include "store/incident.h"

/* Those that are to be seen; an archived one is not. */
static size_t
affected(struct view *v, const struct incident *i, uint32_t *ret)
{
	size_t n = 0;

	if (i->monitor != 0)
		ret[n++] = i->monitor;
	for (uint32_t k = 0; k < i->nmonitors; k++) {
		struct view_row row;

		if (view_get(v, i->monitors[k], &row) != ERR_OK)
			continue;
		if (!row.conf->archived)
			ret[n++] = i->monitors[k];
		view_row_release(&row);
	}
	return n;
}

/* -- HTML ----------------------------------------------------------------------- */

static void
meta(struct buf *b, struct http *h, const struct incident_shown *s,
    int64_t now_us)
{
	uint32_t ids[INCIDENT_MONITORS_MAX + 1];
	/* Its own title names the one already. */
	size_t n = s->i.monitor != 0 && s->i.title[0] == '\0' ? 0 :
	    affected(h->view, &s->i, ids);
	const char *reason = "";
	struct maintenance m;
	struct view_row row;

	buf_adds(b, "<p class=\"meta\">Since ");
	row_time(b, view_zone(h->view), s->i.opened_us, now_us);
	for (size_t k = 0; k < n; k++) {
		if (view_get(h->view, ids[k], &row) != ERR_OK)
			continue;
		buf_adds(b, k == 0 ? " · affects " : ", ");
		text_html(b, str_of(row.conf->path));
		view_row_release(&row);
	}
	if (s->i.monitor != 0 &&
	    view_get(h->view, s->i.monitor, &row) == ERR_OK) {
		reason = row.status == STATUS_UP ? "comes and goes" :
		    row_reason(h, &row);
		if (reason[0] != '\0')
			buf_adds(b, " · ");
		text_html(b, str_of(reason));
		/* Nobody is told of it, and it does not count. */
		if (maintenance_over(h->view, &row, now_us, &m))
			buf_adds(b, " <span class=\"over\">Maintenance</span>");
		view_row_release(&row);
	}
	buf_adds(b, "</p>");
}

static void
article(struct buf *b, struct http *h, const struct incident_shown *s,
    int64_t now_us)
{
	const struct zone *z = view_zone(h->view);
	char title[INCIDENT_TITLE_TEXT];

	buf_addf(b, "<article class=\"incident sev-%s\"><header><h3>",
	    severity_names[s->i.severity]);
	if (s->i.id != 0)
		buf_addf(b, "<a href=\"/history/%llu\">",
		    (unsigned long long)s->i.id);
	text_html(b, str_of(incident_title(&s->i, title)));
	buf_addf(b, "%s</h3><span class=\"state\">%s</span></header>",
	    s->i.id != 0 ? "</a>" : "", told_state(&s->i));
	meta(b, h, s, now_us);
	if (s->i.cause[0] != '\0') {
		buf_adds(b, "<p class=\"cause\"><b>Cause:</b> ");
		text_html(b, str_of(s->i.cause));
		buf_adds(b, "</p>");
	}
	if (s->n > 0)
		buf_adds(b, "<ol class=\"updates\">");
	for (size_t k = 0; k < s->n; k++) {
		buf_addf(b, "<li><p class=\"when\"><b>%s</b> ",
		    told_word(s->v[k].state));
		row_time(b, z, s->v[k].at_us, now_us);
		buf_adds(b, "</p>");
		if (s->v[k].text[0] != '\0') {
			buf_adds(b, "<p>");
			told_lines(b, str_of(s->v[k].text));
			buf_adds(b, "</p>");
		}
		buf_adds(b, "</li>");
	}
	buf_adds(b, s->n > 0 ? "</ol></article>\n" : "</article>\n");
}

void
incident_page_html(struct buf *b, struct http *h, int64_t now_us)
{
	struct incident_shown *v = NULL;
	size_t n = 0, total = 0;

	view_incidents(h->view, INCIDENTS_SHOWN, &v, &n, &total);
	if (n > 0)
		buf_adds(b, "<section class=\"incidents\" aria-label=\""
		    "Current incidents\">\n");
	for (size_t k = 0; k < n; k++)
		article(b, h, &v[k], now_us);
	if (total > n)
		buf_addf(b, "<p class=\"more\">and %zu more</p>\n", total - n);
	if (n > 0)
		buf_adds(b, "</section>\n");
	incident_shown_free(v, n);
}

/* -- JSON ------------------------------------------------------------------------- */

static void
object(struct buf *b, struct view *v, const struct incident_shown *s)
{
	uint32_t ids[INCIDENT_MONITORS_MAX + 1];
	size_t n = affected(v, &s->i, ids);
	char title[INCIDENT_TITLE_TEXT];

	field_open(b, NULL, '{');
	if (s->i.id != 0)
		field_u64(b, "id", s->i.id);
	else
		field_null(b, "id");
	field_text(b, "kind", s->i.monitor == 0 ? "manual" : "automatic");
	field_text(b, "title", incident_title(&s->i, title));
	field_text(b, "state", incident_state_names[s->i.state]);
	field_text(b, "severity", severity_names[s->i.severity]);
	field_time(b, "opened", s->i.opened_us);
	field_word(b, "cause", s->i.cause);
	field_open(b, "monitors", '[');
	for (size_t k = 0; k < n; k++)
		field_u64(b, NULL, ids[k]);
	field_next(b, ']');
	field_open(b, "updates", '[');
	for (size_t k = 0; k < s->n; k++) {
		field_open(b, NULL, '{');
		field_time(b, "at", s->v[k].at_us);
		field_text(b, "state", incident_state_names[s->v[k].state]);
		field_text(b, "text", s->v[k].text);
		field_next(b, '}');
	}
	field_next(b, ']');
	field_next(b, '}');
}

void
incident_page_json(struct buf *b, struct http *h)
{
	struct incident_shown *v = NULL;
	size_t n = 0, total = 0;

	view_incidents(h->view, INCIDENTS_SHOWN, &v, &n, &total);
	field_open(b, "incidents", '[');
	for (size_t k = 0; k < n; k++)
		object(b, h->view, &v[k]);
	field_next(b, ']');
	field_u64(b, "incidents_open", total);
	incident_shown_free(v, n);
}

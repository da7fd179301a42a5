/* maintenance.c: see maintenance.h. */
#include "http/maintenance.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/edits.h"
#include "http/field.h"
#include "http/row.h"
#include "http/server.h"
#include "world/world.h"

#define SHOWN_MAX 10                               /* on the page */
#define AHEAD_US  (7 * INT64_C(86400) * US_PER_S)  /* announced */

/* -- where it shows --------------------------------------------------------- */

bool
maintenance_over(struct view *v, const struct view_row *r, int64_t now_us,
    struct maintenance *ret)
{
	bool trouble = r->status == STATUS_DOWN || r->status == STATUS_LATE ||
	    r->status == STATUS_DEGRADED;

	return windows_cover(view_windows(v), r->conf, now_us,
	    trouble ? r->since_us : 0, ret);
}

void
maintenance_field(struct buf *b, struct view *v, const struct view_row *r,
    int64_t now_us)
{
	struct maintenance m;

	if (!maintenance_over(v, r, now_us, &m)) {
		field_null(b, "maintenance");
		return;
	}
	field_open(b, "maintenance", '{');
	field_text(b, "window", m.name);
	field_time(b, "from", m.from_us);
	field_time(b, "until", m.until_us);
	field_next(b, '}');
}

static void
announce(struct buf *b, struct view *v, const struct upcoming *u,
    int64_t now_us)
{
	const struct zone *z = view_zone(v);

	buf_addf(b, "<li class=\"%s\"><b>", u->active ? "active" : "ahead");
	text_html(b, str_of(u->m.name));
	buf_adds(b, u->active ? "</b> is under way" : "</b> ");
	if (!u->active)
		row_time(b, z, u->m.from_us, now_us);
	if (u->m.until_us != 0) {
		buf_adds(b, " until ");
		row_time(b, z, u->m.until_us, now_us);
	}
	if (u->description[0] != '\0') {
		buf_adds(b, "<p>");
		text_html(b, str_of(u->description));
		buf_adds(b, "</p>");
	}
	buf_adds(b, "</li>");
}

void
maintenance_html(struct buf *b, struct view *v, int64_t now_us)
{
	struct upcoming u[SHOWN_MAX];
	size_t n = windows_upcoming(view_windows(v), now_us, u, SHOWN_MAX);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!u[i].active && u[i].m.from_us > now_us + AHEAD_US)
			continue;
		if (!any)
			buf_adds(b, "<section class=\"card maint\"><h2>"
			    "Maintenance</h2><ul>");
		any = true;
		announce(b, v, &u[i], now_us);
	}
	if (any)
		buf_adds(b, "</ul></section>\n");
}

/* -- the API ---------------------------------------------------------------- */

enum flow
maintenance_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	json_t *all = windows_json(view_windows(q->h->view), NULL,
	    clock_wall_us());

	buf_addc(&b, '{');
	field_json(&b, "items", all);
	field_null(&b, "next");
	field_close(&b, '}');
	buf_addc(&b, '\n');
	json_decref(all);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

static void
one(struct req *q, const char *name, unsigned status)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	json_t *v = windows_json(view_windows(q->h->view), name,
	    clock_wall_us());

	if (v == NULL) {
		answer_problem(&q->out, 404, NULL,
		    "there is no maintenance window of that name");
		return;
	}
	field_json(&b, NULL, v);
	json_decref(v);
	if (b.n > 0)
		b.p[b.n - 1] = '\n';
	answer_take(&q->out, status, answer_json, &b);
}

enum flow
maintenance_get(struct req *q)
{
	one(q, q->name, 200);
	return ANSWERED;
}

static void
changed(struct req *q)
{
	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
	} else if (q->kept != NULL) {
		q->out = *q->kept;
		*q->kept = (struct answer){0};
	} else {
		one(q, q->config->window, q->made);
	}
}

static enum flow
change(struct req *q, enum config_op op, json_t *body)
{
	struct config_unit *u = config_unit_new(op);

	u->body = body;
	u->opts.origin = ORIGIN_HAND;
	if (op != CONFIG_WINDOW_CREATE)
		(void)text_copy(u->window, sizeof(u->window),
		    str_of(q->name));
	q->made = op == CONFIG_WINDOW_CREATE ? 201 : 200;
	q->after = changed;
	return edits_send(q, u, false);
}

enum flow
maintenance_create(struct req *q)
{
	json_t *body = req_body_json(q);

	return body == NULL ? ANSWERED : change(q, CONFIG_WINDOW_CREATE, body);
}

enum flow
maintenance_patch(struct req *q)
{
	json_t *body = req_body_json(q);

	return body == NULL ? ANSWERED : change(q, CONFIG_WINDOW_PATCH, body);
}

enum flow
maintenance_end(struct req *q)
{
	return change(q, CONFIG_WINDOW_END, NULL);
}

enum flow
maintenance_delete(struct req *q)
{
	one(q, q->name, 200);   /* answered with what it was */
	if (q->out.status != 200)
		return ANSWERED;
	q->kept = xcalloc(1, sizeof(*q->kept));
	*q->kept = q->out;
	q->out = (struct answer){0};
	return change(q, CONFIG_WINDOW_DELETE, NULL);
}

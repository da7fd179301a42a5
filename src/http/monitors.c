/* monitors.c: see monitors.h. */
#include "http/monitors.h"

#include <stdio.h>

#include "base/mem.h"
#include "conf/monitor.h"
#include "http/field.h"
#include "http/server.h"
#include "http/show.h"
#include "world/world.h"

static bool
monitors_type_ok(const struct req *q, struct str type)
{
	const struct monitor_kind *const *k = q->h->c.kinds;

	for (; *k != NULL; k++)
		if (str_is(type, (*k)->name))
			return true;
	return false;
}

static bool
monitors_filter(struct req *q, struct view_filter *f)
{
	enum status s;

	f->status = req_arg(q, "status");
	f->type = req_arg(q, "type");
	f->tag = req_arg(q, "tag");
	f->group = req_arg(q, "group");
	f->search = req_arg(q, "search");
	if (f->status.n > 0 && !status_parse(f->status, &s)) {
		answer_problem(&q->out, 400, "status", "status is not one of "
		    "up, down, degraded, late, pending, paused, unknown");
		return false;
	}
	if (f->type.n > 0 && !monitors_type_ok(q, f->type)) {
		answer_problem(&q->out, 400, "type",
		    "type is not one that this vedette knows");
		return false;
	}
	if (f->search.n > MONITOR_PATH_MAX) {
		answer_problem(&q->out, 400, "search",
		    "search has more than %d bytes", MONITOR_PATH_MAX);
		return false;
	}
	return req_arg_flag(q, "archived", &f->archived);
}

static enum flow
monitors_by_name(struct req *q, struct str name)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct view_row row;

	buf_add(&b, STR("{\"items\":["));
	if (view_find(q->h->view, name, &row) == ERR_OK) {
		show_monitor(&b, q->h->view, &row, q->scope, clock_wall_us());
		view_row_release(&row);
	}
	req_list_end(&b, 'm', 0);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

enum flow
monitors_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct view_filter f = {0};
	struct view_row *rows = NULL;
	size_t n = 0;
	unsigned limit;
	uint64_t after, next = 0;
	int64_t now = clock_wall_us();
	enum err e;

	if (!req_arg_page(q, 'm', &limit, &after) || !monitors_filter(q, &f))
		return ANSWERED;
	if (req_arg(q, "name").n > 0)
		return monitors_by_name(q, req_arg(q, "name"));
	if (after > UINT32_MAX)
		return req_bad(q, 400, "cursor", "cursor is out of range");
	f.has_ids_after = after > 0;
	f.after = (uint32_t)after;
	/* One more than asked for tells whether there is a next page. */
	e = view_list(q->h->view, &f, VIEW_BY_ID, limit + 1, &rows, &n);
	if (e != ERR_OK)
		return req_fail(q, e, NULL);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++) {
		if (i < limit)
			show_monitor(&b, q->h->view, &rows[i], q->scope, now);
		if (i + 1 == limit && n > limit)
			next = rows[i].conf->id;
		view_row_release(&rows[i]);
	}
	xfree(rows);
	req_list_end(&b, 'm', next);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

void
monitors_answer(struct req *q, uint32_t id, unsigned status)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct view_row row;
	char text[64];

	if (view_get(q->h->view, id, &row) != ERR_OK) {
		answer_problem(&q->out, 404, NULL,
		    "there is no monitor with the id %u", id);
		return;
	}
	show_monitor(&b, q->h->view, &row, q->scope, clock_wall_us());
	if (b.n > 0)
		b.p[b.n - 1] = '\n';   /* no comma after the only one */
	answer_take(&q->out, status, answer_json, &b);
	snprintf(text, sizeof(text), "\"%llu\"",
	    (unsigned long long)row.conf->version);
	answer_header(&q->out, "ETag", text);
	if (status == 201) {
		snprintf(text, sizeof(text), "/api/v1/monitors/%u", id);
		answer_header(&q->out, "Location", text);
	}
	view_row_release(&row);
}

enum flow
monitors_get(struct req *q)
{
	monitors_answer(q, q->id, 200);
	return ANSWERED;
}

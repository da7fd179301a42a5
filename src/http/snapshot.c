/* snapshot.c: see snapshot.h. */
#include "http/snapshot.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "http/cursor.h"
#include "http/field.h"
#include "http/incident_page.h"
#include "http/maintenance.h"
#include "http/pages.h"
#include "http/row.h"
#include "http/server.h"
#include "http/show.h"
#include "world/world.h"

static void
snapshot_item(struct buf *b, struct http *h, const struct view_row *r,
    int64_t now)
{
	const struct monitor_conf *c = r->conf;
	const char *slash = strrchr(c->path, '/');
	BUF_AUTO(target, 4096);

	field_open(b, NULL, '{');
	field_u64(b, "id", c->id);
	field_text(b, "name", slash != NULL ? slash + 1 : c->path);
	if (slash != NULL)
		field_str(b, "group",
		    (struct str){c->path, (size_t)(slash - c->path)});
	else
		field_null(b, "group");
	field_text(b, "type", c->kind->name);
	field_text(b, "status", status_name((enum status)r->status));
	field_time(b, "since", r->since_us);
	if (r->latency_us >= 0)
		field_real(b, "latency_ms", (double)r->latency_us / 1e3, 3);
	else
		field_null(b, "latency_ms");
	field_real(b, "uptime_90d", show_uptime(h->view, c->id, now), 6);
	field_text(b, "why", why_name((enum why)r->why));
	field_text(b, "reason", row_reason(h, r));
	field_time(b, "last", r->last_us);
	maintenance_field(b, h->view, r, now);
	if (row_target(h, r, &target))
		field_text(b, "target", target.p);
	field_next(b, '}');
}

static bool
snapshot_page(struct req *q, uint64_t *limit, uint64_t *after)
{
	struct str c = req_arg(q, "cursor");

	*limit = SNAPSHOT_ITEMS;
	*after = 0;
	if (!req_arg_u64(q, "limit", SNAPSHOT_ITEMS, limit) || *limit == 0) {
		answer_problem(&q->out, 400, "limit",
		    "limit is not a number from 1 to %d", SNAPSHOT_ITEMS);
		return false;
	}
	if (c.p == NULL || (cursor_parse(c, 'p', after) &&
	    *after <= UINT32_MAX))
		return true;
	answer_problem(&q->out, 400, "cursor",
	    "cursor is not one that this list gave");
	return false;
}

static void
snapshot_head(struct buf *b, struct http *h)
{
	const char *title = h->c.settings->status_page.title;
	uint32_t n[STATUS_NMAX] = {0};

	buf_addc(b, '{');
	field_text(b, "title", title != NULL ? title : "Status");
	field_time(b, "updated", view_updated_us(h->view));
	view_counts(h->view, n);
	field_open(b, "counts", '{');
	for (int i = 0; i < STATUS_NMAX; i++)
		field_u64(b, status_name((enum status)i), n[i]);
	field_next(b, '}');
	incident_page_json(b, h);
	field_open(b, "items", '[');
}

static enum flow
snapshot_render(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct view_filter f = {0};
	struct view_row *rows = NULL;
	uint64_t limit, after, next = 0;
	size_t n = 0;
	int64_t now = clock_wall_us();
	enum err e;

	if (!snapshot_page(q, &limit, &after))
		return ANSWERED;
	f.has_ids_after = after > 0;
	f.after = (uint32_t)after;
	e = view_list(q->h->view, &f, VIEW_BY_ID, limit + 1, &rows, &n);
	if (e != ERR_OK)
		return req_fail(q, e, NULL);
	snapshot_head(&b, q->h);
	for (size_t i = 0; i < n; i++) {
		if (i < limit)
			snapshot_item(&b, q->h, &rows[i], now);
		if (i + 1 == limit && n > limit)
			next = rows[i].conf->id;
		view_row_release(&rows[i]);
	}
	xfree(rows);
	req_list_end(&b, 'p', next);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

enum flow
snapshot_get(struct req *q)
{
	uint64_t limit, after;

	if (!snapshot_page(q, &limit, &after))
		return ANSWERED;
	return pages_answer(q, map_hash_u64(after << 16 | limit) | 1,
	    snapshot_render);
}

/* alerts.c: see alerts.h. */
#include "http/alerts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "conf/channel.h"
#include "http/field.h"
#include "http/park.h"
#include "http/server.h"
#include "model/alert_unit.h"
#include "model/link.h"
#include "store/outbox.h"
#include "world/world.h"

#define TEST_LIFE_US (INT64_C(600) * US_PER_S)
#define SNOOZE_MAX_NS (30 * DAY_NS)

/* -- channels ---------------------------------------------------------------- */

enum flow
alerts_channels(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	BUF_AUTO(base, 2048);
	bool reached = http_base_text(q->h, &base);
	json_t *channels = view_channels(q->h->view, OPT_SECRETS_MASK), *c;
	json_t *how = q->h->c.channels != NULL ?
	    q->h->c.channels(q->h->c.arg) : json_object();
	size_t i;

	if (channels == NULL || how == NULL) {
		json_decref(channels);
		json_decref(how);
		return req_bad(q, 500, NULL, "the channels could not be read");
	}
	json_array_foreach(channels, i, c) {
		json_t *h = json_object_get(how, json_string_value(
		    json_object_get(c, "name")));

		(void)json_object_set(c, "health", h != NULL ? h :
		    json_null());
	}
	buf_addc(&b, '{');
	field_json(&b, "items", channels);
	field_null(&b, "next");
	/* What messages are made with besides. */
	field_word(&b, "base_url", reached ? base.p : NULL);
	field_text(&b, "time_zone", q->h->c.settings->status_page.time_zone);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	json_decref(channels);
	json_decref(how);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

static bool
channel_known(struct req *q)
{
	struct channel_conf *v = NULL;
	size_t n = view_channel_confs(q->h->view, &v);
	bool known = false;

	for (size_t i = 0; i < n; i++) {
		known = known || strcmp(v[i].name, q->name) == 0;
		channel_clear(&v[i]);
	}
	xfree(v);
	if (!known)
		answer_problem(&q->out, 404, NULL,
		    "there is no channel of that name");
	return known;
}

enum flow
alerts_deliveries(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct stored_delivery *v = NULL;
	struct errinfo ei = {0};
	struct delivery_query dq = {.channel = q->name};
	size_t n = 0;
	enum err e;

	if (!channel_known(q) ||
	    !req_arg_page(q, 'd', &dq.limit, &dq.before_id))
		return ANSWERED;
	e = query_deliveries(q->reader, &dq, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++) {
		const struct delivery *d = &v[i].d;

		field_open(&b, NULL, '{');
		field_u64(&b, "id", v[i].id);
		field_time(&b, "at", d->at_us);
		field_text(&b, "key", d->key);
		field_text(&b, "result", delivery_result_names[d->result]);
		field_int(&b, "code", d->code);
		field_int(&b, "attempt", d->attempt);
		field_int(&b, "alerts", d->members);
		field_int(&b, "took_us", d->took_us);
		field_word(&b, "error", d->text);
		field_next(&b, '}');
	}
	req_list_end(&b, 'd', n == dq.limit ? v[n - 1].id : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* -- units ---------------------------------------------------------------------- */

static enum flow
alerts_send(struct req *q, struct alert_unit *u)
{
	if (!park_unit(q, &u->unit))
		unit_free(&u->unit);
	return WAITING;
}

static void
tested(struct req *q)
{
	BUF_AUTO(b, 1024);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_addc(&b, '{');
	field_text(&b, "key", q->secret);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 202, answer_json, &b);
}

enum flow
alerts_test(struct req *q)
{
	int64_t now_us = clock_wall_us();
	struct alert_unit *u;
	struct outbox_row *r;

	if (!channel_known(q))
		return ANSWERED;
	u = alert_unit_new();
	r = alert_unit_row(u);
	*r = (struct outbox_row){.next_us = now_us,
	    .expires_us = now_us + TEST_LIFE_US,
	    .event = {.kind = ALERT_TEST, .severity = SEVERITY_INFO,
	    .from = STATUS_UP, .to = STATUS_UP, .at_us = now_us,
	    .latency_us = -1}};
	(void)text_copy(r->channel, sizeof(r->channel), str_of(q->name));
	(void)snprintf(r->event.path, sizeof(r->event.path), "Test");
	(void)snprintf(r->event.reason, sizeof(r->event.reason),
	    "asked for by %s", q->actor);
	outbox_key(r);
	q->secret = xstrdup(r->key);   /* what to find it by */
	q->after = tested;
	return alerts_send(q, u);
}

/* -- acknowledge and snooze -------------------------------------------------------- */

static void
held(struct req *q)
{
	BUF_AUTO(b, 256);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_add(&b, STR("{\"ok\":true}\n"));
	answer_take(&q->out, 200, answer_json, &b);
}

/* {"note": TEXT, "for": DURATION} */
static bool
read_body(struct req *q, struct hold_change *h)
{
	json_t *body = NULL, *length;
	int64_t ns = 0;
	bool ok = true;

	if (q->body.n > 0) {
		body = req_body_json(q);
		if (body == NULL)
			return false;
	}
	(void)text_copy(h->note, sizeof(h->note), str_of(json_string_value(
	    json_object_get(body, "note"))));
	length = json_object_get(body, "for");
	if (h->op == HOLD_SNOOZE)
		ok = json_is_string(length) && time_parse_duration(
		    str_of(json_string_value(length)), &ns) &&
		    ns >= NS_PER_S && ns <= SNOOZE_MAX_NS;
	h->until_us = h->at_us + ns / NS_PER_US;
	json_decref(body);
	if (!ok)
		answer_problem(&q->out, 422, "for",
		    "how long is missing or out of range; allowed: a duration "
		    "from 1s to 30d, such as 1h");
	return ok;
}

static enum flow
hold(struct req *q, enum hold_op op)
{
	struct hold_change h = {.monitor = q->id, .op = (uint8_t)op,
	    .at_us = clock_wall_us()};
	struct alert_unit *u;

	if (!read_body(q, &h))
		return ANSWERED;
	(void)text_copy(h.by, sizeof(h.by), str_of(q->actor));
	u = alert_unit_new();
	u->has_hold = true;
	u->hold = h;
	q->after = held;
	return alerts_send(q, u);
}

enum flow
alerts_ack(struct req *q)
{
	return hold(q, HOLD_ACK);
}

enum flow
alerts_unack(struct req *q)
{
	return hold(q, HOLD_UNACK);
}

enum flow
alerts_snooze(struct req *q)
{
	return hold(q, HOLD_SNOOZE);
}

enum flow
alerts_unsnooze(struct req *q)
{
	return hold(q, HOLD_UNSNOOZE);
}

/* -- the link in a message ------------------------------------------------------------ */

static bool
link_read(struct req *q, struct link *l)
{
	if (q->h->c.link_key == NULL ||
	    !link_open(q->h->c.link_key, q->seg, l))
		answer_problem(&q->out, 404, NULL, "there is no such page");
	else if (l->expires_us < clock_wall_us())
		answer_problem(&q->out, 410, NULL, "this link has expired; "
		    "use vedette ack, or a newer message");
	else
		return true;
	return false;
}

static void
page(struct req *q, const char *path, const char *text, bool ask)
{
	BUF_AUTO(b, 8192);

	buf_adds(&b, "<!doctype html><html lang=\"en\"><head><meta charset="
	    "\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
	    "<meta name=\"robots\" content=\"noindex\"><title>Acknowledge"
	    "</title><link rel=\"stylesheet\" href=\"/static/style.css\">"
	    "</head><body><main><h1>");
	text_html(&b, str_of(path));
	buf_adds(&b, "</h1><p>");
	text_html(&b, str_of(text));
	buf_adds(&b, "</p>");
	if (ask)
		buf_adds(&b, "<form method=\"post\"><button type=\"submit\">"
		    "Acknowledge</button></form>");
	buf_adds(&b, "</main></body></html>\n");
	answer_take(&q->out, 200, answer_html, &b);
	q->out.form = ask;
}

static void
link_path(struct req *q, uint32_t monitor, char *ret, size_t size)
{
	struct view_row row;

	(void)snprintf(ret, size, "A monitor that was removed");
	if (view_get(q->h->view, monitor, &row) != ERR_OK)
		return;
	(void)text_copy(ret, size, str_of(row.conf->path));
	view_row_release(&row);
}

enum flow
alerts_link_ask(struct req *q)
{
	char path[ALERT_NAME_MAX];
	struct link l;

	if (!link_read(q, &l))
		return ANSWERED;
	link_path(q, l.monitor, path, sizeof(path));
	page(q, path, "Acknowledge this incident? Reminders and escalation "
	    "stop; its end is told.", true);
	return ANSWERED;
}

static void
link_acted(struct req *q)
{
	char path[ALERT_NAME_MAX];

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	link_path(q, q->id, path, sizeof(path));
	page(q, path, "Acknowledged.", false);
}

enum flow
alerts_link_act(struct req *q)
{
	struct alert_unit *u;
	struct link l;

	if (!link_read(q, &l))
		return ANSWERED;
	q->id = l.monitor;
	u = alert_unit_new();
	u->has_hold = true;
	u->hold = (struct hold_change){.monitor = l.monitor,
	    .incident_us = l.incident_us, .op = HOLD_ACK,
	    .at_us = clock_wall_us(), .by = "link"};
	q->after = link_acted;
	return alerts_send(q, u);
}

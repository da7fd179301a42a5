/* alert_rig.h: channels from JSON, messages of made-up events, and requests as
 * one text that can be compared byte by byte. */
#ifndef ALERT_RIG_H
#define ALERT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Ours first: cmocka has a macro called fail. */
#include "alert/kind.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/channel.h"

#include <cmocka.h>

#define T0 INT64_C(1795255200000000)   /* 2026-11-21T10:00:00Z */
#define RIG_EVENTS 3000

struct rig {
	struct alert_channel *channel;
	struct strings allow;
	struct alert_place place;
	struct outbox_row *rows;
	struct alert_item *items;
	struct alert_message m;
};

static enum err
rig_channel(const char *json, struct alert_channel **ret, struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	struct channel_conf c = {0};
	enum err e = tree_from_json(str_of(json), "t", &t, ei);

	if (e == ERR_OK)
		e = channel_read(tree_root(t), &c, ei);
	if (e == ERR_OK)
		e = alert_channel_new(&c, ret, ei);
	channel_clear(&c);
	return e;
}

static void
rig_init(struct rig *r, const char *json)
{
	static char *allow[] = {(char *)(uintptr_t)"/usr/lib/alerts/"};
	struct errinfo ei = {0};

	memset(r, 0, sizeof(*r));
	if (rig_channel(json, &r->channel, &ei) != ERR_OK)
		fail_msg("%s: %s: %s", json, ei.field, ei.text);
	r->allow = (struct strings){allow, 1};
	r->place = (struct alert_place){.base_url = "https://s.example",
		.host = "watch", .exec_allow = &r->allow};
	r->rows = xcalloc(RIG_EVENTS, sizeof(*r->rows));
	r->items = xcalloc(RIG_EVENTS, sizeof(*r->items));
	r->m = (struct alert_message){.channel = r->channel,
		.place = &r->place, .items = r->items, .now_us = T0};
}

static void
rig_free(struct rig *r)
{
	alert_message_clear(&r->m);
	alert_channel_free(r->channel);
	xfree(r->rows);
	xfree(r->items);
}

/* One more event of the message, about "Shop/Web": began 65 s ago. */
static struct alert_event *
rig_add(struct rig *r, enum alert_kind kind)
{
	struct outbox_row *row = &r->rows[r->m.n];
	struct alert_event *e = &row->event;
	bool over = kind == ALERT_RESOLVE;

	*e = (struct alert_event){.kind = (uint8_t)kind, .latency_us = -1,
		.monitor = (uint32_t)(r->m.n + 7), .at_us = T0,
		.incident_us = T0, .from = STATUS_UP, .to = STATUS_DOWN,
		.severity = SEVERITY_CRITICAL, .why = WHY_NET_REFUSED};
	if (over) {
		e->from = STATUS_DOWN;
		e->to = STATUS_UP;
		e->why = WHY_OK;
		e->incident_us = T0 - 65 * INT64_C(1000000);
		e->latency_us = 12000;
	} else {
		(void)text_copy(e->reason, sizeof(e->reason),
		    STR("refused by 192.0.2.1:443"));
	}
	(void)text_copy(e->path, sizeof(e->path), STR("Shop/Web"));
	(void)text_copy(e->type, sizeof(e->type), STR("http"));
	(void)text_copy(e->target, sizeof(e->target), STR("https://a.example/"));
	(void)text_copy(e->tags, sizeof(e->tags), STR("prod,eu"));
	(void)text_copy(row->channel, sizeof(row->channel),
	    str_of(alert_channel_name(r->channel)));
	outbox_key(row);
	r->items[r->m.n].row = row;
	r->m.n++;
	return e;
}

static UNUSED void
rig_clear(struct rig *r)
{
	alert_message_clear(&r->m);
	memset(r->items, 0, RIG_EVENTS * sizeof(*r->items));
	r->m.n = 0;
	r->m.instead_of = NULL;
}

static void
rig_split(struct rig *r)
{
	struct errinfo ei = {0};

	if (alert_split(&r->m, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
}

static UNUSED void
rig_request(struct rig *r, size_t part, struct alert_request *ret)
{
	struct errinfo ei = {0};

	memset(ret, 0, sizeof(*ret));
	if (alert_build(&r->m, part, ret, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
}

static UNUSED void
rig_show(const struct alert_request *q, struct buf *out)
{
	if (q->kind == REQUEST_MAIL) {
		buf_addf(out, "%s tls=%u %s:%s <%s>", q->url, q->tls,
		    q->user != NULL ? q->user : "",
		    q->password != NULL ? q->password : "", q->from);
		for (size_t i = 0; i < q->to.n; i++)
			buf_addf(out, " <%s>", q->to.v[i]);
		buf_addc(out, '\n');
	} else if (q->kind == REQUEST_EXEC) {
		for (size_t i = 0; i < q->argv.n; i++)
			buf_addf(out, "[%s]", q->argv.v[i]);
		buf_addf(out, " %zu variables\n", q->env.n);
	} else {
		buf_addf(out, "%s %s\n", q->method, q->url);
		for (size_t i = 0; i < q->headers.n; i++)
			buf_addf(out, "%s: %s\n", q->headers.v[i].name,
			    q->headers.v[i].value);
	}
	buf_addc(out, '\n');
	buf_add(out, buf_str(&q->body));
}

/* Every request of the message, "\n--\n" between. Caller xfrees. */
static UNUSED char *
rig_text(struct rig *r)
{
	struct buf out = {.max = 64 << 20};

	rig_split(r);
	for (size_t i = 0; i < r->m.nparts; i++) {
		struct alert_request q;

		rig_request(r, i, &q);
		buf_adds(&out, i > 0 ? "\n--\n" : "");
		rig_show(&q, &out);
		alert_request_clear(&q);
	}
	assert_true(buf_ok(&out));
	return buf_take(&out);
}

#endif

/* courier_run.c: one message from the desk to its provider and back. */
#include <stdio.h>
#include <string.h>

#include "alert/courier_impl.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

static void
run_free(struct delivery_run *r)
{
	list_del(&r->node);
	send_free(r->send);
	alert_request_clear(&r->req);
	alert_message_clear(&r->msg);
	xfree(r->rows);
	xfree(r->items);
	xfree(r->links);
	setup_unref(r->setup);
	xfree(r);
}

static void
finish(struct delivery_run *r, struct desk_outcome *o)
{
	struct courier *c = r->c;
	const char *channel = desk_message_channel(r->m);

	o->took_us = (world_fresh(c->world) - r->began_ns) / NS_PER_US;
	o->jitter = (uint32_t)world_random(c->world);
	o->part = r->part;
	(void)FAULT("courier.after_send");
	if (o->result != DELIVERY_SENT)
		log_warn("alert", o->result == DELIVERY_REFUSED ?
		    "a provider refuses" : "a message did not get out",
		    KV("channel", channel), KV("error", &o->note[0]),
		    KV_I("code", o->code), KV_I("rows",
		    (int64_t)desk_message_rows(r->m)));
	else
		log_debug("alert", "sent", KV("channel", channel),
		    KV_I("rows", (int64_t)desk_message_rows(r->m)));
	desk_done(c->desk, r->m, o, courier_now_us(c));
	run_free(r);
	courier_turn(c);
}

static void
refuse(struct delivery_run *r, const char *why)
{
	struct desk_outcome o = {.result = DELIVERY_REFUSED};

	(void)text_copy(o.note, sizeof(o.note), str_of(why));
	finish(r, &o);
}

static void next_part(struct delivery_run *r);

static void
on_end(void *arg, const struct send_end *e)
{
	struct delivery_run *r = arg;
	struct desk_outcome o = {.result = DELIVERY_AGAIN};
	struct alert_outcome judged = {0};
	char words[OUTBOX_NOTE];

	if (!e->answered) {
		/* libcurl's words may hold the URL, and that a token. */
		(void)text_copy(words, sizeof(words), str_of(e->error));
		alert_scrub(r->msg.channel, words);
		memcpy(o.note, words, sizeof(o.note));
		o.maybe = e->maybe;
		finish(r, &o);
		return;
	}
	alert_judge(&r->msg, r->part, &e->answer, &judged);
	o.code = (uint16_t)MIN(e->answer.code, (uint32_t)UINT16_MAX);
	if (judged.result == RESULT_DONE) {
		r->part++;
		if (r->part < r->msg.nparts) {
			next_part(r);
			return;
		}
		o.result = DELIVERY_SENT;
	} else {
		o.result = judged.result == RESULT_REFUSED ?
		    DELIVERY_REFUSED : DELIVERY_AGAIN;
		o.after_us = judged.after_ns / NS_PER_US;
		(void)text_copy(o.note, sizeof(o.note), str_of(judged.note));
		alert_scrub(r->msg.channel, o.note);
	}
	finish(r, &o);
}

static void
next_part(struct delivery_run *r)
{
	struct errinfo ei = {0};

	send_free(TAKE(r->send));
	alert_request_clear(&r->req);
	memset(&r->req, 0, sizeof(r->req));
	if (alert_build(&r->msg, r->part, &r->req, &ei) != ERR_OK) {
		alert_scrub(r->msg.channel, ei.text);
		refuse(r, ei.text);
		return;
	}
	(void)FAULT("courier.before_send");
	r->send = send_start(r->c->net, &r->req, on_end, r);
}

/* Where its reader acknowledges it; NULL: not that kind, or no address. */
static const char *
ack_url(struct delivery_run *r, size_t i)
{
	const struct alert_event *e = &r->rows[i].event;
	struct link l = {.monitor = e->monitor, .incident_us = e->incident_us,
	    .expires_us = r->msg.now_us + LINK_LIFE_US};
	char token[LINK_TEXT];

	if (r->place.base_url[0] == '\0' || e->monitor == 0 ||
	    e->incident_us == 0 || e->kind == ALERT_RESOLVE)
		return NULL;
	link_make(r->c->conf.link_key, &l, token);
	if (snprintf(r->links[i], sizeof(r->links[i]), "%s/ack/%s",
	    r->place.base_url, token) >= (int)sizeof(r->links[i]))
		return NULL;
	return r->links[i];
}

void
courier_deliver(struct courier *c, struct desk_message *m)
{
	struct delivery_run *r = xcalloc(1, sizeof(*r));
	size_t n = desk_message_rows(m);
	struct errinfo ei = {0};

	r->c = c;
	r->m = m;
	r->setup = c->setup;
	r->setup->refs++;
	r->began_ns = world_fresh(c->world);
	list_push(&c->runs, &r->node);
	r->place = (struct alert_place){.base_url = r->setup->base_url,
	    .host = c->host, .zone = r->setup->zone,
	    .exec_allow = &r->setup->exec_allow};
	r->msg.channel = setup_channel(r->setup, desk_message_channel(m));
	if (r->msg.channel == NULL) {
		refuse(r, "the channel is gone, or cannot be read");
		return;
	}
	r->rows = xcalloc(n, sizeof(*r->rows));
	r->items = xcalloc(n, sizeof(*r->items));
	r->links = xcalloc(n, sizeof(*r->links));
	r->msg.place = &r->place;
	r->msg.items = r->items;
	r->msg.n = n;
	r->msg.now_us = desk_message_made_us(m);
	r->msg.instead_of = desk_message_instead(m);
	for (size_t i = 0; i < n; i++) {
		desk_message_row(m, i, &r->rows[i], &r->items[i].late,
		    &r->items[i].collapsed);
		r->items[i].row = &r->rows[i];
		r->items[i].ack_url = ack_url(r, i);
	}
	if (alert_split(&r->msg, &ei) != ERR_OK) {
		refuse(r, ei.text);
		return;
	}
	r->part = desk_message_part(m);
	if (r->part >= r->msg.nparts)
		r->part = 0;
	next_part(r);
}

/* The daemon stops: what is on its way may or may not arrive. */
void
courier_cancel(struct delivery_run *r)
{
	run_free(r);
}

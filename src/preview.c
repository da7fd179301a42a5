/* preview.c: "vedette channel preview NAME": what a channel would be sent, by
 * the very functions that make it; nothing is sent. The channel comes from a
 * file, or from the daemon, whose secrets stay masked. */
#include "main.h"

#include <stdio.h>
#include <string.h>

#include "alert/message.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "cli/cli.h"
#include "cli/cli_client.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "conf/channel.h"
#include "conf/conf.h"
#include "world/world.h"

#define PREVIEW_MAX ((size_t)64 << 20)
#define PREVIEW_GROUP 3

/* What --event may name, as what happens. */
static const struct sample_event {
	const char *name;
	enum alert_kind kind;
	enum status from, to;
	enum why why;
	enum severity severity;
	const char *reason;
} sample_events[] = {
	{"down", ALERT_OPEN, STATUS_UP, STATUS_DOWN, WHY_NET_REFUSED,
	    SEVERITY_CRITICAL, "connection refused by 192.0.2.10:443"},
	{"up", ALERT_RESOLVE, STATUS_DOWN, STATUS_UP, WHY_OK,
	    SEVERITY_CRITICAL, ""},
	{"degraded", ALERT_OPEN, STATUS_UP, STATUS_DEGRADED, WHY_SLOW,
	    SEVERITY_WARNING, "2.4 s, slower than 1 s"},
	{"late", ALERT_OPEN, STATUS_UP, STATUS_LATE, WHY_PUSH_LATE,
	    SEVERITY_WARNING, "no heartbeat since 10 min"},
	{"change", ALERT_CHANGE, STATUS_DEGRADED, STATUS_DOWN, WHY_TIMEOUT,
	    SEVERITY_CRITICAL, "no complete answer within 10 s"},
	{"certificate", ALERT_CERT, STATUS_UP, STATUS_UP, WHY_TLS_EXPIRES_SOON,
	    SEVERITY_WARNING, ""},
	{"flapping", ALERT_FLAP, STATUS_UP, STATUS_DOWN, WHY_OK,
	    SEVERITY_WARNING, ""},
	{"reminder", ALERT_REMIND, STATUS_UP, STATUS_DOWN, WHY_NET_REFUSED,
	    SEVERITY_CRITICAL, "connection refused by 192.0.2.10:443"},
	{"store", ALERT_STORE, STATUS_UP, STATUS_DOWN, WHY_OK,
	    SEVERITY_CRITICAL, "the disk is full"},
	{"test", ALERT_TEST, STATUS_UP, STATUS_UP, WHY_OK, SEVERITY_INFO, ""},
	/* Last: the first of these, of several monitors. */
	{"group", ALERT_OPEN, STATUS_UP, STATUS_DOWN, WHY_NET_REFUSED,
	    SEVERITY_CRITICAL, "connection refused by 192.0.2.10:443"},
};

struct preview {
	struct document *doc;          /* of -f; NULL */
	struct channel_conf conf;      /* of the daemon's; text NULL: doc's */
	struct alert_channel *channel;
	struct zone *zone;
	char *base;                    /* owned; of the daemon */
	struct strings allow;          /* borrowed strings */
	struct alert_place place;
	struct outbox_row rows[PREVIEW_GROUP];
	struct alert_item items[PREVIEW_GROUP];
	struct alert_message m;
};

static void
preview_clear(struct preview *p)
{
	alert_message_clear(&p->m);
	alert_channel_free(p->channel);
	zone_free(p->zone);
	xfree(p->base);
	if (p->conf.text != NULL)
		channel_clear(&p->conf);
	document_free(p->doc);
}

/* -- where the channel comes from ------------------------------------------------ */

static enum err
from_file(struct preview *p, const struct cli_env *env, const char *file,
    const char *name, struct errinfo *ei)
{
	const struct channel_conf *c = NULL;
	enum err e = document_load(file, env->kinds, &p->doc, ei);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < p->doc->nchannels; i++)
		if (strcmp(p->doc->channels[i].name, name) == 0)
			c = &p->doc->channels[i];
	if (c == NULL)
		return fail(ei, ERR_NOT_FOUND, "%s has no channel \"%.120s\"",
		    file, name);
	p->place.base_url = p->doc->settings.alerts.base_url;
	p->place.exec_allow = &p->doc->settings.alerts.exec_allow;
	e = zone_load(p->doc->settings.status_page.time_zone, &p->zone, ei);
	return e != ERR_OK ? e : alert_channel_new(c, &p->channel, ei);
}

static enum err
from_item(struct preview *p, const json_t *item, struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(item, &t, ei);

	if (e == ERR_OK)
		e = channel_read(tree_root(t), &p->conf, ei);
	if (e == ERR_OK)
		e = alert_channel_new(&p->conf, &p->channel, ei);
	return e;
}

/* With what the daemon makes messages; one that does not say: without. */
static enum err
from_place(struct preview *p, const json_t *list, struct errinfo *ei)
{
	const char *zone = cli_json_text(list, "time_zone");

	p->base = xstrdup(cli_json_text(list, "base_url"));
	p->place.base_url = p->base;
	return zone[0] == '\0' ? ERR_OK : zone_load(zone, &p->zone, ei);
}

static enum err
from_daemon(struct preview *p, const struct cli_args *a, const char *name,
    struct errinfo *ei)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *list CLEANUP(cli_json_freep) = NULL;
	json_t *item, *found = NULL;
	size_t i;
	enum err e = cli_client_open(a, NULL, &c, ei);

	if (e == ERR_OK)
		e = cli_client_get(c, "/api/v1/channels", &list, ei);
	if (e != ERR_OK)
		return e;
	json_array_foreach(json_object_get(list, "items"), i, item)
		if (strcmp(cli_json_text(item, "name"), name) == 0)
			found = item;
	if (found == NULL)
		return fail(ei, ERR_NOT_FOUND, "there is no channel "
		    "\"%.120s\"", name);
	(void)json_object_del(found, "health");   /* no setting of it */
	e = from_item(p, found, ei);
	if (e == ERR_OK)
		e = from_place(p, list, ei);
	/* What the daemon allows only its file says; this starts nothing. */
	if (e == ERR_OK && alert_channel_own(p->channel)->command.n > 0) {
		p->allow.v = alert_channel_own(p->channel)->command.v;
		p->allow.n = 1;
	}
	return e;
}

/* -- what happens ------------------------------------------------------------------ */

static const struct sample_event *
event_find(const char *name)
{
	for (size_t i = 0; i < COUNT(sample_events); i++)
		if (strcmp(sample_events[i].name, name) == 0)
			return &sample_events[i];
	return NULL;
}

static void
row_fill(const struct sample_event *s, size_t n, int64_t now,
    struct outbox_row *r)
{
	static const char *const names[PREVIEW_GROUP] = {"Shop/Web",
		"Shop/API", "Shop/Checkout"};
	static const char *const targets[PREVIEW_GROUP] = {
		"https://shop.example/", "https://api.shop.example/health",
		"https://shop.example/checkout"};
	struct alert_event *e = &r->event;
	bool own = s->kind == ALERT_STORE || s->kind == ALERT_TEST;
	bool lasted = s->kind == ALERT_RESOLVE || s->kind == ALERT_REMIND;

	e->kind = (uint8_t)s->kind;
	e->severity = (uint8_t)s->severity;
	e->from = (uint8_t)s->from;
	e->to = (uint8_t)s->to;
	e->why = (uint8_t)s->why;
	e->latency_us = s->kind == ALERT_RESOLVE ? 35000 : -1;
	e->at_us = now - (s->kind == ALERT_RESOLVE ? 0 : 10 * US_PER_S);
	if (s->kind == ALERT_CERT)
		e->until_us = now + 7 * 86400 * US_PER_S;
	(void)text_copy(e->reason, sizeof(e->reason), str_of(s->reason));
	if (own)
		return;
	e->monitor = (uint32_t)(12 + n);
	if (s->kind != ALERT_CERT && s->kind != ALERT_FLAP)
		e->incident_us = lasted ? now - 725 * US_PER_S : e->at_us;
	(void)text_copy(e->path, sizeof(e->path), str_of(names[n]));
	(void)text_copy(e->type, sizeof(e->type), STR("http"));
	(void)text_copy(e->target, sizeof(e->target), str_of(targets[n]));
	(void)text_copy(e->tags, sizeof(e->tags), STR("prod,shop"));
}

static void
message_make(struct preview *p, const struct sample_event *s, int64_t now)
{
	p->m.channel = p->channel;
	p->m.place = &p->place;
	p->m.items = p->items;
	p->m.now_us = now;
	p->m.n = strcmp(s->name, "group") == 0 ? PREVIEW_GROUP : 1;
	for (size_t i = 0; i < p->m.n; i++) {
		row_fill(s, i, now, &p->rows[i]);
		(void)text_copy(p->rows[i].channel,
		    sizeof(p->rows[i].channel),
		    str_of(alert_channel_name(p->channel)));
		outbox_key(&p->rows[i]);
		p->items[i].row = &p->rows[i];
	}
}

/* -- showing ------------------------------------------------------------------------ */

static void
show_headers(const struct alert_request *r, struct buf *out)
{
	for (size_t i = 0; i < r->headers.n; i++)
		buf_addf(out, "%s: %s\n", r->headers.v[i].name,
		    strcmp(r->headers.v[i].name, "Authorization") == 0 ?
		    OPT_MASK : r->headers.v[i].value);
}

static void
show_request(const struct alert_request *r, struct buf *out)
{
	static const char *const tls[] = {
		[CHANNEL_STARTTLS] = "STARTTLS", [CHANNEL_TLS] = "TLS",
		[CHANNEL_PLAIN] = "not encrypted",
	};

	switch (r->kind) {
	case REQUEST_HTTP:
		buf_addf(out, "%s %s\n", r->method, r->url);
		show_headers(r, out);
		break;
	case REQUEST_MAIL:
		buf_addf(out, "%s (%s)%s%s\nMAIL FROM:<%s>\n", r->url,
		    tls[r->tls], r->user != NULL ? " as " : "",
		    r->user != NULL ? r->user : "", r->from);
		for (size_t i = 0; i < r->to.n; i++)
			buf_addf(out, "RCPT TO:<%s>\n", r->to.v[i]);
		break;
	case REQUEST_EXEC:
		for (size_t i = 0; i < r->argv.n; i++)
			buf_addf(out, "%s%s", i > 0 ? " " : "", r->argv.v[i]);
		buf_addc(out, '\n');
		for (size_t i = 0; i < r->env.n; i++)
			buf_addf(out, "%s\n", r->env.v[i]);
		break;
	}
	buf_addc(out, '\n');
	/* As a terminal ends lines. */
	for (size_t i = 0; i < r->body.n; i++)
		if (r->body.p[i] != '\r')
			buf_addc(out, r->body.p[i]);
	if (r->body.n > 0 && r->body.p[r->body.n - 1] != '\n')
		buf_addc(out, '\n');
}

static enum err
show(struct preview *p, struct buf *out, struct errinfo *ei)
{
	enum err e = alert_split(&p->m, ei);

	for (size_t i = 0; e == ERR_OK && i < p->m.nparts; i++) {
		struct alert_request r = {0};

		if (i == 0) {
			buf_adds(out, "title: ");
			message_title(&p->m, &p->m.parts[0], NULL, out);
			buf_adds(out, "\nbody:\n");
			message_text(&p->m, &p->m.parts[0], NULL, out);
			buf_addc(out, '\n');
		}
		e = alert_build(&p->m, i, &r, ei);
		buf_addf(out, "\n-- request %zu of %zu\n", i + 1,
		    p->m.nparts);
		if (e == ERR_OK)
			show_request(&r, out);
		alert_request_clear(&r);
	}
	if (e == ERR_OK && !buf_ok(out))
		e = fail(ei, ERR_LIMIT, "the preview is too long");
	return e;
}

static int
preview_usage(const char *event)
{
	(void)fprintf(stderr, "vedette channel: --event: \"%.40s\" is not "
	    "allowed; allowed:", event);
	for (size_t i = 0; i < COUNT(sample_events); i++)
		(void)fprintf(stderr, " %s", sample_events[i].name);
	(void)fputc('\n', stderr);
	return CLI_USAGE;
}

int
preview_run(const struct cli_env *env, const struct cli_args *a)
{
	const char *event = a->event != NULL ? a->event : "down";
	const struct sample_event *s = event_find(event);
	struct preview p CLEANUP(preview_clear) = {0};
	struct errinfo ei = {0};
	int64_t now = clock_wall_us();
	BUF_AUTO(out, PREVIEW_MAX);
	enum err e;

	if (a->nargs != 2) {
		(void)fprintf(stderr, "usage: vedette channel preview NAME "
		    "[--event EVENT] [-f FILE] [--at TIME]\n");
		return CLI_USAGE;
	}
	if (s == NULL)
		return preview_usage(event);
	p.place = (struct alert_place){.base_url = "", .host = "localhost",
		.exec_allow = &p.allow};
	if (a->at[0] != '\0' && !time_parse_utc(str_of(a->at), &now))
		return CLI_USAGE;
	e = a->file != NULL ? from_file(&p, env, a->file, a->arg[1], &ei) :
	    from_daemon(&p, a, a->arg[1], &ei);
	if (e == ERR_OK) {
		p.place.zone = p.zone;
		if (p.place.base_url == NULL)
			p.place.base_url = "";
		message_make(&p, s, now);
		e = show(&p, &out, &ei);
	}
	if (e != ERR_OK)
		return cli_term_failed("channel", e, &ei);
	alert_scrub(p.channel, out.p);
	cli_term_flush(&out);
	return CLI_DONE;
}

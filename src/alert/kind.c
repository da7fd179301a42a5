/* kind.c: the table of types, and what all of them share: making a channel
 * ready, cutting a message into requests, building one. */
#include "alert/kind.h"

#include <assert.h>
#include <string.h>

#include "alert/request.h"
#include "base/mem.h"
#include "conf/channel.h"

const struct alert_kind_row *const alert_kinds[] = {
	&alert_webhook, &alert_discord, &alert_slack, &alert_teams,
	&alert_mattermost, &alert_googlechat, &alert_telegram, &alert_ntfy,
	&alert_gotify, &alert_pushover, &alert_pagerduty, &alert_opsgenie,
	&alert_matrix, &alert_twilio, &alert_alertmanager, &alert_email,
	&alert_exec, NULL
};

/* -- channels ---------------------------------------------------------------- */

static const struct alert_kind_row *
kind_find(const char *type)
{
	for (size_t i = 0; alert_kinds[i] != NULL; i++)
		if (strcmp(alert_kinds[i]->name, type) == 0)
			return alert_kinds[i];
	return NULL;
}

static enum err
template_of(const char *text, struct template **ret, struct errinfo *ei)
{
	if (text == NULL)
		return ERR_OK;
	return template_parse(str_of(text), alert_field_names, ret, ei);
}

enum err
alert_channel_new(const struct channel_conf *conf, struct alert_channel **ret,
    struct errinfo *ei)
{
	struct alert_channel *c CLEANUP(alert_channel_freep) =
	    xcalloc(1, sizeof(*c));
	enum err e;

	(void)text_copy(c->name, sizeof(c->name), str_of(conf->name));
	(void)text_copy(c->type, sizeof(c->type), str_of(conf->type));
	c->kind = kind_find(conf->type);
	if (c->kind == NULL)
		return fail(ei, ERR_INVALID, "no channel type is called "
		    "\"%s\"", c->type);
	e = channel_own_read(conf, &c->own, ei);
	if (e == ERR_OK)
		e = template_of(c->own.title, &c->title, ei);
	if (e == ERR_OK)
		e = template_of(c->own.body, &c->body, ei);
	if (e == ERR_OK)
		*ret = TAKE(c);
	return e;
}

void
alert_channel_free(struct alert_channel *c)
{
	if (c == NULL)
		return;
	template_free(c->title);
	template_free(c->body);
	channel_own_free(c->type, &c->own);
	xfree(c);
}

void
alert_channel_freep(struct alert_channel *const *c)
{
	alert_channel_free(*c);
}

const char *
alert_channel_name(const struct alert_channel *c)
{
	return c->name;
}

const struct channel_own *
alert_channel_own(const struct alert_channel *c)
{
	return &c->own;
}

bool
alert_channel_grouped(const struct alert_channel *c)
{
	return c->kind->grouped;
}

/* -- secrets ------------------------------------------------------------------ */

static void
blank(char *text, const char *secret)
{
	size_t n = secret != NULL ? strlen(secret) : 0;

	/* One or two letters would blank words, and are no secret. */
	if (n < 4)
		return;
	for (char *at = strstr(text, secret); at != NULL;
	    at = strstr(at, secret)) {
		memset(at, '*', n);
		at += n;
	}
}

/* Of a webhook's URL the host may be seen; who logs in there, the path, and
 * what follows it may not. */
static void
blank_url(char *text, const char *url)
{
	const char *host = strstr(url, "://"), *path, *at, *last;
	BUF_AUTO(part, 4096);

	if (host == NULL)
		return;
	host += 3;
	path = host + strcspn(host, "/?#");
	at = memchr(host, '@', (size_t)(path - host));
	if (at != NULL) {
		buf_add(&part, (struct str){host, (size_t)(at - host)});
		blank(text, part.p);
	}
	if (*path == '\0')
		return;
	blank(text, path + 1);
	last = strrchr(path, '/');
	if (last != NULL && strlen(last) > 8)
		blank(text, last + 1);
}

void
alert_scrub(const struct alert_channel *c, char *text)
{
	const struct opt *rows = channel_rows(str_of(c->type));

	for (const struct opt *o = rows; o->name != NULL; o++) {
		const char *base = (const char *)&c->own + o->offset;

		if (o->type == OPT_SECRET) {
			const char *s = *(char *const *)(const void *)base;

			if (s != NULL && strcmp(o->name, "url") == 0)
				blank_url(text, s);
			else
				blank(text, s);
		}
	}
	for (size_t i = 0; i < c->own.headers.n; i++)
		blank(text, c->own.headers.v[i].value);
	if (c->own.password != NULL || c->own.token != NULL) {
		BUF_AUTO(plain, 2048);
		BUF_AUTO(coded, 4096);

		buf_addf(&plain, "%s:%s", c->own.user != NULL ? c->own.user :
		    c->own.account != NULL ? c->own.account : "",
		    c->own.password != NULL ? c->own.password : c->own.token);
		request_base64(buf_str(&plain), &coded);
		blank(text, coded.p);
	}
}

/* -- cutting ------------------------------------------------------------------ */

static size_t
part_size(const struct alert_message *m, const struct alert_part *p)
{
	const struct alert_kind_row *k = m->channel->kind;
	message_escape *escape = k->plain_counts ? NULL : k->escape;
	/* Of one alone the text is cut; many do not come to this. */
	BUF_AUTO(b, ALERT_BODY_MAX);

	if (k->size != NULL)
		return k->size(m, p);
	if (k->joined) {
		message_title(m, p, escape, &b);
		/* " (99/100)" and the line feed. */
		buf_adds(&b, "          ");
	}
	message_text(m, p, escape, &b);
	return buf_ok(&b) ? text_size(buf_str(&b), k->measure) : SIZE_MAX;
}

static bool
part_fits(const struct alert_message *m, size_t first, size_t n)
{
	const struct alert_part p = {.first = first, .n = n};
	size_t max = m->channel->kind->text_max;

	return part_size(m, &p) <= (max != 0 ? max : (size_t)ALERT_BODY_MAX);
}

/* How many events from first on fit into one request; at least one: too long
 * a text about one is cut instead. */
static size_t
part_most(const struct alert_message *m, size_t first)
{
	size_t good = 1, bad = m->n - first + 1;

	while (good + 1 < bad && part_fits(m, first, MIN(good * 2, bad - 1)))
		good = MIN(good * 2, bad - 1);
	bad = MIN(bad, good * 2 + 1);
	while (good + 1 < bad) {
		size_t n = good + (bad - good) / 2;

		if (part_fits(m, first, n))
			good = n;
		else
			bad = n;
	}
	return good;
}

static void
part_add(struct alert_message *m, size_t *cap, struct alert_part p)
{
	if (m->nparts == *cap) {
		*cap = MAX(*cap * 2, (size_t)4);
		m->parts = xrealloc(m->parts, *cap, sizeof(*m->parts));
	}
	m->parts[m->nparts++] = p;
}

/* Where providers keep incidents, what began and ended before it could be
 * told, and a test, begin and end there too: nothing stays open. */
static uint32_t
steps(const struct alert_kind_row *k, const struct alert_item *it)
{
	return it->collapsed || it->row->event.kind == ALERT_TEST ||
	    it->row->event.kind == ALERT_SIGHT ||
	    (k->raises && it->row->event.kind == ALERT_CHANGE) ? 2 : 1;
}

enum err
alert_split(struct alert_message *m, struct errinfo *ei)
{
	const struct alert_kind_row *k = m->channel->kind;
	uint32_t copies = k->copies != NULL ? (uint32_t)k->copies(m->channel) :
	    1;
	size_t cap = 0;

	assert(m->parts == NULL && m->nparts == 0);
	if (m->n == 0 || m->n > ALERT_ITEMS_MAX)
		return fail(ei, ERR_LIMIT, "%zu events in one message; from 1 "
		    "to %u", m->n, ALERT_ITEMS_MAX);
	for (size_t i = 0, n; i < m->n; i += n) {
		n = !k->grouped ? 1 : part_most(m, i);
		if (!k->grouped)
			copies = steps(k, &m->items[i]);
		for (uint32_t c = 0; c < copies; c++)
			part_add(m, &cap, (struct alert_part){i, n, c});
	}
	return ERR_OK;
}

void
alert_message_clear(struct alert_message *m)
{
	xfree(m->parts);
	m->parts = NULL;
	m->nparts = 0;
}

enum err
alert_build(const struct alert_message *m, size_t part,
    struct alert_request *ret, struct errinfo *ei)
{
	enum err e;

	assert(part < m->nparts);
	e = m->channel->kind->build(m, &m->parts[part], ret, ei);
	return e == ERR_OK ? request_done(ret, ei) : e;
}

/* Webhook: a request of the user's own making, JSON unless told otherwise.
 * Signed over time and body, so that a copy cannot be sent again later. */
#include <strings.h>

#include "alert/request.h"
#include "base/time.h"

#define WEBHOOK_MAX ((size_t)1 << 20)

static const char *
header_get(const struct pairs *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcasecmp(h->v[i].name, name) == 0)
			return h->v[i].value;
	return NULL;
}

/* Within a JSON text, whose quotes are the template's. */
static void
escape_json(struct buf *out, struct str s)
{
	BUF_AUTO(b, out->max);

	text_json(&b, s);
	if (b.n >= 2)
		buf_add(out, (struct str){b.p + 1, b.n - 2});
}

static message_escape *
escape_for(const char *type)
{
	struct str t = str_of(type);

	if (str_starts(t, STR("application/x-www-form-urlencoded")))
		return text_url;
	if (str_starts(t, STR("text/html")))
		return text_html;
	if (str_starts(t, STR("text/plain")))
		return NULL;
	return escape_json;
}

static void
webhook_body(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	const char *type = header_get(&m->channel->own.headers,
	    "Content-Type");

	if (m->channel->body != NULL)
		message_fill(m, p, m->channel->body,
		    escape_for(type != NULL ? type : ""), out);
	else
		message_json(m, p, out);
}

static size_t
webhook_size(const struct alert_message *m, const struct alert_part *p)
{
	BUF_AUTO(b, WEBHOOK_MAX);

	webhook_body(m, p, &b);
	return buf_ok(&b) ? b.n : SIZE_MAX;
}

static enum err
webhook_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	const char *type = header_get(&own->headers, "Content-Type");
	char once[MESSAGE_ONCE], mac[REQUEST_HMAC];
	BUF_AUTO(signed_, ALERT_BODY_MAX + 32);

	request_json(ret, own->url, "");
	ret->method = channel_methods[own->method];
	if (type != NULL) {
		struct alert_request other = {.headers = ret->headers};

		ret->headers = (struct pairs){0};
		alert_request_clear(&other);
	}
	for (size_t i = 0; i < own->headers.n; i++)
		request_header(ret, own->headers.v[i].name, "%s",
		    own->headers.v[i].value);
	request_header(ret, "Idempotency-Key", "%s",
	    message_once(m, p, once));
	webhook_body(m, p, &ret->body);
	if (own->secret == NULL)
		return ERR_OK;
	buf_addf(&signed_, "%lld.", (long long)(m->now_us / US_PER_S));
	buf_add(&signed_, buf_str(&ret->body));
	request_header(ret, "X-Vedette-Signature", "t=%lld,v1=%s",
	    (long long)(m->now_us / US_PER_S),
	    request_hmac(own->secret, buf_str(&signed_), mac));
	return ERR_OK;
}

const struct alert_kind_row alert_webhook = {
	.name = "webhook", .grouped = true, .text_max = WEBHOOK_MAX,
	.size = webhook_size, .build = webhook_build,
};

/* http_show.c: what was seen, for people: evidence kept with a first failure
 * (JSON), and the long form of "vedette probe". Foreign bytes are sanitised,
 * secrets are left out. */
#include "check/http.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "net/xfer.h"

#define EVIDENCE_MAX 98304
#define DETAILS_MAX  32768

/* A header whose name has one of these in it may carry a secret. */
static const char *const secret_words[] = {"cookie", "auth", "token", "secret",
	"key", "passw", "session", "csrf", "xsrf", "signature"};

static bool
name_secret(struct str name)
{
	char low[128];
	size_t n = MIN(name.n, sizeof(low) - 1);

	for (size_t i = 0; i < n; i++)
		low[i] = (char)(name.p[i] | 0x20);
	low[n] = '\0';
	for (size_t i = 0; i < COUNT(secret_words); i++)
		if (strstr(low, secret_words[i]) != NULL)
			return true;
	return name.n >= sizeof(low);
}

static struct str
line_trim(struct str s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

void
http_show_header(struct buf *out, struct str line)
{
	struct str name;
	struct str value;
	struct str whole = line_trim(line);

	if (whole.n == 0 || out->n + whole.n + 16 > out->max)
		return;
	value = str_cut(whole, ':', &name);
	if (name.n < whole.n && name_secret(name)) {
		buf_add(out, name);
		buf_adds(out, ": [redacted]");
	} else if (name.n == 8 && strncasecmp(name.p, "Location", 8) == 0 &&
	    memchr(value.p, '?', value.n) != NULL) {
		(void)str_cut(value, '?', &value);
		buf_add(out, name);
		buf_addc(out, ':');
		buf_add(out, value);
		buf_adds(out, "?[redacted]");
	} else {   /* or the status line, which has no name */
		buf_add(out, whole);
	}
	buf_addc(out, '\n');
}

static void
put_addresses(const struct http_check *h, struct buf *b)
{
	char text[PEER_TEXT];

	buf_addc(b, '[');
	for (unsigned i = 0; i < h->names.n; i++) {
		struct peer p = {.family = 0};

		peer_set(&p, (const struct sockaddr *)&h->names.addr[i]);
		if (i > 0)
			buf_addc(b, ',');
		text_json(b, str_of(peer_text(&p, text)));
	}
	buf_addc(b, ']');
}

static void
put_headers(struct str shown, struct buf *b)
{
	bool first = true;

	buf_addc(b, '[');
	while (shown.n > 0) {
		struct str line;

		shown = str_cut(shown, '\n', &line);
		if (!first)
			buf_addc(b, ',');
		text_json(b, line);
		first = false;
	}
	buf_addc(b, ']');
}

static struct str
body_start(const struct http_check *h)
{
	struct str s = buf_str(&h->body);

	return (struct str){s.p, MIN(s.n, (size_t)HTTP_SHOW_BODY)};
}

static const char *
url_now(const struct http_check *h)
{
	const struct http_conf *hc = h->c.conf->own;

	return h->at != NULL ? h->at : hc->url;
}

static char *
evidence(const struct http_check *h)
{
	const struct outcome *o = &h->c.out;
	char text[PEER_TEXT];
	BUF_AUTO(b, EVIDENCE_MAX);

	buf_adds(&b, "{\"url\":");
	text_json(&b, str_of(url_now(h)));
	buf_addf(&b, ",\"redirects\":%u,\"why\":", h->hop);
	text_json(&b, str_of(why_name(o->why)));
	buf_adds(&b, ",\"reason\":");
	text_json(&b, str_of(o->reason));
	buf_adds(&b, ",\"addresses\":");
	put_addresses(h, &b);
	buf_adds(&b, ",\"peer\":");
	text_json(&b, str_of(peer_text(&o->peer, text)));
	if (h->url.tls) {
		buf_adds(&b, ",\"tls\":");
		tls_json(&h->tls, &b);
	}
	buf_addf(&b, ",\"status\":%u,\"headers\":", o->code);
	put_headers(buf_str(&h->shown), &b);
	buf_adds(&b, ",\"body\":");
	text_json(&b, body_start(h));
	buf_addf(&b, ",\"body_bytes\":%u}", o->bytes);
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

static char *
details(const struct http_check *h)
{
	const struct outcome *o = &h->c.out;
	struct str rest = buf_str(&h->shown);
	char text[TIME_TEXT];
	BUF_AUTO(b, DETAILS_MAX);

	for (unsigned i = 0; i < h->hop; i++) {
		buf_adds(&b, "redirected from: ");
		text_line(&b, str_of(h->seen[i]), HTTP_URL_MAX);
		buf_addc(&b, '\n');
	}
	buf_adds(&b, "url: ");
	text_line(&b, str_of(url_now(h)), HTTP_URL_MAX);
	buf_addc(&b, '\n');
	for (unsigned i = 0; i < h->names.n; i++) {
		struct peer p = {.family = 0};
		char peer[PEER_TEXT];

		peer_set(&p, (const struct sockaddr *)&h->names.addr[i]);
		buf_addf(&b, "address: %s\n", peer_text(&p, peer));
	}
	if (h->url.tls)
		tls_lines(&h->tls, &b);
	if (o->cert_expiry_s != 0)
		buf_addf(&b, "certificate ends: %s\n",
		    time_format_utc(o->cert_expiry_s * US_PER_S, text));
	while (rest.n > 0) {
		struct str line;

		rest = str_cut(rest, '\n', &line);
		buf_adds(&b, "header: ");
		text_line(&b, line, 512);
		buf_addc(&b, '\n');
	}
	buf_addf(&b, "body bytes: %u\n", o->bytes);
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

void
http_show(struct http_check *h)
{
	struct check *c = &h->c;

	if (c->want_evidence && c->out.why != WHY_OK) {
		xfree(c->out.evidence);
		c->out.evidence = evidence(h);
	}
	if (c->want_details) {
		xfree(c->out.details);
		c->out.details = details(h);
	}
}

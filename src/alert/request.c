#include "alert/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/mem.h"
#include "base/time.h"

#define HEADER_MAX 8192
#define BASE64_MAX ((size_t)8 << 20)

void
request_header(struct alert_request *r, const char *name, const char *fmt,
    ...)
{
	char raw[HEADER_MAX];
	BUF_AUTO(clean, HEADER_MAX);
	va_list ap;
	struct pair *p;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_line(&clean, str_of(raw), HEADER_MAX);
	r->headers.v = xrealloc(r->headers.v, r->headers.n + 1,
	    sizeof(*r->headers.v));
	p = &r->headers.v[r->headers.n++];
	p->name = xstrdup(name);
	p->value = buf_take(&clean);
}

void
request_base64(struct str s, struct buf *out)
{
	unsigned char in[48], text[65];

	while (s.n > 0) {
		size_t n = MIN(s.n, sizeof(in));

		memcpy(in, s.p, n);
		(void)EVP_EncodeBlock(text, in, (int)n);
		buf_adds(out, (char *)text);
		s.p += n;
		s.n -= n;
	}
}

void
request_login(struct alert_request *r, const char *user, const char *password)
{
	BUF_AUTO(plain, 2048);
	BUF_AUTO(coded, 4096);

	buf_addf(&plain, "%s:%s", user, password != NULL ? password : "");
	request_base64(buf_str(&plain), &coded);
	request_header(r, "Authorization", "Basic %s",
	    coded.p != NULL ? coded.p : "");
}

void
request_push(struct strings *list, const char *text)
{
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = xstrdup(text);
}

static void
request_post(struct alert_request *r, const char *base, const char *path,
    const char *type)
{
	BUF_AUTO(url, 8192);
	struct str b = str_of(base);

	if (path[0] != '\0')
		while (b.n > 0 && b.p[b.n - 1] == '/')
			b.n--;
	buf_add(&url, b);
	buf_adds(&url, path);
	r->kind = REQUEST_HTTP;
	r->method = "POST";
	r->url = buf_take(&url);
	buf_init(&r->body, ALERT_BODY_MAX);
	request_header(r, "Content-Type", "%s", type);
}

void
request_json(struct alert_request *r, const char *base, const char *path)
{
	request_post(r, base, path, "application/json");
}

void
request_form(struct alert_request *r, const char *base, const char *path)
{
	request_post(r, base, path, "application/x-www-form-urlencoded");
}

void
request_field(struct alert_request *r, const char *name, struct str value)
{
	buf_addf(&r->body, "%s%s=", r->body.n > 0 ? "&" : "", name);
	text_url(&r->body, value);
}

void
request_pair(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_addc(b, ',');
	buf_addf(b, "\"%s\":", name);
	text_json(b, value);
}

void
request_time(struct buf *b, const char *name, int64_t us)
{
	char text[TIME_TEXT];

	request_pair(b, name, str_of(time_format_utc(us, text)));
}

void
request_link(struct buf *b, const char *name, const struct alert_message *m,
    const struct alert_part *p)
{
	BUF_AUTO(url, 4096);

	message_url(m, p, &url);
	if (url.n > 0)
		request_pair(b, name, buf_str(&url));
}

enum err
request_done(const struct alert_request *r, struct errinfo *ei)
{
	if (!buf_ok(&r->body))
		return fail(ei, ERR_LIMIT, "the message is larger than %u "
		    "bytes", ALERT_BODY_MAX);
	return ERR_OK;
}

const char *
request_hmac(const char *key, struct str text, char dst[REQUEST_HMAC])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	(void)HMAC(EVP_sha256(), key, (int)strlen(key),
	    (const unsigned char *)text.p, text.n, mac, &n);
	text_hex(dst, REQUEST_HMAC, mac, (REQUEST_HMAC - 1) / 2);
	return dst;
}

static void
strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		xfree(s->v[i]);
	xfree(s->v);
}

void
alert_request_clear(struct alert_request *r)
{
	for (size_t i = 0; i < r->headers.n; i++) {
		xfree(r->headers.v[i].name);
		xfree(r->headers.v[i].value);
	}
	xfree(r->headers.v);
	strings_clear(&r->to);
	strings_clear(&r->argv);
	strings_clear(&r->env);
	xfree(r->url);
	xfree(r->user);
	xfree(r->password);
	xfree(r->from);
	buf_free(&r->body);
	memset(r, 0, sizeof(*r));
}

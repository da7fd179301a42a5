/* http_judge.c: what a transfer means. Pure. */
#include "check/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

bool
http_judge_redirects(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

enum why
http_judge_timeout(enum http_stage stage, bool tls, bool handshaken)
{
	switch (stage) {
	case HTTP_IDLE:
		return WHY_LOCAL_LATE;
	case HTTP_RESOLVE:
		return WHY_LOCAL_RESOLVER;
	case HTTP_DIAL:
		return WHY_NET_TIMEOUT;
	case HTTP_TRANSFER:
		return tls && !handshaken ? WHY_TLS_TIMEOUT : WHY_TIMEOUT;
	}
	return WHY_LOCAL_OTHER;
}

static enum why
io_failed(const struct http_answer *a)
{
	if (a->os_error == ECONNRESET || a->os_error == EPIPE)
		return WHY_NET_RESET;
	if (a->os_error == ETIMEDOUT)
		return WHY_TIMEOUT;
	/* Over TLS a close without its alert; else bad chunks. */
	if (a->tls)
		return strstr(a->text, "chunk") != NULL ? WHY_HTTP_MALFORMED :
		    WHY_NET_CLOSED;
	return WHY_HTTP_MALFORMED;
}

static enum why
handshake_failed(const struct http_answer *a)
{
	if (a->tls_error != 0)
		return tls_why(a->tls_error);
	if (a->os_error == ECONNRESET || a->os_error == EPIPE)
		return WHY_NET_RESET;
	return WHY_TLS_HANDSHAKE;
}

static enum why
transfer_failed(const struct http_answer *a)
{
	/* libcurl has more codes than matter; what is not named is malformed
	 * as seen from here. Hence the default. */
	switch ((int)a->rc) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return handshake_failed(a);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_FAILED_INIT:
	case CURLE_SSL_ENGINE_INITFAILED:
		return WHY_LOCAL_OTHER;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return WHY_NET_CLOSED;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return a->tls && !a->handshaken ? handshake_failed(a) :
		    io_failed(a);
	case CURLE_OPERATION_TIMEDOUT:
		return WHY_TIMEOUT;
	case CURLE_BAD_CONTENT_ENCODING:
		return WHY_HTTP_ENCODING;
	case CURLE_COULDNT_CONNECT:   /* reset before the first byte */
		return net_why_later(a->os_error);
	default:
		return WHY_HTTP_MALFORMED;
	}
}

static bool
has(struct str body, const char *what)
{
	return memmem(body.p != NULL ? body.p : "", body.n, what,
	    strlen(what)) != NULL;
}

static enum why
judge_body(const struct http_conf *hc, const struct http_answer *a,
    char *reason)
{
	const struct strings *must = &hc->expect.body_contains;
	const struct strings *must_not = &hc->expect.body_lacks;

	for (size_t i = 0; i < must->n; i++) {
		if (has(a->body, must->v[i]))
			continue;
		(void)snprintf(reason, REASON_MAX,
		    "\"%.80s\" is not in the%s %zu bytes of the body",
		    must->v[i], a->enough ? " first" : "", a->body.n);
		return WHY_HTTP_BODY_LACKS;
	}
	for (size_t i = 0; i < must_not->n; i++) {
		if (!has(a->body, must_not->v[i]))
			continue;
		(void)snprintf(reason, REASON_MAX, "the body contains \"%.80s\"",
		    must_not->v[i]);
		return WHY_HTTP_BODY_HAS;
	}
	return WHY_OK;
}

static void
ranges_text(const struct ranges *r, char *dst, size_t size)
{
	size_t at = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < r->n && at < size; i++) {
		const char *sep = i > 0 ? "," : "";
		int n = r->v[i].lo == r->v[i].hi ?
		    snprintf(dst + at, size - at, "%s%u", sep, r->v[i].lo) :
		    snprintf(dst + at, size - at, "%s%u-%u", sep, r->v[i].lo,
		    r->v[i].hi);

		at += n > 0 ? (size_t)n : 0;
	}
}

static enum why
judge_certificate(const struct http_conf *hc, const struct http_answer *a,
    char *reason)
{
	int64_t left_s = a->not_after_s - a->now_s;
	char text[TIME_TEXT];

	if (!a->tls || a->not_after_s == 0 || hc->cert_expiry_ns == 0 ||
	    left_s >= hc->cert_expiry_ns / NS_PER_S)
		return WHY_OK;
	if (left_s <= 0)
		(void)snprintf(reason, REASON_MAX,
		    "the certificate has expired");
	else
		(void)snprintf(reason, REASON_MAX, "%s ends in %s",
		    a->issuer_ends ? "an issuer's certificate in the chain" :
		    "the certificate",
		    time_format_human(left_s * NS_PER_S, text));
	return WHY_TLS_EXPIRES_SOON;
}

enum why
http_judge(const struct http_conf *hc, const struct http_answer *a,
    char *reason)
{
	char want[64];
	enum why why;

	reason[0] = '\0';
	/* libcurl calls a line beyond its own, larger limit out of memory. */
	if (a->headers_over || a->rc == CURLE_OUT_OF_MEMORY) {
		(void)snprintf(reason, REASON_MAX,
		    "more than %d bytes of headers", HTTP_HEADERS_MAX);
		return WHY_HTTP_HEADERS;
	}
	if (a->bomb) {
		(void)snprintf(reason, REASON_MAX,
		    "the compressed body unpacks to more than %u times its "
		    "size", HTTP_BOMB_RATIO);
		return WHY_HTTP_ENCODING;
	}
	if (a->rc != CURLE_OK && !a->enough) {
		why = transfer_failed(a);
		(void)snprintf(reason, REASON_MAX, "%s", a->text[0] != '\0' ?
		    a->text : curl_easy_strerror(a->rc));
		return why;
	}
	if (!ranges_have(&hc->expect.status, (uint32_t)a->status)) {
		ranges_text(&hc->expect.status, want, sizeof(want));
		(void)snprintf(reason, REASON_MAX, "status %ld, want %s",
		    a->status, want);
		return WHY_HTTP_STATUS;
	}
	why = judge_body(hc, a, reason);
	return why != WHY_OK ? why : judge_certificate(hc, a, reason);
}

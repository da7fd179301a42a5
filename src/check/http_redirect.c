/* http_redirect.c: where an answer leads, and whether we go there. */
#include <string.h>

#include "base/mem.h"
#include "check/http.h"
#include "net/xfer.h"

/* libcurl knows how to join a base and a reference. A reference that it
 * cannot read is passed on as it is: http_url_parse says what is wrong. */
static char *
join(const char *base, const char *to)
{
	CURLU *u = curl_url();
	char *joined = NULL, *url;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, to, CURLU_URLENCODE |
	    CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
		(void)curl_url_get(u, CURLUPART_URL, &joined, 0);
	url = xstrdup(joined != NULL ? joined : to);
	curl_free(joined);
	curl_url_cleanup(u);
	return url;
}

/* Not CURLINFO_REDIRECT_URL: that is set only when the body was read to its
 * end, and we stop at body_max. */
char *
http_redirect_url(const struct http_check *h)
{
	const struct http_conf *hc = h->c.conf->own;
	struct curl_header *to;

	if (curl_easy_header(h->x->easy, "Location", 0, CURLH_HEADER, -1,
	    &to) != CURLHE_OK || to->value[0] == '\0')
		return NULL;
	return join(h->at != NULL ? h->at : hc->url, to->value);
}

/* May what is meant for a be sent to b? The step up to TLS is no other place. */
static bool
same_place(const struct http_url *a, const struct http_url *b)
{
	if (a->host.n != b->host.n ||
	    strncasecmp(a->host.p, b->host.p, a->host.n) != 0)
		return false;
	return (a->tls == b->tls && a->port == b->port) ||
	    (!a->tls && b->tls && a->port == 80 && b->port == 443);
}

/* With this method: after a POST its own URL may well be the one to get. */
static bool
been_there(const struct http_check *h, const char *url)
{
	for (unsigned i = h->turned; i < h->hop; i++)
		if (strcmp(h->seen[i], url) == 0)
			return true;
	return false;
}

static bool
turns_to_get(uint16_t status, const char *method)
{
	if (status == 303)
		return strcmp(method, "HEAD") != 0;
	return (status == 301 || status == 302) && strcmp(method, "POST") == 0;
}

bool
http_redirect_to(struct http_check *h, const char *url)
{
	const struct http_conf *hc = h->c.conf->own;
	struct http_url home = {.tls = false};
	uint16_t status = h->c.out.code;
	const char *wrong;
	struct http_url u;

	wrong = http_url_parse(str_of(url), &u);
	if (wrong != NULL) {
		check_why(&h->c, WHY_HTTP_REDIRECTS,
		    "status %u leads to a URL that is not followed: %s",
		    status, wrong);
		return false;
	}
	if (h->hop == hc->redirects) {
		check_why(&h->c, WHY_HTTP_REDIRECTS, "more than %u redirects",
		    hc->redirects);
		return false;
	}
	h->seen[h->hop++] = h->at != NULL ? TAKE(h->at) : xstrdup(hc->url);
	if (!h->get_only && turns_to_get(status, hc->method)) {
		h->get_only = true;
		h->turned = h->hop;
	}
	if (been_there(h, url)) {
		check_why(&h->c, WHY_HTTP_REDIRECTS,
		    "the redirects go round in a circle: %.100s", url);
		return false;
	}
	h->at = xstrdup(url);
	(void)http_url_parse(str_of(h->at), &h->url);
	(void)http_url_parse(str_of(hc->url), &home);
	if (!same_place(&home, &h->url))
		h->foreign = true;
	return true;
}

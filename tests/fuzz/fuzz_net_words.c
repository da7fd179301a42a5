/* What says where a check connects to: URLs and networks of the target policy.
 * A URL that we take apart means the same to libcurl, or what is resolved and
 * allowed would not be what is asked; a network has its own first address. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "check/http.h"
#include "net/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libcurl writes "127.1" and "0x7f000001" anew. */
static bool
looks_like_ip4(struct str h)
{
	for (size_t i = 0; i < h.n; i++)
		if (strchr("0123456789abcdefABCDEFxX.", h.p[i]) == NULL)
			return false;
	return true;
}

static bool
same_host(struct str ours, const char *theirs)
{
	size_t n = strlen(theirs);
	struct in6_addr a, b;
	char text[INET6_ADDRSTRLEN];

	if (theirs[0] != '[')
		return looks_like_ip4(ours) || (n == ours.n &&
		    strncasecmp(ours.p, theirs, n) == 0);
	if (n < 2 || n - 2 >= sizeof(text) || ours.n >= sizeof(text))
		return false;
	memcpy(text, theirs + 1, n - 2);
	text[n - 2] = '\0';
	if (inet_pton(AF_INET6, text, &b) != 1)
		return false;
	memcpy(text, ours.p, ours.n);
	text[ours.n] = '\0';
	return inet_pton(AF_INET6, text, &a) == 1 &&
	    memcmp(&a, &b, sizeof(a)) == 0;
}

static void
part_is(CURLU *cu, const struct http_url *u)
{
	char *host = NULL, *port = NULL, *scheme = NULL;

	assert(curl_url_get(cu, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	assert(curl_url_get(cu, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
	    CURLUE_OK);
	assert(curl_url_get(cu, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
	assert(same_host(u->host, host));
	assert(strtoul(port, NULL, 10) == u->port);
	assert((strcmp(scheme, "https") == 0) == u->tls);
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
}

static void
fuzz_url(struct str s)
{
	struct http_url u;
	char *text;
	CURLU *cu;

	if (http_url_parse(s, &u) != NULL)
		return;
	assert(u.port != 0);
	assert(u.host.n > 0);
	assert(u.host.n <= HTTP_HOST_MAX);
	assert(u.host.p > s.p);
	assert(u.host.p + u.host.n <= s.p + s.n);
	text = xstrndup(s.p, s.n);
	cu = curl_url();
	assert(cu != NULL);
	if (curl_url_set(cu, CURLUPART_URL, text, 0) == CURLUE_OK)
		part_is(cu, &u);
	curl_url_cleanup(cu);
	xfree(text);
}

static void
fuzz_cidr(struct str s)
{
	struct errinfo ei;
	struct cidr c;
	struct policy p = {.deny = &c, .ndeny = 1};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (policy_cidr(s, &c, &ei) != ERR_OK) {
		assert(ei.text[0] != '\0');
		return;
	}
	assert(c.bits <= 128);
	memcpy(&in6.sin6_addr, c.ip, sizeof(c.ip));
	assert(!policy_allows(&p, (struct sockaddr *)&in6));
	p.allow = &c;
	p.nallow = 1;
	assert(policy_allows(&p, (struct sockaddr *)&in6));
	/* The last bit of the prefix turned round is outside. */
	if (c.bits > 0) {
		p.nallow = 0;
		in6.sin6_addr.s6_addr[(c.bits - 1) / 8] ^=
		    (uint8_t)(0x80 >> (c.bits - 1) % 8);
		if (in6.sin6_addr.s6_addr[0] != 0x20 &&
		    in6.sin6_addr.s6_addr[0] != 0x00)   /* 6to4, NAT64 */
			assert(policy_allows(&p, (struct sockaddr *)&in6));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {(const char *)data, size};

	fuzz_url(s);
	fuzz_cidr(s);
	return 0;
}

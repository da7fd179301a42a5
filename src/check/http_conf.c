/* http_conf.c: the settings of an http check. */
#include "check/http.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const ip_names[] = {"any", "4", "6", NULL};
static const char *const version_names[] = {"1.1", "2", NULL};

static const char *
check_url(struct str s)
{
	struct http_url u;

	return http_url_parse(s, &u);
}

/* RFC 9110 §5.6.2. */
static bool
token_ok(struct str s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) &&
		    (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
			return false;
	return true;
}

static const char *
check_method(struct str s)
{
	return token_ok(s) ? NULL : "a method such as GET, HEAD or POST";
}

static const char *
check_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return "text without line breaks and control characters";
	return NULL;
}

static const struct opt auth_opts[] = {
	STRING("user", http_conf, auth.user, .max = 256, .check = check_line,
	    .help = "User name for basic authentication."),
	SECRET("password", http_conf, auth.password, .max = 1024,
	    .check = check_line,
	    .help = "Password for basic authentication."),
	SECRET("bearer", http_conf, auth.bearer, .max = 4096,
	    .check = check_line,
	    .help = "Token for \"Authorization: Bearer\"."),
	OPT_END
};

static const struct opt expect_opts[] = {
	RANGES("status", http_conf, expect.status, .dflt = "200-299",
	    .min = 100, .max = 599,
	    .help = "Status codes that mean up; 3xx only without redirects."),
	STRINGS("body_contains", http_conf, expect.body_contains, .max = 32,
	    .help = "Texts that must all be in the body."),
	STRINGS("body_lacks", http_conf, expect.body_lacks, .max = 32,
	    .help = "Texts none of which may be in the body."),
	OPT_END
};

const struct opt http_conf_opts[] = {
	STRING("url", http_conf, url, .flags = OPT_REQUIRED | OPT_TARGET,
	    .min = 1, .max = HTTP_URL_MAX, .check = check_url,
	    .help = "What to fetch, an absolute http:// or https:// URL."),
	STRING("method", http_conf, method, .dflt = "GET", .max = 16,
	    .check = check_method, .help = "Request method."),
	PAIRS("headers", http_conf, headers, .flags = OPT_SECRETS, .max = 64,
	    .help = "Request headers by name; the values are kept secret."),
	STRING("body", http_conf, body, .max = 65536,
	    .help = "Request body."),
	TABLE("auth", auth_opts, .help = "How to authenticate."),
	CHOICE("ip", http_conf, ip, .dflt = "any", .choices = ip_names,
	    .help = "Which addresses to use: any, 4 or 6."),
	COUNTER("redirects", http_conf, redirects, .dflt = "5", .min = 0,
	    .max = HTTP_REDIRECTS_MAX,
	    .help = "How many redirects to follow; 0: none, a 3xx is judged "
		    "as any status."),
	TABLE("expect", expect_opts, .help = "What a good answer is."),
	FLAG("insecure", http_conf, insecure, .dflt = "false",
	    .help = "Accept any certificate."),
	FLAG("verify_hostname", http_conf, verify_hostname, .dflt = "true",
	    .help = "The certificate must name the host of the URL."),
	DURATION("cert_expiry", http_conf, cert_expiry_ns, .dflt = "14d",
	    .min = 0, .max = INT64_C(400) * 86400 * 1000000000,
	    .help = "Degraded when the certificate ends within this time; "
		    "0: off."),
	SIZE("body_max", http_conf, body_max, .dflt = "64KiB", .min = 0,
	    .max = HTTP_BODY_MAX,
	    .help = "Read at most this much of the body, unpacked."),
	FLAG("compressed", http_conf, compressed, .dflt = "false",
	    .help = "Ask for a compressed body and unpack it."),
	CHOICE("http_version", http_conf, version, .dflt = "1.1",
	    .choices = version_names,
	    .help = "1.1, or 2 where the server offers it over TLS."),
	OPT_END
};

/* Headers that frame the message are libcurl's to set. */
static bool
header_reserved(struct str name)
{
	static const char *const names[] = {"Content-Length",
		"Transfer-Encoding", "Connection", "Upgrade", "Expect"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (name.n == strlen(names[i]) &&
		    strncasecmp(name.p, names[i], name.n) == 0)
			return true;
	return false;
}

static enum err
headers_check(const struct http_conf *hc, struct errinfo *ei)
{
	size_t total = 0;

	for (size_t i = 0; i < hc->headers.n; i++) {
		struct str name = str_of(hc->headers.v[i].name);
		struct str value = str_of(hc->headers.v[i].value);

		if (!token_ok(name))
			return fail_at(ei, ERR_INVALID, "headers", 0,
			    "a header name has other characters than letters, "
			    "digits and \"-\"");
		if (header_reserved(name))
			return fail_at(ei, ERR_INVALID, "headers", 0,
			    "the header %.*s cannot be set",
			    (int)name.n, name.p);
		if (check_line(value) != NULL)
			return fail_at(ei, ERR_INVALID, "headers", 0,
			    "the value of %.*s has line breaks or control "
			    "characters", (int)name.n, name.p);
		total += name.n + value.n + 4;
	}
	if (total > HTTP_HEADERS_MAX / 4)
		return fail_at(ei, ERR_LIMIT, "headers", 0,
		    "more than %d bytes of headers", HTTP_HEADERS_MAX / 4);
	return ERR_OK;
}

/* What is followed is never judged: such a monitor could not be up. */
static bool
waits_for_redirect(const struct http_conf *hc)
{
	const struct ranges *r = &hc->expect.status;

	if (hc->redirects == 0 || r->n == 0)
		return false;
	for (size_t i = 0; i < r->n; i++)
		for (uint32_t code = r->v[i].lo; code <= r->v[i].hi; code++)
			if (!http_judge_redirects((long)code))
				return false;
	return true;
}

enum err
http_conf_finish(void *conf, struct errinfo *ei)
{
	struct http_conf *hc = conf;

	if (hc->auth.bearer != NULL &&
	    (hc->auth.user != NULL || hc->auth.password != NULL))
		return fail_at(ei, ERR_INVALID, "auth", 0,
		    "bearer excludes user and password");
	if (hc->auth.password != NULL && hc->auth.user == NULL)
		return fail_at(ei, ERR_INVALID, "auth.user", 0,
		    "is missing; auth.password needs it");
	if (hc->auth.user != NULL && strchr(hc->auth.user, ':') != NULL)
		return fail_at(ei, ERR_INVALID, "auth.user", 0,
		    "must not contain \":\"");
	if (strcmp(hc->method, "HEAD") == 0 && http_conf_wants_body(hc))
		return fail_at(ei, ERR_INVALID, "expect", 0,
		    "HEAD has no body to compare; use GET");
	if (hc->body_max == 0 && http_conf_wants_body(hc))
		return fail_at(ei, ERR_INVALID, "body_max", 0,
		    "is 0, but expect compares the body");
	if (waits_for_redirect(hc))
		return fail_at(ei, ERR_INVALID, "expect.status", 0,
		    "is a redirect, which is followed and so never seen; "
		    "set redirects: 0");
	return headers_check(hc, ei);
}

void
http_conf_target(const void *conf, struct buf *out)
{
	const struct http_conf *hc = conf;

	buf_adds(out, hc->url);
}

void
http_conf_host(const void *conf, struct buf *out)
{
	const struct http_conf *hc = conf;
	struct http_url u;

	if (http_url_parse(str_of(hc->url), &u) != NULL)
		return;
	for (size_t i = 0; i < u.host.n; i++)
		buf_addc(out, (char)tolower((unsigned char)u.host.p[i]));
}

bool
http_conf_wants_body(const struct http_conf *hc)
{
	return hc->expect.body_contains.n > 0 || hc->expect.body_lacks.n > 0;
}

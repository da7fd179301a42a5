#include "check/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool
host_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool
host_name_ok(struct str h)
{
	if (h.n == 0 || h.n > HTTP_HOST_MAX)
		return false;
	for (size_t i = 0; i < h.n; i++)
		if (!host_char((unsigned char)h.p[i]))
			return false;
	return true;
}

static bool
host_ip6_ok(struct str h)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	if (h.n == 0 || h.n >= sizeof(text))
		return false;
	memcpy(text, h.p, h.n);
	text[h.n] = '\0';
	return inet_pton(AF_INET6, text, &in6) == 1;
}

/* "host", "host:port", "[::1]:port". */
static const char *
authority(struct str s, struct http_url *u)
{
	struct str port;
	uint64_t n = u->tls ? 443 : 80;

	if (s.n > 0 && s.p[0] == '[') {
		port = str_cut((struct str){s.p + 1, s.n - 1}, ']', &u->host);
		if (u->host.n + 2 > s.n || !host_ip6_ok(u->host))
			return "the address in brackets is not IPv6";
		if (port.n > 0 && port.p[0] != ':')
			return "after ] only a port may follow";
		if (port.n > 0)
			port = (struct str){port.p + 1, port.n - 1};
	} else {
		port = str_cut(s, ':', &u->host);
		if (!host_name_ok(u->host))
			return "the host is missing or not of letters, "
			       "digits, \"-\" and \".\" (for others write the "
			       "xn-- form)";
	}
	if (port.n > 0 && (!str_u64(port, UINT16_MAX, &n) || n == 0))
		return "the port is not a number from 1 to 65535";
	u->port = (uint16_t)n;
	return NULL;
}

static bool
starts_nocase(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && strncasecmp(s.p, prefix, n) == 0;
}

const char *
http_url_parse(struct str s, struct http_url *ret)
{
	struct http_url u = {.tls = false};
	size_t skip = 7;
	size_t end;
	const char *wrong;

	if (s.n > HTTP_URL_MAX)
		return "the URL is longer than 2048 bytes";
	if (starts_nocase(s, "https://")) {
		u.tls = true;
		skip = 8;
	} else if (!starts_nocase(s, "http://")) {
		return "an absolute http:// or https:// URL is needed";
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    s.p[i] == '\\')
			return "spaces, control characters and backslashes "
			       "are not allowed";
	for (end = skip; end < s.n; end++)
		if (strchr("/?#", s.p[end]) != NULL)
			break;
	if (memchr(s.p + skip, '@', end - skip) != NULL)
		return "user and password do not belong into the URL; use auth";
	wrong = authority((struct str){s.p + skip, end - skip}, &u);
	if (wrong == NULL)
		*ret = u;
	return wrong;
}

/* dns_server.c: c-ares reads the system's configuration; see dns_server.h. */
#include "check/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <ares.h>

#define DNS_PORT 53

static bool
is_ipv6(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, &a) == 1;
}

static bool
host_ok(struct str s)
{
	if (s.n == 0 || s.n >= DNS_SERVER_HOST)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == 0x7f || c == '/' || c == '[' || c == ']')
			return false;
	}
	return true;
}

bool
dns_server_parse(struct str s, struct dns_server *ret)
{
	struct str host, port = {NULL, 0};
	uint64_t n = DNS_PORT;
	bool bracket = s.n > 0 && s.p[0] == '[';

	if (bracket) {
		port = str_cut((struct str){s.p + 1, s.n - 1}, ']', &host);
		if (host.n + 2 > s.n || !is_ipv6(host))
			return false;
		if (port.n > 0 && port.p[0] != ':')
			return false;
		if (port.n > 0)
			port = (struct str){port.p + 1, port.n - 1};
	} else if (is_ipv6(s)) {
		host = s;
	} else {
		port = str_cut(s, ':', &host);
	}
	if (!host_ok(host) || host.n + (bracket ? 2 : 0) + 1 == s.n)
		return false;   /* a colon, and nothing behind it */
	if (memchr(host.p, ':', host.n) != NULL && !is_ipv6(host))
		return false;
	if (port.n > 0 && (!str_u64(port, UINT16_MAX, &n) || n == 0))
		return false;
	memcpy(ret->host, host.p, host.n);
	ret->host[host.n] = '\0';
	ret->port = (uint16_t)n;
	return true;
}

bool
dns_server_system(struct dns_server *ret)
{
	struct ares_addr_port_node *servers = NULL;
	ares_channel channel;
	bool ok = false;

	if (ares_init(&channel) != ARES_SUCCESS)
		return false;
	if (ares_get_servers_ports(channel, &servers) == ARES_SUCCESS &&
	    servers != NULL) {
		const void *ip = servers->family == AF_INET ?
		    (const void *)&servers->addr.addr4 :
		    (const void *)&servers->addr.addr6;

		ok = inet_ntop(servers->family, ip, ret->host,
		    sizeof(ret->host)) != NULL;
		ret->port = servers->udp_port > 0 ?
		    (uint16_t)servers->udp_port : DNS_PORT;
	}
	ares_free_data(servers);
	ares_destroy(channel);
	return ok;
}

void
dns_server_text(const struct dns_server *s, struct buf *out)
{
	bool six = strchr(s->host, ':') != NULL;

	buf_addf(out, six ? "[%s]:%u" : "%s:%u", s->host, s->port);
}

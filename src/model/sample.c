#include "model/sample.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

static const char *const phase_names[] = {
	[PHASE_RESOLVE] = "resolve",
	[PHASE_CONNECT] = "connect",
	[PHASE_TLS] = "tls",
	[PHASE_FIRST_BYTE] = "first_byte",
	[PHASE_TRANSFER] = "transfer",
};
_Static_assert(COUNT(phase_names) == PHASE_NMAX, "one name per phase");

const char *
phase_name(enum phase p)
{
	return (unsigned)p < COUNT(phase_names) ? phase_names[p] : "?";
}

const char *
peer_text(const struct peer *p, char *dst)
{
	char ip[INET6_ADDRSTRLEN];

	dst[0] = '\0';
	if (p->family != 4 && p->family != 6)
		return dst;
	if (inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->ip, ip,
	    sizeof(ip)) == NULL)
		return dst;
	if (p->port == 0)   /* ICMP has none */
		(void)snprintf(dst, PEER_TEXT, "%s", ip);
	else
		(void)snprintf(dst, PEER_TEXT,
		    p->family == 4 ? "%s:%u" : "[%s]:%u", ip,
		    (unsigned)p->port);
	return dst;
}

bool
peer_is_loopback(const struct peer *p)
{
	static const uint8_t one[16] = {[15] = 1};

	return p->family == 4 ? p->ip[0] == 127 :
	    p->family == 6 && memcmp(p->ip, one, sizeof(one)) == 0;
}

void
peer_set(struct peer *p, const struct sockaddr *sa)
{
	/* Copied out: sa may point into a packed or unaligned buffer. */
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	*p = (struct peer){0};
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		p->family = 4;
		p->port = ntohs(in.sin_port);
		memcpy(p->ip, &in.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		p->port = ntohs(in6.sin6_port);
		/* A mapped address is IPv4 on the wire. */
		p->family = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 4 : 6;
		if (p->family == 4)
			memcpy(p->ip, in6.sin6_addr.s6_addr + 12, 4);
		else
			memcpy(p->ip, &in6.sin6_addr, 16);
	}
}

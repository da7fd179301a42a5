/* addr.c: see addr.h. */
#include "http/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void
addr_set4(struct addr *a, const void *ip4)
{
	memcpy(a->ip, mapped, sizeof(mapped));
	memcpy(a->ip + 12, ip4, 4);
}

bool
addr_parse(struct str s, struct addr *ret)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in_addr v4;
	struct in6_addr v6;

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		addr_set4(ret, &v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(ret->ip, &v6, sizeof(ret->ip));
	return true;
}

bool
addr_of(const struct sockaddr *sa, struct addr *ret)
{
	if (sa == NULL)
		return false;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		addr_set4(ret, &in.sin_addr);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(ret->ip, &in6.sin6_addr, sizeof(ret->ip));
		return true;
	}
	return false;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (memcmp(a->ip, mapped, sizeof(mapped)) == 0)
		return a->ip[12] == 127;
	return memcmp(a->ip, one, sizeof(one)) == 0;
}

uint64_t
addr_hash(const struct addr *a)
{
	/* An IPv6 host has its whole /64: count that, not the address. */
	size_t n = memcmp(a->ip, mapped, sizeof(mapped)) == 0 ? 16 : 8;

	return map_hash_str((struct str){(const char *)a->ip, n});
}

bool
addr_net_parse(struct str s, struct addr_net *ret)
{
	struct str ip, tail = str_cut(s, '/', &ip);
	struct addr_net net = {.bits = 128};
	bool v4;
	uint64_t bits;

	if (!addr_parse(ip, &net.base))
		return false;
	v4 = memcmp(net.base.ip, mapped, sizeof(mapped)) == 0;
	if (ip.n < s.n) {
		if (!str_u64(tail, v4 ? 32 : 128, &bits))
			return false;
		net.bits = (unsigned)bits + (v4 ? 96 : 0);
	}
	*ret = net;
	return true;
}

static bool
addr_net_has(const struct addr_net *n, const struct addr *a)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(n->base.ip, a->ip, whole) != 0)
		return false;
	return rest == 0 || ((n->base.ip[whole] ^ a->ip[whole]) & mask) == 0;
}

bool
addr_nets_have(const struct addr_nets *n, const struct addr *a)
{
	for (size_t i = 0; i < n->n; i++)
		if (addr_net_has(&n->v[i], a))
			return true;
	return false;
}

void
addr_nets_free(struct addr_nets *n)
{
	xfree(n->v);
	*n = (struct addr_nets){0};
}

/* Cut the last item off a comma-separated list. */
static bool
addr_last(struct str *list, struct str *ret)
{
	size_t at = list->n;

	if (list->p == NULL || list->n == 0)
		return false;
	while (at > 0 && list->p[at - 1] != ',')
		at--;
	*ret = str_trim((struct str){list->p + at, list->n - at});
	list->n = at > 0 ? at - 1 : 0;
	return true;
}

struct addr
addr_client(const struct addr_nets *trusted, const struct addr *peer,
    struct str forwarded_for)
{
	struct addr at = *peer, next;
	struct str item;

	while (addr_nets_have(trusted, &at) && addr_last(&forwarded_for, &item)) {
		if (!addr_parse(item, &next))
			break;
		at = next;
	}
	return at;
}

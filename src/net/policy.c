#include "net/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"

static void
map_v4(uint8_t *dst, const void *v4)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(dst, prefix, sizeof(prefix));
	memcpy(dst + 12, v4, 4);
}

enum err
policy_cidr(struct str s, struct cidr *ret, struct errinfo *ei)
{
	struct cidr c = {.bits = 0};
	struct str addr;
	struct str bits = str_cut(s, '/', &addr);
	bool whole = addr.n == s.n;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;
	bool v4;

	if (addr.n == 0 || addr.n >= sizeof(text))
		return fail(ei, ERR_PARSE,
		    "\"%.*s\" is not a network; allowed: 192.0.2.0/24, "
		    "2001:db8::/32 or one address",
		    (int)MIN(s.n, (size_t)64), s.p);
	memcpy(text, addr.p, addr.n);
	text[addr.n] = '\0';
	v4 = memchr(text, ':', addr.n) == NULL;
	if (v4) {
		struct in_addr in;

		if (inet_pton(AF_INET, text, &in) != 1)
			return fail(ei, ERR_PARSE,
			    "\"%s\" is not an IPv4 address", text);
		map_v4(c.ip, &in);
	} else if (inet_pton(AF_INET6, text, c.ip) != 1) {
		return fail(ei, ERR_PARSE, "\"%s\" is not an IPv6 address",
		    text);
	}
	n = v4 ? 32 : 128;
	if (!whole && !str_u64(bits, n, &n))
		return fail(ei, ERR_PARSE,
		    "the prefix length of %s/%.*s is not a number up to %d",
		    text, (int)MIN(bits.n, (size_t)16), bits.p, v4 ? 32 : 128);
	c.bits = (uint8_t)(v4 ? n + 96 : n);
	*ret = c;
	return ERR_OK;
}

static enum err
read_list(const struct strings *from, struct cidr **ret, size_t *ret_n,
    struct errinfo *ei)
{
	enum err e;

	if (from->n > POLICY_RULES_MAX)
		return fail(ei, ERR_LIMIT, "more than %d networks",
		    POLICY_RULES_MAX);
	*ret = xcalloc(from->n + 1, sizeof(**ret));
	for (size_t i = 0; i < from->n; i++) {
		e = policy_cidr(str_of(from->v[i]), &(*ret)[i], ei);
		if (e != ERR_OK)
			return e;
	}
	*ret_n = from->n;
	return ERR_OK;
}

enum err
policy_read(struct policy *p, const struct strings *deny,
    const struct strings *allow, struct errinfo *ei)
{
	enum err e = read_list(deny, &p->deny, &p->ndeny, ei);

	if (e == ERR_OK)
		e = read_list(allow, &p->allow, &p->nallow, ei);
	return e;
}

void
policy_free(struct policy *p)
{
	xfree(p->deny);
	xfree(p->allow);
	*p = (struct policy){0};
}

static bool
within(const struct cidr *c, const uint8_t *ip)
{
	size_t whole = c->bits / 8;
	unsigned rest = c->bits % 8;

	if (memcmp(c->ip, ip, whole) != 0)
		return false;
	return rest == 0 ||
	    ((c->ip[whole] ^ ip[whole]) >> (8 - rest)) == 0;
}

static bool
within_any(const struct cidr *v, size_t n, const uint8_t *ip)
{
	for (size_t i = 0; i < n; i++)
		if (within(&v[i], ip))
			return true;
	return false;
}

/* The IPv4 address that packets to this IPv6 address end up at. */
static bool
embedded_v4(const uint8_t *ip, uint8_t *dst)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(ip, nat64, sizeof(nat64)) == 0) {
		map_v4(dst, ip + 12);
		return true;
	}
	if (ip[0] == 0x20 && ip[1] == 0x02) {   /* 6to4 */
		map_v4(dst, ip + 2);
		return true;
	}
	return false;
}

bool
policy_allows(const struct policy *p, const struct sockaddr *sa)
{
	uint8_t ip[16];
	uint8_t inner[16];
	bool has_inner;

	if (sa->sa_family == AF_INET)
		map_v4(ip,
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		memcpy(ip,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    sizeof(ip));
	else
		return false;
	has_inner = embedded_v4(ip, inner);
	if (within_any(p->allow, p->nallow, ip) ||
	    (has_inner && within_any(p->allow, p->nallow, inner)))
		return true;
	return !within_any(p->deny, p->ndeny, ip) &&
	    !(has_inner && within_any(p->deny, p->ndeny, inner));
}

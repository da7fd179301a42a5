#include "conf/beacon.h"

#include <string.h>

/* HOST, HOST:PORT, [IPV6]:PORT or IPV6. */
static bool
host_port(struct str s, struct beacon_spec *b)
{
	const char *colon = s.n > 0 ? memrchr(s.p, ':', s.n) : NULL;
	bool bare6 = colon != NULL && s.p[0] != '[' &&
	    memchr(s.p, ':', (size_t)(colon - s.p)) != NULL;
	uint64_t port;

	b->host = s;
	if (colon != NULL && !bare6 && s.p[s.n - 1] != ']') {
		b->host.n = (size_t)(colon - s.p);
		if (!str_u64((struct str){colon + 1, s.n - b->host.n - 1},
		    UINT16_MAX, &port) || port == 0)
			return false;
		b->port = (uint16_t)port;
	}
	if (b->host.n >= 2 && b->host.p[0] == '[' &&
	    b->host.p[b->host.n - 1] == ']')
		b->host = (struct str){b->host.p + 1, b->host.n - 2};
	for (size_t i = 0; i < b->host.n; i++)
		if ((unsigned char)b->host.p[i] <= ' ' ||
		    strchr("/[]\"\\@?#", b->host.p[i]) != NULL)
			return false;
	return b->host.n > 0 && b->host.n <= 253;
}

bool
beacon_parse(struct str s, struct beacon_spec *ret)
{
	static const struct { const char *prefix; enum beacon_kind kind; }
	    kinds[] = {{"tcp://", BEACON_TCP}, {"ping://", BEACON_PING},
	    {"dns://", BEACON_DNS}};

	*ret = (struct beacon_spec){.kind = BEACON_GATEWAY};
	if (str_is(s, "gateway"))
		return true;
	ret->kind = BEACON_RESOLVERS;
	if (str_is(s, "resolvers"))
		return true;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (!str_starts(s, str_of(kinds[i].prefix)))
			continue;
		ret->kind = kinds[i].kind;
		return host_port((struct str){s.p + n, s.n - n}, ret) &&
		    (ret->kind == BEACON_TCP) <= (ret->port != 0) &&
		    (ret->kind == BEACON_PING) <= (ret->port == 0);
	}
	return false;
}

const char *
beacon_check(struct str s)
{
	struct beacon_spec b;

	return beacon_parse(s, &b) ? NULL : "tcp://HOST:PORT, ping://HOST, "
	    "dns://SERVER, or one of the words gateway and resolvers";
}

/* addr.h: who is at the other end: IP addresses, networks of trusted proxies,
 * and the client's address behind them. */
#ifndef HTTP_ADDR_H
#define HTTP_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

#define ADDR_NETS_MAX 256

struct addr {            /* IPv4 is kept mapped: ::ffff:a.b.c.d */
	uint8_t ip[16];
};
struct addr_net {
	struct addr base;
	unsigned bits;   /* of 128 */
};
struct addr_nets {
	struct addr_net *v;   /* owned */
	size_t n;
};

bool addr_parse(struct str s, struct addr *ret) MUST_USE;
/* False for a family that has no address (a Unix socket). */
bool addr_of(const struct sockaddr *sa, struct addr *ret) MUST_USE;
bool addr_is_loopback(const struct addr *a);
uint64_t addr_hash(const struct addr *a);
/* "10.0.0.0/8", "::1", one address or one network. */
bool addr_net_parse(struct str s, struct addr_net *ret) MUST_USE;
bool addr_nets_have(const struct addr_nets *n, const struct addr *a);
void addr_nets_free(struct addr_nets *n);

/* The client's address: the peer's, or, when the peer is a trusted proxy,
 * the right-most address of X-Forwarded-For that is not one. A list that
 * cannot be read leaves the last address that could. */
struct addr addr_client(const struct addr_nets *trusted,
    const struct addr *peer, struct str forwarded_for);

#endif

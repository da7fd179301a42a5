/* policy.h: which networks may be spoken to. Pure: lists of prefixes; allow
 * wins over deny, and what is in neither list is allowed. IPv4 addresses in
 * IPv6 clothes (mapped, NAT64, 6to4) are judged as the IPv4 address too. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "conf/opt.h"

struct cidr {
	uint8_t ip[16];   /* network order; IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;     /* of the 128 */
};

struct policy {
	struct cidr *deny, *allow;   /* owned */
	size_t ndeny, nallow;
};
#define POLICY_RULES_MAX 1024

/* "192.0.2.0/24", "2001:db8::/32", or a bare address. */
enum err policy_cidr(struct str s, struct cidr *ret, struct errinfo *ei) MUST_USE;
/* Into a zeroed p. What was read so far is the caller's to free. */
enum err policy_read(struct policy *p, const struct strings *deny,
    const struct strings *allow, struct errinfo *ei) MUST_USE;
void policy_free(struct policy *p);
bool policy_allows(const struct policy *p, const struct sockaddr *sa) MUST_USE;

#endif

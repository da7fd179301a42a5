/* resolver.h: names to addresses by c-ares on the loop; the cache; the
 * joining of look-ups for one name. net_resolve of net.h is its face. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/opt.h"
#include "net/net.h"

#define RESOLVER_CACHE_MAX   4096                 /* names */
#define RESOLVER_TTL_MAX_NS  INT64_C(60000000000)
#define RESOLVER_TTL_MIN_NS  INT64_C(1000000000)
#define RESOLVER_NAME_MAX    253

struct resolver;
/* servers: "127.0.0.1:5353", "[::1]:53"; none: those of /etc/resolv.conf,
 * which is read again when it changes. */
enum err resolver_new(struct net *n, const struct strings *servers,
    struct resolver **ret, struct errinfo *ei) MUST_USE;
void resolver_free(struct resolver *rv);
/* As configured, with commas between; NULL: those of the system. */
const char *resolver_servers(const struct resolver *rv);

/* net_resolve and net_resolve_cancel of net.h. */
void resolver_ask(struct resolver *rv, struct resolve *r);
void resolver_cancel(struct resolve *r);
/* Answer now what needs no network: literal addresses, what the cache holds.
 * False: ask. */
bool resolver_now(struct resolver *rv, struct resolve *r) MUST_USE;

#endif

/* net.h: one shard's way to the network: names (c-ares on the loop), the
 * target policy, the shared trust store, and libcurl's multi handle on the
 * loop. Used by checks and deliveries. Loop thread only. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "conf/conf.h"
#include "model/sample.h"
#include "world/world.h"

struct net;
/* Reads ca_file (or the system's bundle) once, the policy, the resolvers. The
 * world must be the real one. */
enum err net_new(struct world *w, const struct settings *st, struct net **ret,
    struct errinfo *ei) MUST_USE;
void net_free(struct net *n);
struct world *net_world(struct net *n);

/* May we speak to this address? By network, on what is actually connected to,
 * so that a rebinding name does not get around it. */
bool net_allowed(const struct net *n, const struct sockaddr *sa, struct errinfo *ei);

/* One SSL_CTX for all strict clients and one for "insecure", both over one
 * X509_STORE: parsing the bundle per connection costs 20 ms. */
SSL_CTX *net_ssl(struct net *n, bool insecure);

/* -- names ------------------------------------------------------------- */
#define RESOLVE_ADDRS_MAX 8
struct resolve {
	/* in */
	const char *name;         /* a literal address answers too */
	uint16_t port;
	int family;               /* AF_UNSPEC, AF_INET, AF_INET6 */
	bool fresh;               /* bypass the cache (rechecks) */
	void (*done)(struct resolve *r);   /* never from inside net_resolve */
	/* out */
	enum why why;             /* WHY_OK, DNS_* or LOCAL_RESOLVER */
	unsigned n;
	struct sockaddr_storage addr[RESOLVE_ADDRS_MAX];
	char reason[REASON_MAX];
	/* internal */
	void *pending;
};
void net_resolve(struct net *n, struct resolve *r);
/* Answer at once what needs no network: literal addresses and what the cache
 * holds. False: nothing was begun, use net_resolve. */
bool net_resolve_now(struct net *n, struct resolve *r) MUST_USE;
void net_resolve_cancel(struct net *n, struct resolve *r);   /* idempotent */
/* The resolvers of the settings, with commas between; NULL: the system's. */
const char *net_servers(const struct net *n);

/* errno of a failed socket, connect or send call as a why: ours or theirs.
 * What a route says at once is our own routing table's word. */
enum why net_why(int err);
/* The same of an error that came later: SO_ERROR, recv, the next send. Then
 * somebody on the way has said so. */
enum why net_why_later(int err);

#endif

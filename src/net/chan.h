/* chan.h: one c-ares channel driven by the loop: its sockets are in the
 * shard's epoll set, its timeouts are a timer of the world. */
#ifndef NET_CHAN_H
#define NET_CHAN_H

#include <ares.h>

#include "base/err.h"

struct chan;
struct net;

#define CHAN_SOCKETS_MAX 1024
#define CHAN_TIMEOUT_MS  1500   /* the first try; the second waits twice that */
#define CHAN_TRIES       2

enum chan_flags {
	CHAN_SEARCH = 1,   /* complete short names by the search domains */
	/* Go on to the next server after SERVFAIL or REFUSED. c-ares then says
	 * in the end that it found no server, which hides what they said. */
	CHAN_SKIP = 2
};
/* servers "127.0.0.1:5353,[::1]:53"; NULL: those of /etc/resolv.conf. */
enum err chan_new(struct net *n, const char *servers, unsigned flags,
    struct chan **ret, struct errinfo *ei) MUST_USE;
unsigned chan_servers(struct chan *c);   /* how many it has */
/* Unanswered questions are answered with ARES_EDESTRUCTION. */
void chan_free(struct chan *c);
/* cb may come from inside this call. Addresses only, /etc/hosts first. */
void chan_ask(struct chan *c, const char *name, int family,
    ares_addrinfo_callback cb, void *arg);

#endif

/* net_impl.h: what the files of this folder share of a struct net. Not for
 * other folders. */
#ifndef NET_NET_IMPL_H
#define NET_NET_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <uv.h>

#include "base/list.h"
#include "net/net.h"
#include "net/policy.h"

struct resolver;    /* resolver.c */
struct xfer_pool;   /* xfer.c */
struct watch;

/* Work for later in this turn or the next: answers that must not come from
 * inside the call that asked. */
struct job {
	struct list node;
	void (*fn)(struct job *j);
};

struct watch_slot {
	struct watch *w;
	uint32_t gen;     /* tells a stale event of a reused number */
};

struct net {
	struct world *world;
	uv_poll_t poll;        /* watches ep */
	uv_idle_t idle;        /* active while jobs wait */
	unsigned open_handles;
	int ep;
	struct watch_slot *slots;
	size_t nslots;
	struct list jobs;
	struct policy policy;
	char *ca_file;         /* NULL: the system's */
	SSL_CTX *ssl[2];       /* strict, insecure; made at first use */
	struct resolver *resolver;
	struct xfer_pool *pool;   /* made at first use */
};

/* Queue a job; no-op when it is queued already. */
void net_defer(struct net *n, struct job *j);
void net_undefer(struct job *j);   /* idempotent */
void net_jobs(struct net *n);      /* run what waits */

/* watch.c: the uv callback side. */
void watch_dispatch(struct net *n);

/* xfer.c */
void xfer_pool_free(struct xfer_pool *p);

#endif

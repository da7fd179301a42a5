/* ping.h: one shard's ICMP sockets. A run is a few echo requests to one
 * address; runs that are due in the same turn share system calls. Knows
 * nothing of names, verdicts or settings: that is check_ping.c. Loop thread
 * only.
 *
 * One socket per family, opened when first needed: the unprivileged ICMP
 * socket of net.ipv4.ping_group_range, else a raw one (CAP_NET_RAW). */
#ifndef CHECK_PING_H
#define CHECK_PING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/map.h"
#include "model/sample.h"
#include "world/world.h"

#define PING_PACKETS_MAX 20
#define PING_SIZE_MIN    16     /* a token and a magic number */
#define PING_SIZE_MAX    1400

struct ping;
struct ping_sock;

/* Opens nothing yet. The world must be the real one and outlive it. */
struct ping *ping_new(struct world *w) MUST_USE;
/* No run may be left. The loop must turn once more to let go of the sockets'
 * handles; world_uv_free does that. */
void ping_free(struct ping *p);   /* NULL is fine */

struct ping_run {
	/* in */
	struct sockaddr_storage to;
	uint16_t packets;         /* 1 … PING_PACKETS_MAX */
	uint16_t size;            /* payload, PING_SIZE_MIN … PING_SIZE_MAX */
	int64_t spacing_ns;
	int64_t wait_ns;          /* for replies, after the last request */
	int64_t end_ns;           /* and never beyond this moment */
	/* All is known, or the wait is over. From the loop, never from inside
	 * ping_start; the run is no longer known to the engine. */
	void (*done)(struct ping_run *r);
	/* out */
	uint16_t sent, got;       /* requests, replies */
	uint16_t failed;          /* requests that met an error */
	int64_t rtt_ns[PING_PACKETS_MAX];   /* -1: no reply */
	enum why why;             /* the latest error; WHY_OK: none */
	char reason[REASON_MAX];  /* its words */
	/* internal */
	struct ping_sock *sock;   /* NULL: not running */
	uint64_t token;
	uint16_t seq[PING_PACKETS_MAX];
	bool settled[PING_PACKETS_MAX];
	int64_t tx_wall_ns[PING_PACKETS_MAX], tx_ns[PING_PACKETS_MAX];
	struct map_node by_token, by_addr;
	struct list sendq;
	struct timer timer;       /* the next request, or the end of the wait */
};

/* WHY_OK: done will come. Else a local why, with its words in r->reason, and
 * nothing was begun. */
enum why ping_start(struct ping *p, struct ping_run *r) MUST_USE;
void ping_cancel(struct ping *p, struct ping_run *r);   /* idempotent */

#endif

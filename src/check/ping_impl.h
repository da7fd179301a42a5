/* ping_impl.h: what the files of the ICMP engine share: ping.c (runs, sending,
 * life) and ping_recv.c (receiving). Not for anybody else. */
#ifndef CHECK_PING_IMPL_H
#define CHECK_PING_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/list.h"
#include "base/map.h"
#include "check/ping.h"
#include "check/ping_sock.h"
#include "check/ping_wire.h"
#include "world/world.h"

#define PING_BATCH         32   /* messages per system call */
#define PING_BATCHES_MAX   32   /* per turn and direction: others wait too */
#define PING_RX_MAX        2048
#define PING_CONTROL_MAX   256

struct uv_poll_s;
struct uv_prepare_s;

struct ping_sock {
	struct ping *ping;
	int family;
	bool open;
	struct ping_fd f;
	struct uv_poll_s *poll; /* freed by its close callback */
	struct list sendq;      /* runs with a request that is due */
	struct timer retry;
	struct map by_addr;
};

struct ping {
	struct world *world;
	struct ping_sock sock[2];   /* IPv4, IPv6 */
	struct map by_token;
	struct uv_prepare_s *flush; /* runs after a turn's timers */
	bool flushing;              /* it is active */
	uint16_t next_seq;
	/* One batch at a time, so one set of buffers. */
	struct mmsghdr msg[PING_BATCH];
	struct iovec iov[PING_BATCH];
	struct sockaddr_storage name[PING_BATCH];
	uint8_t data[PING_BATCH][PING_RX_MAX];
	union {
		struct cmsghdr align;
		char bytes[PING_CONTROL_MAX];
	} control[PING_BATCH];
};

_Static_assert(PING_WIRE_MAX <= PING_RX_MAX, "a request fits a buffer");

/* ping.c: request i of r has met its fate; r may be gone afterwards. */
void ping_run_reply(struct ping_run *r, unsigned i, int64_t rx_wall_ns);
void ping_run_error(struct ping_run *r, unsigned i, enum why why,
    const char *text);

/* Everything that waits, within the bounds of a turn. */
void ping_recv_packets(struct ping_sock *s);
/* How many errors were waiting. Taking them also clears the socket's pending
 * error, which would otherwise fail the next call about another target. */
unsigned ping_recv_errors(struct ping_sock *s);

#endif

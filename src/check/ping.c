/* ping.c: the ICMP engine of a shard.
 *
 *   ping_start ─► sendq ─(end of the turn)─► sendmmsg ─► timer: next request
 *        ▲                                                or end of the wait
 *        └── spacing timer                  recvmmsg ─► token ─► run ─► done
 *
 * A reply belongs to the run whose random 64-bit token it carries, if it comes
 * from the address that was asked and has a sequence number that is open. An
 * error is matched by the token in the packet it quotes; routers that quote
 * eight bytes only are matched by address and sequence number. */
#include "check/ping.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"
#include "base/time.h"
#include "check/ping_impl.h"
#include "net/net.h"

#define RETRY_NS (2 * NS_PER_MS)   /* the device queue was full */

_Static_assert(PING_SIZE_MIN == PING_WIRE_DATA_MIN, "one minimum");
_Static_assert(PING_SIZE_MAX == PING_WIRE_DATA_MAX, "one maximum");

static void on_prepare(uv_prepare_t *h);
static void sock_flush(struct ping_sock *s);

/* -- runs ----------------------------------------------------------------- */

/* Requests leave at the end of the turn, together. */
static void
run_queue(struct ping_run *r)
{
	struct ping *p = r->sock->ping;

	list_push(&r->sock->sendq, &r->sendq);
	if (!p->flushing)
		(void)uv_prepare_start(p->flush, on_prepare);
	p->flushing = true;
}

static void
run_unlink(struct ping_run *r)
{
	struct ping *p = r->sock->ping;

	list_del(&r->sendq);
	timer_stop(p->world, &r->timer);
	map_del(&p->by_token, &r->by_token);
	map_del(&r->sock->by_addr, &r->by_addr);
	r->sock = NULL;
}

static void
run_end(struct ping_run *r)
{
	run_unlink(r);
	r->done(r);
}

/* Every request has met its reply or an error. */
static bool
run_settled(const struct ping_run *r)
{
	return r->got + r->failed == r->packets;
}

/* Which request comes next; packets: all have left or failed to. */
static unsigned
run_next(const struct ping_run *r)
{
	for (unsigned i = 0; i < r->packets; i++) {
		if (r->tx_ns[i] == 0 && !r->settled[i])
			return i;
	}
	return r->packets;
}

static void
run_timer(struct world *w, struct timer *t)
{
	struct ping_run *r = CONTAINER(t, struct ping_run, timer);

	if (run_next(r) < r->packets && world_now(w) < r->end_ns)
		run_queue(r);
	else
		run_end(r);
}

static void
run_after_send(struct ping_run *r, int64_t now)
{
	bool more = run_next(r) < r->packets;
	int64_t at = now + (more ? r->spacing_ns : r->wait_ns);

	if (at > r->end_ns)
		at = MAX(r->end_ns, now + 1);
	timer_set(r->sock->ping->world, &r->timer, at, run_timer);
}

void
ping_run_reply(struct ping_run *r, unsigned i, int64_t rx_wall_ns)
{
	int64_t now = world_fresh(r->sock->ping->world);
	int64_t most = now - r->tx_ns[i];
	int64_t rtt = rx_wall_ns - r->tx_wall_ns[i];

	/* The wall clock may step between the two stamps; the monotonic time
	 * that has passed bounds what can be true. */
	if (rx_wall_ns == 0 || rtt > most)
		rtt = most;
	r->settled[i] = true;
	r->rtt_ns[i] = MAX(rtt, NS_PER_US);
	r->got++;
	if (run_settled(r))
		run_end(r);
}

void
ping_run_error(struct ping_run *r, unsigned i, enum why why, const char *text)
{
	r->settled[i] = true;
	r->failed++;
	r->why = why;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", text);
	if (run_settled(r))
		run_end(r);
}

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct ping_sock *s = h->data;

	(void)events;
	(void)ping_recv_errors(s);
	ping_recv_packets(s);
	if (status < 0)   /* libuv stops watching at POLLERR */
		(void)uv_poll_start(h, UV_READABLE, on_poll);
}

/* -- sending -------------------------------------------------------------- */

static void
retry_timer(struct world *w, struct timer *t)
{
	(void)w;
	sock_flush(CONTAINER(t, struct ping_sock, retry));
}

/* Fill the batch from the front of the queue; nothing is taken out yet. */
static unsigned
batch_fill(struct ping_sock *s, struct ping_run **runs)
{
	struct ping *p = s->ping;
	unsigned n = 0;

	LIST_EACH(node, &s->sendq) {
		struct ping_run *r = CONTAINER(node, struct ping_run, sendq);
		unsigned k = run_next(r);
		struct ping_echo e = {.family = s->family, .id = s->f.id,
			.token = r->token, .size = r->size};

		if (n == PING_BATCH)
			break;
		assert(k < r->packets);
		e.seq = r->seq[k] = p->next_seq++;
		p->iov[n] = (struct iovec){p->data[n],
			ping_wire_echo(p->data[n], &e)};
		p->msg[n].msg_hdr = (struct msghdr){
			.msg_name = &r->to,
			.msg_namelen = s->family == AF_INET ?
			    sizeof(struct sockaddr_in) :
			    sizeof(struct sockaddr_in6),
			.msg_iov = &p->iov[n],
			.msg_iovlen = 1,
		};
		runs[n++] = r;
	}
	return n;
}

/* The first n of the batch have left. They left one after the other: sharing
 * out the time of the call keeps the round trip of the last one honest. */
static void
batch_sent(struct ping_sock *s, struct ping_run **runs, unsigned n,
    int64_t before_us)
{
	struct world *w = s->ping->world;
	int64_t after_us = world_wall_us(w);
	int64_t now = world_fresh(w);
	int64_t took_ns = MAX(after_us - before_us, 0) * NS_PER_US;

	for (unsigned i = 0; i < n; i++) {
		struct ping_run *r = runs[i];
		unsigned k = run_next(r);
		int64_t ago = took_ns - took_ns * i / n;

		list_del(&r->sendq);
		r->tx_wall_ns[k] = after_us * NS_PER_US - ago;
		r->tx_ns[k] = now - ago;
		r->sent++;
		run_after_send(r, now);
	}
}

static void
first_failed(struct ping_sock *s, struct ping_run *r, int e)
{
	bool last = r->got + r->failed + 1u == r->packets;
	char text[REASON_MAX];

	list_del(&r->sendq);
	(void)snprintf(text, sizeof(text), "cannot send: %s", strerror(e));
	ping_run_error(r, run_next(r), net_why(e), text);
	if (!last)   /* else it is done and no longer ours */
		run_after_send(r, world_now(s->ping->world));
}

static void
sock_flush(struct ping_sock *s)
{
	struct ping *p = s->ping;
	struct ping_run *runs[PING_BATCH];
	int n, e;

	timer_stop(p->world, &s->retry);
	for (int b = 0; b < PING_BATCHES_MAX && !list_empty(&s->sendq); b++) {
		unsigned filled = batch_fill(s, runs);
		int64_t before_us = world_wall_us(p->world);

		n = sendmmsg(s->f.fd, p->msg, filled, MSG_DONTWAIT);
		e = errno;
		if (n > 0) {
			batch_sent(s, runs, (unsigned)n, before_us);
			if (filled == PING_BATCH)
				ping_recv_packets(s);   /* loopback answers at once */
		} else if (e == EAGAIN || e == ENOBUFS || e == ENOMEM) {
			break;
		} else if (e != EINTR && ping_recv_errors(s) == 0) {
			first_failed(s, runs[0], e);
		}
	}
	if (!list_empty(&s->sendq))
		timer_set(p->world, &s->retry, world_now(p->world) + RETRY_NS,
		    retry_timer);
}

static void
on_prepare(uv_prepare_t *h)
{
	struct ping *p = h->data;

	(void)uv_prepare_stop(h);
	p->flushing = false;
	for (size_t i = 0; i < COUNT(p->sock); i++) {
		if (p->sock[i].open && !list_empty(&p->sock[i].sendq))
			sock_flush(&p->sock[i]);
	}
	/* A run that ended just now may have let another begin: this turn is
	 * about to sleep, so a timer has to bring us back. */
	for (size_t i = 0; i < COUNT(p->sock); i++) {
		struct ping_sock *s = &p->sock[i];

		if (!list_empty(&s->sendq) && !timer_on(&s->retry))
			timer_set(p->world, &s->retry, world_now(p->world),
			    retry_timer);
	}
}

/* -- life ----------------------------------------------------------------- */

struct ping *
ping_new(struct world *w)
{
	struct ping *p = xcalloc(1, sizeof(*p));

	p->world = w;
	p->next_seq = (uint16_t)world_random(w);
	for (size_t i = 0; i < COUNT(p->sock); i++) {
		p->sock[i].ping = p;
		p->sock[i].family = i == 0 ? AF_INET : AF_INET6;
		list_init(&p->sock[i].sendq);
	}
	p->flush = xcalloc(1, sizeof(*p->flush));
	(void)uv_prepare_init(world_uv_loop(w), p->flush);
	p->flush->data = p;
	return p;
}

static void
on_closed(uv_handle_t *h)
{
	xfree(h);
}

static void
sock_close(struct ping_sock *s)
{
	timer_stop(s->ping->world, &s->retry);
	map_free(&s->by_addr);
	if (!s->open)
		return;
	uv_close((uv_handle_t *)s->poll, on_closed);
	(void)close(s->f.fd);
	s->open = false;
}

void
ping_free(struct ping *p)
{
	if (p == NULL)
		return;
	assert(p->by_token.n == 0);
	for (size_t i = 0; i < COUNT(p->sock); i++)
		sock_close(&p->sock[i]);
	map_free(&p->by_token);
	uv_close((uv_handle_t *)p->flush, on_closed);
	xfree(p);
}

static enum why
sock_open(struct ping_sock *s, char *reason)
{
	struct world *w = s->ping->world;
	enum why why;
	int e;

	if (s->open)
		return WHY_OK;
	why = ping_sock_open(s->family, (uint16_t)world_random(w), &s->f,
	    reason, REASON_MAX);
	if (why != WHY_OK)
		return why;
	s->poll = xcalloc(1, sizeof(*s->poll));
	e = uv_poll_init(world_uv_loop(w), s->poll, s->f.fd);
	if (e != 0) {
		(void)snprintf(reason, REASON_MAX, "cannot watch a socket: %s",
		    uv_strerror(e));
		xfree(s->poll);
		(void)close(s->f.fd);
		return WHY_LOCAL_OTHER;
	}
	s->poll->data = s;
	(void)uv_poll_start(s->poll, UV_READABLE, on_poll);
	s->open = true;
	return WHY_OK;
}

enum why
ping_start(struct ping *p, struct ping_run *r)
{
	struct ping_sock *s = &p->sock[r->to.ss_family == AF_INET6];
	const uint8_t *ip;
	enum why why;
	size_t n;

	assert(r->sock == NULL);
	assert(r->packets >= 1 && r->packets <= PING_PACKETS_MAX);
	assert(r->size >= PING_SIZE_MIN && r->size <= PING_SIZE_MAX);
	assert(r->to.ss_family == s->family);
	r->reason[0] = '\0';
	why = sock_open(s, r->reason);
	if (why != WHY_OK)
		return why;
	r->sock = s;
	r->sent = r->got = r->failed = 0;
	r->why = WHY_OK;
	memset(r->settled, 0, sizeof(r->settled));
	memset(r->tx_ns, 0, sizeof(r->tx_ns));
	for (size_t i = 0; i < PING_PACKETS_MAX; i++)
		r->rtt_ns[i] = -1;
	r->token = world_random(p->world);
	map_put(&p->by_token, &r->by_token, map_hash_u64(r->token));
	ip = ping_sock_ip(&r->to, &n);
	map_put(&s->by_addr, &r->by_addr, ping_sock_hash(s->family, ip));
	run_queue(r);
	return WHY_OK;
}

void
ping_cancel(struct ping *p, struct ping_run *r)
{
	(void)p;
	if (r->sock != NULL)
		run_unlink(r);
}

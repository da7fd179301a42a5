/* ping_recv.c: replies and errors, in batches, to the run they belong to. A
 * reply must carry the run's token, come from the address that was asked and
 * have an open sequence number; whatever else comes is dropped unseen. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>   /* wants struct timespec */

#include "check/ping_impl.h"
#include "net/net.h"

/* Index of an open request with this sequence number; packets: none. */
static unsigned
run_open(const struct ping_run *r, uint16_t seq)
{
	for (unsigned i = 0; i < r->packets; i++) {
		if (r->tx_ns[i] != 0 && !r->settled[i] && r->seq[i] == seq)
			return i;
	}
	return r->packets;
}

static struct ping_run *
run_by_token(struct ping *p, uint64_t token)
{
	struct map_node *n = map_first(&p->by_token, map_hash_u64(token));

	for (; n != NULL; n = map_next(n)) {
		struct ping_run *r = CONTAINER(n, struct ping_run, by_token);

		if (r->token == token)
			return r;
	}
	return NULL;
}

static struct ping_run *
run_by_addr(struct ping_sock *s, const uint8_t *ip, uint16_t seq)
{
	uint64_t hash = ping_sock_hash(s->family, ip);

	for (struct map_node *n = map_first(&s->by_addr, hash); n != NULL;
	    n = map_next(n)) {
		struct ping_run *r = CONTAINER(n, struct ping_run, by_addr);

		if (ping_sock_is(&r->to, ip) && run_open(r, seq) < r->packets)
			return r;
	}
	return NULL;
}

static void
take_reply(struct ping_sock *s, const struct ping_msg *m,
    const struct sockaddr_storage *from, int64_t rx_wall_ns)
{
	struct ping_run *r;
	unsigned i;
	size_t n;

	if (!m->has_token || (s->f.raw && m->id != s->f.id))
		return;
	r = run_by_token(s->ping, m->token);
	if (r == NULL || r->sock != s || from->ss_family != s->family)
		return;
	if (!ping_sock_is(&r->to, ping_sock_ip(from, &n)))
		return;
	i = run_open(r, m->seq);
	if (i < r->packets)
		ping_run_reply(r, i, rx_wall_ns);
}

static void
take_error(struct ping_sock *s, const struct ping_msg *m, enum why why,
    const char *text)
{
	struct ping_run *r = NULL;
	unsigned i;

	if (s->f.raw && m->id != s->f.id)
		return;
	if (m->has_token)
		r = run_by_token(s->ping, m->token);
	else if (m->has_dst)
		r = run_by_addr(s, m->dst, m->seq);
	if (r == NULL || r->sock != s)
		return;
	if (m->has_dst && !ping_sock_is(&r->to, m->dst))
		return;
	i = run_open(r, m->seq);
	if (i < r->packets)
		ping_run_error(r, i, why, text);
}

static void
take_packet(struct ping_sock *s, unsigned i)
{
	struct ping *p = s->ping;
	struct msghdr *h = &p->msg[i].msg_hdr;
	size_t n = p->msg[i].msg_len;
	struct ping_msg m;
	const char *text;
	enum why why;

	if (s->f.raw && s->family == AF_INET)
		m = ping_wire_parse_ip(p->data[i], n);
	else
		m = ping_wire_parse(s->family, p->data[i], n);
	switch (m.kind) {
	case PING_MSG_OTHER:
		break;
	case PING_MSG_REPLY:
		take_reply(s, &m, &p->name[i], ping_sock_stamp(h));
		break;
	case PING_MSG_ERROR:
		why = ping_wire_error(s->family, m.type, m.code, &text);
		take_error(s, &m, why, text);
		break;
	}
}

/* An entry of the error queue: the quoted request, and whom it was for. */
static void
take_queued(struct ping_sock *s, unsigned i)
{
	struct ping *p = s->ping;
	struct msghdr *h = &p->msg[i].msg_hdr;
	const struct sock_extended_err *e = ping_sock_error(h);
	struct ping_msg m;
	const char *text;
	enum why why;
	size_t n;

	if (e == NULL)
		return;
	m = ping_wire_parse_quote(s->family, p->data[i], p->msg[i].msg_len);
	if (m.kind != PING_MSG_ERROR)
		return;
	if (p->name[i].ss_family == s->family) {
		const uint8_t *ip = ping_sock_ip(&p->name[i], &n);

		memcpy(m.dst, ip, n);
		m.has_dst = true;
	}
	if (e->ee_origin == SO_EE_ORIGIN_LOCAL) {
		why = net_why((int)e->ee_errno);
		text = strerror((int)e->ee_errno);
	} else {
		why = ping_wire_error(s->family, e->ee_type, e->ee_code, &text);
	}
	take_error(s, &m, why, text);
}

static int
receive(struct ping_sock *s, int flags)
{
	struct ping *p = s->ping;

	for (unsigned i = 0; i < PING_BATCH; i++) {
		p->iov[i] = (struct iovec){p->data[i], PING_RX_MAX};
		p->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &p->name[i],
			.msg_namelen = sizeof(p->name[i]),
			.msg_iov = &p->iov[i],
			.msg_iovlen = 1,
			.msg_control = &p->control[i],
			.msg_controllen = sizeof(p->control[i]),
		};
		p->name[i].ss_family = AF_UNSPEC;
	}
	return recvmmsg(s->f.fd, p->msg, PING_BATCH, flags | MSG_DONTWAIT, NULL);
}

unsigned
ping_recv_errors(struct ping_sock *s)
{
	unsigned total = 0;

	if (s->f.raw)
		return 0;
	for (int b = 0; b < PING_BATCHES_MAX; b++) {
		int n = receive(s, MSG_ERRQUEUE);

		for (int i = 0; i < n; i++)
			take_queued(s, (unsigned)i);
		if (n > 0)
			total += (unsigned)n;
		if (n < PING_BATCH)
			break;
	}
	return total;
}

void
ping_recv_packets(struct ping_sock *s)
{
	for (int b = 0; b < PING_BATCHES_MAX; b++) {
		int n = receive(s, 0);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			/* a pending error, not ours to tell whose */
			(void)ping_recv_errors(s);
			continue;
		}
		for (int i = 0; i < n; i++)
			take_packet(s, (unsigned)i);
		if (n < PING_BATCH)
			break;
	}
}

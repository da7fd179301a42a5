/* check_dns.c: asks one server one question over UDP, again over TCP when the
 * answer was cut short, and judges what comes.
 *
 *   start ─► RESOLVING ─► ASKING (UDP) ──────────────► judged
 *                 │          └─ truncated ─┐              ▲
 *                 └─ transport tcp ────► CONNECTING ─► SENDING ─► READING
 *
 * The UDP socket is connected: the kernel gives it a random port and drops
 * what others send. An answer with another id or question is passed over and
 * waiting goes on, so that a forged packet cannot end a check. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "check/dns_judge.h"
#include "check/dns_server.h"
#include "check/dns_show.h"
#include "check/dns_wire.h"
#include "net/net.h"
#include "net/watch.h"

#define RESEND_NS (2 * NS_PER_S)   /* or a third of the timeout, if less */
#define PER_TURN  16               /* packets read before others wait */

enum transport { TRANSPORT_AUTO, TRANSPORT_UDP, TRANSPORT_TCP };

struct dns_conf {
	char *host;
	char *server;
	uint32_t record, transport, ip;
	uint32_t rcode, match;
	struct strings answers;
	bool allow_empty;
};

static const char *const transports[] = {"auto", "udp", "tcp", NULL};
static const char *const ips[] = {"any", "4", "6", NULL};
static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};

static const char *
server_ok(struct str text)
{
	struct dns_server s;

	return dns_server_parse(text, &s) ? NULL :
	    "a host or an address, with a port if it is not 53: "
	    "192.0.2.1, ns.example.org:5353, [2001:db8::1]:53";
}

static const struct opt expect_opts[] = {
	STRINGS("answers", dns_conf, answers, .max = 64,
	    .help = "Expected answers, each in the form of a zone file: "
		    "\"192.0.2.1\", \"10 mail.example.org\"."),
	CHOICE("match", dns_conf, match, .dflt = "all",
	    .choices = dns_judge_matches,
	    .help = "How many of the expected answers must be there: all of "
		    "them, any one, or exactly these and no other."),
	CHOICE("rcode", dns_conf, rcode, .dflt = "NOERROR",
	    .choices = dns_judge_rcodes,
	    .help = "Expected response code."),
	FLAG("allow_empty", dns_conf, allow_empty, .dflt = "false",
	    .help = "Accept NOERROR without any record of the type."),
	OPT_END
};

static const struct opt opts[] = {
	STRING("host", dns_conf, host, .flags = OPT_REQUIRED | OPT_TARGET,
	    .max = 255,
	    .help = "The name to ask for; for PTR also an IP address."),
	CHOICE("record", dns_conf, record, .dflt = "A", .flags = OPT_TARGET,
	    .choices = dns_wire_types, .help = "The record type to ask for."),
	STRING("server", dns_conf, server, .flags = OPT_TARGET, .max = 300,
	    .check = server_ok,
	    .help = "The server to ask, HOST or HOST:PORT; without it the "
		    "first of net.resolvers or of this machine, whose silence "
		    "is then our own fault and not the name's."),
	CHOICE("transport", dns_conf, transport, .dflt = "auto",
	    .choices = transports,
	    .help = "auto asks over UDP and again over TCP when the answer "
		    "was cut short."),
	CHOICE("ip", dns_conf, ip, .dflt = "any", .choices = ips,
	    .help = "Reach the server over IPv4, IPv6, or any."),
	TABLE("expect", expect_opts, .help = "What the answer must be."),
	OPT_END
};

enum dns_state { DNS_RESOLVING, DNS_ASKING, DNS_CONNECTING, DNS_SENDING,
	DNS_READING };

struct check_dns {
	struct check c;
	enum dns_state state;
	struct dns_server server;
	struct resolve resolve;
	bool resolving;
	unsigned addr;            /* index of the address in use */
	struct dns_query query;
	struct watch watch;
	int fd;                   /* -1: none */
	bool tcp;
	struct timer resend;
	int64_t asked_ns, connect_ns, first_ns;
	unsigned foreign;         /* answers that were not ours */
	char foreign_reason[64];
	size_t sent;              /* of the length and the query, over TCP */
	uint8_t *answer;          /* TCP: length and answer */
	size_t answer_n;
	struct dns_answer found;
};

static const struct dns_conf *
conf_of(const struct check_dns *d)
{
	return d->c.conf->own;
}

static void ask_tcp(struct check_dns *d);

/* -- the end -------------------------------------------------------------- */

static void
socket_close(struct check_dns *d)
{
	timer_stop(d->c.env->world, &d->resend);
	if (d->fd < 0)
		return;
	watch_drop(d->c.env->net, &d->watch);
	(void)close(d->fd);
	d->fd = -1;
}

/* Everything is let go of; out has its last words. */
static void
release(struct check_dns *d, bool answered)
{
	struct dns_show show = {.server = &d->server, .tcp = d->tcp,
		.type = d->query.type, .foreign = d->foreign,
		.foreign_reason = d->foreign_reason,
		.found = answered ? &d->found : NULL};

	if (d->c.want_evidence && answered)
		d->c.out.evidence = dns_show_evidence(&show);
	if (d->c.want_details)
		d->c.out.details = dns_show_details(&show);
	if (d->resolving)
		net_resolve_cancel(d->c.env->net, &d->resolve);
	d->resolving = false;
	socket_close(d);
	dns_wire_free(&d->found);
	xfree(d->answer);
	d->answer = NULL;
}

static void
end(struct check_dns *d, bool answered)
{
	release(d, answered);
	check_end(&d->c);
}

static void
end_errno(struct check_dns *d, int e)
{
	char peer[PEER_TEXT];

	check_why(&d->c, d->watch.on ? net_why_later(e) : net_why(e),
	    "%s: %s", peer_text(&d->c.out.peer, peer), strerror(e));
	end(d, false);
}

static void
judge(struct check_dns *d, size_t bytes)
{
	const struct dns_conf *conf = conf_of(d);
	const struct dns_want want = {.type = d->query.type,
		.rcode = conf->rcode, .match = conf->match,
		.answers = &conf->answers, .allow_empty = conf->allow_empty};
	struct outcome *o = &d->c.out;
	int64_t now = world_fresh(d->c.env->world);

	o->why = dns_judge(&want, &d->found, o->reason, sizeof(o->reason));
	o->code = d->found.rcode;
	o->bytes = (uint32_t)bytes;
	o->ended_ns = now;
	if (d->first_ns == 0)
		d->first_ns = now;
	o->phase_ns[PHASE_FIRST_BYTE] = d->first_ns -
	    (d->tcp ? d->connect_ns : d->asked_ns);
	if (d->tcp)
		o->phase_ns[PHASE_TRANSFER] = now - d->first_ns;
	o->latency_ns = MAX(now - d->asked_ns, 1);
	end(d, true);
}

/* -- sockets -------------------------------------------------------------- */

/* A connected or connecting socket in d->fd; false: the check has ended. */
static bool
socket_open(struct check_dns *d, int type, watch_fn *fn, uint32_t events)
{
	const struct sockaddr_storage *ss = &d->resolve.addr[d->addr];
	const struct sockaddr *sa = (const struct sockaddr *)ss;
	socklen_t n = ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
						 sizeof(struct sockaddr_in6);
	struct errinfo ei = {0};
	int e = 0;

	peer_set(&d->c.out.peer, sa);
	if (!net_allowed(d->c.env->net, sa, &ei)) {
		check_why(&d->c, WHY_LOCAL_POLICY, "%s", ei.text);
		end(d, false);
		return false;
	}
	d->fd = socket(ss->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0) {
		end_errno(d, errno);
		return false;
	}
	if (connect(d->fd, sa, n) != 0 && errno != EINPROGRESS)
		e = errno;
	else
		e = watch_set(d->c.env->net, &d->watch, d->fd, events, fn);
	if (e == 0)
		return true;
	end_errno(d, e);
	return false;
}

/* An address family that this machine has no route for is no reason to give
 * up while there is another address. */
static void
address_choose(struct check_dns *d)
{
	for (; d->addr + 1 < d->resolve.n; d->addr++) {
		const struct sockaddr_storage *ss = &d->resolve.addr[d->addr];
		socklen_t n = ss->ss_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
		int fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		bool ok = fd >= 0 &&
		    connect(fd, (const struct sockaddr *)ss, n) == 0;

		if (fd >= 0)
			(void)close(fd);
		if (ok)
			return;
	}
}

/* -- UDP ------------------------------------------------------------------ */

static void
udp_packet(struct check_dns *d, const uint8_t *p, size_t n, bool *ret_ended)
{
	dns_wire_parse(&d->query, p, n, &d->found);
	if (d->found.found == DNS_FOUND_FOREIGN) {
		d->foreign++;
		text_copy(d->foreign_reason, sizeof(d->foreign_reason),
		    str_of(d->found.reason));
		dns_wire_free(&d->found);
		return;
	}
	*ret_ended = true;
	if (d->found.truncated && conf_of(d)->transport == TRANSPORT_AUTO) {
		dns_wire_free(&d->found);
		socket_close(d);
		ask_tcp(d);
		return;
	}
	judge(d, n);
}

static void
udp_ready(struct watch *w, uint32_t events)
{
	struct check_dns *d = CONTAINER(w, struct check_dns, watch);
	uint8_t p[DNS_UDP_MAX];
	bool ended = false;

	(void)events;
	for (int i = 0; i < PER_TURN && !ended; i++) {
		ssize_t n = recv(d->fd, p, sizeof(p), 0);

		if (n >= 0) {
			udp_packet(d, p, (size_t)n, &ended);
		} else if (errno == EAGAIN || errno == EINTR) {
			return;
		} else {
			end_errno(d, errno);
			return;
		}
	}
}

static void
udp_send(struct check_dns *d)
{
	struct world *w = d->c.env->world;
	int64_t now = world_now(w);
	ssize_t n = send(d->fd, d->query.p, d->query.n, MSG_NOSIGNAL);

	/* A full queue here is like a lost packet: sent again below. */
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS) {
		end_errno(d, errno);
		return;
	}
	timer_set(w, &d->resend,
	    now + MIN(RESEND_NS, (d->c.deadline_ns - d->c.started_ns) / 3),
	    d->resend.fn);
}

static void
udp_again(struct world *w, struct timer *t)
{
	(void)w;
	udp_send(CONTAINER(t, struct check_dns, resend));
}

static void
ask_udp(struct check_dns *d)
{
	d->state = DNS_ASKING;
	if (!socket_open(d, SOCK_DGRAM, udp_ready, EPOLLIN))
		return;
	d->resend.fn = udp_again;
	udp_send(d);
}

/* -- TCP ------------------------------------------------------------------ */

static void
tcp_read(struct check_dns *d)
{
	size_t want = 2;
	ssize_t n;

	for (;;) {
		if (d->answer_n >= 2)
			want = 2 + (size_t)(d->answer[0] << 8 | d->answer[1]);
		if (d->answer_n >= 2 && d->answer_n == want)
			break;
		n = recv(d->fd, d->answer + d->answer_n, want - d->answer_n,
		    0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			end_errno(d, errno);
			return;
		}
		if (n == 0) {
			check_why(&d->c, WHY_NET_CLOSED,
			    "the server closed before a complete answer");
			end(d, false);
			return;
		}
		if (d->first_ns == 0)
			d->first_ns = world_fresh(d->c.env->world);
		d->answer_n += (size_t)n;
	}
	dns_wire_parse(&d->query, d->answer + 2, want - 2, &d->found);
	judge(d, want - 2);
}

static void
tcp_write(struct check_dns *d)
{
	uint8_t p[2 + DNS_QUERY_MAX];
	size_t total = 2 + d->query.n;
	ssize_t n;
	int e;

	p[0] = (uint8_t)(d->query.n >> 8);
	p[1] = (uint8_t)d->query.n;
	memcpy(p + 2, d->query.p, d->query.n);
	n = send(d->fd, p + d->sent, total - d->sent, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		end_errno(d, errno);
		return;
	}
	d->sent += (size_t)n;
	if (d->sent < total)
		return;
	d->state = DNS_READING;
	e = watch_set(d->c.env->net, &d->watch, d->fd, EPOLLIN, d->watch.fn);
	if (e != 0)
		end_errno(d, e);
}

static void
tcp_ready(struct watch *w, uint32_t events)
{
	struct check_dns *d = CONTAINER(w, struct check_dns, watch);
	int e = 0;
	socklen_t n = sizeof(e);

	(void)events;
	if (d->state == DNS_CONNECTING) {
		if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
			e = errno;
		if (e != 0) {
			end_errno(d, e);
			return;
		}
		d->connect_ns = world_fresh(d->c.env->world);
		d->c.out.phase_ns[PHASE_CONNECT] = d->connect_ns - d->first_ns;
		d->first_ns = 0;
		d->state = DNS_SENDING;
	}
	if (d->state == DNS_SENDING)
		tcp_write(d);
	else
		tcp_read(d);
}

static void
ask_tcp(struct check_dns *d)
{
	d->state = DNS_CONNECTING;
	d->tcp = true;
	d->first_ns = world_fresh(d->c.env->world);   /* until connected */
	d->answer = xcalloc(1, 2 + DNS_TCP_MAX);
	(void)socket_open(d, SOCK_STREAM, tcp_ready, EPOLLOUT);
}

/* -- life ----------------------------------------------------------------- */

static void
on_resolved(struct resolve *r)
{
	struct check_dns *d = CONTAINER(r, struct check_dns, resolve);
	int64_t now = world_fresh(d->c.env->world);

	d->resolving = false;
	d->c.out.phase_ns[PHASE_RESOLVE] = now - d->c.started_ns;
	if (r->why != WHY_OK) {
		check_why(&d->c, r->why, "the server's name: %s", r->reason);
		end(d, false);
		return;
	}
	if (r->n > 1)
		address_choose(d);
	d->asked_ns = now;
	if (conf_of(d)->transport == TRANSPORT_TCP)
		ask_tcp(d);
	else
		ask_udp(d);
}

/* The configured server, else the first that our own look-ups ask. */
static bool
server_choose(struct check_dns *d)
{
	const char *own = conf_of(d)->server;
	const char *ours = net_servers(d->c.env->net);
	struct str first;

	if (own != NULL)
		return dns_server_parse(str_of(own), &d->server);
	if (ours == NULL)
		return dns_server_system(&d->server);
	(void)str_cut(str_of(ours), ',', &first);
	return dns_server_parse(first, &d->server);
}

static enum err
dns_start(struct check *c)
{
	struct check_dns *d = CONTAINER(c, struct check_dns, c);
	const struct dns_conf *conf = conf_of(d);
	struct errinfo ei = {0};

	d->fd = -1;
	if (c->env->net == NULL) {
		check_why(c, WHY_LOCAL_OTHER, "no network in this world");
		return ERR_INVALID;
	}
	if (!server_choose(d)) {
		check_why(c, WHY_LOCAL_RESOLVER,
		    "no server to ask: this machine names no resolver; "
		    "set server");
		return ERR_NOT_FOUND;
	}
	if (dns_wire_query(conf->host, conf->record,
		(uint16_t)world_random(c->env->world), &d->query, &ei) !=
	    ERR_OK) {
		check_why(c, WHY_LOCAL_OTHER, "host: %s", ei.text);
		return ERR_INVALID;
	}
	d->resolve = (struct resolve){.name = d->server.host,
		.port = d->server.port, .family = families[conf->ip],
		.fresh = c->recheck, .done = on_resolved};
	d->resolving = true;
	d->state = DNS_RESOLVING;
	net_resolve(c->env->net, &d->resolve);
	return ERR_OK;
}

static void
dns_cancel(struct check *c)
{
	struct check_dns *d = CONTAINER(c, struct check_dns, c);
	bool ours = conf_of(d)->server == NULL;
	enum why silent = ours ? WHY_LOCAL_RESOLVER : WHY_DNS_TIMEOUT;

	switch (d->state) {
	case DNS_RESOLVING:
		check_why(c, WHY_LOCAL_RESOLVER,
		    "the server's name was not resolved in time");
		break;
	case DNS_ASKING:
		if (d->foreign > 0)
			check_why(c, silent,
			    "no answer in time; %u not ours: %s", d->foreign,
			    d->foreign_reason);
		else
			check_why(c, silent, "%s does not answer",
			    ours ? "this machine's resolver" : "the server");
		break;
	case DNS_CONNECTING:
		check_why(c, ours ? silent : WHY_NET_TIMEOUT,
		    "no TCP connection in time");
		break;
	case DNS_SENDING:
	case DNS_READING:
		check_why(c, silent, "no complete answer over TCP in time");
		break;
	}
	release(d, false);
}

/* -- configuration -------------------------------------------------------- */

static enum err
dns_finish(void *own, struct errinfo *ei)
{
	struct dns_conf *conf = own;
	struct dns_query q;
	struct errinfo why = {0};
	enum err e;

	e = dns_wire_query(conf->host, conf->record, 0, &q, &why);
	if (e != ERR_OK)
		return fail_at(ei, e, "host", 0, "%s", why.text);
	for (size_t i = 0; i < conf->answers.n; i++) {
		e = dns_judge_check(conf->record, conf->answers.v[i], ei);
		if (e != ERR_OK)
			return e;
	}
	if (conf->answers.n > 0 && conf->rcode != 0)
		return fail_at(ei, ERR_INVALID, "expect.answers", 0,
		    "answers are expected together with rcode %s; allowed: "
		    "rcode NOERROR", dns_judge_rcodes[conf->rcode]);
	return ERR_OK;
}

static void
dns_target(const void *own, struct buf *out)
{
	const struct dns_conf *conf = own;

	buf_addf(out, "%s %s", conf->host, dns_wire_types[conf->record]);
	if (conf->server != NULL)
		buf_addf(out, " @%s", conf->server);
}

static void
dns_host(const void *own, struct buf *out)
{
	const struct dns_conf *conf = own;
	struct dns_server s;

	if (conf->server == NULL ||
	    !dns_server_parse(str_of(conf->server), &s))
		return;
	for (const char *p = s.host; *p != '\0'; p++)
		buf_addc(out, (char)tolower((unsigned char)*p));
}

const struct check_kind check_dns = {
	.conf = {.name = "dns", .drive = DRIVE_ACTIVE, .opts = opts,
	    .conf_size = sizeof(struct dns_conf), .finish = dns_finish,
	    .target = dns_target, .host = dns_host},
	.size = sizeof(struct check_dns),
	.start = dns_start,
	.cancel = dns_cancel,
};

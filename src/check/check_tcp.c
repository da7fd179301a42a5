/* check_tcp.c: connect, speak TLS if asked to, send a text, wait for a text.
 *
 *   resolve ─► dial ─► (tls) ─► (send) ─► (expect) ─► end
 *
 * The steps in brackets are skipped when not configured. */
#include "check/check.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <openssl/err.h>

#include "base/time.h"
#include "check/tcp.h"

enum tcp_ip { TCP_IP_ANY, TCP_IP_4, TCP_IP_6 };
static const char *const ip_names[] = {"any", "4", "6", NULL};

static const char *
check_host(struct str s)
{
	size_t colons = 0;

	for (size_t i = 0; i < s.n; i++) {
		colons += s.p[i] == ':';
		if (!isalnum((unsigned char)s.p[i]) &&
		    (s.p[i] == '\0' || strchr("-._:%", s.p[i]) == NULL))
			return "a host name or an address, without a port";
	}
	/* An IPv6 address has two at least. */
	return colons == 1 ? "a host name or an address, without a port" : NULL;
}

static const struct opt tcp_opts[] = {
	STRING("host", tcp_conf, host, .flags = OPT_REQUIRED | OPT_TARGET,
	    .min = 1, .max = 253, .check = check_host,
	    .help = "Host name or address to connect to."),
	COUNTER("port", tcp_conf, port, .flags = OPT_REQUIRED | OPT_TARGET,
	    .min = 1, .max = 65535, .help = "Port to connect to."),
	STRING("send", tcp_conf, send, .max = 4096,
	    .help = "Text to send once connected."),
	STRING("expect", tcp_conf, expect, .max = 1024,
	    .help = "Text that must be in the first 4 KiB of the answer."),
	CHOICE("ip", tcp_conf, ip, .dflt = "any", .choices = ip_names,
	    .help = "Which addresses to use: any, 4 or 6."),
	FLAG("tls", tcp_conf, tls, .dflt = "false",
	    .help = "Speak TLS from the first byte."),
	FLAG("insecure", tcp_conf, insecure, .dflt = "false",
	    .help = "Accept any certificate."),
	FLAG("verify_hostname", tcp_conf, verify_hostname, .dflt = "true",
	    .help = "The certificate must name the host."),
	STRING("server_name", tcp_conf, server_name, .max = 253,
	    .check = check_host,
	    .help = "Name to ask for and to verify in TLS instead of host."),
	DURATION("cert_expiry", tcp_conf, cert_expiry_ns, .dflt = "14d",
	    .min = 0, .max = INT64_C(400) * 86400 * 1000000000,
	    .help = "Degraded when the certificate ends within this time; "
		    "0: off."),
	OPT_END
};

static const struct tcp_conf *
conf_of(const struct tcp_check *t)
{
	return t->c.conf->own;
}

static int64_t
fresh(const struct tcp_check *t)
{
	return world_fresh(net_world(t->c.env->net));
}

static void
stage_set(struct tcp_check *t, enum tcp_stage stage)
{
	t->stage = stage;
	t->stage_ns = fresh(t);
}

/* -- the end --------------------------------------------------------------- */

static void
wrap_up(struct tcp_check *t)
{
	struct check *c = &t->c;

	c->out.ended_ns = fresh(t);
	c->out.peer = t->dial.peer;
	c->out.cert_expiry_s = t->tls.not_after_s;
	c->out.bytes = (uint32_t)t->answer.n;
	tcp_show(t);
	net_resolve_cancel(c->env->net, &t->names);
	if (t->dial.net != NULL)
		dial_close(&t->dial);
	tcp_io_close(t);
	tls_seen_reset(&t->tls);
	buf_free(&t->answer);
	t->stage = TCP_IDLE;
}

static void
finish(struct tcp_check *t)
{
	wrap_up(t);
	check_end(&t->c);
}

/* All went well: is the certificate good for long enough? */
static void
finish_ok(struct tcp_check *t)
{
	const struct tcp_conf *tc = conf_of(t);
	int64_t now_s = world_wall_us(net_world(t->c.env->net)) / US_PER_S;
	int64_t left_s = t->tls.not_after_s - now_s;
	char text[TIME_TEXT];

	check_why(&t->c, WHY_OK, "%s", "");
	if (t->tls.not_after_s != 0 && tc->cert_expiry_ns != 0 &&
	    left_s < tc->cert_expiry_ns / NS_PER_S)
		check_why(&t->c, WHY_TLS_EXPIRES_SOON,
		    left_s <= 0 ? "the certificate has expired" :
		    t->tls.issuer_ends ?
		    "an issuer's certificate in the chain ends in %s" :
		    "the certificate ends in %s",
		    time_format_human(left_s * NS_PER_S, text));
	finish(t);
}

static void
finish_io(struct tcp_check *t, enum tcp_io io, int err, const char *doing)
{
	if (io == TCP_IO_CLOSED)
		check_why(&t->c, WHY_NET_CLOSED, "closed by the peer %s",
		    doing);
	else if (err != 0)
		check_why(&t->c, net_why_later(err), "%s: %s", doing,
		    strerror(err));
	else
		check_why(&t->c, WHY_TLS_HANDSHAKE, "%s: TLS failed", doing);
	finish(t);
}

/* -- the stages ------------------------------------------------------------- */

static bool
answer_has(const struct tcp_check *t, const char *what)
{
	return t->answer.n > 0 && memmem(t->answer.p, t->answer.n, what,
	    strlen(what)) != NULL;
}

static void
step_expect(struct tcp_check *t)
{
	const char *what = conf_of(t)->expect;
	char chunk[TCP_ANSWER_MAX];
	enum tcp_io io = TCP_IO_OK;
	size_t n = 0;
	int err = 0;

	for (;;) {
		size_t room = TCP_ANSWER_MAX - t->answer.n;

		if (answer_has(t, what)) {
			t->c.out.phase_ns[PHASE_TRANSFER] =
			    fresh(t) - t->stage_ns;
			finish_ok(t);
			return;
		}
		if (room == 0 || io == TCP_IO_CLOSED)
			break;
		io = tcp_io_read(t, chunk, room, &n, &err);
		if (io == TCP_IO_WAIT)
			return;
		if (io == TCP_IO_FAILED) {
			finish_io(t, io, err, "while waiting for the answer");
			return;
		}
		if (io == TCP_IO_OK && t->answer.n == 0)
			t->c.out.phase_ns[PHASE_FIRST_BYTE] =
			    fresh(t) - t->stage_ns;
		if (io == TCP_IO_OK)
			buf_add(&t->answer, (struct str){chunk, n});
	}
	if (t->answer.n == 0) {
		finish_io(t, TCP_IO_CLOSED, 0, "without an answer");
		return;
	}
	check_why(&t->c, WHY_TCP_EXPECT,
	    "\"%.60s\" is not in the answer \"%.60s\"", what, t->answer.p);
	finish(t);
}

static void
begin_expect(struct tcp_check *t)
{
	if (conf_of(t)->expect == NULL) {
		finish_ok(t);
		return;
	}
	buf_init(&t->answer, TCP_ANSWER_MAX);
	stage_set(t, TCP_EXPECT);
	tcp_io_wait(t, EPOLLIN);
	if (t->ssl != NULL)
		step_expect(t);   /* SSL may hold bytes already */
}

static void
step_send(struct tcp_check *t)
{
	struct str all = str_of(conf_of(t)->send);

	while (t->sent < all.n) {
		size_t n = 0;
		int err = 0;
		enum tcp_io io = tcp_io_write(t, (struct str){all.p + t->sent,
		    all.n - t->sent}, &n, &err);

		if (io == TCP_IO_WAIT)
			return;
		if (io != TCP_IO_OK) {
			finish_io(t, io, err, "while sending");
			return;
		}
		t->sent += n;
	}
	begin_expect(t);
}

static void
begin_send(struct tcp_check *t)
{
	stage_set(t, TCP_SEND);
	step_send(t);
}

static void
begin_text(struct tcp_check *t)
{
	if (conf_of(t)->send != NULL && conf_of(t)->send[0] != '\0')
		begin_send(t);
	else
		begin_expect(t);
}

static void
step_tls(struct tcp_check *t)
{
	const char *what;
	enum tcp_io io;
	int err = 0;

	io = tcp_io_handshake(t, &err);
	if (io == TCP_IO_OK) {
		t->c.out.phase_ns[PHASE_TLS] = fresh(t) - t->stage_ns;
		begin_text(t);
		return;
	}
	if (io == TCP_IO_WAIT)
		return;
	what = ERR_reason_error_string(ERR_peek_error());
	if (t->tls.error != X509_V_OK && !t->tls.insecure)
		check_why(&t->c, tls_why(t->tls.error), "%s",
		    X509_verify_cert_error_string(t->tls.error));
	else if (io == TCP_IO_CLOSED)
		check_why(&t->c, WHY_TLS_HANDSHAKE,
		    "closed by the peer during the handshake");
	else if (err != 0)
		check_why(&t->c, net_why_later(err), "during the handshake: %s",
		    strerror(err));
	else
		check_why(&t->c, WHY_TLS_HANDSHAKE, "%s",
		    what != NULL ? what : "the handshake failed");
	finish(t);
}

static void
begin_tls(struct tcp_check *t)
{
	const struct tcp_conf *tc = conf_of(t);
	char name[256];
	SSL_CTX *ctx = net_ssl(t->c.env->net, tc->insecure);
	unsigned char ip[sizeof(struct in6_addr)];
	bool literal;

	(void)snprintf(name, sizeof(name), "%s",
	    tc->server_name != NULL ? tc->server_name : tc->host);
	literal = inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1;
	if (ctx == NULL) {
		check_why(&t->c, WHY_LOCAL_OTHER,
		    "no trusted certificates on this machine: install "
		    "ca-certificates or set net.ca_file");
		finish(t);
		return;
	}
	t->ssl = SSL_new(ctx);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, t->watch.fd) != 1 ||
	    (!literal && SSL_set_tlsext_host_name(t->ssl, name) != 1) ||
	    !tls_attach(t->ssl, &t->tls, tc->verify_hostname ? name : NULL)) {
		check_why(&t->c, WHY_LOCAL_OTHER, "TLS does not start");
		finish(t);
		return;
	}
	SSL_set_connect_state(t->ssl);
	stage_set(t, TCP_TLS);
	step_tls(t);
}

static void
on_ready(struct watch *w, uint32_t events)
{
	struct tcp_check *t = CONTAINER(w, struct tcp_check, watch);

	(void)events;   /* an error shows in the call that follows */
	switch (t->stage) {
	case TCP_TLS:
		step_tls(t);
		return;
	case TCP_SEND:
		step_send(t);
		return;
	case TCP_EXPECT:
		step_expect(t);
		return;
	case TCP_IDLE:
	case TCP_RESOLVE:
	case TCP_DIAL:
		break;
	}
	assert(t->stage >= TCP_TLS);   /* no socket is ours before */
}

static void
on_dialled(struct dial *d)
{
	struct tcp_check *t = CONTAINER(d, struct tcp_check, dial);

	t->c.out.phase_ns[PHASE_CONNECT] = d->ended_ns - d->began_ns;
	if (d->why != WHY_OK) {
		check_why(&t->c, d->why, "%s", d->reason);
		finish(t);
		return;
	}
	t->ready = on_ready;
	watch_move(t->c.env->net, &d->watch, &t->watch, on_ready);
	if (conf_of(t)->tls)
		begin_tls(t);
	else
		begin_text(t);
}

static enum err
begin_dial(struct tcp_check *t)
{
	if (t->names.why != WHY_OK) {
		check_why(&t->c, t->names.why, "%s", t->names.reason);
		return ERR_NOT_FOUND;
	}
	stage_set(t, TCP_DIAL);
	t->dial.net = t->c.env->net;
	t->dial.to = &t->names;
	t->dial.done = on_dialled;
	if (dial_start(&t->dial) == ERR_OK)
		return ERR_OK;
	check_why(&t->c, t->dial.why, "%s", t->dial.reason);
	return ERR_SYS;
}

static void
on_names(struct resolve *r)
{
	struct tcp_check *t = CONTAINER(r, struct tcp_check, names);

	t->c.out.phase_ns[PHASE_RESOLVE] = fresh(t) - t->stage_ns;
	if (begin_dial(t) != ERR_OK)
		finish(t);
}

static enum err
start(struct check *c)
{
	static const int families[] = {
		[TCP_IP_ANY] = AF_UNSPEC,
		[TCP_IP_4] = AF_INET,
		[TCP_IP_6] = AF_INET6,
	};
	struct tcp_check *t = CONTAINER(c, struct tcp_check, c);
	const struct tcp_conf *tc = conf_of(t);

	t->tls.insecure = tc->insecure;
	t->tls.want_chain = c->want_evidence || c->want_details;
	t->names.name = tc->host;
	t->names.port = (uint16_t)tc->port;
	t->names.family = families[tc->ip];
	t->names.fresh = c->recheck;
	t->names.done = on_names;
	stage_set(t, TCP_RESOLVE);
	c->out.started_ns = t->stage_ns;
	if (!net_resolve_now(c->env->net, &t->names)) {
		net_resolve(c->env->net, &t->names);
		return ERR_OK;
	}
	if (begin_dial(t) == ERR_OK)
		return ERR_OK;
	wrap_up(t);
	return ERR_SYS;
}

static void
cancel(struct check *c)
{
	struct tcp_check *t = CONTAINER(c, struct tcp_check, c);
	char took[TIME_TEXT];

	(void)time_format_human(fresh(t) - c->out.started_ns, took);
	switch (t->stage) {
	case TCP_IDLE:
		return;
	case TCP_RESOLVE:
		check_why(c, WHY_LOCAL_RESOLVER,
		    "%.100s: our resolver has not answered in %s",
		    t->names.name, took);
		break;
	case TCP_DIAL:
		c->out.phase_ns[PHASE_CONNECT] = fresh(t) - t->dial.began_ns;
		dial_close(&t->dial);
		check_why(c, t->dial.why, "%s (%s)", t->dial.reason, took);
		break;
	case TCP_TLS:
		check_why(c, WHY_TLS_TIMEOUT, "no end of the handshake in %s",
		    took);
		break;
	case TCP_SEND:
		check_why(c, WHY_TIMEOUT,
		    "the peer took %zu bytes of ours in %s", t->sent, took);
		break;
	case TCP_EXPECT:
		check_why(c, WHY_TIMEOUT,
		    "the expected text did not come in %s; %zu bytes did",
		    took, t->answer.n);
		break;
	}
	wrap_up(t);
}

static void
put_target(const void *conf, struct buf *out)
{
	const struct tcp_conf *tc = conf;
	bool v6 = strchr(tc->host, ':') != NULL;

	buf_addf(out, v6 ? "%s[%s]:%u" : "%s%s:%u", tc->tls ? "tls://" : "",
	    tc->host, tc->port);
}

static void
put_host(const void *conf, struct buf *out)
{
	const struct tcp_conf *tc = conf;

	for (const char *p = tc->host; *p != '\0'; p++)
		buf_addc(out, (char)tolower((unsigned char)*p));
}

const struct check_kind check_tcp = {
	.conf = {
		.name = "tcp",
		.drive = DRIVE_ACTIVE,
		.opts = tcp_opts,
		.conf_size = sizeof(struct tcp_conf),
		.target = put_target,
		.host = put_host,
	},
	.size = sizeof(struct tcp_check),
	.start = start,
	.cancel = cancel,
};

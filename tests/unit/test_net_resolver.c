/* The resolver against a DNS server of ours on loopback. */
#include <poll.h>
#include <strings.h>

#include "net_rig.h"

/* -- the server: a thread that answers by name -------------------------------- */

struct dns {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint asked;        /* queries of type A */
	atomic_uchar last;        /* of the address given for a.test */
	atomic_bool hold;         /* keep queries unanswered until unset */
};

struct rule {
	const char *name;
	int rcode;                /* -1: silence */
	bool has_a;
};

static const struct rule rules[] = {
	{"a.test", 0, true},
	{"nx.test", 3, false},
	{"empty.test", 0, false},
	{"fail.test", 2, false},
	{"refused.test", 5, false},
	{"silent.test", -1, false},
};

/* The name of the question, dotted; the offset behind it. */
static size_t
question(const uint8_t *q, size_t n, char *dst, size_t size)
{
	size_t at = 12;
	size_t out = 0;

	while (at < n && q[at] != 0 && out + q[at] + 2 < size) {
		if (out > 0)
			dst[out++] = '.';
		memcpy(dst + out, q + at + 1, q[at]);
		out += q[at];
		at += q[at] + 1U;
	}
	dst[out] = '\0';
	return at + 5;
}

static void
answer(struct dns *d, uint8_t *q, size_t n, const struct sockaddr_in *to)
{
	char name[256];
	size_t end = question(q, n, name, sizeof(name));
	uint8_t type = q[end - 3];
	const struct rule *r = NULL;

	for (size_t i = 0; i < COUNT(rules); i++)
		if (strcasecmp(rules[i].name, name) == 0)
			r = &rules[i];
	if (type == 1)
		atomic_fetch_add(&d->asked, 1);
	if (r != NULL && r->rcode < 0)
		return;
	q[2] = 0x81;
	q[3] = (uint8_t)(0x80 | (r != NULL ? r->rcode : 3));
	memset(q + 6, 0, 6);
	if (r != NULL && r->has_a && type == 1) {
		static const uint8_t rr[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30,
			0, 4, 127, 0, 0};

		q[7] = 1;
		memcpy(q + end, rr, sizeof(rr));
		q[end + sizeof(rr)] = atomic_load(&d->last);
		end += sizeof(rr) + 1;
	}
	(void)sendto(d->fd, q, end, 0, (const struct sockaddr *)to,
	    sizeof(*to));
}

static void *
dns_main(void *arg)
{
	struct dns *d = arg;

	while (!atomic_load(&d->stop)) {
		struct pollfd p = {.fd = d->fd, .events = POLLIN};
		struct sockaddr_in from;
		socklen_t fn = sizeof(from);
		uint8_t q[600];
		ssize_t n;

		if (atomic_load(&d->hold) || poll(&p, 1, 20) != 1)
			continue;
		n = recvfrom(d->fd, q, 512, 0, (struct sockaddr *)&from, &fn);
		if (n > 16)
			answer(d, q, (size_t)n, &from);
	}
	return NULL;
}

static struct dns dns;
static struct rig rig;

static int
set_up(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	char text[32];
	char *servers[] = {text};
	struct settings st = {.net.resolvers = {.v = servers, .n = 1}};

	(void)state;
	dns.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(dns.fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(dns.fd, (struct sockaddr *)&in, &n), 0);
	dns.port = ntohs(in.sin_port);
	atomic_store(&dns.last, 1);
	assert_int_equal(pthread_create(&dns.thread, NULL, dns_main, &dns), 0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", dns.port);
	rig_open(&rig, &st);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	atomic_store(&dns.stop, true);
	(void)pthread_join(dns.thread, NULL);
	(void)close(dns.fd);
	return 0;
}

/* -- asking ------------------------------------------------------------------- */

static unsigned waiting;

static void
on_done(struct resolve *r)
{
	assert_null(r->pending);
	if (--waiting == 0)
		world_uv_stop(rig.world);
}

static void
ask(struct resolve *r, const char *name, int family, bool fresh)
{
	*r = (struct resolve){.name = name, .port = 80, .family = family,
		.fresh = fresh, .done = on_done};
	waiting++;
	net_resolve(rig.net, r);
	assert_non_null(r->pending);   /* never at once */
}

static void
look_up(struct resolve *r, const char *name, int family, bool fresh)
{
	ask(r, name, family, fresh);
	assert_true(rig_run(&rig, 15 * NS_PER_S));
}

static uint8_t
last_byte(const struct resolve *r)
{
	const struct sockaddr_in *in =
	    (const struct sockaddr_in *)(const void *)&r->addr[0];

	assert_int_equal(r->addr[0].ss_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), r->port);
	return (uint8_t)(ntohl(in->sin_addr.s_addr) & 0xff);
}

static void
literals_need_nobody(void **state)
{
	struct resolve r;

	(void)state;
	look_up(&r, "127.0.0.9", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(last_byte(&r), 9);
	look_up(&r, "::1", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_OK);
	assert_int_equal(r.addr[0].ss_family, AF_INET6);
	look_up(&r, "127.0.0.1", AF_INET6, false);
	assert_int_equal(r.why, WHY_DNS_NODATA);
	look_up(&r, "::1", AF_INET, false);
	assert_int_equal(r.why, WHY_DNS_NODATA);
	look_up(&r, "1:2:3", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_DNS_MALFORMED);
	look_up(&r, "localhost", AF_INET, false);   /* the hosts file */
	assert_int_equal(r.why, WHY_OK);
	assert_int_equal(last_byte(&r), 1);
	assert_int_equal(atomic_load(&dns.asked), 0);
}

static void
answers_are_kept_for_a_while(void **state)
{
	struct resolve r;
	unsigned asked = atomic_load(&dns.asked);

	(void)state;
	look_up(&r, "a.test", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(last_byte(&r), 1);
	atomic_store(&dns.last, 2);
	look_up(&r, "A.Test", AF_UNSPEC, false);
	assert_int_equal(last_byte(&r), 1);
	assert_int_equal(atomic_load(&dns.asked), asked + 1);
	look_up(&r, "a.test", AF_UNSPEC, true);   /* a recheck looks anew */
	assert_int_equal(last_byte(&r), 2);
	assert_int_equal(atomic_load(&dns.asked), asked + 2);
	look_up(&r, "a.test", AF_UNSPEC, false);
	assert_int_equal(last_byte(&r), 2);
}

static void
their_faults_are_theirs(void **state)
{
	struct resolve r;

	(void)state;
	look_up(&r, "nx.test", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_DNS_NXDOMAIN);
	assert_non_null(strstr(r.reason, "nx.test"));
	look_up(&r, "empty.test", AF_UNSPEC, false);
	assert_int_equal(r.why, WHY_DNS_NODATA);
	look_up(&r, "a.test", AF_INET6, false);
	assert_int_equal(r.why, WHY_DNS_NODATA);
	look_up(&r, "fail.test", AF_INET, false);
	assert_int_equal(r.why, WHY_DNS_SERVFAIL);
	look_up(&r, "refused.test", AF_INET, false);
	assert_int_equal(r.why, WHY_LOCAL_RESOLVER);
	assert_non_null(strstr(r.reason, "refuses"));
	look_up(&r, "", AF_INET, false);
	assert_int_equal(r.why, WHY_DNS_MALFORMED);
}

static void
one_question_for_many(void **state)
{
	struct resolve r[50];
	unsigned asked = atomic_load(&dns.asked);

	(void)state;
	atomic_store(&dns.hold, true);
	for (size_t i = 0; i < COUNT(r); i++)
		ask(&r[i], "a.test", AF_INET, true);
	net_resolve_cancel(rig.net, &r[7]);   /* one of them gives up */
	net_resolve_cancel(rig.net, &r[7]);
	waiting--;
	atomic_store(&dns.hold, false);
	assert_true(rig_run(&rig, 15 * NS_PER_S));
	for (size_t i = 0; i < COUNT(r); i++)
		assert_int_equal(r[i].n, i == 7 ? 0 : 1);
	assert_int_equal(atomic_load(&dns.asked), asked + 1);
}

/* The first who asks gives up before the answer, then everybody. */
static void
giving_up_is_safe(void **state)
{
	struct resolve silent;
	struct resolve r;

	(void)state;
	ask(&silent, "silent.test", AF_INET, false);
	net_resolve_cancel(rig.net, &silent);
	waiting--;
	assert_null(silent.pending);
	ask(&r, "127.0.0.1", AF_INET, false);   /* answered, not yet told */
	net_resolve_cancel(rig.net, &r);
	waiting--;
	look_up(&r, "a.test", AF_INET, true);
	assert_int_equal(r.why, WHY_OK);
	/* silent.test is still being asked for when the net goes. */
}

static void
a_resolver_that_is_not_there_is_our_fault(void **state)
{
	int fd;
	char text[32];
	char *servers[] = {text};
	struct settings st = {.net.resolvers = {.v = servers, .n = 1}};
	struct rig with = rig;
	struct resolve r;

	(void)state;
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", port_closed(&fd));
	rig_open(&rig, &st);
	look_up(&r, "a.test", AF_INET, false);
	assert_int_equal(r.why, WHY_LOCAL_RESOLVER);
	assert_non_null(strstr(r.reason, "our resolver"));
	rig_close(&rig);
	(void)close(fd);
	rig = with;
}

static void
servers_must_be_addresses(void **state)
{
	char text[] = "dns.example";
	char *servers[] = {text};
	struct settings st = {.net.resolvers = {.v = servers, .n = 1}};
	struct world *w = world_uv_new();
	struct net *n = NULL;
	struct errinfo ei = {.text = ""};

	(void)state;
	assert_int_not_equal(net_new(w, &st, &n, &ei), ERR_OK);
	assert_non_null(strstr(ei.text, "dns.example"));
	world_uv_free(w);
}

static void
whose_fault_an_errno_is(void **state)
{
	(void)state;
	assert_int_equal(net_why(EMFILE), WHY_LOCAL_FDS);
	assert_int_equal(net_why(ENETUNREACH), WHY_LOCAL_ROUTE);
	assert_int_equal(net_why(ECONNREFUSED), WHY_NET_REFUSED);
	assert_int_equal(net_why(ECONNRESET), WHY_NET_RESET);
	assert_int_equal(net_why(ETIMEDOUT), WHY_NET_TIMEOUT);
	assert_int_equal(net_why(EPERM), WHY_LOCAL_PERMISSION);
	/* Our own routing table, and the network's word. */
	assert_int_equal(net_why(EHOSTUNREACH), WHY_LOCAL_ROUTE);
	assert_int_equal(net_why(EINVAL), WHY_LOCAL_ROUTE);
	assert_int_equal(net_why(EACCES), WHY_LOCAL_PERMISSION);
	assert_int_equal(net_why_later(EHOSTUNREACH),
	    WHY_NET_HOST_UNREACHABLE);
	assert_int_equal(net_why_later(ENETUNREACH), WHY_NET_UNREACHABLE);
	assert_int_equal(net_why_later(EACCES), WHY_NET_HOST_UNREACHABLE);
	assert_int_equal(net_why_later(ECONNRESET), WHY_NET_RESET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_need_nobody),
		cmocka_unit_test(answers_are_kept_for_a_while),
		cmocka_unit_test(their_faults_are_theirs),
		cmocka_unit_test(one_question_for_many),
		cmocka_unit_test(giving_up_is_safe),
		cmocka_unit_test(a_resolver_that_is_not_there_is_our_fault),
		cmocka_unit_test(servers_must_be_addresses),
		cmocka_unit_test(whose_fault_an_errno_is),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

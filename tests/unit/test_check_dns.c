/* The dns check against a server of its own thread: UDP and TCP on one port;
 * the first label of the asked name says how it behaves. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "check/dns_wire.h"

#include "check_rig.h"

#define PACKET 600

static struct rig rig;
static struct {
	int udp, tcp, stop[2];
	uint16_t port;
	atomic_uint asked;       /* over UDP */
	pthread_t thread;
} fake;

/* -- the server ------------------------------------------------------------- */

static bool
label_is(const uint8_t *p, const char *label)
{
	return p[12] == strlen(label) &&
	    memcmp(p + 13, label, strlen(label)) == 0;
}

static size_t
record(uint8_t *p, size_t n, uint16_t owner, uint16_t type, const void *data,
    size_t len)
{
	const uint8_t head[] = {(uint8_t)(0xc0 | owner >> 8), (uint8_t)owner,
		0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)len};

	memcpy(p + n, head, sizeof(head));
	memcpy(p + n + sizeof(head), data, len);
	p[7]++;
	return n + sizeof(head) + len;
}

/* Turn the question of n bytes into an answer; its length, 0: silence. */
static size_t
fake_answer(uint8_t *p, size_t n, bool tcp)
{
	p[2] = 0x81;
	p[3] = 0x80;
	if (label_is(p, "silent") || (label_is(p, "lost") &&
	    atomic_load(&fake.asked) == 1))
		return 0;
	if (label_is(p, "nx"))
		p[3] |= 3;
	if (label_is(p, "nx") || label_is(p, "empty"))
		return n;
	if (label_is(p, "badid"))
		p[0] ^= 0xff;
	if (label_is(p, "question"))
		p[13] ^= 1;
	if (label_is(p, "loop"))
		return record(p, n, 12, 5, "\xc0\x0c", 2);
	if (label_is(p, "broken"))
		return record(p, n, 12, 1, "\xc0\x00\x02", 3);
	if (label_is(p, "trunc") && !tcp) {
		p[2] |= 2;
		return n;
	}
	if (label_is(p, "text"))
		return record(p, n, 12, 16, "\x05<\x1b&\n>", 6);
	n = record(p, n, 12, 1, "\xc0\x00\x02\x01", 4);
	return record(p, n, 12, 1, "\xc0\x00\x02\x02", 4);
}

static void
fake_udp(void)
{
	struct sockaddr_storage from;
	socklen_t from_n = sizeof(from);
	uint8_t p[PACKET];
	ssize_t n = recvfrom(fake.udp, p, 512, 0, (struct sockaddr *)&from,
	    &from_n);
	size_t len;

	if (n < 17)
		return;
	atomic_fetch_add(&fake.asked, 1);
	len = fake_answer(p, (size_t)n, false);
	if (len > 0)
		(void)sendto(fake.udp, p, len, 0, (struct sockaddr *)&from,
		    from_n);
}

/* One byte a write: the reader has to put them together. */
static void
fake_tcp(void)
{
	int fd = accept4(fake.tcp, NULL, NULL, SOCK_CLOEXEC);
	uint8_t p[2 + PACKET];
	ssize_t n = recv(fd, p, 2 + 512, 0);
	size_t len = 0;

	if (n >= 2 + 17 && !label_is(p + 2, "hangup"))
		len = fake_answer(p + 2, (size_t)n - 2, true);
	p[0] = (uint8_t)(len >> 8);
	p[1] = (uint8_t)len;
	for (size_t i = 0; len > 0 && i < 2 + len; i++)
		(void)send(fd, p + i, 1, MSG_NOSIGNAL);
	(void)close(fd);
}

static void *
fake_main(void *arg)
{
	struct pollfd f[3] = {{fake.udp, POLLIN, 0}, {fake.tcp, POLLIN, 0},
		{fake.stop[0], POLLIN, 0}};

	(void)arg;
	while (poll(f, 3, -1) > 0 && f[2].revents == 0) {
		if (f[0].revents != 0)
			fake_udp();
		if (f[1].revents != 0)
			fake_tcp();
	}
	return NULL;
}

static int
set_up(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);

	(void)state;
	do {   /* a port that is free for both */
		in.sin_port = 0;
		fake.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		fake.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fake.tcp, (void *)&in, n), 0);
		assert_int_equal(getsockname(fake.tcp, (void *)&in, &n), 0);
		fake.port = ntohs(in.sin_port);
	} while (bind(fake.udp, (void *)&in, n) != 0);
	assert_int_equal(listen(fake.tcp, 8), 0);
	assert_int_equal(pipe(fake.stop), 0);
	assert_int_equal(pthread_create(&fake.thread, NULL, fake_main, NULL),
	    0);
	rig_open(&rig, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)close(fake.stop[1]);
	(void)pthread_join(fake.thread, NULL);
	(void)close(fake.stop[0]);
	(void)close(fake.udp);
	(void)close(fake.tcp);
	rig_close(&rig);
	return 0;
}

/* -- looks ------------------------------------------------------------------ */

static void
ask(struct look *l, int timeout_ms, const char *name, const char *more)
{
	char json[512];

	atomic_store(&fake.asked, 0);
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"dns\",\"host\":\"%s.test\","
	    "\"server\":\"127.0.0.1:%u\"%s}", name, fake.port, more);
	look_run(&rig, l, timeout_ms, json);
}

static void
outcomes(void **state)
{
	static const struct {
		const char *name, *more;
		enum why why;
	} rows[] = {
		{"a", "", WHY_OK},
		{"a", ",\"transport\":\"tcp\"", WHY_OK},
		{"a", ",\"expect\":{\"answers\":[\"192.0.2.1\"]}", WHY_OK},
		{"a", ",\"expect\":{\"answers\":\"192.0.2.1\","
		    "\"match\":\"exact\"}", WHY_DNS_MISMATCH},
		{"a", ",\"expect\":{\"answers\":[\"192.0.2.9\"]}",
		    WHY_DNS_MISMATCH},
		{"trunc", "", WHY_OK},
		{"trunc", ",\"transport\":\"udp\"", WHY_DNS_NODATA},
		{"nx", "", WHY_DNS_NXDOMAIN},
		{"nx", ",\"expect\":{\"rcode\":\"NXDOMAIN\"}", WHY_OK},
		{"a", ",\"expect\":{\"rcode\":\"NXDOMAIN\"}", WHY_DNS_RCODE},
		{"empty", "", WHY_DNS_NODATA},
		{"empty", ",\"expect\":{\"allow_empty\":true}", WHY_OK},
		{"loop", "", WHY_DNS_LOOP},
		{"broken", "", WHY_DNS_MALFORMED},
		{"hangup", ",\"transport\":\"tcp\"", WHY_NET_CLOSED},
		{"badid", ",\"transport\":\"tcp\"", WHY_DNS_MALFORMED},
		{"silent", "", WHY_DNS_TIMEOUT},
		{"badid", "", WHY_DNS_TIMEOUT},
		{"question", "", WHY_DNS_TIMEOUT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct look l;

		ask(&l, rows[i].why == WHY_DNS_TIMEOUT ? 300 : 5000,
		    rows[i].name, rows[i].more);
		if (l.out.why != rows[i].why)
			print_message("row %zu: %s\n", i, rows[i].name);
		assert_why(&l, rows[i].why);
		assert_true(l.cancelled == (l.out.why == WHY_DNS_TIMEOUT));
		assert_true((l.out.reason[0] == '\0') ==
		    (l.out.why == WHY_OK));
		assert_int_equal(l.out.peer.port, fake.port);
		look_free(&l);
	}
}

static void
a_lost_packet_is_sent_again(void **state)
{
	struct look l;

	(void)state;
	ask(&l, 900, "lost", "");
	assert_why(&l, WHY_OK);
	assert_int_equal(atomic_load(&fake.asked), 2);
	assert_true(l.out.latency_ns >= 250 * NS_PER_MS);
	look_free(&l);
}

static void
what_it_tells(void **state)
{
	struct look l;

	(void)state;
	ask(&l, 5000, "trunc", "");
	assert_true(l.out.phase_ns[PHASE_CONNECT] >= 0);
	assert_true(l.out.phase_ns[PHASE_FIRST_BYTE] >= 0);
	assert_true(l.out.phase_ns[PHASE_TRANSFER] >= 0);
	assert_non_null(strstr(l.out.details, "over TCP"));
	assert_non_null(strstr(l.out.evidence,
	    "\"answers\":[\"192.0.2.1\",\"192.0.2.2\"]"));
	look_free(&l);
	ask(&l, 5000, "text", ",\"record\":\"TXT\"");
	assert_why(&l, WHY_OK);
	assert_null(strchr(l.out.details, '\x1b'));
	assert_null(strchr(l.out.evidence, '\x1b'));
	look_free(&l);
	ask(&l, 5000, "nx", "");
	assert_int_equal(l.out.code, 3);
	look_free(&l);
}

static void
nobody_listens(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(in);
	static const char *const transports[] = {"udp", "tcp"};

	(void)state;
	/* bound but not listening, and nobody may take the UDP port's twin */
	assert_int_equal(bind(fd, (void *)&in, n), 0);
	assert_int_equal(getsockname(fd, (void *)&in, &n), 0);
	for (size_t i = 0; i < COUNT(transports); i++) {
		struct look l;
		char json[256];

		(void)snprintf(json, sizeof(json),
		    "{\"type\":\"dns\",\"host\":\"x\",\"server\":"
		    "\"127.0.0.1:%u\",\"transport\":\"%s\"}",
		    ntohs(in.sin_port), transports[i]);
		look_run(&rig, &l, 5000, json);
		assert_why(&l, WHY_NET_REFUSED);
		assert_false(l.cancelled);
		look_free(&l);
	}
	(void)close(fd);
}

static void
settings_are_checked(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"dns\"}",
		"{\"type\":\"dns\",\"host\":\"a..b\"}",
		"{\"type\":\"dns\",\"host\":\"a\",\"record\":\"AXFR\"}",
		"{\"type\":\"dns\",\"host\":\"a\",\"server\":\"x:y\"}",
		"{\"type\":\"dns\",\"host\":\"a\",\"expect\":"
		"{\"answers\":[\"b\"]}}",
		"{\"type\":\"dns\",\"host\":\"a\",\"expect\":"
		"{\"answers\":[\"192.0.2.1\"],\"rcode\":\"NXDOMAIN\"}}",
		"{\"type\":\"dns\",\"host\":\"a\",\"expect\":"
		"{\"match\":\"some\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct monitor_conf *c = NULL;
		struct errinfo ei = {.text = ""};

		if (monitor_conf_load(str_of(bad[i]), "x", NULL,
			check_monitor_kinds, &c, &ei) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
		assert_true(ei.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes),
		cmocka_unit_test(a_lost_packet_is_sent_again),
		cmocka_unit_test(what_it_tells),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(settings_are_checked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

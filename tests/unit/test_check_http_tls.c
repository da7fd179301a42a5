/* HTTPS and TLS checks against certificates with every kind of fault. */
#include <signal.h>
#include <time.h>

#include "check/http.h"

#include "tls_rig.h"

#define DAY 86400L

static struct rig rig;
static struct cert ca, other_ca;
static char dir[256];

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

static int
set_up(void **state)
{
	struct cert_want want = {.name = "Test CA", .from_s = -DAY,
		.to_s = 100 * DAY, .ca = true};
	static char path[300];
	struct settings st = {.net.ca_file = path};

	(void)state;
	/* As every program that speaks TLS over sockets; here the servers. */
	(void)signal(SIGPIPE, SIG_IGN);
	look_tmpdir(dir, sizeof(dir));
	ca = cert_make(&want);
	want.name = "Other CA";
	other_ca = cert_make(&want);
	(void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
	cert_write(&ca, path);
	rig_open(&rig, &st);
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	cert_free(&ca);
	cert_free(&other_ca);
	return 0;
}

/* Look over HTTPS, and as tcp with tls, at a server with this certificate. */
static void
both(const struct cert_want *want, const char *more, enum why why)
{
	struct cert c = cert_make(want);
	struct tls_serve t = {.cert = &c, .say = page, .wait_request = true};
	struct server s;
	struct look l;
	char json[512];

	server_start(&s, AF_INET, serve_tls, &t);
	(void)snprintf(json, sizeof(json), "{\"type\":\"http\","
	    "\"url\":\"https://localhost:%u/\"%s}", s.port, more);
	look_run(&rig, &l, 5000, json);
	assert_why(&l, why);
	assert_true(l.out.cert_expiry_s > 0);
	assert_true(llabs(l.out.cert_expiry_s - (time(NULL) + want->to_s)) < 60);
	assert_non_null(strstr(l.out.details, "certificate: /CN="));
	if (why != WHY_OK)
		assert_non_null(strstr(l.out.evidence, "\"subject\":\"/CN="));
	else
		assert_true(l.out.phase_ns[PHASE_TLS] > 0);
	look_free(&l);
	t.wait_request = false;
	(void)snprintf(json, sizeof(json), "{\"type\":\"tcp\",\"tls\":true,"
	    "\"host\":\"localhost\",\"port\":%u,\"expect\":\"200 OK\"%s}",
	    s.port, more);
	look_run(&rig, &l, 5000, json);
	assert_why(&l, why);
	assert_true(llabs(l.out.cert_expiry_s - (time(NULL) + want->to_s)) < 60);
	look_free(&l);
	server_stop(&s);
	assert_false(atomic_load(&t.resumed));
	cert_free(&c);
}

static void
a_good_certificate(void **state)
{
	struct cert_want want = {.name = "good", .alt = "DNS:localhost",
		.from_s = -DAY, .to_s = 90 * DAY, .by = &ca};

	(void)state;
	both(&want, "", WHY_OK);
	both(&want, "", WHY_OK);
	want.alt = "IP:127.0.0.1";
	both(&want, "", WHY_TLS_WRONG_HOST);
	both(&want, ", \"verify_hostname\":false", WHY_OK);
}

static void
faults_are_told_apart(void **state)
{
	struct cert_want want = {.name = "bad", .alt = "DNS:localhost",
		.from_s = -10 * DAY, .to_s = -DAY, .by = &ca};

	(void)state;
	both(&want, "", WHY_TLS_EXPIRED);
	want.from_s = DAY;
	want.to_s = 90 * DAY;
	both(&want, "", WHY_TLS_NOT_YET);
	want.from_s = -DAY;
	want.by = NULL;
	both(&want, "", WHY_TLS_SELF_SIGNED);
	both(&want, ", \"insecure\":true", WHY_OK);
	want.by = &other_ca;
	both(&want, "", WHY_TLS_UNTRUSTED);
	want.by = &ca;
	want.alt = "DNS:elsewhere.example";
	both(&want, "", WHY_TLS_WRONG_HOST);
	both(&want, ", \"insecure\":true", WHY_OK);
}

static void
the_end_of_a_certificate_is_seen_coming(void **state)
{
	struct cert_want want = {.name = "soon", .alt = "DNS:localhost",
		.from_s = -DAY, .to_s = 5 * DAY, .by = &ca};

	(void)state;
	both(&want, "", WHY_TLS_EXPIRES_SOON);
	both(&want, ", \"cert_expiry\":\"3d\"", WHY_OK);
	both(&want, ", \"cert_expiry\":0", WHY_OK);
}

/* The leaf is good for long; what it hangs on is not. */
static void
an_issuer_that_ends_sooner_is_seen_too(void **state)
{
	struct cert_want want = {.name = "Middle CA", .from_s = -DAY,
		.to_s = 5 * DAY, .by = &ca, .ca = true};
	struct cert middle = cert_make(&want), leaf;
	struct tls_serve t = {.cert = &leaf, .issuer = &middle, .say = page};
	struct server s;
	struct look l;
	char json[512];

	(void)state;
	want = (struct cert_want){.name = "leaf", .alt = "DNS:localhost",
		.from_s = -DAY, .to_s = 90 * DAY, .by = &middle};
	leaf = cert_make(&want);
	server_start(&s, AF_INET, serve_tls, &t);
	for (int i = 0; i < 2; i++) {
		t.wait_request = i == 0;
		(void)snprintf(json, sizeof(json), i == 0 ?
		    "{\"type\":\"http\",\"url\":\"https://localhost:%u/\"}" :
		    "{\"type\":\"tcp\",\"tls\":true,\"port\":%u,"
		    "\"host\":\"localhost\",\"expect\":\"200 OK\"}", s.port);
		look_run(&rig, &l, 5000, json);
		assert_why(&l, WHY_TLS_EXPIRES_SOON);
		assert_true(llabs(l.out.cert_expiry_s -
		    (time(NULL) + 5 * DAY)) < 60);
		assert_non_null(strstr(l.out.reason, "issuer"));
		look_free(&l);
	}
	server_stop(&s);
	cert_free(&leaf);
	cert_free(&middle);
}

static void
serve_garbage(struct server *s, int fd)
{
	(void)s;
	(void)server_says(fd, "220 mail.example ESMTP ready, not TLS\r\n");
	server_hold(fd);
}

static void
serve_close(struct server *s, int fd)
{
	char junk[16];

	(void)s;
	(void)recv(fd, junk, sizeof(junk), 0);
}

static void
serve_hold(struct server *s, int fd)
{
	(void)s;
	server_hold(fd);
}

static void
no_handshake(serve_fn *fn, enum why why)
{
	struct server s;
	struct look l;
	char json[512];

	server_start(&s, AF_INET, fn, NULL);
	(void)snprintf(json, sizeof(json), "{\"type\":\"http\","
	    "\"url\":\"https://127.0.0.1:%u/\"}", s.port);
	look_run(&rig, &l, 300, json);
	assert_why(&l, why);
	look_free(&l);
	(void)snprintf(json, sizeof(json), "{\"type\":\"tcp\",\"tls\":true,"
	    "\"host\":\"127.0.0.1\",\"port\":%u}", s.port);
	look_run(&rig, &l, 300, json);
	assert_why(&l, why);
	look_free(&l);
	server_stop(&s);
}

static void
failed_handshakes(void **state)
{
	(void)state;
	no_handshake(serve_garbage, WHY_TLS_HANDSHAKE);
	no_handshake(serve_hold, WHY_TLS_TIMEOUT);
}

/* Closed with our hello half read: the kernel sends a reset. */
static void
a_reset_in_the_handshake(void **state)
{
	(void)state;
	no_handshake(serve_close, WHY_NET_RESET);
}

static void
trust_that_cannot_be_read(void **state)
{
	char path[] = "/nonexistent/ca.pem";
	struct settings st = {.net.ca_file = path};
	struct world *w = world_uv_new();
	struct net *n = NULL;
	struct errinfo ei = {.text = ""};

	(void)state;
	assert_int_not_equal(net_new(w, &st, &n, &ei), ERR_OK);
	assert_non_null(strstr(ei.text, path));
	assert_null(n);
	world_uv_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_certificate),
		cmocka_unit_test(faults_are_told_apart),
		cmocka_unit_test(the_end_of_a_certificate_is_seen_coming),
		cmocka_unit_test(an_issuer_that_ends_sooner_is_seen_too),
		cmocka_unit_test(failed_handshakes),
		cmocka_unit_test(a_reset_in_the_handshake),
		cmocka_unit_test(trust_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

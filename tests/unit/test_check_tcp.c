/* The tcp check without TLS (with it: test_check_http_tls.c). */
#include <time.h>

#include "check/tcp.h"

#include "check_rig.h"

static struct rig rig;

static void
serve_banner(struct server *s, int fd)
{
	(void)server_says(fd, s->arg);
	server_hold(fd);
}

/* In two pieces, with a pause that a careless reader takes for the end. */
static void
serve_pieces(struct server *s, int fd)
{
	struct timespec ts = {.tv_nsec = 30000000};

	(void)s;
	(void)server_says(fd, "+PO");
	(void)nanosleep(&ts, NULL);
	(void)server_says(fd, "NG\r\n");
	server_hold(fd);
}

static void
serve_echo(struct server *s, int fd)
{
	ssize_t n = recv(fd, s->request, sizeof(s->request) - 1, 0);

	if (n > 0)
		(void)server_say(fd, s->request, (size_t)n);
	server_hold(fd);
}

static void
serve_flood(struct server *s, int fd)
{
	static const char junk[] = "no no no no no no no no no no no no no\n";

	(void)s;
	while (server_says(fd, junk))
		;
}

static void
serve_quiet(struct server *s, int fd)
{
	(void)s;
	server_hold(fd);
}

static void
serve_goodbye(struct server *s, int fd)
{
	(void)s;
	(void)fd;
}

/* How our side ended the connection: 0 by FIN, else an errno. */
static atomic_int ended;

static void
serve_watch_end(struct server *s, int fd)
{
	char junk[512];
	ssize_t n;

	(void)s;
	(void)server_says(fd, "220 welcome, and more than is asked for\r\n");
	do {
		n = recv(fd, junk, sizeof(junk), 0);
	} while (n > 0);
	atomic_store(&ended, n < 0 ? errno : 0);
}

static void
expect_why(serve_fn *fn, const char *text, const char *more, enum why want)
{
	struct server s;
	struct look l;
	char json[512];
	char copy[128];

	(void)snprintf(copy, sizeof(copy), "%s", text != NULL ? text : "");
	server_start(&s, AF_INET, fn, copy);
	(void)snprintf(json, sizeof(json), "{\"type\":\"tcp\","
	    "\"host\":\"127.0.0.1\",\"port\":%u%s}", s.port, more);
	look_run(&rig, &l, 300, json);
	server_stop(&s);
	assert_why(&l, want);
	assert_true(l.out.phase_ns[PHASE_CONNECT] >= 0);
	assert_int_equal(l.out.peer.port, s.port);
	assert_true(want == WHY_OK || l.out.reason[0] != '\0');
	assert_true(want == WHY_OK || l.out.evidence != NULL);
	look_free(&l);
}

static int
set_up(void **state)
{
	(void)state;
	rig_open(&rig, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static void
connecting_is_enough(void **state)
{
	(void)state;
	expect_why(serve_quiet, NULL, "", WHY_OK);
	expect_why(serve_goodbye, NULL, "", WHY_OK);
}

static void
banners_and_answers(void **state)
{
	(void)state;
	expect_why(serve_banner, "SSH-2.0-OpenSSH_9.2p1\r\n",
	    ", \"expect\":\"SSH-2.0\"", WHY_OK);
	expect_why(serve_pieces, NULL, ", \"expect\":\"+PONG\"", WHY_OK);
	expect_why(serve_echo, NULL,
	    ", \"send\":\"PING\\r\\n\",\"expect\":\"PING\\r\\n\"", WHY_OK);
	expect_why(serve_echo, NULL, ", \"send\":\"PING\\r\\n\"", WHY_OK);
}

static void
wrong_answers(void **state)
{
	(void)state;
	expect_why(serve_flood, NULL, ", \"expect\":\"yes\"", WHY_TCP_EXPECT);
	expect_why(serve_quiet, NULL, ", \"expect\":\"yes\"", WHY_TIMEOUT);
	expect_why(serve_banner, "550 no\r\n", ", \"expect\":\"220\"",
	    WHY_TIMEOUT);
	expect_why(serve_goodbye, NULL, ", \"expect\":\"220\"",
	    WHY_NET_CLOSED);
}

static void
nobody_there(void **state)
{
	struct look l;
	char json[256];
	int fd;

	(void)state;
	(void)snprintf(json, sizeof(json), "{\"type\":\"tcp\","
	    "\"host\":\"127.0.0.1\",\"port\":%u}", port_closed(&fd));
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_NET_REFUSED);
	look_free(&l);
	(void)close(fd);
}

static void
the_end_is_polite(void **state)
{
	struct server s;
	struct look l;
	char json[256];

	(void)state;
	atomic_store(&ended, -1);
	server_start(&s, AF_INET, serve_watch_end, NULL);
	(void)snprintf(json, sizeof(json), "{\"type\":\"tcp\","
	    "\"host\":\"127.0.0.1\",\"port\":%u,\"expect\":\"220\"}", s.port);
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_OK);
	look_free(&l);
	for (int i = 0; i < 5000 && atomic_load(&ended) == -1; i++)
		(void)usleep(1000);
	assert_int_equal(atomic_load(&ended), 0);
	server_stop(&s);
}

static void
settings_are_checked(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"tcp\",\"host\":\"h\"}",
		"{\"type\":\"tcp\",\"port\":80}",
		"{\"type\":\"tcp\",\"host\":\"h:80\",\"port\":80,\"x\":1}",
		"{\"type\":\"tcp\",\"host\":\"a b\",\"port\":80}",
		"{\"type\":\"tcp\",\"host\":\"h\",\"port\":65536}",
		"{\"type\":\"tcp\",\"host\":\"h\",\"port\":0}",
		"{\"type\":\"http\",\"url\":\"ftp://h/\"}",
		"{\"type\":\"http\",\"url\":\"http://u:p@h/\"}",
		"{\"type\":\"http\",\"url\":\"http://h:99999/\"}",
		"{\"type\":\"http\",\"url\":\"http:// h/\"}",
		"{\"type\":\"http\",\"url\":\"http://h/\",\"method\":\"G T\"}",
		"{\"type\":\"http\",\"url\":\"http://h/\","
		    "\"headers\":{\"A\":\"b\\r\\nC: d\"}}",
		"{\"type\":\"http\",\"url\":\"http://h/\","
		    "\"headers\":{\"Content-Length\":\"1\"}}",
		"{\"type\":\"http\",\"url\":\"http://h/\","
		    "\"auth\":{\"password\":\"p\"}}",
		"{\"type\":\"http\",\"url\":\"http://h/\","
		    "\"auth\":{\"user\":\"u\",\"bearer\":\"b\"}}",
		"{\"type\":\"http\",\"url\":\"http://h/\",\"method\":\"HEAD\","
		    "\"expect\":{\"body_contains\":\"x\"}}",
	};
	struct monitor_conf *c = NULL;
	struct errinfo ei;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (monitor_conf_load(str_of(bad[i]), "m", NULL,
		    check_monitor_kinds, &c, &ei) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
		assert_true(ei.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting_is_enough),
		cmocka_unit_test(banners_and_answers),
		cmocka_unit_test(wrong_answers),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(the_end_is_polite),
		cmocka_unit_test(settings_are_checked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

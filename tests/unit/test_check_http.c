/* The http check against servers that misbehave, on loopback. */
#include <sys/resource.h>
#include <time.h>

#include <zlib.h>

#include "check/http.h"

#include "check_rig.h"

static struct rig rig;

static const char ok_page[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
    "Set-Cookie: sid=geheim\r\nX-Api-Key: geheim\r\n\r\nhello\n";

/* What it is handed as arg, then close. */
static void
serve_text(struct server *s, int fd)
{
	if (server_request(s, fd))
		(void)server_says(fd, s->arg);
}

static void
serve_endless(struct server *s, int fd)
{
	static const char chunk[] = "0123456789abcdef0123456789abcdef";

	if (!server_request(s, fd) ||
	    !server_says(fd, "HTTP/1.1 200 OK\r\n\r\n"))
		return;
	while (server_say(fd, chunk, sizeof(chunk) - 1))
		;
}

/* A byte now and then, for ever. */
static void
serve_drip(struct server *s, int fd)
{
	struct timespec ts = {.tv_nsec = 20000000};

	if (!server_request(s, fd) || !server_says(fd, "HTTP/1.1 200 OK\r\n"
	    "Content-Length: 100000\r\n\r\n"))
		return;
	while (server_say(fd, "x", 1))
		(void)nanosleep(&ts, NULL);
}

static void
serve_silence(struct server *s, int fd)
{
	if (server_request(s, fd))
		server_hold(fd);
}

static void
serve_reset(struct server *s, int fd)
{
	struct linger off = {.l_onoff = 1, .l_linger = 0};

	if (!server_request(s, fd))
		return;
	(void)server_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

static void
serve_big_header(struct server *s, int fd)
{
	static char block[65536];
	int blocks = 16;

	memset(block, 'a', sizeof(block));
	if (!server_request(s, fd) ||
	    !server_says(fd, "HTTP/1.1 200 OK\r\nX-Big: "))
		return;
	while (blocks-- > 0 && server_say(fd, block, sizeof(block)))
		;
	(void)server_says(fd, "\r\n\r\nok");
}

static void
serve_many_headers(struct server *s, int fd)
{
	if (!server_request(s, fd) || !server_says(fd, "HTTP/1.1 200 OK\r\n"))
		return;
	while (server_says(fd, "X-One: more of these for ever and ever\r\n"))
		;
}

static void
serve_interim(struct server *s, int fd)
{
	if (!server_request(s, fd))
		return;
	while (server_says(fd, "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"))
		;
}

/* Ever on to a longer path. */
static void
serve_redirects(struct server *s, int fd)
{
	char answer[512];

	if (!server_request(s, fd))
		return;
	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 302 Found\r\n"
	    "Location: /%u\r\nContent-Length: 0\r\n\r\n",
	    atomic_load(&s->accepted));
	(void)server_says(fd, answer);
}

static void
serve_circle(struct server *s, int fd)
{
	if (!server_request(s, fd))
		return;
	(void)server_says(fd, strstr(s->request, "GET /a ") != NULL ?
	    "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" :
	    "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n");
}

/* / redirects to the other server given in arg. */
static void
serve_elsewhere(struct server *s, int fd)
{
	struct server *to = s->arg;
	char answer[512];

	if (!server_request(s, fd))
		return;
	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 302 Found\r\n"
	    "Location: http://127.0.0.1:%u/there\r\nContent-Length: 0\r\n\r\n",
	    to->port);
	(void)server_says(fd, answer);
}

/* 64 MiB of zeros in some 64 KiB. */
static void
serve_bomb(struct server *s, int fd)
{
	static unsigned char zeros[65536];
	unsigned char out[65536];
	z_stream z = {.zalloc = NULL};

	if (!server_request(s, fd) || !server_says(fd, "HTTP/1.1 200 OK\r\n"
	    "Content-Encoding: gzip\r\n\r\n"))
		return;
	assert(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, 0) == Z_OK);
	for (int i = 0; i < 1024; i++) {
		z.next_in = zeros;
		z.avail_in = sizeof(zeros);
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			(void)deflate(&z, i == 1023 ? Z_FINISH : Z_NO_FLUSH);
			if (!server_say(fd, (char *)out,
			    sizeof(out) - z.avail_out))
				i = 1023;
		} while (z.avail_out == 0);
	}
	(void)deflateEnd(&z);
}

/* -- running ------------------------------------------------------------------ */

/* One look at path of s; more is more settings, ", \"x\": 1". */
static void
look_at(struct look *l, const struct server *s, int timeout_ms,
    const char *path, const char *more)
{
	char json[1024];

	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"url\":\"http://127.0.0.1:%u%s\"%s}", s->port,
	    path, more);
	look_run(&rig, l, timeout_ms, json);
}

/* Serve once by fn, look, expect this why. */
static void
expect_why(serve_fn *fn, const char *text, const char *more, enum why want)
{
	struct server s;
	struct look l;
	char copy[4096];

	(void)snprintf(copy, sizeof(copy), "%s", text != NULL ? text : "");
	server_start(&s, AF_INET, fn, copy);
	look_at(&l, &s, 400, "/", more);
	server_stop(&s);
	assert_why(&l, want);
	if (want != WHY_OK)
		assert_true(l.out.reason[0] != '\0');
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

/* -- tests -------------------------------------------------------------------- */

static void
a_good_page_is_up_and_measured(void **state)
{
	struct server s;
	struct look l;
	char peer[PEER_TEXT];
	char want[64];
	char page[sizeof(ok_page)];

	(void)state;
	memcpy(page, ok_page, sizeof(ok_page));
	server_start(&s, AF_INET, serve_text, page);
	look_at(&l, &s, 5000, "/x?y=1", "");
	assert_why(&l, WHY_OK);
	assert_string_equal(l.out.reason, "");
	assert_int_equal(l.out.code, 200);
	assert_int_equal(l.out.bytes, 6);
	(void)snprintf(want, sizeof(want), "127.0.0.1:%u", s.port);
	assert_string_equal(peer_text(&l.out.peer, peer), want);
	assert_true(l.out.phase_ns[PHASE_RESOLVE] == -1);   /* a literal */
	assert_true(l.out.phase_ns[PHASE_CONNECT] >= 0);
	assert_true(l.out.phase_ns[PHASE_TLS] == -1);
	assert_true(l.out.phase_ns[PHASE_FIRST_BYTE] >= 0);
	assert_true(l.out.phase_ns[PHASE_TRANSFER] >= 0);
	assert_true(l.out.started_ns > 0);
	assert_true(l.out.ended_ns > l.out.started_ns);
	assert_non_null(strstr(s.request, "GET /x?y=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "User-Agent: vedette/"));
	assert_null(l.out.evidence);
	assert_non_null(strstr(l.out.details, "header: HTTP/1.1 200 OK"));
	look_free(&l);
	server_stop(&s);
}

static void
handles_are_reused_clean(void **state)
{
	struct server s;
	struct look l;
	char page[sizeof(ok_page)];

	(void)state;
	memcpy(page, ok_page, sizeof(ok_page));
	server_start(&s, AF_INET, serve_text, page);
	look_at(&l, &s, 5000, "/1", ", \"method\":\"POST\", \"body\":\"abc\", "
	    "\"headers\":{\"X-Mine\":\"1\"}, "
	    "\"auth\":{\"user\":\"u\",\"password\":\"p\"}");
	assert_why(&l, WHY_OK);
	assert_non_null(strstr(s.request, "POST /1 HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "X-Mine: 1\r\n"));
	assert_non_null(strstr(s.request, "Authorization: Basic dTpw\r\n"));
	look_free(&l);
	look_at(&l, &s, 5000, "/2", "");
	assert_why(&l, WHY_OK);
	assert_non_null(strstr(s.request, "GET /2 HTTP/1.1\r\n"));
	assert_null(strstr(s.request, "X-Mine"));
	assert_null(strstr(s.request, "Authorization"));
	assert_null(strstr(s.request, "Content-Length"));
	look_free(&l);
	look_at(&l, &s, 5000, "/3", ", \"method\":\"HEAD\", "
	    "\"auth\":{\"bearer\":\"t0\"}");
	assert_why(&l, WHY_OK);
	assert_non_null(strstr(s.request, "HEAD /3 HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "Authorization: Bearer t0\r\n"));
	look_free(&l);
	look_at(&l, &s, 5000, "/4", "");
	assert_non_null(strstr(s.request, "GET /4 HTTP/1.1\r\n"));
	assert_int_equal(l.out.bytes, 6);
	look_free(&l);
	server_stop(&s);
}

static void
status_and_body_are_judged(void **state)
{
	(void)state;
	expect_why(serve_text, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "",
	    WHY_HTTP_STATUS);
	expect_why(serve_text, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
	    ", \"expect\":{\"status\":\"200,500-503\"}", WHY_OK);
	expect_why(serve_text, ok_page,
	    ", \"expect\":{\"body_contains\":\"hello\"}", WHY_OK);
	expect_why(serve_text, ok_page,
	    ", \"expect\":{\"body_contains\":[\"hello\",\"world\"]}",
	    WHY_HTTP_BODY_LACKS);
	expect_why(serve_text, ok_page,
	    ", \"expect\":{\"body_lacks\":[\"fatal\",\"ell\"]}",
	    WHY_HTTP_BODY_HAS);
	expect_why(serve_text, "HTTP/1.1 301 Moved\r\nLocation: /x\r\n"
	    "Content-Length: 0\r\n\r\n",
	    ", \"redirects\":0, \"expect\":{\"status\":301}", WHY_OK);
	expect_why(serve_text, "HTTP/1.1 301 Moved\r\nLocation: /x\r\n"
	    "Content-Length: 0\r\n\r\n", ", \"redirects\":0", WHY_HTTP_STATUS);
	expect_why(serve_text, "HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n",
	    "", WHY_HTTP_STATUS);   /* no Location: nothing to follow */
}

static void
endless_bodies_end(void **state)
{
	struct server s;
	struct look l;

	(void)state;
	server_start(&s, AF_INET, serve_endless, NULL);
	look_at(&l, &s, 5000, "/", ", \"body_max\":\"4KiB\"");
	assert_why(&l, WHY_OK);
	assert_false(l.cancelled);
	assert_true(l.out.bytes > 4096);
	assert_true(l.out.bytes < 65536);
	look_free(&l);
	look_at(&l, &s, 5000, "/", ", \"body_max\":\"4KiB\", "
	    "\"expect\":{\"body_contains\":\"nowhere\"}");
	assert_why(&l, WHY_HTTP_BODY_LACKS);
	assert_non_null(strstr(l.out.reason, "first 4096 bytes"));
	look_free(&l);
	server_stop(&s);
}

static void
slowness_ends_at_the_deadline(void **state)
{
	struct server s;
	struct look l;

	(void)state;
	server_start(&s, AF_INET, serve_drip, NULL);
	look_at(&l, &s, 200, "/", "");
	assert_true(l.cancelled);
	assert_why(&l, WHY_TIMEOUT);
	assert_int_equal(l.out.code, 200);
	assert_true(l.out.bytes > 0);
	assert_non_null(strstr(l.out.evidence, "\"status\":200"));
	look_free(&l);
	server_stop(&s);
	server_start(&s, AF_INET, serve_silence, NULL);
	look_at(&l, &s, 100, "/", "");
	assert_why(&l, WHY_TIMEOUT);
	assert_true(l.out.phase_ns[PHASE_CONNECT] >= 0);
	assert_true(l.out.phase_ns[PHASE_FIRST_BYTE] == -1);
	look_free(&l);
	server_stop(&s);
}

static void
broken_answers_are_told_apart(void **state)
{
	(void)state;
	expect_why(serve_text, "", "", WHY_NET_CLOSED);
	expect_why(serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nab",
	    "", WHY_NET_CLOSED);
	expect_why(serve_text, "SSH-2.0-OpenSSH_9.2p1\r\n", "",
	    WHY_HTTP_MALFORMED);
	expect_why(serve_text, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nab",
	    "", WHY_HTTP_MALFORMED);
	expect_why(serve_text, "HTTP/1.1 200 OK\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", "",
	    WHY_HTTP_MALFORMED);
	expect_why(serve_reset, NULL, "", WHY_NET_RESET);
	/* The errno of the last transfer on this handle is forgotten. */
	expect_why(serve_text, "HTTP/1.1 200 OK\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", "",
	    WHY_HTTP_MALFORMED);
	expect_why(serve_text, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: 9\r\n\r\nnot gzip!", ", \"compressed\":true",
	    WHY_HTTP_ENCODING);
}

static void
headers_are_bounded(void **state)
{
	(void)state;
	expect_why(serve_big_header, NULL, "", WHY_HTTP_HEADERS);
	expect_why(serve_many_headers, NULL, "", WHY_HTTP_HEADERS);
	expect_why(serve_interim, NULL, "", WHY_HTTP_HEADERS);
}

static void
a_bomb_is_recognised(void **state)
{
	struct rusage before, after;

	(void)state;
	(void)getrusage(RUSAGE_SELF, &before);
	expect_why(serve_bomb, NULL, ", \"compressed\":true",
	    WHY_HTTP_ENCODING);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32768);
}

/* After a form is posted its own URL is the one to get. */
static void
serve_form(struct server *s, int fd)
{
	if (!server_request(s, fd))
		return;
	(void)server_says(fd, strncmp(s->request, "POST", 4) == 0 ?
	    "HTTP/1.1 303 See Other\r\nLocation: /\r\n"
	    "Content-Length: 0\r\n\r\n" : ok_page);
}

static void
a_form_may_lead_back(void **state)
{
	struct server s;
	struct look l;

	(void)state;
	server_start(&s, AF_INET, serve_form, NULL);
	look_at(&l, &s, 5000, "/", ", \"method\":\"POST\", \"body\":\"a=b\"");
	assert_why(&l, WHY_OK);
	assert_int_equal(atomic_load(&s.accepted), 2);
	assert_non_null(strstr(s.request, "GET / HTTP/1.1"));
	look_free(&l);
	server_stop(&s);
}

/* A redirect has a page, too, which is not what body_max is about. */
static void
serve_wordy_redirect(struct server *s, int fd)
{
	if (!server_request(s, fd))
		return;
	(void)server_says(fd, strstr(s->request, "GET /a ") == NULL ? ok_page :
	    "HTTP/1.1 302 Found\r\nLocation: b?c#d\r\n"
	    "Content-Length: 11\r\n\r\n<p>moved</p>");
}

static void
a_redirects_body_is_of_no_account(void **state)
{
	struct server s;
	struct look l;

	(void)state;
	server_start(&s, AF_INET, serve_wordy_redirect, NULL);
	look_at(&l, &s, 5000, "/a", ", \"body_max\":2");
	assert_why(&l, WHY_OK);
	assert_non_null(strstr(s.request, "GET /b?c HTTP/1.1"));
	look_free(&l);
	server_stop(&s);
}

static void
redirects_are_bounded(void **state)
{
	struct server s;
	struct look l;

	(void)state;
	server_start(&s, AF_INET, serve_redirects, NULL);
	look_at(&l, &s, 5000, "/", ", \"redirects\":3");
	assert_why(&l, WHY_HTTP_REDIRECTS);
	assert_int_equal(atomic_load(&s.accepted), 4);
	look_free(&l);
	server_stop(&s);
	server_start(&s, AF_INET, serve_circle, NULL);
	look_at(&l, &s, 5000, "/a", "");
	assert_why(&l, WHY_HTTP_REDIRECTS);
	assert_non_null(strstr(l.out.reason, "circle"));
	assert_int_equal(atomic_load(&s.accepted), 2);
	look_free(&l);
	server_stop(&s);
	expect_why(serve_text, "HTTP/1.1 302 Found\r\nLocation: "
	    "file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "",
	    WHY_HTTP_REDIRECTS);
}

static void
credentials_stay_at_home(void **state)
{
	struct server s, to;
	struct look l;
	char page[sizeof(ok_page)];

	(void)state;
	memcpy(page, ok_page, sizeof(ok_page));
	server_start(&to, AF_INET, serve_text, page);
	server_start(&s, AF_INET, serve_elsewhere, &to);
	look_at(&l, &s, 5000, "/", ", \"auth\":{\"user\":\"u\","
	    "\"password\":\"p\"}, \"headers\":{\"X-Key\":\"k\","
	    "\"Accept\":\"text/plain\"}");
	assert_why(&l, WHY_OK);
	assert_non_null(strstr(s.request, "Authorization: Basic"));
	assert_non_null(strstr(s.request, "X-Key: k"));
	assert_non_null(strstr(to.request, "GET /there HTTP/1.1"));
	assert_null(strstr(to.request, "Authorization"));
	assert_null(strstr(to.request, "X-Key"));
	assert_non_null(strstr(to.request, "Accept: text/plain"));
	assert_int_equal(l.out.peer.port, to.port);
	look_free(&l);
	server_stop(&s);
	server_stop(&to);
}

static void
nobody_there(void **state)
{
	struct look l;
	char json[256];
	int fd;
	uint16_t port = port_closed(&fd);

	(void)state;
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"url\":\"http://127.0.0.1:%u/\"}", port);
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_NET_REFUSED);
	assert_non_null(strstr(l.out.evidence, "net_refused"));
	look_free(&l);
	/* localhost may be ::1 first: refused there, the next is tried. */
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"url\":\"http://localhost:%u/\"}", port);
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_NET_REFUSED);
	assert_true(l.out.phase_ns[PHASE_RESOLVE] >= 0);
	look_free(&l);
	(void)close(fd);
}

static void
both_families_by_name(void **state)
{
	struct server s;
	struct look l;
	char json[256];
	char page[sizeof(ok_page)];

	(void)state;
	memcpy(page, ok_page, sizeof(ok_page));
	server_start(&s, AF_INET, serve_text, page);
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"url\":\"http://localhost:%u/\"}", s.port);
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_OK);
	assert_int_equal(l.out.peer.family, 4);
	look_free(&l);
	server_stop(&s);
	server_start(&s, AF_INET6, serve_text, page);
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"ip\":\"6\",\"url\":\"http://[::1]:%u/\"}",
	    s.port);
	look_run(&rig, &l, 2000, json);
	assert_why(&l, WHY_OK);
	assert_int_equal(l.out.peer.family, 6);
	assert_non_null(strstr(s.request, "Host: [::1]:"));
	look_free(&l);
	server_stop(&s);
}

static void
evidence_keeps_secrets(void **state)
{
	struct server s;
	struct look l;
	char page[sizeof(ok_page)];

	(void)state;
	memcpy(page, ok_page, sizeof(ok_page));
	server_start(&s, AF_INET, serve_text, page);
	look_at(&l, &s, 5000, "/", ", \"expect\":{\"status\":404}");
	assert_why(&l, WHY_HTTP_STATUS);
	assert_string_equal(l.out.reason, "status 200, want 404");
	assert_non_null(l.out.evidence);
	assert_null(strstr(l.out.evidence, "geheim"));
	assert_null(strstr(l.out.details, "geheim"));
	assert_non_null(strstr(l.out.evidence, "Set-Cookie: [redacted]"));
	assert_non_null(strstr(l.out.evidence, "\"body\":\"hello\\n\""));
	json_decref(json_loads(l.out.evidence, 0, NULL));
	look_free(&l);
	server_stop(&s);
}

static void
our_policy_is_no_fault_of_theirs(void **state)
{
	char deny[] = "127.0.0.0/8";
	char *denies[] = {deny};
	struct settings st = {.net.deny = {.v = denies, .n = 1}};
	struct rig own;
	struct look l;

	(void)state;
	rig_open(&own, &st);
	look_run(&own, &l, 2000, "{\"type\":\"http\",\"url\":"
	    "\"http://127.0.0.1:9/\"}");
	assert_why(&l, WHY_LOCAL_POLICY);
	look_free(&l);
	look_run(&own, &l, 2000, "{\"type\":\"http\",\"url\":"
	    "\"http://[::ffff:127.0.0.1]:9/\"}");
	assert_why(&l, WHY_LOCAL_POLICY);
	look_free(&l);
	rig_close(&own);
}

/* A page that the policy allows leads to one that it does not. */
static void
policy_holds_on_every_hop(void **state)
{
	char deny[] = "127.0.0.2/32";
	char *denies[] = {deny};
	struct settings st = {.net.deny = {.v = denies, .n = 1}};
	struct server s;
	struct rig own;
	struct look l;
	char json[256];
	char text[] = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\n"
	    "Content-Length: 0\r\n\r\n";

	(void)state;
	rig_open(&own, &st);
	server_start(&s, AF_INET, serve_text, text);
	(void)snprintf(json, sizeof(json),
	    "{\"type\":\"http\",\"url\":\"http://127.0.0.1:%u/\"}", s.port);
	look_run(&own, &l, 2000, json);
	assert_why(&l, WHY_LOCAL_POLICY);
	look_free(&l);
	server_stop(&s);
	rig_close(&own);
}

static void
no_descriptors_is_our_fault(void **state)
{
	struct rlimit old, low;
	struct look l;
	int fd = dup(0);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	look_run(&rig, &l, 2000, "{\"type\":\"http\",\"url\":"
	    "\"http://127.0.0.1:9/\"}");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_why(&l, WHY_LOCAL_FDS);
	look_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_page_is_up_and_measured),
		cmocka_unit_test(handles_are_reused_clean),
		cmocka_unit_test(status_and_body_are_judged),
		cmocka_unit_test(endless_bodies_end),
		cmocka_unit_test(slowness_ends_at_the_deadline),
		cmocka_unit_test(broken_answers_are_told_apart),
		cmocka_unit_test(headers_are_bounded),
		cmocka_unit_test(a_bomb_is_recognised),
		cmocka_unit_test(redirects_are_bounded),
		cmocka_unit_test(a_form_may_lead_back),
		cmocka_unit_test(a_redirects_body_is_of_no_account),
		cmocka_unit_test(credentials_stay_at_home),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(both_families_by_name),
		cmocka_unit_test(evidence_keeps_secrets),
		cmocka_unit_test(our_policy_is_no_fault_of_theirs),
		cmocka_unit_test(policy_holds_on_every_hop),
		cmocka_unit_test(no_descriptors_is_our_fault),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

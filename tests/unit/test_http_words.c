/* The pure parts: cursors, If-Match, heartbeats, addresses, limits, routes,
 * YAML, listeners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail   /* cmocka's; ours is in base/err.h */
#include "base/prom.h"
#include "base/time.h"
#include "conf/tree.h"
#include "http/addr.h"
#include "http/beat.h"
#include "http/cursor.h"
#include "conf/yaml.h"
#include "http/limit.h"
#include "http/listen.h"
#include "http/route.h"

static void
cursors(void **state)
{
	static const char *const bad[] = {
		"", "s", "t1", "s0", "s01", "sg", "S1", "s-1", "s 1",
		"sffffffffffffffff", "s11111111111111111", "1",
	};
	char text[CURSOR_TEXT];
	uint64_t v = 7;

	(void)state;
	assert_true(cursor_parse(str_of(cursor_format('s', INT64_MAX, text)),
	    's', &v));
	assert_true(v == INT64_MAX);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(cursor_parse(str_of(bad[i]), 's', &v));
	assert_int_equal(cursor_if_match(STR("*"), 5), 0);
	assert_int_equal(cursor_if_match(STR(""), 5), 0);
	assert_int_equal(cursor_if_match(STR("\"5\""), 5), 5);
	assert_int_equal(cursor_if_match(STR(" \"4\" , \"5\""), 5), 5);
	assert_true(cursor_if_match(STR("\"4\""), 5) == CURSOR_NO_VERSION);
	assert_true(cursor_if_match(STR("W/\"5\""), 5) == CURSOR_NO_VERSION);
	assert_true(cursor_if_match(STR("5"), 5) == CURSOR_NO_VERSION);
	assert_true(cursor_if_match(STR("\"0\""), 0) == CURSOR_NO_VERSION);
}

static enum err
beat(struct beat *b, const char *body, const char *type)
{
	struct errinfo ei;

	beat_init(b);
	return beat_body(b, str_of(body), str_of(type), &ei);
}

static void
beats(void **state)
{
	static const char form[] = "application/x-www-form-urlencoded";
	static const char json[] = "application/json; charset=utf-8";
	struct beat b;

	(void)state;
	assert_int_equal(beat(&b, "status=down&msg=a+b%21%0a&ping=1.5", form),
	    ERR_OK);
	assert_true(b.down);
	assert_non_null(strstr(b.msg, "a b!"));
	assert_null(strchr(b.msg, '\n'));
	assert_int_equal(b.ping_us, 1500);
	assert_int_equal(beat(&b, "{\"status\":\"down\",\"ping\":3}", json),
	    ERR_OK);
	assert_true(b.down);
	assert_int_equal(b.ping_us, 3000);
	assert_int_equal(beat(&b, "", form), ERR_OK);
	assert_false(b.down);
	assert_int_equal(b.ping_us, -1);
	assert_int_equal(beat(&b, "status=maybe", form), ERR_INVALID);
	assert_int_equal(beat(&b, "ping=nan", form), ERR_INVALID);
	assert_int_equal(beat(&b, "ping=1e9", form), ERR_INVALID);
	assert_int_equal(beat(&b, "ping=-1", form), ERR_INVALID);
	assert_int_equal(beat(&b, "ping=99999999999", form), ERR_INVALID);
	assert_int_equal(beat(&b, "{\"status\":1}", json), ERR_INVALID);
	assert_int_equal(beat(&b, "{", json), ERR_PARSE);
	assert_int_equal(beat(&b, "[]", json), ERR_PARSE);
	assert_int_equal(beat(&b, "whatever", "text/plain"), ERR_OK);
}

static void
addresses(void **state)
{
	struct addr_net nets[3];
	struct addr_nets trusted = {nets, 3};
	struct addr peer, far, got;

	(void)state;
	assert_true(addr_net_parse(STR("10.0.0.0/8"), &nets[0]));
	assert_true(addr_net_parse(STR("::1"), &nets[1]));
	assert_true(addr_net_parse(STR("127.0.0.1"), &nets[2]));
	assert_false(addr_net_parse(STR("10.0.0.0/33"), &nets[0]));
	assert_false(addr_net_parse(STR("host"), &nets[0]));
	assert_true(addr_parse(STR("127.0.0.1"), &peer));
	assert_true(addr_is_loopback(&peer));
	assert_true(addr_parse(STR("192.0.2.7"), &far));
	assert_false(addr_is_loopback(&far));
	/* Through two proxies of ours; what the client itself claimed, left
	 * of its address, is not believed. */
	got = addr_client(&trusted, &peer,
	    STR("8.8.8.8, 192.0.2.7, 10.1.2.3"));
	assert_memory_equal(&got, &far, sizeof(far));
	got = addr_client(&trusted, &far, STR("127.0.0.1"));
	assert_memory_equal(&got, &far, sizeof(far));
	got = addr_client(&trusted, &peer, STR("junk"));
	assert_memory_equal(&got, &peer, sizeof(peer));
}

static void
limits(void **state)
{
	static struct limit l = {.per_second = 3};
	int64_t now = 100 * NS_PER_S;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(limit_take(&l, 42, now));
	assert_false(limit_take(&l, 42, now));
	assert_false(limit_left(&l, 42, now));
	assert_true(limit_take(&l, 43, now));
	assert_true(limit_take(&l, 42, now + NS_PER_S));
}

static enum err
find(const char *method, const char *path, struct route_match *m)
{
	const struct route *r;
	BUF_AUTO(allow, 256);

	return route_find(method, str_of(path), &r, m, &allow);
}

static void
paths(void **state)
{
	struct route_match m = {0};

	(void)state;
	assert_int_equal(find("GET", "/api/v1/monitors/12/samples", &m),
	    ERR_OK);
	assert_int_equal(m.id, 12);
	assert_int_equal(find("GET", "/push/abc", &m), ERR_OK);
	assert_true(str_is(m.seg, "abc"));
	assert_int_equal(find("GET", "/push/", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/push/a/b", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "//", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/api/v1/monitors/", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/api/v1/monitors/0", &m),
	    ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/api/v1/monitors/4294967296", &m),
	    ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/badge/12/status.svg", &m), ERR_OK);
	assert_int_equal(m.id, 12);
	assert_int_equal(find("GET", "/badge/Shop/status.svg", &m), ERR_OK);
	assert_true(str_is(m.seg, "Shop"));
	assert_int_equal(find("GET", "/badge/G/In/uptime.svg", &m), ERR_OK);
	assert_true(str_is(m.seg, "G/In"));
	assert_int_equal(find("GET", "/badge/status.svg", &m), ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/badge//status.svg", &m),
	    ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/badge/Shop/xstatus.svg", &m),
	    ERR_NOT_FOUND);
	assert_int_equal(find("GET", "/badge/Shop/status.svg/", &m),
	    ERR_NOT_FOUND);
	assert_int_equal(find("HEAD", "/", &m), ERR_OK);
	assert_int_equal(find("HEAD", "/push/a", &m), ERR_DENIED);
	assert_int_equal(find("POST", "/", &m), ERR_DENIED);
}

/* Whatever a string is, YAML reads the same string back. */
static void
yaml(void **state)
{
	static const char *const words[] = {
		"plain", "30s", "1e5", "0x1f", "true", "No", "null", "~", "",
		" a", "a ", "a: b", "a:b", "- x", "#no", "a #b", "'", "\"",
		"\\", "tab\t", "line\nbreak", "\x01\x7f", "\xc3\xbc",
		"\xe2\x80\xae", "\xe2\x80\xa8", "\xc2\x85", "\xef\xbb\xbf",
		"\xf0\x9f\x98\x80", "{a}", "[b]", "a,b", "&x", "*x", "!t",
		"|", ">", "%", "@", "`", "1.5", "-", "---", "...", "<<",
		"200-299", "https://a.example/x?y=1&z=2#f", "\xd8\x9c",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		json_t *v = json_pack("{s:[{s:s}]}", "k", words[i], words[i]);
		struct tree *t CLEANUP(tree_freep) = NULL;
		BUF_AUTO(b, 4096);
		struct errinfo ei = {0};
		const struct node *n;

		tree_yaml_write(v, &b);
		json_decref(v);
		if (tree_from_yaml(buf_str(&b), "t", &t, &ei) != ERR_OK)
			print_error("%s: %s\n", b.p, ei.text);
		assert_non_null(t);
		n = node_get(tree_root(t), "k")->items[0];
		assert_true(str_is(n->items[0]->text, words[i]));
		assert_true(str_is(n->keys[0]->text, words[i]));
	}
}

static void
listeners(void **state)
{
	char dir[] = "/tmp/http-listen-XXXXXX", path[64], text[64], deep[200];
	struct errinfo ei = {0};
	struct stat st;
	int a, b, c;

	(void)state;
	assert_int_equal(listen_tcp("127.0.0.1:0", &a, text, sizeof(text),
	    &ei), ERR_OK);
	assert_int_equal(listen_tcp(text, &b, text, sizeof(text), &ei),
	    ERR_SYS);
	assert_non_null(strstr(ei.text, "address already in use"));
	assert_non_null(strstr(ei.text, "server.http"));
	assert_int_equal(listen_tcp("nonsense", &b, text, sizeof(text), &ei),
	    ERR_INVALID);
	assert_int_equal(listen_tcp("::1:80", &b, text, sizeof(text), &ei),
	    ERR_INVALID);
	close(a);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(listen_unix(path, &a, &ei), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(listen_unix(path, &b, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "answers there"));
	close(a);   /* the file stays, nobody answers */
	assert_int_equal(listen_unix(path, &c, &ei), ERR_OK);
	close(c);
	unlink(path);
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(listen_unix(deep, &c, &ei), ERR_LIMIT);
	assert_non_null(strstr(ei.text, "107"));
	rmdir(dir);
}

static void
prometheus(void **state)
{
	struct prom_label l = PROM_LABEL("name", STR("a\"b\\c\nd"));
	struct hist h = {0};
	BUF_AUTO(b, 65536);

	(void)state;
	prom_family(&b, "x", "gauge", "An x.");
	prom_f64(&b, "x", &l, 1, 0.25);
	assert_string_equal(b.p, "# HELP x An x.\n# TYPE x gauge\n"
	    "x{name=\"a\\\"b\\\\c\\nd\"} 0.25\n");
	hist_add(&h, 1);
	hist_add(&h, 100 * NS_PER_S);
	prom_hist(&b, "y_seconds", "A y.", &h);
	assert_non_null(strstr(b.p, "y_seconds_bucket{le=\"10\"} 1\n"));
	assert_non_null(strstr(b.p, "y_seconds_bucket{le=\"+Inf\"} 2\n"));
	assert_non_null(strstr(b.p, "y_seconds_count 2\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursors), cmocka_unit_test(beats),
		cmocka_unit_test(addresses), cmocka_unit_test(limits),
		cmocka_unit_test(paths), cmocka_unit_test(yaml),
		cmocka_unit_test(listeners), cmocka_unit_test(prometheus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

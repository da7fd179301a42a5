/* The API and the pages over real sockets and a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_rig.h"

#define EVIL "<img src=x onerror=alert(1)>\\u202e\\n\\\"'&"

static struct rig rig;

#define CONTROL(line, headers, body) \
	rig_ask(&rig, true, &out, line, headers, body)
#define TCP(line, headers, body) rig_ask(&rig, false, &out, line, headers, body)

static void
monitors(void **state)
{
	BUF_AUTO(out, 8u << 20);

	(void)state;
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"Web\",\"type\":\"tcp\",\"host\":\"a.example\"}"),
	    201);
	assert_true(rig_has(&out, "Location: /api/v1/monitors/1"));
	assert_true(rig_has(&out, "ETag: \"1\""));
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"Web\",\"type\":\"tcp\"}"), 409);
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"Bad\",\"type\":\"tcp\",\"interval\":\"1ms\"}"), 422);
	assert_true(rig_has(&out, "\"field\":\"interval\""));
	assert_int_equal(CONTROL("POST /api/v1/monitors", "", "{"), 400);
	assert_int_equal(CONTROL("POST /api/v1/monitors", "", "[]"), 400);
	assert_int_equal(CONTROL("PATCH /api/v1/monitors/1",
	    "If-Match: \"1\"\r\n", "{\"interval\":\"30s\"}"), 200);
	assert_true(rig_has(&out, "\"interval\":\"30s\""));
	assert_true(rig_has(&out, "\"host\":\"a.example\""));
	assert_int_equal(CONTROL("PATCH /api/v1/monitors/1",
	    "If-Match: \"1\"\r\n", "{\"interval\":\"31s\"}"), 412);
	assert_int_equal(CONTROL("PATCH /api/v1/monitors/1",
	    "If-Match: *\r\n", "{\"interval\":\"31s\"}"), 200);
	assert_int_equal(CONTROL("PATCH /api/v1/monitors/77", "", "{}"), 404);
	assert_int_equal(CONTROL("GET /api/v1/monitors?name=Web", "", NULL),
	    200);
	assert_true(rig_has(&out, "\"path\":\"Web\""));
	assert_int_equal(CONTROL("GET /api/v1/monitors?name=None", "", NULL),
	    200);
	assert_true(rig_has(&out, "\"items\":[]"));
	assert_int_equal(CONTROL("GET /api/v1/monitors?nmae=Web", "", NULL),
	    400);
	assert_true(rig_has(&out, "nmae"));
	assert_int_equal(CONTROL("GET /api/v1/monitors?limit=0", "", NULL),
	    400);
	assert_int_equal(CONTROL("GET /api/v1/monitors?status=good", "", NULL),
	    400);
	assert_int_equal(CONTROL("GET /api/v1/monitors?cursor=s1", "", NULL),
	    400);
	assert_int_equal(CONTROL("GET /api/v1/monitors/01", "", NULL), 404);
}

static void
paging(void **state)
{
	BUF_AUTO(out, 8u << 20);
	char body[128], line[128];
	unsigned seen = 0;
	const char *next;

	(void)state;
	for (int i = 0; i < 25; i++) {
		snprintf(body, sizeof(body),
		    "{\"name\":\"Page %02d\",\"type\":\"tcp\"}", i);
		assert_int_equal(CONTROL("POST /api/v1/monitors", "", body),
		    201);
	}
	snprintf(line, sizeof(line),
	    "GET /api/v1/monitors?search=Page&limit=10");
	for (int pages = 0; pages < 4; pages++) {
		assert_int_equal(CONTROL(line, "", NULL), 200);
		for (const char *p = out.p; (p = strstr(p,
		    "\"path\":\"Page ")) != NULL; p++)
			seen++;
		next = strstr(out.p, "\"next\":\"");
		if (next == NULL)
			break;
		snprintf(line, sizeof(line), "GET /api/v1/monitors?search="
		    "Page&limit=10&cursor=%.*s",
		    (int)strcspn(next + 8, "\""), next + 8);
	}
	assert_int_equal(seen, 25);
	assert_null(strstr(out.p, "\"next\":\""));
}

static void
hostile(void **state)
{
	BUF_AUTO(out, 8u << 20);

	(void)state;
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"<b onload=x>\\u202e\",\"type\":\"push\"}"), 422);
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"<b onload=x>\\\"'&\",\"type\":\"push\","
	    "\"description\":\"\\u202ex\",\"token\":\"" RIG_TOKEN "\"}"), 201);
	assert_int_equal(TCP("POST /push/" RIG_TOKEN "?status=down",
	    "Content-Type: application/json\r\n",
	    "{\"msg\":\"" EVIL "\",\"ping\":12.5}"), 200);
	assert_true(rig_has(&out, "{\"ok\":true}"));
	/* The page is kept for a second: ask for another than was. */
	assert_int_equal(TCP("GET /?page=1", "", NULL), 200);
	for (int tries = 0; tries < 100 && !rig_has(&out, "&lt;b onload"); tries++) {
		poll(NULL, 0, 50);
		assert_int_equal(TCP("GET /?page=1", "", NULL), 200);
	}
	assert_true(rig_has(&out, "&lt;b onload=x&gt;"));
	assert_false(rig_has(&out, "<b onload"));
	assert_false(rig_has(&out, "<img"));
	assert_false(rig_has(&out, "\xe2\x80\xae"));
	assert_true(rig_has(&out, "Content-Security-Policy: default-src "
	    "'none'"));
	assert_int_equal(TCP("GET /metrics", "", NULL), 200);
	assert_false(rig_has(&out, "\xe2\x80\xae"));
	assert_true(rig_has(&out, "vedette_dropped_total{kind=\"result\"} 0"));
	assert_true(rig_has(&out, "vedette_monitor_up{"));
	assert_int_equal(TCP("GET /metrics?monitors=no", "", NULL), 200);
	assert_true(rig_has(&out, "vedette_dropped_total{kind=\"result\"} 0"));
	assert_false(rig_has(&out, "vedette_monitor_up{"));
	assert_int_equal(CONTROL("GET /api/v1/monitors?type=push", "", NULL),
	    200);
	assert_false(rig_has(&out, "\xe2\x80\xae"));
	assert_true(rig_has(&out, "\"token\":\"" RIG_TOKEN "\""));
	/* Its words stay off the public page, its reason's class does not. */
	assert_int_equal(TCP("GET /status.json", "", NULL), 200);
	assert_false(rig_has(&out, "onerror"));
	assert_true(rig_has(&out, "\"why\":\"push_down\""));
	assert_false(rig_has(&out, RIG_TOKEN));
}

static void
history(void **state)
{
	BUF_AUTO(out, 8u << 20);
	char line[128];
	uint32_t id;
	struct str token = STR(RIG_TOKEN);
	uint32_t key;

	(void)state;
	id = view_token(store_view(rig.store), token, &key);
	assert_int_not_equal(id, 0);
	assert_int_equal(TCP("GET /push/" RIG_TOKEN "?status=up&msg=fine&ping="
	    "7", "", NULL), 200);
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/samples", id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_true(rig_has(&out, "\"latency_us\":7000"));
	assert_true(rig_has(&out, "\"latency_us\":12500"));
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/samples?limit=1",
	    id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_false(rig_has(&out, "\"latency_us\":12500"));
	assert_true(rig_has(&out, "\"next\":\"s2\""));
	snprintf(line, sizeof(line),
	    "GET /api/v1/monitors/%u/samples?cursor=s2", id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_true(rig_has(&out, "\"latency_us\":12500"));
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/transitions",
	    id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_true(rig_has(&out, "\"to\":\"up\""));
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/explain", id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_true(rig_has(&out, "the rig said so"));
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/uptime", id);
	assert_int_equal(CONTROL(line, "", NULL), 200);
	assert_true(rig_has(&out, "\"ratio\":"));
	snprintf(line, sizeof(line), "GET /api/v1/monitors/%u/samples?from=x",
	    id);
	assert_int_equal(CONTROL(line, "", NULL), 400);
	assert_true(rig_has(&out, "\"field\":\"from\""));
	assert_int_equal(CONTROL("GET /api/v1/monitors/99999/samples", "",
	    NULL), 404);
	assert_int_equal(CONTROL("GET /api/v1/events", "", NULL), 200);
	assert_true(rig_has(&out, "\"kind\":\"transition\""));
	assert_int_equal(CONTROL("GET /api/v1/transitions?limit=1", "", NULL),
	    200);
	snprintf(line, sizeof(line), "POST /api/v1/monitors/%u/pause", id);
	assert_int_equal(CONTROL(line, "", ""), 200);
	assert_true(rig_has(&out, "\"status\":\"paused\""));
}

static void
scopes(void **state)
{
	BUF_AUTO(out, 1u << 20);
	BUF_AUTO(header, 512);
	const char *secret;

	(void)state;
	assert_int_equal(TCP("GET /api/v1/monitors", "", NULL), 401);
	assert_true(rig_has(&out, "WWW-Authenticate: Bearer"));
	assert_int_equal(TCP("GET /api/v1/monitors",
	    "Authorization: Bearer nonsense\r\n", NULL), 401);
	assert_int_equal(CONTROL("POST /api/v1/tokens", "",
	    "{\"name\":\"r\",\"scope\":\"read\",\"expires\":\"1h\"}"), 201);
	secret = strstr(out.p, "\"token\":\"");
	assert_non_null(secret);
	buf_addf(&header, "Authorization: Bearer %.*s\r\n",
	    (int)strcspn(secret + 9, "\""), secret + 9);
	assert_int_equal(TCP("GET /api/v1/monitors", header.p, NULL), 200);
	assert_false(rig_has(&out, RIG_TOKEN));
	assert_int_equal(TCP("POST /api/v1/monitors", header.p, "{}"), 403);
	assert_int_equal(TCP("GET /api/v1/export", header.p, NULL), 200);
	assert_false(rig_has(&out, RIG_TOKEN));
	assert_int_equal(TCP("GET /api/v1/export?secrets=1", header.p, NULL),
	    403);
	assert_int_equal(CONTROL("GET /api/v1/tokens", "", NULL), 200);
	assert_true(rig_has(&out, "\"name\": \"r\"") ||
	    rig_has(&out, "\"name\":\"r\""));
	assert_int_equal(CONTROL("POST /api/v1/tokens", "",
	    "{\"name\":\"a b\",\"scope\":\"read\"}"), 422);
	assert_int_equal(CONTROL("DELETE /api/v1/tokens/r", "", NULL), 200);
	assert_int_equal(CONTROL("DELETE /api/v1/tokens/none", "", NULL), 404);
	assert_int_equal(TCP("GET /api/v1/monitors", header.p, NULL), 401);
	/* Behind a proxy nobody is local. */
	assert_int_equal(TCP("GET /metrics", "X-Forwarded-For: 127.0.0.1\r\n",
	    NULL), 401);
}

static void
apply(void **state)
{
	BUF_AUTO(out, 8u << 20);
	BUF_AUTO(yaml, 1u << 20);
	const char *body;

	(void)state;
	assert_int_equal(CONTROL("POST /api/v1/apply?dry_run=1", "",
	    "monitors:\n  - {name: New, type: tcp}\n"), 200);
	assert_true(rig_has(&out, "\"dry_run\":true"));
	assert_true(rig_has(&out, "\"New\""));
	assert_int_equal(CONTROL("GET /api/v1/monitors?name=New", "", NULL),
	    200);
	assert_true(rig_has(&out, "\"items\":[]"));
	assert_int_equal(CONTROL("POST /api/v1/apply?file=x.yaml", "",
	    "monitors:\n  - {name: New, type: tcp, hots: a}\n"), 422);
	assert_true(rig_has(&out, "hots"));
	assert_true(rig_has(&out, "\"line\":2"));
	assert_int_equal(CONTROL("POST /api/v1/apply", "", ""), 400);
	assert_int_equal(CONTROL("POST /api/v1/apply", "",
	    "monitors:\n  - {name: New, type: tcp}\n"), 200);
	assert_int_equal(CONTROL("GET /api/v1/monitors?name=New", "", NULL),
	    200);
	assert_true(rig_has(&out, "\"origin\":\"apply\""));
	/* What is exported and applied again is nothing to do. */
	assert_int_equal(CONTROL("GET /api/v1/export?secrets=1", "", NULL),
	    200);
	body = strstr(out.p, "\r\n\r\n");
	assert_non_null(body);
	buf_adds(&yaml, body + 4);
	assert_int_equal(CONTROL("POST /api/v1/apply?dry_run=1&prune=1", "",
	    yaml.p), 200);
	assert_true(rig_has(&out, "\"changes\":[]"));
	assert_int_equal(CONTROL("DELETE /api/v1/monitors/1", "", NULL), 200);
	assert_true(rig_has(&out, "\"path\":\"Web\""));
	assert_int_equal(CONTROL("GET /api/v1/monitors/1", "", NULL), 404);
}

static void
odds(void **state)
{
	BUF_AUTO(out, 8u << 20);
	BUF_AUTO(big, 8u << 20);

	(void)state;
	assert_int_equal(TCP("GET /nowhere", "", NULL), 404);
	assert_int_equal(TCP("DELETE /", "", NULL), 405);
	assert_true(rig_has(&out, "Allow: GET, HEAD"));
	assert_int_equal(TCP("PUT /push/x", "", ""), 405);
	assert_int_equal(TCP("HEAD /push/x", "", NULL), 405);
	assert_int_equal(TCP("GET /push/unknown", "", NULL), 404);
	assert_int_equal(TCP("GET /push/" RIG_TOKEN "?status=sick", "", NULL),
	    400);
	assert_int_equal(TCP("GET /push/" RIG_TOKEN "?ping=0x10", "", NULL),
	    400);
	assert_int_equal(TCP("GET /healthz", "", NULL), 200);
	assert_int_equal(TCP("GET /readyz", "", NULL), 200);
	assert_int_equal(TCP("GET /static/style.css", "", NULL), 200);
	assert_true(rig_has(&out, "ETag: \""));
	assert_int_equal(TCP("GET /static/../http.c", "", NULL), 404);
	assert_int_equal(TCP("GET /api/v1/openapi.json", "", NULL), 200);
	assert_true(rig_has(&out, "/api/v1/monitors/{id}/explain"));
	assert_int_equal(CONTROL("GET /api/v1/store/stats", "", NULL), 200);
	assert_int_equal(CONTROL("GET /api/v1/channels", "", NULL), 200);
	buf_adds(&big, "{\"x\":\"");
	for (int i = 0; i < 300000; i++)
		buf_adds(&big, "0123456789");
	buf_adds(&big, "\"}");
	assert_int_equal(CONTROL("POST /api/v1/monitors", "", big.p), 413);
	buf_clear(&big);
	buf_adds(&big, "GET /");
	for (int i = 0; i < 1000; i++)
		buf_adds(&big, "0123456789");
	assert_int_equal(TCP(big.p, "", NULL), 414);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monitors), cmocka_unit_test(paging),
		cmocka_unit_test(hostile), cmocka_unit_test(history),
		cmocka_unit_test(scopes), cmocka_unit_test(apply),
		cmocka_unit_test(odds),
	};
	int failed;

	rig_start(&rig);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_stop(&rig);
	return failed;
}

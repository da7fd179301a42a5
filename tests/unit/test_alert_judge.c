/* What providers answer, and what follows from it; and that no secret comes
 * back in words. */
#include "alert_rig.h"

#define S NS_PER_S_
#define NS_PER_S_ INT64_C(1000000000)
#define SLACK "{\"name\":\"c\",\"type\":\"slack\",\"url\":" \
	"\"https://s.example/services/T0/SECRETPART\"}"
#define DISCORD "{\"name\":\"c\",\"type\":\"discord\",\"url\":" \
	"\"https://d.example/w\"}"
#define TELEGRAM "{\"name\":\"c\",\"type\":\"telegram\",\"token\":" \
	"\"12:SECRETPART\",\"chat_id\":\"1\"}"
#define PUSHOVER "{\"name\":\"c\",\"type\":\"pushover\",\"token\":\"app1\"," \
	"\"user\":\"user\"}"
#define OPSGENIE "{\"name\":\"c\",\"type\":\"opsgenie\",\"api_key\":\"k\"}"
#define MATRIX "{\"name\":\"c\",\"type\":\"matrix\",\"url\":" \
	"\"https://x.example\",\"token\":\"t\",\"room\":\"!r:x\"}"
#define EMAIL "{\"name\":\"c\",\"type\":\"email\",\"host\":\"m\"," \
	"\"from\":\"v@o\",\"to\":[\"a@o\"]}"
#define EXEC "{\"name\":\"c\",\"type\":\"exec\",\"command\":" \
	"[\"/usr/lib/alerts/p\"]}"
#define PAGERDUTY "{\"name\":\"c\",\"type\":\"pagerduty\",\"routing_key\":" \
	"\"SECRETPART\"}"

static const struct row {
	const char *channel;
	enum alert_kind kind;
	uint32_t code;
	const char *headers, *body;
	enum alert_result want;
	int64_t after_ns;
	const char *note;
} rows[] = {
	{DISCORD, ALERT_OPEN, 204, "", "", RESULT_DONE, 0, ""},
	{PAGERDUTY, ALERT_OPEN, 202, "", "{}", RESULT_DONE, 0, ""},
	{DISCORD, ALERT_OPEN, 400, "", "bad", RESULT_REFUSED, 0,
	    "HTTP 400: bad"},
	{DISCORD, ALERT_OPEN, 401, "", "", RESULT_REFUSED, 0, "HTTP 401"},
	{DISCORD, ALERT_OPEN, 404, "", "Unknown Webhook\nmore", RESULT_REFUSED,
	    0, "HTTP 404: Unknown Webhook"},
	{DISCORD, ALERT_OPEN, 302, "", "", RESULT_REFUSED, 0, "HTTP 302: it "
	    "redirects; set the URL that it redirects to"},
	{DISCORD, ALERT_OPEN, 500, "", "", RESULT_AGAIN, 0, "HTTP 500"},
	{DISCORD, ALERT_OPEN, 408, "", "", RESULT_AGAIN, 0, "HTTP 408"},
	{DISCORD, ALERT_OPEN, 503, "retry-AFTER:  120 \r\n", "", RESULT_AGAIN,
	    120 * S, "HTTP 503"},
	{DISCORD, ALERT_OPEN, 429, "X: y\r\nRetry-After: 3\r\n",
	    "{\"retry_after\":2.5}", RESULT_AGAIN, 5 * S / 2,
	    "HTTP 429: {\"retry_after\":2.5}"},
	/* A date, 30 s ahead; one in the past; too long; rubbish. */
	{SLACK, ALERT_OPEN, 429, "Retry-After: Sat, 21 Nov 2026 10:00:30 GMT"
	    "\r\n", "", RESULT_AGAIN, 30 * S, "HTTP 429"},
	{SLACK, ALERT_OPEN, 429, "Retry-After: Sat, 21 Nov 2026 09:00:00 GMT"
	    "\r\n", "", RESULT_AGAIN, 0, "HTTP 429"},
	{SLACK, ALERT_OPEN, 429, "Retry-After: 4000000000\r\n", "",
	    RESULT_AGAIN, 3600 * S, "HTTP 429"},
	{SLACK, ALERT_OPEN, 429, "Retry-After: -1\r\n", "", RESULT_AGAIN, 0,
	    "HTTP 429"},
	{SLACK, ALERT_OPEN, 200, "", "no_service", RESULT_REFUSED, 0,
	    "HTTP 200: no_service"},
	{SLACK, ALERT_OPEN, 410, "", "channel_is_archived", RESULT_REFUSED, 0,
	    "HTTP 410: channel_is_archived"},
	{SLACK, ALERT_OPEN, 200, "", "ok", RESULT_DONE, 0, ""},
	{SLACK, ALERT_OPEN, 500, "", "rollup_error", RESULT_AGAIN, 0,
	    "HTTP 500: rollup_error"},
	{TELEGRAM, ALERT_OPEN, 429, "", "{\"ok\":false,\"description\":"
	    "\"Too Many Requests: retry after 7\",\"parameters\":"
	    "{\"retry_after\":7}}", RESULT_AGAIN, 7 * S,
	    "HTTP 429: Too Many Requests: retry after 7"},
	{TELEGRAM, ALERT_OPEN, 400, "", "{\"ok\":false,\"description\":"
	    "\"Bad Request: chat not found\"}", RESULT_REFUSED, 0,
	    "HTTP 400: Bad Request: chat not found"},
	{TELEGRAM, ALERT_OPEN, 200, "", "{\"ok\":true}", RESULT_DONE, 0, ""},
	{PUSHOVER, ALERT_OPEN, 200, "", "{\"status\":1}", RESULT_DONE, 0, ""},
	{PUSHOVER, ALERT_OPEN, 200, "", "{\"status\":0,\"errors\":[\"no\"]}",
	    RESULT_REFUSED, 0, "HTTP 200: no"},
	{PUSHOVER, ALERT_OPEN, 400, "", "{\"status\":0,\"errors\":"
	    "[\"user key is invalid\"]}", RESULT_REFUSED, 0,
	    "HTTP 400: **** key is invalid"},
	{OPSGENIE, ALERT_RESOLVE, 404, "", "{}", RESULT_DONE, 0, ""},
	{OPSGENIE, ALERT_OPEN, 404, "", "", RESULT_REFUSED, 0, "HTTP 404"},
	{OPSGENIE, ALERT_OPEN, 202, "", "{}", RESULT_DONE, 0, ""},
	{MATRIX, ALERT_OPEN, 429, "", "{\"retry_after_ms\":1500}",
	    RESULT_AGAIN, 3 * S / 2, "HTTP 429: {\"retry_after_ms\":1500}"},
	{EMAIL, ALERT_OPEN, 250, "", "2.0.0 ok", RESULT_DONE, 0, ""},
	{EMAIL, ALERT_OPEN, 451, "", "4.3.0 later", RESULT_AGAIN, 0,
	    "SMTP 451 4.3.0 later"},
	{EMAIL, ALERT_OPEN, 550, "", "5.1.1 nobody", RESULT_REFUSED, 0,
	    "SMTP 550 5.1.1 nobody"},
	{EXEC, ALERT_OPEN, 0, "", "", RESULT_DONE, 0, ""},
	{EXEC, ALERT_OPEN, 1, "", "no route\n", RESULT_AGAIN, 0,
	    "exit status 1: no route"},
	{EXEC, ALERT_OPEN, 127, "", "", RESULT_REFUSED, 0, "exit status 127"},
	/* What they say of secrets is not kept. */
	{TELEGRAM, ALERT_OPEN, 404, "", "/bot12:SECRETPART/x", RESULT_REFUSED,
	    0, "HTTP 404: /bot*************/x"},
	{PAGERDUTY, ALERT_OPEN, 400, "", "key SECRETPART", RESULT_REFUSED, 0,
	    "HTTP 400: key **********"},
	{SLACK, ALERT_OPEN, 404, "", "services/T0/SECRETPART SECRETPART",
	    RESULT_REFUSED, 0, "HTTP 404: ********************** **********"},
	{SLACK, ALERT_OPEN, 500, "", "ctl \x1b[31m\xff", RESULT_AGAIN, 0,
	    "HTTP 500: ctl \xef\xbf\xbd[31m\xef\xbf\xbd"},
};

static void
table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct alert_answer a = {.code = rows[i].code,
			.headers = str_of(rows[i].headers),
			.body = str_of(rows[i].body), .now_us = T0};
		struct alert_outcome got;
		struct rig r;

		rig_init(&r, rows[i].channel);
		rig_add(&r, rows[i].kind);
		rig_split(&r);
		alert_judge(&r.m, 0, &a, &got);
		assert_string_equal(got.note, rows[i].note);
		assert_int_equal(got.result, rows[i].want);
		assert_int_equal(got.after_ns, rows[i].after_ns);
		rig_free(&r);
	}
}

/* A secret that the note's end would cut in two. */
static void
half_a_secret(void **state)
{
	struct alert_outcome got;
	struct rig r;

	(void)state;
	rig_init(&r, PAGERDUTY);
	rig_add(&r, ALERT_OPEN);
	rig_split(&r);
	for (size_t n = 70; n < 110; n++) {
		char body[200];
		const struct alert_answer a = {.code = 400,
			.body = {body, n + 10}, .now_us = T0};

		memset(body, '.', sizeof(body));
		memcpy(body + n, "SECRETPART", 10);
		alert_judge(&r.m, 0, &a, &got);
		assert_null(strstr(got.note, "SE"));
	}
	rig_free(&r);
}

/* The same where the words are a field of the answer. */
static void
half_a_secret_in_a_field(void **state)
{
	struct alert_outcome got;
	struct rig r;

	(void)state;
	rig_init(&r, TELEGRAM);
	rig_add(&r, ALERT_OPEN);
	rig_split(&r);
	for (int n = 120; n < 160; n++) {
		char body[300];
		struct alert_answer a = {.code = 400, .now_us = T0};

		(void)snprintf(body, sizeof(body), "{\"ok\":false,"
		    "\"description\":\"%0*d12:SECRETPART\"}", n, 0);
		a.body = str_of(body);
		alert_judge(&r.m, 0, &a, &got);
		assert_int_equal(got.result, RESULT_REFUSED);
		assert_non_null(strstr(got.note, "HTTP 400: 000"));
		assert_null(strstr(got.note, "12"));
	}
	rig_free(&r);
}

static void
exec_is_refused(void **state)
{
	static const char *const refused[] = {"/bin/sh", "alerts/p",
		"/usr/lib/alerts/../sh", "/usr/lib/alertsx/p",
		"/usr/lib/alerts", "/usr/lib/alerts/"};
	struct alert_request q = {0};
	struct errinfo ei = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		char json[200];
		struct rig r;

		(void)snprintf(json, sizeof(json), "{\"name\":\"c\",\"type\":"
		    "\"exec\",\"command\":[\"%s\"]}", refused[i]);
		rig_init(&r, json);
		rig_add(&r, ALERT_OPEN);
		rig_split(&r);
		assert_int_equal(alert_build(&r.m, 0, &q, &ei), ERR_DENIED);
		assert_non_null(strstr(ei.text, "alerts.exec_allow"));
		alert_request_clear(&q);
		r.place.exec_allow = NULL;
		assert_int_equal(alert_build(&r.m, 0, &q, &ei), ERR_DENIED);
		alert_request_clear(&q);
		rig_free(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(half_a_secret),
		cmocka_unit_test(half_a_secret_in_a_field),
		cmocka_unit_test(exec_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

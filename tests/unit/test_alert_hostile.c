/* Names and reasons that somebody else chose: no channel loses an alert by
 * them, is made to call people, or lets them become structure. */
#include "alert_rig.h"

#include "alert/mime.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const channels[] = {
	"{\"name\":\"c\",\"type\":\"webhook\",\"url\":\"https://h.example/\"}",
	"{\"name\":\"c\",\"type\":\"discord\",\"url\":\"https://d.example/w\"}",
	"{\"name\":\"c\",\"type\":\"slack\",\"url\":\"https://s.example/w\"}",
	"{\"name\":\"c\",\"type\":\"teams\",\"url\":\"https://t.example/w\"}",
	"{\"name\":\"c\",\"type\":\"mattermost\",\"url\":\"https://m.example/\"}",
	"{\"name\":\"c\",\"type\":\"googlechat\",\"url\":\"https://g.example/\"}",
	"{\"name\":\"c\",\"type\":\"telegram\",\"token\":\"1:a\",\"chat_id\":\"1\"}",
	"{\"name\":\"c\",\"type\":\"ntfy\",\"url\":\"https://n.example\","
	    "\"topic\":\"t\"}",
	"{\"name\":\"c\",\"type\":\"gotify\",\"url\":\"https://g.example\","
	    "\"token\":\"t\"}",
	"{\"name\":\"c\",\"type\":\"pagerduty\",\"routing_key\":\"k\"}",
	"{\"name\":\"c\",\"type\":\"opsgenie\",\"api_key\":\"k\"}",
	"{\"name\":\"c\",\"type\":\"matrix\",\"url\":\"https://x.example\","
	    "\"token\":\"t\",\"room\":\"!r:x\"}",
	"{\"name\":\"c\",\"type\":\"alertmanager\",\"url\":\"http://a.example\"}",
	/* Not JSON, from here on. */
	"{\"name\":\"c\",\"type\":\"pushover\",\"token\":\"a\",\"user\":\"u\"}",
	"{\"name\":\"c\",\"type\":\"twilio\",\"account\":\"AC\",\"token\":\"t\","
	    "\"from\":\"+1\",\"to\":[\"+2\"]}",
	"{\"name\":\"c\",\"type\":\"email\",\"host\":\"m.example\","
	    "\"from\":\"v@o.example\",\"to\":[\"a@o.example\"]}",
	"{\"name\":\"c\",\"type\":\"exec\",\"command\":[\"/usr/lib/alerts/p\"]}",
};
#define JSON_CHANNELS 13

static const char *const hostile[] = {
	"quote \" and ' and \\ back", "<b>bold</b> & <script>x()</script>",
	"_under_ *star* `code` [a](http://evil.example) ~x~ |t| # h",
	"@everyone @channel @all <!channel> <users/all> <@123>",
	"\xf0\x9f\x94\xa5 fire \xc3\xbc\xc3\x9f \xe6\xbc\xa2\xe5\xad\x97",
	"rtl \xe2\x80\xae txt.exe \xe2\x80\x8f",
	"a\r\nBcc: evil@evil.example\r\n\r\nbody", "{{title}} {\"a\":1}}",
	".", "From here", "=?UTF-8?Q?evil?=", "\xff\xfe not utf-8 \xc3",
	"%s%n%d", "$(reboot) `reboot` ; reboot", "",
};

static void
fill(struct rig *r, const char *name, size_t i)
{
	struct alert_event *e = rig_add(r, i % 2 == 0 ? ALERT_OPEN :
	    ALERT_RESOLVE);

	/* As the daemon does with everything that comes in. */
	(void)text_copy(e->path, sizeof(e->path), str_of(name));
	(void)text_copy(e->reason, sizeof(e->reason), str_of(name));
	(void)text_copy(e->tags, sizeof(e->tags), str_of(name));
	(void)text_copy(e->target, sizeof(e->target), str_of(name));
}

static void
header_clean(const struct alert_request *q)
{
	for (size_t i = 0; i < q->headers.n; i++) {
		assert_null(strpbrk(q->headers.v[i].value, "\r\n"));
		assert_null(strpbrk(q->headers.v[i].name, "\r\n: "));
	}
	assert_true(q->url == NULL || strpbrk(q->url, " \r\n\"<>") == NULL);
}

/* What a mail's header section is made of. */
static void
mail_clean(const struct alert_request *q)
{
	const char *end = strstr(q->body.p, "\r\n\r\n");
	struct str rest = {q->body.p, (size_t)(end - q->body.p)}, line;

	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &line);
		assert_true(line.n <= 79);
		assert_false(str_starts(line, STR("Bcc:")));
		for (size_t i = 0; i < line.n; i++)
			assert_true((unsigned char)line.p[i] < 0x7f);
	}
	for (const char *s = q->body.p; (s = strchr(s, '\n')) != NULL; s++) {
		assert_true(s > q->body.p && s[-1] == '\r');
		assert_false(s[1] == '.' || strncmp(s + 1, "From ", 5) == 0);
	}
}

static void
body_clean(const struct rig *r, size_t kind, const struct alert_request *q)
{
	struct str body = buf_str(&q->body);
	json_error_t at;
	json_t *v;

	assert_true(text_utf8_ok(body));
	if (q->kind == REQUEST_MAIL)
		mail_clean(q);
	for (size_t i = 0; i < q->env.n; i++)
		assert_null(strchr(q->env.v[i], '\r'));
	if (kind >= JSON_CHANNELS && q->kind != REQUEST_EXEC)
		return;
	v = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &at);
	if (v == NULL)
		fail_msg("%s: %s", alert_channel_name(r->channel), at.text);
	json_decref(v);
	/* Right-to-left overrides never leave. */
	assert_null(memmem(body.p, body.n, "\xe2\x80\xae", 3));
}

static void
everything(void **state)
{
	struct rig r;

	(void)state;
	for (size_t k = 0; k < COUNT(channels); k++) {
		rig_init(&r, channels[k]);
		for (size_t i = 0; i < 2 * COUNT(hostile) + 1; i++) {
			/* Alone, and all together at the end. */
			for (size_t j = 0; i == 2 * COUNT(hostile) &&
			    j < COUNT(hostile); j++)
				fill(&r, hostile[j], j);
			if (i < 2 * COUNT(hostile))
				fill(&r, hostile[i / 2], i);
			rig_split(&r);
			for (size_t p = 0; p < r.m.nparts; p++) {
				struct alert_request q;

				rig_request(&r, p, &q);
				header_clean(&q);
				body_clean(&r, k, &q);
				alert_request_clear(&q);
			}
			rig_clear(&r);
		}
		rig_free(&r);
	}
}

static const char *
of_type(const char *type)
{
	for (size_t k = 0; k < COUNT(channels); k++)
		if (strstr(channels[k], type) != NULL)
			return channels[k];
	return NULL;
}

/* What one name becomes in one channel's body. */
static void
becomes(const char *type, const char *name, const char *want)
{
	struct rig r;
	char *got;

	rig_init(&r, of_type(type));
	fill(&r, name, 0);
	got = rig_text(&r);
	if (strstr(got, want) == NULL)
		fail_msg("%s: \"%s\" is not in\n%s", type, want, got);
	xfree(got);
	rig_free(&r);
}

static void
escapes(void **state)
{
	(void)state;
	becomes("slack", "<!channel> & <b>", "DOWN: \\u0026lt;!channel"
	    "\\u0026gt; \\u0026amp; \\u0026lt;b\\u0026gt;\\n");
	becomes("telegram", "<b>_*[`&\"", "DOWN: \\u0026lt;b\\u0026gt;_*[`"
	    "\\u0026amp;\\u0026quot;\\n");
	becomes("discord", "*a* _b_ [c](d)", "DOWN: \\\\*a\\\\* \\\\_b\\\\_ "
	    "\\\\[c\\\\]\\\\(d\\\\)\"");
	becomes("discord", "*a* `b`", "\"description\":\"\\\\*a\\\\* "
	    "\\\\`b\\\\` is down");
	becomes("mattermost", "@all *x*", "DOWN: @\xe2\x80\x8b" "all "
	    "\\\\*x\\\\*\\n");
	becomes("googlechat", "<users/all>", "DOWN: \\u003c\xe2\x80\x8b"
	    "users/all\\u003e\\n");
	becomes("matrix", "@room", "\"m.mentions\":{}");
	becomes("discord", "@everyone", "\"allowed_mentions\":{\"parse\":[]}");
	becomes("email", "\xc3\x9c" "ber", "Subject: =?UTF-8?B?"
	    "RE9XTjogw5xiZXI=?=\r\n");
	becomes("email", "<i>", "DOWN: &lt;i&gt;");
	becomes("email", ".", "DOWN: .\r\n");
}

/* 130 characters are not 130 bytes, and a character is not cut. */
static void
opsgenie_characters(void **state)
{
	struct rig r;
	struct alert_request q;
	const char *message;
	json_t *v;

	(void)state;
	rig_init(&r, of_type("opsgenie"));
	for (size_t n = 110; n < 121; n++) {
		struct alert_event *e = rig_add(&r, ALERT_REMIND);

		e->path[0] = '\0';
		for (size_t i = 0; i < n; i++)
			memcpy(e->path + 2 * i, "\xc3\xa4", 3);
		rig_split(&r);
		rig_request(&r, 0, &q);
		v = json_loads(q.body.p, 0, NULL);
		message = json_string_value(json_object_get(v, "message"));
		assert_non_null(message);
		assert_true(text_utf8_ok(str_of(message)));
		assert_int_equal(text_size(str_of(message), TEXT_CHARS),
		    MIN(n + strlen("STILL DOWN:  for 0 s"), (size_t)130));
		json_decref(v);
		alert_request_clear(&q);
		rig_clear(&r);
	}
	rig_free(&r);
}

/* What only the configuration could bring along. */
static void
line_breaks(void **state)
{
	struct rig r;
	struct alert_request q;
	BUF_AUTO(b, 1000);

	(void)state;
	mime_header(&b, "Subject", STR("a\r\nBcc: evil@evil.example"));
	assert_string_equal(b.p, "Subject: a  Bcc: evil@evil.example\r\n");
	rig_init(&r, "{\"name\":\"c\",\"type\":\"webhook\",\"url\":"
	    "\"https://h.example/\",\"headers\":{\"X-A\":"
	    "\"a\\r\\nX-B: b\"}}");
	fill(&r, "a", 0);
	rig_split(&r);
	rig_request(&r, 0, &q);
	header_clean(&q);
	alert_request_clear(&q);
	rig_free(&r);
}

/* A webhook's own template: the place of a value decides how it is written. */
static void
webhook_template(void **state)
{
	struct rig r;
	struct alert_request q;

	(void)state;
	rig_init(&r, "{\"name\":\"c\",\"type\":\"webhook\",\"url\":"
	    "\"https://h.example/\",\"body\":\"{\\\"n\\\":\\\"{{name}}\\\","
	    "\\\"j\\\":{{name | json}}}\"}");
	fill(&r, "a\"b<c>", 0);
	rig_split(&r);
	rig_request(&r, 0, &q);
	assert_string_equal(q.body.p, "{\"n\":\"a\\\"b\\u003cc\\u003e\","
	    "\"j\":\"a\\\"b\\u003cc\\u003e\"}");
	alert_request_clear(&q);
	rig_free(&r);
	rig_init(&r, "{\"name\":\"c\",\"type\":\"webhook\",\"url\":"
	    "\"https://h.example/\",\"method\":\"PUT\",\"headers\":"
	    "{\"content-type\":\"application/x-www-form-urlencoded\"},"
	    "\"body\":\"a={{name}}\"}");
	fill(&r, "x&y=z", 0);
	rig_split(&r);
	rig_request(&r, 0, &q);
	assert_string_equal(q.body.p, "a=x%26y%3Dz");
	assert_string_equal(q.method, "PUT");
	assert_string_equal(q.headers.v[0].value,
	    "application/x-www-form-urlencoded");
	alert_request_clear(&q);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything), cmocka_unit_test(escapes),
		cmocka_unit_test(opsgenie_characters),
		cmocka_unit_test(line_breaks),
		cmocka_unit_test(webhook_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

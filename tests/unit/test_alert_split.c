/* Three thousand monitors at once: nobody is left out, no request is larger
 * than its provider takes, and none is smaller than it must be. */
#include "alert_rig.h"

#include "alert/kinds.h"

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
	"{\"name\":\"c\",\"type\":\"matrix\",\"url\":\"https://x.example\","
	    "\"token\":\"t\",\"room\":\"!r:x\"}",
	"{\"name\":\"c\",\"type\":\"alertmanager\",\"url\":\"http://a.example\"}",
	"{\"name\":\"c\",\"type\":\"pushover\",\"token\":\"a\",\"user\":\"u\"}",
	"{\"name\":\"c\",\"type\":\"twilio\",\"account\":\"AC\",\"token\":\"t\","
	    "\"from\":\"+1\",\"to\":[\"+2\",\"+3\"]}",
	"{\"name\":\"c\",\"type\":\"email\",\"host\":\"m.example\","
	    "\"from\":\"v@o.example\",\"to\":[\"a@o.example\"]}",
	"{\"name\":\"c\",\"type\":\"exec\",\"command\":[\"/usr/lib/alerts/p\"]}",
};

static void
storm(struct rig *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct alert_event *e = rig_add(r, ALERT_OPEN);
		char name[64];

		(void)snprintf(name, sizeof(name), "Rack%zu/h\xc3\xb6st-%zu",
		    i % 40, i);
		(void)text_copy(e->path, sizeof(e->path), str_of(name));
		outbox_key(&r->rows[i]);
	}
}

/* The largest that a provider says it takes, of what a request really is. */
static void
within(const struct alert_channel *c, const struct alert_request *q)
{
	const char *type = c->type;
	struct str body = buf_str(&q->body);

	if (strcmp(type, "teams") == 0)
		assert_true(body.n <= 28000);
	else if (strcmp(type, "email") != 0 && strcmp(type, "matrix") != 0)
		assert_true(body.n <= (1u << 20));
	else if (strcmp(type, "matrix") == 0)
		assert_true(body.n <= 60000);
	/* Escapes of JSON and forms come on top of what these count. */
	if (strcmp(type, "ntfy") == 0)
		assert_true(body.n <= 4096 + 400 + 4096 / 10);
	if (strcmp(type, "twilio") == 0)
		assert_true(body.n <= 1600 * 3 + 200);
}

static void
covers(struct rig *r)
{
	const struct alert_kind_row *k = r->channel->kind;
	size_t at = 0, copies = k->copies != NULL ? k->copies(r->channel) : 1;

	for (size_t i = 0; i < r->m.nparts; i++) {
		struct alert_part p = r->m.parts[i];

		assert_int_equal(p.copy, i % copies);
		assert_int_equal(p.first, at);
		assert_true(p.n >= 1);
		at += p.copy + 1 == copies ? p.n : 0;
	}
	assert_int_equal(at, r->m.n);
}

static void
three_thousand(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(channels); k++) {
		struct rig r;

		rig_init(&r, channels[k]);
		storm(&r, RIG_EVENTS);
		rig_split(&r);
		covers(&r);
		for (size_t i = 0; i < r.m.nparts; i++) {
			struct alert_request q;

			rig_request(&r, i, &q);
			within(r.channel, &q);
			alert_request_clear(&q);
		}
		/* Lines are at least 80 characters, at most 120. */
		if (r.channel->kind->size == NULL) {
			size_t n = r.m.nparts, max = r.channel->kind->text_max;

			n /= r.channel->kind->copies != NULL ? 2 : 1;
			assert_true(n >= RIG_EVENTS * 80 / max);
			assert_true(n <= RIG_EVENTS * 120 / (max - 240) + 1);
		}
		rig_free(&r);
	}
}

/* In one that tells of all, all are named. */
static void
all_are_named(void **state)
{
	struct rig r;
	char *got, name[64];

	(void)state;
	rig_init(&r, channels[1]);
	storm(&r, 200);
	got = rig_text(&r);
	for (size_t i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "h\xc3\xb6st-%zu, ", i);
		assert_non_null(strstr(got, name));
	}
	(void)snprintf(name, sizeof(name), " (1/%zu)\"", r.m.nparts);
	assert_non_null(strstr(got, name));
	(void)snprintf(name, sizeof(name), " (%zu/%zu)\"", r.m.nparts,
	    r.m.nparts);
	assert_non_null(strstr(got, name));
	xfree(got);
	rig_free(&r);
}

/* One text that is too long is cut between characters, its markup whole. */
static void
one_too_long(void **state)
{
	struct rig r;
	struct alert_request q;

	(void)state;
	rig_init(&r, "{\"name\":\"c\",\"type\":\"telegram\",\"token\":\"1:a\","
	    "\"chat_id\":\"1\",\"body\":\"{{#each events}}{{text}}{{text}}"
	    "{{text}}{{text}}{{text}}{{text}}{{text}}{{text}}{{text}}{{text}}"
	    "{{text}}{{text}}{{text}}{{text}}{{text}}{{/each}}\"}");
	memset(rig_add(&r, ALERT_OPEN)->reason, '&', REASON_MAX - 1);
	memset(r.rows[0].event.path, '<', ALERT_NAME_MAX - 1);
	rig_split(&r);
	assert_int_equal(r.m.nparts, 1);
	rig_request(&r, 0, &q);
	/* "\u0026lt;" or "\u0026amp;", none cut off, then the ellipsis. */
	assert_non_null(strstr(q.body.p, ";\xe2\x80\xa6\",\"parse_mode\""));
	alert_request_clear(&q);
	rig_free(&r);
}

/* Providers with incidents of their own: one request each, one key. */
static void
incidents(void **state)
{
	struct rig r;
	char *open, *over;

	(void)state;
	rig_init(&r, "{\"name\":\"c\",\"type\":\"pagerduty\",\"routing_key\":"
	    "\"k\"}");
	storm(&r, 50);
	rig_split(&r);
	assert_int_equal(r.m.nparts, 50);
	rig_clear(&r);
	rig_add(&r, ALERT_OPEN);
	open = rig_text(&r);
	rig_clear(&r);
	rig_add(&r, ALERT_RESOLVE)->incident_us = T0;
	over = rig_text(&r);
	assert_non_null(strstr(open, "\"event_action\":\"trigger\","
	    "\"dedup_key\":\"vedette-7-1795255200000000\""));
	assert_non_null(strstr(over, "\"event_action\":\"resolve\","
	    "\"dedup_key\":\"vedette-7-1795255200000000\""));
	xfree(open);
	xfree(over);
	rig_free(&r);
}

/* The same rows give the same bytes; a row more gives another key. */
static void
idempotent(void **state)
{
	struct rig r;
	char *a, *b, *c;
	const char *key = "Idempotency-Key: ";

	(void)state;
	rig_init(&r, channels[0]);
	storm(&r, 3);
	a = rig_text(&r);
	alert_message_clear(&r.m);
	b = rig_text(&r);
	rig_clear(&r);
	storm(&r, 2);
	c = rig_text(&r);
	assert_string_equal(a, b);
	assert_memory_not_equal(strstr(a, key), strstr(c, key),
	    strlen(key) + 32);
	xfree(a);
	xfree(b);
	xfree(c);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_thousand),
		cmocka_unit_test(all_are_named), cmocka_unit_test(one_too_long),
		cmocka_unit_test(incidents), cmocka_unit_test(idempotent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One monitor: common options, what applies to which type, derived defaults,
 * canonical text, edits. */
#include "tests/unit/conf_rig.h"

static enum err
load(const char *json, struct monitor_conf **ret, struct errinfo *ei)
{
	*ret = NULL;
	return monitor_conf_load(str_of(json), "N", NULL, rig_kinds, ret, ei);
}

static struct monitor_conf *
make(const char *json)
{
	struct monitor_conf *c;
	struct errinfo ei = {0};

	if (load(json, &c, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	return c;
}

static void
refuses(const char *json, const char *field, const char *words)
{
	struct monitor_conf *c;
	struct errinfo ei = {0};

	assert_int_not_equal(load(json, &c, &ei), ERR_OK);
	assert_null(c);
	assert_string_equal(ei.text, words);
	assert_string_equal(ei.field, field);
}

static void
test_derived(void **state)
{
	static const struct {
		const char *json;
		int64_t timeout_ms, retry_ms;
	} rows[] = {
		{"{\"type\":\"web\",\"url\":\"http://a\"}", 10000, 10000},
		{"{\"type\":\"web\",\"url\":\"http://a\",\"interval\":\"5s\"}",
		    5000, 5000},
		{"{\"type\":\"web\",\"url\":\"http://a\",\"timeout\":\"1s\","
		    "\"retry_interval\":\"100ms\"}", 1000, 100},
	};
	struct monitor_conf *c;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		c = make(rows[i].json);
		assert_true(c->timeout_ns == rows[i].timeout_ms * 1000000);
		assert_true(c->retry_interval_ns ==
		    rows[i].retry_ms * 1000000);
		assert_int_equal(c->retries, 2);
		assert_int_equal(c->recoveries, 1);
		assert_false(c->hide_target);
		/* the text is what was set, not what was derived */
		assert_string_equal(c->text, rows[i].json);
		monitor_conf_unref(c);
	}
	c = make("{\"type\":\"push\",\"interval\":\"30s\"}");
	assert_true(c->grace_ns == INT64_C(60000000000));
	monitor_conf_unref(c);
	c = make("{\"type\":\"push\",\"interval\":\"400d\"}");
	assert_true(c->grace_ns == INT64_C(200) * 86400 * 1000000000);
	monitor_conf_unref(c);
}

static void
test_canonical(void **state)
{
	struct monitor_conf *c = make("{\"tags\":[\"a\"],\"interval\":\"60\","
	    "\"expect\":{\"status\":[200]},\"insecure\":false,"
	    "\"notify\":\"ops\",\"timeout\":\"10000ms\",\"type\":\"web\","
	    "\"headers\":{\"X\":\"1\"},\"url\":\"http://a\","
	    "\"fail\":{\"of\":5,\"m\":3}}");
	json_t *v;
	char *text;

	(void)state;
	assert_string_equal(c->text, "{\"type\":\"web\",\"url\":\"http://a\","
	    "\"headers\":{\"X\":\"1\"},\"expect\":{\"status\":\"200\"},"
	    "\"timeout\":\"10s\",\"fail\":{\"m\":3,\"of\":5},"
	    "\"notify\":[\"ops\"],\"tags\":[\"a\"]}");
	assert_int_equal(c->fail_m, 3);
	v = monitor_conf_json(c, OPT_SECRETS_MASK);
	text = opt_text(v);
	assert_string_equal(text, "{\"name\":\"N\",\"type\":\"web\","
	    "\"url\":\"http://a\",\"headers\":{\"X\":\"********\"},"
	    "\"expect\":{\"status\":\"200\"},"
	    "\"timeout\":\"10s\",\"fail\":{\"m\":3,\"of\":5},"
	    "\"notify\":[\"ops\"],\"tags\":[\"a\"]}");
	xfree(text);
	json_decref(v);
	monitor_conf_unref(c);
	c = make("{\"type\":\"push\"}");
	monitor_conf_set_token(c, "abcdefghijklmnop");
	v = monitor_conf_json(c, OPT_SECRETS_PLAIN);
	text = opt_text(v);
	assert_string_equal(text, "{\"name\":\"N\","
	    "\"token\":\"abcdefghijklmnop\",\"type\":\"push\"}");
	xfree(text);
	json_decref(v);
	monitor_conf_unref(c);
}

static void
test_refusals(void **state)
{
	(void)state;
	refuses("{}", "type",
	    "is required: what kind of check; allowed: web, push, group");
	refuses("{\"type\":\"htp\"}", "type",
	    "\"htp\" is not a known type; allowed: web, push, group");
	refuses("{\"type\":\"web\"}", "url", "is required: What to fetch.");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"grace\":\"1m\"}", "",
	    "grace does not apply to a monitor of type web");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"token\":\"x\"}", "",
	    "token does not apply to a monitor of type web");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"monitors\":[]}", "",
	    "monitors does not apply to a monitor of type web");
	refuses("{\"type\":\"group\",\"interval\":\"1m\"}", "",
	    "interval does not apply to a monitor of type group");
	refuses("{\"type\":\"push\",\"retries\":1}", "",
	    "retries does not apply to a monitor of type push");
	refuses("{\"type\":\"push\",\"token\":\"short\"}", "token",
	    "the value is too short; allowed: text of 16 to 128 bytes");
	refuses("{\"type\":\"push\",\"token\":\"0123456789abcde/\"}", "token",
	    "the value does not fit; allowed: 16 to 128 letters, digits, _ "
	    "and -");
	refuses("{\"type\":\"push\",\"interval\":\"401d\"}", "interval",
	    "\"401d\" is out of range; allowed: 1s to 400d, e.g. 60s");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"interval\":\"5s\","
	    "\"timeout\":\"6s\"}", "timeout", "6s is longer than the interval "
	    "of 5s; allowed: at most the interval");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"interval\":\"5s\","
	    "\"retry_interval\":\"6s\"}", "retry_interval", "6s is longer "
	    "than the interval of 5s; allowed: at most the interval");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"fail\":{\"m\":4,"
	    "\"of\":3}}", "fail.m",
	    "4 of the last 3 can never be; allowed: 1 to 3");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"fail\":{\"m\":4}}",
	    "fail.of", "is required: Among this many latest checks.");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"bearer\":\"x\","
	    "\"auth\":{\"user\":\"u\"}}", "bearer",
	    "bearer and user exclude each other");
	refuses("{\"type\":\"web\",\"url\":\"http://a\",\"was\":\"a/b/c\"}",
	    "was", "\"a/b/c\" does not fit; allowed: the name it had, or "
	    "Group/Name");
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", "a/b", " a", "a ", "a\tb",
		"a\nb", "\xc2\x85", "\x7f"};
	char text[130];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(monitor_name_check(str_of(bad[i])));
	memset(text, 'x', sizeof(text));
	assert_null(monitor_name_check((struct str){text, 120}));
	assert_non_null(monitor_name_check((struct str){text, 121}));
	assert_null(monitor_name_check(STR("\xc3\xa4 b \xf0\x9f\x98\x80")));
}

/* Every change but the named one stays; null removes; the id stays. */
static void
test_patch(void **state)
{
	struct monitor_conf *old = make("{\"type\":\"web\",\"url\":\"http://a\","
	    "\"bearer\":\"s3cret\",\"interval\":\"30s\",\"tags\":[\"x\"]}");
	struct monitor_conf *c = NULL;
	struct errinfo ei = {0};
	json_t *patch = json_pack("{s:s,s:n,s:s,s:s}", "interval", "10s",
	    "tags", "name", "M", "bearer", OPT_MASK);

	(void)state;
	old->id = 7;
	old->version = 3;
	old->group = 2;
	old->origin = ORIGIN_APPLY;
	old->paused = true;
	monitor_conf_set_path(old, "G");
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_OK);
	assert_string_equal(c->text, "{\"type\":\"web\",\"url\":\"http://a\","
	    "\"bearer\":\"s3cret\",\"interval\":\"10s\"}");
	assert_string_equal(c->path, "G/M");
	assert_int_equal(c->id, 7);
	assert_int_equal(c->version, 3);
	assert_int_equal(c->group, 2);
	assert_int_equal(c->origin, ORIGIN_APPLY);
	assert_true(c->paused);
	assert_false(monitor_conf_retargets(old, c));
	monitor_conf_unref(c);
	json_decref(patch);

	/* null removes a secret */
	patch = json_pack("{s:n}", "bearer");
	c = NULL;
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_OK);
	assert_null(((struct web_conf *)c->own)->bearer);
	monitor_conf_unref(c);
	json_decref(patch);

	/* another group, none, and a wrong one */
	patch = json_pack("{s:n,s:s}", "group", "url", "http://b");
	c = NULL;
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_OK);
	assert_string_equal(c->path, "N");
	assert_int_equal(c->group, 0);
	assert_true(monitor_conf_retargets(old, c));
	monitor_conf_unref(c);
	(void)json_object_set_new(patch, "group", json_string("a/b"));
	c = NULL;
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_INVALID);
	assert_string_equal(ei.field, "group");
	json_decref(patch);

	/* everything is checked again */
	patch = json_pack("{s:s}", "interval", "5s");
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_OK);
	monitor_conf_unref(c);
	c = NULL;
	(void)json_object_set_new(patch, "timeout", json_string("6s"));
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_INVALID);
	assert_null(c);
	json_decref(patch);
	patch = json_array();
	assert_int_equal(monitor_conf_patch(old, patch, rig_kinds, &c, &ei),
	    ERR_INVALID);
	json_decref(patch);
	monitor_conf_unref(old);
}

static void
test_replace(void **state)
{
	struct monitor_conf *old = make("{\"type\":\"web\",\"url\":\"http://a\","
	    "\"auth\":{\"user\":\"u\",\"password\":\"p\"}}");
	struct monitor_conf *c = NULL;
	struct errinfo ei = {0};
	json_t *body = json_pack("{s:s,s:s,s:s,s:{s:s}}", "name", "N", "type",
	    "web", "url", "http://a", "auth", "user", "v");
	struct web_conf *w;

	(void)state;
	/* same target: a secret that is left out stays */
	assert_int_equal(monitor_conf_replace(old, body, rig_kinds, &c, &ei),
	    ERR_OK);
	w = c->own;
	assert_string_equal(w->password, "p");
	assert_string_equal(w->user, "v");
	monitor_conf_unref(c);
	/* "" removes it */
	c = NULL;
	(void)json_object_set_new(json_object_get(body, "auth"), "password",
	    json_string(""));
	assert_int_equal(monitor_conf_replace(old, body, rig_kinds, &c, &ei),
	    ERR_OK);
	assert_null(((struct web_conf *)c->own)->password);
	monitor_conf_unref(c);
	/* another target does not get it by silence */
	c = NULL;
	(void)json_object_del(json_object_get(body, "auth"), "password");
	(void)json_object_set_new(body, "url", json_string("http://evil"));
	assert_int_equal(monitor_conf_replace(old, body, rig_kinds, &c, &ei),
	    ERR_OK);
	assert_null(((struct web_conf *)c->own)->password);
	monitor_conf_unref(c);
	/* another way to log in: the old password does not get in the way */
	json_decref(body);
	body = json_pack("{s:s,s:s,s:s,s:s}", "name", "N", "type", "web",
	    "url", "http://a", "bearer", "b");
	c = NULL;
	assert_int_equal(monitor_conf_replace(old, body, rig_kinds, &c, &ei),
	    ERR_OK);
	monitor_conf_unref(c);
	/* masked on a new one, or where nothing was */
	(void)json_object_set_new(body, "bearer", json_string(OPT_MASK));
	c = NULL;
	assert_int_equal(monitor_conf_replace(old, body, rig_kinds, &c, &ei),
	    ERR_INVALID);
	assert_string_equal(ei.field, "bearer");
	assert_int_equal(monitor_conf_replace(NULL, body, rig_kinds, &c, &ei),
	    ERR_INVALID);
	assert_null(c);
	json_decref(body);
	body = json_pack("{s:s,s:s,s:s}", "name", "G", "type", "group",
	    "group", "H");
	assert_int_equal(monitor_conf_replace(NULL, body, rig_kinds, &c, &ei),
	    ERR_INVALID);
	json_decref(body);
	monitor_conf_unref(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derived),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_names),
		cmocka_unit_test(test_patch), cmocka_unit_test(test_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

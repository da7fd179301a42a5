/* The schema, the reference and the manual come from the rows: each row is in
 * each of them. */
#include "tests/unit/conf_rig.h"

static const json_t *
at(const json_t *v, const char *path)
{
	struct str rest = str_of(path), head;
	char key[64];
	uint64_t i;

	while (rest.n > 0 && v != NULL) {
		rest = str_cut(rest, '.', &head);
		memcpy(key, head.p, head.n);
		key[head.n] = '\0';
		v = json_is_array(v) && str_u64(head, 1000, &i) ?
		    json_array_get(v, i) : json_object_get(v, key);
	}
	if (v == NULL)
		fail_msg("no %s", path);
	return v;
}

static const char *
text_at(const json_t *v, const char *path)
{
	return json_string_value(at(v, path));
}

static void
test_schema(void **state)
{
	json_t *s = conf_schema(rig_kinds);
	const json_t *web = at(s, "$defs.monitor.allOf.0.then");

	(void)state;
	assert_string_equal(text_at(s, "$schema"),
	    "https://json-schema.org/draft/2020-12/schema");
	assert_string_equal(text_at(s, "properties.store.properties.retention"
	    ".properties.samples.default"), "90d");
	assert_true(json_is_false(at(s, "additionalProperties")));
	assert_int_equal(json_integer_value(at(s, "properties.limits."
	    "properties.in_flight.default")), 4096);
	assert_string_equal(text_at(s, "properties.log.properties.level."
	    "default"), "info");
	assert_int_equal(json_array_size(at(s, "properties.log.properties."
	    "format.enum")), 3);
	assert_string_equal(text_at(s, "$defs.monitor.allOf.0.if.properties."
	    "type.const"), "web");
	assert_string_equal(text_at(web, "properties.url.description"),
	    "What to fetch.");
	assert_int_equal(json_array_size(at(web, "required")), 3);
	assert_string_equal(text_at(web, "properties.interval.default"), "1m");
	assert_int_equal(json_integer_value(at(web,
	    "properties.interval.maximum")), 86400);
	assert_true(json_is_true(at(web, "properties.bearer.writeOnly")));
	assert_null(json_object_get(at(web, "properties"), "monitors"));
	assert_null(json_object_get(at(web, "properties"), "grace"));
	assert_string_equal(text_at(s, "$defs.monitor.allOf.2.then.properties"
	    ".monitors.items.$ref"), "#/$defs/member");
	/* a member is never a group */
	assert_int_equal(json_array_size(at(s,
	    "$defs.member.properties.type.enum")), 2);
	assert_string_equal(text_at(s,
	    "$defs.channel.oneOf.0.properties.type.const"), "webhook");
	json_decref(s);
}

static void
in_text(const char *text, const struct opt *rows, const char *format)
{
	BUF_AUTO(b, 256);

	for (const struct opt *o = rows; o->name != NULL; o++) {
		if (o->type == OPT_TABLE)
			continue;
		buf_clear(&b);
		buf_adds(&b, format);
		buf_adds(&b, o->name);
		if (strstr(text, b.p) == NULL)
			fail_msg("no %s", b.p);
	}
}

static void
test_reference(void **state)
{
	BUF_AUTO(b, 1 << 20);

	(void)state;
	conf_reference(rig_kinds, &b);
	assert_true(buf_ok(&b));
	in_text(b.p, rig_web_opts, "| `");
	in_text(b.p, monitor_opts, "| `");
	in_text(b.p, monitor_push_opts, "| `");
	in_text(b.p, settings_opts[0].sub, "| `server.");
	assert_non_null(strstr(b.p, "| `store.retention.samples` | 90d | 1h "
	    "to 100y, e.g. 90d | restart | How long to keep check "
	    "samples. |\n"));
	assert_non_null(strstr(b.p, "| `expect.status` | 200-299 | "));
	assert_non_null(strstr(b.p, "| `fail.m` | required | 1 to 64 | "));
}

static void
test_man(void **state)
{
	BUF_AUTO(b, 1 << 20);

	(void)state;
	conf_man(rig_kinds, &b);
	assert_true(buf_ok(&b));
	in_text(b.p, rig_web_opts, ".B ");
	in_text(b.p, monitor_opts, ".B ");
	in_text(b.p, settings_opts[0].sub, ".B server.");
	assert_non_null(strstr(b.p, "Default: 200\\-299. Allowed: "));
	assert_null(strstr(b.p, "\n\n"));
}

/* Every default is what its own row allows, and every row says what it is. */
static void
every_row(const struct opt *rows, void *base)
{
	for (const struct opt *o = rows; o->name != NULL; o++) {
		assert_non_null(o->help);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		if (o->type == OPT_TABLE)
			every_row(o->sub, base);
	}
}

static void
test_rows(void **state)
{
	struct settings s = {0};
	struct errinfo ei = {0};

	(void)state;
	every_row(settings_opts, &s);
	every_row(monitor_opts, NULL);
	every_row(monitor_push_opts, NULL);
	for (size_t i = 0; channel_types[i].name != NULL; i++)
		every_row(channel_types[i].opts, NULL);
	opt_defaults(settings_opts, &s);
	assert_int_equal(settings_check(&s, &ei), ERR_OK);
	settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_reference), cmocka_unit_test(test_man),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows: every type of value, its errors word by word, and its canonical form. */
#include "conf/opt_value.h"

#include "tests/unit/conf_rig.h"

struct all {
	int64_t duration;
	uint32_t count, shards, choice, narrow;
	uint64_t size;
	bool flag;
	char *text, *secret, *dflt_text;
	struct strings list, deny;
	struct pairs pairs;
	struct ranges ranges;
	double ratio;
};

static const char *const words[] = {"red", "green", NULL};
static const struct opt in_opts[] = {
	COUNTER("count", all, count, .flags = OPT_REQUIRED, .min = 1,
	    .max = 10, .help = "How many."),
	OPT_END
};
static const struct opt rows[] = {
	DURATION("interval", all, duration, .dflt = "60s",
	    .min = INT64_C(1000000000), .max = INT64_C(86400000000000),
	    .help = "From one to the next."),
	TABLE("in", in_opts, .help = "Nested."),
	COUNTER("shards", all, shards, .flags = OPT_AUTO, .dflt = "auto",
	    .min = 1, .max = 64, .help = "Threads."),
	SIZE("size", all, size, .dflt = "64KiB", .max = 1 << 30,
	    .help = "Bytes."),
	SIZE32("narrow", all, narrow, .flags = OPT_NARROW, .dflt = "1MiB",
	    .help = "Bytes in 32 bits."),
	FLAG("flag", all, flag, .dflt = "true", .help = "On or off."),
	STRING("text", all, text, .max = 10, .help = "Words."),
	STRING("title", all, dflt_text, .dflt = "Status", .min = 1, .max = 20,
	    .help = "Title."),
	SECRET("secret", all, secret, .max = 20, .help = "Hush."),
	CHOICE("colour", all, choice, .choices = words, .dflt = "red",
	    .help = "Colour."),
	STRINGS("list", all, list, .max = 3, .help = "Some."),
	STRINGS("deny", all, deny, .dflt = "a, b", .help = "Denied."),
	PAIRS("pairs", all, pairs, .flags = OPT_SECRETS, .max = 2,
	    .help = "Names and texts."),
	RANGES("ranges", all, ranges, .dflt = "200-299", .min = 100,
	    .max = 599, .help = "Numbers."),
	RATIO("ratio", all, ratio, .dflt = "50%", .help = "Share."),
	OPT_END
};

static enum err
read_into(const char *yaml, struct all *a, struct errinfo *ei)
{
	struct tree *t = NULL;
	const struct opt_set set = {rows, a};
	enum err e;

	memset(a, 0, sizeof(*a));
	assert_int_equal(tree_from_yaml(str_of(yaml), "t", &t, ei), ERR_OK);
	e = opt_read(tree_root(t), &set, 1, NULL, ei);
	tree_free(t);
	return e;
}

/* What is written of what was read. */
static void
writes(const char *yaml, const char *want)
{
	struct all a;
	struct errinfo ei = {0};
	struct opt_set set = {rows, &a};
	json_t *v;
	char *text;

	if (read_into(yaml, &a, &ei) != ERR_OK)
		fail_msg("%s: %s: %s", yaml, ei.field, ei.text);
	v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
	text = opt_text(v);
	assert_string_equal(text, want);
	xfree(text);
	json_decref(v);
	opt_free(rows, &a);
}

static void
refuses(const char *yaml, const char *field, const char *want)
{
	struct all a;
	struct errinfo ei = {0};

	assert_int_not_equal(read_into(yaml, &a, &ei), ERR_OK);
	opt_free(rows, &a);
	assert_string_equal(ei.text, want);
	assert_string_equal(ei.field, field);
	assert_int_equal(ei.line, 1);
}

static void
test_defaults(void **state)
{
	struct all a;
	struct errinfo ei = {0};

	(void)state;
	assert_int_equal(read_into("", &a, &ei), ERR_OK);
	assert_true(a.duration == INT64_C(60000000000));
	assert_int_equal(a.shards, 0);
	assert_int_equal(a.size, 65536);
	assert_int_equal(a.narrow, 1 << 20);
	assert_true(a.flag);
	assert_null(a.text);
	assert_string_equal(a.dflt_text, "Status");
	assert_int_equal(a.deny.n, 2);
	assert_string_equal(a.deny.v[1], "b");
	assert_true(ranges_have(&a.ranges, 299));
	assert_false(ranges_have(&a.ranges, 300));
	assert_true(a.ratio > 0.49 && a.ratio < 0.51);
	opt_free(rows, &a);
	writes("", "{}");
	/* what is the default is not written, however it was spelt */
	writes("{interval: 1m, size: 65536, flag: yes, ranges: [200-299], "
	    "deny: [a, b], ratio: 0.5, shards: auto, colour: red, "
	    "title: Status, text: '', list: [], in: ~}", "{}");
}

static void
test_canonical(void **state)
{
	(void)state;
	writes("interval: 90", "{\"interval\":\"1m30s\"}");
	writes("interval: \"30\"", "{\"interval\":\"30s\"}");
	writes("interval: 1.5s", "{\"interval\":\"1.5s\"}");
	writes("size: 1048576", "{\"size\":\"1MiB\"}");
	writes("size: 1 MB", "{\"size\":\"1000000\"}");
	writes("narrow: 0", "{\"narrow\":\"0\"}");
	writes("shards: 4", "{\"shards\":4}");
	writes("flag: off", "{\"flag\":false}");
	writes("text: 12", "{\"text\":\"12\"}");
	writes("text: true", "{\"text\":\"true\"}");
	writes("list: one", "{\"list\":[\"one\"]}");
	writes("list: [1, 'a,b']", "{\"list\":[\"1\",\"a,b\"]}");
	writes("deny: []", "{\"deny\":[]}");
	writes("pairs: {A: 1, B: x y}", "{\"pairs\":{\"A\":\"1\",\"B\":\"x y\"}}");
	writes("ranges: 200", "{\"ranges\":\"200\"}");
	writes("ranges: ' 200 - 299 , 301'", "{\"ranges\":\"200-299,301\"}");
	writes("ranges: [404, 500-502]", "{\"ranges\":\"404,500-502\"}");
	writes("ratio: 10%", "{\"ratio\":0.1}");
	writes("ratio: 1", "{\"ratio\":1.0}");
	writes("in: {count: 3}", "{\"in\":{\"count\":3}}");
	writes("secret: ''", "{\"secret\":\"\"}");
	writes("colour: green", "{\"colour\":\"green\"}");
}

static void
test_errors(void **state)
{
	(void)state;
	refuses("interval: 5x", "interval",
	    "\"5x\" is not a duration; allowed: 1s to 1d, e.g. 60s");
	refuses("interval: 5ms", "interval",
	    "\"5ms\" is out of range; allowed: 1s to 1d, e.g. 60s");
	refuses("interval: 2d", "interval",
	    "\"2d\" is out of range; allowed: 1s to 1d, e.g. 60s");
	refuses("interval: -1", "interval",
	    "\"-1\" is not a duration; allowed: 1s to 1d, e.g. 60s");
	refuses("interval: [1]", "interval", "must be a duration, not a list");
	refuses("interval:", "interval",
	    "has no value; write a duration or leave the key out");
	refuses("intervall: 5s", "intervall",
	    "unknown key; did you mean \"interval\"?");
	refuses("itnerval: 5s", "itnerval",
	    "unknown key; did you mean \"interval\"?");
	refuses("zzzzzz: 5s", "zzzzzz", "unknown key; allowed: interval, in, "
	    "shards, size, narrow, flag, text, title, secret, colour, list, "
	    "deny, pairs, ranges, ratio");
	refuses("flag: \"true\"", "flag", "\"true\" is text because it is "
	    "quoted; allowed: true or false, without quotes");
	refuses("flag: 1", "flag", "\"1\" is neither true nor false; allowed: "
	    "true or false, without quotes");
	refuses("shards: 65", "shards",
	    "\"65\" is out of range; allowed: 1 to 64, or auto");
	refuses("shards: 0", "shards",
	    "\"0\" is out of range; allowed: 1 to 64, or auto");
	refuses("size: 5 apples", "size",
	    "\"5 apples\" is not a size; allowed: 0 to 1GiB, e.g. 64KiB");
	refuses("narrow: 5GiB", "narrow", "\"5GiB\" is out of range; allowed: "
	    "a size, e.g. 1MiB");
	refuses("text: 12345678901", "text", "\"12345678901\" is too long; "
	    "allowed: text of 0 to 10 bytes");
	refuses("title: ''", "title",
	    "\"\" is too short; allowed: text of 1 to 20 bytes");
	refuses("secret: abcdefghijklmnopqrstuvwxyz", "secret",
	    "the value is too long; allowed: text of 0 to 20 bytes");
	refuses("colour: blue", "colour",
	    "\"blue\" is not a known word; allowed: red, green");
	refuses("list: [a, b, c, d]", "list", "\"d\" is one too many, or too "
	    "long; allowed: a list of at most 3 texts");
	refuses("list: [[a]]", "list", "item 1 is not plain text");
	refuses("pairs: [a]", "pairs",
	    "must be a mapping of names to texts, not a list");
	refuses("pairs: {a: 1, b: 2, c: 3}", "pairs",
	    "3 entries; at most 2 are allowed");
	refuses("ranges: 300-200", "ranges", "\"300-200\" is not a range; "
	    "allowed: numbers and ranges from 100 to 599, e.g. 200-299");
	refuses("ranges: 99", "ranges", "\"99\" is out of range; "
	    "allowed: numbers and ranges from 100 to 599, e.g. 200-299");
	refuses("ranges: '200,'", "ranges", "\"200,\" is not a range; "
	    "allowed: numbers and ranges from 100 to 599, e.g. 200-299");
	refuses("ratio: 101%", "ratio",
	    "\"101%\" is out of range; allowed: 0 to 1, or 0% to 100%");
	refuses("ratio: nan", "ratio",
	    "\"nan\" is not a ratio; allowed: 0 to 1, or 0% to 100%");
	refuses("in: {}", "in.count", "is required: How many.");
	refuses("in: {count: 11}", "in.count",
	    "\"11\" is out of range; allowed: 1 to 10");
	refuses("in: 5", "in", "must be a mapping, not plain text");
	refuses("[1]", "", "must be a mapping of keys to values");
	refuses("{colour: \"\\e[31m\\u202e\"}", "colour",
	    "\"\xef\xbf\xbd[31m\xef\xbf\xbd\" is not a known word; allowed: "
	    "red, green");
}

static void
test_secrets(void **state)
{
	json_t *now = json_pack("{s:s,s:{s:s,s:s}}", "secret", OPT_MASK,
	    "pairs", "A", OPT_MASK, "B", "new");
	json_t *was = json_pack("{s:s,s:{s:s,s:s}}", "secret", "s3",
	    "pairs", "A", "a", "B", "b");
	json_t *none = json_object();

	(void)state;
	assert_non_null(opt_masked(rows, now));
	opt_unmask(rows, now, was, false);
	assert_null(opt_masked(rows, now));
	assert_string_equal(json_string_value(json_object_get(now, "secret")),
	    "s3");
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(now, "pairs"), "A")), "a");
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(now, "pairs"), "B")), "new");
	opt_unmask(rows, none, was, false);
	assert_int_equal(json_object_size(none), 0);
	opt_unmask(rows, none, was, true);
	assert_string_equal(json_string_value(json_object_get(none, "secret")),
	    "s3");
	assert_null(json_object_get(none, "pairs"));
	opt_hide(rows, now);
	assert_string_equal(json_string_value(json_object_get(now, "secret")),
	    OPT_MASK);
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(now, "pairs"), "B")), OPT_MASK);
	json_decref(now);
	json_decref(was);
	json_decref(none);
}

static void
test_set(void **state)
{
	struct all a = {0};
	struct errinfo ei = {0};

	(void)state;
	opt_defaults(rows, &a);
	assert_int_equal(opt_set(opt_find(rows, STR("deny")), &a,
	    STR("x, y ,z"), &ei), ERR_OK);
	assert_int_equal(a.deny.n, 3);
	assert_string_equal(a.deny.v[1], "y");
	assert_int_equal(opt_set(opt_find(rows, STR("deny")), &a, STR(""),
	    &ei), ERR_OK);
	assert_int_equal(a.deny.n, 0);
	assert_int_equal(opt_set(opt_find(rows, STR("title")), &a, STR("T"),
	    &ei), ERR_OK);
	assert_string_equal(a.dflt_text, "T");
	opt_free(rows, &a);
}

static void
test_sizes(void **state)
{
	static const uint64_t v[] = {0, 1, 1023, 1024, 1536, 1 << 20,
		UINT64_C(5) << 40, UINT64_C(3) << 50, INT64_MAX};
	char text[OPT_SIZE_TEXT];
	uint64_t back;

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		assert_true(opt_value_parse_size(str_of(
		    opt_value_format_size(v[i], text)), &back));
		assert_true(back == v[i]);
	}
	assert_false(opt_value_parse_size(STR("9223372036854775808"), &back));
	assert_false(opt_value_parse_size(STR("9007199254740992KiB"), &back));
	assert_false(opt_value_parse_size(STR(""), &back));
	assert_false(opt_value_parse_size(STR("KiB"), &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_set), cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* YAML out: what is written reads back as the same, and looks as a person
 * would write it. */
#include "tests/unit/conf_rig.h"

#include <stdio.h>

static char *
written(const json_t *v)
{
	BUF_AUTO(b, 1 << 20);

	tree_yaml_write(v, &b);
	assert_true(buf_ok(&b));
	return buf_take(&b);
}

static void
test_looks(void **state)
{
	json_t *v = json_pack("{s:[{s:s,s:s,s:[s,s],s:{s:s,s:s}},"
	    "{s:s,s:[{s:i},{s:b}]}],s:[],s:{},s:f}",
	    "monitors", "name", "API v2", "url", "https://a.b/c?d=e",
	    "notify", "ops", "on-call", "expect", "status", "200-299",
	    "body", "it's: #1", "name", "30s", "list", "n", 5, "f", 1,
	    "empty", "none", "ratio", 0.1);
	char *text = written(v);

	(void)state;
	assert_string_equal(text,
	    "monitors:\n"
	    "  - name: API v2\n"
	    "    url: https://a.b/c?d=e\n"
	    "    notify: [ops, on-call]\n"
	    "    expect:\n"
	    "      status: \"200-299\"\n"
	    "      body: \"it's: #1\"\n"
	    "  - name: 30s\n"
	    "    list:\n"
	    "      - \"n\": 5\n"
	    "      - f: true\n"
	    "empty: []\n"
	    "none: {}\n"
	    "ratio: 0.1\n");
	xfree(text);
	json_decref(v);
}

/* Does the tree say what the value says? Text must not turn into a number, a
 * flag or nothing: then it would have to be quoted. */
static void
same(const json_t *v, const struct node *n)
{
	const char *key;
	json_t *item;
	size_t i = 0;

	if (json_is_object(v)) {
		assert_int_equal(n->kind, NODE_MAP);
		assert_int_equal(n->n, json_object_size(v));
		json_object_foreach((json_t *)(uintptr_t)v, key, item) {
			assert_true(str_is(n->keys[i]->text, key));
			same(item, n->items[i++]);
		}
	} else if (json_is_array(v)) {
		assert_int_equal(n->kind, NODE_LIST);
		assert_int_equal(n->n, json_array_size(v));
		for (; i < n->n; i++)
			same(json_array_get(v, i), n->items[i]);
	} else if (json_is_string(v)) {
		assert_int_equal(n->kind, NODE_SCALAR);
		if (!str_eq(n->text, (struct str){json_string_value(v),
		    json_string_length(v)}))
			fail_msg("%s became %.*s", json_string_value(v),
			    (int)n->text.n, n->text.p);
	} else if (json_is_null(v)) {
		assert_int_equal(n->kind, NODE_NULL);
	} else {
		assert_int_equal(n->kind, NODE_SCALAR);
		assert_false(n->quoted);
	}
}

static void
round_trip(const json_t *v)
{
	char *text = written(v);
	struct tree *t = NULL;
	struct errinfo ei = {0};

	if (tree_from_yaml(str_of(text), "t", &t, &ei) != ERR_OK)
		fail_msg("%s: %u: %s", text, ei.line, ei.text);
	same(v, tree_root(t));
	tree_free(t);
	xfree(text);
}

static const char *const hard[] = {
	"", " ", "a ", " a", "~", "null", "Null", "true", "No", "off", "y",
	"-", "- a", "--", "---", "...", "?", "? a", ":", ": a", "a:", "a: b",
	"a :b", "a #b", "#a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a",
	"'a'", "\"a\"", "a'b", "{a}", "[a]", "a,b", "a]b", "a}b", ",", "1",
	"-1", "+1", "1.5", "0x1F", "0o7", "1e3", "1_000", "1:30", ".5", ".inf",
	"2026-01-01", "2026-01-01T00:00:00Z", "127.0.0.1:8080", "::1", "<<",
	"=", "30s", "90d", "1d", "12e", "line\nbreak", "tab\there", "cr\rlf\n",
	"trailing\n", "\n", "\x01\x1f\x7f", "\xc2\x85", "\xc2\xa0",
	"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf",
	"\xef\xbf\xbd", "\xef\xbf\xbe", "\xef\xa4\x80", "\xc3\xa4\xc3\xb6",
	"\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\\", "a\\b",
	"C:\\x", "https://a.b:1/c?d=e&f=g#h", "a - b", "a: - b", "!x",
	"(a) b", "a\xe2\x80\x93 b", "$HOME", "50%", "{{ x }}", "a  b",
};

static void
test_hard_texts(void **state)
{
	json_t *list = json_array(), *map = json_object(), *v;

	(void)state;
	for (size_t i = 0; i < COUNT(hard); i++) {
		(void)json_array_append_new(list, json_string(hard[i]));
		(void)json_object_set_new(map, hard[i], json_string(hard[i]));
		/* in a short list it is written in one line */
		v = json_pack("{s:[s,s],s:s,s:[{s:s}]}", "a", hard[i], "x",
		    "b", hard[i], "c", hard[i], hard[i]);
		round_trip(v);
		json_decref(v);
	}
	v = json_pack("{s:o,s:o}", "list", list, "map", map);
	round_trip(v);
	json_decref(v);
}

/* Seeded nonsense, three levels deep. */
static uint32_t seed = 12345;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static json_t *
nonsense(unsigned depth)
{
	static const char *const bits[] = {"a", "1", " ", ":", "-", "#", "\n",
		"\"", "\\", "{", "]", ",", "'", "~", "\xc3\xa4", "\xe2\x80\xa9"};
	char text[64];
	json_t *v;
	BUF_AUTO(words, 64);

	switch (depth > 2 ? below(5) : below(7)) {
	case 0:
		return json_integer((json_int_t)below(100));
	case 1:
		return json_boolean(below(2));
	case 5:
		v = json_array();
		for (uint32_t i = below(4); i > 0; i--)
			(void)json_array_append_new(v, nonsense(depth + 1));
		return v;
	case 6:
		v = json_object();
		for (uint32_t i = below(4); i > 0; i--) {
			(void)snprintf(text, sizeof(text), "%s%u",
			    bits[below(COUNT(bits))], below(100));
			(void)json_object_set_new(v, text,
			    nonsense(depth + 1));
		}
		return v;
	default:
		for (uint32_t i = below(8); i > 0; i--)
			buf_adds(&words, bits[below(COUNT(bits))]);
		return json_stringn(words.p != NULL ? words.p : "", words.n);
	}
}

static void
test_nonsense(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		json_t *v = json_object();

		(void)json_object_set_new(v, "root", nonsense(0));
		round_trip(v);
		json_decref(v);
	}
}

/* As an export: what was stored, written, read and planned again. */
static void
test_export(void **state)
{
	static const char yaml[] = "monitors:\n"
	    "- {name: 'A: 1', type: web, url: 'http://x/#y', bearer: 'no', "
	    "headers: {X: '0123'}, expect: {status: 200, contains: ['- z']}}\n"
	    "- {name: 'yes', type: push, token: 0123456789abcdef}\n";
	struct document *d = rig_document(yaml), *back;
	json_t *doc = json_object(), *list = json_array();
	char *text;
	struct plan *p = NULL;
	struct errinfo ei = {0};
	const struct plan_opts o = {.origin = ORIGIN_APPLY};

	(void)state;
	for (size_t i = 0; i < d->nmonitors; i++)
		(void)json_array_append_new(list,
		    monitor_conf_json(d->monitors[i], OPT_SECRETS_PLAIN));
	(void)json_object_set_new(doc, "monitors", list);
	text = written(doc);
	back = rig_document(text);
	assert_int_equal(plan_make(&(struct stored){d->monitors, d->nmonitors,
	    NULL, 0}, back, &o, &p, &ei), ERR_OK);
	assert_int_equal(p->n, 0);
	plan_free(p);
	document_free(back);
	document_free(d);
	json_decref(doc);
	xfree(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_hard_texts),
		cmocka_unit_test(test_nonsense), cmocka_unit_test(test_export),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

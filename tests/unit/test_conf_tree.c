/* The tree: what YAML and JSON become, and what is refused where. */
#include "tests/unit/conf_rig.h"


static struct tree *
yaml(const char *text)
{
	struct tree *t = NULL;
	struct errinfo ei = {0};
	enum err e = tree_from_yaml(str_of(text), "t", &t, &ei);

	if (e != ERR_OK)
		fail_msg("%u: %s", ei.line, ei.text);
	return t;
}

static void
refused(struct str text, uint32_t line, const char *words)
{
	struct tree *t = NULL;
	struct errinfo ei = {0};

	assert_int_not_equal(tree_from_yaml(text, "t", &t, &ei), ERR_OK);
	assert_null(t);
	if (ei.line != line || strstr(ei.text, words) == NULL)
		fail_msg("%u: %s", ei.line, ei.text);
	assert_string_equal(ei.file, "t");
}

static void
test_shape(void **state)
{
	struct tree *t = yaml("a: 1\nb: [x, \"2\", ~]\nc:\n  d: e\n");
	const struct node *r = tree_root(t), *b = node_get(r, "b");

	(void)state;
	assert_int_equal(r->n, 3);
	assert_true(str_is(node_get(r, "a")->text, "1"));
	assert_false(node_get(r, "a")->quoted);
	assert_int_equal(b->kind, NODE_LIST);
	assert_int_equal(b->n, 3);
	assert_true(b->items[1]->quoted);
	assert_int_equal(b->items[2]->kind, NODE_NULL);
	assert_int_equal(node_get(node_get(r, "c"), "d")->line, 4);
	assert_int_equal(node_line(r, "c.d"), 4);
	assert_int_equal(node_line(r, "c.nothing"), 4);
	assert_null(node_get(r, "z"));
	tree_free(t);
}

static void
test_empty(void **state)
{
	static const char *const texts[] = {"", "# only\n# comments\n", "---\n",
		"\n\n", "~"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct tree *t = yaml(texts[i]);
		assert_int_equal(tree_root(t)->kind, NODE_MAP);
		assert_int_equal(tree_root(t)->n, 0);
		tree_free(t);
	}
}

static void
test_alias(void **state)
{
	struct tree *t = yaml("a: &x {k: v}\nb: *x\nc: &y 5\nd: *y\n");
	const struct node *r = tree_root(t);

	(void)state;
	assert_true(str_is(node_get(node_get(r, "b"), "k")->text, "v"));
	assert_true(str_is(node_get(r, "d")->text, "5"));
	tree_free(t);
	refused(STR("a: *nobody\n"), 1, "has no anchor");
	refused(STR("b: 1\na: &x [*x]\n"), 2, "inside its own anchor");
}

/* Nine levels of ten aliases each would be a thousand million nodes. */
static void
test_bomb(void **state)
{
	BUF_AUTO(b, 8192);

	(void)state;
	buf_adds(&b, "a0: &a0 x\n");
	for (int i = 1; i < 10; i++) {
		buf_addf(&b, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_addf(&b, "%s*a%d", k > 0 ? ", " : "", i - 1);
		buf_adds(&b, "]\n");
	}
	refused(buf_str(&b), 8, "once aliases are expanded");
}

/* Few values, but long ones: 64 KiB a thousand times. */
static void
test_bytes_bomb(void **state)
{
	BUF_AUTO(b, 1 << 20);

	(void)state;
	buf_adds(&b, "a: &a ");
	for (int i = 0; i < 65536; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "\nb:\n");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "- *a\n");
	refused(buf_str(&b), 515, "more than 32 MiB of text once aliases");
}

static void
test_depth(void **state)
{
	BUF_AUTO(b, 8192);
	struct tree *t;

	(void)state;
	for (int i = 0; i < TREE_DEPTH_MAX; i++)
		buf_addc(&b, '[');
	for (int i = 0; i < TREE_DEPTH_MAX; i++)
		buf_addc(&b, ']');
	t = yaml(b.p);
	tree_free(t);
	buf_clear(&b);
	for (int i = 0; i < 3000; i++)
		buf_addc(&b, '[');
	refused(buf_str(&b), 1, "nested deeper than 16");
	/* depth by aliases: 10 levels inside 10 */
	refused(STR("a: &a [[[[[[[[[[x]]]]]]]]]]\nb: [[[[[[[[[[*a]]]]]]]]]]\n"),
	    2, "nested deeper than 16");
}

static void
test_refusals(void **state)
{
	(void)state;
	refused(STR("a: 1\nb: 2\na: 3\n"), 3, "twice; the first is on line 1");
	refused(STR("a: !!str 1\n"), 1, "tags");
	refused(STR("a: !x {}\n"), 1, "tags");
	refused(STR("a: &x {b: 1}\nc:\n  <<: *x\n"), 3, "merge keys");
	refused(STR("a: 1\n---\nb: 2\n"), 2, "second document");
	refused(STR("a: 1\nb: \xff\n"), 2, "not UTF-8");
	refused(STR("a: 1\n\nb: \0c\n"), 3, "NUL");
	refused(STR("a: \"x\\0y\"\n"), 1, "NUL");
	refused(STR("a: 1\n  b: 2\n"), 2, "not valid YAML");
	refused(STR("a: [1\n"), 2, "not valid YAML");
	refused(STR("? [a]\n: b\n"), 1, "a key must be plain text");
	refused(STR("a: 1\n\tb: 2\n"), 2, "not valid YAML");
	refused(STR("a: \x01\n"), 1, "not valid YAML");
}

/* Many keys go another way than few. */
static void
test_many_keys(void **state)
{
	BUF_AUTO(b, 65536);
	struct tree *t;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "k%d: v\n", i);
	t = yaml(b.p);
	assert_int_equal(tree_root(t)->n, 1000);
	tree_free(t);
	buf_adds(&b, "k500: v\n");
	refused(buf_str(&b), 1001, "the first is on line 501");
}

static void
test_too_long(void **state)
{
	size_t n = TREE_BYTES_MAX + 1;
	char *p = xcalloc(n, 1);

	(void)state;
	memset(p, ' ', n);
	refused((struct str){p, n}, 0, "at most 32 MiB");
	xfree(p);
}

static void
test_json(void **state)
{
	struct tree *t = NULL;
	struct errinfo ei = {0};
	const struct node *r;

	(void)state;
	assert_int_equal(tree_from_json(STR("{\"a\": 1,\n\"b\":[true, 0.1, "
	    "\"\\ud83d\\ude00\"], \"<<\": \"yes\"}"), "t", &t, &ei), ERR_OK);
	r = tree_root(t);
	assert_true(str_is(node_get(r, "a")->text, "1"));
	assert_true(str_is(node_get(r, "b")->items[1]->text, "0.1"));
	assert_true(str_is(node_get(r, "b")->items[2]->text,
	    "\xf0\x9f\x98\x80"));
	assert_true(node_get(r, "<<")->quoted);
	tree_free(t);
	t = NULL;
	assert_int_equal(tree_from_json(STR("{\"a\":1,\n\"b\":{\"c\": 2}}"),
	    "t", &t, &ei), ERR_OK);
	assert_int_equal(node_line(tree_root(t), "b.c"), 2);
	tree_free(t);
	t = NULL;
	/* to YAML this would be a line break, and so a blank */
	assert_int_equal(tree_from_json(STR("{\"a\":\"x\xc2\x85y\"}"), "t", &t,
	    &ei), ERR_OK);
	assert_true(str_is(node_get(tree_root(t), "a")->text, "x\xc2\x85y"));
	tree_free(t);
	t = NULL;
	assert_int_equal(tree_from_json(STR("{\"a\":1,\n\"a\":2}"), "t", &t,
	    &ei), ERR_PARSE);
	assert_int_equal(ei.line, 2);
	assert_non_null(strstr(ei.text, "duplicate"));
	assert_int_equal(tree_from_json(STR("{\"a\":\n\n1,}"), "t", &t, &ei),
	    ERR_PARSE);
	assert_int_equal(ei.line, 3);
	assert_null(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_alias), cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_bytes_bomb),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_too_long), cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

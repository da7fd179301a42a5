/* Templates: what they say, and what they refuse with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/template.h"
#include "base/text.h"

#include <cmocka.h>

static const char *const fields[] = {"name", "empty", "n", NULL};
static const char *const names[] = {"a<b>", "\xc3\xa4\xc3\xb6\xc3\xbc",
	"\"q\"\n"};

static void
value(const struct template_source *s, size_t field, size_t i,
    struct buf *out)
{
	if (field == 0)
		buf_adds(out, i == TEMPLATE_WHOLE ? "all & sundry" : names[i]);
	else if (field == 2)
		buf_addf(out, "%zu", s->n);
}

static void
bracket(const struct template_source *s, size_t field, struct str v,
    struct buf *out)
{
	(void)s;
	(void)field;
	buf_addc(out, '[');
	buf_add(out, v);
	buf_addc(out, ']');
}

static void
says(const char *text, const char *want)
{
	const struct template_source s = {0, 3, value, NULL};
	struct template *t CLEANUP(template_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(out, 1000);

	if (template_parse(str_of(text), fields, &t, &ei) != ERR_OK)
		fail_msg("%s: %s", text, ei.text);
	template_run(t, &s, &out);
	assert_true(buf_ok(&out));
	assert_string_equal(out.p != NULL ? out.p : "", want);
}

static void
refuses(const char *text, const char *want)
{
	struct template *t = NULL;
	struct errinfo ei = {0};

	assert_int_not_equal(template_parse(str_of(text), fields, &t, &ei),
	    ERR_OK);
	assert_null(t);
	assert_string_equal(ei.text, want);
}

static void
values(void **state)
{
	(void)state;
	says("", "");
	says("plain } text }}", "plain } text }}");
	says("{{name}}, {{ name }}", "all & sundry, all & sundry");
	says("{{name|upper}} {{name | truncate:5}}",
	    "ALL & SUNDRY all \xe2\x80\xa6");
	says("{{empty | default:\"no }} here\" | upper}}", "NO }} HERE");
	says("{{name | json}} {{name|html}} {{name|url}}",
	    "\"all \\u0026 sundry\" all &amp; sundry all%20%26%20sundry");
	says("{\"a\":{{n}}}", "{\"a\":3}");
}

static void
blocks(void **state)
{
	(void)state;
	says("{{#if name}}y{{else}}n{{/if}}", "y");
	says("{{#if empty}}y{{else}}n{{/if}}", "n");
	says("{{#if empty}}y{{/if}}.", ".");
	says("{{#if n == \"3\"}}three{{else}}other{{/if}}", "three");
	says("{{#if n == \"4\"}}four{{else}}other{{/if}}", "other");
	says("{{#each events}}<{{name}}>{{/each}}|{{name}}",
	    "<a<b>><\xc3\xa4\xc3\xb6\xc3\xbc><\"q\"\n>|all & sundry");
	says("{{#each events}}{{#if name == \"a<b>\"}}1{{else}}0{{/if}}"
	    "{{/each}}", "100");
	says("{{#if name}}{{#each events}}x{{/each}}{{else}}"
	    "{{#each events}}y{{/each}}{{/if}}", "xxx");
	says("{{#if name}}{{#if empty}}a{{else}}b{{/if}}c{{/if}}d", "bcd");
	says("{{#each events}}{{name | truncate:2}}{{/each}}",
	    "a\xe2\x80\xa6\xc3\xa4\xe2\x80\xa6\"\xe2\x80\xa6");
}

static void
refusals(void **state)
{
	(void)state;
	refuses("a\n {{nam}}", "line 2, column 4: \"nam\" is not a field; "
	    "allowed: name empty n");
	refuses("{{name", "line 1, column 1: {{ without its }}");
	refuses("{{}}", "line 1, column 3: a field is missing here");
	refuses("{{name | shout}}", "line 1, column 10: not a filter; allowed: "
	    "upper lower truncate:N default:\"text\" json html url raw");
	refuses("{{name | json | upper}}", "line 1, column 17: json, html, "
	    "url and raw come last");
	refuses("{{name | truncate}}", "line 1, column 18: truncate needs a "
	    "number: truncate:80");
	refuses("{{name | truncate:0}}", "line 1, column 18: truncate takes a "
	    "number from 1 to 16384");
	refuses("{{name x}}", "line 1, column 8: only filters may follow a "
	    "field: {{name | upper}}");
	refuses("{{#if name}}", "line 1, column 13: an if is not ended: "
	    "{{/if}}");
	refuses("{{#each events}}", "line 1, column 17: an each is not ended: "
	    "{{/each}}");
	refuses("{{/if}}", "line 1, column 3: nothing is open that could end "
	    "here");
	refuses("{{#if name}}{{/each}}", "line 1, column 15: {{/if}} has to "
	    "come first");
	refuses("{{else}}", "line 1, column 1: there is no if to this else");
	refuses("{{#if name}}{{else}}{{else}}{{/if}}",
	    "line 1, column 21: there is no if to this else");
	refuses("{{#each monitors}}", "line 1, column 3: each goes over "
	    "events: {{#each events}}");
	refuses("{{#each events}}{{#each events}}", "line 1, column 19: each "
	    "stands within another each");
	refuses("{{#while x}}", "line 1, column 3: not a block; allowed: "
	    "{{#if field}} {{#each events}}");
	refuses("\xff", "not UTF-8 text");
	assert_int_equal(template_parse(STR("a\0{{name}}"), fields,
	    &(struct template *){NULL}, &(struct errinfo){0}), ERR_INVALID);
	refuses("{{#if n}}{{#if n}}{{#if n}}{{#if n}}{{#if n}}{{#if n}}"
	    "{{#if n}}{{#if n}}{{#if n}}", "line 1, column 75: nested deeper "
	    "than 8");
}

static void
bounds(void **state)
{
	const struct template_source s = {0, SIZE_MAX / 2, value, bracket};
	const struct template_source few = {1, 1, value, bracket};
	struct template *t CLEANUP(template_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(out, 100);

	(void)state;
	assert_int_equal(template_parse(
	    STR("{{#each events}}{{n}}.{{n | raw}} {{/each}}"), fields, &t,
	    &ei), ERR_OK);
	template_run(t, &few, &out);
	assert_string_equal(out.p, "[1].1 ");
	buf_clear(&out);
	template_run(t, &s, &out);   /* ends, whatever is asked for */
	assert_false(buf_ok(&out));
	assert_true(out.n <= 100);
}

static void
sizes(void **state)
{
	/* a, ä, €, 😀 */
	const struct str s = STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");

	(void)state;
	assert_int_equal(text_size(s, TEXT_BYTES), 10);
	assert_int_equal(text_size(s, TEXT_CHARS), 4);
	assert_int_equal(text_size(s, TEXT_UTF16), 5);
	assert_int_equal(text_cut(s, 9, TEXT_BYTES).n, 6);
	assert_int_equal(text_cut(s, 4, TEXT_UTF16).n, 6);
	assert_int_equal(text_cut(s, 5, TEXT_UTF16).n, 10);
	assert_int_equal(text_cut(s, 0, TEXT_CHARS).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(blocks),
		cmocka_unit_test(refusals), cmocka_unit_test(bounds),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

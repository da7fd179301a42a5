/* Server-sent events: any way of cutting the bytes gives the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "cli/cli_sse.h"

struct seen {
	struct cli_sse sse;
	struct buf log;
	unsigned n, stop_at;
};

static bool
on_event(struct cli_sse *s, const char *name, struct str data)
{
	struct seen *x = CONTAINER(s, struct seen, sse);

	buf_addf(&x->log, "[%s|%s|%.*s]", name, s->id, (int)data.n, data.p);
	return ++x->n != x->stop_at;
}

static void
seen_init(struct seen *x)
{
	*x = (struct seen){0};
	cli_sse_init(&x->sse, on_event);
	buf_init(&x->log, 1 << 20);
}

static void
seen_free(struct seen *x)
{
	cli_sse_free(&x->sse);
	buf_free(&x->log);
}

static const char stream[] =
    ": hello\n\n"
    "id: 1\nevent: transition\ndata: {\"a\":1}\n\n"
    "data:no blank\r\ndata: two\r\n\r\n"
    "id:7\rdata: x\r\r"
    "event: lost\n\n"
    "retry: 5\nunknown: y\nnovalue\ndata\n\n"
    "data: unfinished";
static const char want[] = "[transition|1|{\"a\":1}][message|1|no blank\ntwo]"
    "[message|7|x][message|7|]";

static void
test_events(void **state)
{
	struct seen x;

	(void)state;
	seen_init(&x);
	assert_true(cli_sse_feed(&x.sse, STR(stream)));
	assert_string_equal(x.log.p, want);
	assert_string_equal(x.sse.id, "7");
	seen_free(&x);
}

static void
test_every_cut(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < sizeof(stream); cut++) {
		struct seen x;

		seen_init(&x);
		assert_true(cli_sse_feed(&x.sse, (struct str){stream, cut}));
		for (size_t i = cut; i < sizeof(stream) - 1; i++)
			assert_true(cli_sse_feed(&x.sse,
			    (struct str){stream + i, 1}));
		assert_string_equal(x.log.p, want);
		seen_free(&x);
	}
}

static void
test_a_huge_line_is_skipped_with_its_event(void **state)
{
	struct seen x;
	char chunk[1024];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	seen_init(&x);
	assert_true(cli_sse_feed(&x.sse, STR("data: ")));
	for (unsigned i = 0; i < 2 * SSE_LINE_MAX / sizeof(chunk); i++)
		assert_true(cli_sse_feed(&x.sse,
		    (struct str){chunk, sizeof(chunk)}));
	assert_true(cli_sse_feed(&x.sse, STR("\ndata: tail\n\ndata: next\n\n")));
	assert_string_equal(x.log.p, "[message||next]");
	seen_free(&x);
}

static void
test_too_many_lines_are_skipped(void **state)
{
	struct seen x;

	(void)state;
	seen_init(&x);
	for (unsigned i = 0; i < SSE_DATA_MAX; i++)
		assert_true(cli_sse_feed(&x.sse, STR("data: x\n")));
	assert_true(cli_sse_feed(&x.sse, STR("\ndata: next\n\n")));
	assert_string_equal(x.log.p, "[message||next]");
	seen_free(&x);
}

static void
test_the_reader_may_end_it(void **state)
{
	struct seen x;

	(void)state;
	seen_init(&x);
	x.stop_at = 1;
	assert_false(cli_sse_feed(&x.sse, STR("data: a\n\ndata: b\n\n")));
	assert_int_equal(x.n, 1);
	seen_free(&x);
}

static void
test_a_new_connection_keeps_only_the_id(void **state)
{
	struct seen x;

	(void)state;
	seen_init(&x);
	assert_true(cli_sse_feed(&x.sse, STR("id: 3\ndata: a\n\nevent: e\n"
	    "data: half")));
	cli_sse_restart(&x.sse);
	assert_true(cli_sse_feed(&x.sse, STR("data: b\n\n")));
	assert_string_equal(x.log.p, "[message|3|a][message|3|b]");
	seen_free(&x);
}

static void
test_ids_that_cannot_be_sent_back_are_ignored(void **state)
{
	struct seen x;
	char nul[] = "id: 9\0x\ndata: a\n\n";

	(void)state;
	seen_init(&x);
	assert_true(cli_sse_feed(&x.sse, STR("id: 1\n")));
	assert_true(cli_sse_feed(&x.sse, (struct str){nul, sizeof(nul) - 1}));
	assert_string_equal(x.sse.id, "1");
	seen_free(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_a_huge_line_is_skipped_with_its_event),
		cmocka_unit_test(test_too_many_lines_are_skipped),
		cmocka_unit_test(test_the_reader_may_end_it),
		cmocka_unit_test(test_a_new_connection_keeps_only_the_id),
		cmocka_unit_test(test_ids_that_cannot_be_sent_back_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The signed link: what was signed comes back, and nothing else does. */
#include <string.h>

#include "model/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const unsigned char key[LINK_KEY] = {1, 2, 3}, other[LINK_KEY] = {1};
static const struct link made = {.monitor = 4711,
    .incident_us = INT64_C(1790000000123456),
    .expires_us = INT64_C(1790600000000000)};

static void
what_was_signed_comes_back(void **state)
{
	char text[LINK_TEXT];
	struct link l = {0};

	(void)state;
	link_make(key, &made, text);
	assert_int_equal(strlen(text), LINK_TEXT - 1);
	assert_true(link_open(key, str_of(text), &l));
	assert_int_equal(l.monitor, made.monitor);
	assert_int_equal(l.incident_us, made.incident_us);
	assert_int_equal(l.expires_us, made.expires_us);
}

static void
whatever_is_changed_is_refused(void **state)
{
	char text[LINK_TEXT], bad[LINK_TEXT];
	struct link l = {.monitor = 7};

	(void)state;
	link_make(key, &made, text);
	assert_false(link_open(other, str_of(text), &l));
	for (size_t i = 0; i < LINK_TEXT - 1; i++) {
		memcpy(bad, text, sizeof(bad));
		bad[i] = bad[i] == '0' ? '1' : '0';
		assert_false(link_open(key, str_of(bad), &l));
		bad[i] = 'G';
		assert_false(link_open(key, str_of(bad), &l));
	}
	assert_false(link_open(key, (struct str){text, LINK_TEXT - 2}, &l));
	assert_false(link_open(key, (struct str){NULL, 0}, &l));
	assert_int_equal(l.monitor, 7);   /* untouched */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_signed_comes_back),
		cmocka_unit_test(whatever_is_changed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

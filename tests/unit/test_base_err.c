#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

/* cmocka has a macro of the same name as our fail(). */
#include <cmocka.h>
#undef fail

static void
names_every_error(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_NMAX; i++) {
		const char *n = err_name((enum err)i);

		assert_true(strlen(n) > 0);
		assert_int_equal(strspn(n, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(n));
	}
	assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
	assert_string_equal(err_name(ERR_NMAX), "?");
}

static void
says_where_and_what(void **state)
{
	struct errinfo ei = {0};
	char dst[1024], tiny[8];

	(void)state;
	assert_int_equal(fail(&ei, ERR_SYS, "no %s left", "room"), ERR_SYS);
	assert_string_equal(errinfo_text(&ei, dst, sizeof(dst)),
	    "no room left");
	assert_int_equal(fail_at(&ei, ERR_INVALID, "monitors[3].interval", 17,
	    "\"%s\" is too short", "0s"), ERR_INVALID);
	assert_string_equal(errinfo_text(&ei, dst, sizeof(dst)),
	    "line 17: monitors[3].interval: \"0s\" is too short");
	memcpy(ei.file, "a.yaml", sizeof("a.yaml"));
	assert_string_equal(errinfo_text(&ei, dst, sizeof(dst)),
	    "a.yaml:17: monitors[3].interval: \"0s\" is too short");
	ei.line = 0;
	assert_string_equal(errinfo_text(&ei, dst, sizeof(dst)),
	    "a.yaml: monitors[3].interval: \"0s\" is too short");
	/* fail leaves the place alone. */
	(void)fail(&ei, ERR_SYS, "other");
	assert_string_equal(ei.field, "monitors[3].interval");
	assert_string_equal(errinfo_text(&ei, tiny, sizeof(tiny)), "a.yaml:");
	/* Nobody asked: nothing is written, the error stays. */
	assert_int_equal(fail(NULL, ERR_STORE, "x"), ERR_STORE);
	assert_int_equal(fail_at(NULL, ERR_STORE, "f", 1, "x"), ERR_STORE);
	assert_int_equal(fail_at(&ei, ERR_STORE, NULL, 0, "x"), ERR_STORE);
	assert_string_equal(ei.field, "");
}

static void
long_words_are_cut(void **state)
{
	struct errinfo ei = {0};
	char big[4096], dst[256];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)fail_at(&ei, ERR_PARSE, big, 1, "%s", big);
	assert_int_equal(strlen(ei.text), sizeof(ei.text) - 1);
	assert_int_equal(strlen(ei.field), sizeof(ei.field) - 1);
	assert_int_equal(strlen(errinfo_text(&ei, dst, sizeof(dst))),
	    sizeof(dst) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_error),
		cmocka_unit_test(says_where_and_what),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

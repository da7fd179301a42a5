#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

static int out[2];
static int64_t mono;
static char got[65536];

static int64_t
wall_us(void)
{
	return INT64_C(1795255200123999);
}

static int64_t
mono_ns(void)
{
	return mono;
}

/* What was written since the last look. */
static const char *
lines(void)
{
	ssize_t n = read(out[0], got, sizeof(got) - 1);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static size_t
count(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

static int
open_pipe(void **state)
{
	(void)state;
	if (pipe2(out, O_NONBLOCK) != 0)
		return -1;
	log_setup(out[1], wall_us, mono_ns);
	return 0;
}

static int
reset(void **state)
{
	(void)state;
	log_set(LOG_INFO, LOG_TEXT);
	mono += LOG_WINDOW_NS;
	(void)lines();
	return 0;
}

static void
three_forms(void **state)
{
	(void)state;
	log_warn("store", "commit failed", KV("class", "busy"),
	    KV_I("tries", 3));
	assert_string_equal(lines(), "2026-11-21T10:00:00.123Z warn store: "
	    "commit failed class=busy tries=3\n");
	log_info("main", "started");
	assert_string_equal(lines(),
	    "2026-11-21T10:00:00.123Z info main: started\n");
	log_set(LOG_INFO, LOG_JSON);
	log_error("store", "commit \"failed\"", KV("class", "a b"),
	    KV_I("n", -5));
	assert_string_equal(lines(), "{\"ts\":\"2026-11-21T10:00:00.123Z\","
	    "\"level\":\"error\",\"mod\":\"store\","
	    "\"msg\":\"commit \\\"failed\\\"\",\"class\":\"a b\",\"n\":-5}\n");
	log_set(LOG_DEBUG, LOG_JOURNAL);
	log_debug("net", "x", KV("v", ""));
	log_info("net", "x", KV("v", NULL));
	log_warn("net", "x", KV("v", "a=b"));
	log_error("net", "x", KV("v", "q\"\\"));
	assert_string_equal(lines(), "<7>net: x v=\"\"\n<6>net: x v=\"\"\n"
	    "<4>net: x v=\"a=b\"\n<3>net: x v=\"q\\\"\\\\\"\n");
}

static void
level_is_live(void **state)
{
	(void)state;
	log_debug("a", "hidden");
	assert_string_equal(lines(), "");
	log_set(LOG_ERROR, LOG_TEXT);
	log_warn("a", "hidden");
	assert_string_equal(lines(), "");
	log_error("a", "shown");
	assert_non_null(strstr(lines(), "shown"));
}

/* One call is one line, whatever the values are, in every form. */
static void
hostile_values(void **state)
{
	static const char *const evil[] = {
		"two\nlines", "\x1b[2J\x1b]0;owned\a", "\r\roverwrite",
		"\xe2\x80\xaereversed", "\xff\xfe", ("\xc2\x9b" "31m"),
		"a b=c \"d\"", "\x7f", "{\"x\":1}", "\xe2\x80\xa8",
	};

	(void)state;
	for (int f = 0; f < LOG_NFORMATS; f++) {
		log_set(LOG_INFO, (enum log_format)f);
		mono += LOG_WINDOW_NS;
		for (size_t i = 0; i < COUNT(evil); i++) {
			const char *s;

			log_info("m", evil[i], KV("v", evil[i]));
			s = lines();
			assert_int_equal(count(s, '\n'), 1);
			for (size_t k = 0; s[k] != '\n'; k++) {
				assert_true((unsigned char)s[k] >= 0x20);
				assert_int_not_equal(s[k], 0x7f);
			}
			assert_null(strstr(s, "\xe2\x80\xae"));
			assert_null(strstr(s, "\xc2\x9b"));
			if (f == LOG_JSON) {
				json_t *j = json_loads(s, 0, NULL);

				assert_non_null(j);
				json_decref(j);
			}
		}
	}
}

static void
big_values(void **state)
{
	static char big[1 << 20];
	const char *s;

	(void)state;
	memset(big, '"', sizeof(big) - 1);
	for (int f = 0; f < LOG_NFORMATS; f++) {
		log_set(LOG_INFO, (enum log_format)f);
		log_info("m", big, KV("v", big), KV("w", big));
		s = lines();
		assert_true(strlen(s) < 8192);
		assert_int_equal(count(s, '\n'), 1);
		assert_int_equal(s[strlen(s) - 1], '\n');
	}
	/* More than a whole line holds: the message stays. */
	log_set(LOG_INFO, LOG_TEXT);
	log_info("m", "kept", KV("a", big), KV("b", big), KV("c", big),
	    KV("d", big), KV("e", big), KV("f", big), KV("g", big),
	    KV("h", big), KV("i", big));
	s = lines();
	assert_non_null(strstr(s, "kept"));
	assert_int_equal(count(s, '\n'), 1);
}

static void
noisy(int i)
{
	log_warn("m", "again", KV_I("i", i));
}

static void
repeats_are_held(void **state)
{
	const char *s;

	(void)state;
	for (int i = 0; i < LOG_BURST + 30; i++)
		noisy(i);
	s = lines();
	assert_int_equal(count(s, '\n'), LOG_BURST);
	assert_null(strstr(s, "left_out"));
	/* Another site is not affected. */
	log_info("m", "other");
	assert_non_null(strstr(lines(), "other"));
	mono += LOG_WINDOW_NS - 1;
	noisy(0);
	assert_string_equal(lines(), "");
	mono += 1;
	noisy(99);
	s = lines();
	assert_non_null(strstr(s, "i=99 left_out=31\n"));
	noisy(100);
	assert_null(strstr(lines(), "left_out"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(three_forms, reset),
		cmocka_unit_test_setup(level_is_live, reset),
		cmocka_unit_test_setup(hostile_values, reset),
		cmocka_unit_test_setup(big_values, reset),
		cmocka_unit_test_setup(repeats_are_held, reset),
	};

	return cmocka_run_group_tests(tests, open_pipe, NULL);
}

/* VEDETTE_* variables over the file's settings. */
#include "tests/unit/conf_rig.h"

static enum err
env(const char *a, const char *b, struct settings *s, struct errinfo *ei)
{
	char *v[] = {(char *)(uintptr_t)"PATH=/bin", (char *)(uintptr_t)a,
	    (char *)(uintptr_t)b, NULL};

	opt_defaults(settings_opts, s);
	return settings_env(s, v, ei);
}

static void
test_set(void **state)
{
	struct settings s = {0};
	struct errinfo ei = {0};

	(void)state;
	assert_int_equal(env("VEDETTE_STORE_RETENTION_SAMPLES=7d",
	    "VEDETTE_NET_DENY=10.0.0.0/8, ::1", &s, &ei), ERR_OK);
	assert_true(s.store.retention.samples_ns ==
	    INT64_C(7) * 86400 * 1000000000);
	assert_int_equal(s.net.deny.n, 2);
	assert_string_equal(s.net.deny.v[1], "::1");
	settings_free(&s);
	assert_int_equal(env("VEDETTE_STATUS_PAGE_TIME_ZONE=Europe/Berlin",
	    "VEDETTE_LIMITS_SHARDS=4", &s, &ei), ERR_OK);
	assert_string_equal(s.status_page.time_zone, "Europe/Berlin");
	assert_int_equal(s.limits.shards, 4);
	settings_free(&s);
	assert_int_equal(env("VEDETTE_CONFIG=x", "VEDETTE_FAULT=y", &s, &ei),
	    ERR_OK);
	settings_free(&s);
	assert_int_equal(env("VEDETTE_LOG_LEVEL=error",
	    "VEDETTE_METRICS_PUBLIC=true", &s, &ei), ERR_OK);
	assert_true(s.metrics.public_);
	assert_int_equal(s.log.level, 3);
	settings_free(&s);
}

static void
refused(const char *a, const char *field, const char *words)
{
	struct settings s = {0};
	struct errinfo ei = {0};

	assert_int_equal(env(a, NULL, &s, &ei), ERR_INVALID);
	assert_string_equal(ei.field, field);
	if (strstr(ei.text, words) == NULL)
		fail_msg("%s", ei.text);
	settings_free(&s);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("VEDETTE_STORE_QUEUE=lots", "VEDETTE_STORE_QUEUE",
	    "\"lots\" is not a whole number; allowed: 16 to 16777216");
	refused("VEDETTE_STORE_RETENTION=5d", "VEDETTE_STORE_RETENTION",
	    "no such setting");
	refused("VEDETTE_STORE=x", "VEDETTE_STORE", "no such setting");
	refused("VEDETTE_STOREX_URL=x", "VEDETTE_STOREX_URL",
	    "no such setting");
	refused("VEDETTE_store_url=x", "VEDETTE_store_url", "no such setting");
	refused("VEDETTE_=", "VEDETTE_", "no such setting");
	refused("VEDETTE_SERVER_HTTP=\xff:1", "VEDETTE_SERVER_HTTP",
	    "not UTF-8");
	refused("VEDETTE_SERVER_TLS_KEY=k", "server.tls_cert", "is missing");
	refused("VEDETTE_STORE_URL=postgres://u:p@h", "store.url",
	    "PostgreSQL is not supported in this version");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The words of net.beacons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/beacon.h"

static void
good_ones(void **state)
{
	static const struct {
		const char *text, *host;
		enum beacon_kind kind;
		uint16_t port;
	} rows[] = {
		{"gateway", "", BEACON_GATEWAY, 0},
		{"resolvers", "", BEACON_RESOLVERS, 0},
		{"tcp://192.0.2.1:443", "192.0.2.1", BEACON_TCP, 443},
		{"tcp://[2001:db8::1]:53", "2001:db8::1", BEACON_TCP, 53},
		{"ping://host.example", "host.example", BEACON_PING, 0},
		{"ping://2001:db8::1", "2001:db8::1", BEACON_PING, 0},
		{"dns://192.0.2.1", "192.0.2.1", BEACON_DNS, 0},
		{"dns://[2001:db8::1]", "2001:db8::1", BEACON_DNS, 0},
		{"dns://192.0.2.1:5353", "192.0.2.1", BEACON_DNS, 5353},
	};
	struct beacon_spec b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_null(beacon_check(str_of(rows[i].text)));
		assert_true(beacon_parse(str_of(rows[i].text), &b));
		assert_int_equal(b.kind, rows[i].kind);
		assert_int_equal(b.port, rows[i].port);
		assert_true(str_is(b.host, rows[i].host));
	}
}

static void
bad_ones(void **state)
{
	static const char *const rows[] = {"", "gateways", "tcp://", "tcp://a",
		"tcp://a:0", "tcp://a:65536", "tcp://a:b", "tcp://:80",
		"ping://a:1", "ping://a b", "ping://", "dns://", "dns://a/b",
		"http://a", "192.0.2.1", "dns://[]:53"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_non_null(beacon_check(str_of(rows[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

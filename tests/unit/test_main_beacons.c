/* What this machine's routes and resolvers say of beacons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "serve_beacons.h"

#include <cmocka.h>

static void
gateways(void **state)
{
	static const char text[] =
	    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
	    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
	    "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
	    "eth1\t0000000A\t0201A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"
	    "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
	    "bad\nwlan0\t00000000\t0A00000A\t0003";
	BUF_AUTO(out, 4096);

	(void)state;
	beacon_gateways(STR(text), &out);
	assert_string_equal(out.p, "192.168.1.1\n10.0.0.10\n");
}

static void
nameservers(void **state)
{
	BUF_AUTO(out, 4096);

	(void)state;
	beacon_nameservers(STR("# nameserver 1.1.1.1\nsearch a\n"
	    "nameserver 192.0.2.1\nnameserver\t2001:db8::1 # x\n"
	    "nameserver\nnameservers 192.0.2.9\n"), &out);
	assert_string_equal(out.p, "192.0.2.1\n2001:db8::1\n\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gateways),
		cmocka_unit_test(nameservers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The ping check: settings, verdicts, what it tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "check/ping.h"
#include "check/ping_wire.h"

#include "check_rig.h"

static struct rig rig;

static int
set_up(void **state)
{
	(void)state;
	rig_open(&rig, NULL);
	look_ping = ping_new(rig.world);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ping_free(look_ping);
	look_ping = NULL;
	rig_close(&rig);
	return 0;
}

/* Skips where this machine lets nobody ping. */
static void
look_or_skip(struct look *l, int timeout_ms, const char *json)
{
	look_run(&rig, l, timeout_ms, json);
	if (l->out.why != WHY_LOCAL_PERMISSION)
		return;
	print_message("skipped: %s\n", l->out.reason);
	look_free(l);
	skip();
}

static void
loopback_is_up(void **state)
{
	struct look l;

	(void)state;
	look_or_skip(&l, 2000, "{\"type\":\"ping\",\"host\":\"127.0.0.1\","
	    "\"packets\":4,\"spacing\":\"10ms\",\"size\":\"1400B\"}");
	assert_why(&l, WHY_OK);
	assert_int_equal(l.out.code, 0);
	assert_int_equal(l.out.bytes, 4 * 1400);
	assert_true(l.out.latency_ns > 0 && l.out.latency_ns < NS_PER_S);
	assert_int_equal(l.out.peer.family, 4);
	assert_true(l.out.phase_ns[PHASE_RESOLVE] == -1);   /* a literal */
	assert_non_null(strstr(l.out.details, "4 sent, 4 received, 0% lost"));
	assert_non_null(strstr(l.out.details, "jitter"));
	assert_null(l.out.evidence);   /* nothing is wrong */
	look_free(&l);
	look_or_skip(&l, 2000, "{\"type\":\"ping\",\"host\":\"localhost\","
	    "\"ip\":\"6\",\"packets\":1}");
	assert_why(&l, WHY_OK);
	assert_int_equal(l.out.peer.family, 6);
	assert_true(l.out.phase_ns[PHASE_RESOLVE] >= 0);
	look_free(&l);
}

/* The spacing is shortened to fit, and the timeout ends it with a verdict. */
static void
fits_into_the_timeout(void **state)
{
	struct look l;

	(void)state;
	look_or_skip(&l, 400, "{\"type\":\"ping\",\"host\":\"127.0.0.1\","
	    "\"packets\":5,\"spacing\":\"60s\"}");
	assert_why(&l, WHY_OK);
	assert_false(l.cancelled);
	look_free(&l);
}

static void
wrong_family(void **state)
{
	struct look l;

	(void)state;
	look_run(&rig, &l, 2000, "{\"type\":\"ping\",\"host\":\"127.0.0.1\","
	    "\"ip\":\"6\"}");
	assert_int_not_equal(l.out.why, WHY_OK);
	assert_true(l.out.reason[0] != '\0');
	look_free(&l);
}

static void
no_engine_is_ours(void **state)
{
	struct ping *p = look_ping;
	struct look l;

	(void)state;
	look_ping = NULL;
	look_run(&rig, &l, 1000, "{\"type\":\"ping\",\"host\":\"::1\"}");
	look_ping = p;
	assert_why(&l, WHY_LOCAL_OTHER);
	look_free(&l);
}

static void
settings_are_checked(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"ping\"}",
		"{\"type\":\"ping\",\"host\":\"a\",\"packets\":0}",
		"{\"type\":\"ping\",\"host\":\"a\",\"packets\":21}",
		"{\"type\":\"ping\",\"host\":\"a\",\"size\":15}",
		"{\"type\":\"ping\",\"host\":\"a\",\"size\":1401}",
		"{\"type\":\"ping\",\"host\":\"a\",\"loss_max\":\"101%\"}",
		"{\"type\":\"ping\",\"host\":\"a\",\"ip\":\"5\"}",
		"{\"type\":\"ping\",\"host\":\"a\",\"spacing\":\"1ms\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct monitor_conf *c = NULL;
		struct errinfo ei = {.text = ""};

		if (monitor_conf_load(str_of(bad[i]), "x", NULL,
			check_monitor_kinds, &c, &ei) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
		assert_true(ei.text[0] != '\0');
	}
}

/* -- bytes ------------------------------------------------------------------ */

/* Captured: 10.99.0.2 tells 10.99.0.1 that 10.1.0.1 cannot be reached. */
static const uint8_t unreachable[] = {
	0x45, 0xc0, 0x00, 0x40, 0x7d, 0x2a, 0, 0, 0x40, 0x01, 0xe7, 0xa2,
	10, 99, 0, 2, 10, 99, 0, 1,
	3, 1, 0xfc, 0xfe, 0, 0, 0, 0,
	0x45, 0, 0, 0x2c, 0x12, 0x34, 0x40, 0, 0x40, 0x01, 0x14, 0x5b,
	10, 99, 0, 1, 10, 1, 0, 1,
	8, 0, 0x11, 0x22, 0xab, 0xcd, 0x00, 0x07,
	1, 2, 3, 4, 5, 6, 7, 8, 'v', 'e', 'd', 'e', 't', 't', 'e', '1',
};

static void
errors_are_read(void **state)
{
	static const uint8_t dst[] = {10, 1, 0, 1};
	struct ping_msg m = ping_wire_parse_ip(unreachable,
	    sizeof(unreachable));
	uint8_t copy[sizeof(unreachable)];
	const char *text;

	(void)state;
	assert_int_equal(m.kind, PING_MSG_ERROR);
	assert_int_equal(m.id, 0xabcd);
	assert_int_equal(m.seq, 7);
	assert_true(m.has_token);
	assert_true(m.token == UINT64_C(0x0102030405060708));
	assert_memory_equal(m.dst, dst, 4);
	assert_int_equal(ping_wire_error(AF_INET, m.type, m.code, &text),
	    WHY_NET_HOST_UNREACHABLE);
	/* cut before the token: still an error, by address and sequence */
	m = ping_wire_parse_ip(unreachable, sizeof(unreachable) - 16);
	assert_int_equal(m.kind, PING_MSG_ERROR);
	assert_false(m.has_token);
	assert_true(m.has_dst);
	for (size_t n = 0; n < sizeof(unreachable) - 16; n++)
		assert_int_equal(ping_wire_parse_ip(unreachable, n).kind,
		    PING_MSG_OTHER);
	/* a fragment's bytes are no ICMP header */
	memcpy(copy, unreachable, sizeof(copy));
	copy[28 + 7] = 1;
	assert_int_equal(ping_wire_parse_ip(copy, sizeof(copy)).kind,
	    PING_MSG_OTHER);
	/* about a TCP packet of somebody */
	memcpy(copy, unreachable, sizeof(copy));
	copy[28 + 9] = 6;
	assert_int_equal(ping_wire_parse_ip(copy, sizeof(copy)).kind,
	    PING_MSG_OTHER);
	assert_int_equal(ping_wire_error(AF_INET, 11, 0, &text), WHY_NET_TTL);
	assert_int_equal(ping_wire_error(AF_INET6, 3, 0, &text), WHY_NET_TTL);
	assert_int_equal(ping_wire_error(AF_INET, 3, 0, &text),
	    WHY_NET_UNREACHABLE);
	assert_int_equal(ping_wire_error(AF_INET6, 1, 3, &text),
	    WHY_NET_HOST_UNREACHABLE);
}

static void
requests_carry_a_checksum(void **state)
{
	uint8_t p[PING_WIRE_MAX];
	struct ping_echo e = {.family = AF_INET, .id = 0xbeef, .seq = 0xffff,
		.token = UINT64_C(0xfedcba9876543210)};

	(void)state;
	for (size_t size = PING_SIZE_MIN; size <= 64; size++) {
		uint32_t sum = 0;
		size_t n;

		e.size = size;
		n = ping_wire_echo(p, &e);
		assert_int_equal(n, 8 + size);
		for (size_t i = 0; i < n; i++)   /* RFC 1071: all ones */
			sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_up),
		cmocka_unit_test(fits_into_the_timeout),
		cmocka_unit_test(wrong_family),
		cmocka_unit_test(no_engine_is_ours),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(errors_are_read),
		cmocka_unit_test(requests_carry_a_checksum),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Target policy: prefixes, allow over deny, IPv4 in IPv6 clothes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "net/policy.h"

#include <cmocka.h>

static bool
allows(const struct policy *p, const char *ip)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET};

	if (strchr(ip, ':') == NULL) {
		struct sockaddr_in *in = (struct sockaddr_in *)&ss;

		assert_int_equal(inet_pton(AF_INET, ip, &in->sin_addr), 1);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

		ss.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
	}
	return policy_allows(p, (struct sockaddr *)&ss);
}

static void
reads_networks(void **state)
{
	static const char *const good[] = {"10.0.0.0/8", "10.0.0.1",
		"0.0.0.0/0", "::/0", "2001:db8::/32", "::1", "fe80::/10"};
	static const char *const bad[] = {"", "/8", "10.0.0.0/33", "10.0.0/8",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "host",
		"2001:db8::1::/32", "10.0.0.0/ 8"};
	struct cidr c;
	struct errinfo ei;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(policy_cidr(str_of(good[i]), &c, &ei), ERR_OK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(policy_cidr(str_of(bad[i]), &c, &ei),
		    ERR_PARSE);
}

static void
judges_addresses(void **state)
{
	char d0[] = "169.254.0.0/16", d1[] = "fd00:ec2::254", d2[] = "10.1.2.0/23";
	char a0[] = "169.254.7.7", a1[] = "10.1.3.0/25";
	char *denies[] = {d0, d1, d2}, *allows_[] = {a0, a1};
	struct strings deny = {.v = denies, .n = 3};
	struct strings allow = {.v = allows_, .n = 2};
	struct policy p = {.ndeny = 0};
	struct errinfo ei;

	(void)state;
	assert_int_equal(policy_read(&p, &deny, &allow, &ei), ERR_OK);
	assert_false(allows(&p, "169.254.169.254"));
	assert_false(allows(&p, "::ffff:169.254.169.254"));
	assert_false(allows(&p, "64:ff9b::169.254.169.254"));
	assert_false(allows(&p, "2002:a9fe:a9fe::1"));
	assert_false(allows(&p, "fd00:ec2::254"));
	assert_true(allows(&p, "fd00:ec2::255"));
	assert_true(allows(&p, "169.254.7.7"));
	assert_true(allows(&p, "::ffff:169.254.7.7"));
	assert_false(allows(&p, "169.254.7.8"));
	assert_false(allows(&p, "10.1.2.1"));
	assert_true(allows(&p, "10.1.3.127"));
	assert_false(allows(&p, "10.1.3.128"));
	assert_true(allows(&p, "10.1.4.0"));
	assert_true(allows(&p, "127.0.0.1"));
	assert_true(allows(&p, "::1"));
	policy_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_networks),
		cmocka_unit_test(judges_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

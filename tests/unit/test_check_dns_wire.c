/* DNS answers, byte by byte: what is read, what is refused, what is judged. */
#include "check/dns_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "check/dns_judge.h"
#include "check/dns_server.h"

#define ID 0x1234

/* An answer under construction. */
struct packet {
	uint8_t p[4096];
	size_t n;
};

static void
add(struct packet *k, const void *p, size_t n)
{
	assert_true(k->n + n <= sizeof(k->p));
	memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void
add16(struct packet *k, unsigned v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	add(k, b, 2);
}

static void
add_name(struct packet *k, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");
		uint8_t len = (uint8_t)n;

		add(k, &len, 1);
		add(k, name, n);
		name += n + (name[n] == '.');
	}
	add(k, "", 1);
}

static struct dns_query
query(const char *name, enum dns_type type)
{
	struct dns_query q;

	assert_int_equal(dns_wire_query(name, type, ID, &q, NULL), ERR_OK);
	return q;
}

static struct packet
answer(const struct dns_query *q, unsigned flags, unsigned count)
{
	struct packet k = {.n = 0};

	add16(&k, q->id);
	add16(&k, 0x8000 | flags);
	add16(&k, 1);
	add16(&k, count);
	add16(&k, 0);
	add16(&k, 0);
	add(&k, q->p + 12, q->n - 12);
	return k;
}

static void
add_rr(struct packet *k, const char *owner, unsigned type, const void *data,
    size_t n)
{
	add_name(k, owner);
	add16(k, type);
	add16(k, 1);
	add16(k, 0);
	add16(k, 60);
	add16(k, (unsigned)n);
	add(k, data, n);
}

static struct dns_answer
parse(const struct dns_query *q, const struct packet *k)
{
	struct dns_answer a;

	dns_wire_parse(q, k->p, k->n, &a);
	return a;
}

static void
one_record(enum dns_type type, unsigned code, const void *data, size_t n,
    const char *want)
{
	struct dns_query q = query("x.test", type);
	struct packet k = answer(&q, 0, 1);
	struct dns_answer a;

	add_rr(&k, "X.Test", code, data, n);
	a = parse(&q, &k);
	if (want == NULL) {
		assert_int_equal(a.found, DNS_FOUND_MALFORMED);
	} else {
		assert_int_equal(a.found, DNS_FOUND_ANSWER);
		assert_int_equal(a.n, 1);
		assert_string_equal(a.v[0], want);
	}
	dns_wire_free(&a);
	/* cut anywhere: never an answer with a record */
	for (size_t cut = 0; cut < k.n; cut++) {
		struct packet part = {.n = cut};

		memcpy(part.p, k.p, cut);
		a = parse(&q, &part);
		assert_int_not_equal(a.found, DNS_FOUND_ANSWER);
		dns_wire_free(&a);
	}
}
#define ONE(type, code, data, want) \
	one_record(type, code, data, sizeof(data) - 1, want)

static void
every_type(void **state)
{
	(void)state;
	ONE(DNS_A, 1, "\xc0\x00\x02\x01", "192.0.2.1");
	ONE(DNS_A, 1, "\xc0\x00\x02", NULL);
	ONE(DNS_A, 1, "\xc0\x00\x02\x01\x01", NULL);
	ONE(DNS_AAAA, 28, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
	    "2001:db8::1");
	ONE(DNS_CNAME, 5, "\x01" "b\x00", "b");
	ONE(DNS_NS, 2, "\x02ns\x04test\x00", "ns.test");
	ONE(DNS_NS, 2, "\x02ns\x04test\x00junk", NULL);
	ONE(DNS_NS, 2, "\x00", ".");
	ONE(DNS_PTR, 12, "\x01h\xc0\x0c", "h.x.test");   /* compressed */
	ONE(DNS_PTR, 12, "\xff\xff", NULL);
	ONE(DNS_MX, 15, "\x00\x0a\x04mail\xc0\x0c", "10 mail.x.test");
	ONE(DNS_MX, 15, "\x00\x0a", NULL);
	ONE(DNS_MX, 15, "\x00", NULL);
	ONE(DNS_SRV, 33, "\x00\x01\x00\x02\x13\xc4\x01s\x00", "1 2 5060 s");
	ONE(DNS_TXT, 16, "\x02" "ab\x01" "c", "abc");
	ONE(DNS_TXT, 16, "\x03" "a\x1b\n", "a\\027\\010");
	ONE(DNS_TXT, 16, "\x05" "ab", NULL);
	ONE(DNS_TXT, 16, "", NULL);
	ONE(DNS_CAA, 257, "\x00\x05issueca.test", "0 issue \"ca.test\"");
	ONE(DNS_CAA, 257, "\x00\x00", NULL);
	ONE(DNS_CAA, 257, "\x00\x09issue", NULL);
	ONE(DNS_SOA, 6, "\x01n\x00\x01m\x00" "\0\0\0\1" "\0\0\0\2" "\0\0\0\3"
	    "\0\0\0\4" "\0\0\0\5", "n m 1 2 3 4 5");
	ONE(DNS_SOA, 6, "\x01n\x00\x01m\x00" "\0\0\0\1", NULL);
}

static void
queries(void **state)
{
	struct dns_query q;
	char long_name[300];

	(void)state;
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_not_equal(dns_wire_query(long_name, DNS_A, 1, &q, NULL),
	    ERR_OK);
	assert_int_not_equal(dns_wire_query("a..b", DNS_A, 1, &q, NULL),
	    ERR_OK);
	q = query("192.0.2.5", DNS_PTR);
	assert_memory_equal(q.p + 12, "\x01" "5\x01" "2\x01" "0\x03" "192", 10);
	q = query("2001:db8::7", DNS_PTR);
	assert_memory_equal(q.p + 12, "\x01" "7\x01" "0", 4);
	assert_int_equal(q.n, 12 + 64 + 10 + 4);   /* 32 nibbles, ip6.arpa */
}

static void
foreign_answers(void **state)
{
	struct dns_query q = query("x.test", DNS_A);
	struct dns_query other = query("y.test", DNS_A);
	struct dns_query aaaa = query("x.test", DNS_AAAA);
	struct packet k = answer(&q, 0, 0);
	struct dns_answer a;

	(void)state;
	k.p[0] ^= 1;
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_FOREIGN);
	k = answer(&q, 0, 0);
	k.p[2] &= 0x7f;   /* a query, not an answer */
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_FOREIGN);
	k = answer(&other, 0, 0);
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_FOREIGN);
	k = answer(&aaaa, 0, 0);
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_FOREIGN);
	/* an error may come without the question */
	k = answer(&q, 1, 0);
	k.p[5] = 0;
	k.n = 12;
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_ANSWER);
	assert_int_equal(a.rcode, 1);
	dns_wire_free(&a);
	/* but not a good answer */
	k.p[3] = 0;
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_MALFORMED);
}

static void
chain_to(struct packet *k, const char *from, const char *to)
{
	struct packet name = {.n = 0};

	add_name(&name, to);
	add_rr(k, from, 5, name.p, name.n);
}

static void
chains(void **state)
{
	struct dns_query q = query("x.test", DNS_A);
	struct packet k = answer(&q, 0, 3);
	struct dns_answer a;
	char from[32] = "x.test", to[32];

	(void)state;
	/* in any order, and a record of somebody else is not taken */
	add_rr(&k, "b.test", 1, "\x01\x02\x03\x04", 4);
	add_rr(&k, "evil.test", 1, "\x06\x06\x06\x06", 4);
	chain_to(&k, "x.test", "b.test");
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_ANSWER);
	assert_int_equal(a.nchain, 1);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.v[0], "1.2.3.4");
	dns_wire_free(&a);
	k = answer(&q, 0, 3);
	chain_to(&k, "x.test", "b.test");
	chain_to(&k, "b.test", "c.test");
	chain_to(&k, "c.test", "b.test");
	a = parse(&q, &k);
	assert_int_equal(a.found, DNS_FOUND_LOOP);
	dns_wire_free(&a);
	for (unsigned links = DNS_CHAIN_MAX; links <= DNS_CHAIN_MAX + 1;
	    links++) {
		k = answer(&q, 0, links + 1);
		(void)snprintf(from, sizeof(from), "x.test");
		for (unsigned i = 0; i < links; i++) {
			(void)snprintf(to, sizeof(to), "c%u.test", i);
			chain_to(&k, from, to);
			memcpy(from, to, sizeof(from));
		}
		add_rr(&k, from, 1, "\x01\x02\x03\x04", 4);
		a = parse(&q, &k);
		assert_int_equal(a.found, links > DNS_CHAIN_MAX ?
			DNS_FOUND_LOOP : DNS_FOUND_ANSWER);
		dns_wire_free(&a);
	}
	/* asked for the CNAME itself, it is the answer */
	q = query("x.test", DNS_CNAME);
	k = answer(&q, 0, 1);
	chain_to(&k, "x.test", "b.test");
	a = parse(&q, &k);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.v[0], "b.test");
	dns_wire_free(&a);
}

static void
too_many_records(void **state)
{
	struct dns_query q = query("x.test", DNS_A);
	struct packet k = answer(&q, 0, DNS_RECORDS_MAX + 1);
	struct dns_answer a = parse(&q, &k);

	(void)state;
	assert_int_equal(a.found, DNS_FOUND_MALFORMED);
	dns_wire_free(&a);
}

/* -- judging --------------------------------------------------------------- */

static enum why
judged(enum dns_type type, uint32_t match, char **want, size_t nwant,
    char **got, size_t ngot)
{
	struct strings answers = {want, nwant};
	struct dns_want w = {.type = type, .match = match, .answers = &answers};
	struct dns_answer a = {.v = got, .n = ngot};
	char reason[REASON_MAX];
	enum why why = dns_judge(&w, &a, reason, sizeof(reason));

	assert_true((why == WHY_OK) == (reason[0] == '\0'));
	return why;
}

static void
expected_answers(void **state)
{
	char a[] = "192.0.2.1", b[] = "192.0.2.2", c[] = "192.0.2.3";
	char *ab[] = {a, b}, *abc[] = {a, b, c}, *ac[] = {a, c};
	char *just_c[] = {c};

	(void)state;
	assert_int_equal(judged(DNS_A, DNS_MATCH_ALL, ab, 2, abc, 3), WHY_OK);
	assert_int_equal(judged(DNS_A, DNS_MATCH_ALL, abc, 3, ab, 2),
	    WHY_DNS_MISMATCH);
	assert_int_equal(judged(DNS_A, DNS_MATCH_EXACT, ab, 2, abc, 3),
	    WHY_DNS_MISMATCH);
	assert_int_equal(judged(DNS_A, DNS_MATCH_EXACT, abc, 3, abc, 3),
	    WHY_OK);
	assert_int_equal(judged(DNS_A, DNS_MATCH_ANY, ac, 2, ab, 2), WHY_OK);
	assert_int_equal(judged(DNS_A, DNS_MATCH_ANY, just_c, 1, ab, 2),
	    WHY_DNS_MISMATCH);
	assert_int_equal(judged(DNS_A, DNS_MATCH_ALL, ab, 2, NULL, 0),
	    WHY_DNS_MISMATCH);
	assert_int_equal(judged(DNS_A, DNS_MATCH_ALL, NULL, 0, NULL, 0),
	    WHY_DNS_NODATA);
	assert_true(dns_judge_same(DNS_AAAA, "2001:DB8:0::1", "2001:db8::1"));
	assert_true(dns_judge_same(DNS_MX, "10 Mail.Test.", "10 mail.test"));
	assert_false(dns_judge_same(DNS_TXT, "A", "a"));
	assert_false(dns_judge_same(DNS_NS, "a.test", "b.test"));
	assert_false(dns_judge_same(DNS_NS, "a.test", "a.tes"));
	assert_int_equal(dns_judge_check(DNS_A, "nonsense", NULL), ERR_INVALID);
	assert_int_equal(dns_judge_check(DNS_AAAA, "::1", NULL), ERR_OK);
}

static void
rcodes(void **state)
{
	static const struct { uint8_t got; uint32_t want; enum why why; } rows[] = {
		{0, 0, WHY_DNS_NODATA}, {3, 0, WHY_DNS_NXDOMAIN},
		{2, 0, WHY_DNS_SERVFAIL}, {5, 0, WHY_DNS_REFUSED},
		{1, 0, WHY_DNS_RCODE}, {3, 3, WHY_OK}, {0, 3, WHY_DNS_RCODE},
		{2, 3, WHY_DNS_RCODE},
	};
	struct dns_want w = {.type = DNS_A, .allow_empty = true};
	struct dns_answer a = {.rcode = 0};
	char reason[REASON_MAX];

	(void)state;
	assert_int_equal(dns_judge(&w, &a, reason, sizeof(reason)), WHY_OK);
	w.allow_empty = false;
	for (size_t i = 0; i < COUNT(rows); i++) {
		w.rcode = rows[i].want;
		a.rcode = rows[i].got;
		assert_int_equal(dns_judge(&w, &a, reason, sizeof(reason)),
		    rows[i].why);
	}
}

static void
servers(void **state)
{
	static const struct {
		const char *text, *host;   /* host NULL: refused */
		uint16_t port;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", 53}, {"ns.test:5353", "ns.test", 5353},
		{"::1", "::1", 53}, {"[::1]", "::1", 53},
		{"[2001:db8::1]:54", "2001:db8::1", 54}, {"", NULL, 0},
		{"a:", NULL, 0}, {"[::1]:", NULL, 0}, {"[::1", NULL, 0},
		{"[a]:53", NULL, 0}, {"a:0", NULL, 0}, {"a:65536", NULL, 0},
		{"a b", NULL, 0}, {"a:b:c", NULL, 0}, {"http://a", NULL, 0},
		{"[::1]x", NULL, 0}, {":53", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dns_server s;
		bool ok = dns_server_parse(str_of(rows[i].text), &s);

		if (ok != (rows[i].host != NULL))
			print_message("row %zu: %s\n", i, rows[i].text);
		assert_true(ok == (rows[i].host != NULL));
		if (!ok)
			continue;
		assert_string_equal(s.host, rows[i].host);
		assert_int_equal(s.port, rows[i].port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type), cmocka_unit_test(queries),
		cmocka_unit_test(foreign_answers), cmocka_unit_test(chains),
		cmocka_unit_test(too_many_records),
		cmocka_unit_test(expected_answers), cmocka_unit_test(rcodes),
		cmocka_unit_test(servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

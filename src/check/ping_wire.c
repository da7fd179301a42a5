/* ping_wire.c: echo requests out, replies and quoting errors in. Every length
 * is checked before a byte is read; what does not fit is PING_MSG_OTHER. */
#include "check/ping_wire.h"

#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#define MAGIC      UINT64_C(0x7665646574746531)   /* "vedette1", after the token */
#define IP4_MIN    20
#define IP6_HEADER 40

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

/* RFC 1071, over an even number of bytes or with a zero behind the last. */
static uint16_t
checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (; n > 1; p += 2, n -= 2)
		sum += get16(p);
	if (n == 1)
		sum += (uint32_t)p[0] << 8;
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t
ping_wire_echo(uint8_t *dst, const struct ping_echo *e)
{
	size_t n = PING_WIRE_HEADER + e->size;

	assert(e->size >= PING_WIRE_DATA_MIN);
	assert(e->size <= PING_WIRE_DATA_MAX);
	memset(dst, 0, n);
	dst[0] = e->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put16(dst + 4, e->id);
	put16(dst + 6, e->seq);
	put64(dst + 8, e->token);
	put64(dst + 16, MAGIC);
	for (size_t i = PING_WIRE_HEADER + PING_WIRE_DATA_MIN; i < n; i++)
		dst[i] = (uint8_t)i;
	if (e->family == AF_INET)
		put16(dst + 2, checksum(dst, n));
	return n;
}

/* Id, sequence and token behind the first four bytes of an echo. */
static void
echo_fields(const uint8_t *p, size_t n, struct ping_msg *m)
{
	assert(n >= PING_WIRE_HEADER);
	m->id = get16(p + 4);
	m->seq = get16(p + 6);
	if (n < PING_WIRE_HEADER + PING_WIRE_DATA_MIN)
		return;
	if (get64(p + 16) != MAGIC)
		return;
	m->has_token = true;
	m->token = get64(p + 8);
}

struct ping_msg
ping_wire_parse_quote(int family, const uint8_t *p, size_t n)
{
	struct ping_msg m = {.kind = PING_MSG_OTHER};
	uint8_t want = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;

	if (n < PING_WIRE_HEADER || p[0] != want || p[1] != 0)
		return m;
	m.kind = PING_MSG_ERROR;
	echo_fields(p, n, &m);
	return m;
}

/* The IP packet that an error quotes: only an echo request without extension
 * headers or fragments is of interest, because we send nothing else. */
static struct ping_msg
quoted_packet(int family, const uint8_t *p, size_t n)
{
	struct ping_msg m = {.kind = PING_MSG_OTHER};
	size_t header, addr, addr_n;

	if (family == AF_INET) {
		if (n < IP4_MIN || p[0] >> 4 != 4)
			return m;
		header = (size_t)(p[0] & 0x0f) * 4;
		if (header < IP4_MIN || p[9] != IPPROTO_ICMP ||
		    (get16(p + 6) & 0x1fff) != 0)
			return m;
		addr = 16;
		addr_n = 4;
	} else {
		if (n < IP6_HEADER || p[0] >> 4 != 6 || p[6] != IPPROTO_ICMPV6)
			return m;
		header = IP6_HEADER;
		addr = 24;
		addr_n = 16;
	}
	if (n < header)
		return m;
	m = ping_wire_parse_quote(family, p + header, n - header);
	if (m.kind != PING_MSG_ERROR)
		return m;
	m.has_dst = true;
	memcpy(m.dst, p + addr, addr_n);
	return m;
}

static bool
is_error(int family, uint8_t type)
{
	if (family == AF_INET)
		return type == ICMP_DEST_UNREACH ||
		    type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
	return type == ICMP6_DST_UNREACH || type == ICMP6_PACKET_TOO_BIG ||
	    type == ICMP6_TIME_EXCEEDED || type == ICMP6_PARAM_PROB;
}

struct ping_msg
ping_wire_parse(int family, const uint8_t *p, size_t n)
{
	struct ping_msg m = {.kind = PING_MSG_OTHER};
	uint8_t reply = family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	if (n < PING_WIRE_HEADER)
		return m;
	if (p[0] == reply && p[1] == 0) {
		m.kind = PING_MSG_REPLY;
		echo_fields(p, n, &m);
	} else if (is_error(family, p[0])) {
		m = quoted_packet(family, p + PING_WIRE_HEADER,
		    n - PING_WIRE_HEADER);
	}
	m.type = p[0];
	m.code = p[1];
	return m;
}

struct ping_msg
ping_wire_parse_ip(const uint8_t *p, size_t n)
{
	struct ping_msg none = {.kind = PING_MSG_OTHER};
	size_t header;

	if (n < IP4_MIN || p[0] >> 4 != 4)
		return none;
	header = (size_t)(p[0] & 0x0f) * 4;
	if (header < IP4_MIN || n < header || p[9] != IPPROTO_ICMP)
		return none;
	return ping_wire_parse(AF_INET, p + header, n - header);
}

static const struct icmp_error {
	int family;
	uint8_t type;
	int code;   /* -1: any other */
	enum why why;
	const char *text;
} errors[] = {
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_UNREACH,
	    WHY_NET_UNREACHABLE, "network unreachable"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_UNKNOWN,
	    WHY_NET_UNREACHABLE, "network unknown"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_ANO,
	    WHY_NET_UNREACHABLE, "network prohibited by a filter"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_UNR_TOS,
	    WHY_NET_UNREACHABLE, "network unreachable for this service"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
	    WHY_NET_OTHER, "packet too big, choose a smaller size"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_HOST_ANO,
	    WHY_NET_HOST_UNREACHABLE, "host prohibited by a filter"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
	    WHY_NET_HOST_UNREACHABLE, "prohibited by a filter"},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH,
	    WHY_NET_HOST_UNREACHABLE, "protocol unreachable"},
	{AF_INET, ICMP_DEST_UNREACH, -1,
	    WHY_NET_HOST_UNREACHABLE, "host unreachable"},
	{AF_INET, ICMP_TIME_EXCEEDED, -1,
	    WHY_NET_TTL, "TTL exceeded on the way"},
	{AF_INET6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE,
	    WHY_NET_UNREACHABLE, "no route to the network"},
	{AF_INET6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN,
	    WHY_NET_UNREACHABLE, "prohibited by a filter"},
	{AF_INET6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE,
	    WHY_NET_UNREACHABLE, "beyond the scope of our address"},
	{AF_INET6, ICMP6_DST_UNREACH, 5,   /* RFC 4443, no name in glibc */
	    WHY_NET_UNREACHABLE, "our address is rejected by a filter"},
	{AF_INET6, ICMP6_DST_UNREACH, 6,
	    WHY_NET_UNREACHABLE, "route rejected"},
	{AF_INET6, ICMP6_DST_UNREACH, -1,
	    WHY_NET_HOST_UNREACHABLE, "host unreachable"},
	{AF_INET6, ICMP6_PACKET_TOO_BIG, -1,
	    WHY_NET_OTHER, "packet too big, choose a smaller size"},
	{AF_INET6, ICMP6_TIME_EXCEEDED, -1,
	    WHY_NET_TTL, "hop limit exceeded on the way"},
};

enum why
ping_wire_error(int family, uint8_t type, uint8_t code, const char **ret_text)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		const struct icmp_error *e = &errors[i];

		if (e->family != family || e->type != type)
			continue;
		if (e->code != -1 && e->code != code)
			continue;
		*ret_text = e->text;
		return e->why;
	}
	*ret_text = "the packet was rejected on the way";
	return WHY_NET_OTHER;
}

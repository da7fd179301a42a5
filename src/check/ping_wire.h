/* ping_wire.h: the bytes of ICMP and ICMPv6 echo, and of the errors that
 * quote an echo of ours. Pure: no socket, no clock, no memory. */
#ifndef CHECK_PING_WIRE_H
#define CHECK_PING_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/why.h"

#define PING_WIRE_HEADER   8   /* type, code, checksum, id, sequence */
#define PING_WIRE_DATA_MIN 16  /* token, magic: what we look for in replies */
#define PING_WIRE_DATA_MAX 1400
#define PING_WIRE_MAX      (PING_WIRE_HEADER + PING_WIRE_DATA_MAX)

struct ping_echo {
	int family;       /* AF_INET or AF_INET6 */
	uint16_t id, seq;
	uint64_t token;
	size_t size;      /* payload bytes, PING_WIRE_DATA_MIN or more */
};

/* Write an echo request into dst (PING_WIRE_MAX bytes) and return its length.
 * The checksum of IPv4 is ours; the kernel makes that of IPv6. */
size_t ping_wire_echo(uint8_t *dst, const struct ping_echo *e);

enum ping_msg_kind {
	PING_MSG_OTHER,   /* nothing about an echo of anybody */
	PING_MSG_REPLY,
	PING_MSG_ERROR    /* quotes an echo request */
};

struct ping_msg {
	enum ping_msg_kind kind;
	uint8_t type, code;
	uint16_t id, seq;     /* of the reply, or of the quoted request */
	bool has_token;       /* the quotation may end before it */
	uint64_t token;
	bool has_dst;
	uint8_t dst[16];      /* error: whom the quoted request was for */
};

/* An ICMP message without its IP header. */
struct ping_msg ping_wire_parse(int family, const uint8_t *p, size_t n);
/* The same behind an IPv4 header, as a raw IPv4 socket gives it. */
struct ping_msg ping_wire_parse_ip(const uint8_t *p, size_t n);
/* Only the quoted request, as the error queue of a socket gives it: type and
 * code of the error are not in it. */
struct ping_msg ping_wire_parse_quote(int family, const uint8_t *p, size_t n);

/* What an ICMP error means, in words too. */
enum why ping_wire_error(int family, uint8_t type, uint8_t code,
    const char **ret_text);

#endif

/* ICMP as it comes from the network. The first byte chooses the reader.
 * Invariants: a reply or an error has at least a whole echo header; a token
 * was in the bytes, behind our magic number; what we write we read back. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check/ping_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void
check(const struct ping_msg *m, int family, const uint8_t *p, size_t n)
{
	const char *text = NULL;
	bool found = false;

	if (m->kind == PING_MSG_OTHER)
		return;
	assert(n >= PING_WIRE_HEADER);
	if (m->kind == PING_MSG_ERROR) {
		enum why w = ping_wire_error(family, m->type, m->code, &text);

		assert(why_known((int)w));
		assert(w != WHY_OK && !why_is_local(w));
		assert(text != NULL && text[0] != '\0');
	}
	if (!m->has_token)
		return;
	for (size_t i = 0; i + 16 <= n && !found; i++)
		found = get64(p + i) == m->token &&
		    memcmp(p + i + 8, "vedette1", 8) == 0;
	assert(found);
}

/* Our own request, turned into the reply that an echo server would send. */
static void
round_trip(const uint8_t *p, size_t n, int family)
{
	uint8_t packet[PING_WIRE_MAX];
	struct ping_echo e = {.family = family, .size = PING_WIRE_DATA_MIN};
	struct ping_msg m;
	size_t len;

	if (n < 12)
		return;
	e.token = get64(p);
	e.id = (uint16_t)(p[8] << 8 | p[9]);
	e.seq = (uint16_t)(p[10] << 8 | p[11]);
	e.size += n % (PING_WIRE_DATA_MAX - PING_WIRE_DATA_MIN + 1);
	len = ping_wire_echo(packet, &e);
	assert(len == PING_WIRE_HEADER + e.size);
	m = ping_wire_parse(family, packet, len);
	assert(m.kind == PING_MSG_OTHER);   /* a request is no reply */
	packet[0] = family == AF_INET ? 0 : 129;
	m = ping_wire_parse(family, packet, len);
	assert(m.kind == PING_MSG_REPLY && m.has_token);
	assert(m.token == e.token && m.id == e.id && m.seq == e.seq);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ping_msg m;
	int family;
	uint8_t *p;

	if (size == 0)
		return 0;
	family = (data[0] & 1) != 0 ? AF_INET6 : AF_INET;
	/* a copy of exactly these bytes, so that a sanitizer sees the end */
	p = malloc(size);
	if (p == NULL)
		return 0;
	memcpy(p, data + 1, size - 1);
	switch (data[0] >> 1 & 3) {
	case 0:
		m = ping_wire_parse(family, p, size - 1);
		break;
	case 1:
		m = ping_wire_parse_quote(family, p, size - 1);
		break;
	default:
		family = AF_INET;
		m = ping_wire_parse_ip(p, size - 1);
		break;
	}
	check(&m, family, p, size - 1);
	round_trip(p, size - 1, family);
	free(p);
	return 0;
}

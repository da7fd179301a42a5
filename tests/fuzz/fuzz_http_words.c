/* The front door's own formats: cursors, If-Match, heartbeat bodies,
 * addresses, paths. What is read must be in range; what is written must be
 * read back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "http/addr.h"
#include "http/beat.h"
#include "http/cursor.h"
#include "http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_beat(struct str s, const char *type)
{
	struct errinfo ei;
	struct beat b;
	size_t n;

	beat_init(&b);
	(void)!beat_body(&b, s, str_of(type), &ei);
	n = strnlen(b.msg, sizeof(b.msg));
	assert(n < sizeof(b.msg));
	assert(strchr(b.msg, '\n') == NULL);
	assert(text_utf8_ok((struct str){b.msg, n}));
	assert(b.ping_us >= -1);
	assert(b.ping_us <= INT64_C(1000) * BEAT_PING_MAX_MS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {(const char *)data, size};
	char text[CURSOR_TEXT];
	const struct route *r;
	struct route_match m;
	struct addr_net net;
	uint64_t v, again;
	BUF_AUTO(allow, 256);

	if (cursor_parse(s, 's', &v)) {
		assert(v > 0);
		assert(str_is(s, cursor_format('s', v, text)));
		assert(cursor_parse(str_of(text), 's', &again));
		assert(again == v);
	}
	v = cursor_if_match(s, 5);
	assert(v == 0 || v == 5 || v == CURSOR_NO_VERSION);
	if (addr_net_parse(s, &net)) {
		struct addr_nets nets = {&net, 1};

		assert(net.bits <= 128);
		assert(addr_nets_have(&nets, &net.base));
		(void)addr_client(&nets, &net.base, s);
	}
	if (route_find("GET", s, &r, &m, &allow) == ERR_OK)
		assert(m.seg.n <= size);
	assert(buf_ok(&allow));
	fuzz_beat(s, "application/json");
	fuzz_beat(s, "application/x-www-form-urlencoded");
	return 0;
}

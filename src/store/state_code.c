#include "store/state_code.h"

#include <assert.h>
#include <string.h>

#include "state/state.h"
#include "store/wire.h"

#define VERSION 1

struct str
state_code_put(const struct mon_state *st, unsigned char dst[STATE_CODE_MAX])
{
	struct wire_out o = {.p = dst, .cap = STATE_CODE_MAX};
	size_t n = strnlen(st->reason, sizeof(st->reason) - 1);

	wire_byte(&o, VERSION);
	wire_uint(&o, st->seq);
	wire_byte(&o, st->status);
	wire_byte(&o, st->why);
	wire_int(&o, st->since_us);
	wire_uint(&o, st->fails);
	wire_uint(&o, st->oks);
	wire_uint(&o, st->voids);
	wire_uint(&o, st->window);
	wire_byte(&o, st->window_n);
	wire_byte(&o, st->before_pause);
	wire_int(&o, st->last_us);
	wire_int(&o, st->last_ok_us);
	wire_int(&o, st->beat_us);
	wire_int(&o, st->deadline_us);
	wire_int(&o, st->cert_expiry_s);
	wire_int(&o, st->cert_warned_s);
	wire_uint(&o, n);
	wire_bytes(&o, st->reason, n);
	assert(!o.full);
	return (struct str){(const char *)dst, o.n};
}

bool
state_code_get(struct str bytes, uint32_t monitor, struct mon_state *ret)
{
	struct wire_in in = {.p = (const unsigned char *)bytes.p,
	    .n = bytes.n};
	struct mon_state st = {.monitor = monitor};
	const unsigned char *reason;
	uint64_t n;

	if (wire_get_byte(&in) != VERSION)
		return false;
	st.seq = wire_get_uint(&in);
	st.status = (uint8_t)wire_get_byte(&in);
	st.why = (uint8_t)wire_get_byte(&in);
	st.since_us = wire_get_int(&in);
	st.fails = (uint16_t)wire_get_uint(&in);
	st.oks = (uint16_t)wire_get_uint(&in);
	st.voids = (uint16_t)wire_get_uint(&in);
	st.window = wire_get_uint(&in);
	st.window_n = (uint8_t)wire_get_byte(&in);
	st.before_pause = (uint8_t)wire_get_byte(&in);
	st.last_us = wire_get_int(&in);
	st.last_ok_us = wire_get_int(&in);
	st.beat_us = wire_get_int(&in);
	st.deadline_us = wire_get_int(&in);
	st.cert_expiry_s = wire_get_int(&in);
	st.cert_warned_s = wire_get_int(&in);
	n = wire_get_uint(&in);
	if (n >= sizeof(st.reason))
		return false;
	reason = wire_get_bytes(&in, (size_t)n);
	if (reason == NULL || in.bad || in.n != 0)
		return false;
	memcpy(st.reason, reason, (size_t)n);
	if (!state_ok(&st))
		return false;
	*ret = st;
	return true;
}

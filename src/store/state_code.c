#include "store/state_code.h"

#include <assert.h>
#include <string.h>

#include "state/state.h"
#include "store/wire.h"

/* 1: without what people were told. */
#define VERSION 2
#define VERSION_BARE 1

static void
put_alerting(struct wire_out *o, const struct alerting *a)
{
	wire_int(o, a->incident_us);
	wire_int(o, a->recover_us);
	wire_byte(o, a->ntold);
	for (unsigned i = 0; i < a->ntold; i++)
		wire_fixed(o, a->told[i], sizeof(a->told[i]));
	wire_byte(o, a->severity);
	wire_byte(o, a->status);
	wire_byte(o, a->flapping);
	wire_uint(o, a->flap);
}

/* False: more than there can be. The rest alerting_ok tells. */
static bool
get_alerting(struct wire_in *in, struct alerting *a)
{
	uint64_t flap;

	a->incident_us = wire_get_int(in);
	a->recover_us = wire_get_int(in);
	a->ntold = (uint8_t)wire_get_byte(in);
	if (a->ntold > TOLD_MAX)
		return false;
	for (unsigned i = 0; i < a->ntold; i++)
		a->told[i] = (uint32_t)wire_get_fixed(in, sizeof(a->told[i]));
	a->severity = (uint8_t)wire_get_byte(in);
	a->status = (uint8_t)wire_get_byte(in);
	a->flapping = wire_get_byte(in) != 0;
	flap = wire_get_uint(in);
	a->flap = (uint32_t)flap;
	return flap <= UINT32_MAX;
}

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
	put_alerting(&o, &st->alerting);
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
	unsigned version;
	uint64_t n;

	version = wire_get_byte(&in);
	if (version != VERSION && version != VERSION_BARE)
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
	if (reason == NULL)
		return false;
	memcpy(st.reason, reason, (size_t)n);
	if (version != VERSION_BARE && !get_alerting(&in, &st.alerting))
		return false;
	if (in.bad || in.n != 0)
		return false;
	if (!state_ok(&st))
		return false;
	*ret = st;
	return true;
}

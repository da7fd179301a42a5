#include "store/block.h"

#include <assert.h>
#include <string.h>

#include "store/crc32c.h"
#include "store/wire.h"

#define VERSION 1
#define HEAD    9
#define TAIL    BLOCK_CRC

enum {
	HAS_NODE = 1, HAS_PEER = 2, HAS_CERT = 4, HAS_REASON = 8,
	HAS_CODE = 16, HAS_BYTES = 32, HAS_LATENCY = 64, IS_RECHECK = 128
};

static unsigned
flags_of(const struct sample *s)
{
	return (s->node != 0 ? HAS_NODE : 0u) |
	    (s->peer.family != 0 ? HAS_PEER : 0u) |
	    (s->cert_expiry_s != 0 ? HAS_CERT : 0u) |
	    (s->reason[0] != '\0' ? HAS_REASON : 0u) |
	    (s->code != 0 ? HAS_CODE : 0u) |
	    (s->bytes != 0 ? HAS_BYTES : 0u) |
	    (s->latency_us >= 0 ? HAS_LATENCY : 0u) |
	    (s->recheck ? IS_RECHECK : 0u);
}

static void
put_phases(struct wire_out *o, const struct sample *s)
{
	unsigned there = 0;

	for (unsigned i = 0; i < PHASE_NMAX; i++)
		if (s->phase_us[i] >= 0)
			there |= 1u << i;
	wire_byte(o, there);
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		if (s->phase_us[i] >= 0)
			wire_uint(o, (uint64_t)s->phase_us[i]);
}

static void
put_peer(struct wire_out *o, const struct peer *p)
{
	wire_byte(o, p->family);
	wire_uint(o, p->port);
	wire_bytes(o, p->ip, p->family == 4 ? 4 : 16);
}

static void
put_sample(struct wire_out *o, const struct sample *s, int64_t base_us)
{
	unsigned flags = flags_of(s);

	wire_byte(o, flags);
	wire_uint(o, s->monitor);
	wire_uint(o, s->seq);
	wire_byte(o, s->status);
	wire_byte(o, s->why);
	wire_int(o, s->at_us - base_us);
	wire_int(o, s->at_us - s->due_us);
	wire_int(o, s->lag_us - (s->at_us - s->due_us));
	put_phases(o, s);
	if ((flags & HAS_NODE) != 0)
		wire_uint(o, s->node);
	if ((flags & HAS_LATENCY) != 0)
		wire_uint(o, (uint64_t)s->latency_us);
	if ((flags & HAS_CODE) != 0)
		wire_uint(o, s->code);
	if ((flags & HAS_BYTES) != 0)
		wire_uint(o, s->bytes);
	if ((flags & HAS_CERT) != 0)
		wire_int(o, s->cert_expiry_s);
	if ((flags & HAS_PEER) != 0)
		put_peer(o, &s->peer);
	if ((flags & HAS_REASON) != 0) {
		size_t n = strnlen(s->reason, sizeof(s->reason) - 1);

		wire_uint(o, n);
		wire_bytes(o, s->reason, n);
	}
}

void
block_init(struct block *b)
{
	b->n = 0;
	b->len = HEAD;
	b->base_us = 0;
}

bool
block_add(struct block *b, const struct sample *s)
{
	unsigned char one[BLOCK_SAMPLE_MAX];
	struct wire_out o = {.p = one, .cap = sizeof(one)};
	struct wire_out all = {.p = b->p, .n = b->len, .cap = BLOCK_BYTES};

	if (b->n >= BLOCK_SAMPLES)
		return false;
	if (b->n == 0)
		b->base_us = s->at_us;
	put_sample(&o, s, b->base_us);
	assert(!o.full);
	wire_uint(&all, o.n);
	wire_bytes(&all, one, o.n);
	if (all.full) {
		assert(b->n > 0);
		return false;
	}
	b->len = all.n;
	b->n++;
	return true;
}

struct str
block_finish(struct block *b)
{
	struct wire_out o = {.p = b->p, .cap = sizeof(b->p)};

	wire_byte(&o, VERSION);
	wire_fixed(&o, (uint64_t)b->base_us, 8);
	o.n = b->len;
	wire_fixed(&o, crc32c(b->p, b->len), TAIL);
	assert(!o.full);
	return (struct str){(const char *)b->p, o.n};
}

bool
block_open(struct block_reader *r, struct str bytes)
{
	struct wire_in in = {.p = (const unsigned char *)bytes.p,
	    .n = bytes.n};
	struct wire_in end;

	if (bytes.n < HEAD + TAIL)
		return false;
	end = (struct wire_in){.p = in.p + bytes.n - TAIL, .n = TAIL};
	if (crc32c(in.p, bytes.n - TAIL) != wire_get_fixed(&end, TAIL))
		return false;
	if (wire_get_byte(&in) != VERSION)
		return false;
	r->base_us = (int64_t)wire_get_fixed(&in, 8);
	r->p = in.p;
	r->n = in.n - TAIL;
	r->bad = false;
	return true;
}

static void
get_peer(struct wire_in *in, struct peer *p)
{
	size_t n;
	const unsigned char *ip;

	p->family = (uint8_t)wire_get_byte(in);
	p->port = (uint16_t)wire_get_uint(in);
	n = p->family == 4 ? 4 : 16;
	ip = wire_get_bytes(in, n);
	if (ip != NULL)
		memcpy(p->ip, ip, n);
}

static void
get_reason(struct wire_in *in, struct sample *s)
{
	uint64_t n = wire_get_uint(in);
	const unsigned char *p;

	if (n >= sizeof(s->reason)) {
		in->bad = true;
		return;
	}
	p = wire_get_bytes(in, (size_t)n);
	if (p != NULL)
		memcpy(s->reason, p, (size_t)n);
}

static void
get_optional(struct wire_in *in, unsigned flags, struct sample *s)
{
	if ((flags & HAS_NODE) != 0)
		s->node = (uint32_t)wire_get_uint(in);
	s->latency_us = -1;
	if ((flags & HAS_LATENCY) != 0)
		s->latency_us = (int64_t)wire_get_uint(in);
	if ((flags & HAS_CODE) != 0)
		s->code = (uint16_t)wire_get_uint(in);
	if ((flags & HAS_BYTES) != 0)
		s->bytes = (uint32_t)wire_get_uint(in);
	if ((flags & HAS_CERT) != 0)
		s->cert_expiry_s = wire_get_int(in);
	if ((flags & HAS_PEER) != 0)
		get_peer(in, &s->peer);
	if ((flags & HAS_REASON) != 0)
		get_reason(in, s);
	s->recheck = (flags & IS_RECHECK) != 0;
}

static bool
get_sample(struct wire_in *in, int64_t base_us, struct sample *s)
{
	unsigned flags, there;

	memset(s, 0, sizeof(*s));
	flags = wire_get_byte(in);
	s->monitor = (uint32_t)wire_get_uint(in);
	s->seq = wire_get_uint(in);
	s->status = (uint8_t)wire_get_byte(in);
	s->why = (uint8_t)wire_get_byte(in);
	s->at_us = base_us + wire_get_int(in);
	s->due_us = s->at_us - wire_get_int(in);
	s->lag_us = (int32_t)(wire_get_int(in) + (s->at_us - s->due_us));
	there = wire_get_byte(in);
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		s->phase_us[i] = (there >> i & 1) == 0 ? -1 :
		    (int32_t)wire_get_uint(in);
	get_optional(in, flags, s);
	return !in->bad;
}

bool
block_next(struct block_reader *r, struct sample *ret)
{
	struct wire_in in = {.p = r->p, .n = r->n};
	struct wire_in one;
	uint64_t n;

	if (r->n == 0 || r->bad)
		return false;
	n = wire_get_uint(&in);
	if (in.bad || n > in.n) {
		r->bad = true;
		return false;
	}
	one = (struct wire_in){.p = in.p, .n = (size_t)n};
	r->p = in.p + n;
	r->n = in.n - (size_t)n;
	r->bad = !get_sample(&one, r->base_us, ret);
	return !r->bad;
}

bool
block_get(struct str bytes, unsigned slot, struct sample *ret)
{
	struct block_reader r;

	if (!block_open(&r, bytes))
		return false;
	for (unsigned i = 0; i < slot; i++) {
		struct wire_in in = {.p = r.p, .n = r.n};
		uint64_t n = wire_get_uint(&in);

		if (in.bad || n > in.n)
			return false;
		r.p = in.p + n;
		r.n = in.n - (size_t)n;
	}
	return block_next(&r, ret);
}

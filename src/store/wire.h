/* wire.h: little helpers for the store's own binary forms: a bounded writer
 * and a bounded reader of varints. A reader past its end gives zeros and
 * stays bad, so that a decoder asks once. */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_out {
	unsigned char *p;
	size_t n, cap;
	bool full;
};
struct wire_in {
	const unsigned char *p;
	size_t n;
	bool bad;
};

static inline uint64_t
wire_zig(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t
wire_zag(uint64_t u)
{
	return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

static inline void
wire_byte(struct wire_out *o, unsigned b)
{
	if (o->n >= o->cap) {
		o->full = true;
		return;
	}
	o->p[o->n++] = (unsigned char)b;
}

static inline void
wire_bytes(struct wire_out *o, const void *p, size_t n)
{
	if (n > o->cap - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static inline void
wire_uint(struct wire_out *o, uint64_t u)
{
	for (; u >= 0x80; u >>= 7)
		wire_byte(o, (unsigned)(u & 0x7f) | 0x80);
	wire_byte(o, (unsigned)u);
}

static inline void
wire_int(struct wire_out *o, int64_t v)
{
	wire_uint(o, wire_zig(v));
}

static inline void
wire_fixed(struct wire_out *o, uint64_t u, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		wire_byte(o, (unsigned)(u >> (8 * i)) & 0xff);
}

static inline unsigned
wire_get_byte(struct wire_in *r)
{
	if (r->n == 0) {
		r->bad = true;
		return 0;
	}
	r->n--;
	return *r->p++;
}

static inline const unsigned char *
wire_get_bytes(struct wire_in *r, size_t n)
{
	const unsigned char *p = r->p;

	if (n > r->n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->n -= n;
	return p;
}

static inline uint64_t
wire_get_uint(struct wire_in *r)
{
	uint64_t u = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned b = wire_get_byte(r);

		if (shift == 63 && b > 1)
			break;
		u |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return u;
	}
	r->bad = true;
	return 0;
}

static inline int64_t
wire_get_int(struct wire_in *r)
{
	return wire_zag(wire_get_uint(r));
}

static inline uint64_t
wire_get_fixed(struct wire_in *r, unsigned bytes)
{
	uint64_t u = 0;

	for (unsigned i = 0; i < bytes; i++)
		u |= (uint64_t)wire_get_byte(r) << (8 * i);
	return u;
}

#endif

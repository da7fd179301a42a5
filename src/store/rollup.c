#include "store/rollup.h"

#include <string.h>

#include "store/crc32c.h"
#include "store/wire.h"

#define VERSION 1
#define DAMAGED 0x80
#define TAIL    4

void
rollup_clear(struct rollup *r)
{
	memset(r, 0, sizeof(*r));
}

static void
timed(struct rollup *r, int64_t us)
{
	r->min_us = r->lat.n == 0 ? us : MIN(r->min_us, us);
	r->max_us = MAX(r->max_us, us);
	r->sum_us += (uint64_t)us;
	sketch_add(&r->lat, us);
}

void
rollup_add(struct rollup *r, const struct sample *p)
{
	enum why why = (enum why)p->why;

	if (why_is_local(why)) {
		r->voided++;
		return;
	}
	if (why != WHY_OK && !why_is_degraded(why)) {
		r->failed++;   /* how long it waited says nothing of it */
		return;
	}
	if (why == WHY_OK)
		r->ok++;
	else
		r->degraded++;
	if (p->latency_us >= 0)
		timed(r, p->latency_us);
}

void
rollup_merge(struct rollup *into, const struct rollup *from)
{
	into->ok += from->ok;
	into->degraded += from->degraded;
	into->failed += from->failed;
	into->voided += from->voided;
	into->damaged |= from->damaged;
	if (from->lat.n == 0)
		return;
	into->min_us = into->lat.n == 0 ? from->min_us :
	    MIN(into->min_us, from->min_us);
	into->max_us = MAX(into->max_us, from->max_us);
	into->sum_us += from->sum_us;
	sketch_merge(&into->lat, &from->lat);
}

double
rollup_quantile(const struct rollup *r, double q)
{
	double v = sketch_quantile(&r->lat, q);

	if (r->lat.n == 0)
		return v;
	v = MAX(v, (double)r->min_us);
	return MIN(v, (double)r->max_us);
}

struct str
rollup_put(const struct rollup *r, unsigned char *dst)
{
	struct wire_out out = {.p = dst, .cap = ROLLUP_BYTES};

	wire_byte(&out, VERSION | (r->damaged ? DAMAGED : 0));
	wire_uint(&out, r->ok);
	wire_uint(&out, r->degraded);
	wire_uint(&out, r->failed);
	wire_uint(&out, r->voided);
	sketch_put(&r->lat, &out);
	if (r->lat.n > 0) {
		wire_uint(&out, (uint64_t)r->min_us);
		wire_uint(&out, (uint64_t)(r->max_us - r->min_us));
		/* Modulo 2⁶⁴, as the sum is. */
		wire_uint(&out, r->sum_us - (uint64_t)r->min_us * r->lat.n);
	}
	wire_fixed(&out, crc32c(out.p, out.n), TAIL);
	return (struct str){(const char *)dst, out.n};
}

bool
rollup_get(struct str bytes, struct rollup *ret)
{
	struct wire_in in = {.p = (const unsigned char *)bytes.p,
	    .n = bytes.n};
	struct wire_in end;
	unsigned form;

	if (bytes.n < TAIL + 1)
		return false;
	in.n -= TAIL;
	end = (struct wire_in){.p = in.p + in.n, .n = TAIL};
	if (crc32c(in.p, in.n) != wire_get_fixed(&end, TAIL))
		return false;
	rollup_clear(ret);
	form = wire_get_byte(&in);
	if ((form & ~(unsigned)DAMAGED) != VERSION)
		return false;
	ret->damaged = (form & DAMAGED) != 0;
	ret->ok = wire_get_uint(&in);
	ret->degraded = wire_get_uint(&in);
	ret->failed = wire_get_uint(&in);
	ret->voided = wire_get_uint(&in);
	if (!sketch_get(&in, &ret->lat))
		return false;
	if (ret->lat.n > 0) {
		uint64_t min = wire_get_uint(&in), wide = wire_get_uint(&in);

		if (min > INT64_MAX || wide > INT64_MAX - min)
			return false;
		ret->min_us = (int64_t)min;
		ret->max_us = (int64_t)(min + wide);
		ret->sum_us = wire_get_uint(&in) + min * ret->lat.n;
	}
	return !in.bad && in.n == 0;
}

int64_t
rollup_hour(int64_t at_us)
{
	return at_us / HOUR_US - (at_us % HOUR_US < 0);
}

int64_t
rollup_start(enum rollup_level level, int64_t hour)
{
	if (level == ROLLUP_HOUR)
		return hour;
	return (hour / 24 - (hour % 24 < 0)) * 24;
}

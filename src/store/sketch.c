#include "store/sketch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* γ, the ratio of a bucket's ends: its middle 2γⁱ/(γ + 1) is within
 * (γ - 1)/(γ + 1) = SKETCH_ERROR of all of it. */
#define GAMMA ((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))
#define NEAR  4   /* distances below this share a number with the count */

void
sketch_clear(struct sketch *s)
{
	memset(s, 0, sizeof(*s));
}

/* Bucket 0 is the value 0; bucket i holds γ^(i-1) … γ^i. */
static unsigned
bucket_of(int64_t us)
{
	double i;

	if (us <= 0)
		return 0;
	i = ceil(log((double)us) / log(GAMMA));
	return i >= SKETCH_BUCKETS - 1 ? SKETCH_BUCKETS - 1 : (unsigned)i + 1;
}

static double
middle(unsigned bucket)
{
	return bucket == 0 ? 0 :
	    2 * pow(GAMMA, (double)bucket - 1) / (GAMMA + 1);
}

static void
count(struct sketch *s, unsigned bucket, uint64_t n)
{
	if (s->n == 0) {
		s->lo = (uint16_t)bucket;
		s->hi = (uint16_t)(bucket + 1);
	}
	s->lo = (uint16_t)MIN(s->lo, bucket);
	s->hi = (uint16_t)MAX(s->hi, bucket + 1);
	s->count[bucket] += n;
	s->n += n;
}

void
sketch_add(struct sketch *s, int64_t us)
{
	count(s, bucket_of(us), 1);
}

void
sketch_merge(struct sketch *into, const struct sketch *from)
{
	for (unsigned i = from->lo; i < from->hi; i++)
		if (from->count[i] > 0)
			count(into, i, from->count[i]);
}

double
sketch_quantile(const struct sketch *s, double q)
{
	uint64_t rank, seen = 0;

	assert(q >= 0 && q <= 1);
	if (s->n == 0)
		return (double)NAN;
	rank = (uint64_t)floor(q * (double)(s->n - 1));
	for (unsigned i = s->lo; i < s->hi; i++) {
		seen += s->count[i];
		if (seen > rank)
			return middle(i);
	}
	return middle(s->hi - 1u);
}

void
sketch_put(const struct sketch *s, struct wire_out *out)
{
	unsigned used = 0, last = 0;

	for (unsigned i = s->lo; i < s->hi; i++)
		used += s->count[i] > 0;
	wire_uint(out, used);
	for (unsigned i = s->lo; i < s->hi; i++) {
		unsigned far = i - last;

		if (s->count[i] == 0)
			continue;
		wire_uint(out, (s->count[i] - 1) * NEAR + MIN(far, NEAR - 1u));
		if (far >= NEAR - 1)
			wire_uint(out, far - (NEAR - 1));
		last = i;
	}
}

bool
sketch_get(struct wire_in *in, struct sketch *s)
{
	uint64_t used = wire_get_uint(in), at = 0, last = 0;

	sketch_clear(s);
	if (used > SKETCH_BUCKETS)
		return false;
	for (uint64_t i = 0; i < used; i++) {
		uint64_t v = wire_get_uint(in), far = v % NEAR;

		if (far == NEAR - 1)
			far += wire_get_uint(in);
		at = last + far;
		if (in->bad || far >= SKETCH_BUCKETS || at >= SKETCH_BUCKETS ||
		    (i > 0 && far == 0) || v / NEAR >= UINT32_MAX)
			return false;
		count(s, (unsigned)at, v / NEAR + 1);
		last = at;
	}
	return !in->bad;
}

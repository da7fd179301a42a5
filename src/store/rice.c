/* rice.c: a column is one head byte, order in the two low bits (0: all equal,
 * else 1 + the order of the difference) and the Rice parameter k above, then
 * bits, least significant first: the quotient in ones, a zero, k bits. A
 * quotient of ESCAPE ones is followed by all 64 bits. */
#include "store/rice.h"

#include <assert.h>
#include <string.h>

#define ESCAPE 20
#define K_MAX  56

struct bits {
	struct buf *out;
	uint64_t word;
	unsigned have;
};

static void
bits_put(struct bits *b, uint64_t v, unsigned n)
{
	while (n > 0) {
		unsigned step = MIN(n, 8u);

		b->word |= (v & ((UINT64_C(1) << step) - 1)) << b->have;
		b->have += step;
		v >>= step;
		n -= step;
		while (b->have >= 8) {
			buf_addc(b->out, (char)(b->word & 0xff));
			b->word >>= 8;
			b->have -= 8;
		}
	}
}

static void
bits_flush(struct bits *b)
{
	if (b->have > 0)
		buf_addc(b->out, (char)(b->word & 0xff));
}

struct bits_in {
	struct wire_in *in;
	unsigned byte, left;
};

static unsigned
bit_get(struct bits_in *b)
{
	unsigned v;

	if (b->left == 0) {
		b->byte = wire_get_byte(b->in);
		b->left = 8;
	}
	v = b->byte & 1;
	b->byte >>= 1;
	b->left--;
	return v;
}

static uint64_t
bits_get(struct bits_in *b, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)bit_get(b) << i;
	return v;
}

/* u[i] becomes what is coded: the zigzag of the difference of that order.
 * Unsigned arithmetic: timestamps from a broken clock may wrap. */
static void
residuals(const int64_t *v, size_t n, unsigned order, uint64_t *u)
{
	uint64_t last = 0, last_step = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t x = (uint64_t)v[i], step = x - last;

		u[i] = wire_zig((int64_t)(order == 0 ? x :
		    order == 1 ? step : step - last_step));
		last_step = i == 0 ? 0 : step;
		last = x;
	}
}

static uint64_t
cost(const uint64_t *u, size_t n, unsigned k)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t q = u[i] >> k;

		bits += q < ESCAPE ? q + 1 + k : ESCAPE + 64;
	}
	return bits;
}

static unsigned
bit_length(uint64_t u)
{
	return u == 0 ? 0 : 64 - (unsigned)__builtin_clzll(u);
}

/* The best parameter lies near the median bit length: try around it. */
static unsigned
best_k(const uint64_t *u, size_t n, uint64_t *ret_cost)
{
	size_t have[65] = {0}, seen = 0;
	unsigned mid = 0, best = 0;

	for (size_t i = 0; i < n; i++)
		have[bit_length(u[i])]++;
	while (mid < 64 && (seen += have[mid]) * 2 < n)
		mid++;
	*ret_cost = UINT64_MAX;
	for (unsigned k = mid > 2 ? mid - 3 : 0; k <= mid + 1; k++) {
		uint64_t c = k <= K_MAX ? cost(u, n, k) : UINT64_MAX;

		if (c < *ret_cost) {
			*ret_cost = c;
			best = k;
		}
	}
	return best;
}

static bool
all_equal(const int64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

void
rice_put(struct buf *out, const int64_t *v, size_t n)
{
	uint64_t u[RICE_MAX], c, least = UINT64_MAX;
	unsigned order = 0, k = 0;
	struct bits b = {.out = out};

	assert(n > 0);
	assert(n <= RICE_MAX);
	if (all_equal(v, n)) {
		unsigned char one[16];
		struct wire_out w = {.p = one, .cap = sizeof(one)};

		wire_byte(&w, 0);
		wire_int(&w, v[0]);
		buf_add(out, (struct str){(const char *)one, w.n});
		return;
	}
	for (unsigned o = 0; o < 3; o++) {
		unsigned try;

		residuals(v, n, o, u);
		try = best_k(u, n, &c);
		if (c < least) {
			least = c;
			order = o;
			k = try;
		}
	}
	residuals(v, n, order, u);
	buf_addc(out, (char)((order + 1) | k << 2));
	for (size_t i = 0; i < n; i++) {
		uint64_t q = u[i] >> k;

		if (q >= ESCAPE) {
			bits_put(&b, (UINT64_C(1) << ESCAPE) - 1, ESCAPE);
			bits_put(&b, u[i], 64);
			continue;
		}
		bits_put(&b, (UINT64_C(1) << q) - 1, (unsigned)q + 1);
		bits_put(&b, u[i], k);
	}
	bits_flush(&b);
}

static uint64_t
code_get(struct bits_in *b, unsigned k)
{
	unsigned q = 0;

	while (q < ESCAPE && bit_get(b) == 1)
		q++;
	if (q == ESCAPE)
		return bits_get(b, 64);
	return (uint64_t)q << k | bits_get(b, k);
}

bool
rice_get(struct wire_in *in, int64_t *v, size_t n)
{
	unsigned head = wire_get_byte(in), order, k = head >> 2;
	struct bits_in b = {.in = in};
	uint64_t last = 0, last_step = 0;

	if (k > K_MAX)
		return false;
	if ((head & 3) == 0) {
		int64_t all = wire_get_int(in);

		for (size_t i = 0; i < n; i++)
			v[i] = all;
		return !in->bad;
	}
	order = (head & 3) - 1;
	for (size_t i = 0; i < n && !in->bad; i++) {
		uint64_t x = (uint64_t)wire_zag(code_get(&b, k));

		if (order == 2)
			x += last_step;
		if (order >= 1)
			x += last;
		last_step = i == 0 ? 0 : x - last;
		last = x;
		v[i] = (int64_t)x;
	}
	return !in->bad;
}

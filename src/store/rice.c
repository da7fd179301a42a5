/* rice.c: a column is one head byte and what belongs to it. Its two low bits are
 * 1 + the order of the difference, the Rice parameter k above; or 0, and above
 * it how the column is simpler than that: all equal (the number), a line (the
 * first number and the step), or numbers above a base (k, the base). Then come
 * bits, least significant first: the quotient in ones, a zero, k bits. A
 * quotient of ESCAPE ones is followed by all 64 bits. */
#include "store/rice.h"

#include <assert.h>
#include <string.h>

#define ESCAPE 20
#define K_MAX  56

enum plain { PLAIN_EQUAL, PLAIN_LINE, PLAIN_BASE };

#define ORDERS   3       /* differences of the order 0, 1 and 2 */
#define WAY_BASE ORDERS  /* or what lies above the least */
#define BASE_BITS 24     /* that the base and its head take, about */

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

static int64_t
least_of(const int64_t *v, size_t n)
{
	int64_t min = v[0];

	for (size_t i = 1; i < n; i++)
		min = MIN(min, v[i]);
	return min;
}

/* u[i] becomes what is coded: the zigzag of the difference of that order, or
 * what is above the least, which has no sign to pay for. Unsigned arithmetic:
 * timestamps from a broken clock may wrap. */
static void
residuals(const int64_t *v, size_t n, unsigned way, uint64_t *u)
{
	uint64_t last = 0, last_step = 0;
	uint64_t min = way == WAY_BASE ? (uint64_t)least_of(v, n) : 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t x = (uint64_t)v[i], step = x - last;

		u[i] = way == WAY_BASE ? x - min : wire_zig((int64_t)(
		    way == 0 ? x : way == 1 ? step : step - last_step));
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

/* A line, a level one included: the first and the step say it all. */
static bool
line_put(struct buf *out, const int64_t *v, size_t n)
{
	uint64_t step = n > 1 ? (uint64_t)v[1] - (uint64_t)v[0] : 0;
	unsigned char one[32];
	struct wire_out w = {.p = one, .cap = sizeof(one)};

	for (size_t i = 2; i < n; i++)
		if ((uint64_t)v[i] - (uint64_t)v[i - 1] != step)
			return false;
	wire_byte(&w, (step == 0 ? PLAIN_EQUAL : PLAIN_LINE) << 2);
	wire_int(&w, v[0]);
	if (step != 0)
		wire_int(&w, (int64_t)step);
	buf_add(out, (struct str){(const char *)one, w.n});
	return true;
}

static void
head_put(struct buf *out, unsigned way, unsigned k, int64_t base)
{
	unsigned char one[32];
	struct wire_out w = {.p = one, .cap = sizeof(one)};

	if (way == WAY_BASE) {
		wire_byte(&w, PLAIN_BASE << 2);
		wire_byte(&w, (unsigned char)k);
		wire_int(&w, base);
	} else {
		wire_byte(&w, (unsigned char)((way + 1) | k << 2));
	}
	buf_add(out, (struct str){(const char *)one, w.n});
}

static void
codes_put(struct buf *out, const uint64_t *u, size_t n, unsigned k)
{
	struct bits b = {.out = out};

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

void
rice_put(struct buf *out, const int64_t *v, size_t n)
{
	uint64_t u[RICE_MAX], c, least = UINT64_MAX;
	unsigned best = 0, k = 0;

	assert(n > 0);
	assert(n <= RICE_MAX);
	if (line_put(out, v, n))
		return;
	for (unsigned way = 0; way <= WAY_BASE; way++) {
		unsigned try;

		residuals(v, n, way, u);
		try = best_k(u, n, &c);
		c += way == WAY_BASE ? BASE_BITS : 0;
		if (c < least) {
			least = c;
			best = way;
			k = try;
		}
	}
	residuals(v, n, best, u);
	head_put(out, best, k, least_of(v, n));
	codes_put(out, u, n, k);
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

static bool
line_get(struct wire_in *in, enum plain what, int64_t *v, size_t n)
{
	uint64_t x = (uint64_t)wire_get_int(in);
	uint64_t step = what == PLAIN_LINE ? (uint64_t)wire_get_int(in) : 0;

	for (size_t i = 0; i < n; i++, x += step)
		v[i] = (int64_t)x;
	return !in->bad;
}

static bool
base_get(struct wire_in *in, int64_t *v, size_t n)
{
	unsigned k = wire_get_byte(in);
	uint64_t base = (uint64_t)wire_get_int(in);
	struct bits_in b = {.in = in};

	if (k > K_MAX)
		return false;
	for (size_t i = 0; i < n && !in->bad; i++)
		v[i] = (int64_t)(base + code_get(&b, k));
	return !in->bad;
}

static bool
plain_get(struct wire_in *in, unsigned what, int64_t *v, size_t n)
{
	switch (what) {
	case PLAIN_EQUAL:
	case PLAIN_LINE:
		return line_get(in, (enum plain)what, v, n);
	case PLAIN_BASE:
		return base_get(in, v, n);
	default:
		return false;
	}
}

bool
rice_get(struct wire_in *in, int64_t *v, size_t n)
{
	unsigned head = wire_get_byte(in), order, k = head >> 2;
	struct bits_in b = {.in = in};
	uint64_t last = 0, last_step = 0;

	if ((head & 3) == 0)
		return plain_get(in, k, v, n);
	if (k > K_MAX)
		return false;
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

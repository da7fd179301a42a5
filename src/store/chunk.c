#include "store/chunk.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/crc32c.h"
#include "store/rice.h"
#include "store/wire.h"

#define VERSION 1
#define TAIL    4

_Static_assert(CHUNK_SAMPLES_MAX <= RICE_MAX, "a column is one run of numbers");

/* In this order: a column may lean on those before it (the start is stored as
 * its distance from the due time, the latency as what its phases leave). */
enum column {
	COL_SEQ, COL_NODE, COL_DUE, COL_AT, COL_LAG, COL_PHASE,
	COL_LATENCY = COL_PHASE + PHASE_NMAX, COL_BYTES, COL_CODE, COL_STATUS,
	COL_WHY, COL_RECHECK, COL_CERT, COL_PEER, COL_REASON, COL_NMAX
};

/* Distinct peers and reasons of a chunk, by index of the first sample that
 * has it. */
struct words {
	uint32_t peer[CHUNK_SAMPLES_MAX], reason[CHUNK_SAMPLES_MAX];
	size_t npeer, nreason;
};

static int64_t
minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t
plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t
phases(const struct sample *s)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < PHASE_NMAX; i++)
		if (s->phase_us[i] >= 0)
			sum += s->phase_us[i];
	return sum;
}

static int64_t
plain(const struct sample *s, unsigned col)
{
	if (col >= COL_PHASE && col < COL_LATENCY)
		return s->phase_us[col - COL_PHASE];
	switch (col) {
	case COL_SEQ:     return (int64_t)s->seq;
	case COL_NODE:    return s->node;
	case COL_DUE:     return s->due_us;
	case COL_AT:      return minus(s->at_us, s->due_us);
	case COL_LAG:     return minus(s->lag_us, minus(s->at_us, s->due_us));
	case COL_LATENCY: return minus(s->latency_us, phases(s));
	case COL_BYTES:   return s->bytes;
	case COL_CODE:    return s->code;
	case COL_STATUS:  return s->status;
	case COL_WHY:     return s->why;
	case COL_RECHECK: return s->recheck;
	case COL_CERT:    return s->cert_expiry_s;
	}
	return 0;
}

static void
set_plain(struct sample *s, unsigned col, int64_t v)
{
	if (col >= COL_PHASE && col < COL_LATENCY) {
		s->phase_us[col - COL_PHASE] = (int32_t)v;
		return;
	}
	switch (col) {
	case COL_SEQ:     s->seq = (uint64_t)v; break;
	case COL_NODE:    s->node = (uint32_t)v; break;
	case COL_DUE:     s->due_us = v; break;
	case COL_AT:      s->at_us = plus(s->due_us, v); break;
	case COL_LAG:
		s->lag_us = (int32_t)plus(v, minus(s->at_us, s->due_us));
		break;
	case COL_LATENCY: s->latency_us = plus(v, phases(s)); break;
	case COL_BYTES:   s->bytes = (uint32_t)v; break;
	case COL_CODE:    s->code = (uint16_t)v; break;
	case COL_STATUS:  s->status = (uint8_t)v; break;
	case COL_WHY:     s->why = (uint8_t)v; break;
	case COL_RECHECK: s->recheck = v != 0; break;
	case COL_CERT:    s->cert_expiry_s = v; break;
	}
}

static bool
same_peer(const struct peer *a, const struct peer *b)
{
	return a->family == b->family && a->port == b->port &&
	    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* The word's index, newest first, because neighbours are alike. */
static int64_t
peer_word(struct words *w, const struct sample *s, size_t i)
{
	for (size_t k = w->npeer; k > 0; k--)
		if (same_peer(&s[w->peer[k - 1]].peer, &s[i].peer))
			return (int64_t)k - 1;
	w->peer[w->npeer] = (uint32_t)i;
	return (int64_t)w->npeer++;
}

static int64_t
reason_word(struct words *w, const struct sample *s, size_t i)
{
	for (size_t k = w->nreason; k > 0; k--)
		if (strcmp(s[w->reason[k - 1]].reason, s[i].reason) == 0)
			return (int64_t)k - 1;
	w->reason[w->nreason] = (uint32_t)i;
	return (int64_t)w->nreason++;
}

static void
put_words(struct buf *out, const struct words *w, const struct sample *s)
{
	for (size_t k = 0; k < w->npeer; k++) {
		const struct peer *p = &s[w->peer[k]].peer;
		unsigned char one[32];
		struct wire_out o = {.p = one, .cap = sizeof(one)};

		wire_byte(&o, p->family);
		wire_uint(&o, p->port);
		if (p->family != 0)
			wire_bytes(&o, p->ip, p->family == 4 ? 4 : 16);
		buf_add(out, (struct str){(const char *)one, o.n});
	}
	for (size_t k = 0; k < w->nreason; k++) {
		const char *text = s[w->reason[k]].reason;
		size_t n = strnlen(text, REASON_MAX - 1);

		buf_addc(out, (char)n);
		buf_add(out, (struct str){text, n});
	}
}

static void
put_uint(struct buf *out, uint64_t u)
{
	unsigned char one[16];
	struct wire_out o = {.p = one, .cap = sizeof(one)};

	wire_uint(&o, u);
	buf_add(out, (struct str){(const char *)one, o.n});
}

enum err
chunk_encode(const struct sample *s, size_t n, struct buf *out)
{
	struct words w;
	size_t start = out->n;
	int64_t v[CHUNK_SAMPLES_MAX];
	uint32_t crc;

	assert(n > 0);
	assert(n <= CHUNK_SAMPLES_MAX);
	w.npeer = w.nreason = 0;
	buf_addc(out, VERSION);
	put_uint(out, s[0].monitor);
	put_uint(out, n);
	for (unsigned col = 0; col < COL_NMAX; col++) {
		for (size_t i = 0; i < n; i++)
			v[i] = col == COL_PEER ? peer_word(&w, s, i) :
			    col == COL_REASON ? reason_word(&w, s, i) :
			    plain(&s[i], col);
		rice_put(out, v, n);
	}
	put_uint(out, w.npeer);
	put_uint(out, w.nreason);
	put_words(out, &w, s);
	if (!buf_ok(out))
		return ERR_LIMIT;
	crc = crc32c(out->p + start, out->n - start);
	for (unsigned i = 0; i < TAIL; i++)
		buf_addc(out, (char)(crc >> (8 * i) & 0xff));
	return buf_ok(out) ? ERR_OK : ERR_LIMIT;
}

/* peer and reason were decoded as indexes into latency-free scratch columns;
 * here the words themselves follow and are copied to every sample. */
static bool
get_words(struct wire_in *in, struct sample *s, size_t n, const int64_t *peer,
    const int64_t *reason)
{
	uint64_t npeer = wire_get_uint(in), nreason = wire_get_uint(in);
	struct peer *peers CLEANUP(xfreep) = NULL;
	struct str *reasons CLEANUP(xfreep) = NULL;

	if (in->bad || npeer > n || nreason > n)
		return false;
	peers = xcalloc(n, sizeof(*peers));
	reasons = xcalloc(n, sizeof(*reasons));
	for (size_t k = 0; k < npeer; k++) {
		size_t bytes;
		const unsigned char *ip;

		peers[k].family = (uint8_t)wire_get_byte(in);
		peers[k].port = (uint16_t)wire_get_uint(in);
		bytes = peers[k].family == 0 ? 0 :
		    peers[k].family == 4 ? 4 : 16;
		ip = wire_get_bytes(in, bytes);
		if (ip != NULL)
			memcpy(peers[k].ip, ip, bytes);
	}
	for (size_t k = 0; k < nreason; k++) {
		reasons[k].n = wire_get_byte(in);
		reasons[k].p = (const char *)wire_get_bytes(in, reasons[k].n);
		if (in->bad || reasons[k].n >= REASON_MAX)
			return false;
	}
	for (size_t i = 0; i < n && !in->bad; i++) {
		if ((uint64_t)peer[i] >= npeer || (uint64_t)reason[i] >= nreason)
			return false;
		s[i].peer = peers[peer[i]];
		memcpy(s[i].reason, reasons[reason[i]].p, reasons[reason[i]].n);
	}
	return !in->bad;
}

static bool
get_columns(struct wire_in *in, struct sample *s, size_t n)
{
	int64_t v[CHUNK_SAMPLES_MAX];
	int64_t *peer CLEANUP(xfreep) = xcalloc(n, sizeof(*peer));

	for (unsigned col = 0; col < COL_NMAX; col++) {
		if (!rice_get(in, v, n))
			return false;
		if (col == COL_PEER)
			memcpy(peer, v, n * sizeof(*v));
		for (size_t i = 0; i < n; i++)
			set_plain(&s[i], col, v[i]);
	}
	return get_words(in, s, n, peer, v);
}

enum err
chunk_decode(struct str bytes, struct sample **ret, size_t *ret_n,
    struct errinfo *ei)
{
	struct wire_in in = {.p = (const unsigned char *)bytes.p,
	    .n = bytes.n};
	struct wire_in end;
	struct sample *s CLEANUP(xfreep) = NULL;
	uint64_t monitor, n;

	if (bytes.n < TAIL + 3)
		return fail(ei, ERR_PARSE, "a chunk of %zu bytes", bytes.n);
	in.n -= TAIL;
	end = (struct wire_in){.p = in.p + in.n, .n = TAIL};
	if (crc32c(in.p, in.n) != wire_get_fixed(&end, TAIL))
		return fail(ei, ERR_PARSE, "the chunk's checksum is wrong");
	if (wire_get_byte(&in) != VERSION)
		return fail(ei, ERR_PARSE, "the chunk is of a newer form");
	monitor = wire_get_uint(&in);
	n = wire_get_uint(&in);
	if (in.bad || n == 0 || n > CHUNK_SAMPLES_MAX || monitor > UINT32_MAX)
		return fail(ei, ERR_PARSE, "the chunk's head is damaged");
	s = xcalloc((size_t)n, sizeof(*s));
	for (size_t i = 0; i < n; i++)
		s[i].monitor = (uint32_t)monitor;
	if (!get_columns(&in, s, (size_t)n) || in.n != 0)
		return fail(ei, ERR_PARSE, "the chunk's columns are damaged");
	*ret = TAKE(s);
	*ret_n = (size_t)n;
	return ERR_OK;
}

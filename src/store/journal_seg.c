/* journal_seg.c: the bytes of a segment. */
#include "store/journal_seg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/crc32c.h"

static const char magic[8] = {'V', 'E', 'D', 'J', 'R', 'N', 'L', '1'};

static void
put_le(unsigned char *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get_le(const unsigned char *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

void
seg_head_put(unsigned char dst[SEG_HEAD], uint64_t id, uint64_t no)
{
	memset(dst, 0, SEG_HEAD);
	memcpy(dst, magic, sizeof(magic));
	put_le(dst + 8, id, 8);
	put_le(dst + 16, no, 8);
	put_le(dst + 24, crc32c(dst, 24), 4);
}

bool
seg_head_get(const unsigned char *p, uint64_t no, uint64_t *ret_id)
{
	if (memcmp(p, magic, sizeof(magic)) != 0 ||
	    get_le(p + 24, 4) != crc32c(p, 24) || get_le(p + 16, 8) != no)
		return false;
	*ret_id = get_le(p + 8, 8);
	return true;
}

uint64_t
seg_record_size(uint64_t n)
{
	return REC_HEAD + ((n + 7) & ~UINT64_C(7));
}

void
seg_record_put(struct buf *b, uint64_t no, const struct journal_record *r,
    bool first)
{
	static const char zeros[8];
	unsigned char head[REC_HEAD];
	size_t at = b->n;

	assert(r->bytes.n <= JOURNAL_RECORD_MAX);
	put_le(head, 0, 4);
	put_le(head + 4, r->bytes.n, 4);
	put_le(head + 8, no, 4);
	put_le(head + 12, first ? REC_FIRST : 0, 4);
	put_le(head + 16, r->seq, 8);
	buf_add(b, (struct str){(const char *)head, sizeof(head)});
	buf_add(b, r->bytes);
	if (r->bytes.n % 8 != 0)
		buf_add(b, (struct str){zeros, 8 - r->bytes.n % 8});
	assert(buf_ok(b));
	put_le((unsigned char *)b->p + at,
	    crc32c(b->p + at + 4, REC_HEAD - 4 + r->bytes.n), 4);
}

static bool
record_at(const unsigned char *p, uint32_t n, uint64_t no, uint32_t off,
    struct journal_record *r, bool *ret_first)
{
	const unsigned char *h = p + off;
	uint64_t len;

	if (n - off < REC_HEAD)
		return false;
	len = get_le(h + 4, 4);
	if (len == 0 || len > JOURNAL_RECORD_MAX ||
	    seg_record_size(len) > n - off)
		return false;
	if (get_le(h + 8, 4) != (no & UINT32_MAX) ||
	    get_le(h, 4) != crc32c(h + 4, REC_HEAD - 4 + (size_t)len))
		return false;
	*ret_first = (get_le(h + 12, 4) & REC_FIRST) != 0;
	r->seq = get_le(h + 16, 8);
	r->bytes = (struct str){(const char *)h + REC_HEAD, (size_t)len};
	return true;
}

/* A record that is whole again later, and first of its batch, proves that
 * what lies between was once durable: that is damage. Without one the file
 * was torn here, and nobody was told of what followed. */
enum seg_step
seg_next(const unsigned char *p, uint32_t n, uint64_t no, uint32_t *off,
    struct journal_record *r, bool *ret_first)
{
	if (record_at(p, n, no, *off, r, ret_first)) {
		*off += (uint32_t)seg_record_size(r->bytes.n);
		return SEG_RECORD;
	}
	for (uint32_t at = *off + 8; at + REC_HEAD <= n; at += 8)
		if (record_at(p, n, no, at, r, ret_first) && *ret_first) {
			*off = at;
			return SEG_GAP;
		}
	return SEG_OVER;
}

const char *
seg_path(const struct journal *j, uint64_t no, const char *suffix,
    char dst[PATH_BYTES])
{
	snprintf(dst, PATH_BYTES, "%s/%016" PRIx64 ".%s", j->conf.dir, no,
	    suffix);
	return dst;
}

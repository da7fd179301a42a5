/* block.h: how samples lie in the tail: a block is a few samples of any
 * monitors, in the order they were committed, one row of the tail table. A
 * block instead of a row per sample makes an append cost a fraction of a
 * SQLite insert. Pure.
 *
 *   version 1: 01, base time (8 bytes), then per sample its length (varint)
 *   and its bytes; at the end CRC-32C of all before (4 bytes). */
#ifndef STORE_BLOCK_H
#define STORE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "model/sample.h"

#define BLOCK_SAMPLES 64      /* at most; a slot number fits one byte */
#define BLOCK_BYTES   1900    /* two to a page */
#define BLOCK_CRC     4       /* bytes, at the end */
#define BLOCK_SAMPLE_MAX (REASON_MAX + 160)

struct block {
	unsigned n;               /* samples so far */
	size_t len;
	int64_t base_us;
	unsigned char p[BLOCK_BYTES + 8];
};

void block_init(struct block *b);
/* False: it does not fit; finish this block and begin another. A fresh block
 * takes any sample. */
bool block_add(struct block *b, const struct sample *s) MUST_USE;
/* The bytes to store, CRC included. Nothing is added afterwards. */
struct str block_finish(struct block *b);

/* Reading. False from block_open: not a block, or damaged. */
struct block_reader {
	const unsigned char *p;
	size_t n;
	int64_t base_us;
	bool bad;                 /* the samples contradict their frame */
};
bool block_open(struct block_reader *r, struct str bytes) MUST_USE;
/* False at the end, or when bad. */
bool block_next(struct block_reader *r, struct sample *ret) MUST_USE;
/* The sample in one slot, 0-based. */
bool block_get(struct str bytes, unsigned slot, struct sample *ret) MUST_USE;

#endif

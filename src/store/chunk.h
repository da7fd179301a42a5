/* chunk.h: how samples lie at rest: some hundred samples of one monitor,
 * column by column, each column as values, differences or differences of
 * differences, Rice coded. Round trips exactly; a typical HTTP sample takes
 * four to five bytes. Pure.
 *
 *   version 1: 01, monitor, n, columns, peers, reasons, CRC-32C. */
#ifndef STORE_CHUNK_H
#define STORE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/sample.h"

#define CHUNK_SAMPLES 256          /* a chunk is full at this many */
#define CHUNK_SAMPLES_MAX 1024     /* what a decoder accepts */
#define CHUNK_BYTES_MAX (1u << 20)

/* n ≥ 1 samples of one monitor, oldest first, appended to out. ERR_LIMIT:
 * out is too small. */
enum err chunk_encode(const struct sample *s, size_t n, struct buf *out) MUST_USE;
/* Caller xfrees *ret. ERR_PARSE: damaged, or written by a newer version. */
enum err chunk_decode(struct str bytes, struct sample **ret, size_t *ret_n,
    struct errinfo *ei) MUST_USE;

#endif

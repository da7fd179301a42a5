/* sketch.h: how often which latency occurred, in buckets whose width is a
 * constant ratio, so that any quantile is known within SKETCH_ERROR of its
 * value, and the sketch of two sets is the sum of theirs. After DDSketch:
 * C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable
 * Quantile Sketch with Relative-Error Guarantees", PVLDB 12 (12), 2019.
 * Pure. A value is microseconds, 0 and more. */
#ifndef STORE_SKETCH_H
#define STORE_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "store/wire.h"

#define SKETCH_ERROR   0.02
#define SKETCH_BUCKETS 640    /* up to 33 hours; what is beyond: the last */
/* What sketch_put takes at most. */
#define SKETCH_BYTES   (SKETCH_BUCKETS * 12 + 4)

struct sketch {
	uint64_t n;               /* values */
	uint16_t lo, hi;          /* the buckets in use: [lo, hi) */
	uint64_t count[SKETCH_BUCKETS];
};

void sketch_clear(struct sketch *s);
void sketch_add(struct sketch *s, int64_t us);
void sketch_merge(struct sketch *into, const struct sketch *from);
/* The value of rank ⌊q (n - 1)⌋, 0 ≤ q ≤ 1, within SKETCH_ERROR of it; NaN
 * when there are none. */
double sketch_quantile(const struct sketch *s, double q);

/* Its compact form: how many buckets are in use, then for each the distance
 * from the one before and its count, mostly one byte. Neither version nor
 * checksum: whoever keeps it has them. */
void sketch_put(const struct sketch *s, struct wire_out *out);
/* False: not a sketch; *s is then undefined. */
bool sketch_get(struct wire_in *in, struct sketch *s) MUST_USE;

#endif

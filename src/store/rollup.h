/* rollup.h: an hour or a day of one monitor in a few dozen bytes: how many
 * samples had which outcome, and the latencies of those that were answered.
 * Two of them add up to the one of both times. Pure.
 *
 *   version 1: 01, then samples, degraded, failed, voided, sum, min, max - min
 *   (the last three only when there are latencies), the sketch, CRC-32C. The
 *   highest bit of the first byte says that something was lost. */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "model/sample.h"
#include "store/sketch.h"

enum rollup_level { ROLLUP_HOUR, ROLLUP_DAY, ROLLUP_NLEVEL };
#define ROLLUP_BYTES (SKETCH_BYTES + 96)   /* at most */
#define HOUR_US (INT64_C(3600) * 1000000)

struct rollup {
	uint64_t ok, degraded, failed, voided;   /* samples by outcome */
	/* Of those that were answered (ok, degraded) and were timed: lat.n. */
	uint64_t sum_us;
	int64_t min_us, max_us;
	struct sketch lat;
	bool damaged;     /* part of it could not be read */
};

/* Where deleting a monitor's roll-ups has come to. */
struct rollup_place {
	enum rollup_level level;
	bool begun;
	int64_t hour;
};

void rollup_clear(struct rollup *r);
void rollup_add(struct rollup *r, const struct sample *p);
void rollup_merge(struct rollup *into, const struct rollup *from);
/* Within SKETCH_ERROR, and never outside min and max. NaN: no latencies. */
double rollup_quantile(const struct rollup *r, double q);
/* dst ≥ ROLLUP_BYTES. */
struct str rollup_put(const struct rollup *r, unsigned char *dst);
/* False: damaged or of a newer form; *ret is undefined then. */
bool rollup_get(struct str bytes, struct rollup *ret) MUST_USE;
/* Hours since 1970, UTC; a day's number is its first hour's. */
int64_t rollup_hour(int64_t at_us);
int64_t rollup_start(enum rollup_level level, int64_t hour);

#endif

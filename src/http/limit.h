/* limit.h: so many a second per key, in fixed memory: a table of windows.
 * Keys that share a slot share its allowance. Any thread. */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define LIMIT_SLOTS 4096   /* a power of two */

struct limit {
	uint32_t per_second;
	/* second in the upper half, count in the lower */
	_Atomic uint64_t slots[LIMIT_SLOTS];
};

/* Count one; false when this second's allowance is used up. */
bool limit_take(struct limit *l, uint64_t key, int64_t now_ns) MUST_USE;
/* The same without counting. */
bool limit_left(struct limit *l, uint64_t key, int64_t now_ns) MUST_USE;

#endif

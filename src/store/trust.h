/* trust.h: by which time ages are measured. What is too old goes for good, and
 * a machine may start with a clock that is years ahead: a wall clock that ran
 * on by more than TRUST_JUMP_US beyond the time that passed is not believed
 * before it has stayed so for TRUST_HOLD_NS; until then time goes on from where
 * it was. Whoever was switched off for long tends its store a day later. Pure. */
#ifndef STORE_TRUST_H
#define STORE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define TRUST_JUMP_US (INT64_C(86400) * US_PER_S)
#define TRUST_HOLD_NS (INT64_C(86400) * NS_PER_S)

struct trust {
	int64_t at_us;        /* wall clock, believed; 0: nothing is known */
	int64_t at_ns;        /* monotonic, then */
	int64_t doubted_ns;   /* monotonic, since when; 0: not */
};

/* The time to measure by. *ret_doubt: a doubt begins. */
int64_t trust_now(struct trust *t, int64_t wall_us, int64_t mono_ns,
    bool *ret_doubt);

#endif

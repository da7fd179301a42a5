/* hist.h: a histogram with fixed bounds, for /metrics. Any thread adds
 * (relaxed atomics); a reader sees each bucket at some recent moment. */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdatomic.h>
#include <stdint.h>

#define HIST_BUCKETS 14   /* the last is +Inf */

/* Upper bounds in nanoseconds: 0.1 ms … 10 s, then +Inf. */
extern const int64_t hist_bounds_ns[HIST_BUCKETS - 1];

struct hist {
	_Atomic uint64_t n[HIST_BUCKETS];
	_Atomic uint64_t sum_ns;
};

void hist_add(struct hist *h, int64_t ns);

#endif

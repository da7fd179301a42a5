#include "base/hist.h"

const int64_t hist_bounds_ns[HIST_BUCKETS - 1] = {
	100000,       /* 0.1 ms */
	250000,
	500000,
	1000000,      /* 1 ms */
	2500000,
	5000000,
	10000000,     /* 10 ms */
	25000000,
	100000000,    /* 100 ms */
	250000000,
	1000000000,   /* 1 s */
	2500000000,
	10000000000,  /* 10 s */
};

void
hist_add(struct hist *h, int64_t ns)
{
	unsigned i = 0;

	if (ns < 0)
		ns = 0;
	while (i < HIST_BUCKETS - 1 && ns > hist_bounds_ns[i])
		i++;
	atomic_fetch_add_explicit(&h->n[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, (uint64_t)ns,
	    memory_order_relaxed);
}

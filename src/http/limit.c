/* limit.c: see limit.h. */
#include "http/limit.h"

#include "base/time.h"

static uint32_t
limit_second(int64_t now_ns)
{
	return (uint32_t)(now_ns / NS_PER_S);
}

bool
limit_left(struct limit *l, uint64_t key, int64_t now_ns)
{
	uint64_t v = atomic_load_explicit(&l->slots[key % LIMIT_SLOTS],
	    memory_order_relaxed);

	return v >> 32 != limit_second(now_ns) ||
	    (uint32_t)v < l->per_second;
}

bool
limit_take(struct limit *l, uint64_t key, int64_t now_ns)
{
	_Atomic uint64_t *slot = &l->slots[key % LIMIT_SLOTS];
	uint64_t v = atomic_load_explicit(slot, memory_order_relaxed), next;

	do {
		uint64_t n = v >> 32 == limit_second(now_ns) ? (uint32_t)v : 0;

		if (n >= l->per_second)
			return false;
		next = (uint64_t)limit_second(now_ns) << 32 | (n + 1);
	} while (!atomic_compare_exchange_weak_explicit(slot, &v, next,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

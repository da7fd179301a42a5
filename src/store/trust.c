#include "store/trust.h"

int64_t
trust_now(struct trust *t, int64_t wall_us, int64_t mono_ns, bool *ret_doubt)
{
	int64_t due_us = t->at_us + (mono_ns - t->at_ns) / NS_PER_US;

	*ret_doubt = false;
	if (t->at_us != 0 && wall_us > due_us + TRUST_JUMP_US) {
		if (t->doubted_ns == 0) {
			t->doubted_ns = mono_ns;
			*ret_doubt = true;
		}
		if (mono_ns - t->doubted_ns < TRUST_HOLD_NS)
			return due_us;
	}
	*t = (struct trust){.at_us = wall_us, .at_ns = mono_ns};
	return wall_us;
}

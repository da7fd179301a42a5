/* load.h: what the store held when it was closed, back in memory. */
#ifndef STORE_LOAD_H
#define STORE_LOAD_H

#include "store/inside.h"

/* The state row of one monitor with the samples after it folded in; NULL:
 * nothing is known of it. Caller xfrees. The writer's thread. */
struct mon_state *load_state(struct store *s, struct entry *en) MUST_USE;

#endif

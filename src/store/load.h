/* load.h: what the store held when it was closed, back in memory. */
#ifndef STORE_LOAD_H
#define STORE_LOAD_H

#include "store/inside.h"

/* The state row of one monitor as it is; ERR_NOT_FOUND, ERR_INVALID: it
 * cannot be decoded. The writer's thread, in a transaction or not. */
enum err load_stored(struct store *s, uint32_t monitor, struct mon_state *ret,
    struct errinfo *ei) MUST_USE;
/* The state row of one monitor with the samples after it folded in; NULL:
 * nothing is known of it. Caller xfrees. The writer's thread. */
struct mon_state *load_state(struct store *s, struct entry *en) MUST_USE;

#endif

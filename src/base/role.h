/* role.h: which thread may call what. A role is a clang capability (checked
 * at compile time through ON() and OWNED_BY()) and a thread-local number
 * (asserted at run time where a function pointer hides the call). */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include <stdbool.h>

#include "base/attr.h"

struct ROLE_TYPE role {
	const char *name;
};

extern struct role shard_role;    /* a shard's loop thread */
extern struct role courier_role;  /* delivers alerts */
extern struct role writer_role;   /* the one thread that writes the store */

/* A thread's entry function takes its role first and gives it back last. */
void role_enter(struct role *r) ROLE_ENTER(*r);
void role_leave(struct role *r) ROLE_LEAVE(*r);
/* Aborts when the calling thread does not hold r. */
void role_is(const struct role *r) ROLE_ASSERT(*r);

#endif

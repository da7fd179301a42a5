#include "base/role.h"

#include <assert.h>
#include <stddef.h>

struct role shard_role = {"shard"};
struct role courier_role = {"courier"};
struct role writer_role = {"writer"};

static _Thread_local const struct role *held;

void
role_enter(struct role *r) ROLE_UNCHECKED
{
	assert(held == NULL);
	held = r;
}

void
role_leave(struct role *r) ROLE_UNCHECKED
{
	assert(held == r);
	held = NULL;
}

void
role_is(const struct role *r) ROLE_UNCHECKED
{
	assert(held == r);
}

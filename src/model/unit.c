#define OWNS_OFF
#include "model/unit.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"

static void
result_free(struct unit *u)
{
	struct result_unit *r = CONTAINER(u, struct result_unit, unit);

	xfree(r->own);
	xfree(r->group);
	xfree(r->evidence);
	xfree(r->rows);
	xfree(r);
}

struct result_unit *
result_unit_new(void)
{
	struct result_unit *r = xcalloc(1, sizeof(*r));

	r->unit.kind = UNIT_RESULT;
	r->unit.bytes = sizeof(*r);
	r->unit.free = result_free;
	return r;
}

static void
event_free(struct unit *u)
{
	xfree(CONTAINER(u, struct event_unit, unit));
}

struct event_unit *
event_unit_new(void)
{
	struct event_unit *e = xcalloc(1, sizeof(*e));

	e->unit.kind = UNIT_EVENT;
	e->unit.bytes = sizeof(*e);
	e->unit.free = event_free;
	return e;
}

static void
keep(struct unit *u)
{
	(void)u;
}

void
unit_awaited(struct unit *u, enum unit_kind kind, size_t bytes)
{
	u->kind = kind;
	u->urgent = true;
	u->bytes = bytes;
	u->free = keep;
}

void
unit_free(struct unit *u)
{
	if (u != NULL)
		u->free(u);
}

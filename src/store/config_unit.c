#define OWNS_OFF
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"
#include "store/writer.h"

/* After its ack the unit is the waiter's. */
static void
keep(struct unit *u)
{
	(void)u;
}

struct config_unit *
config_unit_new(enum config_op op)
{
	struct config_unit *u = xcalloc(1, sizeof(*u));

	u->unit.kind = UNIT_CONFIG;
	u->unit.urgent = true;
	u->unit.bytes = sizeof(*u);
	u->unit.free = keep;
	u->op = op;
	return u;
}

void
config_unit_free(struct config_unit *u)
{
	if (u == NULL)
		return;
	document_free(u->doc);
	json_decref(u->body);
	json_decref(u->plan);
	xfree(u->rows);
	xfree(u);
}

#define OWNS_OFF
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"
#include "store/writer.h"

struct config_unit *
config_unit_new(enum config_op op)
{
	struct config_unit *u = xcalloc(1, sizeof(*u));

	unit_awaited(&u->unit, UNIT_CONFIG, sizeof(*u));
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

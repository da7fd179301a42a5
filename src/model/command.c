#define OWNS_OFF
#include "model/command.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"

struct command *
command_new(enum command_kind kind, uint32_t monitor)
{
	struct command *c = xcalloc(1, sizeof(*c));

	c->kind = kind;
	c->monitor = monitor;
	c->beat_ping_us = -1;
	return c;
}

void
command_free(struct command *c)
{
	if (c == NULL)
		return;
	if (c->conf != NULL) {
		assert(c->conf_free != NULL);
		c->conf_free(c->conf);
	}
	if (c->routes != NULL) {
		assert(c->routes_free != NULL);
		c->routes_free(c->routes);
	}
	xfree(c->state);
	xfree(c);
}

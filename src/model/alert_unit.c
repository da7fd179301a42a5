#define OWNS_OFF
#include "model/alert_unit.h"

#include <string.h>

#include "base/mem.h"

const char *const delivery_result_names[DELIVERY_NMAX] = {
	[DELIVERY_SENT] = "sent", [DELIVERY_AGAIN] = "failed",
	[DELIVERY_REFUSED] = "refused",
};

static void
alert_free(struct unit *u)
{
	struct alert_unit *a = CONTAINER(u, struct alert_unit, unit);

	xfree(a->rows);
	xfree(a->marks);
	xfree(a->deliveries);
	xfree(a->healths);
	xfree(a);
}

struct alert_unit *
alert_unit_new(void)
{
	struct alert_unit *a = xcalloc(1, sizeof(*a));

	a->unit.kind = UNIT_ALERT;
	a->unit.bytes = sizeof(*a);
	a->unit.urgent = true;
	a->unit.free = alert_free;
	return a;
}

/* Capacities are powers of two from 4: no field for them. */
static void *
grow(struct alert_unit *u, void *v, size_t n, size_t size)
{
	if (n < 4 ? n == 0 : (n & (n - 1)) == 0)
		v = xrealloc(v, MAX(n * 2, (size_t)4), size);
	memset((char *)v + n * size, 0, size);
	u->unit.bytes += size;
	return v;
}

#define ADD(u, list, count) \
	((u)->count == ALERT_UNIT_ROWS ? NULL : \
	((u)->list = grow((u), (u)->list, (u)->count, sizeof(*(u)->list)), \
	&(u)->list[(u)->count++]))

struct outbox_row *
alert_unit_row(struct alert_unit *u)
{
	return ADD(u, rows, nrows);
}

struct outbox_mark *
alert_unit_mark(struct alert_unit *u)
{
	return ADD(u, marks, nmarks);
}

struct delivery *
alert_unit_delivery(struct alert_unit *u)
{
	return ADD(u, deliveries, ndeliveries);
}

struct channel_health *
alert_unit_health(struct alert_unit *u)
{
	return ADD(u, healths, nhealths);
}

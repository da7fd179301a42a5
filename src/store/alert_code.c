/* alert_code.c: outbox rows, and what became of them, in a unit's wire form. */
#include <assert.h>

#include "base/mem.h"
#include "store/unit_part.h"

/* All texts of any of them at their longest, and numbers. */
#define BYTES_MAX (OUTBOX_KEY + CHANNEL_NAME_MAX + OUTBOX_NOTE + ALERT_TEXT + \
	160)

static bool
get_u8(struct wire_in *r, uint8_t below, uint8_t *ret)
{
	*ret = (uint8_t)wire_get_byte(r);
	return !r->bad && *ret < below;
}

static bool
get_u32(struct wire_in *r, uint32_t *ret)
{
	uint64_t v = wire_get_uint(r);

	*ret = (uint32_t)v;
	return !r->bad && v <= UINT32_MAX;
}

static void
put_row(struct buf *b, const struct outbox_row *row)
{
	unsigned char bytes[BYTES_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};
	BUF_AUTO(event, ALERT_TEXT);

	alert_event_text(&row->event, &event);
	unit_code_text(&o, row->key);
	unit_code_text(&o, row->channel);
	wire_byte(&o, row->state);
	wire_byte(&o, row->step);
	wire_uint(&o, row->attempts);
	wire_int(&o, row->next_us);
	wire_int(&o, row->expires_us);
	wire_int(&o, row->remind_us);
	unit_code_text(&o, row->note);
	wire_bytes(&o, event.p, event.n);
	assert(!o.full);
	unit_code_part(b, PART_ROW, bytes, o.n);
}

void
alert_code_rows(struct buf *b, const struct outbox_row *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_row(b, &v[i]);
}

static void
put_mark(struct buf *b, const struct outbox_mark *m)
{
	unsigned char bytes[BYTES_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	unit_code_text(&o, m->key);
	wire_byte(&o, m->state);
	wire_byte(&o, (m->over ? 1u : 0u) | (m->maybe ? 2u : 0u));
	wire_uint(&o, m->attempts);
	wire_int(&o, m->next_us);
	unit_code_text(&o, m->note);
	assert(!o.full);
	unit_code_part(b, PART_MARK, bytes, o.n);
}

static void
put_delivery(struct buf *b, const struct delivery *d)
{
	unsigned char bytes[BYTES_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	unit_code_text(&o, d->key);
	unit_code_text(&o, d->channel);
	wire_uint(&o, d->members);
	wire_uint(&o, d->attempt);
	wire_uint(&o, d->code);
	wire_byte(&o, d->result);
	wire_int(&o, d->at_us);
	wire_int(&o, d->took_us);
	unit_code_text(&o, d->text);
	assert(!o.full);
	unit_code_part(b, PART_DELIVERY, bytes, o.n);
}

static void
put_health(struct buf *b, const struct channel_health *h)
{
	unsigned char bytes[BYTES_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	unit_code_text(&o, h->channel);
	wire_uint(&o, h->failures);
	wire_byte(&o, h->told);
	wire_int(&o, h->failing_since_us);
	wire_int(&o, h->ok_us);
	wire_int(&o, h->failed_us);
	unit_code_text(&o, h->error);
	assert(!o.full);
	unit_code_part(b, PART_HEALTH, bytes, o.n);
}

void
alert_code_put(struct buf *b, const struct alert_unit *u)
{
	unsigned char bytes[10];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	wire_uint(&o, u->number);
	unit_code_part(b, PART_COURIER, bytes, o.n);
	alert_code_rows(b, u->rows, u->nrows);
	for (size_t i = 0; i < u->nmarks; i++)
		put_mark(b, &u->marks[i]);
	for (size_t i = 0; i < u->ndeliveries; i++)
		put_delivery(b, &u->deliveries[i]);
	for (size_t i = 0; i < u->nhealths; i++)
		put_health(b, &u->healths[i]);
}

static bool
get_row(struct wire_in *r, struct outbox_row *row)
{
	const unsigned char *p;
	size_t n;
	bool ok = unit_code_get_text(r, row->key, sizeof(row->key)) &&
	    unit_code_get_text(r, row->channel, sizeof(row->channel)) &&
	    get_u8(r, OUTBOX_STATE_NMAX, &row->state) &&
	    get_u8(r, UINT8_MAX, &row->step) && get_u32(r, &row->attempts);

	if (!ok)
		return false;
	row->next_us = wire_get_int(r);
	row->expires_us = wire_get_int(r);
	row->remind_us = wire_get_int(r);
	if (!unit_code_get_text(r, row->note, sizeof(row->note)))
		return false;
	n = r->n;
	p = wire_get_bytes(r, n);
	return alert_event_parse((struct str){(const char *)p, n},
	    &row->event);
}

bool
alert_code_get_row(struct wire_in *r, struct outbox_row **v, size_t *n)
{
	*v = xrealloc(*v, *n + 1, sizeof(**v));
	memset(&(*v)[*n], 0, sizeof(**v));
	return get_row(r, &(*v)[(*n)++]);
}

static bool
get_mark(struct wire_in *r, struct outbox_mark *m)
{
	unsigned flags;

	if (m == NULL || !unit_code_get_text(r, m->key, sizeof(m->key)) ||
	    !get_u8(r, OUTBOX_STATE_NMAX, &m->state))
		return false;
	flags = wire_get_byte(r);
	m->over = (flags & 1) != 0;
	m->maybe = (flags & 2) != 0;
	if (!get_u32(r, &m->attempts))
		return false;
	m->next_us = wire_get_int(r);
	return unit_code_get_text(r, m->note, sizeof(m->note));
}

static bool
get_delivery(struct wire_in *r, struct delivery *d)
{
	uint32_t code = 0;

	if (d == NULL || !unit_code_get_text(r, d->key, sizeof(d->key)) ||
	    !unit_code_get_text(r, d->channel, sizeof(d->channel)) ||
	    !get_u32(r, &d->members) || !get_u32(r, &d->attempt) ||
	    !get_u32(r, &code) || code > UINT16_MAX ||
	    !get_u8(r, DELIVERY_NMAX, &d->result))
		return false;
	d->code = (uint16_t)code;
	d->at_us = wire_get_int(r);
	d->took_us = wire_get_int(r);
	return unit_code_get_text(r, d->text, sizeof(d->text));
}

static bool
get_health(struct wire_in *r, struct channel_health *h)
{
	if (h == NULL ||
	    !unit_code_get_text(r, h->channel, sizeof(h->channel)) ||
	    !get_u32(r, &h->failures))
		return false;
	h->told = wire_get_byte(r) != 0;
	h->failing_since_us = wire_get_int(r);
	h->ok_us = wire_get_int(r);
	h->failed_us = wire_get_int(r);
	return unit_code_get_text(r, h->error, sizeof(h->error));
}

bool
alert_code_get(struct wire_in *r, uint64_t tag, struct alert_unit *u)
{
	struct outbox_row *row;

	switch (tag) {
	case PART_COURIER:
		u->number = wire_get_uint(r);
		return true;
	case PART_ROW:
		row = alert_unit_row(u);
		return row != NULL && get_row(r, row);
	case PART_MARK:
		return get_mark(r, alert_unit_mark(u));
	case PART_DELIVERY:
		return get_delivery(r, alert_unit_delivery(u));
	case PART_HEALTH:
		return get_health(r, alert_unit_health(u));
	}
	return false;
}

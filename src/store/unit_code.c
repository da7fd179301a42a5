#include "store/unit_code.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/block.h"
#include "store/state_code.h"
#include "store/unit_part.h"
#include "store/wire.h"

#define VERSION 1
#define HEAD    2
/* A transition's words and numbers. */
#define PART_MAX (REASON_MAX + EXPLAIN_MAX + 64)
#define EVENT_BYTES_MAX (sizeof(struct event) + 64)

static const char *const part_names[PART_NMAX] = {
	[0] = "none", [PART_SAMPLE] = "sample",
	[PART_OWN_TURN] = "transition", [PART_OWN_STATE] = "state",
	[PART_GROUP_TURN] = "group's transition",
	[PART_GROUP_STATE] = "group's state", [PART_ACTOR] = "actor",
	[PART_EVIDENCE] = "evidence", [PART_EVENT] = "event",
	[PART_NUMBERS] = "numbers", [PART_ROW] = "alert",
	[PART_MARK] = "alert's state", [PART_DELIVERY] = "delivery",
	[PART_HEALTH] = "channel's health",
	[PART_COURIER] = "courier's number",
};

static const struct result_unit *
result_of(const struct unit *u)
{
	_Static_assert(offsetof(struct result_unit, unit) == 0, "first");
	return (const struct result_unit *)(const void *)u;
}

static const struct event_unit *
event_of(const struct unit *u)
{
	_Static_assert(offsetof(struct event_unit, unit) == 0, "first");
	return (const struct event_unit *)(const void *)u;
}

/* -- writing ------------------------------------------------------------ */
void
unit_code_part(struct buf *b, enum part tag, const void *p, size_t n)
{
	unsigned char head[20];
	struct wire_out o = {head, 0, sizeof(head), false};

	wire_uint(&o, tag);
	wire_uint(&o, n);
	buf_add(b, (struct str){(const char *)head, o.n});
	buf_add(b, (struct str){p, n});
}

void
unit_code_text(struct wire_out *o, const char *text)
{
	size_t n = strlen(text);

	wire_uint(o, n);
	wire_bytes(o, text, n);
}

static void
put_turn(struct buf *b, enum part tag, const struct transition *t)
{
	unsigned char bytes[PART_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	wire_uint(&o, t->monitor);
	wire_uint(&o, t->seq);
	wire_int(&o, t->at_us);
	wire_byte(&o, t->from);
	wire_byte(&o, t->to);
	wire_byte(&o, t->why);
	unit_code_text(&o, t->reason);
	unit_code_text(&o, t->explain);
	assert(!o.full);
	unit_code_part(b, tag, bytes, o.n);
}

static void
put_state(struct buf *b, enum part tag, const struct mon_state *st)
{
	unsigned char head[10], bytes[STATE_CODE_MAX];
	struct wire_out o = {head, 0, sizeof(head), false};
	struct str code = state_code_put(st, bytes);
	BUF_AUTO(both, STATE_CODE_MAX + sizeof(head));

	wire_uint(&o, st->monitor);
	buf_add(&both, (struct str){(const char *)head, o.n});
	buf_add(&both, code);
	unit_code_part(b, tag, both.p, both.n);
}

static void
put_result(struct buf *b, const struct result_unit *r)
{
	const struct result_part *own = r->own, *group = r->group;
	struct block block;

	if (r->has_sample) {
		struct str bytes;

		block_init(&block);
		if (!block_add(&block, &r->sample))
			assert(false);   /* a fresh block takes any */
		bytes = block_finish(&block);
		unit_code_part(b, PART_SAMPLE, bytes.p, bytes.n);
	}
	if (own != NULL && own->has_transition)
		put_turn(b, PART_OWN_TURN, &own->transition);
	if (own != NULL && own->has_state)
		put_state(b, PART_OWN_STATE, &own->state);
	if (group != NULL && group->has_transition)
		put_turn(b, PART_GROUP_TURN, &group->transition);
	if (group != NULL && group->has_state)
		put_state(b, PART_GROUP_STATE, &group->state);
	if (r->actor[0] != '\0')
		unit_code_part(b, PART_ACTOR, r->actor, strlen(r->actor));
	if (r->evidence != NULL)
		unit_code_part(b, PART_EVIDENCE, r->evidence,
		    strlen(r->evidence));
	alert_code_rows(b, r->rows, r->nrows);
}

static void
put_event(struct buf *b, const struct event *e)
{
	unsigned char bytes[EVENT_BYTES_MAX];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	wire_int(&o, e->at_us);
	wire_byte(&o, e->kind);
	wire_byte(&o, e->from);
	wire_byte(&o, e->to);
	wire_byte(&o, e->why);
	wire_uint(&o, e->monitor);
	unit_code_text(&o, e->actor);
	unit_code_text(&o, e->subject);
	unit_code_text(&o, e->text);
	assert(!o.full);
	unit_code_part(b, PART_EVENT, bytes, o.n);
}

static void
put_numbers(struct buf *b, const struct unit *u)
{
	unsigned char bytes[20 * UNIT_EVENTS];
	struct wire_out o = {bytes, 0, sizeof(bytes), false};

	for (unsigned i = 0; i < UNIT_EVENTS; i++)
		wire_uint(&o, u->event_id[i]);
	unit_code_part(b, PART_NUMBERS, bytes, o.n);
}

bool
unit_code_has(const struct unit *u)
{
	switch (u->kind) {
	case UNIT_RESULT:
	case UNIT_EVENT:
		return true;
	case UNIT_ALERT:   /* what a person does is answered from the rows */
		return !alert_unit_of(u)->has_hold;
	case UNIT_CONFIG:
	case UNIT_TOKEN:
	case UNIT_QUARANTINE:
	case UNIT_INCIDENT:
	case UNIT_NMAX:
		break;
	}
	return false;
}

bool
unit_code_put(const struct unit *u, struct buf *into)
{
	BUF_AUTO(b, UNIT_CODE_MAX);

	assert(unit_code_has(u));
	buf_addc(&b, VERSION);
	buf_addc(&b, (char)u->kind);
	if (u->kind == UNIT_RESULT)
		put_result(&b, result_of(u));
	else if (u->kind == UNIT_EVENT)
		put_event(&b, &event_of(u)->event);
	else
		alert_code_put(&b, alert_unit_of(u));
	put_numbers(&b, u);
	if (!buf_ok(&b))
		return false;
	buf_add(into, buf_str(&b));
	return buf_ok(into);
}

/* -- reading ------------------------------------------------------------ */
struct decode {
	struct result_unit *result;   /* one of these */
	struct event_unit *event;
	struct alert_unit *alert;
	unsigned seen;                /* bit per tag */
};

bool
unit_code_get_text(struct wire_in *r, char *dst, size_t size)
{
	uint64_t n = wire_get_uint(r);
	const unsigned char *p;

	if (r->bad || n >= size || n > r->n)
		return false;
	p = wire_get_bytes(r, (size_t)n);
	if (memchr(p, '\0', (size_t)n) != NULL)
		return false;
	memcpy(dst, p, (size_t)n);
	dst[n] = '\0';
	return true;
}

static bool
get_u32(struct wire_in *r, uint32_t *ret)
{
	uint64_t v = wire_get_uint(r);

	*ret = (uint32_t)v;
	return !r->bad && v <= UINT32_MAX;
}

static bool
get_turn(struct wire_in *r, struct result_part **to)
{
	struct transition *t;

	if (*to == NULL)
		*to = xcalloc(1, sizeof(**to));
	(*to)->has_transition = true;
	t = &(*to)->transition;
	if (!get_u32(r, &t->monitor) || t->monitor == 0)
		return false;
	t->seq = wire_get_uint(r);
	t->at_us = wire_get_int(r);
	t->from = (uint8_t)wire_get_byte(r);
	t->to = (uint8_t)wire_get_byte(r);
	t->why = (uint8_t)wire_get_byte(r);
	return unit_code_get_text(r, t->reason, sizeof(t->reason)) &&
	    unit_code_get_text(r, t->explain, sizeof(t->explain)) &&
	    t->from < STATUS_NMAX && t->to < STATUS_NMAX && t->why < WHY_NMAX;
}

static bool
get_state(struct wire_in *r, struct result_part **to)
{
	uint32_t monitor = 0;
	struct str rest;

	if (!get_u32(r, &monitor) || monitor == 0)
		return false;
	if (*to == NULL)
		*to = xcalloc(1, sizeof(**to));
	(*to)->has_state = true;
	rest = (struct str){(const char *)r->p, r->n};
	r->p += r->n;
	r->n = 0;
	return state_code_get(rest, monitor, &(*to)->state);
}

static bool
get_sample(struct wire_in *r, struct result_unit *u)
{
	struct str bytes = {(const char *)r->p, r->n};
	struct block_reader b;
	struct sample rest;

	r->p += r->n;
	r->n = 0;
	u->has_sample = block_open(&b, bytes) && block_next(&b, &u->sample) &&
	    u->sample.monitor != 0;
	return u->has_sample && !block_next(&b, &rest) && !b.bad;
}

static bool
get_evidence(struct wire_in *r, struct result_unit *u)
{
	const unsigned char *p = r->p;
	size_t n = r->n;

	(void)wire_get_bytes(r, n);
	if (memchr(p, '\0', n) != NULL)
		return false;
	u->evidence = xstrndup((const char *)p, n);
	return true;
}

static bool
get_actor(struct wire_in *r, struct result_unit *u)
{
	const unsigned char *p = r->p;
	size_t n = r->n;

	(void)wire_get_bytes(r, n);
	if (n >= sizeof(u->actor) || memchr(p, '\0', n) != NULL)
		return false;
	memcpy(u->actor, p, n);
	return true;
}

static bool
get_event(struct wire_in *r, struct event *e)
{
	e->at_us = wire_get_int(r);
	e->kind = (uint8_t)wire_get_byte(r);
	e->from = (uint8_t)wire_get_byte(r);
	e->to = (uint8_t)wire_get_byte(r);
	e->why = (uint8_t)wire_get_byte(r);
	return get_u32(r, &e->monitor) &&
	    unit_code_get_text(r, e->actor, sizeof(e->actor)) &&
	    unit_code_get_text(r, e->subject, sizeof(e->subject)) &&
	    unit_code_get_text(r, e->text, sizeof(e->text)) && e->kind < EVENT_NMAX &&
	    e->from < STATUS_NMAX && e->to < STATUS_NMAX && e->why < WHY_NMAX;
}

static bool
get_numbers(struct wire_in *r, struct unit *u)
{
	for (unsigned i = 0; i < UNIT_EVENTS; i++)
		u->event_id[i] = wire_get_uint(r);
	return true;
}

static bool
get_of_result(struct decode *d, uint64_t tag, struct wire_in *r)
{
	struct result_unit *u = d->result;

	switch (tag) {
	case PART_SAMPLE:
		return get_sample(r, u);
	case PART_OWN_TURN:
		return get_turn(r, &u->own);
	case PART_OWN_STATE:
		return get_state(r, &u->own);
	case PART_GROUP_TURN:
		return get_turn(r, &u->group);
	case PART_GROUP_STATE:
		return get_state(r, &u->group);
	case PART_ACTOR:
		return get_actor(r, u);
	case PART_EVIDENCE:
		return get_evidence(r, u);
	case PART_ROW:
		return alert_code_get_row(r, &u->rows, &u->nrows);
	case PART_NUMBERS:
		return get_numbers(r, &u->unit);
	}
	return false;
}

static bool
get_of_event(struct decode *d, uint64_t tag, struct wire_in *r)
{
	switch (tag) {
	case PART_EVENT:
		return get_event(r, &d->event->event);
	case PART_NUMBERS:
		return get_numbers(r, &d->event->unit);
	}
	return false;
}

static bool
get_of(struct decode *d, uint64_t tag, struct wire_in *r)
{
	bool again = tag >= PART_ROW && tag <= PART_HEALTH;

	if (!again && (d->seen >> tag & 1) != 0)
		return false;
	d->seen |= 1u << tag;
	if (d->result != NULL)
		return get_of_result(d, tag, r);
	if (d->event != NULL)
		return get_of_event(d, tag, r);
	return tag == PART_NUMBERS ? get_numbers(r, &d->alert->unit) :
	    alert_code_get(r, tag, d->alert);
}

static enum err
get_parts(struct decode *d, struct wire_in *r, struct errinfo *ei)
{
	while (r->n > 0) {
		uint64_t tag = wire_get_uint(r), n = wire_get_uint(r);
		struct wire_in part;
		bool ok;

		if (r->bad || n > r->n)
			return fail(ei, ERR_PARSE, "it ends within a part");
		if (tag == 0 || tag >= PART_NMAX)
			return fail(ei, ERR_PARSE, "part %llu is not known; a"
			    " later vedette wrote it", (unsigned long long)tag);
		part = (struct wire_in){wire_get_bytes(r, (size_t)n),
		    (size_t)n, false};
		ok = get_of(d, tag, &part);
		if (!ok || part.bad || part.n > 0)
			return fail(ei, ERR_PARSE, "its %s is damaged",
			    part_names[tag]);
	}
	return ERR_OK;
}

/* Whole, and not a unit that says nothing. */
static enum err
check_whole(const struct decode *d, struct errinfo *ei)
{
	const struct result_unit *u = d->result;
	bool ok = d->alert != NULL || (d->seen >> PART_EVENT & 1) != 0;

	if (u != NULL)
		ok = u->has_sample || u->own != NULL || u->group != NULL;
	return ok ? ERR_OK : fail(ei, ERR_PARSE, "it says nothing");
}

enum err
unit_code_get(struct str bytes, struct unit **ret, struct errinfo *ei)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	struct wire_in r;
	struct decode d = {0};
	struct unit *u;
	enum err e;

	if (bytes.n < HEAD || p[0] != VERSION)
		return fail(ei, ERR_PARSE, "version %u is not known; a later"
		    " vedette wrote it", bytes.n < 1 ? 0u : p[0]);
	if (p[1] == UNIT_RESULT)
		d.result = result_unit_new();
	else if (p[1] == UNIT_EVENT)
		d.event = event_unit_new();
	else if (p[1] == UNIT_ALERT)
		d.alert = alert_unit_new();
	else
		return fail(ei, ERR_PARSE, "kind %u is not known; a later"
		    " vedette wrote it", p[1]);
	u = d.result != NULL ? &d.result->unit : d.event != NULL ?
	    &d.event->unit : &d.alert->unit;
	r = (struct wire_in){p + HEAD, bytes.n - HEAD, false};
	e = get_parts(&d, &r, ei);
	if (e == ERR_OK)
		e = check_whole(&d, ei);
	if (e != ERR_OK) {
		unit_free(u);
		return e;
	}
	*ret = u;
	return ERR_OK;
}

uint32_t
unit_code_monitor(const struct unit *u)
{
	const struct result_unit *r;
	const struct result_part *p;

	if (u->kind == UNIT_EVENT)
		return event_of(u)->event.monitor;
	if (u->kind != UNIT_RESULT)
		return 0;
	r = result_of(u);
	p = r->own != NULL ? r->own : r->group;
	if (r->has_sample)
		return r->sample.monitor;
	if (p == NULL)
		return 0;
	return p->has_state ? p->state.monitor : p->transition.monitor;
}

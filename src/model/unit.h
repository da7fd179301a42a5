/* unit.h: a unit of work for the writer. Atomic: stored whole or not at all,
 * idempotent by its keys. Whoever allocates it gives it away with mbox_put;
 * the writer frees it with its own free function after the answer. */
#ifndef MODEL_UNIT_H
#define MODEL_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mbox.h"
#include "model/event.h"
#include "model/sample.h"

struct conf_change;   /* conf/plan.h */
struct outbox_row;    /* model/alert.h */

enum unit_kind {
	UNIT_RESULT,    /* struct result_unit */
	UNIT_CONFIG,    /* struct config_unit, store/writer.h */
	UNIT_EVENT,     /* struct event_unit */
	UNIT_TOKEN,     /* struct token_unit, store/writer.h */
	UNIT_ALERT,     /* struct alert_unit, model/alert_unit.h */
	UNIT_QUARANTINE,   /* struct quarantine_unit, store/writer.h */
	UNIT_INCIDENT,  /* struct incident_unit, store/incident.h */
	UNIT_NMAX
};

/* Somebody waits for durability. done runs once, on the writer's thread, after
 * the commit (ERR_OK) or when the unit is refused for good. The waiter owns
 * the ack and embeds it. It must not block. */
struct ack {
	void (*done)(struct ack *a, enum err e, const struct errinfo *ei);
};

#define UNIT_EVENTS 2   /* entries of the event log that one unit makes */

struct unit {
	struct msg msg;
	enum unit_kind kind;
	bool urgent;          /* commits at once: a transition, or someone waits */
	size_t bytes;         /* as accounted in the mailbox */
	struct ack *ack;      /* NULL: nobody waits */
	int64_t queued_ns;    /* monotonic, for the queue-wait histogram */
	/* The store's own: its record in the journal (0: none), whether others
	 * have heard that it is durable, and the numbers of its events where
	 * they were given before it was committed (0: not yet). */
	uint64_t journal_seq;
	bool told;
	uint64_t event_id[UNIT_EVENTS];
	void (*free)(struct unit *u);
};

/* A result is sample + transition + state (+ the same of its group): D2. */
struct result_part {
	bool has_transition, has_state;
	struct transition transition;
	struct mon_state state;
};
struct result_unit {
	struct unit unit;
	bool has_sample;      /* false: pause, resume, lateness, group only */
	struct sample sample;
	struct result_part *own;     /* owned; NULL: neither changed */
	struct result_part *group;   /* owned; NULL: the group did not change */
	char actor[64];       /* of a pause or resume; "" = the daemon */
	/* First failure's evidence, JSON, redacted, owned; NULL: none. */
	char *evidence;
	/* Whom the transitions in here are told to: stored with them or not
	 * at all. Owned. */
	struct outbox_row *rows;
	size_t nrows;
};

struct event_unit {
	struct unit unit;
	struct event event;
};

/* For those who only look: the unit comes first in each. */
static inline const struct result_unit *
result_unit_of(const struct unit *u)
{
	_Static_assert(offsetof(struct result_unit, unit) == 0, "first");
	return (const struct result_unit *)(const void *)u;
}

static inline const struct event_unit *
event_unit_of(const struct unit *u)
{
	_Static_assert(offsetof(struct event_unit, unit) == 0, "first");
	return (const struct event_unit *)(const void *)u;
}

struct result_unit *result_unit_new(void) MUST_USE;
struct event_unit *event_unit_new(void) MUST_USE;
/* A fresh one that somebody waits for: it commits at once, and after its ack
 * it is the waiter's to free. */
void unit_awaited(struct unit *u, enum unit_kind kind, size_t bytes);
void unit_free(struct unit *u);   /* calls u->free; NULL is fine */

#endif

/* desk.h: what becomes of outbox rows: which leave now, together, later,
 * again, or never. A state machine without clock and I/O: durable rows and
 * the outcome of deliveries go in, messages to send and bookkeeping to store
 * come out. Everything that suppresses is decided here, when a message is
 * about to leave and not when its row was made:
 *
 *   TIMER ──due──► READY ──grouped──► FLIGHT ──taken──► SENT
 *     ▲  ▲           │  ▲               │
 *     │  └──muted────┘  └─not now───────┤
 *     │ (HELD: window, parent, snooze)  └──never──► REFUSED, a fallback row
 *   steps, reminders                  over before it left: COLLAPSED into one
 *                                     late message, or SUPPRESSED when held
 *
 *   - One message of a channel at a time, in the order in which its rows came:
 *     a slow provider delays nobody else, and a RESOLVE never overtakes.
 *   - The first row of a quiet channel waits wait_us for others; each that
 *     comes prolongs that, up to wait_max_us. Reminders, and what was held
 *     back, were together already and wait for nobody.
 *   - A RESOLVE leaves if and only if its OPEN left or may have left. May: it
 *     was WAITING when we were started, or an attempt ended unanswered.
 *   - The OPEN of an incident that goes on does not expire, and neither does
 *     the RESOLVE of what was told; they leave late and say so.
 *   - What goes on from a beginning that its channel gets later (its hours,
 *     its step, a window) waits for that.
 *   - What the desk itself has to tell (reminders, fallbacks, a channel that
 *     fails) is a row in a unit first; it comes back by desk_add once durable.
 *
 * One thread. Times are wall clock µs, handed in. */
#ifndef ALERT_DESK_H
#define ALERT_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alert_unit.h"

struct desk_conf {
	int64_t wait_us, wait_max_us;       /* the correlation window */
	int64_t late_us;                    /* older than this is late */
	int64_t backoff_us, backoff_max_us;
	uint32_t fallback_after;            /* attempts of one message */
	uint32_t tell_after;                /* failures in a row of a channel */
	size_t members_max;                 /* rows in one message */
};
extern const struct desk_conf desk_defaults;

/* Is this not to be told now? *ret_until_us: until then at least; 0: not
 * known, ask again. failed_us: when the trouble began; 0: there is none. A
 * query about the outside world; asked only of kinds that
 * announce something (never RESOLVE, TEST, our own). */
struct desk_mute {
	bool (*muted)(void *arg, uint32_t monitor, int64_t failed_us,
	    int64_t now_us, int64_t *ret_until_us, char note[OUTBOX_NOTE]);
	void *arg;
};

struct desk;
struct desk *desk_new(const struct desk_conf *c, const struct desk_mute *m)
    MUST_USE;
void desk_free(struct desk *d);
void desk_set(struct desk *d, const struct desk_conf *c);   /* live */

/* -- channels -------------------------------------------------------------- */
struct desk_channel_conf {
	char name[CHANNEL_NAME_MAX];
	char fallback[CHANNEL_NAME_MAX];   /* "" none */
	bool grouped;                      /* one message tells of many */
	bool self;                         /* hears of vedette's own trouble */
	uint32_t per_minute;               /* messages; 0: no cap */
};
/* All there are, now: rows of any other are suppressed. */
void desk_channels(struct desk *d, const struct desk_channel_conf *v,
    size_t n, int64_t now_us);

/* -- what is durable ------------------------------------------------------- */
/* False: known already. loaded: from before this start. */
bool desk_add(struct desk *d, const struct outbox_row *r, bool loaded,
    int64_t now_us);
void desk_health(struct desk *d, const struct channel_health *h);
void desk_hold(struct desk *d, const struct hold *h);   /* loaded, after rows */
void desk_hold_change(struct desk *d, const struct hold_change *c,
    int64_t now_us);
/* The monitor is no more: its incidents end where they were told, unless
 * that is known already. */
void desk_gone(struct desk *d, uint32_t monitor, int64_t now_us);
/* Monitors with an incident somebody was told of; *ret xfreed by the caller. */
size_t desk_monitors(const struct desk *d, uint32_t **ret);
/* What mutes may have changed: look at everything held again. */
void desk_look(struct desk *d, int64_t now_us);
/* The wall clock was set by so much: what waits keeps the time it had to wait. */
void desk_step(struct desk *d, int64_t by_us);
/* A row for every channel that hears of our own trouble. */
void desk_tell(struct desk *d, const struct alert_event *e, int64_t now_us,
    int64_t expires_us);

/* -- turning --------------------------------------------------------------- */
int64_t desk_next_us(const struct desk *d);   /* run then; INT64_MAX never */
void desk_run(struct desk *d, int64_t now_us);

/* A message that is to be sent now; NULL: none. It is the desk's, and in
 * flight until desk_done. */
struct desk_message;
struct desk_message *desk_pop(struct desk *d);
const char *desk_message_channel(const struct desk_message *m);
const char *desk_message_instead(const struct desk_message *m);   /* or NULL */
size_t desk_message_rows(const struct desk_message *m);
void desk_message_row(const struct desk_message *m, size_t i,
    struct outbox_row *ret, bool *ret_late, bool *ret_collapsed);
int64_t desk_message_made_us(const struct desk_message *m);   /* same bytes */
size_t desk_message_part(const struct desk_message *m);   /* first not taken */
uint32_t desk_message_attempt(const struct desk_message *m);  /* from 1 */

struct desk_outcome {
	uint8_t result;          /* enum delivery_result */
	bool maybe;              /* AGAIN: it may have been taken all the same */
	size_t part;             /* AGAIN: parts before this one were taken */
	uint16_t code;
	int64_t after_us;        /* AGAIN: not sooner; 0 own backoff */
	int64_t took_us;
	uint32_t jitter;         /* random */
	char note[OUTBOX_NOTE];
};
void desk_done(struct desk *d, struct desk_message *m,
    const struct desk_outcome *o, int64_t now_us);

/* Bookkeeping to be stored, in order; NULL: none. The caller's. */
struct alert_unit *desk_unit(struct desk *d);

/* -- looking ----------------------------------------------------------------- */
struct desk_figures {
	const struct channel_health *health;
	bool known;                         /* configured */
	uint32_t pending, held;             /* live rows; of these held */
	int64_t retry_us;                   /* backing off until; 0 */
	uint64_t ended[OUTBOX_STATE_NMAX];  /* since this start, by state */
	uint64_t failed;                    /* attempts */
};
void desk_each(const struct desk *d, void *arg,
    void (*fn)(void *arg, const struct desk_figures *f));
void desk_check(const struct desk *d);   /* asserts what must hold */

#endif

/* alert.h: what people are told, as plain data. An alert exists only as an
 * outbox row: one per (event, channel), made by the pure routing stage on the
 * shard in the same unit as the transition it tells of, committed with it,
 * and only then seen by the courier. */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "model/sample.h"

/* Stored: never renumber. */
enum alert_kind {
	ALERT_OPEN = 0,      /* an incident began: down, degraded, late, … */
	ALERT_RESOLVE = 1,   /* it ended */
	ALERT_CHANGE = 2,    /* it goes on otherwise: degraded became down */
	ALERT_REMIND = 3,    /* it still goes on */
	ALERT_CERT = 4,      /* a certificate ends soon; no incident */
	ALERT_FLAP = 5,      /* it comes and goes: silence until it settles */
	ALERT_SETTLE = 6,    /* it does not any more */
	ALERT_SIGHT = 7,     /* we were blind from … to … */
	ALERT_STORE = 8,     /* our own store's health changed */
	ALERT_CHANNEL = 9,   /* another channel keeps failing, or works again */
	ALERT_TEST = 10,
	ALERT_NMAX
};
const char *alert_kind_name(enum alert_kind k);   /* "open", stable */

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL,
	SEVERITY_NMAX };
extern const char *const severity_names[SEVERITY_NMAX + 1];   /* NULL last */

/* All that a message needs, so that it can be written later without asking
 * anybody: names are as they were then. */
#define ALERT_NAME_MAX 242   /* a path, "Group/Name" */
struct alert_event {
	uint8_t kind;            /* enum alert_kind */
	uint8_t severity;
	uint8_t from, to;        /* enum status */
	uint8_t why;             /* enum why */
	uint32_t monitor;        /* 0: vedette itself */
	int64_t incident_us;     /* began then; with monitor it names the
				  * incident; 0: belongs to none */
	int64_t at_us;           /* when it happened */
	int64_t until_us;        /* SIGHT: the end; CERT: when it ends; 0 */
	int64_t latency_us;      /* -1: none */
	char path[ALERT_NAME_MAX];
	char type[24];
	char target[256];        /* "" when hidden */
	char tags[256];          /* with commas between */
	char reason[REASON_MAX];
};
/* The stored form: JSON of at most ALERT_TEXT bytes. */
#define ALERT_TEXT 2048
void alert_event_text(const struct alert_event *e, struct buf *out);
bool alert_event_parse(struct str json, struct alert_event *ret) MUST_USE;

/* Stored: never renumber. */
enum outbox_state {
	OUTBOX_WAITING = 0,     /* to be sent: not before next_us */
	OUTBOX_HELD = 1,        /* by a window, a parent, a snooze: note says */
	OUTBOX_SENT = 2,
	OUTBOX_SUPPRESSED = 3,  /* never to be sent: note says why */
	OUTBOX_COLLAPSED = 4,   /* another message said it too */
	OUTBOX_REFUSED = 5,     /* the provider will never take it */
	OUTBOX_EXPIRED = 6,
	OUTBOX_STATE_NMAX
};
extern const char *const outbox_state_names[OUTBOX_STATE_NMAX];
static inline bool
outbox_live(uint8_t state)
{
	return state == OUTBOX_WAITING || state == OUTBOX_HELD;
}

#define OUTBOX_KEY 224   /* with its NUL */
#define CHANNEL_NAME_MAX 121
#define OUTBOX_NOTE 160
struct outbox_row {
	/* "MONITOR.INCIDENT_US.KIND.AT_US.STEP/CHANNEL": the same row made twice
	 * is one row. */
	char key[OUTBOX_KEY];
	char channel[CHANNEL_NAME_MAX];
	uint8_t state;
	uint8_t step;            /* of the escalation; 0: at once */
	uint32_t attempts;
	int64_t next_us;         /* not before (wall clock) */
	int64_t expires_us;      /* not sent as new after; 0 never */
	int64_t remind_us;       /* tell again this often while it goes on, at
				  * most; 0: once */
	char note[OUTBOX_NOTE];  /* last error, why held; secrets stripped */
	bool maybe;              /* it may have been sent: an attempt ended
				  * without an answer */
	bool known;              /* set when stored: it was there before */
	struct alert_event event;
};
/* What stands for a channel in struct alerting; stored: CRC-32 of its name. */
uint32_t alert_channel_id(const char *name);
/* Fill in key from event and channel. */
void outbox_key(struct outbox_row *r);

#endif

/* alert_unit.h: what the courier and those who acknowledge have stored: one
 * atomic unit of new rows, of what became of rows, of deliveries and of what
 * was acknowledged. Idempotent: rows and acknowledgements by key, marks say
 * how a row is and not what to add. A plain message like every unit. */
#ifndef MODEL_ALERT_UNIT_H
#define MODEL_ALERT_UNIT_H

#include "model/alert.h"
#include "model/unit.h"

/* How a row is from now on. */
struct outbox_mark {
	char key[OUTBOX_KEY];
	uint8_t state;
	bool over;             /* nothing refers to it any more: its incident
				* is closed for that channel, it may be pruned */
	bool maybe;            /* as in struct outbox_row */
	uint32_t attempts;
	int64_t next_us;
	char note[OUTBOX_NOTE];
};

/* Stored: never renumber. */
enum delivery_result { DELIVERY_SENT = 0, DELIVERY_AGAIN = 1,
	DELIVERY_REFUSED = 2, DELIVERY_NMAX };
extern const char *const delivery_result_names[DELIVERY_NMAX];

/* One attempt to get one message out. */
struct delivery {
	char key[OUTBOX_KEY];  /* of its first row */
	char channel[CHANNEL_NAME_MAX];
	uint32_t members;      /* rows in the message */
	uint32_t attempt;      /* from 1 */
	uint16_t code;         /* HTTP or SMTP code, exit status; 0 none */
	uint8_t result;
	int64_t at_us, took_us;
	char text[OUTBOX_NOTE];   /* what went wrong, secrets stripped */
};

struct channel_health {
	char channel[CHANNEL_NAME_MAX];
	uint32_t failures;        /* in a row */
	bool told;                /* that it fails; its recovery is told too */
	int64_t failing_since_us; /* 0: it works, or was never used */
	int64_t ok_us, failed_us; /* last; 0 never */
	char error[OUTBOX_NOTE];  /* of the last failure */
};

/* Stored: never renumber. */
enum hold_op { HOLD_ACK = 0, HOLD_UNACK = 1, HOLD_SNOOZE = 2,
	HOLD_UNSNOOZE = 3, HOLD_NMAX };
/* Somebody took notice of an incident. */
struct hold_change {
	uint32_t monitor;
	/* 0: the one that is open; the writer fills it in, and refuses the
	 * unit (ERR_NOT_FOUND) when there is none. */
	int64_t incident_us;
	uint8_t op;
	int64_t until_us;         /* SNOOZE */
	int64_t at_us;
	char by[64];
	char note[OUTBOX_NOTE];
};
/* What holds for an incident now. */
struct hold {
	uint32_t monitor;
	int64_t incident_us;
	int64_t acked_us;         /* 0: nobody has */
	int64_t snoozed_us;       /* until then; 0: not */
	char by[64];
	char note[OUTBOX_NOTE];
};

#define ALERT_UNIT_ROWS 4096      /* of each kind, at most */
struct alert_unit {
	struct unit unit;
	uint64_t number;          /* the courier's, to know it again; 0 */
	struct outbox_row *rows;  /* all of them owned */
	struct outbox_mark *marks;
	struct delivery *deliveries;
	struct channel_health *healths;
	size_t nrows, nmarks, ndeliveries, nhealths;
	bool has_hold;
	struct hold_change hold;
};
struct alert_unit *alert_unit_new(void) MUST_USE;
/* For those who only look: u is an UNIT_ALERT. */
static inline const struct alert_unit *
alert_unit_of(const struct unit *u)
{
	_Static_assert(offsetof(struct alert_unit, unit) == 0, "first");
	return (const struct alert_unit *)(const void *)u;
}
/* Room for one more, zeroed; NULL: the unit is full. Bytes are counted. */
struct outbox_row *alert_unit_row(struct alert_unit *u);
struct outbox_mark *alert_unit_mark(struct alert_unit *u);
struct delivery *alert_unit_delivery(struct alert_unit *u);
struct channel_health *alert_unit_health(struct alert_unit *u);

#endif

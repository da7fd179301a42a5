/* desk_impl.h: the desk's parts, for desk*.c only. */
#ifndef ALERT_DESK_IMPL_H
#define ALERT_DESK_IMPL_H

#include "alert/desk.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

#define DESK_LOOK_US (INT64_C(5) * 1000000)   /* at what is held, this often */
#define DESK_DAY_US  (INT64_C(86400) * 1000000)

enum desk_place {
	PLACE_READY,    /* in its channel's queue */
	PLACE_TIMER,    /* not before its time, or held */
	PLACE_FLIGHT,   /* in its channel's message */
	PLACE_DONE      /* kept, because its incident goes on */
};

/* One outbox row. Its texts lie behind each other in one block: a storm is
 * many rows, and struct outbox_row has room for the longest of each. */
struct desk_row {
	struct map_node by_key;
	struct list queue;         /* READY: of the channel */
	struct list of_incident;
	struct heap_node wake;     /* TIMER */
	struct desk_channel *ch;
	struct desk_incident *inc; /* NULL: belongs to none */
	char *words;               /* key, path, type, target, tags, reason,
				    * note, instead, each with its NUL; owned */
	uint16_t at[7];            /* where each after the key begins */
	enum desk_place place;
	uint8_t state, step, kind, severity, from, to, why;
	bool maybe;                /* may have left without our knowing */
	bool collapsed;            /* a RESOLVE that tells of its open too */
	bool was_held;
	bool fell;                 /* its fallback was asked for */
	uint32_t monitor, attempts;
	int64_t next_us, expires_us, remind_us;
	int64_t incident_us, at_us, until_us, latency_us;
};

struct desk_incident {
	struct map_node node;
	uint32_t monitor;
	int64_t incident_us;
	struct list rows;
	struct list settling;      /* linked: a RESOLVE came */
	bool pinned;               /* somebody walks its rows */
	int64_t acked_us, snoozed_us;
	char by[64];
};

struct desk_message {
	struct desk_channel *ch;
	struct desk_row **rows;    /* owned array */
	size_t n, part;
	int64_t made_us, late_us;
	uint32_t attempt;
	bool test;
	bool frozen;               /* may have been taken: goes again as it is */
	struct list out;
};

struct desk_channel {
	struct desk_channel_conf conf;
	bool known;
	struct channel_health health;
	struct list queue, tests;  /* READY rows */
	struct desk_message *message;   /* in flight, or to go again */
	bool flight;
	struct heap_node due;
	int64_t first_us, group_us;     /* the window; first 0: none open */
	int64_t retry_us;               /* not before; 0 */
	int64_t tokens_us;              /* of the cap: paid for up to here */
	uint32_t attempts;              /* of what comes next */
	uint32_t pending, held;
	uint64_t ended[OUTBOX_STATE_NMAX], failed;
};

/* A row asked for and not durable yet: not asked for again. */
struct desk_made {
	struct map_node node;
	char *key;                 /* owned */
};

struct desk {
	struct desk_conf conf;
	struct desk_mute mute;
	struct map rows, incidents, made;
	int64_t told_us;           /* of the last row of our own */
	struct heap timers, dues;
	struct list settling, out;
	struct desk_channel **channels;
	size_t nchannels;
	struct alert_unit **units;
	size_t nunits, units_cap, units_taken;
};

/* -- desk_row.c: rows, incidents, channels as things ---------------------- */
struct desk_row *desk_row_find(struct desk *d, const char *key);
struct desk_row *desk_row_new(struct desk *d, const struct outbox_row *r);
void desk_row_free(struct desk *d, struct desk_row *r);
void desk_row_get(const struct desk_row *r, struct outbox_row *ret);
const char *desk_row_note(const struct desk_row *r);
/* The channel whose fallback it is; NULL. The row was made with a note of
 * DESK_INSTEAD and that name. */
#define DESK_INSTEAD "instead of "
const char *desk_row_instead(const struct desk_row *r);
void desk_row_set_note(struct desk_row *r, const char *note);
struct desk_channel *desk_channel_get(struct desk *d, const char *name);
struct desk_incident *desk_incident_find(struct desk *d, uint32_t monitor,
    int64_t incident_us);
/* When it has no rows left. */
void desk_incident_drop(struct desk *d, struct desk_incident *inc);
/* Does it announce that something is wrong? OPEN, CHANGE, FLAP. */
bool desk_row_opens(const struct desk_row *r);
/* The live RESOLVE of this incident for this channel; NULL. */
struct desk_row *desk_resolve_of(const struct desk_incident *inc,
    const struct desk_channel *ch);

/* -- desk_book.c: bookkeeping ------------------------------------------------ */
/* How r is now, into the unit. */
void desk_mark(struct desk *d, struct desk_row *r, bool over);
/* A row to be made durable, unless one of this key is known. */
void desk_make(struct desk *d, struct outbox_row *r);
void desk_unmake(struct desk *d, const char *key);
struct delivery *desk_book_delivery(struct desk *d);
struct channel_health *desk_book_health(struct desk *d);
/* It is settled: told, or never to be told. A RESOLVE closes its incident
 * for its channel. r may be gone afterwards. */
void desk_end(struct desk *d, struct desk_row *r, enum outbox_state state,
    const char *note);
/* A RESOLVE that was none, or a row that another one says: only this. r is
 * gone afterwards. */
void desk_drop(struct desk *d, struct desk_row *r, enum outbox_state state,
    const char *note);
/* The same as a row for the channel's fallback, when it has one. */
void desk_fall_back(struct desk *d, struct desk_row *r, int64_t now_us);
void desk_remind(struct desk *d, const struct desk_row *r, int64_t now_us);

/* -- desk_done.c, desk_queue.c --------------------------------------------- */
void desk_ready(struct desk *d, struct desk_row *r, int64_t arrived_us,
    bool at_once);
void desk_wait(struct desk *d, struct desk_row *r, int64_t at_us);
void desk_arm(struct desk *d, struct desk_channel *ch);
/* The message that waits to go again never will. */
void desk_abandon(struct desk *d, struct desk_channel *ch);

#endif

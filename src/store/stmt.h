/* stmt.h: what is asked of a database, by name. Each backend has the text of
 * each (sqlite/sql.c). */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include "store/pace.h"
#include "store/stmt_incident.h"

/* Arguments in the order given; → the columns of the answer. */
enum stmt {
	STMT_META_PUT,          /* key, value */
	STMT_META_GET,          /* key → value */
	STMT_MONITOR_PUT,       /* id name group text version origin archived
				 * paused created_us */
	STMT_MONITOR_DEL,       /* id */
	STMT_MONITOR_LOAD,      /* → as put; groups first */
	STMT_CHANNEL_PUT,       /* name type text */
	STMT_CHANNEL_DEL,       /* name */
	STMT_CHANNEL_LOAD,      /* → as put */
	STMT_TOKEN_PUT,         /* name hash scope created expires revoked */
	STMT_TOKEN_LOAD,        /* → as put */
	STMT_STATE_PUT,         /* monitor bytes */
	STMT_STATE_DEL,         /* monitor */
	STMT_STATE_LOAD,        /* → monitor bytes */
	STMT_STATE_GET,         /* monitor → bytes */
	STMT_TAIL_PUT,          /* id samples bytes */
	STMT_TAIL_GET,          /* id → bytes */
	STMT_TAIL_HAVE,         /* id → 1 */
	STMT_TAIL_LOAD,         /* → id samples bytes, by id */
	STMT_TAIL_DEL,          /* from to: ids, both included */
	STMT_CHUNK_PUT,         /* monitor first_seq last_seq from_us to_us
				 * samples bytes */
	STMT_CHUNK_DEL,         /* id */
	STMT_CHUNK_LAST,        /* monitor → id last_seq samples bytes */
	STMT_CHUNK_LIST,        /* monitor below_seq to_us → id last_seq from_us
				 * to_us, newest first */
	STMT_CHUNK_GET,         /* id → bytes */
	STMT_CHUNK_DOOM,        /* monitor limit: some of its chunks go */
	STMT_ROLLUP_PUT,        /* level hour monitor bytes */
	STMT_ROLLUP_GET,        /* level hour monitor → bytes */
	STMT_ROLLUP_NEXT,       /* level after → the next hour there is */
	STMT_ROLLUP_DEL,        /* level hour monitor */
	STMT_ROLLUP_OLD,        /* level hour limit: of hours before */
	STMT_CHUNK_OLD,         /* after_us after_id limit → id monitor
				 * last_seq samples bytes to_us, by to_us, id */
	STMT_CHUNK_NEWER,       /* monitor last_seq → samples, of those after */
	STMT_TRANSITION_PUT,    /* id monitor seq at from to why reason explain
				 * evidence; a key that is there: nothing */
	STMT_TRANSITION_HAVE,   /* id → 1 */
	STMT_TRANSITION_SINCE,  /* at_us → monitor at from to, by monitor, at, id */
	STMT_TRANSITION_LIST,   /* monitor from to below_id limit → as put */
	STMT_TRANSITION_ALL,    /* from to below_id limit → as put */
	STMT_TRANSITION_AT,     /* monitor at → as put, the last up to at */
	/* From the index of turns alone; id is the transition's. */
	STMT_TURN_AT,           /* monitor at → to, the last up to at */
	STMT_TURN_NEXT,         /* monitor at → from, the first after at */
	STMT_TURN_SPAN,         /* monitor from to → at from to id, by at */
	STMT_TURN_ALL,          /* monitor monitor to: first and last → monitor
				 * at from to id, by monitor, at */
	STMT_TRANSITION_MAX,    /* → greatest id, greatest at_us */
	STMT_TRANSITION_DOOM,   /* monitor limit */
	STMT_TRANSITION_FLOOR,  /* monitor at → at id, the newest up to at */
	STMT_TRANSITION_NTH,    /* monitor at id n → at id k: the n-th newest
				 * before (at, id), or the last, the k-th */
	STMT_TRANSITION_BEFORE, /* monitor at id limit: older ones go */
	STMT_EVIDENCE_PUT,      /* monitor text */
	STMT_EVIDENCE_GET, STMT_EVIDENCE_DEL,   /* monitor → text */
	STMT_EVENT_PUT,         /* id at kind from to why monitor actor subject
				 * text */
	STMT_EVENT_HAVE,        /* id → 1 */
	STMT_EVENT_RANGE,       /* → least id, greatest id, at_us of that */
	STMT_EVENT_DEL,         /* up to this id */
	STMT_EVENT_OLD,         /* after below limit kinds monitor from to → as
				 * put, oldest first; kinds: a bit each; 0 any */
	STMT_EVENT_NEW,         /* the same, newest first */
	STMT_EVENT_AGED,        /* at limit → the greatest id such that it and
				 * all before are older; 0: none */
	STMT_GAP_PUT,           /* from to */
	STMT_GAP_LOAD,          /* since → from to, oldest first */
	STMT_GAP_PRUNE,         /* keep the newest this many */
	STMT_GAP_OLD,           /* at limit: ended before */
	STMT_DOOMED_PUT, STMT_DOOMED_DEL,   /* monitor */
	STMT_DOOMED_LOAD,       /* → monitor */
	STMT_OUTBOX_PUT,        /* key channel state step attempts next expires
				 * remind monitor incident at note event; a key
				 * that is there: nothing */
	STMT_OUTBOX_MARK,       /* key state attempts next note kept maybe */
	STMT_OUTBOX_LOAD,       /* → key channel state step attempts next expires
				 * remind note event maybe, what is kept, by id */
	STMT_OUTBOX_GET,        /* key → state attempts next note */
	STMT_OUTBOX_OPEN,       /* monitor → incident, the newest kept */
	STMT_OUTBOX_OF,         /* monitor incident → as LOAD, by id */
	STMT_OUTBOX_OLD,        /* at limit: told before, and over */
	STMT_DELIVERY_PUT,      /* key channel members attempt code result at
				 * took text */
	STMT_DELIVERY_LIST,     /* channel below_id limit → id, as put; newest
				 * first */
	STMT_DELIVERY_PRUNE,    /* keep the newest this many */
	STMT_HEALTH_PUT,        /* channel failures told since ok failed error */
	STMT_HEALTH_LOAD,       /* → as put */
	STMT_HOLD_PUT,          /* monitor incident acked snoozed at by note */
	STMT_HOLD_GET,          /* monitor incident → acked snoozed by note */
	STMT_HOLD_OLD,          /* at limit: before, of what is over */
	STMT_HOLD_LOAD,         /* since_us → monitor incident, as GET */
	STMT_WINDOW_PUT,        /* name origin text made ended over */
	STMT_WINDOW_DEL,        /* name */
	STMT_WINDOW_LOAD,       /* → as put */
	STMT_WINDOW_OLD,        /* at limit: over before, not of the file */
	STMT_APPLIED_PUT,       /* name monitor from to monitors */
	STMT_APPLIED_CUT,       /* name at all (one monitor's, too): ends then */
	STMT_APPLIED_FLEX,      /* at → name monitor from to, each of a monitor */
	STMT_APPLIED_SPAN,      /* from to → from to monitor monitors name, by from */
	STMT_APPLIED_OLD,       /* at limit: ended before */
	STMTS_INCIDENT, STMT_APPLIED_BEFORE,   /* at → the last from before */
	/* audit.c: → monitor from_us to_us of what breaks a rule, unless said */
	STMT_AUDIT_PAGES,       /* → text: one row, "ok", when sound */
	STMT_AUDIT_QUICK,       /* the same without the indexes */
	STMT_AUDIT_KEYS,        /* → table rowid parent */
	STMT_AUDIT_STATES, STMT_AUDIT_EVIDENCE, STMT_AUDIT_GROUPS,
	STMT_AUDIT_NAMES, STMT_AUDIT_TEXTS, STMT_AUDIT_IDS,
	STMT_AUDIT_DOOMED, STMT_AUDIT_TOKENS, STMT_AUDIT_GAPS, STMT_AUDIT_APPLIED,
	STMT_AUDIT_CHUNK_BYTES, STMT_AUDIT_OUTBOX, STMT_AUDIT_WINDOWS,
	STMT_AUDIT_CHUNK_OWNER, /* after → the next monitor with chunks, known */
	STMT_AUDIT_CHUNKS,      /* monitor after_last_seq limit → id first_seq
				 * last_seq from_us to_us samples bytes */
	STMT_AUDIT_CHUNK_WITH,  /* monitor seq → bytes */
	STMT_AUDIT_CHUNK_LAST,  /* monitor → last_seq */
	STMT_AUDIT_TAIL,        /* after limit → id samples bytes */
	STMT_AUDIT_ROLLUPS,     /* after: level hour monitor, limit → level hour
				 * monitor bytes, known */
	STMT_AUDIT_TURN_OWNER,  /* after → as CHUNK_OWNER, of transitions */
	STMT_AUDIT_TURNS,       /* monitor after limit → id at from to */
	STMT_QUARANTINE_PUT,    /* at_us kind monitor reason record bytes; a
				 * record that is there: nothing */
	STMT_QUARANTINE_COUNT,  /* → how many */
	STMT_QUARANTINE_LIST,   /* below_id limit → id at_us kind monitor reason
				 * attempts length(bytes), newest first */
	STMT_QUARANTINE_GET,    /* id → as listed, bytes */
	STMT_QUARANTINE_DEL,    /* id */
	STMT_QUARANTINE_TRIED,  /* id reason: one more attempt */
	STMT_NMAX
};

struct stmt_row {
	const char *name;   /* a word for logs, errors and documents */
	enum pace pace;
};
extern const struct stmt_row stmt_rows[];   /* stmt.c: STMT_NMAX of them */

#endif

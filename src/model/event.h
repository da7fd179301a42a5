/* event.h: one entry of the event log: who did what, when. Stored by the
 * writer, bounded, text sanitised; read by API, SSE and "vedette events". */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdint.h>

#include "base/attr.h"

enum event_kind {
	EVENT_TRANSITION = 0,
	EVENT_CONFIG = 1,     /* monitor or channel created, changed, deleted */
	EVENT_START = 2,
	EVENT_STOP = 3,
	EVENT_DROP = 4,       /* something was dropped or shed: what, how many */
	EVENT_STORE = 5,      /* write errors, recovery, pauses of checking */
	EVENT_ACCESS = 6,     /* tokens created or revoked */
	EVENT_CLOCK = 7,      /* clock step, suspend, gap */
	EVENT_ALERT = 8,      /* acknowledged, snoozed; a channel fails */
	EVENT_HEALTH = 9,     /* of our own store; from, to: its levels */
	EVENT_QUARANTINE = 10,   /* units that could not be stored */
	EVENT_INCIDENT = 11,  /* what people wrote of incidents */
	EVENT_NMAX
};
const char *event_kind_name(enum event_kind k);

struct event {
	uint64_t id;          /* rising; given by the writer */
	int64_t at_us;
	uint8_t kind;
	uint8_t from, to;     /* EVENT_TRANSITION */
	uint8_t why;
	uint32_t monitor;     /* 0: none */
	char actor[64];       /* "daemon", "file", "uid:0", "token:name" */
	char subject[160];    /* the monitor's path, a channel, a token */
	char text[256];
};

#endif

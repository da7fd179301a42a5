/* status.h: what a monitor can be. The numbers are stored: never renumber. */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* From worst to best for groups; paused last, which groups ignore. */
enum status {
	STATUS_DOWN = 0,
	STATUS_UNKNOWN = 1,    /* we cannot see: our own trouble, or a gap */
	STATUS_LATE = 2,       /* a heartbeat is overdue, grace still runs */
	STATUS_DEGRADED = 3,   /* answers, but slower than it should, or the
				* certificate ends soon */
	STATUS_PENDING = 4,    /* nothing judged yet */
	STATUS_UP = 5,
	STATUS_PAUSED = 6,
	STATUS_NMAX
};

const char *status_name(enum status s);   /* "down", stable */
bool status_parse(struct str s, enum status *ret) MUST_USE;

/* 1 up (up, degraded, late), 0 down, -1 not known (monitor_up is absent). */
int status_up(enum status s);

#endif

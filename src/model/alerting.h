/* alerting.h: what people were told of a monitor, as far as the next message
 * depends on it. Part of mon_state: kept with every transition, and the same
 * after a restart as before. src/route decides with it; state/ only moves the
 * window of flapping, since that is folded from samples. */
#ifndef MODEL_ALERTING_H
#define MODEL_ALERTING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/status.h"

#define TOLD_MAX    16   /* channels that one incident is told to */
#define FLAP_STATES 20   /* samples that flapping looks back on */

struct alerting {
	/* at_us of the transition that opened the incident; 0: none is open.
	 * With the monitor's id it names it. */
	int64_t incident_us;
	/* It is up again, and its end was told for this moment; a failure
	 * before goes on with the same incident. 0: not so. What lies in the
	 * past is an incident that has ended. */
	int64_t recover_us;
	/* alert_channel_id of who was given an opening row (OPEN or FLAP),
	 * escalation included: they are told of the end, whatever the routes
	 * say by then. */
	uint32_t told[TOLD_MAX];
	uint8_t ntold;
	uint8_t severity;   /* enum severity, of the trouble as it is now */
	uint8_t status;     /* enum status, of the trouble as told last */
	bool flapping;      /* told so once: silence until it settles */
	uint32_t flap;      /* newest sample in bit 0: did the status change? */
};

/* Is an incident going on at that time? */
static inline bool
alerting_open(const struct alerting *a, int64_t at_us)
{
	return a->incident_us != 0 &&
	    (a->recover_us == 0 || at_us < a->recover_us);
}

/* False: it contradicts itself, as a damaged row could make it. */
bool alerting_ok(const struct alerting *a);

/* One more sample in the window of flapping. */
static inline void
alerting_note(struct alerting *a, bool changed)
{
	a->flap = (a->flap << 1 | changed) & ((UINT32_C(1) << FLAP_STATES) - 1);
}

#endif

/* plan.h: routes made ready: zones loaded, names turned into numbers. For
 * src/route only; others use route.h. Immutable. */
#ifndef ROUTE_PLAN_H
#define ROUTE_PLAN_H

#include <stdatomic.h>

#include "route/route.h"
#include "route/schedule.h"

struct route {
	const struct route_conf *conf;
	struct schedule *hours;    /* owned; one of them open: it is */
	size_t nhours;             /* 0: always */
};
struct route_plan {
	atomic_int refs;
	struct settings *conf;     /* owned: only what is about alerts */
	struct route *routes;      /* owned */
	struct strings channels;   /* owned */
	uint32_t *ids;             /* of channels, in their order */
	uint32_t flap_on, flap_off;            /* thousandths; on 0: never */
	int64_t cert_s[CERT_DAYS_MAX];         /* ascending */
	size_t ncert;
};

/* An event on its way to rows. */
struct telling {
	const struct route_plan *plan;
	const struct route_event *e;
	struct alerting *told;     /* whom to add; NULL: nobody is told of an
				    * end, since there is none */
	enum alert_kind kind;
	uint8_t severity, status;  /* what routes look at */
	const char *word;          /* the same for match.status */
	uint8_t from;              /* as shown */
	/* Of who was told before: his routes are done with. STATUS_NMAX: none */
	uint8_t was_severity, was_status;
	struct route_rows *out;
	size_t first;              /* of out, that is this event's */
};
/* Rows for whoever the routes name now and who is not told yet, with their
 * escalation. */
void plan_tell(struct telling *t);
/* One row for each of who was told. */
void plan_tell_told(struct telling *t, int64_t next_us);
/* How long it has to be up: the monitor's own word, or the longest of its
 * routes. */
int64_t plan_recovery_us(const struct route_plan *p,
    const struct monitor_conf *c, uint8_t severity, uint8_t status);

#endif

/* route.h: whom an event is told to, as outbox rows. Pure: no clock, no I/O.
 * It decides who; whether and when a row is really sent (windows, parents,
 * snoozes, storms, acknowledgements) is the desk's business in alert/.
 *
 * An incident is one trouble of one monitor, from the transition that opened
 * it to the one that ends it:
 *
 *   none ── down, degraded, late ──► open ── up, paused ──► none
 *
 * Unknown and pending are neither: they open nothing and end nothing, but a
 * group that becomes pending because no member counts has ended. While it is
 * open:
 *   OPEN     the first row for a channel (or FLAP, see below). Escalation
 *            steps are OPEN rows with step > 0 and next_us ahead; whoever
 *            sends drops them when the incident is acknowledged or over.
 *   CHANGE   to whom was told already, when the trouble became another one.
 *            A route that takes only the new one gives OPEN rows besides.
 *   RESOLVE  to exactly those who have an opening row. With a recovery delay
 *            its next_us is ahead, and a failure before makes it void: then a
 *            CHANGE whose from is up says so. Where the RESOLVE still waits,
 *            neither is sent; where it went out, the CHANGE is.
 *   FLAP     once, in place of what else would be told, when the status
 *            changes too often; then silence (the incident goes on) until it
 *            settles: up, which resolves, or not, which is a SETTLE.
 *   REMIND   not made here: a row's remind_us says how often.
 * A certificate that ends soon is an event of its own (CERT), no incident. */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "model/alert.h"

struct route_plan;

#define ROUTE_ROWS_MAX 256   /* of one event */
struct route_rows {
	struct outbox_row *v;    /* owned: xfree, or given to a unit */
	size_t n;
};

/* What became of a monitor: a sample, a heartbeat, a pause. */
struct route_event {
	const struct monitor_conf *conf;
	uint8_t from, to, why;     /* as of its status; from == to: no change */
	int64_t at_us;
	int64_t latency_us;        /* -1: none */
	int64_t cert_expiry_s;     /* of this sample; 0: none seen */
	const char *reason;
};

/* Fold it into st->alerting (and st->cert_warned_s) and append the rows that
 * tell of it. True: something in st changed, so that it is to be stored. */
bool route_step(const struct route_plan *p, const struct route_event *e,
    struct mon_state *st, struct route_rows *out);

/* The monitor goes for good: who was told of an open incident hears of its
 * end. channels as for a plan, which this does not need. */
void route_gone(const struct strings *channels, const struct route_event *e,
    struct mon_state *st, struct route_rows *out);

/* We saw nothing from … to …: a row for every channel that hears of our own
 * trouble. */
void route_sight(const struct route_plan *p, int64_t from_us,
    int64_t until_us, struct route_rows *out);

/* A plan is immutable and shared by reference between threads. channels: the
 * names of all there are, to find who was told again. ERR_INVALID names what
 * is wrong and where. */
enum err route_plan_make(const struct settings *s,
    const struct strings *channels, struct route_plan **ret,
    struct errinfo *ei) MUST_USE;
struct route_plan *route_plan_ref(struct route_plan *p);
void route_plan_unref(struct route_plan *p);   /* NULL is fine */

#endif

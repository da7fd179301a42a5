/* flap.h: does a status come and go too often to be told each time? Looked at
 * are the last FLAP_STATES samples of struct alerting: those at which the
 * status changed, the newest counting 1.15 and the oldest 0.80, as a share of
 * all of them. With two thresholds, so that it does not flap itself.
 * Algorithm: Icinga 2's flapping detection (documentation, "Service Flapping"),
 * over confirmed statuses instead of single results. Pure. */
#ifndef ROUTE_FLAP_H
#define ROUTE_FLAP_H

#include <stdbool.h>
#include <stdint.h>

/* 0 to 975: in thousandths. flap as in struct alerting. */
uint32_t flap_share(uint32_t flap);

#endif

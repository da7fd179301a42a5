/* beacon.h: what net.beacons names: places whose silence means that vedette
 * itself sees nothing. Words only; who asks them is src/sched. */
#ifndef CONF_BEACON_H
#define CONF_BEACON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

enum beacon_kind {
	BEACON_TCP,        /* tcp://HOST:PORT */
	BEACON_PING,       /* ping://HOST */
	BEACON_DNS,        /* dns://SERVER, dns://SERVER:PORT */
	BEACON_GATEWAY,    /* gateway: of the default routes there are */
	BEACON_RESOLVERS   /* resolvers: those that names are asked of */
};
struct beacon_spec {
	enum beacon_kind kind;
	struct str host;   /* borrowed from the text; without brackets */
	uint16_t port;     /* TCP, DNS; 0: not given */
};
bool beacon_parse(struct str s, struct beacon_spec *ret) MUST_USE;
/* For its option row: NULL, or what is allowed. */
const char *beacon_check(struct str s);

#endif

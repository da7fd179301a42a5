/* serve_alerts.h: the courier and what it needs of the daemon. Main thread. */
#ifndef SERVE_ALERTS_H
#define SERVE_ALERTS_H

#include "serve_core.h"

/* The key that signs links in messages: DATA/link.key, 0600, made at the
 * first start. A file that is shorter or open to others is refused. */
enum err core_link_key(struct core *co, struct errinfo *ei) MUST_USE;
/* Before the store is opened, so that nothing durable is missed. */
void core_courier_new(struct core *co);
/* After the store and its configuration, before the shards. */
enum err core_courier(struct core *co, struct errinfo *ei) MUST_USE;

#endif

/* courier.h: the thread that delivers outbox rows. Fed with rows once they are
 * durable, it lets the desk decide (desk.h), has channels write the requests
 * (kind.h), sends them (send.h), and has the writer store what became of them.
 * What it knows after a crash is what the store knows: a row that was waiting
 * then may have been sent. */
#ifndef ALERT_COURIER_H
#define ALERT_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "alert/desk.h"
#include "base/err.h"
#include "conf/conf.h"
#include "model/link.h"
#include "model/unit.h"

struct store;
struct courier;

struct courier_conf {
	struct store *store;
	const struct settings *settings;   /* net: read at the start */
	unsigned char link_key[LINK_KEY];
};

/* Before the store: what it hears waits in a mailbox. */
struct courier *courier_new(void) MUST_USE;
/* After store_start. The rows that are kept are read here. */
enum err courier_start(struct courier *c, const struct courier_conf *conf,
    struct errinfo *ei) MUST_USE;
/* Nothing more is begun; what is on its way has until then. */
void courier_stop(struct courier *c, int64_t deadline_ns);
void courier_free(struct courier *c);

/* -- any thread ---------------------------------------------------------------- */
/* store_conf.durable */
void courier_durable(void *courier, const struct unit *u);
/* Alerts as settings say and the channels as they are stored now. */
void courier_configure(struct courier *c, const struct settings *alerting);
/* Mutes may have changed: windows, parents. */
void courier_look(struct courier *c);
void courier_metrics(struct courier *c, struct buf *out);
/* How each channel does: {NAME: {pending, held, failing_since, …}}. */
json_t *courier_channels(struct courier *c) MUST_USE;

#endif

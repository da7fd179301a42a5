/* outbox.h: alerts as rows: what is to be told (outbox), what was tried
 * (delivery), how each channel does (channel_health), what people took notice
 * of (hold). A row is kept while it is live or its incident is open for its
 * channel; kept rows are never pruned. */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "model/alert_unit.h"
#include "store/inside.h"
#include "store/query.h"

#define DELIVERIES_KEPT 20000   /* attempts remembered, of all channels */
#define HOLDS_SINCE_US  (INT64_C(400) * 86400 * 1000000)   /* read at start */

/* -- the writer's thread ------------------------------------------------- */
/* Rows into the transaction under way; a key that is there changes nothing,
 * and the row says so (known). */
enum err outbox_rows(struct store *s, struct outbox_row *v, size_t n,
    struct errinfo *ei) MUST_USE;
enum err outbox_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;

/* -- any thread, once at start ------------------------------------------- */
/* Everything kept, oldest first, by a connection of its own. Ask after
 * store_start: what commits meanwhile comes through store_conf.durable too,
 * and is known again by its key. */
struct outbox_reader {
	void (*row)(void *arg, const struct outbox_row *r);
	void (*health)(void *arg, const struct channel_health *h);
	void (*hold)(void *arg, const struct hold *h);
	void *arg;
};
enum err outbox_load(struct store *s, const struct outbox_reader *to,
    struct errinfo *ei) MUST_USE;

/* -- reader threads --------------------------------------------------------- */
struct stored_delivery {
	uint64_t id;
	struct delivery d;
};
struct delivery_query {
	const char *channel;
	uint64_t before_id;   /* page on: only older; 0 newest */
	unsigned limit;
};
/* Newest first. Caller xfrees. */
enum err query_deliveries(struct reader *r, const struct delivery_query *q,
    struct stored_delivery **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
/* Every row of one incident, oldest first. Caller xfrees. */
#define QUERY_OUTBOX_MAX 1000
enum err query_outbox(struct reader *r, uint32_t monitor, int64_t incident_us,
    struct outbox_row **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
/* How one row is: key, state, attempts, next_us, note. ERR_NOT_FOUND. */
enum err query_outbox_row(struct reader *r, const char *key,
    struct outbox_mark *ret, struct errinfo *ei) MUST_USE;
/* ERR_NOT_FOUND: nobody took notice of it. */
enum err query_hold(struct reader *r, uint32_t monitor, int64_t incident_us,
    struct hold *ret, struct errinfo *ei) MUST_USE;

#endif

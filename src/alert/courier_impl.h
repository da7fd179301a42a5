/* courier_impl.h: the courier's parts, for courier*.c only. */
#ifndef ALERT_COURIER_IMPL_H
#define ALERT_COURIER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "alert/courier.h"
#include "alert/kind.h"
#include "alert/send.h"
#include "base/list.h"
#include "base/mbox.h"
#include "net/net.h"
#include "store/store.h"
#include "world/world.h"

enum mail_kind { MAIL_ROWS, MAIL_HOLD, MAIL_TELL, MAIL_SETUP, MAIL_LOOK,
	MAIL_STOP };

/* What the daemon is set to, made outside and given to the thread. */
struct setup {
	struct desk_conf desk;
	struct desk_channel_conf *desks;   /* owned, one per channel */
	struct alert_channel **channels;   /* owned, by place; NULL: broken */
	char (*names)[CHANNEL_NAME_MAX];
	size_t n;
	char *base_url;
	struct strings exec_allow;         /* owned */
	struct zone *zone;
	unsigned refs;                     /* deliveries under way, and us */
};

struct mail {
	struct msg msg;
	enum mail_kind kind;
	struct outbox_row *rows;           /* owned */
	size_t n;
	struct hold_change hold;
	struct alert_event event;
	struct setup *setup;
	int64_t deadline_ns;
};

/* One message on its way. */
struct delivery_run {
	struct list node;
	struct courier *c;
	struct setup *setup;               /* a reference */
	struct desk_message *m;
	struct outbox_row *rows;
	struct alert_item *items;
	char (*links)[LINK_TEXT + 300];
	struct alert_message msg;
	struct alert_place place;
	struct alert_request req;
	struct send *send;
	size_t part;
	int64_t began_ns;
};

/* A copy of what others may look at. */
struct glance {
	struct channel_health health;
	bool known;
	uint32_t pending, held;
	int64_t retry_us;
	uint64_t ended[OUTBOX_STATE_NMAX], failed;
};

struct courier {
	struct courier_conf conf;
	struct mbox inbox;
	pthread_t thread;
	bool started, joined;
	/* told by the thread once */
	pthread_mutex_t mu;
	pthread_cond_t cv;
	bool told;
	enum err start_err;
	struct errinfo start_ei;
	struct glance *glances;            /* under mu */
	size_t nglances;
	/* the thread's own */
	struct world *world;
	struct net *net;
	struct desk *desk;
	struct setup *setup;
	struct timer timer, last;
	struct list runs;
	int64_t epoch_us;          /* wall clock minus monotonic, as followed */
	bool stopping;
	char host[256];
};

/* courier.c: after anything that may have changed something. */
void courier_turn(struct courier *c);
/* The wall clock for the desk. When it was set, what waits still waits as
 * long as it had to. */
int64_t courier_now_us(struct courier *c);
/* courier_setup.c */
struct setup *setup_new(const struct settings *alerting, const char *zone,
    struct store *s) MUST_USE;
void setup_unref(struct setup *s);
struct alert_channel *setup_channel(const struct setup *s, const char *name);
/* courier_run.c */
void courier_deliver(struct courier *c, struct desk_message *m);
void courier_cancel(struct delivery_run *r);

#endif

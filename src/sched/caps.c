#define OWNS_OFF
#include "sched/caps.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define NOBODY (-1)
#define STRIDE (UINT64_C(1) << 32)   /* an offer's price for one who waits */

/* One while it holds slots or somebody waits for it. */
struct host {
	struct map_node node;
	uint64_t key;
	uint32_t used;
	uint64_t waiting;      /* shards, one bit each */
	int offered;           /* a shard, or NOBODY */
	struct list link;      /* in that shard's list of offers */
};

struct caps {
	pthread_mutex_t mu;
	uint32_t in_flight, per_host;   /* the bounds */
	uint32_t used, offered, withheld;
	uint64_t waiting;
	unsigned turn;                  /* the shard that was offered last */
	uint64_t pass;                  /* and what it had paid by then */
	struct map hosts;
	struct {
		uint32_t offered;       /* slots kept for it */
		_Atomic uint32_t many;  /* checks that wait there */
		uint64_t pass;          /* what its offers have cost */
		struct list hosts;      /* and whose host is kept for it */
	} shards[CAPS_SHARDS_MAX];
	void (*wake)(void *arg, unsigned shard);
	void *arg;
};

static uint64_t
bit(unsigned shard)
{
	assert(shard < CAPS_SHARDS_MAX);
	return UINT64_C(1) << shard;
}

/* The next waiting shard after "after", in turn. mask is not 0. */
static unsigned
next_of(uint64_t mask, unsigned after)
{
	for (unsigned i = 1; i <= CAPS_SHARDS_MAX; i++) {
		unsigned s = (after + i) % CAPS_SHARDS_MAX;

		if ((mask & bit(s)) != 0)
			return s;
	}
	abort();
}

struct caps *
caps_new(uint32_t in_flight, uint32_t per_host,
    void (*wake)(void *arg, unsigned shard), void *arg)
{
	struct caps *c = xcalloc(1, sizeof(*c));

	assert(in_flight > 0);
	assert(per_host > 0);
	if (pthread_mutex_init(&c->mu, NULL) != 0)
		abort();
	c->in_flight = in_flight;
	c->per_host = per_host;
	c->wake = wake;
	c->arg = arg;
	for (unsigned i = 0; i < CAPS_SHARDS_MAX; i++)
		list_init(&c->shards[i].hosts);
	return c;
}

void
caps_free(struct caps *c)
{
	if (c == NULL)
		return;
	assert(c->used == 0);
	MAP_EACH(n, &c->hosts)
		xfree(CONTAINER(n, struct host, node));
	map_free(&c->hosts);
	(void)pthread_mutex_destroy(&c->mu);
	xfree(c);
}

static struct host *
host_find(struct caps *c, uint64_t key)
{
	struct map_node *n = map_first(&c->hosts, map_hash_u64(key));

	for (; n != NULL; n = map_next(n)) {
		struct host *h = CONTAINER(n, struct host, node);

		if (h->key == key)
			return h;
	}
	return NULL;
}

static struct host *
host_get(struct caps *c, uint64_t key)
{
	struct host *h = host_find(c, key);

	if (h != NULL)
		return h;
	h = xcalloc(1, sizeof(*h));
	h->key = key;
	h->offered = NOBODY;
	map_put(&c->hosts, &h->node, map_hash_u64(key));
	return h;
}

static void
host_drop(struct caps *c, struct host *h)
{
	if (h->used > 0 || h->waiting != 0 || h->offered != NOBODY)
		return;
	map_del(&c->hosts, &h->node);
	xfree(h);
}

static void
wake_all(struct caps *c, uint64_t shards)
{
	for (unsigned i = 0; shards != 0; i++, shards >>= 1)
		if ((shards & 1) != 0)
			c->wake(c->arg, i);
}

/* Stride scheduling (Waldspurger 1995): an offer costs the less, the more
 * checks wait there, and the shard that has paid least is next. So each check
 * has the same share, whichever shard it lives on. Equals take turns. */
static unsigned
cheapest(const struct caps *c)
{
	unsigned best = next_of(c->waiting, c->turn);

	for (unsigned i = 1; i <= CAPS_SHARDS_MAX; i++) {
		unsigned s = (c->turn + i) % CAPS_SHARDS_MAX;

		if ((c->waiting & bit(s)) != 0 &&
		    c->shards[s].pass < c->shards[best].pass)
			best = s;
	}
	return best;
}

static void
pay(struct caps *c, unsigned shard)
{
	uint32_t many = atomic_load_explicit(&c->shards[shard].many,
	    memory_order_relaxed);

	c->turn = shard;
	c->pass = c->shards[shard].pass;
	c->shards[shard].pass += STRIDE / MAX(many, UINT32_C(1));
}

static void
wait_for_slot(struct caps *c, unsigned shard)
{
	/* Who comes back has saved nothing up while it was away. */
	if ((c->waiting & bit(shard)) == 0)
		c->shards[shard].pass = MAX(c->shards[shard].pass, c->pass);
	c->waiting |= bit(shard);
}

/* Offer what is free to who waits; returns whom to wake. Locked. */
static uint64_t
offer_slots(struct caps *c)
{
	uint64_t woken = 0;

	while (c->waiting != 0 && c->used + c->offered < c->in_flight) {
		pay(c, cheapest(c));
		c->waiting &= ~bit(c->turn);
		c->shards[c->turn].offered++;
		c->offered++;
		woken |= bit(c->turn);
	}
	return woken;
}

static uint64_t
offer_host(struct caps *c, struct host *h, unsigned after)
{
	unsigned to;

	if (h->waiting == 0 || h->offered != NOBODY || h->used >= c->per_host)
		return 0;
	to = next_of(h->waiting, after);
	h->waiting &= ~bit(to);
	h->offered = (int)to;
	list_push(&c->shards[to].hosts, &h->link);
	return bit(to);
}

void
caps_set(struct caps *c, uint32_t in_flight, uint32_t per_host)
{
	uint64_t woken = 0;

	assert(in_flight > 0);
	assert(per_host > 0);
	pthread_mutex_lock(&c->mu);
	c->in_flight = in_flight;
	c->per_host = per_host;
	woken |= offer_slots(c);
	MAP_EACH(n, &c->hosts)
		woken |= offer_host(c, CONTAINER(n, struct host, node), 0);
	pthread_mutex_unlock(&c->mu);
	wake_all(c, woken);
}

static bool
host_full(const struct caps *c, const struct host *h, unsigned shard)
{
	uint32_t kept = h->offered != NOBODY && h->offered != (int)shard;

	return h->used + kept >= c->per_host;
}

static enum caps_answer
take(struct caps *c, struct host *h, unsigned shard)
{
	if (h != NULL && host_full(c, h, shard)) {
		h->waiting |= bit(shard);
		return CAPS_HOST_FULL;
	}
	if (c->shards[shard].offered > 0) {
		c->shards[shard].offered--;
		c->offered--;
	} else if (c->used + c->offered >= c->in_flight) {
		wait_for_slot(c, shard);
		return CAPS_FULL;
	}
	c->used++;
	if (h != NULL) {
		h->used++;
		if (h->offered == (int)shard) {
			h->offered = NOBODY;
			list_del(&h->link);
		}
	}
	return CAPS_OK;
}

enum caps_answer
caps_take(struct caps *c, uint64_t host, unsigned shard)
{
	enum caps_answer a;
	struct host *h;

	assert(shard < CAPS_SHARDS_MAX);
	pthread_mutex_lock(&c->mu);
	h = host != 0 ? host_get(c, host) : NULL;
	a = take(c, h, shard);
	if (h != NULL)
		host_drop(c, h);
	pthread_mutex_unlock(&c->mu);
	return a;
}

void
caps_give(struct caps *c, uint64_t host, unsigned shard)
{
	uint64_t woken;

	assert(shard < CAPS_SHARDS_MAX);
	pthread_mutex_lock(&c->mu);
	assert(c->used > 0);
	c->used--;
	woken = offer_slots(c);
	if (host != 0) {
		struct host *h = host_find(c, host);

		assert(h != NULL);
		assert(h->used > 0);
		h->used--;
		woken |= offer_host(c, h, shard);
		host_drop(c, h);
	}
	pthread_mutex_unlock(&c->mu);
	/* Who gives looks for itself next. */
	wake_all(c, woken & ~bit(shard));
}

void
caps_decline(struct caps *c, unsigned shard)
{
	uint64_t woken = 0;
	struct list *n;

	assert(shard < CAPS_SHARDS_MAX);
	pthread_mutex_lock(&c->mu);
	if (c->shards[shard].offered > 0) {
		c->offered -= c->shards[shard].offered;
		c->shards[shard].offered = 0;
		/* An offer left over: its last round was not refused. */
		c->waiting &= ~bit(shard);
		woken |= offer_slots(c);
	}
	while ((n = list_pop(&c->shards[shard].hosts)) != NULL) {
		struct host *h = CONTAINER(n, struct host, link);

		h->offered = NOBODY;
		h->waiting &= ~bit(shard);
		woken |= offer_host(c, h, shard);
		host_drop(c, h);
	}
	pthread_mutex_unlock(&c->mu);
	wake_all(c, woken & ~bit(shard));
}

void
caps_waiting(struct caps *c, unsigned shard, size_t n)
{
	assert(shard < CAPS_SHARDS_MAX);
	atomic_store_explicit(&c->shards[shard].many,
	    (uint32_t)MIN(n, (size_t)UINT32_MAX), memory_order_relaxed);
}

uint32_t
caps_in_use(struct caps *c)
{
	uint32_t n;

	pthread_mutex_lock(&c->mu);
	n = c->used;
	pthread_mutex_unlock(&c->mu);
	return n;
}

bool
caps_withhold(struct caps *c, bool on)
{
	bool edge;

	pthread_mutex_lock(&c->mu);
	assert(on || c->withheld > 0);
	edge = on ? c->withheld++ == 0 : --c->withheld == 0;
	pthread_mutex_unlock(&c->mu);
	return edge;
}

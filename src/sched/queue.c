/* queue.c: who waits for a slot. One first-in-first-out queue per host; the
 * queues that may try take turns, one start each, so a host with a thousand
 * waiting checks delays its neighbour by one. A queue whose host is full
 * stands aside until a slot of that host is given back.
 *
 * While the sink is too full nothing is started at all: beats are skipped and
 * counted, and what waits keeps its place. */
#include <assert.h>

#include "base/mem.h"
#include "base/time.h"
#include "sched/parts.h"

#define PUMP_MAX  256                   /* starts in one go */
#define LOOK_NS   (100 * NS_PER_MS)     /* at the sink while it is full */
/* Lower than where it began: it should not flap. */
#define RESUME_LOAD 0.5

struct hostq {
	struct map_node node;
	uint64_t host;
	struct list mons;    /* mon.wait, oldest first; never empty */
	struct list ring;    /* in sched.ready or sched.blocked */
	bool blocked;
};

static timer_fn on_pump;

void
queue_init(struct sched *s)
{
	list_init(&s->ready);
	list_init(&s->blocked);
}

static struct hostq *
find(const struct sched *s, uint64_t host)
{
	struct map_node *n = map_first(&s->hosts, map_hash_u64(host));

	for (; n != NULL; n = map_next(n)) {
		struct hostq *q = CONTAINER(n, struct hostq, node);

		if (q->host == host)
			return q;
	}
	return NULL;
}

static void
set_blocked(struct sched *s, struct hostq *q, bool blocked)
{
	list_del(&q->ring);
	list_push(blocked ? &s->blocked : &s->ready, &q->ring);
	q->blocked = blocked;
}

static void
enter(struct mon *m, bool host_full)
{
	struct sched *s = m->sched;
	struct hostq *q = find(s, m->host);

	if (q == NULL) {
		q = xcalloc(1, sizeof(*q));
		q->host = m->host;
		list_init(&q->mons);
		map_put(&s->hosts, &q->node, map_hash_u64(q->host));
		set_blocked(s, q, host_full);
	}
	list_push(&q->mons, &m->wait);
	m->phase = MON_WAITING;
	s->nwaiting++;
	s->stats->waiting++;
	caps_waiting(s->caps, s->shard, s->nwaiting);
}

static void
drop_if_empty(struct sched *s, struct hostq *q)
{
	assert(q != NULL);
	if (!list_empty(&q->mons))
		return;
	map_del(&s->hosts, &q->node);
	list_del(&q->ring);
	xfree(q);
}

void
queue_leave(struct mon *m)
{
	struct sched *s = m->sched;

	if (m->phase != MON_WAITING)
		return;
	m->phase = MON_IDLE;
	list_del(&m->wait);
	s->nwaiting--;
	s->stats->waiting--;
	caps_waiting(s->caps, s->shard, s->nwaiting);
	drop_if_empty(s, find(s, m->host));
}

void
queue_forget(struct sched *s)
{
	MAP_EACH(n, &s->mons)
		queue_leave(CONTAINER(n, struct mon, node));
	assert(s->nwaiting == 0);
}

void
queue_free(struct sched *s)
{
	assert(s->nwaiting == 0);
	timer_stop(s->world, &s->pump);
	if (s->withheld)
		(void)caps_withhold(s->caps, false);
	map_free(&s->hosts);
}

bool
queue_withheld(struct sched *s)
{
	double load = s->sink->load(s->sink);

	if (!s->withheld && load >= SCHED_PAUSE_LOAD) {
		s->withheld = true;
		timer_set(s->world, &s->pump, world_now(s->world) + LOOK_NS,
		    on_pump);
		if (caps_withhold(s->caps, true))
			report_event(s, EVENT_STORE, 0, "checking paused: "
			    "the store's queue is full");
	} else if (s->withheld && load < RESUME_LOAD) {
		s->withheld = false;
		if (caps_withhold(s->caps, false))
			report_event(s, EVENT_STORE, 0, "checking goes on: "
			    "the store's queue has room again");
	}
	return s->withheld;
}

void
queue_start(struct mon *m, int64_t due_ns, bool recheck)
{
	struct sched *s = m->sched;
	enum caps_answer a;

	assert(m->phase == MON_IDLE);
	if (s->stop_ns != 0)
		return;
	if (queue_withheld(s)) {
		s->stats->paused_by_store++;
		if (recheck) {
			m->recheck_ns = world_now(s->world) +
			    m->conf->retry_interval_ns;
			time_arm(m);
		}
		return;
	}
	m->wait_due_ns = due_ns;
	m->wait_recheck = recheck;
	/* Nobody overtakes: neither those of its host, nor, while there is no
	 * slot at all, anybody. */
	if (!list_empty(&s->ready) || find(s, m->host) != NULL) {
		enter(m, false);
		return;
	}
	a = caps_take(s->caps, m->host, s->shard);
	if (a == CAPS_OK)
		run_begin(m, due_ns, recheck);
	else
		enter(m, a == CAPS_HOST_FULL);
}

static void
start_first(struct sched *s, struct hostq *q)
{
	struct mon *m = CONTAINER(q->mons.next, struct mon, wait);

	/* Its next one has to wait for the others' turn. */
	set_blocked(s, q, false);
	queue_leave(m);
	run_begin(m, m->wait_due_ns, m->wait_recheck);
}

void
queue_pump(struct sched *s)
{
	enum caps_answer a = CAPS_OK;

	if (s->stop_ns != 0 || (s->nwaiting > 0 && queue_withheld(s))) {
		caps_decline(s->caps, s->shard);
		return;
	}
	for (unsigned i = 0; !list_empty(&s->ready); i++) {
		struct hostq *q = CONTAINER(s->ready.next, struct hostq, ring);

		if (i == PUMP_MAX) {
			timer_set(s->world, &s->pump, world_now(s->world),
			    on_pump);
			break;
		}
		a = caps_take(s->caps, q->host, s->shard);
		if (a == CAPS_FULL)
			break;
		if (a == CAPS_HOST_FULL)
			set_blocked(s, q, true);
		else
			start_first(s, q);
	}
	if (a != CAPS_FULL)
		caps_decline(s->caps, s->shard);
}

static void
on_pump(UNUSED struct world *w, struct timer *t)
{
	struct sched *s = CONTAINER(t, struct sched, pump);

	time_sync(s);
	if (queue_withheld(s))
		timer_set(s->world, &s->pump, world_now(s->world) + LOOK_NS,
		    on_pump);
	else
		queue_pump(s);
}

void
queue_give(struct sched *s, uint64_t host)
{
	struct hostq *q;

	caps_give(s->caps, host, s->shard);
	q = find(s, host);
	if (q != NULL && q->blocked)
		set_blocked(s, q, false);
	queue_pump(s);
}

void
queue_unblock(struct sched *s)
{
	struct list *n;

	while ((n = list_pop(&s->blocked)) != NULL) {
		struct hostq *q = CONTAINER(n, struct hostq, ring);

		list_push(&s->ready, &q->ring);
		q->blocked = false;
	}
}

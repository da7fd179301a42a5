/* sched_rig.h: the scheduler in a small world: a clock that is moved by hand, a
 * target that answers when told to, and a sink that keeps every unit.
 * Interleavings in time are the simulator's. Include cmocka.h first. */
#ifndef TESTS_SCHED_RIG_H
#define TESTS_SCHED_RIG_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "sched/sched.h"

#define MS NS_PER_MS
#define S  NS_PER_S

/* -- the world --------------------------------------------------------------- */

struct desk {
	struct world world;
	int64_t now, wall_off;
	struct check_env env;
	struct caps *caps;
	struct sched *sched;
	struct sched_stats stats;
	struct sink sink;
	double load;
	struct unit *units;           /* newest first */
	unsigned nunits, samples, transitions, events;
	struct result_unit *last;     /* the newest result */
	unsigned starts, cancels, refuse;
	int64_t *started;             /* of each start */
	bool silent;
	enum why answer;
	int64_t latency;
	enum err acked;
	unsigned acks;
	struct ack ack;
};

static struct desk *d;

static UNUSED int64_t
now_ns(struct world *w)
{
	(void)w;
	return d->now;
}

static UNUSED int64_t
wall_us(struct world *w)
{
	(void)w;
	return (d->now + d->wall_off) / NS_PER_US;
}

static UNUSED uint64_t
rnd(struct world *w)
{
	(void)w;
	return 4;
}

static UNUSED void
rearm(struct world *w)
{
	(void)w;
}

static const struct world_ops ops = {now_ns, wall_us, rnd, rearm};

static UNUSED void
run_to(int64_t at)
{
	struct heap_node *n;

	while ((n = heap_min(&d->world.timers)) != NULL && n->key <= at) {
		if (n->key > d->now)
			d->now = n->key;
		d->world.turn_ns = d->now;
		while (world_fire(&d->world))
			continue;
	}
	d->now = d->world.turn_ns = at;
	role_is(&shard_role);
	sched_check(d->sched);
}

/* -- the target -------------------------------------------------------------- */

struct own {
	uint32_t target, host;
};
struct toy {
	struct check check;
	struct timer timer;
};

static const struct opt toy_opts[] = {
	COUNTER("target", own, target, .flags = OPT_TARGET, .dflt = "0",
	    .max = 99, .help = "which"),
	COUNTER("host", own, host, .dflt = "0", .max = 99, .help = "where"),
	OPT_END
};
static const struct opt none[] = {OPT_END};

static UNUSED void
toy_answer(struct world *w, struct timer *t)
{
	struct toy *k = CONTAINER(t, struct toy, timer);

	(void)w;
	k->check.out.why = d->answer;
	k->check.out.latency_ns = d->latency;
	if (d->answer != WHY_OK)
		(void)snprintf(k->check.out.reason,
		    sizeof(k->check.out.reason), "bad\n\033[1m");
	check_end(&k->check);
}

static UNUSED enum err
toy_start(struct check *c)
{
	struct toy *k = CONTAINER(c, struct toy, check);

	if (d->refuse > 0) {
		d->refuse--;
		check_why(c, WHY_LOCAL_FDS, "none left");
		return ERR_SYS;
	}
	d->started = xrealloc(d->started, d->starts + 1, sizeof(int64_t));
	d->started[d->starts++] = d->now;
	if (!d->silent)
		timer_set(&d->world, &k->timer, d->now + d->latency,
		    toy_answer);
	return ERR_OK;
}

static UNUSED void
toy_cancel(struct check *c)
{
	struct toy *k = CONTAINER(c, struct toy, check);

	timer_stop(&d->world, &k->timer);
	d->cancels++;
	check_why(c, WHY_NET_TIMEOUT, "silence");
}

static UNUSED void
toy_host(const void *own, struct buf *out)
{
	const struct own *o = own;

	if (o->host != 0)
		buf_addf(out, "h%u", o->host);
}

static UNUSED const struct check_kind toy = {
	.conf = {.name = "toy", .drive = DRIVE_ACTIVE, .opts = toy_opts,
	    .conf_size = sizeof(struct own), .host = toy_host},
	.size = sizeof(struct toy), .start = toy_start, .cancel = toy_cancel,
};
static UNUSED const struct check_kind push = {
	.conf = {.name = "push", .drive = DRIVE_PUSH, .opts = none},
};
static UNUSED const struct check_kind group = {
	.conf = {.name = "group", .drive = DRIVE_GROUP, .opts = none},
};

/* -- the sink ---------------------------------------------------------------- */

static UNUSED void
put(struct sink *k, struct unit *u)
{
	(void)k;
	assert_true(u->bytes > 0);
	u->msg.next = d->units != NULL ? &d->units->msg : NULL;
	d->units = u;
	d->nunits++;
	if (u->kind == UNIT_EVENT) {
		d->events++;
		return;
	}
	d->last = CONTAINER(u, struct result_unit, unit);
	d->samples += d->last->has_sample;
	d->transitions += d->last->own != NULL &&
	    d->last->own->has_transition;
	if (u->ack != NULL)
		u->ack->done(u->ack, ERR_OK, NULL);
}

static UNUSED double
load(struct sink *k)
{
	(void)k;
	return d->load;
}

static UNUSED void
on_ack(struct ack *a, enum err e, const struct errinfo *ei)
{
	(void)a;
	(void)ei;
	d->acked = e;
	d->acks++;
}

/* -- stage directions --------------------------------------------------------- */

static UNUSED void
wake(void *arg, unsigned shard)
{
	(void)arg;
	(void)shard;
}

static UNUSED int
setup(void **arg)
{
	(void)arg;
	d = xcalloc(1, sizeof(*d));
	d->world.ops = &ops;
	d->now = 1000 * S;
	d->wall_off = INT64_C(1800000000) * S;
	d->world.turn_ns = d->now;
	d->env.world = &d->world;
	d->sink = (struct sink){put, load};
	d->latency = 10 * MS;
	d->ack.done = on_ack;
	d->acked = ERR_NMAX;
	d->caps = caps_new(100000, 100000, wake, NULL);
	d->sched = sched_new(&d->world, &d->env, d->caps, 0, &d->sink,
	    &d->stats);
	return 0;
}

static UNUSED int
teardown(void **arg)
{
	(void)arg;
	sched_free(d->sched);
	caps_free(d->caps);
	while (d->units != NULL) {
		struct msg *m = d->units->msg.next;
		struct unit *u = d->units;

		d->units = m != NULL ? CONTAINER(m, struct unit, msg) : NULL;
		unit_free(u);
	}
	heap_free(&d->world.timers);
	xfree(d->started);
	xfree(d);
	return 0;
}

static UNUSED struct monitor_conf *
conf(const struct check_kind *k, uint32_t id)
{
	struct monitor_conf *c = xcalloc(1, sizeof(*c));

	atomic_init(&c->refs, 1);
	c->kind = &k->conf;
	c->id = id;
	c->name = xstrdup("m");
	(void)snprintf(c->path, sizeof(c->path), "m%u", id);
	c->own = xcalloc(1, sizeof(struct own));
	c->interval_ns = 10 * S;
	c->timeout_ns = 5 * S;
	c->retry_interval_ns = 2 * S;
	c->grace_ns = 5 * S;
	c->retries = 1;
	c->recoveries = 1;
	return c;
}

static UNUSED void
sched_send(struct command *c)
{
	role_is(&shard_role);
	sched_command(d->sched, c);
}

static UNUSED void
add_with(struct monitor_conf *conf_, const struct mon_state *st)
{
	struct command *c = command_new(COMMAND_PUT, conf_->id);

	c->conf = conf_;
	c->conf_free = monitor_conf_unref;
	if (st != NULL) {
		c->state = xcalloc(1, sizeof(*st));
		*c->state = *st;
	}
	sched_send(c);
}

static UNUSED void
add(struct monitor_conf *conf_)
{
	add_with(conf_, NULL);
}

static UNUSED void
tell(enum command_kind k, uint32_t id)
{
	struct command *c = command_new(k, id);

	c->ack = &d->ack;
	d->acked = ERR_NMAX;
	sched_send(c);
}

static UNUSED unsigned
starts_between(int64_t from, int64_t to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->starts; i++)
		n += d->started[i] >= from && d->started[i] < to;
	return n;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif

/* The scheduler in a small world: a clock that is moved by hand, a target that
 * answers when told to, and a sink that keeps every unit. Interleavings in
 * time are the simulator's; here is one rule a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#undef fail   /* base/err.h has one, too */

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

static int64_t
now_ns(struct world *w)
{
	(void)w;
	return d->now;
}

static int64_t
wall_us(struct world *w)
{
	(void)w;
	return (d->now + d->wall_off) / NS_PER_US;
}

static uint64_t
rnd(struct world *w)
{
	(void)w;
	return 4;
}

static void
rearm(struct world *w)
{
	(void)w;
}

static const struct world_ops ops = {now_ns, wall_us, rnd, rearm};

static void
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

static void
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

static enum err
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

static void
toy_cancel(struct check *c)
{
	struct toy *k = CONTAINER(c, struct toy, check);

	timer_stop(&d->world, &k->timer);
	d->cancels++;
	check_why(c, WHY_NET_TIMEOUT, "silence");
}

static void
toy_host(const void *own, struct buf *out)
{
	const struct own *o = own;

	if (o->host != 0)
		buf_addf(out, "h%u", o->host);
}

static const struct check_kind toy = {
	.conf = {.name = "toy", .drive = DRIVE_ACTIVE, .opts = toy_opts,
	    .conf_size = sizeof(struct own), .host = toy_host},
	.size = sizeof(struct toy), .start = toy_start, .cancel = toy_cancel,
};
static const struct check_kind push = {
	.conf = {.name = "push", .drive = DRIVE_PUSH, .opts = none},
};
static const struct check_kind group = {
	.conf = {.name = "group", .drive = DRIVE_GROUP, .opts = none},
};

/* -- the sink ---------------------------------------------------------------- */

static void
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

static double
load(struct sink *k)
{
	(void)k;
	return d->load;
}

static void
on_ack(struct ack *a, enum err e, const struct errinfo *ei)
{
	(void)a;
	(void)ei;
	d->acked = e;
	d->acks++;
}

/* -- stage directions --------------------------------------------------------- */

static void
wake(void *arg, unsigned shard)
{
	(void)arg;
	(void)shard;
}

static int
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

static int
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

static struct monitor_conf *
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

static void
sched_send(struct command *c)
{
	role_is(&shard_role);
	sched_command(d->sched, c);
}

static void
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

static void
add(struct monitor_conf *conf_)
{
	add_with(conf_, NULL);
}

static void
tell(enum command_kind k, uint32_t id)
{
	struct command *c = command_new(k, id);

	c->ack = &d->ack;
	d->acked = ERR_NMAX;
	sched_send(c);
}

static unsigned
starts_between(int64_t from, int64_t to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->starts; i++)
		n += d->started[i] >= from && d->started[i] < to;
	return n;
}

/* -- when -------------------------------------------------------------------- */

static void
phases_are_spread_and_stable(void **arg)
{
	unsigned n[100] = {0};

	(void)arg;
	for (uint32_t id = 1; id <= 10000; id++) {
		int64_t p = sched_phase_ns(id, 10 * S);

		assert_in_range(p, 0, 10 * S - 1);
		assert_int_equal(p, sched_phase_ns(id, 10 * S));
		n[p / (100 * MS)]++;
	}
	for (int i = 0; i < 100; i++)
		assert_in_range(n[i], 50, 150);   /* 100 on average */
}

static void
beats_are_on_phase_without_drift(void **arg)
{
	int64_t phase = sched_phase_ns(7, 10 * S), wall;

	(void)arg;
	d->latency = 333 * MS;
	add(conf(&toy, 7));
	run_to(d->now + 10000 * S);
	assert_in_range(d->starts, 999, 1002);
	wall = d->started[d->starts - 1] + d->wall_off;
	/* The wall clock is read in whole microseconds. */
	assert_in_range(wall % (10 * S), phase - 2000, phase + 2000);
	assert_int_equal(d->stats.skipped_beats, 0);
	assert_int_equal(d->last->sample.lag_us, 0);
}

static void
first_looks_come_soon_and_spread(void **arg)
{
	int64_t t0 = d->now;

	(void)arg;
	for (uint32_t id = 1; id <= 1000; id++) {
		struct monitor_conf *c = conf(&toy, id);

		c->interval_ns = 3600 * S;
		add(c);
	}
	run_to(t0 + 10 * S);
	assert_int_equal(d->starts, 1000);
	for (int i = 0; i < 10; i++)
		assert_in_range(starts_between(t0 + i * S, t0 + (i + 1) * S),
		    50, 150);
}

static void
no_burst_and_no_hole_after_a_stall(void **arg)
{
	int64_t t;

	(void)arg;
	for (uint32_t id = 1; id <= 1000; id++)
		add(conf(&toy, id));
	run_to(d->now + 60 * S);
	d->starts = 0;
	d->now = d->world.turn_ns = t = d->now + 3600 * S;
	d->world.on_stall(d->world.on_stall_arg, 3600 * S);
	run_to(t + 10 * S);
	assert_in_range(d->starts, 990, 1010);
	for (int i = 0; i < 10; i++)
		assert_in_range(starts_between(t + i * S, t + (i + 1) * S),
		    50, 160);
	assert_int_equal(d->stats.stalls, 1);
	assert_true(d->stats.skipped_beats >= 359 * 1000);
}

static void
a_stepped_clock_moves_no_check(void **arg)
{
	int64_t t;

	(void)arg;
	add(conf(&toy, 7));
	run_to(d->now + 100 * S);
	d->wall_off -= 7200 * S + 3 * S;
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_in_range(d->starts, 10, 11);
	for (unsigned i = 1; i < d->starts; i++) {
		t = d->started[i] - d->started[i - 1];
		assert_in_range(t, 5 * S, 10 * S + 2000);
	}
	t = (d->started[d->starts - 1] + d->wall_off) % (10 * S);
	assert_in_range(t, sched_phase_ns(7, 10 * S) - 2000,
	    sched_phase_ns(7, 10 * S) + 2000);
	assert_int_equal(d->events, 1);
}

/* -- one check ------------------------------------------------------------------ */

static void
a_sample_says_everything(void **arg)
{
	const struct sample *p;

	(void)arg;
	d->answer = WHY_HTTP_STATUS;
	add(conf(&toy, 3));
	while (d->samples < 2)
		run_to(d->now + 100 * MS);
	p = &d->last->sample;
	assert_int_equal(p->monitor, 3);
	assert_int_equal(p->latency_us, 10000);
	assert_int_equal(p->phase_us[PHASE_TLS], -1);
	assert_int_equal(p->why, WHY_HTTP_STATUS);
	assert_null(strchr(p->reason, '\n'));     /* foreign text is tamed */
	assert_null(strchr(p->reason, '\033'));
	assert_true(p->at_us >= p->due_us);
	assert_true(p->recheck);                  /* the second was */
	assert_int_equal(p->seq, 2);
	assert_int_equal(p->status, STATUS_DOWN);
	assert_true(d->last->own->has_transition);
	assert_true(d->last->unit.urgent);
	assert_non_null(strstr(d->last->own->transition.explain,
	    "2 failures in a row"));
	assert_int_equal(d->stats.voided[WHY_LOCAL_LATE], 0);
}

static void
slow_is_degraded(void **arg)
{
	struct monitor_conf *c = conf(&toy, 3);

	(void)arg;
	c->degraded_above_ns = 5 * MS;
	add(c);
	run_to(d->now + 10 * S);
	assert_int_equal(d->last->sample.why, WHY_SLOW);
	assert_int_equal(d->last->sample.status, STATUS_DEGRADED);
	assert_string_equal(d->last->sample.reason,
	    "took 10 ms, degraded above 5 ms");
}

static void
plain_successes_are_saved_now_and_then(void **arg)
{
	unsigned saved = 0;

	(void)arg;
	add(conf(&toy, 3));
	run_to(d->now + 1300 * S);
	for (struct unit *u = d->units; u != NULL; ) {
		struct result_unit *r = CONTAINER(u, struct result_unit, unit);

		saved += r->own != NULL;
		u = u->msg.next != NULL ? CONTAINER(u->msg.next, struct unit,
		    msg) : NULL;
	}
	assert_in_range(d->samples, 129, 132);
	assert_int_equal(saved, 1 + 128 / SCHED_SAVE_EVERY);
}

static void
a_storm_of_refusals_does_not_recurse(void **arg)
{
	(void)arg;
	caps_set(d->caps, 1, 1);
	d->refuse = 20000;
	for (uint32_t id = 1; id <= 20000; id++) {
		struct monitor_conf *c = conf(&toy, id);

		c->interval_ns = 600 * S;
		c->retries = 0;
		add(c);
	}
	run_to(d->now + 11 * S);
	assert_int_equal(d->samples, 20000);
	assert_int_equal(d->transitions, 0);
	assert_int_equal(d->stats.voided[WHY_LOCAL_FDS], 20000);
}

static void
a_full_host_delays_nobody_else(void **arg)
{
	int64_t t;

	(void)arg;
	caps_set(d->caps, 50, 2);
	d->silent = true;
	for (uint32_t id = 1; id <= 300; id++) {
		struct monitor_conf *c = conf(&toy, id);

		((struct own *)c->own)->host = 1;
		add(c);
	}
	run_to(d->now + 30 * S);
	assert_true(d->stats.waiting > 200);
	d->silent = false;
	d->starts = 0;
	t = d->now;
	for (uint32_t id = 1001; id <= 1020; id++) {
		struct monitor_conf *c = conf(&toy, id);

		((struct own *)c->own)->host = id;
		add(c);
	}
	run_to(t + 10 * S);
	assert_true(d->starts >= 20);
	/* They never waited: their lag is nothing. */
	assert_true(d->stats.voided[WHY_LOCAL_SLOTS] > 0);
}

/* -- commands -------------------------------------------------------------------- */

static void
commands_for_nobody_are_answered(void **arg)
{
	(void)arg;
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_NOT_FOUND);
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_NOT_FOUND);
	add(conf(&toy, 5));
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_INVALID);
	tell(COMMAND_REMOVE, 99);
	assert_int_equal(d->acked, ERR_OK);
}

static void
pausing_twice_is_one_transition(void **arg)
{
	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 10 * S);
	assert_int_equal(d->transitions, 1);
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->transitions, 2);
	tell(COMMAND_PAUSE, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->transitions, 2);
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_int_equal(d->starts, 0);
	tell(COMMAND_RESUME, 5);
	assert_int_equal(d->transitions, 3);
	run_to(d->now + 10 * S);
	assert_in_range(d->starts, 1, 2);
}

static void
removed_in_mid_check_it_says_nothing(void **arg)
{
	unsigned n;

	(void)arg;
	d->silent = true;
	add(conf(&toy, 5));
	while (d->starts == 0)
		run_to(d->now + S);
	n = d->nunits;
	tell(COMMAND_REMOVE, 5);
	assert_int_equal(d->cancels, 1);
	assert_int_equal(caps_in_use(d->caps), 0);
	run_to(d->now + 100 * S);
	assert_int_equal(d->nunits, n);
	assert_int_equal(d->stats.monitors, 0);
}

static void
an_edit_disturbs_no_running_check(void **arg)
{
	struct monitor_conf *c;

	(void)arg;
	d->latency = 900 * MS;
	add(conf(&toy, 5));
	while (d->starts == 0)
		run_to(d->now + 100 * MS);
	c = conf(&toy, 5);
	c->retries = 9;
	c->interval_ns = 60 * S;
	add(c);
	assert_int_equal(d->cancels, 0);
	run_to(d->now + S);
	assert_int_equal(d->samples, 1);
	/* Another target: what was asked is of no interest any more. */
	while (d->starts == 1)
		run_to(d->now + 100 * MS);
	c = conf(&toy, 5);
	((struct own *)c->own)->target = 2;
	add(c);
	assert_int_equal(d->cancels, 1);
	assert_int_equal(d->samples, 1);
	run_to(d->now + 12 * S);
	assert_true(d->samples >= 2);
	assert_int_equal(d->transitions, 1);
}

static void
an_archived_monitor_is_gone(void **arg)
{
	struct monitor_conf *c = conf(&toy, 5);

	(void)arg;
	add(conf(&toy, 5));
	c->archived = true;
	add(c);
	assert_int_equal(d->stats.monitors, 0);
}

static void
another_type_begins_anew(void **arg)
{
	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 20 * S);
	add(conf(&push, 5));
	assert_int_equal(d->last->own->transition.why, WHY_CONFIG);
	assert_int_equal(d->last->own->transition.to, STATUS_PENDING);
	d->starts = 0;
	run_to(d->now + 100 * S);
	assert_int_equal(d->starts, 0);
	tell(COMMAND_BEAT, 5);
	assert_int_equal(d->acked, ERR_OK);
	assert_int_equal(d->last->own->transition.to, STATUS_UP);
	/* Its numbers go on: none is ever used twice. */
	assert_true(d->last->sample.seq > 2);
}

static void
a_damaged_state_begins_anew(void **arg)
{
	struct mon_state st = {.monitor = 5, .status = 99};

	(void)arg;
	add_with(conf(&toy, 5), &st);
	run_to(d->now + 10 * S);
	assert_int_equal(d->last->sample.status, STATUS_UP);
}

static void
a_restored_state_raises_nothing(void **arg)
{
	struct mon_state st = {.monitor = 5, .status = STATUS_DOWN,
		.why = WHY_NET_REFUSED, .seq = 41, .fails = 3, .since_us = 77};

	(void)arg;
	st.last_us = (d->now + d->wall_off) / NS_PER_US - US_PER_S;
	d->answer = WHY_NET_REFUSED;
	add_with(conf(&toy, 5), &st);
	run_to(d->now + 12 * S);
	assert_true(d->samples >= 1);
	assert_int_equal(d->transitions, 0);
	assert_int_equal(d->last->own->state.since_us, 77);
	assert_true(d->last->sample.seq >= 42);
}

static struct command *forwarded;

static void
forward(void *arg, struct command *c)
{
	(void)arg;
	forwarded = c;
}

static void
a_move_takes_the_state_along(void **arg)
{
	struct command *c = command_new(COMMAND_MOVE, 5);

	(void)arg;
	add(conf(&toy, 5));
	run_to(d->now + 55 * S);
	c->conf = conf(&toy, 5);
	c->conf_free = monitor_conf_unref;
	c->forward = forward;
	sched_send(c);
	assert_ptr_equal(forwarded, c);
	assert_int_equal(c->kind, COMMAND_PUT);
	assert_int_equal(c->state->status, STATUS_UP);
	assert_true(c->state->seq >= 5);
	assert_int_equal(d->stats.monitors, 0);
	sched_send(c);
	d->starts = 0;
	run_to(d->now + 20 * S);
	assert_int_equal(d->starts, 2);
	assert_int_equal(d->transitions, 1);
}

static void
group_and_members_in_any_order(void **arg)
{
	struct monitor_conf *c;

	(void)arg;
	for (uint32_t id = 2; id <= 3; id++) {
		c = conf(&toy, id);
		c->group = 9;
		add(c);
	}
	run_to(d->now + 20 * S);
	add(conf(&group, 9));
	run_to(d->now + 20 * S);
	assert_int_equal(d->transitions, 2);
	assert_int_equal(d->stats.monitors, 3);
	/* Its change rides in the unit of the member's. */
	d->answer = WHY_NET_REFUSED;
	while (d->transitions == 2)
		run_to(d->now + 100 * MS);
	assert_non_null(d->last->group);
	assert_int_equal(d->last->group->transition.monitor, 9);
	assert_int_equal(d->last->group->transition.to, STATUS_DOWN);
	assert_string_equal(d->last->group->transition.reason, "m is down");
	assert_non_null(strstr(d->last->group->transition.explain,
	    "\"down\":1"));
}

static void
a_full_store_pauses_checking_visibly(void **arg)
{
	unsigned n;

	(void)arg;
	for (uint32_t id = 1; id <= 10; id++)
		add(conf(&toy, id));
	add(conf(&push, 11));
	run_to(d->now + 10 * S);
	d->load = 0.8;
	d->starts = 0;
	run_to(d->now + 60 * S);
	assert_int_equal(d->starts, 0);
	assert_int_equal(d->events, 1);
	assert_true(d->stats.paused_by_store >= 50);
	n = d->samples;
	tell(COMMAND_BEAT, 11);             /* heartbeats are still taken */
	assert_int_equal(d->samples, n + 1);
	d->load = 0.6;                      /* not yet: it should not flap */
	run_to(d->now + 20 * S);
	assert_int_equal(d->starts, 0);
	d->load = 0.1;
	run_to(d->now + 10 * S);
	assert_in_range(d->starts, 9, 11);
	assert_int_equal(d->events, 2);
}

static void
stop_cancels_at_its_deadline(void **arg)
{
	unsigned n;

	(void)arg;
	d->silent = true;
	for (uint32_t id = 1; id <= 20; id++)
		add(conf(&toy, id));
	run_to(d->now + 5 * S);
	role_is(&shard_role);
	assert_false(sched_idle(d->sched));
	n = d->samples;
	sched_stop(d->sched, d->now + 200 * MS);
	d->starts = 0;
	run_to(d->now + 250 * MS);
	assert_true(sched_idle(d->sched));
	assert_int_equal(d->starts, 0);
	assert_true(d->samples <= n + 1);   /* cancelled is not a verdict */
	assert_int_equal(d->transitions, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(phases_are_spread_and_stable),
		TEST(beats_are_on_phase_without_drift),
		TEST(first_looks_come_soon_and_spread),
		TEST(no_burst_and_no_hole_after_a_stall),
		TEST(a_stepped_clock_moves_no_check),
		TEST(a_sample_says_everything),
		TEST(slow_is_degraded),
		TEST(plain_successes_are_saved_now_and_then),
		TEST(a_storm_of_refusals_does_not_recurse),
		TEST(a_full_host_delays_nobody_else),
		TEST(commands_for_nobody_are_answered),
		TEST(pausing_twice_is_one_transition),
		TEST(removed_in_mid_check_it_says_nothing),
		TEST(an_edit_disturbs_no_running_check),
		TEST(an_archived_monitor_is_gone),
		TEST(another_type_begins_anew),
		TEST(a_damaged_state_begins_anew),
		TEST(a_restored_state_raises_nothing),
		TEST(a_move_takes_the_state_along),
		TEST(group_and_members_in_any_order),
		TEST(a_full_store_pauses_checking_visibly),
		TEST(stop_cancels_at_its_deadline),
	};
	int failed;

	role_enter(&shard_role);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	role_leave(&shard_role);
	return failed;
}

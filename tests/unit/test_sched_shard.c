/* A shard with its real thread, loop and clock: what goes in comes out, a full
 * queue loses nothing, and a stop leaves nobody waiting. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail   /* base/err.h has one, too */

#include "base/mem.h"
#include "base/time.h"
#include "check/check.h"
#include "sched/shard.h"
#include "world/world.h"

#define PATIENCE_NS (10 * NS_PER_S)
#define PILE        3000

struct toy {
	struct check check;
	struct timer timer;
};

static atomic_bool failing, silent, hold, held;

static void
answer(struct world *w, struct timer *t)
{
	struct toy *k = CONTAINER(t, struct toy, timer);

	(void)w;
	if (atomic_load(&failing))
		check_why(&k->check, WHY_NET_REFUSED, "refused");
	check_end(&k->check);
}

static enum err
start(struct check *c)
{
	struct toy *k = CONTAINER(c, struct toy, check);

	while (atomic_load(&hold)) {   /* and with it the shard's thread */
		atomic_store(&held, true);
		(void)poll(NULL, 0, 1);
	}
	if (!atomic_load(&silent))
		timer_set(c->env->world, &k->timer, world_now(c->env->world) +
		    NS_PER_MS, answer);
	return ERR_OK;
}

static void
cancel(struct check *c)
{
	struct toy *k = CONTAINER(c, struct toy, check);

	timer_stop(c->env->world, &k->timer);
	c->out.why = WHY_NET_TIMEOUT;
}

static const struct opt none[] = {OPT_END};
static const struct check_kind toy = {
	.conf = {.name = "toy", .drive = DRIVE_ACTIVE, .opts = none},
	.size = sizeof(struct toy), .start = start, .cancel = cancel,
};
static const struct check_kind push = {
	.conf = {.name = "push", .drive = DRIVE_PUSH, .opts = none},
};

static enum err
env_open(struct check_env *env, void *arg, struct errinfo *ei)
{
	(void)env;
	if (arg != NULL)
		return fail(ei, ERR_SYS, "no network today");
	return ERR_OK;
}

static void
env_close(struct check_env *env)
{
	(void)env;
}

static void
wake(void *arg, unsigned shard)
{
	(void)arg;
	(void)shard;
}

static struct caps *caps;
static struct mbox writer;
static struct shard *shard;
static struct msg *taken;         /* what waits to be looked at */

static int
open_with(size_t queue)
{
	struct shard_conf c = {.writer = &writer, .env_open = env_open,
		.env_close = env_close};
	struct errinfo ei = {0};

	mbox_init(&writer, queue, 1u << 30);
	caps = caps_new(100, 100, wake, NULL);
	c.caps = caps;
	return shard_start(&c, &shard, &ei) == ERR_OK ? 0 : -1;
}

static int
setup(void **arg)
{
	(void)arg;
	atomic_store(&failing, false);
	atomic_store(&silent, false);
	return open_with(1000);
}

static int
setup_large(void **arg)
{
	(void)arg;
	atomic_store(&failing, false);
	atomic_store(&silent, false);
	return open_with(10 * PILE);
}

static int
setup_tiny(void **arg)
{
	(void)arg;
	atomic_store(&failing, false);
	atomic_store(&silent, false);
	return open_with(2);
}

static struct unit *
next_unit(int64_t until)
{
	struct unit *u;

	while (taken == NULL && clock_mono_ns() < until) {
		mbox_wait(&writer, 20);
		taken = mbox_take(&writer);
	}
	if (taken == NULL)
		return NULL;
	u = CONTAINER(taken, struct unit, msg);
	taken = taken->next;
	mbox_done(&writer, 1, u->bytes);
	return u;
}

static int
teardown(void **arg)
{
	struct unit *u;

	(void)arg;
	shard_free(shard);
	while ((u = next_unit(0)) != NULL)
		unit_free(u);
	taken = mbox_take(&writer);
	while (taken != NULL && (u = next_unit(0)) != NULL)
		unit_free(u);
	mbox_free(&writer);
	caps_free(caps);
	return 0;
}

static void
put_monitor(const struct check_kind *k, uint32_t id)
{
	struct monitor_conf *c = xcalloc(1, sizeof(*c));
	struct command *cmd = command_new(COMMAND_PUT, id);

	atomic_init(&c->refs, 1);
	c->kind = &k->conf;
	c->id = id;
	c->name = xstrdup("m");
	c->own = xcalloc(1, 1);
	c->interval_ns = NS_PER_S;
	c->timeout_ns = NS_PER_S;
	c->retry_interval_ns = 100 * NS_PER_MS;
	c->grace_ns = NS_PER_S;
	c->recoveries = 1;
	cmd->conf = c;
	cmd->conf_free = monitor_conf_unref;
	assert_true(shard_send_urgent(shard, cmd));
}

static bool
await_change(uint32_t id, enum status to)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	struct unit *u;
	bool found = false;

	while (!found && (u = next_unit(until)) != NULL) {
		if (u->kind == UNIT_RESULT) {
			struct result_unit *r = CONTAINER(u,
			    struct result_unit, unit);

			found = r->own != NULL && r->own->has_transition &&
			    r->own->transition.monitor == id &&
			    r->own->transition.to == to;
		}
		unit_free(u);
	}
	return found;
}

static void
checks_run_and_units_come(void **arg)
{
	(void)arg;
	put_monitor(&toy, 1);
	assert_true(await_change(1, STATUS_UP));
	atomic_store(&failing, true);
	assert_true(await_change(1, STATUS_DOWN));
	assert_true(shard_stats(shard)->started >= 2);
}

struct waiting {
	struct ack ack;
	atomic_int done, err;
};

static void
on_ack(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct waiting *w = CONTAINER(a, struct waiting, ack);

	(void)ei;
	atomic_store(&w->err, (int)e);
	atomic_fetch_add(&w->done, 1);
}

/* Nobody empties the queue of two: still no heartbeat, and none of the changes
 * that it leads to, is dropped. */
static void
a_full_queue_drops_nothing(void **arg)
{
	struct waiting w = {.ack = {on_ack}};
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	unsigned changes = 0, samples = 0;
	size_t n = 0;
	struct unit *u;

	(void)arg;
	put_monitor(&push, 1);
	for (int i = 0; i < 40; i++) {
		struct command *c = command_new(COMMAND_BEAT, 1);

		c->beat_down = i % 2 == 1;
		c->ack = &w.ack;
		assert_true(shard_send(shard, c));
	}
	while (n < 40 && clock_mono_ns() < until)
		mbox_depth(&writer, &n, &(size_t){0});
	while (samples < 40 && (u = next_unit(until)) != NULL) {
		struct result_unit *r = CONTAINER(u, struct result_unit, unit);

		if (u->kind == UNIT_RESULT && r->has_sample) {
			samples++;
			changes += r->own != NULL && r->own->has_transition;
			assert_ptr_equal(u->ack, &w.ack);
		}
		unit_free(u);
	}
	assert_int_equal(samples, 40);
	assert_int_equal(changes, 40);
	assert_int_equal(atomic_load(&w.done), 0);   /* the writer's to say */
}

/* More than is taken in one turn of the loop: all of it, in its order. */
static void
what_piled_up_goes_in_order(void **arg)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS, next = 1;
	struct unit *u;

	(void)arg;
	put_monitor(&push, 1);
	atomic_store(&held, false);
	atomic_store(&hold, true);
	put_monitor(&toy, 2);
	while (!atomic_load(&held) && clock_mono_ns() < until)
		(void)poll(NULL, 0, 1);
	for (int i = 1; i <= PILE; i++) {
		struct command *c = command_new(COMMAND_BEAT, 1);

		c->beat_ping_us = i;
		assert_true(shard_send(shard, c));
	}
	atomic_store(&hold, false);
	assert_true(atomic_load(&held));
	while (next <= PILE && (u = next_unit(until)) != NULL) {
		struct result_unit *r = CONTAINER(u, struct result_unit, unit);

		if (u->kind == UNIT_RESULT && r->has_sample &&
		    r->sample.monitor == 1)
			assert_int_equal(r->sample.latency_us, next++);
		unit_free(u);
	}
	assert_int_equal(next, PILE + 1);
}

static void
a_stop_ends_checks_and_answers_late_comers(void **arg)
{
	struct waiting w = {.ack = {on_ack}};
	struct command *c;
	int64_t t0;

	(void)arg;
	atomic_store(&silent, true);
	for (uint32_t id = 1; id <= 20; id++)
		put_monitor(&toy, id);
	t0 = clock_mono_ns();
	while (shard_stats(shard)->in_flight < 5 &&
	    clock_mono_ns() < t0 + PATIENCE_NS)
		mbox_wait(&writer, 5);
	assert_true(shard_stats(shard)->in_flight >= 5);
	t0 = clock_mono_ns();
	shard_stop(shard, t0 + 50 * NS_PER_MS);
	assert_true(clock_mono_ns() - t0 < 5 * NS_PER_S);
	assert_int_equal(caps_in_use(caps), 0);
	c = command_new(COMMAND_BEAT, 1);
	c->ack = &w.ack;
	assert_false(shard_send(shard, c));   /* still ours */
	command_free(c);
	shard_stop(shard, t0);                /* twice is once */
}

static void
beats_after_the_store_closed_are_refused(void **arg)
{
	struct waiting w = {.ack = {on_ack}};
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	struct command *c;

	(void)arg;
	put_monitor(&push, 1);
	mbox_close(&writer);
	c = command_new(COMMAND_BEAT, 1);
	c->ack = &w.ack;
	assert_true(shard_send(shard, c));
	while (atomic_load(&w.done) == 0 && clock_mono_ns() < until)
		mbox_wait(&writer, 5);
	assert_int_equal(atomic_load(&w.done), 1);
	assert_int_equal(atomic_load(&w.err), ERR_STOPPING);
}

static void
a_network_that_cannot_be_made_is_said(void **arg)
{
	struct shard_conf c = {.env_open = env_open, .env_close = env_close,
		.env_arg = &c};
	struct errinfo ei = {0};
	struct shard *none_ = NULL;

	(void)arg;
	assert_int_equal(shard_start(&c, &none_, &ei), ERR_SYS);
	assert_null(none_);
	assert_string_equal(ei.text, "no network today");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(checks_run_and_units_come,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_drops_nothing,
		    setup_tiny, teardown),
		cmocka_unit_test_setup_teardown(what_piled_up_goes_in_order,
		    setup_large, teardown),
		cmocka_unit_test_setup_teardown(
		    a_stop_ends_checks_and_answers_late_comers, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    beats_after_the_store_closed_are_refused, setup, teardown),
		cmocka_unit_test(a_network_that_cannot_be_made_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

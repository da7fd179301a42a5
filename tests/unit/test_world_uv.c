/* The real world, in real time: kept short, and never asserting that
 * something was fast, only that it was not early and did come. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/time.h"
#include "world/world.h"

struct alarm {
	struct timer timer;
	int64_t at_ns, fired_ns;
	unsigned no;
};

static unsigned fired;

static void
on_alarm(struct world *w, struct timer *t)
{
	struct alarm *a = CONTAINER(t, struct alarm, timer);

	assert_false(timer_on(t));
	a->fired_ns = world_now(w);
	assert_true(a->fired_ns >= a->at_ns);
	assert_true(world_fresh(w) >= a->fired_ns);
	fired++;
}

static void
on_end(struct world *w, UNUSED struct timer *t)
{
	world_uv_stop(w);
}

static void
set(struct world *w, struct alarm *a, int64_t in_ns, timer_fn *fn)
{
	a->at_ns = world_fresh(w) + in_ns;
	timer_set(w, &a->timer, a->at_ns, fn);
}

static void
timers_in_order_and_never_early(void **state)
{
	struct world *w = world_uv_new();
	struct alarm v[40] = {0}, end = {0}, off = {0};
	int64_t began = world_now(w);

	(void)state;
	fired = 0;
	for (unsigned i = 0; i < COUNT(v); i++) {
		v[i].no = i;
		set(w, &v[i], (int64_t)((i * 7) % 40) * NS_PER_MS, on_alarm);
	}
	set(w, &off, 5 * NS_PER_MS, on_alarm);
	assert_true(timer_on(&off.timer));
	timer_stop(w, &off.timer);
	timer_stop(w, &off.timer);
	assert_false(timer_on(&off.timer));
	set(w, &v[0], 30 * NS_PER_MS, on_alarm);   /* again: moved */
	set(w, &end, 60 * NS_PER_MS, on_end);
	world_uv_run(w);
	assert_int_equal(fired, COUNT(v));
	assert_true(world_fresh(w) - began >= 60 * NS_PER_MS);
	for (unsigned i = 0; i < COUNT(v); i++)
		for (unsigned k = 0; k < COUNT(v); k++)
			assert_true(v[i].at_ns > v[k].at_ns ||
			    v[i].fired_ns <= v[k].fired_ns);
	world_uv_free(w);
}

/* A timer that sets itself for now must not starve the sockets. */
static int burst_fd;
static unsigned seen_at;

static void
on_again(struct world *w, struct timer *t)
{
	fired++;
	timer_set(w, t, world_now(w), on_again);
}

static void
on_fd(void *arg)
{
	eventfd_t v;

	(void)eventfd_read(burst_fd, &v);
	seen_at = fired;
	world_uv_stop(arg);
}

static void
at_most_so_many_a_turn(void **state)
{
	struct world *w = world_uv_new();
	struct alarm a = {0};

	(void)state;
	fired = 0;
	burst_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(burst_fd >= 0);
	world_uv_watch(w, burst_fd, on_fd, w);
	set(w, &a, 0, on_again);
	world_uv_run(w);
	assert_true(seen_at <= 2 * WORLD_TIMERS_PER_TURN);
	timer_stop(w, &a.timer);
	world_uv_free(w);
	(void)close(burst_fd);
}

static void
on_same_now(struct world *w, UNUSED struct timer *t)
{
	int64_t now = world_now(w);

	/* One now per turn, while the clock itself goes on. */
	(void)poll(NULL, 0, 3);
	assert_true(world_now(w) == now);
	assert_true(world_fresh(w) >= now + 3 * NS_PER_MS);
	assert_true(world_now(w) == now);
	world_uv_stop(w);
}

static void
one_now_per_turn(void **state)
{
	struct world *w = world_uv_new();
	struct alarm a = {0};

	(void)state;
	set(w, &a, NS_PER_MS, on_same_now);
	world_uv_run(w);
	world_uv_free(w);
}

static unsigned stalls;
static int64_t stalled_ns;

static void
on_stall(UNUSED void *arg, int64_t ns)
{
	assert_int_equal(fired, 0);   /* before the turn's timers */
	stalls++;
	stalled_ns = ns;
}

static void
on_blocked(struct world *w, UNUSED struct timer *t)
{
	(void)w;
	(void)poll(NULL, 0, 1700);
}

static void
a_stall_is_noticed(void **state)
{
	struct world *w = world_uv_new();
	struct alarm block = {0}, after = {0}, end = {0};

	(void)state;
	fired = stalls = 0;
	w->on_stall = on_stall;
	/* Time before the loop runs is no stall. */
	(void)poll(NULL, 0, 1100);
	set(w, &block, 0, on_blocked);
	set(w, &after, 10 * NS_PER_MS, on_alarm);
	set(w, &end, 20 * NS_PER_MS, on_end);
	world_uv_run(w);
	assert_int_equal(stalls, 1);
	assert_true(stalled_ns > WORLD_STALL_NS);
	assert_int_equal(fired, 1);
	world_uv_free(w);
}

/* In a child that is stopped and continued, as a suspended machine is. */
static void
child_waits(int report)
{
	struct world *w = world_uv_new();
	struct alarm end = {0};
	char c = 'r';

	fired = stalls = 0;
	w->on_stall = on_stall;
	set(w, &end, 3 * NS_PER_S, on_end);
	(void)!write(report, &c, 1);
	world_uv_run(w);
	world_uv_free(w);
	_exit(stalls == 1 && stalled_ns > WORLD_STALL_NS ? 0 : 1);
}

static void
a_stopped_process_notices(void **state)
{
	int report[2], status;
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(report), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_waits(report[1]);
	assert_int_equal(read(report[0], &c, 1), 1);
	(void)poll(NULL, 0, 50);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	(void)poll(NULL, 0, 1900);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)close(report[0]);
	(void)close(report[1]);
}

/* A busy loop that is merely late by less is left alone. */
static void
a_quiet_loop_has_no_stall(void **state)
{
	struct world *w = world_uv_new();
	struct alarm end = {0};

	(void)state;
	fired = stalls = 0;
	w->on_stall = on_stall;
	set(w, &end, 1300 * NS_PER_MS, on_end);   /* over several beats */
	world_uv_run(w);
	assert_int_equal(stalls, 0);
	world_uv_free(w);
}

static unsigned wakes;

static void
on_mail(void *arg)
{
	eventfd_t v;

	(void)eventfd_read(*(int *)arg, &v);
	wakes++;
}

static void
on_send(struct world *w, struct timer *t)
{
	struct alarm *a = CONTAINER(t, struct alarm, timer);

	if (wakes == a->no)
		(void)eventfd_write(burst_fd, 1);
	if (wakes >= 3)
		world_uv_stop(w);
	else
		set(w, a, NS_PER_MS, on_send);
	a->no = wakes;
}

static void
watches(void **state)
{
	struct world *w = world_uv_new();
	struct alarm a = {0};

	(void)state;
	wakes = 0;
	burst_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	world_uv_watch(w, burst_fd, on_mail, &burst_fd);
	set(w, &a, NS_PER_MS, on_send);
	world_uv_run(w);
	assert_true(wakes >= 3);
	world_uv_free(w);
	world_uv_free(NULL);
	(void)close(burst_fd);
}

static void
random_and_clocks(void **state)
{
	struct world *w = world_uv_new();
	uint64_t v[200];
	unsigned char raw[2][600];

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		v[i] = world_random(w);
		for (size_t k = 0; k < i; k++)
			assert_true(v[i] != v[k]);
	}
	random_bytes(raw[0], sizeof(raw[0]));
	random_bytes(raw[1], sizeof(raw[1]));
	assert_true(memcmp(raw[0], raw[1], sizeof(raw[0])) != 0);
	assert_true(clock_mono_ns() <= world_fresh(w));
	assert_true(clock_wall_us() <= world_wall_us(w));
	assert_true(clock_wall_us() > INT64_C(1500000000) * US_PER_S);
	assert_non_null(world_uv_loop(w));
	world_uv_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_in_order_and_never_early),
		cmocka_unit_test(at_most_so_many_a_turn),
		cmocka_unit_test(one_now_per_turn),
		cmocka_unit_test(a_stall_is_noticed),
		cmocka_unit_test(a_stopped_process_notices),
		cmocka_unit_test(a_quiet_loop_has_no_stall),
		cmocka_unit_test(watches),
		cmocka_unit_test(random_and_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The alerts that ride with results: with the transition they tell of, and
 * the state that says who was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail   /* base/err.h has one, too */

#include "tests/unit/sched_rig.h"
#include "conf/conf.h"
#include "route/route.h"

static void
routes(void)
{
	struct command *c = command_new(COMMAND_ROUTES, 0);
	struct settings s = {0};
	char *name[] = {(char *)(uintptr_t)"ops"};
	struct strings names = {name, 1};

	opt_defaults(settings_opts, &s);
	assert_int_equal(route_plan_make(&s, &names, &c->routes, NULL), ERR_OK);
	c->routes_free = route_plan_unref;
	settings_free(&s);
	sched_send(c);
}

static struct monitor_conf *
notifying(const struct check_kind *k, uint32_t id)
{
	struct monitor_conf *c = conf(k, id);

	c->severity = SEVERITY_CRITICAL;
	c->notify.v = xcalloc(1, sizeof(char *));
	c->notify.v[c->notify.n++] = xstrdup("ops");
	return c;
}

/* The last unit's row; it is the only one. */
static const struct outbox_row *
row(enum alert_kind kind)
{
	const struct result_unit *u = d->last;

	assert_int_equal(u->nrows, 1);
	assert_int_equal(u->rows->event.kind, kind);
	assert_true(u->unit.urgent);
	assert_true(u->unit.bytes >= sizeof(*u) + sizeof(*u->rows));
	return u->rows;
}

static size_t
rows_of_all(void)
{
	size_t n = 0;
	struct unit *u = d->units;

	while (u != NULL) {
		struct msg *next = u->msg.next;

		if (u->kind == UNIT_RESULT)
			n += CONTAINER(u, struct result_unit, unit)->nrows;
		u = next != NULL ? CONTAINER(next, struct unit, msg) : NULL;
	}
	return n;
}

static void
a_row_comes_with_its_transition(void **arg)
{
	const struct outbox_row *r;

	(void)arg;
	routes();
	add(notifying(&toy, 7));
	run_to(d->now + 30 * S);
	assert_int_equal(rows_of_all(), 0);
	d->answer = WHY_HTTP_STATUS;
	while (d->transitions < 2)
		run_to(d->now + S);
	r = row(ALERT_OPEN);
	assert_true(d->last->own->has_transition);
	assert_int_equal(r->event.at_us, d->last->own->transition.at_us);
	assert_int_equal(r->event.incident_us,
	    d->last->own->state.alerting.incident_us);
	assert_int_equal(d->last->own->state.alerting.ntold, 1);
	assert_string_equal(r->channel, "ops");
	d->answer = WHY_OK;
	while (d->transitions < 3)
		run_to(d->now + S);
	assert_int_equal(row(ALERT_RESOLVE)->event.incident_us,
	    r->event.incident_us);
	assert_int_equal(d->last->own->state.alerting.incident_us, 0);
	assert_int_equal(rows_of_all(), 2);
}

/* Down, restored on another day, and up: told of the end and of nothing
 * else. */
static void
a_restart_raises_nothing_and_forgets_nothing(void **arg)
{
	struct mon_state st;

	(void)arg;
	routes();
	d->answer = WHY_HTTP_STATUS;
	add(notifying(&toy, 7));
	while (rows_of_all() == 0)
		run_to(d->now + S);
	st = d->last->own->state;
	teardown(NULL);
	setup(NULL);
	routes();
	d->answer = WHY_HTTP_STATUS;
	add_with(notifying(&toy, 7), &st);
	run_to(d->now + 60 * S);
	assert_int_equal(rows_of_all(), 0);
	d->answer = WHY_OK;
	while (rows_of_all() == 0)
		run_to(d->now + S);
	assert_int_equal(row(ALERT_RESOLVE)->event.incident_us,
	    st.alerting.incident_us);
}

static void
pausing_ends_it(void **arg)
{
	(void)arg;
	routes();
	d->answer = WHY_HTTP_STATUS;
	add(notifying(&toy, 7));
	while (rows_of_all() == 0)
		run_to(d->now + S);
	tell(COMMAND_PAUSE, 7);
	assert_int_equal(row(ALERT_RESOLVE)->event.to, STATUS_PAUSED);
	tell(COMMAND_RESUME, 7);
	assert_int_equal(d->last->nrows, 0);
}

static void
late_heartbeats_are_told(void **arg)
{
	struct command *c;

	(void)arg;
	routes();
	add(notifying(&push, 7));
	c = command_new(COMMAND_BEAT, 7);
	c->beat_us = (d->now + d->wall_off) / NS_PER_US;
	sched_send(c);
	run_to(d->now + 11 * S);
	assert_int_equal(row(ALERT_OPEN)->event.to, STATUS_LATE);
	assert_int_equal(row(ALERT_OPEN)->event.severity, SEVERITY_WARNING);
	run_to(d->now + 5 * S);
	assert_int_equal(row(ALERT_CHANGE)->event.to, STATUS_DOWN);
}

/* Changes with every look: told a few times, then once more, then not. */
static void
what_comes_and_goes_is_told_once(void **arg)
{
	struct monitor_conf *c = notifying(&toy, 7);
	size_t rows = 0;

	(void)arg;
	routes();
	c->retries = 0;
	add(c);
	run_to(d->now + 300 * S);
	for (unsigned i = 0; i < 40; i++) {
		unsigned seen = d->samples;

		d->answer = i % 2 == 0 ? WHY_HTTP_STATUS : WHY_OK;
		while (d->samples == seen)
			run_to(d->now + S);
		if (i == 5) {
			assert_int_equal(row(ALERT_FLAP)->event.to, STATUS_UP);
			rows = rows_of_all();
		}
	}
	assert_int_equal(rows, 6);
	assert_int_equal(rows_of_all(), rows);
	run_to(d->now + 600 * S);
	assert_int_equal(rows_of_all(), rows + 1);
	assert_int_equal(d->last->sample.status, STATUS_UP);
}

/* Rows of a group are in the unit of the member whose change it was. */
static void
a_group_tells_for_itself(void **arg)
{
	struct monitor_conf *c = conf(&toy, 7);

	(void)arg;
	routes();
	d->answer = WHY_HTTP_STATUS;
	add(notifying(&group, 3));
	c->group = 3;
	add(c);
	while (rows_of_all() == 0)
		run_to(d->now + S);
	assert_int_equal(row(ALERT_OPEN)->event.monitor, 3);
	assert_true(d->last->group->has_transition);
	assert_int_equal(d->last->group->state.alerting.ntold, 1);
	assert_int_equal(d->last->own->state.alerting.ntold, 0);
	assert_true(d->last->own->state.alerting.incident_us != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_with_its_transition),
		TEST(a_restart_raises_nothing_and_forgets_nothing),
		TEST(pausing_ends_it),
		TEST(late_heartbeats_are_told),
		TEST(what_comes_and_goes_is_told_once),
		TEST(a_group_tells_for_itself),
	};
	int failed;

	role_enter(&shard_role);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	role_leave(&shard_role);
	return failed;
}

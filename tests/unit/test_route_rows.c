/* Which rows come of what happens to a monitor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "route_rig.h"

#define WEB "monitors:\n  - {name: m, type: web, url: 'http://x'"

static void
test_down_and_up(void **state)
{
	struct rig r = rig_make(CHANNELS WEB ", notify: [a, b]}\n");
	int64_t began;

	(void)state;
	STEP(&r, STATUS_UP, 1, "");
	STEP(&r, STATUS_UP, 1, "");
	assert_false(r.save);
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	assert_true(r.save);
	began = r.at;
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	assert_int_equal(r.rows.v[0].event.severity, SEVERITY_CRITICAL);
	assert_string_equal(r.rows.v[0].event.path, "m");
	assert_string_equal(r.rows.v[0].event.target, "http://x");
	assert_string_equal(r.rows.v[0].event.reason, "because");
	assert_int_equal(r.rows.v[0].expires_us, r.at + 86400 * SEC);
	STEP(&r, STATUS_DOWN, 1, "");
	/* Not knowing is no end. */
	STEP(&r, STATUS_UNKNOWN, 1, "");
	STEP(&r, STATUS_DOWN, 1, "");
	STEP(&r, STATUS_UNKNOWN, 1, "");
	STEP(&r, STATUS_UP, 1, "resolve a, resolve b");
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	assert_int_equal(r.rows.v[0].event.from, STATUS_DOWN);
	STEP(&r, STATUS_UNKNOWN, 1, "");
	STEP(&r, STATUS_UP, 1, "");
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	assert_int_not_equal(r.rows.v[0].event.incident_us, began);
	STEP(&r, STATUS_PAUSED, 1, "resolve a, resolve b");
	assert_int_equal(r.rows.v[0].event.to, STATUS_PAUSED);
	STEP(&r, STATUS_PENDING, 1, "");
	STEP(&r, STATUS_UP, 1, "");
	rig_free(&r);
}

/* A row of the old form brings no incident: there is nobody to tell its end. */
static void
test_down_before_alerts(void **state)
{
	struct rig r = rig_make(CHANNELS WEB ", notify: [a]}\n");

	(void)state;
	r.st.status = STATUS_DOWN;
	STEP(&r, STATUS_DOWN, 1, "");
	STEP(&r, STATUS_UP, 1, "");
	STEP(&r, STATUS_DOWN, 1, "open a");
	rig_free(&r);
}

static void
test_worse_and_better(void **state)
{
	struct rig r = rig_make(CHANNELS
	    "routes:\n"
	    "  - {match: {severity: warning}, channels: [a], continue: true}\n"
	    "  - {match: {severity: critical}, channels: [b, a],\n"
	    "     escalate: [{after: 5m, channels: [c]}]}\n"
	    "  - {match: {status: late}, channels: [d]}\n" WEB "}\n");

	(void)state;
	STEP(&r, STATUS_UP, 1, "");
	STEP(&r, STATUS_DEGRADED, 1, "open a");
	STEP(&r, STATUS_DOWN, 1, "change a, open b, open c+1@300");
	assert_int_equal(r.rows.v[0].event.from, STATUS_DEGRADED);
	assert_int_equal(r.rows.v[0].event.severity, SEVERITY_CRITICAL);
	assert_int_equal(r.rows.v[1].event.incident_us, r.at - SEC);
	STEP(&r, STATUS_DEGRADED, 1, "change a, change b, change c");
	assert_int_equal(r.rows.v[0].event.severity, SEVERITY_WARNING);
	STEP(&r, STATUS_UP, 1, "resolve a, resolve b, resolve c");
	STEP(&r, STATUS_LATE, 1, "open a, open d");
	rig_free(&r);
}

static void
test_first_match(void **state)
{
	struct rig r = rig_make(CHANNELS
	    "routes:\n"
	    "  - {match: {tags: [x, prod], type: web}, channels: [b],\n"
	    "     continue: true}\n"
	    "  - {match: {type: push}, channels: [d]}\n"
	    "  - {match: {name: 'm*', group: [nope]}, channels: [d]}\n"
	    "  - {match: {name: 'm*'}, channels: [b, c]}\n"
	    "  - {channels: [d]}\n"
	    WEB ", tags: [prod], notify: [a]}\n");

	(void)state;
	STEP(&r, STATUS_DOWN, 1, "open a, open b, open c");
	assert_string_equal(r.rows.v[0].event.tags, "prod");
	rig_free(&r);
}

/* A route tells of members; of the group itself only when it says so. */
static void
test_groups(void **state)
{
	static const char yaml[] = CHANNELS
	    "routes:\n"
	    "  - {match: {group: 'Pro*'}, channels: [b], continue: true}\n"
	    "  - {match: {type: group}, channels: [c]}\n"
	    "  - {channels: [d]}\n"
	    "monitors:\n"
	    "  - {name: Prod, type: group, notify: [a], monitors: [\n"
	    "      {name: m, type: web, url: 'http://x'}]}\n";
	struct rig r = rig_make(yaml);

	(void)state;
	STEP(&r, STATUS_DOWN, 1, "open a, open c");
	STEP(&r, STATUS_UP, 1, "resolve a, resolve c");
	r.m = r.doc->monitors[1];
	STEP(&r, STATUS_DOWN, 1, "open b, open d");
	rig_free(&r);
}

/* What has no members can neither fail nor recover. */
static void
test_empty_group(void **state)
{
	struct rig r = rig_make(CHANNELS "routes:\n  - {channels: [a]}\n" WEB
	    "}\n");
	struct route_event e = {.conf = r.m, .from = STATUS_DOWN,
	    .to = STATUS_PENDING, .why = WHY_EMPTY_GROUP, .latency_us = -1,
	    .reason = ""};

	(void)state;
	STEP(&r, STATUS_UP, 1, "");
	STEP(&r, STATUS_DOWN, 1, "open a");
	STEP(&r, STATUS_PENDING, 1, "");
	assert_true(alerting_open(&r.st.alerting, r.at));
	e.at_us = r.at += SEC;
	xfree(r.rows.v);
	r.rows = (struct route_rows){0};
	assert_true(route_step(r.plan, &e, &r.st, &r.rows));
	rig_told(&r, "resolve a");
	assert_false(alerting_open(&r.st.alerting, r.at));
	rig_free(&r);
}

static void
test_escalation(void **state)
{
	struct rig r = rig_make(CHANNELS
	    "alerts: {remind: 30m}\n"
	    "routes:\n"
	    "  - {channels: [a], remind: 1h, escalate: [\n"
	    "      {after: 5m, channels: [b, a]},\n"
	    "      {after: 15m, channels: [c], remind: 10m}]}\n"
	    WEB ", notify: [d]}\n");

	(void)state;
	STEP(&r, STATUS_DOWN, 1, "open d, open a, open b+1@300, "
	    "open a+1@300, open c+2@900");
	assert_int_equal(r.rows.v[0].remind_us, 1800 * SEC);
	assert_int_equal(r.rows.v[1].remind_us, 3600 * SEC);
	assert_int_equal(r.rows.v[2].remind_us, 0);
	assert_int_equal(r.rows.v[4].remind_us, 600 * SEC);
	for (size_t i = 0; i < r.rows.n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(r.rows.v[i].key,
			    r.rows.v[k].key);
	STEP(&r, STATUS_UP, 1, "resolve d, resolve a, resolve b, resolve c");
	rig_free(&r);
}

/* Sunday 17:00 UTC: the office opens on Monday at 8:00 UTC, 15 h later. */
#define OFFICE \
	"schedules: [{name: office, zone: Europe/Berlin, days: mon-fri,\n" \
	"  from: '09:00', to: '17:00'}]\n"

static void
test_hours(void **state)
{
	struct rig r = rig_make(CHANNELS OFFICE "routes:\n"
	    "  - {channels: [a], schedule: office}\n"
	    "  - {channels: [b]}\n" WEB "}\n");
	struct rig only = rig_make(CHANNELS OFFICE "routes:\n"
	    "  - {channels: [a], schedule: office,\n"
	    "     escalate: [{after: 1h, channels: [b]}]}\n" WEB "}\n");
	struct rig defer = rig_make(CHANNELS OFFICE "routes:\n"
	    "  - {channels: [a], schedule: office, defer: true}\n"
	    "  - {channels: [b]}\n" WEB "}\n");
	struct rig both = rig_make(CHANNELS OFFICE "routes:\n"
	    "  - {channels: [a], schedule: office}\n"
	    WEB ", notify: [c]}\n");
	struct rig own = rig_make(CHANNELS "routes:\n"
	    "  - {channels: [a], hours: {days: sun, from: '16:00',\n"
	    "     to: '18:00'}}\n  - {channels: [b]}\n" WEB "}\n");

	(void)state;
	STEP(&r, STATUS_DOWN, 0, "open b");
	STEP(&r, STATUS_UP, 15 * 3600, "resolve b");
	STEP(&r, STATUS_DOWN, 1, "open a");
	/* Its end is told after hours, too. */
	STEP(&r, STATUS_UP, 9 * 3600, "resolve a");
	/* An alert is not lost to a clock. */
	STEP(&only, STATUS_DOWN, 0, "open a@54000, open b+1@57600");
	STEP(&defer, STATUS_DOWN, 0, "open a@54000");
	STEP(&both, STATUS_DOWN, 0, "open c");
	STEP(&own, STATUS_DOWN, 0, "open a");
	STEP(&own, STATUS_UP, 3600, "resolve a");
	STEP(&own, STATUS_DOWN, 0, "open b");
	rig_free(&r);
	rig_free(&only);
	rig_free(&defer);
	rig_free(&both);
	rig_free(&own);
}

static void
test_recovery_delay(void **state)
{
	struct rig r = rig_make(CHANNELS
	    "alerts: {flap: {on: 0, off: 0}}\nroutes:\n"
	    "  - {channels: [b], recovery_delay: 60s}\n"
	    WEB ", notify: [a]}\n");
	int64_t began;

	(void)state;
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	began = r.at;
	STEP(&r, STATUS_UP, 1, "resolve a@60, resolve b@60");
	STEP(&r, STATUS_UP, 10, "");
	/* Too early: the same incident goes on. */
	STEP(&r, STATUS_DOWN, 10, "change a, change b");
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	assert_int_equal(r.rows.v[0].event.from, STATUS_UP);
	STEP(&r, STATUS_UP, 1, "resolve a@60, resolve b@60");
	STEP(&r, STATUS_UP, 59, "");
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	assert_int_equal(r.rows.v[0].event.incident_us, r.at);
	STEP(&r, STATUS_UP, 1, "resolve a@60, resolve b@60");
	STEP(&r, STATUS_PAUSED, 1, "");
	STEP(&r, STATUS_PENDING, 1, "");
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	r.m->recovery_delay_ns = 5 * NS_PER_S;
	STEP(&r, STATUS_UP, 1, "resolve a@5, resolve b@5");
	rig_free(&r);
}

static void
test_flapping(void **state)
{
	struct rig r = rig_make(CHANNELS WEB ", notify: [a]}\n");
	int64_t began;
	unsigned quiet;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		STEP(&r, STATUS_UP, 60, "");
	STEP(&r, STATUS_DOWN, 60, "open a");
	STEP(&r, STATUS_UP, 60, "resolve a");
	STEP(&r, STATUS_DOWN, 60, "open a");
	STEP(&r, STATUS_UP, 60, "resolve a");
	STEP(&r, STATUS_DOWN, 60, "open a");
	began = r.at;
	/* six of twenty, the newest six */
	STEP(&r, STATUS_UP, 60, "flapping a");
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	STEP(&r, STATUS_DOWN, 60, "");
	STEP(&r, STATUS_DEGRADED, 60, "");
	STEP(&r, STATUS_UP, 60, "");
	STEP(&r, STATUS_DOWN, 60, "");
	/* Quiet, but down: that is told, and later its end. */
	for (quiet = 0; r.st.alerting.flapping; quiet++)
		rig_step(&r, STATUS_DOWN, 60 * SEC);
	rig_told(&r, "settled a");
	assert_true(r.save);
	assert_in_range(quiet, 8, 16);
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	STEP(&r, STATUS_UP, 60, "resolve a");
	rig_free(&r);
}

static void
test_flapping_ends_well(void **state)
{
	struct rig r = rig_make(CHANNELS WEB ", notify: [a]}\n");
	int64_t began;

	(void)state;
	rig_step(&r, STATUS_UP, SEC);
	for (unsigned i = 0; i < 4; i++) {
		STEP(&r, STATUS_DOWN, 1, "open a");
		if (i < 2)
			STEP(&r, STATUS_UP, 1, "resolve a");
		if (i == 2)
			break;
	}
	began = r.st.alerting.incident_us;
	STEP(&r, STATUS_UP, 1, "flapping a");
	while (r.st.alerting.flapping)
		rig_step(&r, STATUS_UP, SEC);
	rig_told(&r, "resolve a");
	assert_int_equal(r.rows.v[0].event.incident_us, began);
	assert_int_equal(r.st.alerting.incident_us, 0);
	/* Paused in the middle of it: told, and forgotten. */
	rig_step(&r, STATUS_DOWN, SEC);
	r.st.alerting.flap = 0xfffff;
	STEP(&r, STATUS_DEGRADED, 1, "flapping a");
	STEP(&r, STATUS_PAUSED, 1, "resolve a");
	assert_false(r.st.alerting.flapping);
	rig_free(&r);
	r = rig_make(CHANNELS "alerts: {flap: {on: 0, off: 0}}\n" WEB
	    ", notify: [a]}\n");
	rig_step(&r, STATUS_UP, SEC);
	for (unsigned i = 0; i < 30; i++) {
		STEP(&r, STATUS_DOWN, 1, "open a");
		STEP(&r, STATUS_UP, 1, "resolve a");
	}
	rig_free(&r);
}

static void
seen_cert(struct rig *r, int64_t left_s, const char *want)
{
	struct route_event e = {.conf = r->m, .from = r->st.status,
		.to = r->st.status, .latency_us = -1, .reason = ""};

	r->at += SEC;
	e.at_us = r->at;
	e.cert_expiry_s = r->at / SEC + left_s;
	xfree(r->rows.v);
	r->rows = (struct route_rows){0};
	r->save = route_step(r->plan, &e, &r->st, &r->rows);
	rig_told(r, want);
	assert_int_equal(r->save, r->rows.n > 0 || left_s > 14 * 86400);
}

static void
seen_renewed(struct rig *r, int64_t left_s)
{
	struct route_event e = {.conf = r->m, .from = r->st.status,
		.to = r->st.status, .at_us = ++r->at, .latency_us = -1,
		.cert_expiry_s = r->at / SEC + left_s, .reason = ""};

	xfree(r->rows.v);
	r->rows = (struct route_rows){0};
	assert_true(route_step(r->plan, &e, &r->st, &r->rows));
	assert_int_equal(r->rows.n, 0);
}

static void
test_certificate(void **state)
{
	struct rig r = rig_make(CHANNELS
	    "routes: [{match: {status: certificate}, channels: [b]}]\n"
	    WEB ", notify: [a]}\n");

	(void)state;
	rig_step(&r, STATUS_UP, SEC);
	r.st.cert_warned_s = 1;   /* of another, which is gone */
	seen_cert(&r, 15 * 86400, "");
	seen_cert(&r, 14 * 86400, "certificate a, certificate b");
	assert_int_equal(r.rows.v[0].event.incident_us, 0);
	assert_int_equal(r.rows.v[0].event.severity, SEVERITY_WARNING);
	assert_int_equal(r.rows.v[0].event.until_us,
	    (r.at / SEC + 14 * 86400) * SEC);
	seen_cert(&r, 13 * 86400, "");
	seen_cert(&r, 2 * 86400, "certificate a, certificate b");
	seen_cert(&r, 86400, "certificate a, certificate b");
	assert_int_equal(r.rows.v[0].event.severity, SEVERITY_CRITICAL);
	seen_cert(&r, -5, "");
	/* Another certificate, which ends soon as well: they know. */
	seen_renewed(&r, 10 * 86400);
	seen_cert(&r, 7 * 86400, "certificate a, certificate b");
	rig_step(&r, STATUS_UP, SEC);
	assert_int_equal(r.st.alerting.ntold, 0);
	rig_free(&r);
}

/* Who cannot be told of the end is not told of the beginning. */
static void
test_gone_channel(void **state)
{
	struct rig r = rig_make(CHANNELS WEB ", notify: [a, b]}\n");
	struct rig less = rig_make("channels:\n"
	    "  - {name: b, type: ntfy, url: 'http://n', topic: t}\n"
	    WEB "}\n");

	(void)state;
	STEP(&r, STATUS_DOWN, 1, "open a, open b");
	less.st = r.st;
	STEP(&less, STATUS_UP, 100, "resolve b");
	rig_free(&r);
	rig_free(&less);
}

/* -- any sequence at all ----------------------------------------------------- */

struct count {
	int64_t incident;
	char channel[4];
	unsigned openers, ends, again;
};

static unsigned
rnd(uint64_t *seed, unsigned n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1;
	return (unsigned)(*seed >> 33) % n;
}

static struct count *
count_of(struct count *v, size_t *n, const struct outbox_row *o)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i].incident == o->event.incident_us &&
		    strcmp(v[i].channel, o->channel) == 0)
			return &v[i];
	assert_true(*n < 4096);
	v[*n] = (struct count){.incident = o->event.incident_us};
	(void)snprintf(v[*n].channel, sizeof(v[*n].channel), "%.3s",
	    o->channel);
	return &v[(*n)++];
}

static void
judge_row(struct count *c, const struct rig *r, const struct outbox_row *o)
{
	switch ((enum alert_kind)o->event.kind) {
	case ALERT_OPEN:
	case ALERT_FLAP:
		c->openers += o->step == 0 && c->openers == 0;
		if (o->event.kind == ALERT_OPEN && o->step == 0)
			assert_int_equal(c->openers, 1);
		break;
	case ALERT_CHANGE:
		/* Whose end was told, for later, and did not come. */
		if (o->event.from == STATUS_UP)
			c->again++;
		break;
	case ALERT_SETTLE:
		break;
	case ALERT_RESOLVE:
		c->ends++;
		assert_int_equal(c->ends, c->again + 1);
		break;
	case ALERT_REMIND: case ALERT_CERT: case ALERT_SIGHT:
	case ALERT_STORE: case ALERT_CHANNEL: case ALERT_TEST:
	case ALERT_NMAX:
		fail_msg("a row of kind %u", o->event.kind);
	}
	assert_true(o->next_us >= r->at);
	assert_int_not_equal(o->event.incident_us, 0);
}

static void
any_life(const char *yaml, uint64_t seed)
{
	static const enum status steps[] = {STATUS_UP, STATUS_UP, STATUS_UP,
		STATUS_DOWN, STATUS_DOWN, STATUS_DEGRADED, STATUS_UNKNOWN,
		STATUS_PAUSED, STATUS_LATE};
	static struct count v[4096];
	struct rig r = rig_make(yaml), twin = rig_make(yaml);
	enum status to = STATUS_UP, was;
	BUF_AUTO(a, 16384);
	BUF_AUTO(b, 16384);
	size_t n = 0;

	for (unsigned i = 0; i < 600; i++) {
		unsigned calm = seed % 3 == 0 ? 2 : 8;

		was = to;
		if (rnd(&seed, calm) == 0)
			to = steps[rnd(&seed, COUNT(steps))];
		if (was == STATUS_PAUSED && to != STATUS_PAUSED)
			to = STATUS_PENDING;
		rig_step(&r, to, (1 + rnd(&seed, 60)) * SEC);
		assert_true(alerting_ok(&r.st.alerting));
		for (size_t k = 0; k < r.rows.n; k++)
			judge_row(count_of(v, &n, &r.rows.v[k]), &r,
			    &r.rows.v[k]);
		/* Flapping is silence. */
		if (was == to && r.st.alerting.flapping)
			assert_int_equal(r.rows.n, 0);
		/* The same from a copy of the state: nothing else counts. */
		buf_clear(&a);
		buf_clear(&b);
		rig_text(&r, &a);
		rig_step(&twin, to, r.at - twin.at);
		rig_text(&twin, &b);
		assert_true(str_eq(buf_str(&a), buf_str(&b)));
		assert_memory_equal(&r.st.alerting, &twin.st.alerting,
		    sizeof(r.st.alerting));
		twin.st = r.st;
	}
	rig_step(&r, STATUS_PAUSED, 86400 * SEC);
	for (size_t k = 0; k < r.rows.n; k++)
		judge_row(count_of(v, &n, &r.rows.v[k]), &r, &r.rows.v[k]);
	for (size_t i = 0; i < n; i++) {
		/* Who was only to be told later may lack an immediate one. */
		if (strcmp(v[i].channel, "d") != 0)
			assert_int_equal(v[i].openers, 1);
		assert_int_equal(v[i].ends, v[i].again + 1);
	}
	rig_free(&r);
	rig_free(&twin);
}

static void
test_any_life(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		any_life(CHANNELS WEB ", notify: [a, b]}\n", seed);
		any_life(CHANNELS "routes:\n"
		    "  - {match: {severity: critical}, channels: [b],\n"
		    "     continue: true, recovery_delay: 90s}\n"
		    "  - {channels: [c], escalate: [{after: 5m,\n"
		    "     channels: [d]}]}\n" WEB ", notify: [a]}\n", seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_and_up),
		cmocka_unit_test(test_down_before_alerts),
		cmocka_unit_test(test_worse_and_better),
		cmocka_unit_test(test_first_match),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_empty_group),
		cmocka_unit_test(test_escalation),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_recovery_delay),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_flapping_ends_well),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_gone_channel),
		cmocka_unit_test(test_any_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Alerts as rows: what is stored once, what comes back at a start, who hears
 * of it and when. */
#include "tests/unit/store_rig.h"
#include "store/outbox.h"

struct heard {
	_Atomic unsigned units, rows, holds;
	struct rig *rig;
	_Atomic int64_t in_file;   /* rows in the database when it was heard */
};
static struct heard heard;

static void
on_durable(void *arg, const struct unit *u)
{
	struct heard *h = arg;

	h->units++;
	if (u->kind == UNIT_ALERT) {
		const struct alert_unit *a = alert_unit_of(u);

		h->rows += (unsigned)a->nrows;
		h->holds += a->has_hold;
		if (h->rig != NULL)
			h->in_file = rig_number(h->rig,
			    "SELECT count(*) FROM outbox");
	}
	if (u->kind == UNIT_CONFIG)
		h->rows += (unsigned)config_unit_of(u)->nrows;
}

static struct outbox_row
a_row(uint32_t monitor, int64_t incident_us, const char *channel)
{
	struct outbox_row r = {.remind_us = 7, .expires_us = 99,
	    .event = {.kind = ALERT_OPEN, .severity = SEVERITY_CRITICAL,
	    .to = STATUS_DOWN, .monitor = monitor, .incident_us = incident_us,
	    .at_us = incident_us, .latency_us = -1, .reason = "refused"}};

	snprintf(r.channel, sizeof(r.channel), "%s", channel);
	snprintf(r.event.path, sizeof(r.event.path), "G/%u", monitor);
	outbox_key(&r);
	return r;
}

static void
rig_begin(struct rig *r)
{
	rig_dir(r, "v.db");
	memset(&heard, 0, sizeof(heard));
	heard.rig = r;
	r->conf.durable = on_durable;
	r->conf.durable_arg = &heard;
	rig_open(r);
}

static void
send_rows(struct rig *r, const struct outbox_row *v, size_t n)
{
	struct alert_unit *u = alert_unit_new();

	for (size_t i = 0; i < n; i++)
		*alert_unit_row(u) = v[i];
	assert_int_equal(rig_send(r, &u->unit, NULL), ERR_OK);
}

static void
a_row_made_twice_is_one_and_heard_after_its_commit(void **state)
{
	struct rig r;
	struct outbox_row v[2] = {a_row(1, 1000, "ops"), a_row(1, 1000, "sms")};

	(void)state;
	rig_begin(&r);
	send_rows(&r, v, 2);
	assert_int_equal(heard.rows, 2);
	assert_int_equal(heard.in_file, 2);   /* committed when heard */
	send_rows(&r, v, 2);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM outbox"), 2);
	rig_close(&r);
	rig_remove(&r);
}

struct kept {
	struct outbox_row rows[8];
	struct channel_health health[4];
	struct hold holds[4];
	size_t n, nh, nholds;
};

static void
keep_row(void *arg, const struct outbox_row *r)
{
	struct kept *k = arg;

	assert_true(k->n < COUNT(k->rows));
	k->rows[k->n++] = *r;
}

static void
keep_health(void *arg, const struct channel_health *h)
{
	struct kept *k = arg;

	k->health[k->nh++] = *h;
}

static void
keep_hold(void *arg, const struct hold *h)
{
	struct kept *k = arg;

	k->holds[k->nholds++] = *h;
}

static struct kept
load(struct rig *r)
{
	struct kept k = {0};
	struct outbox_reader to = {keep_row, keep_health, keep_hold, &k};
	struct errinfo ei = {0};

	if (outbox_load(r->s, &to, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	return k;
}

static void
what_is_kept_comes_back_as_it_was(void **state)
{
	struct rig r;
	struct outbox_row v[3] = {a_row(1, 1000, "ops"), a_row(2, 1001, "ops"),
	    a_row(3, 1002, "ops")};
	struct alert_unit *u;
	struct outbox_mark *m;
	struct kept k;

	(void)state;
	rig_begin(&r);
	send_rows(&r, v, 3);
	u = alert_unit_new();
	m = alert_unit_mark(u);
	memcpy(m->key, v[0].key, sizeof(m->key));
	m->state = OUTBOX_SENT;        /* its incident goes on: kept */
	m->attempts = 4;
	m->next_us = 55;
	snprintf(m->note, sizeof(m->note), "a note");
	m = alert_unit_mark(u);
	memcpy(m->key, v[1].key, sizeof(m->key));
	m->state = OUTBOX_SUPPRESSED;
	m->over = true;
	*alert_unit_health(u) = (struct channel_health){.channel = "ops",
	    .failures = 3, .told = true, .failing_since_us = 5, .ok_us = 6,
	    .failed_us = 7, .error = "refused"};
	*alert_unit_delivery(u) = (struct delivery){.channel = "ops",
	    .members = 2, .attempt = 4, .code = 503, .result = DELIVERY_AGAIN,
	    .text = "busy"};
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	rig_close(&r);
	rig_open(&r);
	k = load(&r);
	assert_int_equal(k.n, 2);
	assert_string_equal(k.rows[0].key, v[0].key);
	assert_int_equal(k.rows[0].state, OUTBOX_SENT);
	assert_int_equal(k.rows[0].attempts, 4);
	assert_int_equal(k.rows[0].next_us, 55);
	assert_string_equal(k.rows[0].note, "a note");
	assert_int_equal(k.rows[0].remind_us, 7);
	assert_string_equal(k.rows[0].event.path, "G/1");
	assert_string_equal(k.rows[0].event.reason, "refused");
	assert_string_equal(k.rows[1].key, v[2].key);
	assert_int_equal(k.nh, 1);
	assert_int_equal(k.health[0].failures, 3);
	assert_true(k.health[0].told);
	assert_string_equal(k.health[0].error, "refused");
	assert_int_equal(rig_number(&r, "SELECT code FROM delivery"), 503);
	rig_close(&r);
	rig_remove(&r);
}

static enum err
hold(struct rig *r, uint32_t monitor, enum hold_op op, int64_t until_us,
    struct errinfo *ei)
{
	struct alert_unit *u = alert_unit_new();

	u->has_hold = true;
	u->hold = (struct hold_change){.monitor = monitor, .op = (uint8_t)op,
	    .until_us = until_us, .at_us = clock_wall_us(), .by = "kate",
	    .note = "on it"};
	return rig_send(r, &u->unit, ei);
}

static void
only_an_open_incident_is_acknowledged(void **state)
{
	struct rig r;
	struct outbox_row v;
	struct errinfo ei = {0};
	struct kept k;
	uint32_t id;

	(void)state;
	rig_begin(&r);
	id = rig_create(&r, RIG_WEB("A"));
	assert_int_equal(hold(&r, id + 9, HOLD_ACK, 0, &ei), ERR_NOT_FOUND);
	assert_int_equal(hold(&r, id, HOLD_ACK, 0, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "no open incident"));
	assert_int_equal(heard.holds, 0);
	v = a_row(id, 4711, "ops");
	send_rows(&r, &v, 1);
	assert_int_equal(hold(&r, id, HOLD_ACK, 0, &ei), ERR_OK);
	assert_int_equal(hold(&r, id, HOLD_SNOOZE, 99, &ei), ERR_OK);
	assert_int_equal(heard.holds, 2);
	k = load(&r);
	assert_int_equal(k.nholds, 1);
	assert_int_equal(k.holds[0].incident_us, 4711);
	assert_true(k.holds[0].acked_us > 0);
	assert_int_equal(k.holds[0].snoozed_us, 99);
	assert_string_equal(k.holds[0].by, "kate");
	assert_int_equal(hold(&r, id, HOLD_UNACK, 0, &ei), ERR_OK);
	k = load(&r);
	assert_int_equal(k.holds[0].acked_us, 0);
	assert_int_equal(k.holds[0].snoozed_us, 99);
	assert_int_equal(rig_number(&r,
	    "SELECT count(*) FROM event WHERE kind = 8"), 3);
	rig_close(&r);
	rig_remove(&r);
}

/* -- monitors that go --------------------------------------------------------- */

#define HOOK(name) "  - { name: " name ", type: webhook, url: 'http://x/' }\n"
#define WEB(name) "  - { name: " name ", type: web, url: 'http://x/' }\n"
#define CHANNELS "channels:\n" HOOK("ops") HOOK("sms") "monitors:\n"

static uint32_t
id_of(struct rig *r, const char *path)
{
	struct view_row row;
	uint32_t id;

	assert_int_equal(view_find(store_view(r->s), str_of(path), &row),
	    ERR_OK);
	id = row.conf->id;
	view_row_release(&row);
	return id;
}

/* Down, and "ops" was told. */
static void
goes_down(struct rig *r, uint32_t id, int64_t recover_us)
{
	struct result_unit *u = rig_turn(id, 1, 1000, STATUS_PENDING,
	    STATUS_DOWN);

	u->own->state.alerting = (struct alerting){.incident_us = 1000,
	    .recover_us = recover_us, .told = {alert_channel_id("ops")},
	    .ntold = 1, .severity = SEVERITY_CRITICAL, .status = STATUS_DOWN};
	u->rows = xcalloc(1, sizeof(*u->rows));
	u->rows[0] = a_row(id, 1000, "ops");
	u->nrows = 1;
	assert_int_equal(rig_send(r, &u->unit, NULL), ERR_OK);
}

static int64_t
ends(struct rig *r, uint32_t id)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM outbox WHERE kept = 1"
	    " AND monitor = %u AND incident_us = 1000 AND channel = 'ops' AND"
	    " json_extract(event, '$.kind') = %d", id, ALERT_RESOLVE);
	return rig_number(r, sql);
}

/* In the transaction that lets it go, and heard of like any other row. */
static void
who_was_told_hears_that_a_monitor_went(void **state)
{
	static const struct plan_opts file = {.origin = ORIGIN_FILE,
	    .archive = true};
	const int64_t later = clock_wall_us() + INT64_C(3600000000);
	uint32_t told, archived, healthy, waiting;
	struct rig r;

	(void)state;
	rig_begin(&r);
	assert_int_equal(rig_apply(&r, CHANNELS WEB("A") WEB("B") WEB("C")
	    WEB("D"), file), ERR_OK);
	told = id_of(&r, "A");
	archived = id_of(&r, "B");
	healthy = id_of(&r, "C");
	waiting = id_of(&r, "D");
	goes_down(&r, told, 0);
	goes_down(&r, archived, 0);
	goes_down(&r, waiting, later);   /* its end is told already */
	heard.rows = 0;
	rig_change(&r, CONFIG_DELETE, told, NULL, ERR_OK);
	assert_int_equal(ends(&r, told), 1);
	assert_int_equal(heard.rows, 1);
	rig_change(&r, CONFIG_DELETE, healthy, NULL, ERR_OK);
	rig_change(&r, CONFIG_DELETE, waiting, NULL, ERR_OK);
	assert_int_equal(heard.rows, 1);
	assert_int_equal(rig_apply(&r, CHANNELS WEB("E"), file), ERR_OK);
	assert_int_equal(ends(&r, archived), 1);
	assert_int_equal(heard.rows, 2);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM outbox"), 5);
	/* archived first and deleted then: it ended once */
	rig_change(&r, CONFIG_DELETE, archived, NULL, ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM outbox"), 5);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_row_made_twice_is_one_and_heard_after_its_commit),
		cmocka_unit_test(what_is_kept_comes_back_as_it_was),
		cmocka_unit_test(only_an_open_incident_is_acknowledged),
		cmocka_unit_test(who_was_told_hears_that_a_monitor_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

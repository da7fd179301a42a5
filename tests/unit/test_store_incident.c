/* Incidents follow the states that are stored: opened, going on, closed and
 * opened again in one transaction, after a restart as before it, and from a
 * store that knew none. What people write is kept beside, and is refused where
 * it would say what is not so. */
#include "tests/unit/store_rig.h"

#include <poll.h>

#include "store/audit.h"
#include "store/backup.h"
#include "store/incident.h"

#define T0  INT64_C(1790000000000000)
#define SEC INT64_C(1000000)

static void
run_sql(struct rig *r, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

/* What the store's own check says of one that is closed. */
static void
check(struct rig *r, uint64_t want)
{
	struct backend_conf c = {.path = r->path};
	struct audit_report *a = xcalloc(1, sizeof(*a));
	struct errinfo ei = {0};

	if (backup_audit(&c, AUDIT_ALL, NULL, a, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	for (size_t i = 0; i < a->n; i++)
		print_message("%s: %s\n", a->v[i].rule, a->v[i].text);
	assert_int_equal(a->total, want);
	xfree(a);
}

static void
sound(struct rig *r)
{
	rig_close(r);
	check(r, 0);
	rig_open(r);
}

struct told {
	int64_t incident_us, recover_us;
	bool flapping;
};

/* As the scheduler sends it, with what people were told. */
static struct result_unit *
turn(uint64_t seq, enum status from, enum status to, struct told told)
{
	int64_t at_us = T0 + (int64_t)seq * SEC;
	struct result_unit *u = rig_turn(1, seq, at_us, from, to);

	snprintf(u->own->transition.reason, REASON_MAX, "refused");
	u->own->state.alerting = (struct alerting){
	    .incident_us = told.incident_us, .recover_us = told.recover_us,
	    .flapping = told.flapping, .severity = SEVERITY_CRITICAL,
	    .status = to == STATUS_UP ? STATUS_DOWN : (uint8_t)to};
	if (told.incident_us == 0)
		memset(&u->own->state.alerting, 0,
		    sizeof(u->own->state.alerting));
	return u;
}

static void
send_turn(struct rig *r, uint64_t seq, enum status from, enum status to,
    struct told told)
{
	assert_int_equal(rig_send(r, &turn(seq, from, to, told)->unit, NULL),
	    ERR_OK);
}

static size_t
shown(struct rig *r, struct incident_shown *ret)
{
	struct incident_shown *v = NULL;
	size_t n = 0, total = 0;

	view_incidents(store_view(r->s), 10, &v, &n, &total);
	assert_int_equal(n, total);
	if (n > 0 && ret != NULL) {
		*ret = v[0];
		ret->v = NULL;
		ret->n = v[0].n;
	}
	incident_shown_free(v, n);
	return n;
}

static enum err
person(struct rig *r, enum incident_op op, uint64_t id, const char *body,
    struct incident_unit **ret)
{
	struct incident_unit *u = incident_unit_new(op);
	json_t *v = body != NULL ? json_loads(body, 0, NULL) : NULL;
	struct errinfo ei = {0};
	enum err e = ERR_OK;

	u->id = id;
	snprintf(u->actor, sizeof(u->actor), "test");
	if (v != NULL)
		e = incident_conf_read(v, op == INCIDENT_CREATE ?
		    INCIDENT_BODY_NEW : op == INCIDENT_CHANGE ?
		    INCIDENT_BODY_CHANGE : INCIDENT_BODY_UPDATE, &u->conf,
		    &ei);
	json_decref(v);
	if (e == ERR_OK)
		e = rig_send(r, &u->unit, &ei);
	if (ret != NULL && e == ERR_OK)
		*ret = u;
	else
		incident_unit_free(u);
	return e;
}

static void
begin(struct rig *r)
{
	rig_dir(r, "s.db");
	rig_open(r);
	assert_int_equal(rig_create(r, RIG_WEB("A")), 1);
}

static void
end(struct rig *r)
{
	sound(r);
	rig_close(r);
	rig_remove(r);
}

#define NONE   ((struct told){0})
#define SINCE(seq) ((struct told){.incident_us = T0 + (seq) * SEC})

static void
outage(void **state)
{
	struct rig r;
	struct incident_shown i;

	(void)state;
	begin(&r);
	send_turn(&r, 1, STATUS_PENDING, STATUS_UP, NONE);
	assert_int_equal(shown(&r, NULL), 0);
	send_turn(&r, 2, STATUS_UP, STATUS_DEGRADED, SINCE(2));
	send_turn(&r, 3, STATUS_DEGRADED, STATUS_DOWN, SINCE(2));
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.i.id, 1);
	assert_int_equal(i.i.worst, STATUS_DOWN);
	assert_int_equal(i.status, STATUS_DOWN);
	assert_int_equal(i.i.opened_us, T0 + 2 * SEC);
	/* Not seeing it ends nothing. */
	send_turn(&r, 4, STATUS_DOWN, STATUS_UNKNOWN, SINCE(2));
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us = 0 AND worst = 0 AND severity = 2 AND state = 0 AND"
	    " reason = 'refused' AND name = 'A'"), 1);
	sound(&r);
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.i.id, 1);
	send_turn(&r, 5, STATUS_UNKNOWN, STATUS_UP, NONE);
	assert_int_equal(shown(&r, NULL), 0);
	assert_int_equal(rig_number(&r, "SELECT closed_us FROM incident WHERE"
	    " state = 3"), T0 + 5 * SEC);
	send_turn(&r, 6, STATUS_UP, STATUS_DOWN, SINCE(6));
	assert_int_equal(rig_number(&r, "SELECT max(id) FROM incident"), 2);
	end(&r);
}

/* In one transaction, many units: what they led to is what is there. */
static void
batch(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (uint64_t k = 1; k < 200; k += 2) {
		rig_put(&r, &turn(k, STATUS_UP, STATUS_DOWN,
		    SINCE((int64_t)k))->unit);
		rig_put(&r, &turn(k + 1, STATUS_DOWN, STATUS_UP, NONE)->unit);
	}
	rig_flush(&r);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us = opened_us + 1000000"), 100);
	assert_int_equal(shown(&r, NULL), 0);
	end(&r);
}

/* Nobody keeps what people were told: the status decides. */
static void
untold(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, NONE);
	send_turn(&r, 3, STATUS_DOWN, STATUS_DEGRADED, NONE);
	assert_int_equal(shown(&r, NULL), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " incident_us = 1790000002000000 AND worst = 0"), 1);
	sound(&r);
	send_turn(&r, 4, STATUS_DEGRADED, STATUS_PAUSED, NONE);
	assert_int_equal(shown(&r, NULL), 0);
	end(&r);
}

/* Up, and down again before its end was told: the same goes on, with what was
 * said of it, also when there was a restart between. */
static void
again(void **state)
{
	struct rig r;
	struct incident_shown i;
	struct told ending = {.incident_us = T0 + 2 * SEC,
	    .recover_us = INT64_MAX};

	(void)state;
	begin(&r);
	for (int64_t restart = 0; restart < 2; restart++) {
		uint64_t k = 10 * (uint64_t)restart;

		if (restart == 0)
			send_turn(&r, 2, STATUS_UP, STATUS_DOWN, SINCE(2));
		if (restart == 0)
			assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
			    "{\"text\":\"looking\",\"state\":\"identified\"}",
			    NULL), ERR_OK);
		send_turn(&r, k + 3, STATUS_DOWN, STATUS_UP, ending);
		assert_int_equal(shown(&r, NULL), 0);
		assert_int_equal(rig_number(&r, "SELECT state FROM incident"),
		    INCIDENT_RESOLVED);
		if (restart)
			sound(&r);
		send_turn(&r, k + 4, STATUS_UP, STATUS_DOWN, SINCE(2));
		assert_int_equal(shown(&r, &i), 1);
		assert_int_equal(i.i.id, 1);
		assert_int_equal(i.n, 1);
		assert_int_equal(i.i.state, INCIDENT_INVESTIGATING);
		assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident"
		    " WHERE state = 0 AND closed_us = 0"), 1);
	}
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident"), 1);
	end(&r);
}

/* What a transaction that came to nothing had in mind is forgotten. */
static void
rolled_back(void **state)
{
	struct rig r;
	struct result_unit *u;
	sqlite3 *db = NULL;

	(void)state;
	begin(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("B")), 2);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, SINCE(2));
	run_sql(&r, "CREATE TRIGGER poison BEFORE INSERT ON transition WHEN"
	    " NEW.monitor = 2 BEGIN SELECT RAISE(ABORT, 'no'); END");
	/* Both wait for the lock, and so go into one transaction. */
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	rig_put(&r, &turn(3, STATUS_DOWN, STATUS_UP, NONE)->unit);
	u = rig_turn(2, 1, T0 + SEC, STATUS_PENDING, STATUS_DOWN);
	rig_put(&r, &u->unit);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	rig_flush(&r);
	run_sql(&r, "DROP TRIGGER poison");
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM quarantine"), 1);
	assert_int_equal(rig_number(&r, "SELECT closed_us FROM incident"),
	    T0 + 3 * SEC);
	assert_int_equal(shown(&r, NULL), 0);
	end(&r);
}

/* What comes and goes is one, open until it has settled. */
static void
flapping(void **state)
{
	struct rig r;
	struct told flap = {.incident_us = T0 + 2 * SEC, .flapping = true};
	struct result_unit *u;

	(void)state;
	begin(&r);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, flap);
	send_turn(&r, 3, STATUS_DOWN, STATUS_UP, flap);
	assert_int_equal(shown(&r, NULL), 1);
	sound(&r);
	send_turn(&r, 4, STATUS_UP, STATUS_DOWN, flap);
	send_turn(&r, 5, STATUS_DOWN, STATUS_UP, flap);
	/* Quiet for a while: a state without a change of status. */
	u = turn(6, STATUS_UP, STATUS_UP, NONE);
	u->own->has_transition = false;
	u->own->state.since_us = T0 + 5 * SEC;
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	assert_int_equal(shown(&r, NULL), 0);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us = 1790000005000000"), 1);
	end(&r);
}

static void
monitor_goes(void **state)
{
	static const struct plan_opts prune = {.origin = ORIGIN_FILE};
	struct rig r;

	(void)state;
	begin(&r);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, SINCE(2));
	rig_change(&r, CONFIG_DELETE, 1, NULL, ERR_OK);
	assert_int_equal(shown(&r, NULL), 0);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " state = 3 AND closed_us > opened_us AND name = 'A'"), 1);
	/* Archived by its file; its number is 2. */
	assert_int_equal(rig_apply(&r, "monitors:\n- {name: B, type: web,"
	    " url: \"http://127.0.0.1/\"}\n", prune), ERR_OK);
	assert_int_equal(rig_send(&r, &rig_turn(2, 1, T0 + SEC, STATUS_UP,
	    STATUS_DOWN)->unit, NULL), ERR_OK);
	assert_int_equal(shown(&r, NULL), 1);
	assert_int_equal(rig_apply(&r, "monitors: []\n",
	    (struct plan_opts){.origin = ORIGIN_FILE, .archive = true}),
	    ERR_OK);
	assert_int_equal(shown(&r, NULL), 0);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us = 0"), 0);
	end(&r);
}

/* A store from before there were incidents, and one whose rows say otherwise
 * than its states. */
static void
put_right(void **state)
{
	struct rig r;
	struct incident_shown i;

	(void)state;
	begin(&r);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, SINCE(2));
	rig_close(&r);
	run_sql(&r, "DELETE FROM incident");
	check(&r, 1);
	rig_open(&r);
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.i.id, 2);
	assert_int_equal(i.i.opened_us, T0 + 2 * SEC);
	send_turn(&r, 3, STATUS_DOWN, STATUS_UP, NONE);
	rig_close(&r);
	run_sql(&r, "UPDATE incident SET closed_us = 0, state = 1");
	check(&r, 1);
	rig_open(&r);
	assert_int_equal(shown(&r, NULL), 0);
	assert_int_equal(rig_number(&r, "SELECT closed_us FROM incident WHERE"
	    " state = 3"), T0 + 3 * SEC);
	end(&r);
}

/* -- people ---------------------------------------------------------------- */

static void
manual(void **state)
{
	struct rig r;
	struct incident_unit *u = NULL;
	struct incident_shown i;

	(void)state;
	begin(&r);
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"title\":\"Slow\","
	    "\"monitors\":[\"B\"]}", NULL), ERR_INVALID);
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"text\":\"x\"}",
	    NULL), ERR_INVALID);
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"title\":\"Slow\","
	    "\"text\":\"one\\ntwo\\u0007\",\"monitors\":[\"A\"]}", &u),
	    ERR_OK);
	assert_int_equal(u->now.id, 1);
	assert_string_equal(u->update.text, "one\ntwo\xef\xbf\xbd");
	incident_unit_free(u);
	assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
	    "{\"text\":\"for us\",\"public\":false}", NULL), ERR_OK);
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.n, 1);
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"state\":\"identified\",\"cause\":\"disk\"}", NULL), ERR_OK);
	sound(&r);
	assert_int_equal(shown(&r, &i), 1);
	assert_string_equal(i.i.title, "Slow");
	assert_string_equal(i.i.cause, "disk");
	assert_int_equal(i.n, 2);   /* the note is not for everybody */
	assert_int_equal(i.i.nmonitors, 1);
	assert_int_equal(i.i.version, 0);
	assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
	    "{\"text\":\"done\",\"state\":\"resolved\"}", NULL), ERR_OK);
	assert_int_equal(shown(&r, NULL), 0);
	/* Again: with all that was said. */
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"state\":\"monitoring\"}", NULL), ERR_OK);
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.n, 4);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us = 0 AND state = 2 AND version = 5"), 1);
	assert_int_equal(person(&r, INCIDENT_DELETE, 1, NULL, NULL), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM"
	    " incident_update"), 0);
	/* Its number is not given again. */
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"title\":\"x\"}",
	    &u), ERR_OK);
	assert_int_equal(u->now.id, 2);
	incident_unit_free(u);
	end(&r);
}

static void
refused(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	send_turn(&r, 2, STATUS_UP, STATUS_DOWN, SINCE(2));
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"state\":\"resolved\"}", NULL), ERR_CONFLICT);
	assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
	    "{\"text\":\"all fine\",\"state\":\"resolved\"}", NULL),
	    ERR_CONFLICT);
	assert_int_equal(person(&r, INCIDENT_DELETE, 1, NULL, NULL),
	    ERR_CONFLICT);
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"monitors\":[\"A\"]}", NULL), ERR_INVALID);
	assert_int_equal(person(&r, INCIDENT_CHANGE, 7, "{\"title\":\"x\"}",
	    NULL), ERR_NOT_FOUND);
	assert_int_equal(shown(&r, NULL), 1);
	send_turn(&r, 3, STATUS_DOWN, STATUS_UP, NONE);
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"state\":\"monitoring\"}", NULL), ERR_CONFLICT);
	/* A word afterwards is welcome. */
	assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
	    "{\"text\":\"it was the disk\"}", NULL), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM"
	    " incident_update"), 1);
	end(&r);
}

static void
limits(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < INCIDENT_OPEN_MAX; i++)
		assert_int_equal(person(&r, INCIDENT_CREATE, 0,
		    "{\"title\":\"x\"}", NULL), ERR_OK);
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"title\":\"x\"}",
	    NULL), ERR_LIMIT);
	assert_int_equal(person(&r, INCIDENT_CREATE, 0,
	    "{\"title\":\"x\",\"state\":\"resolved\"}", NULL), ERR_OK);
	assert_int_equal(person(&r, INCIDENT_CHANGE, INCIDENT_OPEN_MAX + 1,
	    "{\"state\":\"identified\"}", NULL), ERR_LIMIT);
	for (int i = 0; i < INCIDENT_UPDATES_MAX; i++)
		assert_int_equal(person(&r, INCIDENT_UPDATE, 1,
		    "{\"text\":\"x\"}", NULL), ERR_OK);
	assert_int_equal(person(&r, INCIDENT_UPDATE, 1, "{\"text\":\"x\"}",
	    NULL), ERR_LIMIT);
	assert_int_equal(person(&r, INCIDENT_CHANGE, 1,
	    "{\"state\":\"identified\"}", NULL), ERR_LIMIT);
	end(&r);
}

/* -- questions ------------------------------------------------------------- */

struct ask {
	struct rig_job job;
	struct incident_query q;
	struct incident *v;
	size_t n;
};

static void
ask(struct rig_job *j, struct reader *reader)
{
	struct ask *a = CONTAINER(j, struct ask, job);

	j->w.e = query_incidents(reader, &a->q, &a->v, &a->n, &j->ei);
}

/* The ids that are found, as one number: 3, 1 is 31. */
static unsigned
found(struct rig *r, struct incident_query q)
{
	struct ask a = {.job = rig_question(0, 0), .q = q};
	unsigned ids = 0;

	a.q.limit = a.q.limit != 0 ? a.q.limit : 100;
	if (rig_ask(r, &a.job, ask) != ERR_OK)
		fail_msg("%s", a.job.ei.text);
	for (size_t i = 0; i < a.n; i++)
		ids = ids * 10 + (unsigned)a.v[i].id;
	xfree(a.v);
	return ids;
}

static void
questions(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("B")), 2);
	send_turn(&r, 10, STATUS_UP, STATUS_DOWN, SINCE(10));
	send_turn(&r, 20, STATUS_DOWN, STATUS_UP, NONE);
	send_turn(&r, 30, STATUS_UP, STATUS_DOWN, SINCE(30));
	assert_int_equal(person(&r, INCIDENT_CREATE, 0, "{\"title\":\"m\","
	    "\"monitors\":[\"B\"]}", NULL), ERR_OK);
	assert_int_equal(found(&r, (struct incident_query){0}), 321);
	assert_int_equal(found(&r, (struct incident_query){.limit = 1}), 3);
	assert_int_equal(found(&r, (struct incident_query){.before_id = 3}),
	    21);
	assert_int_equal(found(&r, (struct incident_query){
	    .which = INCIDENT_OPEN}), 32);
	assert_int_equal(found(&r, (struct incident_query){
	    .which = INCIDENT_CLOSED}), 1);
	assert_int_equal(found(&r, (struct incident_query){.monitor = 1}),
	    21);
	assert_int_equal(found(&r, (struct incident_query){.monitor = 2}), 3);
	assert_int_equal(found(&r, (struct incident_query){.monitor = 2,
	    .which = INCIDENT_CLOSED}), 0);
	assert_int_equal(found(&r, (struct incident_query){
	    .from_us = T0 + 15 * SEC, .to_us = T0 + 30 * SEC}), 1);
	assert_int_equal(found(&r, (struct incident_query){
	    .from_us = T0 + 21 * SEC, .to_us = T0 + 31 * SEC}), 2);
	end(&r);
}

/* -- the journal -------------------------------------------------------------- */

/* The database is locked: it is shown from the journal, without a number, and
 * stored once when the lock is gone, whoever dies. */
static void
journaled(void **state)
{
	struct rig r;
	struct incident_shown i;
	struct rig_ack w;
	struct unit *u;
	sqlite3 *db = NULL;
	int64_t until;

	(void)state;
	rig_dir(&r, "s.db");
	r.conf.journal = (struct store_journal){.after_ns = 50000000,
	    .size = 64u << 20, .reserve = 1u << 20, .segment = 1u << 18};
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	rig_ack_init(&w);
	u = &turn(2, STATUS_UP, STATUS_DOWN, SINCE(2))->unit;
	u->ack = &w.ack;
	rig_put(&r, u);
	assert_int_equal(rig_wait(&w), ERR_OK);
	assert_int_equal(shown(&r, &i), 1);
	assert_int_equal(i.i.id, 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	until = clock_mono_ns() + RIG_WAIT_NS;
	while (shown(&r, &i) == 1 && i.i.id == 0) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 2);
	}
	assert_int_equal(i.i.id, 1);
	send_turn(&r, 3, STATUS_DOWN, STATUS_UP, NONE);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident WHERE"
	    " closed_us <> 0"), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM incident"), 1);
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outage),
		cmocka_unit_test(batch),
		cmocka_unit_test(untold),
		cmocka_unit_test(again),
		cmocka_unit_test(rolled_back),
		cmocka_unit_test(flapping),
		cmocka_unit_test(monitor_goes),
		cmocka_unit_test(put_right),
		cmocka_unit_test(manual),
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(questions),
		cmocka_unit_test(journaled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

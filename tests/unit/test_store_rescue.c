/* The journal beside the store, with its thread: a locked database holds
 * nobody up, what is durable is told once and in order, memory goes free, and
 * what waited is stored once. */
#include "tests/unit/store_rig.h"

#include <poll.h>

#include "store/compact.h"
#include "store/inside.h"
#include "store/journal.h"
#include "store/quarantine.h"

#define T0   INT64_C(1790000000000000)
#define MS   INT64_C(1000000)
#define MANY 12000

static struct {
	_Atomic unsigned results;
	_Atomic uint64_t last;         /* sequence */
	_Atomic bool disorder;
} heard;

static void
durable(void *arg, const struct unit *u)
{
	const struct result_unit *r;

	(void)arg;
	if (u->kind != UNIT_RESULT)
		return;
	_Static_assert(offsetof(struct result_unit, unit) == 0, "first");
	r = (const struct result_unit *)(const void *)u;
	if (r->sample.seq != atomic_load(&heard.last) + 1)
		atomic_store(&heard.disorder, true);
	atomic_store(&heard.last, r->sample.seq);
	atomic_fetch_add(&heard.results, 1);
}

static void
begin(struct rig *r)
{
	rig_dir(r, "s.db");
	r->conf.journal = (struct store_journal){.after_ns = 50 * MS,
	    .size = 64u << 20, .reserve = 1u << 20, .segment = 1u << 18};
	r->conf.durable = durable;
	memset(&heard, 0, sizeof(heard));
	rig_open(r);
}

static sqlite3 *
lock(struct rig *r)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	return db;
}

static void
unlock(sqlite3 *db)
{
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
}

static uint64_t
waiting(struct rig *r)
{
	const struct journal_stats *j = store_journal_stats(r->s);

	return atomic_load(&j->last) - MIN(atomic_load(&j->last),
	    atomic_load(&j->done));
}

static void
drained(struct rig *r)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;

	while (waiting(r) > 0 ||
	    atomic_load(&store_journal_stats(r->s)->bytes) > 0) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 2);
	}
}

static struct result_unit *
unit(uint32_t monitor, uint64_t seq)
{
	int64_t at_us = T0 + (int64_t)seq * 1000;

	if (seq % 10 != 1)
		return rig_result(monitor, seq, at_us);
	return rig_turn(monitor, seq, at_us, seq % 20 == 1 ? STATUS_PENDING :
	    STATUS_DOWN, seq % 20 == 1 ? STATUS_DOWN : STATUS_PENDING);
}

static void
send_some(struct rig *r, uint32_t monitor, uint64_t from, uint64_t to,
    struct rig_ack *w)
{
	for (uint64_t i = from; i <= to; i++) {
		struct result_unit *u = unit(monitor, i);

		if (i == to) {
			rig_ack_init(w);
			u->unit.ack = &w->ack;
		}
		rig_put(r, &u->unit);
	}
}

static void
whole(struct rig *r, uint64_t n)
{
	assert_int_equal(rig_number(r, "SELECT sum(n) FROM tail"), n);
	assert_int_equal(rig_number(r, "SELECT count(*) FROM transition"),
	    (n + 9) / 10);
	assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind ="
	    " 0"), (n + 9) / 10);
	assert_int_equal(atomic_load(&heard.results), n);
	assert_false(atomic_load(&heard.disorder));
}

/* What is journaled takes none, but for a batch under way. */
static void
memory_is_free(struct rig *r)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;
	size_t n = SIZE_MAX, bytes;

	for (; n > BATCH_UNITS; (void)poll(NULL, 0, 1)) {
		assert_true(clock_mono_ns() < until);
		mbox_depth(store_inbox(r->s), &n, &bytes);
	}
}

static void
test_locked(void **state)
{
	struct rig r;
	struct rig_ack w;
	struct view_row row;
	sqlite3 *db;
	uint32_t a;
	struct event ev[8];
	bool lost;

	(void)state;
	begin(&r);
	a = rig_create(&r, RIG_WEB("A"));
	send_some(&r, a, 1, 10, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	db = lock(&r);
	send_some(&r, a, 11, MANY, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	/* told, though nothing is committed */
	row = rig_row(&r, a);
	assert_int_equal(row.seq, MANY);
	view_row_release(&row);
	assert_int_equal(atomic_load(&heard.results), MANY);
	assert_true(live_read(store_live(r.s), live_last(store_live(r.s)) - 1,
	    ev, COUNT(ev), &lost) == 1);
	assert_int_equal(ev[0].kind, EVENT_TRANSITION);
	assert_true(waiting(&r) > 0);
	memory_is_free(&r);
	send_some(&r, a, MANY + 1, MANY + 20, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	unlock(db);
	/* while it catches up: what is newer waits its turn */
	send_some(&r, a, MANY + 21, MANY + 40, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	drained(&r);
	whole(&r, MANY + 40);
	assert_int_equal(rig_number(&r, "SELECT v FROM meta WHERE k ="
	    " 'journal_seq'"), atomic_load(&store_journal_stats(r.s)->last));
	row = rig_row(&r, a);
	assert_int_equal(row.seq, MANY + 40);
	assert_int_equal(row.samples_total, MANY + 40);   /* shown once */
	view_row_release(&row);
	for (size_t i = 0; i < UNIT_NMAX; i++)
		assert_int_equal(atomic_load(&store_stats(r.s)->dropped[i]), 0);
	rig_close(&r);
	rig_remove(&r);
}

/* A stop that the lock outlasts loses nothing, and the next start has it. */
static void
test_stopped_while_locked(void **state)
{
	struct rig r;
	struct rig_ack w;
	struct view_row row;
	struct errinfo ei = {0};
	sqlite3 *db;
	uint32_t a;

	(void)state;
	begin(&r);
	a = rig_create(&r, RIG_WEB("A"));
	db = lock(&r);
	send_some(&r, a, 1, 500, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	for (uint64_t i = 501; i <= 520; i++)   /* nobody waits for these */
		rig_put(&r, &unit(a, i)->unit);
	if (store_stop(r.s, clock_mono_ns() + 300 * MS, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	store_free(r.s);
	r.s = NULL;
	rig_forget(&r);
	unlock(db);
	assert_int_equal(atomic_load(&heard.results), 520);
	rig_open(&r);
	whole(&r, 520);
	row = rig_row(&r, a);
	assert_int_equal(row.seq, 520);
	view_row_release(&row);
	send_some(&r, a, 521, 530, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	whole(&r, 530);
	rig_close(&r);
	rig_remove(&r);
}

/* Configuration is never journaled: it waits, or is told to come again. */
static void
test_configuration_waits(void **state)
{
	struct rig r;
	sqlite3 *db;

	(void)state;
	begin(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	db = lock(&r);
	rig_change(&r, CONFIG_CREATE, 0, RIG_WEB("B"), ERR_AGAIN);
	unlock(db);
	assert_int_equal(rig_create(&r, RIG_WEB("B")), 2);
	rig_close(&r);
	rig_remove(&r);
}

/* -- the quarantine ------------------------------------------------------- */
static enum err
by_hand(struct rig *r, enum quarantine_op op, int64_t id, struct errinfo *ei)
{
	struct quarantine_unit *q = quarantine_unit_new(op);
	enum err e;

	q->id = id;
	snprintf(q->actor, sizeof(q->actor), "test");
	e = rig_send(r, &q->unit, ei);
	quarantine_unit_free(q);
	return e;
}

static void
run_sql(struct rig *r, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
compacted(struct rig *r)
{
	struct errinfo ei = {0};

	assert_int_equal(store_stop(r->s, clock_mono_ns() + RIG_WAIT_NS, &ei),
	    ERR_OK);
	store_free(r->s);
	rig_forget(r);
	assert_int_equal(store_open(&r->conf, &r->s, &ei), ERR_OK);
	r->s->tail_since_us = 0;
	for (int i = 0; i < 100 && compact_due(r->s); i++)
		compact_slice(r->s);
	assert_int_equal(store_start(r->s, &ei), ERR_OK);
}

/* Retried when its neighbours are at rest it lies in its place among them. */
static void
test_retried_late(void **state)
{
	struct rig r;
	struct rig_ack w;
	struct errinfo ei = {0};
	uint32_t a;

	(void)state;
	begin(&r);
	a = rig_create(&r, RIG_WEB("A"));
	run_sql(&r, "CREATE TRIGGER bad BEFORE INSERT ON transition WHEN"
	    " new.seq = 11 BEGIN SELECT RAISE(ABORT, 'no 11'); END");
	send_some(&r, a, 1, 40, &w);
	assert_int_equal(rig_wait(&w), ERR_OK);
	rig_flush(&r);
	assert_int_equal(store_quarantined(r.s), 1);
	assert_int_equal(by_hand(&r, QUARANTINE_RETRY, 1, &ei), ERR_AGAIN);
	compacted(&r);
	assert_int_equal(by_hand(&r, QUARANTINE_RETRY, 1, &ei), ERR_STORE);
	assert_non_null(strstr(ei.text, "no 11"));
	rig_flush(&r);
	assert_int_equal(rig_number(&r, "SELECT attempts FROM quarantine"), 1);
	run_sql(&r, "DROP TRIGGER bad");
	if (by_hand(&r, QUARANTINE_RETRY, 1, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	assert_int_equal(store_quarantined(r.s), 0);
	assert_int_equal(rig_samples(&r, a, 1000), 40);
	assert_int_equal(rig_turns(&r, a), 4);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM chunk"), 1);
	assert_int_equal(by_hand(&r, QUARANTINE_DROP, 1, &ei), ERR_NOT_FOUND);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_stopped_while_locked),
		cmocka_unit_test(test_configuration_waits),
		cmocka_unit_test(test_retried_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

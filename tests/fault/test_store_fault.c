/* The store on a disk that fails. Every call of the file system fails once,
 * or from then on, or the power goes at it. Afterwards: what was acknowledged
 * is there, units are whole, nothing is there twice, the file is sound, and
 * sending everything again adds exactly what was missing.
 *
 * The store has no thread of its own here: store_stop of a store that was not
 * started does its work in this one, so that a run is the same every time. */
#include "tests/unit/store_rig.h"

#include <poll.h>

#include "store/block.h"
#include "store/chunk.h"
#include "store/compact.h"
#include "store/inside.h"
#include "store/rollup.h"
#include "tests/fault/filesys_fault.h"
#include "tests/fault/vfs_fault.h"

#define T0       INT64_C(1790000000000000)
#define UNITS    24          /* results per run */
#define SEEDS    2
#define STOP_NS  (INT64_C(5) * 1000000000)
#define LOCKED_NS INT64_C(5000000)   /* how long a stop tries then */
#define STRUCK_NS INT64_C(15000000)   /* some tries after a failure for good */

struct got {
	bool sample, down;       /* and its transition */
};

struct run {
	struct rig r;
	struct rig_ack acks[UNITS];
	bool journal;            /* what is sent goes there first */
	bool created;            /* both monitors are acknowledged */
	struct config_unit *edits[2];
	enum vfs_fault_mode mode;
	bool struck;
	unsigned long broken;
	const char *what;
};

static struct rig_ack created[2];   /* of the monitors */

/* Each third unit carries a transition and a state too. */
static bool
turns(size_t i)
{
	return i % 3 == 2;
}

static struct result_unit *
unit(size_t i)
{
	uint32_t monitor = 1 + (uint32_t)(i % 2);
	uint64_t seq = i / 2 + 1;
	bool down = i / 6 % 2 == 0;

	if (!turns(i))
		return rig_result(monitor, seq, T0 + (int64_t)i);
	return rig_turn(monitor, seq, T0 + (int64_t)i, down ? STATUS_UP :
	    STATUS_DOWN, down ? STATUS_DOWN : STATUS_UP);
}

static bool
open_store(struct run *x)
{
	struct errinfo ei = {0};

	return store_open(&x->r.conf, &x->r.s, &ei) == ERR_OK;
}

/* From here on waiting is no use: the stop's deadline comes soon. */
static void
struck(void *arg)
{
	struct run *x = arg;

	x->struck = true;
	if (x->r.s != NULL)
		atomic_store(&x->r.s->stop_by_ns, clock_mono_ns() +
		    (x->mode == VFS_POWER ? 0 : STRUCK_NS));
}

static void
close_store(struct run *x)
{
	(void)store_stop(x->r.s, clock_mono_ns() + (x->struck ? 0 : STOP_NS),
	    NULL);
	store_free(x->r.s);
	x->r.s = NULL;
	for (size_t i = 0; i < COUNT(x->edits); i++) {
		config_unit_free(x->edits[i]);
		x->edits[i] = NULL;
	}
	rig_forget(&x->r);
}

/* The writer's work in this thread, until there is none left. */
static void
work(struct run *x)
{
	struct store *s = x->r.s;

	for (int i = 0; i < 40 && compact_due(s); i++)
		compact_slice(s);
}

/* Monitor 1 is A and 2 is B. The unit is ours again after its ack, which
 * comes with close_store at the latest. */
static void
put_create(struct run *x, size_t i)
{
	struct config_unit *u = config_unit_new(CONFIG_CREATE);
	const char *name = i == 0 ? "A" : "B";
	struct rig_ack *w = &created[i];

	x->edits[i] = u;
	u->body = json_pack("{s:s, s:s, s:s}", "name", name, "type", "web",
	    "url", "http://127.0.0.1/");
	rig_ack_init(w);
	u->unit.ack = &w->ack;
	rig_put(&x->r, &u->unit);
}

/* A token between results makes them several transactions. */
static void
put_token(struct run *x, size_t i)
{
	struct token_unit *u = token_unit_new(TOKEN_CREATE);

	snprintf(u->name, sizeof(u->name), "t%zu", i);
	u->scope = SCOPE_READ;
	rig_put(&x->r, &u->unit);
}

static void
put_all(struct run *x)
{
	for (size_t i = 0; i < UNITS; i++) {
		struct result_unit *u = unit(i);

		rig_ack_init(&x->acks[i]);
		u->unit.ack = &x->acks[i].ack;
		rig_put(&x->r, &u->unit);
		if (i % 4 == 3)
			put_token(x, i);
	}
}

/* Somebody else has the database: everything is stored from the journal,
 * after a start. */
static bool
put_locked(struct run *x)
{
	close_store(x);
	if (!open_store(x))
		return false;
	vfs_fault_lock(true);
	put_all(x);
	(void)store_stop(x->r.s, clock_mono_ns() + LOCKED_NS, NULL);
	close_store(x);
	vfs_fault_lock(false);
	return open_store(x);
}

static void
workload(struct run *x)
{
	memset(x->acks, 0, sizeof(x->acks));
	x->created = false;
	if (!open_store(x))
		return;
	put_create(x, 0);
	put_create(x, 1);
	if (x->journal && !put_locked(x))
		return;
	if (!x->journal)
		put_all(x);
	close_store(x);
	x->created = created[0].e == ERR_OK && created[1].e == ERR_OK &&
	    created[0].done && created[1].done;
	if (!open_store(x))
		return;
	x->r.s->tail_since_us = 0;   /* old enough to be compacted */
	work(x);
	close_store(x);
}

/* -- what the promise says --------------------------------------------- */
static void
broken(struct run *x, const char *what)
{
	x->broken++;
	x->what = what;
}

static void
saw(struct run *x, struct got *got, const struct sample *p)
{
	size_t i = (p->seq - 1) * 2 + p->monitor - 1;

	if (i >= UNITS) {
		broken(x, "a sample that was never sent");
		return;
	}
	if (got[i].sample)
		broken(x, "a sample twice");
	got[i].sample = true;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	return sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK ? st :
	    NULL;
}

static struct str
blob(sqlite3_stmt *st)
{
	return (struct str){sqlite3_column_blob(st, 0),
	    (size_t)sqlite3_column_bytes(st, 0)};
}

static uint64_t chunk_seq[3];   /* by monitor: what is above is in the tail */

static void
read_chunks(struct run *x, sqlite3 *db, struct got *got)
{
	sqlite3_stmt *st = prepare(db, "SELECT b FROM chunk ORDER BY id");

	memset(chunk_seq, 0, sizeof(chunk_seq));
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct sample *v = NULL;
		size_t n = 0;

		if (chunk_decode(blob(st), &v, &n, NULL) != ERR_OK)
			broken(x, "a chunk is damaged");
		for (size_t i = 0; i < n; i++) {
			saw(x, got, &v[i]);
			chunk_seq[v[i].monitor] = v[i].seq;
		}
		xfree(v);
	}
	sqlite3_finalize(st);
}

/* What lies in chunks is in both levels of roll-ups, once. */
static void
read_rollups(struct run *x, sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db, "SELECT b, level FROM rollup");
	sqlite3_stmt *chunks = prepare(db, "SELECT sum(n) FROM chunk");
	struct rollup *r = xcalloc(1, sizeof(*r));
	uint64_t n[ROLLUP_NLEVEL] = {0}, want = 0;

	while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
		if (!rollup_get(blob(st), r))
			broken(x, "a roll-up is damaged");
		n[sqlite3_column_int(st, 1)] += r->ok + r->degraded +
		    r->failed + r->voided;
	}
	if (sqlite3_step(chunks) == SQLITE_ROW)
		want = (uint64_t)sqlite3_column_int64(chunks, 0);
	if (n[ROLLUP_HOUR] != want || n[ROLLUP_DAY] != want)
		broken(x, "roll-ups are not the sum of the samples");
	sqlite3_finalize(st);
	sqlite3_finalize(chunks);
	xfree(r);
}

static void
read_tail(struct run *x, sqlite3 *db, struct got *got)
{
	sqlite3_stmt *st = prepare(db, "SELECT b FROM tail ORDER BY id");

	while (sqlite3_step(st) == SQLITE_ROW) {
		struct block_reader r;
		struct sample p;

		if (!block_open(&r, blob(st)))
			broken(x, "a block is damaged");
		else
			while (block_next(&r, &p))
				if (p.seq > chunk_seq[p.monitor])
					saw(x, got, &p);
	}
	sqlite3_finalize(st);
}

static void
read_turns(struct run *x, sqlite3 *db, struct got *got)
{
	sqlite3_stmt *st = prepare(db, "SELECT monitor, seq, (SELECT count(*)"
	    " FROM event e WHERE e.kind = 0 AND e.monitor = t.monitor AND"
	    " e.at_us = t.at_us) FROM transition t");

	while (sqlite3_step(st) == SQLITE_ROW) {
		size_t i = (size_t)(sqlite3_column_int64(st, 1) - 1) * 2 +
		    (size_t)sqlite3_column_int64(st, 0) - 1;

		if (i >= UNITS || got[i].down) {
			broken(x, "a transition twice, or unknown");
			continue;
		}
		got[i].down = true;
		if (sqlite3_column_int64(st, 2) != 1)
			broken(x, "a transition without its one event");
	}
	sqlite3_finalize(st);
}

/* Each outage is one incident, open while it lasts, and no more. */
static void
read_incidents(struct run *x, sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db, "SELECT (SELECT count(*) FROM"
	    " transition t WHERE t.monitor = m.id AND t.became = 0),"
	    " (SELECT count(*) FROM incident i WHERE i.monitor = m.id),"
	    " coalesce((SELECT t.became = 0 FROM transition t"
	    " WHERE t.monitor = m.id ORDER BY t.seq DESC LIMIT 1), 0),"
	    " (SELECT count(*) FROM incident i WHERE i.monitor = m.id"
	    " AND i.closed_us = 0) FROM monitor m");

	while (sqlite3_step(st) == SQLITE_ROW) {
		if (sqlite3_column_int(st, 0) != sqlite3_column_int(st, 1))
			broken(x, "not one incident for each outage");
		if (sqlite3_column_int(st, 2) != sqlite3_column_int(st, 3))
			broken(x, "an incident that is not open while its"
			    " outage lasts");
	}
	sqlite3_finalize(st);
}

static void
check_promise(struct run *x, const struct got *got)
{
	for (size_t i = 0; i < UNITS; i++) {
		bool acked = x->acks[i].done && x->acks[i].e == ERR_OK;

		if (acked && !got[i].sample)
			broken(x, "an acknowledged result is gone");
		if (got[i].sample && turns(i) != got[i].down)
			broken(x, "half a unit");
		if (!got[i].sample && got[i].down)
			broken(x, "half a unit: no sample");
	}
}

static bool
sound(sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db, "PRAGMA integrity_check");
	bool ok = st != NULL && sqlite3_step(st) == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;

	sqlite3_finalize(st);
	return ok;
}

static void
read_all(struct run *x, struct got *got)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st;
	bool tables;

	memset(got, 0, sizeof(*got) * UNITS);
	if (sqlite3_open_v2(x->r.path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, VFS_FAULT) != SQLITE_OK || !sound(db)) {
		broken(x, "integrity");
	} else {
		st = prepare(db, "SELECT 1 FROM transition");
		tables = st != NULL;
		sqlite3_finalize(st);
		if (tables) {
			read_chunks(x, db, got);
			read_rollups(x, db);
			read_tail(x, db, got);
			read_turns(x, db, got);
			read_incidents(x, db);
		} else if (x->created) {
			broken(x, "the tables are gone");
		}
	}
	sqlite3_close(db);
}

/* Opened again it goes on: what was sent before is sent once more. */
static void
send_again(struct run *x, struct got *got)
{
	if (!open_store(x)) {
		broken(x, "does not open again");
		return;
	}
	if (view_entry(x->r.s->view, 1) == NULL)
		put_create(x, 0);
	if (view_entry(x->r.s->view, 2) == NULL)
		put_create(x, 1);
	else if (!x->created && created[0].done && created[0].e == ERR_OK &&
	    view_entry(x->r.s->view, 1) == NULL)
		broken(x, "an acknowledged monitor is gone");
	put_all(x);
	close_store(x);
	read_all(x, got);
	for (size_t i = 0; i < UNITS; i++)
		if (!got[i].sample || got[i].down != turns(i))
			broken(x, "sending again does not complete it");
}

static void
one_run(struct run *x, enum vfs_fault_mode mode, long nth, uint64_t seed)
{
	struct got got[UNITS];

	vfs_fault_wipe();
	vfs_fault_arm(mode, nth, seed);
	vfs_fault_on_strike(struck, x);
	x->mode = mode;
	x->struck = false;
	workload(x);
	if (mode == VFS_POWER)
		vfs_fault_reboot();
	vfs_fault_arm(VFS_SOUND, 0, seed);
	x->struck = false;
	/* What the journal has comes back with a start. */
	if (x->journal && !open_store(x))
		broken(x, "does not open again with its journal");
	else if (x->journal)
		close_store(x);
	read_all(x, got);
	check_promise(x, got);
	if (x->broken == 0)
		send_again(x, got);
}

static void
begin(struct run *x, bool journal)
{
	memset(x, 0, sizeof(*x));
	vfs_fault_register();
	rig_dir(&x->r, "s.db");
	x->r.conf.vfs = VFS_FAULT;
	x->r.conf.readers = 0;
	x->journal = journal;
	if (journal)
		x->r.conf.journal = (struct store_journal){
		    .after_ns = 1000000, .size = 1 << 18, .reserve = 16384,
		    .segment = 8192, .fs = &filesys_fault};
}

static long
calls_of_a_clean_run(struct run *x)
{
	struct got got[UNITS];
	long n;

	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	workload(x);
	n = vfs_fault_calls();
	read_all(x, got);
	check_promise(x, got);
	for (size_t i = 0; i < UNITS; i++)
		assert_true(x->acks[i].done && x->acks[i].e == ERR_OK);
	assert_true(chunk_seq[1] > 0);   /* some were compacted */
	assert_int_equal(x->broken, 0);
	return n;
}

static void
sweep(enum vfs_fault_mode mode, bool journal, const char *name, int seeds)
{
	struct run x;
	/* Failures for good take their time; and of the calls with the journal
	 * each seed takes every other, since half of them are as without. */
	long n, total, step = (mode == VFS_FAIL_ON ? 3 : 1) * (journal ? 2 : 1);

	begin(&x, journal);
	total = calls_of_a_clean_run(&x);
	for (int seed = 1; seed <= seeds; seed++)
		for (n = 1 + seed % step; n <= total; n += step) {
			one_run(&x, mode, n, (uint64_t)seed);
			if (x.broken > 0)
				fail_msg("%s at call %ld of %ld, seed %d: %s",
				    name, n, total, seed, x.what);
		}
	printf("%s: %ld calls, every %ldth, %d seeds\n", name, total, step,
	    seeds);
	vfs_fault_wipe();
	rig_remove(&x.r);
}

static void
test_power_loss(void **state)
{
	(void)state;
	sweep(VFS_POWER, false, "power loss", SEEDS);
}

static void
test_fails_once(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ONCE, false, "fails once", 1);
}

static void
test_fails_for_good(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ON, false, "fails for good", 1);
}

static void
test_journal_power_loss(void **state)
{
	(void)state;
	sweep(VFS_POWER, true, "journal, power loss", SEEDS);
}

static void
test_journal_fails_once(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ONCE, true, "journal, fails once", 1);
}

static void
test_journal_fails_for_good(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ON, true, "journal, fails for good", 1);
}

/* The sweep can fail: on a disk that does not sync the WAL, as with
 * synchronous=NORMAL, acknowledged results do get lost. */
static void
test_the_sweep_can_fail(void **state)
{
	struct run x;
	long total;

	(void)state;
	begin(&x, false);
	total = calls_of_a_clean_run(&x);
	for (long n = total / 3; n <= total && x.broken == 0; n++) {
		struct got got[UNITS];

		vfs_fault_wipe();
		vfs_fault_lie(true);
		vfs_fault_arm(VFS_POWER, n, 1);
		vfs_fault_on_strike(struck, &x);
		x.mode = VFS_POWER;
		workload(&x);
		vfs_fault_reboot();
		x.struck = false;
		read_all(&x, got);
		check_promise(&x, got);
	}
	assert_true(x.broken > 0);
	vfs_fault_wipe();
	rig_remove(&x.r);
}

/* The disk is full for a while: nothing is lost, the acks come late and are
 * right, and it is told. */
static void
test_disk_full(void **state)
{
	struct run x;
	struct errinfo ei = {0};
	const struct store_stats *st;
	int64_t until;

	(void)state;
	begin(&x, false);
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	rig_open(&x.r);
	assert_int_equal(rig_create(&x.r, RIG_WEB("A")), 1);
	assert_int_equal(rig_create(&x.r, RIG_WEB("B")), 2);
	st = store_stats(x.r.s);
	vfs_fault_full(true);
	put_all(&x);
	until = clock_mono_ns() + RIG_WAIT_NS;
	while (atomic_load(&st->errors[OP_WRITE][CLASS_FULL]) +
	    atomic_load(&st->errors[OP_COMMIT][CLASS_FULL]) < 3)
		assert_true(clock_mono_ns() < until);
	assert_int_equal(store_ready(x.r.s, &ei), ERR_STORE);
	assert_non_null(strstr(ei.text, "full"));
	/* who waits longer than a second is told to come again */
	assert_int_equal(rig_wait(&x.acks[0]), ERR_AGAIN);
	vfs_fault_full(false);
	rig_flush(&x.r);
	for (uint32_t m = 1; m <= 2; m++) {
		struct view_row row = rig_row(&x.r, m);

		assert_int_equal(row.seq, UNITS / 2);
		view_row_release(&row);
	}
	assert_int_equal(store_ready(x.r.s, &ei), ERR_OK);
	rig_close(&x.r);
	vfs_fault_wipe();
	rig_remove(&x.r);
}

/* Nothing works for a while: the connection is given up, opening it anew fails
 * too, and when the disk is back everything is stored, once. */
static void
test_opened_again(void **state)
{
	struct got got[UNITS];
	struct run x;
	struct errinfo ei = {0};
	const struct store_stats *st;
	int64_t until;

	(void)state;
	begin(&x, false);
	vfs_fault_wipe();
	vfs_fault_on_strike(NULL, NULL);
	vfs_fault_arm(VFS_SOUND, 0, 1);
	rig_open(&x.r);
	assert_int_equal(rig_create(&x.r, RIG_WEB("A")), 1);
	assert_int_equal(rig_create(&x.r, RIG_WEB("B")), 2);
	st = store_stats(x.r.s);
	vfs_fault_arm(VFS_FAIL_ON, 1, 1);
	put_all(&x);
	until = clock_mono_ns() + RIG_WAIT_NS;
	while (atomic_load(&st->errors[OP_OPEN][CLASS_IO]) < 2) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(store_ready(x.r.s, &ei), ERR_STORE);
	vfs_fault_arm(VFS_SOUND, 0, 1);
	rig_flush(&x.r);
	assert_int_equal(store_ready(x.r.s, &ei), ERR_OK);
	rig_close(&x.r);
	read_all(&x, got);
	check_promise(&x, got);
	assert_int_equal(x.broken, 0);
	for (size_t i = 0; i < UNITS; i++) {
		assert_true(got[i].sample);
		assert_true(x.acks[i].done);
	}
	vfs_fault_wipe();
	rig_remove(&x.r);
}

/* An argument names the one test that is run. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_loss),
		cmocka_unit_test(test_fails_once),
		cmocka_unit_test(test_fails_for_good),
		cmocka_unit_test(test_journal_power_loss),
		cmocka_unit_test(test_journal_fails_once),
		cmocka_unit_test(test_journal_fails_for_good),
		cmocka_unit_test(test_the_sweep_can_fail),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_opened_again),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

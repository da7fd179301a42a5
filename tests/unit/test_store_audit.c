/* Each invariant of a store, broken by hand, is found by its rule; a sound
 * store, whatever it went through, has no finding. Backups are what they were
 * taken of, or are not made. */
#include "tests/unit/store_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/backup.h"
#include "store/compact.h"
#include "store/inside.h"
#include "store/restore.h"

#define T0 INT64_C(1790000000000000)
#define SAMPLES 300

/* "cp" or "ln", from one to another. */
static void
shell(const char *what, const char *a, const char *b)
{
	char cmd[400];

	snprintf(cmd, sizeof(cmd), "%s '%s' '%s'", what, a, b);
	assert_int_equal(system(cmd), 0);
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void
open_quiet(struct rig *r)
{
	struct errinfo ei = {0};

	if (store_open(&r->conf, &r->s, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
}

/* With its thread, but no housekeeping: the tail and C's rows stay. */
static void
open_still(struct rig *r)
{
	open_quiet(r);
	r->s->slice_ns = INT64_MAX;
	assert_int_equal(store_start(r->s, NULL), ERR_OK);
}

/* Two monitors with chunks, a tail after them, transitions and states; one
 * monitor deleted whose rows still wait to go. */
static void
fill(struct rig *r)
{
	uint64_t seq = 0;

	rig_dir(r, "s.db");
	rig_open(r);
	assert_int_equal(rig_create(r, RIG_WEB("A")), 1);
	assert_int_equal(rig_create(r, RIG_WEB("B")), 2);
	assert_int_equal(rig_create(r, RIG_WEB("C")), 3);
	for (seq = 1; seq <= SAMPLES; seq++)
		for (uint32_t m = 1; m <= 3; m++)
			rig_put(r, &rig_result(m, seq, T0 + (int64_t)seq *
			    1000000)->unit);
	rig_flush(r);
	rig_close(r);
	open_quiet(r);
	r->s->tail_since_us = 0;
	while (compact_due(r->s))
		compact_slice(r->s);
	rig_close(r);
	open_still(r);
	for (; seq <= SAMPLES + 40; seq++)
		for (uint32_t m = 1; m <= 2; m++)
			rig_put(r, &(seq % 10 != 0 ? rig_result(m, seq, T0 +
			    (int64_t)seq * 1000000) : rig_turn(m, seq, T0 +
			    (int64_t)seq * 1000000, seq % 20 == 0 ?
			    STATUS_DOWN : STATUS_UP, seq % 20 == 0 ?
			    STATUS_UP : STATUS_DOWN))->unit);
	rig_change(r, CONFIG_DELETE, 3, NULL, ERR_OK);
	rig_flush(r);
	rig_close(r);
}

static struct audit_report *
audit(const char *path)
{
	struct backend_conf c = {.path = path};
	struct audit_report *r = xcalloc(1, sizeof(*r));
	struct errinfo ei = {0};

	if (backup_audit(&c, AUDIT_ALL, NULL, r, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	return r;
}

static const struct {
	const char *rule, *sql;
	uint32_t monitor;
} plants[] = {
	{"monitor_group", "UPDATE monitor SET grp = 77 WHERE id = 2", 2},
	{"monitor_name", "UPDATE monitor SET name = 'A' WHERE id = 2", 2},
	{"monitor_text", "UPDATE monitor SET text = '{' WHERE id = 1", 1},
	{"monitor_id", "UPDATE meta SET v = 2 WHERE k = 'next_monitor'", 2},
	{"doomed", "INSERT INTO doomed VALUES(1)", 1},
	{"state_owner", "INSERT INTO state VALUES(9, x'00')", 9},
	{"evidence_owner", "INSERT INTO evidence VALUES(9, '{}')", 9},
	{"token", "INSERT INTO token VALUES('t', x'01', 1, 5, 0, 0)", 0},
	{"gap", "INSERT INTO gap VALUES(20, 10)", 0},
	{"chunk_bytes", "UPDATE meta SET v = v + 1 WHERE k = 'chunk_bytes'", 0},
	{"outbox", "INSERT INTO outbox(id, k, channel, state, step, attempts,"
	    " next_us, expires_us, remind_us, kept, monitor, incident_us,"
	    " at_us, note, event)"
	    " VALUES(1, 'k', 'c', 0, 0, 0, 0, 0, 0, 1, 7, 5, 5, '', '{')", 7},
	{"rollups", "UPDATE rollup SET b = substr(b, 1, 3) WHERE monitor = 2",
	    2},
	{"rollups", "UPDATE rollup SET monitor = 9 WHERE monitor = 2", 9},
	/* chunks */
	{"chunks", "UPDATE chunk SET b = substr(b, 1, 40) || x'5a' ||"
	    " substr(b, 42) WHERE monitor = 1", 1},
	{"chunks", "UPDATE chunk SET n = n + 1 WHERE monitor = 2", 2},
	{"chunks", "UPDATE chunk SET last_seq = last_seq + 1"
	    " WHERE monitor = 2", 2},
	{"chunks", "UPDATE chunk SET monitor = 2 WHERE monitor = 1", 2},
	{"chunks", "UPDATE chunk SET to_us = from_us WHERE monitor = 1", 1},
	{"chunks", "UPDATE chunk SET monitor = 9 WHERE monitor = 1", 9},
	{"chunks", "INSERT INTO chunk SELECT NULL, monitor, first_seq,"
	    " last_seq + 1000, from_us, to_us, n, b FROM chunk"
	    " WHERE monitor = 1", 1},
	/* the tail */
	{"tail", "UPDATE tail SET b = substr(b, 1, length(b) - 1) || x'00'",
	    0},
	{"tail", "UPDATE tail SET n = n + 1", 1},
	{"tail", "INSERT INTO tail SELECT id + 1000, n, b FROM tail", 1},
	/* and where both meet: chunks whose samples the tail has otherwise */
	{"tail", "UPDATE chunk SET last_seq = 1000 WHERE id = (SELECT max(id)"
	    " FROM chunk WHERE monitor = 1)", 1},
	/* transitions and states */
	{"transitions", "UPDATE transition SET was = became"
	    " WHERE id = (SELECT max(id) FROM transition WHERE monitor = 1)",
	    1},
	{"transitions", "DELETE FROM transition WHERE id = (SELECT max(id) FROM"
	    " transition WHERE monitor = 2)", 2},
	{"transitions", "UPDATE transition SET became = 99 WHERE monitor = 2",
	    2},
	{"transitions", "UPDATE transition SET monitor = 9 WHERE monitor = 2",
	    9},
	{"transitions", "UPDATE state SET b = x'00' WHERE monitor = 1", 1},
	/* incidents: the newest of each monitor is over, as its state says */
	{"incident", "UPDATE incident SET state = 0 WHERE monitor = 2", 2},
	{"incident", "UPDATE incident SET closed_us = opened_us - 1"
	    " WHERE monitor = 1", 1},
	{"incident_owner", "UPDATE incident SET closed_us = 0, state = 0,"
	    " monitor = 9 WHERE id = 1", 9},
	{"incident_update", "INSERT INTO incident_update"
	    " VALUES(1, 777, 1, 0, 0, '', '', 1)", 0},
	{"incident_open", "UPDATE incident SET closed_us = 0, state = 0"
	    " WHERE id = (SELECT max(id) FROM incident WHERE monitor = 2)",
	    2},
	{"incident_open", "UPDATE incident SET closed_us = 0, state = 0"
	    " WHERE monitor = 1", 1},
	/* what the migrations made */
	{"schema", "DROP TABLE delivery", 0},
	{"schema", "DROP TABLE chunk", 0},
	{"schema", "DROP INDEX transition_turn", 0},
	{"schema", "DROP TRIGGER chunk_gone", 0},
	{"schema", "DROP INDEX chunk_age; CREATE INDEX chunk_age ON"
	    " chunk(from_us)", 0},
	{"schema", "DROP TABLE gap; CREATE TABLE gap(from_us INTEGER)", 0},
	/* the database's own */
	{"pages", "PRAGMA writable_schema = 1; UPDATE sqlite_master SET"
	    " rootpage = (SELECT rootpage FROM sqlite_master WHERE name ="
	    " 'gap') WHERE name = 'doomed'", 0},
};

static void
test_every_invariant(void **state)
{
	struct rig r;
	char broken[160];
	struct audit_report *rep;

	(void)state;
	fill(&r);
	rep = audit(r.path);
	if (rep->total != 0)
		fail_msg("%s: %s", rep->v[0].rule, rep->v[0].text);
	assert_true(rep->samples > 2 * SAMPLES);
	assert_true(rep->transitions >= 8);
	xfree(rep);
	snprintf(broken, sizeof(broken), "%s/broken.db", r.dir);
	for (size_t i = 0; i < COUNT(plants); i++) {
		size_t k = 0;

		shell("cp", r.path, broken);
		run_sql(broken, plants[i].sql);
		rep = audit(broken);
		while (k < rep->n && (strcmp(rep->v[k].rule, plants[i].rule) !=
		    0 || rep->v[k].monitor != plants[i].monitor))
			k++;
		if (k == rep->n)
			fail_msg("%s: not found: %s", plants[i].rule,
			    plants[i].sql);
		xfree(rep);
	}
	rig_remove(&r);
}

static enum err
go_on(void *arg, uint64_t done, uint64_t total, struct errinfo *ei)
{
	unsigned *left = arg;

	assert_true(done <= total);
	if (left == NULL || (*left)-- > 0)
		return ERR_OK;
	snprintf(ei->text, sizeof(ei->text), "enough");
	return ERR_STOPPING;
}

static int
files_in(const char *dir, const char *word)
{
	char cmd[160];
	FILE *p;
	int n = -1;

	snprintf(cmd, sizeof(cmd), "ls -A '%s' | grep -c '%s'", dir, word);
	p = popen(cmd, "r");
	assert_non_null(p);
	if (fscanf(p, "%d", &n) != 1)
		n = -1;
	pclose(p);
	return n;
}

static void
test_backup(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	struct audit_report *rep = xcalloc(1, sizeof(*rep));
	char file[160], twin[160];
	struct stat st;
	unsigned left = 2;
	struct backup_ask ask = {.from = {.reader = true}, .file = file,
	    .turn = {go_on, NULL}};

	(void)state;
	fill(&r);
	ask.from.path = r.path;
	snprintf(file, sizeof(file), "%s/b.db", r.dir);
	/* stopped on its way it leaves nothing */
	ask.turn.arg = &left;
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_STOPPING);
	assert_true(stat(file, &st) != 0);
	ask.turn.arg = NULL;
	/* the copy is the store */
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_OK);
	assert_int_equal(rep->total, 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(twin, sizeof(twin), "%s", r.path);
	snprintf(r.path, sizeof(r.path), "%.127s", file);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"), 8);
	snprintf(r.path, sizeof(r.path), "%.127s", twin);
	/* never over something, never over itself, by whatever name */
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_CONFLICT);
	ask.force = true;
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_OK);
	snprintf(twin, sizeof(twin), "%s/twin.db", r.dir);
	shell("ln", r.path, twin);
	ask.file = twin;
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_INVALID);
	ask.file = r.path;
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_INVALID);
	assert_int_equal(unlink(twin), 0);
	/* an unsound store has no backup: the old one stays */
	run_sql(r.path, "UPDATE chunk SET n = n + 1");
	ask.file = file;
	assert_int_equal(backup_make(&ask, rep, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "not sound"));
	assert_true(rep->total > 0);
	xfree(rep);
	rep = audit(file);
	assert_int_equal(rep->total, 0);
	xfree(rep);
	/* store with what opening it left, lock, backup: no leavings of ours */
	assert_int_equal(files_in(r.dir, "part"), 0);
	assert_int_equal(files_in(r.dir, "b.db"), 1);
	rig_remove(&r);
}

/* One copy of one moment, while the writer commits all the time: nothing of
 * what came after it began is in it, and it does not begin anew. */
struct meanwhile {
	struct rig *r;
	uint64_t seq, last_done;
	unsigned turns;
};

static enum err
write_more(void *arg, uint64_t done, uint64_t total, struct errinfo *ei)
{
	struct meanwhile *m = arg;

	(void)ei;
	if (m->turns > 0 && done < m->last_done)
		fail_msg("the copy began anew");
	m->last_done = done;
	if (++m->turns > 5000)
		fail_msg("the copy does not end");
	if (done == total) {
		m->last_done = 0;   /* the audit counts for itself */
		return ERR_OK;
	}
	rig_put(m->r, &rig_result(1, m->seq, T0 + (int64_t)m->seq *
	    1000000)->unit);
	m->seq++;
	rig_flush(m->r);
	return ERR_OK;
}

static void
test_backup_while_written(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	struct audit_report *rep = xcalloc(1, sizeof(*rep));
	struct meanwhile m = {.r = &r, .seq = 1000};
	char file[160];
	struct backup_ask ask = {.from = {.reader = true}, .file = file,
	    .turn = {write_more, &m}};
	uint64_t before;

	(void)state;
	fill(&r);
	ask.from.path = r.path;
	snprintf(file, sizeof(file), "%s/b.db", r.dir);
	run_sql(r.path, "CREATE TABLE spare(a); INSERT INTO spare"
	    " VALUES(zeroblob(3000000))");
	open_still(&r);
	rig_flush(&r);
	m.turns = 0;
	if (backup_make(&ask, rep, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	assert_int_equal(rep->total, 0);
	before = rep->samples;
	assert_true(m.turns > 10);
	rig_close(&r);
	/* it did write meanwhile */
	xfree(rep);
	rep = audit(r.path);
	assert_int_equal(rep->total, 0);
	assert_true(rep->samples >= before + 10);
	xfree(rep);
	rig_remove(&r);
}

/* -- restore ------------------------------------------------------------ */

static void
test_restore(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	struct restore *x = xcalloc(1, sizeof(*x));
	char file[160];
	enum settled how;

	(void)state;
	fill(&r);
	snprintf(file, sizeof(file), "%s/b.db", r.dir);
	shell("cp", r.path, file);
	run_sql(r.path, "DELETE FROM transition");
	*x = (struct restore){.store = r.path, .file = file,
	    .now_us = T0, .turn = {go_on, NULL}};
	assert_int_equal(restore_stage(x, &ei), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"), 0);
	assert_int_equal(restore_swap(x, &ei), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"), 8);
	assert_non_null(strstr(x->aside, "s.db.before-2026"));
	assert_true(disk_there(x->aside));
	assert_int_equal(restore_settle(r.path, &how, &ei), ERR_OK);
	assert_int_equal(how, SETTLED_NOTHING);
	/* again in the same second: the first one aside is not touched */
	assert_int_equal(restore_stage(x, &ei), ERR_OK);
	assert_int_equal(restore_swap(x, &ei), ERR_OK);
	assert_non_null(strstr(x->aside, "Z-2"));
	/* what is not sound does not get there */
	run_sql(file, "UPDATE chunk SET n = n + 1");
	assert_int_equal(restore_stage(x, &ei), ERR_INVALID);
	assert_int_equal(restore_settle(r.path, &how, &ei), ERR_OK);
	assert_int_equal(how, SETTLED_NOTHING);
	run_sql(file, "PRAGMA application_id = 7");
	assert_int_equal(restore_stage(x, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "another program"));
	/* staged and given up: undone */
	shell("cp", r.path, file);
	assert_int_equal(restore_stage(x, &ei), ERR_OK);
	assert_int_equal(restore_settle(r.path, &how, &ei), ERR_OK);
	assert_int_equal(how, SETTLED_UNDONE);
	rig_open(&r);
	rig_close(&r);
	xfree(x);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_invariant),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_backup_while_written),
		cmocka_unit_test(test_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

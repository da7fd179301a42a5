/* The bound of the write-ahead log: what holds it, who is named, and that
 * nothing is lost while it may not grow. */
#include "tests/unit/store_rig.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/foreign.h"
#include "store/inside.h"

#define T0    INT64_C(1790000000000000)
#define MS    INT64_C(1000000)
#define TURNS 3000

static long
wal_size(const struct rig *r)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", r->path);
	return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

/* What another process does: holds a snapshot until its standard input
 * ends. */
static int
hold_snapshot(const char *path)
{
	sqlite3 *db = NULL;
	char c;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN; SELECT count(*) FROM meta", NULL, NULL,
	    NULL) != SQLITE_OK || write(1, "x", 1) != 1)
		return 1;
	(void)!read(0, &c, 1);
	_exit(0);
}

/* The child begins anew: our threads may hold SQLite's mutexes. */
static pid_t
reader_away(const char *path, int *ret_pipe)
{
	int ready[2], let_go[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(let_go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(let_go[0], 0) == 0 && dup2(ready[1], 1) == 1) {
			close(let_go[1]);
			(void)execl("/proc/self/exe", "test_store_wal", "hold",
			    path, (char *)NULL);
		}
		_exit(1);
	}
	close(let_go[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*ret_pipe = let_go[1];
	return pid;
}

static void
let_go(pid_t pid, int fd)
{
	int status;

	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
}

static void
small(struct rig *r)
{
	rig_dir(r, "s.db");
	r->conf.checkpoint_size = 64 << 10;
	r->conf.checkpoint_ns = 20 * MS;
	r->conf.wal_max = 1 << 20;
}

/* Transitions one by one, so that each is a commit of some pages. */
static void
put_turns(struct rig *r, uint32_t id, uint64_t from, uint64_t n)
{
	for (uint64_t i = from; i < from + n; i++) {
		struct result_unit *u = rig_turn(id, i, T0 + (int64_t)i * 1000,
		    i % 2 != 0 ? STATUS_PENDING : STATUS_UP,
		    i % 2 != 0 ? STATUS_UP : STATUS_PENDING);

		rig_put(r, &u->unit);
		if (i % 8 == 0)
			(void)poll(NULL, 0, 1);
	}
}

static void
wait_full(struct rig *r, bool want)
{
	int64_t until = clock_mono_ns() + RIG_WAIT_NS;

	while (wal_full(r->s) != want) {
		assert_true(clock_mono_ns() < until);
		(void)poll(NULL, 0, 1);
	}
}

static uint64_t
count(struct rig *r, enum checkpoint how)
{
	return atomic_load(&store_stats(r->s)->checkpoints[how]);
}

/* With a snapshot of another process that never ends, the log stays below its
 * hard mark, the process is named, and what waits is there afterwards. */
static void
a_foreign_reader(void **state)
{
	struct rig r;
	struct wal_state w;
	struct errinfo ei = {0};
	char pid_text[32];
	uint32_t a;
	long most;
	pid_t pid;
	int fd;

	(void)state;
	small(&r);
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	pid = reader_away(r.path, &fd);
	put_turns(&r, a, 1, TURNS);
	wait_full(&r, true);
	most = wal_size(&r);
	put_turns(&r, a, TURNS + 1, TURNS);
	(void)poll(NULL, 0, 300);
	assert_int_equal(wal_size(&r), most);   /* it grows no more */
	assert_true(most < (long)r.conf.wal_max);
	assert_true(most > (long)r.conf.wal_max / 2);
	wal_state(r.s, &w);
	assert_true(w.full);
	assert_true(w.stuck >= WAL_STUCK);
	assert_int_equal(w.last, CKPT_BUSY);
	snprintf(pid_text, sizeof(pid_text), "(pid %d) reads", (int)pid);
	if (strstr(w.held_by, pid_text) == NULL)
		fail_msg("named: %s", w.held_by);
	assert_non_null(strstr(w.held_by, "exe (pid"));   /* its command */
	assert_int_equal(store_ready(r.s, &ei), ERR_STORE);
	assert_non_null(strstr(ei.text, pid_text));
	assert_true(count(&r, CKPT_BUSY) >= WAL_STUCK);
	let_go(pid, fd);
	wait_full(&r, false);
	rig_flush(&r);
	assert_int_equal(store_ready(r.s, &ei), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"),
	    2 * TURNS);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE text"
	    " LIKE 'the write-ahead log is full; held by exe (pid %'"), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE text"
	    " = 'the write-ahead log was cut again'"), 1);
	wal_state(r.s, &w);
	assert_int_equal(w.held_by[0], 0);
	assert_int_equal(w.stuck, 0);
	assert_true(w.last_done_us > 0);
	rig_close(&r);
	assert_int_equal(wal_size(&r), 0);
	rig_remove(&r);
}

/* A stop while it is held: what waits goes in beyond the mark rather than
 * nowhere. */
static void
a_stop_while_it_is_full(void **state)
{
	struct rig r;
	uint32_t a;
	pid_t pid;
	int fd;

	(void)state;
	small(&r);
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	pid = reader_away(r.path, &fd);
	put_turns(&r, a, 1, TURNS);
	wait_full(&r, true);
	put_turns(&r, a, TURNS + 1, 200);
	rig_close(&r);
	let_go(pid, fd);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"),
	    TURNS + 200);
	rig_remove(&r);
}

static void
pin(struct rig_job *j, struct reader *r)
{
	const struct uptime_query q = {.from_us = 1, .to_us = T0};

	j->w.e = query_uptime(r, j->monitor, &q, &j->up, &j->ei);
}

/* A question of our own that never ends: it is named, and ended by its age
 * before the log is full; all the rest goes on. */
static void
a_question_of_ours(void **state)
{
	struct rig r;
	struct rig_job j = {.ask = pin};
	sqlite3 *db = NULL;
	uint32_t a;

	(void)state;
	small(&r);
	r.conf.wal_max = 64 << 20;
	r.conf.read_age_ns = 400 * MS;
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE gap RENAME TO gap_;"
	    "CREATE VIEW gap AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
	    " SELECT x + 1 FROM c) SELECT x AS from_us, x AS to_us FROM c"
	    " WHERE x < 0", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	j.monitor = a;
	j.job.run = rig_run;
	j.job.name = "the endless one";
	j.job.deadline_ns = clock_mono_ns() + RIG_WAIT_NS;
	rig_ack_init(&j.w);
	assert_true(reader_submit(r.s, &j.job));
	put_turns(&r, a, 1, TURNS);
	assert_int_equal(rig_wait(&j.w), ERR_TIMEOUT);
	assert_true(count(&r, CKPT_BUSY) > 0);
	assert_false(wal_full(r.s));
	put_turns(&r, a, TURNS + 1, 100);
	rig_flush(&r);
	assert_true(count(&r, CKPT_DONE) > 0);
	rig_close(&r);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"),
	    TURNS + 100);
	rig_remove(&r);
}

/* Nobody holds it: it is cut, and stays near the size that was asked for. */
static void
it_stays_small(void **state)
{
	struct rig r;
	uint32_t a;
	int64_t until;

	(void)state;
	small(&r);
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	put_turns(&r, a, 1, TURNS);
	rig_flush(&r);
	assert_true(count(&r, CKPT_DONE) > 2);
	assert_int_equal(count(&r, CKPT_BUSY) + count(&r, CKPT_ERROR), 0);
	until = clock_mono_ns() + RIG_WAIT_NS;
	while (wal_size(&r) > (long)r.conf.wal_max / 4) {
		assert_true(clock_mono_ns() < until);
		rig_flush(&r);
	}
	rig_close(&r);
	rig_remove(&r);
}

/* -- who ---------------------------------------------------------------- */
static const struct foreign_file file = {0xfd, 0x1, 1234};

static bool
line(const char *text, struct foreign *ret)
{
	return foreign_line(str_of(text), &file, ret);
}

static void
lines_of_the_kernel(void **state)
{
	struct foreign f;

	(void)state;
	assert_true(line("1: POSIX  ADVISORY  READ  77 fd:01:1234 124 124",
	    &f));
	assert_int_equal(f.pid, 77);
	assert_int_equal(f.kind, FOREIGN_READER);
	assert_true(f.same_device);
	assert_true(line("2: POSIX  ADVISORY  WRITE 8 fd:01:1234 120 120", &f));
	assert_int_equal(f.kind, FOREIGN_WRITER);
	assert_true(line("2: POSIX  ADVISORY  WRITE 8 fd:01:1234 121 121", &f));
	assert_int_equal(f.kind, FOREIGN_CHECKPOINTER);
	assert_true(line("3: OFDLCK ADVISORY  READ -1 00:2a:1234 123 123", &f));
	assert_int_equal(f.pid, 0);
	assert_false(f.same_device);
	/* of the database as such, waiting, another file, or no lock at all */
	assert_false(line("1: POSIX  ADVISORY  READ  77 fd:01:1234 128 128",
	    &f));
	assert_false(line("1: -> POSIX  ADVISORY  READ 7 fd:01:1234 124 124",
	    &f));
	assert_false(line("1: POSIX  ADVISORY  READ  77 fd:01:1235 124 124",
	    &f));
	assert_false(line("1: POSIX  ADVISORY  READ 77 fd:01:1234 1073741826"
	    " 1073742335", &f));
	assert_false(line("1: FLOCK  ADVISORY  WRITE 77 fd:01:1234 0 EOF", &f));
	assert_false(line("1: POSIX  ADVISORY  WRITE 77 fd:01:1234 0 EOF", &f));
	assert_false(line("1: POSIX", &f));
	assert_false(line("", &f));
}

static void
words(void **state)
{
	struct foreign v[] = {
		{.pid = 12, .kind = FOREIGN_READER, .name = "python3"},
		{.pid = 0, .kind = FOREIGN_WRITER},
	};
	char text[FOREIGN_TEXT];

	(void)state;
	foreign_text(v, 2, text);
	assert_string_equal(text, "python3 (pid 12) reads, a process of another"
	    " container writes");
	foreign_text(v, 0, text);
	assert_string_equal(text, "");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_foreign_reader),
		cmocka_unit_test(a_stop_while_it_is_full),
		cmocka_unit_test(a_question_of_ours),
		cmocka_unit_test(it_stays_small),
		cmocka_unit_test(lines_of_the_kernel),
		cmocka_unit_test(words),
	};

	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold_snapshot(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The store when something is wrong: a lock, another daemon, another
 * program's file, a damaged one, one that is too new, a unit that the
 * database refuses, no time left. */
#include "tests/unit/store_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/compact.h"

#define T0 INT64_C(1790000000000000)

static enum err
try_open(struct rig *r, struct errinfo *ei)
{
	struct store *s = NULL;
	enum err e = store_open(&r->conf, &s, ei);

	assert_true((e == ERR_OK) == (s != NULL));
	store_free(s);
	return e;
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void
test_second_daemon(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	char pid[32];
	struct stat st;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	snprintf(pid, sizeof(pid), "(pid %ld)", (long)getpid());
	assert_int_equal(try_open(&r, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, pid));
	assert_int_equal(stat(r.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	rig_close(&r);
	assert_int_equal(try_open(&r, &ei), ERR_OK);
	rig_remove(&r);
}

static void
test_unwritable_directory(void **state)
{
	struct rig r;
	struct errinfo ei = {0};

	(void)state;
	rig_dir(&r, "no/such/s.db");
	assert_int_equal(try_open(&r, &ei), ERR_SYS);
	assert_non_null(strstr(ei.text, "data directory"));
	snprintf(r.conf.path, sizeof(r.conf.path), "relative.db");
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	(void)unlink("relative.db.lock");
	rig_remove(&r);
}

static void
fill(const char *path, const char *byte)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(write(fd, byte, 1), 1);
	close(fd);
}

static long
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static void
test_damaged_file(void **state)
{
	struct rig r;
	struct errinfo ei = {0};
	int fd;

	(void)state;
	rig_dir(&r, "s.db");
	fill(r.path, "x");
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, r.path));
	assert_non_null(strstr(ei.text, "nothing was changed"));
	assert_int_equal(size_of(r.path), 5000);
	assert_int_equal(unlink(r.path), 0);
	/* a page in the middle of the tables */
	rig_open(&r);
	for (int i = 0; i < 50; i++) {
		char body[120];

		snprintf(body, sizeof(body), "{\"name\":\"m%d\",\"type\":"
		    "\"web\",\"url\":\"http://x/\"}", i);
		(void)rig_create(&r, body);
	}
	rig_close(&r);
	fd = open(r.path, O_RDWR);
	assert_true(fd >= 0);
	for (off_t at = 4096; at < size_of(r.path); at++)
		assert_int_equal(pwrite(fd, "\xff", 1, at), 1);
	close(fd);
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "damaged"));
	rig_remove(&r);
}

/* With descriptors for some of them only: the start fails and says so, leaves
 * nothing open, and goes well when there are enough. */
static void
test_readers_that_do_not_open(void **state)
{
	struct rlimit was, few;
	struct rig r;
	struct errinfo ei = {0};
	int fd, again;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_close(&r);
	r.conf.readers = 16;
	fd = open("/dev/null", O_RDONLY);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)fd + 20;   /* the writer has some ten */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(try_open(&r, &ei), ERR_STORE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_non_null(strstr(ei.text, "reader"));
	again = open("/dev/null", O_RDONLY);
	assert_int_equal(again, fd);
	close(again);
	rig_open(&r);
	assert_int_equal(readers_state(r.s).n, 16);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_newer_schema(void **state)
{
	struct rig r;
	struct errinfo ei = {0};

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	(void)rig_create(&r, RIG_WEB("A"));
	rig_close(&r);
	run_sql(r.path, "PRAGMA user_version = 99");
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "schema 99"));
	run_sql(r.path, "PRAGMA user_version = 1;"
	    "UPDATE migration SET crc = crc + 1");
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "migration"));
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM monitor"), 1);
	rig_remove(&r);
}

static void
test_foreign_file(void **state)
{
	struct rig r;
	struct errinfo ei = {0};

	(void)state;
	rig_dir(&r, "s.db");
	run_sql(r.path, "CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
	assert_int_equal(try_open(&r, &ei), ERR_INVALID);
	assert_non_null(strstr(ei.text, "another program"));
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM sqlite_master"),
	    1);
	rig_remove(&r);
}

/* What that other process does: "x" when it holds the lock, until its standard
 * input ends. */
static int
hold_lock(const char *path)
{
	sqlite3 *db = NULL;
	char c;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, 5000) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK || write(1, "x", 1) != 1)
		return 1;
	(void)!read(0, &c, 1);
	_exit(0);   /* dies with the lock, as a killed process would */
}

/* Another process holds the write lock for a while. */
static pid_t
lock_away(const char *path, int *ret_pipe)
{
	int ready[2], let_go[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(let_go), 0);
	pid = fork();
	assert_true(pid >= 0);
	/* Our threads may hold SQLite's mutexes at this very moment, so the
	 * child begins anew instead of going on with a copy of them. */
	if (pid == 0) {
		if (dup2(let_go[0], 0) == 0 && dup2(ready[1], 1) == 1) {
			close(let_go[1]);
			(void)execl("/proc/self/exe", "test_store_trouble",
			    "lock", path, (char *)NULL);
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
test_locked(void **state)
{
	struct rig r;
	struct rig_ack early, edit, later;
	struct result_unit *u;
	struct config_unit *c = config_unit_new(CONFIG_CREATE);
	uint32_t a;
	int let_go, status;
	pid_t pid;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	pid = lock_away(r.path, &let_go);
	u = rig_turn(a, 1, T0, STATUS_PENDING, STATUS_UP);
	rig_ack_init(&early);
	u->unit.ack = &early.ack;
	rig_put(&r, &u->unit);
	c->body = json_loads(RIG_WEB("B"), 0, NULL);
	rig_ack_init(&edit);
	c->unit.ack = &edit.ack;
	rig_put(&r, &c->unit);
	for (uint64_t i = 2; i <= 300; i++)
		rig_put(&r, &rig_result(a, i, T0 + (int64_t)i)->unit);
	/* who waits is told within a second or so, and never "done" */
	assert_int_equal(rig_wait(&early), ERR_AGAIN);
	assert_int_equal(rig_wait(&edit), ERR_AGAIN);
	config_unit_free(c);
	assert_true(atomic_load(&store_stats(r.s)->errors[OP_BEGIN]
	    [CLASS_BUSY]) > 0);
	assert_int_equal(store_ready(r.s, NULL), ERR_STORE);
	/* one that is not yet impatient when the lock goes is answered OK */
	u = rig_result(a, 301, T0 + 301);
	rig_ack_init(&later);
	u->unit.ack = &later.ack;
	rig_put(&r, &u->unit);
	close(let_go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)rig_wait(&later);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 1000), 301);
	assert_int_equal(rig_turns(&r, a), 1);
	assert_int_equal(store_ready(r.s, NULL), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM monitor"), 1);
	rig_flush(&r);
	assert_true(rig_number(&r, "SELECT count(*) FROM event WHERE"
	    " text LIKE 'writing failed for %nothing was lost'") >= 1);
	rig_close(&r);
	rig_remove(&r);
}

/* The database refuses one unit of many for good: the others are stored. */
static void
test_bisect(void **state)
{
	struct rig r;
	struct rig_ack acks[200];
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	run_sql(r.path, "CREATE TRIGGER bad BEFORE INSERT ON transition WHEN"
	    " new.seq = 77 BEGIN SELECT RAISE(ABORT, 'no 77'); END");
	for (uint64_t i = 0; i < COUNT(acks); i++) {
		struct result_unit *u = rig_turn(a, i + 1, T0 + (int64_t)i,
		    i % 2 == 0 ? STATUS_PENDING : STATUS_UP,
		    i % 2 == 0 ? STATUS_UP : STATUS_PENDING);

		rig_ack_init(&acks[i]);
		u->unit.ack = &acks[i].ack;
		rig_put(&r, &u->unit);
	}
	for (size_t i = 0; i < COUNT(acks); i++)
		assert_int_equal(rig_wait(&acks[i]), i + 1 == 77 ? ERR_STORE :
		    ERR_OK);
	assert_non_null(strstr(acks[76].ei.text, "no 77"));
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 1000), COUNT(acks) - 1);
	assert_int_equal(rig_turns(&r, a), COUNT(acks) - 1);
	assert_int_equal(atomic_load(&store_stats(r.s)->refused), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE"
	    " kind = 10 AND text LIKE '%no 77%'"), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM quarantine WHERE"
	    " reason LIKE '%no 77%' AND attempts = 0"), 1);
	assert_int_equal(store_quarantined(r.s), 1);
	rig_close(&r);
	rig_remove(&r);
}

/* A stop that runs out of time says so to everybody, and comes back. */
static void
test_stop_out_of_time(void **state)
{
	struct rig r;
	struct rig_ack w;
	struct errinfo ei = {0};
	struct result_unit *u;
	uint32_t a;
	int let_go, status;
	pid_t pid;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	pid = lock_away(r.path, &let_go);
	u = rig_result(a, 1, T0);
	rig_ack_init(&w);
	u->unit.ack = &w.ack;
	rig_put(&r, &u->unit);
	assert_int_equal(store_stop(r.s, clock_mono_ns() + 200000000, &ei),
	    ERR_TIMEOUT);
	assert_int_equal(rig_wait(&w), ERR_STOPPING);
	assert_int_equal(store_stop(r.s, clock_mono_ns(), &ei), ERR_OK);
	u = rig_result(a, 2, T0);
	assert_false(mbox_put_urgent(store_inbox(r.s), &u->unit.msg, 1));
	unit_free(&u->unit);
	store_free(r.s);
	rig_forget(&r);
	close(let_go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rig_remove(&r);
}

/* Samples in the tail and in chunks are one history, before, while and after
 * they are moved; deleted monitors' rows and old events go. */
static void
test_compaction(void **state)
{
	struct rig r;
	struct rig_job j;
	struct sample want;
	uint32_t a, b;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	b = rig_create(&r, RIG_WEB("B"));
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 1; i <= 700; i++) {
			uint64_t seq = (uint64_t)round * 700 + i;

			rig_put(&r, &rig_result(a, seq, T0 + (int64_t)seq *
			    1000)->unit);
			if (i % 7 == 0)
				rig_put(&r, &rig_result(b, seq, T0)->unit);
		}
		rig_flush(&r);
		rig_close(&r);
		/* no thread runs: the writer's work is done here */
		assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
		if (round < 2) {
			r.s->tail_since_us = 0;
			for (int i = 0; compact_due(r.s) && i < 100; i++)
				compact_slice(r.s);
			assert_false(compact_due(r.s));
			assert_int_equal(r.s->tail_samples, 0);
		}
		assert_int_equal(store_start(r.s, NULL), ERR_OK);
	}
	assert_int_equal(rig_number(&r, "SELECT sum(n) FROM tail"), 800);
	assert_int_equal(rig_number(&r, "SELECT sum(n) FROM chunk"), 1600);
	assert_int_equal(rig_number(&r, "SELECT max(n) FROM chunk"), 256);
	j = rig_question(a, 1000);
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
	assert_int_equal(j.n, 1000);
	for (uint64_t i = 0; i < j.n; i++) {
		want = rig_sample(a, 2100 - i, T0 + (int64_t)(2100 - i) * 1000);
		assert_memory_equal(&j.samples[i], &want, sizeof(want));
	}
	xfree(j.samples);
	j = rig_question(a, 1000);
	j.before = 1101;
	j.from_us = T0 + 301000;
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
	assert_int_equal(j.n, 800);
	assert_int_equal(j.samples[799].seq, 301);
	xfree(j.samples);
	assert_int_equal(rig_samples(&r, b, 1000), 300);
	rig_close(&r);
	rig_remove(&r);
}

/* A chunk that cannot be read is an error, not an empty history (D11). */
static void
test_damaged_chunk(void **state)
{
	struct rig r;
	struct rig_job j;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	for (uint64_t i = 1; i <= 10; i++)
		rig_put(&r, &rig_result(a, i, T0)->unit);
	rig_flush(&r);
	run_sql(r.path, "UPDATE tail SET b = zeroblob(length(b))");
	j = rig_question(a, 10);
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_STORE);
	assert_non_null(strstr(j.ei.text, "damaged"));
	assert_non_null(strstr(j.ei.text, "monitor 1 from "));
	rig_close(&r);
	rig_open(&r);   /* it is said, and the daemon starts */
	assert_true(rig_number(&r, "SELECT count(*) FROM event WHERE"
	    " text LIKE '%damaged%'") >= 1);
	rig_close(&r);
	rig_remove(&r);
}

static void
sleepy(struct rig_job *j, struct reader *r)
{
	(void)r;
	while (!atomic_load(&j->job.cancelled))
		;
	rig_ask_samples(j, r);
}

/* Whoever left is not waited for; a full queue says no; a stop ends reads. */
static void
test_readers(void **state)
{
	struct rig r;
	struct rig_job busy = {.ask = sleepy}, like, *j;
	unsigned n = 0;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	busy.limit = 1;
	busy.monitor = rig_create(&r, RIG_WEB("A"));
	busy.job.run = rig_run;
	busy.job.deadline_ns = clock_mono_ns() + RIG_WAIT_NS;
	rig_ack_init(&busy.w);
	like = busy;
	assert_true(reader_submit(r.s, &busy.job));
	j = xcalloc(400, sizeof(*j));
	for (; n < 400; n++) {
		j[n] = like;
		j[n].ask = rig_ask_samples;
		rig_ack_init(&j[n].w);
		if (!reader_submit(r.s, &j[n].job))
			break;
	}
	assert_true(n >= 255 && n <= 257);
	reader_cancel(r.s, &j[3].job);
	reader_cancel(r.s, &busy.job);
	(void)rig_wait(&busy.w);
	(void)rig_wait(&j[3].w);
	assert_false(j[3].had_reader);
	for (unsigned i = 0; i < n; i++) {
		(void)rig_wait(&j[i].w);
		xfree(j[i].samples);
	}
	xfree(busy.samples);
	assert_true(j[0].had_reader);
	xfree(j);
	rig_close(&r);
	rig_remove(&r);
}

static _Atomic unsigned woken;

static void
wake(struct live_sub *s)
{
	(void)s;
	atomic_fetch_add(&woken, 1);
}

static void
test_live(void **state)
{
	struct rig r;
	struct live_sub sub = {.wake = wake};
	struct event *e = xcalloc(LIVE_RING, sizeof(*e));
	uint64_t after, tick = UINT64_MAX;
	uint32_t ids[8], a;
	bool lost = true;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	live_subscribe(store_live(r.s), &sub);
	after = live_last(store_live(r.s));
	assert_int_equal(live_touched(store_live(r.s), &tick, ids, 8), 0);
	rig_put(&r, &rig_turn(a, 1, T0, STATUS_PENDING, STATUS_UP)->unit);
	rig_flush(&r);
	assert_true(atomic_load(&woken) > 0);
	assert_int_equal(live_read(store_live(r.s), after, e, LIVE_RING, &lost),
	    2);
	assert_false(lost);
	assert_int_equal(e[0].kind, EVENT_TRANSITION);
	assert_int_equal(e[0].id, after + 1);
	assert_int_equal(live_touched(store_live(r.s), &tick, ids, 8), 1);
	assert_int_equal(ids[0], a);
	for (int i = 0; i < LIVE_RING + 5; i++) {
		struct event_unit *u = event_unit_new();

		rig_put(&r, &u->unit);
	}
	rig_flush(&r);
	(void)live_read(store_live(r.s), after, e, LIVE_RING, &lost);
	assert_true(lost);   /* the reader is told to look into the store */
	live_unsubscribe(store_live(r.s), &sub);
	xfree(e);
	rig_close(&r);
	rig_remove(&r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_daemon),
		cmocka_unit_test(test_unwritable_directory),
		cmocka_unit_test(test_damaged_file),
		cmocka_unit_test(test_readers_that_do_not_open),
		cmocka_unit_test(test_newer_schema),
		cmocka_unit_test(test_foreign_file),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_bisect),
		cmocka_unit_test(test_stop_out_of_time),
		cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_damaged_chunk),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_live),
	};

	if (argc == 3 && strcmp(argv[1], "lock") == 0)
		return hold_lock(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

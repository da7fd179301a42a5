/* Retention on a real SQLite file: after a round exactly those rows remain
 * that a few lines of plain reckoning say, with interleaved monitors and equal
 * times; and every table there is has its row in the table of bounds. */
#include "store/budget.h"
#include "store/chores.h"
#include "store/chunk.h"
#include "store/inside.h"
#include "store/prune.h"
#include "store/retention.h"
#include "tests/unit/store_rig.h"

#define MONITORS 5
#define DAY_US   INT64_C(86400000000)
#define NS(us)   ((us) * 1000)

static uint64_t dice = 1;

static uint64_t
roll(uint64_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (dice >> 33) % n;
}

/* -- the file, by a connection of our own while no store is open --------- */
static sqlite3 *
file_open(const struct rig *r)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	return db;
}

static void
file_run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static void
file_put(sqlite3_stmt *st, const int64_t *v, int n, struct str bytes)
{
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(st, i + 1, v[i]);
	if (bytes.p != NULL)
		sqlite3_bind_blob(st, n + 1, bytes.p, (int)bytes.n,
		    SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_reset(st);
}

static sqlite3_stmt *
file_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	return st;
}

/* The ids that remain, in order, against those that should. */
static void
file_holds(const struct rig *r, const char *sql, const int64_t *want,
    const bool *keep, size_t n)
{
	sqlite3 *db = file_open(r);
	sqlite3_stmt *st = file_prepare(db, sql);
	size_t i = 0;

	while (sqlite3_step(st) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(st, 0);

		for (; i < n && !keep[i]; i++)
			;
		if (i == n || want[i] != id)
			fail_msg("row %lld remains; the next to remain is %lld",
			    (long long)id, i == n ? -1LL : (long long)want[i]);
		i++;
	}
	for (; i < n && !keep[i]; i++)
		;
	if (i < n)
		fail_msg("row %lld is gone", (long long)want[i]);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void
rig_made(struct rig *r, uint32_t ids[MONITORS])
{
	rig_dir(r, "s.db");
	rig_open(r);
	for (unsigned i = 0; i < MONITORS; i++) {
		char body[160];

		snprintf(body, sizeof(body), "{\"name\":\"M%u\",\"type\":"
		    "\"web\",\"url\":\"http://127.0.0.1/\"}", i);
		ids[i] = rig_create(r, body);
	}
	rig_close(r);
}

/* No thread runs: a round is carried out here, slice by slice. */
static unsigned
round_of(struct rig *r)
{
	unsigned slices = 0;
	struct errinfo ei = {0};

	if (store_open(&r->conf, &r->s, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	do {
		r->s->box_ns = 1;   /* a step is a slice */
		prune_slice(r->s);
		slices++;
	} while (r->s->prune->running);
	assert_int_equal(r->s->failures, 0);
	return slices;
}

static void
round_end(struct rig *r)
{
	assert_int_equal(store_stop(r->s, clock_mono_ns() + RIG_WAIT_NS, NULL),
	    ERR_OK);
	store_free(r->s);
	r->s = NULL;
}

/* -- every table is bounded ---------------------------------------------- */
static void
test_every_table(void **state)
{
	struct rig r;
	uint32_t ids[MONITORS];
	size_t n = 0;
	sqlite3 *db;
	sqlite3_stmt *st;

	(void)state;
	rig_made(&r, ids);
	db = file_open(&r);
	st = file_prepare(db, "SELECT name FROM sqlite_master WHERE type ="
	    " 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		const struct retention_row *row = retention_find(name);

		if (row == NULL || row->bound == NULL || row->bound[0] == '\0')
			fail_msg("the table %s has no row in retention.c: how"
			    " is it bounded?", name);
		n++;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_int_equal(n, retention_count());   /* none of a table gone */
	rig_remove(&r);
}

/* -- transitions --------------------------------------------------------- */
#define TURNS 4000

struct turn_row {
	int64_t id, at_us;
	uint32_t monitor;
};

/* Does a come before b: by time, then by id? */
static bool
before(const struct turn_row *a, const struct turn_row *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->id < b->id);
}

static void
turns_made(struct rig *r, const uint32_t *ids, struct turn_row *v, int64_t now)
{
	sqlite3 *db = file_open(r);
	sqlite3_stmt *st = file_prepare(db, "INSERT INTO transition(id,"
	    " monitor, seq, at_us, was, became, why, reason, explain)"
	    " VALUES(?1, ?2, ?1, ?3, 4, 0, 0, '', '{}')");

	file_run(db, "BEGIN");
	for (int i = 0; i < TURNS; i++) {
		/* one monitor has most of them, one but a few, and time
		 * stands still, runs and goes back */
		uint64_t m = roll(100);

		v[i] = (struct turn_row){.id = i + 1,
		    .monitor = ids[m < 60 ? 0 : m < 85 ? 1 : m < 98 ? 2 :
		    m < 99 ? 3 : 4],
		    .at_us = now - (int64_t)roll(40) * DAY_US};
		file_put(st, (const int64_t[]){v[i].id, v[i].monitor,
		    v[i].at_us}, 3, (struct str){0});
	}
	file_run(db, "COMMIT");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void
turns_check(const struct rig *r, const struct turn_row *v, uint32_t newest,
    int64_t cut_us)
{
	static bool keep[TURNS];
	static int64_t ids[TURNS];
	size_t gone = 0;

	for (int i = 0; i < TURNS; i++) {
		uint32_t newer = 0;
		bool in_force = true;   /* the last one up to the cut */

		for (int k = 0; k < TURNS; k++) {
			if (v[k].monitor != v[i].monitor ||
			    !before(&v[i], &v[k]))
				continue;
			newer++;
			if (v[k].at_us <= cut_us)
				in_force = false;
		}
		ids[i] = v[i].id;
		keep[i] = newer < newest && (v[i].at_us > cut_us || in_force);
		gone += !keep[i];
	}
	assert_in_range(gone, 1, TURNS - 1);
	file_holds(r, "SELECT id FROM transition ORDER BY id", ids, keep,
	    TURNS);
}

static void
test_transitions(void **state)
{
	static struct turn_row v[TURNS];
	static const struct { uint32_t newest; int64_t days; } rows[] = {
		{300, 0}, {UINT32_MAX, 20}, {100, 30}, {5, 3},
		{1230, 20},   /* both floors at one time */
	};
	int64_t now = clock_wall_us() - 1000000;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rig r;
		uint32_t ids[MONITORS];
		int64_t cut;
		unsigned slices;

		rig_made(&r, ids);
		turns_made(&r, ids, v, now);
		r.conf.retention.transitions_per_monitor =
		    rows[i].newest == UINT32_MAX ? 0 : rows[i].newest;
		r.conf.retention.transitions_ns = NS(rows[i].days * DAY_US -
		    DAY_US / 2) * (rows[i].days != 0);
		slices = round_of(&r);
		assert_in_range(slices, 20, 100000);
		cut = rows[i].days == 0 ? INT64_MIN :
		    now - rows[i].days * DAY_US + DAY_US / 2;
		round_end(&r);
		turns_check(&r, v, rows[i].newest, cut);
		rig_remove(&r);
	}
}

/* A clock that runs ahead makes nothing older than it is: not at a start, and
 * not meanwhile; until it has been so for a day. */
static void
test_a_clock_ahead(void **state)
{
	static struct turn_row v[TURNS];
	static const int64_t hours[] = {72, 12};   /* since the last round */
	int64_t now = clock_wall_us() - 1000000;

	(void)state;
	for (size_t i = 0; i < COUNT(hours); i++) {
		struct rig r;
		uint32_t ids[MONITORS];
		char sql[160];
		sqlite3 *db;

		rig_made(&r, ids);
		turns_made(&r, ids, v, now);
		db = file_open(&r);
		snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES("
		    "'tended', %lld)", (long long)(now - hours[i] *
		    (DAY_US / 24)));
		file_run(db, sql);
		sqlite3_close(db);
		r.conf.retention.transitions_per_monitor = 0;
		r.conf.retention.transitions_ns = NS(20 * DAY_US - DAY_US / 2);
		(void)round_of(&r);
		round_end(&r);
		turns_check(&r, v, UINT32_MAX, now - 20 * DAY_US + DAY_US / 2 -
		    (hours[i] > 24 ? 3 * DAY_US : 0));
		rig_remove(&r);
	}
}

static void
test_trust(void **state)
{
	const int64_t day = 86400, t0 = 1790000000;
	struct trust t = {0};
	bool doubt;

#define NOW(wall, mono) (trust_now(&t, (wall) * US_PER_S, (mono) * NS_PER_S, \
    &doubt) / US_PER_S)
	(void)state;
	assert_int_equal(NOW(t0, 100), t0);   /* whatever it says at first */
	assert_int_equal(NOW(t0 + 600, 700), t0 + 600);
	assert_int_equal(NOW(t0 - 9 * day, 800), t0 - 9 * day);
	assert_int_equal(NOW(t0, 900), t0 - 9 * day + 100);
	assert_true(doubt);
	assert_int_equal(NOW(t0 + day, 900 + day - 1), t0 - 8 * day + 99);
	assert_false(doubt);
	assert_int_equal(NOW(t0 + day, 900 + day), t0 + day);
	assert_int_equal(NOW(t0 + 900 * day, 901 + day), t0 + day + 1);
	assert_true(doubt);
	assert_int_equal(NOW(t0 + day + 2, 902 + day), t0 + day + 2);
	assert_int_equal(NOW(t0 + 900 * day, 903 + day), t0 + day + 3);
	assert_true(doubt);                   /* a day begins anew */
}

/* A monitor whose number was seen to be right is not walked again, until
 * something comes. */
static void
test_transitions_again(void **state)
{
	static struct turn_row v[TURNS];
	struct rig r;
	uint32_t ids[MONITORS];
	const struct entry *en;

	(void)state;
	rig_made(&r, ids);
	turns_made(&r, ids, v, clock_wall_us());
	r.conf.retention.transitions_per_monitor = 40;
	(void)round_of(&r);
	en = view_entry(r.s->view, ids[0]);
	assert_true(en->counted);
	assert_int_equal(store_start(r.s, NULL), ERR_OK);
	for (int i = 0; i < 10; i++)
		rig_put(&r, &rig_turn(ids[0], 0, clock_wall_us() + i,
		    i % 2 == 0 ? STATUS_UP : STATUS_DOWN,
		    i % 2 == 0 ? STATUS_DOWN : STATUS_UP)->unit);
	rig_flush(&r);
	assert_false(en->counted);
	rig_close(&r);
	(void)round_of(&r);
	round_end(&r);
	assert_int_equal(rig_number(&r, "SELECT max(n) FROM (SELECT count(*) n"
	    " FROM transition GROUP BY monitor)"), 40);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition WHERE"
	    " id > 4000"), 10);
	rig_remove(&r);
}

/* -- samples at rest ----------------------------------------------------- */
#define CHUNKS 300
#define EACH   20     /* samples in one */

struct chunk_row {
	int64_t id, to_us, bytes;
	uint32_t monitor;
	uint64_t last_seq;
	bool gone;
};

static void
chunk_made(sqlite3_stmt *st, struct chunk_row *c, uint64_t *seq)
{
	BUF_AUTO(b, CHUNK_BYTES_MAX);
	struct sample s[EACH];

	for (int k = 0; k < EACH; k++)
		s[k] = rig_sample(c->monitor, ++*seq, c->to_us - EACH + 1 + k);
	assert_int_equal(chunk_encode(s, EACH, &b), ERR_OK);
	c->last_seq = *seq;
	c->bytes = (int64_t)b.n;
	file_put(st, (const int64_t[]){c->id, c->monitor, s[0].seq, *seq,
	    s[0].at_us, c->to_us, EACH}, 7, buf_str(&b));
}

static void
chunks_made(struct rig *r, const uint32_t *ids, struct chunk_row *v,
    int64_t now)
{
	sqlite3 *db = file_open(r);
	sqlite3_stmt *st = file_prepare(db, "INSERT INTO chunk VALUES(?1, ?2,"
	    " ?3, ?4, ?5, ?6, ?7, ?8)");
	uint64_t seq[MONITORS] = {0};

	file_run(db, "BEGIN");
	for (int i = 0; i < CHUNKS; i++) {
		uint64_t m = roll(10);

		m = m < 5 ? 0 : m < 8 ? 1 : m < 9 ? 2 : 3;
		/* several end at the same time */
		v[i] = (struct chunk_row){.id = i + 1, .monitor = ids[m],
		    .to_us = now - (CHUNKS - i) / 7 * DAY_US};
		chunk_made(st, &v[i], &seq[m]);
	}
	file_run(db, "COMMIT");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* Oldest first, and never into the newest of a monitor. */
static void
chunks_check(const struct rig *r, struct chunk_row *v, int64_t cut_us,
    int64_t max_bytes, uint64_t newest)
{
	static bool keep[CHUNKS];
	static int64_t ids[CHUNKS];
	int64_t total = 0;
	size_t gone = 0;

	for (int i = 0; i < CHUNKS; i++)
		total += v[i].bytes;
	for (int i = 0; i < CHUNKS; i++) {   /* by time and id already */
		uint64_t newer = 0;

		for (int k = i + 1; k < CHUNKS; k++)
			newer += v[k].monitor == v[i].monitor ? EACH : 0;
		v[i].gone = (v[i].to_us < cut_us || total > max_bytes) &&
		    newer >= MAX(newest, UINT64_C(1));
		total -= v[i].gone ? v[i].bytes : 0;
		ids[i] = v[i].id;
		keep[i] = !v[i].gone;
		gone += v[i].gone;
	}
	assert_in_range(gone, 1, CHUNKS - 1);
	file_holds(r, "SELECT id FROM chunk ORDER BY id", ids, keep, CHUNKS);
}

static void
test_samples(void **state)
{
	static struct chunk_row v[CHUNKS];
	static const struct { int64_t days, bytes; uint32_t newest; } rows[] = {
		{20, 0, 1}, {20, 0, 1000}, {5, 0, 500}, {0, 9000, 1},
		{0, 9000, 400}, {30, 12000, 100}, {1, 1, 1},
	};
	int64_t now = clock_wall_us() - 1000000;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rig r;
		uint32_t ids[MONITORS];

		rig_made(&r, ids);
		chunks_made(&r, ids, v, now);
		r.conf.retention.samples_ns = NS(rows[i].days * DAY_US -
		    DAY_US / 2) * (rows[i].days != 0);
		r.conf.retention.samples_bytes = (uint64_t)rows[i].bytes;
		r.conf.retention.samples_newest = rows[i].newest;
		(void)round_of(&r);
		round_end(&r);
		chunks_check(&r, v, rows[i].days == 0 ? INT64_MIN :
		    now - rows[i].days * DAY_US + DAY_US / 2,
		    rows[i].bytes == 0 ? INT64_MAX : rows[i].bytes,
		    rows[i].newest);
		assert_int_equal(rig_number(&r, "SELECT v = (SELECT"
		    " sum(length(b)) FROM chunk) FROM meta WHERE k ="
		    " 'chunk_bytes'"), 1);
		rig_remove(&r);
	}
}

/* Samples of the tail are the newest: they count. */
static void
test_samples_in_the_tail(void **state)
{
	static struct chunk_row v[CHUNKS];
	struct rig r;
	uint32_t ids[MONITORS];

	(void)state;
	rig_made(&r, ids);
	chunks_made(&r, ids, v, clock_wall_us() - 10 * DAY_US);
	rig_open(&r);
	for (uint64_t i = 1; i <= 100; i++)
		rig_put(&r, &rig_result(ids[0], 100000 + i, clock_wall_us() +
		    (int64_t)i)->unit);
	rig_flush(&r);
	rig_close(&r);
	r.conf.retention.samples_ns = NS(DAY_US);
	r.conf.retention.samples_newest = 130;
	(void)round_of(&r);
	round_end(&r);
	assert_int_equal(rig_number(&r, "SELECT sum(n) FROM chunk WHERE"
	    " monitor = (SELECT min(id) FROM monitor)"), 40);
	assert_int_equal(rig_number(&r, "SELECT sum(n) FROM chunk WHERE"
	    " monitor = (SELECT min(id) + 1 FROM monitor)"), 140);
	rig_remove(&r);
}

/* -- the event log and the gaps ------------------------------------------ */
static void
test_events(void **state)
{
	static const struct { int64_t days; uint32_t count; const char *want; }
	rows[] = {
		/* one at a time; the two of the start and the stop are ours */
		{0, 100, "SELECT count(*) = 100 AND min(id) > 800 FROM event"},
		{5, 0, "SELECT count(*) = 502 AND min(id) = 501 + (SELECT v"
		    " FROM meta WHERE k = 'was') FROM event"},
		{5, 1000000, "SELECT min(id) = 501 + (SELECT v FROM meta WHERE"
		    " k = 'was') FROM event"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rig r;
		uint32_t ids[MONITORS];
		int64_t now = clock_wall_us();
		sqlite3 *db;
		sqlite3_stmt *st;

		rig_made(&r, ids);
		db = file_open(&r);
		file_run(db, "INSERT INTO meta SELECT 'was', max(id)"
		    " FROM event; UPDATE event SET at_us = 1; BEGIN");
		st = file_prepare(db, "INSERT INTO event SELECT max(id) + 1,"
		    " ?1, 5, 0, 0, 0, 0, '', '', '' FROM event");
		for (int k = 0; k < 1000; k++)
			file_put(st, (const int64_t[]){now - (k < 500 ? 9 :
			    3) * DAY_US}, 1, (struct str){0});
		file_run(db, "COMMIT");
		sqlite3_finalize(st);
		sqlite3_close(db);
		r.conf.retention.logs_ns = NS(rows[i].days * DAY_US);
		r.conf.retention.logs_count = rows[i].count;
		(void)round_of(&r);
		assert_int_equal(r.s->prune->first_event, r.s->first_event);
		round_end(&r);
		if (i == 0)   /* the stop comes after the round */
			file_run(db = file_open(&r), "DELETE FROM event WHERE"
			    " id = (SELECT max(id) FROM event)"),
			    sqlite3_close(db);
		if (rig_number(&r, rows[i].want) != 1)
			fail_msg("row %zu: %lld events, from %lld", i,
			    (long long)rig_number(&r, "SELECT count(*) FROM"
			    " event"), (long long)rig_number(&r,
			    "SELECT min(id) FROM event"));
		rig_remove(&r);
	}
}

static void
test_gaps(void **state)
{
	struct rig r;
	uint32_t ids[MONITORS];
	char sql[400];
	sqlite3 *db;

	(void)state;
	rig_made(&r, ids);
	db = file_open(&r);
	snprintf(sql, sizeof(sql), "DELETE FROM gap; WITH RECURSIVE n(i) AS"
	    " (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999) INSERT"
	    " INTO gap SELECT %lld + i * 1000, %lld + i * 1000 + 500 FROM n",
	    (long long)(clock_wall_us() - 30 * DAY_US),
	    (long long)(clock_wall_us() - 30 * DAY_US));
	file_run(db, sql);
	file_run(db, "INSERT INTO gap SELECT 86400000000 * 20 + max(from_us),"
	    " 86400000000 * 20 + max(to_us) FROM gap");
	sqlite3_close(db);
	r.conf.retention.transitions_ns = NS(20 * DAY_US);
	(void)round_of(&r);
	round_end(&r);
	/* and the one of our own absence */
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM gap"), 2);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_table),
		cmocka_unit_test(test_transitions),
		cmocka_unit_test(test_a_clock_ahead),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_transitions_again),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_samples_in_the_tail),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

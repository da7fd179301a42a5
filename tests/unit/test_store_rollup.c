/* Roll-ups: what they add up to, and that every sample is in them once,
 * whatever happens while they are made. */
#include "tests/unit/store_rig.h"

#include "store/chores.h"
#include "store/compact.h"
#include "store/inside.h"
#include "store/rollups.h"

#define HOUR (INT64_C(3600) * 1000000)
#define T0   (497222 * HOUR)   /* 14:00 */
#define ROUNDS  6
#define SAMPLES 300            /* of each round and node */

static struct sample
sample(uint64_t i)
{
	struct sample p = rig_sample(1, i, T0 + (int64_t)(i * 2654435761u %
	    (30u * 3600)) * 1000000);

	p.latency_us = (int64_t)(i * i % 99991) - (i % 50 == 0 ? 99991 : 0);
	p.why = i % 11 == 0 ? WHY_NET_REFUSED : i % 13 == 0 ? WHY_SLOW :
	    i % 17 == 0 ? WHY_LOCAL_FDS : WHY_OK;
	return p;
}

static void
same(const struct rollup *a, const struct rollup *b)
{
	assert_int_equal(a->ok, b->ok);
	assert_int_equal(a->degraded, b->degraded);
	assert_int_equal(a->failed, b->failed);
	assert_int_equal(a->voided, b->voided);
	assert_int_equal(a->sum_us, b->sum_us);
	assert_int_equal(a->min_us, b->min_us);
	assert_int_equal(a->max_us, b->max_us);
	assert_int_equal(a->lat.n, b->lat.n);
	assert_int_equal(a->damaged, b->damaged);
	assert_memory_equal(a->lat.count, b->lat.count,
	    sizeof(a->lat.count));
}

static void
test_sum_and_form(void **state)
{
	static unsigned char bytes[ROLLUP_BYTES];
	struct rollup *r = xcalloc(4, sizeof(*r));
	uint64_t want[4] = {0};
	struct str s;

	(void)state;
	for (uint64_t i = 1; i <= 2000; i++) {
		struct sample p = sample(i);

		want[i % 11 == 0 ? 0 : i % 13 == 0 ? 1 : i % 17 == 0 ? 2 : 3]++;
		rollup_add(&r[0], &p);
		rollup_add(&r[1 + i % 2], &p);
	}
	assert_int_equal(r[0].failed, want[0]);
	assert_int_equal(r[0].degraded, want[1]);
	assert_int_equal(r[0].voided, want[2]);
	assert_int_equal(r[0].ok, want[3]);
	assert_true(r[0].lat.n < want[1] + want[3]);   /* -1 is no latency */
	rollup_merge(&r[3], &r[2]);
	rollup_merge(&r[3], &r[1]);
	same(&r[3], &r[0]);
	s = rollup_put(&r[0], bytes);
	assert_true(rollup_get(s, &r[3]));
	same(&r[3], &r[0]);
	for (size_t i = 0; i < s.n; i++) {   /* no bit goes unnoticed */
		bytes[i] ^= 0x10;
		assert_false(rollup_get(s, &r[3]));
		bytes[i] ^= 0x10;
		assert_false(rollup_get((struct str){s.p, i}, &r[3]));
	}
	rollup_clear(&r[3]);
	r[3].damaged = true;
	assert_true(rollup_get(rollup_put(&r[3], bytes), &r[2]));
	same(&r[2], &r[3]);
	assert_true(rollup_quantile(&r[0], 1) <= (double)r[0].max_us);
	assert_true(rollup_quantile(&r[0], 0) >= (double)r[0].min_us);
	xfree(r);
}

/* All rows of a level as one; how many rows. */
static unsigned
all(struct rig *r, enum rollup_level level, struct rollup *sum)
{
	struct rollup *one = xcalloc(1, sizeof(*one));
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	unsigned n = 0;

	rollup_clear(sum);
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT b, hour FROM rollup"
	    " WHERE monitor = 1 AND level = ?1", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int(st, 1, (int)level);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		int64_t hour = sqlite3_column_int64(st, 1);

		assert_int_equal(rollup_start(level, hour), hour);
		assert_true(rollup_get((struct str){sqlite3_column_blob(st,
		    0), (size_t)sqlite3_column_bytes(st, 0)}, one));
		rollup_merge(sum, one);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	xfree(one);
	return n;
}

static void
feed(struct rig *r, uint64_t round)
{
	for (uint64_t i = 1; i <= SAMPLES; i++) {
		struct result_unit *u = rig_result(1, i, T0);

		u->sample = sample(round * SAMPLES + i);
		rig_put(r, &u->unit);
		u = rig_result(1, i, T0);   /* another node's */
		u->sample = sample(round * SAMPLES + i);
		u->sample.node = 7;
		rig_put(r, &u->unit);
	}
	rig_flush(r);
}

static void
steps(struct rig *r, int n)
{
	r->s->tail_since_us = 0;
	for (int i = 0; i < n && compact_due(r->s); i++)
		compact_slice(r->s);
}

/* A cycle reads, moves and cuts, each at least one step. Ended after any of
 * them, and gone on with after a restart, each sample of each node is counted
 * once. */
static void
test_each_sample_once(void **state)
{
	struct rollup *want = xcalloc(2, sizeof(*want)), *have = want + 1;
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		feed(&r, round);
		rig_close(&r);
		for (int k = 0; k < 3; k++) {   /* dies three times */
			assert_int_equal(store_open(&r.conf, &r.s, NULL),
			    ERR_OK);
			steps(&r, k == 2 ? 100 : 1 + (int)(round + k) % 3);
			rig_close(&r);
		}
		rig_open(&r);
		for (uint64_t i = 1; i <= SAMPLES; i++) {
			struct sample p = sample(round * SAMPLES + i);

			rollup_add(want, &p);
			rollup_add(want, &p);
		}
		assert_int_equal(all(&r, ROLLUP_HOUR, have), 30);
		same(have, want);
		assert_int_equal(all(&r, ROLLUP_DAY, have), 2);
		same(have, want);
		assert_int_equal(rig_number(&r, "SELECT sum(n) FROM chunk"),
		    (int64_t)(2 * SAMPLES * (round + 1)));
	}
	rig_close(&r);
	rig_remove(&r);
	xfree(want);
}

static void
test_deleted_monitor(void **state)
{
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	assert_int_equal(rig_create(&r, RIG_WEB("B")), 2);
	feed(&r, 0);
	rig_put(&r, &rig_result(2, 1, T0)->unit);
	rig_flush(&r);
	rig_close(&r);
	assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
	steps(&r, 100);
	assert_int_equal(store_start(r.s, NULL), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"), 34);
	rig_change(&r, CONFIG_DELETE, 1, NULL, ERR_OK);
	rig_close(&r);
	assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
	steps(&r, 1000);
	assert_int_equal(store_start(r.s, NULL), ERR_OK);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"), 2);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"
	    " WHERE monitor = 2"), 2);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM doomed"), 0);
	rig_close(&r);
	rig_remove(&r);
}

/* A row that cannot be read does not stop the cycle, and is not forgotten. */
static void
test_damaged_row(void **state)
{
	struct rollup *have = xcalloc(1, sizeof(*have));
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	for (uint64_t round = 0; round < 2; round++) {
		feed(&r, round);
		rig_close(&r);
		assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
		steps(&r, 100);
		assert_int_equal(store_start(r.s, NULL), ERR_OK);
		if (round == 0)
			(void)rig_number(&r, "UPDATE rollup SET b = x'0102'"
			    " WHERE level = 1");
	}
	(void)all(&r, ROLLUP_DAY, have);
	assert_true(have->damaged);
	assert_int_equal(have->ok + have->degraded + have->failed +
	    have->voided, 2 * SAMPLES);
	(void)all(&r, ROLLUP_HOUR, have);
	assert_false(have->damaged);
	rig_close(&r);
	rig_remove(&r);
	xfree(have);
}

/* A burst's tail shortens the rests, but only while nothing waits. */
static void
test_pace(void **state)
{
	static const struct { uint64_t tail; int64_t rest_ms; } rows[] = {
		{0, 40}, {COMPACT_SAMPLES, 40}, {COMPACT_BEHIND, 40},
		{2 * COMPACT_BEHIND, 20}, {4 * COMPACT_BEHIND, 10},
		{8 * COMPACT_BEHIND, 5}, {100 * COMPACT_BEHIND, 5},
	};
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		r.s->tail_samples = rows[i].tail;
		chores_done(r.s, 0, 10000000);
		assert_int_equal(chores_at_ns(r.s), (10 + rows[i].rest_ms) *
		    1000000);
		assert_int_equal(r.s->slice_ns, 50 * 1000000);
	}
	r.s->tail_samples = 0;
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum_and_form),
		cmocka_unit_test(test_each_sample_once),
		cmocka_unit_test(test_deleted_monitor),
		cmocka_unit_test(test_damaged_row),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

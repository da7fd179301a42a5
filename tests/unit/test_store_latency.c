/* Latencies over time, against the samples themselves: whatever lies in the
 * tail, in chunks or in roll-ups, and while it is moved. */
#include "base/time.h"
#include "tests/unit/store_rig.h"

#include "store/compact.h"
#include "store/inside.h"
#include "store/latency.h"

#define S     INT64_C(1000000)
#define HOUR  (3600 * S)
#define T0    (497222 * HOUR + 17 * S)
#define COUNTED 3000
#define EVERY (97 * S)      /* between samples: 81 hours in all */

static uint32_t seed = 7;

static int64_t
pick(int64_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (int64_t)(seed >> 8) % n;
}

static struct sample
sample(uint64_t i)
{
	struct sample p = rig_sample(1, i, T0 + (int64_t)i * EVERY);

	p.latency_us = 500 + (int64_t)(i * i % 7919) * (i % 31 == 0 ? 50 : 1);
	p.why = i % 11 == 0 ? WHY_NET_REFUSED : i % 13 == 0 ? WHY_SLOW :
	    i % 17 == 0 ? WHY_LOCAL_FDS : WHY_OK;
	return p;
}

struct latency_job {
	struct rig_job j;
	struct latency_query q;
	struct latency l;
};

static void
run(struct rig_job *j, struct reader *r)
{
	struct latency_job *lj = CONTAINER(j, struct latency_job, j);

	j->w.e = query_latency(r, &lj->q, &lj->l, &j->ei);
}

static void
compare(const struct latency_point *p, uint64_t sent)
{
	struct rollup *want = xcalloc(1, sizeof(*want));

	for (uint64_t i = 1; i <= sent; i++) {
		struct sample s = sample(i);

		if (s.at_us >= p->from_us && s.at_us < p->to_us)
			rollup_add(want, &s);
	}
	if (want->ok != p->r.ok || want->failed != p->r.failed ||
	    want->degraded != p->r.degraded || want->voided != p->r.voided ||
	    want->sum_us != p->r.sum_us || want->min_us != p->r.min_us ||
	    want->max_us != p->r.max_us || p->r.damaged ||
	    memcmp(want->lat.count, p->r.lat.count,
	    sizeof(want->lat.count)) != 0)
		fail_msg("%lld … %lld: %d ok, not %d (seed %u)",
		    (long long)p->from_us, (long long)p->to_us,
		    (int)p->r.ok, (int)want->ok, seed);
	xfree(want);
}

/* Windows and steps of all kinds, from minutes to days. */
static void
questions(struct rig *r, uint64_t sent, int n)
{
	static const int64_t steps[] = {0, 7 * 60 * S, HOUR, 5 * HOUR,
	    24 * HOUR, 25 * HOUR};

	for (int i = 0; i < n; i++) {
		struct latency_job lj = {.q = {.monitor = 1}};
		struct latency_point all;

		lj.q.step_us = steps[pick(COUNT(steps))];
		lj.q.from_us = T0 - HOUR + pick(60) * HOUR + pick(2) *
		    pick(HOUR);
		lj.q.to_us = lj.q.from_us + S + pick(50 * HOUR);
		if (rig_ask(r, &lj.j, run) != ERR_OK)
			fail_msg("%s", lj.j.ei.text);
		assert_int_equal(lj.l.v[0].from_us, lj.q.from_us);
		assert_int_equal(lj.l.v[lj.l.n - 1].to_us, lj.q.to_us);
		for (size_t k = 0; k < lj.l.n; k++) {
			compare(&lj.l.v[k], sent);
			assert_true(k == 0 ||
			    lj.l.v[k].from_us == lj.l.v[k - 1].to_us);
		}
		all = (struct latency_point){.from_us = lj.q.from_us,
		    .to_us = lj.q.to_us, .r = *lj.l.all};
		compare(&all, sent);
		latency_free(&lj.l);
	}
}

static void
test_like_the_samples(void **state)
{
	struct rig r;
	uint64_t sent = 0;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	/* Nothing compacted; read; moved, not cut; cut; and so on. */
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < COUNTED / 6; i++) {
			struct result_unit *u = rig_result(1, ++sent, T0);

			u->sample = sample(sent);
			rig_put(&r, &u->unit);
		}
		rig_flush(&r);
		rig_close(&r);
		assert_int_equal(store_open(&r.conf, &r.s, NULL), ERR_OK);
		r.s->tail_since_us = 0;
		for (int i = 0; i < round && compact_due(r.s); i++)
			compact_slice(r.s);
		assert_int_equal(store_start(r.s, NULL), ERR_OK);
		questions(&r, sent, 30);
	}
	rig_close(&r);
	rig_remove(&r);
}

/* A store of one monitor with so many samples, open but not at work yet. */
static void
opened_with(struct rig *r, uint64_t n)
{
	rig_dir(r, "s.db");
	rig_open(r);
	assert_int_equal(rig_create(r, RIG_WEB("A")), 1);
	for (uint64_t i = 1; i <= n; i++) {
		struct result_unit *u = rig_result(1, i, T0);

		u->sample = sample(i);
		rig_put(r, &u->unit);
	}
	rig_flush(r);
	rig_close(r);
	assert_int_equal(store_open(&r->conf, &r->s, NULL), ERR_OK);
}

/* The same at work, with all of them moved out of the tail. */
static void
at_rest(struct rig *r, uint64_t n)
{
	opened_with(r, n);
	r->s->tail_since_us = 0;
	for (int i = 0; i < 9 && compact_due(r->s); i++)
		compact_slice(r->s);
	assert_int_equal(store_start(r->s, NULL), ERR_OK);
}

/* A reader looked where the samples lie, and then they were moved: the blocks
 * are there still, and so are chunks and roll-ups. */
static void
test_moved_meanwhile(void **state)
{
	struct rig r;
	struct entry *en;
	uint64_t *seen;
	uint32_t n;

	(void)state;
	opened_with(&r, COUNTED);
	en = view_entry(r.s->view, 1);
	n = en->ntail;
	seen = xcalloc(n, sizeof(*seen));
	memcpy(seen, en->tail, n * sizeof(*seen));
	r.s->tail_since_us = 0;
	while (r.s->moved_monitor == 0 && compact_due(r.s))
		compact_slice(r.s);
	assert_int_equal(en->ntail, 0);
	xfree(en->tail);
	en->tail = seen;
	en->ntail = en->tail_cap = n;
	r.s->slice_ns = INT64_MAX;   /* the blocks stay */
	assert_int_equal(store_start(r.s, NULL), ERR_OK);
	questions(&r, COUNTED, 30);
	rig_close(&r);
	rig_remove(&r);
}

/* A time before there were roll-ups is answered from its chunks. */
static void
test_before_rollups(void **state)
{
	struct rig r;
	char sql[128];

	(void)state;
	at_rest(&r, 2000);
	snprintf(sql, sizeof(sql), "UPDATE meta SET v = %lld WHERE"
	    " k = 'rolled_since'", (long long)(T0 + 1000 * EVERY));
	(void)rig_number(&r, sql);
	snprintf(sql, sizeof(sql), "DELETE FROM rollup WHERE hour <= %lld",
	    (long long)((T0 + 1000 * EVERY) / HOUR));
	(void)rig_number(&r, sql);
	questions(&r, 2000, 30);
	rig_close(&r);
	rig_remove(&r);
}

static enum err
samples_of(struct rig *r, int64_t from_us, int64_t to_us, char text[512])
{
	struct rig_job j = rig_question(1, 1000);
	enum err e;

	j.from_us = from_us;
	j.to_us = to_us;
	e = rig_ask(r, &j, rig_ask_samples);
	snprintf(text, 512, "%s", j.ei.text);
	if (e == ERR_OK)
		assert_true(j.n > 0);
	xfree(j.samples);
	return e;
}

/* The second chunk is damaged: the answer says when it was, and what lies
 * around it is found by the times that it says. */
static void
before_and_after(struct rig *r)
{
	int64_t from_us = rig_number(r, "SELECT from_us FROM chunk WHERE id ="
	    " 2"), to_us = rig_number(r, "SELECT to_us FROM chunk WHERE id = 2");
	char text[512], want[80], from[TIME_TEXT], to[TIME_TEXT];

	assert_int_equal(samples_of(r, from_us, to_us + 1, text), ERR_STORE);
	snprintf(want, sizeof(want), "monitor 1 from %s to %s",
	    time_format_utc(from_us, from), time_format_utc(to_us, to));
	if (strstr(text, want) == NULL)
		fail_msg("%s: not \"%s\"", text, want);
	assert_int_equal(samples_of(r, 0, from_us, text), ERR_OK);
	assert_int_equal(samples_of(r, to_us + 1, INT64_MAX, text), ERR_OK);
}

/* What cannot be read is said, with its time, and is not "nothing there". */
static void
test_damage_is_said(void **state)
{
	struct latency_job lj = {.q = {.monitor = 1, .from_us = T0,
	    .to_us = T0 + 80 * HOUR, .step_us = HOUR}};
	struct rig r;
	unsigned said = 0;

	(void)state;
	at_rest(&r, COUNTED);
	(void)rig_number(&r, "UPDATE rollup SET b = zeroblob(9) WHERE level ="
	    " 0 AND hour IN (497225, 497230)");
	if (rig_ask(&r, &lj.j, run) != ERR_OK)
		fail_msg("%s", lj.j.ei.text);
	for (size_t i = 0; i < lj.l.n; i++)
		said += lj.l.v[i].r.damaged;
	assert_int_equal(said, 2);
	assert_true(lj.l.all->damaged);
	latency_free(&lj.l);
	/* and a chunk, where the samples themselves are needed */
	(void)rig_number(&r, "UPDATE chunk SET b = zeroblob(length(b))"
	    " WHERE id = 2");
	lj.q.step_us = 60 * 10 * S;
	said = 0;
	if (rig_ask(&r, &lj.j, run) != ERR_OK)
		fail_msg("%s", lj.j.ei.text);
	for (size_t i = 0; i < lj.l.n; i++)
		said += lj.l.v[i].r.damaged;
	assert_true(said >= 40 && said <= 43);   /* 256 samples */
	latency_free(&lj.l);
	before_and_after(&r);
	rig_close(&r);
	rig_remove(&r);
}

static uint64_t
counted(const struct rollup *r)
{
	return r->ok + r->degraded + r->failed + r->voided;
}

static struct latency_job
asked(struct rig *r, int64_t from_us, int64_t to_us, int64_t step_us)
{
	struct latency_job lj = {.q = {.monitor = 1, .from_us = from_us,
	    .to_us = to_us, .step_us = step_us}};

	if (rig_ask(r, &lj.j, run) != ERR_OK)
		fail_msg("%s", lj.j.ei.text);
	return lj;
}

/* The samples of the first days are gone: hours answer, and where those are
 * gone, too, days. Nothing that was counted is missing. */
static void
test_gone_by_age(void **state)
{
	const int64_t from = T0 + 10 * HOUR + 20 * 60 * S;
	struct latency_job lj;
	struct rig r;

	(void)state;
	at_rest(&r, COUNTED);
	/* all of it is there: as fine as asked for */
	lj = asked(&r, from, from + HOUR, 300 * S);
	assert_int_equal(lj.l.grain, LATENCY_SAMPLES);
	assert_int_equal(lj.l.n, 13);
	latency_free(&lj.l);
	(void)rig_number(&r, "DELETE FROM chunk WHERE id < (SELECT max(id)"
	    " FROM chunk)");
	lj = asked(&r, from, from + HOUR, 300 * S);
	assert_int_equal(lj.l.grain, LATENCY_HOURS);
	assert_int_equal(lj.l.step_us, HOUR);
	assert_int_equal(lj.l.n, 2);
	assert_int_equal(lj.l.from_us % HOUR, 0);
	assert_true(lj.l.from_us <= from);
	assert_true(lj.l.to_us >= from + HOUR);
	for (size_t i = 0; i < lj.l.n; i++)
		compare(&lj.l.v[i], COUNTED);
	latency_free(&lj.l);
	/* what is still there is as fine as ever */
	lj = asked(&r, T0 + COUNTED * EVERY - HOUR, T0 + COUNTED * EVERY,
	    300 * S);
	assert_int_equal(lj.l.grain, LATENCY_SAMPLES);
	assert_true(counted(lj.l.all) >= 36);
	latency_free(&lj.l);
	/* the hours go */
	(void)rig_number(&r, "DELETE FROM rollup WHERE level = 0");
	r.s->conf.retention.hours_ns = INT64_C(1000000000);
	lj = asked(&r, from, from + HOUR, 300 * S);
	assert_int_equal(lj.l.grain, LATENCY_DAYS);
	assert_int_equal(lj.l.step_us, 24 * HOUR);
	for (size_t i = 0; i < lj.l.n; i++)
		compare(&lj.l.v[i], COUNTED);
	assert_true(counted(lj.l.all) > 300);
	latency_free(&lj.l);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_refused(void **state)
{
	struct latency_job lj = {.q = {.monitor = 1, .from_us = 5, .to_us = 5}};
	struct rig r;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_create(&r, RIG_WEB("A")), 1);
	assert_int_equal(rig_ask(&r, &lj.j, run), ERR_INVALID);
	lj.q.to_us = LATENCY_WIDE_US + 6;
	assert_int_equal(rig_ask(&r, &lj.j, run), ERR_INVALID);
	lj.q = (struct latency_query){1, 0, 1001 * S, S};
	assert_int_equal(rig_ask(&r, &lj.j, run), ERR_INVALID);
	lj.q = (struct latency_query){9, 0, 1000 * S, S};
	assert_int_equal(rig_ask(&r, &lj.j, run), ERR_NOT_FOUND);
	lj.q.monitor = 1;
	assert_int_equal(rig_ask(&r, &lj.j, run), ERR_OK);
	assert_int_equal(lj.l.n, 1000);
	assert_int_equal(lj.l.all->lat.n, 0);
	latency_free(&lj.l);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_the_samples),
		cmocka_unit_test(test_moved_meanwhile),
		cmocka_unit_test(test_before_rollups),
		cmocka_unit_test(test_damage_is_said),
		cmocka_unit_test(test_gone_by_age),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

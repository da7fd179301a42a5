/* The store on a real SQLite file: what is written is read back, twice is
 * once, a restart changes nothing. */
#include "tests/unit/store_rig.h"

#define T0 INT64_C(1790000000000000)   /* some moment of 2026 */

static void
test_write_and_read(void **state)
{
	struct rig r;
	struct rig_job j;
	struct sample want;
	uint32_t a, b;

	(void)state;
	rig_dir(&r, "odd ?#% name.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	b = rig_create(&r, RIG_WEB("B"));
	assert_int_equal(r.nsent, 2);
	assert_int_equal(r.sent[0]->kind, COMMAND_PUT);
	assert_int_equal(r.keys[1], b);
	for (uint64_t i = 1; i <= 500; i++) {
		rig_put(&r, &rig_result(a, i, T0 + (int64_t)i * 1000)->unit);
		rig_put(&r, &rig_result(b, i, T0 + (int64_t)i * 1000)->unit);
	}
	rig_flush(&r);
	j = rig_question(a, 60);
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
	assert_int_equal(j.n, 60);
	want = rig_sample(a, 500, T0 + 500000);
	assert_memory_equal(&j.samples[0], &want, sizeof(want));
	assert_int_equal(j.samples[59].seq, 441);
	xfree(j.samples);
	j = rig_question(a, 10);
	j.before = 11;
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
	assert_int_equal(j.n, 10);
	assert_int_equal(j.samples[9].seq, 1);
	xfree(j.samples);
	j = rig_question(b, 1000);
	j.from_us = T0 + 100000;
	j.to_us = T0 + 200000;
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_OK);
	assert_int_equal(j.n, 100);
	xfree(j.samples);
	j = rig_question(9999, 1);
	assert_int_equal(rig_ask(&r, &j, rig_ask_samples), ERR_NOT_FOUND);
	rig_close(&r);
	assert_int_equal(access(r.path, R_OK), 0);
	rig_remove(&r);
}

/* Every unit sent again changes nothing and is counted. */
static void
test_idempotent(void **state)
{
	struct rig r;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	for (int pass = 0; pass < 3; pass++) {
		for (uint64_t i = 1; i <= 100; i++)
			rig_put(&r, &rig_result(a, i, T0)->unit);
		rig_put(&r, &rig_turn(a, 101, T0 + 5, STATUS_PENDING,
		    STATUS_UP)->unit);
		rig_put(&r, &rig_turn(a, 0, T0 + 9, STATUS_UP,
		    STATUS_PAUSED)->unit);
		rig_put(&r, &rig_turn(a, 0, T0 + 10, STATUS_PAUSED,
		    STATUS_PENDING)->unit);
		rig_flush(&r);
	}
	assert_int_equal(rig_samples(&r, a, 1000), 101);
	assert_int_equal(rig_turns(&r, a), 3);
	assert_int_equal(atomic_load(&store_stats(r.s)->duplicates), 202);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"
	    " WHERE kind = 0"), 3);
	rig_close(&r);
	rig_open(&r);
	for (uint64_t i = 1; i <= 101; i++)
		rig_put(&r, &rig_result(a, i, T0)->unit);
	rig_flush(&r);
	assert_int_equal(rig_samples(&r, a, 1000), 101);
	assert_int_equal(atomic_load(&store_stats(r.s)->duplicates), 101);
	rig_close(&r);
	rig_remove(&r);
}

/* Down, streaks, sparkline, bars and numbers are after a restart what they
 * were before; only the gap is added. */
static void
test_restart(void **state)
{
	struct rig r;
	struct view_row before, after;
	struct day_time d1[VIEW_DAYS], d2[VIEW_DAYS];
	int64_t now = clock_wall_us();
	uint32_t a;
	const struct mon_state *st;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	rig_put(&r, &rig_turn(a, 1, now + 1000, STATUS_PENDING,
	    STATUS_UP)->unit);
	for (uint64_t i = 2; i <= 70; i++)
		rig_put(&r, &rig_result(a, i, now + 1000 + (int64_t)i)->unit);
	for (uint64_t i = 71; i <= 72; i++) {   /* two failures, still up */
		struct result_unit *u = rig_result(a, i,
		    now + 2000 + (int64_t)i);

		u->sample.why = WHY_NET_REFUSED;
		u->sample.latency_us = -1;
		u->evidence = xstrdup("{\"first\":1}");
		rig_put(&r, &u->unit);
	}
	rig_flush(&r);
	before = rig_row(&r, a);
	assert_int_equal(view_days(store_view(r.s), a, now + 60000000, d1),
	    ERR_OK);
	rig_close(&r);
	rig_open(&r);
	after = rig_row(&r, a);
	assert_int_equal(after.status, STATUS_UP);
	assert_int_equal(after.since_us, before.since_us);
	assert_int_equal(after.seq, 72);
	assert_int_equal(after.last_us, before.last_us);
	assert_int_equal(after.last_ok_us, before.last_ok_us);
	assert_int_equal(after.nspark, VIEW_SPARK);
	assert_memory_equal(after.spark_us, before.spark_us,
	    sizeof(after.spark_us));
	assert_int_equal(view_days(store_view(r.s), a, now + 60000000, d2),
	    ERR_OK);
	assert_int_equal(d1[VIEW_DAYS - 1].down_us,
	    d2[VIEW_DAYS - 1].down_us);
	assert_true(d1[VIEW_DAYS - 1].up_us - d2[VIEW_DAYS - 1].up_us <=
	    1000000);
	store_replay(r.s);
	assert_int_equal(r.nsent, 1);
	st = r.sent[0]->state;
	assert_non_null(st);
	assert_int_equal(st->seq, 72);
	assert_int_equal(st->fails, 2);
	assert_int_equal(st->status, STATUS_UP);
	/* the third one is the verdict, and finds the first one's evidence */
	rig_put(&r, &rig_turn(a, 73, now + 3000, STATUS_UP,
	    STATUS_DOWN)->unit);
	rig_flush(&r);
	{
		struct rig_job j = rig_question(a, 1);

		assert_int_equal(rig_ask(&r, &j, rig_ask_turns), ERR_OK);
		assert_int_equal(j.turns[0].t.to, STATUS_DOWN);
		assert_string_equal(j.turns[0].evidence, "{\"first\":1}");
		stored_transitions_free(j.turns, j.n);
	}
	view_row_release(&before);
	view_row_release(&after);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_deleted_leaves_no_row(void **state)
{
	struct rig r;
	struct result_unit *u;
	struct view_row row;
	uint32_t a, b;
	int64_t until;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	b = rig_create(&r, RIG_WEB("B"));
	rig_put(&r, &rig_turn(b, 1, T0, STATUS_PENDING, STATUS_UP)->unit);
	rig_flush(&r);
	rig_change(&r, CONFIG_DELETE, b, NULL, ERR_OK);
	u = rig_turn(b, 2, T0 + 1, STATUS_UP, STATUS_DOWN);
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_NOT_FOUND);
	assert_int_equal(view_get(store_view(r.s), b, &row), ERR_NOT_FOUND);
	assert_int_equal(rig_turns(&r, 0), 0);
	assert_int_equal(r.sent[r.nsent - 1]->kind, COMMAND_REMOVE);
	/* Its rows go in the writer's spare time. */
	until = clock_mono_ns() + RIG_WAIT_NS;
	while (rig_number(&r, "SELECT count(*) FROM state") > 0) {
		assert_true(clock_mono_ns() < until);
		rig_flush(&r);
	}
	rig_close(&r);
	/* its number is not given again, not even after a restart */
	rig_open(&r);
	rig_change(&r, CONFIG_DELETE, a, NULL, ERR_OK);
	a = rig_create(&r, RIG_WEB("C"));
	assert_true(a > b);
	rig_flush(&r);
	rig_close(&r);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM transition"), 0);
	rig_remove(&r);
}

static void
test_pause_is_kept(void **state)
{
	struct rig r;
	struct view_row row;
	struct result_unit *u;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	a = rig_create(&r, RIG_WEB("A"));
	u = rig_turn(a, 0, T0, STATUS_UP, STATUS_PAUSED);
	snprintf(u->actor, sizeof(u->actor), "token:x\x1b[2J");
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	row = rig_row(&r, a);
	assert_true(row.conf->paused);
	view_row_release(&row);
	rig_close(&r);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE"
	    " instr(actor, char(27)) > 0"), 0);
	rig_open(&r);
	row = rig_row(&r, a);
	assert_true(row.conf->paused);
	assert_int_equal(row.status, STATUS_PAUSED);
	view_row_release(&row);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_tokens(void **state)
{
	struct rig r;
	struct token_unit *u = token_unit_new(TOKEN_CREATE);
	char name[64];
	json_t *list;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	snprintf(u->name, sizeof(u->name), "ci");
	u->scope = SCOPE_WRITE;
	memset(u->hash, 7, sizeof(u->hash));
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_CONFLICT);
	assert_int_equal(view_scope(store_view(r.s), u->hash, 1, name),
	    SCOPE_WRITE);
	assert_string_equal(name, "ci");
	rig_close(&r);
	rig_open(&r);
	assert_int_equal(view_scope(store_view(r.s), u->hash, 1, name),
	    SCOPE_WRITE);
	u->op = TOKEN_REVOKE;
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	assert_int_equal(view_scope(store_view(r.s), u->hash, 1, name),
	    SCOPE_NONE);
	list = view_tokens(store_view(r.s));
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_NOT_FOUND);
	token_unit_free(u);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_idempotent),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_deleted_leaves_no_row),
		cmocka_unit_test(test_pause_is_kept),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

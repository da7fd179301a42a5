/* Units as bytes and back; the bytes of a segment; a journal in a directory:
 * what is torn is cut, what is damaged is told, another's is set aside. */
#include "tests/unit/store_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "model/alert_unit.h"
#include "store/journal.h"
#include "store/journal_seg.h"
#include "store/unit_code.h"

#define T0 INT64_C(1790000000000000)

/* -- units ------------------------------------------------------------- */
static void
put(const struct unit *u, struct buf *b)
{
	buf_init(b, UNIT_CODE_MAX);
	assert_true(unit_code_put(u, b));
}

/* There and back is the same bytes. The original is freed. */
static struct unit *
back(struct unit *u)
{
	struct unit *v = NULL;
	struct errinfo ei = {0};
	struct buf a, b;

	put(u, &a);
	if (unit_code_get(buf_str(&a), &v, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	put(v, &b);
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	/* any shorter is refused, and so is any longer */
	for (size_t n = 0; n < a.n; n++) {
		struct unit *w = NULL;
		char *p = xcalloc(n + 1, 1);

		memcpy(p, a.p, n);
		if (unit_code_get((struct str){p, n}, &w, &ei) == ERR_OK)
			unit_free(w);   /* cut between two parts */
		xfree(p);
	}
	buf_addc(&a, 1);
	assert_int_equal(unit_code_get(buf_str(&a), &(struct unit *){NULL},
	    &ei), ERR_PARSE);
	buf_free(&a);
	buf_free(&b);
	unit_free(u);
	return v;
}

static struct result_unit *
rich_result(void)
{
	struct result_unit *u = rig_turn(7, 9, T0, STATUS_UP, STATUS_DOWN);

	snprintf(u->sample.reason, sizeof(u->sample.reason), "refused");
	u->evidence = xstrdup("{\"dns\":[\"192.0.2.1\"]}");
	snprintf(u->actor, sizeof(u->actor), "token:x");
	u->group = xcalloc(1, sizeof(*u->group));
	u->group->has_transition = true;
	u->group->transition = (struct transition){.monitor = 3, .at_us = T0,
	    .from = STATUS_UP, .to = STATUS_DOWN, .why = WHY_NET_REFUSED,
	    .reason = "1 of 2", .explain = "{}"};
	u->rows = xcalloc(2, sizeof(*u->rows));
	u->nrows = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct outbox_row *r = &u->rows[i];

		r->event = (struct alert_event){.kind = ALERT_OPEN,
		    .severity = SEVERITY_CRITICAL, .from = STATUS_UP,
		    .to = STATUS_DOWN, .why = WHY_NET_REFUSED, .monitor = 7,
		    .incident_us = T0, .at_us = T0, .latency_us = -1,
		    .path = "G/API", .type = "web"};
		snprintf(r->channel, sizeof(r->channel), "ops%u", i);
		r->next_us = T0 + i;
		outbox_key(r);
	}
	u->unit.event_id[0] = 41;
	return u;
}

static void
test_result(void **state)
{
	struct unit *u = back(&rich_result()->unit);
	struct result_unit *r = CONTAINER(u, struct result_unit, unit);

	(void)state;
	assert_true(r->has_sample);
	assert_int_equal(r->sample.seq, 9);
	assert_string_equal(r->sample.reason, "refused");
	assert_int_equal(r->own->transition.to, STATUS_DOWN);
	assert_int_equal(r->own->state.since_us, T0);
	assert_false(r->group->has_state);
	assert_string_equal(r->group->transition.reason, "1 of 2");
	assert_string_equal(r->evidence, "{\"dns\":[\"192.0.2.1\"]}");
	assert_string_equal(r->actor, "token:x");
	assert_int_equal(r->nrows, 2);
	assert_string_equal(r->rows[1].channel, "ops1");
	assert_string_equal(r->rows[1].event.path, "G/API");
	assert_int_equal(u->event_id[0], 41);
	assert_int_equal(unit_code_monitor(u), 7);
	unit_free(u);
	u = back(&rig_result(3, 1, T0)->unit);
	assert_null(CONTAINER(u, struct result_unit, unit)->own);
	unit_free(u);
}

static void
test_event_and_alert(void **state)
{
	struct event_unit *e = event_unit_new();
	struct alert_unit *a = alert_unit_new();
	struct unit *u;

	(void)state;
	e->event = (struct event){.at_us = T0, .kind = EVENT_CLOCK,
	    .monitor = 5, .actor = "daemon", .text = "a step"};
	u = back(&e->unit);
	assert_string_equal(CONTAINER(u, struct event_unit, unit)->event.text,
	    "a step");
	assert_int_equal(unit_code_monitor(u), 5);
	unit_free(u);
	a->number = 12;
	*alert_unit_mark(a) = (struct outbox_mark){.key = "k",
	    .state = OUTBOX_SENT, .over = true, .maybe = true, .attempts = 2,
	    .note = "n"};
	*alert_unit_delivery(a) = (struct delivery){.key = "k",
	    .channel = "ops", .code = 503, .result = DELIVERY_AGAIN,
	    .at_us = T0, .took_us = 1};
	*alert_unit_health(a) = (struct channel_health){.channel = "ops",
	    .failures = 3, .told = true, .error = "no"};
	assert_true(unit_code_has(&a->unit));
	u = back(&a->unit);
	a = CONTAINER(u, struct alert_unit, unit);
	assert_int_equal(a->number, 12);
	assert_int_equal(a->deliveries[0].code, 503);
	assert_true(a->marks[0].over);
	assert_true(a->marks[0].maybe);
	assert_string_equal(a->healths[0].error, "no");
	a->has_hold = true;
	assert_false(unit_code_has(u));
	unit_free(u);
}

/* A unit of a later form is told from a damaged one. */
static void
test_undecodable(void **state)
{
	static const struct { const char *bytes; size_t n; const char *says; }
	v[] = {
		{"\x02\x00", 2, "later vedette"},
		{"\x01\x09", 2, "later vedette"},
		{"\x01\x02\x7f\x00", 4, "later vedette"},
		{"\x01\x00\x01\x05", 4, "within a part"},
		{"\x01\x00\x01\x01x", 5, "sample is damaged"},
		{"\x01\x00", 2, "says nothing"},
		{"\x01\x00\x06\x01" "a\x06\x01" "a", 8, "actor is damaged"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		struct unit *u = NULL;
		struct errinfo ei = {0};

		assert_int_equal(unit_code_get((struct str){v[i].bytes,
		    v[i].n}, &u, &ei), ERR_PARSE);
		if (strstr(ei.text, v[i].says) == NULL)
			fail_msg("%zu: %s", i, ei.text);
	}
}

/* -- the bytes of a segment -------------------------------------------- */
struct steps { unsigned records, gaps; uint64_t last; };

static struct steps
walk(const struct buf *b, uint64_t no)
{
	struct steps s = {0};
	struct journal_record r;
	uint32_t off = 0;
	bool first;
	enum seg_step step;

	while ((step = seg_next((const unsigned char *)b->p, (uint32_t)b->n,
	    no, &off, &r, &first)) != SEG_OVER) {
		s.gaps += step == SEG_GAP;
		s.records += step == SEG_RECORD;
		s.last = step == SEG_RECORD ? r.seq : s.last;
	}
	return s;
}

/* Four records in two batches: [1 2] [3 4]. */
static struct buf
four(void)
{
	struct buf b;

	buf_init(&b, 4096);
	for (uint64_t i = 1; i <= 4; i++)
		seg_record_put(&b, 5, &(struct journal_record){i,
		    STR("some bytes")}, i % 2 == 1);
	return b;
}

static void
test_segment(void **state)
{
	struct buf b = four();
	size_t one = b.n / 4;
	struct steps s = walk(&b, 5);

	(void)state;
	assert_int_equal(s.records, 4);
	assert_int_equal(s.gaps, 0);
	assert_int_equal(walk(&b, 6).records, 0);   /* of another life */
	b.p[one + 30] ^= 1;      /* 2: a later batch proves that it was there */
	s = walk(&b, 5);
	assert_int_equal(s.gaps, 1);
	assert_int_equal(s.records, 3);
	assert_int_equal(s.last, 4);
	b.p[one + 30] ^= 1;
	b.p[2 * one + 30] ^= 1;  /* 3: torn, and with it 4 of the same batch */
	s = walk(&b, 5);
	assert_int_equal(s.gaps, 0);
	assert_int_equal(s.last, 2);
	buf_free(&b);
}

/* -- a directory -------------------------------------------------------- */
struct place {
	struct rig r;
	struct journal_conf conf;
	struct journal *j;
	struct journal_found found;
	uint64_t seen[64];
	size_t nseen;
};

static void
open_it(struct place *p)
{
	struct errinfo ei = {0};

	if (journal_open(&p->conf, &p->j, &p->found, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
}

static void
begin(struct place *p)
{
	memset(p, 0, sizeof(*p));
	rig_dir(&p->r, "x");
	p->conf = (struct journal_conf){.id = 99, .size = 1u << 20,
	    .reserve = 16384, .segment = 8192};
	snprintf(p->conf.dir, sizeof(p->conf.dir), "%s/journal", p->r.dir);
	open_it(p);
}

static void
add(struct place *p, uint64_t seq)
{
	struct journal_record r = {seq, STR("0123456789")};
	struct journal_batch b = {.v = &r, .n = 1};

	assert_int_equal(journal_append(p->j, &b, NULL), ERR_OK);
}

static bool
see(void *arg, const struct journal_record *r)
{
	struct place *p = arg;

	p->seen[p->nseen++] = r->seq;
	return true;
}

static size_t
count(struct place *p, uint64_t after)
{
	p->nseen = 0;
	assert_int_equal(journal_read(p->j, after, see, p, NULL), ERR_OK);
	return p->nseen;
}

static void
again(struct place *p)
{
	journal_close(p->j);
	open_it(p);
}

/* The only segment, changed from outside. */
static void
poke(struct place *p, const char *shell)
{
	char cmd[900];

	snprintf(cmd, sizeof(cmd), "cd %s && f=$(ls *.seg) && %s",
	    p->conf.dir, shell);
	assert_int_equal(system(cmd), 0);
}

static void
test_torn(void **state)
{
	struct place p;

	(void)state;
	begin(&p);
	for (uint64_t i = 1; i <= 3; i++)
		add(&p, i);
	journal_close(p.j);
	/* head 32, records of 40: the third loses its end */
	poke(&p, "truncate -s 140 $f");
	open_it(&p);
	assert_int_equal(p.found.records, 2);
	assert_int_equal(p.found.last_seq, 2);
	assert_int_equal(p.found.cut_bytes, 28);
	assert_int_equal(p.found.damaged, 0);
	add(&p, 3);
	again(&p);
	assert_int_equal(p.found.cut_bytes, 0);   /* told once */
	assert_int_equal(count(&p, 0), 3);
	assert_int_equal(count(&p, 2), 1);
	journal_close(p.j);
	rig_remove(&p.r);
}

static void
test_damaged(void **state)
{
	struct place p;
	struct stat st;
	char path[700];

	(void)state;
	begin(&p);
	for (uint64_t i = 1; i <= 3; i++)
		add(&p, i);
	journal_close(p.j);
	poke(&p, "printf X | dd of=$f bs=1 seek=100 conv=notrunc status=none");
	open_it(&p);
	assert_int_equal(p.found.damaged, 1);
	assert_int_equal(p.found.cut_bytes, 0);
	assert_int_equal(count(&p, 0), 2);
	assert_int_equal(p.seen[1], 3);
	/* committed or not: a damaged file is not removed */
	journal_committed(p.j, 3);
	while (journal_trim(p.j, NULL) == ERR_AGAIN)
		;
	snprintf(path, sizeof(path), "%s/%016x.damaged", p.conf.dir, 1);
	assert_int_equal(stat(path, &st), 0);
	again(&p);
	assert_int_equal(p.found.records, 0);
	journal_close(p.j);
	rig_remove(&p.r);
}

static void
test_of_another_database(void **state)
{
	struct place p;
	struct stat st;
	char path[700];

	(void)state;
	begin(&p);
	add(&p, 1);
	p.conf.id = 100;
	again(&p);
	assert_int_equal(p.found.foreign, 1);
	assert_int_equal(p.found.records, 0);
	snprintf(path, sizeof(path), "%s/%016x.other", p.conf.dir, 1);
	assert_int_equal(stat(path, &st), 0);
	journal_close(p.j);
	rig_remove(&p.r);
}

/* What is committed makes room: the files are used again, and nothing of
 * their earlier life comes back. */
static void
test_used_again(void **state)
{
	struct place p;

	(void)state;
	begin(&p);
	for (uint64_t i = 1; i <= 2000; i++) {
		add(&p, i);
		if (i % 500 != 0)
			continue;
		journal_committed(p.j, i - 3);
		while (journal_trim(p.j, NULL) == ERR_AGAIN)
			;
	}
	assert_int_equal(journal_stats(p.j)->reserve, 16384);
	assert_true(journal_stats(p.j)->bytes <= 8192);
	again(&p);
	assert_int_equal(p.found.damaged, 0);
	assert_int_equal(p.found.cut_bytes, 0);
	assert_int_equal(count(&p, 1997), 3);
	journal_committed(p.j, 2000);
	while (journal_trim(p.j, NULL) == ERR_AGAIN)
		;
	assert_int_equal(journal_stats(p.j)->bytes, 0);
	journal_close(p.j);
	rig_remove(&p.r);
}

/* Whoever may not use the reserve is refused, and takes none of it. */
static void
test_reserve_is_not_wasted(void **state)
{
	struct place p;

	(void)state;
	memset(&p, 0, sizeof(p));
	rig_dir(&p.r, "x");
	p.conf = (struct journal_conf){.id = 99, .size = 0,
	    .reserve = 16384, .segment = 8192};
	snprintf(p.conf.dir, sizeof(p.conf.dir), "%s/journal", p.r.dir);
	open_it(&p);
	while (journal_trim(p.j, NULL) == ERR_AGAIN)
		;
	for (uint64_t i = 1; i <= 60; i += 2) {
		struct journal_record r = {i, STR("0123456789")};
		struct journal_batch may = {.v = &r, .n = 1,
		    .may_reserve = true}, not = {.v = &r, .n = 1};

		assert_int_equal(journal_append(p.j, &may, NULL), ERR_OK);
		r.seq++;
		assert_int_equal(journal_append(p.j, &not, NULL), ERR_LIMIT);
	}
	assert_int_equal(journal_stats(p.j)->reserve, 8192);
	assert_int_equal(count(&p, 0), 30);
	journal_close(p.j);
	rig_remove(&p.r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_event_and_alert),
		cmocka_unit_test(test_undecodable),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_of_another_database),
		cmocka_unit_test(test_used_again),
		cmocka_unit_test(test_reserve_is_not_wasted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "store/unit_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#include <cmocka.h>   /* last: it has a macro named fail */

/* Every field different from zero and from its neighbours. */
static struct sample
sample(void)
{
	struct sample s = {.monitor = 4000000000u, .node = 7,
	    .seq = UINT64_MAX - 3, .due_us = INT64_MIN, .at_us = INT64_MAX,
	    .latency_us = -1, .phase_us = {-1, 0, INT32_MAX, 4, INT32_MIN},
	    .lag_us = -17, .bytes = UINT32_MAX, .code = 65535,
	    .status = STATUS_DOWN, .why = WHY_TLS_EXPIRED, .recheck = true,
	    .peer = {.family = 6, .port = 443}, .cert_expiry_s = -5};

	memset(s.peer.ip, 0xfe, sizeof(s.peer.ip));
	memset(s.reason, 'r', sizeof(s.reason) - 1);
	return s;
}

static struct result_part *
part(uint32_t monitor)
{
	struct result_part *p = xcalloc(1, sizeof(*p));

	p->has_transition = p->has_state = true;
	p->transition = (struct transition){.monitor = monitor, .seq = 9,
	    .at_us = 1790000000000001, .from = STATUS_UP,
	    .to = STATUS_DOWN, .why = WHY_HTTP_STATUS};
	snprintf(p->transition.reason, REASON_MAX, "503 \xe2\x80\x93 no");
	memset(p->transition.explain, 'e', EXPLAIN_MAX - 1);
	p->state = (struct mon_state){.monitor = monitor, .seq = 10,
	    .status = STATUS_DOWN, .why = WHY_HTTP_STATUS,
	    .since_us = 1790000000000000, .fails = 3, .voids = 2,
	    .window = 5, .window_n = 3, .before_pause = 4, .last_us = 1,
	    .last_ok_us = -2, .cert_expiry_s = 11, .cert_warned_s = 12};
	snprintf(p->state.reason, REASON_MAX, "503");
	return p;
}

static struct unit *
again(const struct unit *u)
{
	BUF_AUTO(b, UNIT_WIRE_MAX);
	BUF_AUTO(c, UNIT_WIRE_MAX);
	struct errinfo ei = {0};
	struct unit *ret = NULL;

	if (unit_wire_put(u, &b, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	if (unit_wire_get(buf_str(&b), &ret, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	assert_int_equal(unit_wire_put(ret, &c, &ei), ERR_OK);
	assert_true(str_eq(buf_str(&b), buf_str(&c)));
	/* No prefix of it is a unit, nor with something behind it. */
	for (size_t n = 0; n < b.n; n += n < 200 ? 1 : 97) {
		struct unit *no = NULL;

		assert_int_equal(unit_wire_get((struct str){b.p, n}, &no,
		    &ei), ERR_PARSE);
		assert_null(no);
	}
	buf_addc(&b, 0);
	{
		struct unit *no = NULL;

		assert_int_equal(unit_wire_get(buf_str(&b), &no, &ei),
		    ERR_PARSE);
	}
	return ret;
}

static void
same_part(const struct result_part *a, const struct result_part *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_memory_equal(a, b, sizeof(*a));
}

static void
same_result(struct result_unit *a)
{
	struct result_unit *b = CONTAINER(again(&a->unit),
	    struct result_unit, unit);

	assert_int_equal(b->unit.kind, UNIT_RESULT);
	assert_int_equal(a->unit.urgent, b->unit.urgent);
	assert_null(b->unit.ack);
	assert_int_equal(a->has_sample, b->has_sample);
	assert_memory_equal(&a->sample, &b->sample, sizeof(a->sample));
	same_part(a->own, b->own);
	same_part(a->group, b->group);
	assert_string_equal(a->actor, b->actor);
	assert_int_equal(a->evidence == NULL, b->evidence == NULL);
	if (a->evidence != NULL)
		assert_string_equal(a->evidence, b->evidence);
	unit_free(&b->unit);
}

static void
test_result(void **state)
{
	struct result_unit *r = result_unit_new();

	(void)state;
	same_result(r);
	r->has_sample = true;
	r->sample = sample();
	same_result(r);
	assert_false(unit_wire_critical(&r->unit));
	r->own = part(1);
	r->unit.urgent = true;
	same_result(r);
	assert_true(unit_wire_critical(&r->unit));
	r->group = part(UINT32_MAX);
	r->own->has_state = false;
	memset(&r->own->state, 0, sizeof(r->own->state));
	snprintf(r->actor, sizeof(r->actor), "token:ci");
	r->evidence = xstrdup("");
	same_result(r);
	xfree(r->evidence);
	r->evidence = xstrdup("{\"body\":\"\xff\"}");
	r->has_sample = false;
	memset(&r->sample, 0, sizeof(r->sample));
	same_result(r);
	assert_true(unit_wire_critical(&r->unit));
	unit_free(&r->unit);
}

static void
test_event(void **state)
{
	struct event_unit *u = event_unit_new(), *v;

	(void)state;
	u->unit.urgent = true;
	u->event = (struct event){.id = 5, .at_us = 1790000000000001,
	    .kind = EVENT_CLOCK, .from = STATUS_UP, .to = STATUS_LATE,
	    .why = WHY_SLOW, .monitor = 8};
	memset(u->event.actor, 'a', sizeof(u->event.actor) - 1);
	memset(u->event.subject, 's', sizeof(u->event.subject) - 1);
	memset(u->event.text, 't', sizeof(u->event.text) - 1);
	v = CONTAINER(again(&u->unit), struct event_unit, unit);
	assert_int_equal(v->unit.kind, UNIT_EVENT);
	assert_true(v->unit.urgent);
	assert_memory_equal(&u->event, &v->event, sizeof(u->event));
	assert_true(unit_wire_critical(&u->unit));
	unit_free(&u->unit);
	unit_free(&v->unit);
}

static void
test_bounds(void **state)
{
	struct result_unit *r = result_unit_new();
	struct unit config = {.kind = UNIT_CONFIG};
	struct errinfo ei = {0};
	BUF_AUTO(b, UNIT_WIRE_MAX);
	BUF_AUTO(small, 10);

	(void)state;
	assert_false(unit_wire_has(&config));
	assert_int_equal(unit_wire_put(&config, &b, &ei), ERR_INVALID);
	r->own = part(1);
	assert_int_equal(unit_wire_put(&r->unit, &small, &ei), ERR_LIMIT);
	r->evidence = xcalloc(1, UNIT_WIRE_EVIDENCE + 2);
	memset(r->evidence, 'x', UNIT_WIRE_EVIDENCE);
	same_result(r);
	r->evidence[UNIT_WIRE_EVIDENCE] = 'x';
	buf_clear(&b);
	assert_int_equal(unit_wire_put(&r->unit, &b, &ei), ERR_LIMIT);
	assert_int_equal(b.n, 0);
	unit_free(&r->unit);
}

static enum err
get(struct str s, struct errinfo *ei)
{
	struct unit *u = NULL;
	enum err e = unit_wire_get(s, &u, ei);

	unit_free(u);
	return e;
}

static void
test_refused(void **state)
{
	struct result_unit *r = result_unit_new();
	struct errinfo ei = {0};
	BUF_AUTO(b, UNIT_WIRE_MAX);

	(void)state;
	r->has_sample = true;
	r->sample = sample();
	assert_int_equal(unit_wire_put(&r->unit, &b, &ei), ERR_OK);
	assert_int_equal(get(buf_str(&b), &ei), ERR_OK);
	b.p[0] = 2;
	assert_int_equal(get(buf_str(&b), &ei), ERR_PARSE);
	assert_non_null(strstr(ei.text, "form 2"));
	b.p[0] = 1;
	b.p[1] = 9;
	assert_int_equal(get(buf_str(&b), &ei), ERR_PARSE);
	b.p[1] = 1;
	b.p[2] |= 0x40;
	assert_int_equal(get(buf_str(&b), &ei), ERR_PARSE);
	b.p[2] ^= 0x40;
	/* A NUL in the middle of a text. */
	((char *)memchr(b.p, 'r', b.n))[20] = '\0';
	assert_int_equal(get(buf_str(&b), &ei), ERR_PARSE);
	unit_free(&r->unit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

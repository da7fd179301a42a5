/* Blocks and chunks: exact round trips, damage is found, sizes are small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"
#include "state/state.h"
#include "store/block.h"
#include "store/chunk.h"
#include "store/crc32c.h"
#include "store/rice.h"
#include "store/state_code.h"

#include <cmocka.h>

#define T0 INT64_C(1790000000000000)

static uint64_t rng = 88172645463325252u;

static uint64_t
rnd(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static int64_t
wild(void)
{
	switch (rnd(6)) {
	case 0: return INT64_MIN;
	case 1: return INT64_MAX;
	case 2: return (int64_t)rng;
	case 3: return 0;
	case 4: return -1;
	}
	return (int64_t)rnd(100000);
}

/* Anything that fits the struct, sensible or not. */
static struct sample
any_sample(uint32_t monitor)
{
	struct sample p;

	memset(&p, 0, sizeof(p));
	p.monitor = monitor;
	p.node = rnd(4) == 0 ? (uint32_t)rng : 0;
	p.seq = rnd(3) == 0 ? rng : rnd(1000);
	p.due_us = rnd(4) == 0 ? wild() / 4 : T0 + (int64_t)rnd(1u << 30);
	p.at_us = rnd(4) == 0 ? wild() / 4 : T0 + (int64_t)rnd(1u << 30);
	p.latency_us = rnd(3) == 0 ? -1 : (int64_t)(rng >> 1 >> rnd(62));
	for (unsigned i = 0; i < PHASE_NMAX; i++)
		p.phase_us[i] = rnd(3) == 0 ? -1 : (int32_t)rnd(INT32_MAX);
	p.lag_us = (int32_t)rng;
	p.bytes = (uint32_t)rng;
	p.code = (uint16_t)rng;
	p.status = (uint8_t)rnd(STATUS_NMAX);
	p.why = (uint8_t)rnd(WHY_NMAX);
	p.recheck = rnd(2) == 0;
	if (rnd(3) != 0) {
		p.peer.family = rnd(2) == 0 ? 4 : 6;
		p.peer.port = (uint16_t)rng;
		for (unsigned i = 0; i < (p.peer.family == 4 ? 4u : 16u); i++)
			p.peer.ip[i] = (uint8_t)rnd(256);
	}
	p.cert_expiry_s = rnd(2) == 0 ? 0 : wild();
	if (rnd(2) == 0)
		memset(p.reason, 'x', (size_t)rnd(REASON_MAX));
	return p;
}

static void
test_crc(void **state)
{
	(void)state;
	assert_int_equal(crc32c("123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c("", 0), 0);
}

static void
test_block_round_trip(void **state)
{
	struct sample in[BLOCK_SAMPLES], out;
	struct block b;
	struct block_reader r;
	struct str bytes;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		block_init(&b);
		for (size_t i = 0; i < BLOCK_SAMPLES; i++) {
			in[i] = any_sample((uint32_t)rng);
			if (!block_add(&b, &in[i]))
				break;
		}
		assert_true(b.n > 0);
		bytes = block_finish(&b);
		assert_true(block_open(&r, bytes));
		for (unsigned i = 0; i < b.n; i++) {
			assert_true(block_next(&r, &out));
			assert_memory_equal(&out, &in[i], sizeof(out));
			assert_true(block_get(bytes, i, &out));
			assert_memory_equal(&out, &in[i], sizeof(out));
		}
		assert_false(block_next(&r, &out));
		assert_false(r.bad);
		assert_false(block_get(bytes, b.n, &out));
	}
}

static void
test_block_damage(void **state)
{
	struct block b;
	struct block_reader r;
	struct str bytes;
	struct sample p = any_sample(1);

	(void)state;
	block_init(&b);
	assert_true(block_add(&b, &p));
	bytes = block_finish(&b);
	for (size_t i = 0; i < bytes.n; i++) {
		b.p[i] ^= 1;
		assert_false(block_open(&r, bytes));
		b.p[i] ^= 1;
		assert_false(block_open(&r, (struct str){bytes.p, i}));
	}
	assert_true(block_open(&r, bytes));
}

static void
test_rice(void **state)
{
	int64_t in[RICE_MAX], out[RICE_MAX];

	(void)state;
	for (int round = 0; round < 500; round++) {
		size_t n = 1 + (size_t)rnd(RICE_MAX);
		uint64_t kind = rnd(4);
		struct wire_in w;
		BUF_AUTO(b, 1 << 16);

		for (size_t i = 0; i < n; i++)
			in[i] = kind == 0 ? wild() : kind == 1 ? 7 :
			    kind == 2 ? T0 + (int64_t)i * 10000000 :
			    (int64_t)rnd(300);
		rice_put(&b, in, n);
		w = (struct wire_in){.p = (unsigned char *)b.p, .n = b.n};
		assert_true(rice_get(&w, out, n));
		assert_int_equal(w.n, 0);
		assert_memory_equal(in, out, n * sizeof(*in));
		if (kind == 1)
			assert_true(b.n <= 3);
		if (kind == 2)
			assert_true(b.n <= 1 + 10 + 5);
		if (kind == 3)   /* nine bits hold 300; no sign is paid for */
			assert_true(b.n <= 16 + n * 10 / 8);
		w = (struct wire_in){.p = (unsigned char *)b.p, .n = b.n - 1};
		assert_false(rice_get(&w, out, n));
	}
}

static void
test_chunk_round_trip(void **state)
{
	struct sample *in = xcalloc(CHUNK_SAMPLES_MAX, sizeof(*in));

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t n = 1 + (size_t)rnd(round < 190 ? 60 :
		    CHUNK_SAMPLES_MAX), nout = 0;
		struct sample *out = NULL;
		BUF_AUTO(b, CHUNK_BYTES_MAX);

		for (size_t i = 0; i < n; i++)
			in[i] = any_sample(77);
		assert_int_equal(chunk_encode(in, n, &b), ERR_OK);
		assert_int_equal(chunk_decode(buf_str(&b), &out, &nout, NULL),
		    ERR_OK);
		assert_int_equal(nout, n);
		assert_memory_equal(in, out, n * sizeof(*in));
		xfree(out);
	}
	xfree(in);
}

/* The checksum keeps damage out; a decoder that is handed damage with a right
 * checksum still stays within bounds (ASan looks on). */
static void
test_chunk_damage(void **state)
{
	struct sample in[40], *out = NULL;
	size_t n = 0;
	BUF_AUTO(b, CHUNK_BYTES_MAX);

	(void)state;
	for (size_t i = 0; i < COUNT(in); i++)
		in[i] = any_sample(5);
	assert_int_equal(chunk_encode(in, COUNT(in), &b), ERR_OK);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x10;
		assert_int_equal(chunk_decode(buf_str(&b), &out, &n, NULL),
		    ERR_PARSE);
		b.p[i] ^= 0x10;
		assert_int_equal(chunk_decode((struct str){b.p, i}, &out, &n,
		    NULL), ERR_PARSE);
	}
	for (int round = 0; round < 3000; round++) {
		size_t at = (size_t)rnd(b.n - 4);
		char was = b.p[at];
		uint32_t crc;

		b.p[at] = (char)rng;
		crc = crc32c(b.p, b.n - 4);
		memcpy(b.p + b.n - 4, &crc, 4);
		if (chunk_decode(buf_str(&b), &out, &n, NULL) == ERR_OK)
			xfree(out);
		b.p[at] = was;
	}
}

static void
test_chunk_is_small(void **state)
{
	struct sample in[CHUNK_SAMPLES];
	BUF_AUTO(b, CHUNK_BYTES_MAX);

	(void)state;
	memset(in, 0, sizeof(in));
	for (size_t i = 0; i < COUNT(in); i++) {
		struct sample *p = &in[i];

		p->monitor = 9;
		p->seq = 1000 + i;
		p->due_us = T0 + (int64_t)i * 30000000;
		p->at_us = p->due_us + (int64_t)rnd(4000);
		p->lag_us = (int32_t)(p->at_us - p->due_us);
		p->phase_us[0] = p->phase_us[2] = -1;
		p->phase_us[1] = 90 + (int32_t)rnd(20);
		p->phase_us[3] = 400 + (int32_t)rnd(60);
		p->phase_us[4] = 40 + (int32_t)rnd(10);
		p->latency_us = p->phase_us[1] + p->phase_us[3] +
		    p->phase_us[4];
		p->status = STATUS_UP;
		p->code = 200;
		p->bytes = 4711;
		p->peer.family = 4;
	}
	assert_int_equal(chunk_encode(in, COUNT(in), &b), ERR_OK);
	assert_true(b.n <= 4 * COUNT(in));
}

static void
test_state_round_trip(void **state)
{
	unsigned char bytes[STATE_CODE_MAX];
	struct mon_state in = {.monitor = 3, .seq = UINT64_MAX,
	    .status = STATUS_LATE, .why = WHY_PUSH_LATE, .since_us = T0,
	    .fails = 65535, .voids = 1, .window = 5, .window_n = 3,
	    .last_us = T0, .last_ok_us = -1, .beat_us = T0 - 1,
	    .deadline_us = T0 + 1, .cert_expiry_s = INT64_MAX,
	    .cert_warned_s = INT64_MIN, .reason = "a word",
	    .alerting = {.incident_us = T0 - 5, .recover_us = T0 + 5,
	    .told = {1, UINT32_MAX, 7}, .ntold = 3,
	    .severity = SEVERITY_CRITICAL, .status = STATUS_LATE,
	    .flapping = true, .flap = 0xfffff}}, out;
	struct str s = state_code_put(&in, bytes);

	(void)state;
	memset(&out, 1, sizeof(out));
	assert_true(state_code_get(s, 3, &out));
	assert_int_equal(out.seq, in.seq);
	assert_int_equal(out.status, in.status);
	assert_int_equal(out.fails, in.fails);
	assert_int_equal(out.window, in.window);
	assert_int_equal(out.deadline_us, in.deadline_us);
	assert_int_equal(out.cert_warned_s, in.cert_warned_s);
	assert_string_equal(out.reason, in.reason);
	assert_memory_equal(&out.alerting, &in.alerting, sizeof(in.alerting));
	for (size_t i = 0; i < s.n; i++)
		assert_false(state_code_get((struct str){s.p, i}, 3, &out));
	bytes[0] = 3;
	assert_false(state_code_get(s, 3, &out));
}

/* What was stored before people were told anything is still read. */
static void
test_state_of_before(void **state)
{
	unsigned char bytes[STATE_CODE_MAX];
	struct mon_state in = {.monitor = 3, .seq = 9, .status = STATUS_DOWN,
	    .why = WHY_TIMEOUT, .since_us = T0, .reason = "late"}, out;
	struct str s = state_code_put(&in, bytes);

	(void)state;
	bytes[0] = 1;
	memset(&out, 1, sizeof(out));
	assert_false(state_code_get(s, 3, &out));
	/* incident, recovery, told, severity, status, flapping, window */
	s.n -= 7;
	assert_true(state_code_get(s, 3, &out));
	assert_string_equal(out.reason, "late");
	assert_int_equal(out.alerting.incident_us, 0);
	assert_int_equal(out.alerting.ntold, 0);
}

/* A row that contradicts itself is damage, not a state. */
static void
test_state_told_in_vain(void **state)
{
	unsigned char bytes[STATE_CODE_MAX];
	struct mon_state in = {.monitor = 3, .status = STATUS_UP,
	    .since_us = T0}, out, bad;

	(void)state;
	assert_true(state_code_get(state_code_put(&in, bytes), 3, &out));
	bad = in;
	bad.alerting.ntold = 1;
	assert_false(state_code_get(state_code_put(&bad, bytes), 3, &out));
	bad = in;
	bad.alerting.flapping = true;
	assert_false(state_code_get(state_code_put(&bad, bytes), 3, &out));
	bad = in;
	bad.alerting.severity = SEVERITY_NMAX;
	assert_false(state_code_get(state_code_put(&bad, bytes), 3, &out));
	bad = in;
	bad.alerting.flap = UINT32_C(1) << FLAP_STATES;
	assert_false(state_code_get(state_code_put(&bad, bytes), 3, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_block_round_trip),
		cmocka_unit_test(test_block_damage),
		cmocka_unit_test(test_rice),
		cmocka_unit_test(test_chunk_round_trip),
		cmocka_unit_test(test_chunk_damage),
		cmocka_unit_test(test_chunk_is_small),
		cmocka_unit_test(test_state_round_trip),
		cmocka_unit_test(test_state_of_before),
		cmocka_unit_test(test_state_told_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

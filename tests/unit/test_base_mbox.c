#include "base/mbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"

struct letter {
	struct msg msg;
	unsigned from, no;
};

static bool
ready(const struct mbox *q)
{
	struct pollfd p = {.fd = q->wake, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
keeps_order_and_bounds(void **state)
{
	struct letter v[5] = {0};
	struct mbox q;
	struct msg *m;
	size_t n, bytes;

	(void)state;
	mbox_init(&q, 3, 100);
	assert_null(mbox_take(&q));
	assert_false(ready(&q));
	assert_true(mbox_put(&q, &v[0].msg, 40));
	assert_true(ready(&q));
	assert_true(mbox_put(&q, &v[1].msg, 40));
	assert_false(mbox_put(&q, &v[2].msg, 21));   /* 101 bytes */
	assert_true(mbox_put(&q, &v[2].msg, 20));
	assert_false(mbox_put(&q, &v[3].msg, 0));    /* a fourth */
	assert_true(mbox_load(&q) >= 1.0);
	assert_true(mbox_put_urgent(&q, &v[3].msg, 1000));
	assert_true(mbox_load(&q) >= 1.0);

	m = mbox_take(&q);
	for (int i = 0; i < 4; i++) {
		assert_ptr_equal(m, &v[i].msg);
		m = m->next;
	}
	assert_null(m);
	assert_false(ready(&q));
	assert_null(mbox_take(&q));
	/* Taken is not done: there is no room yet. */
	assert_false(mbox_put(&q, &v[4].msg, 0));
	mbox_done(&q, 3, 1060);
	mbox_depth(&q, &n, &bytes);
	assert_int_equal(n, 1);
	assert_int_equal(bytes, 40);
	assert_true(mbox_put(&q, &v[4].msg, 0));
	assert_true(ready(&q));
	assert_ptr_equal(mbox_take(&q), &v[4].msg);
	assert_null(v[4].msg.next);
	mbox_done(&q, 2, 40);
	assert_true(mbox_load(&q) <= 0.0);
	mbox_free(&q);
}

static void
closes_and_pokes(void **state)
{
	struct letter v[2] = {0};
	struct mbox q;

	(void)state;
	mbox_init(&q, 10, 100);
	mbox_poke(&q);
	mbox_wait(&q, -1);
	assert_null(mbox_take(&q));
	assert_false(ready(&q));
	mbox_wait(&q, 1);
	assert_true(mbox_put(&q, &v[0].msg, 10));
	mbox_close(&q);
	assert_false(mbox_put(&q, &v[1].msg, 10));
	assert_false(mbox_put_urgent(&q, &v[1].msg, 10));
	assert_ptr_equal(mbox_take(&q), &v[0].msg);   /* what was there stays */
	mbox_done(&q, 1, 10);
	mbox_free(&q);
}

static void
load_is_the_fuller_of_both(void **state)
{
	struct letter v[2] = {0};
	struct mbox q;

	(void)state;
	mbox_init(&q, 4, 1000);
	assert_true(mbox_put(&q, &v[0].msg, 100));
	assert_true(mbox_load(&q) > 0.24 && mbox_load(&q) < 0.26);
	assert_true(mbox_put(&q, &v[1].msg, 650));
	assert_true(mbox_load(&q) > 0.74 && mbox_load(&q) < 0.76);
	assert_non_null(mbox_take(&q));
	mbox_done(&q, 2, 750);
	mbox_free(&q);
}

/* Who holds something looks again by itself; who holds nothing is woken. */
static void
quiet_wakes_when_it_must(void **state)
{
	struct letter *v = xcalloc(MBOX_QUIET + 3, sizeof(*v));
	struct mbox q;

	(void)state;
	mbox_init(&q, 4, 1000);
	assert_true(mbox_put_quiet(&q, &v[0].msg, 1));
	assert_true(ready(&q));
	assert_non_null(mbox_take(&q));
	for (unsigned i = 1; i < MBOX_QUIET; i++) {
		assert_true(mbox_put_quiet(&q, &v[i].msg, 1));
		assert_false(ready(&q));
	}
	assert_true(mbox_put_quiet(&q, &v[MBOX_QUIET].msg, 1));
	assert_true(ready(&q));
	assert_non_null(mbox_take(&q));
	assert_true(mbox_put_quiet(&q, &v[MBOX_QUIET + 1].msg, 1));
	assert_false(ready(&q));
	assert_true(mbox_put_urgent(&q, &v[MBOX_QUIET + 2].msg, 1));
	assert_true(ready(&q));
	assert_ptr_equal(mbox_take(&q), &v[MBOX_QUIET + 1].msg);
	mbox_done(&q, MBOX_QUIET + 3, MBOX_QUIET + 3);
	mbox_free(&q);
	xfree(v);
}

#define SENDERS 3
#define EACH    20000

struct sender {
	struct mbox *q;
	unsigned no;
};

static void *
send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < EACH; i++) {
		struct letter *l = xcalloc(1, sizeof(*l));

		l->from = s->no;
		l->no = i;
		while (!mbox_put(s->q, &l->msg, 1))
			(void)poll(NULL, 0, 1);
	}
	return NULL;
}

/* A small box, so that senders meet "full" all the time; nothing is lost,
 * nothing is doubled, each sender's order is kept, no wake-up is missed. */
static void
many_senders(void **state)
{
	pthread_t t[SENDERS];
	struct sender s[SENDERS];
	unsigned next[SENDERS] = {0}, got = 0;
	struct mbox q;

	(void)state;
	mbox_init(&q, 256, 1000);
	for (unsigned i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){&q, i};
		assert_int_equal(pthread_create(&t[i], NULL, send_all, &s[i]),
		    0);
	}
	while (got < SENDERS * EACH) {
		struct msg *m;
		size_t n = 0;

		mbox_wait(&q, -1);
		for (m = mbox_take(&q); m != NULL; n++) {
			struct letter *l = CONTAINER(m, struct letter, msg);

			assert_int_equal(l->no, next[l->from]);
			next[l->from]++;
			m = m->next;
			xfree(l);
		}
		assert_true(n <= 256);
		mbox_done(&q, n, n);
		got += (unsigned)n;
	}
	for (unsigned i = 0; i < SENDERS; i++)
		(void)pthread_join(t[i], NULL);
	assert_null(mbox_take(&q));
	mbox_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order_and_bounds),
		cmocka_unit_test(closes_and_pokes),
		cmocka_unit_test(load_is_the_fuller_of_both),
		cmocka_unit_test(quiet_wakes_when_it_must),
		cmocka_unit_test(many_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

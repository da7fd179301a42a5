/* The heap against a plain array that is searched for its least element. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/list.h"

#define N 300

static uint64_t random_state = 42;

static uint64_t
next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
heap_check(const struct heap *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct heap_slot *p = &h->v[i == 0 ? 0 : (i - 1) / 4];
		const struct heap_slot *e = &h->v[i];

		assert_int_equal(e->node->at, i + 1);
		assert_int_equal(e->node->key, e->key);
		assert_true(p->key < e->key ||
		    (p->key == e->key && p->seq <= e->seq));
	}
}

static struct heap_node *
least(struct heap_node *v)
{
	struct heap_node *m = NULL;

	for (size_t i = 0; i < N; i++) {
		if (!heap_queued(&v[i]))
			continue;
		if (m == NULL || v[i].key < m->key ||
		    (v[i].key == m->key && v[i].seq < m->seq))
			m = &v[i];
	}
	return m;
}

static void
agrees_with_a_search(void **state)
{
	static struct heap_node v[N];
	struct heap h = {0};
	size_t queued = 0;

	(void)state;
	assert_null(heap_min(&h));
	for (int round = 0; round < 20000; round++) {
		struct heap_node *e = &v[next() % N];

		if (heap_queued(e)) {
			heap_del(&h, e);
			assert_false(heap_queued(e));
			queued--;
		} else {
			/* Few keys, so that ties are common. */
			heap_put(&h, e, (int64_t)(next() % 50) - 25);
			queued++;
		}
		assert_int_equal(h.n, queued);
		assert_ptr_equal(heap_min(&h), least(v));
		if (round % 97 == 0)
			heap_check(&h);
	}
	while (heap_min(&h) != NULL) {
		assert_ptr_equal(heap_min(&h), least(v));
		heap_del(&h, heap_min(&h));
	}
	heap_del(&h, &v[0]);   /* not queued: nothing happens */
	heap_free(&h);
	assert_null(h.v);
}

static void
ties_come_in_order(void **state)
{
	struct heap_node v[100] = {0};
	struct heap h = {0};

	(void)state;
	for (size_t i = 0; i < 100; i++)
		heap_put(&h, &v[i], INT64_MIN);
	for (size_t i = 0; i < 100; i++) {
		assert_ptr_equal(heap_min(&h), &v[i]);
		heap_del(&h, &v[i]);
	}
	heap_free(&h);
}

struct item {
	struct list link;
	int n;
};

static void
lists(void **state)
{
	struct list head;
	struct item v[5] = {0};
	int sum = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_pop(&head));
	for (int i = 0; i < 5; i++) {
		v[i].n = i;
		assert_false(list_linked(&v[i].link));
		list_push(&head, &v[i].link);
		assert_true(list_linked(&v[i].link));
	}
	LIST_EACH (l, &head) {
		struct item *it = CONTAINER(l, struct item, link);

		sum = sum * 10 + it->n;
		if (it->n % 2 == 1)
			list_del(l);
	}
	assert_int_equal(sum, 1234);
	list_del(&v[1].link);   /* in no list: nothing happens */
	assert_ptr_equal(list_pop(&head), &v[0].link);
	assert_ptr_equal(list_pop(&head), &v[2].link);
	assert_ptr_equal(list_pop(&head), &v[4].link);
	assert_true(list_empty(&head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_search),
		cmocka_unit_test(ties_come_in_order),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* pages.c: see pages.h. */
#include "http/pages.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "http/server.h"
#include "world/world.h"

struct kept {
	uint64_t key;
	int64_t until_ns;     /* 0: free */
	const char *type;
	char *body;           /* owned */
	size_t n;
	int64_t stamp;
};

struct pages {
	pthread_mutex_t mu;   /* also held while rendering */
	struct kept v[PAGES_KEPT];
};

struct pages *
pages_new(void)
{
	struct pages *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->mu, NULL);
	return p;
}

void
pages_free(struct pages *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < PAGES_KEPT; i++)
		xfree(p->v[i].body);
	pthread_mutex_destroy(&p->mu);
	xfree(p);
}

/* The rendering with this key, or the place for it: the oldest. */
static struct kept *
pages_find(struct pages *p, uint64_t key)
{
	struct kept *oldest = &p->v[0];

	for (int i = 0; i < PAGES_KEPT; i++) {
		if (p->v[i].until_ns != 0 && p->v[i].key == key)
			return &p->v[i];
		if (p->v[i].until_ns < oldest->until_ns)
			oldest = &p->v[i];
	}
	return oldest;
}

static char *
pages_copy(const char *body, size_t n)
{
	char *to = xcalloc(1, n + 1);   /* n is bounded by a buffer's max */

	memcpy(to, body, n);
	return to;
}

static bool
pages_copy_out(struct pages *p, uint64_t key, struct answer *out,
    int64_t *ret_stamp)
{
	const struct kept *k = pages_find(p, key);

	if (k->key != key || k->until_ns <= clock_mono_ns())
		return false;
	out->status = 200;
	out->type = k->type;
	out->body = pages_copy(k->body, k->n);
	out->body_n = k->n;
	*ret_stamp = k->stamp;
	return true;
}

static void
pages_keep(struct pages *p, uint64_t key, const struct answer *out,
    int64_t stamp)
{
	struct kept *k = pages_find(p, key);

	if (out->status != 200)
		return;
	xfree(k->body);
	*k = (struct kept){key, clock_mono_ns() + PAGES_KEEP_NS, out->type,
	    pages_copy(out->body, out->body_n), out->body_n, stamp};
}

bool
pages_take(struct pages *p, uint64_t key, struct answer *out,
    int64_t *ret_stamp)
{
	bool have;

	pthread_mutex_lock(&p->mu);
	have = pages_copy_out(p, key, out, ret_stamp);
	pthread_mutex_unlock(&p->mu);
	return have;
}

void
pages_give(struct pages *p, uint64_t key, const struct answer *out,
    int64_t stamp)
{
	pthread_mutex_lock(&p->mu);
	pages_keep(p, key, out, stamp);
	pthread_mutex_unlock(&p->mu);
}

enum flow
pages_answer(struct req *q, uint64_t key, req_fn *render)
{
	struct pages *p = q->h->pages;
	int64_t stamp;

	pthread_mutex_lock(&p->mu);
	if (!pages_copy_out(p, key, &q->out, &stamp)) {
		(void)render(q);
		pages_keep(p, key, &q->out, 0);
	}
	pthread_mutex_unlock(&p->mu);
	return ANSWERED;
}

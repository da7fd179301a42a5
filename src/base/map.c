#include "base/map.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define SLOTS_FIRST 16

/* Written once, before any thread starts. The defaults serve tests. */
static uint64_t seed_a = UINT64_C(0x736f6d6570736575);
static uint64_t seed_b = UINT64_C(0x646f72616e646f6d);

void
map_seed(uint64_t a, uint64_t b)
{
	seed_a = a;
	seed_b = b;
}

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return (x << n) | (x >> (64 - n));
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
}

uint64_t
map_hash_str(struct str key)
{
	uint64_t v[4] = {
	    seed_a ^ UINT64_C(0x736f6d6570736575),
	    seed_b ^ UINT64_C(0x646f72616e646f6d),
	    seed_a ^ UINT64_C(0x6c7967656e657261),
	    seed_b ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)key.n << 56, m;
	size_t i = 0;

	for (; key.n - i >= 8; i += 8) {
		memcpy(&m, key.p + i, 8);
		sip_word(v, m);
	}
	for (unsigned shift = 0; i < key.n; i++, shift += 8)
		last |= (uint64_t)(unsigned char)key.p[i] << shift;
	sip_word(v, last);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
map_hash_u64(uint64_t key)
{
	key ^= key >> 30;
	key *= UINT64_C(0xbf58476d1ce4e5b9);
	key ^= key >> 27;
	key *= UINT64_C(0x94d049bb133111eb);
	key ^= key >> 31;
	return key;
}

void
map_free(struct map *m)
{
	xfree(m->slots);
	*m = (struct map){0};
}

static struct map_node **
slot(const struct map *m, uint64_t hash)
{
	return &m->slots[hash & (m->cap - 1)];
}

static void
grow(struct map *m)
{
	struct map bigger = {.n = m->n};

	bigger.cap = m->cap == 0 ? SLOTS_FIRST : m->cap * 2;
	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	MAP_EACH (n, m) {
		struct map_node **to = slot(&bigger, n->hash);

		n->next = *to;
		*to = n;
	}
	xfree(m->slots);
	*m = bigger;
}

void
map_put(struct map *m, struct map_node *n, uint64_t hash)
{
	struct map_node **to;

	if (m->n >= m->cap)
		grow(m);
	n->hash = hash;
	to = slot(m, hash);
	n->next = *to;
	*to = n;
	m->n++;
}

void
map_del(struct map *m, struct map_node *n)
{
	struct map_node **p;

	assert(m->cap > 0);
	p = slot(m, n->hash);
	while (*p != n) {
		assert(*p != NULL);
		p = &(*p)->next;
	}
	*p = n->next;
	n->next = NULL;
	m->n--;
}

static struct map_node *
same(struct map_node *n, uint64_t hash)
{
	while (n != NULL && n->hash != hash)
		n = n->next;
	return n;
}

struct map_node *
map_first(const struct map *m, uint64_t hash)
{
	return m->n == 0 ? NULL : same(*slot(m, hash), hash);
}

struct map_node *
map_next(const struct map_node *n)
{
	return same(n->next, n->hash);
}

/* map.h: intrusive hash map, chained, grows by doubling, seeded so that
 * foreign keys cannot be chosen to collide (SipHash-1-3 for bytes).
 * One thread at a time. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

struct map {
	struct map_node **slots;
	size_t n, cap;   /* entries; slots, a power of two */
};

/* Both seeds are the process's own; set once at start with map_seed. */
void map_seed(uint64_t a, uint64_t b);
uint64_t map_hash_str(struct str key);
uint64_t map_hash_u64(uint64_t key);   /* a mixer, not seeded: stable */

void map_free(struct map *m);   /* the slots, not the entries */
/* The caller has made sure that no equal key is there. */
void map_put(struct map *m, struct map_node *n, uint64_t hash);
void map_del(struct map *m, struct map_node *n);   /* must be in m */
/* First entry with this hash, then the next one; NULL at the end. The caller
 * compares keys. */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *n);

/* Every entry, in no order. The body may delete or free n. */
#define MAP_EACH(node, m) \
	for (size_t node##_i = 0; node##_i < (m)->cap; node##_i++) \
		for (struct map_node *node = (m)->slots[node##_i], *node##_n; \
		    node != NULL && (node##_n = node->next, true); \
		    node = node##_n)

#endif

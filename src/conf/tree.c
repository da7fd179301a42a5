#include "conf/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/tree_build.h"

#define CHUNK (64u << 10)
#define FEW_KEYS 8   /* up to here comparing each with each is cheapest */

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct tree {
	struct chunk *chunks;
	struct node *root;
	char file[256];
};

struct tree *
tree_new(const char *file)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	(void)text_copy(t->file, sizeof(t->file), str_of(file));
	return t;
}

void
tree_free(struct tree *t)
{
	struct chunk *c, *next;

	if (t == NULL)
		return;
	for (c = t->chunks; c != NULL; c = next) {
		next = c->next;
		xfree(c);
	}
	xfree(t);
}

void
tree_freep(struct tree *const *t)
{
	tree_free(*t);
}

void *
tree_alloc(struct tree *t, size_t size)
{
	struct chunk *c = t->chunks;
	size_t room;
	void *p;

	size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	if (c == NULL || c->size - c->used < size) {
		room = MAX(size, (size_t)CHUNK);
		c = xcalloc(1, sizeof(*c) + room);
		c->size = room;
		c->next = t->chunks;
		t->chunks = c;
	}
	p = (char *)c->data + c->used;
	c->used += size;
	return p;
}

struct str
tree_text(struct tree *t, struct str s)
{
	char *p = tree_alloc(t, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

struct node *
tree_node(struct tree *t, enum node_kind kind, uint32_t line)
{
	struct node *n = tree_alloc(t, sizeof(*n));

	n->kind = kind;
	n->line = line;
	return n;
}

void
tree_set_root(struct tree *t, struct node *root)
{
	t->root = root;
}

const struct node *
tree_root(const struct tree *t)
{
	return t->root;
}

const char *
tree_file(const struct tree *t)
{
	return t->file;
}

const struct node *
node_get(const struct node *n, const char *key)
{
	if (n == NULL || n->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < n->n; i++)
		if (str_is(n->keys[i]->text, key))
			return n->items[i];
	return NULL;
}

uint32_t
node_line(const struct node *n, const char *path)
{
	const struct node *v = n;
	struct str rest = str_of(path), head, index;
	uint64_t i;
	char key[64];

	while (rest.n > 0) {
		rest = str_cut(rest, '.', &head);
		index = str_cut(head, '[', &head);
		(void)text_copy(key, sizeof(key), head);
		if (node_get(v, key) == NULL)
			break;
		v = node_get(v, key);
		if (index.n == 0)
			continue;
		index.n--;   /* the bracket */
		if (v->kind != NODE_LIST || v->n == 0 ||
		    !str_u64(index, v->n - 1, &i))
			break;
		v = v->items[i];
	}
	return v->line;
}

void
tree_blame(struct errinfo *ei, const char *file)
{
	if (ei != NULL && file != NULL)
		(void)text_copy(ei->file, sizeof(ei->file), str_of(file));
}

/* Where the text stops being UTF-8 or has a NUL: the line of the first. Only
 * for the message, so it may take its time: a line is tested as a whole. */
static uint32_t
tree_bad_line(struct str text)
{
	uint32_t line = 1;
	struct str rest = text, head;

	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &head);
		if (!text_utf8_ok(head) ||
		    (head.n > 0 && memchr(head.p, 0, head.n) != NULL))
			return line;
		line++;
	}
	return line;
}

enum err
tree_check_bytes(struct str text, struct errinfo *ei)
{
	if (text.n > TREE_BYTES_MAX)
		return fail_at(ei, ERR_LIMIT, "", 0,
		    "the document has %zu bytes; at most %u MiB are allowed",
		    text.n, TREE_BYTES_MAX >> 20);
	if (text.n > 0 && memchr(text.p, 0, text.n) != NULL)
		return fail_at(ei, ERR_PARSE, "", tree_bad_line(text),
		    "a NUL byte; the document must be plain UTF-8 text");
	if (!text_utf8_ok(text))
		return fail_at(ei, ERR_PARSE, "", tree_bad_line(text),
		    "bytes that are not UTF-8; save the document as UTF-8");
	return ERR_OK;
}

static int
tree_key_order(const void *va, const void *vb)
{
	const struct node *a = *(struct node *const *)va;
	const struct node *b = *(struct node *const *)vb;
	size_t n = MIN(a->text.n, b->text.n);
	int c = n == 0 ? 0 : memcmp(a->text.p, b->text.p, n);

	if (c == 0 && a->text.n != b->text.n)
		c = a->text.n < b->text.n ? -1 : 1;
	if (c == 0)
		c = a->line < b->line ? -1 : a->line > b->line;
	return c;
}

static enum err
tree_twice(const struct node *first, const struct node *again,
    struct errinfo *ei)
{
	char key[100];

	(void)text_copy(key, sizeof(key), again->text);
	if (first->line == 0)
		return fail_at(ei, ERR_PARSE, key, 0, "the key is there twice");
	return fail_at(ei, ERR_PARSE, key, again->line,
	    "the key is there twice; the first is on line %u", first->line);
}

enum err
tree_check_keys(const struct node *map, struct errinfo *ei)
{
	struct node **v CLEANUP(xfreep) = NULL;

	if (map->n <= FEW_KEYS) {
		for (size_t i = 1; i < map->n; i++)
			for (size_t k = 0; k < i; k++)
				if (str_eq(map->keys[i]->text,
				    map->keys[k]->text))
					return tree_twice(map->keys[k],
					    map->keys[i], ei);
		return ERR_OK;
	}
	v = xcalloc(map->n, sizeof(struct node *));
	memcpy(v, map->keys, map->n * sizeof(struct node *));
	qsort(v, map->n, sizeof(struct node *), tree_key_order);
	for (size_t i = 1; i < map->n; i++)
		if (str_eq(v[i - 1]->text, v[i]->text))
			return tree_twice(v[i - 1], v[i], ei);
	return ERR_OK;
}

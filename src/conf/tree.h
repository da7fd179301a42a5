/* tree.h: a parsed document, from YAML (libyaml) or JSON (jansson), with the
 * line of every node. One tree, so that one set of option rows serves both. */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

#define TREE_BYTES_MAX (32u << 20)   /* of one document */
#define TREE_NODES_MAX 4000000u      /* aliases expanded: bombs end here */
#define TREE_DEPTH_MAX 16

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	uint32_t line;        /* 1-based; 0: unknown (JSON from the API) */
	bool quoted;          /* scalar: was quoted, so never a number or flag */
	struct str text;      /* scalar */
	struct node **items;  /* list: n items; map: n values */
	struct node **keys;   /* map: n scalar nodes, no duplicates */
	size_t n;
};

/* file is only for messages. The tree owns its arena and is freed whole. */
struct tree;
enum err tree_from_yaml(struct str text, const char *file, struct tree **ret,
    struct errinfo *ei) MUST_USE;
enum err tree_from_json(struct str text, const char *file, struct tree **ret,
    struct errinfo *ei) MUST_USE;
enum err tree_from_json_value(const json_t *v, struct tree **ret,
    struct errinfo *ei) MUST_USE;
const struct node *tree_root(const struct tree *t);
const char *tree_file(const struct tree *t);
void tree_free(struct tree *t);
void tree_freep(struct tree *const *t);

/* The value of key in a mapping; NULL when absent or n is no mapping. */
const struct node *node_get(const struct node *n, const char *key);
/* The line of "a.b" below n; as far as it is there. */
uint32_t node_line(const struct node *n, const char *path);

#endif

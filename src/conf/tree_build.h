/* tree_build.h: how the readers of YAML and JSON make a tree. Private to
 * src/conf/tree*.c. Nodes and their text live in the tree's arena: they are
 * freed whole and never one by one. */
#ifndef CONF_TREE_BUILD_H
#define CONF_TREE_BUILD_H

#include <stdint.h>

#include "conf/tree.h"

struct tree *tree_new(const char *file) MUST_USE;
/* Zeroed, aligned for pointers. What is asked for is bounded by the document
 * (TREE_BYTES_MAX) and by TREE_NODES_MAX. */
void *tree_alloc(struct tree *t, size_t size) MUST_USE;
struct str tree_text(struct tree *t, struct str s) MUST_USE;
struct node *tree_node(struct tree *t, enum node_kind kind, uint32_t line)
    MUST_USE;
void tree_set_root(struct tree *t, struct node *root);
/* Refuses a document that is too long, is not UTF-8 or holds a NUL. */
enum err tree_check_bytes(struct str text, struct errinfo *ei) MUST_USE;
/* Refuses a mapping that has a key twice. */
enum err tree_check_keys(const struct node *map, struct errinfo *ei) MUST_USE;
/* Names the file in a message about it. */
void tree_blame(struct errinfo *ei, const char *file);

#endif

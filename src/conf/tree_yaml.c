/* tree_yaml.c: libyaml's events into a tree. An alias is the anchored node
 * itself, shared; what it would expand to is counted all the same, so that a
 * document that grows by aliases ends at TREE_NODES_MAX or TREE_BYTES_MAX, and
 * nothing that walks or copies the tree can be made to do so for hours. */
#include "conf/tree.h"

#include <string.h>

#include <yaml.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/tree_build.h"

struct extent {
	uint64_t nodes, bytes;   /* with aliases expanded */
	unsigned height;         /* levels below it */
};

struct anchor {
	struct map_node by_name;
	struct str name;
	struct node *node;    /* NULL: still open */
	struct extent extent;
};

struct frame {
	struct node *node;
	struct anchor *anchor;
	size_t start;         /* of its children in pending */
	struct extent extent;
};

struct builder {
	struct tree *t;
	struct errinfo *ei;
	struct frame frames[TREE_DEPTH_MAX];
	unsigned depth;
	struct node **pending;   /* children of the open frames, owned */
	size_t npending, cap;
	struct map anchors;
	bool seen_document;
};

static void
builder_free(struct builder *b)
{
	xfree(b->pending);
	map_free(&b->anchors);
}

static uint32_t
tree_yaml_line(const yaml_event_t *e)
{
	return (uint32_t)e->start_mark.line + 1;
}

static struct anchor *
tree_yaml_anchor_find(struct builder *b, struct str name)
{
	struct map_node *n = map_first(&b->anchors, map_hash_str(name));

	for (; n != NULL; n = map_next(n)) {
		struct anchor *a = CONTAINER(n, struct anchor, by_name);
		if (str_eq(a->name, name))
			return a;
	}
	return NULL;
}

/* NULL when the node has no anchor. An anchor may be set anew: the latest
 * counts, as YAML says. */
static struct anchor *
tree_yaml_anchor(struct builder *b, const yaml_char_t *name)
{
	struct str s = str_of((const char *)name);
	struct anchor *a;

	if (name == NULL)
		return NULL;
	a = tree_yaml_anchor_find(b, s);
	if (a == NULL) {
		a = tree_alloc(b->t, sizeof(*a));
		a->name = tree_text(b->t, s);
		map_put(&b->anchors, &a->by_name, map_hash_str(s));
	}
	a->node = NULL;
	return a;
}

/* Put a finished node where it belongs: into the open frame, or as root. */
static enum err
tree_yaml_add(struct builder *b, struct node *n, struct extent x,
    uint32_t line)
{
	struct frame *f;

	if (b->depth == 0) {
		tree_set_root(b->t, n);
		return ERR_OK;
	}
	f = &b->frames[b->depth - 1];
	if (f->node->kind == NODE_MAP && (b->npending - f->start) % 2 == 0) {
		if (n->kind != NODE_SCALAR && n->kind != NODE_NULL)
			return fail_at(b->ei, ERR_PARSE, "", line,
			    "a key must be plain text");
		if (n->kind == NODE_SCALAR && !n->quoted &&
		    str_is(n->text, "<<"))
			return fail_at(b->ei, ERR_PARSE, "<<", line,
			    "merge keys are not supported; write the keys "
			    "out, or use an alias for a whole value");
	}
	f->extent.nodes += x.nodes;
	f->extent.bytes += x.bytes;
	f->extent.height = MAX(f->extent.height, x.height + 1);
	if (f->extent.nodes > TREE_NODES_MAX)
		return fail_at(b->ei, ERR_LIMIT, "", line,
		    "more than %u values once aliases are expanded",
		    TREE_NODES_MAX);
	if (f->extent.bytes > TREE_BYTES_MAX)
		return fail_at(b->ei, ERR_LIMIT, "", line,
		    "more than %u MiB of text once aliases are expanded",
		    TREE_BYTES_MAX >> 20);
	if (b->depth + x.height > TREE_DEPTH_MAX)
		return fail_at(b->ei, ERR_LIMIT, "", line,
		    "nested deeper than %d levels", TREE_DEPTH_MAX);
	if (b->npending == b->cap) {
		b->cap = b->cap == 0 ? 256 : b->cap * 2;
		b->pending = xrealloc(b->pending, b->cap,
		    sizeof(struct node *));
	}
	b->pending[b->npending++] = n;
	return ERR_OK;
}

static bool
tree_yaml_is_null(struct str s)
{
	return s.n == 0 || str_is(s, "~") || str_is(s, "null") ||
	    str_is(s, "Null") || str_is(s, "NULL");
}

static enum err
tree_yaml_scalar(struct builder *b, const yaml_event_t *e)
{
	struct anchor *a = tree_yaml_anchor(b, e->data.scalar.anchor);
	struct str s = {(const char *)e->data.scalar.value,
	    e->data.scalar.length};
	const struct extent x = {.nodes = 1, .bytes = s.n};
	uint32_t line = tree_yaml_line(e);
	struct node *n;

	if (e->data.scalar.tag != NULL)
		return fail_at(b->ei, ERR_PARSE, "", line,
		    "tags (!) are not supported; quote the text instead");
	if (s.n > 0 && memchr(s.p, 0, s.n) != NULL)
		return fail_at(b->ei, ERR_PARSE, "", line,
		    "text with a NUL character (\\0) in it");
	n = tree_node(b->t, NODE_SCALAR, line);
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = tree_text(b->t, s);
	if (!n->quoted && tree_yaml_is_null(s))
		n->kind = NODE_NULL;
	if (a != NULL) {
		a->node = n;
		a->extent = x;
	}
	return tree_yaml_add(b, n, x, line);
}

static enum err
tree_yaml_alias(struct builder *b, const yaml_event_t *e)
{
	struct str name = str_of((const char *)e->data.alias.anchor);
	const struct anchor *a = tree_yaml_anchor_find(b, name);
	char shown[64];

	(void)text_copy(shown, sizeof(shown), name);
	if (a == NULL)
		return fail_at(b->ei, ERR_PARSE, "", tree_yaml_line(e),
		    "the alias *%s has no anchor &%s before it", shown, shown);
	if (a->node == NULL)
		return fail_at(b->ei, ERR_PARSE, "", tree_yaml_line(e),
		    "the alias *%s is inside its own anchor", shown);
	return tree_yaml_add(b, a->node, a->extent, tree_yaml_line(e));
}

static enum err
tree_yaml_open(struct builder *b, const yaml_event_t *e, enum node_kind kind,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct frame *f;

	if (tag != NULL)
		return fail_at(b->ei, ERR_PARSE, "", tree_yaml_line(e),
		    "tags (!) are not supported");
	if (b->depth == TREE_DEPTH_MAX)
		return fail_at(b->ei, ERR_LIMIT, "", tree_yaml_line(e),
		    "nested deeper than %d levels", TREE_DEPTH_MAX);
	f = &b->frames[b->depth++];
	f->node = tree_node(b->t, kind, tree_yaml_line(e));
	f->anchor = tree_yaml_anchor(b, anchor);
	f->start = b->npending;
	f->extent = (struct extent){.nodes = 1};
	return ERR_OK;
}

static enum err
tree_yaml_close(struct builder *b)
{
	struct frame f = b->frames[--b->depth];
	size_t n = b->npending - f.start;
	struct node **in = n > 0 ? b->pending + f.start : NULL;
	bool map = f.node->kind == NODE_MAP;

	f.node->n = map ? n / 2 : n;
	if (n > 0)
		f.node->items = tree_alloc(b->t,
		    f.node->n * sizeof(struct node *));
	if (n > 0 && map)
		f.node->keys = tree_alloc(b->t,
		    f.node->n * sizeof(struct node *));
	for (size_t i = 0; i < f.node->n; i++) {
		f.node->items[i] = in[map ? 2 * i + 1 : i];
		if (map)
			f.node->keys[i] = in[2 * i];
	}
	b->npending = f.start;
	if (f.anchor != NULL) {
		f.anchor->node = f.node;
		f.anchor->extent = f.extent;
	}
	if (map && tree_check_keys(f.node, b->ei) != ERR_OK)
		return ERR_PARSE;
	return tree_yaml_add(b, f.node, f.extent, f.node->line);
}

static enum err
tree_yaml_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return ERR_OK;
	case YAML_DOCUMENT_START_EVENT:
		if (b->seen_document)
			return fail_at(b->ei, ERR_PARSE, "", tree_yaml_line(e),
			    "a second document (---); one file holds one");
		b->seen_document = true;
		return ERR_OK;
	case YAML_ALIAS_EVENT:
		return tree_yaml_alias(b, e);
	case YAML_SCALAR_EVENT:
		return tree_yaml_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return tree_yaml_open(b, e, NODE_LIST,
		    e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return tree_yaml_open(b, e, NODE_MAP,
		    e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return tree_yaml_close(b);
	}
	return ERR_OK;
}

/* A reader error has an offset and no mark. */
static enum err
tree_yaml_problem(const yaml_parser_t *p, struct str text, struct errinfo *ei)
{
	size_t line = p->problem_mark.line + 1;
	const char *what = p->problem != NULL ? p->problem : "cannot be read";
	char shown[200];

	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < MIN(p->problem_offset, text.n); i++)
			line += text.p[i] == '\n';
	}
	(void)text_copy(shown, sizeof(shown), str_of(what));
	if (p->context != NULL)
		return fail_at(ei, ERR_PARSE, "", (uint32_t)line,
		    "not valid YAML %s: %s", p->context, shown);
	return fail_at(ei, ERR_PARSE, "", (uint32_t)line,
	    "not valid YAML: %s", shown);
}

static enum err
tree_yaml_run(struct builder *b, yaml_parser_t *p, struct str text)
{
	yaml_event_t e;
	yaml_event_type_t type = YAML_NO_EVENT;
	enum err err;

	while (type != YAML_STREAM_END_EVENT) {
		if (!yaml_parser_parse(p, &e))
			return tree_yaml_problem(p, text, b->ei);
		type = e.type;
		err = tree_yaml_event(b, &e);
		yaml_event_delete(&e);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err
tree_from_yaml(struct str text, const char *file, struct tree **ret,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = tree_new(file);
	struct builder b CLEANUP(builder_free) = {.t = t, .ei = ei};
	const struct node *root;
	yaml_parser_t p;
	enum err e = tree_check_bytes(text, ei);

	if (e == ERR_OK && !yaml_parser_initialize(&p))
		e = fail_at(ei, ERR_SYS, "", 0, "no memory for the YAML parser");
	else if (e == ERR_OK) {
		yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&p,
		    (const unsigned char *)(text.n > 0 ? text.p : ""), text.n);
		e = tree_yaml_run(&b, &p, text);
		yaml_parser_delete(&p);
	}
	if (e != ERR_OK) {
		tree_blame(ei, file);
		return e;
	}
	/* Nothing but comments: an empty mapping. */
	root = tree_root(t);
	if (root == NULL || root->kind == NODE_NULL)
		tree_set_root(t, tree_node(t, NODE_MAP, 1));
	*ret = TAKE(t);
	return ERR_OK;
}

/* tree_json.c: JSON into a tree. jansson decides what is valid JSON; it keeps
 * no lines, and JSON is nearly a subset of YAML, so a file that jansson
 * accepts is read once more by the YAML reader for them. Where the two would
 * differ the tree comes from jansson's value and its nodes have no line. */
#include "conf/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/tree_build.h"

/* The shortest decimal that reads back as the same number. */
static struct str
tree_json_real(struct tree *t, double v)
{
	char s[40];

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(s, sizeof(s), "%.*g", digits, v);
		if (!(fabs(strtod(s, NULL) - v) > 0))
			break;
	}
	return tree_text(t, str_of(s));
}

static struct node *
tree_json_scalar(struct tree *t, const json_t *v)
{
	struct node *n = tree_node(t, NODE_SCALAR, 0);
	char s[24];

	switch (json_typeof(v)) {
	case JSON_STRING:
		n->quoted = true;
		n->text = tree_text(t, (struct str){json_string_value(v),
		    json_string_length(v)});
		break;
	case JSON_INTEGER:
		(void)snprintf(s, sizeof(s), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
		n->text = tree_text(t, str_of(s));
		break;
	case JSON_REAL:
		n->text = tree_json_real(t, json_real_value(v));
		break;
	case JSON_TRUE:
		n->text = STR("true");
		break;
	case JSON_FALSE:
		n->text = STR("false");
		break;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		n->kind = NODE_NULL;
		n->text = STR("");
		break;
	}
	return n;
}

struct counted { struct tree *t; uint32_t nodes; };

static enum err tree_json_node(struct counted *c, const json_t *v,
    unsigned depth, struct node **ret, struct errinfo *ei);

static enum err
tree_json_map(struct counted *c, const json_t *v, unsigned depth,
    struct node **ret, struct errinfo *ei)
{
	struct node *n = tree_node(c->t, NODE_MAP, 0), *k;
	json_t *obj = (json_t *)(uintptr_t)v;   /* iterators are not const */
	const char *key;
	json_t *item;
	enum err e;

	n->items = tree_alloc(c->t, json_object_size(v) * sizeof(*n->items));
	n->keys = tree_alloc(c->t, json_object_size(v) * sizeof(*n->keys));
	json_object_foreach(obj, key, item) {
		k = tree_node(c->t, NODE_SCALAR, 0);
		k->quoted = true;
		k->text = tree_text(c->t, str_of(key));
		n->keys[n->n] = k;
		e = tree_json_node(c, item, depth + 1, &n->items[n->n], ei);
		if (e != ERR_OK)
			return e;
		n->n++;
	}
	*ret = n;
	return ERR_OK;
}

static enum err
tree_json_list(struct counted *c, const json_t *v, unsigned depth,
    struct node **ret, struct errinfo *ei)
{
	struct node *n = tree_node(c->t, NODE_LIST, 0);
	enum err e;

	n->items = tree_alloc(c->t, json_array_size(v) * sizeof(*n->items));
	for (size_t i = 0; i < json_array_size(v); i++) {
		e = tree_json_node(c, json_array_get(v, i), depth + 1,
		    &n->items[i], ei);
		if (e != ERR_OK)
			return e;
	}
	n->n = json_array_size(v);
	*ret = n;
	return ERR_OK;
}

static enum err
tree_json_node(struct counted *c, const json_t *v, unsigned depth,
    struct node **ret, struct errinfo *ei)
{
	bool box = json_is_object(v) || json_is_array(v);

	if (++c->nodes > TREE_NODES_MAX)
		return fail_at(ei, ERR_LIMIT, "", 0,
		    "more than %u values", TREE_NODES_MAX);
	if (box && depth >= TREE_DEPTH_MAX)
		return fail_at(ei, ERR_LIMIT, "", 0,
		    "nested deeper than %d levels", TREE_DEPTH_MAX);
	if (json_is_object(v))
		return tree_json_map(c, v, depth, ret, ei);
	if (json_is_array(v))
		return tree_json_list(c, v, depth, ret, ei);
	*ret = tree_json_scalar(c->t, v);
	return ERR_OK;
}

static enum err
tree_json_build(const json_t *v, const char *file, struct tree **ret,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = tree_new(file);
	struct counted c = {.t = t};
	struct node *root;
	enum err e = tree_json_node(&c, v, 0, &root, ei);

	if (e != ERR_OK)
		return e;
	tree_set_root(t, root);
	*ret = TAKE(t);
	return ERR_OK;
}

enum err
tree_from_json_value(const json_t *v, struct tree **ret, struct errinfo *ei)
{
	return tree_json_build(v, "", ret, ei);
}

static bool
tree_json_holds(struct str text, const char *bytes)
{
	return text.n > 0 &&
	    memmem(text.p, text.n, bytes, strlen(bytes)) != NULL;
}

/* Inside quotes these are line breaks to YAML and plain text to JSON. */
static bool
tree_json_is_yaml(struct str text)
{
	return !tree_json_holds(text, "\xc2\x85") &&
	    !tree_json_holds(text, "\xe2\x80\xa8") &&
	    !tree_json_holds(text, "\xe2\x80\xa9");
}

static void
json_freep(json_t **v)
{
	json_decref(*v);
}

enum err
tree_from_json(struct str text, const char *file, struct tree **ret,
    struct errinfo *ei)
{
	json_t *v CLEANUP(json_freep) = NULL;
	json_error_t je;
	struct errinfo ignored;
	char what[160];
	enum err e = tree_check_bytes(text, ei);

	if (e == ERR_OK) {
		v = json_loadb(text.n > 0 ? text.p : "", text.n,
		    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
		if (v == NULL) {
			(void)text_copy(what, sizeof(what), str_of(je.text));
			e = fail_at(ei, ERR_PARSE, "",
			    je.line > 0 ? (uint32_t)je.line : 0,
			    "not valid JSON: %s", what);
		}
	}
	if (e == ERR_OK && tree_json_is_yaml(text) &&
	    tree_from_yaml(text, file, ret, &ignored) == ERR_OK)
		return ERR_OK;
	if (e == ERR_OK)
		e = tree_json_build(v, file, ret, ei);
	if (e != ERR_OK)
		tree_blame(ei, file);
	return e;
}

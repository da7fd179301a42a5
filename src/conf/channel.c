#include "conf/channel.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/template.h"
#include "base/text.h"
#include "conf/channel_opts.h"
#include "model/alert_fields.h"

static enum err
channel_no_type(const struct node *n, struct errinfo *ei)
{
	const struct node *type = node_get(n, "type");
	char shown[48];
	BUF_AUTO(known, 400);

	for (size_t i = 0; channel_types[i].name != NULL; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "",
		    channel_types[i].name);
	if (type == NULL)
		return fail_at(ei, ERR_INVALID, "type", n->line,
		    "is required; allowed: %s", known.p);
	(void)text_copy(shown, sizeof(shown), type->text);
	return fail_at(ei, ERR_INVALID, "type", type->line,
	    "\"%s\" is not a known channel type; allowed: %s", shown,
	    known.p);
}

static enum err
channel_name(const struct node *n, struct channel_conf *ret,
    struct errinfo *ei)
{
	const struct node *name = node_get(n, "name");
	const char *allowed;
	char shown[80];

	if (name == NULL || name->kind != NODE_SCALAR)
		return fail_at(ei, ERR_INVALID, "name", n->line,
		    "is required: what monitors call it in notify");
	allowed = monitor_name_check(name->text);
	if (allowed != NULL) {
		(void)text_copy(shown, sizeof(shown), name->text);
		return fail_at(ei, ERR_INVALID, "name", name->line,
		    "\"%s\" does not fit; allowed: %s", shown, allowed);
	}
	(void)text_copy(ret->name, sizeof(ret->name), name->text);
	return ERR_OK;
}

static enum err
channel_template(const struct node *n, const char *key, const char *text,
    struct errinfo *ei)
{
	struct template *t CLEANUP(template_freep) = NULL;
	struct errinfo at = {0};
	enum err e;

	if (text == NULL)
		return ERR_OK;
	e = template_parse(str_of(text), alert_field_names, &t, &at);
	return e == ERR_OK ? e : fail_at(ei, e, key, node_line(n, key),
	    "%s", at.text);
}

enum err
channel_read(const struct node *n, struct channel_conf *ret,
    struct errinfo *ei)
{
	static const char *const skip[] = {"name", "type", NULL};
	struct channel_own own = {0};
	struct opt_set set = {NULL, &own};
	const struct node *type = node_get(n, "type");
	json_t *v;
	enum err e;

	if (n->kind != NODE_MAP)
		return fail_at(ei, ERR_INVALID, "", n->line,
		    "a channel must be a mapping with name and type");
	e = channel_name(n, ret, ei);
	if (e != ERR_OK)
		return e;
	if (type != NULL && type->kind == NODE_SCALAR)
		set.rows = channel_rows(type->text);
	if (set.rows == NULL)
		return channel_no_type(n, ei);
	(void)text_copy(ret->type, sizeof(ret->type), type->text);
	ret->line = n->line;
	e = opt_read(n, &set, 1, skip, ei);
	if (e == ERR_OK)
		e = channel_template(n, "title", own.title, ei);
	if (e == ERR_OK)
		e = channel_template(n, "body", own.body, ei);
	if (e == ERR_OK) {
		v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
		ret->text = opt_text(v);
		json_decref(v);
	}
	opt_free(set.rows, &own);
	return e;
}

void
channel_clear(struct channel_conf *c)
{
	xfree(c->text);
	memset(c, 0, sizeof(*c));
}

static json_t *
channel_whole(const struct channel_conf *c, json_t *own)
{
	json_t *all = json_object();

	(void)json_object_set_new(all, "name", json_string(c->name));
	(void)json_object_set_new(all, "type", json_string(c->type));
	(void)json_object_update_missing(all, own);
	return all;
}

/* v is taken. */
static enum err
channel_from_json(json_t *v, struct channel_conf *ret, struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, ei);

	json_decref(v);
	return e != ERR_OK ? e : channel_read(tree_root(t), ret, ei);
}

enum err
channel_load(struct str json, const char *name, const char *type,
    struct channel_conf *ret, struct errinfo *ei)
{
	struct channel_conf c = {0};
	json_t *own = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *all;

	if (!json_is_object(own)) {
		json_decref(own);
		return fail_at(ei, ERR_PARSE, "", 0,
		    "the stored configuration of channel \"%s\" is not JSON",
		    name);
	}
	(void)text_copy(c.name, sizeof(c.name), str_of(name));
	(void)text_copy(c.type, sizeof(c.type), str_of(type));
	all = channel_whole(&c, own);
	json_decref(own);
	return channel_from_json(all, ret, ei);
}

json_t *
channel_json(const struct channel_conf *c, enum opt_secrets how)
{
	json_t *own = json_loads(c->text, 0, NULL);
	json_t *all;

	if (how == OPT_SECRETS_MASK)
		opt_hide(channel_rows(str_of(c->type)), own);
	all = channel_whole(c, own);
	json_decref(own);
	return all;
}

bool
channel_equal(const struct channel_conf *a, const struct channel_conf *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->text, b->text) == 0;
}

/* A password is not carried over to another server by itself. */
static bool
channel_same_server(const struct opt *rows, const json_t *a, const json_t *b)
{
	for (const struct opt *o = rows; o->name != NULL; o++)
		if ((o->flags & OPT_TARGET) != 0 &&
		    !json_equal(json_object_get(a, o->name),
		    json_object_get(b, o->name)))
			return false;
	return true;
}

/* Key order again as the rows say, after secrets were put in. */
static enum err
channel_canonical(struct channel_conf *c, struct errinfo *ei)
{
	struct channel_conf again = {0};
	enum err e = channel_load(str_of(c->text), c->name, c->type, &again,
	    ei);

	if (e == ERR_OK) {
		again.line = c->line;
		xfree(c->text);
		*c = again;
	} else {
		channel_clear(&again);
	}
	return e;
}

enum err
channel_keep_secrets(struct channel_conf *c, const struct channel_conf *old,
    struct errinfo *ei)
{
	const struct opt *rows = channel_rows(str_of(c->type)), *o;
	json_t *now, *was;
	char field[160];

	if (old != NULL && channel_equal(c, old))
		return ERR_OK;
	now = json_loads(c->text, 0, NULL);
	if (old != NULL && strcmp(c->type, old->type) == 0) {
		was = json_loads(old->text, 0, NULL);
		opt_unmask(rows, now, was, channel_same_server(rows, now, was));
		json_decref(was);
	}
	o = opt_masked(rows, now);
	if (o == NULL) {
		xfree(c->text);
		c->text = opt_text(now);
	}
	json_decref(now);
	if (o == NULL)
		return channel_canonical(c, ei);
	(void)snprintf(field, sizeof(field), "channels.%s.%s", c->name,
	    o->name);
	return fail_at(ei, ERR_INVALID, field, c->line,
	    "the secret is masked and there is none to keep; write it out "
	    "(export --secrets prints it)");
}

json_t *
channel_schema(void)
{
	json_t *all = json_object(), *kinds = json_array(), *one, *need, *props;
	const struct opt *o;

	for (size_t i = 0; channel_types[i].name != NULL; i++) {
		one = json_object();
		need = json_pack("[s,s]", "name", "type");
		for (o = channel_types[i].opts; o->name != NULL; o++)
			if ((o->flags & OPT_REQUIRED) != 0)
				(void)json_array_append_new(need,
				    json_string(o->name));
		props = opt_schema(channel_types[i].opts);
		(void)json_object_set_new(props, "name", json_pack(
		    "{s:s,s:i,s:i}", "type", "string", "minLength", 1,
		    "maxLength", MONITOR_NAME_MAX));
		(void)json_object_set_new(props, "type", json_pack("{s:s}",
		    "const", channel_types[i].name));
		(void)json_object_set_new(one, "type", json_string("object"));
		(void)json_object_set_new(one, "properties", props);
		(void)json_object_set_new(one, "required", need);
		(void)json_object_set_new(one, "additionalProperties",
		    json_false());
		(void)json_array_append_new(kinds, one);
	}
	(void)json_object_set_new(all, "oneOf", kinds);
	return all;
}

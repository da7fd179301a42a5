/* monitor_edit.c: monitors as JSON, loaded from it, and edited through it. */
#include "conf/monitor.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define PATCH_DEPTH_MAX 16

static void
json_freep(json_t **v)
{
	json_decref(*v);
}

static void
monitor_conf_unrefp(struct monitor_conf **c)
{
	monitor_conf_unref(*c);
}

static json_t *
monitor_set_json(const struct monitor_conf *c)
{
	json_t *v = json_loads(c->text, 0, NULL);

	assert(v != NULL);   /* opt_text wrote it */
	return v;
}

json_t *
monitor_conf_json(const struct monitor_conf *c, enum opt_secrets how)
{
	json_t *all = json_object();
	json_t *set CLEANUP(json_freep) = monitor_set_json(c);
	struct opt_set sets[MONITOR_SETS];

	if (how == OPT_SECRETS_MASK) {
		monitor_conf_sets(c, sets);
		for (size_t i = 0; i < COUNT(sets); i++)
			opt_hide(sets[i].rows, set);
	}
	(void)json_object_set_new(all, "name", json_string(c->name));
	if (c->kind->drive == DRIVE_PUSH && c->token != NULL)
		(void)json_object_set(all, "token",
		    json_object_get(set, "token"));
	(void)json_object_update(all, set);
	return all;
}

static enum err
monitor_from_json(const json_t *v, const char *group_name,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	struct monitor_conf *c = NULL;
	enum err e = tree_from_json_value(v, &t, ei);

	if (e == ERR_OK)
		e = monitor_conf_read(tree_root(t), kinds, NULL, &c, ei);
	if (e != ERR_OK)
		return e;
	monitor_conf_set_path(c, group_name);
	*ret = c;
	return ERR_OK;
}

enum err
monitor_conf_load(struct str json, const char *name, const char *group_name,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei)
{
	json_error_t je;
	json_t *v CLEANUP(json_freep) = json_loadb(json.p, json.n,
	    JSON_REJECT_DUPLICATES, &je);

	if (v == NULL || !json_is_object(v))
		return fail_at(ei, ERR_PARSE, "", 0,
		    "the stored configuration of \"%s\" is not JSON: %s", name,
		    v == NULL ? je.text : "not an object");
	(void)json_object_set_new(v, "name", json_string(name));
	return monitor_from_json(v, group_name, kinds, ret, ei);
}

bool
monitor_conf_retargets(const struct monitor_conf *a,
    const struct monitor_conf *b)
{
	return a->kind != b->kind ||
	    !opt_equal(a->kind->opts, a->own, b->own, OPT_TARGET);
}

void
monitor_conf_inherit(struct monitor_conf *c, const struct monitor_conf *old)
{
	c->id = old->id;
	c->group = old->group;
	c->version = old->version;
	c->origin = old->origin;
	c->archived = old->archived;
	c->paused = old->paused;
	c->created_us = old->created_us;
}

void
monitor_conf_set_token(struct monitor_conf *c, const char *token)
{
	json_t *set CLEANUP(json_freep) = monitor_set_json(c);
	json_t *all CLEANUP(json_freep) = json_object();

	assert(c->kind->drive == DRIVE_PUSH);
	assert(c->token == NULL);
	(void)json_object_set(all, "type", json_object_get(set, "type"));
	(void)json_object_set_new(all, "token", json_string(token));
	(void)json_object_update_missing(all, set);
	c->token = xstrdup(token);
	xfree(c->text);
	c->text = opt_text(all);
}

/* Where a body's "group" leads; *ret NULL: no group. dst holds the name. */
static enum err
monitor_body_group(const json_t *body, const struct monitor_conf *old,
    char dst[MONITOR_NAME_MAX + 1], const char **ret, struct errinfo *ei)
{
	const json_t *g = json_object_get(body, "group");
	const char *slash = old == NULL ? NULL : strchr(old->path, '/');
	struct str name = {json_string_value(g), json_string_length(g)};

	if (g == NULL && slash != NULL)
		name = (struct str){old->path, (size_t)(slash - old->path)};
	else if (g == NULL || json_is_null(g)) {
		*ret = NULL;
		return ERR_OK;
	} else if (!json_is_string(g) || monitor_name_check(name) != NULL)
		return fail_at(ei, ERR_INVALID, "group", 0,
		    "is no group's name; allowed: the name of a group, or "
		    "null for none");
	(void)text_copy(dst, MONITOR_NAME_MAX + 1, name);
	*ret = dst;
	return ERR_OK;
}

enum err
monitor_conf_unmasked(const struct monitor_conf *c, struct errinfo *ei)
{
	struct opt_set sets[MONITOR_SETS];
	json_t *set CLEANUP(json_freep) = NULL;
	const struct opt *o;

	if (strstr(c->text, OPT_MASK) == NULL)
		return ERR_OK;
	set = monitor_set_json(c);
	monitor_conf_sets(c, sets);
	for (size_t i = 0; i < COUNT(sets); i++) {
		o = opt_masked(sets[i].rows, set);
		if (o != NULL)
			return fail_at(ei, ERR_INVALID, o->name, 0,
			    "the secret is masked and there is none to keep; "
			    "write it out (export --secrets prints it)");
	}
	return ERR_OK;
}

/* set is what c says; the result of taking over old's secrets. */
static enum err
monitor_merge_secrets(const struct monitor_conf *c,
    const struct monitor_conf *old, bool missing, struct monitor_conf **ret,
    struct errinfo *ei)
{
	const struct monitor_kind *const kinds[] = {c->kind, NULL};
	json_t *now CLEANUP(json_freep) = monitor_set_json(c);
	json_t *was CLEANUP(json_freep) = monitor_set_json(old);
	struct opt_set sets[MONITOR_SETS];
	char *text CLEANUP(xfreep) = NULL;
	const char *slash = strchr(c->path, '/');
	char group[MONITOR_NAME_MAX + 1];

	monitor_conf_sets(c, sets);
	for (size_t i = 0; i < COUNT(sets); i++)
		opt_unmask(sets[i].rows, now, was, missing);
	if (slash != NULL)
		(void)text_copy(group, sizeof(group), (struct str){c->path,
		    (size_t)(slash - c->path)});
	text = opt_text(now);
	return monitor_conf_load(str_of(text), c->name,
	    slash != NULL ? group : NULL, kinds, ret, ei);
}

static enum err
monitor_keep(struct monitor_conf **c, const struct monitor_conf *old,
    bool missing, struct errinfo *ei)
{
	struct monitor_conf *with = NULL;
	enum err e;

	if (strcmp((*c)->text, old->text) == 0)
		return ERR_OK;
	e = monitor_merge_secrets(*c, old, missing, &with, ei);
	/* An old password may be at odds with what is wanted now (another
	 * way to log in): then only what is masked is kept. */
	if (e != ERR_OK && missing)
		e = monitor_merge_secrets(*c, old, false, &with, ei);
	if (e != ERR_OK)
		return e;
	e = monitor_conf_unmasked(with, ei);
	if (e != ERR_OK) {
		monitor_conf_unref(with);
		return e;
	}
	with->origin = (*c)->origin;
	if ((*c)->was != NULL)
		with->was = xstrdup((*c)->was);
	monitor_conf_unref(*c);
	*c = with;
	return ERR_OK;
}

enum err
monitor_conf_keep_secrets(struct monitor_conf **c,
    const struct monitor_conf *old, struct errinfo *ei)
{
	return monitor_keep(c, old, !monitor_conf_retargets(*c, old), ei);
}

struct edit {
	const struct monitor_conf *old;   /* NULL: a new monitor */
	const json_t *body;               /* as it was sent: for "group" */
	json_t *whole;                    /* all that the monitor shall be */
	bool patch;                       /* a secret not in whole was removed */
};

static enum err
monitor_edited(const struct edit *ed, const struct monitor_kind *const *kinds,
    struct monitor_conf **ret, struct errinfo *ei)
{
	struct monitor_conf *c CLEANUP(monitor_conf_unrefp) = NULL;
	char name[MONITOR_NAME_MAX + 1];
	const char *group = NULL;
	enum err e = monitor_body_group(ed->body, ed->old, name, &group, ei);

	(void)json_object_del(ed->whole, "group");
	if (e == ERR_OK)
		e = monitor_from_json(ed->whole, group, kinds, &c, ei);
	if (e != ERR_OK)
		return e;
	if (c->kind->drive == DRIVE_GROUP && group != NULL)
		return fail_at(ei, ERR_INVALID, "group", 0,
		    "a group cannot be inside a group; groups nest one deep");
	if (ed->old == NULL)
		e = monitor_conf_unmasked(c, ei);
	else
		e = monitor_keep(&c, ed->old, !ed->patch &&
		    !monitor_conf_retargets(c, ed->old), ei);
	if (e != ERR_OK)
		return e;
	if (ed->old != NULL) {
		monitor_conf_inherit(c, ed->old);
		if (json_object_get(ed->body, "group") != NULL)
			c->group = 0;
	}
	*ret = TAKE(c);
	return ERR_OK;
}

/* What a file may say of a monitor and one monitor's body may not: it would be
 * read and do nothing. */
static enum err
monitor_object(const json_t *body, struct errinfo *ei)
{
	if (!json_is_object(body))
		return fail_at(ei, ERR_INVALID, "", 0,
		    "the body must be an object");
	if (json_object_get(body, "was") != NULL)
		return fail_at(ei, ERR_INVALID, "was", 0,
		    "is for files; here a change of name is the rename");
	if (json_object_get(body, "monitors") != NULL)
		return fail_at(ei, ERR_INVALID, "monitors", 0,
		    "is for files; each member is a monitor of its own, with "
		    "\"group\"");
	return ERR_OK;
}

enum err
monitor_conf_replace(const struct monitor_conf *old, const json_t *body,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei)
{
	json_t *whole CLEANUP(json_freep) = NULL;
	enum err e = monitor_object(body, ei);

	if (e != ERR_OK)
		return e;
	whole = json_copy((json_t *)(uintptr_t)body);
	return monitor_edited(&(struct edit){old, body, whole, false}, kinds,
	    ret, ei);
}

/* RFC 7396: null removes, objects merge, everything else replaces. */
static enum err
monitor_merge(json_t *into, const json_t *patch, unsigned depth,
    struct errinfo *ei)
{
	const char *key;
	json_t *v, *below;
	enum err e;

	if (depth > PATCH_DEPTH_MAX)
		return fail_at(ei, ERR_LIMIT, "", 0,
		    "nested deeper than %d levels", PATCH_DEPTH_MAX);
	json_object_foreach((json_t *)(uintptr_t)patch, key, v) {
		if (json_is_null(v)) {
			(void)json_object_del(into, key);
			continue;
		}
		if (!json_is_object(v)) {
			(void)json_object_set(into, key, v);
			continue;
		}
		below = json_object_get(into, key);
		if (!json_is_object(below)) {
			below = json_object();
			(void)json_object_set_new(into, key, below);
		}
		e = monitor_merge(below, v, depth + 1, ei);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
monitor_conf_patch(const struct monitor_conf *old, const json_t *patch,
    const struct monitor_kind *const *kinds, struct monitor_conf **ret,
    struct errinfo *ei)
{
	json_t *whole CLEANUP(json_freep) = NULL;
	enum err e = monitor_object(patch, ei);

	if (e != ERR_OK)
		return e;
	whole = monitor_conf_json(old, OPT_SECRETS_PLAIN);
	e = monitor_merge(whole, patch, 0, ei);
	if (e != ERR_OK)
		return e;
	return monitor_edited(&(struct edit){old, patch, whole, true}, kinds,
	    ret, ei);
}

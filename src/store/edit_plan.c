/* edit_plan.c: what a configuration unit asks for, as steps. Nothing is
 * changed here but the unit's own confs, which nobody else sees yet. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/depends.h"
#include "conf/plan_diff.h"
#include "store/confs.h"
#include "store/edit_steps.h"
#include "world/world.h"

static uint32_t
shard_key(const struct monitor_conf *c)
{
	return c->group != 0 ? c->group : c->id;
}

static struct step *
step_of(const struct edit *e, uint32_t id)
{
	struct map_node *n = map_first(&e->ids, map_hash_u64(id));

	for (; n != NULL; n = map_next(n)) {
		struct step *st = CONTAINER(n, struct step, by_id);

		if (st->id == id)
			return st;
	}
	return NULL;
}

/* Steps are found by id through the map, so room is made once, before. */
static void
make_room(struct edit *e, size_t n)
{
	assert(e->n == 0);
	e->cap = n;
	e->v = xcalloc(n + 1, sizeof(*e->v));
}

static struct step *
add(struct edit *e, enum step_kind kind, uint32_t id, const char *path)
{
	struct step *st;

	assert(e->n < e->cap);
	st = &e->v[e->n++];
	st->kind = kind;
	st->id = id;
	snprintf(st->path, sizeof(st->path), "%s", path);
	map_put(&e->ids, &st->by_id, map_hash_u64(id));
	return st;
}

static void
add_put(struct edit *e, struct monitor_conf *c, const struct monitor_conf *old,
    const char *verb)
{
	struct step *st = add(e, STEP_PUT, c->id, c->path);

	st->conf = monitor_conf_ref(c);
	st->verb = verb;
	if (c->kind->drive == DRIVE_GROUP)
		map_put(&e->groups, &st->by_path, map_hash_str(str_of(c->path)));
	if (old == NULL)
		return;
	st->was_archived = old->archived;
	st->old_key = old->archived ? 0 : shard_key(old);
}

static void
add_delete(struct edit *e, const struct monitor_conf *old)
{
	struct step *st = add(e, STEP_DELETE, old->id, old->path);

	st->verb = "delete";
	st->old_key = old->archived ? 0 : shard_key(old);
}

/* The group of this path as it will be: one that these steps put there, else
 * a stored one that they leave there. */
static const struct monitor_conf *
group_at(struct store *s, const struct edit *e, struct str path)
{
	struct map_node *n = map_first(&e->groups, map_hash_str(path));
	struct entry *en;

	for (; n != NULL; n = map_next(n)) {
		const struct step *st = CONTAINER(n, struct step, by_path);

		if (str_is(path, st->path) && !st->conf->archived)
			return st->conf;
	}
	en = view_entry_at(s->view, path);
	if (en == NULL || step_of(e, en->row.conf->id) != NULL)
		return NULL;
	return en->row.conf;
}

static enum err
find_group(struct store *s, struct edit *e, const struct monitor_conf *c,
    uint32_t *ret)
{
	struct str group, rest = str_cut(str_of(c->path), '/', &group);
	const struct monitor_conf *g;

	*ret = 0;
	if (rest.n == 0)
		return ERR_OK;
	g = group_at(s, e, group);
	if (g == NULL)
		return fail_at(&e->ei, ERR_INVALID, "group", 0,
		    "there is no group \"%.*s\"", (int)group.n, group.p);
	if (g->kind->drive != DRIVE_GROUP)
		return fail_at(&e->ei, ERR_INVALID, "group", 0,
		    "\"%.*s\" is no group", (int)group.n, group.p);
	if (c->kind->drive == DRIVE_GROUP)
		return fail_at(&e->ei, ERR_INVALID, "group", 0,
		    "a group cannot be in a group");
	*ret = g->id;
	return ERR_OK;
}

static void
give_token(struct monitor_conf *c)
{
	unsigned char raw[16];
	char hex[2 * sizeof(raw) + 1];

	if (c->kind->drive != DRIVE_PUSH || c->token != NULL)
		return;
	random_bytes(raw, sizeof(raw));
	text_hex(hex, sizeof(hex), raw, sizeof(raw));
	monitor_conf_set_token(c, hex);
}

/* A new id, a place, a token: what the document or the body cannot say. */
static enum err
complete(struct store *s, struct edit *e, struct monitor_conf *c,
    const struct monitor_conf *old)
{
	enum err r;

	r = find_group(s, e, c, &c->group);
	if (r != ERR_OK)
		return r;
	c->version = old == NULL ? 1 : old->version + 1;
	c->id = old == NULL ? e->next_monitor : old->id;
	c->created_us = old == NULL ? e->at_us : old->created_us;
	c->paused = old != NULL && old->paused;
	if (old == NULL) {
		if (e->next_monitor == UINT32_MAX ||
		    s->view->nids + e->n >= MONITORS_MAX)
			return fail(&e->ei, ERR_LIMIT, "there are %u monitors"
			    " already, no more are allowed", MONITORS_MAX);
		e->next_monitor++;
	}
	give_token(c);
	return ERR_OK;
}

static const char *
group_name_of(struct store *s, struct edit *e, uint32_t id)
{
	struct step *st = id == 0 ? NULL : step_of(e, id);
	struct entry *en;

	if (st != NULL)
		return st->kind == STEP_PUT ? st->conf->name : NULL;
	en = id == 0 ? NULL : view_entry(s->view, id);
	return en == NULL ? NULL : en->row.conf->name;
}

/* Members carry their group's name in their path. */
static void
rename_members(struct store *s, struct edit *e)
{
	size_t n = e->n;
	bool any = false;

	for (size_t i = 0; i < n && !any; i++) {
		struct entry *en = view_entry(s->view, e->v[i].id);

		any = e->v[i].kind == STEP_PUT && en != NULL &&
		    en->row.conf->kind->drive == DRIVE_GROUP &&
		    strcmp(en->row.conf->path, e->v[i].conf->path) != 0;
	}
	for (size_t i = 0; any && i < s->view->nids; i++) {
		const struct monitor_conf *old = s->view->ids[i]->row.conf;
		struct step *g = old->group == 0 ? NULL :
		    step_of(e, old->group);
		struct monitor_conf *c;

		if (g == NULL || g->kind != STEP_PUT ||
		    step_of(e, old->id) != NULL)
			continue;
		c = confs_copy(s, old, old->name, g->conf->name);
		if (strcmp(c->path, old->path) != 0) {
			c->version++;
			add_put(e, c, old, "rename");
		}
		monitor_conf_unref(c);
	}
}

static enum err
one_change(struct store *s, struct edit *e, struct change *ch)
{
	struct monitor_conf *c = ch->new_;
	struct monitor_conf *old = ch->old;
	enum err r;

	if (ch->kind == CHANGE_DELETE) {
		add_delete(e, old);
		return ERR_OK;
	}
	if (c == NULL || c == old) {   /* archived: as it was but for that */
		const char *group = group_name_of(s, e, old->group);

		c = confs_copy(s, old, old->name, group);
	} else {
		(void)monitor_conf_ref(c);
	}
	if (ch->kind == CHANGE_ARCHIVE)
		c->archived = true;
	r = c->archived ? ERR_OK : complete(s, e, c, old);
	if (c->archived) {
		monitor_conf_inherit(c, old);
		c->archived = true;
		c->version++;
	}
	if (r == ERR_OK) {
		add_put(e, c, old, change_kind_name(ch->kind));
		if (ch->detail != NULL)
			e->v[e->n - 1].detail = xstrdup(ch->detail);
	}
	monitor_conf_unref(c);
	return r;
}

static void
one_channel(struct edit *e, const struct change *ch)
{
	size_t i = 0;

	e->rechannel = true;
	while (i < e->nchannels &&
	    strcmp(e->channels[i].name, ch->channel->name) != 0)
		i++;
	if (ch->kind == CHANGE_CHANNEL_PUT) {
		if (i == e->nchannels)
			e->nchannels++;
		e->channels[i] = *ch->channel;
	} else if (i < e->nchannels) {
		e->channels[i] = e->channels[--e->nchannels];
	}
}

static void
copy_channels(struct store *s, struct edit *e, size_t more)
{
	e->channels = xcalloc(s->view->nchannels + more + 1,
	    sizeof(*e->channels));
	if (s->view->nchannels > 0)
		memcpy(e->channels, s->view->channels,
		    s->view->nchannels * sizeof(*e->channels));
	e->nchannels = s->view->nchannels;
}

/* Of what will be, not of what is: two may swap their tokens, and a new monitor
 * may take that of one that goes. */
static enum err
check_tokens(struct store *s, struct edit *e)
{
	const struct monitor_conf *c, *other;
	const struct step *st;
	uint32_t have, key;

	for (size_t i = 0; i < e->n; i++) {
		c = e->v[i].kind == STEP_PUT ? e->v[i].conf : NULL;
		if (c == NULL || c->archived || c->token == NULL)
			continue;
		have = view_token(s->view, str_of(c->token), &key);
		if (have == 0 || have == c->id)
			continue;
		st = step_of(e, have);
		other = st != NULL ? st->conf :
		    view_entry(s->view, have)->row.conf;
		if (other == NULL || other->archived || other->token == NULL ||
		    strcmp(other->token, c->token) != 0)
			continue;
		return fail_at(&e->ei, ERR_CONFLICT, "token", 0,
		    "\"%s\" has the push token of \"%s\"; each needs its "
		    "own", c->path, other->path);
	}
	return ERR_OK;
}

static struct monitor_conf **
all_confs(struct view *v)
{
	struct monitor_conf **all = xcalloc(v->nids + 1,
	    sizeof(struct monitor_conf *));

	for (size_t i = 0; i < v->nids; i++)
		all[i] = v->ids[i]->row.conf;
	return all;
}

static enum err
find_apply(struct store *s, struct edit *e)
{
	struct config_unit *u = e->unit;
	struct monitor_conf **all CLEANUP(xfreep) = all_confs(s->view);
	struct window_stored *w = NULL;
	size_t nw = windows_list(s->view->windows, &w);
	struct stored have = {.monitors = all, .nmonitors = s->view->nids,
	    .channels = s->view->channels, .nchannels = s->view->nchannels,
	    .windows = w, .nwindows = nw};
	enum err r = plan_make(&have, u->doc, &u->opts, &e->plan, &e->ei);

	for (size_t i = 0; i < nw; i++)
		window_stored_clear(&w[i]);
	xfree(w);
	if (r != ERR_OK)
		return r;
	json_decref(u->plan);
	u->plan = plan_json(e->plan);
	e->quiet = u->dry_run || e->plan->n == 0;
	if (e->quiet)
		return ERR_OK;
	make_room(e, e->plan->n + s->view->nids);
	copy_channels(s, e, e->plan->n);
	for (size_t i = 0; r == ERR_OK && i < e->plan->n; i++) {
		struct change *ch = &e->plan->v[i];

		if (ch->kind == CHANGE_CHANNEL_PUT ||
		    ch->kind == CHANGE_CHANNEL_DELETE)
			one_channel(e, ch);
		else if (ch->kind == CHANGE_WINDOW_PUT ||
		    ch->kind == CHANGE_WINDOW_DELETE)
			r = edit_window_change(e, ch);
		else
			r = one_change(s, e, ch);
	}
	if (r != ERR_OK)
		return r;
	rename_members(s, e);
	return check_tokens(s, e);
}

static enum err
check_notify(struct store *s, struct edit *e, const struct monitor_conf *c)
{
	for (size_t i = 0; i < c->notify.n; i++) {
		size_t k = 0;

		while (k < s->view->nchannels &&
		    strcmp(s->view->channels[k].name, c->notify.v[i]) != 0)
			k++;
		if (k == s->view->nchannels)
			return fail_at(&e->ei, ERR_INVALID, "notify", 0,
			    "there is no channel \"%s\"", c->notify.v[i]);
	}
	return ERR_OK;
}

struct edit_paths {
	struct depends_view view;
	struct store *s;
	const struct monitor_conf *now, *old;
};

static const struct monitor_conf *
edit_find(struct depends_view *v, const char *path)
{
	const struct edit_paths *p = CONTAINER(v, struct edit_paths,
	    view);
	struct entry *en;

	if (strcmp(p->now->path, path) == 0)
		return p->now;
	en = view_entry_at(p->s->view, str_of(path));
	return en == NULL || en->row.conf->archived ||
	    (p->old != NULL && en->row.conf->id == p->old->id) ? NULL :
	    en->row.conf;
}

static enum err
check_depends(struct store *s, struct edit *e, struct monitor_conf *c,
    const struct monitor_conf *old)
{
	struct edit_paths p = {{edit_find}, s, c, old};
	size_t at;

	return depends_check(&c, 1, &p.view, false, &at, &e->ei);
}

static enum err
check_path(struct store *s, struct edit *e, const struct monitor_conf *c,
    const struct monitor_conf *old)
{
	struct entry *en = view_entry_at(s->view, str_of(c->path));

	if (en != NULL && (old == NULL || en->row.conf->id != old->id))
		return fail_at(&e->ei, ERR_CONFLICT, "name", 0,
		    "there is a monitor \"%s\" already", c->path);
	for (size_t i = 0; i < s->view->nids; i++) {
		const struct monitor_conf *a = s->view->ids[i]->row.conf;

		if (a->archived && strcmp(a->path, c->path) == 0 &&
		    (old == NULL || strcmp(old->path, c->path) != 0))
			return fail_at(&e->ei, ERR_CONFLICT, "name", 0, "the"
			    " archived monitor %u has the name \"%s\"; delete"
			    " it or name it in the file again", a->id, c->path);
	}
	return ERR_OK;
}

static size_t
count_members(struct store *s, uint32_t group)
{
	size_t n = 0;

	for (size_t i = 0; i < s->view->nids; i++)
		n += s->view->ids[i]->row.conf->group == group;
	return n;
}

/* One monitor that is new (old NULL) or takes old's place. */
static enum err
one_monitor(struct store *s, struct edit *e, struct monitor_conf *c,
    struct monitor_conf *old)
{
	struct config_unit *u = e->unit;
	enum err r;

	r = check_path(s, e, c, old);
	if (r == ERR_OK)
		r = check_notify(s, e, c);
	if (r == ERR_OK)
		r = check_depends(s, e, c, old);
	if (r == ERR_OK && old != NULL && c->kind != old->kind &&
	    old->kind->drive == DRIVE_GROUP && count_members(s, old->id) > 0)
		r = fail_at(&e->ei, ERR_CONFLICT, "type", 0,
		    "the group has members; move or delete them first");
	if (r != ERR_OK)
		return r;
	e->quiet = old != NULL && strcmp(old->text, c->text) == 0 &&
	    strcmp(old->path, c->path) == 0;
	u->ret_monitor = old != NULL ? old->id : 0;
	if (e->quiet)
		return ERR_OK;
	make_room(e, 1 + s->view->nids);
	r = complete(s, e, c, old);
	if (r != ERR_OK)
		return r;
	c->archived = old != NULL && old->archived;
	add_put(e, c, old, old == NULL ? "create" : "update");
	if (old != NULL)
		e->v[e->n - 1].detail = plan_diff(old, c);
	u->ret_monitor = c->id;
	rename_members(s, e);
	return check_tokens(s, e);
}

static enum err
find_one(struct store *s, struct edit *e, struct monitor_conf *old)
{
	struct config_unit *u = e->unit;
	struct monitor_conf *c = NULL;
	enum err r;

	if (u->op == CONFIG_PATCH)
		r = monitor_conf_patch(old, u->body, s->conf.kinds, &c, &e->ei);
	else
		r = monitor_conf_replace(old, u->body, s->conf.kinds, &c,
		    &e->ei);
	if (r == ERR_OK)
		r = one_monitor(s, e, c, old);
	monitor_conf_unref(c);
	return r;
}

static enum err
find_delete(struct store *s, struct edit *e, struct monitor_conf *old)
{
	size_t members = count_members(s, old->id);

	if (members > 0 && !e->unit->opts.cascade)
		return fail(&e->ei, ERR_CONFLICT, "the group %s has %zu"
		    " members; delete it with them (cascade), or move them",
		    old->path, members);
	make_room(e, 1 + members);
	for (size_t i = 0; members > 0 && i < s->view->nids; i++)
		if (s->view->ids[i]->row.conf->group == old->id)
			add_delete(e, s->view->ids[i]->row.conf);
	add_delete(e, old);
	return ERR_OK;
}

enum err
edit_find_steps(struct store *s, struct edit *e)
{
	struct config_unit *u = e->unit;
	struct entry *en;

	if (u->op == CONFIG_APPLY)
		return find_apply(s, e);
	if (u->op == CONFIG_CREATE)
		return find_one(s, e, NULL);
	if (u->op >= CONFIG_WINDOW_CREATE)
		return edit_window_find(s, e);
	en = view_entry(s->view, u->monitor);
	if (en == NULL)
		return fail(&e->ei, ERR_NOT_FOUND, "there is no monitor %u",
		    u->monitor);
	if (u->if_version != 0 && u->if_version != en->row.conf->version)
		return fail(&e->ei, ERR_CONFLICT, "it was changed meanwhile:"
		    " version %llu is now %llu",
		    (unsigned long long)u->if_version,
		    (unsigned long long)en->row.conf->version);
	if (u->op == CONFIG_DELETE)
		return find_delete(s, e, en->row.conf);
	return find_one(s, e, en->row.conf);
}

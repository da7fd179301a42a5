/* plan.c: changes in an order in which each can be made: channels, then what
 * is new or different (a group before its members, a name only after whoever
 * had it has moved on), then what goes (members before their group, channels
 * last). */
#include "conf/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/channel.h"
#include "conf/depends.h"
#include "conf/plan_diff.h"
#include "conf/plan_match.h"
#include "conf/plan_window.h"
#include "conf/tree_build.h"

#define LOSE_MAX 1000   /* paths listed of those who would alert nobody */

struct planner {
	const struct stored *have;
	const struct document *want;
	const struct plan_opts *o;
	struct match m;
	struct plan *p;
	size_t cap;
	struct map channels;       /* of channel_uses, by name */
	struct channel_use *uses;
	struct errinfo *ei;
};

/* A stored channel: does the document name it, does a kept monitor? */
struct channel_use {
	struct map_node node;
	const struct channel_conf *have, *want;
	bool wanted, gone;
	const struct monitor_conf *by;   /* one that is kept, not in the file */
};

const char *
change_kind_name(enum change_kind k)
{
	static const char *const names[] = {
		[CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update",
		[CHANGE_RENAME] = "rename", [CHANGE_DELETE] = "delete",
		[CHANGE_ARCHIVE] = "archive", [CHANGE_RESTORE] = "restore",
		[CHANGE_CHANNEL_PUT] = "channel_put",
		[CHANGE_CHANNEL_DELETE] = "channel_delete",
		[CHANGE_WINDOW_PUT] = "maintenance_put",
		[CHANGE_WINDOW_DELETE] = "maintenance_delete",
	};
	_Static_assert(COUNT(names) == CHANGE_NMAX, "one name per kind");

	return (unsigned)k < CHANGE_NMAX ? names[k] : "?";
}

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		monitor_conf_unref(p->v[i].new_);
		xfree(p->v[i].detail);
	}
	xfree(p->v);
	xfree(p->lose_alerts);
	xfree(p);
}

void
plan_freep(struct plan *const *p)
{
	plan_free(*p);
}

static void
planner_free(struct planner *pl)
{
	match_free(&pl->m);
	map_free(&pl->channels);
	xfree(pl->uses);
	plan_free(pl->p);
}

/* detail and new_ are taken. */
static struct change *
plan_add(struct planner *pl, enum change_kind kind, const char *path,
    char *detail)
{
	struct change *c;

	if (pl->p->n == pl->cap) {
		pl->cap = pl->cap == 0 ? 64 : pl->cap * 2;
		pl->p->v = xrealloc(pl->p->v, pl->cap, sizeof(*c));
	}
	c = &pl->p->v[pl->p->n++];
	*c = (struct change){.kind = kind, .detail = detail};
	(void)snprintf(c->path, sizeof(c->path), "%s", path);
	return c;
}

/* -- channels -------------------------------------------------------------- */

static struct channel_use *
plan_channel(const struct planner *pl, const char *name)
{
	struct map_node *n = map_first(&pl->channels,
	    map_hash_str(str_of(name)));

	for (; n != NULL; n = map_next(n)) {
		struct channel_use *u = CONTAINER(n, struct channel_use, node);
		if (strcmp(u->have->name, name) == 0)
			return u;
	}
	return NULL;
}

static enum err
plan_channels(struct planner *pl)
{
	const struct stored *h = pl->have;
	struct channel_use *u;
	struct channel_conf *c;
	enum err e;

	pl->uses = xcalloc(h->nchannels + 1, sizeof(*pl->uses));
	for (size_t i = 0; i < h->nchannels; i++) {
		u = &pl->uses[i];
		u->have = &h->channels[i];
		map_put(&pl->channels, &u->node,
		    map_hash_str(str_of(u->have->name)));
	}
	for (size_t i = 0; i < pl->want->nchannels; i++) {
		c = &pl->want->channels[i];
		u = plan_channel(pl, c->name);
		e = channel_keep_secrets(c, u != NULL ? u->have : NULL,
		    pl->ei);
		if (e != ERR_OK)
			return e;
		if (u != NULL)
			u->wanted = true;
		if (u != NULL && channel_equal(c, u->have))
			continue;
		plan_add(pl, CHANGE_CHANNEL_PUT, c->name, plan_diff_channel(
		    u != NULL ? u->have : NULL, c))->channel = c;
	}
	return ERR_OK;
}

/* Monitors of the document keep a channel that it does not name itself. */
static void
plan_uses(struct planner *pl, const struct monitor_conf *c, bool in_file)
{
	struct channel_use *u;

	for (size_t i = 0; i < c->notify.n; i++) {
		u = plan_channel(pl, c->notify.v[i]);
		if (u == NULL)
			continue;
		if (in_file)
			u->wanted = true;
		else if (u->by == NULL)
			u->by = c;
	}
}

static enum err
plan_channels_gone(struct planner *pl)
{
	struct channel_use *u;

	if (!pl->o->prune)
		return ERR_OK;
	for (size_t i = 0; i < pl->m.nwanted; i++)
		plan_uses(pl, *pl->m.wanted[i].conf, true);
	for (size_t i = 0; i < pl->m.nslots; i++)
		if (pl->m.slots[i].wanted == NULL &&
		    pl->m.slots[i].fate != FATE_DELETE)
			plan_uses(pl, pl->m.slots[i].conf, false);
	for (size_t i = 0; i < pl->have->nchannels; i++) {
		u = &pl->uses[i];
		u->gone = !u->wanted;
		if (u->gone && u->by != NULL && !pl->o->cascade)
			return fail_at(pl->ei, ERR_CONFLICT, "channels", 0,
			    "channel \"%s\" would be deleted, but \"%s\" still "
			    "notifies it; name it in the file, or --cascade "
			    "takes it out there too", u->have->name,
			    u->by->path);
	}
	return ERR_OK;
}

/* c, kept as it is but under another group's name or without channels that
 * go. Owned. */
static struct monitor_conf *
plan_copy(struct planner *pl, const struct monitor_conf *c, const char *group)
{
	const struct monitor_kind *const kinds[] = {c->kind, NULL};
	struct monitor_conf *copy = NULL;
	json_t *v = json_loads(c->text, 0, NULL), *notify = json_array();
	const struct channel_use *u;
	char *text;
	enum err e;

	for (size_t i = 0; i < c->notify.n; i++) {
		u = plan_channel(pl, c->notify.v[i]);
		if (u == NULL || !u->gone)
			(void)json_array_append_new(notify,
			    json_string(c->notify.v[i]));
	}
	if (c->notify.n > 0)
		(void)json_object_set(v, "notify", notify);
	json_decref(notify);
	text = opt_text(v);
	json_decref(v);
	e = monitor_conf_load(str_of(text), c->name, group, kinds, &copy, NULL);
	xfree(text);
	assert(e == ERR_OK);   /* it was read before, and this is less */
	if (copy != NULL)
		monitor_conf_inherit(copy, c);
	return copy;
}

/* -- what goes ------------------------------------------------------------- */

static enum err
plan_group_kept(struct planner *pl, const struct slot *member)
{
	const struct slot *g = member->group;

	if (g->wanted != NULL)
		return fail_at(pl->ei, ERR_CONFLICT, g->conf->path,
		    g->wanted->line, "would no longer be a group, but \"%s\" "
		    "is still in it; move it or delete it first",
		    member->conf->path);
	return fail_at(pl->ei, ERR_CONFLICT, g->conf->path, 0,
	    "the group would be deleted, but \"%s\" is still in it; "
	    "--cascade deletes it too", member->conf->path);
}

static enum err
plan_fates(struct planner *pl)
{
	struct slot *s, *g;

	for (size_t i = 0; i < pl->m.nslots; i++) {
		s = &pl->m.slots[i];
		if (s->wanted != NULL)
			continue;
		if (pl->o->prune && s->conf->origin != ORIGIN_HAND)
			s->fate = FATE_DELETE;
		else if (pl->o->archive && !s->conf->archived &&
		    s->conf->origin == pl->o->origin)
			s->fate = FATE_ARCHIVE;
	}
	for (size_t i = 0; i < pl->m.nslots; i++) {
		s = &pl->m.slots[i];
		g = s->group;
		if (g == NULL || s->wanted != NULL || s->fate == FATE_DELETE)
			continue;
		if (g->wanted != NULL) {
			if ((*g->wanted->conf)->kind->drive != DRIVE_GROUP)
				return plan_group_kept(pl, s);
		} else if (g->fate == FATE_DELETE) {
			if (!pl->o->cascade)
				return plan_group_kept(pl, s);
			s->fate = FATE_DELETE;
		} else if (g->fate == FATE_ARCHIVE && s->fate == FATE_KEEP &&
		    !s->conf->archived) {
			/* Somebody's own monitor lives there: the group
			 * stays for it. */
			g->fate = FATE_KEEP;
		}
	}
	return ERR_OK;
}

static void
plan_goes(struct planner *pl, const struct slot *s)
{
	bool gone = s->fate == FATE_DELETE;
	struct change *c = plan_add(pl, gone ? CHANGE_DELETE : CHANGE_ARCHIVE,
	    s->conf->path, plan_diff_target(s->conf));

	c->old = s->conf;
	if (gone)
		return;
	c->new_ = plan_copy(pl, s->conf, s->group != NULL ?
	    s->group->conf->name : NULL);
	c->new_->archived = true;
}

static void
plan_gone(struct planner *pl)
{
	const struct slot *s;

	for (int groups = 0; groups <= 1; groups++) {
		for (size_t i = 0; i < pl->m.nslots; i++) {
			s = &pl->m.slots[i];
			if (s->wanted == NULL && s->fate != FATE_KEEP &&
			    (s->conf->kind->drive == DRIVE_GROUP) == groups)
				plan_goes(pl, s);
		}
	}
	for (size_t i = 0; i < pl->have->nchannels; i++)
		if (pl->uses[i].gone)
			plan_add(pl, CHANGE_CHANNEL_DELETE,
			    pl->uses[i].have->name, xstrdup(""))->channel =
			    pl->uses[i].have;
}

/* Kept and not in the file, but its group has another name now, or one of its
 * channels goes. Archived ones are looked at when they are restored. */
static void
plan_kept(struct planner *pl)
{
	struct slot *s;
	const struct slot *g;
	const struct channel_use *u;
	struct change *c;
	struct monitor_conf *copy;
	bool moved, loses;

	for (size_t i = 0; i < pl->m.nslots; i++) {
		s = &pl->m.slots[i];
		if (s->wanted != NULL || s->fate != FATE_KEEP ||
		    s->conf->archived)
			continue;
		g = s->group;
		moved = g != NULL && g->wanted != NULL && strcmp(
		    g->conf->name, (*g->wanted->conf)->name) != 0;
		loses = false;
		for (size_t k = 0; k < s->conf->notify.n; k++) {
			u = plan_channel(pl, s->conf->notify.v[k]);
			loses = loses || (u != NULL && u->gone);
		}
		if (!moved && !loses)
			continue;
		copy = plan_copy(pl, s->conf, g == NULL ? NULL : moved ?
		    (*g->wanted->conf)->name : g->conf->name);
		c = plan_add(pl, moved ? CHANGE_RENAME : CHANGE_UPDATE,
		    copy->path, plan_diff(s->conf, copy));
		c->old = s->conf;
		c->new_ = copy;
	}
}

/* -- what is wanted -------------------------------------------------------- */

/* The file owns what it names; apply leaves owners as they are, so that what
 * was exported and is applied again changes nothing. */
static enum origin
plan_origin(const struct planner *pl, const struct monitor_conf *old)
{
	if (old == NULL || old->archived || pl->o->origin == ORIGIN_FILE)
		return pl->o->origin;
	return old->origin;
}

static enum err
plan_secrets(struct planner *pl, const struct wanted *w)
{
	const struct monitor_conf *old = w->old != NULL ? w->old->conf : NULL;
	struct errinfo ei = {0};
	enum err e;

	e = old != NULL ? monitor_conf_keep_secrets(w->conf, old, &ei) :
	    monitor_conf_unmasked(*w->conf, &ei);
	if (e == ERR_OK)
		return ERR_OK;
	(void)fail_at(pl->ei, e, ei.field, w->line, "%s", ei.text);
	opt_under(pl->ei, "%s.", (*w->conf)->path);
	if (pl->ei != NULL)
		(void)text_copy(pl->ei->file, sizeof(pl->ei->file),
		    str_of(pl->want->file));
	return e;
}

static void
plan_one(struct planner *pl, const struct wanted *w)
{
	struct monitor_conf *c = *w->conf;
	const struct monitor_conf *old = w->old != NULL ? w->old->conf : NULL;
	enum origin origin = plan_origin(pl, old);
	enum change_kind kind = CHANGE_CREATE;
	struct change *ch;

	if (old != NULL)
		monitor_conf_inherit(c, old);
	c->origin = origin;
	c->archived = false;
	c->group = w->group != NULL && w->group->old != NULL ?
	    w->group->old->conf->id : 0;
	if (old != NULL) {
		bool moved = strcmp(c->path, old->path) != 0;

		if (!old->archived && !moved && origin == old->origin &&
		    c->group == old->group && strcmp(c->text, old->text) == 0)
			return;
		kind = old->archived ? CHANGE_RESTORE : moved ?
		    CHANGE_RENAME : CHANGE_UPDATE;
	}
	ch = plan_add(pl, kind, c->path, old != NULL ? plan_diff(old, c) :
	    plan_diff_target(c));
	ch->old = w->old != NULL ? w->old->conf : NULL;
	ch->new_ = monitor_conf_ref(c);
}

/* Who has to be dealt with before w: its group, or who has its path now and
 * goes elsewhere. Each waits for at most one of either, and they end at a path
 * that nobody has. */
static struct wanted *
plan_before(const struct planner *pl, const struct wanted *w)
{
	struct slot *s;

	if (w->group != NULL && w->group->mark == 0)
		return w->group;
	s = match_path(&pl->m, str_of((*w->conf)->path));
	if (s != NULL && s->wanted != NULL && s->wanted != w &&
	    s->wanted->mark == 0)
		return s->wanted;
	return NULL;
}

static void
plan_wanted(struct planner *pl)
{
	struct wanted **stack CLEANUP(xfreep) = xcalloc(pl->m.nwanted + 1,
	    sizeof(struct wanted *));
	struct wanted *w, *first;
	size_t n = 0;

	for (size_t i = 0; i < pl->m.nwanted; i++) {
		if (pl->m.wanted[i].mark != 0)
			continue;
		stack[n++] = &pl->m.wanted[i];
		pl->m.wanted[i].mark = 1;
		while (n > 0) {
			w = stack[n - 1];
			first = plan_before(pl, w);
			if (first != NULL) {
				first->mark = 1;
				stack[n++] = first;
				continue;
			}
			plan_one(pl, w);
			n--;
		}
	}
}

/* -- who depends on whom ---------------------------------------------------- */

struct plan_paths {
	struct depends_view view;
	const struct planner *pl;
	struct map by_path;         /* of wanted */
	struct path_node { struct map_node node;
		const struct monitor_conf *conf; } *v;
};

/* Wanted, or stored and kept; a kept member of a group that is renamed goes
 * by its old path once more. */
static const struct monitor_conf *
plan_find(struct depends_view *v, const char *path)
{
	const struct plan_paths *p = CONTAINER(v, struct plan_paths,
	    view);
	struct map_node *n = map_first(&p->by_path,
	    map_hash_str(str_of(path)));
	const struct slot *s;

	for (; n != NULL; n = map_next(n)) {
		struct path_node *w = CONTAINER(n, struct path_node, node);

		if (strcmp(w->conf->path, path) == 0)
			return w->conf;
	}
	s = match_path(&p->pl->m, str_of(path));
	return s == NULL || s->wanted != NULL || s->fate == FATE_DELETE ||
	    s->conf->archived ? NULL : s->conf;
}

static enum err
plan_depends(struct planner *pl)
{
	const struct document *d = pl->want;
	struct plan_paths p = {.view = {plan_find}, .pl = pl};
	size_t at = 0;
	enum err e;

	p.v = xcalloc(d->nmonitors + 1, sizeof(*p.v));
	for (size_t i = 0; i < d->nmonitors; i++) {
		p.v[i].conf = d->monitors[i];
		map_put(&p.by_path, &p.v[i].node,
		    map_hash_str(str_of(d->monitors[i]->path)));
	}
	e = depends_check(d->monitors, d->nmonitors, &p.view, false, &at,
	    pl->ei);
	map_free(&p.by_path);
	xfree(p.v);
	if (e != ERR_OK && pl->ei != NULL) {
		pl->ei->line = d->lines[at];
		opt_under(pl->ei, "%s.", d->monitors[at]->path);
	}
	return e;
}

/* -- maintenance ----------------------------------------------------------- */

static void
plan_maintenance(struct planner *pl)
{
	struct change *v CLEANUP(xfreep) = NULL;
	size_t n = plan_windows(pl->have, pl->want, pl->o, &v);

	for (size_t i = 0; i < n; i++)
		*plan_add(pl, v[i].kind, v[i].path, NULL) = v[i];
}

/* -- who would hear nothing any more --------------------------------------- */

static void
plan_lose(struct planner *pl)
{
	const struct change *c;
	size_t n = 0;
	BUF_AUTO(out, LOSE_MAX * (MONITOR_PATH_MAX + 2) + 64);

	for (size_t i = 0; i < pl->p->n; i++) {
		c = &pl->p->v[i];
		if (c->old == NULL || c->old->archived ||
		    c->old->notify.n == 0 || (c->new_ != NULL &&
		    !c->new_->archived && (c->new_->notify.n > 0 ||
		    route_conf_any(&pl->want->settings.alerts, c->new_))))
			continue;
		if (n++ < LOSE_MAX)
			buf_addf(&out, "%s%s", n > 1 ? "\n" : "",
			    c->old->path);
	}
	if (n > LOSE_MAX)
		buf_addf(&out, "\nand %zu more", n - LOSE_MAX);
	pl->p->lose_alerts = buf_take(&out);
}

enum err
plan_make(const struct stored *have, const struct document *want,
    const struct plan_opts *o, struct plan **ret, struct errinfo *ei)
{
	struct planner pl CLEANUP(planner_free) = {
		.have = have, .want = want, .o = o, .ei = ei,
	};
	enum err e;

	pl.p = xcalloc(1, sizeof(*pl.p));
	match_make(&pl.m, have, want);
	e = plan_channels(&pl);
	for (size_t i = 0; e == ERR_OK && i < pl.m.nwanted; i++)
		e = plan_secrets(&pl, &pl.m.wanted[i]);
	if (e == ERR_OK)
		e = plan_fates(&pl);
	if (e == ERR_OK)
		e = plan_channels_gone(&pl);
	if (e == ERR_OK)
		e = plan_depends(&pl);
	if (e != ERR_OK) {
		tree_blame(ei, want->file);
		return e;
	}
	plan_wanted(&pl);
	plan_kept(&pl);
	plan_gone(&pl);
	plan_maintenance(&pl);
	plan_lose(&pl);
	*ret = TAKE(pl.p);
	return ERR_OK;
}

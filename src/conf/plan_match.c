/* plan_match.c: a monitor is its path. Only where a wanted path is not stored,
 * or only archived, does "was" (or the "was" of its group) say which stored
 * monitor it is; so the same document twice finds everything by path the
 * second time. */
#include "conf/plan_match.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* A live monitor goes before an archived one of the same path. */
struct slot *
match_path(const struct match *m, struct str path)
{
	struct map_node *n = map_first(&m->by_path, map_hash_str(path));
	struct slot *s, *archived = NULL;

	for (; n != NULL; n = map_next(n)) {
		s = CONTAINER(n, struct slot, by_path);
		if (!str_eq(str_of(s->conf->path), path))
			continue;
		if (!s->conf->archived)
			return s;
		archived = s;
	}
	return archived;
}

struct slot *
match_id(const struct match *m, uint32_t id)
{
	struct map_node *n = map_first(&m->by_id, map_hash_u64(id));

	for (; id != 0 && n != NULL; n = map_next(n)) {
		struct slot *s = CONTAINER(n, struct slot, by_id);
		if (s->conf->id == id)
			return s;
	}
	return NULL;
}

/* "group/name" when nobody has claimed it yet; NULL. */
static struct slot *
match_free_path(const struct match *m, const char *group, const char *name)
{
	char path[2 * MONITOR_PATH_MAX + 2];
	struct slot *s;

	if (group == NULL)
		s = match_path(m, str_of(name));
	else {
		(void)snprintf(path, sizeof(path), "%s/%s", group, name);
		s = match_path(m, str_of(path));
	}
	return s != NULL && s->wanted == NULL ? s : NULL;
}

/* Who it was before, by its own word or because its group was renamed. */
static struct slot *
match_before(const struct match *m, const struct wanted *w)
{
	const struct monitor_conf *c = *w->conf;
	const char *group = NULL, *old_group = NULL;
	struct slot *s = NULL;

	if (w->group != NULL) {
		group = (*w->group->conf)->name;
		if (w->group->old != NULL)
			old_group = w->group->old->conf->name;
	}
	if (c->was != NULL && strchr(c->was, '/') == NULL) {
		if (group != NULL)
			s = match_free_path(m, group, c->was);
		if (s == NULL && old_group != NULL)
			s = match_free_path(m, old_group, c->was);
	}
	if (s == NULL && c->was != NULL)
		s = match_free_path(m, NULL, c->was);
	if (s == NULL && old_group != NULL && strcmp(old_group, group) != 0)
		s = match_free_path(m, old_group, c->name);
	return s;
}

static void
match_claim(struct wanted *w, struct slot *s)
{
	w->old = s;
	if (s != NULL)
		s->wanted = w;
}

static void
match_slots(struct match *m, const struct stored *have)
{
	struct slot *s;

	m->nslots = have->nmonitors;
	m->slots = xcalloc(m->nslots + 1, sizeof(*m->slots));
	for (size_t i = 0; i < m->nslots; i++) {
		s = &m->slots[i];
		s->conf = have->monitors[i];
		map_put(&m->by_path, &s->by_path,
		    map_hash_str(str_of(s->conf->path)));
		map_put(&m->by_id, &s->by_id, map_hash_u64(s->conf->id));
	}
	for (size_t i = 0; i < m->nslots; i++)
		m->slots[i].group = match_id(m, m->slots[i].conf->group);
}

void
match_make(struct match *m, const struct stored *have,
    const struct document *want)
{
	struct wanted *w, *group = NULL;
	struct slot *s, *before;

	memset(m, 0, sizeof(*m));
	match_slots(m, have);
	m->nwanted = want->nmonitors;
	m->wanted = xcalloc(m->nwanted + 1, sizeof(*m->wanted));
	/* Renames first: what they take is no longer there by its old path. */
	for (size_t i = 0; i < m->nwanted; i++) {
		w = &m->wanted[i];
		w->conf = &want->monitors[i];
		w->line = want->lines[i];
		if (strchr((*w->conf)->path, '/') != NULL)
			w->group = group;   /* a group is before its members */
		else if ((*w->conf)->kind->drive == DRIVE_GROUP)
			group = w;
		s = match_path(m, str_of((*w->conf)->path));
		if (s != NULL && !s->conf->archived)
			continue;
		/* What is archived under the new name stays so. */
		before = match_before(m, w);
		if (s == NULL || (before != NULL && !before->conf->archived))
			match_claim(w, before);
	}
	for (size_t i = 0; i < m->nwanted; i++) {
		w = &m->wanted[i];
		s = match_path(m, str_of((*w->conf)->path));
		if (w->old != NULL || s == NULL)
			continue;
		match_claim(w, s->wanted == NULL ? s : match_before(m, w));
	}
}

void
match_free(struct match *m)
{
	map_free(&m->by_path);
	map_free(&m->by_id);
	xfree(m->slots);
	xfree(m->wanted);
}

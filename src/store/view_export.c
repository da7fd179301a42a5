/* view_export.c: the stored configuration as a document again. */
#include <stdio.h>

#include "base/mem.h"
#include "conf/channel.h"
#include "store/entry.h"
#include "world/world.h"

static json_t *
channels(struct view *v, enum opt_secrets how)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->nchannels; i++)
		(void)json_array_append_new(all,
		    channel_json(&v->channels[i], how));
	return all;
}

size_t
view_channel_confs(struct view *v, struct channel_conf **ret)
{
	struct channel_conf *all;
	size_t n;

	pthread_rwlock_rdlock(&v->lock);
	n = v->nchannels;
	all = xcalloc(n + 1, sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		all[i] = v->channels[i];
		all[i].text = xstrdup(v->channels[i].text);
	}
	view_unlock(v);
	*ret = all;
	return n;
}

json_t *
view_channels(struct view *v, enum opt_secrets how)
{
	json_t *all;

	pthread_rwlock_rdlock(&v->lock);
	all = channels(v, how);
	view_unlock(v);
	return all;
}

/* Of what is over nobody needs a copy. */
static void
maintenance(struct view *v, json_t *doc)
{
	struct window_stored *w = NULL;
	size_t n = windows_list(v->windows, &w);
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++) {
		if (w[i].over_us == 0 || w[i].over_us > clock_wall_us())
			(void)json_array_append_new(all,
			    json_loads(w[i].text, 0, NULL));
		window_stored_clear(&w[i]);
	}
	xfree(w);
	if (json_array_size(all) > 0)
		(void)json_object_set(doc, "maintenance", all);
	json_decref(all);
}

/* Sorted by path a group comes before its members, but not always just
 * before: "A" and "A/x" may have "A b" between them. */
json_t *
view_export(struct view *v, enum opt_secrets how)
{
	json_t *doc = json_object(), *top = json_array();
	json_t *groups = json_object();
	char id[24];

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->npaths; i++) {
		const struct monitor_conf *c = v->paths[i]->row.conf;
		json_t *one = monitor_conf_json(c, how), *members;

		if (c->kind->drive == DRIVE_GROUP) {
			members = json_array();
			(void)json_object_set_new(one, "monitors", members);
			snprintf(id, sizeof(id), "%u", c->id);
			(void)json_object_set(groups, id, members);
		}
		snprintf(id, sizeof(id), "%u", c->group);
		members = c->group == 0 ? NULL : json_object_get(groups, id);
		(void)json_array_append_new(members != NULL ? members : top,
		    one);
	}
	(void)json_object_set_new(doc, "channels", channels(v, how));
	view_unlock(v);
	(void)json_object_set_new(doc, "monitors", top);
	maintenance(v, doc);
	json_decref(groups);
	return doc;
}

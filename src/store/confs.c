#include "store/confs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum err
confs_put(struct store *s, const struct monitor_conf *c, bool paused,
    struct errinfo *ei)
{
	assert(c->id != 0);
	s->batch->rows[ROW_CONFIG]++;
	return s->db->ops->run(s->db, STMT_MONITOR_PUT, VALS(V_INT(c->id),
	    V_TEXT(c->name), V_INT(c->group), V_TEXT(c->text),
	    V_INT(c->version), V_INT(c->origin), V_INT(c->archived),
	    V_INT(paused), V_INT(c->created_us)), NULL, ei);
}

enum err
confs_load(struct store *s, const struct monitor_conf *group,
    struct monitor_conf **ret, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	struct backend *db = s->db;
	enum stmt st = STMT_MONITOR_LOAD;
	struct str name = ops->column_str(db, st, 1);
	struct str text = ops->column_str(db, st, 3);
	char *cname CLEANUP(xfreep) = xstrndup(name.p, name.n);
	struct monitor_conf *c = NULL;
	struct errinfo why = {0};
	enum err e;

	e = monitor_conf_load(text, cname, group == NULL ? NULL : group->name,
	    s->conf.kinds, &c, &why);
	if (e != ERR_OK)
		return fail(ei, ERR_INVALID, "%s: the stored monitor %s (id"
		    " %lld) cannot be read: %.160s %.200s", s->conf.path, cname,
		    (long long)ops->column_int(db, st, 0), why.field,
		    why.text);
	c->id = (uint32_t)ops->column_int(db, st, 0);
	c->group = (uint32_t)ops->column_int(db, st, 2);
	c->version = (uint64_t)ops->column_int(db, st, 4);
	c->origin = (enum origin)ops->column_int(db, st, 5);
	c->archived = ops->column_int(db, st, 6) != 0;
	c->paused = ops->column_int(db, st, 7) != 0;
	c->created_us = ops->column_int(db, st, 8);
	*ret = c;
	return ERR_OK;
}

struct monitor_conf *
confs_copy(struct store *s, const struct monitor_conf *c, const char *name,
    const char *group_name)
{
	struct monitor_conf *copy = NULL;
	struct errinfo ei = {0};
	char path[sizeof(c->path)];
	enum err e = monitor_conf_load(str_of(c->text), name, group_name,
	    s->conf.kinds, &copy, &ei);

	/* It was built from the same text before. */
	if (e != ERR_OK)
		log_error("store", "a configuration cannot be copied",
		    KV("monitor", name), KV("field", &ei.field[0]));
	assert(e == ERR_OK);
	memcpy(path, copy->path, sizeof(path));
	monitor_conf_inherit(copy, c);
	memcpy(copy->path, path, sizeof(path));
	return copy;
}

void
confs_pause(struct store *s, struct entry *e, bool paused)
{
	const struct monitor_conf *c = e->row.conf;
	const char *slash = strchr(c->path, '/');
	struct monitor_conf *copy;
	char *group CLEANUP(xfreep) = NULL;

	if (c->paused == paused)
		return;
	if (c->group != 0 && slash != NULL)
		group = xstrndup(c->path, (size_t)(slash - c->path));
	copy = confs_copy(s, c, c->name, group);
	copy->paused = paused;
	(void)view_put(s->view, copy);
}

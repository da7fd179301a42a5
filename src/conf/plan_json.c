/* plan_json.c: a plan for people and programs. */
#include "conf/plan.h"

#include "base/buf.h"

static json_t *
plan_change_json(const struct change *c)
{
	const struct monitor_conf *m = c->new_ != NULL ? c->new_ : c->old;
	const char *type = m != NULL ? m->kind->name :
	    c->channel != NULL ? c->channel->type :
	    c->kind >= CHANGE_WINDOW_PUT ? "maintenance" : "";

	return json_pack("{s:s, s:s, s:s, s:s}",
	    "op", change_kind_name(c->kind), "path", c->path, "type", type,
	    "detail", c->detail != NULL ? c->detail : "");
}

json_t *
plan_json(const struct plan *p)
{
	json_t *changes = json_array(), *lose = json_array();
	json_t *counts = json_object(), *all = json_object();
	json_int_t n[CHANGE_NMAX] = {0};
	struct str rest = str_of(p->lose_alerts), line;

	for (size_t i = 0; i < p->n; i++) {
		(void)json_array_append_new(changes,
		    plan_change_json(&p->v[i]));
		n[p->v[i].kind]++;
	}
	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &line);
		(void)json_array_append_new(lose,
		    json_stringn(line.p, line.n));
	}
	for (unsigned k = 0; k < CHANGE_NMAX; k++)
		(void)json_object_set_new(counts,
		    change_kind_name((enum change_kind)k), json_integer(n[k]));
	(void)json_object_set_new(all, "changes", changes);
	(void)json_object_set_new(all, "lose_alerts", lose);
	(void)json_object_set_new(all, "counts", counts);
	return all;
}

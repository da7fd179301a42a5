#include "conf/plan_diff.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/channel.h"
#include "conf/opt_value.h"

#define VALUE_MAX 60   /* bytes shown of one value */

/* One object in two versions: plain to compare, masked to show. */
struct sides {
	const json_t *was, *now, *was_shown, *now_shown;
	const struct opt *rows;    /* for defaults; NULL: not known */
};

static void
diff_value(struct buf *out, const struct opt *row, const json_t *v)
{
	json_t *dflt = NULL;
	char *text CLEANUP(xfreep) = NULL;

	if (v == NULL && row != NULL)
		v = dflt = opt_value_default_json(row);
	if (v == NULL) {
		buf_adds(out, row != NULL && (row->type == OPT_DURATION ||
		    row->type == OPT_COUNT) ? "default" : "none");
		return;
	}
	if (json_is_string(v)) {
		text_line(out, str_of(json_string_value(v)), VALUE_MAX);
	} else {
		text = opt_text(v);
		text_line(out, str_of(text), VALUE_MAX);
	}
	json_decref(dflt);
}

static void diff_objects(struct buf *out, const struct sides *s,
    const char *prefix);

static void
diff_key(struct buf *out, const struct sides *s, const char *prefix,
    const char *key)
{
	const struct opt *row = opt_find(s->rows, str_of(key));
	const json_t *was = json_object_get(s->was, key);
	const json_t *now = json_object_get(s->now, key);
	struct sides in = {was, now, json_object_get(s->was_shown, key),
	    json_object_get(s->now_shown, key), row != NULL ? row->sub : NULL};
	const json_t *a = in.was_shown, *b = in.now_shown;
	char path[128];

	if (was == now || (was != NULL && now != NULL && json_equal(was, now)))
		return;
	if ((was == NULL || json_is_object(was)) &&
	    (now == NULL || json_is_object(now)) &&
	    (row == NULL || row->type == OPT_TABLE)) {
		(void)snprintf(path, sizeof(path), "%s%s.", prefix, key);
		diff_objects(out, &in, path);
		return;
	}
	if (out->n > 0)
		buf_adds(out, ", ");
	(void)snprintf(path, sizeof(path), "%s%s", prefix, key);
	text_line(out, str_of(path), sizeof(path));
	buf_adds(out, ": ");
	if (a != NULL && b != NULL && json_equal(a, b)) {
		buf_adds(out, "changed");   /* both are masked */
		return;
	}
	diff_value(out, row, a);
	buf_adds(out, " → ");
	diff_value(out, row, b);
}

static void
diff_objects(struct buf *out, const struct sides *s, const char *prefix)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)s->now, key, v)
		diff_key(out, s, prefix, key);
	json_object_foreach((json_t *)(uintptr_t)s->was, key, v)
		if (json_object_get(s->now, key) == NULL)
			diff_key(out, s, prefix, key);
}

/* Only as long as it fits: a cut detail still says that there is more. */
static char *
diff_take(struct buf *out)
{
	char *text;

	if (out->broken) {
		out->broken = false;
		out->max += 8;
		buf_adds(out, " …");
	}
	text = buf_take(out);
	return text;
}

static json_t *
diff_without_name(const struct monitor_conf *c, enum opt_secrets how)
{
	json_t *v = monitor_conf_json(c, how);

	(void)json_object_del(v, "name");
	return v;
}

/* Rows of every set, one after the other: a name is in one of them only. */
static struct opt *
diff_rows(const struct monitor_conf *c)
{
	struct opt_set sets[MONITOR_SETS];
	struct opt *all;
	size_t n = 1;

	monitor_conf_sets(c, sets);
	for (size_t i = 0; i < MONITOR_SETS; i++)
		for (const struct opt *o = sets[i].rows;
		    o != NULL && o->name != NULL; o++)
			n++;
	all = xcalloc(n, sizeof(*all));
	n = 0;
	for (size_t i = 0; i < MONITOR_SETS; i++)
		for (const struct opt *o = sets[i].rows;
		    o != NULL && o->name != NULL; o++)
			all[n++] = *o;
	return all;
}

char *
plan_diff(const struct monitor_conf *old, const struct monitor_conf *new_)
{
	struct opt *rows CLEANUP(xfreep) = diff_rows(new_);
	struct sides s = {.rows = rows};
	json_t *v[4];
	BUF_AUTO(out, DIFF_MAX);

	if (strcmp(old->path, new_->path) != 0) {
		buf_adds(&out, "was ");
		text_line(&out, str_of(old->path), MONITOR_PATH_MAX);
	}
	if (old->origin != new_->origin)
		buf_addf(&out, "%sorigin: %s → %s", out.n > 0 ? ", " : "",
		    origin_name(old->origin), origin_name(new_->origin));
	s.was = v[0] = diff_without_name(old, OPT_SECRETS_PLAIN);
	s.now = v[1] = diff_without_name(new_, OPT_SECRETS_PLAIN);
	s.was_shown = v[2] = diff_without_name(old, OPT_SECRETS_MASK);
	s.now_shown = v[3] = diff_without_name(new_, OPT_SECRETS_MASK);
	diff_objects(&out, &s, "");
	for (size_t i = 0; i < COUNT(v); i++)
		json_decref(v[i]);
	return diff_take(&out);
}

char *
plan_diff_channel(const struct channel_conf *old,
    const struct channel_conf *new_)
{
	struct sides s = {0};
	json_t *v[4];
	BUF_AUTO(out, DIFF_MAX);

	if (old == NULL)
		return xstrdup("new channel");
	for (size_t i = 0; channel_types[i].name != NULL; i++)
		if (strcmp(channel_types[i].name, new_->type) == 0)
			s.rows = channel_types[i].opts;
	s.was = v[0] = channel_json(old, OPT_SECRETS_PLAIN);
	s.now = v[1] = channel_json(new_, OPT_SECRETS_PLAIN);
	s.was_shown = v[2] = channel_json(old, OPT_SECRETS_MASK);
	s.now_shown = v[3] = channel_json(new_, OPT_SECRETS_MASK);
	diff_objects(&out, &s, "");
	for (size_t i = 0; i < COUNT(v); i++)
		json_decref(v[i]);
	return diff_take(&out);
}

char *
plan_diff_window(const char *old, const char *new_)
{
	struct sides s = {.rows = window_conf_opts};
	json_t *was, *now;
	BUF_AUTO(out, DIFF_MAX);

	if (old == NULL)
		return xstrdup("new window");
	was = json_loads(old, 0, NULL);
	now = json_loads(new_, 0, NULL);
	s.was = s.was_shown = was;
	s.now = s.now_shown = now;
	diff_objects(&out, &s, "");
	json_decref(was);
	json_decref(now);
	return diff_take(&out);
}

char *
plan_diff_target(const struct monitor_conf *c)
{
	BUF_AUTO(target, 4096);
	BUF_AUTO(out, DIFF_MAX);

	if (c->kind->target != NULL)
		c->kind->target(c->own, &target);
	text_line(&out, buf_str(&target), 200);
	return buf_take(&out);
}

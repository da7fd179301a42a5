/* document.c: one file as a whole: its parts are read by their own rows; here
 * is what only the whole can know: names used twice, channels that are not
 * there, groups in groups. */
#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/channel.h"
#include "conf/depends.h"
#include "conf/channel_opts.h"
#include "conf/tree_build.h"

/* A set of texts, each with the line where it was seen. */
struct seen {
	struct map_node node;
	struct str text;
	uint32_t line;
};
struct seen_set {
	struct map map;
	struct seen *v;   /* owned, room for all that will come */
	size_t n;
};

struct reader {
	struct document *d;
	const struct monitor_kind *const *kinds;
	const char *file;
	struct errinfo *ei;
	struct seen_set channels;   /* that a monitor may notify */
};

static void
seen_free(struct seen_set *s)
{
	map_free(&s->map);
	xfree(s->v);
}

static void
reader_free(struct reader *r)
{
	seen_free(&r->channels);
}

static const struct seen *
seen_find(const struct seen_set *s, struct str text)
{
	struct map_node *n = map_first(&s->map, map_hash_str(text));

	for (; n != NULL; n = map_next(n)) {
		const struct seen *e = CONTAINER(n, struct seen, node);
		if (str_eq(e->text, text))
			return e;
	}
	return NULL;
}

static void
seen_add(struct seen_set *s, struct str text, uint32_t line)
{
	struct seen *e = &s->v[s->n++];

	e->text = text;
	e->line = line;
	map_put(&s->map, &e->node, map_hash_str(text));
}

void
document_free(struct document *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->nmonitors; i++)
		monitor_conf_unref(d->monitors[i]);
	for (size_t i = 0; i < d->nchannels; i++)
		channel_clear(&d->channels[i]);
	settings_free(&d->settings);
	xfree(d->monitors);
	xfree(d->lines);
	xfree(d->channels);
	xfree(d);
}

void
document_freep(struct document *const *d)
{
	document_free(*d);
}

static enum err
document_settings(struct reader *r, const struct node *root)
{
	static const char *const skip[] = {"channels", "monitors", NULL};
	const struct opt_set set = {settings_opts, &r->d->settings};
	enum err e = opt_read(root, &set, 1, skip, r->ei);

	if (e != ERR_OK)
		return e;
	for (const struct opt *o = settings_opts; o->name != NULL; o++)
		if (node_get(root, o->name) != NULL)
			r->d->has_settings = true;
	e = settings_check(&r->d->settings, r->ei);
	if (e != ERR_OK && r->ei != NULL)
		r->ei->line = node_line(root, r->ei->field);
	return e;
}

/* *ret NULL: not there, or empty. */
static enum err
document_list(const struct node *in, const char *key, const struct node **ret,
    struct errinfo *ei)
{
	const struct node *n = node_get(in, key);

	*ret = NULL;
	if (n == NULL || n->kind == NODE_NULL)
		return ERR_OK;
	if (n->kind != NODE_LIST)
		return fail_at(ei, ERR_INVALID, key, n->line,
		    "must be a list, each item beginning with a dash");
	*ret = n;
	return ERR_OK;
}

static enum err
document_channels(struct reader *r, const struct node *root)
{
	struct seen_set names CLEANUP(seen_free) = {0};
	struct channel_conf *c;
	const struct node *list;
	const struct seen *first;
	enum err e = document_list(root, "channels", &list, r->ei);

	if (e != ERR_OK || list == NULL)
		return e;
	if (list->n > CHANNELS_MAX)
		return fail_at(r->ei, ERR_LIMIT, "channels", list->line,
		    "%zu channels; at most %d are allowed", list->n,
		    CHANNELS_MAX);
	r->d->channels = xcalloc(list->n + 1, sizeof(*r->d->channels));
	names.v = xcalloc(list->n + 1, sizeof(*names.v));
	for (size_t i = 0; i < list->n; i++) {
		c = &r->d->channels[r->d->nchannels++];
		e = channel_read(list->items[i], c, r->ei);
		if (e != ERR_OK) {
			opt_under(r->ei, "channels[%zu].", i);
			return e;
		}
		first = seen_find(&names, str_of(c->name));
		if (first != NULL) {
			e = fail_at(r->ei, ERR_INVALID, "name", c->line,
			    "\"%s\" is there twice; the first is on line %u",
			    c->name, first->line);
			opt_under(r->ei, "channels[%zu].", i);
			return e;
		}
		seen_add(&names, str_of(c->name), c->line);
	}
	return ERR_OK;
}

/* Whoever writes the settings says what may be started; a document without
 * settings is judged when it is delivered to. */
static enum err
document_exec(struct reader *r, const struct node *root)
{
	const struct document *d = r->d;
	const struct node *list = node_get(root, "channels");

	for (size_t i = 0; d->has_settings && i < d->nchannels; i++) {
		struct channel_own own = {0};
		const struct channel_conf *c = &d->channels[i];
		char shown[160];
		bool ok = true;

		if (strcmp(c->type, "exec") != 0)
			continue;
		if (channel_own_read(c, &own, r->ei) == ERR_OK) {
			ok = channel_exec_allowed(
			    &d->settings.alerts.exec_allow,
			    str_of(own.command.v[0]));
			(void)text_copy(shown, sizeof(shown),
			    str_of(own.command.v[0]));
		}
		channel_own_free("exec", &own);
		if (ok)
			continue;
		(void)fail_at(r->ei, ERR_INVALID, "command",
		    node_line(list->items[i], "command"), "\"%s\" may not be "
		    "started; allowed: what alerts.exec_allow names", shown);
		opt_under(r->ei, "channels[%zu].", i);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* The names of the document's channels and of those that are there already. */
static void
document_known(struct reader *r, const struct strings *known)
{
	struct document *d = r->d;
	size_t nknown = known != NULL ? known->n : 0;

	r->channels.v = xcalloc(d->nchannels + nknown + 1,
	    sizeof(*r->channels.v));
	for (size_t i = 0; i < d->nchannels; i++)
		seen_add(&r->channels, str_of(d->channels[i].name), 0);
	for (size_t i = 0; i < nknown; i++)
		if (seen_find(&r->channels, str_of(known->v[i])) == NULL)
			seen_add(&r->channels, str_of(known->v[i]), 0);
}

static bool
document_knows(void *arg, const char *channel)
{
	const struct reader *r = arg;

	return seen_find(&r->channels, str_of(channel)) != NULL;
}

static enum err
document_no_channel(struct reader *r, const char *field, uint32_t line,
    const char *name)
{
	BUF_AUTO(names, 400);
	char shown[80];

	for (size_t k = 0; k < r->channels.n && names.n < 256; k++) {
		buf_adds(&names, k > 0 ? ", " : "");
		text_line(&names, r->channels.v[k].text, 120);
	}
	(void)text_copy(shown, sizeof(shown), str_of(name));
	return fail_at(r->ei, ERR_INVALID, field, line,
	    "\"%s\" is not a channel; allowed: %s", shown,
	    r->channels.n > 0 ? names.p : "none, as channels has none");
}

static enum err
document_routes(struct reader *r, const struct node *root)
{
	struct errinfo at = {0};
	const char *name;

	if (!route_conf_unknown(&r->d->settings.alerts, document_knows, r,
	    &at, &name))
		return ERR_OK;
	return document_no_channel(r, at.field, node_line(root, at.field),
	    name);
}

static enum err
document_notify(struct reader *r, const struct node *n,
    const struct strings *notify)
{
	size_t i = 0;

	while (i < notify->n && document_knows(r, notify->v[i]))
		i++;
	return i == notify->n ? ERR_OK : document_no_channel(r, "notify",
	    node_line(n, "notify"), notify->v[i]);
}

/* One monitor into the document; group NULL: at the top. */
static enum err
document_add(struct reader *r, const struct node *n, const char *group)
{
	struct monitor_conf *c = NULL;
	struct document *d = r->d;
	enum err e = monitor_conf_read(n, r->kinds, r->file, &c, r->ei);

	if (e != ERR_OK)
		return e;
	if (group != NULL && c->kind->drive == DRIVE_GROUP) {
		monitor_conf_unref(c);
		return fail_at(r->ei, ERR_INVALID, "type",
		    node_line(n, "type"),
		    "a group inside a group; groups nest one deep");
	}
	if (group != NULL)
		monitor_conf_set_path(c, group);
	d->lines[d->nmonitors] = n->line;
	d->monitors[d->nmonitors++] = c;
	return document_notify(r, n, &c->notify);
}

static enum err
document_group(struct reader *r, const struct node *n)
{
	const char *name = r->d->monitors[r->d->nmonitors - 1]->name;
	const struct node *list;
	enum err e = document_list(n, "monitors", &list, r->ei);

	for (size_t i = 0; e == ERR_OK && list != NULL && i < list->n; i++) {
		e = document_add(r, list->items[i], name);
		if (e != ERR_OK)
			opt_under(r->ei, "monitors[%zu].", i);
	}
	return e;
}

static size_t
document_count(const struct node *list)
{
	const struct node *in;
	size_t n = list->n;

	for (size_t i = 0; i < list->n; i++) {
		in = node_get(list->items[i], "monitors");
		n += in != NULL && in->kind == NODE_LIST ? in->n : 0;
	}
	return n;
}

static enum err
document_monitors(struct reader *r, const struct node *root)
{
	struct document *d = r->d;
	const struct node *list;
	size_t n;
	enum err e = document_list(root, "monitors", &list, r->ei);

	if (e != ERR_OK || list == NULL)
		return e;
	n = document_count(list);
	if (n > MONITORS_MAX)
		return fail_at(r->ei, ERR_LIMIT, "monitors", list->line,
		    "%zu monitors; at most %d are allowed", n, MONITORS_MAX);
	d->monitors = xcalloc(n + 1, sizeof(struct monitor_conf *));
	d->lines = xcalloc(n + 1, sizeof(*d->lines));
	for (size_t i = 0; i < list->n; i++) {
		e = document_add(r, list->items[i], NULL);
		if (e == ERR_OK && d->monitors[d->nmonitors - 1]->kind->drive ==
		    DRIVE_GROUP)
			e = document_group(r, list->items[i]);
		if (e != ERR_OK) {
			opt_under(r->ei, "monitors[%zu].", i);
			return e;
		}
	}
	return ERR_OK;
}

static enum err
document_twice(struct reader *r, size_t i, const char *field,
    const struct seen *first)
{
	const struct document *d = r->d;
	char name[MONITOR_PATH_MAX + 1];

	(void)text_copy(name, sizeof(name), str_of(d->monitors[i]->path));
	if (strcmp(field, "token") == 0)
		return fail_at(r->ei, ERR_INVALID, field, d->lines[i],
		    "\"%s\" has the push token of the monitor on line %u; "
		    "each needs its own", name, first->line);
	return fail_at(r->ei, ERR_INVALID, field, d->lines[i],
	    "\"%s\" is there twice; the first is on line %u", name,
	    first->line);
}

static enum err
document_unique(struct reader *r)
{
	struct document *d = r->d;
	struct seen_set paths CLEANUP(seen_free) = {0};
	struct seen_set tokens CLEANUP(seen_free) = {0};
	const struct seen *first;
	struct str path, token;

	paths.v = xcalloc(d->nmonitors + 1, sizeof(*paths.v));
	tokens.v = xcalloc(d->nmonitors + 1, sizeof(*tokens.v));
	for (size_t i = 0; i < d->nmonitors; i++) {
		path = str_of(d->monitors[i]->path);
		first = seen_find(&paths, path);
		if (first != NULL)
			return document_twice(r, i, "name", first);
		seen_add(&paths, path, d->lines[i]);
		token = str_of(d->monitors[i]->token);
		if (token.n == 0 || str_is(token, OPT_MASK))
			continue;
		first = seen_find(&tokens, token);
		if (first != NULL)
			return document_twice(r, i, "token", first);
		seen_add(&tokens, token, d->lines[i]);
	}
	return ERR_OK;
}

struct doc_paths {
	struct depends_view view;
	const struct document *d;
	struct seen_set paths;      /* line: the monitor's index */
};

static const struct monitor_conf *
doc_find(struct depends_view *v, const char *path)
{
	const struct doc_paths *p = CONTAINER(v, struct doc_paths, view);
	const struct seen *s = seen_find(&p->paths, str_of(path));

	return s != NULL ? p->d->monitors[s->line] : NULL;
}

/* What is not in here may be stored: that the plan knows. */
static enum err
document_depends(struct reader *r)
{
	struct document *d = r->d;
	struct doc_paths p = {.view = {doc_find}, .d = d};
	size_t at = 0;
	enum err e;

	p.paths.v = xcalloc(d->nmonitors + 1, sizeof(*p.paths.v));
	for (size_t i = 0; i < d->nmonitors; i++)
		seen_add(&p.paths, str_of(d->monitors[i]->path), (uint32_t)i);
	e = depends_check(d->monitors, d->nmonitors, &p.view, true, &at, r->ei);
	seen_free(&p.paths);
	if (e != ERR_OK && r->ei != NULL) {
		r->ei->line = d->lines[at];
		opt_under(r->ei, "%s.", d->monitors[at]->path);
	}
	return e;
}

static void
texts_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		xfree(s->v[i]);
	xfree(s->v);
}

/* Two cannot both have been the same. A bare name is one of the same group. */
static enum err
document_renames(struct reader *r)
{
	struct document *d = r->d;
	struct seen_set names CLEANUP(seen_free) = {0};
	struct strings keys CLEANUP(texts_free) = {0};
	const struct monitor_conf *c;
	const struct seen *first;
	const char *slash;
	char key[2 * MONITOR_PATH_MAX + 2];

	names.v = xcalloc(d->nmonitors + 1, sizeof(*names.v));
	keys.v = xcalloc(d->nmonitors + 1, sizeof(*keys.v));
	for (size_t i = 0; i < d->nmonitors; i++) {
		c = d->monitors[i];
		if (c->was == NULL)
			continue;
		slash = strchr(c->was, '/') == NULL ? strchr(c->path, '/') :
		    NULL;
		(void)snprintf(key, sizeof(key), "%.*s%s", slash == NULL ? 0 :
		    (int)(slash - c->path + 1), c->path, c->was);
		first = seen_find(&names, str_of(key));
		if (first != NULL)
			return fail_at(r->ei, ERR_INVALID, "was", d->lines[i],
			    "the monitor on line %u was that one, too; a name "
			    "can go to one only", first->line);
		keys.v[keys.n] = xstrdup(key);
		seen_add(&names, str_of(keys.v[keys.n++]), d->lines[i]);
	}
	return ERR_OK;
}

/* JSON is told by its name or, as from the API, by parsing as such. */
static enum err
document_tree(struct str text, const char *file, struct tree **ret,
    struct errinfo *ei)
{
	size_t n = file != NULL ? strlen(file) : 0;
	struct str t = text;
	struct errinfo ignored;

	if (n > 5 && strcmp(file + n - 5, ".json") == 0)
		return tree_from_json(text, file, ret, ei);
	while (t.n > 0 && strchr(" \t\r\n", t.p[0]) != NULL && t.p[0] != 0) {
		t.p++;
		t.n--;
	}
	if (t.n > 0 && t.p[0] == '{' &&
	    tree_from_json(text, file, ret, &ignored) == ERR_OK)
		return ERR_OK;
	return tree_from_yaml(text, file, ret, ei);
}

enum err
document_parse(struct str text, const char *file,
    const struct monitor_kind *const *kinds,
    const struct strings *known_channels, struct document **ret,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	struct document *d CLEANUP(document_freep) = NULL;
	struct reader r CLEANUP(reader_free) = {
		.kinds = kinds, .file = file, .ei = ei,
	};
	enum err e = document_tree(text, file, &t, ei);

	if (e != ERR_OK)
		return e;
	d = r.d = xcalloc(1, sizeof(*d));
	(void)text_copy(d->file, sizeof(d->file), str_of(file));
	e = document_settings(&r, tree_root(t));
	if (e == ERR_OK)
		e = document_channels(&r, tree_root(t));
	if (e == ERR_OK)
		e = document_exec(&r, tree_root(t));
	document_known(&r, known_channels);
	if (e == ERR_OK)
		e = document_routes(&r, tree_root(t));
	if (e == ERR_OK)
		e = document_monitors(&r, tree_root(t));
	if (e == ERR_OK)
		e = document_unique(&r);
	if (e == ERR_OK)
		e = document_renames(&r);
	if (e == ERR_OK)
		e = document_depends(&r);
	if (e != ERR_OK) {
		tree_blame(ei, file);
		return e;
	}
	*ret = TAKE(d);
	return ERR_OK;
}

static void
file_close(FILE **f)
{
	if (*f != NULL)
		(void)fclose(*f);
}

static enum err
document_read_file(const char *path, struct buf *out, struct errinfo *ei)
{
	FILE *f CLEANUP(file_close) = fopen(path, "re");
	char part[65536];
	struct stat st;
	size_t n;

	if (f == NULL)
		return fail_at(ei, ERR_SYS, "", 0, "cannot open: %s",
		    strerror(errno));
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		return fail_at(ei, ERR_SYS, "", 0,
		    "is a directory; name the file in it");
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(out, (struct str){part, n});
	if (ferror(f))
		return fail_at(ei, ERR_SYS, "", 0, "cannot read: %s",
		    strerror(errno));
	if (!buf_ok(out))
		return fail_at(ei, ERR_LIMIT, "", 0,
		    "longer than %u MiB", TREE_BYTES_MAX >> 20);
	return ERR_OK;
}

enum err
document_load(const char *path, const struct monitor_kind *const *kinds,
    struct document **ret, struct errinfo *ei)
{
	BUF_AUTO(text, TREE_BYTES_MAX);
	enum err e = document_read_file(path, &text, ei);

	if (e != ERR_OK) {
		tree_blame(ei, path);
		return e;
	}
	return document_parse(buf_str(&text), path, kinds, NULL, ret, ei);
}

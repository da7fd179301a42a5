/* edit_window.c: configuration units about maintenance windows. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/plan_diff.h"
#include "route/window.h"
#include "store/applied.h"
#include "store/edit_steps.h"
#include "store/windows.h"

static struct window_step *
add(struct edit *e, const char *name, const char *verb)
{
	struct window_step *st;

	e->windows = xrealloc(e->windows, e->nwindows + 1,
	    sizeof(*e->windows));
	st = &e->windows[e->nwindows++];
	*st = (struct window_step){.verb = verb};
	(void)text_copy(st->s.name, sizeof(st->s.name), str_of(name));
	return st;
}

static void
set_text(struct window_step *st, char *text, int64_t at_us)
{
	st->s.text = text;
	st->s.made_us = at_us;
	st->s.ended_us = 0;
	st->s.over_us = windows_over_us(&st->s);
}

/* Zones and dates are looked at only here. */
static enum err
checked(const struct window_conf *c, struct errinfo *ei)
{
	struct window *w CLEANUP(window_freep) = NULL;

	return window_make(c, &w, ei);
}

enum err
edit_window_change(struct edit *e, const struct change *c)
{
	bool gone = c->kind == CHANGE_WINDOW_DELETE;
	struct window_step *st = add(e, c->path, gone ? "delete maintenance" :
	    "maintenance");

	if (c->detail != NULL && c->detail[0] != '\0')
		st->detail = xstrdup(c->detail);
	if (gone)
		return ERR_OK;
	st->s.origin = c->window_origin;
	set_text(st, window_conf_text(c->window), e->at_us);
	return checked(c->window, &e->ei);
}

/* -- from the API ------------------------------------------------------------ */

/* False: there is none. A copy. */
static bool
known(struct store *s, const char *name, struct window_stored *ret,
    size_t *ret_n)
{
	struct window_stored *v = NULL;
	size_t n = windows_list(s->view->windows, &v);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (!found && strcmp(v[i].name, name) == 0) {
			found = true;
			*ret = v[i];
		} else {
			window_stored_clear(&v[i]);
		}
	}
	xfree(v);
	*ret_n = n;
	return found;
}

static enum err
text_of(const json_t *body, char name[MONITOR_NAME_MAX + 1], char **ret,
    struct errinfo *ei)
{
	struct window_conf c = {0};
	enum err e = window_conf_read(body, &c, ei);

	if (e == ERR_OK)
		e = checked(&c, ei);
	if (e == ERR_OK) {
		*ret = window_conf_text(&c);
		(void)text_copy(name, MONITOR_NAME_MAX + 1, str_of(c.name));
	}
	opt_free(window_conf_opts, &c);
	return e;
}

static enum err
create(struct store *s, struct edit *e)
{
	struct config_unit *u = e->unit;
	struct window_stored old = {0};
	char *text = NULL;
	size_t n;
	enum err r = text_of(u->body, u->window, &text, &e->ei);

	if (r != ERR_OK)
		return r;
	if (known(s, u->window, &old, &n)) {
		window_stored_clear(&old);
		r = fail_at(&e->ei, ERR_CONFLICT, "name", 0, "there is a"
		    " maintenance window \"%s\" already", u->window);
	} else if (n >= WINDOWS_ALL_MAX) {
		r = fail(&e->ei, ERR_LIMIT, "there are %d maintenance windows"
		    " already, no more are allowed", WINDOWS_ALL_MAX);
	}
	if (r != ERR_OK) {
		xfree(text);
		return r;
	}
	add(e, u->window, "maintenance")->s.origin = u->opts.origin;
	set_text(&e->windows[0], text, e->at_us);
	return ERR_OK;
}

static enum err
patch(struct edit *e, const struct window_stored *old)
{
	struct config_unit *u = e->unit;
	char name[MONITOR_NAME_MAX + 1], *text = NULL;
	json_t *v = json_loads(old->text, 0, NULL), *value;
	const char *key;
	enum err r;

	json_object_foreach(u->body, key, value)
		if (json_is_null(value))
			(void)json_object_del(v, key);
		else
			(void)json_object_set(v, key, value);
	r = text_of(v, name, &text, &e->ei);
	json_decref(v);
	if (r == ERR_OK && strcmp(name, old->name) != 0)
		r = fail_at(&e->ei, ERR_INVALID, "name", 0, "cannot be"
		    " changed; delete the window and add another");
	e->quiet = r == ERR_OK && strcmp(text, old->text) == 0;
	if (r != ERR_OK || e->quiet) {
		xfree(text);
		return r;
	}
	add(e, old->name, "maintenance")->s.origin = old->origin;
	e->windows[0].detail = plan_diff_window(old->text, text);
	set_text(&e->windows[0], text, e->at_us);
	return ERR_OK;
}

static enum err
end(struct store *s, struct edit *e, const struct window_stored *old)
{
	json_t *now = windows_json(s->view->windows, old->name, e->at_us);
	bool active = strcmp(json_string_value(json_object_get(now, "state")),
	    "active") == 0;
	struct window_step *st;

	json_decref(now);
	if (!active)
		return fail(&e->ei, ERR_CONFLICT, "the maintenance window"
		    " \"%s\" is not in force; delete it to call it off",
		    old->name);
	st = add(e, old->name, "end maintenance");
	st->s = window_stored_copy(old);
	st->s.ended_us = e->at_us;
	st->s.over_us = windows_over_us(&st->s);
	return ERR_OK;
}

enum err
edit_window_find(struct store *s, struct edit *e)
{
	struct config_unit *u = e->unit;
	struct window_stored old = {0};
	size_t n;
	enum err r = ERR_OK;

	if (u->op == CONFIG_WINDOW_CREATE)
		return create(s, e);
	if (!known(s, u->window, &old, &n))
		return fail(&e->ei, ERR_NOT_FOUND,
		    "there is no maintenance window \"%s\"", u->window);
	if (u->op == CONFIG_WINDOW_PATCH)
		r = patch(e, &old);
	else if (u->op == CONFIG_WINDOW_END)
		r = end(s, e, &old);
	else
		(void)add(e, u->window, "delete maintenance");
	window_stored_clear(&old);
	return r;
}

/* -- storing it -------------------------------------------------------------- */

enum err
edit_window_put(struct store *s, const struct edit *e, struct errinfo *ei)
{
	char text[256];
	enum err r = ERR_OK;

	for (size_t i = 0; r == ERR_OK && i < e->nwindows; i++) {
		const struct window_step *st = &e->windows[i];
		const struct window_stored *w = &st->s;

		r = applied_cut(s, w->name, e->at_us, true, NULL, ei);
		if (r == ERR_OK && w->text == NULL)
			r = s->db->ops->run(s->db, STMT_WINDOW_DEL,
			    VALS(V_TEXT(w->name)), NULL, ei);
		else if (r == ERR_OK)
			r = s->db->ops->run(s->db, STMT_WINDOW_PUT, VALS(
			    V_TEXT(w->name), V_INT(w->origin),
			    V_TEXT(w->text), V_INT(w->made_us),
			    V_INT(w->ended_us), V_INT(w->over_us)), NULL, ei);
		snprintf(text, sizeof(text), "%s%s%.200s", st->verb,
		    st->detail != NULL ? ": " : "",
		    st->detail != NULL ? st->detail : "");
		if (r == ERR_OK)
			r = edit_event(s, e, w->name, 0, text, ei);
	}
	return r;
}

void
edit_window_apply(struct store *s, const struct edit *e)
{
	for (size_t i = 0; i < e->nwindows; i++) {
		const struct window_stored *w = &e->windows[i].s;

		covered_cut(s->view->covered, w->name, e->at_us, true);
		if (w->text == NULL)
			windows_remove(s->view->windows, w->name);
		else
			windows_set(s->view->windows, w);
	}
	if (e->nwindows > 0)
		s->applied_ns = 0;   /* it may be in force at once */
}

void
edit_window_free(struct edit *e)
{
	for (size_t i = 0; i < e->nwindows; i++) {
		window_stored_clear(&e->windows[i].s);
		xfree(e->windows[i].detail);
	}
	xfree(e->windows);
}

#include "conf/plan_window.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/plan_diff.h"

static const struct window_stored *
stored_as(const struct stored *have, const char *name)
{
	for (size_t i = 0; i < have->nwindows; i++)
		if (strcmp(have->windows[i].name, name) == 0)
			return &have->windows[i];
	return NULL;
}

static bool
wanted(const struct document *want, const char *name)
{
	const struct window_conf *v = want->settings.alerts.windows.v;

	for (size_t i = 0; i < want->settings.alerts.windows.n; i++)
		if (strcmp(v[i].name, name) == 0)
			return true;
	return false;
}

/* The file owns what it names, as with monitors. */
static bool
put(const struct window_conf *w, const struct window_stored *old,
    const struct plan_opts *o, struct change *ret)
{
	char *text CLEANUP(xfreep) = window_conf_text(w);
	enum origin origin = old == NULL || o->origin == ORIGIN_FILE ?
	    o->origin : old->origin;

	if (old != NULL && old->origin == origin &&
	    strcmp(old->text, text) == 0)
		return false;
	*ret = (struct change){.kind = CHANGE_WINDOW_PUT, .window = w,
	    .window_origin = origin, .detail = plan_diff_window(
	    old == NULL ? NULL : old->text, text)};
	(void)text_copy(ret->path, sizeof(ret->path), str_of(w->name));
	return true;
}

size_t
plan_windows(const struct stored *have, const struct document *want,
    const struct plan_opts *o, struct change **ret)
{
	const struct maps *m = &want->settings.alerts.windows;
	const struct window_conf *w = m->v;
	struct change *v = xcalloc(m->n + have->nwindows + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += put(&w[i], stored_as(have, w[i].name), o, &v[n]);
	for (size_t i = 0; i < have->nwindows; i++) {
		const struct window_stored *s = &have->windows[i];

		if (wanted(want, s->name) ||
		    !((o->prune && s->origin != ORIGIN_HAND) ||
		    (o->archive && s->origin == o->origin)))
			continue;
		v[n] = (struct change){.kind = CHANGE_WINDOW_DELETE,
		    .detail = xstrdup("")};
		(void)text_copy(v[n++].path, sizeof(v->path), str_of(s->name));
	}
	*ret = v;
	return n;
}

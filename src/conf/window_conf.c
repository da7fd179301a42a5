#include "conf/window_conf.h"

#include <string.h>

#include "base/mem.h"
#include "conf/tree_build.h"

void
window_stored_clear(struct window_stored *w)
{
	xfree(w->text);
	w->text = NULL;
}

struct window_stored
window_stored_copy(const struct window_stored *w)
{
	struct window_stored copy = *w;

	copy.text = xstrdup(w->text);
	return copy;
}

enum err
window_conf_read(const json_t *v, struct window_conf *ret, struct errinfo *ei)
{
	struct window_conf c = {0};
	const struct opt_set set = {window_conf_opts, &c};
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, ei);

	if (e == ERR_OK)
		e = opt_read(tree_root(t), &set, 1, NULL, ei);
	if (e == ERR_OK)
		e = route_conf_window_check(&c, ei);
	if (e == ERR_OK)
		*ret = c;
	else
		opt_free(window_conf_opts, &c);
	return e;
}

char *
window_conf_text(const struct window_conf *c)
{
	const struct opt_set set = {window_conf_opts, (void *)(uintptr_t)c};
	json_t *v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
	char *text = opt_text(v);

	json_decref(v);
	return text;
}

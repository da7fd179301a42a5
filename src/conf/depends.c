/* depends.c: a walk in depth along depends_on, each monitor once in all: what
 * was left without finding a circle has none behind it. */
#include "conf/depends.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define SHOWN 8   /* of a long circle */

struct place {
	struct map_node node;
	const struct monitor_conf *conf;
	struct place *from;     /* on the way here */
	size_t next;            /* of its depends_on */
	bool open;              /* on the way now */
};

static struct place *
place_of(struct map *m, const struct monitor_conf *c, bool *ret_new)
{
	struct str path = str_of(c->path);
	struct map_node *n = map_first(m, map_hash_str(path));
	struct place *p;

	*ret_new = false;
	for (; n != NULL; n = map_next(n)) {
		p = CONTAINER(n, struct place, node);
		if (str_is(path, p->conf->path))
			return p;
	}
	p = xcalloc(1, sizeof(*p));
	p->conf = c;
	map_put(m, &p->node, map_hash_str(path));
	*ret_new = true;
	return p;
}

/* at depends on to, which is on the way to at. */
static enum err
circle(const struct place *at, const struct place *to, struct errinfo *ei)
{
	const struct place *way[SHOWN];
	size_t n = 0;
	bool cut = false;
	BUF_AUTO(b, 400);

	for (const struct place *p = at; p != to; p = p->from) {
		way[n % SHOWN] = p;
		cut = ++n > SHOWN;
	}
	text_line(&b, str_of(to->conf->path), 60);
	buf_adds(&b, cut ? " → …" : "");
	for (size_t i = n, left = MIN(n, (size_t)SHOWN); left > 0 && !cut;
	    left--) {
		buf_adds(&b, " → ");
		text_line(&b, str_of(way[--i % SHOWN]->conf->path), 60);
	}
	buf_adds(&b, " → ");
	text_line(&b, str_of(to->conf->path), 60);
	return fail_at(ei, ERR_INVALID, "depends_on", 0,
	    "it would depend on itself: %s", b.p != NULL ? b.p : "");
}

static enum err
walk(struct map *m, struct place *p, struct depends_view *view,
    bool missing, struct errinfo *ei)
{
	const struct monitor_conf *c;
	struct place *to;
	char shown[MONITOR_PATH_MAX + 1];
	bool new_;

	for (p->open = true; p != NULL;) {
		if (p->next == p->conf->depends_on.n) {
			p->open = false;
			p = p->from;
			continue;
		}
		c = view->find(view, p->conf->depends_on.v[p->next++]);
		if (c == NULL && (missing || p->from != NULL))
			continue;
		if (c == NULL) {
			(void)text_copy(shown, sizeof(shown), str_of(
			    p->conf->depends_on.v[p->next - 1]));
			return fail_at(ei, ERR_INVALID, "depends_on", 0,
			    "\"%s\" is not a monitor; allowed: the path of "
			    "one, Name or Group/Name", shown);
		}
		to = place_of(m, c, &new_);
		if (to->open)
			return circle(p, to, ei);
		if (!new_)
			continue;
		to->from = p;
		to->open = true;
		p = to;
	}
	return ERR_OK;
}

enum err
depends_check(struct monitor_conf *const *v, size_t n,
    struct depends_view *view, bool missing, size_t *ret_at,
    struct errinfo *ei)
{
	struct map m = {0};
	enum err e = ERR_OK;
	struct place *p;
	bool new_;

	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		if (v[i]->depends_on.n == 0)
			continue;
		p = place_of(&m, v[i], &new_);
		/* Seen on another's way: only whom it names is looked up. */
		p->from = NULL;
		p->next = 0;
		e = walk(&m, p, view, missing, ei);
		if (e != ERR_OK)
			*ret_at = i;
	}
	MAP_EACH(node, &m)
		xfree(CONTAINER(node, struct place, node));
	map_free(&m);
	return e;
}

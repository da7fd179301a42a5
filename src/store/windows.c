#define OWNS_OFF
#include "store/windows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "route/window.h"

struct kept {
	struct window_stored s;    /* owned */
	struct window *w;          /* owned */
	char *description;         /* owned; NULL: none */
	bool everything;           /* covers all monitors */
	struct span run;           /* in force, or the next, asked for at */
	int64_t asked_us;          /* this time; 0: not yet */
};

/* The effect that a first failure has had in a run of a flexible window. */
struct flex {
	char name[MONITOR_NAME_MAX + 1];
	uint32_t monitor;
	struct span run, effect;
};

struct windows {
	pthread_mutex_t mu;
	struct kept *v;
	size_t n;
	struct flex *flex;
	size_t nflex;
};

struct windows *
windows_new(void)
{
	struct windows *w = xcalloc(1, sizeof(*w));

	(void)pthread_mutex_init(&w->mu, NULL);
	return w;
}

static void
kept_clear(struct kept *k)
{
	window_stored_clear(&k->s);
	window_free(k->w);
	xfree(k->description);
}

void
windows_free(struct windows *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		kept_clear(&w->v[i]);
	xfree(w->v);
	xfree(w->flex);
	(void)pthread_mutex_destroy(&w->mu);
	xfree(w);
}

/* -- when ------------------------------------------------------------------- */

/* The run that somebody ended is cut there; the next ones come all the same. */
static struct span
run_of(const struct kept *k, int64_t at_us)
{
	struct span v = window_span(k->w, at_us);

	if (k->s.ended_us == 0 || k->s.ended_us < v.from_us ||
	    k->s.ended_us >= v.to_us)
		return v;
	if (at_us >= k->s.ended_us)
		return v.to_us == SPAN_NEVER ?
		    (struct span){SPAN_NEVER, SPAN_NEVER} :
		    window_span(k->w, v.to_us);
	v.to_us = k->s.ended_us;
	return v;
}

static struct span
run_at(struct kept *k, int64_t at_us)
{
	if (k->asked_us == 0 || at_us < k->asked_us || at_us >= k->run.to_us) {
		k->run = run_of(k, at_us);
		k->asked_us = at_us;
	}
	return k->run;
}

static bool
within(struct span v, int64_t at_us)
{
	return v.from_us <= at_us && at_us < v.to_us;
}

static const struct flex *
flex_of(const struct windows *w, const struct kept *k, uint32_t monitor,
    int64_t failed_us)
{
	for (size_t i = 0; i < w->nflex; i++)
		if (w->flex[i].monitor == monitor &&
		    within(w->flex[i].run, failed_us) &&
		    strcmp(w->flex[i].name, k->s.name) == 0)
			return &w->flex[i];
	return NULL;
}

/* What the failure has begun, or will once it is stored. */
static struct span
flex_span(struct windows *w, struct kept *k, uint32_t monitor,
    int64_t at_us, int64_t failed_us)
{
	const struct flex *f;
	struct span v;

	for (size_t i = 0; i < w->nflex; i++)
		if (w->flex[i].monitor == monitor &&
		    within(w->flex[i].effect, at_us) &&
		    strcmp(w->flex[i].name, k->s.name) == 0)
			return w->flex[i].effect;
	f = failed_us == 0 ? NULL : flex_of(w, k, monitor, failed_us);
	if (f != NULL)
		return f->effect;
	v = window_span_of(k->w, at_us, failed_us);
	if (k->s.ended_us != 0 && failed_us != 0 &&
	    k->s.ended_us >= failed_us)
		v.to_us = MIN(v.to_us, k->s.ended_us);
	return v;
}

static void
maintenance_of(const struct kept *k, struct span v, struct maintenance *ret)
{
	(void)text_copy(ret->name, sizeof(ret->name), str_of(k->s.name));
	ret->from_us = v.from_us;
	ret->until_us = v.to_us == SPAN_NEVER ? 0 : v.to_us;
}

bool
windows_cover(struct windows *w, const struct monitor_conf *c, int64_t at_us,
    int64_t failed_us, struct maintenance *ret)
{
	int64_t last_us = INT64_MIN;

	pthread_mutex_lock(&w->mu);
	for (size_t i = 0; i < w->n; i++) {
		struct kept *k = &w->v[i];
		struct span v = window_flexible(k->w) ?
		    flex_span(w, k, c->id, at_us, failed_us) :
		    run_at(k, at_us);

		if (!within(v, at_us) || v.to_us <= last_us ||
		    !window_covers(k->w, c))
			continue;
		last_us = v.to_us;
		maintenance_of(k, v, ret);
	}
	pthread_mutex_unlock(&w->mu);
	return last_us != INT64_MIN;
}

static int
order(const void *a, const void *b)
{
	const struct upcoming *x = a, *y = b;

	return x->m.from_us < y->m.from_us ? -1 : x->m.from_us > y->m.from_us;
}

size_t
windows_upcoming(struct windows *w, int64_t now_us, struct upcoming *ret,
    size_t max)
{
	struct upcoming *all;
	size_t n = 0;

	pthread_mutex_lock(&w->mu);
	all = xcalloc(w->n + 1, sizeof(*all));
	for (size_t i = 0; i < w->n; i++) {
		struct span v = run_at(&w->v[i], now_us);
		struct upcoming *u = &all[n];

		if (v.from_us == SPAN_NEVER)
			continue;
		maintenance_of(&w->v[i], v, &u->m);
		u->active = within(v, now_us);
		if (w->v[i].description != NULL)
			(void)text_copy(u->description,
			    sizeof(u->description),
			    str_of(w->v[i].description));
		n++;
	}
	pthread_mutex_unlock(&w->mu);
	if (n > 1)
		qsort(all, n, sizeof(*all), order);
	n = MIN(n, max);
	memcpy(ret, all, n * sizeof(*ret));
	xfree(all);
	return n;
}

/* -- changing --------------------------------------------------------------- */

static struct kept *
find(struct windows *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i].s.name, name) == 0)
			return &w->v[i];
	return NULL;
}

static enum err
make(const struct window_stored *s, struct kept *ret, struct errinfo *ei)
{
	json_t *v = json_loads(s->text, 0, NULL);
	struct window_conf c = {0};
	enum err e = window_conf_read(v, &c, ei);

	json_decref(v);
	if (e == ERR_OK)
		e = window_make(&c, &ret->w, ei);
	if (e == ERR_OK) {
		ret->s = window_stored_copy(s);
		ret->everything = c.monitors.n == 0 && c.groups.n == 0 &&
		    c.tags.n == 0;
		ret->description = c.description == NULL ? NULL :
		    xstrdup(c.description);
	}
	opt_free(window_conf_opts, &c);
	return e;
}

static void
flex_cut(struct windows *w, const char *name, int64_t at_us)
{
	for (size_t i = 0; i < w->nflex; i++)
		if (strcmp(w->flex[i].name, name) == 0)
			w->flex[i].effect.to_us =
			    MIN(w->flex[i].effect.to_us, at_us);
}

void
windows_set(struct windows *w, const struct window_stored *s)
{
	struct kept fresh = {0}, *k;
	struct errinfo ei = {0};

	if (make(s, &fresh, &ei) != ERR_OK) {
		log_error("store", "a maintenance window cannot be read",
		    KV("window", &s->name[0]), KV("error", &ei.text[0]));
		return;
	}
	pthread_mutex_lock(&w->mu);
	k = find(w, s->name);
	if (k == NULL) {
		w->v = xrealloc(w->v, w->n + 1, sizeof(*w->v));
		k = &w->v[w->n++];
	} else {
		kept_clear(k);
		flex_cut(w, s->name, MAX(s->ended_us, s->made_us));
	}
	*k = fresh;
	pthread_mutex_unlock(&w->mu);
}

void
windows_remove(struct windows *w, const char *name)
{
	struct kept *k;

	pthread_mutex_lock(&w->mu);
	k = find(w, name);
	if (k != NULL) {
		flex_cut(w, name, INT64_MIN);
		kept_clear(k);
		*k = w->v[--w->n];
	}
	pthread_mutex_unlock(&w->mu);
}

void
windows_forget(struct windows *w, int64_t before_us)
{
	pthread_mutex_lock(&w->mu);
	for (size_t i = 0; i < w->n;) {
		struct kept *k = &w->v[i];

		if (k->s.over_us == 0 || k->s.over_us >= before_us ||
		    k->s.origin == ORIGIN_FILE) {
			i++;
			continue;
		}
		kept_clear(k);
		*k = w->v[--w->n];
	}
	pthread_mutex_unlock(&w->mu);
}

/* -- what the writer keeps --------------------------------------------------- */

bool
windows_flex_next(struct windows *w, const struct monitor_conf *c,
    int64_t failed_us, size_t *from, struct maintenance *ret)
{
	bool found = false;

	pthread_mutex_lock(&w->mu);
	while (*from < w->n && !found) {
		struct kept *k = &w->v[(*from)++];
		const struct flex *f = flex_of(w, k, c->id, failed_us);
		struct span v;

		/* What is in the journal is known before it is stored. */
		if (!window_flexible(k->w) || !window_covers(k->w, c) ||
		    (f != NULL && f->effect.from_us != failed_us))
			continue;
		v = window_span_of(k->w, failed_us, failed_us);
		found = within(v, failed_us) && !(k->s.ended_us >= failed_us);
		maintenance_of(k, v, ret);
	}
	pthread_mutex_unlock(&w->mu);
	return found;
}

void
windows_flex_add(struct windows *w, uint32_t monitor,
    const struct maintenance *m)
{
	struct kept *k;
	struct flex f = {.monitor = monitor,
	    .effect = {m->from_us, m->until_us}};
	size_t n = 0;

	pthread_mutex_lock(&w->mu);
	for (size_t i = 0; i < w->nflex; i++)   /* those that are over go */
		if (MAX(w->flex[i].run.to_us, w->flex[i].effect.to_us) >
		    m->from_us && !(w->flex[i].monitor == monitor &&
		    w->flex[i].effect.from_us == m->from_us &&
		    strcmp(w->flex[i].name, m->name) == 0))
			w->flex[n++] = w->flex[i];
	w->nflex = n;
	k = find(w, m->name);
	if (k != NULL) {
		(void)text_copy(f.name, sizeof(f.name), str_of(m->name));
		f.run = window_span(k->w, m->from_us);
		w->flex = xrealloc(w->flex, w->nflex + 1, sizeof(f));
		w->flex[w->nflex++] = f;
	}
	pthread_mutex_unlock(&w->mu);
}

bool
windows_run(struct windows *w, size_t i, int64_t now_us,
    struct maintenance *ret, int64_t *ret_made, bool *ret_more)
{
	bool in = false;

	pthread_mutex_lock(&w->mu);
	*ret_more = i < w->n;
	if (*ret_more && !window_flexible(w->v[i].w)) {
		struct span v = run_at(&w->v[i], now_us);

		in = within(v, now_us);
		maintenance_of(&w->v[i], v, ret);
		*ret_made = w->v[i].s.made_us;
	}
	pthread_mutex_unlock(&w->mu);
	return in;
}

bool
windows_covers(struct windows *w, const char *name,
    const struct monitor_conf *c, bool *ret_all)
{
	struct kept *k;
	bool covers;

	pthread_mutex_lock(&w->mu);
	k = find(w, name);
	*ret_all = k != NULL && k->everything;
	covers = k != NULL && c != NULL && window_covers(k->w, c);
	pthread_mutex_unlock(&w->mu);
	return covers;
}

int64_t
windows_over_us(const struct window_stored *s)
{
	struct kept k = {0};
	int64_t end_us;

	if (make(s, &k, NULL) != ERR_OK)
		return 0;
	end_us = window_end(k.w);
	if (s->ended_us != 0 && !window_recurs(k.w))
		end_us = MIN(end_us, s->ended_us);
	kept_clear(&k);
	return end_us == SPAN_NEVER ? 0 : end_us;
}

/* -- for people ------------------------------------------------------------- */

static void
set_time(json_t *o, const char *key, int64_t us)
{
	char text[TIME_TEXT];

	(void)json_object_set_new(o, key, us <= 0 || us == SPAN_NEVER ?
	    json_null() : json_string(time_format_utc(us, text)));
}

/* active, scheduled, or over; flexible ones are active while a failure may
 * fall into them. */
static json_t *
one_json(struct kept *k, int64_t now_us)
{
	json_t *o = json_loads(k->s.text, 0, NULL);
	struct span v = run_at(k, now_us);
	bool active = within(v, now_us);

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(o, "origin",
	    json_string(origin_name(k->s.origin)));
	(void)json_object_set_new(o, "state", json_string(active ? "active" :
	    v.from_us == SPAN_NEVER ? "over" : "scheduled"));
	set_time(o, "active_from", active ? v.from_us : 0);
	set_time(o, "active_until", active ? v.to_us : 0);
	if (active)
		v = v.to_us == SPAN_NEVER ? (struct span){SPAN_NEVER,
		    SPAN_NEVER} : run_of(k, v.to_us);
	set_time(o, "next_from", v.from_us);
	set_time(o, "next_until", v.to_us);
	set_time(o, "changed", k->s.made_us);
	set_time(o, "ended", k->s.ended_us);
	return o;
}

json_t *
windows_json(struct windows *w, const char *name, int64_t now_us)
{
	json_t *ret = name == NULL ? json_array() : NULL;
	struct kept *k;

	pthread_mutex_lock(&w->mu);
	k = name == NULL ? NULL : find(w, name);
	if (k != NULL)
		ret = one_json(k, now_us);
	for (size_t i = 0; name == NULL && i < w->n; i++)
		(void)json_array_append_new(ret, one_json(&w->v[i], now_us));
	pthread_mutex_unlock(&w->mu);
	return ret;
}

size_t
windows_list(struct windows *w, struct window_stored **ret)
{
	size_t n;

	pthread_mutex_lock(&w->mu);
	n = w->n;
	*ret = xcalloc(n + 1, sizeof(**ret));
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = window_stored_copy(&w->v[i].s);
	pthread_mutex_unlock(&w->mu);
	return n;
}

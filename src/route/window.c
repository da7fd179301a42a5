#define OWNS_OFF
#include "route/window.h"

#include <assert.h>
#include <fnmatch.h>
#include <string.h>

#include "base/cron.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "conf/monitor.h"
#include "conf/tree_build.h"

/* So many overlapping runs are looked at as one. */
#define JOIN_MAX 1000

struct window {
	struct window_conf conf;      /* owned */
	struct span bounds;
	bool has_cron, weekly;
	struct cron cron;
	struct zone *zone;            /* owned; of cron, start and end */
	struct schedule hours;        /* weekly */
	int64_t duration_us;
};

/* -- making it -------------------------------------------------------------- */

static void
copy_conf(const struct window_conf *from, struct window_conf *ret)
{
	const struct opt_set set = {window_conf_opts,
	    (void *)(uintptr_t)from}, copy = {window_conf_opts, ret};
	json_t *v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, NULL);

	json_decref(v);
	if (e == ERR_OK)
		e = opt_read(tree_root(t), &copy, 1, NULL, NULL);
	assert(e == ERR_OK);   /* it was read before */
	(void)e;
}

static enum err
moment(const struct window *w, const char *field, const char *text,
    int64_t *ret, struct errinfo *ei)
{
	bool utc;

	if (text == NULL)
		return ERR_OK;
	if (!route_conf_moment(str_of(text), ret, &utc))
		return fail_at(ei, ERR_INVALID, field, 0,
		    "\"%s\" is not a date and time", text);
	if (!utc)
		*ret = zone_utc(w->zone, *ret, ZONE_EARLIER);
	return ERR_OK;
}

static enum err
make_times(struct window *w, struct errinfo *ei)
{
	const struct window_conf *c = &w->conf;
	enum err e = zone_load(c->hours.zone, &w->zone, ei);

	if (e == ERR_OK)
		e = moment(w, "start", c->start, &w->bounds.from_us, ei);
	if (e == ERR_OK)
		e = moment(w, "end", c->end, &w->bounds.to_us, ei);
	if (e == ERR_OK && w->bounds.from_us >= w->bounds.to_us)
		return fail_at(ei, ERR_INVALID, "end", 0,
		    "is not after start; allowed: later than that");
	if (e == ERR_OK && c->cron != NULL) {
		w->has_cron = true;
		e = cron_parse(str_of(c->cron), &w->cron, ei);
		if (e == ERR_OK && cron_next(&w->cron, w->zone, 0) ==
		    CRON_NEVER)
			return fail_at(ei, ERR_INVALID, "cron", 0,
			    "never comes: there is no such day");
	}
	if (e == ERR_OK && c->hours.days.n > 0) {
		w->weekly = true;
		e = schedule_make(&c->hours, &w->hours, ei);
	}
	return e;
}

enum err
window_make(const struct window_conf *c, struct window **ret,
    struct errinfo *ei)
{
	struct window *w = xcalloc(1, sizeof(*w));
	enum err e;

	copy_conf(c, &w->conf);
	w->bounds = (struct span){INT64_MIN, SPAN_NEVER};
	w->duration_us = c->duration_ns / NS_PER_US;
	e = make_times(w, ei);
	if (e == ERR_OK)
		*ret = w;
	else
		window_free(w);
	return e;
}

void
window_free(struct window *w)
{
	if (w == NULL)
		return;
	opt_free(window_conf_opts, &w->conf);
	zone_free(w->zone);
	schedule_clear(&w->hours);
	xfree(w);
}

void
window_freep(struct window *const *w)
{
	window_free(*w);
}

const char *
window_name(const struct window *w)
{
	return w->conf.name;
}

bool
window_flexible(const struct window *w)
{
	return w->conf.flexible;
}

bool
window_recurs(const struct window *w)
{
	return w->has_cron || w->weekly;
}

int64_t
window_end(const struct window *w)
{
	return w->bounds.to_us;
}

/* -- for whom --------------------------------------------------------------- */

static bool
any_fits(const struct strings *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], text, 0) == 0)
			return true;
	return false;
}

bool
window_covers(const struct window *w, const struct monitor_conf *c)
{
	const struct window_conf *k = &w->conf;
	const char *slash = strchr(c->path, '/');
	char group[MONITOR_PATH_MAX + 1];

	if (k->monitors.n == 0 && k->groups.n == 0 && k->tags.n == 0)
		return true;
	(void)text_copy(group, sizeof(group), slash == NULL ? str_of(c->path) :
	    (struct str){c->path, (size_t)(slash - c->path)});
	if (any_fits(&k->monitors, c->path) || ((slash != NULL ||
	    c->kind->drive == DRIVE_GROUP) && any_fits(&k->groups, group)))
		return true;
	for (size_t i = 0; i < c->tags.n; i++)
		for (size_t t = 0; t < k->tags.n; t++)
			if (strcmp(k->tags.v[t], c->tags.v[i]) == 0)
				return true;
	return false;
}

/* -- when ------------------------------------------------------------------- */

static const struct span never = {SPAN_NEVER, SPAN_NEVER};

/* The first run of its kind that is not over at at_us, bounds aside. */
static struct span
raw(const struct window *w, int64_t at_us)
{
	int64_t from;

	if (w->weekly)
		return schedule_span(&w->hours, at_us);
	if (!w->has_cron)
		return (struct span){w->bounds.from_us, at_us <
		    w->bounds.to_us ? w->bounds.to_us : at_us + 1};
	from = cron_next(&w->cron, w->zone, at_us - w->duration_us);
	return from == CRON_NEVER ? never :
	    (struct span){from, from + w->duration_us};
}

struct span
window_span(const struct window *w, int64_t at_us)
{
	struct span v, more;

	if (at_us >= w->bounds.to_us)
		return never;
	v = raw(w, MAX(at_us, w->bounds.from_us));
	if (v.from_us >= w->bounds.to_us)
		return never;
	for (unsigned i = 0; i < JOIN_MAX && v.to_us < w->bounds.to_us; i++) {
		more = raw(w, v.to_us);
		if (more.from_us > v.to_us)
			break;
		v.to_us = more.to_us;
	}
	v.from_us = MAX(v.from_us, w->bounds.from_us);
	v.to_us = MIN(v.to_us, w->bounds.to_us);
	return v;
}

struct span
window_span_of(const struct window *w, int64_t at_us, int64_t failed_us)
{
	struct span v;

	if (!w->conf.flexible)
		return window_span(w, at_us);
	if (failed_us == 0)
		return never;
	v = window_span(w, failed_us);
	if (v.from_us > failed_us)
		return never;
	return (struct span){failed_us, failed_us + w->duration_us};
}

bool
window_active(const struct window *w, int64_t at_us, int64_t failed_us)
{
	struct span v = window_span_of(w, at_us, failed_us);

	return v.from_us <= at_us && at_us < v.to_us;
}

int64_t
window_next(const struct window *w, int64_t at_us)
{
	struct span v = window_span(w, at_us);

	if (v.from_us <= at_us && v.to_us != SPAN_NEVER)
		v = window_span(w, v.to_us);
	return v.from_us > at_us ? v.from_us : SPAN_NEVER;
}

size_t
window_spans(const struct window *w, struct span within, struct span *ret,
    size_t n)
{
	int64_t at = within.from_us;
	struct span v;
	size_t count = 0;

	while (at < within.to_us) {
		v = window_span(w, at);
		if (v.from_us >= within.to_us)
			break;
		if (count < n)
			ret[count] = (struct span){
			    MAX(v.from_us, within.from_us),
			    MIN(v.to_us, within.to_us)};
		count++;
		at = v.to_us;
	}
	return count;
}

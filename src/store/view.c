#include "store/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/entry.h"

struct view *
view_new(void)
{
	struct view *v = xcalloc(1, sizeof(*v));
	pthread_rwlockattr_t a;

	/* A page that is read all the time must not keep the writer out. */
	if (pthread_rwlockattr_init(&a) != 0 ||
	    pthread_rwlockattr_setkind_np(&a,
	    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) != 0 ||
	    pthread_rwlock_init(&v->lock, &a) != 0)
		abort();
	pthread_rwlockattr_destroy(&a);
	v->windows = windows_new();
	v->covered = covered_new();
	list_init(&v->outages);
	list_init(&v->notices);
	return v;
}

void
view_lock(struct view *v)
{
	pthread_rwlock_wrlock(&v->lock);
}

void
view_unlock(struct view *v)
{
	pthread_rwlock_unlock(&v->lock);
}

static void
read_lock(struct view *v)
{
	pthread_rwlock_rdlock(&v->lock);
}

struct entry *
view_entry(struct view *v, uint32_t id)
{
	struct map_node *n = map_first(&v->by_id, map_hash_u64(id));

	for (; n != NULL; n = map_next(n)) {
		struct entry *e = CONTAINER(n, struct entry, by_id);

		if (e->row.conf->id == id)
			return e;
	}
	return NULL;
}

struct entry *
view_next(struct view *v, uint32_t id)
{
	size_t lo = 0, hi = v->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->ids[mid]->row.conf->id <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < v->nids ? v->ids[lo] : NULL;
}

struct entry *
view_entry_at(struct view *v, struct str path)
{
	struct map_node *n = map_first(&v->by_path, map_hash_str(path));

	for (; n != NULL; n = map_next(n)) {
		struct entry *e = CONTAINER(n, struct entry, by_path);

		if (str_is(path, e->row.conf->path))
			return e;
	}
	return NULL;
}

static enum err
copy(const struct entry *e, struct view_row *ret)
{
	if (e == NULL)
		return ERR_NOT_FOUND;
	*ret = e->row;
	(void)monitor_conf_ref(ret->conf);
	return ERR_OK;
}

void
view_row_release(struct view_row *r)
{
	monitor_conf_unref(r->conf);
	r->conf = NULL;
}

enum err
view_get(struct view *v, uint32_t id, struct view_row *ret)
{
	enum err e;

	read_lock(v);
	e = copy(view_entry(v, id), ret);
	view_unlock(v);
	return e;
}

enum err
view_find(struct view *v, struct str path, struct view_row *ret)
{
	enum err e;

	read_lock(v);
	e = copy(view_entry_at(v, path), ret);
	view_unlock(v);
	return e;
}

uint32_t
view_token(struct view *v, struct str token, uint32_t *ret_shard_key)
{
	struct map_node *n;
	uint32_t id = 0;

	read_lock(v);
	n = map_first(&v->by_token, map_hash_str(token));
	for (; n != NULL && id == 0; n = map_next(n)) {
		const struct monitor_conf *c = CONTAINER(n, struct entry,
		    by_token)->row.conf;

		if (!str_eq_secret(token, str_of(c->token)))
			continue;
		id = c->id;
		*ret_shard_key = c->group != 0 ? c->group : c->id;
	}
	view_unlock(v);
	return id;
}

static bool
has_tag(const struct monitor_conf *c, struct str tag)
{
	for (size_t i = 0; i < c->tags.n; i++)
		if (str_is(tag, c->tags.v[i]))
			return true;
	return false;
}

/* The group itself and its members. */
static bool
in_group(const struct monitor_conf *c, struct str group)
{
	struct str head;

	(void)str_cut(str_of(c->path), '/', &head);
	return str_eq(head, group) &&
	    (c->group != 0 || c->kind->drive == DRIVE_GROUP);
}

/* search is NUL-terminated, for strcasestr. */
static bool
matches(const struct entry *e, const struct view_filter *f, const char *search)
{
	const struct monitor_conf *c = e->row.conf;

	if (c->archived != f->archived)
		return false;
	if (f->status.n > 0 &&
	    !str_is(f->status, status_name((enum status)e->row.status)))
		return false;
	if (f->type.n > 0 && !str_is(f->type, c->kind->name))
		return false;
	if (f->tag.n > 0 && !has_tag(c, f->tag))
		return false;
	if (f->group.n > 0 && !in_group(c, f->group))
		return false;
	return search[0] == '\0' || strcasestr(c->path, search) != NULL ||
	    (c->description != NULL &&
	    strcasestr(c->description, search) != NULL);
}

static size_t
first_after(struct view *v, uint32_t id)
{
	size_t lo = 0, hi = v->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->ids[mid]->row.conf->id <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

enum err
view_list(struct view *v, const struct view_filter *f, enum view_order order,
    size_t max, struct view_row **ret, size_t *ret_n)
{
	/* Archived monitors have no path of their own any more. */
	bool by_path = order == VIEW_BY_PATH && !f->archived;
	char search[MONITOR_PATH_MAX + 1];
	struct entry **from;
	struct view_row *rows;
	size_t n, at = 0, found = 0;

	if (f->search.n >= sizeof(search))
		return ERR_LIMIT;
	memcpy(search, f->search.n > 0 ? f->search.p : "", f->search.n);
	search[f->search.n] = '\0';
	read_lock(v);
	from = by_path ? v->paths : v->ids;
	n = by_path ? v->npaths : v->nids;
	if (!by_path && f->has_ids_after)
		at = first_after(v, f->after);
	rows = xcalloc(MIN(max, n) + 1, sizeof(*rows));
	for (; at < n && found < max; at++) {
		if (by_path && f->has_ids_after &&
		    from[at]->row.conf->id <= f->after)
			continue;
		if (matches(from[at], f, search))
			(void)copy(from[at], &rows[found++]);
	}
	view_unlock(v);
	*ret = rows;
	*ret_n = found;
	return ERR_OK;
}

void
view_counts(struct view *v, uint32_t n[STATUS_NMAX])
{
	read_lock(v);
	memcpy(n, v->counts, sizeof(v->counts));
	view_unlock(v);
}

enum err
view_days(struct view *v, uint32_t id, int64_t now_us,
    struct day_time ret[VIEW_DAYS])
{
	struct gap *windows CLEANUP(xfreep) = NULL;
	struct days_in in = {0};
	struct entry *e;

	read_lock(v);
	e = view_entry(v, id);
	if (e != NULL) {
		in = (struct days_in){v->calendar, v->gaps, NULL, v->ngaps,
		    covered_of(v->covered, id, now_us - VIEW_HISTORY_US,
		    now_us, &windows)};
		in.windows = windows;
		days_read(&e->days, (enum status)e->row.status, now_us, &in,
		    ret);
	}
	view_unlock(v);
	return e != NULL ? ERR_OK : ERR_NOT_FOUND;
}

const struct zone *
view_zone(const struct view *v)
{
	return calendar_zone(v->calendar);
}

int64_t
view_updated_us(struct view *v)
{
	int64_t us;

	read_lock(v);
	us = v->updated_us;
	view_unlock(v);
	return us;
}

enum scope
view_scope(struct view *v, const unsigned char hash[32], int64_t now_us,
    char name[64])
{
	enum scope scope = SCOPE_NONE;

	read_lock(v);
	for (size_t i = 0; i < v->ntokens; i++) {
		const struct view_token_row *t = &v->tokens[i];

		if (!str_eq_secret((struct str){(const char *)t->hash, 32},
		    (struct str){(const char *)hash, 32}))
			continue;
		if (t->revoked_us != 0 ||
		    (t->expires_us != 0 && t->expires_us <= now_us))
			continue;
		scope = t->scope;
		memcpy(name, t->name, sizeof(t->name));
	}
	view_unlock(v);
	return scope;
}

static json_t *
when(int64_t us)
{
	char text[TIME_TEXT];

	return us == 0 ? json_null() : json_string(time_format_utc(us, text));
}

json_t *
view_tokens(struct view *v)
{
	json_t *all = json_array();

	read_lock(v);
	for (size_t i = 0; i < v->ntokens; i++) {
		const struct view_token_row *t = &v->tokens[i];

		if (t->revoked_us == 0)
			(void)json_array_append_new(all, json_pack(
			    "{s:s, s:s, s:o, s:o}", "name", t->name, "scope",
			    scope_name(t->scope), "created",
			    when(t->created_us), "expires",
			    when(t->expires_us)));
	}
	view_unlock(v);
	return all;
}

struct windows *
view_windows(const struct view *v)
{
	return v->windows;
}

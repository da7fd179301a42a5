/* cli_find.c: see the header. */
#include "cli/cli_find.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_json.h"
#include "cli/cli_near.h"
#include "cli/cli_term.h"

#define PAGE         1000
#define SUGGEST_FROM 5000   /* how many monitors are looked at for one */
#define SUGGEST_MAX  5
#define QUERY_MAX    2048

enum err
cli_find_list(struct client *c, const char *path, size_t max, json_t **ret,
    struct errinfo *ei)
{
	json_t *all CLEANUP(cli_json_freep) = json_pack("{s:[]}", "items");
	json_t *items = json_object_get(all, "items");
	char sep = strchr(path, '?') != NULL ? '&' : '?';
	BUF_AUTO(cursor, QUERY_MAX);
	BUF_AUTO(url, 2 * QUERY_MAX);

	for (;;) {
		json_t *page CLEANUP(cli_json_freep) = NULL;
		size_t have = json_array_size(items);
		const char *next;
		enum err e;

		buf_clear(&url);
		buf_addf(&url, "%s%climit=%zu", path, sep,
		    max == 0 ? PAGE : MIN((size_t)PAGE, max - have));
		if (cursor.n > 0) {
			buf_adds(&url, "&cursor=");
			text_url(&url, buf_str(&cursor));
		}
		if (!buf_ok(&url))
			return fail(ei, ERR_LIMIT, "the request is too long");
		e = cli_client_get(c, url.p, &page, ei);
		if (e != ERR_OK)
			return e;
		if (json_array_extend(items,
		    json_object_get(page, "items")) != 0)
			return fail(ei, ERR_PARSE, "the answer is no list: is "
			    "this a vedette?");
		next = json_string_value(json_object_get(page, "next"));
		if (next == NULL || json_array_size(items) == have ||
		    (max != 0 && json_array_size(items) >= max))
			break;
		buf_clear(&cursor);
		buf_adds(&cursor, next);
	}
	*ret = TAKE(all);
	return ERR_OK;
}

/* Monitors of a filter whose field equals name; *n counts them, the first is
 * returned (borrowed). */
static json_t *
matches(const json_t *list, const char *field, const char *name, size_t *n)
{
	json_t *first = NULL, *m;
	size_t i;

	*n = 0;
	json_array_foreach(json_object_get(list, "items"), i, m) {
		if (strcmp(cli_json_text(m, field), name) != 0)
			continue;
		if ((*n)++ == 0)
			first = m;
	}
	return first;
}

static enum err
filtered(struct client *c, const char *filter, const char *name,
    json_t **ret, struct errinfo *ei)
{
	BUF_AUTO(url, QUERY_MAX);

	buf_addf(&url, "/api/v1/monitors?%s=", filter);
	text_url(&url, str_of(name));
	if (!buf_ok(&url))
		return fail(ei, ERR_NOT_FOUND, "no monitor has such a long "
		    "name");
	return cli_find_list(c, url.p, SUGGEST_FROM, ret, ei);
}

static enum err
ambiguous(const json_t *list, const char *name, struct errinfo *ei)
{
	BUF_AUTO(b, 400);
	size_t i, shown = 0;
	json_t *m;

	json_array_foreach(json_object_get(list, "items"), i, m) {
		if (strcmp(cli_json_text(m, "name"), name) != 0 ||
		    shown++ >= SUGGEST_MAX)
			continue;
		buf_addf(&b, "%s\"%s\"", shown > 1 ? ", " : "",
		    cli_json_text(m, "path"));
	}
	return fail(ei, ERR_INVALID, "\"%.120s\" is the name of %zu monitors; "
	    "say which: %s", name, shown, b.p != NULL ? b.p : "");
}

static enum err
not_found(struct client *c, const char *name, struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 300);
	size_t i, n = 0;
	json_t *m;

	if (cli_find_list(c, "/api/v1/monitors", SUGGEST_FROM, &list, ei) !=
	    ERR_OK)
		list = NULL;
	json_array_foreach(json_object_get(list, "items"), i, m) {
		const char *path = cli_json_text(m, "path");

		if (n >= SUGGEST_MAX || (!cli_near_close(name, path) &&
		    !cli_near_close(name, cli_json_text(m, "name"))))
			continue;
		buf_addf(&b, "%s\"%s\"", n++ > 0 ? ", " : "", path);
	}
	if (n > 0 && b.p != NULL)
		return fail(ei, ERR_NOT_FOUND, "there is no monitor \"%.120s\"; "
		    "did you mean %s?", name, b.p);
	return fail(ei, ERR_NOT_FOUND, "there is no monitor \"%.120s\"; "
	    "\"vedette status\" lists them", name);
}

enum err
cli_find_monitor(struct client *c, const char *name, json_t **ret,
    struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	json_t *found;
	size_t n;
	enum err e = filtered(c, "name", name, &list, ei);

	if (e != ERR_OK)
		return e;
	found = matches(list, "path", name, &n);
	if (found == NULL) {
		json_decref(TAKE(list));
		e = filtered(c, "search", name, &list, ei);
		if (e != ERR_OK)
			return e;
		found = matches(list, "name", name, &n);
	}
	if (n > 1)
		return ambiguous(list, name, ei);
	if (found == NULL)
		return not_found(c, name, ei);
	*ret = json_incref(found);
	return ERR_OK;
}

int
cli_find_open(const char *command, const struct cli_args *a,
    struct client **ret_client, json_t **ret_monitor)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	struct errinfo ei = {0};
	enum err e = cli_client_open(a, NULL, &c, &ei);

	if (e == ERR_OK)
		e = cli_find_monitor(c, a->arg[0], ret_monitor, &ei);
	if (e == ERR_OK) {
		*ret_client = TAKE(c);
		return CLI_DONE;
	}
	/* An ambiguous name was understood; it just names no monitor. */
	(void)cli_term_failed(command, e, &ei);
	return CLI_FAILED;
}

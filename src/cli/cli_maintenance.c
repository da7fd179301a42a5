/* cli_maintenance.c: maintenance windows: add, list, end, remove. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli_client.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "world/world.h"

/* key=value as the file says it; what it may be the daemon knows. */
static bool
add_key(json_t *body, const char *arg)
{
	static const char *const lists[] = {"monitors", "groups", "tags",
	    "days", NULL};
	struct str key, value = str_cut(str_of(arg), '=', &key);
	char name[32];

	if (key.n == strlen(arg) || key.n == 0 || key.n >= sizeof(name))
		return false;
	(void)text_copy(name, sizeof(name), key);
	for (size_t i = 0; lists[i] != NULL; i++)
		if (strcmp(lists[i], name) == 0) {
			cli_json_set_list(body, name, value);
			return true;
		}
	cli_json_set_word(body, name, value);
	return true;
}

static void
add_moment(json_t *body, const char *key, int64_t us)
{
	char text[TIME_TEXT];

	(void)json_object_set_new(body, key, json_string(time_format_utc(
	    us / US_PER_S * US_PER_S, text)));
}

/* --for: of a window that begins now, its end; where each run has a length,
 * that. Beside start, or from and to, it could mean two things. */
static int
add_length(const struct cli_args *a, json_t *body, int64_t now_us)
{
	bool runs = json_object_get(body, "cron") != NULL ||
	    json_object_get(body, "flexible") != NULL;
	char text[32];

	if (a->for_ns <= 0)
		return CLI_DONE;
	if (runs && json_object_get(body, "duration") == NULL) {
		(void)snprintf(text, sizeof(text), "%llds",
		    (long long)(a->for_ns / NS_PER_S));
		(void)json_object_set_new(body, "duration", json_string(text));
		return CLI_DONE;
	}
	if (runs || json_object_get(body, "start") != NULL ||
	    json_object_get(body, "end") != NULL ||
	    json_object_get(body, "days") != NULL) {
		(void)fprintf(stderr, "vedette maintenance: --for is for a "
		    "window that begins now, or with cron or flexible in place "
		    "of duration; give end, or from and to, here\n");
		return CLI_USAGE;
	}
	add_moment(body, "end", now_us + a->for_ns / NS_PER_US + US_PER_S - 1);
	return CLI_DONE;
}

static int
add_body(const struct cli_args *a, json_t *body)
{
	int64_t now_us = clock_wall_us();
	int rc;

	(void)json_object_set_new(body, "name", json_string(a->arg[1]));
	for (int i = 2; i < a->nargs; i++) {
		if (add_key(body, a->arg[i]))
			continue;
		(void)fprintf(stderr, "vedette maintenance: \"%.80s\" is not "
		    "key=value; allowed: monitors, groups, tags, start, end, "
		    "cron, duration, days, from, to, zone, flexible, "
		    "description\n", a->arg[i]);
		return CLI_USAGE;
	}
	rc = add_length(a, body, now_us);
	if (json_object_get(body, "start") == NULL &&
	    json_object_get(body, "cron") == NULL &&
	    json_object_get(body, "days") == NULL)
		add_moment(body, "start", now_us);
	return rc;
}

static void
line(struct buf *b, const json_t *w)
{
	const char *state = cli_json_text(w, "state");
	bool active = strcmp(state, "active") == 0;
	const char *from = cli_json_text(w, active ? "active_from" :
	    "next_from"), *until = cli_json_text(w, active ? "active_until" :
	    "next_until");

	cli_term_cell(b, cli_json_text(w, "name"), 24);
	buf_addc(b, ' ');
	cli_term_cell(b, state, 10);
	if (strcmp(state, "over") != 0) {
		buf_addc(b, ' ');
		cli_term_cell(b, from, 0);
		buf_adds(b, " until ");
		cli_term_cell(b, until[0] != '\0' ? until : "ended by hand", 0);
	}
	buf_addc(b, '\n');
}

static enum err
list(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *all CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 4 << 20);
	json_t *one;
	size_t i;
	enum err e = cli_client_get(c, "/api/v1/maintenance", &all, ei);

	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(all);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(all, "items"), i, one)
		line(&b, one);
	if (b.n == 0)
		buf_adds(&b, "there are no maintenance windows\n");
	cli_term_flush(&b);
	return ERR_OK;
}

static enum err
send_one(struct client *c, const struct cli_args *a, json_t *body,
    struct errinfo *ei)
{
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	bool end = strcmp(a->arg[0], "end") == 0;
	struct request r = {.method = end || body != NULL ? "POST" : "DELETE",
	    .type = "application/json"};
	char *text = NULL;
	BUF_AUTO(path, 1024);
	BUF_AUTO(b, 8192);
	enum err e;

	buf_adds(&path, "/api/v1/maintenance");
	if (body == NULL) {
		buf_addc(&path, '/');
		text_url(&path, str_of(a->arg[1]));
		buf_adds(&path, end ? "/end" : "");
	} else {
		text = json_dumps(body, JSON_COMPACT);
		r.body = str_of(text);
	}
	r.path = path.p;
	e = cli_client_json(c, &r, &answer, ei);
	free(text);
	if (e != ERR_OK)
		return e;
	if (a->json)
		cli_term_json(answer);
	else if (body != NULL || end)
		line(&b, answer);
	else
		buf_adds(&b, "removed\n");
	cli_term_flush(&b);
	return ERR_OK;
}

int
cli_maintenance_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *body CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	bool lists = strcmp(a->arg[0], "list") == 0;
	bool adds = strcmp(a->arg[0], "add") == 0;
	enum err e;

	(void)env;
	if (!lists && !adds && strcmp(a->arg[0], "end") != 0 &&
	    strcmp(a->arg[0], "remove") != 0) {
		(void)fprintf(stderr, "vedette maintenance: \"%.40s\" is not "
		    "allowed; allowed: add, list, end, remove\n", a->arg[0]);
		return CLI_USAGE;
	}
	if (lists ? a->nargs != 1 : adds ? a->nargs < 2 : a->nargs != 2) {
		(void)fprintf(stderr, "usage: vedette maintenance list | add "
		    "NAME [key=value ...] | end NAME | remove NAME\n");
		return CLI_USAGE;
	}
	body = adds ? json_object() : NULL;
	if (adds && add_body(a, body) != CLI_DONE)
		return CLI_USAGE;
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		e = lists ? list(c, a, &ei) : send_one(c, a, body, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("maintenance", e, &ei);
}

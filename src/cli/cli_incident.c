/* cli_incident.c: incidents: list, show with all that happened, write of them. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cli_client.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"

#define LIST_DEFAULT 50
#define TITLE_WIDTH  36

/* The verbs: what they ask, and what they may be told. */
static const struct verb {
	const char *name, *method, *usage;
	const char *keys;      /* allowed in KEY=VALUE; NULL: none */
	bool many;             /* their arguments after the id are text */
} verbs[] = {
	{"create", "POST", "create TITLE [KEY=VALUE ...]",
	    "text cause state severity monitors public", false},
	{"update", "POST", "update ID TEXT [state=STATE]", "state", true},
	{"note", "POST", "note ID TEXT", NULL, true},
	{"set", "PATCH", "set ID KEY=VALUE ...",
	    "title cause state severity monitors", false},
	{"delete", "DELETE", "delete ID", NULL, false},
};

static const struct verb *
verb_of(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int
usage(const char *verb)
{
	const struct verb *v = verb_of(verb);

	(void)fprintf(stderr, "usage: vedette incident %s\n", v != NULL ?
	    v->usage : strcmp(verb, "show") == 0 ? "show ID" :
	    "list [open|closed] [--limit N]");
	return CLI_USAGE;
}

/* -- printing ---------------------------------------------------------------- */

static void
line(struct buf *b, const json_t *i)
{
	bool open = cli_json_flag(i, "open");

	buf_addf(b, "%6" PRId64 " ", cli_json_int(i, "id", 0));
	cli_term_cell(b, cli_json_text(i, "state"), 13);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(i, "severity"), 8);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(i, "title"), TITLE_WIDTH);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(i, "opened"), 0);
	buf_adds(b, open ? "" : " to ");
	if (!open)
		cli_term_cell(b, cli_json_text(i, "closed"), 0);
	buf_addc(b, '\n');
}

/* Text of several lines, each under the other. */
static void
lines(struct buf *b, const char *text)
{
	struct str rest = str_of(text), one;

	while (rest.n > 0) {
		char *copy;

		rest = str_cut(rest, '\n', &one);
		copy = strndup(one.p, one.n);
		buf_adds(b, "      ");
		cli_term_cell(b, copy, 0);
		buf_addc(b, '\n');
		free(copy);
	}
}

static void
words(struct buf *b, const char *before, const json_t *o, const char *key)
{
	const char *text = cli_json_text(o, key);

	if (text[0] == '\0')
		return;
	buf_adds(b, before);
	cli_term_cell(b, text, 0);
}

static void
entry(struct buf *b, const json_t *e)
{
	const char *kind = cli_json_text(e, "kind");
	const char *text = cli_json_text(e, "text");

	buf_adds(b, "  ");
	cli_term_cell(b, cli_json_text(e, "at"), 27);
	buf_adds(b, "  ");
	if (strcmp(kind, "transition") == 0) {
		words(b, "", e, "from");
		words(b, " → ", e, "to");
		words(b, ": ", e, "reason");
		words(b, "\n      rule: ", e, "rule");
	} else if (strcmp(kind, "alert") == 0) {
		words(b, "alert to ", e, "channel");
		words(b, " (", e, "event");
		words(b, "): ", e, "result");
		words(b, ", ", e, "note");
	} else if (strcmp(kind, "update") == 0) {
		bool changed = cli_json_flag(e, "changed");

		buf_adds(b, cli_json_flag(e, "public") ? "update" : "note");
		words(b, " by ", e, "by");
		words(b, changed ? ", now " : "", changed ? e : NULL,
		    "state");
	} else {
		words(b, "", e, "kind");
		words(b, " by ", e, "by");
	}
	buf_addc(b, '\n');
	lines(b, text);
}

static void
print_one(struct buf *b, const json_t *i)
{
	const json_t *m, *e;
	size_t k;

	cli_term_cell(b, cli_json_text(i, "title"), 0);
	buf_addf(b, "\n  number    %" PRId64 "\n  state     ",
	    cli_json_int(i, "id", 0));
	cli_term_cell(b, cli_json_text(i, "state"), 0);
	words(b, "\n  severity  ", i, "severity");
	words(b, "\n  kind      ", i, "kind");
	words(b, "\n  opened    ", i, "opened");
	words(b, "\n  closed    ", i, "closed");
	words(b, "\n  reason    ", i, "reason");
	words(b, "\n  cause     ", i, "cause");
	json_array_foreach(json_object_get(i, "monitors"), k, m)
		words(b, k == 0 ? "\n  affects   " : ", ", m, "name");
	buf_adds(b, "\n\n");
	json_array_foreach(json_object_get(i, "timeline"), k, e)
		entry(b, e);
	if (cli_json_flag(i, "truncated"))
		buf_adds(b, "  (more happened than is shown)\n");
}

/* -- asking -------------------------------------------------------------------- */

static enum err
list(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *all CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(path, 128);
	BUF_AUTO(b, 16 << 20);
	const json_t *one;
	size_t i;
	enum err e;

	buf_addf(&path, "/api/v1/incidents?state=%s",
	    a->nargs > 1 ? a->arg[1] : "any");
	e = cli_find_list(c, path.p, a->limit != 0 ? a->limit : LIST_DEFAULT,
	    &all, ei);
	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(all);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(all, "items"), i, one)
		line(&b, one);
	if (b.n == 0)
		buf_adds(&b, "there are no incidents\n");
	cli_term_flush(&b);
	return ERR_OK;
}

static enum err
show(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *one CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(path, 128);
	BUF_AUTO(b, 16 << 20);
	enum err e;

	buf_addf(&path, "/api/v1/incidents/%s", a->arg[1]);
	e = cli_client_get(c, path.p, &one, ei);
	if (e != ERR_OK)
		return e;
	if (a->json)
		cli_term_json(one);
	else
		print_one(&b, one);
	cli_term_flush(&b);
	return ERR_OK;
}

static enum err
send_one(struct client *c, const struct cli_args *a, const struct verb *v,
    const json_t *body, struct errinfo *ei)
{
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	struct request r = {.method = v->method, .type = "application/json"};
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	bool creates = strcmp(v->name, "create") == 0;
	BUF_AUTO(path, 128);
	BUF_AUTO(b, 8192);
	enum err e;

	buf_adds(&path, "/api/v1/incidents");
	if (!creates)
		buf_addf(&path, "/%s%s", a->arg[1], v->many ? "/updates" : "");
	r.path = path.p;
	r.body = text != NULL ? str_of(text) : (struct str){0};
	e = cli_client_json(c, &r, &answer, ei);
	free(text);
	if (e != ERR_OK)
		return e;
	if (a->json)
		cli_term_json(answer);
	else if (strcmp(v->name, "delete") == 0)
		buf_adds(&b, "deleted\n");
	else
		line(&b, answer);
	cli_term_flush(&b);
	return ERR_OK;
}

/* -- what is to be said ---------------------------------------------------------- */

static bool
key_allowed(const struct verb *v, struct str key)
{
	struct str rest = str_of(v->keys), word;

	while (rest.n > 0) {
		rest = str_cut(rest, ' ', &word);
		if (str_eq(word, key))
			return true;
	}
	return false;
}

/* False: a message was printed. */
static bool
set_key(json_t *body, const struct verb *v, const char *arg)
{
	struct str key, value = str_cut(str_of(arg), '=', &key);
	char name[32];

	if (key.n == strlen(arg) || !key_allowed(v, key)) {
		(void)fprintf(stderr, "vedette incident %s: \"%.80s\" is not "
		    "KEY=VALUE; allowed: %s\n", v->name, arg,
		    v->keys != NULL ? v->keys : "none");
		return false;
	}
	(void)text_copy(name, sizeof(name), key);
	if (str_is(key, "monitors"))
		cli_json_set_list(body, name, value);
	else if (str_is(key, "public"))
		cli_json_set_word(body, name, value);
	else
		(void)json_object_set_new(body, name,
		    json_stringn(value.p, value.n));
	return true;
}

/* Words that are no KEY=VALUE of the verb are its text. */
static bool
set_body(json_t *body, const struct verb *v, const struct cli_args *a)
{
	int from = 2;

	if (strcmp(v->name, "create") == 0)
		(void)json_object_set_new(body, "title",
		    json_string(a->arg[1]));
	if (v->many) {
		(void)json_object_set_new(body, "text",
		    json_string(a->arg[2]));
		from = 3;
	}
	if (strcmp(v->name, "note") == 0)
		(void)json_object_set_new(body, "public", json_false());
	for (int i = from; i < a->nargs; i++)
		if (!set_key(body, v, a->arg[i]))
			return false;
	return true;
}

static bool
counted(const struct verb *v, const struct cli_args *a)
{
	const char *name = a->arg[0];
	uint64_t id;

	if (strcmp(name, "list") == 0)
		return a->nargs == 1 || (a->nargs == 2 &&
		    (strcmp(a->arg[1], "open") == 0 ||
		    strcmp(a->arg[1], "closed") == 0));
	if (a->nargs < 2)
		return false;
	if (strcmp(name, "create") == 0)
		return true;
	if (!str_u64(str_of(a->arg[1]), UINT32_MAX, &id) || id == 0) {
		(void)fprintf(stderr, "vedette incident: \"%.40s\" is no "
		    "number of an incident\n", a->arg[1]);
		return false;
	}
	if (v == NULL || strcmp(name, "delete") == 0)
		return a->nargs == 2;
	return a->nargs >= 3;
}

int
cli_incident_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *body CLEANUP(cli_json_freep) = NULL;
	const struct verb *v = verb_of(a->arg[0]);
	bool lists = strcmp(a->arg[0], "list") == 0;
	struct errinfo ei = {0};
	enum err e;

	(void)env;
	if (v == NULL && !lists && strcmp(a->arg[0], "show") != 0) {
		(void)fprintf(stderr, "vedette incident: \"%.40s\" is not "
		    "allowed; allowed: list, show, create, update, note, set, "
		    "delete\n", a->arg[0]);
		return CLI_USAGE;
	}
	if (!counted(v, a))
		return usage(a->arg[0]);
	body = v != NULL && strcmp(v->name, "delete") != 0 ? json_object() :
	    NULL;
	if (body != NULL && !set_body(body, v, a))
		return CLI_USAGE;
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		e = v != NULL ? send_one(c, a, v, body, &ei) : lists ?
		    list(c, a, &ei) : show(c, a, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("incident", e, &ei);
}

/* cli_quarantine.c: units that could not be stored: list, show, retry, drop. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli_client.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"

static void
row_print(struct buf *b, const json_t *q)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64, cli_json_int(q, "id", 0));
	cli_term_cell(b, id, 6);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(q, "at"), 20);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(q, "kind"), 8);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(q, "name"), 24);
	buf_addf(b, " %" PRId64 " tries  ", cli_json_int(q, "attempts", 0));
	cli_term_cell(b, cli_json_text(q, "reason"), 0);
	buf_addc(b, '\n');
}

static enum err
get_list(struct client *c, json_t **ret, struct errinfo *ei)
{
	return cli_client_get(c, "/api/v1/quarantine?limit=1000", ret, ei);
}

static enum err
list(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 1 << 20);
	json_t *q;
	size_t i;
	enum err e = get_list(c, &v, ei);

	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(v);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(v, "items"), i, q)
		row_print(&b, q);
	if (json_array_size(json_object_get(v, "items")) == 0)
		buf_adds(&b, "nothing is in quarantine\n");
	if (json_is_string(json_object_get(v, "next")))
		buf_adds(&b, "and more\n");
	cli_term_flush(&b);
	return ERR_OK;
}

static enum err
show(struct client *c, const char *id, struct errinfo *ei)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	char path[80];
	enum err e;

	(void)snprintf(path, sizeof(path), "/api/v1/quarantine/%.20s", id);
	e = cli_client_get(c, path, &v, ei);
	if (e == ERR_OK)
		cli_term_json(v);
	return e;
}

static enum err
change(struct client *c, const char *id, bool drop, struct errinfo *ei)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	char path[96];
	struct request r = {.method = drop ? "DELETE" : "POST", .path = path};
	enum err e;

	(void)snprintf(path, sizeof(path), "/api/v1/quarantine/%.20s%s", id,
	    drop ? "" : "/retry");
	e = cli_client_json(c, &r, &v, ei);
	if (e == ERR_OK)
		(void)printf("%s: %s\n", id, cli_json_text(v, "done"));
	return e;
}

/* What will go is listed before anybody is asked. */
static int
may_drop(struct client *c, const struct cli_args *a)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(b, 1 << 20);
	json_t *q;
	size_t i;
	enum err e;

	if (a->yes)
		return CLI_DONE;
	if (!cli_term_tty() || !isatty(STDIN_FILENO)) {
		(void)fprintf(stderr, "vedette quarantine: drop is for good, and"
		    " nobody can be asked here; look with \"vedette quarantine"
		    " show\", then give --yes\n");
		return CLI_USAGE;
	}
	e = get_list(c, &v, &ei);
	if (e != ERR_OK)
		return cli_term_failed("quarantine", e, &ei);
	json_array_foreach(json_object_get(v, "items"), i, q) {
		char id[24];

		(void)snprintf(id, sizeof(id), "%" PRId64,
		    cli_json_int(q, "id", 0));
		if (strcmp(a->arg[1], "all") == 0 ||
		    strcmp(a->arg[1], id) == 0)
			row_print(&b, q);
	}
	cli_term_flush(&b);
	return cli_term_ask("Drop what is listed, for good?") ? CLI_DONE :
	    CLI_FAILED;
}

static enum err
change_some(struct client *c, const char *which, bool drop,
    struct errinfo *ei)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	json_t *q;
	size_t i;
	enum err e;

	if (strcmp(which, "all") != 0)
		return change(c, which, drop, ei);
	e = get_list(c, &v, ei);
	json_array_foreach(json_object_get(v, "items"), i, q) {
		char id[24];

		if (e != ERR_OK)
			break;
		(void)snprintf(id, sizeof(id), "%" PRId64,
		    cli_json_int(q, "id", 0));
		e = change(c, id, drop, ei);
	}
	return e;
}

static bool
is_id(const char *s)
{
	return s[0] >= '1' && s[0] <= '9' && strlen(s) <= 10 &&
	    strspn(s, "0123456789") == strlen(s);
}

/* CLI_DONE: verb and argument belong together. */
static int
check(const struct cli_args *a)
{
	bool bare = strcmp(a->arg[0], "list") == 0;
	bool one = strcmp(a->arg[0], "show") == 0;
	bool some = strcmp(a->arg[0], "retry") == 0 ||
	    strcmp(a->arg[0], "drop") == 0;

	if (!bare && !one && !some) {
		(void)fprintf(stderr, "vedette quarantine: \"%.40s\" is not"
		    " allowed; allowed: list, show, retry, drop\n", a->arg[0]);
		return CLI_USAGE;
	}
	if (a->nargs == (bare ? 1 : 2) && (bare || is_id(a->arg[1]) ||
	    (some && strcmp(a->arg[1], "all") == 0)))
		return CLI_DONE;
	(void)fprintf(stderr, "usage: vedette quarantine list | show ID |"
	    " retry ID|all | drop ID|all [--yes]; ID is a number as list"
	    " shows it\n");
	return CLI_USAGE;
}

int
cli_quarantine_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	struct errinfo ei = {0};
	bool drop = strcmp(a->arg[0], "drop") == 0;
	int rc = check(a);
	enum err e;

	(void)env;
	if (rc != CLI_DONE)
		return rc;
	e = cli_client_open(a, NULL, &c, &ei);
	if (e != ERR_OK)
		return cli_term_failed("quarantine", e, &ei);
	if (drop)
		rc = may_drop(c, a);
	if (rc != CLI_DONE)
		return rc;
	if (strcmp(a->arg[0], "list") == 0)
		e = list(c, a, &ei);
	else if (strcmp(a->arg[0], "show") == 0)
		e = show(c, a->arg[1], &ei);
	else
		e = change_some(c, a->arg[1], drop, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("quarantine", e, &ei);
}

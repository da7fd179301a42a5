/* cli_token.c: API tokens. The secret of a new one is shown once, here. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli_client.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "world/world.h"

static enum err
token_create(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *v CLEANUP(cli_json_freep) = json_pack("{s:s, s:s}",
	    "name", a->arg[1], "scope", a->scope);
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	char *text CLEANUP(xfreep) = NULL;
	struct request r = {.method = "POST", .path = "/api/v1/tokens",
		.type = "application/json"};
	char until[TIME_TEXT];
	BUF_AUTO(b, 65536);
	enum err e;

	if (v == NULL)
		return fail(ei, ERR_INVALID, "the name is not UTF-8");
	if (a->expires_ns > 0)
		(void)json_object_set_new(v, "expires", json_string(
		    time_format_utc(clock_wall_us() + a->expires_ns / NS_PER_US,
		    until)));
	text = json_dumps(v, JSON_COMPACT);
	r.body = str_of(text);
	e = cli_client_json(c, &r, &answer, ei);
	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(answer);
		return ERR_OK;
	}
	cli_term_cell(&b, cli_json_text(answer, "token"), 0);
	buf_addc(&b, '\n');
	cli_term_flush(&b);
	(void)fprintf(stderr, "This is the only time the token is shown.\n");
	return ERR_OK;
}

static void
row_print(struct buf *b, const json_t *t)
{
	const char *expires = cli_json_text(t, "expires");

	cli_term_cell(b, cli_json_text(t, "name"), 24);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(t, "scope"), 6);
	buf_adds(b, " since ");
	cli_term_cell(b, cli_json_text(t, "created"), 0);
	buf_adds(b, expires[0] != '\0' ? " until " : " for ever");
	cli_term_cell(b, expires, 0);
	buf_addc(b, '\n');
}

static enum err
token_list(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 1 << 20);
	json_t *t;
	size_t i;
	enum err e = cli_client_get(c, "/api/v1/tokens", &list, ei);

	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(list);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(list, "items"), i, t)
		row_print(&b, t);
	cli_term_flush(&b);
	return ERR_OK;
}

static enum err
token_revoke(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	struct request r = {.method = "DELETE"};
	BUF_AUTO(b, 1024);
	enum err e;

	buf_adds(&b, "/api/v1/tokens/");
	text_url(&b, str_of(a->arg[1]));
	if (!buf_ok(&b))
		return fail(ei, ERR_NOT_FOUND, "no token has such a long name");
	r.path = b.p;
	e = cli_client_json(c, &r, &answer, ei);
	if (e == ERR_OK)
		(void)printf("revoked\n");
	return e;
}

int
cli_token_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	struct errinfo ei = {0};
	bool create = strcmp(a->arg[0], "create") == 0;
	bool list = strcmp(a->arg[0], "list") == 0;
	enum err e;

	(void)env;
	if (!create && !list && strcmp(a->arg[0], "revoke") != 0) {
		(void)fprintf(stderr, "vedette token: \"%.40s\" is not "
		    "allowed; allowed: create, list, revoke\n", a->arg[0]);
		return CLI_USAGE;
	}
	if (a->nargs != (list ? 1 : 2) || (create && a->scope == NULL)) {
		(void)fprintf(stderr, "usage: vedette token create NAME "
		    "--scope read|write|admin [--expires 90d] | list | "
		    "revoke NAME\n");
		return CLI_USAGE;
	}
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK && create)
		e = token_create(c, a, &ei);
	else if (e == ERR_OK)
		e = list ? token_list(c, a, &ei) : token_revoke(c, a, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("token", e, &ei);
}

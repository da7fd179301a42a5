/* cli_control.c: pause and resume. Answered when it is durable. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"

static int
control(const char *verb, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *m CLEANUP(cli_json_freep) = NULL;
	json_t *now CLEANUP(cli_json_freep) = NULL;
	char path[96];
	const struct request r = {.method = "POST", .path = path};
	struct errinfo ei = {0};
	BUF_AUTO(b, 4096);
	enum err e;
	int rc = cli_find_open(verb, a, &c, &m);

	if (rc != CLI_DONE)
		return rc;
	(void)snprintf(path, sizeof(path), "/api/v1/monitors/%" PRId64 "/%s",
	    cli_json_int(m, "id", 0), verb);
	e = cli_client_json(c, &r, &now, &ei);
	if (e != ERR_OK)
		return cli_term_failed(verb, e, &ei);
	if (a->json) {
		cli_term_json(now);
		return CLI_DONE;
	}
	cli_term_cell(&b, cli_json_text(m, "path"), 0);
	buf_adds(&b, ": ");
	cli_term_cell(&b, cli_json_text(now, "status"), 0);
	buf_addc(&b, '\n');
	cli_term_flush(&b);
	return CLI_DONE;
}

int
cli_control_pause(const struct cli_env *env, const struct cli_args *a)
{
	(void)env;
	return control("pause", a);
}

int
cli_control_resume(const struct cli_env *env, const struct cli_args *a)
{
	(void)env;
	return control("resume", a);
}

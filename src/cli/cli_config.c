/* cli_config.c: what needs no daemon: check a file, print the schema and the
 * reference, all from the option rows. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "conf/conf.h"

#define REFERENCE_MAX (4u << 20)

int
cli_config_check(const struct cli_env *env, const struct cli_args *a)
{
	struct document *d CLEANUP(document_freep) = NULL;
	struct errinfo ei = {0};
	char text[1024];
	enum err e = document_load(a->arg[0], env->kinds, &d, &ei);
	BUF_AUTO(b, 8192);

	if (e != ERR_OK) {
		(void)errinfo_text(&ei, text, sizeof(text));
		cli_term_cell(&b, text, 0);
		(void)fprintf(stderr, "%s\n", b.p != NULL ? b.p : "");
		return CLI_USAGE;
	}
	cli_term_cell(&b, a->arg[0], 0);
	buf_addf(&b, ": ok, %zu monitor%s, %zu channel%s\n", d->nmonitors,
	    d->nmonitors == 1 ? "" : "s", d->nchannels,
	    d->nchannels == 1 ? "" : "s");
	cli_term_flush(&b);
	return CLI_DONE;
}

int
cli_config_schema(const struct cli_env *env, const struct cli_args *a)
{
	json_t *v CLEANUP(cli_json_freep) = conf_schema(env->kinds);

	(void)a;
	cli_term_json(v);
	return CLI_DONE;
}

int
cli_config_reference(const struct cli_env *env, const struct cli_args *a)
{
	BUF_AUTO(b, REFERENCE_MAX);

	if (a->man)
		conf_man(env->kinds, &b);
	else
		conf_reference(env->kinds, &b);
	if (!buf_ok(&b)) {
		(void)fprintf(stderr, "vedette reference: longer than "
		    "%u bytes\n", REFERENCE_MAX);
		return CLI_FAILED;
	}
	cli_term_flush(&b);
	return CLI_DONE;
}

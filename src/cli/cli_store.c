/* cli_store.c: the store's counters, as they come, one a line. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli_client.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"

#define DEPTH_MAX 6

/* {"a":{"b":1}} becomes "a.b 1". */
static void
flat(struct buf *b, const char *prefix, json_t *v, unsigned depth)
{
	const char *key;
	json_t *sub;

	if (json_is_object(v) && depth < DEPTH_MAX) {
		json_object_foreach(v, key, sub) {
			BUF_AUTO(name, 512);

			buf_addf(&name, "%s%s%s", prefix,
			    prefix[0] != '\0' ? "." : "", key);
			if (buf_ok(&name))
				flat(b, name.p, sub, depth + 1);
		}
		return;
	}
	cli_term_cell(b, prefix, 36);
	buf_addc(b, ' ');
	if (json_is_integer(v))
		buf_addi(b, json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(b, "%g", json_real_value(v));
	else if (json_is_string(v))
		cli_term_cell(b, json_string_value(v), 0);
	else
		buf_adds(b, json_is_true(v) ? "yes" :
		    json_is_false(v) ? "no" : "-");
	buf_addc(b, '\n');
}

int
cli_store_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *v CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(b, 1 << 20);
	enum err e;

	(void)env;
	if (strcmp(a->arg[0], "stats") != 0) {
		(void)fprintf(stderr, "vedette store: \"%.40s\" is not "
		    "allowed; allowed: stats\n", a->arg[0]);
		return CLI_USAGE;
	}
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		e = cli_client_get(c, "/api/v1/store/stats", &v, &ei);
	if (e != ERR_OK)
		return cli_term_failed("store", e, &ei);
	if (a->json) {
		cli_term_json(v);
		return CLI_DONE;
	}
	flat(&b, "", v, 0);
	cli_term_flush(&b);
	return CLI_DONE;
}

/* cli_store.c: what of "store" a running daemon answers: its counters, as they
 * come, one a line; checks and backups, as errands. */
#include "cli/cli.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli_client.h"
#include "cli/cli_errand.h"
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

static int
store_stats(struct client *c, const struct cli_args *a, const char *file,
    struct errinfo *ei, enum err *ret)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 1 << 20);

	(void)file;
	*ret = cli_client_get(c, "/api/v1/store/stats", &v, ei);
	if (*ret != ERR_OK)
		return CLI_FAILED;
	if (a->json) {
		cli_term_json(v);
		return CLI_DONE;
	}
	flat(&b, "", v, 0);
	cli_term_flush(&b);
	return CLI_DONE;
}

static enum cli_colour
level_colour(const char *level)
{
	if (strcmp(level, "healthy") == 0)
		return COLOUR_GREEN;
	if (strcmp(level, "degraded") == 0)
		return COLOUR_YELLOW;
	return strcmp(level, "unhealthy") == 0 ? COLOUR_RED : COLOUR_DIM;
}

static void
bytes_text(double x, char *text, size_t size)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	size_t u = 0;

	for (; u + 1 < COUNT(units) && x >= 1024; u++)
		x /= 1024;
	(void)snprintf(text, size, "%.*f %s", u == 0 ? 0 : 1, x, units[u]);
}

/* "1.5 MiB", "0.002 s", "-" when there is none. */
static void
measure(struct buf *b, const json_t *v, const char *unit)
{
	double x = json_number_value(v);
	char text[64] = "-";

	if (json_is_number(v) && strcmp(unit, "bytes") == 0)
		bytes_text(x, text, sizeof(text));
	else if (json_is_number(v))
		(void)snprintf(text, sizeof(text), "%.3g %s", x, unit);
	cli_term_cell(b, text, 22);
}

static void
rule_print(struct buf *b, const json_t *r)
{
	const char *level = cli_json_text(r, "level");
	const char *unit = cli_json_text(r, "unit");
	char word[16];

	(void)snprintf(word, sizeof(word), "%-10.15s", level);
	buf_adds(b, "  ");
	cli_term_cell(b, cli_json_text(r, "rule"), 16);
	buf_addc(b, ' ');
	cli_term_paint(b, level_colour(level), word);
	buf_addc(b, ' ');
	measure(b, json_object_get(r, "value"), unit);
	buf_adds(b, " degraded ");
	measure(b, json_object_get(r, "degraded"), unit);
	buf_adds(b, " unhealthy ");
	measure(b, json_object_get(r, "unhealthy"), unit);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(r, "text"), 0);
	buf_addc(b, '\n');
}

static int
store_health(struct client *c, const struct cli_args *a, const char *file,
    struct errinfo *ei, enum err *ret)
{
	json_t *v CLEANUP(cli_json_freep) = NULL;
	const json_t *rules;
	const char *level;
	BUF_AUTO(b, 1 << 20);

	(void)file;
	*ret = cli_client_get(c, a->force ? "/api/v1/store/health?force=yes" :
	    "/api/v1/store/health", &v, ei);
	if (*ret != ERR_OK)
		return CLI_FAILED;
	level = cli_json_text(v, "level");
	if (a->json) {
		cli_term_json(v);
		return strcmp(level, "unhealthy") == 0 ? CLI_FAILED : CLI_DONE;
	}
	rules = json_object_get(v, "rules");
	cli_term_paint(&b, level_colour(level), level);
	buf_addf(&b, " (as of %s)\n", cli_json_text(v, "at"));
	for (size_t i = 0; i < json_array_size(rules); i++)
		rule_print(&b, json_array_get(rules, i));
	cli_term_flush(&b);
	return strcmp(level, "unhealthy") == 0 ? CLI_FAILED : CLI_DONE;
}

/* The errand's own failure is said like a refusal. */
static enum err
errand_failed(const json_t *x, struct errinfo *ei)
{
	if (strcmp(cli_json_text(x, "state"), "failed") != 0)
		return ERR_OK;
	return fail(ei, ERR_STORE, "%s", cli_json_text(x, "error"));
}

static void
step_print(struct buf *b, const json_t *s)
{
	const char *state = cli_json_text(s, "state");
	bool good = strcmp(state, "done") == 0;

	buf_adds(b, "  ");
	cli_term_cell(b, cli_json_text(s, "name"), 14);
	buf_addc(b, ' ');
	cli_term_paint(b, good ? COLOUR_GREEN : COLOUR_RED, state);
	buf_addf(b, " %7.3f s  ", json_number_value(json_object_get(s,
	    "seconds")));
	cli_term_cell(b, cli_json_text(s, "text"), 0);
	buf_addc(b, '\n');
}

static int
store_maintain(struct client *c, const struct cli_args *a, const char *file,
    struct errinfo *ei, enum err *ret)
{
	const struct request r = {.method = "POST",
	    .path = "/api/v1/store/maintain"};
	json_t *x CLEANUP(cli_json_freep) = NULL;
	const json_t *steps;
	BUF_AUTO(b, 1 << 20);

	(void)file;
	*ret = cli_errand_wait(c, &r, a, &x, ei);
	if (*ret != ERR_OK)
		return CLI_FAILED;
	steps = json_object_get(x, "steps");
	for (size_t i = 0; !a->json && i < json_array_size(steps); i++)
		step_print(&b, json_array_get(steps, i));
	if (a->json)
		cli_term_json(x);
	cli_term_flush(&b);
	*ret = errand_failed(x, ei);
	return cli_json_int(json_object_get(x, "report"), "total", 0) == 0 ?
	    CLI_DONE : CLI_FAILED;
}

static int
store_check(struct client *c, const struct cli_args *a, const char *file,
    struct errinfo *ei, enum err *ret)
{
	const struct request r = {.method = "POST", .path = a->quick ?
	    "/api/v1/store/check?quick=yes" : "/api/v1/store/check"};
	json_t *x CLEANUP(cli_json_freep) = NULL;

	(void)file;
	*ret = cli_errand_wait(c, &r, a, &x, ei);
	if (*ret == ERR_OK)
		*ret = errand_failed(x, ei);
	if (*ret != ERR_OK)
		return CLI_FAILED;
	return cli_errand_report("the running daemon's store",
	    json_object_get(x, "report"), a->json);
}

static int
store_backup(struct client *c, const struct cli_args *a, const char *file,
    struct errinfo *ei, enum err *ret)
{
	json_t *body CLEANUP(cli_json_freep) = json_pack("{s:s, s:b}",
	    "file", file, "force", a->force);
	json_t *x CLEANUP(cli_json_freep) = NULL;
	char *text CLEANUP(xfreep) = body != NULL ?
	    json_dumps(body, JSON_COMPACT) : NULL;
	const struct request r = {.method = "POST",
	    .path = "/api/v1/store/backup", .type = "application/json",
	    .body = str_of(text)};

	*ret = text == NULL ? fail(ei, ERR_INVALID, "the file's name is not "
	    "UTF-8") : cli_errand_wait(c, &r, a, &x, ei);
	if (*ret == ERR_OK)
		*ret = errand_failed(x, ei);
	if (*ret != ERR_OK)
		return CLI_FAILED;
	return cli_errand_report(file, json_object_get(x, "report"), a->json);
}

static const struct verb {
	const char *name;
	int (*run)(struct client *c, const struct cli_args *a,
	    const char *file, struct errinfo *ei, enum err *ret);
} verbs[] = {
	{"stats", store_stats},
	{"health", store_health},
	{"maintain", store_maintain},
	{"check", store_check},
	{"backup", store_backup},
};

int
cli_store_run(const struct cli_env *env, const struct cli_args *a,
    const char *file)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	const struct verb *v = verbs;
	struct errinfo ei = {0};
	enum err e;
	int rc = CLI_FAILED;

	(void)env;
	while (v < verbs + COUNT(verbs) && strcmp(v->name, a->arg[0]) != 0)
		v++;
	assert(v < verbs + COUNT(verbs));
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		rc = v->run(c, a, file, &ei, &e);
	return e == ERR_OK ? rc : cli_term_failed("store", e, &ei);
}

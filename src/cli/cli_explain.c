/* cli_explain.c: why a monitor is what it is, or was at a time: the
 * transition in force, the rule, the votes, the samples, the evidence. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"

#define OUT_MAX      (4u << 20)
#define EVIDENCE_MAX 16384

static void
verdict_print(struct buf *b, const json_t *v)
{
	const char *from = cli_json_text(v, "from");
	const char *to = cli_json_text(v, "to");
	const char *reason = cli_json_text(v, "reason");

	if (from[0] != '\0') {
		cli_term_paint(b, cli_term_colour(from), from);
		buf_adds(b, " → ");
	}
	cli_term_paint(b, cli_term_colour(to), to);
	buf_adds(b, " at ");
	cli_term_cell(b, cli_json_text(v, "at"), 0);
	buf_adds(b, "\n  why      ");
	cli_term_cell(b, cli_json_text(v, "why"), 0);
	if (reason[0] != '\0') {
		buf_adds(b, ": ");
		cli_term_cell(b, reason, 0);
	}
	buf_addc(b, '\n');
}

/* Scalars of a vote or of a sample, "key value" apart by two blanks. */
static void
scalars_print(struct buf *b, json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v) {
		if (json_is_integer(v)) {
			cli_term_cell(b, key, 0);
			buf_addf(b, " %" JSON_INTEGER_FORMAT "  ",
			    json_integer_value(v));
		} else if (json_is_string(v) && json_string_length(v) > 0) {
			cli_term_cell(b, key, 0);
			buf_addc(b, ' ');
			cli_term_cell(b, json_string_value(v), 0);
			buf_adds(b, "  ");
		}
	}
	buf_addc(b, '\n');
}

static void
votes_print(struct buf *b, const json_t *votes)
{
	size_t i;
	json_t *v;

	if (json_array_size(votes) == 0)
		return;
	buf_adds(b, "  votes\n");
	json_array_foreach(votes, i, v) {
		buf_adds(b, "    ");
		scalars_print(b, v);
	}
}

/* Those with a seq above after; the last one's is returned. */
static int64_t
samples_print(struct buf *b, const char *title, const json_t *samples,
    int64_t after)
{
	size_t i;
	json_t *s;

	json_array_foreach(samples, i, s) {
		if (cli_json_int(s, "seq", 0) <= after)
			continue;
		if (title != NULL)
			buf_addf(b, "  %s\n", title);
		title = NULL;
		after = cli_json_int(s, "seq", 0);
		buf_addf(b, "    %6" PRId64 "  ", cli_json_int(s, "seq", 0));
		cli_term_cell(b, cli_json_text(s, "at"), 28);
		cli_term_cell(b, cli_json_text(s, "why"), 18);
		cli_term_latency(b, cli_json_int(s, "latency_us", -1));
		if (cli_json_flag(s, "recheck"))
			buf_adds(b, "  recheck");
		if (cli_json_text(s, "peer")[0] != '\0') {
			buf_adds(b, "  ");
			cli_term_cell(b, cli_json_text(s, "peer"), 0);
		}
		if (cli_json_text(s, "reason")[0] != '\0') {
			buf_adds(b, "  ");
			cli_term_cell(b, cli_json_text(s, "reason"), 0);
		}
		buf_addc(b, '\n');
	}
	return after;
}

/* Evidence is what the target sent: every line of it is made harmless. */
static void
evidence_print(struct buf *b, json_t *evidence)
{
	const char *key;
	json_t *v;

	if (json_object_size(evidence) == 0)
		return;
	buf_adds(b, "  evidence\n");
	json_object_foreach(evidence, key, v) {
		struct str rest, one;
		char *text = NULL;

		if (!json_is_string(v))
			text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		rest = str_of(text != NULL ? text : json_string_value(v));
		buf_adds(b, "    ");
		cli_term_cell(b, key, 0);
		buf_adds(b, ":\n");
		while (rest.n > 0) {
			rest = str_cut(rest, '\n', &one);
			buf_adds(b, "      ");
			text_line(b, one, EVIDENCE_MAX);
			buf_addc(b, '\n');
		}
		free(text);
	}
}

static void
explain_print(struct buf *b, const json_t *m, const json_t *v)
{
	const json_t *t = json_object_get(v, "transition");
	const char *rule = cli_json_text(v, "rule");
	int64_t seq;

	cli_term_cell(b, cli_json_text(m, "path"), 0);
	buf_addc(b, ' ');
	if (json_is_object(t))
		verdict_print(b, t);
	else
		buf_adds(b, "had no verdict yet\n");
	if (rule[0] != '\0') {
		buf_adds(b, "  rule     ");
		cli_term_cell(b, rule, 0);
		buf_addc(b, '\n');
	}
	votes_print(b, json_object_get(v, "votes"));
	seq = samples_print(b, "samples", json_object_get(v, "samples"), 0);
	(void)samples_print(b, "samples since", json_object_get(v, "latest"),
	    seq);
	evidence_print(b, json_object_get(v, "evidence"));
}

int
cli_explain_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *m CLEANUP(cli_json_freep) = NULL;
	json_t *v CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(url, 512);
	BUF_AUTO(b, OUT_MAX);
	enum err e;
	int rc = cli_find_open("explain", a, &c, &m);

	(void)env;
	if (rc != CLI_DONE)
		return rc;
	buf_addf(&url, "/api/v1/monitors/%" PRId64 "/explain",
	    cli_json_int(m, "id", 0));
	if (a->at[0] != '\0') {
		buf_adds(&url, "?at=");
		text_url(&url, str_of(a->at));
	}
	e = cli_client_get(c, url.p, &v, &ei);
	if (e != ERR_OK)
		return cli_term_failed("explain", e, &ei);
	if (a->json)
		cli_term_json(v);
	else
		explain_print(&b, m, v);
	cli_term_flush(&b);
	return CLI_DONE;
}

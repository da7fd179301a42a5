/* cli_apply.c: plan, apply and export. A file is validated here first, so
 * that messages name it as the person did; the daemon then plans and applies
 * the same bytes, because only it knows what is stored. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_client.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "cli/cli_where.h"
#include "conf/conf.h"
#include "conf/tree.h"

#define PLAN_TEXT_MAX (64u << 20)

/* As messages call it. */
static const char *
file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "(stdin)" : path;
}

/* The names of the channels that the daemon holds: a file may notify them. */
static enum err
channels_known(struct client *c, struct strings *ret, struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	const json_t *items;
	json_t *v;
	size_t i;
	enum err e = cli_client_get(c, "/api/v1/channels", &list, ei);

	if (e != ERR_OK)
		return e;
	items = json_object_get(list, "items");
	ret->v = xcalloc(json_array_size(items) + 1, sizeof(*ret->v));
	json_array_foreach(items, i, v)
		ret->v[ret->n++] = xstrdup(cli_json_text(v, "name"));
	return ERR_OK;
}

static void
strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		xfree(s->v[i]);
	xfree(s->v);
}

/* The file's bytes, which parse. A mistake in the file is said even when no
 * daemon is there to plan it. */
static enum err
file_read(struct client *c, const struct cli_env *env, const char *path,
    struct str *ret, struct errinfo *ei)
{
	struct document *d CLEANUP(document_freep) = NULL;
	struct strings known CLEANUP(strings_free) = {0};
	char *text CLEANUP(xfreep) = NULL;
	struct errinfo asked = {0};
	enum err e, reach;
	size_t n;

	e = cli_where_read(path, TREE_BYTES_MAX, &text, &n, ei);
	if (e != ERR_OK)
		return e == ERR_SYS ? ERR_INVALID : e;
	reach = channels_known(c, &known, &asked);
	e = document_parse((struct str){text, n}, file_name(path), env->kinds,
	    &known, &d, ei);
	if (e != ERR_OK)
		return e;
	if (reach != ERR_OK) {
		*ei = asked;
		return reach;
	}
	*ret = (struct str){TAKE(text), n};
	return ERR_OK;
}

static enum err
post(struct client *c, const struct cli_args *a, bool dry_run,
    struct str text, json_t **ret, struct errinfo *ei)
{
	struct request r = {.method = "POST", .body = text,
		.type = "application/yaml"};
	BUF_AUTO(path, 3072);

	buf_addf(&path, "/api/v1/apply?dry_run=%s&prune=%s&cascade=%s&file=",
	    dry_run ? "true" : "false", a->prune ? "true" : "false",
	    a->cascade ? "true" : "false");
	text_url(&path, str_of(file_name(a->file)));
	if (!buf_ok(&path))
		return fail(ei, ERR_INVALID, "-f: the name of the file is too "
		    "long");
	r.path = path.p;
	return cli_client_json(c, &r, ret, ei);
}

static void
text_free(struct str *s)
{
	xfreep(&s->p);
}

struct op_look {
	const char *op, *sign;
	enum cli_colour colour;
	bool destroys;
	const char *words;   /* NULL: the op says it */
};

static const struct op_look *
op_look(const char *op)
{
	static const struct op_look looks[] = {
		{"create", "+", COLOUR_GREEN, false, NULL},
		{"update", "~", COLOUR_YELLOW, false, NULL},
		{"rename", ">", COLOUR_YELLOW, false, NULL},
		{"delete", "-", COLOUR_RED, true, NULL},
		{"archive", "-", COLOUR_MAGENTA, false, NULL},
		{"restore", "+", COLOUR_GREEN, false, NULL},
		{"channel_put", "~", COLOUR_YELLOW, false, "set channel"},
		{"channel_delete", "-", COLOUR_RED, true, "delete channel"},
		{"maintenance_put", "~", COLOUR_YELLOW, false,
		    "set maintenance"},
		{"maintenance_delete", "-", COLOUR_RED, true,
		    "delete maintenance"},
	};
	static const struct op_look other = {"", "*", COLOUR_NONE, false,
	    NULL};

	for (size_t i = 0; i < COUNT(looks); i++)
		if (strcmp(looks[i].op, op) == 0)
			return &looks[i];
	return &other;
}

static void
change_print(struct buf *b, const json_t *change)
{
	const char *op = cli_json_text(change, "op");
	const char *type = cli_json_text(change, "type");
	const char *detail = cli_json_text(change, "detail");
	const struct op_look *look = op_look(op);

	cli_term_paint(b, look->colour, look->sign);
	buf_addc(b, ' ');
	cli_term_cell(b, look->words != NULL ? look->words : op, 0);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(change, "path"), 0);
	if (type[0] != '\0') {
		buf_adds(b, " (");
		cli_term_cell(b, type, 0);
		buf_addc(b, ')');
	}
	if (detail[0] != '\0') {
		buf_adds(b, ": ");
		cli_term_cell(b, detail, 0);
	}
	buf_addc(b, '\n');
}

static void
plan_print(const json_t *plan, bool done)
{
	const json_t *changes = json_object_get(plan, "changes");
	const json_t *lose = json_object_get(plan, "lose_alerts");
	size_t i, n = json_array_size(changes);
	json_t *v;
	BUF_AUTO(b, PLAN_TEXT_MAX);

	json_array_foreach(changes, i, v)
		change_print(&b, v);
	json_array_foreach(lose, i, v) {
		cli_term_paint(&b, COLOUR_YELLOW, "!");
		buf_adds(&b, " ");
		cli_term_cell(&b, json_string_value(v), 0);
		buf_adds(&b, " will alert nobody any more\n");
	}
	if (n == 0)
		buf_adds(&b, "nothing to do\n");
	else
		buf_addf(&b, "%zu change%s%s\n", n, n == 1 ? "" : "s",
		    done ? " applied" : "");
	cli_term_flush(&b);
}

/* What both commands begin with; the caller owns client and text. CLI_DONE,
 * or the exit code. */
static int
begin(const char *name, const struct cli_env *env, const struct cli_args *a,
    struct client **ret, struct str *ret_text)
{
	struct errinfo ei = {0};
	enum err e;

	if (a->file == NULL) {
		(void)fprintf(stderr, "vedette %s: which file? give -f FILE\n",
		    name);
		return CLI_USAGE;
	}
	e = cli_client_open(a, a->file, ret, &ei);
	if (e == ERR_OK)
		e = file_read(*ret, env, a->file, ret_text, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed(name, e, &ei);
}

/* The daemon speaks of the bytes it was sent; the person knows a file. */
static int
failed(const char *name, const struct cli_args *a, enum err e,
    struct errinfo *ei)
{
	if (e == ERR_INVALID || e == ERR_PARSE)
		(void)snprintf(ei->file, sizeof(ei->file), "%s",
		    file_name(a->file));
	return cli_term_failed(name, e, ei);
}

int
cli_apply_plan(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *plan CLEANUP(cli_json_freep) = NULL;
	struct str text CLEANUP(text_free) = {0};
	struct errinfo ei = {0};
	enum err e;
	int rc = begin("plan", env, a, &c, &text);

	if (rc != CLI_DONE)
		return rc;
	e = post(c, a, true, text, &plan, &ei);
	if (e != ERR_OK)
		return failed("plan", a, e, &ei);
	if (a->json)
		cli_term_json(plan);
	else
		plan_print(plan, false);
	return json_array_size(json_object_get(plan, "changes")) == 0 ?
	    CLI_DONE : CLI_CHANGES;
}

/* What --prune will delete is shown and asked for. CLI_DONE: go on. */
static int
confirm(struct client *c, const struct cli_args *a, struct str text)
{
	json_t *plan CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	size_t i, gone = 0;
	json_t *v;
	char question[96];
	enum err e;
	BUF_AUTO(b, PLAN_TEXT_MAX);

	e = post(c, a, true, text, &plan, &ei);
	if (e != ERR_OK)
		return failed("apply", a, e, &ei);
	json_array_foreach(json_object_get(plan, "changes"), i, v) {
		if (!op_look(cli_json_text(v, "op"))->destroys)
			continue;
		change_print(&b, v);
		gone++;
	}
	if (gone == 0)
		return CLI_DONE;
	cli_term_flush(&b);
	(void)snprintf(question, sizeof(question), "Delete %s%zu, with all "
	    "history?", gone == 1 ? "this " : "these ", gone);
	if (cli_term_ask(question))
		return CLI_DONE;
	(void)fprintf(stderr, "vedette apply: nothing was changed\n");
	return CLI_FAILED;
}

int
cli_apply_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *plan CLEANUP(cli_json_freep) = NULL;
	struct str text CLEANUP(text_free) = {0};
	struct errinfo ei = {0};
	enum err e;
	int rc;

	if (a->prune && !a->yes && (!cli_term_tty() || !isatty(STDIN_FILENO) ||
	    (a->file != NULL && strcmp(a->file, "-") == 0))) {
		(void)fprintf(stderr, "vedette apply: --prune deletes what the "
		    "file no longer names, and nobody can be asked here; look "
		    "with \"vedette plan --prune\", then give --yes\n");
		return CLI_USAGE;
	}
	rc = begin("apply", env, a, &c, &text);
	if (rc == CLI_DONE && a->prune && !a->yes)
		rc = confirm(c, a, text);
	if (rc != CLI_DONE)
		return rc;
	e = post(c, a, false, text, &plan, &ei);
	if (e != ERR_OK)
		return failed("apply", a, e, &ei);
	if (a->json)
		cli_term_json(plan);
	else
		plan_print(plan, true);
	return CLI_DONE;
}

/* -- export -------------------------------------------------------------- */

static enum err
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYS;
		s.p += n;
		s.n -= (size_t)n;
	}
	return ERR_OK;
}

/* Whole or not at all: a new file, synced, takes the old one's place. It may
 * hold secrets: for its owner alone. */
static enum err
file_write(const char *path, struct str s, struct errinfo *ei)
{
	char tmp[PATH_MAX];
	int fd, saved;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return fail(ei, ERR_LIMIT, "-o: the path is too long");
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot write %s: %s", tmp,
		    strerror(errno));
	if (write_all(fd, s) != ERR_OK || fsync(fd) != 0) {
		saved = errno;
		(void)close(fd);
		(void)unlink(tmp);
		return fail(ei, ERR_SYS, "cannot write %s: %s", tmp,
		    strerror(saved));
	}
	(void)close(fd);
	if (rename(tmp, path) == 0)
		return ERR_OK;
	saved = errno;
	(void)unlink(tmp);
	return fail(ei, ERR_SYS, "cannot write %s: %s", path, strerror(saved));
}

int
cli_apply_export(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	const struct request r = {.method = "GET",
		.path = a->secrets ? "/api/v1/export?secrets=true" :
		    "/api/v1/export"};
	struct errinfo ei = {0};
	BUF_AUTO(b, CLIENT_BODY_MAX);
	enum err e;

	(void)env;
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		e = cli_client_call(c, &r, &b, &ei);
	if (e == ERR_OK && a->out != NULL && strcmp(a->out, "-") != 0)
		e = file_write(a->out, buf_str(&b), &ei);
	else if (e == ERR_OK)
		cli_term_flush(&b);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("export", e, &ei);
}

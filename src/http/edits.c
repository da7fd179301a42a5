/* edits.c: see edits.h. */
#include "http/edits.h"

#include "base/mbox.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/conf.h"
#include "conf/tree.h"
#include "conf/yaml.h"
#include "http/cursor.h"
#include "http/field.h"
#include "http/monitors.h"
#include "http/park.h"
#include "http/server.h"
#include "model/command.h"
#include "world/world.h"

#define UNIT_BYTES 4096   /* of an edit, beside its body, in the mailbox */

static void
edits_failed(struct req *q)
{
	struct view_row row;
	bool changed = false;

	/* A conflict with If-Match is a lost race when the version moved on;
	 * otherwise it is something else, a name that is taken. */
	if (q->e == ERR_CONFLICT && q->if_version != 0) {
		changed = true;
		if (view_get(q->h->view, q->id, &row) == ERR_OK) {
			changed = row.conf->version != q->if_version;
			view_row_release(&row);
		}
	}
	if (changed)
		answer_problem(&q->out, 412, "If-Match",
		    "the monitor was changed meanwhile: read it again");
	else
		answer_fail(&q->out, q->e, q->ei);
}

/* Resumed after the commit: answer with what is now. */
static void
edits_after(struct req *q)
{
	if (q->e != ERR_OK) {
		edits_failed(q);
	} else if (q->kept != NULL) {
		q->out = *q->kept;
		*q->kept = (struct answer){0};
	} else {
		monitors_answer(q, q->config != NULL &&
		    q->config->op == CONFIG_CREATE ? q->config->ret_monitor :
		    q->id, q->made);
	}
}

/* Give u to the writer. The request is parked already when it comes from a
 * reader. */
enum flow
edits_send(struct req *q, struct config_unit *u, bool parked)
{
	struct mbox *to = store_inbox(q->h->c.store);

	u->unit.urgent = true;
	u->unit.ack = &q->ack;
	u->unit.bytes = UNIT_BYTES + q->body.n;
	u->unit.queued_ns = clock_mono_ns();
	text_copy(u->actor, sizeof(u->actor), str_of(q->actor));
	q->config = u;
	if (parked)
		park_again(q, PARK_EDIT);
	else
		park_wait(q, PARK_EDIT);
	if (mbox_put(to, &u->unit.msg, u->unit.bytes))
		return WAITING;
	answer_problem(&q->out, 503, NULL,
	    "too much is waiting to be stored; nothing was changed");
	if (parked)
		return ANSWERED;
	park_done(q);
	return WAITING;
}

/* The monitor must be there, and be the version the client saw. */
static bool
edits_match(struct req *q)
{
	struct view_row row;
	uint64_t now;

	if (view_get(q->h->view, q->id, &row) != ERR_OK) {
		answer_problem(&q->out, 404, NULL,
		    "there is no monitor with the id %u", q->id);
		return false;
	}
	now = row.conf->version;
	view_row_release(&row);
	q->if_version = cursor_if_match(str_of(MHD_lookup_connection_value(
	    q->conn, MHD_HEADER_KIND, "If-Match")), now);
	if (q->if_version != CURSOR_NO_VERSION)
		return true;
	answer_problem(&q->out, 412, "If-Match", "the monitor is not the "
	    "version in If-Match: read it again");
	return false;
}

static enum flow
edits_body(struct req *q, enum config_op op)
{
	struct config_unit *u;
	json_t *body;

	if (op != CONFIG_CREATE && !edits_match(q))
		return ANSWERED;
	body = req_body_json(q);
	if (body == NULL)
		return ANSWERED;
	u = config_unit_new(op);
	u->body = body;
	u->monitor = q->id;
	u->if_version = q->if_version;
	u->opts.origin = ORIGIN_HAND;
	q->made = op == CONFIG_CREATE ? 201 : 200;
	q->after = edits_after;
	return edits_send(q, u, false);
}

enum flow
edits_create(struct req *q)
{
	return edits_body(q, CONFIG_CREATE);
}

enum flow
edits_patch(struct req *q)
{
	return edits_body(q, CONFIG_PATCH);
}

enum flow
edits_replace(struct req *q)
{
	return edits_body(q, CONFIG_REPLACE);
}

enum flow
edits_delete(struct req *q)
{
	struct config_unit *u;
	bool cascade = false;

	if (!req_arg_flag(q, "cascade", &cascade) || !edits_match(q))
		return ANSWERED;
	/* Answered with what it was: kept now, while it still is. */
	monitors_answer(q, q->id, 200);
	if (q->out.status != 200)
		return ANSWERED;
	u = config_unit_new(CONFIG_DELETE);
	u->monitor = q->id;
	u->if_version = q->if_version;
	u->opts.cascade = cascade;
	q->after = edits_after;
	q->kept = xcalloc(1, sizeof(*q->kept));
	*q->kept = q->out;
	q->out = (struct answer){0};
	return edits_send(q, u, false);
}

static enum flow
edits_command(struct req *q, enum command_kind kind)
{
	struct http *h = q->h;
	struct view_row row;
	struct command *c;
	bool archived;

	if (view_get(h->view, q->id, &row) != ERR_OK) {
		answer_problem(&q->out, 404, NULL,
		    "there is no monitor with the id %u", q->id);
		return ANSWERED;
	}
	archived = row.conf->archived;
	view_row_release(&row);
	if (archived)
		return req_bad(q, 409, NULL, "the monitor is archived: the "
		    "configuration file no longer names it");
	c = command_new(kind, q->id);
	c->ack = &q->ack;
	text_copy(c->actor, sizeof(c->actor), str_of(q->actor));
	q->made = 200;
	q->after = edits_after;
	park_wait(q, PARK_EDIT);
	if (h->c.send(h->c.arg, c))
		return WAITING;
	command_free(c);
	answer_problem(&q->out, 503, NULL,
	    "too many commands are waiting; nothing was changed");
	park_done(q);
	return WAITING;
}

enum flow
edits_pause(struct req *q)
{
	return edits_command(q, COMMAND_PAUSE);
}

enum flow
edits_resume(struct req *q)
{
	return edits_command(q, COMMAND_RESUME);
}

/* -- apply -------------------------------------------------------------- */

static void
edits_applied(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	if (q->config->plan != NULL)
		(void)json_object_set_new(q->config->plan, "dry_run",
		    json_boolean(q->config->dry_run));
	field_json(&b, NULL, q->config->plan);
	if (b.n > 0)
		b.p[b.n - 1] = '\n';
	answer_take(&q->out, 200, answer_json, &b);
}

/* The names of the stored channels, for notify. Borrowed from j. */
static void
edits_channel_names(const json_t *j, struct strings *ret)
{
	size_t i;
	json_t *c;

	ret->v = xcalloc(json_array_size(j) + 1, sizeof(*ret->v));
	json_array_foreach(j, i, c) {
		const char *name = json_string_value(
		    json_object_get(c, "name"));

		if (name != NULL)
			ret->v[ret->n++] = xstrdup(name);
	}
}

static enum err
edits_parse(struct req *q, struct document **ret, struct errinfo *ei)
{
	json_t *channels = view_channels(q->h->view, OPT_SECRETS_MASK);
	struct strings names = {0};
	BUF_AUTO(file, 256);
	enum err e;

	text_line(&file, req_arg(q, "file").n > 0 ? req_arg(q, "file") :
	    STR("document"), 200);
	edits_channel_names(channels, &names);
	json_decref(channels);
	/* JSON is YAML's subset as far as documents go: document_parse looks
	 * at the text itself. */
	e = document_parse(buf_str(&q->body), file.p, q->h->c.kinds, &names,
	    ret, ei);
	for (size_t i = 0; i < names.n; i++)
		xfree(names.v[i]);
	xfree(names.v);
	return e;
}

/* On a reader's thread: a document may be megabytes. */
enum flow
edits_apply(struct req *q)
{
	struct document *doc = NULL;
	struct config_unit *u;
	struct errinfo ei = {0};
	bool dry_run = false, prune = false, cascade = false;
	enum err e;

	if (!req_arg_flag(q, "dry_run", &dry_run) ||
	    !req_arg_flag(q, "prune", &prune) ||
	    !req_arg_flag(q, "cascade", &cascade))
		return ANSWERED;
	if (str_trim(buf_str(&q->body)).n == 0)
		return req_bad(q, 400, NULL, "the body is empty; send the "
		    "configuration document as YAML or JSON");
	e = edits_parse(q, &doc, &ei);
	if (e != ERR_OK) {
		/* Whatever is wrong is in what was sent. */
		answer_fail(&q->out, e == ERR_PARSE || e == ERR_LIMIT ||
		    e == ERR_INVALID || e == ERR_CONFLICT ? ERR_INVALID : e,
		    &ei);
		return ANSWERED;
	}
	u = config_unit_new(CONFIG_APPLY);
	u->doc = doc;
	u->dry_run = dry_run;
	u->opts = (struct plan_opts){.origin = ORIGIN_APPLY, .prune = prune,
	    .cascade = cascade};
	q->after = edits_applied;
	return edits_send(q, u, true);
}

/* -- reading it whole --------------------------------------------------- */

enum flow
edits_export(struct req *q)
{
	static const char yaml[] = "application/yaml; charset=utf-8";
	BUF_AUTO(b, TREE_BYTES_MAX);
	struct str format = req_arg(q, "format");
	bool secrets = false, json = str_is(format, "json");
	json_t *doc;

	if (!req_arg_flag(q, "secrets", &secrets))
		return ANSWERED;
	if (format.n > 0 && !json && !str_is(format, "yaml"))
		return req_bad(q, 400, "format", "format is not yaml or json");
	if (secrets && q->scope < SCOPE_ADMIN)
		return req_bad(q, 403, "secrets",
		    "an export with secrets needs the scope admin");
	doc = view_export(q->h->view, secrets ? OPT_SECRETS_PLAIN :
	    OPT_SECRETS_MASK);
	if (doc == NULL)
		return req_bad(q, 500, NULL,
		    "the configuration could not be put together");
	if (json) {
		field_json(&b, NULL, doc);
		if (b.n > 0)
			b.p[b.n - 1] = '\n';
	} else {
		tree_yaml_write(doc, &b);
	}
	json_decref(doc);
	answer_take(&q->out, 200, json ? answer_json : yaml, &b);
	return ANSWERED;
}

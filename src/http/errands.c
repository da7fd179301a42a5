/* errands.c: see errands.h. */
#include "http/errands.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/field.h"
#include "http/server.h"
#include "store/errand.h"

static enum flow
errands_show(struct req *q, unsigned status)
{
	struct errand *x CLEANUP(xfreep) = errand_look(q->h->c.store);
	json_t *v = errand_json(x);
	char *text = v != NULL ? json_dumps(v, JSON_ENSURE_ASCII) : NULL;
	BUF_AUTO(b, ANSWER_BODY_MAX);

	json_decref(v);
	if (text == NULL)
		return req_bad(q, 500, NULL, "the errand cannot be shown");
	buf_adds(&b, text);
	buf_addc(&b, '\n');
	free(text);
	answer_take(&q->out, status, answer_json, &b);
	return ANSWERED;
}

static enum flow
errands_begin(struct req *q, struct errand_ask *ask)
{
	struct errinfo ei = {0};
	uint64_t id;
	enum err e;

	(void)text_copy(ask->actor, sizeof(ask->actor), str_of(q->actor));
	e = errand_start(q->h->c.store, ask, &id, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	answer_header(&q->out, "Location", "/api/v1/store/errand");
	return errands_show(q, 202);
}

enum flow
errands_get(struct req *q)
{
	return errands_show(q, 200);
}

enum flow
errands_maintain(struct req *q)
{
	struct errand_ask ask = {.kind = ERRAND_MAINTAIN};

	return errands_begin(q, &ask);
}

enum flow
errands_check(struct req *q)
{
	struct errand_ask ask = {.kind = ERRAND_CHECK};

	if (!req_arg_flag(q, "quick", &ask.quick))
		return ANSWERED;
	return errands_begin(q, &ask);
}

/* {"file": "/absolute", "force": false}; anything else is a mistake. */
static bool
errands_read(struct req *q, json_t *body, struct errand_ask *ask)
{
	const char *key;
	json_t *v;

	json_object_foreach(body, key, v) {
		if (strcmp(key, "file") == 0 && json_is_string(v)) {
			const char *file = json_string_value(v);

			if (strlen(file) >= sizeof(ask->file)) {
				answer_problem(&q->out, 422, "file", "a path "
				    "has at most %zu bytes",
				    sizeof(ask->file) - 1);
				return false;
			}
			memcpy(ask->file, file, strlen(file) + 1);
		} else if (strcmp(key, "force") == 0 && json_is_boolean(v)) {
			ask->force = json_is_true(v);
		} else {
			answer_problem(&q->out, 422, NULL, "allowed are file, "
			    "a path, and force, true or false");
			return false;
		}
	}
	if (ask->file[0] == '/')
		return true;
	answer_problem(&q->out, 422, "file", "file is not an absolute path on "
	    "the daemon's machine");
	return false;
}

/* It writes a file with the daemon's rights: for those who have them. */
enum flow
errands_backup(struct req *q)
{
	struct errand_ask ask = {.kind = ERRAND_BACKUP};
	json_t *body;
	bool good;

	if (!q->door->control) {
		answer_problem(&q->out, 403, NULL, "a backup writes a file on "
		    "the daemon's machine: ask over its control socket");
		return ANSWERED;
	}
	body = req_body_json(q);
	if (body == NULL)
		return ANSWERED;
	good = errands_read(q, body, &ask);
	json_decref(body);
	return good ? errands_begin(q, &ask) : ANSWERED;
}

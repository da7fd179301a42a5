/* tokens.c: see tokens.h. */
#include "http/tokens.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "http/auth.h"
#include "http/field.h"
#include "http/park.h"
#include "http/server.h"
#include "world/world.h"

#define SECRET_BYTES 32
#define SECRET_TEXT  (4 + 2 * SECRET_BYTES + 1)   /* "vdt_…" */
#define UNIT_BYTES   512

enum flow
tokens_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	json_t *list = view_tokens(q->h->view);

	if (list == NULL)
		return req_bad(q, 500, NULL, "the tokens could not be read");
	buf_addc(&b, '{');
	field_json(&b, "items", list);
	field_null(&b, "next");
	field_close(&b, '}');
	buf_addc(&b, '\n');
	json_decref(list);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

static enum flow
tokens_send(struct req *q)
{
	struct token_unit *u = q->token;

	u->unit.urgent = true;
	u->unit.bytes = UNIT_BYTES;
	text_copy(u->actor, sizeof(u->actor), str_of(q->actor));
	(void)!park_unit(q, &u->unit);   /* it is q's, and goes with it */
	return WAITING;
}

/* Letters, digits, - _ . only: it stands in paths, logs and events. */
static bool
tokens_name(struct req *q, struct str name, struct token_unit *u)
{
	size_t i = 0;

	while (i < name.n && (strchr("-_.", name.p[i]) != NULL ||
	    (name.p[i] >= '0' && name.p[i] <= '9') ||
	    (name.p[i] >= 'a' && name.p[i] <= 'z') ||
	    (name.p[i] >= 'A' && name.p[i] <= 'Z')) && name.p[i] != '\0')
		i++;
	if (name.n == 0 || name.n > 50 || i < name.n) {
		answer_problem(&q->out, 422, "name", "a token's name has 1 to "
		    "50 letters, digits, dashes, dots and underscores");
		return false;
	}
	text_copy(u->name, sizeof(u->name), name);
	return true;
}

/* A time, or how long from now. */
static bool
tokens_expiry(struct req *q, const json_t *v, int64_t *ret)
{
	int64_t ns, now = clock_wall_us();
	struct str s = str_of(json_string_value(v));

	if (v == NULL || json_is_null(v) || (json_is_string(v) && s.n == 0))
		return true;
	if (json_is_string(v) && time_parse_duration(s, &ns) && ns > 0 &&
	    s.p[s.n - 1] > '9') {
		*ret = now + ns / NS_PER_US;
		return true;
	}
	if (json_is_string(v) && time_parse_utc(s, ret) && *ret > now)
		return true;
	answer_problem(&q->out, 422, "expires", "expires is not a duration "
	    "(30d) or a time to come (2027-01-01T00:00:00Z)");
	return false;
}

static bool
tokens_read(struct req *q, const json_t *body, struct token_unit *u)
{
	const char *key;
	json_t *v;

	u->scope = SCOPE_READ;
	for (void *at = json_object_iter((json_t *)(uintptr_t)body);
	    at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)body, at)) {
		key = json_object_iter_key(at);
		v = json_object_iter_value(at);
		if (strcmp(key, "scope") == 0) {
			if (!scope_parse(str_of(json_string_value(v)),
			    &u->scope) || u->scope == SCOPE_NONE) {
				answer_problem(&q->out, 422, "scope",
				    "scope is not read, write or admin");
				return false;
			}
		} else if (strcmp(key, "expires") == 0) {
			if (!tokens_expiry(q, v, &u->expires_us))
				return false;
		} else if (strcmp(key, "name") != 0) {
			answer_problem(&q->out, 422, NULL, "unknown key; "
			    "allowed are name, scope and expires");
			return false;
		}
	}
	return tokens_name(q, str_of(json_string_value(
	    json_object_get(body, "name"))), u);
}

static void
tokens_created(struct req *q)
{
	BUF_AUTO(b, 4096);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_addc(&b, '{');
	field_text(&b, "name", q->token->name);
	field_text(&b, "scope", scope_name(q->token->scope));
	field_time(&b, "expires", q->token->expires_us);
	field_text(&b, "token", q->secret);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 201, answer_json, &b);
}

enum flow
tokens_create(struct req *q)
{
	json_t *body = req_body_json(q);
	unsigned char raw[SECRET_BYTES];
	bool ok;

	if (body == NULL)
		return ANSWERED;
	q->token = token_unit_new(TOKEN_CREATE);
	ok = tokens_read(q, body, q->token);
	json_decref(body);
	if (!ok)
		return ANSWERED;
	random_bytes(raw, sizeof(raw));
	q->secret = xcalloc(1, SECRET_TEXT);
	memcpy(q->secret, "vdt_", 4);
	text_hex(q->secret + 4, SECRET_TEXT - 4, raw, sizeof(raw));
	explicit_bzero(raw, sizeof(raw));
	auth_hash(str_of(q->secret), q->token->hash);
	q->after = tokens_created;
	return tokens_send(q);
}

static void
tokens_revoked(struct req *q)
{
	BUF_AUTO(b, 1024);

	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_addc(&b, '{');
	field_text(&b, "name", q->token->name);
	field_flag(&b, "revoked", true);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
}

enum flow
tokens_revoke(struct req *q)
{
	q->token = token_unit_new(TOKEN_REVOKE);
	if (q->seg.n >= sizeof(q->token->name))
		return req_bad(q, 404, NULL, "there is no token of that name");
	text_copy(q->token->name, sizeof(q->token->name), q->seg);
	q->after = tokens_revoked;
	return tokens_send(q);
}

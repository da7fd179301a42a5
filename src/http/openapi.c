/* openapi.c: see openapi.h. */
#include "http/openapi.h"

#include <string.h>

#include "http/field.h"
#include "http/route.h"
#include "http/server.h"

static void
openapi_param(struct buf *b, const char *name, const char *where,
    const char *help, const char *type)
{
	field_open(b, NULL, '{');
	field_text(b, "name", name);
	field_text(b, "in", where);
	field_flag(b, "required", strcmp(where, "path") == 0);
	if (help != NULL)
		field_text(b, "description", help);
	field_open(b, "schema", '{');
	field_text(b, "type", type);
	field_next(b, '}');
	field_next(b, '}');
}

static void
openapi_params(struct buf *b, const struct route *r)
{
	field_open(b, "parameters", '[');
	if (strstr(r->pattern, "{id}") != NULL)
		openapi_param(b, "id", "path", NULL, "integer");
	if (strstr(r->pattern, "{name}") != NULL)
		openapi_param(b, "name", "path", NULL, "string");
	if (strstr(r->pattern, "{path}") != NULL)
		openapi_param(b, "path", "path", NULL, "string");
	if (strstr(r->pattern, "{token}") != NULL)
		openapi_param(b, "token", "path", NULL, "string");
	for (const struct param *p = r->params; p != NULL && p->name != NULL;
	    p++)
		openapi_param(b, p->name, "query", p->help, "string");
	field_next(b, ']');
}

static void
openapi_answer(struct buf *b, const char *status, const char *text)
{
	field_open(b, status, '{');
	field_text(b, "description", text);
	field_next(b, '}');
}

static void
openapi_route(struct buf *b, const struct route *r)
{
	char method[8];
	size_t n = strlen(r->method);

	for (size_t i = 0; i <= n && i < sizeof(method); i++)
		method[i] = (char)(r->method[i] | (i < n ? 0x20 : 0));
	field_open(b, method, '{');
	field_text(b, "summary", r->summary);
	openapi_params(b, r);
	if (r->body == BODY_OBJECT || r->body == BODY_DOCUMENT) {
		field_open(b, "requestBody", '{');
		field_open(b, "content", '{');
		field_open(b, "application/json", '{');
		field_next(b, '}');
		if (r->body == BODY_DOCUMENT) {
			field_open(b, "application/yaml", '{');
			field_next(b, '}');
		}
		field_next(b, '}');
		field_next(b, '}');
	}
	if (r->scope != SCOPE_NONE) {
		field_open(b, "security", '[');
		field_open(b, NULL, '{');
		field_open(b, "token", '[');
		field_text(b, NULL, scope_name(r->scope));
		field_next(b, ']');
		field_next(b, '}');
		field_next(b, ']');
	}
	field_open(b, "responses", '{');
	openapi_answer(b, strcmp(r->method, "POST") == 0 &&
	    r->body == BODY_OBJECT ? "201" : "200", "Done.");
	openapi_answer(b, "default", "Problem JSON (RFC 9457).");
	field_next(b, '}');
	field_next(b, '}');
}

static bool
openapi_seen(const struct route *r)
{
	for (const struct route *o = routes; o < r; o++)
		if (strcmp(o->pattern, r->pattern) == 0)
			return true;
	return false;
}

enum flow
openapi_get(struct req *q)
{
	BUF_AUTO(b, 1 << 20);

	buf_addc(&b, '{');
	field_text(&b, "openapi", "3.1.0");
	field_open(&b, "info", '{');
	field_text(&b, "title", "vedette");
	field_text(&b, "version", q->h->c.version);
	field_next(&b, '}');
	field_open(&b, "paths", '{');
	for (const struct route *r = routes; r->method != NULL; r++) {
		if (openapi_seen(r))
			continue;
		field_open(&b, r->pattern, '{');
		for (const struct route *o = r; o->method != NULL; o++)
			if (strcmp(o->pattern, r->pattern) == 0)
				openapi_route(&b, o);
		field_next(&b, '}');
	}
	field_next(&b, '}');
	field_open(&b, "components", '{');
	field_open(&b, "securitySchemes", '{');
	field_open(&b, "token", '{');
	field_text(&b, "type", "http");
	field_text(&b, "scheme", "bearer");
	field_next(&b, '}');
	field_next(&b, '}');
	field_next(&b, '}');
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

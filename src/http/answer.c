/* answer.c: see answer.h. */
#include "http/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/field.h"

#define RETRY_S "2"   /* what a 503 advises: the queue drains in less */

const char answer_json[] = "application/json; charset=utf-8";
const char answer_html[] = "text/html; charset=utf-8";
const char answer_text[] = "text/plain; charset=utf-8";
static const char problem_type[] = "application/problem+json; charset=utf-8";

static const struct { unsigned status; const char *text; } reasons[] = {
	{200, "OK"}, {201, "Created"}, {304, "Not Modified"},
	{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
	{404, "Not Found"}, {405, "Method Not Allowed"},
	{408, "Request Timeout"}, {409, "Conflict"},
	{412, "Precondition Failed"}, {413, "Content Too Large"},
	{414, "URI Too Long"}, {415, "Unsupported Media Type"},
	{422, "Unprocessable Content"}, {429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"}, {503, "Service Unavailable"},
};

const char *
answer_reason(unsigned status)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Error";
}

void
answer_free(struct answer *a)
{
	xfree(a->body);
	*a = (struct answer){0};
}

void
answer_take(struct answer *a, unsigned status, const char *type,
    struct buf *b)
{
	answer_free(a);
	if (!buf_ok(b)) {
		answer_problem(a, 500, NULL, "the answer would be larger "
		    "than %u bytes; ask for fewer items", ANSWER_BODY_MAX);
		return;
	}
	a->status = status;
	a->type = type;
	a->body_n = b->n;
	a->body = buf_take(b);
}

void
answer_header(struct answer *a, const char *name, const char *value)
{
	if (a->nheaders >= ANSWER_HEADERS)
		return;
	a->headers[a->nheaders].name = name;
	text_copy(a->headers[a->nheaders].value,
	    sizeof(a->headers[0].value), str_of(value));
	a->nheaders++;
}

void
answer_retry(struct answer *a, unsigned seconds)
{
	char text[16];
	unsigned i = 0;

	while (i < a->nheaders &&
	    strcmp(a->headers[i].name, "Retry-After") != 0)
		i++;
	a->nheaders = MIN(i, a->nheaders);
	snprintf(text, sizeof(text), "%u", seconds);
	answer_header(a, "Retry-After", text);
}

static void
answer_problem_body(struct answer *a, unsigned status, const char *text,
    const char *field, uint32_t line)
{
	BUF_AUTO(b, 16384);

	buf_addc(&b, '{');
	field_text(&b, "type", "about:blank");
	field_text(&b, "title", answer_reason(status));
	field_int(&b, "status", status);
	field_text(&b, "detail", text);
	if (field != NULL && field[0] != '\0')
		field_text(&b, "field", field);
	if (line > 0)
		field_int(&b, "line", line);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_free(a);
	a->status = status;
	a->type = problem_type;
	a->body_n = b.n;
	a->body = buf_take(&b);
	if (status == 503 || status == 429)
		answer_header(a, "Retry-After", RETRY_S);
	if (status == 401)
		answer_header(a, "WWW-Authenticate",
		    "Bearer realm=\"vedette\"");
}

void
answer_problem(struct answer *a, unsigned status, const char *field,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	answer_problem_body(a, status, text, field, 0);
}

unsigned
answer_status(enum err e)
{
	switch (e) {
	case ERR_OK:
		return 200;
	case ERR_PARSE:
		return 400;
	case ERR_LIMIT:
	case ERR_INVALID:
		return 422;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_CONFLICT:
		return 409;
	case ERR_DENIED:
		return 403;
	case ERR_AGAIN:
	case ERR_TIMEOUT:
	case ERR_STOPPING:
	case ERR_CANCELLED:
		return 503;
	case ERR_SYS:
	case ERR_STORE:
	case ERR_NMAX:
		break;
	}
	return 500;
}

void
answer_fail(struct answer *a, enum err e, const struct errinfo *ei)
{
	char text[700];
	const char *what = err_name(e);

	if (ei != NULL && ei->text[0] != '\0')
		what = ei->text;
	if (ei != NULL && ei->file[0] != '\0')
		what = errinfo_text(ei, text, sizeof(text));
	answer_problem_body(a, answer_status(e), what,
	    ei != NULL ? ei->field : NULL, ei != NULL ? ei->line : 0);
}

#define POLICY "default-src 'none'; style-src 'self'; script-src 'self'; " \
	"img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; " \
	"base-uri 'none'; "

void
answer_guard(struct MHD_Response *r, const char *cache, bool form)
{
	/* script-src and style-src 'self': no inline code or style anywhere,
	 * so that no foreign string can become either. */
	static const char *const always[][2] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	};

	(void)MHD_add_response_header(r, "Content-Security-Policy",
	    form ? POLICY "form-action 'self'" : POLICY "form-action 'none'");
	for (size_t i = 0; i < COUNT(always); i++)
		(void)MHD_add_response_header(r, always[i][0], always[i][1]);
	(void)MHD_add_response_header(r, "Cache-Control",
	    cache != NULL ? cache : "no-store");
}

enum MHD_Result
answer_send(struct answer *a, struct MHD_Connection *conn)
{
	struct MHD_Response *r;
	unsigned status = a->status;
	enum MHD_Result ok;

	if (a->body == NULL)
		a->body = xstrdup("");
	r = MHD_create_response_from_buffer_with_free_callback(a->body_n,
	    a->body, xfree);
	if (r == NULL)
		return MHD_NO;
	a->body = NULL;
	if (a->type != NULL)
		(void)MHD_add_response_header(r, "Content-Type", a->type);
	for (unsigned i = 0; i < a->nheaders; i++)
		(void)MHD_add_response_header(r, a->headers[i].name,
		    a->headers[i].value);
	if (a->close)
		(void)MHD_add_response_header(r, "Connection", "close");
	answer_guard(r, a->cache, a->form);
	ok = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	answer_free(a);
	return ok;
}

/* req.c: see req.h. */
#include "http/req.h"

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "http/cursor.h"
#include "http/field.h"
#include "http/server.h"
#include "store/incident.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

static void
req_acked(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct req *q = CONTAINER(a, struct req, ack);

	q->e = e;
	if (e != ERR_OK && ei != NULL) {
		q->ei = xcalloc(1, sizeof(*q->ei));
		*q->ei = *ei;
	}
	park_done(q);
}

struct req *
req_new(struct door *d, struct MHD_Connection *conn)
{
	struct req *q = xcalloc(1, sizeof(*q));

	q->h = d->h;
	q->door = d;
	q->conn = conn;
	q->refs = 1;
	q->sock = -1;
	q->ack.done = req_acked;
	atomic_fetch_add(&d->h->refs, 1);
	return q;
}

void
req_ref(struct req *q)
{
	atomic_fetch_add(&q->refs, 1);
}

void
req_unref(struct req *q)
{
	struct http *h = q->h;

	if (atomic_fetch_sub(&q->refs, 1) != 1)
		return;
	buf_free(&q->body);
	xfree(q->args);
	xfree(q->args_text);
	xfree(q->ei);
	config_unit_free(q->config);
	token_unit_free(q->token);
	quarantine_unit_free(q->sick);
	incident_unit_free(q->incident);
	answer_free(&q->out);
	if (q->kept != NULL)
		answer_free(q->kept);
	xfree(q->kept);
	xfree(q->secret);
	if (q->stream != NULL)
		MHD_destroy_response(q->stream);
	xfree(q);
	http_unref(h);
}

struct req_count {
	size_t bytes;
	unsigned n;
	bool zero;
};

static enum MHD_Result
req_count_arg(void *cls, enum MHD_ValueKind kind, const char *key,
    size_t key_n, const char *value, size_t value_n)
{
	struct req_count *c = cls;

	(void)kind;
	c->n++;
	c->bytes += key_n + (value != NULL ? value_n : 0);
	if (memchr(key, '\0', key_n) != NULL ||
	    (value != NULL && memchr(value, '\0', value_n) != NULL))
		c->zero = true;
	return MHD_YES;
}

struct req_copy {
	struct req *q;
	char *at;
};

static struct str
req_copy_str(struct req_copy *c, const char *p, size_t n)
{
	struct str s = {c->at, n};

	if (n > 0)
		memcpy(c->at, p, n);
	c->at += n;
	return s;
}

static enum MHD_Result
req_copy_arg(void *cls, enum MHD_ValueKind kind, const char *key,
    size_t key_n, const char *value, size_t value_n)
{
	struct req_copy *c = cls;
	struct req_arg *a = &c->q->args[c->q->nargs++];

	(void)kind;
	a->key = req_copy_str(c, key, key_n);
	a->value = req_copy_str(c, value, value != NULL ? value_n : 0);
	return MHD_YES;
}

bool
req_read_args(struct req *q)
{
	struct req_count n = {0};
	struct req_copy copy = {.q = q};

	MHD_get_connection_values_n(q->conn, MHD_GET_ARGUMENT_KIND,
	    req_count_arg, &n);
	if (n.n == 0)
		return true;
	if (n.n > REQ_ARGS_MAX || n.zero) {
		answer_problem(&q->out, 400, NULL, n.zero ?
		    "a query parameter contains a NUL byte" :
		    "more than %d query parameters", REQ_ARGS_MAX);
		return false;
	}
	/* bytes is bounded by the server's memory per connection */
	q->args = xcalloc(n.n, sizeof(*q->args));
	q->args_text = copy.at = xcalloc(1, n.bytes + 1);
	MHD_get_connection_values_n(q->conn, MHD_GET_ARGUMENT_KIND,
	    req_copy_arg, &copy);
	return true;
}

struct str
req_arg(const struct req *q, const char *name)
{
	for (unsigned i = 0; i < q->nargs; i++)
		if (str_is(q->args[i].key, name))
			return q->args[i].value;
	return (struct str){0};
}

bool
req_arg_u64(struct req *q, const char *name, uint64_t max, uint64_t *ret)
{
	struct str v = req_arg(q, name);

	if (v.p == NULL || str_u64(v, max, ret))
		return true;
	answer_problem(&q->out, 400, name,
	    "%s is not a number from 0 to %llu", name,
	    (unsigned long long)max);
	return false;
}

bool
req_arg_flag(struct req *q, const char *name, bool *ret)
{
	struct str v = req_arg(q, name);

	if (v.p == NULL)
		return true;
	if (v.n == 0 || str_is(v, "1") || str_is(v, "true") ||
	    str_is(v, "yes")) {
		*ret = true;
		return true;
	}
	if (str_is(v, "0") || str_is(v, "false") || str_is(v, "no")) {
		*ret = false;
		return true;
	}
	answer_problem(&q->out, 400, name, "%s is not true or false", name);
	return false;
}

bool
req_arg_time(struct req *q, const char *name, int64_t *ret_us)
{
	struct str v = req_arg(q, name);

	if (v.p == NULL || time_parse_utc(v, ret_us))
		return true;
	answer_problem(&q->out, 400, name, "%s is not a time; allowed are "
	    "RFC 3339 (2026-11-21T10:00:00Z) and Unix seconds", name);
	return false;
}

bool
req_arg_page(struct req *q, char kind, unsigned *ret_limit,
    uint64_t *ret_cursor)
{
	uint64_t limit = PAGE_DEFAULT, cursor = 0;
	struct str c = req_arg(q, "cursor");

	if (!req_arg_u64(q, "limit", PAGE_MAX, &limit) || limit == 0) {
		answer_problem(&q->out, 400, "limit",
		    "limit is not a number from 1 to %d", PAGE_MAX);
		return false;
	}
	if (c.p != NULL && !cursor_parse(c, kind, &cursor)) {
		answer_problem(&q->out, 400, "cursor",
		    "cursor is not one that this list gave");
		return false;
	}
	*ret_limit = (unsigned)limit;
	*ret_cursor = cursor;
	return true;
}

void
req_list_end(struct buf *b, char kind, uint64_t cursor)
{
	char text[CURSOR_TEXT];

	field_next(b, ']');
	field_text(b, "next", cursor == 0 ? NULL :
	    cursor_format(kind, cursor, text));
	field_close(b, '}');
	buf_addc(b, '\n');
}

json_t *
req_body_json(struct req *q)
{
	json_error_t je;
	json_t *v;

	v = json_loadb(q->body.p != NULL ? q->body.p : "", q->body.n,
	    JSON_REJECT_DUPLICATES, &je);
	if (v == NULL) {
		struct errinfo ei = {.line = je.line > 0 ?
		    (uint32_t)je.line : 0};

		(void)fail(&ei, ERR_PARSE, "the body is not JSON: %s",
		    json_error_code(&je) == json_error_null_character ?
		    "\\u0000 is not allowed" : je.text);
		answer_fail(&q->out, ERR_PARSE, &ei);
		return NULL;
	}
	if (!json_is_object(v)) {
		answer_problem(&q->out, 400, NULL,
		    "the body is not a JSON object");
		json_decref(v);
		return NULL;
	}
	return v;
}

enum flow
req_fail(struct req *q, enum err e, const struct errinfo *ei)
{
	answer_fail(&q->out, e, ei);
	return ANSWERED;
}

enum flow
req_bad(struct req *q, unsigned status, const char *field, const char *text)
{
	answer_problem(&q->out, status, field, "%s", text);
	return ANSWERED;
}

bool
req_no_room(struct req *q)
{
	if (store_pressure(q->h->c.store) != PRESSURE_REFUSE)
		return false;
	answer_problem(&q->out, 503, NULL, "the store has no room: its disk "
	    "budget or the disk is used up; nothing was taken");
	return true;
}

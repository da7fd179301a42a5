/* intake.c: see intake.h. libmicrohttpd calls intake_request once when the
 * headers are in, once per piece of the body, once at its end, and once more
 * when a parked request was resumed. */
#include "http/intake.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/auth.h"
#include "http/park.h"
#include "http/req.h"
#include "http/route.h"
#include "http/server.h"
#include "world/world.h"

#define BODY_DRAIN (8u << 20)   /* of a refused request: read, then answer */
#define BODY_DEFAULT (1u << 20)
#define RETRY_MIN_S  2u

static const char *
intake_header(const struct req *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
}

static void
intake_count(struct http *h, unsigned status)
{
	size_t i = MIN(status / 100, (unsigned)COUNT(h->answers) - 1);

	atomic_fetch_add_explicit(&h->answers[i], 1, memory_order_relaxed);
}

/* A 503 says when it is worth trying again: the store knows. */
static void
intake_retry(const struct req *q, struct answer *a)
{
	if (a->status == 503 && !atomic_load(&q->h->quiet))
		answer_retry(a, MAX(RETRY_MIN_S,
		    store_retry_after_s(q->h->c.store)));
}

static enum MHD_Result
intake_answer(struct req *q)
{
	struct MHD_Response *r = q->stream;
	enum MHD_Result ok;

	if (r != NULL && q->out.status == 0) {
		q->stream = NULL;
		intake_count(q->h, 200);
		ok = MHD_queue_response(q->conn, MHD_HTTP_OK, r);
		MHD_destroy_response(r);
		return ok;
	}
	if (q->out.status == 0)
		answer_problem(&q->out, 500, NULL, "no answer was made");
	if (q->out.status >= 500)
		log_warn("http", "answered with an error",
		    KV("route", q->route != NULL ? q->route->pattern : "-"),
		    KV_I("status", q->out.status));
	intake_count(q->h, q->out.status);
	intake_retry(q, &q->out);
	return answer_send(&q->out, q->conn);
}

/* The declared length of the body; chunked: more than any limit allows us to
 * know beforehand, so false. */
static bool
intake_length(const struct req *q, uint64_t *ret)
{
	const char *n = intake_header(q, "Content-Length");

	*ret = 0;
	if (intake_header(q, "Transfer-Encoding") != NULL)
		return false;
	return n == NULL || str_u64(str_of(n), UINT64_MAX, ret);
}

/* out says no. The body is read first, so that a client that sends before it
 * listens sees the answer and not a reset; a huge one is not worth it, and one
 * that asked whether to send (Expect) is told now. */
static enum MHD_Result
intake_refuse(struct req *q)
{
	uint64_t n;

	q->refused = true;
	if (intake_length(q, &n) && n <= BODY_DRAIN &&
	    (n == 0 || intake_header(q, "Expect") == NULL))
		return MHD_YES;
	q->out.close = true;
	return intake_answer(q);
}

/* The path of "http://host/path", which proxies send and RFC 9112 3.2.2 wants
 * understood; every other target is a path already. */
static const char *
intake_path(const char *url)
{
	const char *host, *path;

	if (strncasecmp(url, "http://", 7) != 0)
		return url;
	host = url + 7;
	path = strchr(host, '/');
	return path != NULL ? path : "/";
}

static bool
intake_find(struct req *q, const char *method, const char *target)
{
	struct route_match m = {0};
	BUF_AUTO(allow, 256);
	const char *url = intake_path(target);
	size_t n = strlen(url);
	enum err e;

	if (n > REQ_URL_MAX) {
		answer_problem(&q->out, 414, NULL,
		    "the path has more than %d bytes", REQ_URL_MAX);
		return false;
	}
	e = route_find(method, (struct str){url, n}, &q->route, &m, &allow);
	if (e == ERR_DENIED) {
		answer_problem(&q->out, 405, NULL, "allowed here: %s",
		    allow.p);
		answer_header(&q->out, "Allow", allow.p);
		return false;
	}
	if (e != ERR_OK) {
		answer_problem(&q->out, 404, NULL, "there is no such page");
		return false;
	}
	q->id = m.id;
	q->seg = m.seg;
	(void)text_copy(q->name, sizeof(q->name), m.seg);
	return true;
}

static size_t
intake_body_max(const struct req *q)
{
	uint32_t limit = q->h->c.settings->limits.body;

	return route_body_max(q->route, limit != 0 ? limit : BODY_DEFAULT);
}

static bool
intake_args(struct req *q)
{
	const struct req_arg *a;

	if (!req_read_args(q))
		return false;
	a = route_unknown(q->route, q);
	if (a == NULL)
		return true;
	BUF_AUTO(name, 256);
	text_line(&name, a->key, 64);
	answer_problem(&q->out, 400, name.p != NULL ? name.p : "",
	    "unknown query parameter \"%s\"", name.p != NULL ? name.p : "");
	return false;
}

/* Does it want something stored? A deletion makes room, and a heartbeat's
 * token is looked at first. */
static bool
intake_writes(const struct req *q)
{
	const struct route *r = q->route;

	return r->scope != SCOPE_NONE && strcmp(r->method, "GET") != 0 &&
	    strcmp(r->method, "DELETE") != 0 &&
	    (r->run == RUN_WRITE || r->body == BODY_DOCUMENT);
}

static enum MHD_Result
intake_head(struct req *q, const char *method, const char *url)
{
	uint64_t length;

	if (atomic_load_explicit(&q->h->quiet, memory_order_relaxed)) {
		answer_problem(&q->out, 503, NULL, "vedette is stopping");
		q->out.close = true;
		return intake_refuse(q);
	}
	if (!intake_find(q, method, url))
		return intake_refuse(q);
	if (q->route->scope != SCOPE_NONE && !auth_check(q, q->route->scope))
		return intake_refuse(q);
	if (!intake_args(q))
		return intake_refuse(q);
	if (intake_writes(q) && req_no_room(q))
		return intake_refuse(q);
	q->body.max = intake_body_max(q);
	if (intake_length(q, &length) && length > q->body.max) {
		answer_problem(&q->out, 413, NULL,
		    "the body has %llu bytes, at most %zu are taken",
		    (unsigned long long)length, q->body.max);
		return intake_refuse(q);
	}
	text_copy(q->content_type, sizeof(q->content_type),
	    str_of(intake_header(q, "Content-Type")));
	text_copy(q->last_event_id, sizeof(q->last_event_id),
	    str_of(intake_header(q, "Last-Event-ID")));
	/* What is public and comes from the database is asked for again and
	 * again; a reader's thread must not look at the connection. */
	if (q->route->run == RUN_READER && q->route->scope == SCOPE_NONE) {
		text_copy(q->if_none, sizeof(q->if_none),
		    str_of(intake_header(q, "If-None-Match")));
		text_copy(q->if_since, sizeof(q->if_since),
		    str_of(intake_header(q, "If-Modified-Since")));
	}
	return MHD_YES;
}

static enum MHD_Result
intake_body(struct req *q, const char *upload, size_t *upload_n)
{
	struct str piece = {upload, *upload_n};

	*upload_n = 0;
	if (q->started_ns == 0)
		q->started_ns = clock_mono_ns();
	else if (clock_mono_ns() - q->started_ns > REQ_BODY_NS)
		return MHD_NO;   /* dripping: the connection is cut */
	if (q->refused)
		return MHD_YES;
	buf_add(&q->body, piece);
	if (buf_ok(&q->body))
		return MHD_YES;
	answer_problem(&q->out, 413, NULL,
	    "the body has more than %zu bytes", q->body.max);
	q->refused = true;   /* the rest is read and forgotten, until too long */
	buf_free(&q->body);
	return MHD_YES;
}

static void
intake_job(struct read_job *j, struct reader *r)
{
	struct req *q = CONTAINER(j, struct req, job);
	enum flow f = ANSWERED;

	q->reader = r;
	if (r != NULL)
		f = q->route->fn(q);
	else
		answer_problem(&q->out, 503, NULL, "the store is stopping or "
		    "did not answer in time");
	if (f == ANSWERED)
		park_done(q);
}

static enum MHD_Result
intake_read(struct req *q)
{
	q->job.run = intake_job;
	q->job.name = q->route->pattern;
	q->job.deadline_ns = clock_mono_ns() + q->h->park.read_ns;
	park_wait(q, PARK_READ);
	if (!reader_submit(q->h->c.store, &q->job)) {
		answer_problem(&q->out, 503, NULL,
		    "too many queries are waiting");
		park_done(q);
	}
	return MHD_YES;
}

static enum MHD_Result
intake_run(struct req *q)
{
	if (q->refused)
		return intake_answer(q);
	if (q->route->run == RUN_READER)
		return intake_read(q);
	if (q->route->fn(q) == WAITING)
		return MHD_YES;   /* q may be another thread's by now */
	return intake_answer(q);
}

static enum MHD_Result
intake_resumed(struct req *q)
{
	if (q->beat && q->e == ERR_OK && q->out.status == 0) {
		intake_count(q->h, 200);
		return MHD_queue_response(q->conn, MHD_HTTP_OK,
		    q->h->beat_ok);
	}
	if (q->out.status == 0 && q->stream == NULL) {
		if (q->e != ERR_OK && q->after == NULL)
			answer_fail(&q->out, q->e, q->ei);
		else if (q->after != NULL)
			q->after(q);
	}
	return intake_answer(q);
}

/* The deadline came first. What the job or the ack holds is not ours to look
 * at any more. */
static enum MHD_Result
intake_given_up(struct req *q)
{
	struct answer a = {0};

	answer_problem(&a, 503, NULL, q->beat ? "not stored within a second; "
	    "it may still be: repeat it" :
	    "no answer in time; the change may still be made");
	a.close = atomic_load(&q->h->quiet);
	intake_retry(q, &a);
	intake_count(q->h, 503);
	return answer_send(&a, q->conn);
}

enum MHD_Result
intake_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_n, void **ctx)
{
	struct req *q = *ctx;

	(void)version;
	if (q == NULL) {
		*ctx = q = req_new(cls, conn);
		atomic_fetch_add(&q->h->active, 1);
		return intake_head(q, method, url);
	}
	/* What a resumed request is was settled under the park's lock, before
	 * MHD_resume_connection. */
	if (q->state == REQ_DONE)
		return intake_resumed(q);
	if (q->state == REQ_GIVEN_UP)
		return intake_given_up(q);
	if (*upload_n > 0)
		return intake_body(q, upload, upload_n);
	return intake_run(q);
}

void
intake_completed(void *cls, struct MHD_Connection *conn, void **ctx,
    enum MHD_RequestTerminationCode why)
{
	struct req *q = *ctx;

	(void)cls;
	(void)conn;
	(void)why;
	*ctx = NULL;
	if (q == NULL)
		return;
	atomic_fetch_sub(&q->h->active, 1);
	req_unref(q);
}

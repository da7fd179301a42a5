/* cli_client.c: libcurl in its blocking form, one handle. */
#include "cli/cli_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli_where.h"

#define PATH_BYTES_MAX 4096
#define SILENCE_MAX_S  60L

struct client {
	CURL *curl;
	struct cli_where where;
	int64_t timeout_ns;
	char err[CURL_ERROR_SIZE];
	/* of the call under way */
	struct buf *out;
	feed_fn *feed;
	void *feed_arg;
	bool ended;            /* by feed */
	bool overflow;
};

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct client *c = arg;
	long status = 0;

	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (c->feed != NULL && status == 200) {
		if (!c->feed(c->feed_arg, (struct str){p, size * n})) {
			c->ended = true;
			return 0;
		}
		return size * n;
	}
	buf_add(c->out, (struct str){p, size * n});
	c->overflow = !buf_ok(c->out);
	return c->overflow ? 0 : size * n;
}

enum err
cli_client_open(const struct cli_args *a, const char *own_file,
    struct client **ret, struct errinfo *ei)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	enum err e;

	c = xcalloc(1, sizeof(*c));
	c->timeout_ns = a->timeout_ns;
	e = cli_where_find(a, own_file, &c->where, ei);
	if (e != ERR_OK)
		return e;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fail(ei, ERR_SYS, "libcurl does not start");
	c->curl = curl_easy_init();
	if (c->curl == NULL)
		return fail(ei, ERR_SYS, "libcurl does not start");
	*ret = TAKE(c);
	return ERR_OK;
}

void
cli_client_free(struct client *c)
{
	if (c == NULL)
		return;
	if (c->curl != NULL)
		curl_easy_cleanup(c->curl);
	explicit_bzero(c->where.token, sizeof(c->where.token));
	xfree(c);
}

void
cli_client_freep(struct client *const *c)
{
	cli_client_free(*c);
}

/* -- words for what went wrong ------------------------------------------ */

static enum err
absent(const struct client *c, struct errinfo *ei)
{
	const struct cli_where *w = &c->where;
	struct stat st;

	if (w->socket[0] == '\0')
		return fail(ei, ERR_SYS, "no vedette answers at %.200s: %s",
		    w->base, c->err);
	if (stat(w->socket, &st) == 0 && access(w->socket, R_OK | W_OK) != 0 &&
	    errno == EACCES)
		return fail(ei, ERR_DENIED, "%s belongs to uid %u: not allowed "
		    "to talk to it; run this as that user or as root",
		    w->socket, (unsigned)st.st_uid);
	return fail(ei, ERR_SYS, "no vedette is running on %s; start it with "
	    "\"vedette serve --data %s\", or name the right directory with "
	    "--data", w->socket, w->data);
}

static enum err
curl_failed(const struct client *c, CURLcode rc, struct errinfo *ei)
{
	const char *at = c->where.socket[0] != '\0' ? c->where.socket :
	    c->where.base;
	char text[TIME_TEXT];

	if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST)
		return absent(c, ei);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return fail(ei, ERR_TIMEOUT, "vedette on %.200s did not answer "
		    "within %s: it is busy or stuck; try again, or allow it "
		    "more with --timeout", at,
		    time_format_duration(c->timeout_ns, text));
	if (c->overflow)
		return fail(ei, ERR_LIMIT, "the answer of vedette on %.200s is "
		    "larger than this command reads", at);
	return fail(ei, ERR_SYS, "talking to vedette on %.200s failed: %s", at,
	    c->err[0] != '\0' ? c->err : curl_easy_strerror(rc));
}

static enum err
status_err(long status)
{
	switch (status) {
	case 400: case 413: case 415: case 422: return ERR_INVALID;
	case 401: case 403: return ERR_DENIED;
	case 404: return ERR_NOT_FOUND;
	case 409: case 412: return ERR_CONFLICT;
	case 429: case 503: return ERR_AGAIN;
	default: return ERR_STORE;
	}
}

/* RFC 9457 problem JSON into ei. */
static enum err
refused(long status, const struct buf *body, struct errinfo *ei)
{
	json_t *v = body->n > 0 ? json_loadb(body->p, body->n, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(v, "detail"));
	const char *field = json_string_value(json_object_get(v, "field"));
	json_int_t line = json_integer_value(json_object_get(v, "line"));
	char text[400], name[sizeof(ei->field)];

	if (detail == NULL)
		detail = json_string_value(json_object_get(v, "title"));
	if (detail != NULL)
		(void)text_copy(text, sizeof(text), str_of(detail));
	else
		(void)snprintf(text, sizeof(text), "HTTP status %ld", status);
	(void)text_copy(name, sizeof(name), str_of(field));
	if (status == 401)
		(void)fail(ei, ERR_DENIED, "refused: %s; give a token with "
		    "--token or VEDETTE_TOKEN", text);
	else
		(void)fail_at(ei, ERR_INVALID, name, line > 0 &&
		    line < UINT32_MAX ? (uint32_t)line : 0, "%s", text);
	json_decref(v);
	return status_err(status);
}

void
cli_client_within(struct client *c, int64_t timeout_ns)
{
	c->timeout_ns = MAX(timeout_ns, NS_PER_MS);
}

/* -- calls --------------------------------------------------------------- */

static enum err
handle_set(struct client *c, const char *path, struct curl_slist *headers,
    struct errinfo *ei)
{
	BUF_AUTO(url, sizeof(c->where.base) + PATH_BYTES_MAX);

	buf_addf(&url, "%s%s", c->where.base, path);
	if (!buf_ok(&url))
		return fail(ei, ERR_LIMIT, "the request is too long");
	curl_easy_reset(c->curl);
	c->err[0] = '\0';
	c->overflow = c->ended = false;
	(void)curl_easy_setopt(c->curl, CURLOPT_URL, url.p);
	(void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->err);
	(void)curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(c->timeout_ns / NS_PER_MS));
	if (c->where.socket[0] == '\0')
		return ERR_OK;
	(void)curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH,
	    c->where.socket);
	(void)curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	return ERR_OK;
}

static void
slist_freep(struct curl_slist **l)
{
	curl_slist_free_all(*l);
}

/* Headers every request has; NULL only without memory. */
static struct curl_slist *
headers_make(const struct client *c, const char *name, const char *value)
{
	struct curl_slist *l = curl_slist_append(NULL, "Expect:");
	BUF_AUTO(b, 1024);

	if (c->where.token[0] != '\0') {
		buf_addf(&b, "Authorization: Bearer %s", c->where.token);
		l = curl_slist_append(l, b.p);
	}
	if (value != NULL) {
		buf_clear(&b);
		buf_addf(&b, "%s: %s", name, value);
		if (buf_ok(&b))
			l = curl_slist_append(l, b.p);
	}
	return l;
}

static void
call_set(struct client *c, const struct request *r)
{
	(void)curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS,
	    (long)(c->timeout_ns / NS_PER_MS));
	(void)curl_easy_setopt(c->curl, CURLOPT_ACCEPT_ENCODING, "");
	if (r->body.p != NULL || strcmp(r->method, "POST") == 0) {
		(void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS,
		    r->body.p != NULL ? r->body.p : "");
		(void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
	}
	(void)curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method);
}

enum err
cli_client_call(struct client *c, const struct request *r, struct buf *out,
    struct errinfo *ei)
{
	struct curl_slist *headers CLEANUP(slist_freep) = NULL;
	long status = 0;
	CURLcode rc;
	enum err e;

	headers = headers_make(c, "Content-Type",
	    r->body.p != NULL ? r->type : NULL);
	c->out = out;
	c->feed = NULL;
	e = handle_set(c, r->path, headers, ei);
	if (e != ERR_OK)
		return e;
	call_set(c, r);
	rc = curl_easy_perform(c->curl);
	if (rc != CURLE_OK)
		return curl_failed(c, rc, ei);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299)
		return refused(status, out, ei);
	return ERR_OK;
}

enum err
cli_client_json(struct client *c, const struct request *r, json_t **ret,
    struct errinfo *ei)
{
	BUF_AUTO(b, CLIENT_BODY_MAX);
	enum err e = cli_client_call(c, r, &b, ei);
	json_t *v;

	if (e != ERR_OK)
		return e;
	if (b.n == 0) {
		*ret = NULL;
		return ERR_OK;
	}
	v = json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
	if (v == NULL)
		return fail(ei, ERR_PARSE, "the answer to %.80s is not JSON: "
		    "is this a vedette?", r->path);
	*ret = v;
	return ERR_OK;
}

enum err
cli_client_get(struct client *c, const char *path, json_t **ret,
    struct errinfo *ei)
{
	const struct request r = {.method = "GET", .path = path};

	return cli_client_json(c, &r, ret, ei);
}

enum err
cli_client_stream(struct client *c, const char *path, const char *last_id,
    feed_fn *feed, void *arg, struct errinfo *ei)
{
	struct curl_slist *headers CLEANUP(slist_freep) = NULL;
	BUF_AUTO(b, 65536);
	long status = 0;
	CURLcode rc;
	enum err e;

	headers = headers_make(c, "Last-Event-ID",
	    last_id[0] != '\0' ? last_id : NULL);
	c->out = &b;
	c->feed = feed;
	c->feed_arg = arg;
	e = handle_set(c, path, headers, ei);
	if (e != ERR_OK)
		return e;
	(void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S);
	rc = curl_easy_perform(c->curl);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (c->ended)
		return ERR_OK;
	if (rc == CURLE_COULDNT_CONNECT || status == 0)
		return curl_failed(c, rc, ei);
	if (status != 200)
		return refused(status, &b, ei);
	return ERR_OK;   /* it was there, and ended */
}

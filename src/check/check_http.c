/* check_http.c: one HTTP or HTTPS request over a fresh connection, redirects
 * followed one hop at a time, so that names, policy and credentials are
 * looked at anew on each; see http.h. */
#include "check/check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/time.h"
#include "check/http.h"
#include "net/xfer.h"

#ifndef VEDETTE_VERSION
#define VEDETTE_VERSION "0"
#endif

static enum err hop_begin(struct http_check *h);

static const struct http_conf *
conf_of(const struct http_check *h)
{
	return h->c.conf->own;
}

static int64_t
fresh(const struct http_check *h)
{
	return world_fresh(net_world(h->c.env->net));
}

/* A redirect repeats phases: they add up. */
static void
phase_add(struct http_check *h, enum phase p, int64_t ns)
{
	int64_t *sum = &h->c.out.phase_ns[p];

	*sum = MAX(*sum, 0) + MAX(ns, 0);
}

/* -- the end --------------------------------------------------------------- */

static void
hop_release(struct http_check *h)
{
	net_resolve_cancel(h->c.env->net, &h->names);
	if (h->dial.net != NULL)
		dial_close(&h->dial);
	if (h->x != NULL)
		xfer_close(h->x);
	h->x = NULL;
	curl_slist_free_all(h->headers);
	h->headers = NULL;
}

static void
release(struct http_check *h)
{
	hop_release(h);
	for (unsigned i = 0; i < h->hop; i++)
		xfree(h->seen[i]);
	h->hop = 0;
	xfree(h->at);
	h->at = NULL;
	tls_seen_reset(&h->tls);
	buf_free(&h->body);
	buf_free(&h->shown);
	h->stage = HTTP_IDLE;
}

static void
wrap_up(struct http_check *h)
{
	struct outcome *o = &h->c.out;

	if (o->ended_ns == 0)
		o->ended_ns = fresh(h);
	if (h->dial.peer.family != 0)
		o->peer = h->dial.peer;
	o->bytes = (uint32_t)MIN(h->body_bytes, (uint64_t)UINT32_MAX);
	o->cert_expiry_s = h->tls.not_after_s;
	http_show(h);
	release(h);
}

static void
finish(struct http_check *h)
{
	wrap_up(h);
	check_end(&h->c);
}

/* -- libcurl's callbacks ---------------------------------------------------- */

static size_t
on_body(char *p, size_t one, size_t n, void *arg)
{
	struct http_check *h = arg;
	const struct http_conf *hc = conf_of(h);
	size_t room = h->body.max - h->body.n;
	curl_off_t packed = 0;

	(void)one;
	h->body_bytes += n;
	if (room > 0)
		buf_add(&h->body, (struct str){p, MIN(n, room)});
	if (h->body_bytes <= hc->body_max)
		return n;
	/* More than we are to read. A packed body may go on unpacking what has
	 * been received, within a ratio, so that a bomb is told from a page. */
	if (hc->compressed)
		(void)curl_easy_getinfo(h->x->easy, CURLINFO_SIZE_DOWNLOAD_T,
		    &packed);
	if (packed > 0 &&
	    h->body_bytes > (uint64_t)packed * HTTP_BOMB_RATIO) {
		h->bomb = true;
		return 0;
	}
	if (packed > 0 && (h->packed == 0 || h->packed == packed)) {
		h->packed = packed;
		return n;
	}
	h->enough = true;
	return 0;
}

static size_t
on_header(char *p, size_t one, size_t n, void *arg)
{
	struct http_check *h = arg;

	(void)one;
	h->header_bytes += n;
	if (h->header_bytes > HTTP_HEADERS_MAX) {
		h->headers_over = true;
		return 0;
	}
	if (h->shown.max > 0)
		http_show_header(&h->shown, (struct str){p, n});
	return n;
}

/* -- the answer ------------------------------------------------------------- */

static int64_t
info_ns(const struct http_check *h, CURLINFO what)
{
	curl_off_t us = 0;

	if (curl_easy_getinfo(h->x->easy, what, &us) != CURLE_OK)
		return 0;
	return us * NS_PER_US;
}

/* Times and status of the transfer, finished or not. */
static void
take_stock(struct http_check *h)
{
	struct outcome *o = &h->c.out;
	int64_t tls_ns = info_ns(h, CURLINFO_APPCONNECT_TIME_T);
	int64_t first_ns = info_ns(h, CURLINFO_STARTTRANSFER_TIME_T);
	long status = 0;

	o->ended_ns = fresh(h);
	if (tls_ns > 0)
		phase_add(h, PHASE_TLS, tls_ns);
	if (first_ns > 0) {
		phase_add(h, PHASE_FIRST_BYTE, first_ns - tls_ns);
		phase_add(h, PHASE_TRANSFER,
		    o->ended_ns - h->dial.ended_ns - first_ns);
	}
	(void)curl_easy_getinfo(h->x->easy, CURLINFO_RESPONSE_CODE, &status);
	o->code = (uint16_t)status;
}

static void
judge(struct http_check *h, CURLcode rc)
{
	struct http_answer a = {
		.rc = rc,
		.status = h->c.out.code,
		.text = h->x->error,
		.tls = h->url.tls,
		.enough = h->enough,
		.headers_over = h->headers_over,
		.bomb = h->bomb,
		.tls_error = h->tls.insecure ? X509_V_OK : h->tls.error,
		.body_bytes = h->body_bytes,
		.body = buf_str(&h->body),
		.not_after_s = h->tls.not_after_s,
		.issuer_ends = h->tls.issuer_ends,
	};
	char reason[REASON_MAX];
	long os_error = 0;
	enum why why;

	if (a.tls) {
		a.handshaken = info_ns(h, CURLINFO_APPCONNECT_TIME_T) > 0;
		a.now_s = world_wall_us(net_world(h->c.env->net)) / US_PER_S;
	}
	if (rc != CURLE_OK)
		(void)curl_easy_getinfo(h->x->easy, CURLINFO_OS_ERRNO,
		    &os_error);
	a.os_error = (int)os_error;
	why = http_judge(conf_of(h), &a, reason);
	check_why(&h->c, why, "%s", reason);
}

/* True: the check goes on with the next hop, or has ended. */
static bool
follow(struct http_check *h, CURLcode rc)
{
	char *url CLEANUP(xfreep) = NULL;

	if (conf_of(h)->redirects == 0 || h->headers_over ||
	    (rc != CURLE_OK && !h->enough) ||
	    !http_judge_redirects(h->c.out.code))
		return false;
	url = http_redirect_url(h);
	if (url == NULL)
		return false;
	if (!http_redirect_to(h, url)) {
		finish(h);
		return true;
	}
	hop_release(h);
	h->c.out.ended_ns = 0;
	h->c.out.code = 0;
	if (hop_begin(h) != ERR_OK)
		finish(h);
	return true;
}

static void
on_done(struct xfer *x, CURLcode rc)
{
	struct http_check *h = x->owner;

	take_stock(h);
	if (follow(h, rc))
		return;
	judge(h, rc);
	finish(h);
}

/* -- the request ------------------------------------------------------------ */

/* Headers are the user's secrets: what leads elsewhere gets the harmless. */
static bool
header_goes(const struct http_check *h, const char *name)
{
	return !h->foreign || strcasecmp(name, "Accept") == 0 ||
	    strcasecmp(name, "Accept-Language") == 0 ||
	    strcasecmp(name, "User-Agent") == 0;
}

static void
header_add(struct http_check *h, const char *name, const char *value)
{
	BUF_AUTO(b, HTTP_HEADERS_MAX);

	buf_addf(&b, value[0] != '\0' ? "%s: %s" : "%s;", name, value);
	if (buf_ok(&b))
		h->headers = curl_slist_append(h->headers, b.p);
}

static void
set_headers(struct http_check *h)
{
	const struct http_conf *hc = conf_of(h);
	CURL *e = h->x->easy;

	for (size_t i = 0; i < hc->headers.n; i++)
		if (header_goes(h, hc->headers.v[i].name))
			header_add(h, hc->headers.v[i].name,
			    hc->headers.v[i].value);
	if (hc->auth.bearer != NULL && !h->foreign) {
		BUF_AUTO(b, 8192);

		buf_addf(&b, "Bearer %s", hc->auth.bearer);
		header_add(h, "Authorization", b.p);
	}
	if (hc->body != NULL && !h->get_only)
		h->headers = curl_slist_append(h->headers, "Expect:");
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, h->headers);
	if (hc->auth.user != NULL && !h->foreign) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		(void)curl_easy_setopt(e, CURLOPT_USERNAME, hc->auth.user);
		(void)curl_easy_setopt(e, CURLOPT_PASSWORD,
		    hc->auth.password != NULL ? hc->auth.password : "");
	} else {
		(void)curl_easy_setopt(e, CURLOPT_USERNAME, NULL);
		(void)curl_easy_setopt(e, CURLOPT_PASSWORD, NULL);
	}
}

static void
set_method(struct http_check *h)
{
	const struct http_conf *hc = conf_of(h);
	CURL *e = h->x->easy;
	bool plain = h->get_only ||
	    (hc->body == NULL && strcmp(hc->method, "GET") == 0);

	/* HTTPGET undoes what the handle's last request set. */
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, NULL);
	if (plain)
		return;
	if (hc->body != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)strlen(hc->body));
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, hc->body);
	}
	if (strcmp(hc->method, "HEAD") == 0)
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, hc->method);
}

static void
set_request(struct http_check *h)
{
	const struct http_conf *hc = conf_of(h);
	CURL *e = h->x->easy;

	(void)curl_easy_setopt(e, CURLOPT_URL,
	    h->at != NULL ? h->at : hc->url);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT,
	    "vedette/" VEDETTE_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    hc->version == HTTP_VERSION_2 ? (long)CURL_HTTP_VERSION_2TLS :
	    (long)CURL_HTTP_VERSION_1_1);
	/* One write is all there is to send: nothing that could be delayed. */
	(void)curl_easy_setopt(e, CURLOPT_TCP_NODELAY,
	    h->url.tls || hc->body != NULL ? 1L : 0L);
	(void)curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING,
	    hc->compressed ? "" : NULL);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, h);
	set_method(h);
	set_headers(h);
}

static void
prepare_buffers(struct http_check *h)
{
	const struct http_conf *hc = conf_of(h);
	bool show = h->c.want_evidence || h->c.want_details;
	size_t keep = show ? HTTP_SHOW_BODY : 0;

	if (http_conf_wants_body(hc))
		keep = MAX(keep, (size_t)hc->body_max);
	buf_free(&h->body);
	buf_free(&h->shown);
	buf_init(&h->body, MIN(keep, (size_t)hc->body_max));
	buf_init(&h->shown, show ? HTTP_SHOW_HEADERS : 0);
	h->header_bytes = h->body_bytes = 0;
	h->packed = 0;
	h->enough = h->headers_over = h->bomb = false;
	tls_seen_reset(&h->tls);
	h->tls.insecure = hc->insecure;
	h->tls.want_chain = show;
}

static void
transfer(struct http_check *h)
{
	const struct http_conf *hc = conf_of(h);

	if (h->url.tls && net_ssl(h->c.env->net, hc->insecure) == NULL) {
		check_why(&h->c, WHY_LOCAL_OTHER,
		    "no trusted certificates on this machine: install "
		    "ca-certificates or set net.ca_file");
		finish(h);
		return;
	}
	h->x = xfer_open(h->c.env->net);
	if (h->x != NULL) {
		h->x->owner = h;
		h->x->done = on_done;
		h->x->tls = h->url.tls ? &h->tls : NULL;
		h->x->host = hc->verify_hostname ? h->host : NULL;
		set_request(h);
		h->stage = HTTP_TRANSFER;
	}
	if (h->x == NULL || xfer_start(h->x, &h->dial.watch) != ERR_OK) {
		check_why(&h->c, WHY_LOCAL_OTHER, "libcurl does not start");
		finish(h);
	}
}

/* -- name and connection ---------------------------------------------------- */

static void
on_dialled(struct dial *d)
{
	struct http_check *h = CONTAINER(d, struct http_check, dial);

	phase_add(h, PHASE_CONNECT, d->ended_ns - d->began_ns);
	if (d->why != WHY_OK) {
		check_why(&h->c, d->why, "%s", d->reason);
		finish(h);
		return;
	}
	transfer(h);
}

static enum err
hop_dial(struct http_check *h)
{
	if (h->names.why != WHY_OK) {
		check_why(&h->c, h->names.why, "%s", h->names.reason);
		return ERR_NOT_FOUND;
	}
	h->stage = HTTP_DIAL;
	h->dial.net = h->c.env->net;
	h->dial.to = &h->names;
	h->dial.done = on_dialled;
	if (dial_start(&h->dial) == ERR_OK)
		return ERR_OK;
	check_why(&h->c, h->dial.why, "%s", h->dial.reason);
	return ERR_SYS;
}

static void
on_names(struct resolve *r)
{
	struct http_check *h = CONTAINER(r, struct http_check, names);

	phase_add(h, PHASE_RESOLVE, fresh(h) - h->hop_ns);
	if (hop_dial(h) != ERR_OK)
		finish(h);
}

static enum err
hop_begin(struct http_check *h)
{
	static const int families[] = {
		[HTTP_IP_ANY] = AF_UNSPEC,
		[HTTP_IP_4] = AF_INET,
		[HTTP_IP_6] = AF_INET6,
	};

	prepare_buffers(h);
	memcpy(h->host, h->url.host.p, h->url.host.n);
	h->host[h->url.host.n] = '\0';
	h->hop_ns = fresh(h);
	h->stage = HTTP_RESOLVE;
	h->names.name = h->host;
	h->names.port = h->url.port;
	h->names.family = families[conf_of(h)->ip];
	h->names.fresh = h->c.recheck;
	h->names.done = on_names;
	if (net_resolve_now(h->c.env->net, &h->names))
		return hop_dial(h);
	net_resolve(h->c.env->net, &h->names);
	return ERR_OK;
}

static enum err
start(struct check *c)
{
	struct http_check *h = CONTAINER(c, struct http_check, c);
	const char *wrong = http_url_parse(str_of(conf_of(h)->url), &h->url);
	enum err e;

	assert(wrong == NULL);
	e = hop_begin(h);
	c->out.started_ns = h->hop_ns;
	if (e != ERR_OK)
		wrap_up(h);
	return e;
}

static void
cancel(struct check *c)
{
	struct http_check *h = CONTAINER(c, struct http_check, c);
	enum http_stage stage = h->stage;
	bool done_tls = false;
	char took[TIME_TEXT];

	if (stage == HTTP_IDLE)
		return;
	if (stage == HTTP_TRANSFER) {
		take_stock(h);
		done_tls = info_ns(h, CURLINFO_APPCONNECT_TIME_T) > 0;
	}
	(void)time_format_human(fresh(h) - c->out.started_ns, took);
	if (stage == HTTP_DIAL) {
		phase_add(h, PHASE_CONNECT, fresh(h) - h->dial.began_ns);
		dial_close(&h->dial);
		check_why(c, h->dial.why, "%s (%s)", h->dial.reason, took);
	} else if (stage == HTTP_RESOLVE) {
		check_why(c, WHY_LOCAL_RESOLVER,
		    "%.100s: our resolver has not answered in %s", h->host,
		    took);
	} else {
		check_why(c,
		    http_judge_timeout(stage, h->url.tls, done_tls),
		    "no complete answer in %s: %llu bytes of headers, %llu of "
		    "body", took, (unsigned long long)h->header_bytes,
		    (unsigned long long)h->body_bytes);
	}
	wrap_up(h);
}

const struct check_kind check_http = {
	.conf = {
		.name = "http",
		.drive = DRIVE_ACTIVE,
		.opts = http_conf_opts,
		.conf_size = sizeof(struct http_conf),
		.finish = http_conf_finish,
		.target = http_conf_target,
		.host = http_conf_host,
	},
	.size = sizeof(struct http_check),
	.start = start,
	.cancel = cancel,
};

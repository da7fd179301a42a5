/* send_net.c: HTTP and SMTP by libcurl over a connection of ours; see
 * send.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "alert/send_impl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* -- where to ----------------------------------------------------------------- */

static bool
url_part(CURLU *u, CURLUPart what, char **ret)
{
	char *s = NULL;

	if (curl_url_get(u, what, &s, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return false;
	*ret = xstrdup(s);
	curl_free(s);
	return true;
}

static bool
url_read(struct send *s)
{
	CURLU *u = curl_url();
	char *scheme CLEANUP(xfreep) = NULL, *port CLEANUP(xfreep) = NULL;
	char *host CLEANUP(xfreep) = NULL;
	uint64_t n = 0;
	size_t len;
	bool ok = u != NULL && curl_url_set(u, CURLUPART_URL, s->url,
	    CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    url_part(u, CURLUPART_SCHEME, &scheme) &&
	    url_part(u, CURLUPART_HOST, &host) &&
	    url_part(u, CURLUPART_PORT, &port) &&
	    str_u64(str_of(port), UINT16_MAX, &n) && n > 0;

	curl_url_cleanup(u);
	if (!ok)
		return false;
	len = strlen(host);
	xfree(s->host);
	s->host = host[0] == '[' && len > 2 ?
	    xstrndup(host + 1, len - 2) : xstrndup(host, len);
	s->port = (uint16_t)n;
	s->tls_url = strcasecmp(scheme, "https") == 0 ||
	    strcasecmp(scheme, "smtps") == 0;
	return true;
}

/* -- the answer ------------------------------------------------------------------ */

static size_t
on_body(char *p, size_t one, size_t n, void *arg)
{
	struct send *s = arg;
	size_t room = s->body.max - s->body.n;

	(void)one;
	buf_add(&s->body, (struct str){p, MIN(n, room)});
	return n <= room ? n : 0;   /* enough was read to judge by */
}

/* HTTP: kept whole. SMTP: the server's last reply is what counts. */
static size_t
on_header(char *p, size_t one, size_t n, void *arg)
{
	struct send *s = arg;
	size_t room = s->headers.max - s->headers.n;

	(void)one;
	if (s->req->kind == REQUEST_MAIL) {
		buf_clear(&s->body);
		buf_add(&s->body, (struct str){p, MIN(n, (size_t)1024)});
	} else if (n > 5 && strncasecmp(p, "HTTP/", 5) == 0) {
		buf_clear(&s->headers);
		s->headed = false;
	} else {
		s->headed = s->headed || p[0] == '\r' || p[0] == '\n';
		buf_add(&s->headers, (struct str){p, MIN(n, room)});
	}
	return n;
}

static size_t
on_read(char *p, size_t one, size_t n, void *arg)
{
	struct send *s = arg;
	size_t left = s->req->body.n - s->sent, take = MIN(left, one * n);

	if (take > 0)
		memcpy(p, s->req->body.p + s->sent, take);
	s->sent += take;
	return take;
}

/* Has enough gone out that the other side may act on it? */
static bool
may_be_taken(const struct send *s)
{
	curl_off_t us = 0;

	if (s->x == NULL)
		return false;
	if (s->req->kind == REQUEST_MAIL)
		return s->sent > 0 && s->sent == s->req->body.n;
	(void)curl_easy_getinfo(s->x->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

static bool hop(struct send *s);

/* A code and its head are the provider's word. What follows may stall or be
 * cut by whoever sits between: asking again would tell people twice. Where it
 * sends us on is not an answer. */
uint32_t
send_net_code(struct send *s)
{
	long code = 0;

	if (s->x == NULL || !s->headed)
		return 0;
	(void)curl_easy_getinfo(s->x->easy, CURLINFO_RESPONSE_CODE, &code);
	return code < 200 || (code >= 300 && code < 400) ? 0 : (uint32_t)code;
}

/* A POST is for one address: only the same server may send it on. */
static bool
follow(struct send *s, long status)
{
	char *was_host CLEANUP(xfreep) = NULL, *to = NULL;
	bool was_tls = s->tls_url;
	uint16_t was_port = s->port;

	if ((status != 307 && status != 308) ||
	    s->redirects >= SEND_REDIRECTS ||
	    curl_easy_getinfo(s->x->easy, CURLINFO_REDIRECT_URL, &to) !=
	    CURLE_OK || to == NULL)
		return false;
	was_host = TAKE(s->host);
	xfree(s->url);
	s->url = xstrdup(to);
	if (!url_read(s) || strcasecmp(was_host, s->host) != 0 ||
	    was_port != s->port || was_tls != s->tls_url)
		return false;
	s->redirects++;
	s->headed = false;
	buf_clear(&s->headers);
	buf_clear(&s->body);
	return hop(s);
}

static void
say_error(struct send *s, CURLcode rc, bool maybe)
{
	if (s->tls.error != X509_V_OK)
		send_over(s, false, "the certificate is not trusted: %s",
		    X509_verify_cert_error_string(s->tls.error));
	else
		send_over(s, maybe, "%.140s", s->x != NULL &&
		    s->x->error[0] != '\0' ? s->x->error :
		    curl_easy_strerror(rc));
}

static void
on_done(struct xfer *x, CURLcode rc)
{
	struct send *s = x->owner;
	bool maybe = may_be_taken(s);
	long code = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code);
	if (s->req->kind == REQUEST_MAIL) {
		if (rc == CURLE_OK)
			send_answered(s, code >= 200 ? (uint32_t)code : 250);
		else if (code >= 400)
			send_answered(s, (uint32_t)code);
		else
			say_error(s, rc, maybe);
		return;
	}
	/* A body longer than we read is an answer all the same. */
	if (send_net_code(s) != 0 || (code >= 100 && (rc == CURLE_OK ||
	    rc == CURLE_WRITE_ERROR))) {
		if (!follow(s, code))
			send_answered(s, (uint32_t)code);
		return;
	}
	say_error(s, rc, maybe);
}

/* -- the request -------------------------------------------------------------------- */

static void
set_http(struct send *s)
{
	const struct alert_request *r = s->req;
	CURL *e = s->x->easy;
	BUF_AUTO(line, SEND_HEADERS);

	for (size_t i = 0; i < r->headers.n; i++) {
		buf_clear(&line);
		buf_addf(&line, r->headers.v[i].value[0] != '\0' ? "%s: %s" :
		    "%s;%s", r->headers.v[i].name, r->headers.v[i].value);
		if (buf_ok(&line))
			s->list = curl_slist_append(s->list, line.p);
	}
	s->list = curl_slist_append(s->list, "Expect:");
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	if (r->body.n > 0 || strcmp(r->method, "GET") != 0) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS,
		    r->body.n > 0 ? r->body.p : "");
	}
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, s->list);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT,
	    "vedette/" VEDETTE_VERSION);
}

static void
set_mail(struct send *s)
{
	const struct alert_request *r = s->req;
	CURL *e = s->x->easy;

	for (size_t i = 0; i < r->to.n; i++)
		s->to = curl_slist_append(s->to, r->to.v[i]);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	(void)curl_easy_setopt(e, CURLOPT_MAIL_FROM, r->from);
	(void)curl_easy_setopt(e, CURLOPT_MAIL_RCPT, s->to);
	/* One address that is gone must not silence the others. */
	(void)curl_easy_setopt(e, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_USE_SSL, r->tls == CHANNEL_STARTTLS ?
	    (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
	(void)curl_easy_setopt(e, CURLOPT_USERNAME, r->user);
	(void)curl_easy_setopt(e, CURLOPT_PASSWORD, r->password);
	(void)curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	(void)curl_easy_setopt(e, CURLOPT_READDATA, s);
	(void)curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)r->body.n);
}

static void
on_dialled(struct dial *d)
{
	struct send *s = CONTAINER(d, struct send, dial);
	bool mail = s->req->kind == REQUEST_MAIL;
	bool tls = s->tls_url || (mail && s->req->tls != CHANNEL_PLAIN);

	if (d->why != WHY_OK) {
		send_over(s, false, "%.150s", d->reason);
		return;
	}
	if (tls && net_ssl(s->net, false) == NULL) {
		send_over(s, false, "no trusted certificates on this machine:"
		    " install ca-certificates or set net.ca_file");
		return;
	}
	s->x = xfer_open(s->net);
	if (s->x == NULL) {
		send_over(s, false, "libcurl does not start");
		return;
	}
	s->x->once = true;   /* what is set below is not for checks */
	s->x->owner = s;
	s->x->done = on_done;
	s->x->tls = tls ? &s->tls : NULL;
	s->x->host = s->host;
	(void)curl_easy_setopt(s->x->easy, CURLOPT_URL, s->url);
	(void)curl_easy_setopt(s->x->easy, CURLOPT_TCP_NODELAY, 1L);
	(void)curl_easy_setopt(s->x->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(s->x->easy, CURLOPT_WRITEDATA, s);
	(void)curl_easy_setopt(s->x->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(s->x->easy, CURLOPT_HEADERDATA, s);
	if (mail)
		set_mail(s);
	else
		set_http(s);
	if (xfer_start(s->x, &s->dial.watch) != ERR_OK)
		send_over(s, false, "libcurl does not start");
}

static void
dial_names(struct send *s)
{
	if (s->names.why != WHY_OK) {
		send_over(s, false, "%.150s", s->names.reason);
		return;
	}
	s->dial = (struct dial){.net = s->net, .to = &s->names,
	    .done = on_dialled};
	if (dial_start(&s->dial) != ERR_OK)
		send_over(s, false, "%.150s", s->dial.reason);
}

static void
on_names(struct resolve *r)
{
	dial_names(CONTAINER(r, struct send, names));
}

/* Always true: what goes wrong is told by send_over. */
static bool
hop(struct send *s)
{
	char *url = TAKE(s->url), *host = TAKE(s->host);

	send_net_stop(s);
	s->url = url;
	s->host = host;
	s->names = (struct resolve){.name = s->host, .port = s->port,
	    .family = AF_UNSPEC, .done = on_names};
	if (net_resolve_now(s->net, &s->names))
		dial_names(s);
	else
		net_resolve(s->net, &s->names);
	return true;
}

void
send_net_begin(struct send *s)
{
	s->url = xstrdup(s->req->url);
	if (!url_read(s))
		send_over(s, false, "the URL cannot be read");
	else
		(void)hop(s);
}

void
send_net_stop(struct send *s)
{
	s->said = s->said || may_be_taken(s);
	if (s->names.name != NULL)
		net_resolve_cancel(s->net, &s->names);
	s->names.name = NULL;
	if (s->x != NULL)
		xfer_close(s->x);
	s->x = NULL;
	if (s->dial.net != NULL)
		dial_close(&s->dial);
	s->dial.net = NULL;
	tls_seen_reset(&s->tls);
	curl_slist_free_all(s->list);
	curl_slist_free_all(s->to);
	s->list = s->to = NULL;
	s->sent = 0;
	xfreep(&s->url);
	s->url = NULL;
	xfreep(&s->host);
	s->host = NULL;
}

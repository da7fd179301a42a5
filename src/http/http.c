/* http.c: the life of the front door: sockets, server threads, the warden
 * thread that minds deadlines and feeds the streams, and an orderly end.
 * What a request goes through is in intake.c. */
#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "http/door.h"
#include "http/listen.h"
#include "http/pages.h"
#include "http/push.h"
#include "http/server.h"
#include "http/sse.h"
#include "world/world.h"

#define STRIKES_PER_S 50       /* wrong secrets tried from one address */
#define BEATS_PER_S   100000   /* heartbeats of one monitor */
#define STOP_STEP_MS  5
#define STOP_GRACE_NS (500 * NS_PER_MS)   /* to send the last answers */

void
http_poke(struct http *h)
{
	uint64_t one = 1;

	/* A full counter is awake enough. */
	(void)!write(h->wake, &one, sizeof(one));
}

static int
http_sleep_ms(int64_t until_ns, int64_t now_ns)
{
	if (until_ns == INT64_MAX)
		return -1;
	if (until_ns <= now_ns)
		return 0;
	return (int)MIN((until_ns - now_ns) / NS_PER_MS + 1,
	    INT64_C(3600000));
}

static void *
http_warden(void *arg)
{
	struct http *h = arg;

	while (!atomic_load(&h->stopping)) {
		struct pollfd p[] = {
			{.fd = h->wake, .events = POLLIN},
			{.fd = h->park.leave.fd, .events = POLLIN},
		};
		int64_t now = clock_mono_ns();
		int64_t sse = sse_turn(h, now);
		int64_t next = MIN(park_turn(h, now), sse);
		uint64_t n;

		if (poll(p, COUNT(p), http_sleep_ms(next, now)) <= 0)
			continue;
		if (p[0].revents != 0)
			(void)!read(h->wake, &n, sizeof(n));
		if (p[1].revents != 0)
			park_leavers(h);
	}
	return NULL;
}

static enum err
http_trust(struct http *h, struct errinfo *ei)
{
	const struct strings *s = &h->c.settings->server.trusted_proxies;

	if (s->n > ADDR_NETS_MAX)
		return fail_at(ei, ERR_LIMIT, "server.trusted_proxies", 0,
		    "more than %d networks", ADDR_NETS_MAX);
	h->trusted.v = xcalloc(s->n + 1, sizeof(*h->trusted.v));
	for (size_t i = 0; i < s->n; i++) {
		if (!addr_net_parse(str_of(s->v[i]), &h->trusted.v[i]))
			return fail_at(ei, ERR_INVALID,
			    "server.trusted_proxies", 0, "\"%.80s\" is not an "
			    "IP address or network (10.0.0.0/8, ::1)",
			    s->v[i]);
		h->trusted.n++;
	}
	return ERR_OK;
}

static enum err
http_bind(struct http *h, struct errinfo *ei)
{
	const struct settings *s = h->c.settings;
	char at[128];
	enum err e;

	e = listen_tcp(s->server.http != NULL ? s->server.http :
	    "127.0.0.1:8080", &h->tcp.fd, at, sizeof(at), ei);
	if (e != ERR_OK)
		return e;
	snprintf(h->url, sizeof(h->url), "%s://%s/",
	    s->server.tls_cert != NULL ? "https" : "http", at);
	return listen_unix(h->c.control_path, &h->control.fd, ei);
}

static enum err
http_run(struct http *h, struct errinfo *ei)
{
	enum err e = http_trust(h, ei);
	int r;

	if (e == ERR_OK)
		e = http_bind(h, ei);
	if (e == ERR_OK)
		e = door_open(&h->tcp, ei);
	if (e == ERR_OK)
		e = door_open(&h->control, ei);
	if (e != ERR_OK)
		return e;
	r = pthread_create(&h->warden, NULL, http_warden, h);
	if (r != 0)
		return fail(ei, ERR_SYS, "cannot start a thread: %s",
		    strerror(r));
	h->warden_runs = true;
	return ERR_OK;
}

enum err
http_start(const struct http_conf *c, struct http **ret, struct errinfo *ei)
{
	struct http *h = xcalloc(1, sizeof(*h));
	enum err e;

	h->c = *c;
	h->refs = 1;
	h->view = store_view(c->store);
	h->live = store_live(c->store);
	h->tcp = (struct door){.h = h, .fd = -1};
	h->control = (struct door){.h = h, .fd = -1, .control = true};
	h->strikes.per_second = STRIKES_PER_S;
	h->beats.per_second = BEATS_PER_S;
	(void)pthread_mutex_init(&h->base_mu, NULL);
	http_base(h, c->settings->alerts.base_url);
	e = park_init(&h->park, c->settings->store.deadlines.slow_ns, ei);
	h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e == ERR_OK && h->wake < 0)
		e = fail(ei, ERR_SYS, "cannot make an eventfd: %s",
		    strerror(errno));
	if (e == ERR_OK) {
		h->beat_ok = push_response();
		h->pages = pages_new();
		h->past = pages_new();
		h->sse = sse_new(h);
		e = http_run(h, ei);
	}
	if (e != ERR_OK) {
		http_quiesce(h);
		http_stop(h, 0);
		http_free(h);
		return e;
	}
	log_info("http", "listening", KV("url", h->url),
	    KV("control", c->control_path));
	*ret = h;
	return ERR_OK;
}

void
http_base(struct http *h, const char *url)
{
	pthread_mutex_lock(&h->base_mu);
	xfree(h->base);
	h->base = url == NULL ? NULL : xstrdup(url);
	pthread_mutex_unlock(&h->base_mu);
}

bool
http_base_text(struct http *h, struct buf *out)
{
	struct str url = str_of(h->url);
	bool own;

	pthread_mutex_lock(&h->base_mu);
	own = h->base != NULL;
	if (own)
		url = str_of(h->base);
	else if (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	buf_add(out, url);
	pthread_mutex_unlock(&h->base_mu);
	return own;
}

const char *
http_url(const struct http *h)
{
	return h->url;
}

void
http_quiesce(struct http *h)
{
	atomic_store(&h->quiet, true);
	if (h->control.fd >= 0)
		(void)unlink(h->c.control_path);
}

void
http_stop(struct http *h, int64_t deadline_ns)
{
	int64_t grace_ns;

	if (h->sse != NULL)
		sse_end(h->sse);
	/* Answers that are on their way may still come. */
	while (atomic_load(&h->park.n) > 0 && clock_mono_ns() < deadline_ns)
		(void)poll(NULL, 0, STOP_STEP_MS);
	/* libmicrohttpd aborts when it is stopped with a suspended
	 * connection: give up what is left, and whatever still comes. */
	park_close(h);
	while (atomic_load(&h->park.n) > 0)
		(void)poll(NULL, 0, 1);
	/* Resumed is not answered yet: the server's threads need a moment. */
	grace_ns = clock_mono_ns() + STOP_GRACE_NS;
	while (atomic_load(&h->active) > 0 && clock_mono_ns() < grace_ns)
		(void)poll(NULL, 0, STOP_STEP_MS);
	atomic_store(&h->stopping, true);
	if (h->warden_runs) {
		http_poke(h);
		pthread_join(h->warden, NULL);
		h->warden_runs = false;
	}
	door_close(&h->tcp);
	door_close(&h->control);
}

void
http_unref(struct http *h)
{
	if (atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	sse_free(h->sse);
	park_free(&h->park);
	addr_nets_free(&h->trusted);
	pages_free(h->past);
	(void)pthread_mutex_destroy(&h->base_mu);
	xfree(h->base);
	if (h->wake >= 0)
		close(h->wake);
	xfree(h);
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	assert(h->tcp.daemon == NULL);
	assert(h->control.daemon == NULL);
	sse_close(h->sse);
	pages_free(h->pages);
	h->pages = NULL;
	if (h->beat_ok != NULL)
		MHD_destroy_response(h->beat_ok);
	h->beat_ok = NULL;
	/* An ack or a job that comes later still finds the park and the
	 * streams. */
	http_unref(h);
}

/* xfer.c: libcurl's multi interface on the shard's epoll set.
 *
 * libcurl is handed a connected socket (OPENSOCKETFUNCTION plus
 * "already connected"); the address it believes in is a constant that saves
 * it the resolver. libcurl before 8.0 calls connect all the same: on a socket
 * whose nonblocking connect has come through unasked, that is how Linux says
 * so, once, whatever the address (SS_CONNECTING becomes SS_CONNECTED). Its
 * own trust store is never loaded: the shared one is put into each SSL_CTX,
 * since parsing a bundle costs 20 ms. */
#include "net/xfer.h"

#include <assert.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/net_impl.h"

/* The smallest that libcurl takes is 1 KiB; 4 KiB holds most answers whole. */
#define RECEIVE_BUFFER 2048L
#define SEND_BUFFER    16384L   /* the smallest; only for TLS and bodies */

struct xfer_pool {
	struct net *net;
	CURLM *multi;
	struct curl_slist *connect_to;
	struct timer timer;
	struct job job;           /* kick and reap */
	bool kick;                /* libcurl's timer is due now */
	struct list idle;         /* struct xfer */
	unsigned nidle;
};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static CURLcode init_rc;

static void
init_library(void)
{
	init_rc = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* -- libcurl's callbacks -------------------------------------------------- */

static void
on_event(struct watch *w, uint32_t events)
{
	struct xfer *x = CONTAINER(w, struct xfer, watch);
	struct xfer_pool *p = x->net->pool;
	int running;
	int bits = ((events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
	    ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
	    ((events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);

	(void)curl_multi_socket_action(p->multi, w->fd, bits, &running);
	net_defer(x->net, &p->job);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *arg2)
{
	struct xfer_pool *p = arg;
	struct watch *w = watch_of(p->net, fd);
	uint32_t events = 0;

	(void)easy;
	(void)arg2;
	if (w == NULL)
		return 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	/* Polled already by dial.c: this only changes, which cannot fail. */
	(void)!watch_set(p->net, w, fd, events, on_event);
	return 0;
}

static void
on_timer(struct world *w, struct timer *t)
{
	struct xfer_pool *p = CONTAINER(t, struct xfer_pool, timer);

	(void)w;
	p->kick = true;
	net_defer(p->net, &p->job);
}

static int
on_timeout(CURLM *multi, long ms, void *arg)
{
	struct xfer_pool *p = arg;

	(void)multi;
	p->kick = ms == 0;
	if (ms <= 0)
		timer_stop(p->net->world, &p->timer);
	else
		timer_set(p->net->world, &p->timer,
		    world_now(p->net->world) + ms * NS_PER_MS, on_timer);
	if (p->kick)
		net_defer(p->net, &p->job);
	return 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct xfer *x = arg;

	(void)addr;
	/* Once: libcurl must not connect a second time by itself. */
	if (purpose != CURLSOCKTYPE_IPCXN || !x->offered || !x->watch.on)
		return CURL_SOCKET_BAD;
	x->offered = false;
	return x->watch.fd;
}

static int
on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct net *n = arg;
	struct watch *w = watch_of(n, fd);

	if (w != NULL)
		watch_drop(n, w);
	return close(fd);
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	struct xfer *x = arg;
	SSL_CTX *ours = net_ssl(x->net, x->tls->insecure);

	(void)easy;
	if (ours == NULL)
		return CURLE_SSL_CACERT_BADFILE;
	SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(ours));
	if (!tls_attach_ctx(ctx, x->tls, x->host))
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
}

/* -- the loop's side ------------------------------------------------------ */

static void
on_job(struct job *j)
{
	struct xfer_pool *p = CONTAINER(j, struct xfer_pool, job);
	CURLMsg *m;
	int left;

	if (p->kick) {
		p->kick = false;
		(void)curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT,
		    0, &left);
	}
	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		struct xfer *x = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		x->done(x, rc);   /* m is no longer valid */
	}
}

static struct xfer_pool *
pool_new(struct net *n)
{
	struct xfer_pool *p;
	CURLM *multi;

	(void)pthread_once(&init_once, init_library);
	multi = init_rc == CURLE_OK ? curl_multi_init() : NULL;
	if (multi == NULL)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->net = n;
	p->multi = multi;
	p->job.fn = on_job;
	list_init(&p->idle);
	/* One entry of libcurl's cache of names, for all transfers. */
	p->connect_to = curl_slist_append(NULL, "::127.0.0.1:9");
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p);
	(void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return p;
}

static void
handle_free(struct xfer *x)
{
	curl_easy_cleanup(x->easy);
	if (x->watch.on) {
		int fd = x->watch.fd;

		watch_drop(x->net, &x->watch);
		(void)close(fd);
	}
	xfree(x);
}

void
xfer_pool_free(struct xfer_pool *p)
{
	struct list *n;

	if (p == NULL)
		return;
	while ((n = list_pop(&p->idle)) != NULL)
		handle_free(CONTAINER(n, struct xfer, idle));
	(void)curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->connect_to);
	net_undefer(&p->job);
	timer_stop(p->net->world, &p->timer);
	xfree(p);
}

/* Everything that is the same for every transfer. */
static void
handle_setup(struct xfer *x, const struct xfer_pool *p)
{
	CURL *e = x->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");   /* not from environ */
	(void)curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECT_TO, p->connect_to);
	(void)curl_easy_setopt(e, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	(void)curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_opened);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, x->net);
	(void)curl_easy_setopt(e, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	(void)curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
	(void)curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	(void)curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, x);
	(void)curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* tls.c compares the name and says what is wrong; not libcurl too. */
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
}

struct xfer *
xfer_open(struct net *n)
{
	struct xfer_pool *p = n->pool != NULL ? n->pool : pool_new(n);
	struct list *idle;
	struct xfer *x;
	CURL *easy;

	n->pool = p;
	if (p == NULL)
		return NULL;
	idle = list_pop(&p->idle);
	if (idle != NULL) {
		p->nidle--;
		return CONTAINER(idle, struct xfer, idle);
	}
	easy = curl_easy_init();
	if (easy == NULL)
		return NULL;
	x = xcalloc(1, sizeof(*x));
	x->net = n;
	x->easy = easy;
	handle_setup(x, p);
	return x;
}

enum err
xfer_start(struct xfer *x, struct watch *from)
{
	assert(!x->added);
	watch_move(x->net, from, &x->watch, on_event);
	x->offered = true;
	x->error[0] = '\0';
	(void)curl_easy_setopt(x->easy, CURLOPT_SSL_VERIFYPEER,
	    x->tls != NULL && !x->tls->insecure ? 1L : 0L);
	x->added = curl_multi_add_handle(x->net->pool->multi, x->easy) ==
	    CURLM_OK;
	return x->added ? ERR_OK : ERR_SYS;
}

void
xfer_close(struct xfer *x)
{
	struct xfer_pool *p = x->net->pool;
	long os_error = 0;

	if (x->added)
		(void)curl_multi_remove_handle(p->multi, x->easy);
	x->added = x->offered = false;
	x->done = NULL;
	x->owner = NULL;
	x->tls = NULL;
	x->host = NULL;
	/* Still open: libcurl never took the socket. */
	if (x->watch.on) {
		int fd = x->watch.fd;

		watch_drop(x->net, &x->watch);
		(void)close(fd);
	}
	/* libcurl never forgets a handle's last errno: a later failure of
	 * another kind would be taken for it. */
	(void)curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os_error);
	if (os_error == 0 && !x->once && p->nidle < XFER_POOL_MAX) {
		p->nidle++;
		list_push(&p->idle, &x->idle);
	} else {
		handle_free(x);
	}
}

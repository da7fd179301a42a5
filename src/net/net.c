/* net.c: builds and takes down a shard's network; jobs; whose fault an errno
 * is. The parts are policy, tls, watch, resolver, dial and xfer. */
#include "net/net.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"
#include "net/net_impl.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "net/watch.h"

/* OpenSSL, and libcurl on a loop of ours, write to sockets by write(2). */
static pthread_once_t signal_once = PTHREAD_ONCE_INIT;

static void
signal_off(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct net *n = CONTAINER(h, struct net, poll);

	(void)status;
	(void)events;
	watch_dispatch(n);
	net_jobs(n);
}

static void
on_idle(uv_idle_t *h)
{
	net_jobs(CONTAINER(h, struct net, idle));
}

void
net_defer(struct net *n, struct job *j)
{
	if (list_linked(&j->node))
		return;
	if (list_empty(&n->jobs))
		(void)uv_idle_start(&n->idle, on_idle);
	list_push(&n->jobs, &j->node);
}

void
net_undefer(struct job *j)
{
	list_del(&j->node);
}

/* Those that wait now; what they queue waits for the next turn, so that no
 * chain of answers keeps the loop from its sockets and timers. */
void
net_jobs(struct net *n)
{
	struct list last = {NULL, NULL};
	struct list *node;

	if (!list_empty(&n->jobs))
		list_push(&n->jobs, &last);
	while ((node = list_pop(&n->jobs)) != NULL && node != &last) {
		struct job *j = CONTAINER(node, struct job, node);

		j->fn(j);
	}
	if (list_empty(&n->jobs))
		(void)uv_idle_stop(&n->idle);
}

static void
on_closed(uv_handle_t *h)
{
	struct net *n = h->data;

	n->open_handles--;
}

static void
handle_opened(struct net *n, uv_handle_t *h)
{
	h->data = n;
	n->open_handles++;
}

static enum err
loop_open(struct net *n, struct errinfo *ei)
{
	uv_loop_t *loop = world_uv_loop(n->world);
	int rc;

	n->ep = epoll_create1(EPOLL_CLOEXEC);
	if (n->ep < 0)
		return fail(ei, ERR_SYS, "epoll: %s", strerror(errno));
	(void)uv_idle_init(loop, &n->idle);
	handle_opened(n, (uv_handle_t *)&n->idle);
	rc = uv_poll_init(loop, &n->poll, n->ep);
	if (rc != 0)
		return fail(ei, ERR_SYS, "event loop: %s", uv_strerror(rc));
	handle_opened(n, (uv_handle_t *)&n->poll);
	rc = uv_poll_start(&n->poll, UV_READABLE, on_poll);
	if (rc != 0)
		return fail(ei, ERR_SYS, "event loop: %s", uv_strerror(rc));
	return ERR_OK;
}

static void
net_freep(struct net *const *n)
{
	net_free(*n);
}

enum err
net_new(struct world *w, const struct settings *st, struct net **ret,
    struct errinfo *ei)
{
	struct net *n CLEANUP(net_freep) = xcalloc(1, sizeof(*n));
	X509_STORE *store = NULL;
	enum err e;

	(void)pthread_once(&signal_once, signal_off);
	n->world = w;
	n->ep = -1;
	list_init(&n->jobs);
	e = policy_read(&n->policy, &st->net.deny, &st->net.allow, ei);
	if (e != ERR_OK)
		return e;
	if (st->net.ca_file != NULL && st->net.ca_file[0] != '\0') {
		n->ca_file = xstrdup(st->net.ca_file);
		e = tls_store(n->ca_file, &store, ei);
		X509_STORE_free(store);
		if (e != ERR_OK)
			return e;
	}
	e = loop_open(n, ei);
	if (e == ERR_OK)
		e = resolver_new(n, &st->net.resolvers, &n->resolver, ei);
	if (e != ERR_OK)
		return e;
	*ret = TAKE(n);
	return ERR_OK;
}

void
net_free(struct net *n)
{
	if (n == NULL)
		return;
	xfer_pool_free(n->pool);
	resolver_free(n->resolver);
	if (n->open_handles > 0)
		uv_close((uv_handle_t *)&n->idle, on_closed);
	if (n->open_handles > 1)
		uv_close((uv_handle_t *)&n->poll, on_closed);
	while (n->open_handles > 0)
		(void)uv_run(world_uv_loop(n->world), UV_RUN_NOWAIT);
	if (n->ep >= 0)
		(void)close(n->ep);
	SSL_CTX_free(n->ssl[0]);
	SSL_CTX_free(n->ssl[1]);
	policy_free(&n->policy);
	xfree(n->ca_file);
	xfree(n->slots);
	xfree(n);
}

struct world *
net_world(struct net *n)
{
	return n->world;
}

const char *
net_servers(const struct net *n)
{
	return resolver_servers(n->resolver);
}

bool
net_allowed(const struct net *n, const struct sockaddr *sa, struct errinfo *ei)
{
	char text[PEER_TEXT];
	struct peer p = {.family = 0};

	if (policy_allows(&n->policy, sa))
		return true;
	peer_set(&p, sa);
	(void)fail(ei, ERR_DENIED,
	    "the target policy (net.deny) forbids %s", peer_text(&p, text));
	return false;
}

void
net_resolve(struct net *n, struct resolve *r)
{
	resolver_ask(n->resolver, r);
}

bool
net_resolve_now(struct net *n, struct resolve *r)
{
	return resolver_now(n->resolver, r);
}

void
net_resolve_cancel(struct net *n, struct resolve *r)
{
	(void)n;
	resolver_cancel(r);
}

SSL_CTX *
net_ssl(struct net *n, bool insecure)
{
	X509_STORE *store = NULL;
	struct errinfo ei;

	if (n->ssl[insecure] != NULL)
		return n->ssl[insecure];
	if (tls_store(n->ca_file, &store, &ei) != ERR_OK && !insecure)
		return NULL;
	if (tls_ctx(store, &n->ssl[insecure], &ei) != ERR_OK)
		n->ssl[insecure] = NULL;
	X509_STORE_free(store);
	return n->ssl[insecure];
}

enum why
net_why(int err)
{
	switch (err) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case ENOSPC:          /* of epoll watches */
	case EADDRNOTAVAIL:   /* no local port is left */
	case EAGAIN:
		return WHY_LOCAL_FDS;
	case ENETUNREACH:
	case EHOSTUNREACH:    /* a route of type unreachable */
	case EINVAL:          /* one of type blackhole; fe80::1 without %eth0 */
	case ENETDOWN:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
		return WHY_LOCAL_ROUTE;
	case EACCES:
	case EPERM:
		return WHY_LOCAL_PERMISSION;
	case ECONNREFUSED:
		return WHY_NET_REFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return WHY_NET_RESET;
	case ETIMEDOUT:
		return WHY_NET_TIMEOUT;
	case EHOSTDOWN:
		return WHY_NET_HOST_UNREACHABLE;
	default:
		return WHY_NET_OTHER;
	}
}

enum why
net_why_later(int err)
{
	switch (err) {
	case ENETUNREACH:
		return WHY_NET_UNREACHABLE;
	case EHOSTUNREACH:
	case EACCES:          /* administratively prohibited */
		return WHY_NET_HOST_UNREACHABLE;
	default:
		return net_why(err);
	}
}

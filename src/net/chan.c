#include "net/chan.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/net_impl.h"
#include "net/watch.h"
#include "world/world.h"

struct chan {
	struct net *net;
	ares_channel ares;
	bool open;
	struct timer timer;
	struct list socks;
	unsigned nsocks;
};

struct sock {
	struct watch watch;
	struct list node;
	struct chan *chan;
};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static int init_rc;

static void
init_library(void)
{
	init_rc = ares_library_init(ARES_LIB_INIT_ALL);
}

static void on_timer(struct world *w, struct timer *t);

/* c-ares knows when it wants to be called again; ask after every call. */
static void
rearm(struct chan *c)
{
	struct timeval tv;
	int64_t in_ns;

	if (ares_timeout(c->ares, NULL, &tv) == NULL) {
		timer_stop(c->net->world, &c->timer);
		return;
	}
	in_ns = (int64_t)tv.tv_sec * NS_PER_S +
	    (int64_t)tv.tv_usec * NS_PER_US;
	/* Its clock is in milliseconds: a little late is just in time. */
	timer_set(c->net->world, &c->timer,
	    world_fresh(c->net->world) + in_ns + NS_PER_MS, on_timer);
}

static void
on_timer(struct world *w, struct timer *t)
{
	struct chan *c = CONTAINER(t, struct chan, timer);

	(void)w;
	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(c);
}

static void
on_sock(struct watch *w, uint32_t events)
{
	struct chan *c = CONTAINER(w, struct sock, watch)->chan;
	bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
	bool in = broken || (events & EPOLLIN) != 0;
	bool out = broken || (events & EPOLLOUT) != 0;
	int fd = w->fd;

	/* The socket, and w with it, may be gone after this. */
	ares_process_fd(c->ares, in ? fd : ARES_SOCKET_BAD,
	    out ? fd : ARES_SOCKET_BAD);
	rearm(c);
}

static void
sock_forget(struct sock *s)
{
	watch_drop(s->chan->net, &s->watch);
	list_del(&s->node);
	s->chan->nsocks--;
	xfree(s);
}

/* What c-ares waits for on fd. Neither: it closes fd right after. */
static void
on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct chan *c = arg;
	struct watch *w = watch_of(c->net, fd);
	struct sock *s = w != NULL ? CONTAINER(w, struct sock, watch) : NULL;
	uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) |
	    (writable ? (uint32_t)EPOLLOUT : 0);

	if (events == 0) {
		if (s != NULL)
			sock_forget(s);
		return;
	}
	if (s == NULL) {
		if (c->nsocks >= CHAN_SOCKETS_MAX)
			return;   /* the question times out: our own fault */
		s = xcalloc(1, sizeof(*s));
		s->chan = c;
		c->nsocks++;
		list_push(&c->socks, &s->node);
	}
	if (watch_set(c->net, &s->watch, fd, events, on_sock) != 0)
		sock_forget(s);
}

static void
chan_freep(struct chan *const *c)
{
	chan_free(*c);
}

enum err
chan_new(struct net *n, const char *servers, unsigned flags, struct chan **ret,
    struct errinfo *ei)
{
	struct chan *c CLEANUP(chan_freep) = xcalloc(1, sizeof(*c));
	char lookups[] = "fb";   /* the hosts file, then DNS */
	struct ares_options o = {
		.flags = ((flags & CHAN_SEARCH) != 0 ? 0 :
		    ARES_FLAG_NOSEARCH) | ((flags & CHAN_SKIP) != 0 ? 0 :
		    ARES_FLAG_NOCHECKRESP),
		.timeout = CHAN_TIMEOUT_MS,
		.tries = CHAN_TRIES,
		.lookups = lookups,
		.sock_state_cb = on_state,
		.sock_state_cb_data = c,
	};
	int rc;

	c->net = n;
	list_init(&c->socks);
	(void)pthread_once(&init_once, init_library);
	rc = init_rc != ARES_SUCCESS ? init_rc :
	    ares_init_options(&c->ares, &o, ARES_OPT_FLAGS |
	        ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
	        ARES_OPT_SOCK_STATE_CB);
	if (rc != ARES_SUCCESS)
		return fail(ei, ERR_SYS, "the resolver does not start: %s",
		    ares_strerror(rc));
	c->open = true;
	if (servers != NULL) {
		rc = ares_set_servers_ports_csv(c->ares, servers);
		if (rc != ARES_SUCCESS)
			return fail_at(ei, ERR_INVALID, "net.resolvers", 0,
			    "\"%.200s\": %s; allowed: addresses such as "
			    "192.0.2.53, 127.0.0.1:5353 or [::1]:53",
			    servers, ares_strerror(rc));
	}
	*ret = TAKE(c);
	return ERR_OK;
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	if (c->open)
		ares_destroy(c->ares);
	LIST_EACH(s, &c->socks)
		sock_forget(CONTAINER(s, struct sock, node));
	timer_stop(c->net->world, &c->timer);
	xfree(c);
}

void
chan_ask(struct chan *c, const char *name, int family,
    ares_addrinfo_callback cb, void *arg)
{
	struct ares_addrinfo_hints hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM};

	ares_getaddrinfo(c->ares, name, NULL, &hints, cb, arg);
	rearm(c);
}

unsigned
chan_servers(struct chan *c)
{
	struct ares_addr_port_node *all = NULL;
	unsigned n = 0;

	if (ares_get_servers_ports(c->ares, &all) != ARES_SUCCESS)
		return 0;
	for (struct ares_addr_port_node *a = all; a != NULL; a = a->next)
		n++;
	ares_free_data(all);
	return n;
}

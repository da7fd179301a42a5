/* net_rig.h: what tests of net and of network checks share: a real world with
 * a net, one check run to its end, and servers on loopback, each a thread that
 * treats one connection after the other as badly as its function wants. */
#ifndef TESTS_UNIT_NET_RIG_H
#define TESTS_UNIT_NET_RIG_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/time.h"
#include "conf/conf.h"
#include "net/net.h"
#include "world/world.h"

/* After ours: its macro fail() hides the function of base/err.h. */
#include <cmocka.h>

/* -- servers ---------------------------------------------------------------- */

struct server;
typedef void serve_fn(struct server *s, int fd);

struct server {
	serve_fn *fn;
	int listener, family;
	atomic_int conn;          /* being served; -1 none */
	atomic_bool stop;
	atomic_uint accepted;
	uint16_t port;
	pthread_t thread;
	void *arg;
	pthread_mutex_t mu;
	char request[8192];       /* the last one, as far as read */
};

UNUSED static void *
server_main(void *arg)
{
	struct server *s = arg;

	while (!atomic_load(&s->stop)) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		(void)pthread_mutex_lock(&s->mu);
		atomic_store(&s->conn, fd);
		(void)pthread_mutex_unlock(&s->mu);
		atomic_fetch_add(&s->accepted, 1);
		if (!atomic_load(&s->stop))
			s->fn(s, fd);
		(void)pthread_mutex_lock(&s->mu);
		atomic_store(&s->conn, -1);
		(void)close(fd);
		(void)pthread_mutex_unlock(&s->mu);
	}
	return NULL;
}

UNUSED static void
server_listen(struct server *s, int family)
{
	struct sockaddr_storage ss = {.ss_family = (sa_family_t)family};
	socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);

	s->family = family;
	if (family == AF_INET)
		((struct sockaddr_in *)&ss)->sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&ss)->sin6_addr = in6addr_loopback;
	s->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(listen(s->listener, 64), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&ss, &n),
	    0);
	s->port = ntohs(family == AF_INET ?
	    ((struct sockaddr_in *)&ss)->sin_port :
	    ((struct sockaddr_in6 *)&ss)->sin6_port);
}

UNUSED static void
server_start(struct server *s, int family, serve_fn *fn, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->fn = fn;
	s->arg = arg;
	atomic_store(&s->conn, -1);
	(void)pthread_mutex_init(&s->mu, NULL);
	server_listen(s, family);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

UNUSED static void
server_stop(struct server *s)
{
	atomic_store(&s->stop, true);
	(void)shutdown(s->listener, SHUT_RDWR);
	(void)pthread_mutex_lock(&s->mu);
	if (atomic_load(&s->conn) >= 0)
		(void)shutdown(atomic_load(&s->conn), SHUT_RDWR);
	(void)pthread_mutex_unlock(&s->mu);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listener);
	(void)pthread_mutex_destroy(&s->mu);
}

/* Read until the end of the request's headers; false: the peer went. */
UNUSED static bool
server_request(struct server *s, int fd)
{
	size_t n = 0;
	ssize_t k;

	memset(s->request, 0, sizeof(s->request));
	while (n + 1 < sizeof(s->request) &&
	    strstr(s->request, "\r\n\r\n") == NULL) {
		k = recv(fd, s->request + n, sizeof(s->request) - 1 - n, 0);
		if (k <= 0)
			return false;
		n += (size_t)k;
	}
	return true;
}

UNUSED static bool
server_say(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

UNUSED static bool
server_says(int fd, const char *s)
{
	return server_say(fd, s, strlen(s));
}

/* Until the peer, or server_stop, ends the connection. */
UNUSED static void
server_hold(int fd)
{
	char junk[512];

	while (recv(fd, junk, sizeof(junk), 0) > 0)
		;
}

/* A port where nobody listens: bound, so that nobody else gets it. */
UNUSED static uint16_t
port_closed(int *ret_fd)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&in, &n), 0);
	return ntohs(in.sin_port);
}

/* -- a world with a net ------------------------------------------------------- */

struct rig {
	struct world *world;
	struct net *net;
	struct timer limit;
	bool late;
};

UNUSED static void
rig_open(struct rig *r, const struct settings *st)
{
	static const struct settings none;
	struct errinfo ei = {.text = ""};

	memset(r, 0, sizeof(*r));
	r->world = world_uv_new();
	if (net_new(r->world, st != NULL ? st : &none, &r->net, &ei) != ERR_OK)
		fail_msg("net_new: %s", ei.text);
}

UNUSED static void
rig_close(struct rig *r)
{
	net_free(r->net);
	world_uv_free(r->world);
}

UNUSED static void
rig_on_limit(struct world *w, struct timer *t)
{
	struct rig *r = CONTAINER(t, struct rig, limit);

	r->late = true;
	world_uv_stop(w);
}

/* Run the loop until somebody stops it; false: that took longer. */
UNUSED static bool
rig_run(struct rig *r, int64_t limit_ns)
{
	r->late = false;
	timer_set(r->world, &r->limit, world_fresh(r->world) + limit_ns,
	    rig_on_limit);
	world_uv_run(r->world);
	timer_stop(r->world, &r->limit);
	return !r->late;
}

#endif

/* listen.c: see listen.h. */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define BACKLOG 1024

static void
listen_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* "host:port" with brackets around an IPv6 host. */
static bool
listen_split(const char *where, char host[256], char port[8])
{
	const char *colon = strrchr(where, ':');
	size_t n;
	uint64_t number;

	if (colon == NULL || !str_u64(str_of(colon + 1), 65535, &number))
		return false;
	n = (size_t)(colon - where);
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	} else if (memchr(where, ':', n) != NULL) {
		return false;   /* IPv6 needs its brackets */
	}
	if (n >= 256)
		return false;
	memcpy(host, where, n);
	host[n] = '\0';
	if (strcmp(host, "*") == 0)
		host[0] = '\0';
	snprintf(port, 8, "%u", (unsigned)number);
	return true;
}

static enum err
listen_bind(const struct addrinfo *ai, const char *where, int *ret,
    struct errinfo *ei)
{
	int fd CLEANUP(listen_closep) = -1;
	int one = 1, zero = 0;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot listen on %s: %s", where,
		    strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
		    sizeof(zero));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int e = errno;

		return fail(ei, ERR_SYS, "cannot listen on %s: %s%s", where,
		    e == EADDRINUSE ? "address already in use" : strerror(e),
		    e == EADDRINUSE ?
		    " (another vedette, or change server.http)" :
		    e == EACCES ? " (ports below 1024 need CAP_NET_BIND_SERVICE,"
		    " or change server.http)" :
		    e == EADDRNOTAVAIL ?
		    " (no interface has it: change server.http)" : "");
	}
	*ret = fd;
	fd = -1;
	return ERR_OK;
}

static void
listen_name(int fd, char *text, size_t size)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	char host[128] = "", port[8] = "";

	(void)getsockname(fd, (struct sockaddr *)&ss, &n);
	(void)getnameinfo((struct sockaddr *)&ss, n, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	/* A wildcard is no address to visit. */
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
		snprintf(host, sizeof(host), "localhost");
	snprintf(text, size, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s",
	    host, port);
}

enum err
listen_tcp(const char *where, int *ret_fd, char *text, size_t size,
    struct errinfo *ei)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
	char host[256], port[8];
	enum err e = ERR_SYS;
	int r;

	if (!listen_split(where, host, port))
		return fail_at(ei, ERR_INVALID, "server.http", 0,
		    "cannot listen on \"%s\": not an address and a port "
		    "(127.0.0.1:8080, [::1]:8080, :8080)", where);
	r = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &list);
	if (r != 0)
		return fail(ei, ERR_SYS, "cannot listen on %s: %s "
		    "(change server.http)", where, gai_strerror(r));
	/* Every address: prefer the IPv6 wildcard, it takes IPv4 too. */
	if (host[0] == '\0')
		for (struct addrinfo *a = list; a != NULL && e != ERR_OK;
		    a = a->ai_next)
			if (a->ai_family == AF_INET6)
				e = listen_bind(a, where, ret_fd, ei);
	for (struct addrinfo *a = list; a != NULL && e != ERR_OK;
	    a = a->ai_next)
		e = listen_bind(a, where, ret_fd, ei);
	freeaddrinfo(list);
	if (e == ERR_OK)
		listen_name(*ret_fd, text, size);
	return e;
}

/* Is anybody behind this socket file? */
static bool
listen_answers(const struct sockaddr_un *un)
{
	int fd CLEANUP(listen_closep) = socket(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return true;   /* cannot tell: leave it alone */
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0)
		return true;
	return errno != ECONNREFUSED && errno != ENOENT;
}

static enum err
listen_clear(const struct sockaddr_un *un, struct errinfo *ei)
{
	struct stat st;

	if (lstat(un->sun_path, &st) != 0)
		return ERR_OK;
	if (!S_ISSOCK(st.st_mode))
		return fail(ei, ERR_CONFLICT, "cannot listen on %s: a file "
		    "that is not a socket is there (remove it)", un->sun_path);
	if (listen_answers(un))
		return fail(ei, ERR_CONFLICT, "cannot listen on %s: another "
		    "process answers there (a vedette on the same data "
		    "directory?)", un->sun_path);
	if (unlink(un->sun_path) != 0)
		return fail(ei, ERR_SYS, "cannot remove the old socket %s: %s",
		    un->sun_path, strerror(errno));
	return ERR_OK;
}

enum err
listen_unix(const char *path, int *ret_fd, struct errinfo *ei)
{
	int fd CLEANUP(listen_closep) = -1;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	enum err e;

	if (n >= sizeof(un.sun_path))
		return fail_at(ei, ERR_LIMIT, "server.data", 0, "the control "
		    "socket's path has %zu bytes, at most %zu are possible: "
		    "%s (choose a shorter data directory)", n,
		    sizeof(un.sun_path) - 1, path);
	memcpy(un.sun_path, path, n);
	e = listen_clear(&un, ei);
	if (e != ERR_OK)
		return e;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot make the control socket: %s",
		    strerror(errno));
	/* The mode of the socket file is the descriptor's at bind: no moment
	 * in which somebody else could connect. */
	if (fchmod(fd, 0600) != 0 ||
	    bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		return fail(ei, ERR_SYS, "cannot make the control socket %s: "
		    "%s (is the directory there and writable?)", path,
		    strerror(errno));
	if (chmod(path, 0600) != 0 || listen(fd, BACKLOG) != 0) {
		int x = errno;

		(void)unlink(path);
		return fail(ei, ERR_SYS, "cannot listen on the control socket "
		    "%s: %s", path, strerror(x));
	}
	*ret_fd = fd;
	fd = -1;
	return ERR_OK;
}

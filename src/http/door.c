/* door.c: see door.h. */
#include "http/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/intake.h"

#define CONN_MEMORY      16384u   /* request line and headers; above: 431 */
#define CONN_IDLE_S      30u
#define CONN_DEFAULT     1024u
#define CONTROL_CONNS    128u
#define POOL_MIN         2
#define POOL_MAX         4
#define PEM_MAX          (1u << 20)
#define DOOR_OPTIONS     20

static void
door_log(void *arg, const char *fmt, va_list ap) FORMAT(2, 0);

static void
door_log(void *arg, const char *fmt, va_list ap)
{
	char text[256];
	const char *line = text;

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("http", "server", KV("text", line));
}

static int
door_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decode in place. %00 stays as it is written: a path is a C string
 * and must not end early. */
static size_t
door_unescape(void *arg, struct MHD_Connection *conn, char *s)
{
	char *to = s;

	(void)arg;
	(void)conn;
	for (const char *at = s; *at != '\0'; ) {
		int hi = at[0] == '%' ? door_hex(at[1]) : -1;
		int lo = hi >= 0 ? door_hex(at[2]) : -1;

		if (lo >= 0 && (hi | lo) != 0) {
			*to++ = (char)(hi << 4 | lo);
			at += 3;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static enum err
door_pem(const char *path, char **ret, struct errinfo *ei)
{
	BUF_AUTO(b, PEM_MAX);
	char chunk[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot read %s: %s", path,
		    strerror(errno));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && buf_ok(&b))
		buf_add(&b, (struct str){chunk, (size_t)n});
	close(fd);
	if (n < 0 || !buf_ok(&b))
		return fail(ei, ERR_LIMIT, "%s is not a readable file of at "
		    "most %u bytes", path, PEM_MAX);
	*ret = buf_take(&b);
	return ERR_OK;
}

static unsigned
door_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	n = MIN(n, (long)POOL_MAX);
	return (unsigned)MAX(n, (long)POOL_MIN);
}

struct door_opts {
	struct MHD_OptionItem v[DOOR_OPTIONS];
	size_t n;
};

static void
door_opt(struct door_opts *o, enum MHD_OPTION opt, intptr_t v, void *p)
{
	o->v[o->n++] = (struct MHD_OptionItem){opt, v, p};
}

static void
door_limits(const struct door *d, struct door_opts *o)
{
	const struct settings *s = d->h->c.settings;
	unsigned conns = s->limits.http_connections;

	if (conns == 0)
		conns = CONN_DEFAULT;
	if (d->control) {
		door_opt(o, MHD_OPTION_CONNECTION_LIMIT, CONTROL_CONNS, NULL);
		return;
	}
	door_opt(o, MHD_OPTION_CONNECTION_LIMIT,
	    MAX(conns, door_threads()), NULL);
	door_opt(o, MHD_OPTION_THREAD_POOL_SIZE, door_threads(), NULL);
	/* One address cannot take every seat; a trusted proxy may. */
	if (d->h->trusted.n == 0)
		door_opt(o, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		    conns - conns / 4, NULL);
}

static enum err
door_start(struct door *d, char *cert, char *key, struct errinfo *ei)
{
	struct door_opts o = {0};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	/* A descriptor of its own: when it cannot start, whether it has closed
	 * the one it was given depends on why. */
	int fd = fcntl(d->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot start the HTTP server: %s",
		    strerror(errno));
	door_opt(&o, MHD_OPTION_LISTEN_SOCKET, fd, NULL);
	door_opt(&o, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONN_MEMORY, NULL);
	door_opt(&o, MHD_OPTION_CONNECTION_TIMEOUT, CONN_IDLE_S, NULL);
	door_opt(&o, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
	door_limits(d, &o);
	if (cert != NULL) {
		flags |= MHD_USE_TLS;
		door_opt(&o, MHD_OPTION_HTTPS_MEM_CERT, 0, cert);
		door_opt(&o, MHD_OPTION_HTTPS_MEM_KEY, 0, key);
	}
	door_opt(&o, MHD_OPTION_END, 0, NULL);
	d->daemon = MHD_start_daemon(flags, 0, NULL, NULL, intake_request, d,
	    MHD_OPTION_EXTERNAL_LOGGER, door_log, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, intake_completed, d,
	    MHD_OPTION_UNESCAPE_CALLBACK, door_unescape, NULL,
	    MHD_OPTION_ARRAY, o.v, MHD_OPTION_END);
	if (d->daemon == NULL)
		return fail(ei, ERR_SYS, "cannot start the HTTP server: %s",
		    cert != NULL ? "is the certificate with its key valid PEM?"
		    : strerror(errno));
	return ERR_OK;
}

enum err
door_open(struct door *d, struct errinfo *ei)
{
	const struct settings *s = d->h->c.settings;
	char *cert CLEANUP(xfreep) = NULL, *key CLEANUP(xfreep) = NULL;
	enum err e;

	if (!d->control && s->server.tls_cert != NULL) {
		if (s->server.tls_key == NULL)
			return fail_at(ei, ERR_INVALID, "server.tls_key", 0,
			    "tls_cert is set, tls_key is not");
		e = door_pem(s->server.tls_cert, &cert, ei);
		if (e == ERR_OK)
			e = door_pem(s->server.tls_key, &key, ei);
		if (e != ERR_OK)
			return e;
	}
	return door_start(d, cert, key, ei);
}

void
door_close(struct door *d)
{
	if (d->daemon != NULL)
		MHD_stop_daemon(d->daemon);   /* and closes its descriptor */
	d->daemon = NULL;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

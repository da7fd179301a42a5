#include "check/tcp.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#define DRAIN_MAX 65536   /* read off before closing */

void
tcp_io_wait(struct tcp_check *t, uint32_t events)
{
	/* Polled since dial.c: changing the events cannot fail. */
	(void)!watch_set(t->c.env->net, &t->watch, t->watch.fd, events,
	    t->ready);
}

/* What SSL wants next, after a call that came to rc <= 0. */
static enum tcp_io
ssl_wants(struct tcp_check *t, int rc, int *ret_errno)
{
	int e = SSL_get_error(t->ssl, rc);
	int err = errno;

	*ret_errno = 0;
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		tcp_io_wait(t, e == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
		return TCP_IO_WAIT;
	}
	if (e == SSL_ERROR_ZERO_RETURN ||
	    (e == SSL_ERROR_SYSCALL && err == 0) ||
	    ERR_GET_REASON(ERR_peek_error()) ==
	    SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return TCP_IO_CLOSED;
	*ret_errno = e == SSL_ERROR_SYSCALL ? err : 0;
	return TCP_IO_FAILED;
}

static enum tcp_io
plain_failed(struct tcp_check *t, uint32_t wanted, int *ret_errno)
{
	if (errno == EAGAIN || errno == EINTR) {
		tcp_io_wait(t, wanted);
		return TCP_IO_WAIT;
	}
	*ret_errno = errno;
	return TCP_IO_FAILED;
}

enum tcp_io
tcp_io_write(struct tcp_check *t, struct str s, size_t *ret_n, int *ret_errno)
{
	ssize_t n;
	int rc;

	if (t->ssl != NULL) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_write(t->ssl, s.p, (int)s.n);
		if (rc <= 0)
			return ssl_wants(t, rc, ret_errno);
		*ret_n = (size_t)rc;
		return TCP_IO_OK;
	}
	n = send(t->watch.fd, s.p, s.n, MSG_NOSIGNAL);
	if (n < 0)
		return plain_failed(t, EPOLLOUT, ret_errno);
	*ret_n = (size_t)n;
	return TCP_IO_OK;
}

enum tcp_io
tcp_io_read(struct tcp_check *t, char *dst, size_t size, size_t *ret_n,
    int *ret_errno)
{
	ssize_t n;
	int rc;

	if (t->ssl != NULL) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_read(t->ssl, dst, (int)size);
		if (rc <= 0)
			return ssl_wants(t, rc, ret_errno);
		*ret_n = (size_t)rc;
		return TCP_IO_OK;
	}
	n = recv(t->watch.fd, dst, size, 0);
	if (n < 0)
		return plain_failed(t, EPOLLIN, ret_errno);
	*ret_n = (size_t)n;
	return n == 0 ? TCP_IO_CLOSED : TCP_IO_OK;
}

enum tcp_io
tcp_io_handshake(struct tcp_check *t, int *ret_errno)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	*ret_errno = 0;
	rc = SSL_do_handshake(t->ssl);
	return rc == 1 ? TCP_IO_OK : ssl_wants(t, rc, ret_errno);
}

/* A close with bytes unread would send RST, which a server logs as an error:
 * say goodbye and read off what is there. */
void
tcp_io_close(struct tcp_check *t)
{
	char junk[4096];
	int fd = t->watch.fd;
	size_t left = DRAIN_MAX;
	ssize_t n = 1;

	if (t->ssl != NULL && t->stage > TCP_TLS)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	t->ssl = NULL;
	ERR_clear_error();
	if (!t->watch.on)
		return;
	watch_drop(t->c.env->net, &t->watch);
	(void)shutdown(fd, SHUT_WR);
	while (n > 0 && left > 0) {
		n = recv(fd, junk, MIN(sizeof(junk), left), MSG_DONTWAIT);
		left -= n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
}

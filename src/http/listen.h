/* listen.h: the sockets that the front door hears on, bound by us so that
 * what is wrong can be said in words. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stddef.h>

#include "base/err.h"

/* where is "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or ":8080" (every
 * address). *ret_fd is nonblocking and listens; text gets "127.0.0.1:8080"
 * with the real port. Caller closes. */
enum err listen_tcp(const char *where, int *ret_fd, char *text, size_t size,
    struct errinfo *ei) MUST_USE;
/* A Unix socket of mode 0600. A file that is there is removed only when it is
 * a socket that nobody answers on. */
enum err listen_unix(const char *path, int *ret_fd, struct errinfo *ei)
    MUST_USE;

#endif

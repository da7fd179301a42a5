/* cli_where.h: which daemon a command talks to. Flag, then environment, then
 * the configuration file, then the default, as "serve" has it. */
#ifndef CLI_CLI_WHERE_H
#define CLI_CLI_WHERE_H

#include <limits.h>

#include "cli/cli.h"

/* The kernel's bound on a Unix socket's name, NUL not counted. */
#define CLI_SOCKET_MAX 107

struct cli_where {
	char base[2048];        /* "http://localhost", or --url */
	char socket[PATH_MAX];  /* DATA/control.sock; "" with --url */
	char data[PATH_MAX];
	char token[256];        /* "" none */
};

/* own_file: plan and apply look into the file they were given first; NULL
 * for the rest. */
enum err cli_where_find(const struct cli_args *a, const char *own_file,
    struct cli_where *ret, struct errinfo *ei) MUST_USE;

/* A whole file, bounded by max; "-" is stdin. Caller xfrees. */
enum err cli_where_read(const char *path, size_t max, char **ret,
    size_t *ret_n, struct errinfo *ei) MUST_USE;

#endif

/* cli_find.h: lists page by page, and the monitor somebody means. */
#ifndef CLI_CLI_FIND_H
#define CLI_CLI_FIND_H

#include <stddef.h>

#include <jansson.h>

#include "cli/cli_client.h"

/* Every page of a list: {"items":[…]}, at most max items (0: all). path may
 * have a query. Caller json_decrefs. */
enum err cli_find_list(struct client *c, const char *path, size_t max,
    json_t **ret, struct errinfo *ei) MUST_USE;

/* The one monitor meant by "Group/Name" or an unambiguous name. Not found:
 * ERR_NOT_FOUND with suggestions. Caller json_decrefs. */
enum err cli_find_monitor(struct client *c, const char *name, json_t **ret,
    struct errinfo *ei) MUST_USE;

/* Open, find, and say what went wrong: how commands about one monitor begin.
 * Returns CLI_DONE or the exit code. */
int cli_find_open(const char *command, const struct cli_args *a,
    struct client **ret_client, json_t **ret_monitor);

#endif

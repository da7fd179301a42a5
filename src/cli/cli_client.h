/* cli_client.h: the daemon's API as calls that wait, over one connection that
 * is kept. Daemon absent, slow or refusing each has its own words in the
 * errinfo: ERR_SYS, ERR_TIMEOUT, and the rest for what it refused. */
#ifndef CLI_CLI_CLIENT_H
#define CLI_CLI_CLIENT_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

#define CLIENT_BODY_MAX (256u << 20)   /* of one answer */

struct client;

enum err cli_client_open(const struct cli_args *a, const char *own_file,
    struct client **ret, struct errinfo *ei) MUST_USE;
void cli_client_free(struct client *c);
void cli_client_freep(struct client *const *c);

/* What follows may take so long, instead of --timeout. */
void cli_client_within(struct client *c, int64_t timeout_ns);

struct request {
	const char *method;        /* "GET" */
	const char *path;          /* "/api/v1/…", query included */
	struct str body;           /* p NULL: none */
	const char *type;          /* Content-Type of body */
};
/* The answer's bytes go to out (any 2xx). */
enum err cli_client_call(struct client *c, const struct request *r,
    struct buf *out, struct errinfo *ei) MUST_USE;
/* The same, parsed; *ret is NULL for an empty answer. Caller json_decrefs. */
enum err cli_client_json(struct client *c, const struct request *r,
    json_t **ret, struct errinfo *ei) MUST_USE;
/* GET. */
enum err cli_client_get(struct client *c, const char *path, json_t **ret,
    struct errinfo *ei) MUST_USE;
/* Read an endless answer; feed gets bytes as they come and returns false to
 * end it. Only connecting and silence (60 s) are bounded. ERR_OK: the stream
 * ended, by feed or by the daemon. */
typedef bool feed_fn(void *arg, struct str bytes);
enum err cli_client_stream(struct client *c, const char *path,
    const char *last_id, feed_fn *feed, void *arg, struct errinfo *ei) MUST_USE;

#endif

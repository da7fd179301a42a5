/* route.h: one row per method and path: who may, how it runs, what it takes.
 * The dispatcher, the 405's Allow, the check of query parameters and
 * openapi.json come from the rows. To add a route: write its handler, declare
 * it in its header, add one row. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/req.h"

enum run {
	RUN_INLINE,   /* answers at once, from memory */
	RUN_READER,   /* parked, runs on a reader thread with its connection */
	RUN_WRITE     /* parks itself when it has sent a unit or a command */
};

enum body_kind {
	BODY_NONE,    /* at most BODY_IGNORED bytes are read and forgotten */
	BODY_SMALL,   /* a heartbeat's: BODY_BEAT_MAX */
	BODY_OBJECT,  /* limits.body */
	BODY_DOCUMENT /* a whole configuration: TREE_BYTES_MAX */
};
#define BODY_IGNORED  65536u
#define BODY_BEAT_MAX 16384u

struct param {
	const char *name, *help;
};

struct route {
	const char *method;          /* GET serves HEAD too unless no_head */
	const char *pattern;         /* "/api/v1/monitors/{id}" */
	enum scope scope;            /* SCOPE_NONE: public */
	enum run run;
	req_fn *fn;
	enum body_kind body;
	bool no_head;
	bool any_param;              /* unknown query parameters are ignored */
	const struct param *params;  /* ends with a NULL name; may be NULL */
	const char *summary;
};

extern const struct route routes[];   /* ends with a NULL method */

/* What the path captured. */
struct route_match {
	uint32_t id;
	struct str seg;
};
/* ERR_NOT_FOUND: no such path. ERR_DENIED: not by this method; allow gets the
 * comma-separated list of those that are. */
enum err route_find(const char *method, struct str path,
    const struct route **ret, struct route_match *ret_match,
    struct buf *allow) MUST_USE;
/* NULL, or the first parameter of q that the route does not know. */
const struct req_arg *route_unknown(const struct route *r,
    const struct req *q);
size_t route_body_max(const struct route *r, uint32_t limit);

#endif

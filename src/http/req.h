/* req.h: one request from its headers to its answer. The server's thread owns
 * it while it is not parked; a parked one belongs to whoever holds the job or
 * the ack until park_done, and may be given up meanwhile by its deadline.
 * Reference counted: the server holds one, each job or ack another, so an ack
 * that comes after the client was answered finds memory, not a connection. */
#ifndef HTTP_REQ_H
#define HTTP_REQ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/list.h"
#include "http/answer.h"
#include "model/unit.h"
#include "store/query.h"
#include "store/writer.h"

struct http;
struct door;
struct route;
struct req;
struct incident_unit;

#define REQ_ARGS_MAX 32          /* query parameters */
#define REQ_URL_MAX  8192        /* bytes of a decoded path */
#define REQ_BODY_NS  (INT64_C(60) * 1000000000)   /* to send a body in */

enum flow {
	ANSWERED,   /* q->out is filled in */
	WAITING     /* q is no longer the caller's: an ack or a job has it */
};
typedef enum flow req_fn(struct req *q);

enum req_state {
	REQ_NEW,       /* headers are in, the body may follow */
	REQ_WAITING,   /* parked */
	REQ_DONE,      /* park_done was called: out or e is there */
	REQ_GIVEN_UP   /* the deadline came first */
};

struct req_arg {
	struct str key, value;   /* into args_text */
};

struct req {
	struct http *h;
	struct door *door;
	struct MHD_Connection *conn;
	const struct route *route;
	atomic_int refs;
	enum req_state state;      /* changed under the park's lock */

	/* what was asked */
	uint32_t id;               /* {id} of the path */
	struct str seg;            /* {token} or {name}; server's thread only */
	char name[MONITOR_NAME_MAX + 1];   /* the same, cut, on any thread */
	struct req_arg *args;
	unsigned nargs;
	char *args_text;           /* owned */
	struct buf body;
	bool refused;              /* out is ready; only the body is drained */
	int64_t started_ns;
	char content_type[64], last_event_id[24];
	char if_none[200], if_since[40];   /* If-None-Match, -Modified-Since */

	/* by whom */
	enum scope scope;
	char actor[64];

	/* parked */
	struct list parked;
	int64_t deadline_ns;
	int sock;                  /* the connection's; -1 */
	uint64_t stay;             /* watched by leave.h under this; 0: not */
	struct ack ack;
	enum err e;                /* of the ack */
	struct errinfo *ei;        /* owned; NULL when fine */
	struct read_job job;
	struct reader *reader;     /* inside a RUN_READER handler only */
	void (*after)(struct req *q);   /* resumed: turn e into out */
	struct config_unit *config;     /* owned once its ack has run */
	struct token_unit *token;
	struct quarantine_unit *sick;
	struct incident_unit *incident;
	bool beat;                 /* a heartbeat: answered with the shared 200 */
	uint64_t if_version;
	unsigned made;             /* status to answer an edit with: 200, 201 */
	struct answer *kept;       /* owned: a deleted monitor, as it was */
	char *secret;              /* owned: a new token, shown once */

	struct answer out;
	struct MHD_Response *stream;    /* instead of out; owned */
};

struct req *req_new(struct door *d, struct MHD_Connection *conn) MUST_USE;
void req_ref(struct req *q);
void req_unref(struct req *q);
/* Copy the query string's parameters. False: out says what is wrong. */
bool req_read_args(struct req *q) MUST_USE;
/* The value of a parameter; p == NULL when absent. */
struct str req_arg(const struct req *q, const char *name);
/* Typed ones, with their defaults in *ret before. False: out is a 400 that
 * names the parameter. */
bool req_arg_u64(struct req *q, const char *name, uint64_t max, uint64_t *ret) MUST_USE;
bool req_arg_flag(struct req *q, const char *name, bool *ret) MUST_USE;
bool req_arg_time(struct req *q, const char *name, int64_t *ret_us) MUST_USE;
/* limit (1 … 1000, default 100) and cursor of the kind's letter. */
bool req_arg_page(struct req *q, char kind, unsigned *ret_limit,
    uint64_t *ret_cursor) MUST_USE;
/* {"items":[ … ],"next":CURSOR}: the end of a list. cursor 0: null. */
void req_list_end(struct buf *b, char kind, uint64_t cursor);
/* The body as a JSON object; NULL: out says why not. */
json_t *req_body_json(struct req *q) MUST_USE;

/* Shorthands on q->out; both return ANSWERED. */
enum flow req_fail(struct req *q, enum err e, const struct errinfo *ei);
enum flow req_bad(struct req *q, unsigned status, const char *field,
    const char *text);
/* Has the store no room for what is not its own (store_pressure)? Then q->out
 * is a 503. */
bool req_no_room(struct req *q);

#endif

/* answer.h: what a request will be answered with, put together on any thread
 * and turned into a response on the server's own. Owns its bytes. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/err.h"

#define ANSWER_HEADERS 4
#define ANSWER_BODY_MAX (64u << 20)   /* of one JSON list or page */

struct answer {
	unsigned status;          /* 0: none yet */
	const char *type;         /* static */
	char *body;               /* owned */
	size_t body_n;
	bool close;               /* end the connection after it */
	const char *cache;        /* Cache-Control; NULL: no-store */
	bool form;                /* it has a form that posts to us */
	struct {
		const char *name;     /* static */
		char value[120];
	} headers[ANSWER_HEADERS];
	unsigned nheaders;
};

extern const char answer_json[], answer_html[], answer_text[];

void answer_free(struct answer *a);
/* Take the bytes of b as the body; a body that broke its maximum becomes a
 * 500 problem: half a list is never sent. */
void answer_take(struct answer *a, unsigned status, const char *type,
    struct buf *b);
void answer_header(struct answer *a, const char *name, const char *value);
/* Retry-After: what a 503 or 429 advises already is replaced. */
void answer_retry(struct answer *a, unsigned seconds);
/* An RFC 9457 problem. field may be NULL or "". */
void answer_problem(struct answer *a, unsigned status, const char *field,
    const char *fmt, ...) FORMAT(4, 5);
/* The same from an error of ours, with the status that belongs to it. */
void answer_fail(struct answer *a, enum err e, const struct errinfo *ei);
unsigned answer_status(enum err e);
const char *answer_reason(unsigned status);
/* Queue it; a is empty afterwards. */
enum MHD_Result answer_send(struct answer *a, struct MHD_Connection *conn);
/* What every response carries, and a data response's no-store. */
void answer_guard(struct MHD_Response *r, const char *cache, bool form);

#endif

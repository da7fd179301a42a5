/* sse.h: server-sent events. The warden turns what was committed into frames,
 * once for everybody, in two bounded rings (the API's and the status page's);
 * each client's stream copies from its ring. One that falls out of the ring,
 * because it does not read, is ended and comes back with Last-Event-ID. */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdint.h>

#include "http/req.h"

#define SSE_FRAMES     2048
#define SSE_FRAME_MAX  65536u
#define SSE_BACKLOG    (4u << 20)              /* bytes sent on a resume */
#define SSE_RESUME_MAX 10000u                  /* events read on a resume */
#define SSE_TURN_NS    (INT64_C(100) * 1000000)   /* news are collected */
#define SSE_ALIVE_NS   (INT64_C(15) * 1000000000)

struct sse;

req_fn sse_public;    /* GET /live */
req_fn sse_private;   /* GET /api/v1/events/stream */

struct sse *sse_new(struct http *h) MUST_USE;
/* End every stream; none begins after this. */
void sse_end(struct sse *s);
/* The server threads are gone: hear no more of the writer. NULL is fine. */
void sse_close(struct sse *s);
/* With the last request: a reader's job may still want to join, in vain. */
void sse_free(struct sse *s);
/* The warden: frames of what is new; returns when to look again. */
int64_t sse_turn(struct http *h, int64_t now_ns);
unsigned sse_clients(struct sse *s);

#endif

/* cli_sse.h: server-sent events, from bytes as they come to whole events.
 * Pure and bounded; a line or event beyond its maximum is skipped whole. */
#ifndef CLI_CLI_SSE_H
#define CLI_CLI_SSE_H

#include <stdbool.h>

#include "base/buf.h"

#define SSE_LINE_MAX 65536
#define SSE_DATA_MAX 262144
#define SSE_ID_MAX   64

/* name is "message" when the event has none. False ends the stream. */
struct cli_sse;
typedef bool sse_fn(struct cli_sse *s, const char *name, struct str data);

struct cli_sse {
	sse_fn *fn;
	struct buf line, data;
	char name[32];
	char id[SSE_ID_MAX];   /* of the last event that had one */
	bool cr;               /* the last byte was CR: a LF belongs to it */
	bool broken;           /* this event is too large: skip it */
};

void cli_sse_init(struct cli_sse *s, sse_fn *fn);
void cli_sse_free(struct cli_sse *s);
/* A new connection: what was half read is dropped, id stays. */
void cli_sse_restart(struct cli_sse *s);
bool cli_sse_feed(struct cli_sse *s, struct str bytes) MUST_USE;

#endif

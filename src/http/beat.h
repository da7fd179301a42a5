/* beat.h: what a heartbeat says: status, msg and ping from the query string
 * or from a form or JSON body. Foreign text in, a checked struct out. */
#ifndef HTTP_BEAT_H
#define HTTP_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/sample.h"

#define BEAT_PING_MAX_MS 86400000   /* a day: above it is no duration */

struct beat {
	bool down;
	int64_t ping_us;       /* -1: not given */
	char msg[REASON_MAX];
};
void beat_init(struct beat *b);
/* One of the parameters; other keys are ignored. ERR_INVALID with ei->field. */
enum err beat_set(struct beat *b, struct str key, struct str value,
    struct errinfo *ei) MUST_USE;
/* application/x-www-form-urlencoded (the default) or JSON; the type is the
 * Content-Type header. */
enum err beat_body(struct beat *b, struct str body, struct str type,
    struct errinfo *ei) MUST_USE;

#endif

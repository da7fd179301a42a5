/* push.h: /push/TOKEN: a heartbeat in, answered when it is durable. */
#ifndef HTTP_PUSH_H
#define HTTP_PUSH_H

#include <microhttpd.h>

#include "http/beat.h"
#include "http/req.h"

req_fn push_heartbeat;
/* The one response to every durable heartbeat. */
struct MHD_Response *push_response(void);

#endif

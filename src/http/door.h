/* door.h: one listener's server threads (libmicrohttpd). */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include "base/err.h"
#include "http/server.h"

/* Serve d->fd. */
enum err door_open(struct door *d, struct errinfo *ei) MUST_USE;
/* Take no new connections; those that are there are answered. */
void door_quiesce(struct door *d);
/* Nothing may be suspended any more. */
void door_close(struct door *d);

#endif

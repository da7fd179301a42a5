/* door.h: one listener's server threads (libmicrohttpd). There is no way to
 * take no new connections and keep the old ones: MHD_quiesce_daemon takes the
 * listener out of its workers' epoll sets from outside, and when a worker is
 * at it in that moment, it aborts the process. While vedette stops, who comes
 * is let in and told so (intake.c). */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include "base/err.h"
#include "http/server.h"

/* Serve d->fd. */
enum err door_open(struct door *d, struct errinfo *ei) MUST_USE;
/* Nothing may be suspended any more. */
void door_close(struct door *d);

#endif

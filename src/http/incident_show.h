/* incident_show.h: an incident as JSON and on the status page, and all that
 * happened to it in the order of time. */
#ifndef HTTP_INCIDENT_SHOW_H
#define HTTP_INCIDENT_SHOW_H

#include "http/req.h"
#include "store/incident.h"
#include "store/view.h"

/* The members of one, for who may read the API. */
void incident_members(struct buf *b, struct view *v,
    const struct incident *i);
void incident_update_show(struct buf *b, const char *key,
    const struct incident_update *u);
/* "timeline": [ … ], oldest first, and "truncated". On a reader's thread. */
enum err incident_timeline(struct req *q, struct buf *b,
    const struct incident *i, struct errinfo *ei) MUST_USE;

#endif

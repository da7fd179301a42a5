/* incident_page.h: what is open now, for everybody: on the status page and in
 * /status.json. From the view, without a question to the store. */
#ifndef HTTP_INCIDENT_PAGE_H
#define HTTP_INCIDENT_PAGE_H

#include <stdint.h>

#include "base/buf.h"

#define INCIDENTS_SHOWN 50

struct http;
void incident_page_html(struct buf *b, struct http *h, int64_t now_us);
/* "incidents": [ … ], and "incidents_open": how many there are. */
void incident_page_json(struct buf *b, struct http *h);

#endif

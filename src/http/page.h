/* page.h: the status page: server-rendered, complete without a script. One
 * rendering serves everybody for a second (pages.h). */
#ifndef HTTP_PAGE_H
#define HTTP_PAGE_H

#include "base/buf.h"
#include "http/req.h"

#define PAGE_ITEMS     500     /* monitors on one page */
#define PAGE_ATTENTION 50      /* of those that are not up, when there are more */
#define PAGE_MAX       (16u << 20)
#define PAGE_STALE_US  (INT64_C(120) * 1000000)   /* no commit for so long */

req_fn page_show;   /* GET / */

const char *page_title(const struct http *h);
/* The frame of a public page: everything up to its main element but for what
 * a page adds to its header, and from there on. state: before the title, or
 * "". live: with the status page's script. bars: say how uptime is meant. */
void page_open(struct buf *b, struct http *h, const char *state, bool live);
void page_close(struct buf *b, bool bars);

/* For /live: what the page may show of a monitor, as JSON fields. */
void page_live_fields(struct buf *b, struct http *h, uint32_t monitor);

#endif

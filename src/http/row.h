/* row.h: one monitor on the status page: icon, word, reason, bars, sparkline,
 * as HTML and inline SVG without style attributes (the CSP forbids them). */
#ifndef HTTP_ROW_H
#define HTTP_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/view.h"

struct http;

/* The shapes that row_icon refers to; once per page. */
void row_symbols(struct buf *b);
void row_icon(struct buf *b, enum status s);
const char *row_word(enum status s);          /* "Down" */
void row_html(struct buf *b, struct http *h, const struct view_row *r,
    int64_t now_us);
/* <time> with the moment in the zone and, beside it, how long ago. */
void row_time(struct buf *b, const struct zone *z, int64_t us,
    int64_t now_us);

/* May its target and its own words be seen? */
bool row_open(const struct http *h, const struct view_row *r);
/* What the public may read: the monitor's own words only where its target may
 * be seen, since they often contain it. */
const char *row_reason(struct http *h, const struct view_row *r);
bool row_target(struct http *h, const struct view_row *r, struct buf *out);

#endif

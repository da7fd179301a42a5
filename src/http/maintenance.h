/* maintenance.h: maintenance windows over the API, and where they show. */
#ifndef HTTP_MAINTENANCE_H
#define HTTP_MAINTENANCE_H

#include "http/req.h"
#include "store/view.h"
#include "store/windows.h"

req_fn maintenance_list, maintenance_get, maintenance_create,
    maintenance_patch, maintenance_end, maintenance_delete;

/* Is it in maintenance now? An overlay: the status stays what it is. */
bool maintenance_over(struct view *v, const struct view_row *r,
    int64_t now_us, struct maintenance *ret);
/* "maintenance": {window, from, until}, or null. */
void maintenance_field(struct buf *b, struct view *v,
    const struct view_row *r, int64_t now_us);
/* Of the status page: what is in force and what comes within a week. */
void maintenance_html(struct buf *b, struct view *v, int64_t now_us);

#endif

/* monitors.h: GET of monitors: a page of them, and one. From the view. */
#ifndef HTTP_MONITORS_H
#define HTTP_MONITORS_H

#include "http/req.h"

req_fn monitors_list;
req_fn monitors_get;

/* q->out becomes this monitor with its ETag; status is 200 or 201. */
void monitors_answer(struct req *q, uint32_t id, unsigned status);

#endif

/* badge.h: one monitor as a small picture, SVG, for other people's pages:
 * /badge/NAME/status.svg, uptime.svg?window=90d, response.svg. NAME is its id,
 * its path ("Group/Name", the slash as it is or as %2F), or a name that only
 * one monitor has. What it checks is never shown. */
#ifndef HTTP_BADGE_H
#define HTTP_BADGE_H

#include "http/req.h"

req_fn badge_status, badge_uptime, badge_response;
req_fn badge_status_id, badge_uptime_id, badge_response_id;

#endif

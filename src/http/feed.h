/* feed.h: incidents for feed readers, newest first: /feed.atom (RFC 4287) and
 * /feed.json (JSON Feed 1.1). An entry is an incident with its newest public
 * updates; its id is a tag: URI (RFC 4151) of the host in alerts.base_url and
 * never changes, its date of change does. */
#ifndef HTTP_FEED_H
#define HTTP_FEED_H

#include "http/req.h"

#define FEED_ITEMS 50

req_fn feed_atom, feed_json;

#endif

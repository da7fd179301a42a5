/* snapshot.h: /status.json: the status page for programs. */
#ifndef HTTP_SNAPSHOT_H
#define HTTP_SNAPSHOT_H

#include "http/req.h"

#define SNAPSHOT_ITEMS 10000   /* in one answer */

req_fn snapshot_get;

#endif

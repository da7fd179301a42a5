/* incidents.h: incidents over the API. */
#ifndef HTTP_INCIDENTS_H
#define HTTP_INCIDENTS_H

#include "http/req.h"

req_fn incidents_list, incidents_get, incidents_create, incidents_change,
    incidents_update, incidents_delete;

#endif

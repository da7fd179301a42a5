/* events.h: the event log as a list. */
#ifndef HTTP_EVENTS_H
#define HTTP_EVENTS_H

#include "http/req.h"

req_fn events_list;

#endif

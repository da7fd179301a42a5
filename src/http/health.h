/* health.h: /healthz, /readyz and the store's counters. */
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include "http/req.h"

req_fn health_alive, health_ready, health_store;

#endif

/* health.h: /healthz, /readyz, the store's health and its counters. */
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include "http/req.h"

req_fn health_alive, health_ready, health_store, health_rules;

#endif

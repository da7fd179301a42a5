/* metrics.h: /metrics, Prometheus text 0.0.4. The families of monitors, the
 * store, this front door and the process; the core adds its own. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "http/req.h"

#define METRICS_MAX (512u << 20)

req_fn metrics_get;

#endif

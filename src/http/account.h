/* account.h: uptime of one monitor, by day and of all, and latencies over
 * time. On a reader's thread; a read that fails is a 5xx. */
#ifndef HTTP_ACCOUNT_H
#define HTTP_ACCOUNT_H

#include "http/req.h"

req_fn account_uptime, account_days, account_all, account_latency;

#endif

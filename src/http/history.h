/* history.h: what was: samples, transitions, uptime, and why. On a reader's
 * thread; a read that fails is a 5xx, never an empty list. */
#ifndef HTTP_HISTORY_H
#define HTTP_HISTORY_H

#include "http/req.h"

req_fn history_samples, history_of_monitor, history_of_all;
req_fn history_uptime, history_explain;

#endif

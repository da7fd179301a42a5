/* quarantine.h: units that could not be stored: listed, shown, tried again,
 * dropped. What one says is shown as the API shows it elsewhere; as bytes only
 * when it cannot be made out. */
#ifndef HTTP_QUARANTINE_H
#define HTTP_QUARANTINE_H

#include "http/req.h"

req_fn quarantine_list, quarantine_show, quarantine_retried,
    quarantine_dropped;

#endif

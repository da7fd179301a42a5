/* past.h: /history: incidents and the maintenance that was, month by month,
 * newest first, for everybody and without a script; and /history/ID, one
 * incident and all that was said of it in public. */
#ifndef HTTP_PAST_H
#define HTTP_PAST_H

#include "http/req.h"

#define PAST_ITEMS 100   /* incidents on one page */
#define PAST_RUNS  200   /* of maintenance, of one month */

req_fn past_month;   /* GET /history?month=YYYY-MM&before=ID */
req_fn past_one;     /* GET /history/{id} */

#endif

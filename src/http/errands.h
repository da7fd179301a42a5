/* errands.h: long work on the store, begun and looked at: see store/errand.h. */
#ifndef HTTP_ERRANDS_H
#define HTTP_ERRANDS_H

#include "http/req.h"

req_fn errands_maintain, errands_check, errands_backup, errands_get;

#endif

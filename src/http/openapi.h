/* openapi.h: the route table as an OpenAPI 3.1 document. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include "http/req.h"

req_fn openapi_get;

#endif

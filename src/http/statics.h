/* statics.h: the files of web/, built in. */
#ifndef HTTP_STATICS_H
#define HTTP_STATICS_H

#include "http/req.h"

req_fn statics_get;
/* The part after "?v=" of an asset's URL, so that a new version is fetched. */
const char *statics_version(const char *name);

#endif

/* tokens.h: API tokens: list, create, revoke. The secret is made here, shown
 * once, and only its hash goes to the store. */
#ifndef HTTP_TOKENS_H
#define HTTP_TOKENS_H

#include "http/req.h"

req_fn tokens_list, tokens_create, tokens_revoke;

#endif

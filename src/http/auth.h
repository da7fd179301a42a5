/* auth.h: who asks, and may they. The control socket trusts the peer's uid,
 * TCP a bearer token whose hash the store knows. */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stdbool.h>

#include "http/addr.h"
#include "http/req.h"

/* Fill in q->scope and q->actor. False: q->out is a 401, 403 or 429. */
bool auth_who(struct req *q) MUST_USE;
/* The same, and the scope must be at least this. */
bool auth_check(struct req *q, enum scope need) MUST_USE;
/* The client's address behind trusted proxies. False: none (Unix socket). */
bool auth_client(struct req *q, struct addr *ret) MUST_USE;
/* Asked from this very machine, and not on behalf of somebody behind a proxy
 * that runs here. */
bool auth_is_local(struct req *q) MUST_USE;
/* A wrong secret was tried from this address; false: too often. */
bool auth_strike(struct req *q) MUST_USE;
bool auth_struck(struct req *q) MUST_USE;

#define AUTH_HASH 32
/* SHA-256 of a secret. */
void auth_hash(struct str secret, unsigned char ret[AUTH_HASH]);

#endif

/* auth.c: see auth.h. */
#include "http/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "http/server.h"
#include "world/world.h"

#define SECRET_MAX 256   /* bytes of a bearer token */

void
auth_hash(struct str secret, unsigned char ret[AUTH_HASH])
{
	/* Fails only without memory, and then everything ends (mem.h). */
	if (EVP_Digest(secret.p, secret.n, ret, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

static struct str
auth_header(const struct req *q, const char *name)
{
	return str_of(MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND,
	    name));
}

static bool
auth_has(const struct req *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND,
	    name) != NULL;
}

bool
auth_client(struct req *q, struct addr *ret)
{
	const union MHD_ConnectionInfo *ci;
	struct addr peer;

	ci = MHD_get_connection_info(q->conn,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (ci == NULL || !addr_of(ci->client_addr, &peer))
		return false;
	*ret = addr_client(&q->h->trusted, &peer,
	    auth_header(q, "X-Forwarded-For"));
	return true;
}

bool
auth_is_local(struct req *q)
{
	static const char *const signs[] = {
		"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via",
		"X-Forwarded-Host", "X-Forwarded-Proto",
	};
	const union MHD_ConnectionInfo *ci;
	struct addr peer, client;

	if (q->door->control)
		return true;
	ci = MHD_get_connection_info(q->conn,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (ci == NULL || !addr_of(ci->client_addr, &peer) ||
	    !addr_is_loopback(&peer))
		return false;
	/* A proxy on this machine makes everybody look local. Unless it is
	 * trusted to name its client, what it forwards is not local. */
	if (addr_nets_have(&q->h->trusted, &peer) &&
	    auth_header(q, "X-Forwarded-For").n > 0)
		return auth_client(q, &client) && addr_is_loopback(&client);
	for (size_t i = 0; i < COUNT(signs); i++)
		if (auth_has(q, signs[i]))
			return false;
	return true;
}

bool
auth_strike(struct req *q)
{
	struct addr a;

	if (!auth_client(q, &a))
		return true;
	return limit_take(&q->h->strikes, addr_hash(&a), clock_mono_ns());
}

bool
auth_struck(struct req *q)
{
	struct addr a;

	return auth_client(q, &a) && !limit_left(&q->h->strikes,
	    addr_hash(&a), clock_mono_ns());
}

/* On the control socket: the kernel says who connected. */
static bool
auth_peer(struct req *q)
{
	const union MHD_ConnectionInfo *ci;
	struct ucred u = {0};
	socklen_t n = sizeof(u);

	ci = MHD_get_connection_info(q->conn,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	if (ci == NULL || getsockopt(ci->connect_fd, SOL_SOCKET, SO_PEERCRED,
	    &u, &n) != 0 || n != sizeof(u)) {
		answer_problem(&q->out, 403, NULL,
		    "the control socket does not say who you are");
		return false;
	}
	if (u.uid != 0 && u.uid != geteuid()) {
		answer_problem(&q->out, 403, NULL, "uid %u may not use the "
		    "control socket; only uid %u and root may",
		    (unsigned)u.uid, (unsigned)geteuid());
		return false;
	}
	q->scope = SCOPE_ADMIN;
	snprintf(q->actor, sizeof(q->actor), "uid:%u", (unsigned)u.uid);
	return true;
}

static bool
auth_bearer(struct req *q)
{
	struct str h = auth_header(q, "Authorization"), secret;
	unsigned char hash[AUTH_HASH];
	char name[64] = "";

	if (!auth_has(q, "Authorization")) {
		answer_problem(&q->out, 401, NULL, "a token is needed: send "
		    "\"Authorization: Bearer TOKEN\" (make one with "
		    "\"vedette token create\")");
		return false;
	}
	if (auth_struck(q)) {
		answer_problem(&q->out, 429, NULL,
		    "too many wrong tokens from this address");
		return false;
	}
	if (h.n > 7 && strncasecmp(h.p, "Bearer ", 7) == 0) {
		secret = str_trim((struct str){h.p + 7, h.n - 7});
		if (secret.n > 0 && secret.n <= SECRET_MAX) {
			auth_hash(secret, hash);
			q->scope = view_scope(q->h->view, hash,
			    clock_wall_us(), name);
		}
	}
	if (q->scope == SCOPE_NONE) {
		(void)!auth_strike(q);
		answer_problem(&q->out, 401, NULL,
		    "this token is unknown, revoked or expired");
		return false;
	}
	snprintf(q->actor, sizeof(q->actor), "token:%.50s", name);
	return true;
}

bool
auth_who(struct req *q)
{
	return q->door->control ? auth_peer(q) : auth_bearer(q);
}

bool
auth_check(struct req *q, enum scope need)
{
	if (!auth_who(q))
		return false;
	if (q->scope >= need)
		return true;
	answer_problem(&q->out, 403, NULL, "this needs the scope %s; the "
	    "token has %s", scope_name(need), scope_name(q->scope));
	return false;
}

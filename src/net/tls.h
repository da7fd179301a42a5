/* tls.h: whom we trust, and what a handshake showed: the verification error
 * told apart, the end of the chain also when verification failed, the chain.
 * Used with our own SSL objects and with those that libcurl makes. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/why.h"

#define TLS_CHAIN_MAX 8   /* certificates shown of a chain */

/* In: insecure, want_chain. Lives as long as the handshake may run. */
struct tls_seen {
	bool insecure;         /* note errors, but go on */
	bool want_chain;
	int error;             /* X509_V_OK, or the first that was found */
	/* When the leaf ends, or an issuer between it and the root if that is
	 * sooner; Unix seconds; 0: none seen. */
	int64_t not_after_s;
	bool issuer_ends;      /* it is an issuer's */
	STACK_OF(X509) *chain; /* as the peer sent it; owned */
};
void tls_seen_reset(struct tls_seen *t);   /* frees the chain; keeps "in" */

/* The trust store, parsed once per process and shared by all shards: a copy
 * costs 20 ms and some MB. file NULL: the system's bundle. The caller owns a
 * reference. */
enum err tls_store(const char *file, X509_STORE **ret, struct errinfo *ei) MUST_USE;
/* A client context without session resumption: each handshake is whole. */
enum err tls_ctx(X509_STORE *store, SSL_CTX **ret, struct errinfo *ei) MUST_USE;

/* Have t see the handshakes of this object; verify is set accordingly. host
 * (NULL: do not compare names) is a name or a literal address. */
bool tls_attach(SSL *ssl, struct tls_seen *t, const char *host) MUST_USE;
bool tls_attach_ctx(SSL_CTX *ctx, struct tls_seen *t, const char *host) MUST_USE;

enum why tls_why(int x509_error);
/* {"error":…, "chain":[{"subject":…,"issuer":…,"not_after":…},…]} */
void tls_json(const struct tls_seen *t, struct buf *out);
/* "name: value" lines, one per certificate. */
void tls_lines(const struct tls_seen *t, struct buf *out);

#endif

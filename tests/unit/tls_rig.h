/* tls_rig.h: certificates made on the spot, and a TLS server that shows one. */
#ifndef TESTS_UNIT_TLS_RIG_H
#define TESTS_UNIT_TLS_RIG_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "check_rig.h"

struct cert {
	X509 *x;
	EVP_PKEY *key;
};

struct cert_want {
	const char *name;      /* of the subject */
	const char *alt;       /* "DNS:localhost,IP:127.0.0.1"; NULL: none */
	long from_s, to_s;     /* validity, from now */
	const struct cert *by; /* NULL: self-signed */
	bool ca;
};

UNUSED static void
cert_extension(X509 *x, const struct cert *by, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, by != NULL ? by->x : x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

UNUSED static struct cert
cert_make(const struct cert_want *want)
{
	static long serial;
	struct cert c = {.x = X509_new(), .key = EVP_EC_gen("P-256")};
	X509_NAME *name = X509_get_subject_name(c.x);

	assert_non_null(c.key);
	(void)X509_set_version(c.x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(c.x), ++serial);
	(void)X509_gmtime_adj(X509_getm_notBefore(c.x), want->from_s);
	(void)X509_gmtime_adj(X509_getm_notAfter(c.x), want->to_s);
	(void)X509_set_pubkey(c.x, c.key);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)want->name, -1, -1, 0);
	(void)X509_set_issuer_name(c.x, want->by != NULL ?
	    X509_get_subject_name(want->by->x) : name);
	cert_extension(c.x, want->by, NID_basic_constraints,
	    want->ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (want->alt != NULL)
		cert_extension(c.x, want->by, NID_subject_alt_name, want->alt);
	assert_true(X509_sign(c.x, want->by != NULL ? want->by->key : c.key,
	    EVP_sha256()) > 0);
	return c;
}

UNUSED static void
cert_free(struct cert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
}

UNUSED static void
cert_write(const struct cert *c, const char *path)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, c->x), 1);
	assert_int_equal(fclose(f), 0);
}

/* arg of serve_tls. say NULL: hold the connection after the handshake. */
struct tls_serve {
	const struct cert *cert;
	const struct cert *issuer;   /* sent along, unless NULL */
	const char *say;
	bool wait_request;
	atomic_bool resumed;
};

UNUSED static void
serve_tls(struct server *s, int fd)
{
	struct tls_serve *t = s->arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	(void)SSL_CTX_use_certificate(ctx, t->cert->x);
	(void)SSL_CTX_use_PrivateKey(ctx, t->cert->key);
	if (t->issuer != NULL)
		(void)SSL_CTX_add1_chain_cert(ctx, t->issuer->x);
	ssl = SSL_new(ctx);
	(void)SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		if (SSL_session_reused(ssl))
			atomic_store(&t->resumed, true);
		if (t->wait_request)
			(void)SSL_read(ssl, s->request,
			    (int)sizeof(s->request) - 1);
		if (t->say != NULL)
			(void)SSL_write(ssl, t->say, (int)strlen(t->say));
		else
			server_hold(fd);
		(void)SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

#endif

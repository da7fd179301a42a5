/* tls.c: verification errors are collected by a verify callback, which finds
 * its tls_seen through the SSL object or, for libcurl, whose SSL objects are
 * made later and out of our sight, through the SSL_CTX. */
#include "net/tls.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* Where distributions keep their bundle; the first that can be read. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

/* The one store of the process; see the header for why it is shared. */
static pthread_mutex_t store_mu = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *store_kept;
static char *store_file;

static pthread_once_t seen_once = PTHREAD_ONCE_INIT;
static int seen_ssl = -1;
static int seen_ctx = -1;

static void
seen_index(void)
{
	seen_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	seen_ctx = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void
tls_seen_reset(struct tls_seen *t)
{
	sk_X509_pop_free(t->chain, X509_free);
	t->chain = NULL;
	t->error = X509_V_OK;
	t->not_after_s = 0;
	t->issuer_ends = false;
}

static const char *
bundle_find(void)
{
	for (size_t i = 0; i < COUNT(bundles); i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return NULL;
}

static enum err
store_load(const char *file, X509_STORE **ret, struct errinfo *ei)
{
	X509_STORE *s = X509_STORE_new();

	if (s == NULL)
		return fail(ei, ERR_SYS, "out of memory");
	if (X509_STORE_load_locations(s, file, NULL) != 1) {
		const char *what = ERR_reason_error_string(ERR_peek_error());

		(void)fail(ei, ERR_SYS,
		    "cannot read trusted certificates from %s: %s", file,
		    what != NULL ? what : "not readable");
		ERR_clear_error();
		X509_STORE_free(s);
		return ERR_SYS;
	}
	/* An intermediate that was put into the file is trusted by itself. */
	(void)X509_STORE_set_flags(s, X509_V_FLAG_PARTIAL_CHAIN);
	*ret = s;
	return ERR_OK;
}

enum err
tls_store(const char *file, X509_STORE **ret, struct errinfo *ei)
{
	const char *from = file != NULL ? file : bundle_find();
	enum err e = ERR_OK;

	if (from == NULL)
		return fail(ei, ERR_NOT_FOUND,
		    "no trusted certificates on this machine; install "
		    "ca-certificates or set net.ca_file");
	(void)pthread_mutex_lock(&store_mu);
	if (store_kept == NULL || strcmp(store_file, from) != 0) {
		X509_STORE *fresh = NULL;

		e = store_load(from, &fresh, ei);
		if (e == ERR_OK) {
			X509_STORE_free(store_kept);
			xfree(store_file);
			store_kept = fresh;
			store_file = xstrdup(from);
		}
	}
	if (e == ERR_OK) {
		(void)X509_STORE_up_ref(store_kept);
		*ret = store_kept;
	}
	(void)pthread_mutex_unlock(&store_mu);
	return e;
}

enum err
tls_ctx(X509_STORE *store, SSL_CTX **ret, struct errinfo *ei)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL)
		return fail(ei, ERR_SYS, "cannot make a TLS context: %s",
		    ERR_reason_error_string(ERR_get_error()));
	(void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	if (store != NULL)
		SSL_CTX_set1_cert_store(c, store);
	*ret = c;
	return ERR_OK;
}

static int64_t
unix_of(const ASN1_TIME *t)
{
	struct tm tm = {0};

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* The peer's chain, bounded: it decides how long it is. */
static STACK_OF(X509) *
chain_copy(X509_STORE_CTX *xc)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(xc);
	STACK_OF(X509) *copy = sk_X509_new_null();

	for (int i = 0; copy != NULL && i < sk_X509_num(sent) &&
	    i < TLS_CHAIN_MAX; i++) {
		X509 *x = sk_X509_value(sent, i);

		if (X509_up_ref(x) == 1 && sk_X509_push(copy, x) == 0)
			X509_free(x);
	}
	return copy;
}

/* One more of the chain is found good. An issuer that ends takes the leaf with
 * it; not so the root, which comes with each visitor's own system. */
static void
end_note(struct tls_seen *t, X509_STORE_CTX *xc)
{
	X509 *x = X509_STORE_CTX_get_current_cert(xc);
	int depth = X509_STORE_CTX_get_error_depth(xc);
	int64_t end_s;

	if (x == NULL ||
	    depth + 1 >= sk_X509_num(X509_STORE_CTX_get0_chain(xc)))
		return;
	end_s = unix_of(X509_get0_notAfter(x));
	if (end_s == 0 || end_s >= t->not_after_s)
		return;
	t->not_after_s = end_s;
	t->issuer_ends = depth > 0;
}

static int
on_verify(int ok, X509_STORE_CTX *xc)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(xc,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_seen *t = SSL_get_ex_data(ssl, seen_ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(xc);

	if (t == NULL)
		t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), seen_ctx);
	if (t == NULL)
		return ok;
	if (t->not_after_s == 0 && leaf != NULL)
		t->not_after_s = unix_of(X509_get0_notAfter(leaf));
	if (ok != 0)
		end_note(t, xc);
	if (t->want_chain && t->chain == NULL)
		t->chain = chain_copy(xc);
	if (ok == 0 && t->error == X509_V_OK)
		t->error = X509_STORE_CTX_get_error(xc);
	return ok != 0 || t->insecure;
}

static bool
param_host(X509_VERIFY_PARAM *p, const char *host)
{
	X509_VERIFY_PARAM_set_hostflags(p,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1 ||
	    X509_VERIFY_PARAM_set1_host(p, host, 0) == 1;
}

static int
mode_of(const struct tls_seen *t)
{
	return t->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
}

bool
tls_attach(SSL *ssl, struct tls_seen *t, const char *host)
{
	(void)pthread_once(&seen_once, seen_index);
	SSL_set_verify(ssl, mode_of(t), on_verify);
	return SSL_set_ex_data(ssl, seen_ssl, t) == 1 &&
	    (host == NULL || param_host(SSL_get0_param(ssl), host));
}

bool
tls_attach_ctx(SSL_CTX *ctx, struct tls_seen *t, const char *host)
{
	(void)pthread_once(&seen_once, seen_index);
	SSL_CTX_set_verify(ctx, mode_of(t), on_verify);
	return SSL_CTX_set_ex_data(ctx, seen_ctx, t) == 1 &&
	    (host == NULL || param_host(SSL_CTX_get0_param(ctx), host));
}

enum why
tls_why(int x509_error)
{
	switch (x509_error) {
	case X509_V_OK:
		return WHY_OK;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return WHY_TLS_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return WHY_TLS_NOT_YET;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return WHY_TLS_SELF_SIGNED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return WHY_TLS_WRONG_HOST;
	case X509_V_ERR_OUT_OF_MEM:
		return WHY_LOCAL_FDS;
	default:
		return WHY_TLS_UNTRUSTED;
	}
}

static struct str
name_text(X509_NAME *name, char *dst, int size)
{
	dst[0] = '\0';
	(void)X509_NAME_oneline(name, dst, size);
	return str_of(dst);
}

void
tls_json(const struct tls_seen *t, struct buf *out)
{
	char name[256];
	char when[TIME_TEXT];

	buf_adds(out, "{\"error\":");
	if (t->error == X509_V_OK)
		buf_adds(out, "null");
	else
		text_json(out, str_of(X509_verify_cert_error_string(t->error)));
	buf_adds(out, ",\"chain\":[");
	for (int i = 0; i < sk_X509_num(t->chain); i++) {
		X509 *x = sk_X509_value(t->chain, i);

		buf_adds(out, i > 0 ? ",{\"subject\":" : "{\"subject\":");
		text_json(out, name_text(X509_get_subject_name(x), name,
		    sizeof(name)));
		buf_adds(out, ",\"issuer\":");
		text_json(out, name_text(X509_get_issuer_name(x), name,
		    sizeof(name)));
		buf_addf(out, ",\"not_after\":\"%s\"}",
		    time_format_utc(unix_of(X509_get0_notAfter(x)) * US_PER_S,
		    when));
	}
	buf_adds(out, "]}");
}

void
tls_lines(const struct tls_seen *t, struct buf *out)
{
	char name[256];
	char when[TIME_TEXT];

	for (int i = 0; i < sk_X509_num(t->chain); i++) {
		X509 *x = sk_X509_value(t->chain, i);

		buf_adds(out, "certificate: ");
		text_line(out, name_text(X509_get_subject_name(x), name,
		    sizeof(name)), 200);
		buf_addf(out, ", valid until %s, issued by ",
		    time_format_utc(unix_of(X509_get0_notAfter(x)) * US_PER_S,
		    when));
		text_line(out, name_text(X509_get_issuer_name(x), name,
		    sizeof(name)), 200);
		buf_addc(out, '\n');
	}
	if (t->error != X509_V_OK)
		buf_addf(out, "verification: %s\n",
		    X509_verify_cert_error_string(t->error));
}

/* http.h: what the files of the http check share. The flow, per hop:
 *
 *   resolve ─► dial ─► transfer ─► judge ─┬─► the check's end
 *      ▲                                  │
 *      └────────── redirect ──────────────┘
 *
 * check_http.c drives it, http_conf.c knows the settings, http_url.c takes
 * URLs apart, http_redirect.c says where to go on, http_judge.c decides
 * (pure), http_show.c words the evidence. */
#ifndef CHECK_HTTP_H
#define CHECK_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "check/check.h"
#include "conf/opt.h"
#include "model/sample.h"
#include "net/dial.h"
#include "net/net.h"
#include "net/tls.h"

#define HTTP_URL_MAX       2048
#define HTTP_HOST_MAX      253
#define HTTP_REDIRECTS_MAX 20
#define HTTP_HEADERS_MAX   65536          /* bytes of headers, all responses */
#define HTTP_BODY_MAX      16777216       /* the largest body_max */
#define HTTP_SHOW_BODY     4096           /* of the body in the evidence */
#define HTTP_SHOW_HEADERS  8192
#define HTTP_BOMB_RATIO    100U           /* unpacked to packed bytes */

/* -- http_url.c: an absolute URL taken apart, nothing copied ------------- */
struct http_url {
	bool tls;
	uint16_t port;
	struct str host;      /* IPv6 without its brackets */
};
/* NULL when fine, else what is wrong. Strict: no user info, no spaces, no
 * control characters, ASCII host. */
const char *http_url_parse(struct str s, struct http_url *ret);

/* -- http_conf.c --------------------------------------------------------- */
enum http_ip { HTTP_IP_ANY, HTTP_IP_4, HTTP_IP_6 };
enum http_version { HTTP_VERSION_11, HTTP_VERSION_2 };

struct http_conf {
	char *url, *method, *body;
	struct pairs headers;
	struct { char *user, *password, *bearer; } auth;
	uint32_t ip, version;
	uint32_t redirects;
	struct {
		struct ranges status;
		struct strings body_contains, body_lacks;
	} expect;
	bool insecure, verify_hostname, compressed;
	int64_t cert_expiry_ns;
	uint64_t body_max;
};
extern const struct opt http_conf_opts[];
enum err http_conf_finish(void *conf, struct errinfo *ei);
void http_conf_target(const void *conf, struct buf *out);
void http_conf_host(const void *conf, struct buf *out);
/* Does a body rule need the text of the body? */
bool http_conf_wants_body(const struct http_conf *hc);

/* -- one check ------------------------------------------------------------ */
enum http_stage { HTTP_IDLE, HTTP_RESOLVE, HTTP_DIAL, HTTP_TRANSFER };

struct xfer;
extern const struct check_kind check_http;

struct http_check {
	struct check c;
	enum http_stage stage;
	uint8_t hop;             /* redirects followed so far */
	uint8_t turned;          /* how many came before get_only */
	bool get_only;           /* a redirect turned the method into GET */
	bool foreign;            /* a redirect led elsewhere: no credentials */
	bool enough;             /* we ended the body ourselves */
	bool headers_over, bomb;
	struct http_url url;     /* of this hop; points into at or the conf */
	char *at;                /* this hop's URL; NULL: the conf's */
	char *seen[HTTP_REDIRECTS_MAX];   /* the URLs before it */
	char host[HTTP_HOST_MAX + 1];
	struct resolve names;
	struct dial dial;
	struct xfer *x;
	struct curl_slist *headers;
	struct tls_seen tls;
	int64_t hop_ns;          /* when this hop began */
	uint64_t header_bytes, body_bytes;
	int64_t packed;          /* received when body_max was passed */
	struct buf body;         /* as much as rules and evidence need */
	struct buf shown;        /* response headers, redacted */
};

/* -- http_judge.c: pure --------------------------------------------------- */
struct http_answer {
	CURLcode rc;
	long status;
	int os_error;            /* errno of a failed receive or send; 0 */
	const char *text;        /* libcurl's words */
	bool tls, handshaken, enough, headers_over, bomb;
	int tls_error;           /* X509_V_… */
	uint64_t body_bytes;
	struct str body;
	int64_t not_after_s, now_s;
	bool issuer_ends;        /* it is not the leaf's */
};
/* Fills why and reason (REASON_MAX bytes, not yet sanitised). */
enum why http_judge(const struct http_conf *hc, const struct http_answer *a,
    char *reason);
/* The layer a check was in when its time was over. */
enum why http_judge_timeout(enum http_stage stage, bool tls, bool handshaken);
bool http_judge_redirects(long status);   /* 301 302 303 307 308 */

/* -- http_redirect.c ------------------------------------------------------ */
/* Where the answer sends us, absolute; the caller's. NULL: nowhere. */
char *http_redirect_url(const struct http_check *h);
/* Go on at url; false: why and reason say what forbids it. */
bool http_redirect_to(struct http_check *h, const char *url);

/* -- http_show.c ---------------------------------------------------------- */
/* One response header line into the evidence, secrets redacted. */
void http_show_header(struct buf *out, struct str line);
/* c.out.evidence and details, when they are wanted. */
void http_show(struct http_check *h);

#endif

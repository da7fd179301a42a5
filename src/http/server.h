/* server.h: the inside of struct http, shared by the files of this folder. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "http/addr.h"
#include "http/http.h"
#include "http/limit.h"
#include "http/park.h"
#include "store/live.h"
#include "store/store.h"
#include "store/view.h"

struct sse;
struct pages;

struct door {            /* one listener */
	struct http *h;
	struct MHD_Daemon *daemon;
	int fd;              /* listening; -1 */
	bool control;        /* the Unix socket */
};

struct http {
	struct http_conf c;
	struct view *view;
	struct live *live;
	atomic_int refs;     /* ours, and one of each request alive */
	struct door tcp, control;
	char url[160];
	pthread_mutex_t base_mu;
	char *base;          /* owned, under base_mu: alerts.base_url or NULL */
	struct addr_nets trusted;

	atomic_bool quiet;      /* quiesced: everything is 503 */
	atomic_bool stopping;   /* the warden ends */
	pthread_t warden;
	bool warden_runs;
	int wake;               /* eventfd: the warden looks around */

	struct park park;
	struct sse *sse;
	struct pages *pages, *past;    /* past: made by readers */
	struct limit strikes;   /* unknown tokens, by address */
	struct limit beats;     /* heartbeats, by monitor */
	struct MHD_Response *beat_ok;
	atomic_size_t active;          /* requests that the server still has */
	_Atomic uint64_t answers[6];   /* by hundreds of the status */
};

void http_poke(struct http *h);
/* What absolute URLs begin with, without a slash at the end. True: it was
 * configured. */
bool http_base_text(struct http *h, struct buf *out);
void http_unref(struct http *h);

#endif

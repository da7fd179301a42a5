/* xfer.h: one libcurl transfer over a connection that dial.h made. libcurl
 * speaks TLS and HTTP; names, addresses, policy and connecting are ours, so
 * it neither starts threads nor opens sockets. Handles are pooled: an xfer
 * lives as long as its net and is lent from xfer_open to xfer_close. */
#ifndef NET_XFER_H
#define NET_XFER_H

#include <stdbool.h>

#include <curl/curl.h>

#include "base/err.h"
#include "base/list.h"
#include "net/net.h"
#include "net/tls.h"
#include "net/watch.h"

#define XFER_POOL_MAX 128   /* idle handles kept per shard */

struct xfer {
	/* For the borrower: set options on easy between open and start. Those
	 * that xfer.c sets (see handle_new) stay as they are. */
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	struct tls_seen *tls;      /* https: sees the handshake */
	const char *host;          /* https: the name to compare; NULL: none */
	/* The transfer is over; answer by xfer_close, now or later. Never
	 * from inside xfer_start, never from inside a libcurl callback. */
	void (*done)(struct xfer *x, CURLcode rc);
	void *owner;               /* the borrower's, untouched */
	bool once;                 /* do not lend it again: options were set
				    * that a check does not set back */
	/* internal */
	struct net *net;
	struct watch watch;        /* the socket, until libcurl closes it */
	bool offered, added;
	struct list idle;
};

/* Never NULL except when libcurl cannot be started at all. */
struct xfer *xfer_open(struct net *n) MUST_USE;
/* Takes over the connected descriptor that from watches. */
enum err xfer_start(struct xfer *x, struct watch *from) MUST_USE;
/* Ends it if it still runs, closes the connection, gives the handle back. */
void xfer_close(struct xfer *x);

#endif

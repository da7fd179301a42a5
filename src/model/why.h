/* why.h: why a sample is what it is: a closed list, grouped by layer. About
 * the target; only the local group is about us, and it voids the sample.
 * The numbers are stored: append within a group, never renumber. */
#ifndef MODEL_WHY_H
#define MODEL_WHY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

enum why_layer {
	LAYER_NONE,    /* ok and administrative reasons */
	LAYER_LOCAL,   /* our own fault: void, never down, never up */
	LAYER_DNS,
	LAYER_NET,
	LAYER_TLS,
	LAYER_APP,     /* HTTP, banner, DNS answer contents, ping loss, push */
	LAYER_NMAX
};

enum why {
	WHY_OK = 0,
	/* administrative reasons of transitions, never of samples */
	WHY_PAUSED = 1,
	WHY_RESUMED = 2,
	WHY_MEMBER = 3,        /* a group: its worst member decides */
	WHY_CREATED = 4,
	WHY_CONFIG = 5,        /* the monitor's type or target was changed */
	WHY_GAP = 6,           /* vedette was not running */
	WHY_BLIND = 7,         /* too many voided samples in a row */
	WHY_EMPTY_GROUP = 8,   /* a group with no member that counts */

	WHY_LOCAL_FDS = 16,        /* no descriptors or no memory here */
	WHY_LOCAL_RESOLVER = 17,   /* our resolver does not answer */
	WHY_LOCAL_ROUTE = 18,      /* we have no route or no address family */
	WHY_LOCAL_LATE = 19,       /* we were starved or suspended */
	WHY_LOCAL_PERMISSION = 20, /* ping socket or low port not allowed */
	WHY_LOCAL_POLICY = 21,     /* our target policy forbids the address */
	WHY_LOCAL_SLOTS = 22,      /* waited a whole interval for a free slot */
	WHY_LOCAL_CANCELLED = 23,  /* edited, paused or stopping while it ran */
	WHY_LOCAL_OTHER = 24,
	WHY_LOCAL_SIGHT = 25,      /* our own network is lost: no beacon answers */

	WHY_DNS_NXDOMAIN = 32,
	WHY_DNS_SERVFAIL = 33,
	WHY_DNS_REFUSED = 34,
	WHY_DNS_TIMEOUT = 35,      /* the asked server is the target (dns checks) */
	WHY_DNS_NODATA = 36,       /* NOERROR with no answer of that type */
	WHY_DNS_MALFORMED = 37,
	WHY_DNS_MISMATCH = 38,     /* not the expected answers */
	WHY_DNS_RCODE = 39,        /* not the expected rcode */
	WHY_DNS_LOOP = 40,         /* CNAME loop or chain too long */

	WHY_NET_TIMEOUT = 48,      /* connect got no answer */
	WHY_NET_REFUSED = 49,
	WHY_NET_RESET = 50,
	WHY_NET_HOST_UNREACHABLE = 51,
	WHY_NET_UNREACHABLE = 52,
	WHY_NET_TTL = 53,          /* TTL exceeded on the way */
	WHY_NET_CLOSED = 54,       /* closed before a complete answer */
	WHY_NET_OTHER = 55,

	WHY_TLS_HANDSHAKE = 64,
	WHY_TLS_EXPIRED = 65,
	WHY_TLS_NOT_YET = 66,
	WHY_TLS_SELF_SIGNED = 67,
	WHY_TLS_UNTRUSTED = 68,
	WHY_TLS_WRONG_HOST = 69,
	WHY_TLS_TIMEOUT = 70,
	WHY_TLS_EXPIRES_SOON = 71, /* degraded: below the expiry threshold */

	WHY_TIMEOUT = 80,          /* connected, but no complete answer in time */
	WHY_HTTP_STATUS = 81,
	WHY_HTTP_MALFORMED = 82,
	WHY_HTTP_REDIRECTS = 83,   /* more than allowed, or a loop */
	WHY_HTTP_HEADERS = 84,     /* headers larger than allowed */
	WHY_HTTP_BODY_LACKS = 85,
	WHY_HTTP_BODY_HAS = 86,    /* contains what it must not */
	WHY_HTTP_ENCODING = 87,    /* compressed body is broken or a bomb */
	WHY_TCP_EXPECT = 88,       /* the answer is not the expected one */
	WHY_PING_LOSS = 89,
	WHY_PING_SILENT = 90,      /* no reply at all */
	WHY_PUSH_MISSED = 91,      /* interval and grace are over */
	WHY_PUSH_LATE = 92,        /* interval is over, grace runs */
	WHY_PUSH_DOWN = 93,        /* the sender said status=down */
	WHY_SLOW = 94,             /* degraded: above the latency threshold */
	WHY_NMAX = 96
};

const char *why_name(enum why w);      /* "tls_expired", stable; "?" unknown */
const char *why_text(enum why w);      /* "the certificate has expired" */
enum why_layer why_layer(enum why w);
const char *why_layer_name(enum why_layer l);
bool why_known(int n);                 /* is this number one of the list */
/* Voids the sample: neither for nor against the target. */
bool why_is_local(enum why w);
/* The target answered, but not as well as it should: degraded. */
bool why_is_degraded(enum why w);
bool why_parse(struct str s, enum why *ret) MUST_USE;

#endif

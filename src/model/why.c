#include "model/why.h"

#include <stddef.h>

/* The numbers are in groups of sixteen, one group per layer. A hole in the
 * table is a number that nobody uses yet. */
#define LAYER_WIDTH 16

static const struct why_row {
	const char *name, *text;
} rows[] = {
	[WHY_OK] = {"ok", "answers as expected"},
	[WHY_PAUSED] = {"paused", "checking is paused"},
	[WHY_RESUMED] = {"resumed", "checking was resumed"},
	[WHY_MEMBER] = {"member", "the worst member decides"},
	[WHY_CREATED] = {"created", "the monitor was created"},
	[WHY_CONFIG] = {"config", "the configuration was changed"},
	[WHY_GAP] = {"gap", "vedette was not running"},
	[WHY_BLIND] = {"blind", "vedette itself cannot check at present"},
	[WHY_EMPTY_GROUP] = {"empty_group", "the group has no active member"},

	[WHY_LOCAL_FDS] = {"local_fds",
	    "vedette has no descriptors or memory left"},
	[WHY_LOCAL_RESOLVER] = {"local_resolver",
	    "vedette's resolver does not answer"},
	[WHY_LOCAL_ROUTE] = {"local_route",
	    "vedette has no route or address of this family"},
	[WHY_LOCAL_LATE] = {"local_late", "vedette was held up or suspended"},
	[WHY_LOCAL_PERMISSION] = {"local_permission",
	    "vedette is not allowed to send this"},
	[WHY_LOCAL_POLICY] = {"local_policy",
	    "the target policy forbids this address"},
	[WHY_LOCAL_SLOTS] = {"local_slots",
	    "no free slot for a whole interval"},
	[WHY_LOCAL_CANCELLED] = {"local_cancelled",
	    "the check was called off"},
	[WHY_LOCAL_OTHER] = {"local_other", "vedette could not check"},
	[WHY_LOCAL_SIGHT] = {"local_sight",
	    "vedette's own network is lost: no beacon answers"},

	[WHY_DNS_NXDOMAIN] = {"dns_nxdomain", "the name does not exist"},
	[WHY_DNS_SERVFAIL] = {"dns_servfail",
	    "the name server failed to answer"},
	[WHY_DNS_REFUSED] = {"dns_refused", "the name server refused"},
	[WHY_DNS_TIMEOUT] = {"dns_timeout", "the name server is silent"},
	[WHY_DNS_NODATA] = {"dns_nodata", "the name has no such record"},
	[WHY_DNS_MALFORMED] = {"dns_malformed",
	    "the name server's answer is malformed"},
	[WHY_DNS_MISMATCH] = {"dns_mismatch",
	    "the answers are not the expected ones"},
	[WHY_DNS_RCODE] = {"dns_rcode",
	    "the response code is not the expected one"},
	[WHY_DNS_LOOP] = {"dns_loop", "the aliases loop or are too many"},

	[WHY_NET_TIMEOUT] = {"net_timeout", "no answer to the connection"},
	[WHY_NET_REFUSED] = {"net_refused", "the connection was refused"},
	[WHY_NET_RESET] = {"net_reset", "the connection was reset"},
	[WHY_NET_HOST_UNREACHABLE] = {"net_host_unreachable",
	    "the host is unreachable"},
	[WHY_NET_UNREACHABLE] = {"net_unreachable",
	    "the network is unreachable"},
	[WHY_NET_TTL] = {"net_ttl", "the packet's time to live ran out"},
	[WHY_NET_CLOSED] = {"net_closed",
	    "the connection was closed before a complete answer"},
	[WHY_NET_OTHER] = {"net_other", "the connection failed"},

	[WHY_TLS_HANDSHAKE] = {"tls_handshake", "the TLS handshake failed"},
	[WHY_TLS_EXPIRED] = {"tls_expired", "the certificate has expired"},
	[WHY_TLS_NOT_YET] = {"tls_not_yet",
	    "the certificate is not valid yet"},
	[WHY_TLS_SELF_SIGNED] = {"tls_self_signed",
	    "the certificate is self-signed"},
	[WHY_TLS_UNTRUSTED] = {"tls_untrusted",
	    "the certificate is from an unknown issuer"},
	[WHY_TLS_WRONG_HOST] = {"tls_wrong_host",
	    "the certificate is for another host"},
	[WHY_TLS_TIMEOUT] = {"tls_timeout",
	    "the TLS handshake did not finish in time"},
	[WHY_TLS_EXPIRES_SOON] = {"tls_expires_soon",
	    "the certificate expires soon"},

	[WHY_TIMEOUT] = {"timeout", "no complete answer in time"},
	[WHY_HTTP_STATUS] = {"http_status", "the HTTP status is not expected"},
	[WHY_HTTP_MALFORMED] = {"http_malformed",
	    "the HTTP answer is malformed"},
	[WHY_HTTP_REDIRECTS] = {"http_redirects",
	    "the redirects loop or are too many"},
	[WHY_HTTP_HEADERS] = {"http_headers", "the headers are too large"},
	[WHY_HTTP_BODY_LACKS] = {"http_body_lacks",
	    "the body lacks the expected text"},
	[WHY_HTTP_BODY_HAS] = {"http_body_has",
	    "the body contains the forbidden text"},
	[WHY_HTTP_ENCODING] = {"http_encoding",
	    "the compressed body is broken or too large"},
	[WHY_TCP_EXPECT] = {"tcp_expect", "the answer is not the expected one"},
	[WHY_PING_LOSS] = {"ping_loss", "too many packets were lost"},
	[WHY_PING_SILENT] = {"ping_silent", "no reply at all"},
	[WHY_PUSH_MISSED] = {"push_missed", "the heartbeat is missing"},
	[WHY_PUSH_LATE] = {"push_late", "the heartbeat is overdue"},
	[WHY_PUSH_DOWN] = {"push_down", "the sender reported a failure"},
	[WHY_SLOW] = {"slow", "the answer is slower than it should be"},
};
_Static_assert(COUNT(rows) <= WHY_NMAX, "rows end within the numbers");

static const char *const layer_names[] = {
	[LAYER_NONE] = "none", [LAYER_LOCAL] = "local", [LAYER_DNS] = "dns",
	[LAYER_NET] = "net", [LAYER_TLS] = "tls", [LAYER_APP] = "app",
};
_Static_assert(COUNT(layer_names) == LAYER_NMAX, "one name per layer");
_Static_assert(WHY_NMAX == LAYER_NMAX * LAYER_WIDTH, "one group per layer");

bool
why_known(int n)
{
	return n >= 0 && (size_t)n < COUNT(rows) && rows[n].name != NULL;
}

const char *
why_name(enum why w)
{
	return why_known((int)w) ? rows[w].name : "?";
}

const char *
why_text(enum why w)
{
	return why_known((int)w) ? rows[w].text : "?";
}

enum why_layer
why_layer(enum why w)
{
	return (unsigned)w < WHY_NMAX
	    ? (enum why_layer)((unsigned)w / LAYER_WIDTH) : LAYER_NONE;
}

const char *
why_layer_name(enum why_layer l)
{
	return (unsigned)l < COUNT(layer_names) ? layer_names[l] : "?";
}

bool
why_is_local(enum why w)
{
	return why_layer(w) == LAYER_LOCAL;
}

bool
why_is_degraded(enum why w)
{
	return w == WHY_SLOW || w == WHY_TLS_EXPIRES_SOON;
}

bool
why_parse(struct str s, enum why *ret)
{
	for (unsigned i = 0; i < COUNT(rows); i++) {
		if (rows[i].name != NULL && str_is(s, rows[i].name)) {
			*ret = (enum why)i;
			return true;
		}
	}
	return false;
}

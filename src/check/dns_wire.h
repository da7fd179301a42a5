/* dns_wire.h: DNS queries out, answers in; names are expanded by c-ares.
 * Pure: no socket, no clock. Every answer is one line of text in the form of
 * a zone file: "192.0.2.1", "10 mail.example.org", "0 issue \"ca.example\"";
 * names come without their last dot, the root as ".". */
#ifndef CHECK_DNS_WIRE_H
#define CHECK_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/sample.h"

#define DNS_RECORDS_MAX 512    /* in the answer section */
#define DNS_CHAIN_MAX   16     /* CNAMEs followed */
#define DNS_TEXT_MAX    4096   /* bytes of one answer's text */
#define DNS_QUERY_MAX   512
#define DNS_UDP_MAX     4096
#define DNS_TCP_MAX     65535

enum dns_type {
	DNS_A, DNS_AAAA, DNS_CNAME, DNS_MX, DNS_NS, DNS_TXT, DNS_SOA, DNS_SRV,
	DNS_PTR, DNS_CAA, DNS_NTYPES
};
extern const char *const dns_wire_types[];   /* "A" …; NULL-terminated */
const char *dns_wire_rcode(unsigned rcode);  /* "NXDOMAIN"; "RCODE 17" unknown:
					      * static, valid for ever */

struct dns_query {
	uint16_t id;
	enum dns_type type;
	size_t n;
	uint8_t p[DNS_QUERY_MAX];
};
/* PTR takes an IP address too and asks for its reverse name. */
enum err dns_wire_query(const char *name, enum dns_type type, uint16_t id,
    struct dns_query *ret, struct errinfo *ei) MUST_USE;

enum dns_found {
	DNS_FOUND_ANSWER,      /* an answer to this query; may be empty */
	DNS_FOUND_FOREIGN,     /* not an answer to this query: go on waiting */
	DNS_FOUND_MALFORMED,
	DNS_FOUND_LOOP         /* CNAMEs run in a circle or too far */
};

struct dns_answer {
	enum dns_found found;
	uint8_t rcode;
	bool truncated;
	bool authoritative;
	char **v;              /* texts of the asked type at the chain's end */
	size_t n;
	char **chain;          /* the CNAMEs on the way */
	size_t nchain;
	char reason[REASON_MAX];   /* foreign, malformed, loop: what is wrong */
};
/* *ret is filled whatever comes; release it with dns_wire_free. */
void dns_wire_parse(const struct dns_query *q, const uint8_t *p, size_t n,
    struct dns_answer *ret);
void dns_wire_free(struct dns_answer *a);

#endif

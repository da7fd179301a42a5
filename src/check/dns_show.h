/* dns_show.h: what a dns check found, as evidence and for "vedette probe". */
#ifndef CHECK_DNS_SHOW_H
#define CHECK_DNS_SHOW_H

#include <stdbool.h>

#include "check/dns_server.h"
#include "check/dns_wire.h"

struct dns_show {
	const struct dns_server *server;
	bool tcp;
	enum dns_type type;
	unsigned foreign;                 /* answers passed over */
	const char *foreign_reason;
	const struct dns_answer *found;   /* NULL: none came */
};
/* JSON object; NULL when it would be too large. Caller frees with xfree; found
 * is there. */
char *dns_show_evidence(const struct dns_show *s) MUST_USE;
/* One "name: value" a line; the same otherwise. */
char *dns_show_details(const struct dns_show *s) MUST_USE;

#endif

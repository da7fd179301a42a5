/* DNS answers as they come from the network. The first byte chooses the record
 * type; id and question are made to fit, so that the records are reached.
 * Invariants: counts are bounded, texts are whole strings without control
 * characters and within their bound, a chain never names the same twice, and
 * the judge has an opinion with words for everything that is not fine. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "check/dns_judge.h"
#include "check/dns_server.h"
#include "check/dns_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
texts_check(char *const *v, size_t n, size_t max)
{
	assert(n <= max);
	for (size_t i = 0; i < n; i++) {
		assert(v[i] != NULL);
		assert(strlen(v[i]) <= DNS_TEXT_MAX);
		for (const char *s = v[i]; *s != '\0'; s++)
			assert((unsigned char)*s >= 0x20 && *s != 0x7f);
	}
}

static void
answer_check(const struct dns_query *q, const struct dns_answer *a)
{
	struct dns_want w = {.type = q->type};
	char reason[REASON_MAX];
	enum why why = dns_judge(&w, a, reason, sizeof(reason));

	texts_check(a->v, a->n, DNS_RECORDS_MAX);
	texts_check(a->chain, a->nchain, DNS_CHAIN_MAX);
	for (size_t i = 0; i < a->nchain; i++) {
		for (size_t k = 0; k < i; k++)
			assert(strcasecmp(a->chain[i], a->chain[k]) != 0);
	}
	assert((why == WHY_OK) == (reason[0] == '\0'));
	assert(!why_is_local(why));
	if (a->found != DNS_FOUND_ANSWER)
		assert(a->reason[0] != '\0' && why != WHY_OK);
	else if (why == WHY_OK)
		assert(a->n > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query q;
	struct dns_answer a;
	struct dns_server server;
	uint8_t *p;
	size_t n;

	if (size == 0 || size > DNS_TCP_MAX)
		return 0;
	if (dns_server_parse((struct str){(const char *)data, size}, &server))
		assert(server.port != 0 && server.host[0] != '\0');
	if (dns_wire_query("x.test", data[0] % DNS_NTYPES, 0x1234, &q, NULL) !=
	    ERR_OK)
		abort();
	n = size - 1;
	p = malloc(n > 0 ? n : 1);   /* exactly these bytes */
	if (p == NULL)
		return 0;
	memcpy(p, data + 1, n);
	if ((data[0] & 0x80) == 0 && n >= q.n) {
		p[0] = 0x12;
		p[1] = 0x34;
		p[2] = (uint8_t)((p[2] | 0x80) & ~0x78);
		p[4] = 0;
		p[5] = 1;
		memcpy(p + 12, q.p + 12, q.n - 12);
	}
	dns_wire_parse(&q, p, n, &a);
	answer_check(&q, &a);
	dns_wire_free(&a);
	free(p);
	return 0;
}

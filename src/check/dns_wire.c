/* dns_wire.c: one walk over the answer section collects the records; then the
 * CNAME chain is followed from the asked name, and the records at its end
 * become text. c-ares expands names (compression, its loops and bounds) and
 * writes the query; its ares_parse_* do not compare the owners of records and
 * hide the chain, so the few fixed fields around the names are read here. */
#include "check/dns_wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <ares.h>

#include "base/attr.h"
#include "base/mem.h"

#define HEADER   12
#define CLASS_IN 1

const char *const dns_wire_types[] = {
	[DNS_A] = "A", [DNS_AAAA] = "AAAA", [DNS_CNAME] = "CNAME",
	[DNS_MX] = "MX", [DNS_NS] = "NS", [DNS_TXT] = "TXT",
	[DNS_SOA] = "SOA", [DNS_SRV] = "SRV", [DNS_PTR] = "PTR",
	[DNS_CAA] = "CAA", [DNS_NTYPES] = NULL,
};

static const uint16_t codes[] = {
	[DNS_A] = 1, [DNS_AAAA] = 28, [DNS_CNAME] = 5, [DNS_MX] = 15,
	[DNS_NS] = 2, [DNS_TXT] = 16, [DNS_SOA] = 6, [DNS_SRV] = 33,
	[DNS_PTR] = 12, [DNS_CAA] = 257,
};
_Static_assert(COUNT(codes) == DNS_NTYPES, "one code per type");

const char *
dns_wire_rcode(unsigned rcode)
{
	static const char *const names[16] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
		"NOTZONE", "RCODE 11", "RCODE 12", "RCODE 13", "RCODE 14",
		"RCODE 15",
	};

	return rcode < COUNT(names) ? names[rcode] : "an unknown rcode";
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* -- query ---------------------------------------------------------------- */

static void
reverse4(const struct in_addr *a, struct buf *b)
{
	uint32_t v = ntohl(a->s_addr);

	buf_addf(b, "%u.%u.%u.%u.in-addr.arpa", v & 0xff, v >> 8 & 0xff,
	    v >> 16 & 0xff, v >> 24);
}

static void
reverse6(const struct in6_addr *a, struct buf *b)
{
	for (int i = 15; i >= 0; i--)
		buf_addf(b, "%x.%x.", a->s6_addr[i] & 0x0fu,
		    a->s6_addr[i] >> 4u);
	buf_adds(b, "ip6.arpa");
}

enum err
dns_wire_query(const char *name, enum dns_type type, uint16_t id,
    struct dns_query *ret, struct errinfo *ei)
{
	BUF_AUTO(reverse, 80);
	struct in6_addr a6;
	struct in_addr a4;
	unsigned char *p = NULL;
	int n = 0;
	int e;

	assert(type < DNS_NTYPES);
	if (type == DNS_PTR && inet_pton(AF_INET, name, &a4) == 1)
		reverse4(&a4, &reverse);
	else if (type == DNS_PTR && inet_pton(AF_INET6, name, &a6) == 1)
		reverse6(&a6, &reverse);
	if (reverse.n > 0)
		name = reverse.p;
	e = ares_create_query(name, CLASS_IN, codes[type], id, 1, &p, &n, 0);
	if (e != ARES_SUCCESS || n <= 0 || (size_t)n > sizeof(ret->p)) {
		ares_free_string(p);
		return fail(ei, ERR_INVALID,
		    "no domain name (%s); allowed: labels of up to 63 bytes, "
		    "253 bytes in all",
		    e == ARES_SUCCESS ? "too long" : ares_strerror(e));
	}
	ret->id = id;
	ret->type = type;
	ret->n = (size_t)n;
	memcpy(ret->p, p, ret->n);
	ares_free_string(p);
	return ERR_OK;
}

/* -- reading -------------------------------------------------------------- */

struct msg {
	const uint8_t *p;
	size_t n;
	size_t at;        /* next byte to read */
};

struct rr {
	char *owner;      /* ares_free_string */
	uint16_t type, class;
	size_t at, n;     /* its data */
};

struct walk {
	struct msg m;
	struct rr rr[DNS_RECORDS_MAX];
	size_t n;
};

static void
answer_bad(struct dns_answer *a, enum dns_found found, const char *fmt, ...)
    FORMAT(3, 4);
static void
answer_bad(struct dns_answer *a, enum dns_found found, const char *fmt, ...)
{
	va_list ap;

	a->found = found;
	va_start(ap, fmt);
	(void)vsnprintf(a->reason, sizeof(a->reason), fmt, ap);
	va_end(ap);
}

/* The name at m->at, which must end before end; NULL: malformed. Names of
 * rdata may point back into the message but not lie outside their data. */
static char *
name_read(struct msg *m, size_t end)
{
	char *s = NULL;
	long used = 0;

	if (m->at >= end || end > m->n)
		return NULL;
	if (ares_expand_name(m->p + m->at, m->p, (int)m->n, &s, &used) !=
	    ARES_SUCCESS)
		return NULL;
	if (used <= 0 || (size_t)used > end - m->at) {
		ares_free_string(s);
		return NULL;
	}
	m->at += (size_t)used;
	return s;
}

/* The same appended as text; the root is ".". */
static bool
name_add(struct msg *m, size_t end, struct buf *out)
{
	char *s = name_read(m, end);

	if (s == NULL)
		return false;
	buf_adds(out, s[0] != '\0' ? s : ".");
	ares_free_string(s);
	return true;
}

static bool
rr_read(struct msg *m, struct rr *ret)
{
	struct rr r = {.owner = name_read(m, m->n)};

	if (r.owner == NULL)
		return false;
	if (m->n - m->at < 10 ||
	    m->n - m->at - 10 < get16(m->p + m->at + 8)) {
		ares_free_string(r.owner);
		return false;
	}
	r.type = get16(m->p + m->at);
	r.class = get16(m->p + m->at + 2);
	r.n = get16(m->p + m->at + 8);
	r.at = m->at + 10;
	m->at = r.at + r.n;
	*ret = r;
	return true;
}

/* Control characters as \DDD; anything else as it came. */
static void
bytes_add(struct buf *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			buf_addf(out, "\\%03u", p[i]);
		else
			buf_addc(out, (char)p[i]);
	}
}

static bool
address_add(const uint8_t *p, size_t n, int family, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (n != (family == AF_INET ? 4u : 16u))
		return false;
	if (inet_ntop(family, p, text, sizeof(text)) == NULL)
		return false;
	buf_adds(out, text);
	return true;
}

static bool
txt_add(const uint8_t *p, size_t n, struct buf *out)
{
	if (n == 0)
		return false;
	while (n > 0) {
		size_t len = p[0];

		if (len > n - 1)
			return false;
		bytes_add(out, p + 1, len);
		p += 1 + len;
		n -= 1 + len;
	}
	return true;
}

static bool
caa_add(const uint8_t *p, size_t n, struct buf *out)
{
	size_t tag;

	if (n < 2 || p[1] == 0 || p[1] > n - 2)
		return false;
	tag = p[1];
	buf_addf(out, "%u ", p[0]);
	bytes_add(out, p + 2, tag);
	buf_adds(out, " \"");
	bytes_add(out, p + 2 + tag, n - 2 - tag);
	buf_addc(out, '"');
	return true;
}

static bool
soa_add(struct msg *m, size_t end, struct buf *out)
{
	if (!name_add(m, end, out))
		return false;
	buf_addc(out, ' ');
	if (!name_add(m, end, out) || end - m->at != 20)
		return false;
	for (; m->at < end; m->at += 4)
		buf_addf(out, " %u", get32(m->p + m->at));
	return true;
}

/* Numbers of 16 bits, then a name: MX has one, SRV three, NS none. */
static bool
numbers_name_add(struct msg *m, size_t end, unsigned numbers, struct buf *out)
{
	if (end - m->at < (size_t)numbers * 2)
		return false;
	for (; numbers > 0; numbers--, m->at += 2)
		buf_addf(out, "%u ", get16(m->p + m->at));
	return name_add(m, end, out) && m->at == end;
}

static bool
rr_text(const struct msg *msg, const struct rr *r, enum dns_type type,
    struct buf *out)
{
	struct msg m = {.p = msg->p, .n = msg->n, .at = r->at};
	const uint8_t *p = msg->p + r->at;
	size_t end = r->at + r->n;

	switch (type) {
	case DNS_A:
		return address_add(p, r->n, AF_INET, out);
	case DNS_AAAA:
		return address_add(p, r->n, AF_INET6, out);
	case DNS_CNAME:
	case DNS_NS:
	case DNS_PTR:
		return numbers_name_add(&m, end, 0, out);
	case DNS_MX:
		return numbers_name_add(&m, end, 1, out);
	case DNS_SRV:
		return numbers_name_add(&m, end, 3, out);
	case DNS_TXT:
		return txt_add(p, r->n, out);
	case DNS_SOA:
		return soa_add(&m, end, out);
	case DNS_CAA:
		return caa_add(p, r->n, out);
	case DNS_NTYPES:
		break;
	}
	return false;
}

/* -- the answer ----------------------------------------------------------- */

/* Header and question: is this the answer to q? Leaves m behind the question
 * and *ret_q with the asked name (ares_free_string). */
static bool
question_is_ours(const struct dns_query *q, struct msg *m, char **ret_q,
    struct dns_answer *a)
{
	struct msg ours = {.p = q->p, .n = q->n, .at = HEADER};
	char *asked = name_read(&ours, ours.n);
	char *named;
	bool same;

	assert(asked != NULL);
	*ret_q = asked;
	if (get16(m->p + 4) == 0 && a->rcode != 0) {
		m->at = HEADER;
		return true;   /* an error may leave the question out */
	}
	if (get16(m->p + 4) != 1) {
		answer_bad(a, DNS_FOUND_MALFORMED, "%u questions, not one",
		    get16(m->p + 4));
		return false;
	}
	m->at = HEADER;
	named = name_read(m, m->n);
	if (named == NULL || m->n - m->at < 4) {
		ares_free_string(named);
		answer_bad(a, DNS_FOUND_MALFORMED, "broken question");
		return false;
	}
	same = strcasecmp(named, asked) == 0 &&
	    memcmp(m->p + m->at, q->p + ours.at, 4) == 0;
	ares_free_string(named);
	m->at += 4;
	if (!same)
		answer_bad(a, DNS_FOUND_FOREIGN, "for another question");
	return same;
}

static bool
records_read(struct walk *w, struct dns_answer *a)
{
	unsigned count = get16(w->m.p + 6);

	if (count > DNS_RECORDS_MAX) {
		answer_bad(a, DNS_FOUND_MALFORMED,
		    "%u records; at most %u are read", count, DNS_RECORDS_MAX);
		return false;
	}
	for (; w->n < count; w->n++) {
		if (rr_read(&w->m, &w->rr[w->n]))
			continue;
		if (a->truncated)
			break;   /* cut in the middle of a record */
		answer_bad(a, DNS_FOUND_MALFORMED, "record %zu of %u is broken",
		    w->n + 1, count);
		return false;
	}
	return true;
}

static const struct rr *
rr_find(const struct walk *w, const char *owner, enum dns_type type)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct rr *r = &w->rr[i];

		if (r->type == codes[type] && r->class == CLASS_IN &&
		    strcasecmp(r->owner, owner) == 0)
			return r;
	}
	return NULL;
}

/* Follow CNAMEs from name. The result is borrowed from a->chain or name. */
static const char *
chain_follow(const struct walk *w, const char *name, struct dns_answer *a)
{
	const struct rr *r;
	const char *at = name;

	a->chain = xcalloc(DNS_CHAIN_MAX, sizeof(*a->chain));
	while ((r = rr_find(w, at, DNS_CNAME)) != NULL) {
		BUF_AUTO(next, DNS_TEXT_MAX);

		if (!rr_text(&w->m, r, DNS_CNAME, &next) || !buf_ok(&next)) {
			answer_bad(a, DNS_FOUND_MALFORMED, "broken CNAME");
			return NULL;
		}
		for (size_t i = 0; i < a->nchain; i++) {
			if (strcasecmp(a->chain[i], next.p) != 0)
				continue;
			answer_bad(a, DNS_FOUND_LOOP,
			    "CNAMEs run in a circle of %zu", a->nchain - i);
			return NULL;
		}
		if (strcasecmp(name, next.p) == 0 ||
		    a->nchain == DNS_CHAIN_MAX) {
			answer_bad(a, DNS_FOUND_LOOP,
			    "CNAMEs run %s", a->nchain == DNS_CHAIN_MAX ?
				"too far" : "back to the asked name");
			return NULL;
		}
		a->chain[a->nchain++] = buf_take(&next);
		at = a->chain[a->nchain - 1];
	}
	return at;
}

static void
texts_read(const struct walk *w, const struct dns_query *q, const char *owner,
    struct dns_answer *a)
{
	a->v = xcalloc(w->n + 1, sizeof(*a->v));
	for (size_t i = 0; i < w->n; i++) {
		const struct rr *r = &w->rr[i];
		BUF_AUTO(text, DNS_TEXT_MAX);

		if (r->type != codes[q->type] || r->class != CLASS_IN ||
		    strcasecmp(r->owner, owner) != 0)
			continue;
		if (!rr_text(&w->m, r, q->type, &text)) {
			answer_bad(a, DNS_FOUND_MALFORMED,
			    "broken %s record", dns_wire_types[q->type]);
			return;
		}
		if (!buf_ok(&text)) {
			answer_bad(a, DNS_FOUND_MALFORMED,
			    "an answer is larger than %u bytes", DNS_TEXT_MAX);
			return;
		}
		a->v[a->n++] = buf_take(&text);
	}
}

void
dns_wire_parse(const struct dns_query *q, const uint8_t *p, size_t n,
    struct dns_answer *ret)
{
	struct walk *w CLEANUP(xfreep) = xcalloc(1, sizeof(*w));
	const char *owner;
	char *name = NULL;

	memset(ret, 0, sizeof(*ret));
	w->m = (struct msg){.p = p, .n = MIN(n, (size_t)DNS_TCP_MAX)};
	if (n < HEADER) {
		answer_bad(ret, n >= 2 && get16(p) == q->id ?
			DNS_FOUND_MALFORMED : DNS_FOUND_FOREIGN,
		    "%zu bytes are no answer", n);
		return;
	}
	if (get16(p) != q->id || (p[2] & 0x80) == 0 || (p[2] & 0x78) != 0) {
		answer_bad(ret, DNS_FOUND_FOREIGN,
		    get16(p) != q->id ? "wrong id" : "no answer to a query");
		return;
	}
	ret->rcode = p[3] & 0x0f;
	ret->truncated = (p[2] & 0x02) != 0;
	ret->authoritative = (p[2] & 0x04) != 0;
	ret->found = DNS_FOUND_ANSWER;
	if (question_is_ours(q, &w->m, &name, ret) && records_read(w, ret)) {
		owner = q->type == DNS_CNAME ? name :
					       chain_follow(w, name, ret);
		if (owner != NULL)
			texts_read(w, q, owner, ret);
	}
	for (size_t i = 0; i < w->n; i++)
		ares_free_string(w->rr[i].owner);
	ares_free_string(name);
}

void
dns_wire_free(struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		xfree(a->v[i]);
	for (size_t i = 0; i < a->nchain; i++)
		xfree(a->chain[i]);
	xfree(a->v);
	xfree(a->chain);
	a->v = a->chain = NULL;
	a->n = a->nchain = 0;
}

/* dns_judge.c: rcode first, then emptiness, then the expected answers. */
#include "check/dns_judge.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/text.h"

#define SHOW_MAX 96   /* bytes of one foreign answer in a reason */

const char *const dns_judge_matches[] = {
	[DNS_MATCH_ALL] = "all", [DNS_MATCH_ANY] = "any",
	[DNS_MATCH_EXACT] = "exact", [DNS_NMATCHES] = NULL,
};
const char *const dns_judge_rcodes[] = {
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", NULL,
};

static int
family_of(enum dns_type type)
{
	return type == DNS_A ? AF_INET : type == DNS_AAAA ? AF_INET6 : 0;
}

enum err
dns_judge_check(enum dns_type type, const char *text, struct errinfo *ei)
{
	int family = family_of(type);
	struct in6_addr a;

	if (text[0] == '\0')
		return fail_at(ei, ERR_INVALID, "expect.answers", 0,
		    "an answer is empty");
	if (family != 0 && inet_pton(family, text, &a) != 1)
		return fail_at(ei, ERR_INVALID, "expect.answers", 0,
		    "\"%s\" is no answer of type %s; allowed: %s", text,
		    dns_wire_types[type], family == AF_INET ?
			"IPv4 addresses" : "IPv6 addresses");
	return ERR_OK;
}

static bool
same_address(int family, const char *a, const char *b)
{
	struct in6_addr x = {0}, y = {0};

	return inet_pton(family, a, &x) == 1 && inet_pton(family, b, &y) == 1 &&
	    memcmp(&x, &y, sizeof(x)) == 0;
}

/* Without the dot that ends a full name; the root keeps its own. */
static size_t
name_len(const char *s)
{
	size_t n = strlen(s);

	return n > 1 && s[n - 1] == '.' && s[n - 2] != ' ' ? n - 1 : n;
}

bool
dns_judge_same(enum dns_type type, const char *a, const char *b)
{
	size_t na, nb;

	if (family_of(type) != 0)
		return same_address(family_of(type), a, b);
	if (type == DNS_TXT || type == DNS_CAA)
		return strcmp(a, b) == 0;
	na = name_len(a);
	nb = name_len(b);
	return na == nb && strncasecmp(a, b, na) == 0;
}

static bool
has(enum dns_type type, char *const *v, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (dns_judge_same(type, v[i], text))
			return true;
	}
	return false;
}

static enum why
judge_rcode(const struct dns_want *w, const struct dns_answer *a, char *reason,
    size_t size)
{
	(void)snprintf(reason, size, "the server says %s, want %s",
	    dns_wire_rcode(a->rcode), dns_wire_rcode(w->rcode));
	if (w->rcode != 0)
		return WHY_DNS_RCODE;
	switch (a->rcode) {
	case 2:
		return WHY_DNS_SERVFAIL;
	case 3:
		return WHY_DNS_NXDOMAIN;
	case 5:
		return WHY_DNS_REFUSED;
	default:
		return WHY_DNS_RCODE;
	}
}

static void
say_lacks(const struct dns_want *w, const struct dns_answer *a,
    const char *lacks, char *reason, size_t size)
{
	char got[SHOW_MAX], want[SHOW_MAX];

	text_copy(got, sizeof(got), str_of(a->n > 0 ? a->v[0] : "nothing"));
	text_copy(want, sizeof(want), str_of(lacks));
	(void)snprintf(reason, size, "got %s%s, want %s%s", got,
	    a->n > 1 ? " and others" : "",
	    w->match == DNS_MATCH_ANY && w->answers->n > 1 ? "any of " : "",
	    want);
}

static enum why
judge_answers(const struct dns_want *w, const struct dns_answer *a,
    char *reason, size_t size)
{
	const char *lacks = NULL;
	size_t found = 0;

	for (size_t i = 0; i < w->answers->n; i++) {
		if (has(w->type, a->v, a->n, w->answers->v[i]))
			found++;
		else if (lacks == NULL)
			lacks = w->answers->v[i];
	}
	if (lacks != NULL && (w->match != DNS_MATCH_ANY || found == 0)) {
		say_lacks(w, a, lacks, reason, size);
		return WHY_DNS_MISMATCH;
	}
	for (size_t i = 0; w->match == DNS_MATCH_EXACT && i < a->n; i++) {
		char got[SHOW_MAX];

		if (has(w->type, w->answers->v, w->answers->n, a->v[i]))
			continue;
		text_copy(got, sizeof(got), str_of(a->v[i]));
		(void)snprintf(reason, size, "got %s, which is not expected",
		    got);
		return WHY_DNS_MISMATCH;
	}
	return WHY_OK;
}

enum why
dns_judge(const struct dns_want *w, const struct dns_answer *a, char *reason,
    size_t size)
{
	reason[0] = '\0';
	switch (a->found) {
	case DNS_FOUND_FOREIGN:
	case DNS_FOUND_MALFORMED:
		(void)snprintf(reason, size, "malformed answer: %s", a->reason);
		return WHY_DNS_MALFORMED;
	case DNS_FOUND_LOOP:
		(void)snprintf(reason, size, "%s", a->reason);
		return WHY_DNS_LOOP;
	case DNS_FOUND_ANSWER:
		break;
	}
	if (a->rcode != w->rcode)
		return judge_rcode(w, a, reason, size);
	if (w->answers != NULL && w->answers->n > 0 &&
	    !(a->n == 0 && w->allow_empty))
		return judge_answers(w, a, reason, size);
	if (a->n == 0 && a->rcode == 0 && !w->allow_empty) {
		(void)snprintf(reason, size, "NOERROR, but no %s record%s",
		    dns_wire_types[w->type],
		    a->truncated ? " (the answer was cut short)" : "");
		return WHY_DNS_NODATA;
	}
	return WHY_OK;
}

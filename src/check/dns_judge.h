/* dns_judge.h: is this answer the expected one? Pure. */
#ifndef CHECK_DNS_JUDGE_H
#define CHECK_DNS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "check/dns_wire.h"
#include "conf/opt.h"
#include "model/why.h"

enum dns_match { DNS_MATCH_ALL, DNS_MATCH_ANY, DNS_MATCH_EXACT, DNS_NMATCHES };
extern const char *const dns_judge_matches[];   /* "all" …; NULL-terminated */
extern const char *const dns_judge_rcodes[];    /* index is the rcode */

struct dns_want {
	enum dns_type type;
	uint32_t rcode;
	uint32_t match;                /* enum dns_match */
	const struct strings *answers; /* none: any answer will do */
	bool allow_empty;
};

/* Can text be an answer of this type at all? */
enum err dns_judge_check(enum dns_type type, const char *text,
    struct errinfo *ei) MUST_USE;
/* Names compare without regard to case, addresses by value, text exactly. */
bool dns_judge_same(enum dns_type type, const char *a, const char *b);
enum why dns_judge(const struct dns_want *w, const struct dns_answer *a,
    char *reason, size_t size);

#endif

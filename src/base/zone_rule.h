/* zone_rule.h: the rule at the end of a TZif file, as in POSIX's TZ variable:
 * "CET-1CEST,M3.5.0,M10.5.0/3". Pure; for zone.c only. */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include "base/zone.h"

struct zone_type {
	int32_t offset_s;
	bool dst;
	char abbr[ZONE_ABBR];
};

/* When in a year. */
struct zone_when {
	enum { WHEN_JULIAN, WHEN_DAY, WHEN_WEEK } kind;
	unsigned month, week, day;
	int32_t second;           /* local, may lie outside the day */
};

struct zone_rule {
	struct zone_type std, dst;
	bool has_dst;
	struct zone_when start, end;   /* of daylight saving time */
};

/* False: not such a rule. */
bool zone_rule_parse(struct str s, struct zone_rule *ret) MUST_USE;
/* When that is in a year, in local seconds since 1970. */
int64_t zone_rule_local(const struct zone_when *w, int64_t year);

#endif

/* health_rules.c: one row a rule. To add one: a fact, and a row. Limits are of
 * what vedette promises: a heartbeat is durable within a quarter of a second
 * or goes elsewhere, the WAL has a hard mark of 64 MiB, a reader is there when
 * somebody asks. */
#include "store/health.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define MIB 1048576.0
#define TEXT(field) offsetof(struct health_facts, field)
#define FACT(field) offsetof(struct health_facts, field)
#define NO_TEXT SIZE_MAX

const char *const health_names[HEALTH_NMAX] = {
	[HEALTH_UNKNOWN] = "unknown", [HEALTH_HEALTHY] = "healthy",
	[HEALTH_DEGRADED] = "degraded", [HEALTH_UNHEALTHY] = "unhealthy",
};

/* A value at a limit is over it. low: the less the worse. */
struct health_rule {
	const char *name, *unit;
	size_t fact, text;
	double degraded, unhealthy;
	bool low;
};

static const struct health_rule rules[] = {
	{"commit_age", "s", FACT(commit_age_s), TEXT(writing), 10, 15},
	{"write_lock", "s", FACT(probe_s), TEXT(writing), 1, 3},
	{"page_read", "s", FACT(read_s), TEXT(reading), 0.25, 1},
	{"readers_busy", "ratio", FACT(readers_busy), NO_TEXT, 0.8, NAN},
	{"queue_wait_p95", "s", FACT(queue_wait_s), NO_TEXT, 2, 10},
	{"commit_p95", "s", FACT(commit_s), NO_TEXT, 0.25, 2.5},
	{"fast_p95", "s", FACT(statement_s[PACE_FAST]), NO_TEXT, 0.1, 1},
	{"normal_p95", "s", FACT(statement_s[PACE_NORMAL]), NO_TEXT, 0.5, 5},
	{"slow_p95", "s", FACT(statement_s[PACE_SLOW]), NO_TEXT, 5, 30},
	{"wal", "bytes", FACT(wal_bytes), NO_TEXT, 32 * MIB, 64 * MIB},
	{"checkpoint", "failed in a row", FACT(stuck_checkpoints),
	    TEXT(checkpoint), 3, NAN},
	{"journal", "bytes", FACT(journal_bytes), NO_TEXT, 1, NAN},
	{"quarantine", "units", FACT(quarantined), NO_TEXT, 1, NAN},
	/* What is little depends on the disk and on the budget: budget.h. */
	{"free_disk", "bytes", FACT(free_bytes), NO_TEXT, NAN, NAN,
	    .low = true},
	{"room", "pressure", FACT(pressure), TEXT(room), PRESSURE_WARN,
	    PRESSURE_REFUSE},
	{"quick_check", "findings", FACT(findings), NO_TEXT, NAN, 1},
	{"damaged", "rows", FACT(damaged), NO_TEXT, 1, NAN},
	{"turn", "s", FACT(turn_age_s), NO_TEXT, 12, 20},
};
_Static_assert(COUNT(rules) <= HEALTH_RULES, "room for every rule");

static bool
over(const struct health_rule *r, double value, double limit)
{
	if (isnan(limit))
		return false;
	return r->low ? value < limit : value >= limit;
}

static void
judge_one(const struct health_rule *r, const struct health_facts *f,
    struct health_result *ret)
{
	const char *at = (const char *)f;
	double value;

	memcpy(&value, at + r->fact, sizeof(value));
	*ret = (struct health_result){.name = r->name, .unit = r->unit,
	    .value = value, .degraded = r->degraded,
	    .unhealthy = r->unhealthy};
	if (isnan(value))
		snprintf(ret->text, sizeof(ret->text), "not enough data");
	else if (over(r, value, r->unhealthy))
		ret->level = HEALTH_UNHEALTHY;
	else if (over(r, value, r->degraded))
		ret->level = HEALTH_DEGRADED;
	else
		ret->level = HEALTH_HEALTHY;
	if (r->text != NO_TEXT && at[r->text] != '\0')
		snprintf(ret->text, sizeof(ret->text), "%s", at + r->text);
}

void
health_judge(const struct health_facts *f, struct health_report *ret)
{
	ret->level = HEALTH_HEALTHY;
	ret->n = COUNT(rules);
	for (size_t i = 0; i < COUNT(rules); i++) {
		judge_one(&rules[i], f, &ret->v[i]);
		ret->level = MAX(ret->level, ret->v[i].level);
	}
}

void
health_stale(const struct health_facts *f, struct health_report *ret)
{
	struct health_result *last;

	if (ret->n == 0) {   /* there never was one */
		ret->n = 1;
		ret->level = HEALTH_HEALTHY;
	}
	last = &ret->v[ret->n - 1];
	judge_one(&rules[COUNT(rules) - 1], f, last);
	ret->level = MAX(ret->level, last->level);
}

double
health_part(const uint64_t *was, const uint64_t *is, double p)
{
	uint64_t n = 0, below = 0;
	double rank;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		n += is[i] - was[i];
	if (n < HEALTH_ENOUGH)
		return NAN;
	rank = ceil(p * (double)n);
	for (unsigned i = 0; i < HIST_BUCKETS - 1; i++) {
		uint64_t here = is[i] - was[i];
		double lo = i == 0 ? 0 : (double)hist_bounds_ns[i - 1];
		double hi = (double)hist_bounds_ns[i];

		if ((double)(below + here) >= rank)
			return (lo + (hi - lo) * (rank - (double)below) /
			    (double)here) / (double)NS_PER_S;
		below += here;
	}
	/* Above the last bound there is no telling: twice it. */
	return 2 * (double)hist_bounds_ns[HIST_BUCKETS - 2] / (double)NS_PER_S;
}

static json_t *
number(double v)
{
	return isnan(v) ? json_null() : v >= 1e6 ?
	    json_integer((json_int_t)v) : json_real(v);
}

json_t *
health_json(const struct health_report *r)
{
	json_t *list = json_array();
	char at[TIME_TEXT];

	for (unsigned i = 0; i < r->n; i++) {
		const struct health_result *x = &r->v[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "rule", x->name,
		    "level", health_names[x->level], "value",
		    number(x->value), "unit", x->unit, "degraded",
		    number(x->degraded), "unhealthy", number(x->unhealthy),
		    "text", x->text[0] != '\0' ? json_string(x->text) :
		    json_null()));
	}
	return json_pack("{s:s, s:o, s:f, s:o}", "level",
	    health_names[r->level], "at", r->turn != 0 ?
	    json_string(time_format_utc(r->at_us, at)) : json_null(),
	    "took_seconds", (double)r->took_ns / (double)NS_PER_S, "rules",
	    list);
}

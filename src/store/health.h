/* health.h: how the store does, as a list of rules with value and limit. A
 * thread looks every five seconds and when somebody asks for it now: commits
 * through the writer, reads a page through a connection of its own, takes the
 * last minute of every counter. What it saw is a snapshot that never changes;
 * whoever asks gets a copy at once, and who gives up harms nobody.
 *
 * When the level has changed for good, an event of kind "health" is queued:
 * that is what alerts are made of. */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"
#include "store/pace.h"
#include "store/store.h"

#define HEALTH_RULES    24   /* room for */
#define HEALTH_EVERY_NS (INT64_C(5) * 1000000000)   /* how old an answer is */

enum health_level {
	HEALTH_UNKNOWN,    /* of a rule: not enough data */
	HEALTH_HEALTHY,
	HEALTH_DEGRADED,
	HEALTH_UNHEALTHY,
	HEALTH_NMAX
};
extern const char *const health_names[HEALTH_NMAX];

struct health_result {
	const char *name, *unit;        /* static */
	enum health_level level;
	double value;                   /* NAN: there is none */
	double degraded, unhealthy;     /* limits; NAN: none */
	char text[160];                 /* "" or what more there is to say */
};

struct health_report {
	uint64_t turn;                  /* rising; 0: none yet */
	int64_t at_us, took_ns;
	enum health_level level;        /* the worst of those that know */
	unsigned n;
	struct health_result v[HEALTH_RULES];
};

/* -- health_rules.c: pure ----------------------------------------------- */

/* What there is to judge. NAN: not known. */
struct health_facts {
	double commit_age_s, probe_s, read_s;
	double readers_busy;            /* share of the pool, last minute */
	double queue_wait_s;            /* p95 beyond store.commit_delay */
	double commit_s, statement_s[PACE_NMAX];   /* p95, last minute */
	double wal_bytes, stuck_checkpoints, journal_bytes, quarantined;
	double free_bytes, pressure, findings, damaged, turn_age_s;
	/* "": fine */
	char writing[160], reading[160], checkpoint[160], room[160];
};
void health_judge(const struct health_facts *f, struct health_report *ret);
/* An old report with the rule "turn" judged anew by f->turn_age_s. */
void health_stale(const struct health_facts *f, struct health_report *ret);
/* The p-th part of what was added between two looks at a histogram, in
 * seconds, within its bucket by proportion; NAN below HEALTH_ENOUGH. */
#define HEALTH_ENOUGH 20
double health_part(const uint64_t *was, const uint64_t *is, double p);
json_t *health_json(const struct health_report *r) MUST_USE;

/* -- health.c ----------------------------------------------------------- */

/* The level and the rules that say so, in one line. */
void health_headline(const struct health_report *r, char *dst, size_t size);
struct health;
struct health *health_new(struct store *s) MUST_USE;
enum err health_start(struct health *h, struct errinfo *ei) MUST_USE;
/* True when its thread has ended by deadline_ns. */
bool health_stop(struct health *h, int64_t deadline_ns) MUST_USE;
void health_free(struct health *h);   /* stopped, or never started */

/* Any thread, at once: the last snapshot; when that is too old, the rule
 * "turn" says so. */
void health_look(struct store *s, struct health_report *ret);
/* Look now: a turn that begins after this call, shared by all who ask while it
 * runs, ends with done, on the health thread. False: it is stopped. */
bool health_ask(struct store *s, struct ack *a) MUST_USE;
/* What a check of the pages found, and when. Any thread. */
void health_checked(struct store *s, uint64_t findings);

#endif

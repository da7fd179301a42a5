/* audit_rule.h: between audit.c and the files of its longer rules. */
#ifndef STORE_AUDIT_RULE_H
#define STORE_AUDIT_RULE_H

#include "store/audit.h"

#define AUDIT_PAGE 100   /* rows read in one transaction */

struct audit {
	struct backend *db;
	const struct backend_turn *turn;   /* or NULL */
	struct audit_report *r;
	const char *rule;                  /* the one that runs */
	uint64_t at, all;                  /* rules: this one, all */
	bool maimed;                       /* tables are not what they were */
};

struct audit_span {
	uint32_t monitor;
	int64_t from_us, to_us;
};

/* fn returns an error only when it cannot go on. */
typedef enum err audit_fn(struct audit *a, struct errinfo *ei);

void audit_find(struct audit *a, struct audit_span where, const char *fmt,
    ...) FORMAT(3, 4);
/* Between two transactions. */
enum err audit_turn(struct audit *a, struct errinfo *ei) MUST_USE;
/* Begin a read transaction; end it whatever e is, and return e. */
enum err audit_begin(struct audit *a, struct errinfo *ei) MUST_USE;
enum err audit_end(struct audit *a, enum err e, struct errinfo *ei) MUST_USE;
/* The next monitor after *id that has rows in the table of st; ERR_NOT_FOUND:
 * none. One that nobody knows is a finding. */
enum err audit_owner(struct audit *a, enum stmt st, uint32_t *id,
    struct errinfo *ei) MUST_USE;

audit_fn audit_chunks, audit_tail, audit_turns, audit_rollups,
    audit_incidents;

#endif

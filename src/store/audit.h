/* audit.h: is what is stored what we would have stored? The database's own
 * checks and our invariants, each a row of one table in audit.c, over a
 * connection that only reads. Rules read in short transactions, so that a
 * running daemon can be asked too; only the database's own check is one long
 * statement. One thread at a time. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "store/backend.h"

#define AUDIT_FINDINGS 64   /* kept; all are counted */

struct finding {
	const char *rule;         /* its name; static */
	uint32_t monitor;         /* 0: of none */
	int64_t from_us, to_us;   /* wall clock, both included; 0: of none */
	char text[200];
};

struct audit_report {
	struct finding v[AUDIT_FINDINGS];
	size_t n;
	uint64_t total;           /* findings, also those not kept */
	uint64_t rules, samples, transitions;   /* looked at */
	bool older;               /* an older schema: only the database's own
				   * checks were made */
};

/* AUDIT_PAGES: without our invariants; AUDIT_QUICK: and without indexes. */
enum audit_depth { AUDIT_ALL, AUDIT_PAGES, AUDIT_QUICK };

/* ERR_OK: it was looked at, and ret says what was found. What cannot be read
 * because the database is damaged is a finding, not an error. turn may be
 * NULL; it is told the rules done and all. */
enum err audit_run(struct backend *b, enum audit_depth depth,
    const struct backend_turn *turn, struct audit_report *ret,
    struct errinfo *ei) MUST_USE;

#endif

/* applied.h: when maintenance applied, as rows: a row is one run of a window
 * and whom it covered, written when it begins (as long as it will be), cut
 * when the window changes, and kept as long as transitions. Uptime is
 * reckoned from these rows and never from windows, which may be changed. */
#ifndef STORE_APPLIED_H
#define STORE_APPLIED_H

#include "store/inside.h"
#include "store/readers.h"
#include "store/uptime.h"

/* -- reading: on a reader's thread --------------------------------------- */
struct applied_row {
	int64_t from_us, to_us;
	uint32_t monitor;          /* 0: see all, ids */
	bool all;
	uint32_t *ids;             /* sorted */
	size_t n;
};
struct applied {
	struct applied_row *v;     /* by from_us */
	size_t n;
};
void applied_free(struct applied *a);
/* What touches [from, to). */
enum err applied_load(struct reader *r, int64_t from_us, int64_t to_us,
    struct applied *ret, struct errinfo *ei) MUST_USE;
/* Of one monitor: sorted, not overlapping; the caller xfrees. */
size_t applied_of(const struct applied *a, uint32_t monitor,
    struct gap **ret);

/* -- the writer ----------------------------------------------------------- */
/* At open: windows and the effects of flexible ones. */
enum err applied_open(struct store *s, struct errinfo *ei) MUST_USE;
/* In the transaction of t: flexible windows that it begins. */
enum err applied_transition(struct store *s, const struct entry *en,
    const struct transition *t, struct errinfo *ei) MUST_USE;
/* After its commit. */
void applied_learn(struct store *s, const struct entry *en,
    const struct transition *t);
/* In the transaction that changes or deletes it. */
enum err applied_cut(struct store *s, const char *name, int64_t at_us,
    bool all, int64_t *ret_rows, struct errinfo *ei) MUST_USE;
/* A chore: runs that have begun get their rows. */
bool applied_due(const struct store *s, int64_t now_ns);
void applied_slice(struct store *s);
void applied_clear(struct store *s);

#endif

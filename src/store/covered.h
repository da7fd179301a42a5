/* covered.h: when maintenance applied to whom in the last ninety days, in
 * memory: the rows of applied.h, for the day bars of the view, which ask
 * without a database. Part of the view: changed by who has its write lock,
 * asked under its lock. */
#ifndef STORE_COVERED_H
#define STORE_COVERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/uptime.h"

/* Days of which rows are kept, and changes of status read at start. */
#define VIEW_HISTORY_US (92 * INT64_C(86400000000))
/* Rows of windows for many, and of each monitor's own: beyond, the oldest go,
 * and the oldest bars take that maintenance for ordinary time. */
#define COVERED_MAX     20000
#define COVERED_OWN_MAX 1000

struct covered;
struct covered *covered_new(void);
void covered_free(struct covered *c);   /* NULL is fine */

/* One row: a run of a window and whom it covered. */
struct cover {
	const char *name;            /* of the window */
	int64_t from_us, to_us;      /* to INT64_MAX: nobody knows */
	uint32_t monitor;            /* 0: see all, ids */
	bool all;
	const uint32_t *ids;         /* sorted; copied, and kept once however
				      * many rows have the same */
	size_t n;
};
/* A row that is there already changes nothing; those that end a history
 * before this one begins go. */
void covered_add(struct covered *c, const struct cover *row);
/* As applied_cut: rows of that window that go on end there; all: those of one
 * monitor, too. */
void covered_cut(struct covered *c, const char *name, int64_t at_us, bool all);
void covered_forget(struct covered *c, uint32_t monitor);   /* it is deleted */
/* When it was in maintenance within [from, to), not cut to it: sorted, not
 * overlapping; the caller xfrees. */
size_t covered_of(const struct covered *c, uint32_t monitor, int64_t from_us,
    int64_t to_us, struct gap **ret);

#endif

/* restore.h: a backup in the place of the store, all or nothing, while no
 * daemon runs (the caller has the lock file).
 *
 *   stage   FILE → STORE.new, brought up to date, audited, synced
 *   mark    STORE.restoring names where the old one goes   ← from here on it
 *   aside   STORE, its -wal and -shm, the journal              will be done
 *   swap    STORE.new → STORE
 *   done    the mark goes
 *
 * A crash before the mark leaves the old store and a file to be removed; after
 * it, restore_settle goes on where it was: each step can be done again. */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include "store/audit.h"
#include "store/disk.h"

/* The directory of the journal, beside the store. */
#define RESTORE_JOURNAL "journal"
/* -shm, -wal, the database, the journal. */
#define RESTORE_PARTS 4

enum settled { SETTLED_NOTHING, SETTLED_FINISHED, SETTLED_UNDONE };

struct restore {
	const char *store;          /* absolute, of the database */
	const char *file;           /* the backup */
	const char *vfs;            /* NULL; tests name their own */
	int64_t now_us;
	struct backend_turn turn;
	struct audit_report report; /* of the staged copy */
	char aside[DISK_PATH_MAX];  /* where the old store went; "" none */
};

/* Stage and verify; changes nothing but STORE.new. ERR_INVALID: FILE is no
 * sound backup; r->report has what was found. */
enum err restore_stage(struct restore *r, struct errinfo *ei) MUST_USE;
/* Mark and do the rest. */
enum err restore_swap(struct restore *r, struct errinfo *ei) MUST_USE;
/* Finish or undo what a crash interrupted. */
enum err restore_settle(const char *store, enum settled *ret,
    struct errinfo *ei);
/* What belongs to the store at this path and would go aside: the i-th name,
 * false after the last. Of those some may not be there. */
bool restore_part(const char *store, unsigned i, char dst[DISK_PATH_MAX]);

#endif

/* backup.h: a store as one file that can be put in its place again: copied as
 * of one moment, verified, synced and only then given its name. The store may
 * be written to meanwhile. Any thread; blocks. */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/audit.h"
#include "store/disk.h"

struct backup_ask {
	struct backend_conf from;
	const char *file;        /* absolute */
	bool force;              /* replace what is there */
	struct backend_turn turn;
};

/* ERR_CONFLICT: file is there. ERR_INVALID: the store did not pass; ret says
 * what was found, and no file was made. After any error the file is as it
 * was. */
enum err backup_make(const struct backup_ask *ask, struct audit_report *ret,
    struct errinfo *ei) MUST_USE;
/* Audit a file at rest, such as a backup. */
enum err backup_audit(const struct backend_conf *c, enum audit_depth depth,
    const struct backend_turn *turn, struct audit_report *ret,
    struct errinfo *ei) MUST_USE;
/* "it is not sound: N findings, the first: …": ERR_INVALID, or ERR_OK. */
enum err backup_verdict(const struct audit_report *r, const char *path,
    struct errinfo *ei) MUST_USE;

#endif

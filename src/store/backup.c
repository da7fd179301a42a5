#include "store/backup.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "store/restore.h"

#define PART ".part"

/* Not onto itself, by whatever name. */
static enum err
not_own(const struct backup_ask *ask, const char *file, struct errinfo *ei)
{
	char path[DISK_PATH_MAX];

	for (unsigned i = 0; restore_part(ask->from.path, i, path); i++) {
		size_t n = strlen(path);

		if (strcmp(path, file) == 0 || disk_same(path, file) ||
		    (strncmp(path, file, n) == 0 && file[n] == '/') ||
		    disk_in(file, path))
			return fail(ei, ERR_INVALID, "%s is the store itself,"
			    " or a part of it; name another file", file);
	}
	snprintf(path, sizeof(path), "%s.lock", ask->from.path);
	if (strcmp(path, file) == 0 || disk_same(path, file))
		return fail(ei, ERR_INVALID, "%s is the store's lock file;"
		    " name another file", file);
	return ERR_OK;
}

/* The copy is renamed to FILE, which would put a file in the place of whatever
 * is there: of a device too, for everybody on the machine. */
static enum err
target_check(const struct backup_ask *ask, const char *part,
    struct errinfo *ei)
{
	enum err e;

	if (ask->file[0] != '/')
		return fail(ei, ERR_INVALID, "the backup's path %.200s is not"
		    " absolute", ask->file);
	e = not_own(ask, ask->file, ei);
	if (e == ERR_OK)
		e = not_own(ask, part, ei);
	if (e != ERR_OK)
		return e;
	if (disk_there(ask->file) && !disk_plain(ask->file))
		return fail(ei, ERR_INVALID, "%s is no regular file (a"
		    " directory, device, pipe, socket or symbolic link); name"
		    " another file", ask->file);
	if (disk_there(part) && !disk_plain(part))
		return fail(ei, ERR_INVALID, "%s, under which the backup is"
		    " made, is no regular file; name another file", part);
	if (!ask->force && disk_there(ask->file))
		return fail(ei, ERR_CONFLICT, "%s is there already; name"
		    " another file, or replace it with --force", ask->file);
	return ERR_OK;
}

enum err
backup_verdict(const struct audit_report *r, const char *path,
    struct errinfo *ei)
{
	if (r->total == 0)
		return ERR_OK;
	return fail(ei, ERR_INVALID, "%s is not sound: %llu findings, the"
	    " first: %s: %s", path, (unsigned long long)r->total, r->v[0].rule,
	    r->v[0].text);
}

enum err
backup_audit(const struct backend_conf *c, enum audit_depth depth,
    const struct backend_turn *turn, struct audit_report *ret,
    struct errinfo *ei)
{
	struct backend_conf plain = *c;
	struct backend *b = NULL;
	enum err e;

	plain.reader = plain.plain = true;
	e = sqlite_ops.open(&plain, &b, ei);
	if (e == ERR_OK)
		e = audit_run(b, depth, turn, ret, ei);
	if (b != NULL)
		b->ops->close(b);
	return e;
}

static enum err
make_part(const struct backup_ask *ask, const char *part,
    struct audit_report *ret, struct errinfo *ei)
{
	struct backend_conf copy = {.path = part, .vfs = ask->from.vfs,
	    .stop = ask->from.stop};
	enum err e = disk_remove(part, ei);

	if (e == ERR_OK)
		e = disk_make(part, ei);
	if (e == ERR_OK)
		e = sqlite_ops.copy(&ask->from, part, &ask->turn, ei);
	if (e == ERR_OK && FAULT("backup.copied"))
		e = fail(ei, ERR_SYS, "fault after the copy");
	if (e == ERR_OK)
		e = disk_sync(part, ei);
	if (e == ERR_OK)
		e = backup_audit(&copy, AUDIT_ALL, &ask->turn, ret, ei);
	if (e == ERR_OK)
		e = backup_verdict(ret, ask->from.path, ei);
	return e;
}

enum err
backup_make(const struct backup_ask *ask, struct audit_report *ret,
    struct errinfo *ei)
{
	char part[DISK_PATH_MAX];
	enum err e;

	memset(ret, 0, sizeof(*ret));
	if (snprintf(part, sizeof(part), "%s" PART, ask->file) >=
	    (int)sizeof(part))
		return fail(ei, ERR_LIMIT, "the backup's path is longer than"
		    " %zu bytes", sizeof(part) - sizeof(PART));
	e = target_check(ask, part, ei);
	if (e != ERR_OK)
		return e;
	e = make_part(ask, part, ret, ei);
	if (e == ERR_OK && FAULT("backup.verified"))
		e = fail(ei, ERR_SYS, "fault before the name");
	if (e == ERR_OK)
		e = disk_move(part, ask->file, ask->force, ei);
	if (e != ERR_OK) {
		(void)disk_remove(part, NULL);
		return e;
	}
	return disk_sync_dir(ask->file, ei);
}

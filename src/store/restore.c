#include "store/restore.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/time.h"
#include "store/backup.h"

#define STAGED ".new"
#define MARK   ".restoring"
#define STAMP_MAX 40

/* In the order in which they go: the WAL is nothing without its database, so
 * the database goes last. */
static const char *const parts[] = {"-shm", "-wal", ""};

_Static_assert(COUNT(parts) + 1 == RESTORE_PARTS, "and the journal");

static void
beside(const char *store, const char *name, char dst[DISK_PATH_MAX])
{
	const char *slash = strrchr(store, '/');

	snprintf(dst, DISK_PATH_MAX, "%.*s/%s", (int)(slash - store), store,
	    name);
}

bool
restore_part(const char *store, unsigned i, char dst[DISK_PATH_MAX])
{
	if (i < COUNT(parts))
		snprintf(dst, DISK_PATH_MAX, "%s%s", store, parts[i]);
	else if (i == COUNT(parts))
		beside(store, RESTORE_JOURNAL, dst);
	return i <= COUNT(parts);
}

/* STORE.before-STAMP with the same endings, so that it can be opened there. */
static void
aside_of(const char *store, unsigned i, const char *stamp,
    char dst[DISK_PATH_MAX])
{
	char name[STAMP_MAX + sizeof(RESTORE_JOURNAL) + 16];

	if (i < COUNT(parts)) {
		snprintf(dst, DISK_PATH_MAX, "%s.before-%s%s", store, stamp,
		    parts[i]);
		return;
	}
	snprintf(name, sizeof(name), RESTORE_JOURNAL ".before-%s", stamp);
	beside(store, name, dst);
}

static void
with(const char *store, const char *ending, char dst[DISK_PATH_MAX])
{
	snprintf(dst, DISK_PATH_MAX, "%s%s", store, ending);
}

/* -- stage -------------------------------------------------------------- */

/* Up to date and audited as the daemon will open it. Closing folds its WAL
 * in and removes it. */
static enum err
stage_open(struct restore *r, const char *staged, struct errinfo *ei)
{
	struct backend_conf c = {.path = staged, .vfs = r->vfs};
	struct backend *b = NULL;
	enum err e = sqlite_ops.open(&c, &b, ei);

	if (e == ERR_OK)
		e = b->ops->migrate(b, r->now_us, ei);
	if (e == ERR_OK)
		e = audit_run(b, AUDIT_ALL, &r->turn, &r->report, ei);
	if (e == ERR_OK)
		e = backup_verdict(&r->report, r->file, ei);
	if (b != NULL)
		b->ops->close(b);
	return e;
}

static enum err
stage_copy(struct restore *r, const char *staged, struct errinfo *ei)
{
	struct backend_conf from = {.path = r->file, .vfs = r->vfs,
	    .reader = true, .plain = true};
	enum err e = disk_make(staged, ei);

	if (e == ERR_OK)
		e = sqlite_ops.copy(&from, staged, &r->turn, ei);
	if (e == ERR_OK && FAULT("restore.copied"))
		e = fail(ei, ERR_SYS, "fault after the copy");
	return e;
}

static void
unstage(const char *staged)
{
	static const char *const endings[] = {"-shm", "-wal", "-journal", ""};
	char path[DISK_PATH_MAX];

	for (size_t i = 0; i < COUNT(endings); i++) {
		with(staged, endings[i], path);
		(void)disk_remove(path, NULL);
	}
}

enum err
restore_stage(struct restore *r, struct errinfo *ei)
{
	char staged[DISK_PATH_MAX];
	enum err e;

	if (r->file[0] != '/' || access(r->file, R_OK) != 0)
		return fail(ei, ERR_NOT_FOUND, "%s: there is no such file, or"
		    " it is not readable", r->file);
	if (disk_same(r->file, r->store))
		return fail(ei, ERR_INVALID, "%s is the store itself; name a"
		    " backup", r->file);
	with(r->store, STAGED, staged);
	unstage(staged);
	e = stage_copy(r, staged, ei);
	if (e == ERR_OK)
		e = stage_open(r, staged, ei);
	if (e == ERR_OK)
		disk_give(staged);
	if (e == ERR_OK)
		e = disk_sync(staged, ei);
	if (e == ERR_OK)
		e = disk_sync_dir(staged, ei);
	if (e != ERR_OK)
		unstage(staged);
	return e;
}

/* -- swap --------------------------------------------------------------- */

/* From any point after the mark to the end. */
static enum err
go_on(const char *store, const char *stamp, struct errinfo *ei)
{
	char from[DISK_PATH_MAX], to[DISK_PATH_MAX];
	enum err e = ERR_OK;

	with(store, STAGED, from);
	/* When it has its place already, what is there is the new one. */
	for (unsigned i = 0; e == ERR_OK && disk_there(from) &&
	    restore_part(store, i, to); i++) {
		char aside[DISK_PATH_MAX];

		aside_of(store, i, stamp, aside);
		if (disk_there(to) && !disk_there(aside))
			e = disk_move(to, aside, false, ei);
		if (e == ERR_OK && FAULT("restore.aside"))
			e = fail(ei, ERR_SYS, "fault while moving aside");
	}
	if (e == ERR_OK && disk_there(from)) {
		e = disk_sync_dir(store, ei);
		if (e == ERR_OK)
			e = disk_move(from, store, false, ei);
	}
	if (e == ERR_OK && FAULT("restore.swapped"))
		e = fail(ei, ERR_SYS, "fault after the swap");
	if (e == ERR_OK)
		e = disk_sync_dir(store, ei);
	with(store, MARK, to);
	if (e == ERR_OK)
		e = disk_remove(to, ei);
	if (e == ERR_OK && FAULT("restore.done"))
		e = fail(ei, ERR_SYS, "fault after the mark");
	return e == ERR_OK ? disk_sync_dir(store, ei) : e;
}

/* "20261121T134400Z", and counted up while such a name is taken. */
static void
stamp_make(const struct restore *r, char stamp[STAMP_MAX])
{
	char aside[DISK_PATH_MAX], when[STAMP_MAX];
	time_t s = r->now_us / US_PER_S;
	struct tm tm;

	(void)gmtime_r(&s, &tm);
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(stamp, STAMP_MAX, "%s", when);
	for (unsigned k = 2; k < 1000; k++) {
		bool taken = false;

		for (unsigned i = 0; i <= COUNT(parts); i++) {
			aside_of(r->store, i, stamp, aside);
			taken = taken || disk_there(aside);
		}
		if (!taken)
			return;
		snprintf(stamp, STAMP_MAX, "%.20s-%u", when, k);
	}
}

enum err
restore_swap(struct restore *r, struct errinfo *ei)
{
	char mark[DISK_PATH_MAX], stamp[STAMP_MAX];
	enum err e;

	stamp_make(r, stamp);
	with(r->store, MARK, mark);
	r->aside[0] = '\0';
	if (disk_there(r->store))
		aside_of(r->store, COUNT(parts) - 1, stamp, r->aside);
	if (FAULT("restore.unmarked"))
		return fail(ei, ERR_SYS, "fault before the mark");
	e = disk_write(mark, stamp, ei);
	if (e == ERR_OK && FAULT("restore.marked"))
		e = fail(ei, ERR_SYS, "fault after the mark");
	return e == ERR_OK ? go_on(r->store, stamp, ei) : e;
}

/* A stamp is letters, digits and dashes. Anything else was not finished by
 * us: the mark is written whole before it counts. */
static bool
mark_read(const char *mark, char stamp[STAMP_MAX])
{
	int fd = open(mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, stamp, STAMP_MAX - 1);
	close(fd);
	stamp[n > 0 ? n : 0] = '\0';
	return strlen(stamp) >= 16 && strspn(stamp,
	    "0123456789TZ-") == strlen(stamp) && strchr(stamp, 'Z') != NULL;
}

enum err
restore_settle(const char *store, enum settled *ret, struct errinfo *ei)
{
	char mark[DISK_PATH_MAX], staged[DISK_PATH_MAX], stamp[STAMP_MAX];
	enum err e;

	*ret = SETTLED_NOTHING;
	with(store, MARK, mark);
	with(store, STAGED, staged);
	if (mark_read(mark, stamp)) {
		e = go_on(store, stamp, ei);
		if (e == ERR_OK)
			*ret = SETTLED_FINISHED;
		return e;
	}
	if (!disk_there(mark) && !disk_there(staged))
		return ERR_OK;
	unstage(staged);
	e = disk_remove(mark, ei);
	if (e == ERR_OK)
		e = disk_sync_dir(store, ei);
	if (e == ERR_OK)
		*ret = SETTLED_UNDONE;
	return e;
}

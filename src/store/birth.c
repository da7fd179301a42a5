#include "store/birth.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/log.h"
#include "store/backend.h"
#include "store/disk.h"
#include "store/journal.h"
#include "store/restore.h"

#define MAKING ".making"
#define START_BYTES (UINT64_C(2) << 20)   /* a start writes less */

static void
with(const char *path, const char *ending, char dst[DISK_PATH_MAX])
{
	snprintf(dst, DISK_PATH_MAX, "%s%s", path, ending);
}

static bool
has_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

/* A file of the journal, whatever it is: only a store that ran makes them. */
static bool
has_files(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool some = false;

	while (d != NULL && !some && (e = readdir(d)) != NULL)
		some = e->d_name[0] != '.';
	if (d != NULL)
		(void)closedir(d);
	return some;
}

/* What there is beside a database that is not; "" when nothing. */
static void
remains(const char *path, bool known, char dst[DISK_PATH_MAX])
{
	char name[DISK_PATH_MAX];

	dst[0] = '\0';
	(void)restore_part(path, RESTORE_PARTS - 1, name);
	if (known && has_files(name))
		snprintf(dst, DISK_PATH_MAX, "%s", name);
	with(path, "-wal", name);
	if (has_bytes(name))
		snprintf(dst, DISK_PATH_MAX, "%s", name);
}

static void
clear(const char *making)
{
	static const char *const endings[] = {"-shm", "-wal", "-journal", ""};
	char name[DISK_PATH_MAX];

	for (size_t i = 0; i < COUNT(endings); i++) {
		with(making, endings[i], name);
		(void)disk_remove(name, NULL);
	}
}

static enum err
make(const char *path, const char *making, int64_t now_us, struct errinfo *ei)
{
	struct backend_conf c = {.path = making};
	struct backend *b = NULL;
	enum err e;

	clear(making);   /* of a start that was cut off */
	e = sqlite_ops.open(&c, &b, ei);
	if (e == ERR_OK)
		e = b->ops->migrate(b, now_us, ei);
	if (b != NULL)
		b->ops->close(b);   /* folds its log in */
	if (e == ERR_OK)
		e = disk_sync(making, ei);
	if (e == ERR_OK)
		e = disk_move(making, path, false, ei);
	return e == ERR_OK ? disk_sync_dir(path, ei) : e;
}

static enum err
empty(const char *path, struct errinfo *ei)
{
	return fail(ei, ERR_INVALID, "%.200s is empty (0 bytes): a store may"
	    " have been in it, so nothing was changed; \"vedette store restore"
	    " FILE\" puts a backup in its place; or move it away, and the"
	    " journal beside it, to start empty", path);
}

enum err
birth_there(const char *path, struct errinfo *ei)
{
	if (disk_plain(path) && !has_bytes(path))
		return empty(path, ei);
	return disk_there(path) ? ERR_OK : fail(ei, ERR_NOT_FOUND, "%.200s is"
	    " not there; name the directory of a store with --data", path);
}

enum err
birth_of(const char *path, bool known, int64_t now_us, struct errinfo *ei)
{
	char making[DISK_PATH_MAX], rest[DISK_PATH_MAX];

	if (disk_plain(path) && !has_bytes(path))
		return empty(path, ei);
	if (disk_there(path) || path[0] != '/')
		return ERR_OK;
	remains(path, known, rest);
	if (rest[0] != '\0')
		return fail(ei, ERR_INVALID, "%.160s is not there, but %.160s is:"
		    " a store was here, so no new one was begun; bring the file"
		    " back, or a backup with \"vedette store restore FILE\";"
		    " or move %.160s away, too, to start empty", path, rest,
		    rest);
	with(path, MAKING, making);
	return make(path, making, now_us, ei);
}

void
birth_room(const char *path)
{
	char dir[DISK_PATH_MAX];
	uint64_t all = 0, left = disk_free(path, &all);

	if (all == 0 || left >= START_BYTES ||
	    !restore_part(path, RESTORE_PARTS - 1, dir) || !journal_yield(dir))
		return;
	log_warn("store", "the disk is full: a part of the journal's reserve"
	    " was given up for the start", KV_I("free_bytes", (int64_t)left));
}

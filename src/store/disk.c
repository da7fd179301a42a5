#include "store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"

/* The directory of path, as a name. */
static enum err
dir_of(const char *path, char dst[DISK_PATH_MAX], struct errinfo *ei)
{
	const char *slash = strrchr(path, '/');
	int n;

	if (slash == NULL)
		n = snprintf(dst, DISK_PATH_MAX, ".");
	else
		n = snprintf(dst, DISK_PATH_MAX, "%.*s", slash == path ? 1 :
		    (int)(slash - path), path);
	if (n < 0 || n >= DISK_PATH_MAX)
		return fail(ei, ERR_LIMIT, "the path %.200s is too long",
		    path);
	return ERR_OK;
}

static enum err
sync_fd(int fd, const char *path, struct errinfo *ei)
{
	int bad = fsync(fd) != 0 ? errno : 0;

	if (close(fd) != 0 && bad == 0)
		bad = errno;
	if (bad != 0)
		return fail(ei, ERR_SYS, "cannot sync %s: %s", path,
		    strerror(bad));
	return ERR_OK;
}

enum err
disk_make(const char *path, struct errinfo *ei)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot make %s: %s", path,
		    strerror(errno));
	close(fd);
	return ERR_OK;
}

enum err
disk_sync(const char *path, struct errinfo *ei)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot open %s: %s", path,
		    strerror(errno));
	return sync_fd(fd, path, ei);
}

enum err
disk_sync_dir(const char *path, struct errinfo *ei)
{
	char dir[DISK_PATH_MAX];
	enum err e = dir_of(path, dir, ei);

	return e == ERR_OK ? disk_sync(dir, ei) : e;
}

enum err
disk_write(const char *path, const char *text, struct errinfo *ei)
{
	char tmp[DISK_PATH_MAX];
	size_t n = strlen(text);
	enum err e;
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
		return fail(ei, ERR_LIMIT, "the path %.200s is too long",
		    path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot make %s: %s", tmp,
		    strerror(errno));
	if (write(fd, text, n) != (ssize_t)n) {
		e = fail(ei, ERR_SYS, "cannot write %s: %s", tmp,
		    strerror(errno));
		close(fd);
		return e;
	}
	e = sync_fd(fd, tmp, ei);
	if (e == ERR_OK)
		e = disk_move(tmp, path, true, ei);
	return e == ERR_OK ? disk_sync_dir(path, ei) : e;
}

bool
disk_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool
disk_plain(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool
disk_in(const char *path, const char *dir)
{
	char parent[DISK_PATH_MAX];

	return dir_of(path, parent, NULL) == ERR_OK && disk_same(parent, dir);
}

bool
disk_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino;
}

enum err
disk_move(const char *from, const char *to, bool replace, struct errinfo *ei)
{
	int rc = replace ? rename(from, to) :
	    renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);

	/* A file system that cannot promise it: look first. */
	if (rc != 0 && !replace && (errno == EINVAL || errno == ENOSYS))
		rc = disk_there(to) ? (errno = EEXIST, -1) : rename(from, to);
	if (rc == 0)
		return ERR_OK;
	if (errno == EEXIST)
		return fail(ei, ERR_CONFLICT, "%s is there already", to);
	return fail(ei, ERR_SYS, "cannot move %s to %s: %s", from, to,
	    strerror(errno));
}

void
disk_give(const char *path)
{
	char dir[DISK_PATH_MAX];
	struct stat st;

	if (geteuid() != 0 || dir_of(path, dir, NULL) != ERR_OK ||
	    stat(dir, &st) != 0 || st.st_uid == 0)
		return;
	if (lchown(path, st.st_uid, st.st_gid) != 0)
		log_warn("store", "a file stays root's", KV("file", path),
		    KV("error", strerror(errno)));
}

enum err
disk_remove(const char *path, struct errinfo *ei)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return ERR_OK;
	return fail(ei, ERR_SYS, "cannot remove %s: %s", path,
	    strerror(errno));
}

uint64_t
disk_free(const char *path, uint64_t *ret_all)
{
	char dir[DISK_PATH_MAX];
	struct statvfs v;

	*ret_all = 0;
	if (dir_of(path, dir, NULL) != ERR_OK || statvfs(dir, &v) != 0)
		return 0;
	*ret_all = (uint64_t)v.f_blocks * v.f_frsize;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

#include "store/filesys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fault.h"

#define ZEROS 65536

static int
filesys_make_dir(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static int
filesys_list(const char *dir, void (*each)(void *arg, const char *name),
    void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return -1;
	errno = 0;
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			each(arg, e->d_name);
		errno = 0;
	}
	if (errno != 0) {
		int keep = errno;

		(void)closedir(d);
		errno = keep;
		return -1;
	}
	return closedir(d);
}

static int
filesys_open(const char *path, bool create)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW |
	    (create ? O_CREAT : 0), 0600);
}

static int64_t
filesys_read(int fd, void *to, size_t n, int64_t off)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = pread(fd, (char *)to + done, n - done,
		    (off_t)(off + (int64_t)done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		done += (size_t)k;
	}
	return (int64_t)done;
}

static int
filesys_write(int fd, const void *from, size_t n, int64_t off)
{
	size_t done = 0;

	if (FAULT("journal.write")) {
		errno = ENOSPC;
		return -1;
	}
	while (done < n) {
		ssize_t k = pwrite(fd, (const char *)from + done, n - done,
		    (off_t)(off + (int64_t)done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		done += (size_t)k;
	}
	return 0;
}

/* A file system that cannot set room aside gets zeros written, which is as
 * good and slower. */
static int
filesys_allocate(int fd, int64_t size)
{
	static const char zeros[ZEROS];
	struct stat st;

	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	if (fstat(fd, &st) != 0)
		return -1;
	for (int64_t at = st.st_size; at < size; at += ZEROS)
		if (filesys_write(fd, zeros, (size_t)MIN((int64_t)ZEROS,
		    size - at), at) != 0)
			return -1;
	return 0;
}

static int
filesys_truncate(int fd, int64_t size)
{
	return ftruncate(fd, (off_t)size);
}

static int
filesys_sync(int fd)
{
	if (FAULT("journal.sync")) {
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static int64_t
filesys_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -1;
}

static int
filesys_remove(const char *path)
{
	return unlink(path);
}

static int
filesys_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

const struct filesys filesys_real = {
	.make_dir = filesys_make_dir, .list = filesys_list, .open = filesys_open,
	.close = close, .read = filesys_read, .write = filesys_write,
	.allocate = filesys_allocate, .truncate = filesys_truncate,
	.sync = filesys_sync, .size = filesys_size, .rename = rename,
	.remove = filesys_remove, .sync_dir = filesys_sync_dir,
};

#include "store/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/foreign.h"

static enum err
held(int fd, const char *path, struct errinfo *ei)
{
	char pid[24] = "", name[FOREIGN_NAME];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
	uint64_t who = 0;
	struct str text;

	pid[n > 0 ? n : 0] = '\0';
	str_cut(str_of(pid), '\n', &text);
	if (!str_u64(text, INT32_MAX, &who))
		who = 0;
	foreign_command((int64_t)who, name);
	return fail(ei, ERR_CONFLICT, "%s (pid %llu) uses this data directory:"
	    " it holds %s; stop it, or use another directory", name[0] != '\0' ?
	    name : "another vedette", (unsigned long long)who, path);
}

enum err
lockfile_take(const char *path, int *ret_fd, struct errinfo *ei)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char pid[24];
	int n;

	if (fd < 0)
		return fail(ei, ERR_SYS, "cannot open the lock file %s: %s; the"
		    " data directory must exist and be writable", path,
		    strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum err e = errno == EWOULDBLOCK ? held(fd, path, ei) :
		    fail(ei, ERR_SYS, "cannot lock %s: %s", path,
		    strerror(errno));

		close(fd);
		return e;
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
		enum err e = fail(ei, ERR_SYS, "cannot write the lock file %s:"
		    " %s", path, strerror(errno));

		close(fd);
		return e;
	}
	*ret_fd = fd;
	return ERR_OK;
}

void
lockfile_drop(int fd)
{
	if (fd >= 0)
		close(fd);
}

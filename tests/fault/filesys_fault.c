#include "tests/fault/filesys_fault.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fault/vfs_inside.h"

#define OPENS_MAX 32
#define OPS_MAX   256

enum name_op { MADE, RENAMED, REMOVED };
struct op {
	enum name_op what;
	char from[256], to[256];
};

static struct file *opens[OPENS_MAX];
static struct op ops[OPS_MAX];
static size_t nops, nremoved;

/* 0, or -1 with errno. */
static int
pass(int code)
{
	if (vfs_gate(1) == SQLITE_OK)
		return 0;
	errno = code;
	return -1;
}

static void
note(enum name_op what, const char *from, const char *to)
{
	struct op *o = &ops[nops++];

	assert(nops < OPS_MAX);
	o->what = what;
	snprintf(o->from, sizeof(o->from), "%s", from);
	snprintf(o->to, sizeof(o->to), "%s", to);
}

static void
call_it(const char *from, const char *to)
{
	struct file *f = vfs_find(from, false);

	assert(f != NULL);
	snprintf(f->name, sizeof(f->name), "%s", to);
}

static void
forget_op(const struct op *o)
{
	if (o->what == REMOVED)
		vfs_forget(vfs_find(o->to, false));
}

static void
undo(const struct op *o)
{
	struct file *f;

	switch (o->what) {
	case MADE:
		f = vfs_find(o->from, false);
		if (f != NULL)
			vfs_forget(f);
		break;
	case RENAMED:
	case REMOVED:
		call_it(o->to, o->from);
		break;
	}
}

void
filesys_fault_reboot(void)
{
	size_t keep = nops == 0 ? 0 : vfs_random_next() % (nops + 1);

	for (size_t i = 0; i < keep; i++)
		forget_op(&ops[i]);
	while (nops > keep)
		undo(&ops[--nops]);
	nops = 0;
	memset(opens, 0, sizeof(opens));
}

void
filesys_fault_wipe(void)
{
	nops = nremoved = 0;
	memset(opens, 0, sizeof(opens));
}

static int
fault_make_dir(const char *path)
{
	int rc;

	(void)path;
	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_list(const char *dir, void (*each)(void *arg, const char *name),
    void *arg)
{
	size_t n = strlen(dir);
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	for (size_t i = 0; rc == 0 && i < FILES_MAX; i++) {
		const struct file *f = &vfs_files[i];

		if (f->exists && strncmp(f->name, dir, n) == 0 &&
		    f->name[n] == '/')
			each(arg, f->name + n + 1);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_open(const char *path, bool create)
{
	struct file *f;
	int fd = 0;

	pthread_mutex_lock(&vfs_mu);
	if (pass(EIO) != 0) {
		pthread_mutex_unlock(&vfs_mu);
		return -1;
	}
	f = vfs_find(path, false);
	if (f == NULL && create) {
		f = vfs_find(path, true);
		note(MADE, path, "");
	}
	while (fd < OPENS_MAX && opens[fd] != NULL)
		fd++;
	assert(fd < OPENS_MAX);
	if (f != NULL) {
		opens[fd] = f;
		f->opens++;
	} else {
		errno = ENOENT;
		fd = -1;
	}
	pthread_mutex_unlock(&vfs_mu);
	return fd;
}

static int
fault_close(int fd)
{
	pthread_mutex_lock(&vfs_mu);
	assert(opens[fd] != NULL);
	opens[fd]->opens--;
	opens[fd] = NULL;
	pthread_mutex_unlock(&vfs_mu);
	return 0;
}

static int64_t
fault_read(int fd, void *to, size_t n, int64_t off)
{
	struct file *f = opens[fd];
	int64_t have = 0;

	pthread_mutex_lock(&vfs_mu);
	if (pass(EIO) == 0) {
		have = MIN(f->now.n - off, (int64_t)n);
		have = MAX(have, INT64_C(0));
		if (have > 0)
			memcpy(to, f->now.p + off, (size_t)have);
	} else {
		have = -1;
	}
	pthread_mutex_unlock(&vfs_mu);
	return have;
}

static void
write_now(struct file *f, const void *from, size_t n, int64_t off)
{
	if (n == 0)
		return;
	vfs_put(&f->now, off, from, (int64_t)n);
	vfs_remember(f, off, (int)n, from);
}

/* A write that fails may have written some of it. */
static int
fault_write(int fd, const void *from, size_t n, int64_t off)
{
	struct file *f = opens[fd];
	bool alive = !vfs_disk.dead;
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass((vfs_random_next() & 1) != 0 ? ENOSPC : EIO);
	if (rc == 0 && vfs_disk.full && off + (int64_t)n > f->now.n) {
		errno = ENOSPC;
		rc = -1;
	} else if (rc == 0) {
		write_now(f, from, n, off);
	} else if (alive) {
		write_now(f, from, (size_t)(vfs_random_next() % n), off);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_allocate(int fd, int64_t size)
{
	struct file *f = opens[fd];
	int64_t more;
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(ENOSPC);
	more = size - f->now.n;
	if (rc == 0 && more > 0 && vfs_disk.full) {
		errno = ENOSPC;
		rc = -1;
	} else if (rc == 0 && more > 0) {
		char *zeros = xcalloc((size_t)more, 1);

		write_now(f, zeros, (size_t)more, f->now.n);
		xfree(zeros);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_truncate(int fd, int64_t size)
{
	struct file *f = opens[fd];
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	if (rc == 0) {
		f->now.n = MIN(f->now.n, size);
		vfs_remember(f, size, -1, NULL);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

/* A sync that fails has thrown away what it could not write, and the next one
 * says nothing of it: as Linux does. */
static int
fault_sync(int fd)
{
	struct file *f = opens[fd];
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	for (size_t i = 0; rc == 0 && i < f->nqueue; i++)
		vfs_harden(f, &f->queue[i], f->queue[i].len);
	if (!vfs_disk.dead)
		vfs_drop_queue(f);
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int64_t
fault_size(int fd)
{
	int64_t n;

	pthread_mutex_lock(&vfs_mu);
	n = pass(EIO) == 0 ? opens[fd]->now.n : -1;
	pthread_mutex_unlock(&vfs_mu);
	return n;
}

static int
fault_rename(const char *from, const char *to)
{
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	if (rc == 0 && vfs_find(from, false) == NULL) {
		errno = ENOENT;
		rc = -1;
	} else if (rc == 0) {
		assert(vfs_find(to, false) == NULL);
		call_it(from, to);
		note(RENAMED, from, to);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_remove(const char *path)
{
	char gone[64];
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	if (rc == 0 && vfs_find(path, false) == NULL) {
		errno = ENOENT;
		rc = -1;
	} else if (rc == 0) {
		snprintf(gone, sizeof(gone), "removed %zu", nremoved++);
		call_it(path, gone);
		note(REMOVED, path, gone);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
fault_sync_dir(const char *path)
{
	int rc;

	(void)path;
	pthread_mutex_lock(&vfs_mu);
	rc = pass(EIO);
	for (size_t i = 0; rc == 0 && i < nops; i++)
		forget_op(&ops[i]);
	if (rc == 0)
		nops = 0;
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

const struct filesys filesys_fault = {
	.make_dir = fault_make_dir, .list = fault_list, .open = fault_open,
	.close = fault_close, .read = fault_read, .write = fault_write,
	.allocate = fault_allocate, .truncate = fault_truncate,
	.sync = fault_sync, .size = fault_size, .rename = fault_rename,
	.remove = fault_remove, .sync_dir = fault_sync_dir,
};

#include "tests/fault/vfs_fault.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fault/vfs_inside.h"


struct handle {
	sqlite3_file base;
	struct file *f;
	int level;
	uint16_t shared, exclusive;   /* of the shm locks */
};

pthread_mutex_t vfs_mu = PTHREAD_MUTEX_INITIALIZER;
struct file vfs_files[FILES_MAX];
struct vfs_disk vfs_disk = {.rng = 1};

uint64_t
vfs_random_next(void)
{
	vfs_disk.rng ^= vfs_disk.rng >> 12;
	vfs_disk.rng ^= vfs_disk.rng << 25;
	vfs_disk.rng ^= vfs_disk.rng >> 27;
	return vfs_disk.rng * UINT64_C(2685821657736338717);
}

/* Once per call of the VFS, under mu. */
int
vfs_gate(int code)
{
	if (vfs_disk.dead)
		return SQLITE_IOERR;
	vfs_disk.calls++;
	if (vfs_disk.mode == VFS_SOUND || vfs_disk.calls < vfs_disk.nth)
		return SQLITE_OK;
	if (vfs_disk.calls == vfs_disk.nth && vfs_disk.mode != VFS_FAIL_ONCE &&
	    vfs_disk.on_strike != NULL)
		vfs_disk.on_strike(vfs_disk.arg);
	if (vfs_disk.mode == VFS_POWER) {
		vfs_disk.dead = true;
		return SQLITE_IOERR;
	}
	return vfs_disk.mode == VFS_FAIL_ON || vfs_disk.calls == vfs_disk.nth ? code :
	    SQLITE_OK;
}

struct file *
vfs_find(const char *name, bool make)
{
	struct file *spare = NULL;

	for (size_t i = 0; i < FILES_MAX; i++) {
		if (vfs_files[i].exists && strcmp(vfs_files[i].name, name) == 0)
			return &vfs_files[i];
		if (!vfs_files[i].exists && spare == NULL)
			spare = &vfs_files[i];
	}
	if (!make)
		return NULL;
	assert(spare != NULL);
	memset(spare, 0, sizeof(*spare));
	spare->exists = true;
	snprintf(spare->name, sizeof(spare->name), "%s", name);
	return spare;
}

void
vfs_put(struct content *c, int64_t off, const void *p, int64_t n)
{
	if (off + n > c->cap) {
		c->cap = (off + n) * 2;
		c->p = xrealloc(c->p, (size_t)c->cap, 1);
	}
	if (off + n > c->n) {
		if (off > c->n)
			memset(c->p + c->n, 0, (size_t)(off - c->n));
		c->n = off + n;
	}
	memcpy(c->p + off, p, (size_t)n);
}

void
vfs_drop_queue(struct file *f)
{
	for (size_t i = 0; i < f->nqueue; i++)
		xfree(f->queue[i].p);
	f->nqueue = 0;
}

void
vfs_remember(struct file *f, int64_t off, int len, const void *p)
{
	struct pending *w;

	if (f->nqueue == f->queue_cap) {
		f->queue_cap = f->queue_cap == 0 ? 64 : f->queue_cap * 2;
		f->queue = xrealloc(f->queue, f->queue_cap, sizeof(*w));
	}
	w = &f->queue[f->nqueue++];
	*w = (struct pending){.off = off, .len = len};
	if (len > 0) {
		w->p = xcalloc((size_t)len, 1);
		memcpy(w->p, p, (size_t)len);
	}
}

void
vfs_harden(struct file *f, const struct pending *w, int len)
{
	if (w->len < 0)
		f->disk.n = f->disk.n > w->off ? w->off : f->disk.n;
	else if (len > 0)
		vfs_put(&f->disk, w->off, w->p, len);
}

void
vfs_forget(struct file *f)
{
	vfs_drop_queue(f);
	xfree(f->queue);
	xfree(f->now.p);
	xfree(f->disk.p);
	for (size_t i = 0; i < SHM_MAX; i++)
		xfree(f->shm[i]);
	memset(f, 0, sizeof(*f));
}

void
vfs_fault_wipe(void)
{
	pthread_mutex_lock(&vfs_mu);
	for (size_t i = 0; i < FILES_MAX; i++)
		vfs_forget(&vfs_files[i]);
	memset(&vfs_disk, 0, sizeof(vfs_disk));
	vfs_disk.rng = 1;
	filesys_fault_wipe();
	pthread_mutex_unlock(&vfs_mu);
}

void
vfs_fault_arm(enum vfs_fault_mode mode, long nth, uint64_t seed)
{
	pthread_mutex_lock(&vfs_mu);
	vfs_disk.mode = mode;
	vfs_disk.nth = nth;
	vfs_disk.calls = 0;
	vfs_disk.on_strike = NULL;
	vfs_disk.rng = seed * 7919 + (uint64_t)nth + 1;
	vfs_disk.dead = false;
	pthread_mutex_unlock(&vfs_mu);
}

long
vfs_fault_calls(void)
{
	long n;

	pthread_mutex_lock(&vfs_mu);
	n = vfs_disk.calls;
	pthread_mutex_unlock(&vfs_mu);
	return n;
}

void
vfs_fault_on_strike(void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&vfs_mu);
	vfs_disk.on_strike = fn;
	vfs_disk.arg = arg;
	pthread_mutex_unlock(&vfs_mu);
}

void
vfs_fault_lie(bool lie)
{
	vfs_disk.lie = lie;
}

void
vfs_fault_full(bool full)
{
	pthread_mutex_lock(&vfs_mu);
	vfs_disk.full = full;
	pthread_mutex_unlock(&vfs_mu);
}

void
vfs_fault_lock(bool locked)
{
	pthread_mutex_lock(&vfs_mu);
	vfs_disk.locked = locked;
	pthread_mutex_unlock(&vfs_mu);
}

static void
survive(struct file *f, const struct pending *w)
{
	unsigned luck = (unsigned)(vfs_random_next() >> 33) % 4;

	if (luck == 0)
		return;                   /* lost */
	if (luck == 1 && w->len > SECTOR)   /* torn */
		vfs_harden(f, w, (int)((vfs_random_next() >> 33) %
		    (unsigned)(w->len / SECTOR)) * SECTOR);
	else
		vfs_harden(f, w, w->len);
}

void
vfs_fault_reboot(void)
{
	pthread_mutex_lock(&vfs_mu);
	filesys_fault_reboot();
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct file *f = &vfs_files[i];

		if (!f->exists)
			continue;
		assert(f->opens == 0);
		for (size_t k = 0; k < f->nqueue; k++)
			survive(f, &f->queue[k]);
		vfs_drop_queue(f);
		f->now.n = 0;
		if (f->disk.n > 0)
			vfs_put(&f->now, 0, f->disk.p, f->disk.n);
		for (size_t k = 0; k < SHM_MAX; k++) {
			xfree(f->shm[k]);
			f->shm[k] = NULL;
		}
	}
	vfs_disk.dead = false;
	vfs_disk.mode = VFS_SOUND;
	pthread_mutex_unlock(&vfs_mu);
}

static struct file *
file_of(sqlite3_file *p)
{
	return ((struct handle *)(void *)p)->f;
}

static int
io_read(sqlite3_file *p, void *to, int n, sqlite3_int64 off)
{
	struct file *f = file_of(p);
	int64_t have;
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_READ);
	have = f->now.n - off;
	have = have < 0 ? 0 : have > n ? n : have;
	if (rc == SQLITE_OK && have > 0)
		memcpy(to, f->now.p + off, (size_t)have);
	if (rc == SQLITE_OK && have < n) {
		memset((char *)to + have, 0, (size_t)(n - have));
		rc = SQLITE_IOERR_SHORT_READ;
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
io_write(sqlite3_file *p, const void *from, int n, sqlite3_int64 off)
{
	struct file *f = file_of(p);
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate((vfs_random_next() & 1) != 0 ? SQLITE_FULL :
	    SQLITE_IOERR_WRITE);
	if (rc == SQLITE_OK && vfs_disk.full && off + n > f->now.n)
		rc = SQLITE_FULL;
	if (rc == SQLITE_OK) {
		vfs_put(&f->now, off, from, n);
		vfs_remember(f, off, n, from);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
io_truncate(sqlite3_file *p, sqlite3_int64 size)
{
	struct file *f = file_of(p);
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_TRUNCATE);
	if (rc == SQLITE_OK) {
		if (f->now.n > size)
			f->now.n = size;
		vfs_remember(f, size, -1, NULL);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static bool
is_wal(const struct file *f)
{
	size_t n = strlen(f->name);

	return n > 4 && strcmp(f->name + n - 4, "-wal") == 0;
}

static int
io_sync(sqlite3_file *p, int flags)
{
	struct file *f = file_of(p);
	int rc;

	(void)flags;
	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_FSYNC);
	if (rc == SQLITE_OK && !(vfs_disk.lie && is_wal(f))) {
		for (size_t i = 0; i < f->nqueue; i++)
			vfs_harden(f, &f->queue[i], f->queue[i].len);
		vfs_drop_queue(f);
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
io_size(sqlite3_file *p, sqlite3_int64 *ret)
{
	int rc;

	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_FSTAT);
	if (rc == SQLITE_OK)
		*ret = file_of(p)->now.n;
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

/* One process, so a file's lock is a few counters: how many hold each level. */
static int
io_lock(sqlite3_file *p, int level)
{
	struct handle *h = (struct handle *)(void *)p;
	struct file *f = h->f;
	bool ok = true;

	pthread_mutex_lock(&vfs_mu);
	if (level > h->level) {
		int above = 0;

		for (int i = level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING :
		    SQLITE_LOCK_RESERVED; i <= SQLITE_LOCK_EXCLUSIVE; i++)
			above += f->locks[i] - (i == h->level);
		ok = above == 0;
		if (level == SQLITE_LOCK_EXCLUSIVE)
			ok = ok && f->locks[SQLITE_LOCK_SHARED] -
			    (h->level == SQLITE_LOCK_SHARED) == 0;
	}
	if (ok && level > h->level) {
		if (h->level > 0)
			f->locks[h->level]--;
		f->locks[level]++;
		h->level = level;
	}
	pthread_mutex_unlock(&vfs_mu);
	return ok ? SQLITE_OK : SQLITE_BUSY;
}

static int
io_unlock(sqlite3_file *p, int level)
{
	struct handle *h = (struct handle *)(void *)p;

	pthread_mutex_lock(&vfs_mu);
	if (level < h->level) {
		h->f->locks[h->level]--;
		if (level > 0)
			h->f->locks[level]++;
		h->level = level;
	}
	pthread_mutex_unlock(&vfs_mu);
	return SQLITE_OK;
}

static int
io_reserved(sqlite3_file *p, int *ret)
{
	*ret = file_of(p)->locks[SQLITE_LOCK_RESERVED] > 0;
	return SQLITE_OK;
}

static int
io_control(sqlite3_file *p, int op, void *arg)
{
	(void)p;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
io_sector(sqlite3_file *p)
{
	(void)p;
	return SECTOR;
}

static int
io_traits(sqlite3_file *p)
{
	(void)p;
	return 0;
}

static int
shm_map(sqlite3_file *p, int at, int size, int extend, void volatile **ret)
{
	struct file *f = file_of(p);

	assert(at < SHM_MAX);
	pthread_mutex_lock(&vfs_mu);
	if (f->shm[at] == NULL && extend != 0)
		f->shm[at] = xcalloc((size_t)size, 1);
	*ret = f->shm[at];
	pthread_mutex_unlock(&vfs_mu);
	return SQLITE_OK;
}

static void
shm_release(struct handle *h, int i, bool exclusive)
{
	uint16_t bit = (uint16_t)(1u << i);

	if (exclusive && (h->exclusive & bit) != 0) {
		h->f->exclusive[i] = false;
		h->exclusive &= (uint16_t)~bit;
	}
	if (!exclusive && (h->shared & bit) != 0) {
		h->f->shared[i]--;
		h->shared &= (uint16_t)~bit;
	}
}

static bool
shm_free_for(const struct handle *h, int i, bool exclusive)
{
	bool mine = (h->shared >> i & 1) != 0;

	if (h->f->exclusive[i])
		return (h->exclusive >> i & 1) != 0;
	return !exclusive || h->f->shared[i] - mine == 0;
}

static int
shm_lock(sqlite3_file *p, int from, int n, int flags)
{
	struct handle *h = (struct handle *)(void *)p;
	bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
	int rc = SQLITE_OK;

	assert(from + n <= SHM_LOCKS);
	pthread_mutex_lock(&vfs_mu);
	for (int i = from; i < from + n && (flags & SQLITE_SHM_LOCK) != 0; i++)
		if (!shm_free_for(h, i, exclusive) ||
		    (vfs_disk.locked && i == 0 && exclusive))
			rc = SQLITE_BUSY;
	for (int i = from; i < from + n && rc == SQLITE_OK; i++) {
		if ((flags & SQLITE_SHM_UNLOCK) != 0) {
			shm_release(h, i, exclusive);
		} else if (exclusive) {
			h->f->exclusive[i] = true;
			h->exclusive |= (uint16_t)(1u << i);
		} else if ((h->shared >> i & 1) == 0) {
			h->f->shared[i]++;
			h->shared |= (uint16_t)(1u << i);
		}
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static void
shm_barrier(sqlite3_file *p)
{
	(void)p;
	pthread_mutex_lock(&vfs_mu);
	pthread_mutex_unlock(&vfs_mu);
}

static int
shm_unmap(sqlite3_file *p, int gone)
{
	struct handle *h = (struct handle *)(void *)p;

	pthread_mutex_lock(&vfs_mu);
	for (int i = 0; i < SHM_LOCKS; i++) {
		shm_release(h, i, true);
		shm_release(h, i, false);
	}
	for (size_t i = 0; gone != 0 && i < SHM_MAX; i++) {
		xfree(h->f->shm[i]);
		h->f->shm[i] = NULL;
	}
	pthread_mutex_unlock(&vfs_mu);
	return SQLITE_OK;
}

static int
io_close(sqlite3_file *p)
{
	struct handle *h = (struct handle *)(void *)p;

	(void)io_unlock(p, SQLITE_LOCK_NONE);
	pthread_mutex_lock(&vfs_mu);
	h->f->opens--;
	if (h->f->opens == 0)   /* the last connection's memory goes with it */
		for (size_t i = 0; i < SHM_MAX; i++) {
			xfree(h->f->shm[i]);
			h->f->shm[i] = NULL;
		}
	pthread_mutex_unlock(&vfs_mu);
	return SQLITE_OK;
}

static const sqlite3_io_methods io_methods = {
	.iVersion = 2, .xClose = io_close, .xRead = io_read,
	.xWrite = io_write, .xTruncate = io_truncate, .xSync = io_sync,
	.xFileSize = io_size, .xLock = io_lock, .xUnlock = io_unlock,
	.xCheckReservedLock = io_reserved, .xFileControl = io_control,
	.xSectorSize = io_sector, .xDeviceCharacteristics = io_traits,
	.xShmMap = shm_map, .xShmLock = shm_lock, .xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

static int
vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *p, int flags,
    int *ret_flags)
{
	struct handle *h = (struct handle *)(void *)p;
	int rc;

	(void)v;
	memset(h, 0, sizeof(*h));
	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_CANTOPEN);
	if (rc == SQLITE_OK) {
		h->f = vfs_find(name != NULL ? name : "temporary", true);
		h->f->opens++;
		h->base.pMethods = &io_methods;
		if (ret_flags != NULL)
			*ret_flags = flags;
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
vfs_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	struct file *f;
	int rc;

	(void)v;
	(void)sync_dir;
	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_DELETE);
	f = vfs_find(name, false);
	if (rc == SQLITE_OK && f != NULL) {
		int opens = f->opens;

		if (opens == 0)
			vfs_forget(f);
		else
			f->now.n = 0;
	}
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
vfs_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	int rc;

	(void)v;
	(void)flags;
	pthread_mutex_lock(&vfs_mu);
	rc = vfs_gate(SQLITE_IOERR_ACCESS);
	if (rc == SQLITE_OK)
		*ret = vfs_find(name, false) != NULL;
	pthread_mutex_unlock(&vfs_mu);
	return rc;
}

static int
vfs_path(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	(void)v;
	sqlite3_snprintf(n, ret, "%s", name);
	return SQLITE_OK;
}

static int
vfs_random(sqlite3_vfs *v, int n, char *to)
{
	(void)v;
	pthread_mutex_lock(&vfs_mu);
	for (int i = 0; i < n; i++)
		to[i] = (char)(vfs_random_next() >> 40);
	pthread_mutex_unlock(&vfs_mu);
	return n;
}

static int
vfs_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int
vfs_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	*ret = 2460000.5;
	return SQLITE_OK;
}

void
vfs_fault_register(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 1, .szOsFile = sizeof(struct handle),
		.mxPathname = 255, .zName = VFS_FAULT, .xOpen = vfs_open,
		.xDelete = vfs_delete, .xAccess = vfs_access,
		.xFullPathname = vfs_path, .xRandomness = vfs_random,
		.xSleep = vfs_sleep, .xCurrentTime = vfs_time,
	};

	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		abort();
}

/* vfs_inside.h: the disk under vfs_fault.c, which filesys_fault.c shares: one
 * set of files, one count of calls, one power cut. All under vfs_mu. */
#ifndef TESTS_FAULT_VFS_INSIDE_H
#define TESTS_FAULT_VFS_INSIDE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>

#include "tests/fault/vfs_fault.h"

#define FILES_MAX 64
#define SECTOR    512
#define SHM_MAX   64
#define SHM_LOCKS 8

/* A write that was not synced yet; len < 0: a truncation to off. */
struct pending {
	int64_t off;
	int len;
	unsigned char *p;
};

struct content {
	unsigned char *p;
	int64_t n, cap;
};

struct file {
	char name[256];
	bool exists;
	struct content now, disk;   /* as read back; as it would survive */
	struct pending *queue;
	size_t nqueue, queue_cap;
	void *shm[SHM_MAX];
	int shared[SHM_LOCKS];
	bool exclusive[SHM_LOCKS];
	int opens;
	int locks[SQLITE_LOCK_EXCLUSIVE + 1];   /* holders of each level */
};

struct vfs_disk {
	enum vfs_fault_mode mode;
	long calls, nth;
	uint64_t rng;
	bool dead, lie, full, locked;
	bool short_write;       /* the call that fails had written some of it */
	void (*on_strike)(void *arg);
	void *arg;
};

extern pthread_mutex_t vfs_mu;
extern struct file vfs_files[FILES_MAX];
extern struct vfs_disk vfs_disk;

uint64_t vfs_random_next(void);
/* Once per call; code when it is to fail. */
int vfs_gate(int code);
struct file *vfs_find(const char *name, bool make);
void vfs_put(struct content *c, int64_t off, const void *p, int64_t n);
void vfs_remember(struct file *f, int64_t off, int len, const void *p);
void vfs_harden(struct file *f, const struct pending *w, int len);
void vfs_drop_queue(struct file *f);
void vfs_forget(struct file *f);
/* filesys_fault.c: the power is gone: names that were not synced may be as they
 * were before. */
void filesys_fault_reboot(void);
void filesys_fault_wipe(void);

#endif

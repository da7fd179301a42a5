/* filesys.h: the file calls of the journal, as a table, so that a test can put a
 * disk under it that fails and loses power (tests/fault/). SQLite has a table
 * of its own, its VFS. Each call returns 0 or more, or -1 with errno set;
 * reads and writes are whole or an error. */
#ifndef STORE_FILESYS_H
#define STORE_FILESYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filesys {
	/* Makes the directory (0700) if it is not there. */
	int (*make_dir)(const char *path);
	/* Calls each once per name, "." and ".." left out. */
	int (*list)(const char *dir,
	    void (*each)(void *arg, const char *name), void *arg);
	/* A descriptor; create: make it (0600) if it is not there. */
	int (*open)(const char *path, bool create);
	int (*close)(int fd);
	/* Bytes read: fewer than n only at the end of the file. */
	int64_t (*read)(int fd, void *to, size_t n, int64_t off);
	int (*write)(int fd, const void *from, size_t n, int64_t off);
	/* Room for size bytes from the beginning is set aside on the disk. */
	int (*allocate)(int fd, int64_t size);
	int (*truncate)(int fd, int64_t size);
	int (*sync)(int fd);
	int64_t (*size)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*remove)(const char *path);
	int (*sync_dir)(const char *path);
};

extern const struct filesys filesys_real;

#endif

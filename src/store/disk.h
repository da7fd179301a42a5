/* disk.h: files beside the database: made durable, moved, looked at. Never the
 * database itself while a connection of this process has it open: closing it
 * here would let go of SQLite's locks. Any thread; blocks. */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define DISK_PATH_MAX 640

/* A new empty file, readable by us only; what is there is an error. */
enum err disk_make(const char *path, struct errinfo *ei) MUST_USE;
enum err disk_sync(const char *path, struct errinfo *ei) MUST_USE;
/* The directory that path is in: what was made, moved and removed there. */
enum err disk_sync_dir(const char *path, struct errinfo *ei) MUST_USE;
/* A small file that is there whole or not at all, synced, its directory too;
 * by way of path.tmp. */
enum err disk_write(const char *path, const char *text,
    struct errinfo *ei) MUST_USE;
bool disk_there(const char *path);
bool disk_plain(const char *path);   /* a regular file, and no link to one */
/* path is, by whatever name, directly in the directory dir. */
bool disk_in(const char *path, const char *dir);
bool disk_same(const char *a, const char *b);   /* one file, whatever its name */
/* replace false: ERR_CONFLICT when to is there. */
enum err disk_move(const char *from, const char *to, bool replace,
    struct errinfo *ei) MUST_USE;
/* Root made it for a daemon of another user: give it to whom the directory
 * belongs. */
void disk_give(const char *path);
/* What is not there is removed. */
enum err disk_remove(const char *path, struct errinfo *ei);
/* Bytes free for us where path is, and in all; 0 when it cannot be told. */
uint64_t disk_free(const char *path, uint64_t *ret_all);

#endif

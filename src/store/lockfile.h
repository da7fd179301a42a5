/* lockfile.h: keeps a second daemon off the same data. The file stays; the
 * lock dies with its holder. */
#ifndef STORE_LOCKFILE_H
#define STORE_LOCKFILE_H

#include "base/attr.h"
#include "base/err.h"

/* ERR_CONFLICT names the command and pid that has it. *ret_fd: close to let go. */
enum err lockfile_take(const char *path, int *ret_fd, struct errinfo *ei) MUST_USE;
void lockfile_drop(int fd);   /* -1 is fine */

#endif

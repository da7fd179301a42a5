/* foreign.h: which other processes hold locks in the database's WAL index, as
 * the kernel tells (/proc/locks). For words only: nothing is decided by it.
 * Opens neither the database nor its index: closing them again would let go of
 * the locks that SQLite has on them in this process. */
#ifndef STORE_FOREIGN_H
#define STORE_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define FOREIGN_MAX  8     /* named at most */
#define FOREIGN_TEXT 200
#define FOREIGN_NAME 32

enum foreign_kind { FOREIGN_READER, FOREIGN_WRITER, FOREIGN_CHECKPOINTER };

struct foreign_file {
	uint64_t major, minor, inode;
};

struct foreign {
	int64_t pid;         /* ≤ 0: of another container */
	enum foreign_kind kind;
	bool same_device;    /* not so under an overlay */
	char name[FOREIGN_NAME];   /* of its command, harmless; "" unknown */
};

/* One line of /proc/locks. False: it is no WAL lock in that file. The name is
 * left empty. */
bool foreign_line(struct str line, const struct foreign_file *file,
    struct foreign *ret) MUST_USE;
/* Those of the database at path, without ourselves; each process once. Any
 * thread. */
unsigned foreign_find(const char *path, struct foreign v[FOREIGN_MAX]);
/* The command of a process, harmless; "" when it cannot be told. */
void foreign_command(int64_t pid, char dst[FOREIGN_NAME]);
/* "python3 (pid 12) reads, sqlite3 (pid 13) writes"; "" for none. */
void foreign_text(const struct foreign *v, unsigned n,
    char dst[FOREIGN_TEXT]);

#endif

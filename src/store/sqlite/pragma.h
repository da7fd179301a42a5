/* pragma.h: how every connection is set up, in one table. */
#ifndef STORE_SQLITE_PRAGMA_H
#define STORE_SQLITE_PRAGMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

#define PRAGMA_WRITER_BUSY_MS 100   /* then the writer's own retry takes over */
#define PRAGMA_READER_BUSY_MS 1000
/* The writer gives the WAL's space back above this. */
#define PRAGMA_WAL_BYTES (8 << 20)

/* Set and read back all of them. ERR_STORE with SQLite's code in *ret_rc:
 * a required one does not hold. memory: no WAL there. */
enum err pragma_apply(sqlite3 *db, bool reader, bool memory, int *ret_rc,
    struct errinfo *ei) MUST_USE;

#endif

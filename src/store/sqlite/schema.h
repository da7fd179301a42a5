/* schema.h: the tables, as numbered migrations. Each runs in a transaction of
 * its own together with its ledger row. */
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SCHEMA_APPLICATION 0x76644554   /* "vdET": whose file this is */

/* ERR_INVALID: another program's file, a newer schema, or a migration that is
 * not the one we know. ERR_STORE: sqlite3_errcode tells; the caller rolls back
 * what may be open. */
enum err schema_migrate(sqlite3 *db, const char *path, int64_t now_us,
    struct errinfo *ei) MUST_USE;

/* The same without changing anything; *ret_older: some are still to run. */
enum err schema_verify(sqlite3 *db, const char *path, bool *ret_older,
    struct errinfo *ei) MUST_USE;

/* What its migrations made and is not there any more, or is not as it was made:
 * each is called with words for it. Tables and indexes of others are none of
 * our business. */
struct schema_flaw {
	bool missing;
	const char *type, *name;   /* "table" … */
};
enum err schema_compare(sqlite3 *db, const char *path,
    void (*each)(void *arg, const struct schema_flaw *f), void *arg,
    struct errinfo *ei) MUST_USE;

#endif

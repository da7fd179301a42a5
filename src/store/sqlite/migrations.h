/* migrations.h: the tables, step by step. To add one: append a row. Never
 * change one that was released: its checksum is in every ledger. */
#ifndef STORE_SQLITE_MIGRATIONS_H
#define STORE_SQLITE_MIGRATIONS_H

#include <stddef.h>

struct migration {
	const char *name;
	const char *sql;
};
extern const struct migration migrations[];
extern const size_t nmigrations;

#endif

/* sql.h: the text of every statement, for SQLite. */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#include "store/backend.h"

extern const char *const sql_text[STMT_NMAX];

#endif

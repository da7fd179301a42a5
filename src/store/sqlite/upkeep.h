/* upkeep.h: maintenance of a SQLite file in small pieces. */
#ifndef STORE_SQLITE_UPKEEP_H
#define STORE_SQLITE_UPKEEP_H

#include <sqlite3.h>

#include "store/backend.h"

/* Rows that ANALYZE looks at of each index: milliseconds, whatever its size. */
#define UPKEEP_ANALYSIS_LIMIT 400
#define UPKEEP_MERGE_PAGES    64     /* of a search index, between two looks */
#define UPKEEP_PIECE_NS INT64_C(10000000)   /* at the clock */

/* backend_ops.upkeep for ANALYZE and SEARCH: SQLite's code. */
int upkeep_piece(sqlite3 *db, enum upkeep_step step, unsigned at,
    bool *ret_more, uint64_t *ret_total);

#endif

/* copy.h: a consistent copy of a database while others write to it. */
#ifndef STORE_SQLITE_COPY_H
#define STORE_SQLITE_COPY_H

#include "store/backend.h"

/* backend_ops.copy. to exists and is empty; its directory is writable. */
enum err copy_database(const struct backend_conf *from, const char *to,
    const struct backend_turn *turn, struct errinfo *ei) MUST_USE;

#endif

/* birth.h: is there a store, was there one, or is this the first start? A new
 * database gets its name when it is whole, so that an empty file of that name
 * is never one of ours that was only begun: it is what a disk or a person left
 * of one, and nothing is put in its place. Before the database is opened, with
 * the lock file held. */
#ifndef STORE_BIRTH_H
#define STORE_BIRTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Where nothing was, a new database is made. known: a daemon has had its lock
 * here before. ERR_INVALID: something was here and is not any more, and what
 * may be done. */
enum err birth_of(const char *path, bool known, int64_t now_us,
    struct errinfo *ei) MUST_USE;

/* Room for what a start writes, on a full disk: a part of the journal's reserve
 * is given up when there is too little. */
void birth_room(const char *path);
/* For who only looks: is there a file with something in it? ERR_NOT_FOUND,
 * ERR_INVALID: what is there instead. Makes nothing. */
enum err birth_there(const char *path, struct errinfo *ei) MUST_USE;

#endif

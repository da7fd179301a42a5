/* quarantine_files.h: what is on its way into quarantine, and the files that
 * hold what the database does not even take as a row; for quarantine*.c. */
#ifndef STORE_QUARANTINE_FILES_H
#define STORE_QUARANTINE_FILES_H

#include "store/quarantine.h"

#define SICK_UNKNOWN 255   /* a kind that the bytes do not tell */

struct sick {
	int64_t at_us;
	uint8_t kind;             /* enum unit_kind */
	uint32_t monitor;         /* 0: none, or not known */
	uint64_t seq;             /* of its record; 0: none */
	int64_t retried;          /* a row that was tried again in vain; 0 */
	char reason[QUARANTINE_REASON];
	char *bytes;              /* owned */
	size_t n;
};

struct ward {
	struct sick v[QUARANTINE_OWED];
	size_t n, put;
	bool writing;
	_Atomic uint64_t rows, files;
	/* a row that is tried again: */
	struct slot again;        /* its unit, owned */
	bool late;                /* newer ones of its monitor are stored */
};

/* quarantine.c. There is room. */
struct sick *quarantine_add(struct store *s, struct str bytes,
    const char *reason);

/* DATA/journal/N.unit, durable when it says so. */
enum err quarantine_file(struct store *s, const struct sick *k,
    struct errinfo *ei) MUST_USE;
/* Files become rows where the database takes them now. */
enum err quarantine_import(struct store *s, struct errinfo *ei) MUST_USE;

#endif

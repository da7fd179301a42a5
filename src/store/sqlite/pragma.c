#include "store/sqlite/pragma.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

enum severity { REQUIRED, WISHED };

/* NULL: not set on that kind of connection. want is what must be read back;
 * it equals what was set where it is NULL. */
struct pragma {
	const char *name;
	enum severity severity;
	const char *writer, *reader, *want;
};

/* In this order: the busy timeout first, so that nothing after it fails on a
 * lock; page size and vacuum mode before WAL, since afterwards they do
 * nothing. Pages of 4 KiB: a small commit writes whole pages, and most of our
 * commits are small; the tail's blocks fit two to a page. */
static const struct pragma pragmas[] = {
	{"busy_timeout", REQUIRED, TEXT_OF(PRAGMA_WRITER_BUSY_MS),
	    TEXT_OF(PRAGMA_READER_BUSY_MS), NULL},
	{"page_size", WISHED, "4096", NULL, NULL},
	{"auto_vacuum", WISHED, "2", NULL, NULL},
	{"journal_mode", REQUIRED, "wal", "", "wal"},
	{"synchronous", REQUIRED, "2", "2", NULL},
	{"foreign_keys", REQUIRED, "1", "1", NULL},
	/* We checkpoint ourselves, in the writer, and look at the outcome. */
	{"wal_autocheckpoint", REQUIRED, "0", "0", NULL},
	{"query_only", REQUIRED, "0", "1", NULL},
	{"cache_size", WISHED, "-8192", "-1024", NULL},
	{"mmap_size", WISHED, "0", "0", NULL},   /* an I/O error is no SIGBUS */
	{"temp_store", WISHED, "2", "2", NULL},
	{"secure_delete", WISHED, "2", NULL, NULL},
	{"cell_size_check", WISHED, "1", "1", NULL},
	{"trusted_schema", WISHED, "0", "0", NULL},
	{"journal_size_limit", WISHED, TEXT_OF(8388608), NULL, NULL},
};
_Static_assert(PRAGMA_WAL_BYTES == 8388608, "the row above says the same");

static int
ask(sqlite3 *db, const char *sql, char *ret, size_t size)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	ret[0] = '\0';
	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const unsigned char *t = sqlite3_column_text(st, 0);

		if (t != NULL)
			snprintf(ret, size, "%s", (const char *)t);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* What holds already is not set again: setting auto_vacuum writes to the
 * file, and a file that we refuse must stay as it is. */
static int
set_and_read(sqlite3 *db, const struct pragma *p, const char *value,
    char *have, size_t size)
{
	const char *want = p->want != NULL ? p->want : value;
	char get[96], set[96];
	int rc;

	snprintf(get, sizeof(get), "PRAGMA %s", p->name);
	rc = ask(db, get, have, size);
	if (rc != SQLITE_OK || value[0] == '\0' || strcmp(have, want) == 0)
		return rc;
	snprintf(set, sizeof(set), "PRAGMA %s=%s", p->name, value);
	rc = ask(db, set, have, size);
	return rc == SQLITE_OK ? ask(db, get, have, size) : rc;
}

enum err
pragma_apply(sqlite3 *db, bool reader, bool memory, int *ret_rc,
    struct errinfo *ei)
{
	for (size_t i = 0; i < COUNT(pragmas); i++) {
		const struct pragma *p = &pragmas[i];
		const char *value = reader ? p->reader : p->writer;
		const char *want = p->want != NULL ? p->want : value;
		char have[64];
		const char *got = have;

		if (value == NULL || (memory && p->want != NULL))
			continue;
		*ret_rc = set_and_read(db, p, value, have, sizeof(have));
		if (*ret_rc == SQLITE_OK && strcmp(have, want) == 0)
			continue;
		if (*ret_rc == SQLITE_OK && p->severity == WISHED) {
			log_debug("store", "a pragma does not hold",
			    KV("name", p->name), KV("want", want),
			    KV("have", got));
			continue;
		}
		if (*ret_rc != SQLITE_OK)
			return fail(ei, ERR_STORE, "PRAGMA %s: %s", p->name,
			    sqlite3_errmsg(db));
		return fail(ei, ERR_STORE, "PRAGMA %s is %s, must be %s; is the"
		    " file system one that allows shared memory?", p->name,
		    have, want);
	}
	return ERR_OK;
}

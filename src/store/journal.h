/* journal.h: what must be durable while the database is not to be had. Files
 * DATA/journal/N.seg of records in order; a record is a unit in wire form
 * (unit_code.h), found again by length and CRC-32C. Knows nothing of units.
 *
 * One thread appends and trims (the journal's), one reads (the writer);
 * before those run, one does it all.
 *
 *   segment: "VEDJRNL1", journal id (8), number (8), CRC-32C (4), 0 (4);
 *   record:  CRC-32C of the rest (4), length (4), the segment's number (4),
 *            flags (4), sequence (8), bytes, zeros up to a multiple of 8.
 *   eight zero bytes end it. The number tells the records of a file's
 *   earlier life from those of this one.
 *
 * Room: some segments are set aside on the disk from the beginning, the
 * reserve. Records that may not be refused use it when nothing else is left;
 * others have what the disk and the size allowed give beyond it. A segment
 * whose records are committed becomes reserve again, or goes. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hist.h"
#include "store/filesys.h"

#define JOURNAL_RECORD_MAX (2u << 20)
#define JOURNAL_SEGMENT    (4u << 20)   /* bytes, unless a test says less */

struct journal;

struct journal_conf {
	char dir[520];
	const struct filesys *fs;     /* NULL: the real one */
	uint64_t id;               /* of the database it belongs to */
	uint64_t size;             /* bytes, the reserve not counted */
	uint64_t reserve;          /* bytes */
	uint32_t segment;          /* bytes; 0: JOURNAL_SEGMENT */
};

struct journal_found {
	uint64_t records, last_seq;
	uint64_t cut_bytes;        /* of a torn tail */
	uint64_t damaged;          /* whole stretches that cannot be read */
	uint64_t foreign;          /* files of another database, set aside */
};

/* Looks at all there is; damaged or torn files are no reason to fail, a disk
 * that cannot be read is. */
enum err journal_open(const struct journal_conf *c, struct journal **ret,
    struct journal_found *found, struct errinfo *ei) MUST_USE;
void journal_close(struct journal *j);   /* NULL is fine */
/* One file of the reserve in dir goes, for a start that finds no room to write
 * in. Before journal_open. False: there is none. */
bool journal_yield(const char *dir);

struct journal_record {
	uint64_t seq;
	struct str bytes;          /* at most JOURNAL_RECORD_MAX */
};
struct journal_batch {
	const struct journal_record *v;
	size_t n;
	bool may_reserve;          /* the reserve may be used */
	size_t durable;            /* out: the first so many are */
};
/* In order, numbers rising. ERR_OK: all are durable. Otherwise the rest do not
 * count, but may be found again after a crash: their numbers are never given
 * to other units. ERR_LIMIT: no room. ERR_SYS: the disk. The journal's
 * thread. */
enum err journal_append(struct journal *j, struct journal_batch *b,
    struct errinfo *ei) MUST_USE;

/* Calls each for the durable records above after, in order, as long as it
 * says so; bytes are borrowed until it returns. ERR_OK: there are no more or
 * it stopped. A stretch that cannot be read is passed over, and counted. The
 * writer's thread. */
enum err journal_read(struct journal *j, uint64_t after,
    bool (*each)(void *arg, const struct journal_record *r), void *arg,
    struct errinfo *ei) MUST_USE;

/* Within its size: by so many bytes, the reserve not counted. Any thread. */
void journal_may_grow(struct journal *j, uint64_t bytes);
/* Everything up to seq is committed. Any thread. */
void journal_committed(struct journal *j, uint64_t seq);
/* Files that hold nothing else become reserve or go; the reserve is filled up
 * to its size, one segment per call. ERR_AGAIN: there is more to do. The
 * journal's thread. */
enum err journal_trim(struct journal *j, struct errinfo *ei) MUST_USE;

struct journal_stats {
	_Atomic uint64_t bytes;        /* of files with records */
	_Atomic uint64_t reserve;      /* of files set aside */
	_Atomic uint64_t records;      /* appended since the start */
	_Atomic uint64_t damaged;
	_Atomic uint64_t last, done;   /* durable; committed */
	struct hist fsync;
};
const struct journal_stats *journal_stats(const struct journal *j);

#endif

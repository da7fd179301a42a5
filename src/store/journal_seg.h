/* journal_seg.h: one file of the journal, and the journal's insides, for
 * journal.c and journal_scan.c only. */
#ifndef STORE_JOURNAL_SEG_H
#define STORE_JOURNAL_SEG_H

#include <pthread.h>

#include "store/journal.h"

#define SEG_HEAD  32     /* bytes of a segment's head */
#define REC_HEAD  24     /* of a record's */
#define SEG_END   8      /* zeros after the last record */
#define SEGS_MAX  4096   /* files with records, at most */
#define PATH_BYTES 560

enum { REC_FIRST = 1 };  /* flag: first of a batch; all before it was synced */

struct seg {
	uint64_t no;
	uint64_t first, last;   /* durable records in it; 0: none */
	uint64_t tried;         /* the highest number ever written to it */
	uint32_t end;           /* where the durable records end */
	bool reserve;           /* made from it */
	bool damaged;
};

/* What the reader has in hand: the bytes of one segment. */
struct seg_reader {
	uint64_t no, seq;       /* the last record given */
	uint32_t off;           /* the next one's */
	uint32_t have;
	unsigned char *p;       /* owned; NULL: nothing in hand */
};

struct journal {
	struct journal_conf conf;
	const struct filesys *fs;
	pthread_mutex_t mu;     /* segs, nsegs; the rest has one owner */
	struct seg segs[SEGS_MAX];   /* by number; the last may be open */
	size_t nsegs;
	uint64_t next_no;
	int fd;                 /* of the last segment; -1: none is open */
	uint64_t *spares;       /* owned; numbers of the reserve's files */
	size_t nspares, spares_cap;
	struct buf out;         /* being written */
	struct seg_reader rd;
	struct journal_stats stats;
	_Atomic uint64_t bound; /* of the bytes beside the reserve */
};

enum seg_step {
	SEG_RECORD,   /* *r is one, *off behind it */
	SEG_GAP,      /* damaged bytes were passed over; ask again */
	SEG_OVER      /* no more; *off is where they end */
};
/* One step through bytes [*off, n) of segment no. Pure. */
enum seg_step seg_next(const unsigned char *p, uint32_t n, uint64_t no,
    uint32_t *off, struct journal_record *r, bool *ret_first);
void seg_head_put(unsigned char dst[SEG_HEAD], uint64_t id, uint64_t no);
/* False: not the head of segment no. */
bool seg_head_get(const unsigned char *p, uint64_t no, uint64_t *ret_id);
/* Appends a record to b. */
void seg_record_put(struct buf *b, uint64_t no, const struct journal_record *r,
    bool first);
/* How many bytes a record of so many takes. */
uint64_t seg_record_size(uint64_t n);
const char *seg_path(const struct journal *j, uint64_t no, const char *suffix,
    char dst[PATH_BYTES]);

/* journal_scan.c: what lies there at the start. */
enum err journal_scan(struct journal *j, struct journal_found *f,
    struct errinfo *ei) MUST_USE;

#endif

/* journal_scan.c: what lies there when the journal is opened. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/journal_seg.h"

struct names {
	uint64_t *segs, *spares;    /* owned */
	size_t nsegs, nspares, segs_cap, spares_cap;
	uint64_t highest;
};

static void
add(uint64_t **v, size_t *n, size_t *cap, uint64_t no)
{
	if (*n == *cap) {
		*cap = *cap == 0 ? 16 : *cap * 2;
		*v = xrealloc(*v, *cap, sizeof(**v));
	}
	(*v)[(*n)++] = no;
}

/* Sixteen hexadecimal digits, a dot, and what it is. Others are not ours. */
static void
take_name(void *arg, const char *name)
{
	struct names *f = arg;
	uint64_t no = 0;

	for (int i = 0; i < 16; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = name[i] == '\0' ? NULL :
		    strchr(digits, name[i]);

		if (at == NULL)
			return;
		no = no << 4 | (uint64_t)(at - digits);
	}
	if (name[16] != '.')
		return;
	f->highest = MAX(f->highest, no);
	if (strcmp(name + 17, "seg") == 0 && f->nsegs < SEGS_MAX)
		add(&f->segs, &f->nsegs, &f->segs_cap, no);
	else if (strcmp(name + 17, "spare") == 0)
		add(&f->spares, &f->nspares, &f->spares_cap, no);
}

static int
order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t
used(const unsigned char *p, uint64_t from, uint64_t n)
{
	while (n > from && p[n - 1] == 0)
		n--;
	return n - from;
}

/* The records of one file, and where they end. */
static void
count(struct seg *g, const unsigned char *p, uint32_t n,
    struct journal_found *f)
{
	struct journal_record r;
	uint32_t off = SEG_HEAD;
	bool first;
	enum seg_step step;

	while ((step = seg_next(p, n, g->no, &off, &r, &first)) != SEG_OVER) {
		if (step == SEG_GAP) {
			g->damaged = true;
			f->damaged++;
			continue;
		}
		if (g->first == 0)
			g->first = r.seq;
		g->last = MAX(g->last, r.seq);
		f->records++;
	}
	g->end = off;
	g->tried = g->last;
}

static const unsigned char zeros[SEG_END];

/* Below where the records end something was begun and never acknowledged:
 * it goes, so that it is reported once. */
static int
cut(struct journal *j, int fd, const struct seg *g, const unsigned char *p,
    uint32_t n, struct journal_found *f)
{
	uint64_t torn;

	if (n - g->end < SEG_END ||
	    memcmp(p + g->end, zeros, SEG_END) == 0)
		return 0;
	torn = used(p, g->end, n);
	f->cut_bytes += torn;
	log_warn("journal", "a torn end was cut at the last whole record",
	    KV_I("segment", (int64_t)g->no), KV_I("bytes", (int64_t)torn));
	if (j->fs->truncate(fd, g->end) != 0)
		return -1;
	return j->fs->sync(fd);
}

static int
set_aside(struct journal *j, uint64_t no, const char *suffix)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	if (j->fs->rename(seg_path(j, no, "seg", from),
	    seg_path(j, no, suffix, to)) != 0)
		return -1;
	return j->fs->sync_dir(j->conf.dir);
}

static int
drop(struct journal *j, uint64_t no)
{
	char path[PATH_BYTES];

	return j->fs->remove(seg_path(j, no, "seg", path));
}

/* Not one record to be read: its first may have been cut off by a crash before
 * anybody was told of it. Without a head it may have held anything. */
static int
nothing_in(struct journal *j, struct seg *g, bool headed,
    const unsigned char *p, uint32_t n, struct journal_found *f)
{
	if (!g->damaged && (headed || used(p, 0, n) == 0))
		return drop(j, g->no);
	f->damaged += !g->damaged;
	log_error("journal", "a file of which nothing can be read was set"
	    " aside as *.damaged", KV_I("segment", (int64_t)g->no));
	return set_aside(j, g->no, "damaged");
}

/* What a file's bytes say; -1: the disk. */
static int
judge(struct journal *j, int fd, struct seg *g, struct str bytes,
    struct journal_found *f)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	uint32_t n = (uint32_t)bytes.n;
	uint64_t id = j->conf.id;
	bool headed;

	if (n < SEG_HEAD)
		return drop(j, g->no);   /* it never held anything */
	headed = seg_head_get(p, g->no, &id);
	if (id != j->conf.id) {
		f->foreign++;
		log_error("journal", "records of another database were set"
		    " aside", KV_I("segment", (int64_t)g->no));
		return set_aside(j, g->no, "other");
	}
	count(g, p, n, f);
	if (g->first == 0)
		return nothing_in(j, g, headed, p, n, f);
	if (!headed) {
		g->damaged = true;
		f->damaged++;
	}
	if (g->damaged)
		log_error("journal", "damaged: what can be read of it is"
		    " taken, the file is kept as *.damaged",
		    KV_I("segment", (int64_t)g->no));
	f->last_seq = MAX(f->last_seq, g->last);
	j->segs[j->nsegs++] = *g;
	return cut(j, fd, g, p, n, f);
}

static int
look(struct journal *j, uint64_t no, struct journal_found *f)
{
	struct seg g = {.no = no};
	char path[PATH_BYTES];
	unsigned char *p CLEANUP(xfreep) = NULL;
	int fd = j->fs->open(seg_path(j, no, "seg", path), false), rc = -1;
	int64_t n, have;

	if (fd < 0)
		return -1;
	n = j->fs->size(fd);
	if (n >= 0) {
		n = MIN(n, (int64_t)j->conf.segment + JOURNAL_RECORD_MAX);
		p = xcalloc((size_t)n + 1, 1);
		have = j->fs->read(fd, p, (size_t)n, 0);
		if (have >= 0)
			rc = judge(j, fd, &g, (struct str){(const char *)p,
			    (size_t)have}, f);
	}
	if (j->fs->close(fd) != 0)
		return -1;
	return rc;
}

enum err
journal_scan(struct journal *j, struct journal_found *f, struct errinfo *ei)
{
	struct names names = {0};
	bool ok = j->fs->make_dir(j->conf.dir) == 0 &&
	    j->fs->list(j->conf.dir, take_name, &names) == 0;

	if (names.nsegs > 0)
		qsort(names.segs, names.nsegs, sizeof(uint64_t), order);
	for (size_t i = 0; ok && i < names.nsegs; i++)
		ok = look(j, names.segs[i], f) == 0;
	if (!ok) {
		xfree(names.segs);
		xfree(names.spares);
		return fail(ei, ERR_SYS, "cannot read the journal %s: %s",
		    j->conf.dir, strerror(errno));
	}
	xfree(names.segs);
	j->spares = names.spares;
	j->nspares = names.nspares;
	j->spares_cap = names.spares_cap;
	j->next_no = names.highest + 1;
	return ERR_OK;
}

static void
spare_seen(void *arg, const char *name)
{
	char *found = arg;

	if (strlen(name) == 22 && strcmp(name + 16, ".spare") == 0)
		memcpy(found, name, 23);
}

bool
journal_yield(const char *dir)
{
	char name[23] = "", path[PATH_BYTES];

	if (filesys_real.list(dir, spare_seen, name) != 0 || name[0] == '\0' ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return false;
	return filesys_real.remove(path) == 0;
}

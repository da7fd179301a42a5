#include "store/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/journal_seg.h"
#include "world/world.h"

static enum err
disk_failed(struct journal *j, const char *what, struct errinfo *ei)
{
	int why = errno;
	bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;

	return fail(ei, full ? ERR_LIMIT : ERR_SYS, "the journal %s: %s: %s",
	    j->conf.dir, what, strerror(why));
}

static void
count_bytes(struct journal *j)
{
	uint64_t reserve = j->nspares * (uint64_t)j->conf.segment, bytes = 0;

	for (size_t i = 0; i < j->nsegs; i++)
		bytes += j->segs[i].end;
	atomic_store(&j->stats.bytes, bytes);
	atomic_store(&j->stats.reserve, reserve);
}

enum err
journal_open(const struct journal_conf *c, struct journal **ret,
    struct journal_found *found, struct errinfo *ei)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	enum err e;

	memset(found, 0, sizeof(*found));
	j->conf = *c;
	j->fs = c->fs != NULL ? c->fs : &filesys_real;
	if (j->conf.segment == 0)
		j->conf.segment = JOURNAL_SEGMENT;
	j->fd = -1;
	j->bound = UINT64_MAX;
	buf_init(&j->out, (size_t)j->conf.segment);
	if (pthread_mutex_init(&j->mu, NULL) != 0)
		abort();
	e = journal_scan(j, found, ei);
	if (e != ERR_OK) {
		journal_close(j);
		return e;
	}
	atomic_store(&j->stats.last, found->last_seq);
	atomic_store(&j->stats.damaged, found->damaged);
	count_bytes(j);
	*ret = j;
	return ERR_OK;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		(void)j->fs->close(j->fd);
	pthread_mutex_destroy(&j->mu);
	buf_free(&j->out);
	xfree(j->spares);
	xfree(j->rd.p);
	xfree(j);
}

const struct journal_stats *
journal_stats(const struct journal *j)
{
	return &j->stats;
}

/* -- room --------------------------------------------------------------- */
/* The last segment takes no more: it is full, or the disk failed under it. */
static void
shut(struct journal *j)
{
	if (j->fd >= 0)
		(void)j->fs->close(j->fd);
	j->fd = -1;
}

/* A file of full size with nothing in it, not yet part of anything. */
static int
make_file(struct journal *j, uint64_t no, char path[PATH_BYTES])
{
	int fd = j->fs->open(seg_path(j, no, "spare", path), true);

	if (fd < 0)
		return -1;
	if (j->fs->allocate(fd, j->conf.segment) == 0)
		return fd;
	{
		int why = errno;

		(void)j->fs->close(fd);
		(void)j->fs->remove(path);
		errno = why;
	}
	return -1;
}

/* The head is on the disk before the file has its name, and the name before
 * anything is in it. */
static int
christen(struct journal *j, int fd, uint64_t no, const char *from)
{
	unsigned char head[SEG_HEAD + SEG_END] = {0};
	char to[PATH_BYTES];

	seg_head_put(head, j->conf.id, no);
	if (j->fs->write(fd, head, sizeof(head), 0) != 0 ||
	    j->fs->sync(fd) != 0 ||
	    j->fs->rename(from, seg_path(j, no, "seg", to)) != 0)
		return -1;
	return j->fs->sync_dir(j->conf.dir);
}

static uint64_t
taken(const struct journal *j)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < j->nsegs; i++)
		if (!j->segs[i].reserve)
			bytes += j->conf.segment;
	return bytes;
}

void
journal_may_grow(struct journal *j, uint64_t bytes)
{
	uint64_t have;

	pthread_mutex_lock(&j->mu);
	have = taken(j);
	pthread_mutex_unlock(&j->mu);
	atomic_store(&j->bound, bytes > UINT64_MAX - have ? UINT64_MAX :
	    have + bytes);
}

static bool
room_allowed(const struct journal *j)
{
	uint64_t max = MIN(j->conf.size, atomic_load(&j->bound));

	return j->nsegs < SEGS_MAX && taken(j) + j->conf.segment <= max;
}

static enum err
open_with(struct journal *j, int fd, const char *from, bool reserve,
    struct errinfo *ei)
{
	struct seg *g;

	if (christen(j, fd, j->next_no, from) != 0) {
		enum err e = disk_failed(j, "cannot begin a segment", ei);

		(void)j->fs->close(fd);
		j->next_no++;
		return e;
	}
	pthread_mutex_lock(&j->mu);
	g = &j->segs[j->nsegs++];
	*g = (struct seg){.no = j->next_no++, .end = SEG_HEAD,
	    .reserve = reserve};
	pthread_mutex_unlock(&j->mu);
	j->fd = fd;
	return ERR_OK;
}

static enum err
from_reserve(struct journal *j, struct errinfo *ei)
{
	char path[PATH_BYTES];
	int fd;

	shut(j);
	while (j->nspares > 0 && j->nsegs < SEGS_MAX) {
		uint64_t no = j->spares[--j->nspares];

		fd = j->fs->open(seg_path(j, no, "spare", path), false);
		if (fd < 0)
			continue;   /* it is no reserve */
		if (j->fs->allocate(fd, j->conf.segment) == 0)
			return open_with(j, fd, path, true, ei);
		(void)j->fs->close(fd);
	}
	return fail(ei, ERR_LIMIT, "the journal %s and its reserve are full",
	    j->conf.dir);
}

static enum err
roll(struct journal *j, bool may_reserve, struct errinfo *ei)
{
	char path[PATH_BYTES];
	enum err e = ERR_LIMIT;
	int fd;

	/* Until there is another, the open one goes on: a segment of the
	 * reserve would be lost to each record that may not use it. */
	if (room_allowed(j)) {
		fd = make_file(j, j->next_no, path);
		if (fd >= 0) {
			shut(j);
			return open_with(j, fd, path, false, ei);
		}
		e = disk_failed(j, "cannot grow", ei);
	} else {
		(void)fail(ei, ERR_LIMIT, "the journal %s is full",
		    j->conf.dir);
	}
	return may_reserve ? from_reserve(j, ei) : e;
}

/* -- appending ---------------------------------------------------------- */
/* What is in out becomes durable: one write, one sync. */
static enum err
flush(struct journal *j, uint64_t first, uint64_t last, size_t n,
    struct errinfo *ei)
{
	struct seg *g = &j->segs[j->nsegs - 1];
	size_t bytes = j->out.n;
	int64_t began_ns;
	enum err e = ERR_OK;

	buf_add(&j->out, (struct str){"\0\0\0\0\0\0\0", SEG_END});
	assert(buf_ok(&j->out));
	pthread_mutex_lock(&j->mu);   /* the reader copies all of it */
	g->tried = last;
	pthread_mutex_unlock(&j->mu);
	began_ns = clock_mono_ns();
	if (j->fs->write(j->fd, j->out.p, j->out.n, g->end) != 0)
		e = disk_failed(j, "cannot write", ei);
	else if (j->fs->sync(j->fd) != 0)
		e = disk_failed(j, "cannot sync", ei);
	buf_clear(&j->out);
	if (e != ERR_OK) {
		/* After a failed sync nobody knows what is on the disk: never
		 * sync that file again and believe it. */
		shut(j);
		return e;
	}
	hist_add(&j->stats.fsync, clock_mono_ns() - began_ns);
	pthread_mutex_lock(&j->mu);
	if (g->first == 0)
		g->first = first;
	g->last = last;
	g->end += (uint32_t)bytes;
	pthread_mutex_unlock(&j->mu);
	atomic_store(&j->stats.last, last);
	atomic_fetch_add(&j->stats.records, n);
	return ERR_OK;
}

static enum err
append_some(struct journal *j, struct journal_batch *b, struct errinfo *ei)
{
	const struct journal_record *first = &b->v[b->durable];
	uint64_t size = seg_record_size(first->bytes.n);
	struct seg *g = j->fd >= 0 ? &j->segs[j->nsegs - 1] : NULL;
	size_t i = b->durable;
	uint64_t room;
	enum err e = ERR_OK;

	assert(size + SEG_HEAD + SEG_END <= j->conf.segment);
	if (g == NULL || (g->reserve && !b->may_reserve) ||
	    g->end + size + SEG_END > j->conf.segment)
		e = roll(j, b->may_reserve, ei);
	if (e != ERR_OK)
		return e;
	g = &j->segs[j->nsegs - 1];
	room = j->conf.segment - SEG_END - g->end;
	for (; i < b->n; i++) {
		if (j->out.n + seg_record_size(b->v[i].bytes.n) > room)
			break;
		seg_record_put(&j->out, g->no, &b->v[i], i == b->durable);
	}
	e = flush(j, first->seq, b->v[i - 1].seq, i - b->durable, ei);
	if (e == ERR_OK)
		b->durable = i;
	return e;
}

enum err
journal_append(struct journal *j, struct journal_batch *b, struct errinfo *ei)
{
	enum err e = ERR_OK;

	b->durable = 0;
	while (e == ERR_OK && b->durable < b->n)
		e = append_some(j, b, ei);
	count_bytes(j);
	return e;
}

/* -- trimming ----------------------------------------------------------- */
void
journal_committed(struct journal *j, uint64_t seq)
{
	uint64_t was = atomic_load(&j->stats.done);

	while (was < seq && !atomic_compare_exchange_weak(&j->stats.done, &was,
	    seq))
		;
}

static void
add_spare(struct journal *j, uint64_t no)
{
	if (j->nspares == j->spares_cap) {
		j->spares_cap = j->spares_cap == 0 ? 16 : j->spares_cap * 2;
		j->spares = xrealloc(j->spares, j->spares_cap,
		    sizeof(*j->spares));
	}
	j->spares[j->nspares++] = no;
}

/* What is in use is still the reserve: it is not set aside once more while
 * room is scarce, but comes back when its records are committed. but: leave
 * that one out, or NULL. */
static bool
reserve_short(const struct journal *j, const struct seg *but)
{
	uint64_t n = j->nspares;

	for (size_t i = 0; i < j->nsegs; i++)
		n += j->segs[i].reserve &&
		    (but == NULL || j->segs[i].no != but->no);
	return (n + 1) * (uint64_t)j->conf.segment <= j->conf.reserve;
}

static int64_t
size_of(struct journal *j, const char *path)
{
	int fd = j->fs->open(path, false);
	int64_t n = fd < 0 ? -1 : j->fs->size(fd);

	if (fd >= 0)
		(void)j->fs->close(fd);
	return n;
}

/* Its file becomes reserve when that is short and it is of full size. A
 * damaged one is kept beside: somebody may want to look at it. */
static enum err
retire(struct journal *j, const struct seg *g, struct errinfo *ei)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	bool spare;

	seg_path(j, g->no, "seg", from);
	spare = !g->damaged && reserve_short(j, g) &&
	    size_of(j, from) == (int64_t)j->conf.segment;
	seg_path(j, g->no, g->damaged ? "damaged" : "spare", to);
	if (g->damaged || spare) {
		if (j->fs->rename(from, to) != 0 && errno != ENOENT)
			return disk_failed(j, "cannot rename", ei);
	} else if (j->fs->remove(from) != 0 && errno != ENOENT) {
		return disk_failed(j, "cannot remove", ei);
	}
	if (spare)
		add_spare(j, g->no);
	return ERR_OK;
}

static enum err
fill_reserve(struct journal *j, struct errinfo *ei)
{
	char path[PATH_BYTES];
	int fd;

	if (!reserve_short(j, NULL))
		return ERR_OK;
	fd = make_file(j, j->next_no, path);
	if (fd < 0 || j->fs->sync(fd) != 0) {
		enum err e = disk_failed(j, "cannot set its reserve aside",
		    ei);

		if (fd >= 0)
			(void)j->fs->close(fd);
		return e;
	}
	(void)j->fs->close(fd);
	add_spare(j, j->next_no++);
	count_bytes(j);
	return reserve_short(j, NULL) ? fail(ei, ERR_AGAIN, "more to do") : ERR_OK;
}

static enum err
retire_done(struct journal *j, size_t *ret_n, struct errinfo *ei)
{
	uint64_t done = atomic_load(&j->stats.done);
	enum err e = ERR_OK;

	*ret_n = 0;
	while (e == ERR_OK && j->nsegs > 0 && j->segs[0].tried <= done) {
		struct seg g = j->segs[0];

		if (j->nsegs == 1 && j->fd >= 0) {
			/* An open one without a record waits for its first. */
			if (g.tried == 0)
				break;
			shut(j);
		}
		e = retire(j, &g, ei);
		if (e != ERR_OK)
			break;
		pthread_mutex_lock(&j->mu);
		j->nsegs--;
		memmove(j->segs, j->segs + 1, j->nsegs * sizeof(j->segs[0]));
		pthread_mutex_unlock(&j->mu);
		(*ret_n)++;
	}
	return e;
}

enum err
journal_trim(struct journal *j, struct errinfo *ei)
{
	size_t n = 0;
	enum err e = retire_done(j, &n, ei);

	if (n > 0 && j->fs->sync_dir(j->conf.dir) != 0 && e == ERR_OK)
		e = disk_failed(j, "cannot sync the directory", ei);
	count_bytes(j);
	return e == ERR_OK ? fill_reserve(j, ei) : e;
}

/* -- reading ------------------------------------------------------------ */
/* The segment that holds the first durable record above after. */
static bool
find(struct journal *j, uint64_t after, struct seg *ret)
{
	bool found = false;

	pthread_mutex_lock(&j->mu);
	for (size_t i = 0; i < j->nsegs && !found; i++)
		if (j->segs[i].last > after) {
			*ret = j->segs[i];
			found = true;
		}
	pthread_mutex_unlock(&j->mu);
	return found;
}

static enum err
load(struct journal *j, const struct seg *g, struct errinfo *ei)
{
	struct seg_reader *rd = &j->rd;
	char path[PATH_BYTES];
	int64_t n = -1;
	int fd;

	if (rd->p != NULL && rd->no == g->no && rd->have == g->end)
		return ERR_OK;
	if (rd->p == NULL || rd->no != g->no)
		*rd = (struct seg_reader){.no = g->no, .off = SEG_HEAD,
		    .p = xrealloc(rd->p, g->end, 1)};
	else
		rd->p = xrealloc(rd->p, g->end, 1);
	fd = j->fs->open(seg_path(j, g->no, "seg", path), false);
	if (fd >= 0)
		n = j->fs->read(fd, rd->p + rd->have, g->end - rd->have,
		    rd->have);
	if (fd < 0 || n < 0) {
		enum err e = disk_failed(j, "cannot read", ei);

		if (fd >= 0)
			(void)j->fs->close(fd);
		return e == ERR_LIMIT ? ERR_SYS : e;
	}
	(void)j->fs->close(fd);
	rd->have += (uint32_t)n;
	return ERR_OK;
}

/* False: each has had enough. *after moves on. */
static bool
read_segment(struct journal *j, uint64_t *after,
    bool (*each)(void *arg, const struct journal_record *r), void *arg)
{
	struct seg_reader *rd = &j->rd;
	struct journal_record r;
	bool first;

	if (rd->seq > *after)
		rd->off = SEG_HEAD;   /* asked for again from further back */
	for (;;) {
		uint32_t at = rd->off;

		switch (seg_next(rd->p, rd->have, rd->no, &rd->off, &r,
		    &first)) {
		case SEG_GAP:
			continue;
		case SEG_OVER:
			return true;
		case SEG_RECORD:
			if (r.seq > *after && !each(arg, &r)) {
				rd->off = at;
				return false;
			}
			*after = MAX(*after, r.seq);
			rd->seq = *after;
		}
	}
}

enum err
journal_read(struct journal *j, uint64_t after,
    bool (*each)(void *arg, const struct journal_record *r), void *arg,
    struct errinfo *ei)
{
	struct seg g;
	enum err e = ERR_OK;
	bool more = true;

	while (more && find(j, after, &g)) {
		e = load(j, &g, ei);
		if (e != ERR_OK)
			return e;
		more = read_segment(j, &after, each, arg);
		/* What should be there and cannot be read is damage. */
		if (more && after < g.last)
			after = g.last;
	}
	if (!more)
		return ERR_OK;
	xfree(j->rd.p);
	memset(&j->rd, 0, sizeof(j->rd));
	return ERR_OK;
}

#include "store/replay.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/crc32c.h"
#include "store/filesys.h"
#include "store/quarantine.h"
#include "store/rescue.h"
#include "store/unit_code.h"
#include "store/wire.h"
#include "world/world.h"

#define READ_BYTES (8u << 20)   /* in memory at once */
/* Two places, so that a write that is cut off leaves the other. */
#define PLACE      512
#define MARK_BYTES 36

/* Records [from, to] were being looked into for the count-th time. */
struct trial {
	uint64_t turn, from, to, count;
};

struct replay {
	const struct filesys *fs;
	char path[560];
	struct trial last;        /* as found, or as written */
	struct trial found;       /* as found at the start */
	bool starting;
	uint64_t skip_to;         /* a proof says that these are committed */
	struct raw { uint64_t seq; size_t at, n; } *v;   /* owned */
	size_t n, cap, limit;
	struct buf bytes;
};

/* -- the attempt file ----------------------------------------------------- */
static bool
trial_get(const unsigned char *p, struct trial *t)
{
	struct wire_in in = {p, MARK_BYTES, false};

	t->turn = wire_get_fixed(&in, 8);
	t->from = wire_get_fixed(&in, 8);
	t->to = wire_get_fixed(&in, 8);
	t->count = wire_get_fixed(&in, 8);
	return wire_get_fixed(&in, 4) == crc32c(p, MARK_BYTES - 4) &&
	    t->turn != 0;
}

static void
trial_put(const struct trial *t, unsigned char *p)
{
	struct wire_out o = {p, 0, MARK_BYTES, false};

	wire_fixed(&o, t->turn, 8);
	wire_fixed(&o, t->from, 8);
	wire_fixed(&o, t->to, 8);
	wire_fixed(&o, t->count, 8);
	wire_fixed(&o, crc32c(p, MARK_BYTES - 4), 4);
}

static enum err
trial_failed(struct store *s, struct errinfo *ei)
{
	s->db->fault = (struct backend_fault){OP_WRITE,
	    errno == ENOSPC ? CLASS_FULL : CLASS_IO, true};
	return fail(ei, ERR_STORE, "%s: %s", s->replay->path,
	    strerror(errno));
}

static enum err
trial_write(struct store *s, uint64_t from, uint64_t to, uint64_t count,
    struct errinfo *ei)
{
	struct replay *p = s->replay;
	unsigned char bytes[MARK_BYTES];
	int fd;
	bool ok;

	p->last = (struct trial){p->last.turn + 1, from, to, count};
	trial_put(&p->last, bytes);
	fd = p->fs->open(p->path, true);
	ok = fd >= 0 && p->fs->write(fd, bytes, sizeof(bytes),
	    (int64_t)(p->last.turn % 2) * PLACE) == 0 && p->fs->sync(fd) == 0;
	if (fd >= 0) {
		int why = errno;

		(void)p->fs->close(fd);
		errno = why;
	}
	return ok ? ERR_OK : trial_failed(s, ei);
}

enum err
replay_open(struct store *s, struct errinfo *ei)
{
	struct replay *p;
	unsigned char bytes[2 * PLACE] = {0};
	char *slash;
	int fd;

	if (s->rescue == NULL)
		return ERR_OK;
	p = xcalloc(1, sizeof(*p));
	s->replay = p;
	p->fs = s->conf.journal.fs != NULL ? s->conf.journal.fs :
	    &filesys_real;
	buf_init(&p->bytes, READ_BYTES + JOURNAL_RECORD_MAX);
	snprintf(p->path, sizeof(p->path), "%s", s->conf.path);
	slash = strrchr(p->path, '/');
	assert(slash != NULL);
	snprintf(slash, sizeof(p->path) - (size_t)(slash - p->path),
	    "/journal/attempt");
	fd = p->fs->open(p->path, false);
	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	if (fd < 0 || p->fs->read(fd, bytes, sizeof(bytes), 0) < 0) {
		if (fd >= 0)
			(void)p->fs->close(fd);
		return fail(ei, ERR_SYS, "cannot read %s: %s", p->path,
		    strerror(errno));
	}
	(void)p->fs->close(fd);
	for (unsigned i = 0; i < 2; i++) {
		struct trial t;

		if (trial_get(bytes + i * PLACE, &t) && t.turn > p->found.turn)
			p->found = t;
	}
	p->last = p->found;
	return ERR_OK;
}

void
replay_free(struct replay *p)
{
	if (p == NULL)
		return;
	buf_free(&p->bytes);
	xfree(p->v);
	xfree(p);
}

/* -- reading back ----------------------------------------------------------- */
static bool
collect(void *arg, const struct journal_record *r)
{
	struct replay *p = arg;

	if (p->n >= p->limit ||
	    (p->n > 0 && p->bytes.n + r->bytes.n > READ_BYTES))
		return false;
	/* What ended the process before comes by itself. */
	if (r->seq >= p->found.from && r->seq <= p->found.to) {
		if (p->n > 0)
			return false;
		p->limit = 1;
	}
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 256 : p->cap * 2;
		p->v = xrealloc(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = (struct raw){r->seq, p->bytes.n, r->bytes.n};
	buf_add(&p->bytes, r->bytes);
	return true;
}

/* How often the process ended while this one was looked into. */
static uint64_t
crashes(const struct replay *p, uint64_t seq)
{
	if (seq < p->found.from || seq > p->found.to)
		return 0;
	return p->found.from == p->found.to ? p->found.count : 1;
}

static enum err
check_proof(struct store *s, struct wire_in *in, struct errinfo *ei)
{
	static const enum stmt have_of[] = {[PROOF_TAIL] = STMT_TAIL_HAVE,
	    [PROOF_TRANSITION] = STMT_TRANSITION_HAVE,
	    [PROOF_EVENT] = STMT_EVENT_HAVE};
	unsigned kind = wire_get_byte(in);
	uint64_t id = wire_get_fixed(in, 8), n = wire_get_fixed(in, 8);
	int64_t have = 0;
	enum err e;

	if (in->bad || kind == 0 || kind >= COUNT(have_of))
		return ERR_OK;   /* keys tell repetitions, too */
	e = backend_int(s->db, have_of[kind], VALS(V_INT(id)), 0, &have, ei);
	if (e == ERR_OK && have != 0)
		s->replay->skip_to = n;
	return e;
}

static void
add_unit(struct store *s, struct unit *u, uint64_t seq)
{
	struct batch *b = s->batch;

	u->journal_seq = seq;
	u->told = true;
	b->v[b->n].unit = u;
	b->v[b->n].replayed = true;
	b->n++;
}

#ifdef FAULTS
static void
fault_at(uint64_t seq)
{
	char point[40];

	snprintf(point, sizeof(point), "replay.%" PRIu64, seq);
	(void)FAULT(point);
}
#else
static void
fault_at(uint64_t seq)
{
	(void)seq;
}
#endif

static enum err
take_one(struct store *s, const struct raw *r, struct errinfo *ei)
{
	struct replay *p = s->replay;
	struct str bytes = {p->bytes.p + r->at, r->n};
	struct wire_in in = {(const unsigned char *)bytes.p + 1, r->n - 1,
	    false};
	struct unit *u = NULL;
	struct errinfo why = {0};

	assert(r->n > 0);
	if (r->seq <= p->skip_to)
		return ERR_OK;
	if ((unsigned char)bytes.p[0] == PROOF_BYTE)
		return p->starting ? check_proof(s, &in, ei) : ERR_OK;
	if (crashes(p, r->seq) >= REPLAY_ATTEMPTS) {
		quarantine_record(s, r->seq, bytes,
		    "the daemon ended three times while it was stored");
		return ERR_OK;
	}
	fault_at(r->seq);
	if (unit_code_get(bytes, &u, &why) != ERR_OK)
		quarantine_record(s, r->seq, bytes, why.text);
	else
		add_unit(s, u, r->seq);
	return ERR_OK;
}

/* They are read again later. */
static void
drop_batch(struct store *s)
{
	struct batch *b = s->batch;

	for (size_t i = 0; i < b->n; i++) {
		unit_free(b->v[i].unit);
		xfree(b->v[i].ei);
		b->v[i] = (struct slot){0};
	}
	b->n = 0;
}

enum err
replay_form(struct store *s, struct errinfo *ei)
{
	struct replay *p = s->replay;
	struct journal *j = rescue_journal(s);
	uint64_t after = MAX(s->marked, s->mark_due);
	enum err e;

	assert(s->batch->n == 0);
	p->n = 0;
	p->limit = MIN((size_t)BATCH_UNITS, quarantine_room(s));
	buf_clear(&p->bytes);
	e = journal_read(j, after, collect, p, ei);
	if (e != ERR_OK && s->db != NULL)
		s->db->fault = (struct backend_fault){OP_READ, CLASS_IO, true};
	if (e != ERR_OK)
		return e;
	if (p->limit == 0)
		return quarantine_full(s, ei);
	if (p->n == 0) {
		/* What is left cannot be read, and that was said. */
		s->mark_due = MAX(s->mark_due,
		    atomic_load(&journal_stats(j)->last));
		return ERR_OK;
	}
	e = trial_write(s, p->v[0].seq, p->v[p->n - 1].seq,
	    p->n == 1 ? crashes(p, p->v[0].seq) + 1 : 1, ei);
	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; e == ERR_OK && i < p->n; i++)
		e = take_one(s, &p->v[i], ei);
	if (e == ERR_OK)
		s->batch->replay_to = p->v[p->n - 1].seq;
	else
		drop_batch(s);
	pthread_mutex_unlock(&s->mu);
	if (e == ERR_OK && s->batch->n == 0)
		s->mark_due = MAX(s->mark_due, p->v[p->n - 1].seq);
	return e;
}

bool
replay_starting(const struct store *s)
{
	return s->replay != NULL && s->replay->starting;
}

enum err
replay_all(struct store *s, struct errinfo *ei)
{
	uint64_t n = 0;
	enum err e = ERR_OK;

	s->replay->starting = true;
	while (e == ERR_OK && rescue_pending(s)) {
		e = replay_form(s, ei);
		n += s->replay->n;
		if (e == ERR_OK && s->batch->n > 0)
			e = batch_store(s, ei);
		if (e == ERR_OK)
			e = batch_stamp(s, ei);
	}
	s->replay->starting = false;
	if (e != ERR_OK) {
		pthread_mutex_lock(&s->mu);
		drop_batch(s);
		pthread_mutex_unlock(&s->mu);
		return e;
	}
	log_info("journal", "what waited in it is stored",
	    KV_I("records", (int64_t)n));
	return ERR_OK;
}

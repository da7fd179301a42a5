/* wal.c: see wal.h. */
#include "store/wal.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "store/budget.h"
#include "store/inside.h"
#include "store/readers.h"
#include "world/world.h"

#define PASSIVE_AGAIN_NS (250 * NS_PER_MS)   /* after one that was not done */
#define LOOK_NS          NS_PER_S            /* who holds it, not more often */
#define LOG_NS           (60 * NS_PER_S)
#define FULL_READ_AGE_NS NS_PER_S
#define CLOSE_WAIT_NS    (2 * NS_PER_S)

enum level { LEVEL_SMALL, LEVEL_GROWN, LEVEL_LARGE, LEVEL_FULL };

static uint64_t
full_bytes(const struct store *s)
{
	return s->conf.wal_max - s->conf.wal_max / 4;
}

static enum level
level_of(const struct store *s, uint64_t wal)
{
	if (wal >= full_bytes(s))
		return LEVEL_FULL;
	if (wal >= full_bytes(s) / 2)
		return LEVEL_LARGE;
	return wal >= 2 * s->conf.checkpoint_size ? LEVEL_GROWN : LEVEL_SMALL;
}

/* From one TRUNCATE to the next. One that stays busy is tried more often. */
static int64_t
step_ns(const struct store *s, enum level level)
{
	static const int64_t most_ns[] = {
		[LEVEL_SMALL] = INT64_MAX, [LEVEL_GROWN] = 10 * NS_PER_S,
		[LEVEL_LARGE] = NS_PER_S, [LEVEL_FULL] = 250 * NS_PER_MS,
	};

	if (level == LEVEL_SMALL && s->wal.stuck > 0)
		level = LEVEL_GROWN;
	return MIN(s->conf.checkpoint_ns, most_ns[level]);
}

void
wal_note(struct store *s, enum checkpoint how)
{
	atomic_fetch_add(&s->stats.checkpoints[how], 1);
	atomic_store(&s->stats.last_checkpoint, how);
	if (how == CKPT_DONE)
		atomic_store(&s->stats.last_checkpoint_us, clock_wall_us());
	if (how == CKPT_ERROR)
		atomic_fetch_add(&s->stats.errors[OP_CHECKPOINT]
		    [s->db->fault.class], 1);
}

static enum checkpoint
checkpoint(struct store *s, bool truncate, int64_t busy_ns)
{
	enum checkpoint how;

	s->db->busy_ns = busy_ns;
	how = s->db->ops->checkpoint(s->db, truncate);
	s->db->busy_ns = 0;
	wal_note(s, how);
	return how;
}

/* -- who holds it ------------------------------------------------------- */
static void
hold_text(struct store *s, const char *text)
{
	pthread_mutex_lock(&s->facts);
	snprintf(s->wal.held_by, sizeof(s->wal.held_by), "%s", text);
	pthread_mutex_unlock(&s->facts);
}

void
wal_holders(const struct store *s, char dst[FOREIGN_TEXT])
{
	struct foreign v[FOREIGN_MAX];
	unsigned n = 0;

	if (s->conf.vfs == NULL && !s->conf.memory)
		n = foreign_find(s->conf.path, v);
	foreign_text(v, n, dst);
}

static void
look(struct store *s, int64_t now_ns)
{
	char text[FOREIGN_TEXT];
	const char *who = NULL;
	int64_t since_ns = readers_oldest(s, &who);

	if (now_ns - s->wal.looked_ns < LOOK_NS && s->wal.looked_ns != 0)
		return;
	s->wal.looked_ns = now_ns;
	wal_holders(s, text);
	if (text[0] == '\0' && since_ns != 0)
		snprintf(text, sizeof(text), "our own question %.100s, for"
		    " %lld ms", who != NULL ? who : "without a name",
		    (long long)((now_ns - since_ns) / NS_PER_MS));
	else if (text[0] == '\0')
		snprintf(text, sizeof(text), "a reader that cannot be named");
	hold_text(s, text);
}

static void
tell(struct store *s, int64_t now_ns, uint64_t wal)
{
	struct wal *w = &s->wal;
	bool full = atomic_load(&w->full);
	char text[FOREIGN_TEXT + 100];

	if (w->logged_ns == 0 || now_ns - w->logged_ns >= LOG_NS ||
	    full != w->told_full) {
		w->logged_ns = now_ns;
		log_warn("store", full ? "the write-ahead log is full: nothing"
		    " is written to the database until it can be cut" :
		    "the write-ahead log cannot be cut",
		    KV_I("bytes", (int64_t)wal), KV_I("tries", w->stuck),
		    KV("held_by", &w->held_by[0]));
	}
	if (w->told && full == w->told_full)
		return;
	snprintf(text, sizeof(text), "the write-ahead log %s; held by %.180s",
	    full ? "is full" : "cannot be cut", w->held_by);
	batch_owe(s, EVENT_STORE, text);
	w->told = true;
	w->told_full = full;
}

static void
let_go(struct store *s)
{
	struct wal *w = &s->wal;

	if (w->told) {
		log_info("store", "the write-ahead log was cut again",
		    KV_I("tries", w->stuck));
		batch_owe(s, EVENT_STORE, "the write-ahead log was cut again");
	}
	w->told = w->told_full = false;
	w->stuck = 0;
	atomic_store(&s->stats.checkpoints_stuck, 0);
	w->logged_ns = w->looked_ns = 0;
	hold_text(s, "");
}

/* -- what is due -------------------------------------------------------- */
static void
set_full(struct store *s, bool full, int64_t now_ns)
{
	if (atomic_load(&s->wal.full) == full)
		return;
	atomic_store(&s->wal.full, full);
	if (s->readers != NULL)
		atomic_store(&s->readers->age_ns, full ?
		    MIN(s->conf.read_age_ns, FULL_READ_AGE_NS) :
		    s->conf.read_age_ns);
	if (!full && s->failures > 0)
		s->retry_ns = now_ns;   /* what waits goes on at once */
}

static void
cut(struct store *s, int64_t now_ns, uint64_t wal, enum level level)
{
	struct wal *w = &s->wal;
	int64_t wait_ns = (level >= LEVEL_LARGE ? 50 : 20) * NS_PER_MS;

	w->tried_ns = now_ns;
	if (checkpoint(s, true, wait_ns) == CKPT_DONE) {
		let_go(s);
		set_full(s, false, now_ns);
		return;
	}
	atomic_store(&s->stats.checkpoints_stuck, ++w->stuck);
	if (level == LEVEL_FULL)
		set_full(s, true, now_ns);
	if (w->stuck < WAL_STUCK && level < LEVEL_LARGE)
		return;
	look(s, now_ns);
	tell(s, now_ns, wal);
}

/* An unknown size is no reason to do nothing: then only the time counts. */
static void
sizes(struct store *s, uint64_t *ret_live, uint64_t *ret_wal)
{
	uint64_t file = 0;

	if (s->db->ops->sizes(s->db, ret_live, ret_wal, &file)) {
		atomic_store(&s->stats.wal_bytes, *ret_wal);
		atomic_store(&s->stats.file_bytes, file);
		return;
	}
	atomic_fetch_add(&s->stats.errors[OP_CHECKPOINT][CLASS_IO], 1);
	log_warn("store", "the size of the write-ahead log is not known");
	*ret_wal = s->conf.checkpoint_size;
}

void
wal_turn(struct store *s, int64_t now_ns)
{
	struct wal *w = &s->wal;
	uint64_t live = 0, wal = 0, passive;
	enum level level;

	if (s->db == NULL)
		return;
	sizes(s, &live, &wal);
	/* The file is what it once was; only what is in it counts as full. */
	level = level_of(s, wal);
	if (level == LEVEL_FULL && level_of(s, live) != LEVEL_FULL)
		level = LEVEL_LARGE;
	if (wal >= s->conf.checkpoint_size &&
	    (w->tried_ns == 0 || now_ns - w->tried_ns >= step_ns(s, level))) {
		cut(s, now_ns, wal, level);
		return;
	}
	/* Copied into the database soon, its room is used again. */
	passive = budget_is_tight(s) ? WAL_TIGHT_BYTES :
	    WAL_PASSIVE_BYTES;
	if (live < MIN(passive, s->conf.checkpoint_size) ||
	    now_ns < w->passive_ns)
		return;
	/* Readers hold it up: they are bounded, so look again soon. */
	if (checkpoint(s, false, 0) != CKPT_DONE)
		w->passive_ns = now_ns + PASSIVE_AGAIN_NS;
}

void
wal_close(struct store *s)
{
	int64_t now_ns = clock_mono_ns();
	int64_t left_ns = atomic_load(&s->stop_by_ns) - now_ns;
	enum checkpoint how;

	left_ns = MAX(left_ns, 20 * NS_PER_MS);
	how = checkpoint(s, true, MIN(left_ns, CLOSE_WAIT_NS));
	if (how == CKPT_DONE)
		return;
	s->wal.looked_ns = 0;
	look(s, now_ns);
	log_warn("store", "the last checkpoint was not done; the WAL holds the"
	    " rest", KV("outcome", checkpoint_names[how]),
	    KV("held_by", &s->wal.held_by[0]));
}

bool
wal_full(const struct store *s)
{
	return atomic_load(&s->wal.full);
}

void
wal_state(struct store *s, struct wal_state *ret)
{
	*ret = (struct wal_state){.full = wal_full(s),
	    .bytes = atomic_load(&s->stats.wal_bytes),
	    .stuck = atomic_load(&s->stats.checkpoints_stuck),
	    .last = (enum checkpoint)atomic_load(&s->stats.last_checkpoint),
	    .last_done_us = atomic_load(&s->stats.last_checkpoint_us)};
	pthread_mutex_lock(&s->facts);
	memcpy(ret->held_by, s->wal.held_by, sizeof(ret->held_by));
	pthread_mutex_unlock(&s->facts);
}

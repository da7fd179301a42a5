#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/applied.h"
#include "store/birth.h"
#include "store/budget.h"
#include "store/compact.h"
#include "store/errand.h"
#include "store/feed.h"
#include "store/foreign.h"
#include "store/health.h"
#include "store/incidents.h"
#include "store/inside.h"
#include "store/load.h"
#include "store/lockfile.h"
#include "store/prune.h"
#include "store/quarantine.h"
#include "store/readers.h"
#include "store/replay.h"
#include "store/rescue.h"
#include "store/restore.h"
#include "store/upkeep.h"
#include "world/world.h"

/* With a stamp every five seconds, no commit for this long is trouble. */
#define STUCK_US (15 * US_PER_S)
#define RETRY_AFTER_MAX_S INT64_C(300)

const char *const row_kind_names[ROW_NMAX] = {
	[ROW_SAMPLE] = "sample", [ROW_TRANSITION] = "transition",
	[ROW_STATE] = "state", [ROW_EVENT] = "event", [ROW_CONFIG] = "config",
	[ROW_OUTBOX] = "outbox",
};
const char *const store_op_names[OP_NMAX] = {
	[OP_OPEN] = "open", [OP_BEGIN] = "begin", [OP_WRITE] = "write",
	[OP_COMMIT] = "commit", [OP_READ] = "read",
	[OP_CHECKPOINT] = "checkpoint",
};
const char *const err_class_names[CLASS_NMAX] = {
	[CLASS_BUSY] = "busy", [CLASS_IO] = "io", [CLASS_FULL] = "full",
	[CLASS_CORRUPT] = "corrupt", [CLASS_CONSTRAINT] = "constraint",
	[CLASS_OTHER] = "other",
};
const char *const checkpoint_names[CKPT_NMAX] = {
	[CKPT_DONE] = "done", [CKPT_PARTIAL] = "partial", [CKPT_BUSY] = "busy",
	[CKPT_ERROR] = "error",
};

/* What the configuration leaves open. */
static void
fill_in(struct store_conf *c)
{
	static const int64_t limits_ns[PACE_NMAX] = STORE_DEADLINES_NS;

	for (int i = 0; i < PACE_NMAX; i++)
		if (c->deadline_ns[i] == 0)
			c->deadline_ns[i] = limits_ns[i];
	if (c->checkpoint_size == 0)
		c->checkpoint_size = STORE_CHECKPOINT_SIZE;
	if (c->checkpoint_ns == 0)
		c->checkpoint_ns = STORE_CHECKPOINT_NS;
	if (c->wal_max == 0)
		c->wal_max = STORE_WAL_MAX;
	if (c->read_age_ns == 0)
		c->read_age_ns = STORE_READ_AGE_NS;
	if (c->reader_life_ns == 0)
		c->reader_life_ns = STORE_READER_LIFE_NS;
	if (c->reader_idle_ns == 0)
		c->reader_idle_ns = STORE_READER_IDLE_NS;
}

/* The database in memory has a name, so that readers find the writer's. */
static void
name_memory(struct store *s)
{
	static _Atomic unsigned count;

	snprintf(s->conf.path, sizeof(s->conf.path), "/vedette-memory-%u",
	    atomic_fetch_add(&count, 1));
}

static enum err
take_lock(struct store *s, bool *ret_known, struct errinfo *ei)
{
	char path[sizeof(s->conf.path) + 8];

	if (s->conf.memory)
		return ERR_OK;
	snprintf(path, sizeof(path), "%s.lock", s->conf.path);
	*ret_known = disk_there(path);
	return lockfile_take(path, &s->lock_fd, ei);
}

/* The first transaction says that we are back, and since when we were away:
 * it also proves that the file can be written before anything starts. */
static enum err
say_hello(struct store *s, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	int64_t away_us = s->opened_us - s->last_sign_us;
	char human[TIME_TEXT], text[160];
	enum err e = ERR_OK;

	if (s->last_sign_us != 0 && away_us > 0) {
		e = ops->run(s->db, STMT_GAP_PUT, VALS(V_INT(s->last_sign_us),
		    V_INT(s->opened_us)), NULL, ei);
		if (e == ERR_OK)
			e = ops->run(s->db, STMT_GAP_PRUNE,
			    VALS(V_INT(GAPS_MAX)), NULL, ei);
		snprintf(text, sizeof(text), "started; not watching for %s"
		    " before", time_format_human(away_us * NS_PER_US, human));
		batch_owe(s, EVENT_START, text);
	} else {
		batch_owe(s, EVENT_START, "started");
	}
	if (e == ERR_OK && s->clock_back_us > 0) {
		snprintf(text, sizeof(text), "the clock is %s behind the last"
		    " entry", time_format_human(s->clock_back_us * NS_PER_US,
		    human));
		log_warn("store", "the clock was set back",
		    KV_I("us", s->clock_back_us));
		batch_owe(s, EVENT_CLOCK, text);
	}
	return e == ERR_OK ? batch_stamp(s, ei) : e;
}

/* A restore that a crash interrupted is finished, or undone, first. */
static enum err
settle(struct store *s, bool known, struct errinfo *ei)
{
	enum settled how = SETTLED_NOTHING;
	enum err e;

	if (s->conf.memory || s->conf.vfs != NULL)
		return ERR_OK;
	if (s->conf.journal.fs == NULL)
		birth_room(s->conf.path);
	e = restore_settle(s->conf.path, &how, ei);
	if (how == SETTLED_FINISHED)
		log_warn("store", "an interrupted restore was finished");
	else if (how == SETTLED_UNDONE)
		log_warn("store", "an interrupted restore was undone");
	return e == ERR_OK ? birth_of(s->conf.path, known, clock_wall_us(),
	    ei) : e;
}

/* The database and its journal know each other by a number. */
static enum err
open_journal(struct store *s, struct errinfo *ei)
{
	struct journal_found found = {0};
	char text[200];
	int64_t id = 0, mark = 0;
	enum err e = quarantine_open(s, ei);

	if (e != ERR_OK || s->conf.journal.size == 0 || s->conf.memory)
		return e;
	e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("journal_id")), 0,
	    &id, ei);
	if (e == ERR_OK)
		e = backend_int(s->db, STMT_META_GET,
		    VALS(V_TEXT("journal_seq")), 0, &mark, ei);
	if (e == ERR_OK && id == 0) {
		random_bytes(&id, sizeof(id));
		id = (id & INT64_MAX) | 1;
		e = s->db->ops->run(s->db, STMT_META_PUT,
		    VALS(V_TEXT("journal_id"), V_INT(id)), NULL, ei);
	}
	s->marked = s->mark_due = (uint64_t)mark;
	if (e == ERR_OK)
		e = rescue_open(s, (uint64_t)id, (uint64_t)mark, &found, ei);
	if (e == ERR_OK)
		e = replay_open(s, ei);
	if (e == ERR_OK)
		e = quarantine_open(s, ei);
	if (found.cut_bytes > 0) {
		snprintf(text, sizeof(text), "the journal ended in the middle"
		    " of a record, of which nobody was told: %llu bytes cut",
		    (unsigned long long)found.cut_bytes);
		batch_owe(s, EVENT_STORE, text);
	}
	if (found.damaged > 0) {
		snprintf(text, sizeof(text), "%llu stretches of the journal are"
		    " damaged; their files are kept as *.damaged",
		    (unsigned long long)found.damaged);
		batch_owe(s, EVENT_STORE, text);
	}
	if (found.foreign > 0)
		batch_owe(s, EVENT_STORE, "the journal had records of another"
		    " database; their files are kept as *.other");
	return e;
}

/* What the journal holds goes in first, by the same ways as everything else;
 * then all is loaded anew, as if it had always been there. */
static enum err
catch_up(struct store *s, struct errinfo *ei)
{
	enum err e;

	if (!rescue_pending(s))
		return ERR_OK;
	e = load_all(s, ei);
	if (e != ERR_OK)
		return e;
	s->live = live_new(0);
	e = replay_all(s, ei);
	live_free(s->live);
	s->live = NULL;
	load_undo(s);
	return e;
}

static enum err
open_parts(struct store *s, struct errinfo *ei)
{
	struct backend_conf c = {.path = s->conf.path, .vfs = s->conf.vfs,
	    .memory = s->conf.memory, .limit_ns = s->write_limit_ns,
	    .stats = &s->stats};
	bool known = false;
	enum err e = take_lock(s, &known, ei);

	if (e == ERR_OK)
		e = settle(s, known, ei);
	if (e == ERR_OK)
		e = sqlite_ops.open(&c, &s->db, ei);
	if (e == ERR_OK)
		e = s->db->ops->migrate(s->db, clock_wall_us(), ei);
	if (e == ERR_OK)
		e = open_journal(s, ei);
	if (e == ERR_OK)
		e = catch_up(s, ei);
	if (e == ERR_OK)
		e = load_all(s, ei);
	if (e != ERR_OK)
		return e;
	memcpy(s->write_limit_ns, s->conf.deadline_ns,
	    sizeof(s->write_limit_ns));
	s->live = live_new(atomic_load(&s->next_event) - 1);
	e = incidents_settle(s, ei);
	if (e == ERR_OK)
		e = say_hello(s, ei);
	if (e == ERR_OK)
		e = readers_open(s, ei);
	return e;
}

/* Pages that cannot be read hold configuration or what must be known of every
 * monitor: there is no going on without. */
static enum err
corrupt(struct store *s, struct errinfo *ei)
{
	char what[160];

	(void)snprintf(what, sizeof(what), "%.159s",
	    ei != NULL ? ei->text : "");
	return fail(ei, ERR_INVALID, "%s; nothing was overwritten; \"vedette"
	    " store check\" says what is damaged, \"vedette store restore"
	    " FILE\" puts a backup in its place and keeps the old one, or move"
	    " %.100s away together with its -wal and -shm files and the journal"
	    " to start empty", what, s->conf.path);
}

/* Somebody else has the database to himself: who. */
static enum err
locked(const struct store *s, struct errinfo *ei)
{
	struct foreign v[FOREIGN_MAX];
	char who[FOREIGN_TEXT], what[200];

	foreign_text(v, foreign_find(s->conf.path, v), who);
	(void)snprintf(what, sizeof(what), "%.199s", ei != NULL ? ei->text :
	    "");
	return fail(ei, ERR_STORE, "%s; it is used by %s; end that first, or"
	    " wait for it", what, who[0] != '\0' ? who : "another process");
}

static enum err
open_calendar(struct store *s, struct errinfo *ei)
{
	struct zone *z = NULL;
	enum err e = s->conf.time_zone == NULL ? ERR_OK :
	    zone_load(s->conf.time_zone, &z, ei);

	s->view->calendar = calendar_new(z, clock_wall_us());
	return e;
}

enum err
store_open(const struct store_conf *c, struct store **ret,
    struct errinfo *ei)
{
	struct store *s = xcalloc(1, sizeof(*s));
	enum err e;

	s->conf = *c;
	fill_in(&s->conf);
	s->lock_fd = -1;
	s->alive_ns = -ALIVE_NS;
	backlog_init(&s->queue);
	s->batch = xcalloc(1, sizeof(*s->batch));
	s->view = view_new();
	s->prune = xcalloc(1, sizeof(*s->prune));
	s->budget = budget_new();
	block_init(&s->batch->block);
	s->errands = errands_new(s);
	s->health = health_new(s);
	s->upkeep = upkeep_new();
	if (pthread_mutex_init(&s->facts, NULL) != 0 ||
	    pthread_mutex_init(&s->mu, NULL) != 0)
		abort();
	mbox_init(&s->inbox, c->queue, c->queue_bytes);
	if (c->memory)
		name_memory(s);
	e = open_calendar(s, ei);
	if (e == ERR_OK)
		e = open_parts(s, ei);
	if (e == ERR_STORE && s->db != NULL &&
	    s->db->fault.class == CLASS_CORRUPT)
		e = corrupt(s, ei);
	if (e == ERR_STORE && s->db != NULL &&
	    s->db->fault.class == CLASS_BUSY)
		e = locked(s, ei);
	if (e != ERR_OK) {
		store_free(s);
		return e;
	}
	*ret = s;
	return ERR_OK;
}

enum err
store_start(struct store *s, struct errinfo *ei)
{
	enum err e = readers_start(s, ei);

	if (e != ERR_OK)
		return e;
	e = rescue_start(s, ei);
	if (e != ERR_OK)
		return e;
	if (pthread_create(&s->thread, NULL, writer_run, s) != 0)
		return fail(ei, ERR_SYS, "cannot start the writer thread");
	s->started = true;
	e = errands_start(s->errands, ei);
	return e == ERR_OK ? health_start(s->health, ei) : e;
}

static void
replay_one(struct store *s, struct entry *en)
{
	struct monitor_conf *c = en->row.conf;
	struct command *cmd;

	if (c->archived || s->conf.to_shard == NULL)
		return;
	cmd = command_new(COMMAND_PUT, c->id);
	cmd->conf = monitor_conf_ref(c);
	cmd->conf_free = monitor_conf_unref;
	cmd->shard_key = c->group != 0 ? c->group : c->id;
	cmd->state = TAKE(en->boot);
	s->conf.to_shard(s->conf.to_shard_arg, cmd, cmd->shard_key);
}

void
store_replay(struct store *s)
{
	view_lock(s->view);
	for (int members = 0; members < 2; members++)
		for (size_t i = 0; i < s->view->nids; i++)
			if ((s->view->ids[i]->row.conf->group != 0) == members)
				replay_one(s, s->view->ids[i]);
	for (size_t i = 0; i < s->view->nids; i++) {
		xfree(s->view->ids[i]->boot);
		s->view->ids[i]->boot = NULL;
	}
	view_unlock(s->view);
}

struct mbox *
store_inbox(struct store *s)
{
	return &s->inbox;
}

struct view *
store_view(struct store *s)
{
	return s->view;
}

struct live *
store_live(struct store *s)
{
	return s->live;
}

const struct store_stats *
store_stats(const struct store *s)
{
	return &s->stats;
}

const struct journal_stats *
store_journal_stats(const struct store *s)
{
	const struct journal *j = rescue_journal(s);

	return j == NULL ? NULL : journal_stats(j);
}

enum pressure
store_pressure(const struct store *s)
{
	return budget_pressure(s->budget);
}

int64_t
store_blind_us(const struct store *s)
{
	return s->blind_us;
}

uint64_t
store_budget(const struct store *s)
{
	return s->conf.disk_budget;
}

unsigned
store_retry_after_s(struct store *s)
{
	int64_t since_us = budget_since_us(s->budget), waits;
	uint64_t drain = budget_drain(s->budget);
	size_t units, bytes;

	if (since_us == 0)
		since_us = atomic_load(&s->stats.failing_since_us);
	mbox_depth(&s->inbox, &units, &bytes);
	if (since_us != 0)
		waits = (clock_wall_us() - since_us) / US_PER_S;
	else
		waits = (int64_t)(units / MAX(drain, UINT64_C(100)));
	waits = MIN(waits, RETRY_AFTER_MAX_S);
	return waits < 1 ? 1 : (unsigned)waits;
}

enum err
store_ready(struct store *s, struct errinfo *ei)
{
	int64_t now_us = clock_wall_us();
	int64_t since_us = atomic_load(&s->stats.failing_since_us);
	int64_t last_us = atomic_load(&s->stats.last_commit_us);
	enum err e = ERR_OK;

	if (!s->started)
		return fail(ei, ERR_AGAIN, "the store is starting");
	if (atomic_load(&s->stopping))
		return fail(ei, ERR_STOPPING, "the store is stopping");
	if (since_us != 0) {
		pthread_mutex_lock(&s->facts);
		e = fail(ei, ERR_STORE, "the store has not committed for %lld"
		    " s: %.300s", (long long)((now_us - since_us) / US_PER_S),
		    s->trouble.text);
		pthread_mutex_unlock(&s->facts);
		return e;
	}
	since_us = rescue_behind_us(s);
	if (since_us != 0 && now_us - since_us > US_PER_S)
		return fail(ei, ERR_STORE, "the store reads back what went to"
		    " its journal in the last %lld s",
		    (long long)((now_us - since_us) / US_PER_S));
	if (now_us - last_us > STUCK_US)
		return fail(ei, ERR_STORE, "the store has not committed for"
		    " %lld s", (long long)((now_us - last_us) / US_PER_S));
	return ERR_OK;
}

/* A little longer than the writer's own deadline: it may sit in an fsync. */
static bool
join_by(struct store *s, int64_t deadline_ns)
{
	int64_t left_us = (deadline_ns - clock_mono_ns()) / NS_PER_US;
	int64_t at_us = clock_wall_us() + MAX(left_us, INT64_C(0)) + US_PER_S;
	struct timespec ts = time_spec(at_us);

	return pthread_timedjoin_np(s->thread, NULL, &ts) == 0;
}

void
store_stop_reads(struct store *s)
{
	readers_close(s->readers);
}

enum err
store_stop(struct store *s, int64_t deadline_ns, struct errinfo *ei)
{
	if (s->stopped)
		return ERR_OK;
	if (!health_stop(s->health, MIN(deadline_ns, clock_mono_ns() +
	    NS_PER_S))) {
		log_warn("store", "the health thread is stuck in the disk");
		s->stuck = true;
	}
	s->stuck = s->stuck || !readers_stop(s->readers, MIN(deadline_ns,
	    clock_mono_ns() + NS_PER_S));
	if (!errands_stop(s->errands, MIN(deadline_ns, clock_mono_ns() +
	    NS_PER_S))) {
		log_warn("store", "an errand is stuck in the disk");
		s->stuck = true;
	}
	atomic_store(&s->stop_by_ns, deadline_ns);
	mbox_close(&s->inbox);
	atomic_store(&s->stopping, true);
	mbox_poke(&s->inbox);
	if (!s->started) {   /* no thread: what waits is stored by this one */
		s->started = true;
		(void)writer_run(s);
	} else if (!join_by(s, deadline_ns)) {
		return fail(ei, ERR_TIMEOUT, "the writer is stuck in the disk;"
		    " what it had is in its hands");
	}
	if (!rescue_stop(s, deadline_ns)) {
		log_warn("store", "the journal's thread is stuck in the disk");
		s->stuck = true;
	}
	s->stopped = true;
	if (s->db != NULL)
		s->db->ops->close(s->db);
	s->db = NULL;
	lockfile_drop(s->lock_fd);
	s->lock_fd = -1;
	if (s->stuck)
		return fail(ei, ERR_TIMEOUT, "a thread is stuck in the disk");
	if (s->abandoned > 0)
		return fail(ei, ERR_TIMEOUT, "%zu units could not be stored in"
		    " time", s->abandoned);
	return ERR_OK;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	/* A thread that cannot be joined still uses it all. */
	if (s->started && !s->stopped &&
	    store_stop(s, clock_mono_ns(), NULL) != ERR_OK && !s->stopped)
		return;
	if (s->stuck)
		return;
	readers_free(s->readers);
	errands_free(s->errands);
	health_free(s->health);
	upkeep_free(s->upkeep);
	if (s->db != NULL)
		s->db->ops->close(s->db);
	lockfile_drop(s->lock_fd);
	compact_free(s->compaction);
	xfree(s->prune);
	budget_free(s->budget);
	replay_free(s->replay);
	rescue_free(s->rescue);
	quarantine_free(s->ward);
	batch_free(s->batch);
	view_free(s->view);
	live_free(s->live);
	applied_clear(s);
	xfree(s->doomed);
	mbox_free(&s->inbox);
	pthread_mutex_destroy(&s->facts);
	pthread_mutex_destroy(&s->mu);
	xfree(s);
}

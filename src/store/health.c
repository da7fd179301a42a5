#include "store/health.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/chunk.h"
#include "store/daily.h"
#include "store/disk.h"
#include "store/errand.h"
#include "store/inside.h"
#include "store/journal.h"
#include "store/readers.h"
#include "store/rescue.h"
#include "store/wal.h"
#include "world/world.h"

#define PROBE_NS   (3 * NS_PER_S)    /* for the writer to commit */
#define READ_NS    NS_PER_S          /* for a page to come */
#define WINDOW     13                /* looks in a minute, both ends */
#define ASKERS_MAX 64                /* who wait for one turn */
/* A level is told when it held for so many looks: not every hiccup. */
#define WORSE_TURNS  2
#define BETTER_TURNS 4
#define QUICK_FIRST_NS (900 * NS_PER_S)    /* of checks of the pages */
#define QUICK_EVERY_NS DAY_NS
#define QUICK_AGAIN_NS (60 * NS_PER_S)     /* another errand was under way */

/* Every counter at one moment. */
struct tally {
	int64_t at_ns;
	uint64_t queue[HIST_BUCKETS], commit[HIST_BUCKETS];
	uint64_t statement[PACE_NMAX][HIST_BUCKETS];
	uint64_t busy_ns;
};

/* Which chunk was read last: each turn the next one, round and round. */
struct walk {
	uint32_t monitor;
	uint64_t seq;
	uint64_t damaged, damaged_before;   /* in this round; in the last */
};

struct health {
	struct store *s;
	pthread_mutex_t mu;
	pthread_cond_t more;
	pthread_t thread;
	bool started, closed;
	_Atomic bool stop;
	struct health_report last;      /* under mu, and the next three */
	struct ack *asked[ASKERS_MAX];
	unsigned nasked;
	double findings;                /* NAN: never checked */
	int64_t born_ns;
	/* the thread's own */
	struct backend *db;
	struct tally ring[WINDOW];
	unsigned nring;
	struct walk walk;
	int64_t quick_ns;
	struct daily daily;
	struct zone *zone;              /* NULL: UTC */
	enum health_level told, seen;
	unsigned held;
};

struct health *
health_new(struct store *s)
{
	struct health *h = xcalloc(1, sizeof(*h));
	pthread_condattr_t attr;

	h->s = s;
	h->findings = NAN;
	h->told = h->seen = HEALTH_HEALTHY;
	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_mutex_init(&h->mu, NULL) != 0 ||
	    pthread_cond_init(&h->more, &attr) != 0)
		abort();
	pthread_condattr_destroy(&attr);
	return h;
}

/* -- what it looks at --------------------------------------------------- */

static void
copy_hist(uint64_t *dst, const struct hist *h)
{
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		dst[i] = atomic_load_explicit(&h->n[i], memory_order_relaxed);
}

/* The last minute: the newest tally against the oldest that is kept. */
static void
window(struct health *h, struct health_facts *f)
{
	const struct store_stats *st = &h->s->stats;
	struct tally *now, *was;
	double span;

	if (h->nring == WINDOW) {
		memmove(h->ring, h->ring + 1, (WINDOW - 1) *
		    sizeof(h->ring[0]));
		h->nring--;
	}
	now = &h->ring[h->nring++];
	was = &h->ring[0];
	now->at_ns = clock_mono_ns();
	copy_hist(now->queue, &st->queue_wait);
	copy_hist(now->commit, &st->commit);
	for (unsigned i = 0; i < PACE_NMAX; i++)
		copy_hist(now->statement[i], &st->statement[i]);
	now->busy_ns = readers_busy_ns(h->s->readers, now->at_ns);
	f->queue_wait_s = health_part(was->queue, now->queue, 0.95) -
	    (double)h->s->conf.commit_delay_ns / (double)NS_PER_S;
	if (f->queue_wait_s < 0)
		f->queue_wait_s = 0;
	f->commit_s = health_part(was->commit, now->commit, 0.95);
	for (unsigned i = 0; i < PACE_NMAX; i++)
		f->statement_s[i] = health_part(was->statement[i],
		    now->statement[i], 0.95);
	span = (double)(now->at_ns - was->at_ns) * h->s->readers->n;
	f->readers_busy = span > 0 ? (double)(now->busy_ns - was->busy_ns) /
	    span : (double)NAN;
}

/* A commit through the writer: it has the lock, and the disk takes it. */
static void
probe(struct health *h, struct health_facts *f)
{
	const struct timespec rest = {.tv_nsec = 2 * NS_PER_MS};
	struct store *s = h->s;
	uint64_t want = atomic_fetch_add(&s->probe_want, 1) + 1;
	int64_t began_ns = clock_mono_ns(), now_ns = began_ns;
	int64_t age_us;

	mbox_poke(&s->inbox);
	while (atomic_load(&s->probe_have) < want && now_ns - began_ns <
	    PROBE_NS && !atomic_load(&h->stop)) {
		(void)nanosleep(&rest, NULL);
		now_ns = clock_mono_ns();
	}
	f->probe_s = (double)(now_ns - began_ns) / (double)NS_PER_S;
	age_us = clock_wall_us() - atomic_load(&s->stats.last_commit_us);
	f->commit_age_s = (double)MAX(age_us, INT64_C(0)) / (double)US_PER_S;
	if (atomic_load(&s->stats.failing_since_us) == 0)
		return;
	pthread_mutex_lock(&s->facts);
	(void)text_copy(f->writing, sizeof(f->writing),
	    str_of(s->trouble.text));
	pthread_mutex_unlock(&s->facts);
}

/* One chunk: it must come from the disk, and decode. */
static enum err
read_chunk(struct health *h, struct errinfo *ei)
{
	const struct backend_ops *ops = h->db->ops;
	struct walk *w = &h->walk;
	struct sample *v CLEANUP(xfreep) = NULL;
	enum stmt st = STMT_AUDIT_CHUNKS;
	size_t n = 0;
	enum err e = ops->query(h->db, st, VALS(V_INT(w->monitor),
	    V_INT(w->seq), V_INT(1)), ei);

	if (e == ERR_OK)
		e = ops->next(h->db, st, ei);
	if (e != ERR_OK)
		return e;
	w->seq = (uint64_t)ops->column_int(h->db, st, 2);
	if (chunk_decode(ops->column_str(h->db, st, 6), &v, &n, NULL) != ERR_OK)
		w->damaged++;
	ops->done(h->db, st);
	return ERR_OK;
}

/* The next monitor that has any; after the last one it begins anew. */
static enum err
next_owner(struct health *h, struct errinfo *ei)
{
	struct walk *w = &h->walk;
	int64_t id = 0;
	enum err e = backend_int(h->db, STMT_AUDIT_CHUNK_OWNER,
	    VALS(V_INT(w->monitor)), 0, &id, ei);

	w->monitor = (uint32_t)id;
	w->seq = 0;
	if (e == ERR_OK && id == 0) {
		w->damaged_before = w->damaged;
		w->damaged = 0;
	}
	return e;
}

static enum err
read_pages(struct health *h, struct errinfo *ei)
{
	struct backend_conf c = {.path = h->s->conf.path,
	    .vfs = h->s->conf.vfs, .memory = h->s->conf.memory,
	    .reader = true, .stop = &h->stop};
	int64_t alive = 0;
	enum err e = ERR_OK;

	if (h->db == NULL)
		e = sqlite_ops.open(&c, &h->db, ei);
	if (e != ERR_OK)
		return e;
	h->db->deadline_ns = clock_mono_ns() + READ_NS;
	e = backend_int(h->db, STMT_META_GET, VALS(V_TEXT("alive")), 0,
	    &alive, ei);
	if (e == ERR_OK)
		e = h->walk.monitor == 0 ? ERR_NOT_FOUND : read_chunk(h, ei);
	if (e == ERR_NOT_FOUND)
		e = next_owner(h, ei);
	return e;
}

static void
reading(struct health *h, struct health_facts *f)
{
	int64_t began_ns = clock_mono_ns();
	struct errinfo ei = {0};
	enum err e = read_pages(h, &ei);

	f->read_s = (double)(clock_mono_ns() - began_ns) / (double)NS_PER_S;
	f->damaged = fmax((double)atomic_load(&h->s->stats.damaged),
	    (double)MAX(h->walk.damaged, h->walk.damaged_before));
	if (rescue_journal(h->s) != NULL)
		f->damaged += (double)atomic_load(&journal_stats(
		    rescue_journal(h->s))->damaged);
	if (e == ERR_OK || e == ERR_STOPPING)
		return;
	/* However quick it failed. */
	f->read_s = MAX(f->read_s, (double)READ_NS / (double)NS_PER_S);
	(void)text_copy(f->reading, sizeof(f->reading), str_of(ei.text));
	if (h->db != NULL)
		h->db->ops->close(h->db);
	h->db = NULL;
}

/* Who holds the WAL is named when it is known. */
static void
checkpoints(struct health *h, struct health_facts *f)
{
	struct wal_state w;

	wal_state(h->s, &w);
	f->wal_bytes = (double)w.bytes;
	f->stuck_checkpoints = w.stuck;
	if (w.stuck > 0)
		snprintf(f->checkpoint, sizeof(f->checkpoint), "%s%s%.100s",
		    checkpoint_names[w.last], w.held_by[0] != '\0' ?
		    "; held by " : "", w.held_by);
	if (w.full && f->writing[0] == '\0')
		snprintf(f->writing, sizeof(f->writing), "the WAL is full%s"
		    "%.100s", w.held_by[0] != '\0' ? "; held by " : "",
		    w.held_by);
}

static void
room(struct health *h, struct health_facts *f)
{
	static const char *const what[PRESSURE_NMAX] = {
		[PRESSURE_NONE] = "", [PRESSURE_WARN] = "the disk or "
		    "store.disk_budget is nearly full",
		[PRESSURE_SHED] = "nearly full: the oldest samples go",
		[PRESSURE_REFUSE] = "full: writes are refused until there is "
		    "room",
	};
	enum pressure p = store_pressure(h->s);

	f->pressure = p;
	(void)text_copy(f->room, sizeof(f->room), str_of(what[p]));
}

static void
gather(struct health *h, struct health_facts *f)
{
	uint64_t all = 0, left;

	*f = (struct health_facts){.journal_bytes = NAN, .quarantined = NAN,
	    .turn_age_s = 0};
	probe(h, f);
	reading(h, f);
	window(h, f);
	checkpoints(h, f);
	if (store_journal_stats(h->s) != NULL)
		f->journal_bytes = (double)atomic_load(
		    &store_journal_stats(h->s)->bytes);
	f->quarantined = (double)store_quarantined(h->s);
	left = disk_free(h->s->conf.path, &all);
	f->free_bytes = all > 0 && !h->s->conf.memory ? (double)left : (double)NAN;
	room(h, f);
	pthread_mutex_lock(&h->mu);
	f->findings = h->findings;
	pthread_mutex_unlock(&h->mu);
}

/* -- what it says ------------------------------------------------------- */

/* The worst rules, by name, in a line. */
void
health_headline(const struct health_report *r, char *dst, size_t size)
{
	BUF_AUTO(b, size - 1);

	buf_addf(&b, "the store is %s", health_names[r->level]);
	for (unsigned i = 0; i < r->n; i++) {
		const struct health_result *x = &r->v[i];

		if (x->level < HEALTH_DEGRADED)
			continue;
		buf_addf(&b, "; %s %.3g %s", x->name, x->value, x->unit);
		if (x->text[0] != '\0')
			buf_addf(&b, " (%.80s)", x->text);
	}
	(void)text_copy(dst, size, buf_str(&b));
}

/* The one place from which alerts about the store's health come: a unit in
 * the writer's mailbox, which is told when it is durable. */
static void
health_changed(struct health *h, enum health_level from,
    const struct health_report *r)
{
	struct event_unit *u = event_unit_new();

	u->event.kind = EVENT_HEALTH;
	u->event.at_us = r->at_us;
	u->event.from = (uint8_t)from;
	u->event.to = (uint8_t)r->level;
	(void)text_copy(u->event.actor, sizeof(u->event.actor),
	    STR("daemon"));
	(void)text_copy(u->event.subject, sizeof(u->event.subject),
	    STR("store"));
	health_headline(r, u->event.text, sizeof(u->event.text));
	if (r->level > from)
		log_warn("store", "its health is worse",
		    KV("text", &u->event.text[0]));
	else
		log_info("store", "its health is better",
		    KV("text", &u->event.text[0]));
	u->unit.urgent = true;
	if (!mbox_put_urgent(&h->s->inbox, &u->unit.msg, u->unit.bytes))
		unit_free(&u->unit);
}

static void
tell(struct health *h, const struct health_report *r)
{
	enum health_level from = h->told;

	h->held = r->level == h->seen ? h->held + 1 : 1;
	h->seen = r->level;
	if (r->level == from || h->held < (r->level > from ? WORSE_TURNS :
	    BETTER_TURNS))
		return;
	h->told = r->level;
	health_changed(h, from, r);
}

/* -- the thread --------------------------------------------------------- */

static void
quick_check(struct health *h, int64_t now_ns)
{
	struct errand_ask ask = {.kind = ERRAND_CHECK, .quick = true,
	    .actor = "daemon"};
	uint64_t id;

	if (now_ns < h->quick_ns)
		return;
	h->quick_ns = now_ns + (errand_start(h->s, &ask, &id, NULL) == ERR_OK ?
	    QUICK_EVERY_NS : QUICK_AGAIN_NS);
}

/* A zone that cannot be read is no reason to let the store go untended. */
static void
daily_begin(struct health *h)
{
	const struct store_conf *c = &h->s->conf;
	struct errinfo ei = {0};

	h->daily.minute = -1;
	if (c->maintain_at != NULL && !time_parse_clock(str_of(c->maintain_at),
	    &h->daily.minute))
		h->daily.minute = -1;
	if (c->time_zone != NULL &&
	    zone_load(c->time_zone, &h->zone, &ei) != ERR_OK)
		log_warn("store", "daily maintenance goes by UTC",
		    KV("error", &ei.text[0]));
}

static void
maintain(struct health *h)
{
	struct errand_ask ask = {.kind = ERRAND_MAINTAIN, .actor = "daemon"};
	int64_t now_us = clock_wall_us();
	uint64_t id;

	if (!daily_due(&h->daily, h->zone, now_us) ||
	    errand_start(h->s, &ask, &id, NULL) != ERR_OK)
		return;   /* or again in a moment */
	daily_done(&h->daily, h->zone, now_us);
	h->quick_ns = clock_mono_ns() + QUICK_EVERY_NS + QUICK_AGAIN_NS;
}

static void
turn(struct health *h)
{
	struct health_facts f;
	struct health_report r = {.at_us = clock_wall_us()};
	int64_t began_ns = clock_mono_ns();
	struct ack *asked[ASKERS_MAX];
	unsigned n;

	pthread_mutex_lock(&h->mu);
	n = h->nasked;
	memcpy(asked, h->asked, n * sizeof(asked[0]));
	h->nasked = 0;
	pthread_mutex_unlock(&h->mu);
	gather(h, &f);
	health_judge(&f, &r);
	r.took_ns = clock_mono_ns() - began_ns;
	pthread_mutex_lock(&h->mu);
	r.turn = h->last.turn + 1;
	h->last = r;
	pthread_mutex_unlock(&h->mu);
	for (unsigned i = 0; i < n; i++)
		asked[i]->done(asked[i], ERR_OK, NULL);
	if (atomic_load(&h->stop))
		return;
	tell(h, &r);
	errands_watch(h->s);
	maintain(h);
	quick_check(h, clock_mono_ns());
}

/* False: it ends. */
static bool
rest(struct health *h, int64_t until_ns)
{
	struct timespec ts;
	int64_t left_ns;
	bool go;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* lint: the condition's own clock */
	left_ns = MAX(until_ns - clock_mono_ns(), INT64_C(0)) + ts.tv_nsec;
	ts.tv_sec += left_ns / NS_PER_S;
	ts.tv_nsec = left_ns % NS_PER_S;
	pthread_mutex_lock(&h->mu);
	while (!h->closed && h->nasked == 0 &&
	    pthread_cond_timedwait(&h->more, &h->mu, &ts) == 0)
		;
	go = !h->closed;
	pthread_mutex_unlock(&h->mu);
	return go;
}

static void *
run(void *arg)
{
	struct health *h = arg;
	int64_t next_ns = clock_mono_ns();

	h->quick_ns = next_ns + QUICK_FIRST_NS;
	daily_begin(h);
	while (rest(h, next_ns)) {
		next_ns = clock_mono_ns() + HEALTH_EVERY_NS;
		turn(h);
	}
	if (h->db != NULL)
		h->db->ops->close(h->db);
	h->db = NULL;
	return NULL;
}

enum err
health_start(struct health *h, struct errinfo *ei)
{
	h->born_ns = clock_mono_ns();
	if (pthread_create(&h->thread, NULL, run, h) != 0)
		return fail(ei, ERR_SYS, "cannot start the health thread");
	h->started = true;
	return ERR_OK;
}

bool
health_stop(struct health *h, int64_t deadline_ns)
{
	int64_t left_us = (deadline_ns - clock_mono_ns()) / NS_PER_US;
	int64_t at_us = clock_wall_us() + MAX(left_us, US_PER_S / 2);
	struct timespec ts = time_spec(at_us);
	struct errinfo ei = {0};

	if (!h->started)
		return true;
	pthread_mutex_lock(&h->mu);
	h->closed = true;
	atomic_store(&h->stop, true);
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->mu);
	if (pthread_timedjoin_np(h->thread, NULL, &ts) != 0)
		return false;
	h->started = false;
	(void)fail(&ei, ERR_STOPPING, "the daemon stops");
	for (unsigned i = 0; i < h->nasked; i++)
		h->asked[i]->done(h->asked[i], ERR_STOPPING, &ei);
	h->nasked = 0;
	return true;
}

void
health_free(struct health *h)
{
	if (h == NULL)
		return;
	assert(!h->started);
	zone_free(h->zone);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->mu);
	xfree(h);
}

/* -- any thread --------------------------------------------------------- */

/* A turn that does not end must not leave the last word standing. */
void
health_look(struct store *s, struct health_report *ret)
{
	struct health *h = s->health;
	struct health_facts f;
	int64_t age_us;

	pthread_mutex_lock(&h->mu);
	*ret = h->last;
	pthread_mutex_unlock(&h->mu);
	if (ret->turn == 0)
		age_us = (clock_mono_ns() - h->born_ns) / NS_PER_US;
	else
		age_us = clock_wall_us() - ret->at_us - ret->took_ns /
		    NS_PER_US;
	if (age_us < 2 * HEALTH_EVERY_NS / NS_PER_US)
		return;
	memset(&f, 0, sizeof(f));
	f.turn_age_s = (double)age_us / (double)US_PER_S;
	health_stale(&f, ret);
}

bool
health_ask(struct store *s, struct ack *a)
{
	struct health *h = s->health;
	bool ok;

	pthread_mutex_lock(&h->mu);
	ok = h->started && !h->closed && h->nasked < ASKERS_MAX;
	if (ok) {
		h->asked[h->nasked++] = a;
		pthread_cond_signal(&h->more);
	}
	pthread_mutex_unlock(&h->mu);
	return ok;
}

void
health_checked(struct store *s, uint64_t findings)
{
	pthread_mutex_lock(&s->health->mu);
	s->health->findings = (double)findings;
	pthread_mutex_unlock(&s->health->mu);
}

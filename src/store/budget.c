#include "store/budget.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "model/why.h"
#include "store/prune.h"
#include "store/rescue.h"
#include "world/world.h"

#define MIB           (UINT64_C(1) << 20)
#define LOW_PERMILLE  850    /* of the budget: what pruning goes down to */
#define THIN_PERMILLE 980    /* above it new samples are thinned too */
#define KEEP_ONE_OF   8
#define HURRY_NS      (INT64_C(2) * 1000000000)
#define HURRY_DRY_NS  (INT64_C(10) * 1000000000)
#define SPARE_SHARE   8      /* of the file may be empty pages */
#define SPARE_MIN     1024   /* so many may always */
#define PAGE_BYTES    4096
#define WAL_SHARE_MAX (16 * MIB)
/* Left on the disk for reading the journal back: the log at its usual size,
 * and as much again in the database, before the first file of the journal
 * goes. */
#define READ_BACK     (24 * MIB)

/* Of what is new, how much is thinned. */
enum thin { THIN_NONE, THIN_MOST, THIN_ALL };

struct budget {
	_Atomic int level;           /* enum pressure */
	_Atomic int64_t since_us;    /* it is refuse since; 0: it is not */
	_Atomic uint64_t drain;
	struct budget_facts facts;
	int64_t look_ns, hurry_ns;   /* not before */
	uint64_t answered;           /* at the last look */
	int64_t looked_ns;
	uint64_t pages, empty;
	uint64_t give_back;          /* pages to vacuum */
	bool dry;                    /* pruning finds nothing more */
	enum thin thin;
	uint64_t shed[SHED_NMAX];    /* when it began */
};

const char *const shed_kind_names[SHED_NMAX] = {
	[SHED_STORED_SAMPLE] = "stored_sample",
	[SHED_VOID_SAMPLE] = "void_sample", [SHED_OK_SAMPLE] = "ok_sample",
};
const char *const pressure_names[PRESSURE_NMAX] = {
	[PRESSURE_NONE] = "none", [PRESSURE_WARN] = "warn",
	[PRESSURE_SHED] = "shed", [PRESSURE_REFUSE] = "refuse",
};

/* -- levels ------------------------------------------------------------- */
static const struct {
	unsigned enter, leave;       /* permille of the budget */
	uint64_t left, share;        /* on the disk: bytes, a 1/share of it */
} marks[PRESSURE_NMAX] = {
	[PRESSURE_WARN] = {800, 750, 256 * MIB, 5},
	[PRESSURE_SHED] = {950, 900, 64 * MIB, 20},
	[PRESSURE_REFUSE] = {1000, 980, 8 * MIB, 100},
};

static uint64_t
disk_mark(const struct budget_facts *f, enum pressure level)
{
	return MIN(marks[level].left, f->disk_size / marks[level].share);
}

static bool
reached(const struct budget_facts *f, enum pressure level, bool in)
{
	uint64_t permille = in ? marks[level].leave : marks[level].enter;
	uint64_t left = disk_mark(f, level);

	if (f->budget != 0 && f->used >= f->budget / 1000 * permille)
		return true;
	return f->disk_size != 0 && f->disk_free < left + (in ? left / 4 : 0);
}

enum pressure
budget_level(const struct budget_facts *f, enum pressure was)
{
	if (f->full)
		return PRESSURE_REFUSE;
	for (int l = PRESSURE_REFUSE; l > PRESSURE_NONE; l--)
		if (reached(f, (enum pressure)l, (int)was >= l))
			return (enum pressure)l;
	return PRESSURE_NONE;
}

uint64_t
budget_growth(const struct budget_facts *f)
{
	uint64_t to = f->budget / 1000 * marks[PRESSURE_REFUSE].leave;
	uint64_t needs = MIN(READ_BACK, f->disk_size / 4);
	uint64_t keep = MAX(disk_mark(f, PRESSURE_SHED), needs);
	uint64_t more = UINT64_MAX;

	if (f->budget != 0)
		more = to > f->used ? to - f->used : 0;
	if (f->disk_size != 0)
		more = MIN(more, f->disk_free > keep ? f->disk_free - keep :
		    UINT64_C(0));
	return more;
}

/* -- looking ------------------------------------------------------------ */
/* stat and not open: closing a descriptor of the database would let go of the
 * locks that SQLite has on it in this process. */
static uint64_t
file_bytes(const char *path, const char *suffix)
{
	char name[600];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void
directory_of(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(ret, size, "%.*s", slash == NULL || slash == path ? 1 :
	    (int)(slash - path), slash == NULL ? "." : path);
}

/* What there is in the journal's directory: its records and its reserve, what
 * was set aside as damaged, units in quarantine that became files. *ret_passing:
 * the records, which go when they are read back. */
static uint64_t
journal_bytes(const char *path, uint64_t *ret_passing)
{
	char dir[512], name[560];
	uint64_t all = 0;
	struct dirent *e;
	struct stat st;
	DIR *d;

	*ret_passing = 0;
	directory_of(path, dir, sizeof(dir));
	snprintf(name, sizeof(name), "%s/journal", dir);
	d = opendir(name);
	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		all += (uint64_t)st.st_blocks * 512;
		if (n > 4 && strcmp(e->d_name + n - 4, ".seg") == 0)
			*ret_passing += (uint64_t)st.st_blocks * 512;
	}
	if (d != NULL)
		(void)closedir(d);
	return all;
}

/* The WAL comes and goes, most of all while pruning makes room: it has a fixed
 * share of the budget, and counts for more only when it is larger. */
static uint64_t
wal_share(const struct store *s, uint64_t wal)
{
	uint64_t share = MIN(WAL_SHARE_MAX, s->conf.disk_budget / 8);

	return MAX(wal, share);
}

static void
look(struct store *s)
{
	struct budget *b = s->budget;
	const char *path = s->conf.path;
	uint64_t file = file_bytes(path, ""), used, spare;
	char dir[512];
	struct statvfs fs;

	if (s->failures == 0 && s->db != NULL &&
	    s->db->ops->pages(s->db, &b->pages, &b->empty, NULL) != ERR_OK)
		b->pages = b->empty = 0;
	spare = MIN(b->empty * PAGE_BYTES, file);
	used = file - spare + wal_share(s, file_bytes(path, "-wal")) +
	    file_bytes(path, "-shm") + journal_bytes(path,
	    &b->facts.passing);
	b->facts.used = used;
	b->facts.budget = s->conf.disk_budget;
	directory_of(path, dir, sizeof(dir));
	b->facts.disk_size = b->facts.disk_free = 0;
	if (statvfs(dir, &fs) == 0) {
		b->facts.disk_size = (uint64_t)fs.f_blocks * fs.f_frsize;
		b->facts.disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	}
	rescue_may_grow(s, budget_growth(&b->facts));
	atomic_store(&s->stats.used_bytes, used);
	atomic_store(&s->stats.spare_bytes, spare);
	atomic_store(&s->stats.disk_free_bytes, b->facts.disk_free);
}

/* Units per second, smoothed over some looks. */
static void
measure_drain(struct store *s, int64_t now_ns)
{
	struct budget *b = s->budget;
	int64_t ms = (now_ns - b->looked_ns) / NS_PER_MS;
	uint64_t now, was = atomic_load(&b->drain);

	if (b->looked_ns != 0 && ms > 0) {
		now = (s->answered - b->answered) * 1000 / (uint64_t)ms;
		atomic_store(&b->drain, (was * 3 + now) / 4);
	}
	b->answered = s->answered;
	b->looked_ns = now_ns;
}

/* -- saying so ---------------------------------------------------------- */
static void
say(struct store *s, enum event_kind kind, const char *what)
{
	const struct budget_facts *f = &s->budget->facts;
	char text[240];
	size_t n;

	snprintf(text, sizeof(text), "%s: ", what);
	n = strlen(text);
	if (f->full)
		snprintf(text + n, sizeof(text) - n, "a write failed for want"
		    " of room");
	else if (f->budget != 0)
		snprintf(text + n, sizeof(text) - n, "%llu of %llu MiB in use"
		    " (store.disk_budget), %llu MiB free on the disk",
		    (unsigned long long)(f->used / MIB),
		    (unsigned long long)(f->budget / MIB),
		    (unsigned long long)(f->disk_free / MIB));
	else
		snprintf(text + n, sizeof(text) - n, "%llu MiB free on the"
		    " disk", (unsigned long long)(f->disk_free / MIB));
	log_warn("store", "room", KV("what", &text[0]));
	batch_owe(s, kind, text);
}

static uint64_t
shed_since(const struct store *s)
{
	uint64_t n = 0;

	for (int i = 0; i < SHED_NMAX; i++)
		n += atomic_load(&s->stats.shed[i]) - s->budget->shed[i];
	return n;
}

static void
announce(struct store *s, enum pressure was, enum pressure now)
{
	struct budget *b = s->budget;
	char text[120];

	if (was < PRESSURE_SHED && now >= PRESSURE_SHED)
		for (int i = 0; i < SHED_NMAX; i++)
			b->shed[i] = atomic_load(&s->stats.shed[i]);
	if (now == PRESSURE_REFUSE)
		say(s, EVENT_DROP, "no room: writes are refused, checking goes"
		    " on");
	else if (now == PRESSURE_SHED && was < now)
		say(s, EVENT_DROP, budget_over(s) > 0 ? "little room: the"
		    " oldest samples go" : "little room while the journal waits"
		    " to be read back");
	else if (now == PRESSURE_WARN && was < now)
		say(s, EVENT_STORE, "room gets scarce");
	else if (was == PRESSURE_REFUSE)
		say(s, EVENT_STORE, "writes are taken again");
	if (was < PRESSURE_SHED || now >= PRESSURE_SHED)
		return;
	b->dry = false;
	snprintf(text, sizeof(text), "room again; %llu samples were shed",
	    (unsigned long long)shed_since(s));
	say(s, EVENT_DROP, text);
}

static void
settle(struct store *s)
{
	struct budget *b = s->budget;
	enum pressure was = (enum pressure)atomic_load(&b->level);
	enum pressure now = budget_level(&b->facts, was);

	if (now == was)
		return;
	atomic_store(&b->level, (int)now);
	atomic_store(&b->since_us, now == PRESSURE_REFUSE ? clock_wall_us() :
	    0);
	announce(s, was, now);
}

/* Empty pages beyond a share that new rows will use anyway; under pressure
 * all of them. */
static void
plan_vacuum(struct store *s)
{
	struct budget *b = s->budget;
	uint64_t keep = MAX(b->pages / SPARE_SHARE, (uint64_t)SPARE_MIN);
	bool pressed = atomic_load(&b->level) >= PRESSURE_SHED;

	/* Half of it, so that it does not begin again at once. */
	b->give_back = pressed ? b->empty : b->empty <= keep ? 0 :
	    b->empty - keep / 2;
}

void
budget_turn(struct store *s, int64_t now_ns)
{
	struct budget *b = s->budget;

	if (s->conf.memory || s->conf.vfs != NULL || now_ns < b->look_ns)
		return;
	b->look_ns = now_ns + BUDGET_LOOK_NS;
	measure_drain(s, now_ns);
	look(s);
	settle(s);
	plan_vacuum(s);
	if (budget_over(s) > 0 && now_ns >= b->hurry_ns) {
		b->hurry_ns = now_ns + (b->dry ? HURRY_DRY_NS : HURRY_NS);
		prune_hurry(s);
	}
}

/* -- reacting ----------------------------------------------------------- */
void
budget_failed(struct store *s)
{
	if (s->fault.class != CLASS_FULL || s->budget->facts.full)
		return;
	s->budget->facts.full = true;
	settle(s);
}

void
budget_recovered(struct store *s)
{
	if (!s->budget->facts.full)
		return;
	s->budget->facts.full = false;
	s->budget->look_ns = 0;
}

/* What the WAL holds goes into the database, so that its space is used again
 * from the start; then the oldest samples make empty pages. Both may fail as
 * everything else does then. */
void
budget_relieve(struct store *s)
{
	if (s->db == NULL || !s->budget->facts.full)
		return;
	(void)s->db->ops->checkpoint(s->db, false);
	prune_hurry(s);
	prune_slice(s);
}

bool
budget_is_tight(const struct store *s)
{
	const struct budget_facts *f = &s->budget->facts;

	return f->full || (f->disk_size != 0 && f->disk_free < READ_BACK);
}

uint64_t
budget_over(const struct store *s)
{
	const struct budget_facts *f = &s->budget->facts;
	uint64_t low = f->budget / 1000 * LOW_PERMILLE, over = 0;
	uint64_t lasting = f->used - MIN(f->used, f->passing);
	uint64_t have = f->disk_free + s->budget->empty * PAGE_BYTES +
	    (f->full ? 0 : f->passing);
	uint64_t want = disk_mark(f, PRESSURE_SHED) * 2;

	if (atomic_load(&s->budget->level) < PRESSURE_SHED)
		return 0;
	if (f->budget != 0 && lasting > low)
		over = lasting - low;
	if (f->disk_size != 0 && have < want)
		over = MAX(over, want - have);
	return over;
}

void
budget_pruned(struct store *s, uint64_t bytes)
{
	struct budget *b = s->budget;
	bool dry = bytes == 0 && budget_over(s) > 0;

	if (dry && !b->dry)
		say(s, EVENT_DROP, "no old samples are left to go: new ones are"
		    " thinned");
	b->dry = dry;
	b->look_ns = 0;
}

uint64_t
budget_vacuum(const struct store *s)
{
	return s->budget->give_back;
}

void
budget_vacuumed(struct store *s, uint64_t pages)
{
	struct budget *b = s->budget;

	b->give_back -= MIN(b->give_back, pages);
	b->empty -= MIN(b->empty, pages);
	atomic_fetch_add(&s->stats.vacuumed, pages);
}

/* -- thinning ----------------------------------------------------------- */
/* While nothing can be written the queue keeps all there is room for. */
void
budget_batch(struct store *s)
{
	struct budget *b = s->budget;
	const struct budget_facts *f = &b->facts;
	bool high = f->budget != 0 &&
	    f->used >= f->budget / 1000 * THIN_PERMILLE;

	b->thin = THIN_NONE;
	switch ((enum pressure)atomic_load(&b->level)) {
	case PRESSURE_REFUSE:
		if (!f->full || mbox_load(&s->inbox) >= 0.5)
			b->thin = THIN_ALL;
		break;
	case PRESSURE_SHED:
		if (b->dry || high)
			b->thin = THIN_MOST;
		break;
	case PRESSURE_NONE:
	case PRESSURE_WARN:
	case PRESSURE_NMAX:
		break;
	}
}

/* Somebody waits for it, or was told that it is durable: the journal's thread
 * may just have done so. */
static bool
promised(struct store *s, const struct unit *u)
{
	bool yes;

	pthread_mutex_lock(&s->mu);
	yes = u->ack != NULL || u->told;
	pthread_mutex_unlock(&s->mu);
	return yes;
}

/* Only what a restart does not miss: a success after a success, of a monitor
 * that is up and is not judged by m of n. */
bool
budget_sheds(struct store *s, const struct result_unit *r,
    const struct entry *en, enum shed_kind *ret)
{
	enum thin thin = s->budget->thin;
	const struct view_row *v = &en->row;
	enum why why = (enum why)r->sample.why;

	if (thin == THIN_NONE || promised(s, &r->unit) || r->own != NULL ||
	    r->group != NULL || r->evidence != NULL || en->touched)
		return false;
	if (why_is_local(why)) {
		*ret = SHED_VOID_SAMPLE;
		return true;
	}
	*ret = SHED_OK_SAMPLE;
	if (why != WHY_OK || v->status != STATUS_UP ||
	    v->last_ok_us != v->last_us || v->conf->fail_n != 0)
		return false;
	return thin == THIN_ALL || r->sample.seq % KEEP_ONE_OF != 0;
}

/* -- the rest ----------------------------------------------------------- */
struct budget *
budget_new(void)
{
	return xcalloc(1, sizeof(struct budget));
}

void
budget_free(struct budget *b)
{
	xfree(b);
}

enum pressure
budget_pressure(const struct budget *b)
{
	return (enum pressure)atomic_load(&b->level);
}

int64_t
budget_since_us(const struct budget *b)
{
	return atomic_load(&b->since_us);
}

uint64_t
budget_drain(const struct budget *b)
{
	return atomic_load(&b->drain);
}

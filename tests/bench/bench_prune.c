/* bench_prune: how long pruning to the newest N of each monitor holds the
 * write lock, COMMIT included, with ROWS rows in the table, half of them of
 * one monitor, while the writer has other work. Prints one line per figure:
 *   bench=prune figure=… value=… unit=…
 * usage: bench_prune [ROWS [DIRECTORY]] */
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/prune.h"
#include "store/retention.h"
#include "world/world.h"

#define MONITORS 1000
#define NEWEST   200
#define WAIT_S   300
#define EVERY_US 20000   /* a unit of other work */

static const struct monitor_kind kind = {.name = "push", .drive = DRIVE_PUSH};
static const struct monitor_kind *const kinds[] = {&kind, NULL};
static uint64_t rows = 1200000;
static char dir[128] = "/tmp/vedette-bench-XXXXXX";

static void
line(const char *figure, double value, const char *unit)
{
	printf("bench=prune figure=%s value=%.4g unit=%s\n", figure, value,
	    unit);
}

static double
now_s(void)
{
	return (double)clock_mono_ns() / 1e9;
}

static void
broken(const char *what)
{
	fprintf(stderr, "bench_prune: %s\n", what);
	exit(1);
}

static struct store *
open_store(const struct store_conf *c)
{
	struct store *s = NULL;
	struct errinfo ei = {0};

	if (store_open(c, &s, &ei) != ERR_OK || store_start(s, &ei) != ERR_OK)
		broken(ei.text);
	return s;
}

static void
close_store(struct store *s)
{
	struct errinfo ei = {0};

	if (store_stop(s, clock_mono_ns() + INT64_C(60000000000), &ei) !=
	    ERR_OK)
		broken(ei.text);
	store_free(s);
}

static sqlite3 *
file_open(const char *path)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		broken(sqlite3_errmsg(db));
	return db;
}

/* Monitors as the store keeps them, and their changes interleaved, each with
 * some hundred bytes of what explains it. */
static void
fill(const char *path)
{
	sqlite3 *db = file_open(path);
	char sql[1200];

	snprintf(sql, sizeof(sql), "PRAGMA synchronous=OFF; BEGIN; WITH"
	    " RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i"
	    " < %d) INSERT INTO monitor SELECT i, 'm' || i, 0,"
	    " '{\"name\":\"m' || i || '\",\"type\":\"push\"}', 1, 0, 0, 0, 1"
	    " FROM n; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
	    " FROM n WHERE i < %" PRIu64 ") INSERT INTO transition SELECT i,"
	    " CASE WHEN i %% 2 THEN 1 ELSE 1 + i / 2 %% %d END, i,"
	    " 1790000000000000 + i / 3 * 1000, 0, 4, 1, 'connection refused',"
	    " '{\"rule\":\"down after 3 failures in a row\",\"n\":' || i ||"
	    " ',\"vote\":[1,1,1,1,1,1,1,1]}', NULL FROM n; COMMIT",
	    MONITORS, rows, MONITORS);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		broken(sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int64_t
number(const char *path, const char *sql)
{
	sqlite3 *db = file_open(path);
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static uint64_t
pruned(struct store *s)
{
	const struct retention_row *r = retention_find("transition");

	return atomic_load(&store_stats(s)->pruned[r - retention]);
}

/* On a busy machine one COMMIT may wait for others' syncs: how many did? */
static void
holds(struct store *s)
{
	const struct hist *h = &store_stats(s)->slice;
	uint64_t all = 0, over = 0;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		uint64_t n = atomic_load(&h->n[i]);

		all += n;
		if (i > 0 && hist_bounds_ns[i - 1] >= INT64_C(25) * 1000000)
			over += n;
	}
	line("holds", (double)all, "slices");
	line("holds_over_25ms", (double)over, "slices");
}

/* Until all went that should. Meanwhile there are units to write. */
static void
wait_done(struct store *s, uint64_t want)
{
	double until = now_s() + WAIT_S;

	while (pruned(s) < want) {
		struct event_unit *e = event_unit_new();

		if (now_s() > until)
			broken("not done in time");
		e->event.kind = EVENT_STORE;
		e->unit.urgent = true;
		if (!mbox_put(store_inbox(s), &e->unit.msg, e->unit.bytes))
			unit_free(&e->unit);
		usleep(EVERY_US);
	}
}

int
main(int argc, char **argv)
{
	struct store_conf c = {.commit_delay_ns = 1000000000, .queue = 65536,
	    .queue_bytes = 1u << 30, .readers = 1, .kinds = kinds};
	const char *most = "SELECT max(n) FROM (SELECT count(*) n FROM"
	    " transition GROUP BY monitor)";
	struct store *s;
	uint64_t want;
	double began;
	char cmd[200];

	if (argc > 1)
		rows = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		snprintf(dir, sizeof(dir), "%s/vedette-bench-XXXXXX", argv[2]);
	if (rows < UINT64_C(2) * MONITORS * NEWEST * 2 || mkdtemp(dir) == NULL)
		return 2;
	snprintf(c.path, sizeof(c.path), "%s/store.db", dir);
	close_store(open_store(&c));
	fill(c.path);
	c.retention.transitions_per_monitor = NEWEST;
	s = open_store(&c);
	began = now_s();
	want = rows - (uint64_t)MONITORS * NEWEST;
	wait_done(s, want);
	line("took_s", now_s() - began, "s");
	line("rows", (double)rows, "rows");
	line("rows_pruned", (double)pruned(s), "rows");
	line("longest_hold", (double)atomic_load(&store_stats(s)->slice_max_ns)
	    / 1e6, "ms");
	holds(s);
	close_store(s);
	line("left_per_monitor", (double)number(c.path, most), "rows");
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd) == 0 ? 0 : 1;
}

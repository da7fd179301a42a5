/* bench_store: durable rows per second through the writer beside the same
 * rows by the bare sqlite3 API, in one run: WAL, synchronous=FULL, as many
 * rows in a transaction. Prints one line per figure:
 *   bench=store figure=… value=… unit=…
 * usage: bench_store [ROWS [MONITORS [DIRECTORY [paced]]]]
 * paced: not faster than the compaction follows, as it is in service. */
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/block.h"
#include "store/compact.h"
#include "store/query.h"
#include "store/readers.h"
#include "world/world.h"

#define BATCH 4096
#define T0    INT64_C(1790000000000000)

static const struct monitor_kind kind = {.name = "push", .drive = DRIVE_PUSH};
static const struct monitor_kind *const kinds[] = {&kind, NULL};
static uint64_t rows = 400000;
static uint32_t monitors = 10000;
static bool paced;
static char dir[128] = "/tmp/vedette-bench-XXXXXX";
static pthread_t writer;

static void
line(const char *figure, double value, const char *unit)
{
	printf("bench=store figure=%s value=%.4g unit=%s\n", figure, value,
	    unit);
}

static double
cpu_s(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
now_s(void)
{
	return (double)clock_mono_ns() / 1e9;
}

/* As an HTTP check on the loopback gives them. */
static struct sample
make(uint64_t i)
{
	uint32_t noise = (uint32_t)(i * 2654435761u) >> 16;
	struct sample p = {.monitor = 1 + (uint32_t)(i % monitors),
	    .seq = 1 + i / monitors, .code = 200, .status = STATUS_UP,
	    .bytes = 1256, .phase_us = {-1, 60, -1, 180, 30}};

	p.due_us = T0 + (int64_t)p.seq * 10000000 + p.monitor * 1000;
	p.at_us = p.due_us + noise % 4000;
	p.lag_us = (int32_t)(p.at_us - p.due_us);
	p.phase_us[1] += (int32_t)(noise % 17);
	p.phase_us[3] += (int32_t)(noise / 17 % 61);
	p.phase_us[4] += (int32_t)(noise / 1037 % 13);
	p.latency_us = p.phase_us[1] + p.phase_us[3] + p.phase_us[4];
	p.peer = (struct peer){.family = 4, .port = 8080};
	p.peer.ip[0] = 127;
	p.peer.ip[3] = (uint8_t)p.monitor;
	return p;
}

static void
must(int rc, sqlite3 *db)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "bench_store: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void
sql(sqlite3 *db, const char *text)
{
	must(sqlite3_exec(db, text, NULL, NULL, NULL), db);
}

/* One row a sample, columns bound by hand, append only. */
static double
bare(void)
{
	char path[160];
	sqlite3 *db;
	sqlite3_stmt *st;
	double began = now_s();

	snprintf(path, sizeof(path), "%s/bare.db", dir);
	must(sqlite3_open(path, &db), db);
	sql(db, "PRAGMA journal_mode=WAL");
	sql(db, "PRAGMA synchronous=FULL");
	sql(db, "CREATE TABLE tail(id INTEGER PRIMARY KEY, monitor, seq, at,"
	    " due, lag, latency, p0, p1, p2, p3, p4, bytes, code, status, why,"
	    " peer)");
	must(sqlite3_prepare_v2(db, "INSERT INTO tail VALUES(NULL,?,?,?,?,?,?,"
	    "?,?,?,?,?,?,?,?,?,?)", -1, &st, NULL), db);
	for (uint64_t i = 0; i < rows; i++) {
		struct sample p = make(i);
		const int64_t v[] = {p.monitor, (int64_t)p.seq, p.at_us,
		    p.due_us, p.lag_us, p.latency_us, p.phase_us[0],
		    p.phase_us[1], p.phase_us[2], p.phase_us[3],
		    p.phase_us[4], p.bytes, p.code, p.status, p.why};

		if (i % BATCH == 0)
			sql(db, "BEGIN IMMEDIATE");
		for (int k = 0; k < (int)COUNT(v); k++)
			must(sqlite3_bind_int64(st, k + 1, v[k]), db);
		must(sqlite3_bind_blob(st, 16, p.peer.ip, 4, SQLITE_STATIC),
		    db);
		must(sqlite3_step(st), db);
		sqlite3_reset(st);
		if (i % BATCH == BATCH - 1 || i == rows - 1)
			sql(db, "COMMIT");
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return now_s() - began;
}

struct waiter {
	struct ack ack;
	pthread_mutex_t mu;
	pthread_cond_t cv;
	bool done;
};

static void
wake(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct waiter *w = CONTAINER(a, struct waiter, ack);

	if (e != ERR_OK)
		fprintf(stderr, "bench_store: %s %s\n", err_name(e),
		    ei != NULL ? ei->text : "");
	pthread_mutex_lock(&w->mu);
	w->done = true;
	pthread_cond_signal(&w->cv);
	pthread_mutex_unlock(&w->mu);
}

static void
send_and_wait(struct store *s, struct unit *u)
{
	struct waiter w = {.ack.done = wake};

	pthread_mutex_init(&w.mu, NULL);
	pthread_cond_init(&w.cv, NULL);
	u->ack = &w.ack;
	while (!mbox_put(store_inbox(s), &u->msg, u->bytes))
		usleep(1000);
	pthread_mutex_lock(&w.mu);
	while (!w.done)
		pthread_cond_wait(&w.cv, &w.mu);
	pthread_mutex_unlock(&w.mu);
}

static void
configure(struct store *s)
{
	struct config_unit *u = config_unit_new(CONFIG_APPLY);
	BUF_AUTO(b, 16u << 20);
	struct errinfo ei = {0};

	buf_adds(&b, "monitors:\n");
	for (uint32_t i = 0; i < monitors; i++)
		buf_addf(&b, "  - { name: m%u, type: push }\n", i);
	if (document_parse(buf_str(&b), "bench", kinds, NULL, &u->doc, &ei) !=
	    ERR_OK) {
		fprintf(stderr, "bench_store: %s\n", ei.text);
		exit(1);
	}
	send_and_wait(s, &u->unit);
	config_unit_free(u);
}

static struct store *
open_store(const struct store_conf *c)
{
	struct store *s = NULL;
	struct errinfo ei = {0};

	if (store_open(c, &s, &ei) != ERR_OK || store_start(s, &ei) != ERR_OK) {
		fprintf(stderr, "bench_store: %s\n", ei.text);
		exit(1);
	}
	writer = s->thread;
	return s;
}

static void
through_the_writer(struct store *s, double bare_s)
{
	struct event_unit *e = event_unit_new();
	double began, wall, cpu;
	clockid_t clock;

	pthread_getcpuclockid(writer, &clock);
	began = now_s();
	cpu = cpu_s(clock);
	for (uint64_t i = 0; i < rows; i++) {
		struct result_unit *u = result_unit_new();

		u->has_sample = true;
		u->sample = make(i);
		while (paced && s->tail_samples > 2 * COMPACT_SAMPLES)
			usleep(1000);
		while (!mbox_put(store_inbox(s), &u->unit.msg, u->unit.bytes))
			usleep(200);
	}
	send_and_wait(s, &e->unit);
	wall = now_s() - began;
	cpu = cpu_s(clock) - cpu;
	line("writer_rows_per_s", (double)rows / wall, "rows/s");
	line("bare_rows_per_s", (double)rows / bare_s, "rows/s");
	line("writer_to_bare", bare_s / wall, "ratio");
	line("writer_cpu_per_row", cpu / (double)rows * 1e6, "us");
}

static int
rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

#define ACKS_MAX 8192

/* The cycles that are due run by themselves; wait until they are over, as
 * somebody who is answered when it is durable. */
static void
settle(struct store *s)
{
	static double ms[ACKS_MAX];
	clockid_t clock;
	double cpu, began = now_s();
	size_t n = 0;

	pthread_getcpuclockid(writer, &clock);
	cpu = cpu_s(clock);
	while (s->tail_samples >= COMPACT_SAMPLES && now_s() - began < 120) {
		struct event_unit *e = event_unit_new();
		double sent = now_s();

		send_and_wait(s, &e->unit);
		ms[n++ % ACKS_MAX] = (now_s() - sent) * 1e3;
		usleep(5000);
	}
	line("compact_cpu_rest", cpu_s(clock) - cpu, "s");
	line("compact_wall_rest", now_s() - began, "s");
	n = MIN(n, (size_t)ACKS_MAX);
	if (n == 0)
		return;
	qsort(ms, n, sizeof(ms[0]), rising);
	line("ack_while_compacting_p50", ms[n / 2], "ms");
	line("ack_while_compacting_p99", ms[n * 99 / 100], "ms");
}

struct ask {
	struct read_job job;
	struct waiter w;
	double *us;
	unsigned n;
};

static void
ask(struct read_job *job, struct reader *r)
{
	struct ask *a = CONTAINER(job, struct ask, job);

	for (unsigned i = 0; r != NULL && i < a->n; i++) {
		struct sample_query q = {.monitor = 1 + i * 7919u % monitors,
		    .to_us = INT64_MAX, .limit = 60};
		struct sample *v = NULL;
		size_t n = 0;
		double began = now_s();

		if (query_samples(r, &q, &v, &n, NULL) != ERR_OK)
			fprintf(stderr, "bench_store: a query failed\n");
		a->us[i] = (now_s() - began) * 1e6;
		xfree(v);
	}
	wake(&a->w.ack, ERR_OK, NULL);
}

static void
queries(struct store *s)
{
	double us[2000];
	struct ask a = {.us = us, .n = COUNT(us)};

	pthread_mutex_init(&a.w.mu, NULL);
	pthread_cond_init(&a.w.cv, NULL);
	a.job.run = ask;
	a.job.deadline_ns = clock_mono_ns() + INT64_C(60000000000);
	if (!reader_submit(s, &a.job))
		return;
	pthread_mutex_lock(&a.w.mu);
	while (!a.w.done)
		pthread_cond_wait(&a.w.cv, &a.w.mu);
	pthread_mutex_unlock(&a.w.mu);
	qsort(us, COUNT(us), sizeof(us[0]), rising);
	line("last_60_samples_p50", us[COUNT(us) / 2], "us");
	line("last_60_samples_p99", us[COUNT(us) * 99 / 100], "us");
}

static void
at_rest(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *st;

	must(sqlite3_open(path, &db), db);
	must(sqlite3_prepare_v2(db, "SELECT sum(length(b)), sum(n), count(*)"
	    " FROM chunk", -1, &st, NULL), db);
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 1) > 0) {
		line("chunk_bytes_per_sample", sqlite3_column_double(st, 0) /
		    sqlite3_column_double(st, 1), "B");
		line("samples_per_chunk", sqlite3_column_double(st, 1) /
		    sqlite3_column_double(st, 2), "samples");
	}
	sqlite3_finalize(st);
	must(sqlite3_prepare_v2(db, "SELECT sum(length(b)), sum(n) FROM tail",
	    -1, &st, NULL), db);
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 1) > 0)
		line("tail_bytes_per_sample", sqlite3_column_double(st, 0) /
		    sqlite3_column_double(st, 1), "B");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static double
written_bytes(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	char text[128];
	double v = 0;

	while (f != NULL && fgets(text, sizeof(text), f) != NULL)
		if (strncmp(text, "write_bytes:", 12) == 0)
			v = strtod(text + 12, NULL);
	if (f != NULL)
		fclose(f);
	return v;
}

int
main(int argc, char **argv)
{
	struct store_conf c = {.commit_delay_ns = 1000000000, .queue = 65536,
	    .queue_bytes = 1u << 30, .readers = 1, .kinds = kinds};
	struct store *s;
	double bare_s, began, bytes;
	char cmd[200];

	if (argc > 1)
		rows = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		monitors = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		snprintf(dir, sizeof(dir), "%s/vedette-bench-XXXXXX", argv[3]);
	paced = argc > 4 && strcmp(argv[4], "paced") == 0;
	if (rows == 0 || monitors == 0 || mkdtemp(dir) == NULL)
		return 2;
	bare_s = bare();
	snprintf(c.path, sizeof(c.path), "%s/store.db", dir);
	s = open_store(&c);
	began = now_s();
	configure(s);
	line("apply_s", now_s() - began, "s");
	bytes = written_bytes();
	through_the_writer(s, bare_s);
	settle(s);
	line("device_bytes_per_row", (written_bytes() - bytes) / (double)rows,
	    "B");
	queries(s);
	began = now_s();
	(void)store_stop(s, clock_mono_ns() + INT64_C(20000000000), NULL);
	store_free(s);
	line("stop_s", now_s() - began, "s");
	began = now_s();
	s = open_store(&c);
	line("open_s", now_s() - began, "s");
	(void)store_stop(s, clock_mono_ns() + INT64_C(20000000000), NULL);
	store_free(s);
	at_rest(c.path);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd) == 0 ? 0 : 1;
}

/* bench_queries: what questions cost a store that holds a history. Makes one
 * with as many samples in chunks and roll-ups, in the order in which the
 * compaction would have made them, 20 transitions a monitor, and a tail by the
 * real writer; opens it, asks, and weighs it. Prints one line per figure:
 *   bench=queries figure=… value=… unit=…
 * usage: bench_queries [SAMPLES [MONITORS [DIRECTORY]]] */
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/chunk.h"
#include "store/inside.h"
#include "store/latency.h"
#include "store/rollups.h"
#include "store/state_code.h"
#include "store/uptime_query.h"
#include "world/world.h"

#define STEP_US  INT64_C(60000000)    /* between a monitor's samples */
#define DAY_US   INT64_C(86400000000)
#define TURNS    20                   /* per monitor, in 90 days */
#define TAIL     10                   /* samples a monitor in the tail */
#define ASKED    2000
#define IN_A_TXN 2000                 /* chunks */

static const struct monitor_kind kind = {.name = "push", .drive = DRIVE_PUSH};
static const struct monitor_kind *const kinds[] = {&kind, NULL};
static uint64_t samples = 100000000;
static uint32_t monitors = 10000;
static char dir[128] = "/tmp/vedette-bench-XXXXXX";
static int64_t now_us, t0;
static uint64_t each;                 /* samples a monitor */

static void
line(const char *figure, double value, const char *unit)
{
	printf("bench=queries figure=%s value=%.4g unit=%s\n", figure, value,
	    unit);
	fflush(stdout);
}

static double
now_s(void)
{
	return (double)clock_mono_ns() / 1e9;
}

static void
must(enum err e, const struct errinfo *ei)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_queries: %s %s\n", err_name(e), ei->text);
	exit(1);
}

/* As an HTTP check of a near host gives them. */
static struct sample
make(uint32_t monitor, uint64_t seq)
{
	uint64_t r = (seq * 10007 + monitor) * UINT64_C(0x9e3779b97f4a7c15);
	struct sample p = {.monitor = monitor, .seq = seq, .code = 200,
	    .status = STATUS_UP, .bytes = 1256,
	    .phase_us = {-1, 60, -1, 180, 30}};

	r ^= r >> 29;
	p.due_us = t0 + (int64_t)seq * STEP_US + monitor * 1000;
	p.at_us = p.due_us + (int64_t)(r % 4000);
	p.lag_us = (int32_t)(p.at_us - p.due_us);
	p.phase_us[1] += (int32_t)(r >> 12 & 15);
	p.phase_us[3] += (int32_t)(r >> 16 & 63);
	p.phase_us[4] += (int32_t)(r >> 22 & 15);
	p.latency_us = p.phase_us[1] + p.phase_us[3] + p.phase_us[4];
	if (r >> 32 < (UINT64_C(1) << 32) / 100)   /* one in a hundred is slow */
		p.latency_us += (int64_t)(r >> 40 & 0xffff);
	p.peer = (struct peer){.family = 4, .port = 8080};
	p.peer.ip[0] = 127;
	p.peer.ip[3] = (uint8_t)monitor;
	return p;
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
		fprintf(stderr, "bench_queries: %s %s\n", err_name(e),
		    ei != NULL ? ei->text : "");
	pthread_mutex_lock(&w->mu);
	w->done = true;
	pthread_cond_signal(&w->cv);
	pthread_mutex_unlock(&w->mu);
}

static void
wait_for(struct waiter *w)
{
	pthread_mutex_lock(&w->mu);
	while (!w->done)
		pthread_cond_wait(&w->cv, &w->mu);
	pthread_mutex_unlock(&w->mu);
}

static void
waiter_init(struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->mu, NULL);
	pthread_cond_init(&w->cv, NULL);
	w->ack.done = wake;
}

static void
send_and_wait(struct store *s, struct unit *u)
{
	struct waiter w;

	waiter_init(&w);
	u->ack = &w.ack;
	while (!mbox_put(store_inbox(s), &u->msg, u->bytes))
		usleep(1000);
	wait_for(&w);
}

static struct store *
open_store(const struct store_conf *c, bool start)
{
	struct store *s = NULL;
	struct errinfo ei = {0};

	must(store_open(c, &s, &ei), &ei);
	if (start)
		must(store_start(s, &ei), &ei);
	return s;
}

static void
close_store(struct store *s)
{
	struct errinfo ei = {0};

	must(store_stop(s, clock_mono_ns() + INT64_C(60000000000), &ei), &ei);
	store_free(s);
}

static void
configure(const struct store_conf *c)
{
	struct config_unit *u = config_unit_new(CONFIG_APPLY);
	struct store *s = open_store(c, true);
	BUF_AUTO(b, 16u << 20);
	struct errinfo ei = {0};
	char sql[160];
	sqlite3 *db;

	buf_adds(&b, "monitors:\n");
	for (uint32_t i = 0; i < monitors; i++)
		buf_addf(&b, "  - { name: m%u, type: push }\n", i);
	must(document_parse(buf_str(&b), "bench", kinds, NULL, &u->doc, &ei),
	    &ei);
	send_and_wait(s, &u->unit);
	config_unit_free(u);
	close_store(s);
	/* They have a past. */
	snprintf(sql, sizeof(sql), "UPDATE monitor SET created_us = %" PRId64
	    "; DELETE FROM gap; UPDATE meta SET v = %" PRId64
	    " WHERE k = 'alive'", now_us - 100 * DAY_US, now_us);
	if (sqlite3_open(c->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
	sqlite3_close(db);
}

static void
transaction(struct store *s, bool begin)
{
	struct errinfo ei = {0};

	must(begin ? s->db->ops->begin(s->db, true, &ei) :
	    s->db->ops->commit(s->db, &ei), &ei);
	if (!begin)
		(void)s->db->ops->checkpoint(s->db, false);
}

static void
put_chunk(struct store *s, uint32_t monitor, uint64_t first, size_t n)
{
	static struct sample v[CHUNK_SAMPLES];
	BUF_AUTO(b, CHUNK_BYTES_MAX);
	struct errinfo ei = {0};

	for (size_t i = 0; i < n; i++)
		v[i] = make(monitor, first + i);
	must(chunk_encode(v, n, &b), &ei);
	must(s->db->ops->run(s->db, STMT_CHUNK_PUT, VALS(V_INT(monitor),
	    V_INT(first), V_INT(first + n - 1), V_INT(v[0].at_us),
	    V_INT(v[n - 1].at_us), V_INT(n), V_BYTES(buf_str(&b))), NULL,
	    &ei), &ei);
	must(rollups_add(s, v, n, &ei), &ei);
}

static void
put_chunks(struct store *s)
{
	uint64_t done = 0;

	for (uint64_t first = 1; first <= each; first += CHUNK_SAMPLES)
		for (uint32_t m = 1; m <= monitors; m++) {
			if (done % IN_A_TXN == 0)
				transaction(s, true);
			put_chunk(s, m, first, (size_t)MIN(each - first + 1,
			    (uint64_t)CHUNK_SAMPLES));
			if (++done % IN_A_TXN == 0)
				transaction(s, false);
		}
	if (done % IN_A_TXN != 0)
		transaction(s, false);
}

static void
put_state(struct store *s, uint32_t monitor, enum status status, int64_t at)
{
	unsigned char bytes[STATE_CODE_MAX];
	struct mon_state st = {.monitor = monitor, .seq = each,
	    .status = (uint8_t)status, .since_us = at, .last_us = at};
	struct errinfo ei = {0};

	must(s->db->ops->run(s->db, STMT_STATE_PUT, VALS(V_INT(monitor),
	    V_BYTES(state_code_put(&st, bytes))), NULL, &ei), &ei);
}

/* Down for some minutes now and then, by turns of all monitors as they would
 * have come; their rows as long as those of real failures. */
static void
put_turns(struct store *s)
{
	static char explain[400], evidence[2000];
	struct errinfo ei = {0};
	uint64_t id = 1;

	memset(explain, 'x', sizeof(explain) - 1);
	memset(evidence, 'y', sizeof(evidence) - 1);
	for (int k = 0; k < TURNS; k++) {
		bool down = k % 2 == 0;

		transaction(s, true);
		for (uint32_t m = 1; m <= monitors; m++, id++) {
			int64_t at = now_us - 95 * DAY_US + (k / 2) * 9 *
			    DAY_US + m * INT64_C(7919000) +
			    (down ? 0 : INT64_C(300000000));

			must(s->db->ops->run(s->db, STMT_TRANSITION_PUT, VALS(
			    V_INT(id), V_INT(m), V_INT(k), V_INT(at),
			    V_INT(down ? STATUS_UP : STATUS_DOWN),
			    V_INT(down ? STATUS_DOWN : STATUS_UP), V_INT(0),
			    V_TEXT("connection refused"), V_TEXT(explain),
			    down ? V_TEXT(evidence) : V_NULL), NULL, &ei),
			    &ei);
			if (k == TURNS - 1)
				put_state(s, m, STATUS_UP, at);
		}
		transaction(s, false);
	}
}

static void
build(const struct store_conf *c)
{
	double began = now_s();
	struct store *s;

	configure(c);
	s = open_store(c, false);
	s->next.transition = (uint64_t)monitors * TURNS + 1;
	put_turns(s);
	put_chunks(s);
	close_store(s);
	line("build_s", now_s() - began, "s");
}

/* The newest samples, through the writer. */
static void
put_tail(struct store *s)
{
	for (uint64_t i = 1; i <= TAIL; i++)
		for (uint32_t m = 1; m <= monitors; m++) {
			struct result_unit *u = result_unit_new();

			u->has_sample = true;
			u->sample = make(m, each + i);
			while (!mbox_put(store_inbox(s), &u->unit.msg,
			    u->unit.bytes))
				usleep(200);
		}
	send_and_wait(s, &event_unit_new()->unit);
}

/* -- questions ------------------------------------------------------------- */
struct ask {
	struct read_job job;
	struct waiter w;
	void (*question)(struct reader *r, uint32_t monitor);
	double ms[ASKED];
	unsigned n;
};

static int
rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
last_60(struct reader *r, uint32_t monitor)
{
	struct sample_query q = {.monitor = monitor, .to_us = INT64_MAX,
	    .limit = 60};
	struct sample *v = NULL;
	struct errinfo ei = {0};
	size_t n = 0;

	must(query_samples(r, &q, &v, &n, &ei), &ei);
	if (n != 60)
		fprintf(stderr, "bench_queries: %zu samples, not 60\n", n);
	xfree(v);
}

static const struct uptime_query *
ninety(void)
{
	static struct uptime_query q;

	q.to_us = now_us;
	q.from_us = now_us - 90 * DAY_US;
	return &q;
}

/* As a client pages through them. */
static void
uptime_of_all(struct reader *r, uint32_t monitor)
{
	uint32_t after = 0;
	size_t n = 0, all = 0;

	(void)monitor;
	do {
		struct uptime_of *v = NULL;
		struct errinfo ei = {0};

		must(query_uptime_all(r, ninety(), after, 1000, &v, &n, &ei),
		    &ei);
		after = n > 0 ? v[n - 1].monitor : 0;
		if (n > 0 && v[0].u.outages < 9)
			fprintf(stderr, "bench_queries: no outages\n");
		all += n;
		xfree(v);
	} while (n == 1000);
	if (all != monitors)
		fprintf(stderr, "bench_queries: %zu monitors\n", all);
}

static void
uptime_of_one(struct reader *r, uint32_t monitor)
{
	struct uptime u;
	struct errinfo ei = {0};

	must(query_uptime(r, monitor, ninety(), &u, &ei), &ei);
}

static void
week_by_hour(struct reader *r, uint32_t monitor)
{
	const struct latency_query q = {.monitor = monitor,
	    .from_us = now_us - 7 * DAY_US, .to_us = now_us,
	    .step_us = HOUR_US};
	struct latency l = {0};
	struct errinfo ei = {0};

	must(query_latency(r, &q, &l, &ei), &ei);
	latency_free(&l);
}

static void
ask_run(struct read_job *job, struct reader *r)
{
	struct ask *a = CONTAINER(job, struct ask, job);

	for (unsigned i = 0; r != NULL && i < a->n; i++) {
		double began = now_s();

		a->question(r, 1 + i * 7919u % monitors);
		a->ms[i] = (now_s() - began) * 1e3;
	}
	wake(&a->w.ack, ERR_OK, NULL);
}

static void
ask(struct store *s, const char *figure, unsigned n,
    void (*question)(struct reader *r, uint32_t monitor))
{
	static struct ask a;
	char name[64];

	memset(&a, 0, sizeof(a));
	a.question = question;
	a.n = n;
	waiter_init(&a.w);
	a.job.run = ask_run;
	a.job.deadline_ns = clock_mono_ns() + INT64_C(60000000000);
	if (!reader_submit(s, &a.job))
		return;
	wait_for(&a.w);
	snprintf(name, sizeof(name), "%s_first", figure);
	line(name, a.ms[0], "ms");
	qsort(a.ms, n, sizeof(a.ms[0]), rising);
	snprintf(name, sizeof(name), "%s_p50", figure);
	line(name, a.ms[n / 2], "ms");
	snprintf(name, sizeof(name), "%s_p99", figure);
	line(name, a.ms[n * 99 / 100], "ms");
}

/* -- weight ---------------------------------------------------------------- */
static double
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	double v = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_double(st, 0);
	sqlite3_finalize(st);
	return v;
}

static void
weigh(const char *path)
{
	struct stat st = {0};
	sqlite3 *db;
	double n;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		exit(1);
	n = number(db, "SELECT sum(n) FROM chunk");
	line("samples", n, "samples");
	line("chunk_bytes_per_sample",
	    number(db, "SELECT sum(length(b)) FROM chunk") / n, "B");
	line("rollup_bytes_per_sample",
	    number(db, "SELECT sum(length(b)) FROM rollup") / n, "B");
	line("rollup_bytes_per_hour", number(db, "SELECT avg(length(b)) FROM"
	    " rollup WHERE level = 0"), "B");
	sqlite3_close(db);
	if (stat(path, &st) == 0)
		line("file_bytes_per_sample", (double)st.st_size / n, "B");
}

int
main(int argc, char **argv)
{
	struct store_conf c = {.commit_delay_ns = 1000000000, .queue = 65536,
	    .queue_bytes = 1u << 30, .readers = 1, .kinds = kinds};
	struct store *s;
	char cmd[200];
	double began;

	if (argc > 1)
		samples = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		monitors = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		snprintf(dir, sizeof(dir), "%s/vedette-bench-XXXXXX", argv[3]);
	if (monitors == 0 || samples / monitors < 60 || mkdtemp(dir) == NULL)
		return 2;
	now_us = clock_wall_us();
	each = samples / monitors;
	t0 = now_us - (int64_t)(each + TAIL) * STEP_US;
	snprintf(c.path, sizeof(c.path), "%s/store.db", dir);
	build(&c);
	began = now_s();
	s = open_store(&c, true);
	line("open_s", now_s() - began, "s");
	put_tail(s);
	ask(s, "last_60_samples", ASKED, last_60);
	ask(s, "uptime_90d_of_one", ASKED, uptime_of_one);
	ask(s, "uptime_90d_of_all", 21, uptime_of_all);
	ask(s, "latency_7d_by_hour", 200, week_by_hour);
	close_store(s);
	weigh(c.path);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd) == 0 ? 0 : 1;
}

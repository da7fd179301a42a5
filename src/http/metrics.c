/* metrics.c: see metrics.h. Monitors are read in pages, one pass over the
 * view; each family collects in its own buffer, so that families stay whole. */
#include "http/metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mbox.h"
#include "base/mem.h"
#include "base/prom.h"
#include "base/time.h"
#include "http/auth.h"
#include "http/maintenance.h"
#include "http/server.h"
#include "http/sse.h"
#include "model/unit.h"
#include "store/health.h"
#include "store/retention.h"
#include "store/journal.h"
#include "store/query.h"
#include "store/wal.h"
#include "world/world.h"

#define PAGE_ROWS 1000

enum family { F_UP, F_STATUS, F_DURATION, F_CERT, F_MAINTENANCE, F_NMAX };
static const struct { const char *name, *help; } families[F_NMAX] = {
	[F_UP] = {"vedette_monitor_up", "1: up, degraded or late; 0: down; "
	    "absent: not known."},
	[F_STATUS] = {"vedette_monitor_status",
	    "1 for the monitor's status, 0 for the others."},
	[F_DURATION] = {"vedette_check_duration_seconds",
	    "Of the last check, by phase."},
	[F_CERT] = {"vedette_monitor_cert_expiry_timestamp_seconds",
	    "When the monitor's certificate ends."},
	[F_MAINTENANCE] = {"vedette_monitor_maintenance",
	    "1: a maintenance window holds its alerts back; 0: none."},
};

static void
metrics_status(struct buf *b, struct prom_label l[5], unsigned status)
{
	for (unsigned i = 0; i < STATUS_NMAX; i++) {
		l[4] = PROM_LABEL("status", str_of(status_name(
		    (enum status)i)));
		prom_u64(b, families[F_STATUS].name, l, 5, i == status);
	}
}

static void
metrics_durations(struct buf *b, struct prom_label l[5],
    const struct view_row *r)
{
	for (int i = 0; i < PHASE_NMAX; i++) {
		if (r->phase_us[i] < 0)
			continue;
		l[4] = PROM_LABEL("phase", str_of(phase_name((enum phase)i)));
		prom_f64(b, families[F_DURATION].name, l, 5,
		    r->phase_us[i] / 1e6);
	}
	if (r->latency_us < 0)
		return;
	l[4] = PROM_LABEL("phase", STR("total"));
	prom_f64(b, families[F_DURATION].name, l, 5,
	    (double)r->latency_us / 1e6);
}

static void
metrics_row(struct view *v, struct buf f[F_NMAX], const struct view_row *r)
{
	const struct monitor_conf *c = r->conf;
	const char *slash = strrchr(c->path, '/');
	char id[16];
	struct prom_label l[5];
	int up = status_up((enum status)r->status);
	struct maintenance m;

	snprintf(id, sizeof(id), "%u", c->id);
	l[0] = PROM_LABEL("id", str_of(id));
	l[1] = PROM_LABEL("name", str_of(c->path));
	l[2] = PROM_LABEL("group", slash == NULL ? STR("") :
	    ((struct str){c->path, (size_t)(slash - c->path)}));
	l[3] = PROM_LABEL("type", str_of(c->kind->name));
	if (up >= 0)
		prom_u64(&f[F_UP], families[F_UP].name, l, 4, (uint64_t)up);
	metrics_status(&f[F_STATUS], l, r->status);
	metrics_durations(&f[F_DURATION], l, r);
	prom_u64(&f[F_MAINTENANCE], families[F_MAINTENANCE].name, l, 4,
	    maintenance_over(v, r, clock_wall_us(), &m));
	if (r->cert_expiry_s > 0)
		prom_u64(&f[F_CERT], families[F_CERT].name, l, 4,
		    (uint64_t)r->cert_expiry_s);
}

static enum err
metrics_rows(struct view *v, struct buf f[F_NMAX])
{
	struct view_filter filter = {0};

	for (;;) {
		struct view_row *rows = NULL;
		size_t n = 0;
		enum err e = view_list(v, &filter, VIEW_BY_ID, PAGE_ROWS,
		    &rows, &n);

		if (e != ERR_OK)
			return e;
		for (size_t i = 0; i < n; i++) {
			metrics_row(v, f, &rows[i]);
			filter.after = rows[i].conf->id;
			view_row_release(&rows[i]);
		}
		filter.has_ids_after = true;
		xfree(rows);
		if (n < PAGE_ROWS)
			return ERR_OK;
	}
}

static enum err
metrics_monitors(struct buf *b, struct http *h)
{
	struct buf f[F_NMAX];
	enum err e;

	for (int i = 0; i < F_NMAX; i++) {
		buf_init(&f[i], METRICS_MAX / F_NMAX);
		prom_family(&f[i], families[i].name, "gauge",
		    families[i].help);
	}
	e = metrics_rows(h->view, f);
	for (int i = 0; i < F_NMAX; i++) {
		if (e == ERR_OK && !buf_ok(&f[i]))
			e = ERR_LIMIT;
		buf_add(b, buf_str(&f[i]));
		buf_free(&f[i]);
	}
	return e;
}

static uint64_t
metrics_load(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

/* One family with one label. */
static void
metrics_by(struct buf *b, const char *name, const char *label,
    const char *const *values, const _Atomic uint64_t *v, int n)
{
	for (int i = 0; i < n; i++) {
		struct prom_label l = PROM_LABEL(label, str_of(values[i]));

		prom_u64(b, name, &l, 1, metrics_load(&v[i]));
	}
}

static void
metrics_errors(struct buf *b, const struct store_stats *s)
{
	prom_family(b, "vedette_store_errors_total", "counter",
	    "Failed operations on the store, by operation and class.");
	for (int i = 0; i < OP_NMAX; i++)
		for (int j = 0; j < CLASS_NMAX; j++) {
			struct prom_label l[2] = {
				{"op", str_of(store_op_names[i])},
				{"class", str_of(err_class_names[j])},
			};

			prom_u64(b, "vedette_store_errors_total", l, 2,
			    metrics_load(&s->errors[i][j]));
		}
}

/* What was asked of the database, by class, and who may ask. */
static void
metrics_queries(struct buf *b, struct store *s)
{
	static const char name[] = "vedette_store_queries_total";
	const struct store_stats *st = store_stats(s);
	struct readers_state r = readers_state(s);

	prom_family(b, "vedette_store_statement_seconds", "histogram",
	    "Time that statements took inside the database, by class.");
	for (int i = 0; i < PACE_NMAX; i++) {
		struct prom_label l = PROM_LABEL("class",
		    str_of(pace_names[i]));

		prom_hist_row(b, "vedette_store_statement_seconds", &l, 1,
		    &st->statement[i]);
	}
	prom_family(b, name, "counter",
	    "Statements, by class and how they ended.");
	for (int i = 0; i < PACE_NMAX; i++)
		for (int j = 0; j < ENDED_NMAX; j++) {
			struct prom_label l[2] = {
				{"class", str_of(pace_names[i])},
				{"outcome", str_of(ended_names[j])},
			};

			prom_u64(b, name, l, 2,
			    metrics_load(&st->queries[i][j]));
		}
	prom_family(b, "vedette_store_readers", "gauge",
	    "Connections that answer questions, by what they do.");
	prom_u64(b, "vedette_store_readers", &PROM_LABEL("state", STR("busy")),
	    1, r.busy);
	prom_u64(b, "vedette_store_readers", &PROM_LABEL("state", STR("idle")),
	    1, r.n - r.busy);
	prom_gauge(b, "vedette_store_reads_waiting",
	    "Questions that wait for a reader.", r.waiting);
	prom_counter(b, "vedette_store_readers_renewed_total",
	    "Readers' connections that were opened again.",
	    metrics_load(&st->recycled));
}

static void
metrics_wal(struct buf *b, struct store *s)
{
	struct wal_state w;

	wal_state(s, &w);
	prom_gauge(b, "vedette_store_wal_full", "1: the log is at its bound "
	    "and held; nothing is written to the database.", w.full);
	prom_gauge(b, "vedette_store_checkpoints_stuck", "Attempts in a row "
	    "that could not cut the log.", w.stuck);
	prom_gauge(b, "vedette_store_last_checkpoint_timestamp_seconds",
	    "When a checkpoint was last done; 0: not yet.",
	    (double)(w.last_done_us / US_PER_S));
}

static void
metrics_journal(struct buf *b, struct store *s)
{
	const struct journal_stats *j = store_journal_stats(s);

	prom_gauge(b, "vedette_quarantine_units", "Units that could not be "
	    "stored and wait for a person.", (double)store_quarantined(s));
	if (j == NULL)
		return;
	prom_gauge(b, "vedette_journal_bytes", "Records that are durable and "
	    "not yet in the database.", (double)metrics_load(&j->bytes));
	prom_gauge(b, "vedette_journal_reserve_bytes", "Room set aside for "
	    "what may never be refused.", (double)metrics_load(&j->reserve));
	prom_counter(b, "vedette_journal_records_total",
	    "Units written to the journal.", metrics_load(&j->records));
	prom_counter(b, "vedette_journal_damaged_total", "Stretches of the "
	    "journal that could not be read.", metrics_load(&j->damaged));
	prom_hist(b, "vedette_journal_fsync_seconds",
	    "How long a write to the journal took, synced.", &j->fsync);
}

static void
metrics_store(struct buf *b, struct http *h)
{
	static const char *const units[UNIT_NMAX] = {
		[UNIT_RESULT] = "result", [UNIT_CONFIG] = "config",
		[UNIT_EVENT] = "event", [UNIT_TOKEN] = "token",
		[UNIT_ALERT] = "alert", [UNIT_QUARANTINE] = "quarantine",
		[UNIT_INCIDENT] = "incident",
	};
	const struct store_stats *s = store_stats(h->c.store);
	struct health_report health;
	size_t n, bytes;

	mbox_depth(store_inbox(h->c.store), &n, &bytes);
	prom_gauge(b, "vedette_writer_queue_depth",
	    "Units that wait for the writer.", (double)n);
	prom_gauge(b, "vedette_writer_queue_bytes",
	    "Bytes that wait for the writer.", (double)bytes);
	prom_counter(b, "vedette_store_commits_total",
	    "Committed transactions.", metrics_load(&s->commits));
	prom_family(b, "vedette_store_rows_total", "counter",
	    "Rows written, by kind.");
	metrics_by(b, "vedette_store_rows_total", "kind", row_kind_names,
	    s->rows, ROW_NMAX);
	prom_hist(b, "vedette_store_commit_seconds",
	    "How long commits took.", &s->commit);
	prom_hist(b, "vedette_store_queue_wait_seconds",
	    "From a unit's arrival to its commit.", &s->queue_wait);
	health_look(h->c.store, &health);
	prom_gauge(b, "vedette_store_health", "The store's health: 1 healthy, "
	    "2 degraded, 3 unhealthy.", (double)health.level);
	metrics_journal(b, h->c.store);
	prom_gauge(b, "vedette_store_wal_bytes", "Size of the write-ahead "
	    "log.", (double)metrics_load(&s->wal_bytes));
	prom_gauge(b, "vedette_store_file_bytes", "Size of the database.",
	    (double)metrics_load(&s->file_bytes));
	prom_family(b, "vedette_store_checkpoints_total", "counter",
	    "Checkpoints of the write-ahead log, by outcome.");
	metrics_by(b, "vedette_store_checkpoints_total", "outcome",
	    checkpoint_names, s->checkpoints, CKPT_NMAX);
	metrics_wal(b, h->c.store);
	metrics_errors(b, s);
	metrics_queries(b, h->c.store);
	prom_family(b, "vedette_dropped_total", "counter",
	    "Units that were dropped, by kind.");
	metrics_by(b, "vedette_dropped_total", "kind", units, s->dropped,
	    UNIT_NMAX);
	prom_counter(b, "vedette_store_duplicates_total",
	    "Units that were stored already.", metrics_load(&s->duplicates));
	prom_counter(b, "vedette_store_refused_total",
	    "Units that were refused.", metrics_load(&s->refused));
	prom_gauge(b, "vedette_store_last_commit_timestamp_seconds",
	    "When something was last committed.",
	    (double)(atomic_load(&s->last_commit_us) / US_PER_S));
}

static void
metrics_room(struct buf *b, struct http *h)
{
	const struct store_stats *s = store_stats(h->c.store);
	static const char pruned[] = "vedette_pruned_rows_total";

	prom_gauge(b, "vedette_store_budget_bytes", "Disk space the store may "
	    "take; 0: unbounded.", (double)store_budget(h->c.store));
	prom_gauge(b, "vedette_store_used_bytes", "Of it, taken by what is "
	    "stored, without pages that are empty.",
	    (double)metrics_load(&s->used_bytes));
	prom_gauge(b, "vedette_store_spare_bytes", "Empty pages of the "
	    "database.", (double)metrics_load(&s->spare_bytes));
	prom_gauge(b, "vedette_store_disk_free_bytes", "What the file system "
	    "has left.", (double)metrics_load(&s->disk_free_bytes));
	prom_gauge(b, "vedette_store_pressure", "0: room; 1: little, it was "
	    "said; 2: shedding; 3: writes are refused.",
	    store_pressure(h->c.store));
	prom_family(b, "vedette_shed_total", "counter",
	    "What gave way for want of room, by kind.");
	metrics_by(b, "vedette_shed_total", "kind", shed_kind_names, s->shed,
	    SHED_NMAX);
	prom_family(b, pruned, "counter",
	    "Rows that were over their table's bound.");
	for (size_t i = 0; i < retention_count(); i++) {
		struct prom_label l = PROM_LABEL("table",
		    str_of(retention[i].table));

		if (retention[i].step != NULL)
			prom_u64(b, pruned, &l, 1,
			    metrics_load(&s->pruned[i]));
	}
	prom_hist(b, "vedette_store_slice_seconds", "How long slices of "
	    "housekeeping held the write lock.", &s->slice);
	prom_gauge(b, "vedette_store_slice_max_seconds",
	    "The longest of them since the start.",
	    (double)atomic_load(&s->slice_max_ns) / 1e9);
	prom_counter(b, "vedette_store_vacuumed_pages_total",
	    "Empty pages given back.", metrics_load(&s->vacuumed));
}

static void
metrics_http(struct buf *b, struct http *h)
{
	static const char *const codes[] = {
		"0xx", "1xx", "2xx", "3xx", "4xx", "5xx",
	};

	prom_family(b, "vedette_http_requests_total", "counter",
	    "Answered requests, by status.");
	metrics_by(b, "vedette_http_requests_total", "code", codes + 1,
	    h->answers + 1, (int)COUNT(codes) - 1);
	prom_gauge(b, "vedette_http_parked", "Requests that wait for a "
	    "commit or a query.", (double)atomic_load(&h->park.n));
	prom_counter(b, "vedette_http_given_up_total", "Parked requests "
	    "answered 503 at their deadline.",
	    metrics_load(&h->park.gave_up));
	prom_counter(b, "vedette_http_left_total", "Questions that ended "
	    "because their client had left.", metrics_load(&h->park.left));
	prom_gauge(b, "vedette_sse_clients", "Open event streams.",
	    sse_clients(h->sse));
}

/* Descriptors this process has open. */
static double
metrics_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	if (d == NULL)
		return (double)NAN;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 3;   /* ".", ".." and the directory itself */
}

static double
metrics_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[128] = "";
	struct str s, word;
	uint64_t pages = 0;

	if (f == NULL)
		return (double)NAN;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	s = str_cut(str_of(line), ' ', &word);
	(void)str_cut(s, ' ', &word);
	if (!str_u64(word, UINT64_MAX, &pages))
		return (double)NAN;
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
metrics_process(struct buf *b, struct http *h)
{
	struct prom_label l = PROM_LABEL("version", str_of(h->c.version));
	struct rusage u = {0};
	struct rlimit r = {0};

	(void)getrusage(RUSAGE_SELF, &u);
	(void)getrlimit(RLIMIT_NOFILE, &r);
	prom_family(b, "vedette_build_info", "gauge", "Always 1.");
	prom_u64(b, "vedette_build_info", &l, 1, 1);
	prom_gauge(b, "process_resident_memory_bytes",
	    "Resident memory size in bytes.", metrics_rss());
	prom_gauge(b, "process_open_fds", "Number of open file descriptors.",
	    metrics_fds());
	prom_gauge(b, "process_max_fds",
	    "Maximum number of open file descriptors.", (double)r.rlim_cur);
	prom_family(b, "process_cpu_seconds_total", "counter",
	    "Total user and system CPU time spent in seconds.");
	prom_f64(b, "process_cpu_seconds_total", NULL, 0,
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	prom_gauge(b, "process_start_time_seconds",
	    "Start time of the process since the Unix epoch in seconds.",
	    (double)h->c.started_us / 1e6);
}

enum flow
metrics_get(struct req *q)
{
	static const char type[] = "text/plain; version=0.0.4; charset=utf-8";
	struct http *h = q->h;
	BUF_AUTO(b, METRICS_MAX);
	bool monitors = true;
	enum err e = ERR_OK;

	if (!h->c.settings->metrics.public_ && !auth_is_local(q) &&
	    !auth_check(q, SCOPE_READ))
		return ANSWERED;
	/* A hundred thousand monitors are 90 MB of text: the daemon's own
	 * figures can be had without. */
	if (!req_arg_flag(q, "monitors", &monitors))
		return ANSWERED;
	if (monitors)
		e = metrics_monitors(&b, h);
	if (e != ERR_OK)
		return req_fail(q, e, NULL);
	metrics_store(&b, h);
	metrics_room(&b, h);
	metrics_http(&b, h);
	metrics_process(&b, h);
	if (h->c.metrics != NULL)
		h->c.metrics(h->c.arg, &b);
	answer_take(&q->out, 200, type, &b);
	return ANSWERED;
}

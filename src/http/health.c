/* health.c: see health.h. */
#include "http/health.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mbox.h"
#include "http/field.h"
#include "http/park.h"
#include "http/server.h"
#include "model/unit.h"
#include "store/health.h"
#include "store/journal.h"
#include "store/query.h"
#include "store/retention.h"
#include "store/wal.h"

static enum flow
health_ok(struct req *q)
{
	BUF_AUTO(b, 16);

	buf_add(&b, STR("ok\n"));
	answer_take(&q->out, 200, answer_text, &b);
	return ANSWERED;
}

enum flow
health_alive(struct req *q)
{
	return health_ok(q);
}

/* What is wrong is for operators: it may name files. The public hears that
 * something is; the log and "store stats" say what. */
enum flow
health_ready(struct req *q)
{
	struct errinfo ei = {0};
	struct health_report r;

	if (store_ready(q->h->c.store, &ei) == ERR_OK) {
		health_look(q->h->c.store, &r);
		if (r.level != HEALTH_UNHEALTHY)
			return health_ok(q);
		health_headline(&r, ei.text, sizeof(ei.text));
	}
	return req_bad(q, 503, NULL, q->door->control && ei.text[0] != '\0' ?
	    ei.text : "the store does not commit");
}

static uint64_t
health_get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static const char *const unit_names[UNIT_NMAX] = {
	[UNIT_RESULT] = "result", [UNIT_CONFIG] = "config",
	[UNIT_EVENT] = "event", [UNIT_TOKEN] = "token",
	[UNIT_ALERT] = "alert", [UNIT_QUARANTINE] = "quarantine",
	[UNIT_INCIDENT] = "incident",
};

static void
health_counts(struct buf *b, const struct store_stats *s)
{
	field_open(b, "rows", '{');
	for (int i = 0; i < ROW_NMAX; i++)
		field_u64(b, row_kind_names[i], health_get(&s->rows[i]));
	field_next(b, '}');
	field_open(b, "dropped", '{');
	for (int i = 0; i < UNIT_NMAX; i++)
		field_u64(b, unit_names[i], health_get(&s->dropped[i]));
	field_next(b, '}');
	field_open(b, "errors", '{');
	for (int i = 0; i < OP_NMAX; i++) {
		field_open(b, store_op_names[i], '{');
		for (int j = 0; j < CLASS_NMAX; j++)
			field_u64(b, err_class_names[j],
			    health_get(&s->errors[i][j]));
		field_next(b, '}');
	}
	field_next(b, '}');
	field_open(b, "checkpoints", '{');
	for (int i = 0; i < CKPT_NMAX; i++)
		field_u64(b, checkpoint_names[i],
		    health_get(&s->checkpoints[i]));
	field_next(b, '}');
}

static void
health_journal(struct buf *b, struct store *s)
{
	const struct journal_stats *j = store_journal_stats(s);

	field_u64(b, "quarantined", store_quarantined(s));
	if (j == NULL)
		return;
	field_open(b, "journal", '{');
	field_u64(b, "bytes", health_get(&j->bytes));
	field_u64(b, "reserve_bytes", health_get(&j->reserve));
	field_u64(b, "records", health_get(&j->records));
	field_u64(b, "waiting", health_get(&j->last) > health_get(&j->done) ?
	    health_get(&j->last) - health_get(&j->done) : 0);
	field_u64(b, "damaged", health_get(&j->damaged));
	field_next(b, '}');
}

/* -- the store's health -------------------------------------------------- */

static void
health_show(struct req *q)
{
	struct health_report r;
	BUF_AUTO(b, ANSWER_BODY_MAX);
	json_t *v;
	char *text;

	health_look(q->h->c.store, &r);
	v = health_json(&r);
	text = v != NULL ? json_dumps(v, JSON_ENSURE_ASCII) : NULL;
	json_decref(v);
	buf_adds(&b, text != NULL ? text : "{}");
	buf_addc(&b, '\n');
	free(text);
	answer_take(&q->out, text != NULL ? 200 : 500, answer_json, &b);
}

static void
health_asked(struct req *q)
{
	if (q->e != ERR_OK)
		answer_fail(&q->out, q->e, q->ei);
	else
		health_show(q);
}

enum flow
health_rules(struct req *q)
{
	bool force = false;

	if (!req_arg_flag(q, "force", &force))
		return ANSWERED;
	if (!force) {
		health_show(q);
		return ANSWERED;
	}
	q->after = health_asked;
	park_wait(q, PARK_EDIT);
	if (health_ask(q->h->c.store, &q->ack))
		return WAITING;
	answer_problem(&q->out, 503, NULL, "too many ask for it just now; "
	    "without force the last answer is at most 5 s old");
	park_done(q);
	return WAITING;
}

/* -- its counters --------------------------------------------------------- */

static void
health_reads(struct buf *b, struct store *s)
{
	const struct store_stats *st = store_stats(s);
	struct readers_state r = readers_state(s);

	field_open(b, "readers", '{');
	field_u64(b, "open", r.n);
	field_u64(b, "busy", r.busy);
	field_u64(b, "waiting", r.waiting);
	field_u64(b, "renewed", health_get(&st->recycled));
	field_next(b, '}');
	field_open(b, "queries", '{');
	for (int i = 0; i < PACE_NMAX; i++) {
		field_open(b, pace_names[i], '{');
		for (int j = 0; j < ENDED_NMAX; j++)
			field_u64(b, ended_names[j],
			    health_get(&st->queries[i][j]));
		field_next(b, '}');
	}
	field_next(b, '}');
}

static void
health_wal(struct buf *b, struct store *s)
{
	struct wal_state w;

	wal_state(s, &w);
	field_open(b, "wal", '{');
	field_flag(b, "full", w.full);
	field_u64(b, "stuck", w.stuck);
	field_text(b, "held_by", w.held_by[0] != '\0' ? w.held_by : NULL);
	field_text(b, "last_checkpoint", w.last_done_us == 0 &&
	    w.last == CKPT_DONE ? NULL : checkpoint_names[w.last]);
	field_time(b, "last_done", w.last_done_us);
	field_next(b, '}');
}

/* How much there is, what gave way, and what housekeeping took. */
static void
health_room(struct buf *b, struct store *store)
{
	const struct store_stats *s = store_stats(store);

	field_open(b, "room", '{');
	field_text(b, "pressure", pressure_names[store_pressure(store)]);
	field_u64(b, "budget_bytes", store_budget(store));
	field_u64(b, "used_bytes", health_get(&s->used_bytes));
	field_u64(b, "spare_bytes", health_get(&s->spare_bytes));
	field_u64(b, "disk_free_bytes", health_get(&s->disk_free_bytes));
	field_next(b, '}');
	field_open(b, "shed", '{');
	for (int i = 0; i < SHED_NMAX; i++)
		field_u64(b, shed_kind_names[i], health_get(&s->shed[i]));
	field_next(b, '}');
	field_open(b, "pruned", '{');
	for (size_t i = 0; i < retention_count(); i++)
		if (retention[i].step != NULL)
			field_u64(b, retention[i].table,
			    health_get(&s->pruned[i]));
	field_next(b, '}');
	field_open(b, "housekeeping", '{');
	field_u64(b, "vacuumed_pages", health_get(&s->vacuumed));
	field_u64(b, "longest_slice_us", (uint64_t)atomic_load(
	    &s->slice_max_ns) / 1000);
	field_next(b, '}');
}

enum flow
health_store(struct req *q)
{
	const struct store_stats *s = store_stats(q->h->c.store);
	BUF_AUTO(b, 65536);
	struct errinfo ei = {0};
	enum err e = store_ready(q->h->c.store, &ei);
	size_t units, bytes;

	mbox_depth(store_inbox(q->h->c.store), &units, &bytes);
	buf_addc(&b, '{');
	field_flag(&b, "ready", e == ERR_OK);
	field_word(&b, "trouble", e == ERR_OK ? NULL : ei.text);
	field_u64(&b, "commits", health_get(&s->commits));
	health_counts(&b, s);
	health_journal(&b, q->h->c.store);
	field_u64(&b, "duplicates", health_get(&s->duplicates));
	field_u64(&b, "refused", health_get(&s->refused));
	field_u64(&b, "damaged", health_get(&s->damaged));
	health_room(&b, q->h->c.store);
	field_u64(&b, "wal_bytes", health_get(&s->wal_bytes));
	field_u64(&b, "file_bytes", health_get(&s->file_bytes));
	field_time(&b, "last_commit", atomic_load(&s->last_commit_us));
	field_time(&b, "failing_since", atomic_load(&s->failing_since_us));
	health_reads(&b, q->h->c.store);
	health_wal(&b, q->h->c.store);
	field_open(&b, "queue", '{');
	field_u64(&b, "units", units);
	field_u64(&b, "bytes", bytes);
	field_next(&b, '}');
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* store_rig.h: a store in a directory of its own, units to send it, and ways
 * to wait for the answers. */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/live.h"
#include "store/query.h"
#include "store/store.h"
#include "store/uptime_query.h"
#include "store/view.h"
#include "store/writer.h"
#include "tests/unit/conf_rig.h"
#include "world/world.h"

#define RIG_WAIT_NS (INT64_C(20) * 1000000000)

struct rig {
	char dir[64], path[128];
	struct store_conf conf;
	struct store *s;
	struct command *sent[64];   /* to the shards; owned */
	size_t nsent;
	uint32_t keys[64];
};

struct rig_ack {
	struct ack ack;
	pthread_mutex_t mu;
	pthread_cond_t cv;
	bool done;
	enum err e;
	struct errinfo ei;
};

static UNUSED void
rig_to_shard(void *arg, struct command *c, uint32_t key)
{
	struct rig *r = arg;

	if (r->nsent < COUNT(r->sent)) {
		r->keys[r->nsent] = key;
		r->sent[r->nsent++] = c;
	} else {
		command_free(c);
	}
}

static UNUSED void
rig_forget(struct rig *r)
{
	for (size_t i = 0; i < r->nsent; i++)
		command_free(r->sent[i]);
	r->nsent = 0;
}

static UNUSED void
rig_dir(struct rig *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->dir, sizeof(r->dir), "/tmp/vedette-store-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, name);
	r->conf = (struct store_conf){.commit_delay_ns = 5000000,
	    .queue = 100000, .queue_bytes = 1u << 30, .readers = 1,
	    .kinds = rig_kinds, .to_shard = rig_to_shard, .to_shard_arg = r};
	snprintf(r->conf.path, sizeof(r->conf.path), "%s", r->path);
}

static UNUSED void
rig_open(struct rig *r)
{
	struct errinfo ei = {0};

	if (store_open(&r->conf, &r->s, &ei) != ERR_OK ||
	    store_start(r->s, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
}

static UNUSED void
rig_close(struct rig *r)
{
	struct errinfo ei = {0};

	if (store_stop(r->s, clock_mono_ns() + RIG_WAIT_NS, &ei) != ERR_OK)
		fail_msg("%s", ei.text);
	store_free(r->s);
	r->s = NULL;
	rig_forget(r);
}

static UNUSED void
rig_remove(struct rig *r)
{
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", r->dir);
	assert_int_equal(system(cmd), 0);
}

static UNUSED void
rig_done(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct rig_ack *w = CONTAINER(a, struct rig_ack, ack);

	pthread_mutex_lock(&w->mu);
	w->done = true;
	w->e = e;
	if (ei != NULL)
		w->ei = *ei;
	pthread_cond_signal(&w->cv);
	pthread_mutex_unlock(&w->mu);
}

static UNUSED void
rig_ack_init(struct rig_ack *w)
{
	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->mu, NULL);
	pthread_cond_init(&w->cv, NULL);
	w->ack.done = rig_done;
}

static UNUSED enum err
rig_wait(struct rig_ack *w)
{
	pthread_mutex_lock(&w->mu);
	while (!w->done)
		pthread_cond_wait(&w->cv, &w->mu);
	pthread_mutex_unlock(&w->mu);
	return w->e;
}

static UNUSED void
rig_put(struct rig *r, struct unit *u)
{
	assert_true(mbox_put(store_inbox(r->s), &u->msg, u->bytes));
}

/* Send it and wait for its answer. */
static UNUSED enum err
rig_send(struct rig *r, struct unit *u, struct errinfo *ei)
{
	struct rig_ack w;
	enum err e;

	rig_ack_init(&w);
	u->ack = &w.ack;
	rig_put(r, u);
	e = rig_wait(&w);
	if (ei != NULL)
		*ei = w.ei;
	return e;
}

/* Everything sent before is committed when this returns. */
static UNUSED void
rig_flush(struct rig *r)
{
	struct event_unit *e = event_unit_new();

	e->event.kind = EVENT_STORE;
	snprintf(e->event.text, sizeof(e->event.text), "flush");
	assert_int_equal(rig_send(r, &e->unit, NULL), ERR_OK);
}

static UNUSED struct config_unit *
rig_edit(struct rig *r, enum config_op op, uint32_t id, const char *body,
    enum err want)
{
	struct config_unit *u = config_unit_new(op);
	struct errinfo ei = {0};
	enum err e;

	u->monitor = id;
	snprintf(u->actor, sizeof(u->actor), "test");
	if (body != NULL) {
		u->body = json_loads(body, 0, NULL);
		assert_non_null(u->body);
	}
	e = rig_send(r, &u->unit, &ei);
	if (e != want)
		fail_msg("%s, not %s: %s: %s", err_name(e), err_name(want),
		    ei.field, ei.text);
	return u;
}

static UNUSED uint32_t
rig_create(struct rig *r, const char *body)
{
	struct config_unit *u = rig_edit(r, CONFIG_CREATE, 0, body, ERR_OK);
	uint32_t id = u->ret_monitor;

	config_unit_free(u);
	return id;
}

static UNUSED void
rig_change(struct rig *r, enum config_op op, uint32_t id, const char *body,
    enum err want)
{
	config_unit_free(rig_edit(r, op, id, body, want));
}

static UNUSED enum err
rig_apply(struct rig *r, const char *yaml, struct plan_opts o)
{
	struct config_unit *u = config_unit_new(CONFIG_APPLY);
	enum err e;

	u->doc = rig_document(yaml);
	u->opts = o;
	e = rig_send(r, &u->unit, NULL);
	config_unit_free(u);
	return e;
}

static UNUSED struct sample
rig_sample(uint32_t monitor, uint64_t seq, int64_t at_us)
{
	struct sample p = {.monitor = monitor, .seq = seq, .due_us = at_us - 7,
	    .at_us = at_us, .latency_us = 1000 + (int64_t)seq % 50,
	    .phase_us = {-1, 300, -1, 600, 100}, .lag_us = 7, .bytes = 512,
	    .code = 200, .status = STATUS_UP, .why = WHY_OK};

	p.peer.family = 4;
	p.peer.port = 80;
	p.peer.ip[0] = 127;
	p.peer.ip[3] = 1;
	return p;
}

static UNUSED struct result_unit *
rig_result(uint32_t monitor, uint64_t seq, int64_t at_us)
{
	struct result_unit *u = result_unit_new();

	u->has_sample = true;
	u->sample = rig_sample(monitor, seq, at_us);
	return u;
}

/* A change of status with its state. seq 0: without a sample. */
static UNUSED struct result_unit *
rig_turn(uint32_t monitor, uint64_t seq, int64_t at_us, enum status from,
    enum status to)
{
	struct result_unit *u = seq != 0 ? rig_result(monitor, seq, at_us) :
	    result_unit_new();
	struct result_part *p = xcalloc(1, sizeof(*p));

	u->sample.status = (uint8_t)to;
	u->sample.why = to == STATUS_DOWN ? WHY_NET_REFUSED : WHY_OK;
	p->has_transition = p->has_state = true;
	p->transition = (struct transition){.monitor = monitor, .seq = seq,
	    .at_us = at_us, .from = (uint8_t)from, .to = (uint8_t)to,
	    .why = u->sample.why, .explain = "{\"rule\":\"test\"}"};
	p->state = (struct mon_state){.monitor = monitor, .seq = seq,
	    .status = (uint8_t)to, .why = u->sample.why, .since_us = at_us,
	    .last_us = at_us, .fails = to == STATUS_DOWN,
	    .oks = to != STATUS_DOWN};
	if (to == STATUS_PAUSED)
		p->state.oks = 0;
	u->own = p;
	u->unit.urgent = true;
	return u;
}

struct rig_job {
	struct read_job job;
	struct rig_ack w;
	void (*ask)(struct rig_job *j, struct reader *r);
	/* questions and answers */
	uint32_t monitor;
	int64_t from_us, to_us;
	uint64_t before;
	unsigned limit;
	struct errinfo ei;
	struct sample *samples;
	struct stored_transition *turns;
	struct event *events;
	struct uptime up;
	size_t n;
	bool had_reader;
};

static UNUSED void
rig_run(struct read_job *job, struct reader *r)
{
	struct rig_job *j = CONTAINER(job, struct rig_job, job);

	j->had_reader = r != NULL;
	if (r != NULL)
		j->ask(j, r);
	rig_done(&j->w.ack, j->w.e, NULL);
}

static UNUSED void
rig_ask_samples(struct rig_job *j, struct reader *r)
{
	struct sample_query q = {.monitor = j->monitor, .from_us = j->from_us,
	    .to_us = j->to_us, .before_seq = j->before, .limit = j->limit};

	j->w.e = query_samples(r, &q, &j->samples, &j->n, &j->ei);
}

static UNUSED void
rig_ask_turns(struct rig_job *j, struct reader *r)
{
	struct transition_query q = {.monitor = j->monitor,
	    .from_us = j->from_us, .to_us = j->to_us,
	    .before_id = j->before, .limit = j->limit};

	j->w.e = query_transitions(r, &q, &j->turns, &j->n, &j->ei);
}

static UNUSED void
rig_ask_events(struct rig_job *j, struct reader *r)
{
	struct event_query q = {.before_id = j->before, .limit = j->limit,
	    .newest_first = true};

	j->w.e = query_events(r, &q, &j->events, &j->n, &j->ei);
}

static UNUSED void
rig_ask_uptime(struct rig_job *j, struct reader *r)
{
	const struct uptime_query q = {.from_us = j->from_us,
	    .to_us = j->to_us};

	j->w.e = query_uptime(r, j->monitor, &q, &j->up, &j->ei);
}

static UNUSED struct rig_job
rig_question(uint32_t monitor, unsigned limit)
{
	return (struct rig_job){.monitor = monitor, .to_us = INT64_MAX,
	    .limit = limit};
}

static UNUSED enum err
rig_ask(struct rig *r, struct rig_job *j,
    void (*ask)(struct rig_job *j, struct reader *r))
{
	rig_ack_init(&j->w);
	j->ask = ask;
	j->job.run = rig_run;
	j->job.deadline_ns = clock_mono_ns() + RIG_WAIT_NS;
	assert_true(reader_submit(r->s, &j->job));
	return rig_wait(&j->w);
}

static UNUSED size_t
rig_samples(struct rig *r, uint32_t monitor, unsigned limit)
{
	struct rig_job j = rig_question(monitor, limit);

	if (rig_ask(r, &j, rig_ask_samples) != ERR_OK)
		fail_msg("%s", j.ei.text);
	xfree(j.samples);
	return j.n;
}

static UNUSED size_t
rig_turns(struct rig *r, uint32_t monitor)
{
	struct rig_job j = rig_question(monitor, 1000);

	if (rig_ask(r, &j, rig_ask_turns) != ERR_OK)
		fail_msg("%s", j.ei.text);
	stored_transitions_free(j.turns, j.n);
	return j.n;
}

/* One number straight from the file, by a connection of our own. */
static UNUSED int64_t
rig_number(struct rig *r, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	assert_int_equal(sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static UNUSED struct view_row
rig_row(struct rig *r, uint32_t id)
{
	struct view_row row;

	assert_int_equal(view_get(store_view(r->s), id, &row), ERR_OK);
	return row;
}

#define RIG_WEB(name) "{\"name\":\"" name "\",\"type\":\"web\"," \
	"\"url\":\"http://127.0.0.1/\"}"

#endif

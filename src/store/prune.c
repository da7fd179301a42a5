#include "store/prune.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "store/budget.h"
#include "store/chores.h"
#include "store/parts.h"
#include "world/world.h"

#define LIMIT_FIRST 64
#define STEP_LONG_NS  (INT64_C(3) * 1000000)
#define STEP_SHORT_NS (INT64_C(1) * 1000000)

static bool
events_many(const struct store *s)
{
	uint32_t max = s->conf.retention.logs_count;

	return max != 0 && atomic_load(&s->next_event) - s->first_event >
	    (uint64_t)max + PRUNE_EVENTS_SLACK;
}

bool
prune_due(const struct store *s, int64_t now_ns)
{
	return s->prune->running || now_ns >= s->prune->next_ns ||
	    events_many(s);
}

void
prune_hurry(struct store *s)
{
	s->prune->next_ns = 0;
}

enum err
prune_load(struct store *s, struct errinfo *ei)
{
	struct trust *t = &s->prune->trust;
	enum err e = backend_int(s->db, STMT_META_GET, VALS(V_TEXT("tended")),
	    s->last_sign_us, &t->at_us, ei);

	t->at_ns = clock_mono_ns();
	return e;
}

static int64_t
believed_us(struct store *s)
{
	struct trust *t = &s->prune->trust;
	int64_t wall_us = clock_wall_us(), now_us;
	char ahead[TIME_TEXT], text[160];
	bool doubt;

	now_us = trust_now(t, wall_us, clock_mono_ns(), &doubt);
	if (!doubt)
		return now_us;
	(void)time_format_human((wall_us - now_us) * NS_PER_US, ahead);
	snprintf(text, sizeof(text), "the clock is %s ahead of the last time:"
	    " nothing goes for its age until it has been so for a day", ahead);
	log_warn("store", "the clock is doubted", KV("ahead", &ahead[0]));
	batch_owe(s, EVENT_CLOCK, text);
	return now_us;
}

static void
begin_round(struct store *s)
{
	struct prune *p = s->prune;

	p->running = true;
	p->entered = false;
	p->row = 0;
	p->limit = LIMIT_FIRST;
	p->relieved = 0;
	p->began_us = believed_us(s);
	p->next_ns = clock_mono_ns() + PRUNE_EVERY_NS;
}

/* So many rows that a step takes a millisecond or some. */
static void
fit(struct prune *p, int64_t took_ns)
{
	if (took_ns > STEP_LONG_NS)
		p->limit = MAX(p->limit / 2, (unsigned)PRUNE_LIMIT_MIN);
	else if (took_ns < STEP_SHORT_NS && p->used >= p->limit)
		p->limit = MIN(p->limit * 2, (unsigned)PRUNE_LIMIT_MAX);
}

static enum err
work(struct store *s, int64_t until_ns, struct errinfo *ei)
{
	struct prune *p = s->prune;
	int64_t now_ns = clock_mono_ns(), then_ns;
	enum err e = ERR_OK;

	do {   /* at least one step, whatever the time */
		const struct retention_row *r = &retention[p->row];
		bool done = true;

		p->used = 0;
		if (r->step != NULL)
			e = r->step(s, p, r, &done, ei);
		p->entered = true;
		then_ns = now_ns;
		now_ns = clock_mono_ns();
		fit(p, now_ns - then_ns);
		if (!done)
			continue;
		p->row++;
		p->entered = false;
		p->limit = LIMIT_FIRST;
	} while (e == ERR_OK && retention[p->row].table != NULL &&
	    now_ns < until_ns);
	p->running = retention[p->row].table != NULL;
	if (e == ERR_OK && !p->running)
		e = s->db->ops->run(s->db, STMT_META_PUT,
		    VALS(V_TEXT("tended"), V_INT(p->began_us)), NULL, ei);
	return e;
}

/* All is as it was. What is known of a monitor's transitions was found out
 * while that was undone. */
static void
give_up(struct store *s, const struct prune *was, const struct errinfo *ei)
{
	*s->prune = *was;
	for (size_t i = 0; i < s->view->nids; i++)
		s->view->ids[i]->counted = false;
	s->fault = s->db->fault;
	writer_fault(s, ei);
	if (s->db->ops->rollback(s->db, NULL) != ERR_OK) {
		s->db->ops->close(s->db);
		s->db = NULL;
	}
	s->slice_ns = clock_mono_ns() + RETRY_MAX_NS;
}

static void
settle(struct store *s)
{
	struct prune *p = s->prune;
	uint64_t rows = 0;

	s->first_event = p->first_event;
	for (size_t i = 0; i < retention_count(); i++) {
		atomic_fetch_add(&s->stats.pruned[i], p->pruned[i]);
		rows += p->pruned[i];
	}
	if (rows > 0)
		atomic_fetch_add(&s->stats.commits, 1);
	atomic_fetch_add(&s->stats.shed[SHED_STORED_SAMPLE], p->shed);
	if (!p->running)
		budget_pruned(s, p->relieved);
}

void
prune_slice(struct store *s)
{
	int64_t began_ns;
	struct prune *p = s->prune, was;
	struct errinfo ei = {0};
	enum err e;

	if (!p->running)
		begin_round(s);
	was = *p;
	p->first_event = s->first_event;
	memset(p->pruned, 0, sizeof(p->pruned));
	p->shed = 0;
	e = s->db->ops->begin(s->db, true, &ei);
	began_ns = clock_mono_ns();   /* from here on the lock is held */
	if (e == ERR_OK)
		e = work(s, chores_until_ns(s, began_ns), &ei);
	if (e == ERR_OK)
		e = s->db->ops->commit(s->db, &ei);
	if (e != ERR_OK) {
		give_up(s, &was, &ei);
		return;
	}
	settle(s);
	chores_done(s, began_ns, clock_mono_ns());
}

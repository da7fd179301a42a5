/* state.c: see state.h. The whole of what decides up and down: no clock, no
 * I/O, no memory of its own. Three laws hold everywhere:
 *   - a why of the local layer moves the voids streak and nothing else, so
 *     that our trouble is neither for nor against the target;
 *   - a streak is broken by its opposite only, never by a void;
 *   - status, why and since change together, in become(). */
#include "state/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"

#define WINDOW_BITS 64
#define US_PER_MS   1000

static struct verdict
stay(const struct mon_state *st)
{
	return (struct verdict){.from = (enum status)st->status,
	    .to = (enum status)st->status, .why = (enum why)st->why};
}

static struct verdict
become(struct mon_state *st, enum status to, enum why why, int64_t at_us)
{
	struct verdict v = {.changed = to != (enum status)st->status,
	    .from = (enum status)st->status, .to = to, .why = why};

	st->why = (uint8_t)why;
	if (v.changed) {
		/* Two changes of one monitor are never at the same time, or
		 * their order could not be told from what is stored. */
		if (at_us <= st->since_us && st->since_us - at_us < US_PER_MS)
			at_us = st->since_us + 1;
		st->status = (uint8_t)to;
		st->since_us = at_us;
	}
	return v;
}

static void
count(uint16_t *streak)
{
	if (*streak < UINT16_MAX)
		++*streak;
}

static void
forget_streaks(struct mon_state *st)
{
	st->fails = st->oks = st->voids = 0;
	st->window = 0;
	st->window_n = 0;
	st->alerting.flap = 0;
}

/* The window of flapping: what the target did between two looks. Out of the
 * dark no change was seen, only that it is so now. */
static struct verdict
noted(struct mon_state *st, struct verdict v)
{
	alerting_note(&st->alerting, v.changed && v.from != STATUS_UNKNOWN &&
	    v.from != STATUS_PENDING);
	return v;
}

static void
window_add(struct mon_state *st, bool failed)
{
	st->window = st->window << 1 | failed;
	if (st->window_n < WINDOW_BITS)
		st->window_n++;
}

static uint32_t
window_fails(const struct mon_state *st, uint32_t n)
{
	uint64_t mask = n >= WINDOW_BITS ? UINT64_MAX :
	    (UINT64_C(1) << n) - 1;

	return (uint32_t)__builtin_popcountll(st->window & mask);
}

static bool
votes_down(const struct mon_state *st, const struct policy *p)
{
	if (p->fail_m > 0)
		return window_fails(st, p->fail_n) >= p->fail_m;
	return st->fails > p->retries;
}

static struct verdict
voided(struct mon_state *st, const struct policy *p, int64_t change_us)
{
	struct verdict v = stay(st);

	count(&st->voids);
	if (st->status != STATUS_UNKNOWN && p->blind_after > 0 &&
	    st->voids >= p->blind_after)
		v = become(st, STATUS_UNKNOWN, WHY_BLIND, change_us);
	/* A streak of failures waits for its next vote: ask again soon. */
	v.recheck = st->fails > 0 && v.to != STATUS_DOWN;
	return v;
}

static struct verdict
failed(struct mon_state *st, const struct policy *p, enum why why,
    int64_t change_us)
{
	struct verdict v = stay(st);

	st->voids = st->oks = 0;
	count(&st->fails);
	window_add(st, true);
	/* Down already: the newest reason is the one people want to read. */
	if (st->status == STATUS_DOWN || votes_down(st, p))
		return become(st, STATUS_DOWN, why, change_us);
	v.recheck = true;
	return v;
}

/* Degraded takes one sample, both ways: it is what the last look saw, and
 * neither an outage nor the end of one, so nothing is gained by waiting. */
static struct verdict
passed(struct mon_state *st, const struct policy *p, enum why why,
    int64_t at_us, int64_t change_us)
{
	struct verdict v = stay(st);

	st->voids = st->fails = 0;
	count(&st->oks);
	window_add(st, false);
	st->last_ok_us = at_us;
	if (st->status == STATUS_DOWN && st->oks < p->recoveries)
		return v;
	/* After an outage the vote starts anew: otherwise its failures would
	 * turn the next single one into another. */
	if (st->status == STATUS_DOWN || (st->status == STATUS_UNKNOWN &&
	    p->fail_m > 0 && votes_down(st, p))) {
		st->window = 0;
		st->window_n = 0;
	}
	return become(st, why_is_degraded(why) ? STATUS_DEGRADED : STATUS_UP,
	    why, change_us);
}

struct verdict
state_sample(struct mon_state *st, const struct policy *p, enum why why,
    uint64_t seq, int64_t at_us, int64_t change_us)
{
	assert(seq > st->seq);
	assert(p->fail_m <= p->fail_n);

	st->seq = seq;
	st->last_us = at_us;
	if (st->status == STATUS_PAUSED)
		return stay(st);
	if (why_is_local(why))
		return voided(st, p, change_us);
	if (why == WHY_OK || why_is_degraded(why))
		return noted(st, passed(st, p, why, at_us, change_us));
	return noted(st, failed(st, p, why, change_us));
}

struct verdict
state_pause(struct mon_state *st, int64_t at_us)
{
	if (st->status == STATUS_PAUSED)
		return stay(st);
	forget_streaks(st);
	st->deadline_us = 0;
	st->before_pause = st->status;
	return become(st, STATUS_PAUSED, WHY_PAUSED, at_us);
}

struct verdict
state_resume(struct mon_state *st, int64_t at_us)
{
	if (st->status != STATUS_PAUSED)
		return stay(st);
	st->before_pause = 0;
	return become(st, STATUS_PENDING, WHY_RESUMED, at_us);
}

void
state_retarget(struct mon_state *st)
{
	forget_streaks(st);
}

struct verdict
state_reset(struct mon_state *st, int64_t at_us)
{
	forget_streaks(st);
	st->deadline_us = 0;
	st->beat_us = 0;
	if (st->status == STATUS_PAUSED)
		return stay(st);
	return become(st, STATUS_PENDING, WHY_CONFIG, at_us);
}

/* A heartbeat is the sender's own word, not a measurement that may be off:
 * one is enough, in both directions. */
struct verdict
state_beat(struct mon_state *st, bool says_down, uint64_t seq,
    int64_t beat_us, int64_t interval_ns)
{
	assert(seq > st->seq);
	assert(interval_ns > 0);

	st->seq = seq;
	st->last_us = st->beat_us = beat_us;
	if (st->status == STATUS_PAUSED)
		return stay(st);
	st->voids = 0;
	if (says_down) {
		st->oks = 0;
		count(&st->fails);
		st->deadline_us = 0;
		return noted(st, become(st, STATUS_DOWN, WHY_PUSH_DOWN,
		    beat_us));
	}
	st->fails = 0;
	count(&st->oks);
	st->last_ok_us = beat_us;
	st->deadline_us = beat_us + interval_ns / NS_PER_US;
	return noted(st, become(st, STATUS_UP, WHY_OK, beat_us));
}

struct verdict
state_deadline(struct mon_state *st, int64_t now_us, int64_t grace_ns)
{
	int64_t at_us = st->deadline_us;

	assert(grace_ns >= 0);
	if (at_us == 0 || now_us < at_us || st->status == STATUS_PAUSED)
		return stay(st);
	/* The change is as old as the deadline, not as the timer is late. */
	if (st->status != STATUS_LATE && grace_ns > 0) {
		st->deadline_us = at_us + grace_ns / NS_PER_US;
		return noted(st, become(st, STATUS_LATE, WHY_PUSH_LATE, at_us));
	}
	st->deadline_us = 0;
	st->oks = 0;
	count(&st->fails);
	return noted(st, become(st, STATUS_DOWN, WHY_PUSH_MISSED, at_us));
}

void
state_gap(struct mon_state *st, int64_t to_us, int64_t interval_ns)
{
	/* Before the first beat ever there is no clock to restart; who is
	 * down stays so until a heartbeat comes. */
	if (st->beat_us == 0 || st->status == STATUS_PAUSED ||
	    st->status == STATUS_DOWN)
		return;
	count(&st->voids);
	st->deadline_us = to_us + interval_ns / NS_PER_US;
}

void
state_votes_move(struct group_votes *g, int from, int to)
{
	assert(from < STATUS_NMAX);
	assert(to < STATUS_NMAX);
	if (from >= 0) {
		assert(g->n[from] > 0);
		g->n[from]--;
	}
	if (to >= 0)
		g->n[to]++;
}

enum status
state_votes_worst(const struct group_votes *g)
{
	for (int s = 0; s < STATUS_PAUSED; s++)
		if (g->n[s] > 0)
			return (enum status)s;
	return STATUS_PENDING;
}

static bool
votes_none(const struct group_votes *g)
{
	for (int s = 0; s < STATUS_PAUSED; s++)
		if (g->n[s] > 0)
			return false;
	return true;
}

struct verdict
state_group(struct mon_state *st, const struct group_votes *g, int64_t at_us)
{
	if (st->status == STATUS_PAUSED)
		return stay(st);
	return become(st, state_votes_worst(g),
	    votes_none(g) ? WHY_EMPTY_GROUP : WHY_MEMBER, at_us);
}

void
state_vote(struct votes *l, uint64_t seq, enum why why)
{
	if (l->n == STATE_VOTES) {
		memmove(l->seq, l->seq + 1, sizeof(l->seq) - sizeof(*l->seq));
		memmove(l->why, l->why + 1, sizeof(l->why) - sizeof(*l->why));
		l->n--;
	}
	l->seq[l->n] = seq;
	l->why[l->n++] = (uint8_t)why;
}

static void
rule_sample(struct buf *b, const struct mon_state *st, const struct policy *p,
    const struct verdict *v)
{
	switch (v->to) {
	case STATUS_DOWN:
		if (p->fail_m > 0)
			buf_addf(b, "%" PRIu32 " of the last %" PRIu32
			    " failed", window_fails(st, p->fail_n),
			    p->fail_n);
		else if (p->retries == 0)
			buf_adds(b, "one failure is enough (retries 0)");
		else
			buf_addf(b, "%" PRIu32 " failures in a row "
			    "(1 + retries %" PRIu32 ")",
			    (uint32_t)st->fails, p->retries);
		break;
	case STATUS_UP:
		if (v->from == STATUS_DOWN)
			buf_addf(b, "%" PRIu32 " good in a row "
			    "(recoveries %" PRIu32 ")", (uint32_t)st->oks,
			    p->recoveries);
		else
			buf_adds(b, "one good answer is enough");
		break;
	case STATUS_DEGRADED:
		buf_adds(b, "answered, but not as well as it should");
		break;
	case STATUS_UNKNOWN:
		buf_addf(b, "%" PRIu32 " checks in a row voided by our own "
		    "trouble", (uint32_t)st->voids);
		break;
	case STATUS_LATE:
	case STATUS_PENDING:
	case STATUS_PAUSED:
	case STATUS_NMAX:
		buf_adds(b, why_text(v->why));
		break;
	}
}

/* Reasons that are a rule of their own; the others are a sample's. */
static const char *const rules[WHY_NMAX] = {
	[WHY_RESUMED] = "resumed: nothing is known until the next verdict",
	[WHY_MEMBER] = "the worst of its members decides",
	[WHY_CONFIG] = "configured as another type: nothing is known yet",
	[WHY_EMPTY_GROUP] = "no member counts",
	[WHY_PUSH_MISSED] = "no heartbeat within interval and grace",
	[WHY_PUSH_LATE] = "no heartbeat within the interval; grace runs",
	[WHY_PUSH_DOWN] = "the sender said down",
};

static void
rule(struct buf *b, const struct mon_state *st, const struct policy *p,
    const struct verdict *v)
{
	if (v->why == WHY_PAUSED)
		buf_adds(b, (st->before_pause & STATE_BY_GROUP) != 0 ?
		    "paused with its group" : "paused by command");
	else if (rules[v->why] != NULL)
		buf_adds(b, rules[v->why]);
	else if (st->beat_us != 0 && v->why == WHY_OK)
		buf_adds(b, "a heartbeat came");
	else
		rule_sample(b, st, p, v);
}

/* Names and rules are ours, without a character that JSON would escape. */
static void
explain(struct buf *b, const struct mon_state *st, const struct policy *p,
    const struct verdict *v, const struct votes *votes,
    const struct group_votes *g)
{
	bool first = true;

	buf_adds(b, "{\"rule\":\"");
	rule(b, st, p, v);
	buf_adds(b, "\",\"votes\":[");
	for (unsigned i = 0; votes != NULL && i < votes->n; i++)
		buf_addf(b, "%s{\"seq\":%" PRIu64 ",\"why\":\"%s\"}",
		    i > 0 ? "," : "", votes->seq[i],
		    why_name((enum why)votes->why[i]));
	buf_addc(b, ']');
	if (g != NULL) {
		buf_adds(b, ",\"members\":{");
		for (int s = 0; s < STATUS_NMAX; s++) {
			if (g->n[s] == 0)
				continue;
			buf_addf(b, "%s\"%s\":%" PRIu32, first ? "" : ",",
			    status_name((enum status)s), g->n[s]);
			first = false;
		}
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

void
state_explain(const struct mon_state *st, const struct policy *p,
    const struct verdict *v, const struct votes *votes,
    const struct group_votes *g, struct transition *t)
{
	BUF_AUTO(b, EXPLAIN_MAX - 1);

	assert(v->changed);
	explain(&b, st, p, v, votes, g);
	/* Eight votes fit with room to spare; an object cut in two would be
	 * worse than none. */
	assert(buf_ok(&b));
	t->monitor = st->monitor;
	t->seq = st->seq;
	t->at_us = st->since_us;
	t->from = (uint8_t)v->from;
	t->to = (uint8_t)v->to;
	t->why = (uint8_t)v->why;
	memcpy(t->explain, b.p, b.n + 1);
}

bool
state_ok(const struct mon_state *st)
{
	if (st->status >= STATUS_NMAX || !why_known(st->why))
		return false;
	if ((st->before_pause & ~STATE_BY_GROUP) >= STATUS_NMAX)
		return false;
	if (st->window_n > WINDOW_BITS || (st->window_n < WINDOW_BITS &&
	    st->window >> st->window_n != 0))
		return false;
	if (st->fails > 0 && st->oks > 0)
		return false;
	if (st->deadline_us != 0 && (st->beat_us == 0 ||
	    st->status == STATUS_PAUSED || st->status == STATUS_DOWN))
		return false;
	if (!alerting_ok(&st->alerting))
		return false;
	return memchr(st->reason, '\0', sizeof(st->reason)) != NULL;
}

void
state_check(const struct mon_state *st)
{
	assert(st->status < STATUS_NMAX);
	assert(state_ok(st));
}

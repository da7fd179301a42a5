#include "store/uptime.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/attr.h"

/* The first that ends after a time. */
static size_t
first_after(const struct gap *g, size_t n, int64_t us)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g[mid].to_us <= us)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int64_t
uptime_gap_us(const struct gap *g, size_t n, int64_t from_us, int64_t to_us)
{
	int64_t sum = 0;
	size_t lo = first_after(g, n, from_us);

	for (; lo < n && g[lo].from_us < to_us; lo++) {
		int64_t a = MAX(g[lo].from_us, from_us);
		int64_t b = MIN(g[lo].to_us, to_us);

		if (b > a)
			sum += b - a;
	}
	return sum;
}

struct uptime_apart
uptime_apart(const struct gap *gaps, size_t ngaps, const struct gap *windows,
    size_t nwindows, int64_t from_us, int64_t to_us)
{
	struct uptime_apart a = {0};
	size_t i = first_after(windows, nwindows, from_us);

	for (; i < nwindows && windows[i].from_us < to_us; i++) {
		int64_t begin = MAX(windows[i].from_us, from_us);
		int64_t end = MIN(windows[i].to_us, to_us);

		a.gap_us += uptime_gap_us(gaps, ngaps, from_us, begin);
		a.maintenance_us += end - begin;
		from_us = end;
	}
	a.gap_us += uptime_gap_us(gaps, ngaps, from_us, to_us);
	return a;
}

size_t
uptime_gap_add(struct gap *g, size_t n, struct gap one)
{
	if (n > 0 && one.from_us < g[n - 1].to_us)
		one.from_us = g[n - 1].to_us;
	if (one.to_us <= one.from_us)
		return n;
	g[n] = one;
	return n + 1;
}

/* An outage is an unbroken time down; it counts once however the window cuts
 * it, and its length is what is known of it inside the window. */
struct tally {
	struct uptime *u;
	const struct uptime_in *in;
	int64_t outage_us;       /* of the one that runs; -1: none */
	int64_t ended_us;        /* sum of those that ended in the window */
	uint32_t ended;
};

static void
outage_end(struct tally *t, bool over)
{
	if (t->outage_us < 0)
		return;
	t->u->longest_us = MAX(t->u->longest_us, t->outage_us);
	if (over) {
		t->ended++;
		t->ended_us += t->outage_us;
	}
	t->outage_us = -1;
}

/* The status was s over [from, to), which is all in a window or all out. */
static void
piece(struct tally *t, enum status s, int64_t from_us, int64_t to_us)
{
	int64_t gap, us;

	if (to_us <= from_us)
		return;
	gap = uptime_gap_us(t->in->gaps, t->in->ngaps, from_us, to_us);
	us = to_us - from_us - gap;
	t->u->unknown_us += gap;
	switch (s) {
	case STATUS_DOWN:
		t->u->down_us += us;
		if (t->outage_us < 0) {
			t->outage_us = 0;
			t->u->outages++;
		}
		t->outage_us += us;
		break;
	case STATUS_DEGRADED:
		t->u->degraded_us += us;
		t->u->up_us += us;
		break;
	case STATUS_UP:
	case STATUS_LATE:
		t->u->up_us += us;
		break;
	case STATUS_PAUSED:
		t->u->paused_us += us;
		break;
	case STATUS_PENDING:
		t->u->pending_us += us;
		break;
	case STATUS_UNKNOWN:
	case STATUS_NMAX:
		t->u->unknown_us += us;
		break;
	}
}

/* The status was s over [from, to), which is inside the question's window. */
static void
span(struct tally *t, enum status s, int64_t from_us, int64_t to_us)
{
	const struct uptime_in *in = t->in;
	size_t i = first_after(in->windows, in->nwindows, from_us);

	if (to_us <= from_us)
		return;
	if (s != STATUS_DOWN)
		outage_end(t, true);
	for (; i < in->nwindows && in->windows[i].from_us < to_us; i++) {
		int64_t a = MAX(in->windows[i].from_us, from_us);
		int64_t b = MIN(in->windows[i].to_us, to_us);

		piece(t, s, from_us, a);
		t->u->maintenance_us += b - a;
		if (in->count_windows)
			piece(t, s, a, b);
		from_us = b;
	}
	piece(t, s, from_us, to_us);
}

void
uptime_compute(const struct uptime_in *in, struct uptime *ret)
{
	struct tally t = {.u = ret, .in = in, .outage_us = -1};
	enum status s = in->first;
	int64_t at;

	memset(ret, 0, sizeof(*ret));
	ret->longest_us = ret->mttr_us = ret->mtbf_us = -1;
	ret->from_us = MAX(in->from_us, in->created_us);
	ret->to_us = MIN(in->to_us, in->now_us);
	ret->to_us = MAX(ret->to_us, ret->from_us);
	at = ret->from_us;
	for (size_t i = 0; i < in->nturns; i++) {
		const struct turn *c = &in->turns[i];

		if (c->at_us > at) {   /* a clock set back moves no time back */
			span(&t, s, at, MIN(c->at_us, ret->to_us));
			at = MIN(c->at_us, ret->to_us);
		}
		if (c->at_us >= ret->to_us)
			break;
		s = c->to;
		if (s != STATUS_DOWN)
			outage_end(&t, true);
	}
	span(&t, s, at, ret->to_us);
	outage_end(&t, false);
	ret->ratio = ret->up_us + ret->down_us == 0 ? (double)NAN :
	    (double)ret->up_us / (double)(ret->up_us + ret->down_us);
	if (t.ended > 0)
		ret->mttr_us = t.ended_us / t.ended;
	if (ret->outages > 0)
		ret->mtbf_us = ret->up_us / ret->outages;
}

void
uptime_series(const struct uptime_in *in, const int64_t *edge, size_t n,
    struct uptime *ret)
{
	struct uptime_in one = *in;
	size_t next = 0;

	for (size_t i = 0; i < n; i++) {
		one.from_us = edge[i];
		one.to_us = edge[i + 1];
		for (; next < in->nturns && in->turns[next].at_us <= edge[i];
		    next++)
			one.first = (enum status)in->turns[next].to;
		one.turns = in->turns + next;
		one.nturns = in->nturns - next;
		uptime_compute(&one, &ret[i]);
	}
}

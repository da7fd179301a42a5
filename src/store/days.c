/* days.c: uptime by local day, kept up to date one status at a time. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/uptime.h"

#define DAY_US (86400 * US_PER_S)
#define DAYS_KEPT (VIEW_DAYS + 1)

static void
account(struct day *day, enum status s, int64_t us, int64_t gap_us)
{
	uint32_t ms = (uint32_t)((us - gap_us) / 1000);

	day->other_ms += (uint32_t)(gap_us / 1000);
	if (status_up(s) > 0)
		day->up_ms += ms;
	else if (status_up(s) == 0)
		day->down_ms += ms;
	else
		day->other_ms += ms;
}

/* The entry of a day, made at the end when it is new. Old ones go. */
static struct day *
entry(struct days *d, int32_t day)
{
	size_t old = 0;

	if (d->n > 0 && d->v[d->n - 1].day == day)
		return &d->v[d->n - 1];
	while (old < d->n && d->v[old].day <= day - DAYS_KEPT)
		old++;
	if (old > 0) {
		memmove(d->v, d->v + old, (d->n - old) * sizeof(*d->v));
		d->n = (uint16_t)(d->n - old);
	}
	if (d->n == d->cap) {
		d->cap = (uint16_t)(d->cap == 0 ? 2 : d->cap * 2);
		d->v = xrealloc(d->v, d->cap, sizeof(*d->v));
	}
	assert(d->n < DAYS_KEPT);
	d->v[d->n] = (struct day){.day = day};
	return &d->v[d->n++];
}

void
days_add(struct days *d, enum status s, int64_t until_us,
    const struct days_in *in)
{
	int64_t at = d->until_us, first = until_us - DAYS_KEPT * DAY_US;

	if (until_us <= at)
		return;   /* the clock was set back */
	if (at < first) {
		at = first;
		d->known_us = MAX(d->known_us, first);
	}
	while (at < until_us) {
		int32_t day = calendar_day(in->calendar, at);
		int64_t next = calendar_start(in->calendar, day + 1);
		int64_t end = MIN(next, until_us);
		int64_t gap = uptime_gap_us(in->gaps, in->ngaps, at, end);
		bool whole = end == next &&
		    at == calendar_start(in->calendar, day);

		/* A whole day up is what no entry means. */
		if (!whole || gap > 0 || status_up(s) <= 0)
			account(entry(d, day), s, end - at, gap);
		at = end;
	}
	d->until_us = until_us;
}

static const struct day *
find(const struct days *d, int32_t day)
{
	for (size_t i = d->n; i > 0 && d->v[i - 1].day >= day; i--)
		if (d->v[i - 1].day == day)
			return &d->v[i - 1];
	return NULL;
}

void
days_read(const struct days *d, enum status s, int64_t now_us,
    const struct days_in *in, struct day_seconds ret[VIEW_DAYS])
{
	int32_t today = calendar_day(in->calendar, now_us);

	memset(ret, 0, sizeof(*ret) * VIEW_DAYS);
	for (int32_t i = 0; i < VIEW_DAYS; i++) {
		int32_t day = today - VIEW_DAYS + 1 + i;
		int64_t from = calendar_start(in->calendar, day);
		int64_t to = calendar_start(in->calendar, day + 1);
		const struct day *have = find(d, day);
		struct day sum = have != NULL ? *have : (struct day){0};
		int64_t open = MAX(from, d->until_us), end = MIN(to, now_us);

		if (have == NULL && from >= d->known_us && to <= d->until_us)
			sum.up_ms = (uint32_t)((to - from) / 1000);
		if (end > open)
			account(&sum, s, end - open,
			    uptime_gap_us(in->gaps, in->ngaps, open, end));
		ret[i] = (struct day_seconds){.up = sum.up_ms / 1000,
		    .down = sum.down_ms / 1000, .other = sum.other_ms / 1000};
	}
}

void
days_free(struct days *d)
{
	xfree(d->v);
	d->v = NULL;
	d->n = d->cap = 0;
}

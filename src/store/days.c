/* days.c: uptime by local day, kept up to date one status at a time. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/uptime.h"

#define DAY_US (86400 * US_PER_S)
#define DAYS_KEPT (VIEW_DAYS + 1)

/* Of [from, to) what lies neither in a gap nor in a window. */
static int64_t
plain(const struct days_in *in, int64_t from_us, int64_t to_us)
{
	struct uptime_apart a = uptime_apart(in->gaps, in->ngaps, in->windows,
	    in->nwindows, from_us, to_us);

	return to_us - from_us - a.maintenance_us - a.gap_us;
}

static void
account(struct day *day, bool down, int64_t us)
{
	if (down)
		day->down_us += us;
	else
		day->other_us += us;
}

/* -- adding ------------------------------------------------------------- */

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

bool
days_full(const struct days *d)
{
	return d->ns == DAYS_STRETCHES;
}

int64_t
days_oldest(const struct days *d)
{
	return d->ns > 0 ? d->s[0].from_us : d->until_us;
}

static void
drop(struct days *d, size_t n)
{
	if (n == 0)
		return;
	memmove(d->s, d->s + n, (d->ns - n) * sizeof(*d->s));
	d->ns = (uint16_t)(d->ns - n);
}

/* The older half becomes sums. */
static void
fold(struct days *d, const struct days_in *in)
{
	size_t n = d->ns / 2;

	for (size_t i = 0; i < n; i++) {
		const struct stretch *s = &d->s[i];

		for (int64_t at = s->from_us, end; at < s->to_us; at = end) {
			int32_t day = calendar_day(in->calendar, at);

			end = MIN(s->to_us, calendar_start(in->calendar,
			    day + 1));
			account(entry(d, day), s->down, plain(in, at, end));
		}
	}
	drop(d, n);
}

static void
add(struct days *d, const struct stretch *one)
{
	if (d->ns == d->scap) {
		d->scap = (uint16_t)(d->scap == 0 ? 2 : d->scap * 2);
		d->s = xrealloc(d->s, d->scap, sizeof(*d->s));
	}
	assert(d->ns < DAYS_STRETCHES);
	d->s[d->ns++] = *one;
}

void
days_add(struct days *d, enum status s, int64_t until_us,
    const struct days_in *in)
{
	int64_t first_us = until_us - DAYS_KEPT * DAY_US;
	struct stretch one = {.from_us = MAX(d->until_us, first_us),
	    .to_us = until_us, .down = status_up(s) == 0};
	struct stretch *last = d->ns > 0 ? &d->s[d->ns - 1] : NULL;
	size_t old = 0;

	if (until_us <= d->until_us)
		return;   /* the clock was set back */
	d->until_us = until_us;
	if (status_up(s) > 0)
		return;
	if (last != NULL && last->to_us == one.from_us &&
	    last->down == one.down) {
		last->to_us = one.to_us;
		return;
	}
	while (old < d->ns && d->s[old].to_us <= first_us)
		old++;
	drop(d, old);
	if (days_full(d))
		fold(d, in);
	add(d, &one);
}

/* -- reading -------------------------------------------------------------- */

/* Into the sums of the days from first on. */
static void
spread(const struct days_in *in, const struct stretch *s, int32_t first,
    struct day sum[VIEW_DAYS])
{
	int64_t at = MAX(s->from_us, calendar_start(in->calendar, first));

	for (int64_t end; at < s->to_us; at = end) {
		int32_t day = calendar_day(in->calendar, at);

		if (day >= first + VIEW_DAYS)
			return;
		end = MIN(s->to_us, calendar_start(in->calendar, day + 1));
		account(&sum[day - first], s->down, plain(in, at, end));
	}
}

void
days_read(const struct days *d, enum status s, int64_t now_us,
    const struct days_in *in, struct day_time ret[VIEW_DAYS])
{
	int32_t first = calendar_day(in->calendar, now_us) - VIEW_DAYS + 1;
	struct stretch open = {d->until_us, now_us, status_up(s) == 0};
	struct day sum[VIEW_DAYS] = {0};

	memset(ret, 0, sizeof(*ret) * VIEW_DAYS);
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].day >= first && d->v[i].day < first + VIEW_DAYS)
			sum[d->v[i].day - first] = d->v[i];
	for (size_t i = 0; i < d->ns; i++)
		spread(in, &d->s[i], first, sum);
	if (status_up(s) <= 0)
		spread(in, &open, first, sum);
	for (int32_t i = 0; i < VIEW_DAYS; i++) {
		int64_t from = MAX(d->known_us,
		    calendar_start(in->calendar, first + i));
		int64_t to = MIN(now_us,
		    calendar_start(in->calendar, first + i + 1));
		struct uptime_apart a;

		if (to <= from)
			continue;
		a = uptime_apart(in->gaps, in->ngaps, in->windows,
		    in->nwindows, from, to);
		ret[i] = (struct day_time){.maintenance_us = a.maintenance_us,
		    .down_us = sum[i].down_us,
		    .other_us = a.gap_us + sum[i].other_us};
		/* Sums of long ago know nothing of what was recorded since. */
		ret[i].up_us = MAX(to - from - a.maintenance_us - a.gap_us -
		    sum[i].down_us - sum[i].other_us, INT64_C(0));
	}
}

void
days_free(struct days *d)
{
	xfree(d->v);
	xfree(d->s);
	*d = (struct days){0};
}

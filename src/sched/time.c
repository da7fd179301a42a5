/* time.c: when. The world's monotonic clock drives everything; the wall clock
 * is only its epoch, followed as it is slewed and noticed when it is stepped.
 * A step moves no timer, so it causes no burst and no hole; the beats find
 * back to their phase on the new clock by themselves, in time_next. */
#include <inttypes.h>

#include "base/time.h"
#include "sched/parts.h"

#define SYNC_NS  (10 * NS_PER_MS)    /* look at the wall clock so often */
#define STEP_NS  (500 * NS_PER_MS)   /* a larger difference is a step */
#define TRIES    3                   /* unless we were just interrupted */
/* Off phase by less than this part of the interval is the clock's slewing. */
#define SLEW_PART 512

int64_t
sched_phase_ns(uint32_t id, int64_t interval_ns)
{
	return (int64_t)(map_hash_u64(id) % (uint64_t)interval_ns);
}

int64_t
time_wall_us(const struct sched *s, int64_t mono_ns)
{
	return (mono_ns + s->epoch_ns) / NS_PER_US;
}

static void
stepped(struct sched *s, int64_t step_ns)
{
	char human[TIME_TEXT];

	MAP_EACH(n, &s->mons)
		push_stepped(CONTAINER(n, struct mon, node),
		    step_ns / NS_PER_US);
	/* One clock, one event: the first shard speaks for all. */
	if (s->shard == 0)
		report_event(s, EVENT_CLOCK, 0, "the wall clock was set %s "
		    "by %s", step_ns < 0 ? "back" : "forward",
		    time_format_human(step_ns < 0 ? -step_ns : step_ns,
		    human));
}

void
time_sync(struct sched *s)
{
	struct world *w = s->world;
	int64_t now = world_now(w), diff = 0;
	bool first = s->synced_ns == 0;

	if (!first && now - s->synced_ns < SYNC_NS)
		return;
	/* Two clocks cannot be read at once: a difference that is gone at the
	 * second look was only the time between two readings. */
	for (unsigned i = 0; i < TRIES; i++) {
		int64_t mono = w->ops->now_ns(w);

		diff = w->ops->wall_us(w) * NS_PER_US - mono - s->epoch_ns;
		if (first || (diff < STEP_NS && diff > -STEP_NS))
			break;
	}
	s->epoch_ns += diff;
	s->synced_ns = now;
	if (!first && (diff >= STEP_NS || diff <= -STEP_NS))
		stepped(s, diff);
}

/* How long after from_ns the next moment on phase is: 1 … interval. */
static int64_t
until_phase(const struct mon *m, int64_t from_ns)
{
	int64_t interval = m->conf->interval_ns;
	int64_t off = (from_ns + m->sched->epoch_ns -
	    sched_phase_ns(m->conf->id, interval)) % interval;

	return interval - (off < 0 ? off + interval : off);
}

int64_t
time_on_phase(const struct mon *m, int64_t from_ns)
{
	return from_ns + until_phase(m, from_ns);
}

int64_t
time_next(const struct mon *m, int64_t from_ns)
{
	int64_t interval = m->conf->interval_ns;
	int64_t d = until_phase(m, from_ns);

	if (d < interval / SLEW_PART)
		d += interval;
	else if (d < interval / 2)
		d = (interval + d) / 2;   /* and from there to the phase */
	return from_ns + d;
}

int64_t
time_soon(const struct mon *m, int64_t from_ns, int64_t max_ns)
{
	uint64_t h = map_hash_u64(~(uint64_t)m->conf->id);

	return from_ns + (int64_t)(h % (uint64_t)max_ns);
}

void
time_arm(struct mon *m)
{
	struct world *w = m->sched->world;
	int64_t at = m->beat_ns;

	if (m->sched->stop_ns != 0 || at == 0) {
		timer_stop(w, &m->timer);
		return;
	}
	if (m->recheck_ns != 0 && m->recheck_ns < at)
		at = m->recheck_ns;
	timer_set(w, &m->timer, at, run_on_timer);
}

/* The beats we slept through are gone; each monitor goes on at its own phase,
 * so that nothing comes in a burst. */
static void
slept(struct mon *m, int64_t now)
{
	struct sched *s = m->sched;

	if (m->beat_ns == 0)
		return;
	if (m->phase == MON_WAITING) {
		queue_leave(m);
		s->stats->skipped_beats++;
	}
	if (m->beat_ns <= now) {
		s->stats->skipped_beats +=
		    1 + (uint64_t)((now - m->beat_ns) / m->conf->interval_ns);
		m->beat_ns = time_on_phase(m, now);
	}
	if (m->recheck_ns != 0 && m->recheck_ns <= now)
		m->recheck_ns = time_soon(m, now, m->conf->retry_interval_ns);
	time_arm(m);
}

/* Called by the world from inside whatever looked at the clock first, so it
 * only marks checks in flight and lets timers end them. */
void
time_stall(void *arg, int64_t stall_ns)
{
	struct sched *s = arg;
	int64_t now = world_now(s->world);
	char human[TIME_TEXT];

	s->stats->stalls++;
	s->stalled_ns = now;
	time_sync(s);
	run_doom_all(s);
	MAP_EACH(n, &s->mons) {
		struct mon *m = CONTAINER(n, struct mon, node);

		slept(m, now);
		push_gap(m);
	}
	report_event(s, EVENT_CLOCK, 0, "shard %u did not run for %s "
	    "(suspended or starved): what was in flight is void", s->shard,
	    time_format_human(stall_ns, human));
}

/* mon.c: monitors come, change and go. An edit keeps what is known and what
 * runs, unless the monitor now looks at something else. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "sched/parts.h"

/* A new monitor, or one that missed a beat, is looked at this soon. */
#define SOON_NS (10 * NS_PER_S)

struct mon *
mon_find(const struct sched *s, uint32_t id)
{
	struct map_node *n = map_first(&s->mons, map_hash_u64(id));

	for (; n != NULL; n = map_next(n)) {
		struct mon *m = CONTAINER(n, struct mon, node);

		if (m->conf->id == id)
			return m;
	}
	return NULL;
}

/* -- what follows from the configuration ---------------------------------- */

static uint8_t
kind_index(const struct check_kind *k)
{
	const unsigned last = COUNT(((struct sched_stats *)0)->checks) - 1;
	unsigned i = 0;

	while (i < last && check_kinds[i] != NULL && check_kinds[i] != k)
		i++;
	return (uint8_t)i;
}

static void
set_conf(struct mon *m, struct monitor_conf *conf)
{
	BUF_AUTO(b, 512);

	m->conf = conf;
	m->kind = check_kind_of(conf);
	m->index = kind_index(m->kind);
	m->host = 0;
	if (m->kind->conf.host != NULL)
		m->kind->conf.host(conf->own, &b);
	if (b.n > 0)
		m->host = map_hash_str(buf_str(&b));
	m->local = str_starts(buf_str(&b), STR("127.")) ||
	    str_is(buf_str(&b), "localhost") || str_is(buf_str(&b), "::1") ||
	    str_is(buf_str(&b), "[::1]");
}

static bool
active(const struct mon *m)
{
	return m->kind->conf.drive == DRIVE_ACTIVE;
}

static int64_t
wall_now(const struct sched *s)
{
	return time_wall_us(s, world_now(s->world));
}

/* The beat of a monitor that begins or goes on here. */
static void
begin_active(struct mon *m, bool known)
{
	struct sched *s = m->sched;
	const struct monitor_conf *c = m->conf;
	int64_t now = world_now(s->world);
	int64_t soon = time_soon(m, now, MIN(c->interval_ns, SOON_NS));
	int64_t idle_us = wall_now(s) - m->st.last_us;

	m->recheck_ns = 0;
	m->beat_ns = known ? time_on_phase(m, now) : soon;
	/* Its beat fell into the time we were not there (or the clock is not
	 * what it was): it has waited long enough. */
	if (idle_us < 0 || idle_us >= c->interval_ns / NS_PER_US)
		m->beat_ns = MIN(m->beat_ns, soon);
	/* In the middle of a streak the next vote is a recheck. */
	if (known && m->st.fails > 0 && m->st.status != STATUS_DOWN) {
		m->recheck_ns = time_soon(m, now,
		    MIN(c->retry_interval_ns, SOON_NS));
		if (m->recheck_ns >= m->beat_ns)
			m->recheck_ns = 0;
	}
	time_arm(m);
}

void
mon_begin(struct mon *m, enum mon_entry how)
{
	if (m->kind->conf.drive == DRIVE_GROUP) {
		if (m->group == NULL)
			group_own(m);
		else
			group_judge(m->group);
		return;
	}
	if (m->st.status == STATUS_PAUSED || m->sched->stop_ns != 0)
		return;
	if (active(m))
		begin_active(m, (how == ENTRY_RESTORED ||
		    how == ENTRY_MOVED) && m->st.last_us != 0);
	else if (how == ENTRY_RESTORED)
		push_restored(m);
	else if (how == ENTRY_MOVED)
		push_moved(m);
	else if (how == ENTRY_RESUMED)
		push_resumed(m);
}

void
mon_halt(struct mon *m)
{
	timer_stop(m->sched->world, &m->timer);
	m->beat_ns = m->recheck_ns = 0;
	queue_leave(m);
	run_drop(m);
}

/* -- coming and going ------------------------------------------------------ */

static struct mon_state
first_state(const struct sched *s, uint32_t id)
{
	return (struct mon_state){.monitor = id, .status = STATUS_PENDING,
	    .why = WHY_CREATED, .since_us = wall_now(s)};
}

/* Does a stored state fit the type the monitor has now? It was perhaps given
 * another while we were not running. */
static bool
fits(const struct mon *m)
{
	const struct mon_state *st = &m->st;

	switch (m->kind->conf.drive) {
	case DRIVE_ACTIVE:
		return st->beat_us == 0 && st->status != STATUS_LATE;
	case DRIVE_PUSH:
		return st->beat_us != 0 || st->status == STATUS_PENDING ||
		    st->status == STATUS_PAUSED;
	case DRIVE_GROUP:
		return st->beat_us == 0;
	}
	return false;
}

void
mon_add(struct sched *s, struct monitor_conf *conf, struct command *c)
{
	struct mon *m = xcalloc(1, sizeof(*m));
	enum mon_entry how = ENTRY_NEW;
	struct verdict v;

	m->sched = s;
	set_conf(m, conf);
	m->st = first_state(s, conf->id);
	if (c->state != NULL && !state_ok(c->state))
		log_warn("sched", "stored state is damaged, begins anew",
		    KV("monitor", conf->path));
	else if (c->state != NULL) {
		m->st = *c->state;
		m->st.monitor = conf->id;
		how = c->forward != NULL ? ENTRY_MOVED : ENTRY_RESTORED;
	}
	map_put(&s->mons, &m->node, map_hash_u64(conf->id));
	s->stats->monitors++;
	group_join(m, conf->group);
	if (!fits(m)) {
		v = state_reset(&m->st, wall_now(s));
		report_change(m, &v, c);
		how = ENTRY_NEW;
	}
	if (conf->paused && m->st.status != STATUS_PAUSED) {
		v = state_pause(&m->st, wall_now(s));
		report_change(m, &v, c);
	}
	mon_begin(m, how);
	if (m->of != NULL)
		group_judge(m->of);
}

void
mon_remove(struct mon *m)
{
	struct sched *s = m->sched;

	mon_halt(m);
	group_leave(m);
	group_disown(m);
	map_del(&s->mons, &m->node);
	s->stats->monitors--;
	monitor_conf_unref(m->conf);
	xfree(m);
}

/* Another kind: what was known was known by other means. */
static void
change_drive(struct mon *m, struct monitor_conf *conf)
{
	struct monitor_conf *old = m->conf;
	struct verdict v;

	mon_halt(m);
	group_disown(m);
	set_conf(m, conf);
	monitor_conf_unref(old);
	v = state_reset(&m->st, wall_now(m->sched));
	report_change(m, &v, NULL);
	mon_begin(m, ENTRY_NEW);
}

static void
reconf_active(struct mon *m, const struct monitor_conf *old, bool dropped)
{
	const struct monitor_conf *c = m->conf;
	int64_t now = world_now(m->sched->world);

	if (m->beat_ns == 0)
		return;   /* paused */
	if (monitor_conf_retargets(old, c)) {
		struct verdict v = {.from = (enum status)m->st.status,
		    .to = (enum status)m->st.status,
		    .why = (enum why)m->st.why};

		state_retarget(&m->st);
		report_change(m, &v, NULL);
		m->recheck_ns = 0;
		m->beat_ns = time_soon(m, now, MIN(c->interval_ns, SOON_NS));
	} else {
		if (c->interval_ns != old->interval_ns)
			m->beat_ns = time_on_phase(m, now);
		/* What it would have answered is asked again. */
		if (dropped)
			m->recheck_ns = now + c->retry_interval_ns;
	}
	time_arm(m);
}

void
mon_change(struct mon *m, struct monitor_conf *conf)
{
	struct monitor_conf *old = m->conf;
	bool dropped = false;

	if (check_kind_of(conf)->conf.drive != m->kind->conf.drive) {
		change_drive(m, conf);
		return;
	}
	if (monitor_conf_retargets(old, conf) ||
	    old->timeout_ns != conf->timeout_ns) {
		dropped = m->phase != MON_IDLE;
		queue_leave(m);   /* its queue is the old host's */
		run_drop(m);
	}
	set_conf(m, conf);
	if (active(m))
		reconf_active(m, old, dropped);
	else if (m->kind->conf.drive == DRIVE_PUSH)
		push_reconf(m, old);
	monitor_conf_unref(old);
}


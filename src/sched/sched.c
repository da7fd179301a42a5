/* sched.c: the door: commands in, pause and resume, the end. live.h names the
 * other files. */
#define OWNS_OFF
#include "sched/sched.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "sched/parts.h"

struct sched *
sched_new(struct world *w, struct check_env *env, struct caps *caps,
    unsigned shard, struct sink *sink, struct sched_stats *stats)
{
	struct sched *s = xcalloc(1, sizeof(*s));

	assert(shard < CAPS_SHARDS_MAX);
	s->world = w;
	s->env = env;
	s->caps = caps;
	s->shard = shard;
	s->sink = sink;
	s->stats = stats;
	list_init(&s->running);
	queue_init(s);
	w->on_stall = time_stall;
	w->on_stall_arg = s;
	time_sync(s);
	return s;
}

void
sched_vantage(struct sched *s, struct vantage *v,
    const struct beacon_source *src)
{
	assert(s->vantage == NULL);
	s->vantage = v;
	if (src != NULL)
		s->beacons = beacons_new(s, src);
}

/* -- configuration -------------------------------------------------------- */

static void
do_put(struct sched *s, struct command *c)
{
	struct monitor_conf *conf = TAKE(c->conf);
	struct mon *m;

	assert(conf != NULL);
	assert(conf->id != 0);
	m = mon_find(s, conf->id);
	if (conf->archived) {
		if (m != NULL)
			mon_remove(m);
		monitor_conf_unref(conf);
	} else if (m == NULL)
		mon_add(s, conf, c);
	else {
		bool moves = conf->group != m->conf->group;

		if (moves)
			group_leave(m);
		/* conf->paused is as old as the edit; ours is the truth. */
		mon_change(m, conf);
		if (moves) {
			group_join(m, m->conf->group);
			if (m->of != NULL)
				group_judge(m->of);
		}
	}
	report_ack(c, ERR_OK, "%s", "");
}

/* The group it belongs to lives on another shard, and so shall it. */
static void
do_move(struct sched *s, struct command *c)
{
	struct mon *m = mon_find(s, c->monitor);

	assert(c->forward != NULL);
	c->kind = COMMAND_PUT;
	if (m != NULL) {
		xfree(c->state);
		c->state = xcalloc(1, sizeof(*c->state));
		*c->state = m->st;
		mon_remove(m);
	}
	c->forward(c->forward_arg, c);
}

static int64_t
now_us(const struct sched *s)
{
	return time_wall_us(s, world_now(s->world));
}

/* -- pause and resume ------------------------------------------------------ */

static void
pause_one(struct mon *m, struct command *c, bool by_group)
{
	struct verdict v = state_pause(&m->st, now_us(m->sched));

	mon_halt(m);
	if (v.changed && by_group)
		m->st.before_pause |= STATE_BY_GROUP;
	m->st.reason[0] = '\0';
	m->settling = false;
	report_change(m, &v, c);
}

static void
resume_one(struct mon *m, struct command *c)
{
	struct verdict v = state_resume(&m->st, now_us(m->sched));

	/* First the deadline, so that the state that is stored has it. */
	if (v.changed && m->kind->conf.drive == DRIVE_PUSH)
		mon_begin(m, ENTRY_RESUMED);
	report_change(m, &v, c);
	if (v.changed && m->kind->conf.drive != DRIVE_PUSH)
		mon_begin(m, ENTRY_RESUMED);
}

static void
set_paused(struct mon *m, struct command *c, bool pause, bool by_group)
{
	if (pause)
		pause_one(m, c, by_group);
	else
		resume_one(m, c);
}

/* Does member k go along when its group is paused or resumed? It comes back
 * only if it was the group that took it. */
static bool
follows(const struct mon *k, bool pause)
{
	if (k->st.status != STATUS_PAUSED)
		return pause;
	return !pause && (k->st.before_pause & STATE_BY_GROUP) != 0;
}

/* A group takes its members along: who pauses "Production" wants its checks
 * to stop. One unit each; they are stored in order, so that the ack rides on
 * the last and speaks for all. */
static void
with_members(struct mon *m, struct command *c, bool pause)
{
	struct ack *ack = TAKE(c->ack);
	unsigned n = 0;

	LIST_EACH(i, &m->group->members)
		n += follows(CONTAINER(i, struct mon, member), pause);
	if (n == 0)
		c->ack = TAKE(ack);
	set_paused(m, c, pause, false);
	LIST_EACH(i, &m->group->members) {
		struct mon *k = CONTAINER(i, struct mon, member);

		if (!follows(k, pause))
			continue;
		if (--n == 0)
			c->ack = TAKE(ack);
		set_paused(k, c, pause, true);
	}
}

static void
do_pause(struct sched *s, struct command *c, bool pause)
{
	struct mon *m = mon_find(s, c->monitor);

	if (m == NULL)
		report_ack(c, ERR_NOT_FOUND, "no monitor with id %u",
		    c->monitor);
	else if (m->group != NULL)
		with_members(m, c, pause);
	else
		set_paused(m, c, pause, false);
}

static void
do_beat(struct sched *s, struct command *c)
{
	struct mon *m = mon_find(s, c->monitor);

	if (m == NULL)
		report_ack(c, ERR_NOT_FOUND, "no monitor with id %u",
		    c->monitor);
	else if (m->kind->conf.drive != DRIVE_PUSH)
		report_ack(c, ERR_INVALID, "%s is of type %s and takes no "
		    "heartbeats", m->conf->path, m->kind->conf.name);
	else
		push_beat(m, c);
}

/* -- the door ------------------------------------------------------------- */

void
sched_command(struct sched *s, struct command *c)
{
	struct mon *m;

	time_sync(s);
	switch (c->kind) {
	case COMMAND_PUT:
		do_put(s, c);
		break;
	case COMMAND_REMOVE:
		if ((m = mon_find(s, c->monitor)) != NULL)
			mon_remove(m);
		report_ack(c, ERR_OK, "%s", "");
		break;
	case COMMAND_MOVE:
		do_move(s, c);
		return;   /* it has been given away */
	case COMMAND_PAUSE:
	case COMMAND_RESUME:
		do_pause(s, c, c->kind == COMMAND_PAUSE);
		break;
	case COMMAND_BEAT:
		do_beat(s, c);
		break;
	case COMMAND_UNHEARD:
		if ((m = mon_find(s, c->monitor)) != NULL)
			push_unheard(m);
		report_ack(c, ERR_OK, "%s", "");
		break;
	case COMMAND_LIMITS:
		caps_set(s->caps, c->in_flight, c->per_host);
		report_ack(c, ERR_OK, "%s", "");
		break;
	case COMMAND_ROUTES:
		route_plan_unref(s->routes);
		s->routes = TAKE(c->routes);
		report_ack(c, ERR_OK, "%s", "");
		break;
	case COMMAND_STOP:
		sched_stop(s, c->deadline_ns);
		report_ack(c, ERR_OK, "%s", "");
		break;
	}
	assert(c->ack == NULL);
	command_free(c);
}

void
sched_kick(struct sched *s)
{
	time_sync(s);
	queue_unblock(s);
	queue_pump(s);
	if (s->vantage != NULL && vantage_sight(s->vantage) != SIGHT_PENDING)
		run_release(s);
	if (s->beacons != NULL)
		beacons_look(s->beacons);
}

void
sched_stop(struct sched *s, int64_t deadline_ns)
{
	assert(deadline_ns != 0);
	s->stop_ns = deadline_ns;
	beacons_stop(s->beacons);
	queue_forget(s);
	run_stop_all(s, deadline_ns);
	MAP_EACH(n, &s->mons) {
		struct mon *m = CONTAINER(n, struct mon, node);

		timer_stop(s->world, &m->timer);
		m->beat_ns = m->recheck_ns = 0;
	}
	caps_decline(s->caps, s->shard);
}

bool
sched_idle(const struct sched *s)
{
	return list_empty(&s->running);
}

void
sched_free(struct sched *s)
{
	if (s == NULL)
		return;
	s->stop_ns = 1;   /* what is given back starts nothing */
	beacons_free(s->beacons);
	queue_forget(s);
	MAP_EACH(n, &s->mons) {
		struct mon *m = CONTAINER(n, struct mon, node);

		mon_halt(m);
		if (m->of != NULL)
			list_del(&m->member);
		map_del(&s->mons, &m->node);
		monitor_conf_unref(m->conf);
		xfree(m);
	}
	MAP_EACH(n, &s->groups)
		xfree(CONTAINER(n, struct group, node));
	map_free(&s->groups);
	map_free(&s->mons);
	queue_free(s);
	route_plan_unref(s->routes);
	xfree(s->told.v);
	s->world->on_stall = NULL;
	xfree(s);
}

/* -- invariants ----------------------------------------------------------- */

static void
check_group(const struct group *g)
{
	struct group_votes votes = {0};

	LIST_EACH(n, &g->members) {
		const struct mon *m = CONTAINER(n, struct mon, member);

		assert(m->of == g);
		votes.n[m->st.status]++;
	}
	assert(memcmp(&votes, &g->votes, sizeof(votes)) == 0);
	assert(g->mon != NULL || !list_empty(&g->members));
	if (g->mon == NULL)
		return;
	assert(g->mon->group == g);
	if (!g->mon->settling && g->mon->st.status != STATUS_PAUSED)
		assert(g->mon->st.status == state_votes_worst(&votes));
}

static void
check_mon(const struct mon *m)
{
	const struct sched *s = m->sched;
	bool paused = m->st.status == STATUS_PAUSED;
	enum drive drive = m->kind->conf.drive;

	state_check(&m->st);
	assert((m->run != NULL) == (m->phase == MON_RUNNING));
	assert(list_linked(&m->wait) == (m->phase == MON_WAITING));
	assert(list_linked(&m->member) == (m->of != NULL));
	assert((m->group != NULL) == (drive == DRIVE_GROUP));
	if (m->run != NULL) {
		assert(m->run->mon == m);
		assert(timer_on(&m->run->deadline));
	}
	if (paused || drive != DRIVE_ACTIVE)
		assert(m->phase == MON_IDLE);
	if (s->stop_ns != 0)
		return;
	if (drive == DRIVE_ACTIVE)
		assert(timer_on(&m->timer) == !paused);
	if (drive == DRIVE_PUSH)
		assert(timer_on(&m->timer) == (m->st.deadline_us != 0));
}

void
sched_check(const struct sched *s)
{
	size_t running = 0, waiting = 0;

	MAP_EACH(n, &s->mons) {
		const struct mon *m = CONTAINER(n, struct mon, node);

		check_mon(m);
		running += m->phase == MON_RUNNING;
		waiting += m->phase == MON_WAITING;
	}
	MAP_EACH(n, &s->groups)
		check_group(CONTAINER(n, struct group, node));
	assert(s->mons.n == s->stats->monitors);
	assert(running == s->stats->in_flight);
	assert(waiting == s->nwaiting);
	assert(waiting == s->stats->waiting);
	assert(caps_in_use(s->caps) >= running);
	/* Who waits is woken: by a slot, or by a look at the sink. */
	if (s->withheld)
		assert(timer_on(&s->pump));
}

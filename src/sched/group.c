/* group.c: groups and who is in them. A group exists from its first mention,
 * so that it and its members may come in any order. Members are counted by
 * status: a change costs O(1).
 *
 * After a start the members come back one by one, and half a group's votes are
 * no verdict: a group keeps its status until the votes agree with it, which
 * they do with its last member at the latest (each one more can only make it
 * worse), or until SETTLE_NS says that something really is different. */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sched/parts.h"

#define SETTLE_NS (10 * NS_PER_S)

static struct group *
find(const struct sched *s, uint32_t id)
{
	struct map_node *n = map_first(&s->groups, map_hash_u64(id));

	for (; n != NULL; n = map_next(n)) {
		struct group *g = CONTAINER(n, struct group, node);

		if (g->id == id)
			return g;
	}
	return NULL;
}

static struct group *
get(struct sched *s, uint32_t id)
{
	struct group *g = find(s, id);

	if (g != NULL)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->id = id;
	list_init(&g->members);
	map_put(&s->groups, &g->node, map_hash_u64(id));
	return g;
}

static void
drop_if_empty(struct sched *s, struct group *g)
{
	if (g->mon != NULL || !list_empty(&g->members))
		return;
	map_del(&s->groups, &g->node);
	xfree(g);
}

/* Do the votes say what the group's status says already? Without a member
 * only if it had none when that was judged. */
static bool
agree(const struct group *g)
{
	struct mon_state now = g->mon->st;
	struct verdict v = state_group(&now, &g->votes, 0);

	if (now.why == WHY_EMPTY_GROUP)
		return g->mon->st.why == WHY_EMPTY_GROUP;
	return !v.changed;
}

/* The group's part of a unit when its status changes, else NULL. by: the
 * member whose change it was, NULL for several. */
static struct result_part *
judge(struct group *g, const struct mon *by)
{
	struct mon *m = g->mon;
	struct sched *s;
	struct verdict v;
	int64_t at_us;

	if (m == NULL)
		return NULL;
	s = m->sched;
	if (m->settling) {
		if (!agree(g))
			return NULL;
		m->settling = false;
		timer_stop(s->world, &m->timer);
	}
	at_us = by != NULL ? by->st.since_us :
	    time_wall_us(s, world_now(s->world));
	v = state_group(&m->st, &g->votes, at_us);
	if (!v.changed)
		return NULL;
	m->st.last_us = at_us;
	if (by != NULL && by->st.status == m->st.status &&
	    by->conf->name != NULL) {
		char text[REASON_MAX];

		(void)snprintf(text, sizeof(text), "%s is %s", by->conf->name,
		    status_name((enum status)by->st.status));
		(void)text_copy(m->st.reason, sizeof(m->st.reason),
		    str_of(text));
	} else
		m->st.reason[0] = '\0';
	(void)report_tell(m, &v, NULL);
	return report_part(m, &v, m->st.reason);
}

void
group_judge(struct group *g)
{
	struct mon *m = g->mon;

	if (m != NULL)
		report_group(m->sched, judge(g, NULL));
}

void
group_join(struct mon *m, uint32_t group_id)
{
	assert(m->of == NULL);
	if (group_id == 0)
		return;
	m->of = get(m->sched, group_id);
	list_push(&m->of->members, &m->member);
	state_votes_move(&m->of->votes, -1, m->st.status);
}

void
group_leave(struct mon *m)
{
	struct group *g = m->of;

	if (g == NULL)
		return;
	m->of = NULL;
	list_del(&m->member);
	state_votes_move(&g->votes, m->st.status, -1);
	group_judge(g);
	drop_if_empty(m->sched, g);
}

void
group_own(struct mon *m)
{
	struct group *g = get(m->sched, m->conf->id);

	assert(g->mon == NULL);
	g->mon = m;
	m->group = g;
	if (m->st.status == STATUS_PAUSED || agree(g))
		return;
	m->settling = true;
	timer_set(m->sched->world, &m->timer,
	    world_now(m->sched->world) + SETTLE_NS, group_on_settled);
}

void
group_disown(struct mon *m)
{
	struct group *g = m->group;

	if (g == NULL)
		return;
	timer_stop(m->sched->world, &m->timer);
	m->settling = false;
	m->group = NULL;
	g->mon = NULL;
	drop_if_empty(m->sched, g);
}

void
group_on_settled(UNUSED struct world *w, struct timer *t)
{
	struct mon *m = CONTAINER(t, struct mon, timer);

	time_sync(m->sched);
	m->settling = false;
	group_judge(m->group);
}

struct result_part *
group_moved(struct mon *m, enum status from)
{
	if (m->of == NULL || (enum status)m->st.status == from)
		return NULL;
	state_votes_move(&m->of->votes, (int)from, m->st.status);
	return judge(m->of, m);
}

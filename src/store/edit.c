#include "store/edit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "state/state.h"
#include "store/confs.h"
#include "store/edit_steps.h"
#include "store/incidents.h"
#include "store/load.h"
#include "store/state_code.h"
#include "world/world.h"

/* More changes than this at once are told as one event: the log is bounded,
 * and a first import must not sweep it clean. */
#define EVENTS_EACH 1000

struct edit *
edit_plan(struct store *s, struct unit *u)
{
	struct edit *e = xcalloc(1, sizeof(*e));

	e->unit = CONTAINER(u, struct config_unit, unit);
	e->next_monitor = s->next_monitor;
	e->at_us = clock_wall_us();
	snprintf(e->actor, sizeof(e->actor), "%s", e->unit->actor);
	e->outcome = edit_find_steps(s, e);
	return e;
}

void
edit_free(struct edit *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++) {
		monitor_conf_unref(e->v[i].conf);
		xfree(e->v[i].detail);
	}
	map_free(&e->ids);
	map_free(&e->groups);
	edit_window_free(e);
	plan_free(e->plan);
	xfree(e->channels);
	xfree(e->v);
	xfree(e);
}

/* Archived, its time is not known; it goes on from there when restored. */
static void
archived_state(const struct edit *e, const struct entry *en,
    struct mon_state *st, struct transition *t)
{
	*st = (struct mon_state){.monitor = en->row.conf->id,
	    .seq = en->seq, .status = STATUS_PENDING, .why = WHY_CONFIG,
	    .since_us = e->at_us, .last_us = en->row.last_us,
	    .last_ok_us = en->row.last_ok_us,
	    .cert_expiry_s = en->row.cert_expiry_s};
	*t = (struct transition){.monitor = st->monitor, .at_us = e->at_us,
	    .from = en->row.status, .to = STATUS_PENDING, .why = WHY_CONFIG};
	snprintf(st->reason, sizeof(st->reason), "archived");
	snprintf(t->reason, sizeof(t->reason), "archived");
	snprintf(t->explain, sizeof(t->explain),
	    "{\"rule\":\"archived: the file names it no more\",\"votes\":[]}");
}

static enum err
put_archived(struct store *s, const struct edit *e, const struct entry *en,
    struct errinfo *ei)
{
	uint32_t id = en->row.conf->id;
	unsigned char bytes[STATE_CODE_MAX];
	struct mon_state st;
	struct transition t;
	int64_t changes = 0;
	enum err r = ERR_OK;

	archived_state(e, en, &st, &t);
	if (t.from != t.to)
		r = s->db->ops->run(s->db, STMT_TRANSITION_PUT, VALS(
		    V_INT(s->next.transition), V_INT(id), V_INT(0),
		    V_INT(t.at_us), V_INT(t.from), V_INT(t.to), V_INT(t.why),
		    V_TEXT(t.reason), V_TEXT(t.explain), V_NULL), &changes, ei);
	if (r == ERR_OK && changes > 0)
		s->next.transition++;
	if (r != ERR_OK)
		return r;
	return s->db->ops->run(s->db, STMT_STATE_PUT, VALS(V_INT(id),
	    V_BYTES(state_code_put(&st, bytes))), NULL, ei);
}

static enum err
put_delete(struct store *s, uint32_t id, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	enum err r;

	r = ops->run(s->db, STMT_MONITOR_DEL, VALS(V_INT(id)), NULL, ei);
	if (r == ERR_OK)
		r = ops->run(s->db, STMT_STATE_DEL, VALS(V_INT(id)), NULL, ei);
	if (r == ERR_OK)
		r = ops->run(s->db, STMT_EVIDENCE_DEL, VALS(V_INT(id)), NULL,
		    ei);
	/* The tombstone: its samples and transitions go in slices. */
	if (r == ERR_OK)
		r = ops->run(s->db, STMT_DOOMED_PUT, VALS(V_INT(id)), NULL, ei);
	/* Their ids are not given again, though the highest may go. */
	if (r == ERR_OK)
		r = ops->run(s->db, STMT_META_PUT, VALS(
		    V_TEXT("next_transition"), V_INT(s->next.transition)), NULL,
		    ei);
	return r;
}

enum err
edit_event(struct store *s, const struct edit *e, const char *subject,
    uint32_t id, const char *text, struct errinfo *ei)
{
	struct event ev = {.at_us = e->at_us, .kind = EVENT_CONFIG,
	    .monitor = id};

	snprintf(ev.actor, sizeof(ev.actor), "%s",
	    e->actor[0] != '\0' ? e->actor : "daemon");
	snprintf(ev.subject, sizeof(ev.subject), "%.159s", subject);
	snprintf(ev.text, sizeof(ev.text), "%.255s", text);
	return batch_event(s, &ev, ei);
}

static enum err
put_step(struct store *s, struct edit *e, struct step *st,
    struct errinfo *ei)
{
	const struct entry *en = view_entry(s->view, st->id);
	bool leaves = st->kind == STEP_PUT && st->conf->archived &&
	    !st->was_archived && en != NULL;
	char text[256];
	enum err r = ERR_OK;

	if (leaves || (st->kind == STEP_DELETE && en != NULL))
		r = edit_gone(s, e, en, ei);
	if (r == ERR_OK && (leaves || st->kind == STEP_DELETE))
		r = incidents_end(s, st->id, e->at_us, ei);
	if (r == ERR_OK && st->kind == STEP_DELETE)
		r = put_delete(s, st->id, ei);
	else if (r == ERR_OK)
		r = confs_put(s, st->conf, st->conf->paused, ei);
	if (r == ERR_OK && leaves)
		r = put_archived(s, e, en, ei);
	if (r != ERR_OK || e->n > EVENTS_EACH)
		return r;
	snprintf(text, sizeof(text), "%s%s%.200s", st->verb,
	    st->detail != NULL ? ": " : "",
	    st->detail != NULL ? st->detail : "");
	return edit_event(s, e, st->path, st->id, text, ei);
}

static enum err
put_channels(struct store *s, const struct edit *e, struct errinfo *ei)
{
	enum err r = ERR_OK;

	for (size_t i = 0; r == ERR_OK && i < e->plan->n; i++) {
		const struct change *ch = &e->plan->v[i];
		const struct channel_conf *c = ch->channel;

		if (ch->kind == CHANGE_CHANNEL_PUT)
			r = s->db->ops->run(s->db, STMT_CHANNEL_PUT, VALS(
			    V_TEXT(c->name), V_TEXT(c->type),
			    V_TEXT(c->text)), NULL, ei);
		else if (ch->kind == CHANGE_CHANNEL_DELETE)
			r = s->db->ops->run(s->db, STMT_CHANNEL_DEL,
			    VALS(V_TEXT(c->name)), NULL, ei);
		else
			continue;
		if (r == ERR_OK)
			r = edit_event(s, e, c->name, 0,
			    change_kind_name(ch->kind), ei);
	}
	return r;
}

enum err
edit_put(struct store *s, struct edit *e, struct slot *slot,
    struct errinfo *ei)
{
	char text[64];
	enum err r = ERR_OK;

	slot->outcome = e->outcome;
	if (e->outcome != ERR_OK) {
		slot->ei = xcalloc(1, sizeof(*slot->ei));
		*slot->ei = e->ei;
		return ERR_OK;
	}
	if (e->quiet)
		return ERR_OK;
	slot->stored = true;
	edit_gone_clear(e);
	for (size_t i = 0; r == ERR_OK && i < e->n; i++)
		r = put_step(s, e, &e->v[i], ei);
	if (r == ERR_OK && e->rechannel)
		r = put_channels(s, e, ei);
	if (r == ERR_OK)
		r = edit_window_put(s, e, ei);
	if (r == ERR_OK && e->next_monitor != s->next_monitor)
		r = s->db->ops->run(s->db, STMT_META_PUT, VALS(
		    V_TEXT("next_monitor"), V_INT(e->next_monitor)), NULL, ei);
	if (r == ERR_OK && e->n > EVENTS_EACH) {
		snprintf(text, sizeof(text), "%zu monitors changed", e->n);
		r = edit_event(s, e, "", 0, text, ei);
	}
	return r;
}

static void
doom(struct store *s, uint32_t id)
{
	s->doomed = xrealloc(s->doomed, s->ndoomed + 1, sizeof(*s->doomed));
	s->doomed[s->ndoomed++] = id;
}

static void
apply_step(struct store *s, struct edit *e, struct step *st)
{
	struct entry *en;
	struct mon_state state;
	struct transition t;

	if (st->kind == STEP_DELETE) {
		view_remove(s->view, st->id);
		doom(s, st->id);
		return;
	}
	en = view_entry(s->view, st->id);
	if (en != NULL && st->conf->archived && !st->was_archived) {
		archived_state(e, en, &state, &t);
		view_transition(s->view, en, &t);
		view_state(s->view, en, &state);
		incidents_forget(s, en);
	}
	(void)view_put(s->view, monitor_conf_ref(st->conf));
}

void
edit_apply(struct store *s, struct edit *e)
{
	bool bulk = e->n > 64;

	if (bulk)
		view_bulk(s->view);
	for (size_t i = 0; i < e->n; i++)
		apply_step(s, e, &e->v[i]);
	if (bulk)
		view_bulk_end(s->view);
	if (e->rechannel)
		view_set_channels(s->view, e->channels, e->nchannels);
	edit_window_apply(s, e);
	s->conf_gen++;
	s->next_monitor = e->next_monitor;
	e->applied = true;
}

/* On the old shard's thread: it hands the monitor on, state and all. */
static void
forward(void *arg, struct command *c)
{
	struct store *s = arg;

	s->conf.to_shard(s->conf.to_shard_arg, c, c->shard_key);
}

static struct command *
put_command(const struct step *st, enum command_kind kind)
{
	struct command *c = command_new(kind, st->id);

	c->conf = monitor_conf_ref(st->conf);
	c->conf_free = monitor_conf_unref;
	c->shard_key = st->conf->group != 0 ? st->conf->group : st->id;
	return c;
}

static void
tell_step(struct store *s, const struct step *st)
{
	void *arg = s->conf.to_shard_arg;
	bool gone = st->kind == STEP_DELETE || st->conf->archived;
	struct command *c;

	if (gone) {
		if (st->old_key == 0)
			return;
		c = command_new(COMMAND_REMOVE, st->id);
		c->shard_key = st->old_key;
		s->conf.to_shard(arg, c, st->old_key);
		return;
	}
	c = put_command(st, COMMAND_PUT);
	if (st->was_archived)
		c->state = load_state(s, view_entry(s->view, st->id));
	if (st->old_key != 0 && st->old_key != c->shard_key) {
		c->kind = COMMAND_MOVE;
		c->forward = forward;
		c->forward_arg = s;
	}
	s->conf.to_shard(arg, c, c->kind == COMMAND_MOVE ? st->old_key :
	    c->shard_key);
}

void
edit_tell(struct store *s, struct edit *e)
{
	if (e == NULL || !e->applied)
		return;
	e->applied = false;
	(void)FAULT("edit.committed");
	for (size_t i = 0; s->conf.to_shard != NULL && i < e->n; i++)
		tell_step(s, &e->v[i]);
	if (e->rechannel && s->conf.channels != NULL)
		s->conf.channels(s->conf.channels_arg);
}

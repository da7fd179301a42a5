/* serve_core.c: shards and their wires; see serve_core.h. */
#include "serve_core.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "check/ping.h"
#include "net/net.h"
#include "route/route.h"
#include "serve_beacons.h"
#include "store/view.h"
#include "world/world.h"

/* -- which shard ---------------------------------------------------------- */

/* A group and its members hash by the group's id, so that they share one. */
static struct shard *
shard_of(struct core *co, uint32_t key)
{
	assert(co->nshards > 0);
	return co->shards[map_hash_u64(key) % co->nshards];
}

/* A monitor whose group changed comes as a MOVE to the shard it leaves, and
 * from there, with its live state, as a PUT by way of the store. */
void
core_to_shard(void *arg, struct command *c, uint32_t key)
{
	struct core *co = arg;

	if (!atomic_load(&co->forward) ||
	    !shard_send_urgent(shard_of(co, key), c))
		command_free(c);
}

bool
core_send(void *arg, struct command *c)
{
	struct core *co = arg;
	struct view_row row;

	if (c->shard_key == 0) {
		if (view_get(store_view(co->store), c->monitor, &row) !=
		    ERR_OK)
			return false;
		c->shard_key = row.conf->group != 0 ? row.conf->group
						    : c->monitor;
		view_row_release(&row);
	}
	return shard_send(shard_of(co, c->shard_key), c);
}

static void
on_slot(void *arg, unsigned shard)
{
	struct core *co = arg;

	if (shard < co->nshards)
		shard_kick(co->shards[shard]);
}

/* Failures cluster, or the beacons have answered: everybody goes on. */
static void
on_sight(void *arg)
{
	struct core *co = arg;

	for (unsigned i = 0; i < co->nshards; i++)
		shard_kick(co->shards[i]);
}

/* -- a shard's network ---------------------------------------------------- */

static void
env_close(struct check_env *env)
{
	ping_free(env->ping);
	net_free(env->net);
	env->ping = NULL;
	env->net = NULL;
}

static enum err
env_open(struct check_env *env, void *arg, struct errinfo *ei)
{
	const struct settings *st = arg;
	enum err e = net_new(env->world, st, &env->net, ei);

	if (e != ERR_OK)
		return e;
	env->ping = ping_new(env->world);
	return ERR_OK;
}

/* Stopped in the dark, and nobody knows yet whether it is over. */
static void
resume_blind(struct core *co)
{
	int64_t since_us = store_blind_us(co->store);
	int64_t now_ns = clock_mono_ns();

	if (since_us != 0 && co->settings.net.beacons.n > 0)
		vantage_resume(co->vantage, now_ns - (clock_wall_us() -
		    since_us) * NS_PER_US, now_ns);
}

enum err
core_shards(struct core *co, struct errinfo *ei)
{
	const struct settings *st = &co->settings;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = st->limits.shards;
	enum err e;

	if (n == 0)
		n = cores > 0 ? (unsigned)cores : 1;
	n = MIN(n, (unsigned)CAPS_SHARDS_MAX);
	co->caps = caps_new(st->limits.in_flight, st->limits.per_host, on_slot,
	    co);
	co->vantage = vantage_new(on_sight, co);
	resume_blind(co);
	co->beacons = (struct beacon_source){beacon_list, &co->settings};
	for (unsigned i = 0; i < n; i++) {
		const struct shard_conf sc = {.index = i, .caps = co->caps,
			.writer = store_inbox(co->store),
			.vantage = co->vantage,
			.beacons = i == 0 ? &co->beacons : NULL,
			.env_open = env_open, .env_close = env_close,
			.env_arg = &co->settings};

		e = shard_start(&sc, &co->shards[i], ei);
		if (e != ERR_OK)
			return e;
		co->nshards = i + 1;
	}
	return ERR_OK;
}

void
core_alerting(struct core *co, const struct settings *next)
{
	struct settings copy = {0};

	settings_copy_alerts(next, &copy);
	settings_free(&co->alerting);
	co->alerting = copy;
	atomic_store(&co->reroute, true);
}

void
core_rechannel(void *arg)
{
	struct core *co = arg;

	atomic_store(&co->reroute, true);
}

static void
names_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		xfree(s->v[i]);
	xfree(s->v);
}

static void
names_of(json_t *channels, struct strings *ret)
{
	ret->v = xcalloc(json_array_size(channels) + 1, sizeof(char *));
	for (size_t i = 0; i < json_array_size(channels); i++)
		ret->v[ret->n++] = xstrdup(json_string_value(json_object_get(
		    json_array_get(channels, i), "name")));
	json_decref(channels);
}

enum err
core_routes(struct core *co, struct errinfo *ei)
{
	struct strings names CLEANUP(names_free) = {0};
	struct route_plan *plan = NULL;
	enum err e;

	atomic_store(&co->reroute, false);
	names_of(view_channels(store_view(co->store), OPT_SECRETS_MASK),
	    &names);
	e = route_plan_make(&co->alerting, &names, &plan, ei);
	for (unsigned i = 0; e == ERR_OK && i < co->nshards; i++) {
		struct command *c = command_new(COMMAND_ROUTES, 0);

		c->routes = route_plan_ref(plan);
		c->routes_free = route_plan_unref;
		if (!shard_send_urgent(co->shards[i], c))
			command_free(c);
	}
	route_plan_unref(plan);
	return e;
}

void
core_shards_stop(struct core *co, int64_t deadline_ns)
{
	for (unsigned i = 0; i < co->nshards; i++)
		shard_stop(co->shards[i], deadline_ns);
}

void
core_shards_free(struct core *co)
{
	atomic_store(&co->forward, false);
	for (unsigned i = 0; i < co->nshards; i++)
		shard_free(co->shards[i]);
	co->nshards = 0;
	vantage_free(co->vantage);
	co->vantage = NULL;
}

/* -- the event log -------------------------------------------------------- */

void
core_event(struct core *co, enum event_kind kind, const char *subject,
    const char *text)
{
	struct event_unit *u = event_unit_new();

	u->event.kind = (uint8_t)kind;
	u->event.at_us = clock_wall_us();
	(void)text_copy(u->event.actor, sizeof(u->event.actor),
	    STR("daemon"));
	(void)text_copy(u->event.subject, sizeof(u->event.subject),
	    str_of(subject));
	(void)text_copy(u->event.text, sizeof(u->event.text), str_of(text));
	u->unit.urgent = true;
	if (!mbox_put_urgent(store_inbox(co->store), &u->unit.msg,
		u->unit.bytes))
		unit_free(&u->unit);
}

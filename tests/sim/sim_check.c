/* sim_check.c: a check type whose targets do what they are told, and the rest
 * of what check/ would bring. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"
#include "tests/sim/sim.h"

struct sim *sim_now_running;

struct sim_own {
	uint32_t target, host;
};

static const struct opt no_opts[] = {OPT_END};
static const struct opt sim_opts[] = {
	COUNTER("target", sim_own, target, .flags = OPT_TARGET,
	    .max = TARGETS_MAX, .dflt = "0", .help = "which target"),
	COUNTER("host", sim_own, host, .flags = OPT_TARGET,
	    .max = HOSTS_MAX, .dflt = "0", .help = "which host; 0 none"),
	OPT_END
};

struct sim_check {
	struct check check;
	struct timer answer;
	struct item *item;
	unsigned host;
};

static void
leave(struct sim_check *k)
{
	struct sim *s = k->item->sim;

	timer_stop(k->check.env->world, &k->answer);
	s->in_flight--;
	s->per_host[k->host]--;
	k->item->running = false;
}

static void
on_answer(UNUSED struct world *w, struct timer *t)
{
	struct sim_check *k = CONTAINER(t, struct sim_check, answer);

	k->check.out.why = k->item->meant;
	k->check.out.latency_ns = k->item->meant_latency_ns;
	if (k->check.out.why != WHY_OK)
		(void)snprintf(k->check.out.reason,
		    sizeof(k->check.out.reason), "the script says so");
	leave(k);
	check_end(&k->check);
}

static enum err
sim_start(struct check *c)
{
	struct sim_check *k = (struct sim_check *)(void *)c;
	struct sim *s = sim_now_running;
	const struct sim_own *own = c->conf->own;
	static const struct target dark = {.mode = MODE_SILENT};
	const struct target *t = &s->targets[own->target];
	struct item *it = sim_item(s, c->conf->id);
	int64_t now = world_now(c->env->world);

	judge_start(s, it, c);
	it->started_ns = now;
	if (now < s->nofds_until) {
		it->meant = WHY_LOCAL_FDS;
		check_why(c, WHY_LOCAL_FDS, "no descriptors left");
		return ERR_SYS;
	}
	if (now < s->blind_until)
		t = &dark;
	k->item = it;
	k->host = own->host;
	it->running = true;
	s->in_flight++;
	s->per_host[k->host]++;
	it->meant_latency_ns = t->latency_ns != 0 ? t->latency_ns :
	    (int64_t)(1 + sim_rnd(s, 200)) * NS_PER_MS;
	/* Or a clock that is set back makes two incidents of one moment. */
	if (s->chain != NULL)
		it->meant_latency_ns += (int64_t)sim_rnd(s, 1000) * NS_PER_US;
	it->meant = t->mode == MODE_ANSWERS ? WHY_OK :
	    t->mode == MODE_FAILS ? t->why : WHY_NET_TIMEOUT;
	if (t->mode == MODE_SILENT)
		it->meant_latency_ns = INT64_MAX;
	else
		timer_set(c->env->world, &k->answer,
		    now + it->meant_latency_ns, on_answer);
	return ERR_OK;
}

static void
sim_cancel(struct check *c)
{
	struct sim_check *k = (struct sim_check *)(void *)c;

	leave(k);
	check_why(c, WHY_NET_TIMEOUT, "no answer");
}

static void
sim_host(const void *own, struct buf *out)
{
	const struct sim_own *o = own;

	if (o->host != 0)
		buf_addf(out, "host-%u", o->host);
}

const struct check_kind sim_kind = {
	.conf = {.name = "sim", .drive = DRIVE_ACTIVE, .opts = sim_opts,
	    .conf_size = sizeof(struct sim_own), .host = sim_host},
	.size = sizeof(struct sim_check),
	.start = sim_start, .cancel = sim_cancel,
};
const struct check_kind sim_push = {
	.conf = {.name = "push", .drive = DRIVE_PUSH, .opts = no_opts},
};
const struct check_kind sim_group = {
	.conf = {.name = "group", .drive = DRIVE_GROUP, .opts = no_opts},
};

const struct check_kind *const check_kinds[] = {&sim_kind, &sim_push,
	&sim_group, NULL};
const struct monitor_kind *const check_monitor_kinds[] = {&sim_kind.conf,
	&sim_push.conf, &sim_group.conf, NULL};

const struct check_kind *
check_kind_of(const struct monitor_conf *c)
{
	return (const struct check_kind *)(const void *)c->kind;
}

void
check_end(struct check *c)
{
	c->done(c);
}

void
check_why(struct check *c, enum why why, const char *fmt, ...)
{
	va_list ap;

	c->out.why = why;
	va_start(ap, fmt);
	(void)vsnprintf(c->out.reason, sizeof(c->out.reason), fmt, ap);
	va_end(ap);
}

struct monitor_conf *
sim_conf(const struct check_kind *k, uint32_t id, unsigned target,
    unsigned host)
{
	struct monitor_conf *c = xcalloc(1, sizeof(*c));

	atomic_init(&c->refs, 1);
	c->kind = &k->conf;
	c->id = id;
	c->version = 1;
	c->name = xcalloc(1, 24);
	(void)snprintf(c->name, 24, "m%u", id);
	(void)snprintf(c->path, sizeof(c->path), "m%u", id);
	c->own = xcalloc(1, sizeof(struct sim_own));
	c->interval_ns = 60 * NS_PER_S;
	c->timeout_ns = 10 * NS_PER_S;
	c->retry_interval_ns = 10 * NS_PER_S;
	c->grace_ns = 60 * NS_PER_S;
	c->retries = 2;
	c->recoveries = 1;
	c->severity = SEVERITY_CRITICAL;
	c->notify.v = xcalloc(1, sizeof(char *));
	c->notify.v[c->notify.n++] = xstrdup("ops");
	c->tags.v = xcalloc(1, sizeof(char *));
	c->tags.v[c->tags.n++] = xstrdup(id % 2 == 0 ? "even" : "odd");
	/* Some wait before they say that all is well. */
	c->recovery_delay_ns = id % 3 == 1 ? 45 * NS_PER_S : 0;
	if (k == &sim_kind)
		sim_conf_target(c, target, host);
	return c;
}

struct monitor_conf *
sim_conf_copy(const struct monitor_conf *c)
{
	const struct sim_own *own = c->own;
	struct monitor_conf *n = sim_conf(check_kind_of(c), c->id, own->target,
	    own->host);

	xfree(n->name);
	n->name = xstrdup(c->name);
	memcpy(n->path, c->path, sizeof(n->path));
	n->group = c->group;
	n->version = c->version + 1;
	n->interval_ns = c->interval_ns;
	n->timeout_ns = c->timeout_ns;
	n->retry_interval_ns = c->retry_interval_ns;
	n->grace_ns = c->grace_ns;
	n->degraded_above_ns = c->degraded_above_ns;
	n->retries = c->retries;
	n->recoveries = c->recoveries;
	n->fail_m = c->fail_m;
	n->fail_n = c->fail_n;
	return n;
}

void
sim_conf_target(struct monitor_conf *c, unsigned target, unsigned host)
{
	struct sim_own *own = c->own;

	assert(target < TARGETS_MAX);
	assert(host <= HOSTS_MAX);
	own->target = target;
	own->host = host;
}

unsigned
sim_conf_host(const struct monitor_conf *c)
{
	return ((const struct sim_own *)c->own)->host;
}

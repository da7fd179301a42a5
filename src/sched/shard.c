/* shard.c: a thread, a world and a mailbox around one scheduler. The thread
 * builds everything it uses, so that nothing of the loop is ever touched from
 * outside: others send commands or poke the mailbox. */
#define OWNS_OFF
#include "sched/shard.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/time.h"
#include "world/world.h"

#define INBOX_MAX      65536            /* commands that may be refused */
#define INBOX_BYTES    (64u << 20)
#define COMMANDS_TURN  512              /* before the loop looks around */
#define STOP_LOOK_NS   (5 * NS_PER_MS)

enum shard_life { SHARD_STARTING, SHARD_RUNNING, SHARD_FAILED };

struct shard {
	struct shard_conf conf;
	pthread_t thread;
	bool joined;
	struct mbox inbox;
	atomic_bool kicked;
	struct sched_stats stats;
	/* How the start went: told by the thread, once. */
	pthread_mutex_t mu;
	pthread_cond_t told;
	enum shard_life life;
	enum err start_err;
	struct errinfo start_ei;
	/* the thread's own */
	struct world *world;
	struct check_env env;
	struct sink sink;
	struct sched *sched;
	struct msg *todo;
	struct timer more, stopping;
};

/* -- to the writer -------------------------------------------------------- */

/* Never refused for want of room: nothing may be lost between a verdict and
 * the store. The bound is kept by starting nothing above SCHED_PAUSE_LOAD. */
static void
sink_put(struct sink *k, struct unit *u)
{
	struct shard *sh = CONTAINER(k, struct shard, sink);
	struct errinfo ei = {0};
	struct ack *a;

	/* What may wait for others to share a commit wakes nobody. */
	if (u->urgent ? mbox_put_urgent(sh->conf.writer, &u->msg, u->bytes) :
	    mbox_put_quiet(sh->conf.writer, &u->msg, u->bytes))
		return;
	a = TAKE(u->ack);
	unit_free(u);
	if (a != NULL)
		a->done(a, fail(&ei, ERR_STOPPING, "vedette is stopping"),
		    &ei);
}

static double
sink_load(struct sink *k)
{
	struct shard *sh = CONTAINER(k, struct shard, sink);

	return mbox_load(sh->conf.writer);
}

/* -- the loop -------------------------------------------------------------- */

static void
on_stopping(struct world *w, struct timer *t)
{
	struct shard *sh = CONTAINER(t, struct shard, stopping);

	role_is(&shard_role);
	if (sched_idle(sh->sched))
		world_uv_stop(w);
	else
		timer_set(w, t, world_now(w) + STOP_LOOK_NS, on_stopping);
}

/* A replay of a hundred thousand monitors must not hold up the sockets. */
static void
work(struct shard *sh)
{
	role_is(&shard_role);
	for (unsigned i = 0; i < COMMANDS_TURN && sh->todo != NULL; i++) {
		struct msg *m = sh->todo;
		struct command *c = CONTAINER(m, struct command, msg);

		sh->todo = m->next;
		if (c->kind == COMMAND_STOP)
			timer_set(sh->world, &sh->stopping,
			    world_now(sh->world), on_stopping);
		sched_command(sh->sched, c);
		mbox_done(&sh->inbox, 1, sizeof(*c));
	}
}

static void
on_more(struct world *w, struct timer *t)
{
	struct shard *sh = CONTAINER(t, struct shard, more);

	work(sh);
	if (sh->todo != NULL)
		timer_set(w, t, world_now(w), on_more);
}

static void
on_mail(void *arg)
{
	struct shard *sh = arg;
	struct msg *new_ = mbox_take(&sh->inbox), **end = &sh->todo;
	bool busy = sh->todo != NULL;

	role_is(&shard_role);
	while (*end != NULL)
		end = &(*end)->next;
	*end = new_;
	if (atomic_exchange(&sh->kicked, false))
		sched_kick(sh->sched);
	if (busy)
		return;   /* its turn comes, in order */
	work(sh);
	if (sh->todo != NULL)
		timer_set(sh->world, &sh->more, world_now(sh->world),
		    on_more);
}

/* -- life ------------------------------------------------------------------ */

static void
tell(struct shard *sh, enum shard_life life, enum err e)
{
	pthread_mutex_lock(&sh->mu);
	sh->life = life;
	sh->start_err = e;
	pthread_cond_signal(&sh->told);
	pthread_mutex_unlock(&sh->mu);
}

/* What was sent too late is answered, not forgotten. */
static void
refuse_rest(struct shard *sh)
{
	struct errinfo ei = {0};
	struct msg *m;
	enum err e = fail(&ei, ERR_STOPPING, "vedette is stopping");

	mbox_close(&sh->inbox);
	for (int i = 0; i < 2; i++) {
		while ((m = sh->todo) != NULL) {
			struct command *c = CONTAINER(m, struct command, msg);
			struct ack *a = TAKE(c->ack);

			sh->todo = m->next;
			command_free(c);
			mbox_done(&sh->inbox, 1, sizeof(*c));
			if (a != NULL)
				a->done(a, e, &ei);
		}
		sh->todo = mbox_take(&sh->inbox);
	}
	assert(sh->todo == NULL);
}

static void
run(struct shard *sh)
{
	sh->sched = sched_new(sh->world, &sh->env, sh->conf.caps,
	    sh->conf.index, &sh->sink, &sh->stats);
	sched_vantage(sh->sched, sh->conf.vantage, sh->conf.beacons);
	tell(sh, SHARD_RUNNING, ERR_OK);
	world_uv_watch(sh->world, sh->inbox.wake, on_mail, sh);
	world_uv_run(sh->world);
	timer_stop(sh->world, &sh->more);
	timer_stop(sh->world, &sh->stopping);
	refuse_rest(sh);
	sched_free(sh->sched);
	sh->sched = NULL;
}

static void *
thread_main(void *arg)
{
	struct shard *sh = arg;
	char name[16];
	enum err e;

	(void)snprintf(name, sizeof(name), "shard-%u", sh->conf.index);
	(void)pthread_setname_np(pthread_self(), name);
	role_enter(&shard_role);
	sh->world = world_uv_new();
	sh->env.world = sh->world;
	e = sh->conf.env_open(&sh->env, sh->conf.env_arg, &sh->start_ei);
	if (e == ERR_OK) {
		run(sh);
		sh->conf.env_close(&sh->env);
	} else
		tell(sh, SHARD_FAILED, e);
	world_uv_free(sh->world);
	role_leave(&shard_role);
	return NULL;
}

static void
join(struct shard *sh)
{
	if (!sh->joined && pthread_join(sh->thread, NULL) != 0)
		log_error("shard", "cannot join the thread");
	sh->joined = true;
}

/* Signals are the main thread's. */
static int
spawn(struct shard *sh)
{
	sigset_t all, was;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = pthread_create(&sh->thread, NULL, thread_main, sh);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	return rc;
}

enum err
shard_start(const struct shard_conf *c, struct shard **ret,
    struct errinfo *ei)
{
	struct shard *sh = xcalloc(1, sizeof(*sh));
	enum err e;

	assert(c->index < CAPS_SHARDS_MAX);
	sh->conf = *c;
	sh->sink = (struct sink){.put = sink_put, .load = sink_load};
	mbox_init(&sh->inbox, INBOX_MAX, INBOX_BYTES);
	(void)pthread_mutex_init(&sh->mu, NULL);
	(void)pthread_cond_init(&sh->told, NULL);
	if (spawn(sh) != 0) {
		sh->joined = true;
		shard_free(sh);
		return fail(ei, ERR_SYS, "cannot start a thread for shard %u; "
		    "raise the limit of processes or lower limits.shards",
		    c->index);
	}
	pthread_mutex_lock(&sh->mu);
	while (sh->life == SHARD_STARTING)
		pthread_cond_wait(&sh->told, &sh->mu);
	pthread_mutex_unlock(&sh->mu);
	if (sh->life == SHARD_RUNNING) {
		*ret = sh;
		return ERR_OK;
	}
	join(sh);
	e = sh->start_err;
	if (ei != NULL)
		*ei = sh->start_ei;
	shard_free(sh);
	return e;
}

bool
shard_send(struct shard *s, struct command *c)
{
	return mbox_put(&s->inbox, &c->msg, sizeof(*c));
}

bool
shard_send_urgent(struct shard *s, struct command *c)
{
	return mbox_put_urgent(&s->inbox, &c->msg, sizeof(*c));
}

void
shard_kick(struct shard *s)
{
	atomic_store(&s->kicked, true);
	mbox_poke(&s->inbox);
}

const struct sched_stats *
shard_stats(const struct shard *s)
{
	return &s->stats;
}

void
shard_stop(struct shard *s, int64_t deadline_ns)
{
	struct command *c;

	if (s == NULL || s->joined)
		return;
	c = command_new(COMMAND_STOP, 0);
	c->deadline_ns = deadline_ns;
	if (!shard_send_urgent(s, c))
		command_free(c);
	join(s);
}

void
shard_free(struct shard *s)
{
	if (s == NULL)
		return;
	shard_stop(s, clock_mono_ns());
	mbox_close(&s->inbox);
	mbox_free(&s->inbox);
	(void)pthread_cond_destroy(&s->told);
	(void)pthread_mutex_destroy(&s->mu);
	xfree(s);
}

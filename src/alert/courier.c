/* courier.c: the thread, its mailbox and what others may see; see courier.h. */
#define OWNS_OFF
#include "alert/courier.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alert/courier_impl.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/prom.h"
#include "base/role.h"
#include "base/text.h"
#include "base/time.h"
#include "store/health.h"
#include "store/outbox.h"
#include "store/view.h"
#include "store/windows.h"

#define INBOX_MAX   1000000   /* never refused: rows are durable already */
#define LOOK_NS     (60 * NS_PER_S)   /* the wall clock may have been set */
#define STEP_US     (US_PER_S / 2)    /* a larger difference: it was */
#define CLOCK_TRIES 3
#define TELL_US     (INT64_C(86400) * US_PER_S)

/* -- what is muted ------------------------------------------------------------- */

static bool
parent_down(struct view *v, const struct monitor_conf *c,
    char note[OUTBOX_NOTE])
{
	struct view_row row;

	for (size_t i = 0; i < c->depends_on.n; i++) {
		bool down;

		if (view_find(v, str_of(c->depends_on.v[i]), &row) != ERR_OK)
			continue;
		down = row.status == STATUS_DOWN;
		view_row_release(&row);
		if (!down)
			continue;
		(void)snprintf(note, OUTBOX_NOTE, "%.120s is down, on which"
		    " it depends", c->depends_on.v[i]);
		return true;
	}
	return false;
}

static bool
is_muted(void *arg, uint32_t monitor, int64_t failed_us, int64_t now_us,
    int64_t *ret_until_us, char note[OUTBOX_NOTE])
{
	struct courier *c = arg;
	struct view *v = store_view(c->conf.store);
	struct maintenance m;
	struct view_row row;
	bool muted;

	*ret_until_us = 0;
	if (view_get(v, monitor, &row) != ERR_OK)
		return false;
	muted = parent_down(v, row.conf, note);
	if (!muted && windows_cover(view_windows(v), row.conf, now_us,
	    failed_us, &m)) {
		muted = true;
		*ret_until_us = m.until_us;
		(void)snprintf(note, OUTBOX_NOTE, "maintenance: %.120s",
		    m.name);
	}
	view_row_release(&row);
	return muted;
}

/* -- turning --------------------------------------------------------------------- */

static void
glance_one(void *arg, const struct desk_figures *f)
{
	struct courier *c = arg;
	struct glance *g;

	c->glances = xrealloc(c->glances, c->nglances + 1,
	    sizeof(*c->glances));
	g = &c->glances[c->nglances++];
	*g = (struct glance){.health = *f->health, .known = f->known,
	    .pending = f->pending, .held = f->held, .retry_us = f->retry_us,
	    .failed = f->failed};
	memcpy(g->ended, f->ended, sizeof(g->ended));
}

static void
publish(struct courier *c)
{
	pthread_mutex_lock(&c->mu);
	c->nglances = 0;
	desk_each(c->desk, c, glance_one);
	pthread_mutex_unlock(&c->mu);
}

static void
book(struct courier *c)
{
	struct mbox *writer = store_inbox(c->conf.store);
	struct alert_unit *u;

	while ((u = desk_unit(c->desk)) != NULL) {
		(void)FAULT("courier.before_book");
		if (!mbox_put_urgent(writer, &u->unit.msg, u->unit.bytes))
			unit_free(&u->unit);   /* stopping: as after a crash */
	}
}

/* Two clocks cannot be read at once: a step is there at the second look too. */
static int64_t
clock_diff_us(struct courier *c)
{
	int64_t diff = 0;

	for (unsigned i = 0; i < CLOCK_TRIES; i++) {
		int64_t mono_us = world_fresh(c->world) / NS_PER_US;

		diff = world_wall_us(c->world) - mono_us - c->epoch_us;
		if (diff < STEP_US && diff > -STEP_US)
			break;
	}
	return diff;
}

int64_t
courier_now_us(struct courier *c)
{
	int64_t diff = clock_diff_us(c);
	bool first = c->epoch_us == 0;

	c->epoch_us += diff;
	if (!first && (diff >= STEP_US || diff <= -STEP_US))
		desk_step(c->desk, diff);
	return world_wall_us(c->world);
}

static void
on_timer(struct world *w, struct timer *t)
{
	struct courier *c = CONTAINER(t, struct courier, timer);

	(void)w;
	courier_turn(c);
}

void
courier_turn(struct courier *c)
{
	int64_t now_us = courier_now_us(c), next_us, in_ns;
	struct desk_message *m;

	if (!c->stopping)
		desk_run(c->desk, now_us);
	book(c);
	publish(c);
	if (c->stopping) {
		if (list_empty(&c->runs))
			world_uv_stop(c->world);
		return;
	}
	next_us = desk_next_us(c->desk);
	in_ns = next_us - now_us > LOOK_NS / NS_PER_US ? LOOK_NS :
	    MAX((next_us - now_us) * NS_PER_US, INT64_C(0));
	timer_set(c->world, &c->timer, world_now(c->world) + in_ns, on_timer);
	while ((m = desk_pop(c->desk)) != NULL)
		courier_deliver(c, m);
}

/* -- the mailbox --------------------------------------------------------------- */

static struct mail *
mail_new(enum mail_kind kind)
{
	struct mail *m = xcalloc(1, sizeof(*m));

	m->kind = kind;
	return m;
}

static void
mail_free(struct mail *m)
{
	xfree(m->rows);
	setup_unref(m->setup);
	xfree(m);
}

static void
mail_put(struct courier *c, struct mail *m)
{
	if (!mbox_put_urgent(&c->inbox, &m->msg, 1))
		mail_free(m);
}

/* Who lets a monitor go ends its incidents in the same transaction. A store
 * whose version did not is made good here, before anything is edited. */
static void
look_for_gone(struct courier *c, int64_t now_us)
{
	uint32_t *v = NULL;
	size_t n = desk_monitors(c->desk, &v);
	struct view_row row;

	for (size_t i = 0; i < n; i++) {
		bool there = view_get(store_view(c->conf.store), v[i], &row)
		    == ERR_OK;

		if (!there || row.conf->archived)
			desk_gone(c->desk, v[i], now_us);
		if (there)
			view_row_release(&row);
	}
	xfree(v);
}

static void
set_up(struct courier *c, struct mail *m, int64_t now_us)
{
	setup_unref(c->setup);
	c->setup = TAKE(m->setup);
	desk_set(c->desk, &c->setup->desk);
	desk_channels(c->desk, c->setup->desks, c->setup->n, now_us);
}

static void
on_last(struct world *w, struct timer *t)
{
	struct courier *c = CONTAINER(t, struct courier, last);

	while (!list_empty(&c->runs))
		courier_cancel(CONTAINER(c->runs.next, struct delivery_run, node));
	world_uv_stop(w);
}

static void
open_mail(struct courier *c, struct mail *m)
{
	int64_t now_us = courier_now_us(c);

	switch (m->kind) {
	case MAIL_ROWS:
		for (size_t i = 0; i < m->n; i++)
			(void)desk_add(c->desk, &m->rows[i], false, now_us);
		break;
	case MAIL_HOLD:
		desk_hold_change(c->desk, &m->hold, now_us);
		break;
	case MAIL_TELL:
		desk_tell(c->desk, &m->event, now_us, now_us + TELL_US);
		break;
	case MAIL_SETUP:
		set_up(c, m, now_us);
		break;
	case MAIL_LOOK:
		desk_look(c->desk, now_us);
		break;
	case MAIL_STOP:
		c->stopping = true;
		timer_set(c->world, &c->last, m->deadline_ns, on_last);
		break;
	}
}

static void
on_mail(void *arg)
{
	struct courier *c = arg;
	struct msg *m = mbox_take(&c->inbox), *next;

	role_is(&courier_role);
	for (; m != NULL; m = next) {
		struct mail *mail = CONTAINER(m, struct mail, msg);

		next = m->next;
		open_mail(c, mail);
		mail_free(mail);
		mbox_done(&c->inbox, 1, 1);
	}
	courier_turn(c);
}

/* -- the thread ----------------------------------------------------------------------- */

static void
load_row(void *arg, const struct outbox_row *r)
{
	struct courier *c = arg;

	(void)desk_add(c->desk, r, true, world_wall_us(c->world));
}

static void
load_health(void *arg, const struct channel_health *h)
{
	desk_health(((struct courier *)arg)->desk, h);
}

static void
load_hold(void *arg, const struct hold *h)
{
	desk_hold(((struct courier *)arg)->desk, h);
}

static enum err
open_all(struct courier *c, struct errinfo *ei)
{
	struct desk_mute mute = {is_muted, c};
	struct outbox_reader to = {load_row, load_health, load_hold, c};
	enum err e;

	if (gethostname(c->host, sizeof(c->host) - 1) != 0)
		c->host[0] = '\0';
	e = net_new(c->world, c->conf.settings, &c->net, ei);
	if (e != ERR_OK)
		return e;
	c->desk = desk_new(&c->setup->desk, &mute);
	desk_channels(c->desk, c->setup->desks, c->setup->n,
	    world_wall_us(c->world));
	return outbox_load(c->conf.store, &to, ei);
}

static void
say_started(struct courier *c, enum err e)
{
	pthread_mutex_lock(&c->mu);
	c->told = true;
	c->start_err = e;
	pthread_cond_signal(&c->cv);
	pthread_mutex_unlock(&c->mu);
}

static void *
thread_main(void *arg)
{
	struct courier *c = arg;
	enum err e;

	(void)pthread_setname_np(pthread_self(), "courier");
	role_enter(&courier_role);
	c->world = world_uv_new();
	e = open_all(c, &c->start_ei);
	(void)FAULT("courier.loaded");
	if (e == ERR_OK) {
		look_for_gone(c, world_wall_us(c->world));
		world_uv_watch(c->world, c->inbox.wake, on_mail, c);
		courier_turn(c);
		say_started(c, e);
		world_uv_run(c->world);
	} else {
		say_started(c, e);
	}
	timer_stop(c->world, &c->timer);
	timer_stop(c->world, &c->last);
	desk_free(c->desk);
	c->desk = NULL;
	net_free(c->net);
	world_uv_free(c->world);
	role_leave(&courier_role);
	return NULL;
}

struct courier *
courier_new(void)
{
	struct courier *c = xcalloc(1, sizeof(*c));

	mbox_init(&c->inbox, INBOX_MAX, INBOX_MAX);
	(void)pthread_mutex_init(&c->mu, NULL);
	(void)pthread_cond_init(&c->cv, NULL);
	list_init(&c->runs);
	return c;
}

enum err
courier_start(struct courier *c, const struct courier_conf *conf,
    struct errinfo *ei)
{
	sigset_t all, was;
	int rc;

	c->conf = *conf;
	c->setup = setup_new(conf->settings,
	    conf->settings->status_page.time_zone, conf->store);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = pthread_create(&c->thread, NULL, thread_main, c);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (rc != 0)
		return fail(ei, ERR_SYS, "cannot start the courier's thread");
	c->started = true;
	pthread_mutex_lock(&c->mu);
	while (!c->told)
		pthread_cond_wait(&c->cv, &c->mu);
	pthread_mutex_unlock(&c->mu);
	if (c->start_err != ERR_OK && ei != NULL)
		*ei = c->start_ei;
	return c->start_err;
}

void
courier_stop(struct courier *c, int64_t deadline_ns)
{
	struct mail *m;

	if (c == NULL || !c->started || c->joined)
		return;
	m = mail_new(MAIL_STOP);
	m->deadline_ns = deadline_ns;
	mail_put(c, m);
	(void)pthread_join(c->thread, NULL);
	c->joined = true;
}

void
courier_free(struct courier *c)
{
	struct msg *m, *next;

	if (c == NULL)
		return;
	courier_stop(c, clock_mono_ns());
	mbox_close(&c->inbox);
	for (m = mbox_take(&c->inbox); m != NULL; m = next) {
		next = m->next;
		mail_free(CONTAINER(m, struct mail, msg));
		mbox_done(&c->inbox, 1, 1);
	}
	mbox_free(&c->inbox);
	setup_unref(c->setup);
	xfree(c->glances);
	(void)pthread_cond_destroy(&c->cv);
	(void)pthread_mutex_destroy(&c->mu);
	xfree(c);
}

/* -- from other threads ------------------------------------------------------------ */

static void
send_rows(struct courier *c, const struct outbox_row *v, size_t n)
{
	struct mail *m;

	if (n == 0)
		return;
	m = mail_new(MAIL_ROWS);
	m->rows = xcalloc(n, sizeof(*v));
	memcpy(m->rows, v, n * sizeof(*v));
	m->n = n;
	mail_put(c, m);
}

static void
send_event(struct courier *c, const struct event *e)
{
	struct mail *m;

	if (e->kind != EVENT_HEALTH)
		return;
	m = mail_new(MAIL_TELL);
	m->event = (struct alert_event){.kind = ALERT_STORE,
	    .severity = e->to == HEALTH_UNHEALTHY ? SEVERITY_CRITICAL :
	    e->to == HEALTH_DEGRADED ? SEVERITY_WARNING : SEVERITY_INFO,
	    .from = e->to == HEALTH_HEALTHY ? STATUS_DEGRADED : STATUS_UP,
	    .to = e->to == HEALTH_HEALTHY ? STATUS_UP :
	    e->to == HEALTH_UNHEALTHY ? STATUS_DOWN : STATUS_DEGRADED,
	    .at_us = e->at_us != 0 ? e->at_us : clock_wall_us(),
	    .latency_us = -1};
	(void)text_copy(m->event.path, sizeof(m->event.path), STR("store"));
	(void)text_copy(m->event.type, sizeof(m->event.type), STR("store"));
	(void)text_copy(m->event.reason, sizeof(m->event.reason),
	    str_of(e->text));
	mail_put(c, m);
}

void
courier_durable(void *courier, const struct unit *u)
{
	struct courier *c = courier;

	switch (u->kind) {
	case UNIT_RESULT: {
		const struct result_unit *r = result_unit_of(u);

		send_rows(c, r->rows, r->nrows);
		break;
	}
	case UNIT_ALERT: {
		const struct alert_unit *a = alert_unit_of(u);

		send_rows(c, a->rows, a->nrows);
		if (a->has_hold) {
			struct mail *m = mail_new(MAIL_HOLD);

			m->hold = a->hold;
			mail_put(c, m);
		}
		break;
	}
	case UNIT_EVENT:
		send_event(c, &event_unit_of(u)->event);
		break;
	case UNIT_CONFIG: {
		const struct config_unit *k = config_unit_of(u);

		send_rows(c, k->rows, k->nrows);
		courier_look(c);
		break;
	}
	case UNIT_TOKEN:
	case UNIT_QUARANTINE:
	case UNIT_INCIDENT:
	case UNIT_NMAX:
		break;
	}
}

void
courier_configure(struct courier *c, const struct settings *alerting)
{
	struct mail *m = mail_new(MAIL_SETUP);

	m->setup = setup_new(alerting,
	    c->conf.settings->status_page.time_zone, c->conf.store);
	mail_put(c, m);
}

void
courier_look(struct courier *c)
{
	mail_put(c, mail_new(MAIL_LOOK));
}

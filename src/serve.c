/* serve.c: the daemon: wires store, shards and front doors together, in the
 * order in which each needs the other, and takes them down in reverse.
 *
 *   start  settings → data directory → store (lock, migrate, load) → the
 *          file's monitors → shards → every monitor with its state → HTTP
 *   stop   intake off → checks end → store drains and answers → HTTP → store
 *
 * The main thread then only waits for signals: SIGHUP applies the file again,
 * SIGTERM and SIGINT stop. */
#include "main.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <curl/curl.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "serve_alerts.h"
#include "serve_core.h"
#include "store/writer.h"
#include "world/world.h"

#define STOP_NS        (20 * NS_PER_S)   /* all of a stop */
/* What a wave of checks gives back is asked for again by the next one: the
 * heap keeps so much of it, not the default 128 KiB. */
#define HEAP_KEEP      (8 << 20)
#define STOP_CHECKS_NS (2 * NS_PER_S)    /* of it, for checks in flight */
#define STOP_SENDS_NS  (3 * NS_PER_S)    /* and for alerts on their way */

/* -- settings ------------------------------------------------------------ */

static int
flags_parse(int argc, char **argv, struct place_ask *f)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"data", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c')
			f->config = optarg;
		else if (c == 'd')
			f->data = optarg;
		else {
			FILE *out = c == 'h' ? stdout : stderr;

			(void)fprintf(out,
			    "usage: vedette serve [-c FILE] [--data DIR]\n");
			return c == 'h' ? 0 : 2;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr,
		    "vedette serve: unexpected argument \"%s\"; usage: "
		    "vedette serve [-c FILE] [--data DIR]\n",
		    argv[optind]);
		return 2;
	}
	return -1;
}

/* Every check in flight needs a descriptor or two. */
static void
fds_raise(const struct settings *st)
{
	struct rlimit rl;
	rlim_t want = 2 * (rlim_t)st->limits.in_flight +
	    st->limits.http_connections + 256;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return;
	if (rl.rlim_cur < want) {
		rl.rlim_cur = MIN(want, rl.rlim_max);
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (rl.rlim_cur < want)
		log_warn("serve", "few descriptors: checks may have to wait",
		    KV_I("have", (int64_t)rl.rlim_cur),
		    KV_I("want", (int64_t)want));
}

/* -- configuration ------------------------------------------------------- */

struct waiter {
	struct ack ack;
	pthread_mutex_t mu;
	pthread_cond_t cv;
	bool done;
	enum err e;
	struct errinfo ei;
};

static void
waiter_done(struct ack *a, enum err e, const struct errinfo *ei)
{
	struct waiter *w = CONTAINER(a, struct waiter, ack);

	pthread_mutex_lock(&w->mu);
	w->done = true;
	w->e = e;
	if (ei != NULL)
		w->ei = *ei;
	pthread_cond_signal(&w->cv);
	pthread_mutex_unlock(&w->mu);
}

/* Put a unit and wait until it is durable or refused. */
static enum err
unit_wait(struct core *co, struct unit *u, struct errinfo *ei)
{
	struct waiter w = {.ack = {.done = waiter_done},
		.mu = PTHREAD_MUTEX_INITIALIZER,
		.cv = PTHREAD_COND_INITIALIZER};

	u->ack = &w.ack;
	u->urgent = true;
	if (!mbox_put_urgent(store_inbox(co->store), &u->msg, u->bytes))
		return fail(ei, ERR_STOPPING, "the store is stopping");
	pthread_mutex_lock(&w.mu);
	while (!w.done)
		pthread_cond_wait(&w.cv, &w.mu);
	pthread_mutex_unlock(&w.mu);
	if (w.e != ERR_OK && ei != NULL)
		*ei = w.ei;
	return w.e;
}

/* The file becomes what is stored; what it no longer names is archived. */
static enum err
core_apply(struct core *co, struct document *doc, struct errinfo *ei)
{
	struct config_unit *u = config_unit_new(CONFIG_APPLY);
	json_t *changes;
	enum err e;

	u->doc = doc;
	u->opts = (struct plan_opts){.origin = ORIGIN_FILE, .archive = true,
		.cascade = true};
	(void)snprintf(u->actor, sizeof(u->actor), "file");
	e = unit_wait(co, &u->unit, ei);
	if (e == ERR_OK) {
		changes = json_object_get(u->plan, "changes");
		log_info("serve", "configuration applied",
		    KV("file", co->at.config[0] != '\0' ?
		    co->at.config : "none"),
		    KV_I("changes", (int64_t)json_array_size(changes)));
	}
	config_unit_free(u);
	return e;
}

/* A plan that cannot be made leaves the one before in force. */
static void
core_reroute(struct core *co)
{
	struct errinfo ei = {0};
	char text[1024];

	if (core_routes(co, &ei) != ERR_OK)
		log_error("serve", "routes not applied, those before stay",
		    KV("error", errinfo_text(&ei, text, sizeof(text))));
	courier_configure(co->courier, &co->alerting);
}

static void
core_reload(struct core *co)
{
	struct errinfo ei = {0};
	struct document *doc = NULL;
	struct settings alerting = {0};
	BUF_AUTO(later, 1024);
	char text[1024];
	enum err e;

	if (co->at.config[0] == '\0') {
		log_warn("serve", "no configuration file to apply again");
		return;
	}
	(void)sd_notify(0, "RELOADING=1");
	e = document_load(co->at.config, check_monitor_kinds, &doc, &ei);
	if (e == ERR_OK)
		e = settings_env(&doc->settings, environ, &ei);
	if (e == ERR_OK) {
		const struct settings next = doc->settings;

		/* Monitors first: when they are refused nothing changes. The
		 * numbers in next outlive doc, its texts do not. */
		settings_later(&co->settings, &next, &later);
		settings_copy_alerts(&next, &alerting);
		e = core_apply(co, TAKE(doc), &ei);
		if (e == ERR_OK) {
			log_set(next.log.level, next.log.format);
			caps_set(co->caps, next.limits.in_flight,
			    next.limits.per_host);
			core_alerting(co, &alerting);
			core_reroute(co);
			http_base(co->http, co->alerting.alerts.base_url);
		}
	}
	if (e == ERR_OK && later.n > 0)
		log_warn("serve", "some settings take effect at the next "
		    "start only", KV("settings", later.p));
	document_free(doc);
	settings_free(&alerting);
	if (e != ERR_OK) {
		log_error("serve", "configuration not applied, all stays as "
		    "it was", KV("error",
		    errinfo_text(&ei, text, sizeof(text))));
		core_event(co, EVENT_CONFIG, co->at.config, text);
	}
	(void)sd_notify(0, "READY=1");
}

/* -- start and stop ------------------------------------------------------ */

static enum err
core_store(struct core *co, struct errinfo *ei)
{
	const struct settings *st = &co->settings;
	struct store_conf sc = {
		.commit_delay_ns = st->store.commit_delay_ns,
		.queue = st->store.queue,
		.queue_bytes = st->store.queue_bytes,
		.readers = st->store.readers,
		.deadline_ns = {
			[PACE_FAST] = st->store.deadlines.fast_ns,
			[PACE_NORMAL] = st->store.deadlines.normal_ns,
			[PACE_SLOW] = st->store.deadlines.slow_ns,
		},
		.read_age_ns = st->store.checkpoint.read_age_ns,
		.retention = st->store.retention,
		.disk_budget = st->store.disk_budget,
		.checkpoint_size = st->store.checkpoint.size,
		.checkpoint_ns = st->store.checkpoint.interval_ns,
		.maintain_at = st->store.maintain_at,
		.time_zone = st->status_page.time_zone,
		.journal = {.after_ns = st->store.journal.after_ns,
		    .size = st->store.journal.size,
		    .reserve = st->store.journal.reserve},
		.kinds = check_monitor_kinds,
		.to_shard = core_to_shard,
		.to_shard_arg = co,
		.channels = core_rechannel,
		.channels_arg = co,
		.durable = courier_durable,
		.durable_arg = co->courier,
	};
	enum err e;

	_Static_assert(sizeof(sc.path) == sizeof(co->at.store), "one limit");
	memcpy(sc.path, co->at.store, sizeof(sc.path));
	e = store_open(&sc, &co->store, ei);
	if (e != ERR_OK)
		return e;
	e = store_start(co->store, ei);
	if (e != ERR_OK)
		return e;
	/* The document gave its settings away; maintenance is stored, too. */
	settings_copy_alerts(st, &co->first->settings);
	return core_apply(co, TAKE(co->first), ei);
}

static enum err
core_start(struct core *co, struct errinfo *ei)
{
	struct http_conf hc = {.settings = &co->settings,
		.control_path = co->at.control, .kinds = check_monitor_kinds,
		.version = VEDETTE_VERSION, .started_us = clock_wall_us(),
		.send = core_send, .metrics = core_metrics,
		.channels = core_channels, .link_key = co->link_key,
		.arg = co};
	enum err e = core_link_key(co, ei);

	core_courier_new(co);
	if (e == ERR_OK)
		e = core_store(co, ei);
	if (e == ERR_OK)
		e = core_courier(co, ei);
	if (e == ERR_OK)
		e = core_shards(co, ei);
	if (e != ERR_OK)
		return e;
	core_alerting(co, &co->settings);
	e = core_routes(co, ei);
	if (e != ERR_OK)
		return e;
	co->forward = true;
	store_replay(co->store);
	hc.store = co->store;
	e = http_start(&hc, &co->http, ei);
	return e;
}

/* Safe on a half-started core; each stage has what is left of the deadline. */
static enum err
core_stop(struct core *co, struct errinfo *ei)
{
	int64_t deadline = clock_mono_ns() + STOP_NS;
	enum err e = ERR_OK;

	if (co->http != NULL)
		http_quiesce(co->http);
	if (co->store != NULL)
		store_stop_reads(co->store);
	core_shards_stop(co, MIN(deadline, clock_mono_ns() + STOP_CHECKS_NS));
	courier_stop(co->courier, MIN(deadline, clock_mono_ns() +
	    STOP_SENDS_NS));
	if (co->store != NULL)
		e = store_stop(co->store, deadline, ei);
	if (co->http != NULL)
		http_stop(co->http, deadline);
	http_free(co->http);
	core_shards_free(co);
	store_free(co->store);
	courier_free(co->courier);
	caps_free(co->caps);
	document_free(co->first);
	settings_free(&co->settings);
	settings_free(&co->alerting);
	return e;
}

static void
announce(const struct core *co)
{
	(void)printf("vedette %s is watching.\n"
	    "  status page     %s\n"
	    "  control socket  %s\n"
	    "  stop with Ctrl-C; see also: vedette status --data %s\n",
	    VEDETTE_VERSION, http_url(co->http), co->at.control,
	    co->at.data);
	(void)fflush(stdout);
	log_info("serve", "ready", KV("url", http_url(co->http)),
	    KV("data", co->at.data));
	(void)sd_notifyf(0, "READY=1\nSTATUS=status page %s",
	    http_url(co->http));
}

static void
wait_for_stop(struct core *co, const sigset_t *set)
{
	const struct timespec tick = {.tv_sec = 1};

	for (;;) {
		int sig = sigtimedwait(set, NULL, &tick);

		if (sig == SIGTERM || sig == SIGINT) {
			log_info("serve", "stopping", KV("signal",
			    sig == SIGINT ? "INT" : "TERM"));
			break;
		}
		if (sig == SIGHUP) {
			core_reload(co);
			(void)malloc_trim(0);
		}
		if (atomic_load(&co->reroute))
			core_reroute(co);
		/* A store that fails is no reason to be killed: what it has
		 * not taken yet lives in our queue. */
		(void)sd_notify(0, "WATCHDOG=1");
	}
	(void)sd_notify(0, "STOPPING=1");
}

int
serve_main(int argc, char **argv)
{
	static struct core co;   /* large, and there is one */
	struct place_ask f = {.make = true, .kinds = check_monitor_kinds};
	struct errinfo ei = {0};
	char text[1024];
	sigset_t set;
	enum err e;
	int rc = flags_parse(argc, argv, &f);

	if (rc >= 0)
		return rc;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
	log_setup(STDERR_FILENO, clock_wall_us, clock_mono_ns);
	e = place_settings(&f, &co.at, &co.settings, &co.first, &ei);
	if (e == ERR_OK) {
		log_set(co.settings.log.level, co.settings.log.format);
		e = place_find(&f, &co.settings, &co.at, &ei);
	}
	if (e != ERR_OK) {
		(void)fprintf(stderr, "vedette: %s\n",
		    errinfo_text(&ei, text, sizeof(text)));
		document_free(co.first);
		settings_free(&co.settings);
		return e == ERR_SYS ? 1 : 2;
	}
	/* Every thread inherits the mask: signals reach only sigtimedwait. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	fds_raise(&co.settings);
	e = core_start(&co, &ei);
	if (e == ERR_OK) {
		/* What reading a long file took, 1 KiB a monitor, goes back. */
		(void)malloc_trim(0);
		announce(&co);
		wait_for_stop(&co, &set);
	} else {
		(void)fprintf(stderr, "vedette: %s\n",
		    errinfo_text(&ei, text, sizeof(text)));
		rc = co.store != NULL && (e == ERR_INVALID || e == ERR_PARSE)
		    ? 2 : 1;
	}
	ei = (struct errinfo){0};
	if (core_stop(&co, &ei) != ERR_OK) {
		log_error("serve", "stopped, but not everything was stored",
		    KV("error", ei.text));
		rc = 1;
	} else if (rc < 0) {
		log_info("serve", "stopped");
		rc = 0;
	}
	curl_global_cleanup();
	return rc;
}

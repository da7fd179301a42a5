/* bench_check: what one HTTP check costs, beside bare libcurl in the same run.
 *
 *   bench_check URL [seconds=2] [in_flight=64] [rate=0] [rounds=3] [ca=FILE]
 *   bench_check URL side=libcurl     only that side (or vedette)
 *   bench_check URL hold=1000        bytes of RSS per check that waits
 *
 * rate is per second, 0 as fast as it goes; the URL names its server by
 * address, so that no look-up is measured. Both sides take a fresh connection
 * per request and, for https, a whole verified handshake. One line each:
 *
 *   bench=check side=vedette rate=0 checks=… failed=… cpu_us=… per_s=…
 *   bench=check ratio=… (median of the rounds) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/time.h"
#include "check/check.h"
#include "conf/conf.h"
#include "net/net.h"
#include "world/world.h"

#define SLOT_NS    INT64_C(4000000)
#define ROUNDS_MAX 31

struct args {
	const char *url, *ca, *side;   /* side NULL: both, and their ratio */
	unsigned seconds, in_flight, rate, rounds, hold;
};

struct tally {
	uint64_t checks, failed;
	int64_t cpu_ns, wall_ns;
};

static int64_t
cpu_ns(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NS_PER_US;
}

static double
per_check_us(const struct tally *t)
{
	return t->checks > 0 ?
	    (double)t->cpu_ns / (double)t->checks / 1000.0 : 0;
}

static void
report(const struct args *a, const char *side, const struct tally *t)
{
	(void)printf("bench=check side=%s rate=%u in_flight=%u checks=%llu "
	    "failed=%llu cpu_us=%.2f per_s=%.0f\n", side, a->rate,
	    a->in_flight, (unsigned long long)t->checks,
	    (unsigned long long)t->failed, per_check_us(t),
	    (double)t->checks / ((double)t->wall_ns / 1e9));
	(void)fflush(stdout);
}

/* How many are due by now, at this rate. */
static uint64_t
due(const struct args *a, int64_t since_ns)
{
	return (uint64_t)((double)since_ns / 1e9 * a->rate);
}

/* -- our side ---------------------------------------------------------------- */

struct ours {
	const struct args *args;
	struct world *world;
	struct net *net;
	struct check_env env;
	struct monitor_conf *conf;
	struct timer slot;
	int64_t began_ns;
	uint64_t begun;
	unsigned flying;
	bool over;
	struct tally tally;
};

static struct ours *ours_now;   /* check_done_fn has no argument of ours */

static void on_end(struct check *c);

static void
ours_begin(struct ours *o)
{
	const struct check_kind *kind = check_kind_of(o->conf);
	struct check *c = xcalloc(1, kind->size);

	c->kind = kind;
	c->env = &o->env;
	c->conf = o->conf;
	c->done = on_end;
	for (int i = 0; i < PHASE_NMAX; i++)
		c->out.phase_ns[i] = -1;
	o->begun++;
	if (kind->start(c) == ERR_OK) {
		o->flying++;
		return;
	}
	(void)fprintf(stderr, "bench_check: %s\n", c->out.reason);
	exit(1);
}

static void
on_end(struct check *c)
{
	struct ours *o = ours_now;

	o->tally.checks++;
	if (c->out.why != WHY_OK && o->tally.failed++ == 0)
		(void)fprintf(stderr, "bench_check: %s\n", c->out.reason);
	xfree(c);
	o->flying--;
	if (world_fresh(o->world) - o->began_ns >=
	    o->args->seconds * NS_PER_S)
		o->over = true;
	if (!o->over && o->args->rate == 0)
		ours_begin(o);
	if (o->over && o->flying == 0)
		world_uv_stop(o->world);
}

static void
on_slot(struct world *w, struct timer *t)
{
	struct ours *o = CONTAINER(t, struct ours, slot);
	int64_t since = world_now(w) - o->began_ns;

	if (since >= o->args->seconds * NS_PER_S)
		o->over = true;
	if (o->over && o->flying == 0)
		world_uv_stop(w);
	if (o->over)
		return;
	while (o->begun < due(o->args, since))
		ours_begin(o);
	timer_set(w, t, world_now(w) + SLOT_NS, on_slot);
}

static void
ours_open(struct ours *o, const struct args *a)
{
	struct settings st = {.server.http = NULL};
	struct errinfo ei = {.text = ""};
	char ca[512];
	char json[2048];

	*o = (struct ours){.args = a, .world = world_uv_new()};
	(void)snprintf(ca, sizeof(ca), "%s", a->ca != NULL ? a->ca : "");
	st.net.ca_file = ca;
	(void)snprintf(json, sizeof(json), "{\"type\":\"http\",\"url\":\"%s\","
	    "\"cert_expiry\":0}", a->url);
	if (net_new(o->world, &st, &o->net, &ei) != ERR_OK ||
	    monitor_conf_load(str_of(json), "bench", NULL, check_monitor_kinds,
	    &o->conf, &ei) != ERR_OK) {
		(void)fprintf(stderr, "bench_check: %s\n", ei.text);
		exit(1);
	}
	o->env = (struct check_env){.world = o->world, .net = o->net};
	ours_now = o;
}

static void
ours_close(struct ours *o)
{
	net_free(o->net);
	world_uv_free(o->world);
	monitor_conf_unref(o->conf);
}

static void
ours_run(struct ours *o)
{
	int64_t cpu = cpu_ns();

	o->tally = (struct tally){.checks = 0};
	o->begun = 0;
	o->over = false;
	o->began_ns = world_fresh(o->world);
	if (o->args->rate > 0)
		timer_set(o->world, &o->slot, o->began_ns, on_slot);
	for (unsigned i = 0; o->args->rate == 0 && i < o->args->in_flight; i++)
		ours_begin(o);
	world_uv_run(o->world);
	timer_stop(o->world, &o->slot);
	o->tally.wall_ns = world_fresh(o->world) - o->began_ns;
	o->tally.cpu_ns = cpu_ns() - cpu;
}

/* -- bare libcurl ------------------------------------------------------------ */

struct bare {
	const struct args *args;
	CURLM *multi;
	int ep;
	long timeout_ms;
	CURL **idle;
	unsigned nidle, flying;
	uint64_t begun;
	struct tally tally;
};

static int
bare_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct bare *b = arg;
	struct epoll_event ev = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(b->ep, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	ev.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
	    (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	(void)epoll_ctl(b->ep, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
	    fd, &ev);
	(void)curl_multi_assign(b->multi, fd, b);
	return 0;
}

static int
bare_timer(CURLM *m, long ms, void *arg)
{
	(void)m;
	((struct bare *)arg)->timeout_ms = ms;
	return 0;
}

static size_t
bare_body(char *p, size_t one, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return one * n;
}

static CURL *
bare_handle(const struct bare *b)
{
	CURL *e = curl_easy_init();

	(void)curl_easy_setopt(e, CURLOPT_URL, b->args->url);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, bare_body);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (b->args->ca != NULL)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, b->args->ca);
	return e;
}

static void
bare_begin(struct bare *b)
{
	(void)curl_multi_add_handle(b->multi, b->nidle > 0 ?
	    b->idle[--b->nidle] : bare_handle(b));
	b->begun++;
	b->flying++;
}

static void
bare_reap(struct bare *b)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(b->multi, &left)) != NULL) {
		CURL *e = m->easy_handle;

		b->tally.checks++;
		b->tally.failed += m->data.result != CURLE_OK;
		(void)curl_multi_remove_handle(b->multi, e);
		if (b->nidle < 65536)
			b->idle[b->nidle++] = e;
		else
			curl_easy_cleanup(e);
		b->flying--;
	}
}

static void
bare_turn(struct bare *b, int wait_ms)
{
	struct epoll_event ev[128];
	int running;
	int n;

	if (b->timeout_ms >= 0 && (wait_ms < 0 || b->timeout_ms < wait_ms))
		wait_ms = (int)b->timeout_ms;
	n = epoll_wait(b->ep, ev, 128, wait_ms);
	for (int i = 0; i < n; i++)
		(void)curl_multi_socket_action(b->multi, ev[i].data.fd,
		    ((ev[i].events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
		    ((ev[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
		    ((ev[i].events & (EPOLLERR | EPOLLHUP)) != 0 ?
		    CURL_CSELECT_ERR : 0), &running);
	if (b->timeout_ms == 0 || n == 0)
		(void)curl_multi_socket_action(b->multi, CURL_SOCKET_TIMEOUT,
		    0, &running);
	bare_reap(b);
}

static void
bare_open(struct bare *b, const struct args *a)
{
	*b = (struct bare){.args = a, .timeout_ms = -1,
		.ep = epoll_create1(EPOLL_CLOEXEC),
		.multi = curl_multi_init(),
		.idle = xcalloc(65536, sizeof(CURL *))};
	(void)curl_multi_setopt(b->multi, CURLMOPT_SOCKETFUNCTION,
	    bare_socket);
	(void)curl_multi_setopt(b->multi, CURLMOPT_SOCKETDATA, b);
	(void)curl_multi_setopt(b->multi, CURLMOPT_TIMERFUNCTION, bare_timer);
	(void)curl_multi_setopt(b->multi, CURLMOPT_TIMERDATA, b);
}

static void
bare_close(struct bare *b)
{
	while (b->nidle > 0)
		curl_easy_cleanup(b->idle[--b->nidle]);
	(void)curl_multi_cleanup(b->multi);
	(void)close(b->ep);
	xfree(b->idle);
}

/* Start what is due; how long until more is, in milliseconds. */
static int
bare_start(struct bare *b, int64_t since)
{
	const struct args *a = b->args;

	if (since >= a->seconds * NS_PER_S)
		return 100;
	if (a->rate == 0) {
		while (b->flying < a->in_flight)
			bare_begin(b);
		return 100;
	}
	while (b->begun < due(a, since))
		bare_begin(b);
	return (int)(SLOT_NS / NS_PER_MS);
}

static void
bare_run(struct bare *b)
{
	int64_t cpu = cpu_ns();
	int64_t began = clock_mono_ns();
	int64_t since = 0;

	b->tally = (struct tally){.checks = 0};
	b->begun = 0;
	do {
		int wait_ms = bare_start(b, since);

		bare_turn(b, wait_ms);
		since = clock_mono_ns() - began;
	} while (b->flying > 0 || since < b->args->seconds * NS_PER_S);
	b->tally.wall_ns = clock_mono_ns() - began;
	b->tally.cpu_ns = cpu_ns() - cpu;
}

/* -- the runs ---------------------------------------------------------------- */

static long
rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[128] = "";
	uint64_t pages = 0;
	struct str head;
	struct str rest;

	if (f != NULL) {
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		(void)fclose(f);
	}
	rest = str_cut(str_of(line), ' ', &head);
	(void)str_cut(rest, ' ', &head);
	if (!str_u64(head, UINT32_MAX, &pages))
		return 0;
	return (long)pages * sysconf(_SC_PAGESIZE);
}

static void
on_held(struct world *w, struct timer *t)
{
	(void)t;
	world_uv_stop(w);
}

/* N checks at once at a target that does not answer for some seconds. */
static void
hold(const struct args *a)
{
	struct ours o;
	long before;
	long after;

	ours_open(&o, a);
	(void)net_ssl(o.net, false);   /* the trust store is not per check */
	before = rss_bytes();
	o.began_ns = world_fresh(o.world);
	for (unsigned i = 0; i < a->hold; i++)
		ours_begin(&o);
	timer_set(o.world, &o.slot, o.began_ns + a->seconds * NS_PER_S,
	    on_held);
	world_uv_run(o.world);
	after = rss_bytes();
	(void)printf("bench=check_hold waiting=%u ended=%llu "
	    "rss_per_check=%ld\n", o.flying,
	    (unsigned long long)o.tally.checks,
	    (after - before) / (long)MAX(o.flying, 1U));
	(void)fflush(stdout);
	_exit(0);   /* the held are not waited for */
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
compare(const struct args *a)
{
	double ratio[ROUNDS_MAX];
	struct ours o;
	struct bare b;

	ours_open(&o, a);
	bare_open(&b, a);
	for (unsigned i = 0; i < a->rounds; i++) {
		ours_run(&o);
		report(a, "vedette", &o.tally);
		bare_run(&b);
		report(a, "libcurl", &b.tally);
		ratio[i] = per_check_us(&o.tally) / per_check_us(&b.tally);
	}
	qsort(ratio, a->rounds, sizeof(ratio[0]), by_value);
	(void)printf("bench=check rate=%u ratio=%.3f min=%.3f max=%.3f\n",
	    a->rate, ratio[a->rounds / 2], ratio[0], ratio[a->rounds - 1]);
	bare_close(&b);
	ours_close(&o);
}

/* One side only, for whoever compares with something else. */
static void
alone(const struct args *a)
{
	struct ours o;
	struct bare b;

	for (unsigned i = 0; i < a->rounds; i++) {
		if (strcmp(a->side, "vedette") == 0) {
			ours_open(&o, a);
			ours_run(&o);
			report(a, a->side, &o.tally);
			ours_close(&o);
			continue;
		}
		bare_open(&b, a);
		bare_run(&b);
		report(a, a->side, &b.tally);
		bare_close(&b);
	}
}

static bool
arg_number(const char *arg, const char *name, unsigned *ret)
{
	size_t n = strlen(name);
	uint64_t v;

	if (strncmp(arg, name, n) != 0 || arg[n] != '=' ||
	    !str_u64(str_of(arg + n + 1), 1000000, &v))
		return false;
	*ret = (unsigned)v;
	return true;
}

int
main(int argc, char **argv)
{
	struct args a = {.seconds = 2, .in_flight = 64, .rounds = 3};

	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_check URL [seconds=2] "
		    "[in_flight=64] [rate=0] [rounds=3] [hold=N] [ca=FILE] "
		    "[side=vedette|libcurl]\n");
		return 2;
	}
	a.url = argv[1];
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "ca=", 3) == 0)
			a.ca = argv[i] + 3;
		else if (strcmp(argv[i], "side=vedette") == 0 ||
		    strcmp(argv[i], "side=libcurl") == 0)
			a.side = argv[i] + 5;
		else if (!arg_number(argv[i], "seconds", &a.seconds) &&
		    !arg_number(argv[i], "in_flight", &a.in_flight) &&
		    !arg_number(argv[i], "rate", &a.rate) &&
		    !arg_number(argv[i], "rounds", &a.rounds) &&
		    !arg_number(argv[i], "hold", &a.hold)) {
			(void)fprintf(stderr, "bench_check: what is %s?\n",
			    argv[i]);
			return 2;
		}
	}
	a.rounds = MAX(a.rounds, 1U);
	a.rounds = MIN(a.rounds, (unsigned)ROUNDS_MAX);
	if (a.hold > 0)
		hold(&a);
	if (a.side != NULL)
		alone(&a);
	else
		compare(&a);
	return 0;
}

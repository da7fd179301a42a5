/* check_ping.c: a few echo requests to one address; up while no more of them
 * are lost than loss_max. Latency is the median round trip. */
#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "check/ping.h"
#include "net/net.h"

#define DETAILS_MAX 4096

struct ping_conf {
	char *host;
	uint32_t ip, packets;
	int64_t spacing_ns, wait_ns;
	uint64_t size;
	double loss_max;
};

static const char *const ips[] = {"any", "4", "6", NULL};
static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};

static const struct opt opts[] = {
	STRING("host", ping_conf, host, .flags = OPT_REQUIRED | OPT_TARGET,
	    .min = 1, .max = 253, .help = "The name or address to ping."),
	CHOICE("ip", ping_conf, ip, .dflt = "any", .choices = ips,
	    .flags = OPT_TARGET, .help = "Use IPv4, IPv6, or any."),
	COUNTER("packets", ping_conf, packets, .dflt = "3", .min = 1,
	    .max = PING_PACKETS_MAX, .help = "How many echo requests to send."),
	DURATION("spacing", ping_conf, spacing_ns, .dflt = "200ms",
	    .min = 10 * NS_PER_MS, .max = 60 * NS_PER_S,
	    .help = "Time between two requests; shortened when they would not "
		    "fit into the timeout."),
	DURATION("wait", ping_conf, wait_ns, .dflt = "2s",
	    .min = 10 * NS_PER_MS, .max = 60 * NS_PER_S,
	    .help = "How long to wait for replies after the last request; the "
		    "timeout ends it too."),
	SIZE("size", ping_conf, size, .dflt = "56B", .min = PING_SIZE_MIN,
	    .max = PING_SIZE_MAX, .help = "Bytes of payload in a request."),
	RATIO("loss_max", ping_conf, loss_max, .dflt = "50%",
	    .help = "Down when more than this part of the requests is lost."),
	OPT_END
};

struct check_ping {
	struct check c;
	struct resolve resolve;
	bool resolving;
	unsigned addr;            /* index of the address in use */
	struct ping_run run;
};

static const struct ping_conf *
conf_of(const struct check_ping *k)
{
	return k->c.conf->own;
}

/* -- what the replies say -------------------------------------------------- */

struct rtts {
	unsigned n;
	int64_t min_ns, median_ns, max_ns;
	int64_t jitter_ns;   /* mean difference of neighbours, as RFC 3550 */
};

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static struct rtts
rtts_of(const struct ping_run *r)
{
	struct rtts t = {0};
	int64_t v[PING_PACKETS_MAX], sum = 0;

	for (unsigned i = 0; i < r->packets; i++) {
		if (r->rtt_ns[i] < 0)
			continue;
		if (t.n > 0)
			sum += llabs(r->rtt_ns[i] - v[t.n - 1]);
		v[t.n++] = r->rtt_ns[i];
	}
	if (t.n == 0)
		return t;
	t.jitter_ns = t.n > 1 ? sum / (t.n - 1) : 0;
	qsort(v, t.n, sizeof(v[0]), compare);
	t.min_ns = v[0];
	t.max_ns = v[t.n - 1];
	t.median_ns = (v[(t.n - 1) / 2] + v[t.n / 2]) / 2;
	return t;
}

static void
details_write(struct check_ping *k, const struct rtts *t, unsigned loss)
{
	const struct ping_run *r = &k->run;
	BUF_AUTO(b, DETAILS_MAX);

	buf_addf(&b, "packets: %u sent, %u received, %u%% lost\n", r->sent,
	    r->got, loss);
	if (t->n > 0)
		buf_addf(&b, "round trip: min %.3f ms, median %.3f ms, "
		    "max %.3f ms, jitter %.3f ms\n",
		    (double)t->min_ns / 1e6, (double)t->median_ns / 1e6,
		    (double)t->max_ns / 1e6, (double)t->jitter_ns / 1e6);
	if (r->why != WHY_OK) {
		buf_adds(&b, "error: ");
		text_line(&b, str_of(r->reason), REASON_MAX);
		buf_addc(&b, '\n');
	}
	if (buf_ok(&b))
		k->c.out.details = buf_take(&b);
}

static void
evidence_write(struct check_ping *k, const struct rtts *t, unsigned loss)
{
	const struct ping_run *r = &k->run;
	BUF_AUTO(b, DETAILS_MAX);

	buf_addf(&b, "{\"sent\":%u,\"received\":%u,\"loss_percent\":%u",
	    r->sent, r->got, loss);
	if (t->n > 0) {
		buf_adds(&b, ",\"min_us\":");
		buf_addi(&b, t->min_ns / NS_PER_US);
		buf_adds(&b, ",\"median_us\":");
		buf_addi(&b, t->median_ns / NS_PER_US);
		buf_adds(&b, ",\"max_us\":");
		buf_addi(&b, t->max_ns / NS_PER_US);
		buf_adds(&b, ",\"jitter_us\":");
		buf_addi(&b, t->jitter_ns / NS_PER_US);
	}
	buf_adds(&b, ",\"error\":");
	text_json(&b, str_of(r->reason));
	buf_addc(&b, '}');
	if (buf_ok(&b))
		k->c.out.evidence = buf_take(&b);
}

/* Fill c->out from the run. A silence counts as loss; an error that came back
 * tells more than silence does. */
static void
judge(struct check_ping *k)
{
	const struct ping_run *r = &k->run;
	struct outcome *o = &k->c.out;
	struct rtts t = rtts_of(r);
	/* Requests that never left for a reason of ours are not lost. */
	unsigned of = why_is_local(r->why) ? r->sent : r->packets;
	unsigned lost = of > r->got ? of - r->got : 0;
	unsigned loss = of > 0 ? (lost * 100 + of / 2) / of : 100;

	o->code = (uint16_t)loss;
	o->bytes = (uint32_t)r->got * r->size;
	if (t.n > 0) {
		o->latency_ns = t.median_ns;
		o->phase_ns[PHASE_FIRST_BYTE] = t.median_ns;
	}
	if (r->got == 0 && r->why != WHY_OK)
		check_why(&k->c, r->why, "%s", r->reason);
	else if (r->sent == 0)
		check_why(&k->c, WHY_LOCAL_OTHER,
		    "no request could be sent in time");
	else if (r->got == 0)
		check_why(&k->c, WHY_PING_SILENT, "no reply to %u request%s",
		    r->sent, r->sent == 1 ? "" : "s");
	else if ((double)lost > conf_of(k)->loss_max * of + 1e-9)
		check_why(&k->c, WHY_PING_LOSS,
		    "%u%% lost (%u of %u), at most %.0f%% allowed", loss, lost,
		    of, conf_of(k)->loss_max * 100);
	else
		o->why = WHY_OK;
	if (k->c.want_details)
		details_write(k, &t, loss);
	if (k->c.want_evidence && o->why != WHY_OK)
		evidence_write(k, &t, loss);
}

/* -- the check -------------------------------------------------------------- */

static bool run_begin(struct check_ping *k);

static void
on_run_done(struct ping_run *r)
{
	struct check_ping *k = CONTAINER(r, struct check_ping, run);

	/* No route for this family is no reason to give up while the name has
	 * another address. */
	if (r->got == 0 && r->why == WHY_LOCAL_ROUTE &&
	    k->addr + 1 < k->resolve.n) {
		k->addr++;
		if (run_begin(k))
			return;
		check_end(&k->c);
		return;
	}
	judge(k);
	check_end(&k->c);
}

/* False: not begun, and out says why. */
static bool
run_begin(struct check_ping *k)
{
	const struct ping_conf *conf = conf_of(k);
	const struct sockaddr *sa =
	    (const struct sockaddr *)&k->resolve.addr[k->addr];
	struct check *c = &k->c;
	int64_t left = MAX(c->deadline_ns - world_now(c->env->world), 0);
	struct errinfo ei = {0};
	enum why why;

	peer_set(&c->out.peer, sa);
	c->out.peer.port = 0;
	if (!net_allowed(c->env->net, sa, &ei)) {
		check_why(c, WHY_LOCAL_POLICY, "%s", ei.text);
		return false;
	}
	k->run = (struct ping_run){.packets = (uint16_t)conf->packets,
		.size = (uint16_t)conf->size, .spacing_ns = conf->spacing_ns,
		.wait_ns = conf->wait_ns, .done = on_run_done,
		/* A little before the scheduler would cancel. */
		.end_ns = c->deadline_ns - 2 * WORLD_SLOT_NS};
	k->run.to = k->resolve.addr[k->addr];
	/* Three quarters for sending leaves a quarter for the last reply. */
	if (conf->packets > 1)
		k->run.spacing_ns = MIN(conf->spacing_ns,
		    left / 4 * 3 / (conf->packets - 1));
	why = ping_start(c->env->ping, &k->run);
	if (why != WHY_OK)
		check_why(c, why, "%s", k->run.reason);
	return why == WHY_OK;
}

static void
on_resolved(struct resolve *r)
{
	struct check_ping *k = CONTAINER(r, struct check_ping, resolve);

	k->resolving = false;
	k->c.out.phase_ns[PHASE_RESOLVE] =
	    world_fresh(k->c.env->world) - k->c.started_ns;
	if (r->why != WHY_OK) {
		check_why(&k->c, r->why, "%s", r->reason);
		check_end(&k->c);
		return;
	}
	if (!run_begin(k))
		check_end(&k->c);
}

/* An address needs no resolver; most pings are to one. */
static bool
literal(struct check_ping *k)
{
	const struct ping_conf *conf = conf_of(k);
	struct sockaddr_in *in = (struct sockaddr_in *)&k->resolve.addr[0];
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&k->resolve.addr[0];

	if (families[conf->ip] != AF_INET6 &&
	    inet_pton(AF_INET, conf->host, &in->sin_addr) == 1)
		in->sin_family = AF_INET;
	else if (families[conf->ip] != AF_INET &&
	    inet_pton(AF_INET6, conf->host, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	else
		return false;
	k->resolve.n = 1;
	return true;
}

static enum err
ping_check_start(struct check *c)
{
	struct check_ping *k = CONTAINER(c, struct check_ping, c);
	const struct ping_conf *conf = conf_of(k);

	if (c->env->ping == NULL || c->env->net == NULL) {
		check_why(c, WHY_LOCAL_OTHER, "no network in this world");
		return ERR_INVALID;
	}
	if (literal(k))
		return run_begin(k) ? ERR_OK : ERR_SYS;
	k->resolve = (struct resolve){.name = conf->host,
		.family = families[conf->ip], .fresh = c->recheck,
		.done = on_resolved};
	k->resolving = true;
	net_resolve(c->env->net, &k->resolve);
	return ERR_OK;
}

static void
ping_check_cancel(struct check *c)
{
	struct check_ping *k = CONTAINER(c, struct check_ping, c);

	if (k->resolving) {
		net_resolve_cancel(c->env->net, &k->resolve);
		k->resolving = false;
		check_why(c, WHY_LOCAL_RESOLVER,
		    "the name was not resolved in time");
		return;
	}
	ping_cancel(c->env->ping, &k->run);
	judge(k);
}

/* -- configuration ---------------------------------------------------------- */

static void
ping_target(const void *own, struct buf *out)
{
	const struct ping_conf *conf = own;

	buf_adds(out, conf->host);
}

static void
ping_host(const void *own, struct buf *out)
{
	const struct ping_conf *conf = own;

	for (const char *p = conf->host; *p != '\0'; p++)
		buf_addc(out, (char)tolower((unsigned char)*p));
}

const struct check_kind check_ping = {
	.conf = {.name = "ping", .drive = DRIVE_ACTIVE, .opts = opts,
	    .conf_size = sizeof(struct ping_conf), .target = ping_target,
	    .host = ping_host},
	.size = sizeof(struct check_ping),
	.start = ping_check_start,
	.cancel = ping_check_cancel,
};

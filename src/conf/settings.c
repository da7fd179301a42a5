/* settings.c: the daemon's own settings: rows, cross checks, environment. */
#include "conf/conf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "conf/beacon.h"
#include "conf/channel_opts.h"
#include "conf/tree_build.h"

#define NAME_MAX_ENV 80
#define YEARS(n) ((n) * 365 * DAY_NS)

static bool
settings_is_port(struct str s)
{
	uint64_t port;

	return str_u64(s, UINT16_MAX, &port);
}

static bool
settings_is_ip(struct str s)
{
	unsigned char ip[16];
	char text[64];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	(void)text_copy(text, sizeof(text), s);
	return inet_pton(AF_INET, text, ip) == 1 ||
	    inet_pton(AF_INET6, text, ip) == 1;
}

/* "host:port", "[v6]:port"; *host without brackets. */
static bool
settings_host_port(struct str s, struct str *host)
{
	const char *colon = s.n > 0 ? memrchr(s.p, ':', s.n) : NULL;
	size_t at;

	if (colon == NULL)
		return false;
	at = (size_t)(colon - s.p);
	*host = (struct str){s.p, at};
	if (at >= 2 && s.p[0] == '[' && s.p[at - 1] == ']')
		*host = (struct str){s.p + 1, at - 2};
	else if (memchr(s.p, ':', at) != NULL)
		return false;
	return settings_is_port((struct str){colon + 1, s.n - at - 1});
}

static const char *
settings_http_check(struct str s)
{
	struct str host;

	if (settings_host_port(s, &host) && host.n > 0)
		return NULL;
	return "ADDRESS:PORT or [IPV6]:PORT, e.g. 127.0.0.1:8080; port 0 "
	    "takes a free one";
}

static const char *
settings_resolver_check(struct str s)
{
	struct str host;

	if (settings_is_ip(s) ||
	    (settings_host_port(s, &host) && settings_is_ip(host)))
		return NULL;
	return "IP, IP:PORT or [IPV6]:PORT";
}

static const char *
settings_cidr_check(struct str s)
{
	struct str ip, bits = str_cut(s, '/', &ip);
	bool v6 = ip.n > 0 && memchr(ip.p, ':', ip.n) != NULL;
	uint64_t n;

	if (settings_is_ip(ip) && (ip.n == s.n ||
	    str_u64(bits, v6 ? 128 : 32, &n)))
		return NULL;
	return "a network (10.0.0.0/8, 2001:db8::/32) or an address";
}

static const char *
settings_zone_check(struct str s)
{
	char name[ZONE_NAME_MAX + 1];
	struct zone *z = NULL;
	bool known;

	if (s.n >= sizeof(name))
		return "a time zone such as UTC or Europe/Berlin";
	(void)text_copy(name, sizeof(name), s);
	known = zone_load(name, &z, NULL) == ERR_OK;
	zone_free(z);
	return known ? NULL : "UTC, or a time zone of this system ("
	    ZONE_DIR ") such as Europe/Berlin";
}

/* A PostgreSQL URL may hold a password: its refusal (settings_check) does not
 * repeat it, so it gets past this row. */
static const char *
settings_store_check(struct str s)
{
	if ((str_starts(s, STR("sqlite:")) && s.n > 7) ||
	    str_starts(s, STR("postgres")))
		return NULL;
	return "sqlite:FILE, relative to server.data";
}

static const char *
settings_maintain_check(struct str s)
{
	int32_t minute;

	return str_is(s, "never") || time_parse_clock(s, &minute) ? NULL :
	    "a time of the day from 00:00 to 23:59, or never";
}

static const char *
settings_cert_check(struct str s)
{
	int64_t ns;

	return time_parse_duration(s, &ns) && ns >= 60 * NS_PER_S &&
	    ns <= 400 * DAY_NS ? NULL : "durations from 1m to 400d";
}

static const char *
settings_base_check(struct str s)
{
	size_t scheme = str_starts(s, STR("https://")) ? 8 :
	    str_starts(s, STR("http://")) ? 7 : 0;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			scheme = 0;
	return scheme != 0 && s.n > scheme && s.p[scheme] != '/' &&
	    s.p[s.n - 1] != '/' ? NULL :
	    "an absolute http:// or https:// URL without / at its end";
}

static const struct opt server_opts[] = {
	STRING("http", settings, server.http, .flags = OPT_RESTART,
	    .dflt = "127.0.0.1:8080", .min = 1, .max = 255,
	    .check = settings_http_check,
	    .help = "Where the status page, API and metrics listen."),
	STRING("data", settings, server.data, .flags = OPT_RESTART,
	    .dflt = "./var", .min = 1, .max = 1024,
	    .help = "Directory of the store and the control socket, relative "
	    "to the configuration file."),
	STRINGS("trusted_proxies", settings, server.trusted_proxies,
	    .flags = OPT_RESTART, .max = 64, .check = settings_cidr_check,
	    .help = "Networks whose X-Forwarded-For is believed."),
	STRING("tls_cert", settings, server.tls_cert, .flags = OPT_RESTART,
	    .max = 1024, .help = "PEM file with the certificate chain; HTTPS "
	    "instead of HTTP."),
	STRING("tls_key", settings, server.tls_key, .flags = OPT_RESTART,
	    .max = 1024, .help = "PEM file with the certificate's key."),
	OPT_END
};

static const struct opt retention_opts[] = {
	DURATION("samples", settings, store.retention.samples_ns,
	    .flags = OPT_RESTART, .dflt = "90d", .min = 3600 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep check samples."),
	SIZE("samples_bytes", settings, store.retention.samples_bytes,
	    .flags = OPT_RESTART, .dflt = "0", .max = INT64_C(1) << 50,
	    .help = "Bytes that check samples may take, the oldest go first; "
	    "0: only the disk budget bounds them."),
	COUNTER("samples_newest", settings, store.retention.samples_newest,
	    .flags = OPT_RESTART, .dflt = "1000", .min = 1, .max = 10000000,
	    .help = "So many of each monitor's newest samples stay, whatever "
	    "their age and bytes."),
	DURATION("transitions", settings, store.retention.transitions_ns,
	    .flags = OPT_RESTART, .dflt = "5y", .min = 3600 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep status changes, and the times we did "
	    "not watch."),
	COUNTER("transitions_per_monitor", settings,
	    store.retention.transitions_per_monitor,
	    .flags = OPT_RESTART, .dflt = "10000", .min = 100,
	    .max = 10000000,
	    .help = "So many of each monitor's newest status changes stay at "
	    "most."),
	DURATION("hours", settings, store.retention.hours_ns,
	    .flags = OPT_RESTART, .dflt = "2y", .min = 86400 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep hourly roll-ups of the samples."),
	DURATION("days", settings, store.retention.days_ns,
	    .flags = OPT_RESTART, .dflt = "10y", .min = 86400 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep daily roll-ups."),
	DURATION("alerts", settings, store.retention.alerts_ns,
	    .flags = OPT_RESTART, .dflt = "1y", .min = 86400 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep what was told and acknowledged, once its "
	    "incident is over."),
	DURATION("maintenance", settings, store.retention.maintenance_ns,
	    .flags = OPT_RESTART, .dflt = "7d", .min = 3600 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep maintenance windows that are over; the "
	    "times in which they applied are kept like status changes."),
	DURATION("logs", settings, store.retention.logs_ns,
	    .flags = OPT_RESTART, .dflt = "30d", .min = 3600 * NS_PER_S,
	    .max = YEARS(100),
	    .help = "How long to keep the event log."),
	COUNTER("logs_count", settings, store.retention.logs_count,
	    .flags = OPT_RESTART, .dflt = "100000", .min = 1000,
	    .max = 100000000,
	    .help = "So many of its newest entries stay at most."),
	OPT_END
};

static const struct opt deadlines_opts[] = {
	DURATION("fast", settings, store.deadlines.fast_ns,
	    .flags = OPT_RESTART, .dflt = "1s", .min = NS_PER_S / 100,
	    .max = 3600 * NS_PER_S,
	    .help = "One row by its key; also a wait for a lock."),
	DURATION("normal", settings, store.deadlines.normal_ns,
	    .flags = OPT_RESTART, .dflt = "5s", .min = NS_PER_S / 100,
	    .max = 3600 * NS_PER_S, .help = "A page of rows."),
	DURATION("slow", settings, store.deadlines.slow_ns,
	    .flags = OPT_RESTART, .dflt = "30s", .min = NS_PER_S / 100,
	    .max = 3600 * NS_PER_S,
	    .help = "All rows of a kind; also a whole question over HTTP."),
	OPT_END
};

static const struct opt checkpoint_opts[] = {
	SIZE("size", settings, store.checkpoint.size, .flags = OPT_RESTART,
	    .dflt = "8MiB", .min = 1 << 20, .max = 32 << 20,
	    .help = "The write-ahead log is cut when it is larger."),
	DURATION("interval", settings, store.checkpoint.interval_ns,
	    .flags = OPT_RESTART, .dflt = "1m", .min = NS_PER_S,
	    .max = DAY_NS, .help = "Not cut more often, unless it grows on."),
	DURATION("read_age", settings, store.checkpoint.read_age_ns,
	    .flags = OPT_RESTART, .dflt = "1m", .min = NS_PER_S,
	    .max = 3600 * NS_PER_S, .help = "A question that holds its "
	    "snapshot longer, and so the log, is ended."),
	OPT_END
};

static const struct opt journal_opts[] = {
	DURATION("after", settings, store.journal.after_ns,
	    .flags = OPT_RESTART, .dflt = "250ms", .min = NS_PER_S / 1000,
	    .max = 60 * NS_PER_S, .help = "What the database has not taken "
	    "after so long goes to the journal, and counts as stored."),
	SIZE("size", settings, store.journal.size, .flags = OPT_RESTART,
	    .dflt = "1GiB", .min = 8 << 20, .max = INT64_C(1) << 40,
	    .help = "Room the journal may take beside its reserve."),
	SIZE("reserve", settings, store.journal.reserve, .flags = OPT_RESTART,
	    .dflt = "64MiB", .min = 4 << 20, .max = INT64_C(1) << 34,
	    .help = "Room set aside from the beginning for what is never shed: "
	    "changes of status, alerts, heartbeats that were taken; at most an "
	    "eighth of the disk and of store.disk_budget."),
	OPT_END
};

static const struct opt store_opts[] = {
	STRING("url", settings, store.url, .flags = OPT_RESTART,
	    .dflt = "sqlite:vedette.db", .min = 1, .max = 1024,
	    .check = settings_store_check,
	    .help = "The database: sqlite:FILE, relative to server.data."),
	DURATION("commit_delay", settings, store.commit_delay_ns,
	    .flags = OPT_RESTART, .dflt = "1s", .max = 10 * NS_PER_S,
	    .help = "How long samples nobody waits for may share a commit."),
	TABLE("retention", retention_opts, .help = "How long data is kept."),
	SIZE("disk_budget", settings, store.disk_budget,
	    .flags = OPT_RESTART, .dflt = "4GiB", .min = 64 << 20,
	    .max = INT64_C(1) << 50,
	    .help = "Disk space the store may take, its journal included: "
	    "from 80 % on it warns, from 95 % on the oldest samples go, at "
	    "100 % writes are refused."),
	COUNTER("queue", settings, store.queue, .flags = OPT_RESTART,
	    .dflt = "65536", .min = 16, .max = 16777216,
	    .help = "Units that may wait for the writer."),
	SIZE("queue_bytes", settings, store.queue_bytes,
	    .flags = OPT_RESTART, .dflt = "64MiB", .min = 64 << 10,
	    .max = INT64_C(64) << 30, .help = "Bytes that may wait for it."),
	COUNTER("readers", settings, store.readers, .flags = OPT_RESTART,
	    .dflt = "4", .min = 1, .max = 16,
	    .help = "Threads that answer queries."),
	TABLE("deadlines", deadlines_opts, .help = "How long one statement "
	    "may take in the database."),
	TABLE("checkpoint", checkpoint_opts, .help = "How the write-ahead "
	    "log is kept small."),
	STRING("maintain_at", settings, store.maintain_at,
	    .flags = OPT_RESTART, .dflt = "04:30", .min = 1, .max = 40,
	    .check = settings_maintain_check,
	    .help = "When the store is tended once a day (statistics, empty "
	    "pages, a check of the pages): a time of the day in "
	    "status_page.time_zone, or never."),
	TABLE("journal", journal_opts, .help = "Files that take what the "
	    "database does not, until it does again."),
	OPT_END
};

static const struct opt limits_opts[] = {
	COUNTER("shards", settings, limits.shards,
	    .flags = OPT_RESTART | OPT_AUTO, .dflt = "auto", .min = 1,
	    .max = 64, .help = "Threads that check; auto: by processors."),
	COUNTER("in_flight", settings, limits.in_flight, .dflt = "4096",
	    .min = 1, .max = 1000000, .help = "Checks at the same time."),
	COUNTER("per_host", settings, limits.per_host, .dflt = "128",
	    .min = 1, .max = 65536,
	    .help = "Checks of one host at the same time."),
	COUNTER("http_connections", settings, limits.http_connections,
	    .flags = OPT_RESTART, .dflt = "1024", .min = 8, .max = 65536,
	    .help = "HTTP connections at the same time."),
	COUNTER("sse_clients", settings, limits.sse_clients,
	    .flags = OPT_RESTART, .dflt = "256", .max = 65536,
	    .help = "Of these, how many may follow live events."),
	SIZE32("body", settings, limits.body,
	    .flags = OPT_RESTART | OPT_NARROW, .dflt = "1MiB",
	    .min = 4 << 10, .max = 64 << 20,
	    .help = "Bytes of one request's body; apply takes 32MiB."),
	OPT_END
};

static const struct opt log_opts[] = {
	CHOICE("level", settings, log.level, .dflt = "info",
	    .choices = log_level_names, .help = "The least that is logged."),
	CHOICE("format", settings, log.format, .dflt = "text",
	    .choices = log_format_names, .help = "How a line looks."),
	OPT_END
};

static const struct opt metrics_opts[] = {
	FLAG("public", settings, metrics.public_, .flags = OPT_RESTART,
	    .dflt = "false",
	    .help = "Serve /metrics to others than loopback without a token."),
	OPT_END
};

static const struct opt status_page_opts[] = {
	STRING("title", settings, status_page.title, .flags = OPT_RESTART,
	    .dflt = "Status", .min = 1, .max = 120,
	    .help = "The page's title."),
	FLAG("targets", settings, status_page.targets, .flags = OPT_RESTART,
	    .dflt = "false",
	    .help = "Show what monitors look at, except with hide_target: true."),
	STRING("time_zone", settings, status_page.time_zone,
	    .flags = OPT_RESTART, .dflt = "UTC", .min = 1, .max = 64,
	    .check = settings_zone_check,
	    .help = "In which the page shows times, and whose days its bars "
	    "are."),
	OPT_END
};

static const struct opt net_opts[] = {
	STRINGS("resolvers", settings, net.resolvers, .flags = OPT_RESTART,
	    .max = 8, .check = settings_resolver_check,
	    .help = "DNS servers; those of the system when not given."),
	STRINGS("deny", settings, net.deny, .flags = OPT_RESTART, .max = 256,
	    .dflt = "169.254.169.254/32, fd00:ec2::254/128, "
	    "100.100.100.200/32", .check = settings_cidr_check,
	    .help = "Networks no check may connect to; cloud metadata "
	    "addresses when not given."),
	STRINGS("allow", settings, net.allow, .flags = OPT_RESTART,
	    .max = 256, .check = settings_cidr_check,
	    .help = "Exceptions from deny."),
	STRINGS("beacons", settings, net.beacons, .flags = OPT_RESTART,
	    .dflt = "gateway, resolvers", .max = 16, .check = beacon_check,
	    .help = "Asked when failures cluster: when none answers either, "
	    "vedette is blind and its samples are void. Empty: never."),
	STRING("ca_file", settings, net.ca_file, .flags = OPT_RESTART,
	    .max = 1024,
	    .help = "PEM file of trusted roots; the system's when not given."),
	OPT_END
};

static const struct opt flap_opts[] = {
	RATIO("on", settings, alerts.flap_on, .dflt = "30%",
	    .help = "A status that changed in this share of the last 20 "
	    "checks, the newest counting most, is flapping; 0: never."),
	RATIO("off", settings, alerts.flap_off, .dflt = "25%",
	    .help = "It has settled when the share falls below this."),
	OPT_END
};

static const struct opt alerts_opts[] = {
	DURATION("group_wait", settings, alerts.group_wait_ns, .dflt = "10s",
	    .max = 3600 * NS_PER_S, .help = "A channel's alerts within this "
	    "time of each other are one message."),
	DURATION("group_max", settings, alerts.group_max_ns, .dflt = "60s",
	    .max = 3600 * NS_PER_S,
	    .help = "The first of them waits at most this long."),
	COUNTER("rate", settings, alerts.rate, .dflt = "30", .max = 100000,
	    .help = "Messages a minute to one channel, at most; what is more "
	    "is told together. 0: as many as there are."),
	DURATION("expire", settings, alerts.expire_ns, .dflt = "1d",
	    .min = 60 * NS_PER_S, .max = 30 * DAY_NS,
	    .help = "What could not be delivered for so long is given up."),
	DURATION("remind", settings, alerts.remind_ns, .max = 30 * DAY_NS,
	    .dflt = "0s", .help = "Tell again this often while an incident "
	    "goes on and nobody has acknowledged it; 0s: once."),
	STRINGS("self", settings, alerts.self, .max = 64,
	    .help = "Channels that hear of vedette's own trouble: its store, "
	    "its network, a channel that fails. All when not given."),
	STRING("fallback", settings, alerts.fallback, .max = 120,
	    .help = "Channel that is told instead when another one refuses or "
	    "keeps failing."),
	STRING("base_url", settings, alerts.base_url, .max = 1024,
	    .check = settings_base_check, .help = "Where people reach this "
	    "daemon; links in messages begin with it."),
	STRINGS("certificate", settings, alerts.certificate,
	    .dflt = "14d, 7d, 3d, 1d", .max = CERT_DAYS_MAX,
	    .check = settings_cert_check, .help = "A certificate that ends "
	    "within these times is told of, once for each."),
	STRINGS("exec_allow", settings, alerts.exec_allow, .max = 64,
	    .check = channel_program_check, .help = "Programs, or whole "
	    "directories of them, that channels of type exec may start; none "
	    "when not given."),
	TABLE("flap", flap_opts, .help = "Statuses that come and go."),
	OPT_END
};

#define ROWS_ALERTS \
	TABLE("alerts", alerts_opts, .help = "How people are told."), \
	MAPS("schedules", settings, alerts.schedules, schedule_conf, \
	    schedule_conf_opts, .max = SCHEDULES_MAX, \
	    .help = "Hours of the week that routes refer to."), \
	MAPS("routes", settings, alerts.routes, route_conf, route_conf_opts, \
	    .max = ROUTES_MAX, .help = "Whom to tell, beside each monitor's " \
	    "notify: the first route that fits, or more with continue."), \
	MAPS("maintenance", settings, alerts.windows, window_conf, \
	    window_conf_opts, .max = WINDOWS_MAX, \
	    .help = "When alerts are held back.")
static const struct opt settings_alert_opts[] = { ROWS_ALERTS, OPT_END };

const struct opt settings_opts[] = {
	TABLE("server", server_opts, .help = "Where vedette lives."),
	TABLE("store", store_opts, .help = "Where data goes."),
	TABLE("limits", limits_opts, .help = "How much at once."),
	TABLE("log", log_opts, .help = "What the daemon says."),
	TABLE("metrics", metrics_opts, .help = "The page for Prometheus."),
	TABLE("status_page", status_page_opts, .help = "The public page."),
	TABLE("net", net_opts, .help = "How checks reach the network."),
	ROWS_ALERTS,
	OPT_END
};

void
settings_free(struct settings *s)
{
	opt_free(settings_opts, s);
	memset(s, 0, sizeof(*s));
}

void
settings_copy_alerts(const struct settings *from, struct settings *ret)
{
	const struct opt_set set = {settings_alert_opts,
	    (void *)(uintptr_t)from}, copy = {settings_alert_opts, ret};
	json_t *v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, NULL);

	json_decref(v);
	if (e == ERR_OK)
		e = opt_read(tree_root(t), &copy, 1, NULL, NULL);
	assert(e == ERR_OK);   /* it was read before */
	(void)e;
}

enum err
settings_check(const struct settings *s, struct errinfo *ei)
{
	if (strncmp(s->store.url, "postgres", 8) == 0)
		return fail_at(ei, ERR_INVALID, "store.url", 0,
		    "PostgreSQL is not supported in this version; allowed: "
		    "sqlite:FILE");
	if (s->store.deadlines.fast_ns > s->store.deadlines.normal_ns ||
	    s->store.deadlines.normal_ns > s->store.deadlines.slow_ns)
		return fail_at(ei, ERR_INVALID, "store.deadlines", 0,
		    "are out of order; allowed: fast, at most normal, at most "
		    "slow");
	if ((s->server.tls_cert == NULL) != (s->server.tls_key == NULL))
		return fail_at(ei, ERR_INVALID, s->server.tls_cert == NULL ?
		    "server.tls_cert" : "server.tls_key", 0,
		    "is missing; tls_cert and tls_key go together");
	return route_conf_check(&s->alerts, ei);
}

/* STORE_RETENTION_SAMPLES → the row; NULL. */
static const struct opt *
settings_env_row(const struct opt *rows, struct str name)
{
	const struct opt *found;
	size_t n, i;

	for (const struct opt *o = rows; o->name != NULL; o++) {
		n = strlen(o->name);
		for (i = 0; i < n && i < name.n; i++)
			if (toupper((unsigned char)o->name[i]) != name.p[i])
				break;
		if (i < n)
			continue;
		if (o->type != OPT_TABLE && name.n == n)
			return o;
		if (o->type != OPT_TABLE || name.n <= n || name.p[n] != '_')
			continue;
		found = settings_env_row(o->sub,
		    (struct str){name.p + n + 1, name.n - n - 1});
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* Read by others: the command line's client, tests and packaging. */
static bool
settings_env_foreign(struct str name)
{
	static const char *const names[] = {"CONFIG", "FAULT", "URL", "TOKEN",
	    "BUILD"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

enum err
settings_env(struct settings *s, char **environ_, struct errinfo *ei)
{
	static const struct str prefix = {"VEDETTE_", 8};
	const struct opt *o;
	struct str name, value;
	char field[NAME_MAX_ENV];
	enum err e;

	for (char **v = environ_; v != NULL && *v != NULL; v++) {
		if (!str_starts(str_of(*v), prefix))
			continue;
		value = str_cut(str_of(*v), '=', &name);
		(void)text_copy(field, sizeof(field), name);
		name = (struct str){name.p + prefix.n, name.n - prefix.n};
		if (settings_env_foreign(name))
			continue;
		o = settings_env_row(settings_opts, name);
		if (o == NULL)
			return fail_at(ei, ERR_INVALID, field, 0,
			    "no such setting in the environment; allowed: "
			    "VEDETTE_<SECTION>_<KEY>, e.g. "
			    "VEDETTE_STORE_COMMIT_DELAY");
		if (!text_utf8_ok(value))
			return fail_at(ei, ERR_INVALID, field, 0,
			    "the value is not UTF-8");
		e = opt_set(o, s, value, ei);
		if (e != ERR_OK) {
			if (ei != NULL)
				(void)text_copy(ei->field, sizeof(ei->field),
				    str_of(field));
			return e;
		}
	}
	return settings_check(s, ei);
}

static void
settings_differ(const struct opt *rows, const char *section,
    const struct settings *a, const struct settings *b, struct buf *out)
{
	BUF_AUTO(below, 256);

	for (const struct opt *o = rows; o->name != NULL; o++) {
		const struct opt one[2] = {*o, {0}};

		if (o->type == OPT_TABLE) {
			buf_clear(&below);
			buf_addf(&below, "%s%s.", section, o->name);
			settings_differ(o->sub, below.p, a, b, out);
		} else if ((o->flags & OPT_RESTART) != 0 &&
		    !opt_equal(one, a, b, 0)) {
			buf_addf(out, "%s%s%s", out->n > 0 ? ", " : "", section,
			    o->name);
		}
	}
}

void
settings_later(const struct settings *now, const struct settings *next,
    struct buf *out)
{
	settings_differ(settings_opts, "", now, next, out);
}

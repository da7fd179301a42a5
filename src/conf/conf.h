/* conf.h: the configuration document and the daemon's own settings. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/monitor.h"
#include "conf/opt.h"
#include "conf/route_conf.h"

/* How long what is kept; 0: no such bound. store/retention.h */
struct retention {
	int64_t samples_ns, transitions_ns, hours_ns, days_ns, logs_ns;
	int64_t alerts_ns, maintenance_ns;
	uint64_t samples_bytes;
	uint32_t samples_newest;         /* of each monitor, whatever their age */
	uint32_t transitions_per_monitor;
	uint32_t logs_count;
};

/* server, store, limits, log, net: read at start from the file, then
 * VEDETTE_<SECTION>_<KEY>, then flags. */
struct settings {
	struct { char *http; char *data; struct strings trusted_proxies;
		char *tls_cert, *tls_key; } server;
	struct { char *url; int64_t commit_delay_ns;
		struct retention retention;
		uint64_t disk_budget; uint32_t queue; uint64_t queue_bytes;
		uint32_t readers;
		struct { int64_t fast_ns, normal_ns, slow_ns; } deadlines;
		struct { uint64_t size; int64_t interval_ns, read_age_ns; }
		    checkpoint; char *maintain_at;
		struct { int64_t after_ns; uint64_t size, reserve; } journal;
		} store;
	struct { uint32_t shards /* 0 auto */, in_flight, per_host,
		http_connections, sse_clients, body; } limits;
	struct { uint32_t level, format; } log;   /* enum log_level, log_format */
	struct { bool public_; } metrics;
	struct { char *title; bool targets; char *time_zone; } status_page;
	struct { struct strings resolvers, deny, allow, beacons;
		char *ca_file; } net;
	struct alerts_conf alerts;   /* and routes, schedules, maintenance */
};
extern const struct opt settings_opts[];   /* nested tables, one per section */
void settings_free(struct settings *s);
/* Only alerts, routes, schedules and maintenance, into a zeroed ret. */
void settings_copy_alerts(const struct settings *from, struct settings *ret);
/* What one setting says about another. */
enum err settings_check(const struct settings *s, struct errinfo *ei) MUST_USE;
/* Apply VEDETTE_<SECTION>_<KEY> variables over what the file said, lists with
 * commas between, then settings_check. Unknown VEDETTE_* names are errors;
 * CONFIG, FAULT, URL, TOKEN and BUILD are somebody else's. */
enum err settings_env(struct settings *s, char **environ_, struct errinfo *ei) MUST_USE;
/* The settings, with commas between, that differ and wait for a restart. */
void settings_later(const struct settings *now, const struct settings *next,
    struct buf *out);

struct channel_conf {
	char name[MONITOR_NAME_MAX + 1];
	char type[24];
	char *text;   /* canonical JSON of the rest, plain secrets; owned */
	uint32_t line;
};

/* A whole document. monitors are in file order, a group before its members;
 * group membership is by path. */
struct document {
	struct settings settings;
	bool has_settings;          /* any settings section was there */
	struct channel_conf *channels;
	size_t nchannels;
	struct monitor_conf **monitors;
	uint32_t *lines;            /* of each monitor */
	size_t nmonitors;
	char file[256];
};
void document_free(struct document *d);
void document_freep(struct document *const *d);
/* Everything is checked: unknown keys, ranges, duplicate names, nesting,
 * notify naming a channel that is neither here nor in known_channels
 * (NULL: only here). Messages read FILE:LINE: key: what; what is allowed. */
enum err document_parse(struct str text, const char *file,
    const struct monitor_kind *const *kinds,
    const struct strings *known_channels, struct document **ret,
    struct errinfo *ei) MUST_USE;
enum err document_load(const char *path, const struct monitor_kind *const *kinds,
    struct document **ret, struct errinfo *ei) MUST_USE;

/* The JSON Schema of the file, and the reference page from the same rows. */
json_t *conf_schema(const struct monitor_kind *const *kinds) MUST_USE;
void conf_reference(const struct monitor_kind *const *kinds, struct buf *out);
void conf_man(const struct monitor_kind *const *kinds, struct buf *out);

#endif

/* route_conf.h: routes, schedules, maintenance windows and how alerts behave,
 * as the file says them: rows and what can be checked without the rest. What
 * follows from them is decided in src/route. */
#ifndef CONF_ROUTE_CONF_H
#define CONF_ROUTE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/opt.h"

#define ROUTES_MAX    256
#define SCHEDULES_MAX 64
#define WINDOWS_MAX   256   /* in the file */
#define ESCALATE_MAX  8     /* steps of one route */
#define CERT_DAYS_MAX 8     /* warnings of one certificate */

struct monitor_conf;
struct settings;

/* Hours of the week in a zone: [from, to) on these days; from ≥ to goes on
 * until the next day; from == to is a whole day. */
struct hours_conf {
	char *zone;
	struct strings days;
	char *from, *to;
};
struct schedule_conf {
	char *name;
	struct hours_conf hours;
};
struct escalate_conf {
	int64_t after_ns, remind_ns;
	struct strings channels;
};
struct route_conf {
	char *name;
	/* Each list that is there has to have it; any of its words will do. */
	struct { struct strings tags, types, groups, names, severities,
		statuses; } match;
	struct strings channels;
	struct strings schedules;      /* names; open when one of them is */
	struct hours_conf hours;       /* or its own; no days: none */
	bool defer, go_on;
	int64_t remind_ns, recovery_delay_ns;
	struct maps escalate;          /* struct escalate_conf */
};
struct alerts_conf {
	int64_t group_wait_ns, group_max_ns, expire_ns, remind_ns;
	uint32_t rate;                 /* messages a minute and channel; 0 */
	struct strings self;           /* who hears of vedette's own trouble;
					* none: every channel */
	char *fallback;                /* of a channel that fails; NULL */
	char *base_url;
	struct strings exec_allow;     /* programs, directories */
	double flap_on, flap_off;      /* shares of FLAP_STATES; on 0: never */
	struct strings certificate;    /* durations */
	struct maps routes, schedules; /* top-level lists in the file */
	struct maps windows;           /* struct window_conf */
};
/* When and whom a maintenance window is for. Times are local to zone. */
struct window_conf {
	char *name, *description;
	struct strings monitors, groups, tags;   /* none of them: everything */
	char *start, *end;             /* once, or the bounds of the others */
	char *cron;                    /* begins then, for duration */
	struct hours_conf hours;       /* or these hours */
	int64_t duration_ns;
	bool flexible;                 /* duration from the first failure on */
};
extern const struct opt route_conf_opts[], schedule_conf_opts[],
    window_conf_opts[];

/* What these say about each other; the field is a path from the top of the
 * file. Zones are looked up. */
enum err route_conf_check(const struct alerts_conf *a, struct errinfo *ei)
    MUST_USE;
/* What one window says of itself; the field is its key. */
enum err route_conf_window_check(const struct window_conf *w,
    struct errinfo *ei) MUST_USE;
/* The first channel that a route, the fallback or self names and that known
 * does not hold: where (field, as above). False: all are known. */
bool route_conf_unknown(const struct alerts_conf *a,
    bool (*known)(void *arg, const char *channel), void *arg,
    struct errinfo *ei, const char **ret_channel);
/* Is this monitor one of those the route is for, whatever happens to it? A
 * group is only when the route names the type or the group's own name. */
bool route_conf_covers(const struct route_conf *r,
    const struct monitor_conf *c);
/* Would any route tell of c going down? */
bool route_conf_any(const struct alerts_conf *a, const struct monitor_conf *c);

/* Bit 0 Monday. Words mon … sun, ranges mon-fri, weekdays, weekend, daily. */
bool route_conf_days(const struct strings *words, uint8_t *ret) MUST_USE;
/* "09:00" to "24:00", as seconds of the day. */
bool route_conf_clock(struct str s, int32_t *ret) MUST_USE;
/* "2026-12-24 18:00[:00]", "2026-12-24" or RFC 3339 (then *ret_utc). As if
 * local time were UTC, in µs. */
bool route_conf_moment(struct str s, int64_t *ret_us, bool *ret_utc) MUST_USE;

#endif

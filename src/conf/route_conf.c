/* route_conf.c: the rows of routes, schedules and windows, and the words in
 * them. */
#include "conf/route_conf.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/cron.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "conf/conf.h"
#include "model/alert.h"

#define NAMES_MAX 64     /* in one list of a match */

/* -- words ------------------------------------------------------------------ */

static const char *const day_names[] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL
};

static bool
day_of(struct str s, unsigned *ret)
{
	for (unsigned i = 0; day_names[i] != NULL; i++) {
		if (!str_is(s, day_names[i]))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* One word: a day, a range that may go over Sunday, or a name for several. */
static bool
days_word(struct str s, uint8_t *mask)
{
	struct str head, tail = str_cut(s, '-', &head);
	unsigned from, to;

	if (str_is(s, "weekdays"))
		*mask |= 0x1f;
	else if (str_is(s, "weekend"))
		*mask |= 0x60;
	else if (str_is(s, "daily"))
		*mask |= 0x7f;
	else if (!day_of(str_trim(head), &from))
		return false;
	else if (head.n == s.n)
		*mask |= (uint8_t)(1u << from);
	else if (!day_of(str_trim(tail), &to))
		return false;
	else
		for (unsigned d = from;; d = (d + 1) % 7) {
			*mask |= (uint8_t)(1u << d);
			if (d == to)
				break;
		}
	return true;
}

bool
route_conf_days(const struct strings *words, uint8_t *ret)
{
	uint8_t mask = 0;

	for (size_t i = 0; i < words->n; i++)
		if (!days_word(str_of(words->v[i]), &mask))
			return false;
	*ret = mask;
	return true;
}

bool
route_conf_clock(struct str s, int32_t *ret)
{
	struct str head, tail = str_cut(s, ':', &head);
	uint64_t h, m;

	if (head.n == 0 || head.n > 2 || tail.n != 2 ||
	    !str_u64(head, 24, &h) || !str_u64(tail, 59, &m) ||
	    (h == 24 && m != 0))
		return false;
	*ret = (int32_t)(h * 3600 + m * 60);
	return true;
}

bool
route_conf_moment(struct str s, int64_t *ret_us, bool *ret_utc)
{
	char text[40];
	bool utc = s.n > 10 && (memchr(s.p + 10, 'Z', s.n - 10) != NULL ||
	    memchr(s.p + 10, '+', s.n - 10) != NULL ||
	    memchr(s.p + 10, '-', s.n - 10) != NULL);
	uint64_t bare;

	if (s.n < 10 || s.n > 32 || str_u64(s, UINT64_MAX, &bare))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)s.n, s.p,
	    s.n == 16 ? ":00" : "", utc || s.n == 10 ? "" : "Z");
	if (!time_parse_utc(str_of(text), ret_us))
		return false;
	*ret_utc = utc;
	return true;
}

static const char *
check_days(struct str s)
{
	uint8_t mask;

	return days_word(s, &mask) ? NULL : "mon, tue, wed, thu, fri, sat, "
	    "sun, a range such as mon-fri, weekdays, weekend or daily";
}

static const char *
check_clock(struct str s)
{
	int32_t at;

	return route_conf_clock(s, &at) ? NULL : "HH:MM, 00:00 to 24:00";
}

static const char *
check_moment(struct str s)
{
	int64_t at;
	bool utc;

	return route_conf_moment(s, &at, &utc) ? NULL : "a date, a date and "
	    "time such as 2026-12-24 18:00, or RFC 3339";
}

static const char *
check_cron(struct str s)
{
	struct cron c;

	return cron_parse(s, &c, NULL) == ERR_OK ? NULL : "minute hour day "
	    "month weekday, each *, numbers, ranges, lists or steps, e.g. "
	    "\"30 2 * * sun\"";
}

static const char *
check_severity(struct str s)
{
	for (size_t i = 0; i < SEVERITY_NMAX; i++)
		if (str_is(s, severity_names[i]))
			return NULL;
	return "info, warning, critical";
}

static const char *
check_status(struct str s)
{
	return str_is(s, "down") || str_is(s, "degraded") ||
	    str_is(s, "late") || str_is(s, "certificate") ? NULL :
	    "down, degraded, late, certificate";
}

static const char *
check_zone(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return "a time zone such as UTC or Europe/Berlin";
	return s.n > 0 && s.p[0] == '/' ? "a time zone, not a path" : NULL;
}

/* -- rows ------------------------------------------------------------------- */

#define ROWS_HOURS(s, f) \
	STRING("zone", s, f zone, .dflt = "UTC", .min = 1, \
	    .max = ZONE_NAME_MAX, .check = check_zone, \
	    .help = "Time zone of the hours."), \
	STRINGS("days", s, f days, .max = 7, .check = check_days, \
	    .help = "Days of the week."), \
	STRING("from", s, f from, .dflt = "00:00", .max = 5, \
	    .check = check_clock, .help = "They begin at this time of day."), \
	STRING("to", s, f to, .dflt = "24:00", .max = 5, \
	    .check = check_clock, .help = "They end before this one; not " \
	    "later than from: on the next day.")

static const struct opt hours_opts[] = { ROWS_HOURS(route_conf, hours.),
	OPT_END };

const struct opt schedule_conf_opts[] = {
	STRING("name", schedule_conf, name, .flags = OPT_REQUIRED, .min = 1,
	    .max = MONITOR_NAME_MAX, .check = monitor_name_check,
	    .help = "What routes call it."),
	ROWS_HOURS(schedule_conf, hours.),
	OPT_END
};

static const struct opt match_opts[] = {
	STRINGS("tags", route_conf, match.tags, .max = NAMES_MAX,
	    .help = "One of these tags."),
	STRINGS("type", route_conf, match.types, .max = NAMES_MAX,
	    .help = "One of these types; groups themselves only by type: "
	    "group or by name."),
	STRINGS("group", route_conf, match.groups, .max = NAMES_MAX,
	    .help = "Members of one of these groups; * and ? stand for "
	    "others."),
	STRINGS("name", route_conf, match.names, .max = NAMES_MAX,
	    .help = "One of these paths, Name or Group/Name; * and ? stand "
	    "for others."),
	STRINGS("severity", route_conf, match.severities, .max = NAMES_MAX,
	    .check = check_severity, .help = "One of these severities."),
	STRINGS("status", route_conf, match.statuses, .max = NAMES_MAX,
	    .check = check_status, .help = "One of these troubles."),
	OPT_END
};

static const struct opt escalate_opts[] = {
	DURATION("after", escalate_conf, after_ns, .flags = OPT_REQUIRED,
	    .min = NS_PER_S, .max = 30 * DAY_NS,
	    .help = "So long after it began, when it still goes on and "
	    "nobody has acknowledged it."),
	STRINGS("channels", escalate_conf, channels, .flags = OPT_REQUIRED,
	    .max = TOLD_MAX, .check = monitor_name_check,
	    .help = "Channels to tell then."),
	DURATION("remind", escalate_conf, remind_ns, .min = 60 * NS_PER_S,
	    .max = 30 * DAY_NS, .help = "Tell them again this often."),
	OPT_END
};

const struct opt route_conf_opts[] = {
	STRING("name", route_conf, name, .max = MONITOR_NAME_MAX,
	    .check = monitor_name_check, .help = "What people call it."),
	TABLE("match", match_opts, .help = "Which alerts take this route: "
	    "all that is given has to fit; none: every alert."),
	STRINGS("channels", route_conf, channels, .flags = OPT_REQUIRED,
	    .max = TOLD_MAX, .check = monitor_name_check,
	    .help = "Channels to tell."),
	STRINGS("schedule", route_conf, schedules, .max = SCHEDULES_MAX,
	    .check = monitor_name_check, .help = "Only in the hours of one "
	    "of these schedules."),
	TABLE("hours", hours_opts, .help = "Only in these hours."),
	FLAG("defer", route_conf, defer, .dflt = "false",
	    .help = "Outside its hours: tell when they begin, instead of "
	    "leaving it to the next route."),
	FLAG("continue", route_conf, go_on, .dflt = "false",
	    .help = "Look at the routes after this one, too."),
	DURATION("remind", route_conf, remind_ns, .min = 60 * NS_PER_S,
	    .max = 30 * DAY_NS, .help = "Tell again this often while it "
	    "goes on and nobody has acknowledged it; alerts.remind when not "
	    "given."),
	DURATION("recovery_delay", route_conf, recovery_delay_ns,
	    .min = NS_PER_S, .max = DAY_NS, .help = "Up for this long "
	    "before its end is told; a failure in between goes on with the "
	    "same incident."),
	MAPS("escalate", route_conf, escalate, escalate_conf, escalate_opts,
	    .max = ESCALATE_MAX, .help = "Whom to tell later."),
	OPT_END
};

const struct opt window_conf_opts[] = {
	STRING("name", window_conf, name, .flags = OPT_REQUIRED, .min = 1,
	    .max = MONITOR_NAME_MAX, .check = monitor_name_check,
	    .help = "What people call it."),
	STRING("description", window_conf, description, .max = 1000,
	    .help = "A note for people."),
	STRINGS("monitors", window_conf, monitors, .max = NAMES_MAX,
	    .help = "Paths of monitors, Name or Group/Name; * and ? stand "
	    "for others. Without monitors, groups and tags: all."),
	STRINGS("groups", window_conf, groups, .max = NAMES_MAX,
	    .help = "Groups, with their members."),
	STRINGS("tags", window_conf, tags, .max = NAMES_MAX,
	    .help = "Monitors with one of these tags."),
	STRING("start", window_conf, start, .max = 40,
	    .check = check_moment, .help = "When it begins, in zone; with "
	    "cron or days: not before."),
	STRING("end", window_conf, end, .max = 40, .check = check_moment,
	    .help = "When it is over; without: until it is ended by hand. "
	    "With cron or days: not after."),
	STRING("cron", window_conf, cron, .max = CRON_TEXT_MAX,
	    .check = check_cron,
	    .help = "Begins whenever this says (minute hour day month "
	    "weekday), for duration."),
	DURATION("duration", window_conf, duration_ns,
	    .min = 60 * NS_PER_S, .max = 30 * DAY_NS,
	    .help = "How long it takes, with cron or flexible."),
	ROWS_HOURS(window_conf, hours.),
	FLAG("flexible", window_conf, flexible, .dflt = "false",
	    .help = "It takes duration from the first failure on that falls "
	    "into the window."),
	OPT_END
};

/* -- what they say about each other ----------------------------------------- */

static enum err
check_hours(const struct hours_conf *h, struct errinfo *ei)
{
	struct zone *z CLEANUP(zone_freep) = NULL;
	enum err e = zone_load(h->zone, &z, ei);

	if (e == ERR_OK)
		return ERR_OK;
	return fail_at(ei, ERR_INVALID, "zone", 0, "\"%s\" is not a time zone "
	    "of this system; allowed: a name such as Europe/Berlin", h->zone);
}

static const struct schedule_conf *
find_schedule(const struct alerts_conf *a, size_t n, const char *name)
{
	const struct schedule_conf *s = a->schedules.v;

	for (size_t i = 0; i < n; i++)
		if (strcmp(s[i].name, name) == 0)
			return &s[i];
	return NULL;
}

static enum err
check_schedules(const struct alerts_conf *a, struct errinfo *ei)
{
	const struct schedule_conf *s = a->schedules.v;
	enum err e = ERR_OK;

	for (size_t i = 0; i < a->schedules.n && e == ERR_OK; i++) {
		if (find_schedule(a, i, s[i].name) != NULL)
			e = fail_at(ei, ERR_INVALID, "name", 0,
			    "\"%s\" is there twice", s[i].name);
		else if (s[i].hours.days.n == 0)
			e = fail_at(ei, ERR_INVALID, "days", 0, "is required: "
			    "days of the week, e.g. [mon-fri] or [daily]");
		else
			e = check_hours(&s[i].hours, ei);
		if (e != ERR_OK)
			opt_under(ei, "schedules[%zu].", i);
	}
	return e;
}

static enum err
check_route(const struct alerts_conf *a, size_t at, struct errinfo *ei)
{
	const struct route_conf *all = a->routes.v, *r = &all[at];

	for (size_t i = 0; i < at && r->name != NULL; i++)
		if (all[i].name != NULL && strcmp(all[i].name, r->name) == 0)
			return fail_at(ei, ERR_INVALID, "name", 0,
			    "\"%s\" is there twice", r->name);
	for (size_t i = 0; i < r->schedules.n; i++)
		if (find_schedule(a, a->schedules.n, r->schedules.v[i]) == NULL)
			return fail_at(ei, ERR_INVALID, "schedule", 0,
			    "\"%s\" is not a schedule; allowed: a name out of "
			    "schedules", r->schedules.v[i]);
	if (r->hours.days.n > 0 && r->schedules.n > 0)
		return fail_at(ei, ERR_INVALID, "hours", 0,
		    "hours and schedule exclude each other");
	if (r->hours.days.n == 0 && (strcmp(r->hours.from, "00:00") != 0 ||
	    strcmp(r->hours.to, "24:00") != 0))
		return fail_at(ei, ERR_INVALID, "hours", 0, "days is "
		    "required: days of the week, e.g. [mon-fri] or [daily]");
	if (r->defer && r->hours.days.n == 0 && r->schedules.n == 0)
		return fail_at(ei, ERR_INVALID, "defer", 0, "has no meaning "
		    "without schedule or hours");
	return check_hours(&r->hours, ei);
}

/* Both are in one zone, so that it does not matter which, unless one says
 * its own: then it is found out when the window is made. */
static bool
ends_first(const struct window_conf *w)
{
	int64_t start, end;
	bool utc, also_utc;

	return w->start != NULL && w->end != NULL &&
	    route_conf_moment(str_of(w->start), &start, &utc) &&
	    route_conf_moment(str_of(w->end), &end, &also_utc) &&
	    utc == also_utc && end <= start;
}

enum err
route_conf_window_check(const struct window_conf *w, struct errinfo *ei)
{
	bool weekly = w->hours.days.n > 0;
	const char *what = NULL, *field = "duration";

	if (weekly && w->cron != NULL)
		what = "exclude each other: cron, days", field = "cron";
	else if (!weekly && w->cron == NULL && w->start == NULL)
		what = "is required, or cron, or days", field = "start";
	else if (w->duration_ns == 0 && (w->cron != NULL || w->flexible))
		what = "is required with cron and with flexible";
	else if (w->duration_ns != 0 && w->cron == NULL && !w->flexible)
		what = "has no meaning without cron or flexible";
	else if (w->flexible && !weekly && (w->cron != NULL || w->end == NULL))
		what = "needs start and end, or days", field = "flexible";
	else if (ends_first(w))
		what = "is not after start; allowed: later than that",
		    field = "end";
	if (what != NULL)
		return fail_at(ei, ERR_INVALID, field, 0, "%s", what);
	return check_hours(&w->hours, ei);
}

enum err
route_conf_check(const struct alerts_conf *a, struct errinfo *ei)
{
	const struct window_conf *w = a->windows.v;
	enum err e = check_schedules(a, ei);

	if (e == ERR_OK && a->flap_off > a->flap_on)
		return fail_at(ei, ERR_INVALID, "alerts.flap.off", 0,
		    "is more than alerts.flap.on; allowed: at most that");
	if (e == ERR_OK && a->group_max_ns < a->group_wait_ns)
		return fail_at(ei, ERR_INVALID, "alerts.group_max", 0,
		    "is less than alerts.group_wait; allowed: at least that");
	for (size_t i = 0; e == ERR_OK && i < a->routes.n; i++) {
		e = check_route(a, i, ei);
		if (e != ERR_OK)
			opt_under(ei, "routes[%zu].", i);
	}
	for (size_t i = 0; e == ERR_OK && i < a->windows.n; i++) {
		e = route_conf_window_check(&w[i], ei);
		for (size_t k = 0; k < i && e == ERR_OK; k++)
			if (strcmp(w[k].name, w[i].name) == 0)
				e = fail_at(ei, ERR_INVALID, "name", 0,
				    "\"%s\" is there twice", w[i].name);
		if (e != ERR_OK)
			opt_under(ei, "maintenance[%zu].", i);
	}
	return e;
}

static bool
unknown_in(const struct strings *names, bool (*known)(void *, const char *),
    void *arg, struct errinfo *ei, const char **ret)
{
	for (size_t i = 0; i < names->n; i++) {
		if (known(arg, names->v[i]))
			continue;
		(void)text_copy(ei->field, sizeof(ei->field),
		    STR("channels"));
		*ret = names->v[i];
		return true;
	}
	return false;
}

bool
route_conf_unknown(const struct alerts_conf *a,
    bool (*known)(void *arg, const char *channel), void *arg,
    struct errinfo *ei, const char **ret_channel)
{
	const struct route_conf *r = a->routes.v;
	const struct escalate_conf *s;

	if (a->fallback != NULL && !known(arg, a->fallback)) {
		(void)text_copy(ei->field, sizeof(ei->field),
		    STR("alerts.fallback"));
		*ret_channel = a->fallback;
		return true;
	}
	if (unknown_in(&a->self, known, arg, ei, ret_channel)) {
		(void)text_copy(ei->field, sizeof(ei->field),
		    STR("alerts.self"));
		return true;
	}
	for (size_t i = 0; i < a->routes.n; i++) {
		bool found = unknown_in(&r[i].channels, known, arg, ei,
		    ret_channel);

		s = r[i].escalate.v;
		for (size_t k = 0; !found && k < r[i].escalate.n; k++) {
			found = unknown_in(&s[k].channels, known, arg, ei,
			    ret_channel);
			if (found)
				opt_under(ei, "escalate[%zu].", k);
		}
		if (found) {
			opt_under(ei, "routes[%zu].", i);
			return true;
		}
	}
	return false;
}

/* -- whom a route is for ---------------------------------------------------- */

static bool
has_tag(const struct strings *want, const struct strings *tags)
{
	for (size_t i = 0; i < want->n; i++)
		for (size_t k = 0; k < tags->n; k++)
			if (strcmp(want->v[i], tags->v[k]) == 0)
				return true;
	return false;
}

static bool
fits(const struct strings *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], text, 0) == 0)
			return true;
	return false;
}

static bool
names(const struct strings *words, const char *text)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], text) == 0)
			return true;
	return false;
}

bool
route_conf_covers(const struct route_conf *r, const struct monitor_conf *c)
{
	const char *slash = strchr(c->path, '/');
	char group[MONITOR_PATH_MAX + 1];

	(void)text_copy(group, sizeof(group), (struct str){c->path,
	    slash != NULL ? (size_t)(slash - c->path) : 0});
	/* A group goes with its members: the same route would tell twice. */
	if (c->kind->drive == DRIVE_GROUP && r->match.types.n == 0 &&
	    !names(&r->match.names, c->path))
		return false;
	return (r->match.tags.n == 0 || has_tag(&r->match.tags, &c->tags)) &&
	    (r->match.types.n == 0 || names(&r->match.types, c->kind->name)) &&
	    (r->match.groups.n == 0 || (slash != NULL &&
	    fits(&r->match.groups, group))) &&
	    (r->match.names.n == 0 || fits(&r->match.names, c->path));
}

bool
route_conf_any(const struct alerts_conf *a, const struct monitor_conf *c)
{
	const struct route_conf *r = a->routes.v;

	for (size_t i = 0; i < a->routes.n; i++)
		if ((r[i].match.statuses.n == 0 ||
		    names(&r[i].match.statuses, "down")) &&
		    (r[i].match.severities.n == 0 || names(
		    &r[i].match.severities, severity_names[c->severity])) &&
		    route_conf_covers(&r[i], c))
			return true;
	return false;
}

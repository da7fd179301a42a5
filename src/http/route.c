/* route.c: see route.h. */
#include "http/route.h"

#include <string.h>

#include "conf/tree.h"
#include "http/account.h"
#include "http/alerts.h"
#include "http/badge.h"
#include "http/edits.h"
#include "http/errands.h"
#include "http/events.h"
#include "http/feed.h"
#include "http/health.h"
#include "http/history.h"
#include "http/incidents.h"
#include "http/maintenance.h"
#include "http/metrics.h"
#include "http/monitors.h"
#include "http/openapi.h"
#include "http/page.h"
#include "http/past.h"
#include "http/push.h"
#include "http/quarantine.h"
#include "http/snapshot.h"
#include "http/sse.h"
#include "http/statics.h"
#include "http/tokens.h"

#define PAGING \
	{"limit", "How many items at most: 1 to 1000, default 100."}, \
	{"cursor", "Where to go on: the previous answer's next."}
#define WINDOW \
	{"from", "Not before this time: RFC 3339 or Unix seconds."}, \
	{"to", "Before this time: RFC 3339 or Unix seconds."}

static const struct param list_params[] = {
	PAGING,
	{"name", "Exactly this path, Group/Name."},
	{"status", "Only monitors in this status."},
	{"type", "Only monitors of this type."},
	{"tag", "Only monitors with this tag."},
	{"group", "Only members of this group."},
	{"search", "Only paths that contain this text."},
	{"archived", "Archived monitors too."},
	{0}
};
static const struct param status_params[] = { PAGING, {0} };
static const struct param window_params[] = { WINDOW, PAGING, {0} };
#define MAINTENANCE \
	{"maintenance", "exclude (the default): time in maintenance windows " \
	    "counts as neither up nor down; include: as the status says."}
static const struct param uptime_params[] = { WINDOW, MAINTENANCE, {0} };
static const struct param uptimes_params[] = { WINDOW, MAINTENANCE, PAGING,
	{0} };
static const struct param days_params[] = {
	{"from", "The first day: a date in the zone, RFC 3339 or Unix seconds."},
	{"to", "Before this date or time."},
	{"zone", "A time zone such as Europe/Berlin; the status page's when "
	    "absent."},
	MAINTENANCE,
	{0}
};
static const struct param latency_params[] = {
	WINDOW,
	{"step", "How long a point is, such as 5m; a round one when absent. "
	    "From 1h on it is made whole hours, from 1d on whole days."},
	{0}
};
static const struct param explain_params[] = {
	{"at", "The time to explain; now when absent."},
	{0}
};
static const struct param event_params[] = {
	PAGING,
	{"after", "Oldest first, only events with a greater id."},
	{"kind", "Only these kinds, with commas between."},
	{"monitor", "Only this monitor's, by id."},
	WINDOW,
	{0}
};
static const struct param incident_params[] = {
	{"state", "any (the default), open or closed."},
	{"monitor", "Only this monitor's, by id, and manual ones that affect"
	    " it."},
	WINDOW, PAGING,
	{0}
};
static const struct param stream_params[] = {
	{"after", "Begin after this event id; Last-Event-ID wins."},
	{0}
};
static const struct param apply_params[] = {
	{"dry_run", "Only say what would be done."},
	{"prune", "Delete what the document does not name."},
	{"cascade", "A deleted group takes its members along."},
	{"file", "The document's name in messages."},
	{0}
};
static const struct param delete_params[] = {
	{"cascade", "A group takes its members along."},
	{0}
};
static const struct param export_params[] = {
	{"secrets", "With secrets, which needs the scope admin."},
	{"format", "yaml (the default) or json."},
	{0}
};

static const struct param health_params[] = {
	{"force", "Look now; else the answer is at most 5 s old."},
	{0}
};
static const struct param check_params[] = {
	{"quick", "Only the pages of the database."},
	{0}
};

static const struct param past_params[] = {
	{"month", "Which, as in 2026-11; the current one when absent."},
	{"before", "Only incidents with a lower number, to page on."},
	{0}
};
static const struct param badge_params[] = {
	{"window", "How far back: 1d to 90d, whole local days; 90d when absent."},
	{0}
};

#define API "/api/v1"
const struct route routes[] = {
	{ "GET", "/push/{token}", SCOPE_NONE, RUN_WRITE, push_heartbeat, BODY_NONE,
	  .no_head = true, .any_param = true,
	  .summary = "A heartbeat; answered when it is durable." },
	{ "POST", "/push/{token}", SCOPE_NONE, RUN_WRITE, push_heartbeat,
	  BODY_SMALL, .any_param = true,
	  .summary = "A heartbeat; answered when it is durable." },
	{ "GET", "/", SCOPE_NONE, RUN_INLINE, page_show, .any_param = true,
	  .summary = "The status page." },
	{ "GET", "/static/{name}", SCOPE_NONE, RUN_INLINE, statics_get,
	  .any_param = true, .summary = "The status page's style and script." },
	{ "GET", "/live", SCOPE_NONE, RUN_INLINE, sse_public, .no_head = true,
	  .any_param = true, .summary = "What changes on the status page, as "
	  "server-sent events." },
	{ "GET", "/status.json", SCOPE_NONE, RUN_INLINE, snapshot_get,
	  .params = status_params, .summary = "The status page as JSON." },
	{ "GET", "/history", SCOPE_NONE, RUN_READER, past_month,
	  .params = past_params,
	  .summary = "Incidents and maintenance of a month: HTML." },
	{ "GET", "/history/{id}", SCOPE_NONE, RUN_READER, past_one,
	  .any_param = true,
	  .summary = "One incident with its public updates: HTML." },
	{ "GET", "/feed.atom", SCOPE_NONE, RUN_READER, feed_atom,
	  .any_param = true, .summary = "The newest incidents: Atom." },
	{ "GET", "/feed.json", SCOPE_NONE, RUN_READER, feed_json,
	  .any_param = true, .summary = "The newest incidents: JSON Feed." },
	{ "GET", "/badge/{id}/status.svg", SCOPE_NONE, RUN_INLINE,
	  badge_status_id, .any_param = true,
	  .summary = "A badge with the status: SVG." },
	{ "GET", "/badge/{id}/uptime.svg", SCOPE_NONE, RUN_INLINE,
	  badge_uptime_id,
	  .params = badge_params,
	  .summary = "A badge with the uptime of the last days." },
	{ "GET", "/badge/{id}/response.svg", SCOPE_NONE, RUN_INLINE,
	  badge_response_id, .any_param = true,
	  .summary = "A badge with the last response time." },
	{ "GET", "/badge/{path}/status.svg", SCOPE_NONE, RUN_INLINE,
	  badge_status, .any_param = true,
	  .summary = "A badge with the status: SVG." },
	{ "GET", "/badge/{path}/uptime.svg", SCOPE_NONE, RUN_INLINE,
	  badge_uptime,
	  .params = badge_params,
	  .summary = "A badge with the uptime of the last days." },
	{ "GET", "/badge/{path}/response.svg", SCOPE_NONE, RUN_INLINE,
	  badge_response, .any_param = true,
	  .summary = "A badge with the last response time." },
	{ "GET", "/ack/{token}", SCOPE_NONE, RUN_INLINE, alerts_link_ask,
	  .no_head = true, .any_param = true,
	  .summary = "Ask whether to acknowledge: the link in a message." },
	{ "POST", "/ack/{token}", SCOPE_NONE, RUN_WRITE, alerts_link_act,
	  BODY_SMALL, .any_param = true, .summary = "Acknowledge by the link "
	  "in a message." },
	{ "GET", "/metrics", SCOPE_NONE, RUN_INLINE, metrics_get,
	  .any_param = true, .summary = "Prometheus text format; with "
	  "?monitors=no without a monitor's own figures." },
	{ "GET", "/healthz", SCOPE_NONE, RUN_INLINE, health_alive,
	  .any_param = true, .summary = "Is the daemon alive?" },
	{ "GET", "/readyz", SCOPE_NONE, RUN_INLINE, health_ready,
	  .any_param = true, .summary = "Does the store commit?" },

	{ "GET", API "/monitors", SCOPE_READ, RUN_INLINE, monitors_list,
	  .params = list_params, .summary = "List monitors." },
	{ "POST", API "/monitors", SCOPE_WRITE, RUN_WRITE, edits_create,
	  BODY_OBJECT, .summary = "Create a monitor." },
	{ "GET", API "/monitors/{id}", SCOPE_READ, RUN_INLINE, monitors_get,
	  .summary = "One monitor." },
	{ "PATCH", API "/monitors/{id}", SCOPE_WRITE, RUN_WRITE, edits_patch,
	  BODY_OBJECT, .summary = "Change the named fields (RFC 7396)." },
	{ "PUT", API "/monitors/{id}", SCOPE_WRITE, RUN_WRITE, edits_replace,
	  BODY_OBJECT, .summary = "Replace a monitor's configuration." },
	{ "DELETE", API "/monitors/{id}", SCOPE_WRITE, RUN_WRITE, edits_delete,
	  .params = delete_params, .summary = "Delete a monitor." },
	{ "POST", API "/monitors/{id}/pause", SCOPE_WRITE, RUN_WRITE,
	  edits_pause, .summary = "Stop checking a monitor." },
	{ "POST", API "/monitors/{id}/resume", SCOPE_WRITE, RUN_WRITE,
	  edits_resume, .summary = "Check a monitor again." },
	{ "GET", API "/monitors/{id}/samples", SCOPE_READ, RUN_READER,
	  history_samples, .params = window_params,
	  .summary = "Samples, newest first." },
	{ "GET", API "/monitors/{id}/transitions", SCOPE_READ, RUN_READER,
	  history_of_monitor, .params = window_params,
	  .summary = "A monitor's transitions, newest first." },
	{ "GET", API "/monitors/{id}/uptime", SCOPE_READ, RUN_READER,
	  account_uptime, .params = uptime_params,
	  .summary = "Uptime over a window; the last 90 days when absent." },
	{ "GET", API "/monitors/{id}/days", SCOPE_READ, RUN_READER,
	  account_days, .params = days_params,
	  .summary = "Uptime by local day; the last 90 when absent." },
	{ "GET", API "/monitors/{id}/latency", SCOPE_READ, RUN_READER,
	  account_latency, .params = latency_params, .summary = "Outcomes and "
	  "p50, p90, p99 over time; the last 24 hours when absent." },
	{ "GET", API "/uptime", SCOPE_READ, RUN_READER, account_all,
	  .params = uptimes_params, .summary = "Uptime of all monitors over a "
	  "window; the last 90 days when absent." },
	{ "GET", API "/monitors/{id}/explain", SCOPE_READ, RUN_READER,
	  history_explain, .params = explain_params,
	  .summary = "Why a monitor is what it is." },
	{ "GET", API "/transitions", SCOPE_READ, RUN_READER, history_of_all,
	  .params = window_params, .summary = "Transitions, newest first." },
	{ "GET", API "/events", SCOPE_READ, RUN_READER, events_list,
	  .params = event_params, .summary = "The event log, newest first." },
	{ "GET", API "/events/stream", SCOPE_READ, RUN_READER, sse_private,
	  .no_head = true, .params = stream_params,
	  .summary = "The event log as it grows, as server-sent events." },
	{ "POST", API "/apply", SCOPE_ADMIN, RUN_READER, edits_apply,
	  BODY_DOCUMENT, .params = apply_params,
	  .summary = "Apply a configuration document, all or nothing." },
	{ "GET", API "/export", SCOPE_READ, RUN_INLINE, edits_export,
	  .params = export_params, .summary = "The configuration." },
	{ "GET", API "/channels", SCOPE_READ, RUN_INLINE, alerts_channels,
	  .summary = "Channels with their health, secrets masked." },
	{ "GET", API "/channels/{name}/deliveries", SCOPE_READ, RUN_READER,
	  alerts_deliveries, .params = status_params,
	  .summary = "What was tried to get messages out, newest first." },
	{ "POST", API "/channels/{name}/test", SCOPE_WRITE, RUN_WRITE,
	  alerts_test, .summary = "Send a test message; 202 with the key by "
	  "which its delivery is found." },
	{ "POST", API "/monitors/{id}/ack", SCOPE_WRITE, RUN_WRITE,
	  alerts_ack, BODY_SMALL, .summary = "Acknowledge the open incident: "
	  "reminders and escalation stop. Body: {note}, or none." },
	{ "POST", API "/monitors/{id}/unack", SCOPE_WRITE, RUN_WRITE,
	  alerts_unack, BODY_SMALL,
	  .summary = "Take the acknowledgement back." },
	{ "POST", API "/monitors/{id}/snooze", SCOPE_WRITE, RUN_WRITE,
	  alerts_snooze, BODY_SMALL, .summary = "Nothing more is told of the "
	  "open incident for so long, but its end. Body: {for, note}." },
	{ "POST", API "/monitors/{id}/unsnooze", SCOPE_WRITE, RUN_WRITE,
	  alerts_unsnooze, BODY_SMALL, .summary = "End the snooze." },
	{ "GET", API "/maintenance", SCOPE_READ, RUN_INLINE, maintenance_list,
	  .summary = "Maintenance windows, with when they are in force." },
	{ "POST", API "/maintenance", SCOPE_WRITE, RUN_WRITE,
	  maintenance_create, BODY_OBJECT, .summary = "Add a maintenance "
	  "window; keys as in the file's maintenance list." },
	{ "GET", API "/maintenance/{name}", SCOPE_READ, RUN_INLINE,
	  maintenance_get, .summary = "One maintenance window." },
	{ "PATCH", API "/maintenance/{name}", SCOPE_WRITE, RUN_WRITE,
	  maintenance_patch, BODY_OBJECT,
	  .summary = "Change the named fields of a window." },
	{ "DELETE", API "/maintenance/{name}", SCOPE_WRITE, RUN_WRITE,
	  maintenance_delete, .summary = "Delete a maintenance window; when "
	  "it applied is kept." },
	{ "POST", API "/maintenance/{name}/end", SCOPE_WRITE, RUN_WRITE,
	  maintenance_end, .summary = "The run in force ends now." },
	{ "GET", API "/incidents", SCOPE_READ, RUN_READER, incidents_list,
	  .params = incident_params, .summary = "Incidents that were open in "
	  "the window, newest first." },
	{ "POST", API "/incidents", SCOPE_WRITE, RUN_WRITE, incidents_create,
	  BODY_OBJECT, .summary = "Write of an incident by hand: it informs "
	  "and suppresses nothing. Body: {title, text, cause, state, severity, "
	  "monitors, public}." },
	{ "GET", API "/incidents/{id}", SCOPE_READ, RUN_READER, incidents_get,
	  .summary = "One incident and all that happened to it." },
	{ "PATCH", API "/incidents/{id}", SCOPE_WRITE, RUN_WRITE,
	  incidents_change, BODY_OBJECT, .summary = "Change title, cause, "
	  "state; of a manual one also severity and monitors." },
	{ "DELETE", API "/incidents/{id}", SCOPE_WRITE, RUN_WRITE,
	  incidents_delete, .summary = "Delete an incident that was written "
	  "by hand." },
	{ "POST", API "/incidents/{id}/updates", SCOPE_WRITE, RUN_WRITE,
	  incidents_update, BODY_OBJECT, .summary = "Say how it is, for the "
	  "status page, or with public: false for colleagues. Body: {text, "
	  "state, public}." },
	{ "GET", API "/tokens", SCOPE_ADMIN, RUN_INLINE, tokens_list,
	  .summary = "API tokens." },
	{ "POST", API "/tokens", SCOPE_ADMIN, RUN_WRITE, tokens_create,
	  BODY_OBJECT, .summary = "Create a token; its secret is shown once." },
	{ "DELETE", API "/tokens/{name}", SCOPE_ADMIN, RUN_WRITE,
	  tokens_revoke, .summary = "Revoke a token." },
	{ "GET", API "/quarantine", SCOPE_READ, RUN_READER, quarantine_list,
	  .params = status_params,
	  .summary = "Units that could not be stored, newest first." },
	{ "GET", API "/quarantine/{id}", SCOPE_ADMIN, RUN_READER,
	  quarantine_show, .summary = "One of them, and all that it says." },
	{ "POST", API "/quarantine/{id}/retry", SCOPE_ADMIN, RUN_WRITE,
	  quarantine_retried, .summary = "Try to store it once more." },
	{ "DELETE", API "/quarantine/{id}", SCOPE_ADMIN, RUN_WRITE,
	  quarantine_dropped, .summary = "Drop it, for good." },
	{ "GET", API "/store/stats", SCOPE_READ, RUN_INLINE, health_store,
	  .summary = "The store's counters." },
	{ "GET", API "/store/health", SCOPE_READ, RUN_WRITE, health_rules,
	  .params = health_params,
	  .summary = "The store's health: rules with value and limits." },
	{ "GET", API "/store/errand", SCOPE_READ, RUN_INLINE, errands_get,
	  .summary = "The last check, backup or maintenance of the store: "
	  "how far it is, what it found." },
	{ "POST", API "/store/maintain", SCOPE_ADMIN, RUN_INLINE,
	  errands_maintain, .summary = "Begin maintenance of the store; 409 "
	  "while another errand runs." },
	{ "POST", API "/store/check", SCOPE_WRITE, RUN_INLINE, errands_check,
	  .params = check_params,
	  .summary = "Begin to check the store; 409 while another errand "
	  "runs." },
	{ "POST", API "/store/backup", SCOPE_ADMIN, RUN_INLINE, errands_backup,
	  BODY_OBJECT, .summary = "Begin a backup into a file on the daemon's "
	  "machine; over the control socket only." },
	{ "GET", API "/openapi.json", SCOPE_NONE, RUN_INLINE, openapi_get,
	  .any_param = true, .summary = "This table." },
	{0}
};

/* One segment against one of the pattern's. */
static bool
route_segment(struct str want, struct str have, struct route_match *m)
{
	uint64_t id;

	if (want.n == 0 || want.p[0] != '{')
		return str_eq(want, have);
	if (!str_is(want, "{id}")) {
		m->seg = have;
		return have.n > 0;
	}
	/* One spelling per monitor: no leading zeros. */
	if (have.n == 0 || have.p[0] == '0' ||
	    !str_u64(have, UINT32_MAX, &id))
		return false;
	m->id = (uint32_t)id;
	return true;
}

/* {path} is all that comes before what follows it: "Group/Name", too. */
static bool
route_long(struct str rest, struct str path, struct route_match *m)
{
	if (path.n <= rest.n + 1 || !str_eq(rest, (struct str){
	    path.p + path.n - rest.n, rest.n}) ||
	    path.p[path.n - rest.n - 1] != '/')
		return false;
	m->seg = (struct str){path.p, path.n - rest.n - 1};
	return m->seg.n > 0;
}

static bool
route_matches(const char *pattern, struct str path, struct route_match *m)
{
	struct str p = str_of(pattern), a, b;
	struct route_match got = {0};

	while (p.n > 0 && path.n > 0) {
		bool more_p, more_path;
		struct str p_rest = str_cut(p, '/', &a);
		struct str path_rest = str_cut(path, '/', &b);

		if (str_is(a, "{path}")) {
			if (!route_long(p_rest, path, &got))
				return false;
			*m = got;
			return true;
		}
		if (!route_segment(a, b, &got))
			return false;
		more_p = a.n < p.n;
		more_path = b.n < path.n;
		if (more_p != more_path)
			return false;
		p = p_rest;
		path = path_rest;
	}
	if (p.n != path.n)
		return false;
	*m = got;
	return true;
}

static bool
route_takes(const struct route *r, const char *method)
{
	if (strcmp(r->method, method) == 0)
		return true;
	return strcmp(method, "HEAD") == 0 && !r->no_head &&
	    strcmp(r->method, "GET") == 0;
}

enum err
route_find(const char *method, struct str path, const struct route **ret,
    struct route_match *ret_match, struct buf *allow)
{
	bool seen = false;

	for (const struct route *r = routes; r->method != NULL; r++) {
		struct route_match m;

		if (!route_matches(r->pattern, path, &m))
			continue;
		if (route_takes(r, method)) {
			*ret = r;
			*ret_match = m;
			return ERR_OK;
		}
		if (seen)
			buf_add(allow, STR(", "));
		seen = true;
		buf_adds(allow, r->method);
		if (strcmp(r->method, "GET") == 0 && !r->no_head)
			buf_add(allow, STR(", HEAD"));
	}
	return seen ? ERR_DENIED : ERR_NOT_FOUND;
}

const struct req_arg *
route_unknown(const struct route *r, const struct req *q)
{
	if (r->any_param)
		return NULL;
	for (unsigned i = 0; i < q->nargs; i++) {
		const struct param *p = r->params;

		while (p != NULL && p->name != NULL &&
		    !str_is(q->args[i].key, p->name))
			p++;
		if (p == NULL || p->name == NULL)
			return &q->args[i];
	}
	return NULL;
}

size_t
route_body_max(const struct route *r, uint32_t limit)
{
	switch (r->body) {
	case BODY_NONE:
		return BODY_IGNORED;
	case BODY_SMALL:
		return BODY_BEAT_MAX;
	case BODY_OBJECT:
		return limit;
	case BODY_DOCUMENT:
		return TREE_BYTES_MAX;
	}
	return 0;
}

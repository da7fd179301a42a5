#include "model/alert.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"

static const char *const kind_names[ALERT_NMAX] = {
	[ALERT_OPEN] = "open", [ALERT_RESOLVE] = "resolve",
	[ALERT_CHANGE] = "change", [ALERT_REMIND] = "remind",
	[ALERT_CERT] = "certificate", [ALERT_FLAP] = "flapping",
	[ALERT_SETTLE] = "settled", [ALERT_SIGHT] = "sight",
	[ALERT_STORE] = "store", [ALERT_CHANNEL] = "channel",
	[ALERT_TEST] = "test",
};
const char *const severity_names[SEVERITY_NMAX + 1] = {
	[SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning",
	[SEVERITY_CRITICAL] = "critical",
};
const char *const outbox_state_names[OUTBOX_STATE_NMAX] = {
	[OUTBOX_WAITING] = "waiting", [OUTBOX_HELD] = "held",
	[OUTBOX_SENT] = "sent", [OUTBOX_SUPPRESSED] = "suppressed",
	[OUTBOX_COLLAPSED] = "collapsed", [OUTBOX_REFUSED] = "refused",
	[OUTBOX_EXPIRED] = "expired",
};

const char *
alert_kind_name(enum alert_kind k)
{
	return k < ALERT_NMAX ? kind_names[k] : "?";
}

uint32_t
alert_channel_id(const char *name)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)name, strlen(name));
}

bool
alerting_ok(const struct alerting *a)
{
	bool open = a->incident_us != 0;

	if (a->incident_us < 0 || a->recover_us < 0 || a->ntold > TOLD_MAX ||
	    a->severity >= SEVERITY_NMAX || a->status >= STATUS_NMAX)
		return false;
	if (!open && (a->recover_us != 0 || a->ntold != 0 || a->flapping))
		return false;
	return a->flap >> FLAP_STATES == 0;
}

void
outbox_key(struct outbox_row *r)
{
	const struct alert_event *e = &r->event;

	(void)snprintf(r->key, sizeof(r->key), "%u.%lld.%s.%lld.%u/%s",
	    e->monitor, (long long)e->incident_us,
	    alert_kind_name((enum alert_kind)e->kind), (long long)e->at_us,
	    r->step, r->channel);
}

void
alert_event_text(const struct alert_event *e, struct buf *out)
{
	json_t *v = json_pack("{s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,"
	    "s:s,s:s,s:s,s:s,s:s}", "kind", e->kind, "severity", e->severity,
	    "from", e->from, "to", e->to, "why", e->why,
	    "monitor", (json_int_t)e->monitor,
	    "incident", (json_int_t)e->incident_us, "at", (json_int_t)e->at_us,
	    "until", (json_int_t)e->until_us,
	    "latency", (json_int_t)e->latency_us, "path", e->path,
	    "type", e->type, "target", e->target, "tags", e->tags,
	    "reason", e->reason);
	char *s = v != NULL ? json_dumps(v, JSON_COMPACT) : NULL;

	/* Texts are sanitised UTF-8 where they come in; jansson refuses
	 * others, and then nothing is said rather than something broken. */
	if (s != NULL)
		buf_add(out, str_of(s));
	free(s);
	json_decref(v);
}

static void
words(const json_t *v, const char *key, char *dst, size_t size)
{
	const char *s = json_string_value(json_object_get(v, key));

	(void)text_copy(dst, size, str_of(s != NULL ? s : ""));
}

static bool
number(const json_t *v, const char *key, int64_t min, int64_t max,
    int64_t *ret)
{
	const json_t *n = json_object_get(v, key);

	if (!json_is_integer(n) || json_integer_value(n) < min ||
	    json_integer_value(n) > max)
		return false;
	*ret = json_integer_value(n);
	return true;
}

bool
alert_event_parse(struct str json, struct alert_event *ret)
{
	json_t *v = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	int64_t kind, severity, from, to, why, monitor;
	struct alert_event e = {0};
	bool ok = number(v, "kind", 0, ALERT_NMAX - 1, &kind) &&
	    number(v, "severity", 0, SEVERITY_NMAX - 1, &severity) &&
	    number(v, "from", 0, STATUS_NMAX - 1, &from) &&
	    number(v, "to", 0, STATUS_NMAX - 1, &to) &&
	    number(v, "why", 0, UINT8_MAX, &why) &&
	    number(v, "monitor", 0, UINT32_MAX, &monitor) &&
	    number(v, "incident", 0, INT64_MAX, &e.incident_us) &&
	    number(v, "at", 0, INT64_MAX, &e.at_us) &&
	    number(v, "until", 0, INT64_MAX, &e.until_us) &&
	    number(v, "latency", -1, INT64_MAX, &e.latency_us);

	if (ok) {
		e.kind = (uint8_t)kind;
		e.severity = (uint8_t)severity;
		e.from = (uint8_t)from;
		e.to = (uint8_t)to;
		e.why = (uint8_t)why;
		e.monitor = (uint32_t)monitor;
		words(v, "path", e.path, sizeof(e.path));
		words(v, "type", e.type, sizeof(e.type));
		words(v, "target", e.target, sizeof(e.target));
		words(v, "tags", e.tags, sizeof(e.tags));
		words(v, "reason", e.reason, sizeof(e.reason));
		*ret = e;
	}
	json_decref(v);
	return ok;
}

/* Alertmanager, API v2: one alert per incident in a list. It knows an alert by
 * all of its labels, so those hold only what cannot change while an incident
 * lasts, and the severity, by which people route; a change or an end of the
 * incident therefore ends it under every severity (an alert that it never
 * heard of ends without a word). It forgets what nobody repeats within its
 * resolve_timeout unless the end is named: it is named a year ahead. */
#include <string.h>

#include "alert/request.h"
#include "base/time.h"

#define ALERTMANAGER_MAX ((size_t)1 << 20)
#define AHEAD_US (365 * 86400 * US_PER_S)
#define BRIEF_US (300 * US_PER_S)

static const char *
alert_name(const struct alert_event *e)
{
	switch ((enum alert_kind)e->kind) {
	case ALERT_CERT:
		return "CertificateEnds";
	case ALERT_FLAP:
	case ALERT_SETTLE:
		return "MonitorFlapping";
	case ALERT_SIGHT:
		return "VedetteBlind";
	case ALERT_STORE:
		return "VedetteStore";
	case ALERT_CHANNEL:
		return "VedetteChannel";
	case ALERT_TEST:
		return "VedetteTest";
	case ALERT_OPEN:
	case ALERT_RESOLVE:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_NMAX:
		return "MonitorProblem";
	}
	return "MonitorProblem";
}

static int64_t
ends_us(const struct alert_message *m, const struct alert_item *it)
{
	const struct alert_event *e = &it->row->event;

	if (message_recovery(e))
		return e->at_us;
	if (e->kind == ALERT_TEST || e->kind == ALERT_SIGHT)
		return m->now_us + BRIEF_US;
	if (e->kind == ALERT_CERT && e->until_us > m->now_us)
		return e->until_us;
	return m->now_us + AHEAD_US;
}

static void
one(const struct alert_message *m, size_t i, uint8_t severity,
    int64_t end_us, struct buf *b)
{
	const struct alert_item *it = &m->items[i];
	const struct alert_event *e = &it->row->event;
	const struct alert_part p = {.first = i, .n = 1};
	int64_t start = e->incident_us != 0 ? e->incident_us : e->at_us;
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(reason, ALERT_TEXT);

	message_line(m, it, NULL, &title);
	message_field(m, &p, FIELD_REASON, i, &reason);
	buf_adds(b, b->p[b->n - 1] == '[' ? "{\"labels\":{" :
	    ",{\"labels\":{");
	request_pair(b, "alertname", str_of(alert_name(e)));
	request_pair(b, "monitor", str_of(e->path));
	request_pair(b, "severity", str_of(severity_names[severity]));
	request_pair(b, "source", STR("vedette"));
	buf_adds(b, "},\"annotations\":{");
	request_pair(b, "summary", buf_str(&title));
	request_pair(b, "description", buf_str(&reason));
	if (e->target[0] != '\0')
		request_pair(b, "target", str_of(e->target));
	if (e->tags[0] != '\0')
		request_pair(b, "tags", str_of(e->tags));
	buf_addc(b, '}');
	request_time(b, "startsAt", MIN(start, end_us));
	request_time(b, "endsAt", end_us);
	request_link(b, "generatorURL", m, &p);
	buf_addc(b, '}');
}

static void
list(const struct alert_message *m, const struct alert_part *p,
    struct buf *b)
{
	buf_addc(b, '[');
	for (size_t i = p->first; i < p->first + p->n; i++) {
		const struct alert_event *e = &m->items[i].row->event;
		uint8_t own = e->severity < SEVERITY_NMAX ? e->severity : 0;
		bool over = message_recovery(e);

		if (over || e->kind == ALERT_CHANGE)
			for (uint8_t s = 0; s < SEVERITY_NMAX; s++)
				if (over || s != own)
					one(m, i, s, e->at_us, b);
		if (!over)
			one(m, i, own, ends_us(m, &m->items[i]), b);
	}
	buf_addc(b, ']');
}

static size_t
alertmanager_size(const struct alert_message *m, const struct alert_part *p)
{
	BUF_AUTO(b, ALERTMANAGER_MAX);

	list(m, p, &b);
	return buf_ok(&b) ? b.n : SIZE_MAX;
}

static enum err
alertmanager_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;

	request_json(ret, own->url, "/api/v2/alerts");
	if (own->user != NULL)
		request_login(ret, own->user, own->password);
	list(m, p, &ret->body);
	return ERR_OK;
}

const struct alert_kind_row alert_alertmanager = {
	.name = "alertmanager", .grouped = true,
	.text_max = ALERTMANAGER_MAX, .size = alertmanager_size,
	.build = alertmanager_build,
};

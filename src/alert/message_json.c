/* message_json.c: what webhooks and programs get. */
#include "alert/message.h"

#include <string.h>

#include "alert/request.h"
#include "base/time.h"

static void
flag(struct buf *b, const char *name, bool on)
{
	buf_addf(b, ",\"%s\":%s", name, on ? "true" : "false");
}

static void
pair(struct buf *b, const char *name, const char *value)
{
	request_pair(b, name, str_of(value));
}

static void
moment(struct buf *b, const char *name, int64_t us)
{
	if (us != 0)
		request_time(b, name, us);
	else
		buf_addf(b, ",\"%s\":null", name);
}

static void
monitor_add(const struct alert_event *e, struct buf *b)
{
	struct str rest = str_of(e->tags), tag;
	bool first = true;

	if (e->monitor == 0) {
		buf_adds(b, ",\"monitor\":null");
		pair(b, "name", e->path);
		return;
	}
	buf_addf(b, ",\"monitor\":{\"id\":%u", e->monitor);
	pair(b, "name", e->path);
	pair(b, "type", e->type);
	pair(b, "target", e->target);
	buf_adds(b, ",\"tags\":[");
	while (rest.n > 0) {
		rest = str_cut(rest, ',', &tag);
		buf_adds(b, first ? "" : ",");
		text_json(b, tag);
		first = false;
	}
	buf_adds(b, "]}");
}

static void
event_add(const struct alert_message *m, size_t i, struct buf *b)
{
	const struct alert_item *it = &m->items[i];
	const struct alert_event *e = &it->row->event;
	const struct alert_part one = {.first = i, .n = 1};
	int64_t lasted = message_lasted_us(m, e);
	BUF_AUTO(key, MESSAGE_KEY_MAX);

	buf_addc(b, '{');
	pair(b, "event", alert_kind_name((enum alert_kind)e->kind));
	pair(b, "state", message_state(it));
	flag(b, "problem", message_problem(e));
	monitor_add(e, b);
	pair(b, "status", status_name((enum status)e->to));
	pair(b, "was", status_name((enum status)e->from));
	pair(b, "severity", severity_names[MIN(e->severity,
	    SEVERITY_CRITICAL)]);
	pair(b, "why", why_name((enum why)e->why));
	pair(b, "reason", e->reason);
	moment(b, "since", e->incident_us);
	moment(b, "at", e->at_us);
	moment(b, "until", e->until_us);
	if (lasted >= 0)
		buf_addf(b, ",\"duration_s\":%lld",
		    (long long)(lasted / US_PER_S));
	if (e->latency_us >= 0)
		buf_addf(b, ",\"latency_us\":%lld", (long long)e->latency_us);
	message_key(m, e, &key);
	request_pair(b, "incident", buf_str(&key));
	flag(b, "late", it->late);
	flag(b, "collapsed", it->collapsed);
	request_link(b, "url", m, &one);
	if (it->ack_url != NULL)
		pair(b, "ack_url", it->ack_url);
	buf_addc(b, '}');
}

/* "open" when all are that, else "group". */
static const char *
event_name(const struct alert_message *m)
{
	uint8_t kind = m->items[0].row->event.kind;

	for (size_t i = 1; i < m->n; i++)
		if (m->items[i].row->event.kind != kind)
			return "group";
	return alert_kind_name((enum alert_kind)kind);
}

void
message_json(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	BUF_AUTO(title, ALERT_BODY_MAX);
	BUF_AUTO(text, ALERT_BODY_MAX);

	message_default_title(m, p, NULL, &title);
	message_default_text(m, p, NULL, &text);
	buf_adds(out, "{\"version\":1");
	pair(out, "event", event_name(m));
	request_pair(out, "title", buf_str(&title));
	request_pair(out, "text", buf_str(&text));
	buf_addf(out, ",\"count\":%zu", m->n);
	pair(out, "channel", m->channel->name);
	pair(out, "host", m->place->host);
	request_time(out, "sent", m->now_us);
	buf_adds(out, ",\"events\":[");
	for (size_t i = p->first; i < p->first + p->n; i++) {
		if (i > p->first)
			buf_addc(out, ',');
		event_add(m, i, out);
	}
	buf_adds(out, "]}");
}

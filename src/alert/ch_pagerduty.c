/* PagerDuty, Events API v2: trigger and resolve under one dedup_key, so that
 * a recovery closes what its outage opened. */
#include <string.h>

#include "alert/request.h"

#define SUMMARY_MAX 1024

static bool
resolves(const struct alert_message *m, const struct alert_part *p)
{
	const struct alert_item *it = &m->items[p->first];

	if (it->collapsed)
		return p->copy == 1;
	return message_recovery(&it->row->event) || p->copy == 1;
}

/* What is critical here is what the channel says; nothing is louder. */
static const char *
severity(const struct alert_message *m, const struct alert_item *it)
{
	uint32_t own = m->channel->own.severity;
	uint32_t least = it->collapsed || !message_problem(&it->row->event) ?
	    CHANNEL_INFO : it->row->event.severity == SEVERITY_CRITICAL ?
	    CHANNEL_CRITICAL : it->row->event.severity == SEVERITY_WARNING ?
	    CHANNEL_WARNING : CHANNEL_INFO;

	return channel_severities[MAX(own, least)];
}

static void
details(const struct alert_message *m, const struct alert_part *p,
    struct buf *b)
{
	static const enum alert_field shown[] = {FIELD_REASON, FIELD_TARGET,
		FIELD_SINCE, FIELD_TAGS};

	for (size_t i = 0; i < COUNT(shown); i++) {
		BUF_AUTO(v, ALERT_TEXT);

		message_field(m, p, shown[i], p->first, &v);
		if (v.n > 0)
			request_pair(b, alert_field_names[shown[i]],
			    buf_str(&v));
	}
}

static void
payload(const struct alert_message *m, const struct alert_part *p,
    struct buf *b)
{
	const struct alert_item *it = &m->items[p->first];
	const struct alert_event *e = &it->row->event;
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_TEXT * 8);

	message_title(m, p, NULL, &title);
	message_text(m, p, NULL, &text);
	buf_adds(b, ",\"payload\":{");
	request_pair(b, "summary", text_cut(buf_str(&title), SUMMARY_MAX,
	    TEXT_CHARS));
	request_pair(b, "source", str_of(e->target[0] != '\0' ? e->target :
	    e->path[0] != '\0' ? e->path : m->place->host));
	request_pair(b, "severity", str_of(severity(m, it)));
	request_time(b, "timestamp", e->at_us);
	if (e->path[0] != '\0')
		request_pair(b, "component", str_of(e->path));
	request_pair(b, "class", str_of(e->type[0] != '\0' ? e->type :
	    alert_kind_name((enum alert_kind)e->kind)));
	buf_adds(b, ",\"custom_details\":{");
	details(m, p, b);
	request_pair(b, "text", buf_str(&text));
	buf_adds(b, "}}");
}

static enum err
pagerduty_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct alert_item *it = &m->items[p->first];
	BUF_AUTO(key, MESSAGE_KEY_MAX);
	struct buf *b = &ret->body;

	message_key(m, &it->row->event, &key);
	request_json(ret, m->channel->own.url, "/v2/enqueue");
	buf_addc(b, '{');
	request_pair(b, "routing_key", str_of(m->channel->own.key));
	request_pair(b, "event_action", resolves(m, p) ? STR("resolve") :
	    STR("trigger"));
	request_pair(b, "dedup_key", buf_str(&key));
	if (!resolves(m, p)) {
		request_pair(b, "client", STR("vedette"));
		request_link(b, "client_url", m, p);
		if (it->ack_url != NULL) {
			buf_adds(b, ",\"links\":[{");
			request_pair(b, "href", str_of(it->ack_url));
			request_pair(b, "text", STR("Acknowledge in vedette"));
			buf_adds(b, "}]");
		}
		payload(m, p, b);
	}
	buf_addc(b, '}');
	return ERR_OK;
}

const struct alert_kind_row alert_pagerduty = {
	.name = "pagerduty", .build = pagerduty_build,
};

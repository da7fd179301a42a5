/* Pushover: a form; message 1024, title 250 characters. Priority 2 has to say
 * how often and how long it rings. */
#include <stdio.h>

#include <jansson.h>

#include "alert/judge.h"
#include "alert/request.h"

#define RING_EVERY "60"
#define RING_LONGEST "3600"

static const char *
priority(const struct alert_message *m, const struct alert_part *p)
{
	static const char *const sent[] = {
		[CHANNEL_NORMAL] = "0", [CHANNEL_LOWEST] = "-2",
		[CHANNEL_LOW] = "-1", [CHANNEL_HIGH] = "1",
		[CHANNEL_EMERGENCY] = "2",
	};
	uint32_t own = m->channel->own.priority;
	bool loud = own == CHANNEL_HIGH || own == CHANNEL_EMERGENCY;

	return sent[loud && message_mood(m, p) != MOOD_BAD ? CHANNEL_NORMAL :
	    own];
}

static enum err
pushover_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	const char *loud = priority(m, p);
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);
	BUF_AUTO(url, 4096);
	char at[32];

	message_title(m, p, NULL, &title);
	message_fit(m, p, &text);
	message_url(m, p, &url);
	request_form(ret, own->url, "/1/messages.json");
	request_field(ret, "token", str_of(own->token));
	request_field(ret, "user", str_of(own->key));
	request_field(ret, "title", text_cut(buf_str(&title), 250,
	    TEXT_CHARS));
	request_field(ret, "message", buf_str(&text));
	request_field(ret, "priority", str_of(loud));
	if (loud[0] == '2') {
		request_field(ret, "retry", STR(RING_EVERY));
		request_field(ret, "expire", STR(RING_LONGEST));
	}
	if (url.n > 0) {
		request_field(ret, "url", text_cut(buf_str(&url), 512,
		    TEXT_CHARS));
		request_field(ret, "url_title", STR("Open"));
	}
	(void)snprintf(at, sizeof(at), "%lld", (long long)(
	    m->items[p->first].row->event.at_us / 1000000));
	request_field(ret, "timestamp", str_of(at));
	return ERR_OK;
}

/* {"status":1} is its yes; 429 means that the month's messages are used up,
 * which an hour's patience may outlast. */
static void
pushover_judge(UNUSED const struct alert_message *m,
    UNUSED const struct alert_part *p, const struct alert_answer *a,
    struct alert_outcome *ret)
{
	json_t *v = json_loadb(a->body.p != NULL ? a->body.p : "", a->body.n,
	    0, NULL);
	const json_t *status = json_object_get(v, "status");
	const char *said = json_string_value(json_array_get(
	    json_object_get(v, "errors"), 0));

	if (ret->result == RESULT_DONE && json_is_integer(status) &&
	    json_integer_value(status) != 1)
		judge_set(ret, RESULT_REFUSED, "HTTP %u: %s", a->code,
		    said != NULL ? said : "status is not 1");
	else if (ret->result != RESULT_DONE && said != NULL)
		judge_set(ret, ret->result, "HTTP %u: %s", a->code, said);
	json_decref(v);
}

const struct alert_kind_row alert_pushover = {
	.name = "pushover", .grouped = true, .text_max = 1024,
	.measure = TEXT_CHARS, .build = pushover_build,
	.judge = pushover_judge,
};

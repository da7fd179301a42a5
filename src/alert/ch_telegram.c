/* Telegram: sendMessage with HTML, of which only < > & " need an escape; a
 * name that MarkdownV2 would refuse cannot lose an alert. 4096 characters,
 * counted after the markup is read. */
#include <jansson.h>

#include "alert/escape.h"
#include "alert/judge.h"
#include "alert/request.h"

static enum err
telegram_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	BUF_AUTO(path, 2048);
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct str rest = str_of(own->token), head;
	struct buf *b = &ret->body;

	/* The colon of a token stays what it is, as Telegram writes it. */
	buf_adds(&path, "/bot");
	while (rest.n > 0) {
		rest = str_cut(rest, ':', &head);
		text_url(&path, head);
		if (rest.n > 0)
			buf_addc(&path, ':');
	}
	buf_adds(&path, "/sendMessage");
	message_fit(m, p, &text);
	request_json(ret, own->url, path.p);
	buf_addc(b, '{');
	request_pair(b, "chat_id", str_of(own->room));
	request_pair(b, "text", buf_str(&text));
	request_pair(b, "parse_mode", STR("HTML"));
	buf_adds(b, ",\"link_preview_options\":{\"is_disabled\":true}}");
	return ERR_OK;
}

/* Its patience is in the body: {"parameters":{"retry_after":5}}. */
static void
telegram_judge(UNUSED const struct alert_message *m,
    UNUSED const struct alert_part *p, const struct alert_answer *a,
    struct alert_outcome *ret)
{
	json_t *v = json_loadb(a->body.p != NULL ? a->body.p : "", a->body.n,
	    0, NULL);
	const char *said = json_string_value(json_object_get(v,
	    "description"));

	if (ret->result == RESULT_AGAIN)
		judge_after(ret, json_number_value(json_object_get(
		    json_object_get(v, "parameters"), "retry_after")));
	if (ret->result == RESULT_DONE &&
	    json_is_false(json_object_get(v, "ok")))
		judge_set(ret, RESULT_REFUSED, "%s", "");
	if (ret->result != RESULT_DONE && said != NULL)
		judge_set(ret, ret->result, "HTTP %u: %s", a->code, said);
	json_decref(v);
}

const struct alert_kind_row alert_telegram = {
	.name = "telegram", .grouped = true, .text_max = 4096,
	.measure = TEXT_UTF16, .plain_counts = true, .joined = true,
	.escape = escape_html, .build = telegram_build,
	.judge = telegram_judge,
};

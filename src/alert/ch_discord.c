/* Discord: one embed (title 256, description 4096 characters); nobody is
 * mentioned, whatever a monitor is called. 204 is success. */
#include <jansson.h>

#include "alert/escape.h"
#include "alert/judge.h"
#include "alert/request.h"

#define TITLE_MAX 256

static enum err
discord_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	static const int colors[] = {
		[MOOD_GOOD] = 0x2eb67d, [MOOD_INFO] = 0x3b82f6,
		[MOOD_WARNING] = 0xecb22e, [MOOD_BAD] = 0xe01e5a,
	};
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct buf *b = &ret->body;

	message_title(m, p, escape_markdown, &title);
	message_fit(m, p, &text);
	request_json(ret, m->channel->own.url, "");
	buf_adds(b, "{\"embeds\":[{");
	request_pair(b, "title", text_cut(buf_str(&title), TITLE_MAX,
	    TEXT_UTF16));
	request_pair(b, "description", buf_str(&text));
	buf_addf(b, ",\"color\":%d", colors[message_mood(m, p)]);
	request_link(b, "url", m, p);
	request_time(b, "timestamp", m->items[p->first].row->event.at_us);
	buf_adds(b, "}],\"allowed_mentions\":{\"parse\":[]}}");
	return ERR_OK;
}

/* It says how long in its body, to the millisecond; the header rounds. */
static void
discord_judge(UNUSED const struct alert_message *m,
    UNUSED const struct alert_part *p, const struct alert_answer *a,
    struct alert_outcome *ret)
{
	json_t *v;

	if (a->code != 429)
		return;
	v = json_loadb(a->body.p != NULL ? a->body.p : "", a->body.n, 0,
	    NULL);
	judge_after(ret, json_number_value(json_object_get(v,
	    "retry_after")));
	json_decref(v);
}

const struct alert_kind_row alert_discord = {
	.name = "discord", .grouped = true, .text_max = 4096,
	.measure = TEXT_UTF16, .escape = escape_markdown,
	.build = discord_build, .judge = discord_judge,
};

/* Mattermost: an incoming webhook, 16,383 characters of Markdown. @all cannot
 * be switched off, so names are parted from their @. */
#include "alert/escape.h"
#include "alert/request.h"

static enum err
mattermost_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct buf *b = &ret->body;

	message_fit(m, p, &text);
	request_json(ret, own->url, "");
	buf_addc(b, '{');
	if (own->room != NULL)
		request_pair(b, "channel", str_of(own->room));
	request_pair(b, "username", STR("vedette"));
	request_pair(b, "text", buf_str(&text));
	buf_addc(b, '}');
	return ERR_OK;
}

const struct alert_kind_row alert_mattermost = {
	.name = "mattermost", .grouped = true, .text_max = 16383,
	.measure = TEXT_CHARS, .joined = true, .escape = escape_mentions,
	.build = mattermost_build,
};

/* Gotify: POST /message with the application's token. */
#include "alert/request.h"

static enum err
gotify_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);
	BUF_AUTO(url, 4096);
	struct buf *b = &ret->body;

	message_title(m, p, NULL, &title);
	message_fit(m, p, &text);
	message_url(m, p, &url);
	request_json(ret, own->url, "/message");
	request_header(ret, "X-Gotify-Key", "%s", own->token);
	buf_addc(b, '{');
	request_pair(b, "title", buf_str(&title));
	request_pair(b, "message", buf_str(&text));
	buf_addf(b, ",\"priority\":%u", message_mood(m, p) == MOOD_BAD ?
	    own->priority : MIN(own->priority, 4u));
	buf_adds(b, ",\"extras\":{\"client::display\":"
	    "{\"contentType\":\"text/plain\"}");
	if (url.n > 0) {
		buf_adds(b, ",\"client::notification\":{\"click\":{");
		request_pair(b, "url", buf_str(&url));
		buf_adds(b, "}}");
	}
	buf_adds(b, "}}");
	return ERR_OK;
}

const struct alert_kind_row alert_gotify = {
	.name = "gotify", .grouped = true, .text_max = 64000,
	.measure = TEXT_BYTES, .build = gotify_build,
};

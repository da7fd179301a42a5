/* ntfy: published as JSON to the server's root, so that titles need no
 * encoding; 4096 bytes of message. */
#include "alert/request.h"

static enum err
ntfy_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	static const char *const tags[] = {
		[MOOD_GOOD] = "white_check_mark",
		[MOOD_INFO] = "information_source",
		[MOOD_WARNING] = "warning", [MOOD_BAD] = "rotating_light",
	};
	const struct channel_own *own = &m->channel->own;
	const struct alert_item *it = &m->items[p->first];
	enum message_mood mood = message_mood(m, p);
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct buf *b = &ret->body;

	message_title(m, p, NULL, &title);
	message_fit(m, p, &text);
	request_json(ret, own->url, "/");
	if (own->token != NULL)
		request_header(ret, "Authorization", "Bearer %s", own->token);
	else if (own->user != NULL)
		request_login(ret, own->user, own->password);
	buf_addc(b, '{');
	request_pair(b, "topic", str_of(own->room));
	request_pair(b, "title", buf_str(&title));
	request_pair(b, "message", buf_str(&text));
	buf_addf(b, ",\"tags\":[\"%s\"]", tags[mood]);
	/* As loud as asked for bad news; good news does not shout. */
	buf_addf(b, ",\"priority\":%u", mood == MOOD_BAD ? own->priority :
	    MIN(own->priority, 3u));
	request_link(b, "click", m, p);
	if (p->n == 1 && it->ack_url != NULL &&
	    message_problem(&it->row->event)) {
		buf_adds(b, ",\"actions\":[{\"action\":\"view\","
		    "\"label\":\"Acknowledge\"");
		request_pair(b, "url", str_of(it->ack_url));
		buf_adds(b, "}]");
	}
	buf_addc(b, '}');
	return ERR_OK;
}

const struct alert_kind_row alert_ntfy = {
	.name = "ntfy", .grouped = true, .text_max = 4096,
	.measure = TEXT_BYTES, .build = ntfy_build,
};

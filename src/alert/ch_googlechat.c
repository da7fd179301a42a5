/* Google Chat: a text of at most 32,000 bytes. It has no escapes; what would
 * call people, <users/all>, is parted. */
#include "alert/escape.h"
#include "alert/request.h"

static enum err
googlechat_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	BUF_AUTO(text, ALERT_BODY_MAX);

	message_fit(m, p, &text);
	request_json(ret, m->channel->own.url, "");
	buf_addc(&ret->body, '{');
	request_pair(&ret->body, "text", buf_str(&text));
	buf_addc(&ret->body, '}');
	return ERR_OK;
}

const struct alert_kind_row alert_googlechat = {
	.name = "googlechat", .grouped = true, .text_max = 32000,
	.measure = TEXT_BYTES, .joined = true, .escape = escape_angles,
	.build = googlechat_build,
};

/* Twilio: one SMS, of at most 1600 characters, to each number. */
#include "alert/request.h"

static size_t
twilio_copies(const struct alert_channel *c)
{
	return c->own.to.n;
}

static enum err
twilio_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	struct str from = str_of(own->from);
	BUF_AUTO(path, 1024);
	BUF_AUTO(text, ALERT_BODY_MAX);

	buf_adds(&path, "/2010-04-01/Accounts/");
	text_url(&path, str_of(own->account));
	buf_adds(&path, "/Messages.json");
	message_fit(m, p, &text);
	request_form(ret, own->url, path.p);
	request_login(ret, own->account, own->token);
	request_field(ret, "To", str_of(own->to.v[p->copy]));
	request_field(ret, str_starts(from, STR("MG")) ?
	    "MessagingServiceSid" : "From", from);
	request_field(ret, "Body", buf_str(&text));
	return ERR_OK;
}

const struct alert_kind_row alert_twilio = {
	.name = "twilio", .grouped = true, .text_max = 1600,
	.measure = TEXT_CHARS, .joined = true, .copies = twilio_copies,
	.build = twilio_build,
};

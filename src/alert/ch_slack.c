/* Slack: an incoming webhook. Only & < > are escaped; that also keeps
 * <!channel> from calling anybody. Without a template of the user's own the
 * text is not read as mrkdwn at all. */
#include <string.h>

#include "alert/escape.h"
#include "alert/judge.h"
#include "alert/request.h"

static enum err
slack_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct alert_channel *c = m->channel;
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct buf *b = &ret->body;

	message_fit(m, p, &text);
	request_json(ret, c->own.url, "");
	buf_addc(b, '{');
	if (c->own.room != NULL)
		request_pair(b, "channel", str_of(c->own.room));
	request_pair(b, "text", buf_str(&text));
	buf_addf(b, ",\"mrkdwn\":%s}", c->body != NULL || c->title != NULL ?
	    "true" : "false");
	return ERR_OK;
}

/* Some of its refusals come as 200, or as 5xx that no patience mends. */
static void
slack_judge(UNUSED const struct alert_message *m,
    UNUSED const struct alert_part *p, const struct alert_answer *a,
    struct alert_outcome *ret)
{
	static const char *const never[] = {"no_service", "no_team",
		"no_active_hooks", "invalid_token", "invalid_payload",
		"channel_not_found", "channel_is_archived", "action_prohibited",
		"posting_to_general_channel_denied", "user_not_found",
		"team_disabled", "token_revoked"};
	struct str body = str_trim(a->body);

	for (size_t i = 0; i < COUNT(never); i++)
		if (str_is(body, never[i])) {
			ret->after_ns = 0;
			judge_set(ret, RESULT_REFUSED, "HTTP %u: %s", a->code,
			    never[i]);
		}
	if (str_is(body, "rollup_error"))
		judge_set(ret, RESULT_AGAIN, "HTTP %u: rollup_error",
		    a->code);
}

const struct alert_kind_row alert_slack = {
	.name = "slack", .grouped = true, .text_max = 40000,
	.measure = TEXT_CHARS, .joined = true, .escape = escape_slack,
	.build = slack_build, .judge = slack_judge,
};

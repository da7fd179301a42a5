/* Matrix: PUT with a transaction id, so that a repeated attempt is no second
 * message. Plain text only; m.mentions keeps @room from calling everybody. */
#include <jansson.h>

#include "alert/judge.h"
#include "alert/request.h"

static enum err
matrix_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	char once[MESSAGE_ONCE];
	BUF_AUTO(path, 2048);
	BUF_AUTO(text, ALERT_BODY_MAX);
	struct buf *b = &ret->body;

	buf_adds(&path, "/_matrix/client/v3/rooms/");
	text_url(&path, str_of(own->room));
	buf_addf(&path, "/send/m.room.message/%s", message_once(m, p, once));
	message_fit(m, p, &text);
	request_json(ret, own->url, path.p);
	ret->method = "PUT";
	request_header(ret, "Authorization", "Bearer %s", own->token);
	buf_addc(b, '{');
	request_pair(b, "msgtype", STR("m.text"));
	request_pair(b, "body", buf_str(&text));
	buf_adds(b, ",\"m.mentions\":{}}");
	return ERR_OK;
}

static void
matrix_judge(UNUSED const struct alert_message *m,
    UNUSED const struct alert_part *p, const struct alert_answer *a,
    struct alert_outcome *ret)
{
	json_t *v;

	if (a->code != 429 || ret->after_ns != 0)
		return;
	v = json_loadb(a->body.p != NULL ? a->body.p : "", a->body.n, 0,
	    NULL);
	judge_after(ret, json_number_value(json_object_get(v,
	    "retry_after_ms")) / 1000);
	json_decref(v);
}

/* An event may have 65,536 bytes with all that the server adds to it, and
 * every line feed is two. */
const struct alert_kind_row alert_matrix = {
	.name = "matrix", .grouped = true, .text_max = 40000,
	.measure = TEXT_BYTES, .joined = true, .build = matrix_build,
	.judge = matrix_judge,
};

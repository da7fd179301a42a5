/* Opsgenie: alerts are created and closed by alias. One that is there is only
 * counted when it is created again: what has become better or worse has its
 * priority set besides. The message takes 130 characters (not bytes: a
 * character is never cut), the description 15,000. */
#include <string.h>

#include "alert/judge.h"
#include "alert/request.h"

#define MESSAGE_MAX 130
#define TEXT_MAX 15000

/* The second request of a change. */
static bool
raises(const struct alert_message *m, const struct alert_part *p)
{
	const struct alert_item *it = &m->items[p->first];

	return !it->collapsed && it->row->event.kind == ALERT_CHANGE &&
	    p->copy == 1;
}

static bool
closes(const struct alert_message *m, const struct alert_part *p)
{
	const struct alert_item *it = &m->items[p->first];

	if (it->collapsed)
		return p->copy == 1;
	if (raises(m, p))
		return false;
	return message_recovery(&it->row->event) || p->copy == 1;
}

static const char *
server(const struct channel_own *own)
{
	return own->url != NULL ? own->url : own->region == CHANNEL_EU ?
	    "https://api.eu.opsgenie.com" : "https://api.opsgenie.com";
}

static const char *
priority(const struct alert_message *m, const struct alert_item *it)
{
	uint32_t least = it->collapsed || !message_problem(&it->row->event) ?
	    4 : it->row->event.severity == SEVERITY_CRITICAL ? 0 :
	    it->row->event.severity == SEVERITY_WARNING ? 2 : 4;

	return channel_p_levels[MAX(m->channel->own.priority, least)];
}

static void
create(const struct alert_message *m, const struct alert_part *p,
    struct str alias, struct buf *b)
{
	const struct alert_item *it = &m->items[p->first];
	const struct alert_event *e = &it->row->event;
	struct str rest = str_of(e->tags), tag;
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);

	message_title(m, p, NULL, &title);
	message_text(m, p, NULL, &text);
	request_pair(b, "message", text_cut(buf_str(&title), MESSAGE_MAX,
	    TEXT_CHARS));
	request_pair(b, "alias", alias);
	request_pair(b, "description", text_cut(buf_str(&text), TEXT_MAX,
	    TEXT_CHARS));
	request_pair(b, "priority", str_of(priority(m, it)));
	request_pair(b, "source", STR("vedette"));
	if (e->path[0] != '\0')
		request_pair(b, "entity", str_of(e->path));
	buf_adds(b, ",\"tags\":[");
	for (size_t n = 0; rest.n > 0 && n < 20; n++) {
		rest = str_cut(rest, ',', &tag);
		buf_adds(b, n > 0 ? "," : "");
		text_json(b, text_cut(tag, 50, TEXT_CHARS));
	}
	buf_addc(b, ']');
}

static enum err
opsgenie_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	BUF_AUTO(alias, MESSAGE_KEY_MAX);
	BUF_AUTO(path, 1024);
	BUF_AUTO(title, ALERT_TEXT * 4);

	message_key(m, &m->items[p->first].row->event, &alias);
	buf_adds(&path, "/v2/alerts");
	if (closes(m, p) || raises(m, p)) {
		buf_addc(&path, '/');
		text_url(&path, buf_str(&alias));
		buf_addf(&path, "/%s?identifierType=alias",
		    raises(m, p) ? "priority" : "close");
	}
	request_json(ret, server(own), path.p);
	if (raises(m, p))
		ret->method = "PUT";
	request_header(ret, "Authorization", "GenieKey %s", own->key);
	buf_addc(&ret->body, '{');
	if (closes(m, p)) {
		message_title(m, p, NULL, &title);
		request_pair(&ret->body, "source", STR("vedette"));
		request_pair(&ret->body, "note", buf_str(&title));
	} else if (raises(m, p)) {
		request_pair(&ret->body, "priority",
		    str_of(priority(m, &m->items[p->first])));
	} else {
		create(m, p, buf_str(&alias), &ret->body);
	}
	buf_addc(&ret->body, '}');
	return ERR_OK;
}

/* Closed by hand meanwhile, or never created: nothing is left to close or to
 * raise. */
static void
opsgenie_judge(const struct alert_message *m, const struct alert_part *p,
    const struct alert_answer *a, struct alert_outcome *ret)
{
	if (a->code == 404 && (closes(m, p) || raises(m, p)))
		judge_set(ret, RESULT_DONE, "%s", "");
}

const struct alert_kind_row alert_opsgenie = {
	.name = "opsgenie", .raises = true,
	.build = opsgenie_build, .judge = opsgenie_judge,
};

/* Microsoft Teams: an Adaptive Card for the Workflows trigger "when a Teams
 * webhook request is received" (the older connectors are retired). Text runs
 * are not read as Markdown, so nothing needs an escape. 28 KB a request. */
#include <string.h>

#include "alert/request.h"

#define TEAMS_MAX 28000

static void
run_add(struct buf *b, struct str line, const char *more)
{
	buf_adds(b, "{\"type\":\"RichTextBlock\",\"inlines\":[{");
	request_pair(b, "type", STR("TextRun"));
	request_pair(b, "text", line);
	buf_addf(b, "%s}]}", more);
}

static void
teams_body(const struct alert_message *m, const struct alert_part *p,
    size_t max, struct buf *b)
{
	static const char *const style[] = {
		[MOOD_GOOD] = ",\"weight\":\"Bolder\",\"color\":\"Good\"",
		[MOOD_INFO] = ",\"weight\":\"Bolder\",\"color\":\"Accent\"",
		[MOOD_WARNING] = ",\"weight\":\"Bolder\",\"color\":\"Warning\"",
		[MOOD_BAD] = ",\"weight\":\"Bolder\",\"color\":\"Attention\"",
	};
	BUF_AUTO(title, ALERT_TEXT * 4);
	BUF_AUTO(text, ALERT_BODY_MAX);
	BUF_AUTO(url, 4096);
	struct str rest, line;

	message_title(m, p, NULL, &title);
	message_text(m, p, NULL, &text);
	message_url(m, p, &url);
	buf_adds(b, "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
	    "\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,"
	    "\"content\":{\"$schema\":"
	    "\"http://adaptivecards.io/schemas/adaptive-card.json\","
	    "\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body\":[");
	run_add(b, buf_str(&title), style[message_mood(m, p)]);
	rest = text_cut(buf_str(&text), max, TEXT_BYTES);
	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &line);
		buf_addc(b, ',');
		run_add(b, line, "");
	}
	buf_addc(b, ']');
	if (url.n > 0) {
		buf_adds(b, ",\"actions\":[{\"type\":\"Action.OpenUrl\","
		    "\"title\":\"Open\"");
		request_pair(b, "url", buf_str(&url));
		buf_adds(b, "}]");
	}
	buf_adds(b, "}}]}");
}

static size_t
teams_size(const struct alert_message *m, const struct alert_part *p)
{
	BUF_AUTO(b, ALERT_BODY_MAX);

	teams_body(m, p, SIZE_MAX, &b);
	return buf_ok(&b) ? b.n : SIZE_MAX;
}

static enum err
teams_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, UNUSED struct errinfo *ei)
{
	size_t max = TEAMS_MAX;

	request_json(ret, m->channel->own.url, "");
	/* One event with a long text of the user's: shorter until it fits. */
	do {
		buf_clear(&ret->body);
		teams_body(m, p, max, &ret->body);
		max = max * 3 / 4;
	} while (ret->body.n > TEAMS_MAX && max > 0);
	return ERR_OK;
}

const struct alert_kind_row alert_teams = {
	.name = "teams", .grouped = true, .text_max = TEAMS_MAX,
	.size = teams_size, .build = teams_build,
};

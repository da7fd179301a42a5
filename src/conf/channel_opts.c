/* channel_opts.c: the rows of every type of channel. */
#include "conf/channel_opts.h"

#include <string.h>

#include "base/template.h"
#include "base/time.h"
#include "conf/channel.h"

static const char *
channel_url_check(struct str s)
{
	size_t scheme = str_starts(s, STR("https://")) ? 8 :
	    str_starts(s, STR("http://")) ? 7 : 0;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			scheme = 0;
	if (scheme == 0 || s.n == scheme || s.p[scheme] == '/')
		return "an absolute http:// or https:// URL";
	return NULL;
}

static const char *
channel_host_check(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' ||
		    s.p[i] == 0x7f)
			return "a host name or an address";
	return NULL;
}

static const char *
channel_mail_check(struct str s)
{
	const char *at = s.n > 0 ? memchr(s.p, '@', s.n) : NULL;
	bool ok = at != NULL && at != s.p && at + 1 < s.p + s.n;

	for (size_t i = 0; i < s.n; i++)
		ok = ok && (unsigned char)s.p[i] > ' ' && s.p[i] != 0x7f;
	return ok ? NULL : "a mail address, name@host";
}

const char *const channel_methods[] = {"POST", "PUT", NULL};
const char *const channel_severities[] = {
	[CHANNEL_CRITICAL] = "critical", [CHANNEL_ERROR] = "error",
	[CHANNEL_WARNING] = "warning", [CHANNEL_INFO] = "info", NULL
};
const char *const channel_p_levels[] = {"P1", "P2", "P3", "P4", "P5", NULL};
static const char *const tls_modes[] = {
	[CHANNEL_STARTTLS] = "starttls", [CHANNEL_TLS] = "tls",
	[CHANNEL_PLAIN] = "none", NULL
};
static const char *const regions[] = {
	[CHANNEL_US] = "us", [CHANNEL_EU] = "eu", NULL
};
static const char *const loudness[] = {
	[CHANNEL_NORMAL] = "normal", [CHANNEL_LOWEST] = "lowest",
	[CHANNEL_LOW] = "low", [CHANNEL_HIGH] = "high",
	[CHANNEL_EMERGENCY] = "emergency", NULL
};

#define NEED .flags = OPT_REQUIRED
#define SECRET_URL \
	SECRET("url", channel_own, url, NEED, .max = 2048, \
	    .check = channel_url_check, \
	    .help = "The webhook's URL; whoever knows it may post.")
#define SERVER_URL \
	STRING("url", channel_own, url, \
	    .flags = OPT_REQUIRED | OPT_TARGET, .max = 2048, \
	    .check = channel_url_check, .help = "The server.")
/* A service with one address for everybody. */
#define SERVICE_URL(where) \
	STRING("url", channel_own, url, .flags = OPT_TARGET, .dflt = (where), \
	    .max = 2048, .check = channel_url_check, \
	    .help = "Where the service is.")
#define LOGIN \
	STRING("user", channel_own, user, .max = 256, \
	    .help = "User name at the server."), \
	SECRET("password", channel_own, password, .max = 1024, \
	    .help = "The user's password.")
#define TOKEN(row_flags) \
	SECRET("token", channel_own, token, .flags = (row_flags), \
	    .max = 1024, .help = "Access token.")

/* Templates: channel.c checks them when they are read. */
#define BODY \
	STRING("body", channel_own, body, .max = TEMPLATE_BYTES_MAX, \
	    .help = "Template of the text; docs/channels.md has the fields.")
#define WORDS \
	STRING("title", channel_own, title, .max = 2048, \
	    .help = "Template of the title."), \
	BODY

static const struct opt webhook_opts[] = {
	SECRET_URL,
	CHOICE("method", channel_own, method, .choices = channel_methods,
	    .dflt = "POST", .help = "HTTP method."),
	PAIRS("headers", channel_own, headers, .flags = OPT_SECRETS,
	    .max = 64, .help = "Headers to send along."),
	SECRET("secret", channel_own, secret, .max = 1024,
	    .help = "Key that signs the body."),
	BODY,
	OPT_END
};
static const struct opt url_opts[] = { SECRET_URL, WORDS, OPT_END };
static const struct opt room_url_opts[] = {
	SECRET_URL,
	STRING("channel", channel_own, room, .max = 256,
	    .help = "Room, when not the webhook's own."),
	WORDS,
	OPT_END
};
static const struct opt telegram_opts[] = {
	TOKEN(OPT_REQUIRED),
	STRING("chat_id", channel_own, room, NEED, .max = 128,
	    .help = "Chat to write to."),
	SERVICE_URL("https://api.telegram.org"),
	WORDS,
	OPT_END
};
static const struct opt ntfy_opts[] = {
	SERVER_URL,
	STRING("topic", channel_own, room, NEED, .max = 64,
	    .help = "Topic to publish to."),
	TOKEN(0), LOGIN,
	COUNTER("priority", channel_own, priority, .dflt = "3", .min = 1,
	    .max = 5, .help = "From 1 (min) to 5 (urgent)."),
	WORDS,
	OPT_END
};
static const struct opt gotify_opts[] = {
	SERVER_URL, TOKEN(OPT_REQUIRED),
	COUNTER("priority", channel_own, priority, .dflt = "5", .max = 10,
	    .help = "From 0 to 10."),
	WORDS,
	OPT_END
};
static const struct opt pushover_opts[] = {
	TOKEN(OPT_REQUIRED),
	SECRET("user", channel_own, key, NEED, .max = 128,
	    .help = "User or group key."),
	CHOICE("priority", channel_own, priority, .choices = loudness,
	    .dflt = "normal", .help = "How loud, while something is wrong."),
	SERVICE_URL("https://api.pushover.net"),
	WORDS,
	OPT_END
};
static const struct opt pagerduty_opts[] = {
	SECRET("routing_key", channel_own, key, NEED, .max = 128,
	    .help = "Integration key of the service."),
	CHOICE("severity", channel_own, severity,
	    .choices = channel_severities, .dflt = "critical",
	    .help = "Severity of what is critical here."),
	SERVICE_URL("https://events.pagerduty.com"),
	WORDS,
	OPT_END
};
static const struct opt opsgenie_opts[] = {
	SECRET("api_key", channel_own, key, NEED, .max = 128,
	    .help = "Key of the API integration."),
	CHOICE("region", channel_own, region, .choices = regions,
	    .dflt = "us", .help = "Where the account lives."),
	CHOICE("priority", channel_own, priority, .choices = channel_p_levels,
	    .dflt = "P1", .help = "Priority of what is critical here."),
	STRING("url", channel_own, url, .flags = OPT_TARGET, .max = 2048,
	    .check = channel_url_check,
	    .help = "Where the service is, when not where region says."),
	WORDS,
	OPT_END
};
static const struct opt matrix_opts[] = {
	SERVER_URL, TOKEN(OPT_REQUIRED),
	STRING("room", channel_own, room, NEED, .max = 256,
	    .help = "Room id, !abc:example.org."),
	WORDS,
	OPT_END
};
static const struct opt twilio_opts[] = {
	STRING("account", channel_own, account, .flags = OPT_REQUIRED |
	    OPT_TARGET, .max = 64, .help = "Account SID."),
	TOKEN(OPT_REQUIRED),
	STRING("from", channel_own, from, NEED, .max = 64,
	    .help = "Number, or messaging service (MG…), that sends."),
	STRINGS("to", channel_own, to, NEED, .max = 32,
	    .help = "Numbers that receive."),
	SERVICE_URL("https://api.twilio.com"),
	WORDS,
	OPT_END
};
static const struct opt alertmanager_opts[] = { SERVER_URL, LOGIN, OPT_END };
static const struct opt email_opts[] = {
	STRING("host", channel_own, host, .flags = OPT_REQUIRED | OPT_TARGET,
	    .max = 255, .check = channel_host_check, .help = "SMTP server."),
	COUNTER("port", channel_own, port, .flags = OPT_AUTO, .dflt = "auto",
	    .min = 1, .max = 65535, .help = "Its port; auto is 587, with "
	    "tls: tls 465, with tls: none 25."),
	CHOICE("tls", channel_own, tls, .choices = tls_modes,
	    .dflt = "starttls", .help = "How the connection is encrypted."),
	LOGIN,
	STRING("from", channel_own, from, NEED, .max = 320,
	    .check = channel_mail_check, .help = "Sender."),
	STRINGS("to", channel_own, to, NEED, .max = 32,
	    .check = channel_mail_check, .help = "Recipients."),
	WORDS,
	OPT_END
};
static const struct opt exec_opts[] = {
	STRINGS("command", channel_own, command, NEED, .max = 64,
	    .help = "Program and its arguments; no shell."),
	DURATION("timeout", channel_own, timeout_ns, .dflt = "10s",
	    .min = 100 * NS_PER_MS, .max = 600 * NS_PER_S,
	    .help = "It is ended after this long."),
	OPT_END
};
const struct channel_type channel_types[] = {
	{"webhook", webhook_opts}, {"discord", url_opts},
	{"slack", room_url_opts}, {"teams", url_opts},
	{"mattermost", room_url_opts}, {"googlechat", url_opts},
	{"telegram", telegram_opts}, {"ntfy", ntfy_opts},
	{"gotify", gotify_opts}, {"pushover", pushover_opts},
	{"pagerduty", pagerduty_opts}, {"opsgenie", opsgenie_opts},
	{"matrix", matrix_opts}, {"twilio", twilio_opts},
	{"alertmanager", alertmanager_opts}, {"email", email_opts},
	{"exec", exec_opts}, {NULL, NULL},
};


const struct opt *
channel_rows(struct str type)
{
	for (size_t i = 0; channel_types[i].name != NULL; i++)
		if (str_is(type, channel_types[i].name))
			return channel_types[i].opts;
	return NULL;
}

enum err
channel_own_read(const struct channel_conf *c, struct channel_own *ret,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	struct opt_set set = {channel_rows(str_of(c->type)), ret};
	enum err e = tree_from_json(str_of(c->text), c->name, &t, ei);

	if (e != ERR_OK)
		return e;
	if (set.rows == NULL)
		return fail(ei, ERR_INVALID, "no channel type is called "
		    "\"%s\"", c->type);
	return opt_read(tree_root(t), &set, 1, NULL, ei);
}

void
channel_own_free(const char *type, struct channel_own *own)
{
	const struct opt *rows = channel_rows(str_of(type));

	if (rows != NULL)
		opt_free(rows, own);
}

const char *
channel_program_check(struct str s)
{
	struct str part;
	bool ok = s.n > 0 && s.p[0] == '/';

	while (s.n > 0) {
		s = str_cut(s, '/', &part);
		ok = ok && !str_is(part, "..");   /* no way out */
	}
	return ok ? NULL : "an absolute path without \"..\"";
}

bool
channel_exec_allowed(const struct strings *allow, struct str program)
{
	if (channel_program_check(program) != NULL)
		return false;
	for (size_t i = 0; allow != NULL && i < allow->n; i++) {
		struct str a = str_of(allow->v[i]);

		if (str_eq(a, program) && a.p[a.n - 1] != '/')
			return true;
		while (a.n > 0 && a.p[a.n - 1] == '/')
			a.n--;
		if (program.n > a.n + 1 && str_starts(program, a) &&
		    program.p[a.n] == '/')
			return true;
	}
	return false;
}

#include "conf/channel.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* The rows only need somewhere to put what they read while it is checked; the
 * canonical text is what stays. One struct is big enough for every type. */
struct channel_own {
	char *s[10];
	struct strings list;
	struct pairs pairs;
	uint32_t choice, n;
	int64_t timeout_ns;
};

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

static const char *const methods[] = {"POST", "PUT", NULL};
static const char *const tls_modes[] = {"starttls", "tls", "none", NULL};
static const char *const regions[] = {"us", "eu", NULL};
static const char *const severities[] = {
	"critical", "error", "warning", "info", NULL
};
static const char *const p_levels[] = {"P1", "P2", "P3", "P4", "P5", NULL};
static const char *const loudness[] = {
	"normal", "lowest", "low", "high", "emergency", NULL
};

#define NEED .flags = OPT_REQUIRED
#define SECRET_URL \
	SECRET("url", channel_own, s[0], NEED, .max = 2048, \
	    .check = channel_url_check, \
	    .help = "The webhook's URL; whoever knows it may post.")
#define SERVER_URL \
	STRING("url", channel_own, s[0], \
	    .flags = OPT_REQUIRED | OPT_TARGET, .max = 2048, \
	    .check = channel_url_check, .help = "The server.")
#define LOGIN \
	STRING("user", channel_own, s[1], .max = 256, \
	    .help = "User name at the server."), \
	SECRET("password", channel_own, s[2], .max = 1024, \
	    .help = "The user's password.")
#define TOKEN(row_flags) \
	SECRET("token", channel_own, s[3], .flags = (row_flags), .max = 1024, \
	    .help = "Access token.")

static const struct opt webhook_opts[] = {
	SECRET_URL,
	CHOICE("method", channel_own, choice, .choices = methods,
	    .dflt = "POST", .help = "HTTP method."),
	PAIRS("headers", channel_own, pairs, .flags = OPT_SECRETS, .max = 64,
	    .help = "Headers to send along."),
	SECRET("secret", channel_own, s[3], .max = 1024,
	    .help = "Key that signs the body."),
	OPT_END
};
static const struct opt url_opts[] = { SECRET_URL, OPT_END };
static const struct opt room_url_opts[] = {
	SECRET_URL,
	STRING("channel", channel_own, s[1], .max = 256,
	    .help = "Room, when not the webhook's own."),
	OPT_END
};
static const struct opt telegram_opts[] = {
	TOKEN(OPT_REQUIRED),
	STRING("chat_id", channel_own, s[1], NEED, .max = 128,
	    .help = "Chat to write to."),
	OPT_END
};
static const struct opt ntfy_opts[] = {
	SERVER_URL,
	STRING("topic", channel_own, s[4], NEED, .max = 64,
	    .help = "Topic to publish to."),
	TOKEN(0), LOGIN,
	COUNTER("priority", channel_own, n, .dflt = "3", .min = 1, .max = 5,
	    .help = "From 1 (min) to 5 (urgent)."),
	OPT_END
};
static const struct opt gotify_opts[] = {
	SERVER_URL, TOKEN(OPT_REQUIRED),
	COUNTER("priority", channel_own, n, .dflt = "5", .max = 10,
	    .help = "From 0 to 10."),
	OPT_END
};
static const struct opt pushover_opts[] = {
	TOKEN(OPT_REQUIRED),
	SECRET("user", channel_own, s[1], NEED, .max = 128,
	    .help = "User or group key."),
	CHOICE("priority", channel_own, choice, .choices = loudness,
	    .dflt = "normal", .help = "How loud."),
	OPT_END
};
static const struct opt pagerduty_opts[] = {
	SECRET("routing_key", channel_own, s[0], NEED, .max = 128,
	    .help = "Integration key of the service."),
	CHOICE("severity", channel_own, choice, .choices = severities,
	    .dflt = "critical", .help = "Severity of what is down."),
	OPT_END
};
static const struct opt opsgenie_opts[] = {
	SECRET("api_key", channel_own, s[0], NEED, .max = 128,
	    .help = "Key of the API integration."),
	CHOICE("region", channel_own, choice, .choices = regions,
	    .dflt = "us", .help = "Where the account lives."),
	CHOICE("priority", channel_own, n, .choices = p_levels, .dflt = "P1",
	    .help = "Priority of what is down."),
	OPT_END
};
static const struct opt matrix_opts[] = {
	SERVER_URL, TOKEN(OPT_REQUIRED),
	STRING("room", channel_own, s[1], NEED, .max = 256,
	    .help = "Room id, !abc:example.org."),
	OPT_END
};
static const struct opt twilio_opts[] = {
	STRING("account", channel_own, s[1], .flags = OPT_REQUIRED |
	    OPT_TARGET, .max = 64, .help = "Account SID."),
	TOKEN(OPT_REQUIRED),
	STRING("from", channel_own, s[4], NEED, .max = 32,
	    .help = "Number that sends."),
	STRINGS("to", channel_own, list, NEED, .max = 32,
	    .help = "Numbers that receive."),
	OPT_END
};
static const struct opt alertmanager_opts[] = { SERVER_URL, LOGIN, OPT_END };
static const struct opt email_opts[] = {
	STRING("host", channel_own, s[0], .flags = OPT_REQUIRED | OPT_TARGET,
	    .max = 255, .check = channel_host_check, .help = "SMTP server."),
	COUNTER("port", channel_own, n, .dflt = "587", .min = 1,
	    .max = 65535, .help = "Its port."),
	CHOICE("tls", channel_own, choice, .choices = tls_modes,
	    .dflt = "starttls", .help = "How the connection is encrypted."),
	LOGIN,
	STRING("from", channel_own, s[4], NEED, .max = 320,
	    .check = channel_mail_check, .help = "Sender."),
	STRINGS("to", channel_own, list, NEED, .max = 32,
	    .check = channel_mail_check, .help = "Recipients."),
	OPT_END
};
static const struct opt exec_opts[] = {
	STRINGS("command", channel_own, list, NEED, .max = 64,
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

static const struct opt *
channel_rows(struct str type)
{
	for (size_t i = 0; channel_types[i].name != NULL; i++)
		if (str_is(type, channel_types[i].name))
			return channel_types[i].opts;
	return NULL;
}

static enum err
channel_no_type(const struct node *n, struct errinfo *ei)
{
	const struct node *type = node_get(n, "type");
	char shown[48];
	BUF_AUTO(known, 400);

	for (size_t i = 0; channel_types[i].name != NULL; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "",
		    channel_types[i].name);
	if (type == NULL)
		return fail_at(ei, ERR_INVALID, "type", n->line,
		    "is required; allowed: %s", known.p);
	(void)text_copy(shown, sizeof(shown), type->text);
	return fail_at(ei, ERR_INVALID, "type", type->line,
	    "\"%s\" is not a known channel type; allowed: %s", shown,
	    known.p);
}

static enum err
channel_name(const struct node *n, struct channel_conf *ret,
    struct errinfo *ei)
{
	const struct node *name = node_get(n, "name");
	const char *allowed;
	char shown[80];

	if (name == NULL || name->kind != NODE_SCALAR)
		return fail_at(ei, ERR_INVALID, "name", n->line,
		    "is required: what monitors call it in notify");
	allowed = monitor_name_check(name->text);
	if (allowed != NULL) {
		(void)text_copy(shown, sizeof(shown), name->text);
		return fail_at(ei, ERR_INVALID, "name", name->line,
		    "\"%s\" does not fit; allowed: %s", shown, allowed);
	}
	(void)text_copy(ret->name, sizeof(ret->name), name->text);
	return ERR_OK;
}

enum err
channel_read(const struct node *n, struct channel_conf *ret,
    struct errinfo *ei)
{
	static const char *const skip[] = {"name", "type", NULL};
	struct channel_own own = {0};
	struct opt_set set = {NULL, &own};
	const struct node *type = node_get(n, "type");
	json_t *v;
	enum err e;

	if (n->kind != NODE_MAP)
		return fail_at(ei, ERR_INVALID, "", n->line,
		    "a channel must be a mapping with name and type");
	e = channel_name(n, ret, ei);
	if (e != ERR_OK)
		return e;
	if (type != NULL && type->kind == NODE_SCALAR)
		set.rows = channel_rows(type->text);
	if (set.rows == NULL)
		return channel_no_type(n, ei);
	(void)text_copy(ret->type, sizeof(ret->type), type->text);
	ret->line = n->line;
	e = opt_read(n, &set, 1, skip, ei);
	if (e == ERR_OK) {
		v = opt_write(&set, 1, OPT_SECRETS_PLAIN);
		ret->text = opt_text(v);
		json_decref(v);
	}
	opt_free(set.rows, &own);
	return e;
}

void
channel_clear(struct channel_conf *c)
{
	xfree(c->text);
	memset(c, 0, sizeof(*c));
}

static json_t *
channel_whole(const struct channel_conf *c, json_t *own)
{
	json_t *all = json_object();

	(void)json_object_set_new(all, "name", json_string(c->name));
	(void)json_object_set_new(all, "type", json_string(c->type));
	(void)json_object_update_missing(all, own);
	return all;
}

/* v is taken. */
static enum err
channel_from_json(json_t *v, struct channel_conf *ret, struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, ei);

	json_decref(v);
	return e != ERR_OK ? e : channel_read(tree_root(t), ret, ei);
}

enum err
channel_load(struct str json, const char *name, const char *type,
    struct channel_conf *ret, struct errinfo *ei)
{
	struct channel_conf c = {0};
	json_t *own = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *all;

	if (!json_is_object(own)) {
		json_decref(own);
		return fail_at(ei, ERR_PARSE, "", 0,
		    "the stored configuration of channel \"%s\" is not JSON",
		    name);
	}
	(void)text_copy(c.name, sizeof(c.name), str_of(name));
	(void)text_copy(c.type, sizeof(c.type), str_of(type));
	all = channel_whole(&c, own);
	json_decref(own);
	return channel_from_json(all, ret, ei);
}

json_t *
channel_json(const struct channel_conf *c, enum opt_secrets how)
{
	json_t *own = json_loads(c->text, 0, NULL);
	json_t *all;

	if (how == OPT_SECRETS_MASK)
		opt_hide(channel_rows(str_of(c->type)), own);
	all = channel_whole(c, own);
	json_decref(own);
	return all;
}

bool
channel_equal(const struct channel_conf *a, const struct channel_conf *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->text, b->text) == 0;
}

/* A password is not carried over to another server by itself. */
static bool
channel_same_server(const struct opt *rows, const json_t *a, const json_t *b)
{
	for (const struct opt *o = rows; o->name != NULL; o++)
		if ((o->flags & OPT_TARGET) != 0 &&
		    !json_equal(json_object_get(a, o->name),
		    json_object_get(b, o->name)))
			return false;
	return true;
}

/* Key order again as the rows say, after secrets were put in. */
static enum err
channel_canonical(struct channel_conf *c, struct errinfo *ei)
{
	struct channel_conf again = {0};
	enum err e = channel_load(str_of(c->text), c->name, c->type, &again,
	    ei);

	if (e == ERR_OK) {
		again.line = c->line;
		xfree(c->text);
		*c = again;
	} else {
		channel_clear(&again);
	}
	return e;
}

enum err
channel_keep_secrets(struct channel_conf *c, const struct channel_conf *old,
    struct errinfo *ei)
{
	const struct opt *rows = channel_rows(str_of(c->type)), *o;
	json_t *now, *was;
	char field[160];

	if (old != NULL && channel_equal(c, old))
		return ERR_OK;
	now = json_loads(c->text, 0, NULL);
	if (old != NULL && strcmp(c->type, old->type) == 0) {
		was = json_loads(old->text, 0, NULL);
		opt_unmask(rows, now, was, channel_same_server(rows, now, was));
		json_decref(was);
	}
	o = opt_masked(rows, now);
	if (o == NULL) {
		xfree(c->text);
		c->text = opt_text(now);
	}
	json_decref(now);
	if (o == NULL)
		return channel_canonical(c, ei);
	(void)snprintf(field, sizeof(field), "channels.%s.%s", c->name,
	    o->name);
	return fail_at(ei, ERR_INVALID, field, c->line,
	    "the secret is masked and there is none to keep; write it out "
	    "(export --secrets prints it)");
}

json_t *
channel_schema(void)
{
	json_t *all = json_object(), *kinds = json_array(), *one, *need, *props;
	const struct opt *o;

	for (size_t i = 0; channel_types[i].name != NULL; i++) {
		one = json_object();
		need = json_pack("[s,s]", "name", "type");
		for (o = channel_types[i].opts; o->name != NULL; o++)
			if ((o->flags & OPT_REQUIRED) != 0)
				(void)json_array_append_new(need,
				    json_string(o->name));
		props = opt_schema(channel_types[i].opts);
		(void)json_object_set_new(props, "name", json_pack(
		    "{s:s,s:i,s:i}", "type", "string", "minLength", 1,
		    "maxLength", MONITOR_NAME_MAX));
		(void)json_object_set_new(props, "type", json_pack("{s:s}",
		    "const", channel_types[i].name));
		(void)json_object_set_new(one, "type", json_string("object"));
		(void)json_object_set_new(one, "properties", props);
		(void)json_object_set_new(one, "required", need);
		(void)json_object_set_new(one, "additionalProperties",
		    json_false());
		(void)json_array_append_new(kinds, one);
	}
	(void)json_object_set_new(all, "oneOf", kinds);
	return all;
}

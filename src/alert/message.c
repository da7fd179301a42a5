#include "alert/message.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/zone.h"

bool
message_problem(const struct alert_event *e)
{
	switch ((enum alert_kind)e->kind) {
	case ALERT_OPEN:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_CERT:
	case ALERT_FLAP:
		return true;
	case ALERT_STORE:
	case ALERT_CHANNEL:
		return e->to != STATUS_UP;
	case ALERT_RESOLVE:
	case ALERT_SETTLE:
	case ALERT_SIGHT:
	case ALERT_TEST:
	case ALERT_NMAX:
		return false;
	}
	return false;
}

bool
message_recovery(const struct alert_event *e)
{
	bool own = e->kind == ALERT_STORE || e->kind == ALERT_CHANNEL;

	return e->kind == ALERT_RESOLVE || e->kind == ALERT_SETTLE ||
	    (own && e->to == STATUS_UP);
}

const char *
message_state(const struct alert_item *it)
{
	static const char *const states[STATUS_NMAX] = {
		[STATUS_DOWN] = "DOWN", [STATUS_UNKNOWN] = "UNKNOWN",
		[STATUS_LATE] = "LATE", [STATUS_DEGRADED] = "DEGRADED",
		[STATUS_PENDING] = "PENDING", [STATUS_UP] = "UP",
		[STATUS_PAUSED] = "PAUSED",
	};
	const struct alert_event *e = &it->row->event;

	switch ((enum alert_kind)e->kind) {
	case ALERT_CERT:
		return "CERTIFICATE";
	case ALERT_FLAP:
		return "FLAPPING";
	case ALERT_SETTLE:
		return "SETTLED";
	case ALERT_SIGHT:
		return "BLIND";
	case ALERT_STORE:
		return "STORE";
	case ALERT_CHANNEL:
		return "CHANNEL";
	case ALERT_TEST:
		return "TEST";
	case ALERT_OPEN:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_RESOLVE:
	case ALERT_NMAX:
		break;
	}
	return e->to < STATUS_NMAX ? states[e->to] : "?";
}

static enum message_mood
mood_of(const struct alert_event *e)
{
	if (message_problem(e))
		return e->severity == SEVERITY_CRITICAL ? MOOD_BAD :
		    MOOD_WARNING;
	return message_recovery(e) ? MOOD_GOOD : MOOD_INFO;
}

enum message_mood
message_mood(const struct alert_message *m, const struct alert_part *p)
{
	enum message_mood worst = MOOD_GOOD;

	for (size_t i = p->first; i < p->first + p->n; i++)
		worst = MAX(worst, mood_of(&m->items[i].row->event));
	return worst;
}

enum severity
message_severity(const struct alert_message *m, const struct alert_part *p)
{
	uint8_t worst = SEVERITY_INFO;

	for (size_t i = p->first; i < p->first + p->n; i++)
		if (m->items[i].row->event.severity > worst)
			worst = m->items[i].row->event.severity;
	return (enum severity)worst;
}

void
message_time(const struct alert_message *m, int64_t us, struct buf *out)
{
	struct local l = zone_local(m->place->zone, us);

	buf_addf(out, "%04d-%02u-%02u %02d:%02d:%02d %s", (int)l.date.year,
	    (unsigned)l.date.month, (unsigned)l.date.day, l.second / 3600,
	    l.second / 60 % 60, l.second % 60, l.abbr);
}

void
message_key(const struct alert_message *m, const struct alert_event *e,
    struct buf *out)
{
	switch ((enum alert_kind)e->kind) {
	case ALERT_OPEN:
	case ALERT_RESOLVE:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_NMAX:
		buf_addf(out, "vedette-%u-%lld", e->monitor,
		    (long long)e->incident_us);
		return;
	case ALERT_CERT:
		buf_addf(out, "vedette-%u-certificate-%lld", e->monitor,
		    (long long)(e->until_us / US_PER_S));
		return;
	case ALERT_FLAP:
	case ALERT_SETTLE:
		buf_addf(out, "vedette-%u-flapping", e->monitor);
		return;
	case ALERT_SIGHT:
	case ALERT_STORE:
	case ALERT_CHANNEL:
	case ALERT_TEST:
		break;
	}
	/* Ours: several daemons may tell one provider. */
	buf_adds(out, "vedette-");
	text_url(out, text_cut(str_of(m->place->host), 40, TEXT_BYTES));
	buf_addf(out, "-%s", alert_kind_name((enum alert_kind)e->kind));
	if (e->kind == ALERT_CHANNEL) {
		buf_addc(out, '-');
		text_url(out, text_cut(str_of(e->path), 30, TEXT_BYTES));
	} else if (e->kind != ALERT_STORE) {
		buf_addf(out, "-%lld", (long long)e->at_us);
	}
}

const char *
message_once(const struct alert_message *m, const struct alert_part *p,
    char dst[MESSAGE_ONCE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	(void)EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (size_t i = p->first; i < p->first + p->n; i++)
		(void)EVP_DigestUpdate(ctx, m->items[i].row->key,
		    strlen(m->items[i].row->key) + 1);
	(void)EVP_DigestUpdate(ctx, &p->copy, sizeof(p->copy));
	(void)EVP_DigestFinal_ex(ctx, hash, &n);
	EVP_MD_CTX_free(ctx);
	text_hex(dst, MESSAGE_ONCE, hash, (MESSAGE_ONCE - 1) / 2);
	return dst;
}

/* Letters that mean nothing to any sink, so that links stay links. */
static bool
is_link(struct str s)
{
	static const char plain[] = "-._:/?#=%+,;";

	if (!str_starts(s, STR("http://")) && !str_starts(s, STR("https://")))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c != '\0' && strchr(plain, c))))
			return false;
	}
	return true;
}

void
message_value(struct buf *out, message_escape *escape, struct str s)
{
	if (escape == NULL || is_link(s))
		buf_add(out, s);
	else
		escape(out, s);
}

static void
url_of(const struct alert_message *m, const struct alert_event *e,
    struct buf *out)
{
	if (m->place->base_url == NULL || m->place->base_url[0] == '\0')
		return;
	buf_addf(out, "%s/", m->place->base_url);
	if (e != NULL && e->monitor != 0)
		buf_addf(out, "#m%u", e->monitor);
}

void
message_url(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	url_of(m, p->n == 1 ? &m->items[p->first].row->event : NULL, out);
}

/* -- fields ------------------------------------------------------------------ */

struct filling {
	struct template_source source;
	const struct alert_message *m;
	const struct alert_part *p;
	message_escape *escape;
};

int64_t
message_lasted_us(const struct alert_message *m, const struct alert_event *e)
{
	int64_t end = e->kind == ALERT_RESOLVE ? e->at_us : m->now_us;

	if (e->kind == ALERT_SIGHT)
		return MAX(e->until_us - e->at_us, (int64_t)0);
	return e->incident_us != 0 ? MAX(end - e->incident_us, (int64_t)0) :
	    -1;
}

static void
lasted(int64_t us, struct buf *out)
{
	char text[TIME_TEXT];

	/* People do not ask for the milliseconds of an outage. */
	if (us >= US_PER_S)
		us -= us % US_PER_S;
	if (us >= 0)
		buf_adds(out, time_format_human(us * NS_PER_US, text));
}

static size_t
count_if(const struct alert_message *m, const struct alert_part *p,
    bool (*is)(const struct alert_event *e))
{
	size_t n = 0;

	for (size_t i = p->first; i < p->first + p->n; i++)
		n += is(&m->items[i].row->event);
	return n;
}

static void
path_cut(const struct alert_event *e, bool last, struct buf *out)
{
	const char *slash = strrchr(e->path, '/');

	if (last)
		buf_adds(out, slash != NULL ? slash + 1 : e->path);
	else if (slash != NULL)
		buf_add(out, (struct str){e->path, (size_t)(slash - e->path)});
}

/* What belongs to the message as a whole. False: not one of those. */
static bool
field_whole(const struct filling *f, enum alert_field field, struct buf *out)
{
	const struct alert_message *m = f->m;
	const struct alert_part *p = f->p;

	/* Not a switch: these few of many; the rest are an event's. */
	if (field == FIELD_COUNT)
		buf_addf(out, "%zu", m->n);
	else if (field == FIELD_MANY)
		buf_adds(out, m->n > 1 ? "yes" : "");
	else if (field == FIELD_PROBLEMS)
		buf_addf(out, "%zu", count_if(m, p, message_problem));
	else if (field == FIELD_RECOVERIES)
		buf_addf(out, "%zu", count_if(m, p, message_recovery));
	else if (field == FIELD_CHANNEL)
		buf_adds(out, m->channel->name);
	else if (field == FIELD_HOST)
		buf_adds(out, m->place->host);
	else if (field == FIELD_NOW)
		message_time(m, m->now_us, out);
	else if (field == FIELD_HOME)
		url_of(m, NULL, out);
	else
		return false;
	return true;
}

static void
field_time(const struct alert_message *m, int64_t us, struct buf *out)
{
	if (us != 0)
		message_time(m, us, out);
}

static void
field_words(const struct alert_item *it, enum alert_field field,
    struct buf *out)
{
	const struct alert_event *e = &it->row->event;

	if (field == FIELD_EVENT)
		buf_adds(out, alert_kind_name((enum alert_kind)e->kind));
	else if (field == FIELD_STATE)
		buf_adds(out, message_state(it));
	else if (field == FIELD_NAME)
		buf_adds(out, e->path);
	else if (field == FIELD_SHORT || field == FIELD_GROUP)
		path_cut(e, field == FIELD_SHORT, out);
	else if (field == FIELD_TYPE)
		buf_adds(out, e->type);
	else if (field == FIELD_TARGET)
		buf_adds(out, e->target);
	else if (field == FIELD_TAGS)
		buf_adds(out, e->tags);
	else if (field == FIELD_SEVERITY && e->severity < SEVERITY_NMAX)
		buf_adds(out, severity_names[e->severity]);
	else if (field == FIELD_STATUS)
		buf_adds(out, status_name((enum status)e->to));
	else if (field == FIELD_WAS)
		buf_adds(out, status_name((enum status)e->from));
	else if (field == FIELD_WHY && e->why != WHY_OK)
		buf_adds(out, why_text((enum why)e->why));
	else if (field == FIELD_REASON)
		buf_adds(out, e->reason[0] != '\0' ? e->reason :
		    e->why != WHY_OK ? why_text((enum why)e->why) : "");
	else if (field == FIELD_ID && e->monitor != 0)
		buf_addf(out, "%u", e->monitor);
	else if (field == FIELD_ACK_URL && it->ack_url != NULL)
		buf_adds(out, it->ack_url);
	else if (field == FIELD_PROBLEM)
		buf_adds(out, message_problem(e) ? "yes" : "");
	else if (field == FIELD_LATE)
		buf_adds(out, it->late ? "yes" : "");
	else if (field == FIELD_COLLAPSED)
		buf_adds(out, it->collapsed ? "yes" : "");
}

static void
field_event(const struct filling *f, enum alert_field field, size_t i,
    struct buf *out)
{
	const struct alert_item *it = &f->m->items[i];
	const struct alert_event *e = &it->row->event;

	if (field == FIELD_SINCE)
		field_time(f->m, e->incident_us, out);
	else if (field == FIELD_AT)
		field_time(f->m, e->at_us, out);
	else if (field == FIELD_UNTIL)
		field_time(f->m, e->until_us, out);
	else if (field == FIELD_DURATION)
		lasted(message_lasted_us(f->m, e), out);
	else if (field == FIELD_LATENCY)
		lasted(e->latency_us, out);
	else if (field == FIELD_URL)
		url_of(f->m, e, out);
	else if (field == FIELD_INCIDENT)
		message_key(f->m, e, out);
	else
		field_words(it, field, out);
}

static const struct filling *
filling_of(const struct template_source *s)
{
	return CONTAINER((struct template_source *)(uintptr_t)s,
	    const struct filling, source);
}

static void
field_get(const struct template_source *s, size_t field, size_t i,
    struct buf *out)
{
	const struct filling *f = filling_of(s);
	enum alert_field a = (enum alert_field)field;
	bool all = i == TEMPLATE_WHOLE;

	if (a == FIELD_TITLE || (a == FIELD_TEXT && all)) {
		/* The defaults: a template in a template would not end. */
		(a == FIELD_TITLE ? message_default_title :
		    message_default_text)(f->m, f->p, NULL, out);
		return;
	}
	if (a == FIELD_TEXT)
		message_line(f->m, &f->m->items[i], NULL, out);
	else if (!field_whole(f, a, out))
		field_event(f, a, all ? f->p->first : i, out);
}

static void
field_escape(const struct template_source *s, size_t field, struct str value,
    struct buf *out)
{
	const struct filling *f = filling_of(s);

	(void)field;
	message_value(out, f->escape, value);
}

void
message_field(const struct alert_message *m, const struct alert_part *p,
    enum alert_field f, size_t i, struct buf *out)
{
	const struct filling fill = {.m = m, .p = p};

	field_get(&fill.source, f, i, out);
}

void
message_fill(const struct alert_message *m, const struct alert_part *p,
    const struct template *t, message_escape *escape, struct buf *out)
{
	const struct filling fill = {
		.source = {.first = p->first, .n = p->n, .field = field_get,
			.escape = field_escape},
		.m = m, .p = p, .escape = escape,
	};

	template_run(t, &fill.source, out);
}

/* message_text.c: the words that vedette uses when nobody gave it others:
 * what, since when, why, how long, with a link. */
#include "alert/message.h"

#include <string.h>

#include "base/attr.h"
#include "base/time.h"

/* What a line is made of, so that the functions below stay readable. */
struct pen {
	const struct alert_message *m;
	const struct alert_item *it;
	const struct alert_event *e;
	message_escape *escape;
	struct buf *out;
};

static void
put(const struct pen *w, const char *s)
{
	buf_adds(w->out, s);
}

static void
put_value(const struct pen *w, const char *s)
{
	message_value(w->out, w->escape, str_of(s));
}

static void
put_time(const struct pen *w, int64_t us)
{
	message_time(w->m, us, w->out);
}

static void
put_span(const struct pen *w, int64_t us)
{
	char text[TIME_TEXT];

	if (us >= US_PER_S)
		us -= us % US_PER_S;
	buf_adds(w->out, time_format_human(us * NS_PER_US, text));
}

static const char *
now_is(const struct alert_event *e)
{
	return status_name((enum status)e->to);
}

static const char *
before(const struct alert_event *e)
{
	return status_name((enum status)e->from);
}

/* -- titles ------------------------------------------------------------------- */

static void
title_resolve(const struct pen *w)
{
	int64_t us = message_lasted_us(w->m, w->e);

	if (w->it->collapsed) {
		put(w, "WAS ");
		for (const char *s = before(w->e); *s != '\0'; s++)
			buf_addc(w->out, (char)(*s >= 'a' ? *s - 0x20 : *s));
		put(w, ": ");
	} else {
		buf_addf(w->out, "%s: ", message_state(w->it));
	}
	put_value(w, w->e->path);
	if (us >= 0) {
		put(w, w->it->collapsed ? " for " : " after ");
		put_span(w, us);
		put(w, w->it->collapsed ? ", is " : " ");
		put(w, w->it->collapsed ? now_is(w->e) : before(w->e));
	}
}

static void
title_one(const struct pen *w)
{
	const struct alert_event *e = w->e;

	switch ((enum alert_kind)e->kind) {
	case ALERT_RESOLVE:
		title_resolve(w);
		return;
	case ALERT_SIGHT:
		put(w, "BLIND: vedette saw nothing for ");
		put_span(w, message_lasted_us(w->m, e));
		return;
	case ALERT_STORE:
		buf_addf(w->out, "STORE: vedette's database is %s", now_is(e));
		return;
	case ALERT_CHANNEL:
		put(w, "CHANNEL: ");
		put_value(w, e->path);
		put(w, e->to == STATUS_UP ? " delivers again" :
		    " does not deliver");
		return;
	case ALERT_TEST:
		put(w, "TEST: channel ");
		put_value(w, w->m->channel->name);
		return;
	case ALERT_OPEN:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_CERT:
	case ALERT_FLAP:
	case ALERT_SETTLE:
	case ALERT_NMAX:
		break;
	}
	buf_addf(w->out, "%s%s: ", e->kind == ALERT_REMIND ? "STILL " : "",
	    message_state(w->it));
	put_value(w, e->path);
	if (e->kind == ALERT_CHANGE)
		buf_addf(w->out, ", was %s", before(e));
	else if (e->kind == ALERT_SETTLE)
		buf_addf(w->out, ", is %s", now_is(e));
	if (e->kind == ALERT_REMIND) {
		put(w, " for ");
		put_span(w, message_lasted_us(w->m, e));
	} else if (e->kind == ALERT_CERT) {
		put(w, e->until_us > w->m->now_us ? " ends in " :
		    " ended ");
		put_span(w, e->until_us > w->m->now_us ?
		    e->until_us - w->m->now_us : w->m->now_us - e->until_us);
		put(w, e->until_us > w->m->now_us ? "" : " ago");
	}
}

/* "3 monitors: 2 DOWN, 1 UP": the states in the order of their first. */
static void
title_many(const struct alert_message *m, struct buf *out)
{
	const char *seen[STATUS_NMAX + ALERT_NMAX];
	size_t counts[COUNT(seen)] = {0}, n = 0, k;

	for (size_t i = 0; i < m->n; i++) {
		const char *s = message_state(&m->items[i]);

		for (k = 0; k < n && strcmp(seen[k], s) != 0; k++)
			continue;
		if (k == n && n < COUNT(seen))
			seen[n++] = s;
		counts[MIN(k, COUNT(seen) - 1)]++;
	}
	for (k = 0; k < n; k++)
		buf_addf(out, "%s%zu %s", k > 0 ? ", " : "", counts[k],
		    seen[k]);
	/* One message often is about one group of things: say its names. */
	buf_adds(out, ": ");
}

#define TITLE_NAMES 3

static void
title_names(const struct alert_message *m, message_escape *escape,
    struct buf *out)
{
	for (size_t i = 0; i < MIN(m->n, (size_t)TITLE_NAMES); i++) {
		if (i > 0)
			buf_adds(out, ", ");
		message_value(out, escape, str_of(m->items[i].row->event.path));
	}
	if (m->n > TITLE_NAMES)
		buf_addf(out, " and %zu more", m->n - TITLE_NAMES);
}

void
message_default_title(const struct alert_message *m,
    const struct alert_part *p, message_escape *escape, struct buf *out)
{
	const struct alert_item *it = &m->items[p->first];
	const struct pen w = {m, it, &it->row->event, escape, out};

	if (m->n == 1 || !m->channel->kind->grouped) {
		title_one(&w);
		return;
	}
	title_many(m, out);
	title_names(m, escape, out);
}

/* -- texts -------------------------------------------------------------------- */

static void
say_resolve(const struct pen *w)
{
	const struct alert_event *e = w->e;

	put_value(w, e->path);
	if (e->to == STATUS_PAUSED)
		put(w, " was paused. It was ");
	else
		buf_addf(w->out, " is %s%s. It was ", now_is(e),
		    e->to == STATUS_UP ? " again" : "");
	buf_addf(w->out, "%s since ", before(e));
	put_time(w, e->incident_us);
	put(w, ", for ");
	put_span(w, message_lasted_us(w->m, e));
	put(w, ".");
	if (w->it->collapsed)
		put(w, " Its beginning could not be told in time.");
}

static void
say_own(const struct pen *w)
{
	const struct alert_event *e = w->e;

	if (e->kind == ALERT_SIGHT) {
		put(w, "vedette could not see from ");
		put_time(w, e->at_us);
		put(w, " to ");
		put_time(w, e->until_us);
		put(w, ": what happened meanwhile is unknown.");
	} else if (e->kind == ALERT_STORE) {
		put(w, "The database of vedette on ");
		put_value(w, w->m->place->host);
		buf_addf(w->out, " is %s since ", now_is(e));
		put_time(w, e->at_us);
		put(w, ".");
	} else if (e->kind == ALERT_CHANNEL) {
		put(w, "Alerts through channel ");
		put_value(w, e->path);
		put(w, e->to == STATUS_UP ? " arrive again." :
		    " keep failing.");
	} else {
		put(w, "This is a test of channel ");
		put_value(w, w->m->channel->name);
		put(w, ". Nothing is wrong.");
	}
}

static void
say(const struct pen *w)
{
	const struct alert_event *e = w->e;

	switch ((enum alert_kind)e->kind) {
	case ALERT_OPEN:
	case ALERT_CHANGE:
	case ALERT_REMIND:
	case ALERT_NMAX:
		put_value(w, e->path);
		buf_addf(w->out, e->kind == ALERT_REMIND ?
		    " still is %s, since " : " is %s since ", now_is(e));
		put_time(w, e->kind == ALERT_CHANGE || e->incident_us == 0 ?
		    e->at_us : e->incident_us);
		if (e->kind == ALERT_CHANGE)
			buf_addf(w->out, ", was %s", before(e));
		put(w, ".");
		return;
	case ALERT_RESOLVE:
		say_resolve(w);
		return;
	case ALERT_CERT:
		put(w, "The certificate of ");
		put_value(w, e->path);
		put(w, e->until_us > w->m->now_us ? " ends at " :
		    " ended at ");
		put_time(w, e->until_us);
		put(w, ".");
		return;
	case ALERT_FLAP:
		put_value(w, e->path);
		put(w, " comes and goes. Nothing more is said of it until it "
		    "settles.");
		return;
	case ALERT_SETTLE:
		put_value(w, e->path);
		buf_addf(w->out, " has settled: it is %s.", now_is(e));
		return;
	case ALERT_SIGHT:
	case ALERT_STORE:
	case ALERT_CHANNEL:
	case ALERT_TEST:
		say_own(w);
		return;
	}
}

static void
row(const struct pen *w, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_addf(w->out, "\n%s: ", name);
	put_value(w, value);
}

/* The reason is why it is bad; what a recovery says is that it is over. */
static const char *
reason(const struct alert_event *e)
{
	if (message_recovery(e) && e->why == WHY_OK)
		return "";
	return e->reason[0] != '\0' ? e->reason :
	    e->why != WHY_OK ? why_text((enum why)e->why) : "";
}

static void
text_one(const struct pen *w)
{
	const struct alert_event *e = w->e;
	BUF_AUTO(url, 4096);
	const struct alert_part p = {
		.first = (size_t)(w->it - w->m->items), .n = 1
	};

	say(w);
	row(w, "Reason", reason(e));
	if (e->monitor != 0) {
		row(w, "Target", e->target);
		row(w, "Severity", message_problem(e) ?
		    severity_names[MIN(e->severity, SEVERITY_CRITICAL)] : "");
		row(w, "Tags", e->tags);
	}
	if (w->it->late) {
		put(w, "\nSent late: this happened at ");
		put_time(w, e->at_us);
		put(w, ", ");
		put_span(w, MAX(w->m->now_us - e->at_us, (int64_t)0));
		put(w, " ago.");
	}
	message_url(w->m, &p, &url);
	if (url.n > 0)
		buf_addf(w->out, "\n%s", url.p);
	if (w->it->ack_url != NULL && message_problem(e))
		buf_addf(w->out, "\nAcknowledge: %s", w->it->ack_url);
}

void
message_line(const struct alert_message *m, const struct alert_item *it,
    message_escape *escape, struct buf *out)
{
	const struct alert_event *e = &it->row->event;
	const struct pen w = {m, it, e, escape, out};
	const char *why = reason(e);

	title_one(&w);
	if (message_problem(e) && e->kind != ALERT_CERT) {
		put(&w, ", since ");
		put_time(&w, e->incident_us != 0 ? e->incident_us : e->at_us);
	}
	if (why[0] != '\0') {
		put(&w, ": ");
		put_value(&w, why);
	}
	if (it->late)
		put(&w, " (sent late)");
}

void
message_default_text(const struct alert_message *m,
    const struct alert_part *p, message_escape *escape, struct buf *out)
{
	const struct alert_item *it = &m->items[p->first];
	const struct pen w = {m, it, &it->row->event, escape, out};
	BUF_AUTO(url, 4096);

	if (m->n == 1 || !m->channel->kind->grouped) {
		text_one(&w);
	} else {
		for (size_t i = p->first; i < p->first + p->n; i++) {
			if (i > p->first)
				buf_addc(out, '\n');
			message_line(m, &m->items[i], escape, out);
		}
		message_url(m, &(struct alert_part){.n = m->n}, &url);
		if (url.n > 0)
			buf_addf(out, "\n%s", url.p);
	}
	if (m->instead_of != NULL) {
		buf_adds(out, "\nSent here because channel ");
		message_value(out, escape, str_of(m->instead_of));
		buf_adds(out, " does not deliver.");
	}
}

/* -- with the channel's templates ----------------------------------------------- */

/* " (2/5)": of the parts that this one is of, as far as they are known. */
static void
title_part(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	size_t at = 0, n = 0;

	if (!m->channel->kind->grouped)
		return;
	for (size_t i = 0; i < m->nparts; i++) {
		if (m->parts[i].copy != 0)
			continue;
		n++;
		at = m->parts[i].first == p->first ? n : at;
	}
	if (n > 1)
		buf_addf(out, " (%zu/%zu)", at, n);
}

void
message_title(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out)
{
	BUF_AUTO(own, ALERT_TEXT);

	if (m->channel->title == NULL) {
		message_default_title(m, p, escape, out);
	} else {
		message_fill(m, p, m->channel->title, escape, &own);
		text_line(out, buf_str(&own), ALERT_TEXT);
	}
	title_part(m, p, out);
}

void
message_text(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out)
{
	if (m->channel->body == NULL)
		message_default_text(m, p, escape, out);
	else
		message_fill(m, p, m->channel->body, escape, out);
}

void
message_joined(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out)
{
	message_title(m, p, escape, out);
	buf_addc(out, '\n');
	message_text(m, p, escape, out);
}

static void
fit_render(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out)
{
	if (m->channel->kind->joined)
		message_joined(m, p, escape, out);
	else
		message_text(m, p, escape, out);
}

#define MORE "\xe2\x80\xa6"

void
message_fit(const struct alert_message *m, const struct alert_part *p,
    struct buf *out)
{
	const struct alert_kind_row *k = m->channel->kind;
	size_t max = k->text_max, n;
	BUF_AUTO(text, ALERT_BODY_MAX);
	BUF_AUTO(plain, ALERT_BODY_MAX);

	fit_render(m, p, k->escape, &text);
	if (k->plain_counts || text_size(buf_str(&text), k->measure) > max)
		fit_render(m, p, NULL, &plain);
	if (text_size(buf_str(k->plain_counts ? &plain : &text),
	    k->measure) <= max) {
		buf_add(out, buf_str(&text));
		return;
	}
	/* The escapes of what is cut off must not stay behind: cut first. */
	for (n = max - sizeof(MORE); n > 0; n = n * 3 / 4) {
		struct str head = text_cut(buf_str(&plain), n, k->measure);

		buf_clear(&text);
		if (k->escape != NULL)
			k->escape(&text, head);
		else
			buf_add(&text, head);
		buf_adds(&text, MORE);
		if (k->plain_counts ||
		    text_size(buf_str(&text), k->measure) <= max)
			break;
	}
	buf_add(out, buf_str(&text));
}

/* probe_show.c: the verdict first, then the phases as bars on one time axis
 * (on a terminal), then what the type has to say. */
#include "probe_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "model/status.h"

#define BAR_WIDTH  40
#define OUTPUT_MAX (1u << 20)

static enum status
status_of(enum why w)
{
	if (w == WHY_OK)
		return STATUS_UP;
	if (why_is_degraded(w))
		return STATUS_DEGRADED;
	return why_is_local(w) ? STATUS_UNKNOWN : STATUS_DOWN;
}

/* -- for people ----------------------------------------------------------- */

static const char *
colour(enum status s)
{
	switch (s) {
	case STATUS_UP:
		return "\033[32m";
	case STATUS_DOWN:
		return "\033[31m";
	case STATUS_UNKNOWN:
	case STATUS_LATE:
	case STATUS_DEGRADED:
	case STATUS_PENDING:
	case STATUS_PAUSED:
	case STATUS_NMAX:
		break;
	}
	return "\033[33m";
}

static void
bar(struct buf *b, int64_t from, int64_t ns, int64_t total)
{
	int64_t a = from * BAR_WIDTH / total;
	int64_t z = (from + ns) * BAR_WIDTH / total;

	for (int64_t i = 0; i < a; i++)
		buf_adds(b, "·");
	buf_adds(b, z > a ? "" : "▏");   /* too short for a column */
	for (int64_t i = a; i < z; i++)
		buf_adds(b, "█");
	for (int64_t i = MAX(z, a + 1); i < BAR_WIDTH; i++)
		buf_adds(b, "·");
}

static void
phases_text(struct buf *b, const struct outcome *o, bool picture)
{
	int64_t total = 0, from = 0;

	for (int i = 0; i < PHASE_NMAX; i++)
		total += MAX(o->phase_ns[i], 0);
	for (int i = 0; i < PHASE_NMAX; i++) {
		if (o->phase_ns[i] < 0)
			continue;
		buf_addf(b, "%-12s %10.3f ms", phase_name((enum phase)i),
		    (double)o->phase_ns[i] / 1e6);
		if (picture && total > 0) {
			buf_adds(b, "  ");
			bar(b, from, o->phase_ns[i], total);
		}
		buf_addc(b, '\n');
		from += o->phase_ns[i];
	}
}

static void
cert_text(struct buf *b, const struct check *c)
{
	int64_t at = c->out.cert_expiry_s;
	int64_t left = at - world_wall_us(c->env->world) / US_PER_S;
	char when[TIME_TEXT], human[TIME_TEXT];

	if (at == 0)
		return;
	(void)time_format_utc(at * US_PER_S, when);
	(void)time_format_human((left < 0 ? -left : left) * NS_PER_S, human);
	buf_addf(b, left < 0 ? "certificate  ended %s (%s ago)\n" :
	    "certificate  ends %s (in %s)\n", when, human);
}

static void
details_text(struct buf *b, const char *details)
{
	struct str rest = str_of(details), line, name, value;

	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &line);
		value = str_trim(str_cut(line, ':', &name));
		buf_addf(b, "%-12.*s ", (int)name.n, name.p);
		text_line(b, value, value.n + 1);
		buf_addc(b, '\n');
	}
}

static void
show_text(const struct check *c, struct buf *b)
{
	const struct outcome *o = &c->out;
	enum status s = status_of(o->why);
	bool picture = isatty(STDOUT_FILENO) != 0;
	bool paint = picture && getenv("NO_COLOR") == NULL;
	BUF_AUTO(target, 4096);
	char peer[PEER_TEXT];

	if (c->kind->conf.target != NULL)
		c->kind->conf.target(c->conf->own, &target);
	buf_addf(b, "%s%s%s  %s ", paint ? colour(s) : "", status_name(s),
	    paint ? "\033[0m" : "", c->kind->conf.name);
	text_line(b, buf_str(&target), 512);
	buf_addf(b, "  %.3f ms\n", (double)o->latency_ns / 1e6);
	if (o->why != WHY_OK) {
		buf_addf(b, "%-12s %s (%s)\n", "why", why_text(o->why),
		    why_name(o->why));
		if (o->reason[0] != '\0') {
			buf_addf(b, "%-12s ", "reason");
			text_line(b, str_of(o->reason), REASON_MAX);
			buf_addc(b, '\n');
		}
	}
	if (peer_text(&o->peer, peer)[0] != '\0')
		buf_addf(b, "%-12s %s\n", "peer", peer);
	phases_text(b, o, picture);
	cert_text(b, c);
	if (o->details != NULL)
		details_text(b, o->details);
}

/* -- as JSON --------------------------------------------------------------- */

/* "name: value" lines; a name that comes again makes its value a list. */
static json_t *
details_json(const char *details)
{
	json_t *o = json_object();
	struct str rest = str_of(details), line, name, value;

	while (rest.n > 0) {
		BUF_AUTO(clean, OUTPUT_MAX);
		char key[64];
		json_t *was, *v;

		rest = str_cut(rest, '\n', &line);
		value = str_trim(str_cut(line, ':', &name));
		(void)text_copy(key, sizeof(key), name);
		text_line(&clean, value, value.n + 1);
		v = json_string(clean.n > 0 ? clean.p : "");
		was = json_object_get(o, key);
		if (was == NULL) {
			(void)json_object_set_new(o, key, v);
		} else if (json_is_array(was)) {
			(void)json_array_append_new(was, v);
		} else {
			json_t *list = json_pack("[O, o]", was, v);

			(void)json_object_set_new(o, key, list);
		}
	}
	return o;
}

static json_t *
phases_json(const struct outcome *o)
{
	json_t *p = json_object();
	char key[40];

	for (int i = 0; i < PHASE_NMAX; i++) {
		(void)snprintf(key, sizeof(key), "%s_us",
		    phase_name((enum phase)i));
		(void)json_object_set_new(p, key, o->phase_ns[i] < 0 ?
		    json_null() : json_integer(o->phase_ns[i] / NS_PER_US));
	}
	return p;
}

static json_t *
text_or_null(const char *s)
{
	return s[0] != '\0' ? json_string(s) : json_null();
}

static void
show_json(const struct check *c, struct buf *b)
{
	const struct outcome *o = &c->out;
	json_t *j = json_object(), *evidence = NULL;
	BUF_AUTO(target, 4096);
	char peer[PEER_TEXT], when[TIME_TEXT] = "";
	char *text;

	if (c->kind->conf.target != NULL)
		c->kind->conf.target(c->conf->own, &target);
	if (o->evidence != NULL)
		evidence = json_loads(o->evidence, 0, NULL);
	if (o->cert_expiry_s != 0)
		(void)time_format_utc(o->cert_expiry_s * US_PER_S, when);
	(void)json_object_set_new(j, "type", json_string(c->kind->conf.name));
	(void)json_object_set_new(j, "target",
	    text_or_null(target.n > 0 ? target.p : ""));
	(void)json_object_set_new(j, "status",
	    json_string(status_name(status_of(o->why))));
	(void)json_object_set_new(j, "why", json_string(why_name(o->why)));
	(void)json_object_set_new(j, "reason", text_or_null(o->reason));
	(void)json_object_set_new(j, "latency_us",
	    json_integer(o->latency_ns / NS_PER_US));
	(void)json_object_set_new(j, "phases", phases_json(o));
	(void)json_object_set_new(j, "code", json_integer(o->code));
	(void)json_object_set_new(j, "bytes", json_integer(o->bytes));
	(void)json_object_set_new(j, "peer",
	    text_or_null(peer_text(&o->peer, peer)));
	(void)json_object_set_new(j, "cert_expires", text_or_null(when));
	(void)json_object_set_new(j, "details",
	    details_json(o->details != NULL ? o->details : ""));
	(void)json_object_set_new(j, "evidence",
	    evidence != NULL ? evidence : json_null());
	text = json_dumps(j, JSON_INDENT(2));
	buf_adds(b, text != NULL ? text : "{}");
	buf_addc(b, '\n');
	free(text);
	json_decref(j);
}

void
probe_show(const struct check *c, bool json)
{
	BUF_AUTO(b, OUTPUT_MAX);

	if (json)
		show_json(c, &b);
	else
		show_text(c, &b);
	(void)fwrite(b.p, 1, b.n, stdout);
	(void)fflush(stdout);
}

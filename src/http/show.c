/* show.c: see show.h. */
#include "http/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "http/field.h"
#include "http/maintenance.h"

double
show_ratio(const struct day_time *d, int n)
{
	int64_t up = 0, down = 0;

	for (int i = 0; i < n; i++) {
		up += d[i].up_us;
		down += d[i].down_us;
	}
	return up + down == 0 ? (double)NAN :
	    (double)up / (double)(up + down);
}

double
show_uptime(struct view *v, uint32_t id, int64_t now_us)
{
	struct day_time days[VIEW_DAYS];

	return view_days(v, id, now_us, days) != ERR_OK ? (double)NAN :
	    show_ratio(days, VIEW_DAYS);
}

const char *
show_reason(const struct view_row *r)
{
	if (r->reason[0] != '\0')
		return r->reason;
	return r->why == WHY_OK ? "" : why_text((enum why)r->why);
}

static void
show_latency(struct buf *b, const char *key, int64_t us)
{
	if (us < 0)
		field_null(b, key);
	else
		field_int(b, key, us);
}

/* Passwords are masked for everybody here; export shows them to admins. */
static void
show_config(struct buf *b, const struct monitor_conf *c, enum scope scope)
{
	json_t *j = monitor_conf_json(c, OPT_SECRETS_MASK);

	(void)json_object_del(j, "token");
	if (scope >= SCOPE_WRITE && c->token != NULL)
		(void)json_object_set_new(j, "token", json_string(c->token));
	field_json(b, "config", j);
	json_decref(j);
}

static void
show_target(struct buf *b, const struct monitor_conf *c)
{
	BUF_AUTO(t, 4096);

	if (c->kind->target != NULL)
		c->kind->target(c->own, &t);
	field_word(b, "target", buf_ok(&t) ? t.p : NULL);
}

static void
show_identity(struct buf *b, const struct monitor_conf *c)
{
	const char *slash = strrchr(c->path, '/');

	field_u64(b, "id", c->id);
	field_text(b, "name", slash != NULL ? slash + 1 : c->path);
	field_text(b, "path", c->path);
	if (slash != NULL)
		field_str(b, "group",
		    (struct str){c->path, (size_t)(slash - c->path)});
	else
		field_null(b, "group");
	field_text(b, "type", c->kind->name);
}

void
show_monitor(struct buf *b, struct view *v, const struct view_row *r,
    enum scope scope, int64_t now_us)
{
	const struct monitor_conf *c = r->conf;

	field_open(b, NULL, '{');
	show_identity(b, c);
	field_text(b, "status", status_name((enum status)r->status));
	field_text(b, "why", why_name((enum why)r->why));
	field_text(b, "reason", show_reason(r));
	field_time(b, "since", r->since_us);
	field_time(b, "last", r->last_us);
	show_latency(b, "latency_us", r->latency_us);
	field_flag(b, "paused", c->paused || r->status == STATUS_PAUSED);
	field_text(b, "origin", origin_name(c->origin));
	field_flag(b, "archived", c->archived);
	field_u64(b, "version", c->version);
	show_target(b, c);
	field_open(b, "tags", '[');
	for (size_t i = 0; i < c->tags.n; i++)
		field_text(b, NULL, c->tags.v[i]);
	field_next(b, ']');
	field_word(b, "description", c->description);
	if (c->kind->drive == DRIVE_GROUP)
		field_u64(b, "members", r->members);
	else
		field_null(b, "members");
	field_time(b, "cert_expires", r->cert_expiry_s * US_PER_S);
	field_real(b, "uptime_90d", show_uptime(v, c->id, now_us), 6);
	field_time(b, "next_deadline", r->deadline_us);
	maintenance_field(b, v, r, now_us);
	show_config(b, c, scope);
	field_next(b, '}');
}

void
show_sample(struct buf *b, const struct sample *s)
{
	char text[PEER_TEXT];

	field_open(b, NULL, '{');
	field_u64(b, "monitor", s->monitor);
	field_u64(b, "node", s->node);
	field_u64(b, "seq", s->seq);
	field_time(b, "due", s->due_us);
	field_time(b, "at", s->at_us);
	field_text(b, "status", status_name((enum status)s->status));
	field_text(b, "why", why_name((enum why)s->why));
	field_word(b, "reason", s->reason);
	show_latency(b, "latency_us", s->latency_us);
	field_open(b, "phases", '{');
	for (int i = 0; i < PHASE_NMAX; i++) {
		char key[32];

		if (s->phase_us[i] < 0)
			continue;
		snprintf(key, sizeof(key), "%s_us", phase_name((enum phase)i));
		field_int(b, key, s->phase_us[i]);
	}
	field_next(b, '}');
	field_int(b, "lag_us", s->lag_us);
	field_u64(b, "bytes", s->bytes);
	if (s->code != 0)
		field_int(b, "code", s->code);
	else
		field_null(b, "code");
	field_word(b, "peer", peer_text(&s->peer, text));
	field_flag(b, "recheck", s->recheck);
	field_time(b, "cert_expires", s->cert_expiry_s * US_PER_S);
	field_next(b, '}');
}

static void
show_name(struct buf *b, struct view *v, uint32_t monitor)
{
	struct view_row row;

	if (view_get(v, monitor, &row) != ERR_OK) {
		field_null(b, "name");   /* deleted since */
		return;
	}
	field_text(b, "name", row.conf->path);
	view_row_release(&row);
}

void
show_transition(struct buf *b, const char *key, struct view *v,
    const struct stored_transition *t)
{
	field_open(b, key, '{');
	field_u64(b, "id", t->id);
	field_u64(b, "monitor", t->t.monitor);
	show_name(b, v, t->t.monitor);
	field_time(b, "at", t->t.at_us);
	field_text(b, "from", status_name((enum status)t->t.from));
	field_text(b, "to", status_name((enum status)t->t.to));
	field_text(b, "why", why_name((enum why)t->t.why));
	field_word(b, "reason", t->t.reason);
	if (t->t.seq != 0)
		field_u64(b, "seq", t->t.seq);
	else
		field_null(b, "seq");
	field_next(b, '}');
}

void
show_event(struct buf *b, const struct event *e)
{
	field_open(b, NULL, '{');
	field_u64(b, "id", e->id);
	field_time(b, "at", e->at_us);
	field_text(b, "kind", event_kind_name((enum event_kind)e->kind));
	field_word(b, "actor", e->actor);
	field_word(b, "subject", e->subject);
	if (e->monitor != 0)
		field_u64(b, "monitor", e->monitor);
	else
		field_null(b, "monitor");
	field_word(b, "text", e->text);
	if (e->kind == EVENT_TRANSITION) {
		field_text(b, "from", status_name((enum status)e->from));
		field_text(b, "to", status_name((enum status)e->to));
		field_text(b, "why", why_name((enum why)e->why));
	} else {
		field_null(b, "from");
		field_null(b, "to");
		field_null(b, "why");
	}
	field_next(b, '}');
}

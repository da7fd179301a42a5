/* incidents.c: see incidents.h. */
#include "http/incidents.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/field.h"
#include "http/history.h"
#include "http/incident_show.h"
#include "http/park.h"
#include "http/server.h"

/* -- reading ----------------------------------------------------------------- */

static bool
read_which(struct req *q, enum incident_which *ret)
{
	static const char *const names[] = {
		[INCIDENT_ANY] = "any", [INCIDENT_OPEN] = "open",
		[INCIDENT_CLOSED] = "closed",
	};
	struct str v = req_arg(q, "state");

	*ret = INCIDENT_ANY;
	if (v.p == NULL)
		return true;
	for (unsigned i = 0; i < COUNT(names); i++)
		if (str_is(v, names[i])) {
			*ret = (enum incident_which)i;
			return true;
		}
	answer_problem(&q->out, 400, "state",
	    "state is none; allowed: any, open, closed");
	return false;
}

enum flow
incidents_list(struct req *q)
{
	struct incident_query iq = {.to_us = INT64_MAX};
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct incident *v = NULL;
	uint64_t monitor = 0;
	size_t n = 0;
	enum err e;

	if (!read_which(q, &iq.which) ||
	    !req_arg_u64(q, "monitor", UINT32_MAX, &monitor) ||
	    !history_window(q, &iq.from_us, &iq.to_us) ||
	    !req_arg_page(q, 'i', &iq.limit, &iq.before_id))
		return ANSWERED;
	iq.monitor = (uint32_t)monitor;
	e = query_incidents(q->reader, &iq, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++) {
		field_open(&b, NULL, '{');
		incident_members(&b, q->h->view, &v[i]);
		field_next(&b, '}');
	}
	req_list_end(&b, 'i', n == iq.limit && v[n - 1].id > 1 ?
	    v[n - 1].id : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

static void
tag(struct req *q, const struct incident *i)
{
	char etag[32];

	(void)snprintf(etag, sizeof(etag), "\"%llu\"",
	    (unsigned long long)i->version);
	answer_header(&q->out, "ETag", etag);
}

enum flow
incidents_get(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct incident i;
	enum err e = query_incident(q->reader, q->id, &i, &ei);

	if (e == ERR_NOT_FOUND)
		(void)fail(&ei, e, "there is no incident %u", q->id);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	incident_members(&b, q->h->view, &i);
	e = incident_timeline(q, &b, &i, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, 200, answer_json, &b);
	tag(q, &i);
	return ANSWERED;
}

/* -- writing ------------------------------------------------------------------- */

static void
after(struct req *q)
{
	const struct incident_unit *u = q->incident;
	BUF_AUTO(b, ANSWER_BODY_MAX);
	char at[64];

	if (q->e == ERR_CONFLICT && u->if_version != 0 &&
	    u->now.version != u->if_version) {
		answer_problem(&q->out, 412, "If-Match", "the incident was"
		    " changed meanwhile: read it again");
		return;
	}
	if (q->e != ERR_OK) {
		answer_fail(&q->out, q->e, q->ei);
		return;
	}
	buf_addc(&b, '{');
	incident_members(&b, q->h->view, &u->now);
	if (u->update.incident != 0)
		incident_update_show(&b, "update", &u->update);
	field_close(&b, '}');
	buf_addc(&b, '\n');
	answer_take(&q->out, q->made, answer_json, &b);
	tag(q, &u->now);
	(void)snprintf(at, sizeof(at), "/api/v1/incidents/%llu",
	    (unsigned long long)u->now.id);
	if (u->op == INCIDENT_CREATE)
		answer_header(&q->out, "Location", at);
}

static enum flow
send_unit(struct req *q, enum incident_op op, enum incident_body kind)
{
	struct incident_unit *u = incident_unit_new(op);
	json_t *body = NULL;
	struct errinfo ei = {0};
	enum err e = ERR_OK;

	q->incident = u;   /* and goes with it */
	q->after = after;
	q->made = op == INCIDENT_CREATE || op == INCIDENT_UPDATE ? 201 : 200;
	u->id = q->id;
	u->if_version = q->if_version;
	(void)text_copy(u->actor, sizeof(u->actor), str_of(q->actor));
	if (op != INCIDENT_DELETE) {
		body = req_body_json(q);
		if (body == NULL)
			return ANSWERED;
		e = incident_conf_read(body, kind, &u->conf, &ei);
		json_decref(body);
	}
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	u->unit.bytes += q->body.n;
	(void)!park_unit(q, &u->unit);
	return WAITING;
}

enum flow
incidents_create(struct req *q)
{
	return send_unit(q, INCIDENT_CREATE, INCIDENT_BODY_NEW);
}

/* The version of If-Match is compared where it is changed; here it only must
 * be one. */
static bool
read_match(struct req *q)
{
	struct str v = str_trim(str_of(MHD_lookup_connection_value(q->conn,
	    MHD_HEADER_KIND, "If-Match")));

	q->if_version = 0;
	if (v.n == 0 || str_is(v, "*"))
		return true;
	if (v.n > 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' &&
	    str_u64((struct str){v.p + 1, v.n - 2}, INT64_MAX,
	    &q->if_version) && q->if_version != 0)
		return true;
	answer_problem(&q->out, 412, "If-Match", "If-Match is no version of an"
	    " incident: read it again");
	return false;
}

enum flow
incidents_change(struct req *q)
{
	return read_match(q) ? send_unit(q, INCIDENT_CHANGE,
	    INCIDENT_BODY_CHANGE) : ANSWERED;
}

enum flow
incidents_update(struct req *q)
{
	return send_unit(q, INCIDENT_UPDATE, INCIDENT_BODY_UPDATE);
}

enum flow
incidents_delete(struct req *q)
{
	return send_unit(q, INCIDENT_DELETE, INCIDENT_BODY_UPDATE);
}

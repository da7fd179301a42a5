/* route_rig.h: a plan out of a few lines of configuration, and a monitor that
 * goes through statuses. After conf_rig.h. */
#ifndef TESTS_ROUTE_RIG_H
#define TESTS_ROUTE_RIG_H

#include <stdio.h>

#include "base/time.h"
#include "conf_rig.h"
#include "route/route.h"

#define T0  INT64_C(1766336400000000)   /* Sunday 2025-12-21 17:00 UTC */
#define SEC US_PER_S
#define CHANNELS \
	"channels:\n" \
	"  - {name: a, type: ntfy, url: 'http://n', topic: t}\n" \
	"  - {name: b, type: ntfy, url: 'http://n', topic: t}\n" \
	"  - {name: c, type: ntfy, url: 'http://n', topic: t}\n" \
	"  - {name: d, type: ntfy, url: 'http://n', topic: t}\n"

struct rig {
	struct document *doc;
	struct route_plan *plan;
	struct monitor_conf *m;
	struct mon_state st;
	struct route_rows rows;   /* of the last step */
	bool save;                /* what it said */
	int64_t at;
};

static UNUSED struct rig
rig_make(const char *yaml)
{
	struct rig r = {.doc = rig_document(yaml), .at = T0};
	struct strings names = {0};
	struct errinfo ei = {0};
	char *v[8];

	names.v = v;
	for (size_t i = 0; i < r.doc->nchannels; i++)
		v[names.n++] = r.doc->channels[i].name;
	if (route_plan_make(&r.doc->settings, &names, &r.plan, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	r.m = r.doc->monitors[0];
	r.m->id = 7;
	r.st.monitor = 7;
	r.st.status = STATUS_PENDING;
	return r;
}

static UNUSED void
rig_free(struct rig *r)
{
	xfree(r->rows.v);
	route_plan_unref(r->plan);
	document_free(r->doc);
}

/* One more sample s after the last, with this status. */
static UNUSED void
rig_step(struct rig *r, enum status to, int64_t after_us)
{
	struct route_event e = {.conf = r->m, .from = r->st.status,
		.to = (uint8_t)to, .why = WHY_TIMEOUT, .latency_us = -1,
		.reason = "because"};

	r->at += after_us;
	e.at_us = r->at;
	xfree(r->rows.v);
	r->rows = (struct route_rows){0};
	alerting_note(&r->st.alerting, e.from != e.to &&
	    e.from != STATUS_PENDING && e.from != STATUS_UNKNOWN);
	r->st.status = (uint8_t)to;
	r->save = route_step(r->plan, &e, &r->st, &r->rows);
}

/* "open a, open b+1@300": kind, channel, step, seconds until it is sent; in
 * the order in which they were made. */
static UNUSED void
rig_text(const struct rig *r, struct buf *b)
{
	for (size_t i = 0; i < r->rows.n; i++) {
		const struct outbox_row *o = &r->rows.v[i];

		buf_addf(b, "%s%s %s", i > 0 ? ", " : "",
		    alert_kind_name((enum alert_kind)o->event.kind),
		    o->channel);
		if (o->step > 0)
			buf_addf(b, "+%u", o->step);
		if (o->next_us != r->at)
			buf_addf(b, "@%lld",
			    (long long)((o->next_us - r->at) / SEC));
	}
}

static UNUSED void
rig_told(const struct rig *r, const char *want)
{
	BUF_AUTO(b, 8192);

	rig_text(r, &b);
	assert_string_equal(b.n > 0 ? b.p : "", want);
}

#define STEP(r, to, after_s, want) do { \
	rig_step((r), (to), (after_s) * SEC); \
	rig_told((r), (want)); \
} while (0)

#endif

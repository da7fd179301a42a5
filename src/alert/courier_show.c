/* courier_show.c: how channels do, for metrics and the API. Any thread. */
#include "alert/courier_impl.h"
#include "base/prom.h"
#include "base/time.h"

static const char *const results[] = {
	[OUTBOX_SENT] = "sent", [OUTBOX_SUPPRESSED] = "suppressed",
	[OUTBOX_COLLAPSED] = "collapsed", [OUTBOX_REFUSED] = "refused",
	[OUTBOX_EXPIRED] = "expired",
};

void
courier_metrics(struct courier *c, struct buf *out)
{
	static const char pending[] = "vedette_outbox_pending";
	static const char total[] = "vedette_alerts_total";

	pthread_mutex_lock(&c->mu);
	prom_family(out, pending, "gauge",
	    "Alerts that wait to be sent, by channel.");
	for (size_t i = 0; i < c->nglances; i++) {
		const struct prom_label l = PROM_LABEL("channel",
		    str_of(c->glances[i].health.channel));

		prom_u64(out, pending, &l, 1, c->glances[i].pending);
	}
	prom_family(out, total, "counter", "What became of alerts, by channel"
	    " and result; failed counts attempts.");
	for (size_t i = 0; i < c->nglances; i++) {
		const struct glance *g = &c->glances[i];

		for (size_t k = OUTBOX_SENT; k <= OUTBOX_STATE_NMAX; k++) {
			bool failed = k == OUTBOX_STATE_NMAX;
			const struct prom_label l[] = {
				PROM_LABEL("channel",
				    str_of(g->health.channel)),
				PROM_LABEL("result", str_of(failed ?
				    "failed" : results[k])),
			};

			prom_u64(out, total, l, COUNT(l), failed ? g->failed :
			    g->ended[k]);
		}
	}
	pthread_mutex_unlock(&c->mu);
}

static json_t *
when(int64_t us)
{
	char text[TIME_TEXT];

	return us == 0 ? json_null() : json_string(time_format_utc(us, text));
}

json_t *
courier_channels(struct courier *c)
{
	json_t *all = json_object();

	pthread_mutex_lock(&c->mu);
	for (size_t i = 0; i < c->nglances; i++) {
		const struct glance *g = &c->glances[i];
		json_t *one = json_pack("{s:s,s:i,s:i,s:i,s:o,s:o,s:o,s:o,s:s}",
		    "state", g->health.failing_since_us != 0 ? "failing" :
		    g->health.ok_us != 0 ? "working" : "unused",
		    "pending", (int)g->pending, "held", (int)g->held,
		    "failures", (int)g->health.failures,
		    "failing_since", when(g->health.failing_since_us),
		    "last_sent", when(g->health.ok_us),
		    "last_failed", when(g->health.failed_us),
		    "next_attempt", when(g->retry_us),
		    "last_error", g->health.error);

		if (one != NULL && g->known)
			(void)json_object_set_new(all, g->health.channel, one);
		else
			json_decref(one);
	}
	pthread_mutex_unlock(&c->mu);
	return all;
}

/* account.c: see account.h. */
#include "http/account.h"

#include "base/mem.h"
#include "base/time.h"
#include "http/field.h"
#include "http/history.h"
#include "http/server.h"
#include "store/latency.h"
#include "store/uptime_query.h"
#include "world/world.h"

#define UPTIME_DAYS 90
#define DAY_US (86400 * US_PER_S)

/* Beyond, a calendar has no dates that anyone could read. */
#define YEAR_1     (INT64_C(-62135596800) * US_PER_S)
#define YEAR_10000 (INT64_C(253402300800) * US_PER_S)

static bool
account_window(struct req *q, int64_t *from, int64_t *to)
{
	if (!history_window(q, from, to))
		return false;
	if (*from >= YEAR_1 && *to < YEAR_10000)
		return true;
	answer_problem(&q->out, 400, *from < YEAR_1 ? "from" : "to",
	    "not a time of the years 1 to 9999");
	return false;
}

static void
account_seconds(struct buf *b, const char *key, int64_t us)
{
	if (us < 0)
		field_null(b, key);
	else
		field_real(b, key, (double)us / (double)US_PER_S, 3);
}

static void
account_words(struct buf *b, const char *key, bool (*is)(enum status s))
{
	bool first = true;

	field_key(b, key);
	buf_addc(b, '[');
	for (int s = 0; s < STATUS_NMAX; s++) {
		if (!is((enum status)s))
			continue;
		buf_addf(b, "%s\"%s\"", first ? "" : ",",
		    status_name((enum status)s));
		first = false;
	}
	buf_adds(b, "],");
}

static bool
is_up(enum status s)
{
	return status_up(s) > 0;
}

static bool
is_down(enum status s)
{
	return status_up(s) == 0;
}

static bool
is_neither(enum status s)
{
	return status_up(s) < 0;
}

/* With every figure goes what it means. */
static void
account_rules(struct buf *b, const struct uptime_query *q)
{
	field_open(b, "rules", '{');
	field_text(b, "ratio", "up / (up + down), weighted by time; null when "
	    "neither is known");
	account_words(b, "up", is_up);
	account_words(b, "down", is_down);
	account_words(b, "excluded", is_neither);
	field_text(b, "gaps", "excluded: while vedette was not running, time "
	    "is unknown");
	field_text(b, "maintenance", q->count_maintenance ?
	    "included: counts as the status says" :
	    "excluded: counts as neither up nor down");
	field_text(b, "edges", "exact, cut at the monitor's creation and now");
	field_text(b, "outages", "unbroken times down that touch the window; "
	    "longest and mttr (of those that ended) by what is counted of "
	    "them, mtbf is up / outages");
	field_next(b, '}');
}

static void
account_figures(struct buf *b, const struct uptime *u)
{
	field_real(b, "ratio", u->ratio, 8);
	account_seconds(b, "up_seconds", u->up_us);
	account_seconds(b, "down_seconds", u->down_us);
	account_seconds(b, "degraded_seconds", u->degraded_us);
	account_seconds(b, "unknown_seconds", u->unknown_us);
	account_seconds(b, "paused_seconds", u->paused_us);
	account_seconds(b, "pending_seconds", u->pending_us);
	account_seconds(b, "maintenance_seconds", u->maintenance_us);
	field_u64(b, "outages", u->outages);
	account_seconds(b, "longest_seconds", u->longest_us);
	account_seconds(b, "mttr_seconds", u->mttr_us);
	account_seconds(b, "mtbf_seconds", u->mtbf_us);
}

static bool
account_maintenance(struct req *q, struct uptime_query *uq)
{
	struct str v = req_arg(q, "maintenance");

	if (v.p == NULL || str_is(v, "exclude"))
		return true;
	uq->count_maintenance = str_is(v, "include");
	if (!uq->count_maintenance)
		answer_problem(&q->out, 400, "maintenance",
		    "maintenance is neither exclude nor include");
	return uq->count_maintenance;
}

static bool
account_asked(struct req *q, struct uptime_query *uq)
{
	uq->to_us = clock_wall_us();
	uq->from_us = uq->to_us - UPTIME_DAYS * DAY_US;
	return account_window(q, &uq->from_us, &uq->to_us) &&
	    account_maintenance(q, uq);
}

static enum flow
account_answer(struct req *q, struct buf *b)
{
	field_close(b, '}');
	buf_addc(b, '\n');
	answer_take(&q->out, 200, answer_json, b);
	return ANSWERED;
}

enum flow
account_uptime(struct req *q)
{
	BUF_AUTO(b, 8192);
	struct uptime_query uq = {0};
	struct errinfo ei = {0};
	struct uptime u;
	enum err e;

	if (!history_known(q) || !account_asked(q, &uq))
		return ANSWERED;
	e = query_uptime(q->reader, q->id, &uq, &u, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	field_u64(&b, "monitor", q->id);
	field_time(&b, "from", u.from_us);
	field_time(&b, "to", u.to_us);
	account_figures(&b, &u);
	account_rules(&b, &uq);
	return account_answer(q, &b);
}

/* -- by day ---------------------------------------------------------------- */

/* A bare date is the beginning of that day in the zone. */
static bool
account_day(struct req *q, const char *name, const struct zone *z,
    int64_t *ret_us)
{
	struct str v = req_arg(q, name);
	bool date = v.n == 10 && memchr(v.p, 'T', v.n) == NULL &&
	    memchr(v.p, '-', v.n) != NULL;

	if (!req_arg_time(q, name, ret_us))
		return false;
	if (*ret_us < YEAR_1 || *ret_us >= YEAR_10000) {
		answer_problem(&q->out, 400, name,
		    "not a time of the years 1 to 9999");
		return false;
	}
	if (v.p != NULL && date)
		*ret_us = zone_day_start(z, (int32_t)(*ret_us / DAY_US -
		    (*ret_us % DAY_US < 0)));
	return true;
}

static bool
account_zone(struct req *q, struct zone **ret, char name[ZONE_NAME_MAX + 1])
{
	struct str v = req_arg(q, "zone");
	struct errinfo ei = {0};
	enum err e;

	if (v.p == NULL)
		v = str_of(q->h->c.settings->status_page.time_zone);
	snprintf(name, ZONE_NAME_MAX + 1, "%.*s", (int)MIN(v.n,
	    (size_t)ZONE_NAME_MAX), v.p);
	e = v.n > ZONE_NAME_MAX ? fail(&ei, ERR_INVALID, "more than %d "
	    "characters", ZONE_NAME_MAX) : zone_load(name, ret, &ei);
	if (e != ERR_OK)
		answer_problem(&q->out, 400, "zone", "zone: %s", ei.text);
	return e == ERR_OK;
}

static void
account_item(struct buf *b, const struct uptime_day *d)
{
	char date[TIME_TEXT];

	field_open(b, NULL, '{');
	field_text(b, "date", zone_day_text(d->day, date));
	field_time(b, "from", d->from_us);
	field_time(b, "to", d->to_us);
	account_seconds(b, "seconds", d->to_us - d->from_us);
	account_figures(b, &d->u);
	field_next(b, '}');
}

enum flow
account_days(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct zone *z CLEANUP(zone_freep) = NULL;
	struct uptime_day *v CLEANUP(xfreep) = NULL;
	struct uptime_query uq = {0};
	struct errinfo ei = {0};
	char name[ZONE_NAME_MAX + 1];
	size_t n = 0;
	enum err e;

	if (!history_known(q) || !account_zone(q, &z, name))
		return ANSWERED;
	uq.to_us = clock_wall_us();
	uq.from_us = zone_day_start(z, zone_day(z, uq.to_us) -
	    UPTIME_DAYS + 1);
	if (!account_day(q, "from", z, &uq.from_us) ||
	    !account_day(q, "to", z, &uq.to_us) ||
	    !account_maintenance(q, &uq))
		return ANSWERED;
	if (uq.from_us >= uq.to_us)
		return req_bad(q, 400, "from", "from is not before to");
	e = query_uptime_days(q->reader, q->id, &uq, z, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	field_u64(&b, "monitor", q->id);
	field_text(&b, "zone", name);
	field_open(&b, "items", '[');
	for (size_t i = 0; i < n; i++)
		account_item(&b, &v[i]);
	field_next(&b, ']');
	field_null(&b, "next");
	account_rules(&b, &uq);
	return account_answer(q, &b);
}

/* -- of all ---------------------------------------------------------------- */
static void
account_one(struct buf *b, struct view *view, const struct uptime_of *o)
{
	struct view_row row;

	field_open(b, NULL, '{');
	field_u64(b, "monitor", o->monitor);
	if (view_get(view, o->monitor, &row) == ERR_OK) {
		field_text(b, "name", row.conf->path);
		view_row_release(&row);
	}
	field_time(b, "from", o->u.from_us);
	field_time(b, "to", o->u.to_us);
	account_figures(b, &o->u);
	field_next(b, '}');
}

enum flow
account_all(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct uptime_of *v CLEANUP(xfreep) = NULL;
	struct uptime_query uq = {0};
	struct errinfo ei = {0};
	uint64_t after;
	unsigned limit;
	size_t n = 0;
	enum err e;

	if (!account_asked(q, &uq) || !req_arg_page(q, 'u', &limit, &after))
		return ANSWERED;
	e = query_uptime_all(q->reader, &uq,
	    (uint32_t)MIN(after, (uint64_t)UINT32_MAX), limit, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	account_rules(&b, &uq);
	field_open(&b, "items", '[');
	for (size_t i = 0; i < n; i++)
		account_one(&b, q->h->view, &v[i]);
	req_list_end(&b, 'u', n == limit ? v[n - 1].monitor : 0);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* -- latency --------------------------------------------------------------- */
static void
account_us(struct buf *b, const char *key, double us, bool known)
{
	if (known)
		field_real(b, key, us, 0);
	else
		field_null(b, key);
}

static void
account_spread(struct buf *b, const struct rollup *r)
{
	bool known = r->lat.n > 0;

	field_u64(b, "samples", r->ok + r->degraded + r->failed + r->voided);
	field_u64(b, "ok", r->ok);
	field_u64(b, "degraded", r->degraded);
	field_u64(b, "failed", r->failed);
	field_u64(b, "voided", r->voided);
	account_us(b, "p50_us", rollup_quantile(r, .5), known);
	account_us(b, "p90_us", rollup_quantile(r, .9), known);
	account_us(b, "p99_us", rollup_quantile(r, .99), known);
	account_us(b, "min_us", (double)r->min_us, known);
	account_us(b, "max_us", (double)r->max_us, known);
	account_us(b, "mean_us", (double)r->sum_us / (double)r->lat.n, known);
	field_flag(b, "damaged", r->damaged);
}

static bool
account_step(struct req *q, int64_t *ret_us)
{
	struct str v = req_arg(q, "step");
	int64_t ns;

	if (v.p == NULL)
		return true;
	if (time_parse_duration(v, &ns) && ns >= NS_PER_S &&
	    ns <= 3660 * DAY_NS) {
		*ret_us = ns / NS_PER_US;
		return true;
	}
	answer_problem(&q->out, 400, "step",
	    "step is not a duration from 1s to 10y, such as 5m");
	return false;
}

enum flow
account_latency(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct latency l CLEANUP(latency_free) = {0};
	struct latency_query lq = {.monitor = q->id};
	struct errinfo ei = {0};
	enum err e;

	lq.to_us = clock_wall_us();
	lq.from_us = lq.to_us - DAY_US;
	if (!history_known(q) || !account_window(q, &lq.from_us, &lq.to_us) ||
	    !account_step(q, &lq.step_us))
		return ANSWERED;
	e = query_latency(q->reader, &lq, &l, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_addc(&b, '{');
	field_u64(&b, "monitor", q->id);
	/* Wider than asked for where only hours or days are left. */
	field_time(&b, "from", l.from_us);
	field_time(&b, "to", l.to_us);
	field_text(&b, "grain", latency_grain_names[l.grain]);
	field_int(&b, "step_seconds", l.step_us / US_PER_S);
	field_real(&b, "error", SKETCH_ERROR, 2);
	field_open(&b, "all", '{');
	account_spread(&b, l.all);
	field_next(&b, '}');
	field_open(&b, "items", '[');
	for (size_t i = 0; i < l.n; i++) {
		field_open(&b, NULL, '{');
		field_time(&b, "from", l.v[i].from_us);
		field_time(&b, "to", l.v[i].to_us);
		account_spread(&b, &l.v[i].r);
		field_next(&b, '}');
	}
	field_next(&b, ']');
	field_null(&b, "next");
	return account_answer(q, &b);
}

/* events.c: see events.h. On a reader's thread. */
#include "http/events.h"

#include "base/mem.h"
#include "http/server.h"
#include "http/show.h"

/* "kind=store,drop": a bit for each. False: out names the parameter. */
static bool
events_kinds(struct req *q, uint32_t *ret)
{
	struct str rest = req_arg(q, "kind"), name;
	BUF_AUTO(known, 512);

	while (rest.n > 0) {
		unsigned k = 0;

		rest = str_cut(rest, ',', &name);
		while (k < EVENT_NMAX &&
		    !str_is(name, event_kind_name((enum event_kind)k)))
			k++;
		if (k < EVENT_NMAX) {
			*ret |= UINT32_C(1) << k;
			continue;
		}
		for (k = 0; k < EVENT_NMAX; k++)
			buf_addf(&known, "%s%s", k > 0 ? ", " : "",
			    event_kind_name((enum event_kind)k));
		answer_problem(&q->out, 400, "kind",
		    "no such kind of event; allowed: %s", known.p);
		return false;
	}
	return true;
}

enum flow
events_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct event *v = NULL;
	bool forward = req_arg(q, "after").p != NULL;
	struct event_query w = {.newest_first = !forward};
	uint64_t cursor, monitor = 0;
	size_t n = 0;
	enum err e;

	if (!req_arg_u64(q, "after", INT64_MAX, &w.after_id) ||
	    !req_arg_page(q, forward ? 'f' : 'e', &w.limit, &cursor) ||
	    !req_arg_u64(q, "monitor", UINT32_MAX, &monitor) ||
	    !req_arg_time(q, "from", &w.from_us) ||
	    !req_arg_time(q, "to", &w.to_us) || !events_kinds(q, &w.kinds))
		return ANSWERED;
	w.monitor = (uint32_t)monitor;
	if (forward)
		w.after_id = MAX(w.after_id, cursor);
	else
		w.before_id = cursor;
	e = query_events(q->reader, &w, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++)
		show_event(&b, &v[i]);
	req_list_end(&b, forward ? 'f' : 'e', n == w.limit ? v[n - 1].id : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* events.c: see events.h. On a reader's thread. */
#include "http/events.h"

#include "base/mem.h"
#include "http/server.h"
#include "http/show.h"

enum flow
events_list(struct req *q)
{
	BUF_AUTO(b, ANSWER_BODY_MAX);
	struct errinfo ei = {0};
	struct event *v = NULL;
	bool forward = req_arg(q, "after").p != NULL;
	uint64_t after = 0, cursor;
	size_t n = 0;
	unsigned limit;
	enum err e;

	if (!req_arg_u64(q, "after", INT64_MAX, &after) ||
	    !req_arg_page(q, forward ? 'f' : 'e', &limit, &cursor))
		return ANSWERED;
	if (forward && cursor > after)
		after = cursor;
	e = query_events(q->reader, after, forward ? 0 : cursor, limit,
	    !forward, &v, &n, &ei);
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	buf_add(&b, STR("{\"items\":["));
	for (size_t i = 0; i < n; i++)
		show_event(&b, &v[i]);
	req_list_end(&b, forward ? 'f' : 'e', n == limit ? v[n - 1].id : 0);
	xfree(v);
	answer_take(&q->out, 200, answer_json, &b);
	return ANSWERED;
}

/* sse.c: see sse.h. Everything here but joining is on the warden's thread. */
#include "http/sse.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "http/field.h"
#include "http/page.h"
#include "http/ring.h"
#include "http/server.h"
#include "http/show.h"

#define EVENTS_AT_ONCE  256u
#define TOUCHED_AT_ONCE 512u

struct sse {
	struct http *h;
	struct live_sub sub;
	atomic_bool news;
	struct ring api, page;
	uint64_t tick;            /* of live_touched */
	int64_t turn_ns, alive_ns;
	unsigned max;
};

/* On the writer's thread. */
static void
sse_wake(struct live_sub *sub)
{
	struct sse *s = CONTAINER(sub, struct sse, sub);

	if (!atomic_exchange(&s->news, true))
		http_poke(s->h);
}

struct sse *
sse_new(struct http *h)
{
	struct sse *s = xcalloc(1, sizeof(*s));

	s->h = h;
	s->max = h->c.settings->limits.sse_clients;
	ring_init(&s->api, SSE_FRAMES);
	ring_init(&s->page, SSE_FRAMES);
	s->sub.wake = sse_wake;
	live_subscribe(h->live, &s->sub);
	return s;
}

void
sse_end(struct sse *s)
{
	ring_end(&s->api);
	ring_end(&s->page);
}

void
sse_close(struct sse *s)
{
	if (s != NULL)
		live_unsubscribe(s->h->live, &s->sub);
}

void
sse_free(struct sse *s)
{
	if (s == NULL)
		return;
	ring_free(&s->api);
	ring_free(&s->page);
	xfree(s);
}

unsigned
sse_clients(struct sse *s)
{
	return ring_count(&s->api) + ring_count(&s->page);
}

/* "id: …, event: …, data: " and one line of JSON. */
static void
sse_head(struct buf *b, uint64_t id, const char *name)
{
	if (id != 0)
		buf_addf(b, "id: %llu\n", (unsigned long long)id);
	buf_addf(b, "event: %s\ndata: ", name);
}

/* The comma that field.h left becomes the end of the line. */
static void
sse_tail(struct buf *b)
{
	if (b->n > 0)
		b->p[b->n - 1] = '\n';
	buf_addc(b, '\n');
}

static void
sse_event(struct buf *b, const struct event *e)
{
	sse_head(b, e->id, event_kind_name((enum event_kind)e->kind));
	show_event(b, e);
	sse_tail(b);
}

/* What the status page may know: that something changed, and how. */
static void
sse_public_event(struct buf *b, struct http *h, const struct event *e)
{
	sse_head(b, e->id, event_kind_name((enum event_kind)e->kind));
	field_open(b, NULL, '{');
	field_time(b, "at", e->at_us);
	if (e->kind == EVENT_TRANSITION)
		page_live_fields(b, h, e->monitor);
	field_next(b, '}');
	sse_tail(b);
}

static void
sse_feed(struct sse *s, struct ring *r, bool page)
{
	struct event *ev;
	uint64_t after;
	unsigned n;
	bool lost = false;

	if (!ring_wants(r, &after))
		return;
	ev = xcalloc(EVENTS_AT_ONCE, sizeof(*ev));
	do {
		n = live_read(s->h->live, after, ev, EVENTS_AT_ONCE, &lost);
		if (lost)
			ring_lose(r, n > 0 ? ev[0].id - 1 :
			    live_last(s->h->live));
		if (lost && n > 0)
			after = ev[0].id - 1;
		for (unsigned i = 0; i < n; i++) {
			BUF_AUTO(b, SSE_FRAME_MAX);
			size_t len;

			if (page)
				sse_public_event(&b, s->h, &ev[i]);
			else
				sse_event(&b, &ev[i]);
			len = b.n;
			if (!ring_add(r, buf_take(&b), len, after, ev[i].id))
				n = 0;   /* restarted: next turn */
			else
				after = ev[i].id;
		}
	} while (n == EVENTS_AT_ONCE);
	xfree(ev);
}

static void
sse_sample(struct buf *b, struct http *h, uint32_t id)
{
	struct view_row row;

	if (view_get(h->view, id, &row) != ERR_OK)
		return;
	sse_head(b, 0, "sample");
	field_open(b, NULL, '{');
	field_u64(b, "monitor", id);
	field_text(b, "status", status_name((enum status)row.status));
	if (row.latency_us >= 0)
		field_int(b, "latency_us", row.latency_us);
	else
		field_null(b, "latency_us");
	field_time(b, "last", row.last_us);
	field_next(b, '}');
	sse_tail(b);
	view_row_release(&row);
}

static void
sse_samples(struct sse *s)
{
	uint32_t ids[TOUCHED_AT_ONCE];
	unsigned n = live_touched(s->h->live, &s->tick, ids, TOUCHED_AT_ONCE);
	BUF_AUTO(b, TOUCHED_AT_ONCE * 512);
	struct ring *rings[] = {&s->api, &s->page};

	for (unsigned i = 0; i < n; i++)
		sse_sample(&b, s->h, ids[i]);
	if (b.n == 0 || !buf_ok(&b))
		return;
	for (size_t i = 0; i < COUNT(rings); i++) {
		uint64_t after;

		if (ring_wants(rings[i], &after))
			(void)ring_add(rings[i], xstrndup(b.p, b.n), b.n, 0,
			    0);
	}
}

/* A comment for programs; browsers do not show those to the page's script,
 * which wants to know that the stream lives. */
static void
sse_alive(struct ring *r, const char *text)
{
	(void)ring_add(r, xstrdup(text), strlen(text), 0, 0);
}

int64_t
sse_turn(struct http *h, int64_t now_ns)
{
	struct sse *s = h->sse;

	if (sse_clients(s) == 0) {
		/* A poke comes with the first client. */
		atomic_store(&s->news, true);
		return INT64_MAX;
	}
	if (atomic_load(&s->news)) {
		if (now_ns < s->turn_ns)
			return s->turn_ns;
		s->turn_ns = now_ns + SSE_TURN_NS;
		atomic_store(&s->news, false);
		sse_feed(s, &s->api, false);
		sse_feed(s, &s->page, true);
		sse_samples(s);
	}
	if (now_ns >= s->alive_ns) {
		s->alive_ns = now_ns + SSE_ALIVE_NS;
		sse_alive(&s->api, ": alive\n\n");
		sse_alive(&s->page, "event: alive\ndata: {}\n\n");
	}
	return s->alive_ns;
}

static enum flow
sse_join(struct req *q, struct ring *r, uint64_t after, struct buf *backlog)
{
	struct sse *s = q->h->sse;
	struct stream *st;

	if (!buf_ok(backlog))
		return req_bad(q, 503, NULL, "too much happened meanwhile; "
		    "read /api/v1/events and resume later");
	st = ring_join(r, q->conn, after, buf_take(backlog), s->max);
	if (st == NULL)
		return req_bad(q, 503, NULL, "too many event streams are open");
	q->stream = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192,
	    ring_read, st, ring_leave);
	if (q->stream == NULL) {
		ring_leave(st);
		return req_bad(q, 500, NULL, "no memory for the stream");
	}
	(void)MHD_add_response_header(q->stream, "Content-Type",
	    "text/event-stream; charset=utf-8");
	(void)MHD_add_response_header(q->stream, "X-Accel-Buffering", "no");
	answer_guard(q->stream, NULL, false);
	http_poke(q->h);
	return ANSWERED;
}

enum flow
sse_public(struct req *q)
{
	BUF_AUTO(b, 256);

	buf_add(&b, STR("retry: 3000\n\n"));
	return sse_join(q, &q->h->sse->page, live_last(q->h->live), &b);
}

/* From the store: what is no longer in the live ring. */
static enum err
sse_read_stored(struct req *q, uint64_t *after, struct buf *b,
    struct errinfo *ei)
{
	for (unsigned sum = 0; sum < SSE_RESUME_MAX; ) {
		struct event *ev = NULL;
		size_t n = 0;
		struct event_query wanted = {.after_id = *after, .limit = 1000};
		enum err e = query_events(q->reader, &wanted, &ev, &n, ei);

		if (e != ERR_OK)
			return e;
		for (size_t i = 0; i < n; i++)
			sse_event(b, &ev[i]);
		if (n > 0)
			*after = ev[n - 1].id;
		xfree(ev);
		sum += (unsigned)n;
		if (n < 1000)
			return ERR_OK;
	}
	return fail(ei, ERR_AGAIN, "more than %u events happened since; read "
	    "/api/v1/events and resume later", SSE_RESUME_MAX);
}

/* On a reader's thread, the connection suspended: q->conn is only kept. */
enum flow
sse_private(struct req *q)
{
	BUF_AUTO(b, SSE_BACKLOG);
	struct errinfo ei = {0};
	uint64_t after = 0, last = live_last(q->h->live);
	bool resume = q->last_event_id[0] != '\0' || req_arg(q, "after").n > 0;
	enum err e;

	if (!req_arg_u64(q, "after", INT64_MAX, &after))
		return ANSWERED;
	if (q->last_event_id[0] != '\0' &&
	    !str_u64(str_of(q->last_event_id), INT64_MAX, &after))
		return req_bad(q, 400, "Last-Event-ID",
		    "Last-Event-ID is not an event's id");
	buf_add(&b, STR("retry: 3000\n\n"));
	if (!resume || after > last)
		after = last;
	e = after < last ? sse_read_stored(q, &after, &b, &ei) : ERR_OK;
	if (e != ERR_OK)
		return req_fail(q, e, &ei);
	return sse_join(q, &q->h->sse->api, after, &b);
}

/* push.c: see push.h. The hot path: one token look-up, one command, one
 * shared response. */
#include "http/push.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "http/answer.h"
#include "http/auth.h"
#include "http/park.h"
#include "http/server.h"
#include "model/command.h"
#include "http/route.h"
#include "world/world.h"

#define TOKEN_MAX 128

struct MHD_Response *
push_response(void)
{
	static const char ok[] = "{\"ok\":true}\n";
	struct MHD_Response *r;

	r = MHD_create_response_from_buffer_with_free_callback(sizeof(ok) - 1,
	    xstrdup(ok), xfree);
	if (r != NULL) {
		(void)MHD_add_response_header(r, "Content-Type", answer_json);
		(void)MHD_add_response_header(r, "X-Content-Type-Options",
		    "nosniff");
		(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	}
	return r;
}

static enum flow
push_unknown(struct req *q)
{
	if (!auth_strike(q))
		return req_bad(q, 429, NULL,
		    "too many unknown tokens from this address");
	return req_bad(q, 404, NULL, "no monitor has this push token");
}

/* Query parameters first, then the body's. */
static enum err
push_read(struct req *q, struct beat *b, struct errinfo *ei)
{
	enum err e = ERR_OK;

	beat_init(b);
	for (unsigned i = 0; i < q->nargs && e == ERR_OK; i++)
		e = beat_set(b, q->args[i].key, q->args[i].value, ei);
	if (e == ERR_OK && q->route->body == BODY_SMALL && q->body.n > 0)
		e = beat_body(b, buf_str(&q->body), str_of(q->content_type),
		    ei);
	return e;
}

/* It must not be missed where it was due, for it did come. */
static enum flow
push_refuse(struct req *q, uint32_t monitor, const struct beat *b)
{
	struct http *h = q->h;
	struct command *c;

	if (b->down)
		return ANSWERED;
	c = command_new(COMMAND_UNHEARD, monitor);
	if (!h->c.send(h->c.arg, c))
		command_free(c);
	return ANSWERED;
}

static enum flow
push_send(struct req *q, uint32_t monitor, const struct beat *b)
{
	struct http *h = q->h;
	struct command *c;

	if (req_no_room(q))
		return push_refuse(q, monitor, b);
	/* What was answered 503 still waits to be stored: who tries again and
	 * again must not make that pile grow without end. */
	if (mbox_load(store_inbox(h->c.store)) >= 1) {
		(void)req_bad(q, 503, NULL, "too much is waiting to be "
		    "stored; the heartbeat was not taken");
		return push_refuse(q, monitor, b);
	}
	c = command_new(COMMAND_BEAT, monitor);
	c->beat_down = b->down;
	c->beat_us = clock_wall_us();
	c->beat_ping_us = b->ping_us;
	memcpy(c->beat_msg, b->msg, sizeof(c->beat_msg));
	memcpy(c->actor, "push", 5);
	c->ack = &q->ack;
	q->beat = true;
	park_wait(q, PARK_BEAT);
	if (h->c.send(h->c.arg, c))
		return WAITING;
	command_free(c);
	answer_problem(&q->out, 503, NULL, "too much is waiting to be stored; "
	    "the heartbeat was not taken");
	park_done(q);
	return WAITING;
}

enum flow
push_heartbeat(struct req *q)
{
	struct http *h = q->h;
	struct errinfo ei = {0};
	struct beat b;
	uint32_t shard_key = 0, monitor = 0;

	/* Strikes are for unknown tokens only: a job that sends one must not
	 * silence those behind the same address that send theirs. */
	if (q->seg.n <= TOKEN_MAX)
		monitor = view_token(h->view, q->seg, &shard_key);
	if (monitor == 0)
		return push_unknown(q);
	if (push_read(q, &b, &ei) != ERR_OK) {
		answer_problem(&q->out, 400, ei.field, "%s", ei.text);
		return ANSWERED;
	}
	if (!limit_take(&h->beats, map_hash_u64(monitor), clock_mono_ns()))
		return req_bad(q, 429, NULL,
		    "too many heartbeats for this monitor");
	return push_send(q, monitor, &b);
}

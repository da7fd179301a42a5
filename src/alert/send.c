/* send.c: what all ways of sending share: the deadline and the end. */
#define OWNS_OFF
#include "alert/send.h"

#include <stdarg.h>
#include <stdio.h>

#include "alert/send_impl.h"
#include "base/mem.h"
#include "base/time.h"

static void
stop(struct send *s)
{
	if (s->req->kind == REQUEST_EXEC)
		send_exec_stop(s);
	else
		send_net_stop(s);
	timer_stop(net_world(s->net), &s->deadline);
}

static void
on_job(struct job *j)
{
	struct send *s = CONTAINER(j, struct send, job);

	s->end.answer.headers = buf_str(&s->headers);
	s->end.answer.body = buf_str(&s->body);
	s->end.answer.now_us = world_wall_us(net_world(s->net));
	s->done(s->arg, &s->end);
}

void
send_over(struct send *s, bool maybe, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->end.error, sizeof(s->end.error), fmt, ap);
	va_end(ap);
	s->end.maybe = maybe;
	stop(s);
	net_defer(s->net, &s->job);
}

void
send_answered(struct send *s, uint32_t code)
{
	s->end.answered = true;
	s->end.answer.code = code;
	stop(s);
	net_defer(s->net, &s->job);
}

static void
on_deadline(struct world *w, struct timer *t)
{
	struct send *s = CONTAINER(t, struct send, deadline);
	uint32_t code = s->req->kind == REQUEST_HTTP ? send_net_code(s) : 0;

	(void)w;
	if (code != 0) {
		send_answered(s, code);
		return;
	}
	stop(s);   /* says how far it came */
	send_over(s, s->said, "no answer within the deadline");
}

struct send *
send_start(struct net *n, const struct alert_request *r,
    void (*done)(void *arg, const struct send_end *e), void *arg)
{
	struct send *s = xcalloc(1, sizeof(*s));
	struct world *w = net_world(n);
	bool exec = r->kind == REQUEST_EXEC;
	int64_t within = exec && r->timeout_ns > 0 ?
	    MIN(r->timeout_ns, SEND_EXEC_MAX_NS) : SEND_NS;

	s->net = n;
	s->req = r;
	s->done = done;
	s->arg = arg;
	s->job.fn = on_job;
	buf_init(&s->headers, SEND_HEADERS);
	buf_init(&s->body, exec ? SEND_OUTPUT : SEND_ANSWER);
	timer_set(w, &s->deadline, world_now(w) + within, on_deadline);
	if (exec)
		send_exec_begin(s);
	else
		send_net_begin(s);
	return s;
}

void
send_free(struct send *s)
{
	if (s == NULL)
		return;
	stop(s);
	net_undefer(&s->job);
	buf_free(&s->headers);
	buf_free(&s->body);
	xfree(s);
}

#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_impl.h"

static void on_try(struct watch *w, uint32_t events);
static void on_stagger(struct world *w, struct timer *t);

static socklen_t
addr_len(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);
}

/* What is told, and of which address, when all fail: the first fault of the
 * target's, because the addresses come best first; a fault of ours only when
 * there is no other. */
static void
note(struct dial *d, unsigned at, enum why why, const char *what)
{
	char peer[PEER_TEXT];
	struct peer p = {.family = 0};

	if (d->why != WHY_OK && (!why_is_local(d->why) || why_is_local(why)))
		return;
	peer_set(&p, (const struct sockaddr *)&d->to->addr[at]);
	d->peer = p;
	d->why = why;
	(void)snprintf(d->reason, sizeof(d->reason), "%s: %s",
	    peer_text(&p, peer), what);
}

static void
try_close(struct dial_try *t)
{
	int fd = t->watch.fd;

	assert(t->watch.on);
	watch_drop(t->dial->net, &t->watch);
	(void)close(fd);
	t->dial->live--;
}

/* Begin with address at; false when it failed at once. */
static bool
try_begin(struct dial *d, struct dial_try *t, unsigned at)
{
	const struct sockaddr_storage *ss = &d->to->addr[at];
	const struct sockaddr *sa = (const struct sockaddr *)ss;
	struct errinfo ei = {.text = ""};
	int fd;
	int err;

	if (!net_allowed(d->net, sa, &ei)) {
		note(d, at, WHY_LOCAL_POLICY, ei.text);
		return false;
	}
	fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0) {
		note(d, at, net_why(errno), strerror(errno));
		return false;
	}
	err = connect(fd, sa, addr_len(ss)) == 0 || errno == EINPROGRESS ? 0 :
	    errno;
	*t = (struct dial_try){.dial = d, .at = at};
	if (err == 0)
		err = watch_set(d->net, &t->watch, fd, EPOLLOUT, on_try);
	if (err != 0) {
		note(d, at, net_why(err), strerror(err));
		(void)close(fd);
		return false;
	}
	d->live++;
	return true;
}

static struct dial_try *
try_free_place(struct dial *d)
{
	for (unsigned i = 0; i < DIAL_WIDTH; i++)
		if (!d->tries[i].watch.on)
			return &d->tries[i];
	return NULL;
}

/* One more connection under way, if there is an address and a place left. */
static void
advance(struct dial *d)
{
	struct dial_try *t = try_free_place(d);
	bool begun = false;

	while (t != NULL && !begun && d->next < d->to->n)
		begun = try_begin(d, t, d->next++);
	if (begun && d->next < d->to->n)
		timer_set(d->net->world, &d->timer,
		    world_now(d->net->world) + DIAL_STAGGER_NS, on_stagger);
}

static void
halt(struct dial *d)
{
	for (unsigned i = 0; d->live > 0 && i < DIAL_WIDTH; i++)
		if (d->tries[i].watch.on)
			try_close(&d->tries[i]);
	timer_stop(d->net->world, &d->timer);
	d->running = false;
}

static void
on_stagger(struct world *w, struct timer *t)
{
	struct dial *d = CONTAINER(t, struct dial, timer);

	(void)w;
	advance(d);
	if (d->live == 0) {   /* what was left failed at once */
		halt(d);
		d->ended_ns = world_fresh(d->net->world);
		d->done(d);
	}
}

static int
sock_error(int fd)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
		return errno;
	return err;
}

static void
on_try(struct watch *w, uint32_t events)
{
	struct dial_try *t = CONTAINER(w, struct dial_try, watch);
	struct dial *d = t->dial;
	int err = 0;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		err = sock_error(w->fd);
	if (err != 0) {
		note(d, t->at, net_why_later(err), strerror(err));
		try_close(t);
		advance(d);
		if (d->live > 0)
			return;
	} else {
		d->why = WHY_OK;
		d->reason[0] = '\0';
		peer_set(&d->peer,
		    (const struct sockaddr *)&d->to->addr[t->at]);
		watch_move(d->net, w, &d->watch, NULL);
		d->live--;
	}
	halt(d);
	d->ended_ns = world_fresh(d->net->world);
	d->done(d);
}

enum err
dial_start(struct dial *d)
{
	assert(!d->running);
	assert(!d->watch.on);
	d->why = WHY_OK;
	d->reason[0] = '\0';
	d->next = d->live = 0;
	d->peer = (struct peer){.family = 0};
	d->began_ns = world_fresh(d->net->world);
	d->ended_ns = 0;
	d->running = true;
	advance(d);
	if (d->live > 0)
		return ERR_OK;
	halt(d);
	if (d->why == WHY_OK) {   /* no address at all */
		d->why = WHY_DNS_NODATA;
		(void)snprintf(d->reason, sizeof(d->reason), "no address");
	}
	return ERR_SYS;
}

void
dial_close(struct dial *d)
{
	if (d->running) {
		if (d->why == WHY_OK || why_is_local(d->why)) {
			d->why = WHY_NET_TIMEOUT;
			(void)snprintf(d->reason, sizeof(d->reason),
			    "no answer to our connection attempts");
		}
		/* Which address it was, for whoever asks. */
		peer_set(&d->peer, (const struct sockaddr *)
		    &d->to->addr[d->next - 1]);
		halt(d);
	}
	if (d->watch.on) {
		int fd = d->watch.fd;

		watch_drop(d->net, &d->watch);
		(void)close(fd);
	}
}

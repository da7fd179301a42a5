/* leave.c: see leave.h. */
#include "http/leave.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum err
leave_init(struct leave *l, struct errinfo *ei)
{
	l->serial = 0;
	l->fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->fd < 0)
		return fail(ei, ERR_SYS, "cannot make an epoll set: %s",
		    strerror(errno));
	return ERR_OK;
}

void
leave_free(struct leave *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

uint64_t
leave_watch(struct leave *l, int sock)
{
	struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLONESHOT};

	ev.data.u64 = ++l->serial;
	if (epoll_ctl(l->fd, EPOLL_CTL_ADD, sock, &ev) != 0)
		return 0;
	return l->serial;
}

void
leave_forget(struct leave *l, int sock)
{
	(void)epoll_ctl(l->fd, EPOLL_CTL_DEL, sock, NULL);
}

unsigned
leave_take(struct leave *l, uint64_t ids[LEAVE_AT_ONCE])
{
	struct epoll_event ev[LEAVE_AT_ONCE];
	int n = epoll_wait(l->fd, ev, LEAVE_AT_ONCE, 0);

	for (int i = 0; i < n; i++)
		ids[i] = ev[i].data.u64;
	return n > 0 ? (unsigned)n : 0;
}

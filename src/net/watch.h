/* watch.h: descriptors watched on behalf of libcurl, c-ares and our own
 * connections. All of a shard's sockets sit in one epoll instance of our own
 * whose descriptor is a single uv_poll handle of the loop: a check then costs
 * plain epoll_ctl calls and no handle to open, close and free. Loop thread. */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct net;
struct watch;

/* events: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP as epoll gives them. fn may
 * set or drop this and any other watch. */
typedef void watch_fn(struct watch *w, uint32_t events);

/* Embedded in whoever owns the descriptor. Zeroed: watches nothing. */
struct watch {
	watch_fn *fn;
	int fd;
	uint32_t events;
	bool on;          /* known to the table under fd */
	bool polled;      /* in the epoll set */
};

/* Watch fd for events (0: remembered, but silent). 0 or an errno; changing
 * the events of a watch that is polled cannot fail. */
int watch_set(struct net *n, struct watch *w, int fd, uint32_t events,
    watch_fn *fn) MUST_USE;
/* to takes over the descriptor of from, which then watches nothing. */
void watch_move(struct net *n, struct watch *from, struct watch *to,
    watch_fn *fn);
/* Forget it. The caller closes the descriptor right after, which is what
 * takes it out of the epoll set: one system call saved per check. */
void watch_drop(struct net *n, struct watch *w);
/* The watch of a descriptor, NULL: none. */
struct watch *watch_of(struct net *n, int fd);

#endif

/* leave.h: who hangs up while we work for him. libmicrohttpd does not look at
 * a suspended connection's socket, so for that time it is in an epoll set of
 * ours, which tells of the peer's end alone (EPOLLRDHUP: a peer that only ends
 * its own half has left, too, as with most servers). Sockets are added and
 * removed under the park's lock, so that one which the server closes and the
 * kernel gives out again is never in it. */
#ifndef HTTP_LEAVE_H
#define HTTP_LEAVE_H

#include <stdint.h>

#include "base/err.h"

#define LEAVE_AT_ONCE 64

struct leave {
	int fd;            /* readable when somebody left; -1 */
	uint64_t serial;   /* last given out: tells one stay from the next */
};

enum err leave_init(struct leave *l, struct errinfo *ei) MUST_USE;
void leave_free(struct leave *l);
/* Returns the number of this stay; 0: it cannot be watched, which only means
 * that the question runs to its deadline. */
uint64_t leave_watch(struct leave *l, int sock);
void leave_forget(struct leave *l, int sock);
/* Those who left, without waiting: numbers of stays, some of which may be over
 * by now. */
unsigned leave_take(struct leave *l, uint64_t ids[LEAVE_AT_ONCE]);

#endif

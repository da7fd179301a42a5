/* park.h: requests that wait for a commit or a reader. A connection is
 * suspended first and resumed exactly once, by its answer or by its deadline,
 * whichever the lock sees first. While one waits for a reader its socket is
 * watched (leave.h): a client that leaves takes its question along. */
#ifndef HTTP_PARK_H
#define HTTP_PARK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "http/leave.h"

struct http;
struct req;
struct unit;

enum park_class {
	PARK_BEAT,    /* a heartbeat is answered within a second (D4) */
	PARK_EDIT,    /* configuration, tokens, pause and resume */
	PARK_READ,    /* beyond the reader's own deadline */
	PARK_NCLASS
};
#define PARK_BEAT_NS (INT64_C(900) * 1000000)
#define PARK_EDIT_NS (INT64_C(30) * 1000000000)
#define PARK_READ_NS (INT64_C(5) * 1000000000)    /* beyond read_ns */
#define READ_JOB_NS  (INT64_C(30) * 1000000000)   /* store.deadlines.slow */

struct park {
	pthread_mutex_t mu;
	struct list waiting[PARK_NCLASS];   /* oldest deadline first */
	int64_t next_wake_ns;               /* when the warden looks again */
	atomic_size_t n;                    /* suspended by us */
	_Atomic uint64_t gave_up, left;
	struct leave leave;                 /* under mu, but for its epoll */
	int64_t read_ns;                    /* of a question; set once */
	bool closed;         /* the server stops: nothing waits any more */
};

/* ERR_SYS: no descriptor. park_free in either case. */
enum err park_init(struct park *p, int64_t read_ns, struct errinfo *ei)
    MUST_USE;
void park_free(struct park *p);   /* nothing is parked */
/* On the server's thread: suspend q and take a reference for whoever will
 * call park_done. */
void park_wait(struct req *q, enum park_class c);
/* park_wait, and u to the writer with q's ack on it. False: too much waits
 * there; q is answered and u still the caller's. */
bool park_unit(struct req *q, struct unit *u) MUST_USE;
/* Any thread, once per park_wait: q is answered (out, or e with after). */
void park_done(struct req *q);
/* Hand a waiting request from the reader on to the writer: a new deadline. */
void park_again(struct req *q, enum park_class c);
/* The warden: give up what is overdue; returns when to look again. */
int64_t park_turn(struct http *h, int64_t now_ns);
/* The warden, when leave.fd is readable: questions of clients that are gone
 * are cancelled; each is answered into the void when its job ends. */
void park_leavers(struct http *h);
/* Give up every one, now and from now on. */
void park_close(struct http *h);

#endif

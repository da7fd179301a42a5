/* ring.h: frames of an event stream, kept for those who are a little behind,
 * and the clients that read them. Everything under one lock; suspending and
 * waking a client's connection happens under it too, so no wake is lost. */
#ifndef HTTP_RING_H
#define HTTP_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <microhttpd.h>

#include "base/attr.h"
#include "base/list.h"

struct frame {
	char *text;        /* owned */
	size_t n;
	uint64_t id;       /* of its event; 0: none */
};

struct ring {
	pthread_mutex_t mu;
	struct frame *v;   /* owned, size of them */
	size_t size;
	uint64_t first, next;   /* numbers of frames; slot = number % size */
	uint64_t lost_id;  /* events up to here are not in the ring any more */
	uint64_t fed;      /* the last event that was added, or skipped */
	struct list clients;
	unsigned nclients;
	bool ended;
};

struct stream {        /* one client */
	struct list node;
	struct ring *ring;
	struct MHD_Connection *conn;
	char *backlog;     /* owned; sent first */
	size_t backlog_n;
	uint64_t at;       /* frame to send next */
	size_t offset;     /* of it, already sent */
	uint64_t after;    /* events up to this id it has */
	uint64_t joined;   /* frames without id before this are not for it */
	bool asleep;
};

void ring_init(struct ring *r, size_t size);
void ring_free(struct ring *r);
/* Take text (owned from now on) and wake everybody. id 0: no event's frame.
 * Otherwise the event that follows prev: false when that is not what was fed
 * last, because the ring was restarted meanwhile. */
bool ring_add(struct ring *r, char *text, size_t n, uint64_t prev,
    uint64_t id);
/* Events up to id were lost: who does not have them is ended. */
void ring_lose(struct ring *r, uint64_t id);
/* What to feed next; false: nobody listens. */
bool ring_wants(struct ring *r, uint64_t *ret_after);
/* The first client restarts the ring after its own place. */
/* NULL: the ring has max clients, or is ended. backlog is taken. */
struct stream *ring_join(struct ring *r, struct MHD_Connection *conn,
    uint64_t after, char *backlog, unsigned max) MUST_USE;
/* libmicrohttpd's reader and free callbacks; cls is the struct stream. */
ssize_t ring_read(void *cls, uint64_t pos, char *dst, size_t max);
void ring_leave(void *cls);
void ring_end(struct ring *r);
unsigned ring_count(struct ring *r);

#endif

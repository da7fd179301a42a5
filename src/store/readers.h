/* readers.h: the threads that answer questions, each with a connection of its
 * own that cannot write. */
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/inside.h"
#include "store/query.h"

#define READERS_MAX   16
#define READERS_QUEUE 256   /* jobs that wait; one more is refused */

struct reader {
	struct store *s;
	struct backend *db;
	pthread_t thread;
	bool running;
	struct read_job *now;      /* under the pool's lock */
};

struct readers {
	struct store *s;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct read_job *first, **last;
	unsigned waiting;
	bool closed;
	_Atomic bool stop;         /* ends statements that run */
	unsigned n;
	struct reader v[READERS_MAX];
};

enum err readers_open(struct store *s, struct errinfo *ei) MUST_USE;
enum err readers_start(struct store *s, struct errinfo *ei) MUST_USE;
/* Jobs that wait run with no reader; those that run are interrupted. */
void readers_stop(struct readers *p);
void readers_free(struct readers *p);

#endif

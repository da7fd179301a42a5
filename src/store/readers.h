/* readers.h: the threads that answer questions, each with a connection of its
 * own that cannot write. A connection is opened again after an hour, after
 * half an hour of nothing to do, and when told to; the old one stays until the
 * new one works. */
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/inside.h"
#include "store/query.h"

#define READERS_MAX   16    /* as the setting says */
#define READERS_QUEUE 256   /* jobs that wait; one more is refused */
#define READERS_AGAIN_NS INT64_C(60000000000)  /* after one that failed */

struct reader {
	struct store *s;
	struct backend *db;        /* changed under the pool's lock */
	pthread_t thread;
	bool running;
	struct read_job *now;      /* under the pool's lock */
	int64_t opened_ns, used_ns, again_ns;
	unsigned generation;
	bool used;                 /* since it was opened */
	_Atomic int64_t began_ns;  /* the job it runs; 0: none */
};

struct readers {
	struct store *s;
	pthread_mutex_t mu;
	pthread_cond_t more, over;
	struct read_job *first, **last;
	unsigned waiting, alive;   /* threads that have not ended */
	unsigned generation;       /* older connections are opened again */
	bool closed;
	_Atomic bool stop;         /* ends statements that run */
	_Atomic int64_t age_ns;    /* of a snapshot, at most */
	_Atomic uint64_t busy_ns;  /* of all, with jobs that have ended */
	unsigned n;
	struct reader v[READERS_MAX];
};

/* Opens all of them and has each read, all held at once. */
enum err readers_open(struct store *s, struct errinfo *ei) MUST_USE;
enum err readers_start(struct store *s, struct errinfo *ei) MUST_USE;
/* No job is taken any more; those that run are interrupted. Any thread. */
void readers_close(struct readers *p);
/* The same, then wait for the threads until deadline_ns: jobs that waited run
 * with no reader. False: a thread is stuck in the disk; nothing of it may be
 * freed. */
bool readers_stop(struct readers *p, int64_t deadline_ns) MUST_USE;
void readers_free(struct readers *p);

/* The snapshot that is held longest: since when (0: none) and by whom. */
int64_t readers_oldest(struct store *s, const char **ret_who);

/* How long all of them together have been at work since the start. */
uint64_t readers_busy_ns(struct readers *p, int64_t now_ns);

#endif

/* shard.h: one loop thread with its scheduler, network and mailbox. */
#ifndef SCHED_SHARD_H
#define SCHED_SHARD_H

#include "base/mbox.h"
#include "conf/conf.h"
#include "sched/sched.h"

struct shard;
struct shard_conf {
	unsigned index;
	struct caps *caps;
	struct mbox *writer;      /* units go here */
	struct vantage *vantage;  /* shared by all shards */
	const struct beacon_source *beacons;   /* NULL: another one asks */
	/* Builds the shard's check_env on its own thread, and takes it down. */
	enum err (*env_open)(struct check_env *env, void *arg, struct errinfo *ei);
	void (*env_close)(struct check_env *env);
	void *env_arg;
};
enum err shard_start(const struct shard_conf *c, struct shard **ret,
    struct errinfo *ei) MUST_USE;
/* Any thread. False: the mailbox is full or closed; c stays the caller's. */
bool shard_send(struct shard *s, struct command *c) MUST_USE;
/* The same for what must not be refused (configuration, start, stop). */
bool shard_send_urgent(struct shard *s, struct command *c) MUST_USE;
void shard_kick(struct shard *s);               /* any thread */
const struct sched_stats *shard_stats(const struct shard *s);
/* Stop checks and end the thread by the deadline (monotonic). */
void shard_stop(struct shard *s, int64_t deadline_ns);
void shard_free(struct shard *s);

#endif

/* command.h: what front doors and the configuration ask of a shard. Sent
 * through the shard's mailbox; the shard frees it. */
#ifndef MODEL_COMMAND_H
#define MODEL_COMMAND_H

#include <stdint.h>

#include "base/mbox.h"
#include "model/sample.h"
#include "model/unit.h"

struct monitor_conf;   /* conf/monitor.h */
struct route_plan;     /* route/route.h */

enum command_kind {
	COMMAND_PUT,      /* conf is new or changed: add or replace */
	COMMAND_REMOVE,   /* monitor is gone */
	COMMAND_MOVE,     /* its group lives on another shard: give it up and hand
			   * this command to forward as a PUT with its state */
	COMMAND_PAUSE,
	COMMAND_RESUME,
	COMMAND_BEAT,     /* a heartbeat came in */
	COMMAND_UNHEARD,  /* one came in that could not be taken */
	COMMAND_LIMITS,   /* in_flight and per_host changed */
	COMMAND_ROUTES,   /* whom to tell from now on */
	COMMAND_STOP      /* finish or cancel what runs, then end the loop */
};

struct command {
	struct msg msg;
	enum command_kind kind;
	uint32_t monitor;
	uint32_t shard_key;            /* its group's id, or its own; 0: look up */
	struct monitor_conf *conf;     /* PUT: owned reference */
	/* Gives conf back when the command dies with it: monitor_conf_unref.
	 * Set with conf; model cannot know conf. */
	void (*conf_free)(struct monitor_conf *conf);
	struct mon_state *state;       /* PUT at start: owned; NULL = fresh */
	struct ack *ack;               /* handed on to the unit it leads to */
	char actor[64];
	/* MOVE */
	void (*forward)(void *arg, struct command *c);
	void *forward_arg;
	/* BEAT */
	bool beat_down;
	int64_t beat_us;               /* wall clock, when it was received */
	int64_t beat_ping_us;          /* -1: not given */
	char beat_msg[REASON_MAX];
	/* ROUTES: an owned reference, and how to give it back. */
	struct route_plan *routes;
	void (*routes_free)(struct route_plan *p);
	/* LIMITS, STOP */
	uint32_t in_flight, per_host;
	int64_t deadline_ns;
};

struct command *command_new(enum command_kind kind, uint32_t monitor) MUST_USE;
/* Frees conf and state too, unless taken out before; NULL is fine. The ack is
 * the waiter's: whoever drops a command answers it first. */
void command_free(struct command *c);

#endif

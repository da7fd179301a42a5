/* command.h: what front doors and the configuration ask of a shard. Sent
 * through the shard's mailbox; the shard frees it. */
#ifndef MODEL_COMMAND_H
#define MODEL_COMMAND_H

#include <stdint.h>

#include "base/mbox.h"
#include "model/sample.h"
#include "model/unit.h"

struct monitor_conf;   /* conf/monitor.h */

enum command_kind {
	COMMAND_PUT,      /* conf is new or changed: add or replace */
	COMMAND_REMOVE,   /* monitor is gone */
	COMMAND_PAUSE,
	COMMAND_RESUME,
	COMMAND_BEAT,     /* a heartbeat came in */
	COMMAND_LIMITS,   /* in_flight and per_host changed */
	COMMAND_STOP      /* finish or cancel what runs, then end the loop */
};

struct command {
	struct msg msg;
	enum command_kind kind;
	uint32_t monitor;
	struct monitor_conf *conf;     /* PUT: owned reference */
	struct mon_state *state;       /* PUT at start: owned; NULL = fresh */
	struct ack *ack;               /* handed on to the unit it leads to */
	char actor[64];
	/* BEAT */
	bool beat_down;
	int64_t beat_us;               /* wall clock, when it was received */
	int64_t beat_ping_us;          /* -1: not given */
	char beat_msg[REASON_MAX];
	/* LIMITS, STOP */
	uint32_t in_flight, per_host;
	int64_t deadline_ns;
};

struct command *command_new(enum command_kind kind, uint32_t monitor) MUST_USE;
void command_free(struct command *c);

#endif
